"""The words over a radiograph, from what is known about it. No Qt: words only."""

from __future__ import annotations

from app.core.case import Assessment, Case, Certainty, Projection, Side, View, ViewFlag
from app.core.spacing import Spacing, SpacingSource
from app.ui.corner_text import Corners, Line

SIDE_WORDS = {Side.LEFT: "left hip", Side.RIGHT: "right hip", Side.BOTH: "both hips"}
FLAG_LINES = {
    ViewFlag.PARTIAL: Line("Partial image: rows are missing", "danger"),
    ViewFlag.FALLBACK_DECODER: Line("Fallback decoder: for display only", "danger"),
    ViewFlag.FOR_PROCESSING: Line("For processing: not meant for reading", "danger"),
    ViewFlag.REJECTED: Line("Rejected at acquisition", "danger"),
    ViewFlag.OTHER_BODY_PART: Line("Header names another body part", "caution"),
    ViewFlag.NOT_NATIVE: Line("Not the detector's grey values", "caution"),
    ViewFlag.ASSUMED_ENCODING: Line("Encoding assumed", "caution"),
    ViewFlag.LOSSY: Line("Lossy compression", "caution"),
    ViewFlag.MAY_HAVE_TEXT: Line("May hold burnt-in text", "muted"),
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
OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


def corners(case: Case, view: View, *, is_placed: bool, window: str, zoom: float) -> Corners:
    """Everything written over one pane.

    Args:
        case: the case on show.
        view: the view in the pane.
        is_placed: whether the view has its place in the case.
        window: the window in words.
        zoom: screen px per image px.
    """
    letters, is_verified = edge_letters(view)
    right = [FLAG_LINES[flag] for flag in FLAG_LINES if flag in view.flags]
    if not is_verified:
        right.insert(0, Line("L/R unverified", "caution"))
    if not is_placed:
        right.insert(0, Line("No place in the case yet", "caution"))
    return Corners(
        top_left=(
            Line(case.patient_id, is_strong=True),
            *_said(view.projection, view.projection.value, "projection"),
            *_said(view.side, SIDE_WORDS.get(view.side.value) if view.side.value else None, "side"),
        ),
        top_right=tuple(right),
        bottom_left=(Line(window), Line(f"{zoom * 100:.0f} %")),
        bottom_right=spacing_lines(view.spacing),
        left=letters[0],
        right=letters[1],
        top=letters[2],
        bottom=letters[3],
        is_verified=is_verified,
    )


def edge_letters(view: View) -> tuple[tuple[str, str, str, str], bool]:
    """Which side of the patient lies at the left, right, top and bottom edge, and whether the object says so.

    Patient Orientation names the direction of the rows (to the right) and of the columns (down). Without it a frontal
    view is taken to hang as usual, the patient's left on the viewer's right, and marked as not verified.
    """
    if len(view.orientation) == 2:
        row, column = view.orientation
        return (opposite(row), row, opposite(column), column), True
    if view.projection.value is Projection.FRONTAL:
        return ("R", "L", "", ""), False
    return ("", "", "", ""), view.projection.value is not None  # nobody can tell L from R on an unknown projection


def opposite(letters: str) -> str:
    """The other end of a direction: `LF` is opposite `RH`; empty when a letter is not one of the six."""
    if not all(letter in OPPOSITE for letter in letters):
        return ""
    return "".join(OPPOSITE[letter] for letter in letters)


def spacing_lines(spacing: Spacing) -> tuple[Line, ...]:
    """The length scale, where it comes from, and whether it can be trusted."""
    if spacing.row_mm is None or spacing.col_mm is None:
        return (Line("No length scale: lengths in px", "caution"),)
    same = abs(spacing.row_mm - spacing.col_mm) < 1e-6
    size = f"{spacing.row_mm:.3f}" if same else f"{spacing.row_mm:.3f} × {spacing.col_mm:.3f}"
    words, source = f"{size} mm/px", SOURCE_WORDS[spacing.source]
    if spacing.is_trusted:
        return (Line(words), Line(source))
    return (Line("Not trusted for lengths", "caution"), Line(words, "caution"), Line(source, "caution"))


def evidence_text(assessment: Assessment[Projection] | Assessment[Side]) -> str:
    """Why a value is what it is, or why it is open, in one line."""
    pieces = [f"{piece.source} “{piece.found}” → {piece.says}" + (" (hint only)" if piece.is_advisory else "")
              for piece in assessment.evidence]  # fmt: skip
    return "; ".join(pieces) if pieces else "Nothing in the header says so."


def _said(assessment: Assessment[Projection] | Assessment[Side], words: str | None, what: str) -> tuple[Line, ...]:
    if words is not None:
        confirmed = " ✓" if assessment.certainty is Certainty.CONFIRMED else ""
        return (Line(words[0].upper() + words[1:] + confirmed),)
    return (Line(f"{what.capitalize()} {assessment.certainty.value}", "caution"),)
