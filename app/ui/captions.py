"""What is written over a radiograph, in words, from what is known about it."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.case import Assessment, Case, Certainty, Projection, Side, ValueT, View, ViewFlag
from app.core.orientation import Orientation
from app.core.pixel_review import ReleaseState
from app.core.record import record
from app.core.scale_bar import scale_bar
from app.core.spacing import Spacing, SpacingSource
from app.ui.corner_text import Corners, Line, Marker
from app.ui.language import number, tr
from app.ui.loader import PreparedImage
from app.ui.privacy import private_id

PROJECTION_WORDS = {
    Projection.FRONTAL: "Frontal",
    Projection.LATERAL: "Lateral",
    Projection.FROG_LEG: "Frog-leg",
    Projection.CROSS_TABLE: "Cross-table",
    Projection.OBLIQUE: "Oblique",
}
HIP_WORDS = {Side.LEFT: "Left hip", Side.RIGHT: "Right hip", Side.BOTH: "Both hips"}
OF_BOTH = {Side.LEFT: "Left hip · image of both", Side.RIGHT: "Right hip · image of both"}
OPEN_PROJECTION = {Certainty.UNKNOWN: "Projection unknown", Certainty.CONTRADICTORY: "Projection contradictory"}
OPEN_SIDE = {Certainty.UNKNOWN: "Side unknown", Certainty.CONTRADICTORY: "Side contradictory"}
OTHER_HIP = {
    Side.LEFT: "Other hip (left) · not this case",
    Side.RIGHT: "Other hip (right) · not this case",
}
SIDE_LETTERS = {Side.LEFT: "L", Side.RIGHT: "R"}
FLAG_LINES = {
    ViewFlag.PARTIAL: Line("Partial image: rows are missing", "danger"),
    ViewFlag.FALLBACK_DECODER: Line("Fallback decoder: for display only", "danger"),
    ViewFlag.FOR_PROCESSING: Line("For processing: not meant for reading", "danger"),
    ViewFlag.REJECTED: Line("Rejected at acquisition", "danger"),
    ViewFlag.OTHER_BODY_PART: Line("Header names another body part", "caution"),
    ViewFlag.NOT_NATIVE: Line("Not the detector's grey values", "caution"),
    ViewFlag.ASSUMED_ENCODING: Line("Encoding assumed", "caution"),
    ViewFlag.LOSSY: Line("Lossy compression", "caution"),
}
RELEASE_LINES = {
    ReleaseState.WAITING: Line("May hold burnt-in text", "muted"),
    ReleaseState.MASKED: Line("Burnt-in text is painted over", "muted"),
    ReleaseState.REFUSED: Line("Must not leave the project", "caution"),
}
SOURCE_WORDS = {
    SpacingSource.CALIBRATED: "calibrated",
    SpacingSource.MANUAL: "measured by hand",
    SpacingSource.MAGNIFICATION: "corrected for magnification",
    SpacingSource.PIXEL_SPACING: "Pixel Spacing as stated",
    SpacingSource.DETECTOR: "size at the detector",
    SpacingSource.MAPPING: "from the mapping",
    SpacingSource.NONE: "",
}
MISSING_LINES = {
    "frontal": "No frontal view in this case",
    "lateral": "No lateral view in this case",
    "other": "No frontal view of the other hip in this study",
}
BAR_SHARE, BAR_PX = 0.3, 150.0  # a scale bar is at most this part of the pane, and at most so long


@record(frozen=True, slots=True, kw_only=True)
class Showing:
    """How a view is shown in its pane.

    Args:
        window: the window in words.
        zoom: screen px per image px.
        unit_px: logical px per image px.
        width_px: width of the pane, logical px.
        orientation: how the image lies.
        is_hung_mirrored: whether it was stored mirrored, and is hung the right way round by mirroring it.
        is_placed: whether the view has its place in the case.
        is_other: whether this is the other hip, which is not part of the case.
        missing: places of the layout that stay empty, of `MISSING_LINES`.
        is_shut: whether what lies beside the collimated area is darkened.
    """

    window: str
    zoom: float
    unit_px: float
    width_px: float
    orientation: Orientation = Orientation()  # frozen
    is_hung_mirrored: bool = False
    is_placed: bool = True
    is_other: bool = False
    missing: tuple[str, ...] = ()
    is_shut: bool = False

    @property
    def is_mirrored(self) -> bool:
        """Whether a person has mirrored it: the patient is the wrong way round."""
        return self.orientation.is_mirrored != self.is_hung_mirrored


def corners(case: Case, view: View, showing: Showing) -> Corners:
    """Everything written over one pane.

    Args:
        case: the case that the pane shows; for the other hip, that hip's own.
        view: the view in the pane.
        showing: how it is shown.
    """
    patient, is_verified = patient_directions(view)
    letters = showing.orientation.edge_letters(patient)
    return Corners(
        top_left=(
            Line(private_id(case.patient_id), is_strong=True),
            _said(view.projection, PROJECTION_WORDS, OPEN_PROJECTION),
            _said(view.side, _hip_words(case), OPEN_SIDE),
        ),
        top_right=_warnings(view, showing, is_verified=is_verified),
        bottom_left=(Line(showing.window), Line(_zoom_words(showing))),
        bottom_right=spacing_lines(view.spacing),
        headlines=_headlines(case, showing),
        marker=side_marker(case, view, showing.orientation),
        bar=scale_bar(view.spacing, unit_px=showing.unit_px, room_px=min(showing.width_px * BAR_SHARE, BAR_PX)),
        bar_words=_bar_note(view.spacing),
        is_bar_trusted=view.spacing.is_trusted or view.spacing.col_mm is None,
        is_mirrored=showing.is_mirrored,
        is_verified=is_verified,
        **letters,
    )


def patient_directions(view: View) -> tuple[tuple[str, str] | tuple[()], bool]:
    """Patient Orientation of the stored image, and whether the object says so.

    Without one a frontal view is taken to hang as usual, the patient's left on the viewer's right, and marked as not
    verified. Nobody can tell left from right on an unknown projection.
    """
    if len(view.orientation) == 2:
        return view.orientation, True
    if view.projection.value is Projection.FRONTAL:
        return ("L", ""), False
    return (), view.projection.value is not None


def side_marker(case: Case, view: View, orientation: Orientation) -> Marker:
    """The letter of the side that was assessed, and to which edge of the screen it belongs."""
    side = case.side if view.side.value is Side.BOTH else view.side.value
    if side is None or side is Side.BOTH:
        return Marker(letter="?", is_open=True)
    letter = SIDE_LETTERS[side]
    towards = orientation.direction(letter, patient_directions(view)[0])
    return Marker(letter=letter, towards=None if towards is None else (float(towards[0]), float(towards[1])))


def spacing_lines(spacing: Spacing) -> tuple[Line, ...]:
    """The length scale, where it comes from, and whether it can be trusted."""
    if spacing.row_mm is None or spacing.col_mm is None:
        return (Line(tr("No length scale: lengths in px"), "caution"),)
    words, source = spacing_words(spacing), tr(SOURCE_WORDS[spacing.source])
    if spacing.is_trusted:
        return (Line(words), Line(source))
    return (Line(tr("Not trusted for lengths"), "caution"), Line(words, "caution"), Line(source, "caution"))


def spacing_words(spacing: Spacing) -> str:
    """The length scale in figures; empty without one."""
    if spacing.row_mm is None or spacing.col_mm is None:
        return ""
    row, col = number(spacing.row_mm, 3), number(spacing.col_mm, 3)
    return f"{row} mm/px" if row == col else f"{row} × {col} mm/px"


def readout(image: PreparedImage, spacing: Spacing, at: tuple[int, int]) -> str:
    """The pixel under the mouse: where, its modality value, and the length scale.

    Args:
        image: the image.
        spacing: its length scale.
        at: (column, row), px.
    """
    col, row = at
    index = int(image.image.pixels[row, col])
    words = tr("x {x}  y {y}   value {value}", x=col, y=row, value=f"{float(image.modality.values[index]):g}")
    if not image.modality.is_image[index]:
        words = f"{words} ({tr('padding')})"
    scale = spacing_words(spacing)
    if not scale:
        return f"{words}   {tr('lengths in px')}"
    source = tr(SOURCE_WORDS[spacing.source]) if spacing.is_trusted else tr("not trusted")
    return f"{words}   {scale} ({source})"


def evidence_text(assessment: Assessment[Projection] | Assessment[Side]) -> str:
    """Why a value is what it is, or why it is open, in one line."""
    pieces = [f"{piece.source} “{piece.found}” → {piece.says}" + (" (hint only)" if piece.is_advisory else "")
              for piece in assessment.evidence]  # fmt: skip
    return "; ".join(pieces) if pieces else "Nothing in the header says so."


def _warnings(view: View, showing: Showing, *, is_verified: bool) -> tuple[Line, ...]:
    lines = [] if showing.is_placed else [Line(tr("No place in the case yet"), "caution")]
    if not is_verified:
        lines.append(Line(tr("L/R unverified"), "caution"))
    if showing.is_hung_mirrored:
        words = tr("As stored: the wrong way round") if showing.is_mirrored else tr("Stored mirrored, hung as usual")
        lines.append(Line(words, "caution" if showing.is_mirrored else "muted"))
    lines += [Line(tr(line.text), line.tone) for flag, line in FLAG_LINES.items() if flag in view.flags]
    if view.release in RELEASE_LINES:
        line = RELEASE_LINES[view.release]
        lines.append(Line(tr(line.text), line.tone))
    return (*lines, *(Line(tr(MISSING_LINES[name]), "muted") for name in showing.missing))


def _headlines(case: Case, showing: Showing) -> tuple[Line, ...]:
    lines = []
    if showing.is_other:
        words = tr(OTHER_HIP[case.side]) if case.side in OTHER_HIP else tr("Other hip · not this case")
        lines.append(Line(words, "caution", is_strong=True))
    if showing.is_mirrored:
        lines.append(Line(tr("Mirrored"), "caution", is_strong=True))
    return tuple(lines)


def _zoom_words(showing: Showing) -> str:
    angle = round(showing.orientation.angle_deg, 1)
    parts = [f"{showing.zoom * 100:.0f} %"]
    if angle:
        figures = number(angle, 0 if angle == round(angle) else 1).replace("-", "−")
        parts.append(tr("turned {angle}°", angle=figures))
    if showing.is_shut:
        parts.append(tr("shutter"))
    return " · ".join(parts)


def _bar_note(spacing: Spacing) -> str:
    if spacing.col_mm is None:
        return ""
    if not spacing.is_trusted:
        return tr("not trusted")
    return tr("at the detector") if spacing.source is SpacingSource.DETECTOR else ""


def _hip_words(case: Case) -> Mapping[Side, str]:
    """Words for what a view shows; for a pelvis also which hip the case is."""
    return HIP_WORDS | {Side.BOTH: OF_BOTH[case.side]} if case.side in OF_BOTH else HIP_WORDS


def _said(assessment: Assessment[ValueT], words: Mapping[ValueT, str], open_words: Mapping[Certainty, str]) -> Line:
    if assessment.value is None:
        return Line(tr(open_words[assessment.certainty]), "caution")
    confirmed = " ✓" if assessment.certainty is Certainty.CONFIRMED else ""
    return Line(tr(words[assessment.value]) + confirmed)
