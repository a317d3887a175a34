"""From a gesture to what is stored: alignments, boxes, measurements, verdicts, calibration, a finished case."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.annotation import (
    ALIGNMENT,
    CALIBRATION,
    CROP_VERDICT,
    LANDMARK,
    MEASUREMENT,
    REGION,
    STATUS,
    CropVerdict,
    document_of,
    reader_target,
)
from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.core.event import Json, target_of
from app.core.geometry import XY, aligned_crop
from app.core.grey_tables import dark_index
from app.core.label_set import LabelValue
from app.core.label_values import missing_fields
from app.core.measurement import CalibrationKind, ScaleCalibration, calibrated_spacing
from app.core.region import copied_region, proposed_region
from app.store.annotations import Annotations
from app.store.crops import crop_key
from app.ui.captions import PROJECTION_WORDS
from app.ui.crop_panel import CropView
from app.ui.drawing_board import DrawingBoard
from app.ui.image_pane import ImagePane
from app.ui.language import number, say, tr
from app.ui.project import Project
from app.ui.viewer import Viewer

NO_ALIGNMENT = UserError(
    "This view is not aligned yet.",
    remedy="Click the fracture centre and a point on the shaft axis first.",
    kind="no-alignment",
)
FREE_STATUSES = (ReviewStatus.NEW, ReviewStatus.SECOND_LOOK)  # what Enter turns into “annotated”


class AnnotateSteps:
    """What the commands and tools of annotation do.

    Args:
        project: where everything is stored.
        viewer: the case on the screen.
        board: what is drawn over it.
    """

    def __init__(self, project: Project, viewer: Viewer, board: DrawingBoard) -> None:
        self._project = project
        self._viewer = viewer
        self._board = board

    def store(self, view_id: str, name: str, value: object, text: str) -> bool:
        """Store one thing that was drawn on a view of the case on the screen.

        Args:
            view_id: the view.
            name: field without the view, for example `alignment.`.
            value: what to store; None takes it away.
            text: one sentence for people.

        Returns:
            Whether it is stored; else it was refused, or waits until somebody has said who annotates.
        """
        content = self._viewer.content
        if content is None:
            return False
        hung = (content.frontal.view, content.lateral.view)
        if view_id not in {view.id for view in hung if view is not None}:
            return False  # it was drawn on another case
        case_id = content.case.id
        document = None if value is None else document_of(value)

        def change(annotations: Annotations, author: str) -> object:
            changed = annotations.change(reader_target(case_id, author), f"{name}{view_id}", document)
            return annotations.record(case_id, [changed], author=author, text=text)

        return self._project.annotate(case_id, change) is not None

    def judge(self, *, is_approved: bool) -> None:
        """Say what the active view's crop is worth."""
        self._board.flush()
        drawing = self._board.active
        if drawing is None or drawing.alignment is None or drawing.pending:
            self._project.failed.emit(NO_ALIGNMENT)
            return
        verdict = CropVerdict(is_approved=is_approved, key=crop_key(drawing.alignment, drawing.view))
        text = "Crop approved" if is_approved else "Crop rejected"
        self.store(drawing.view.id, CROP_VERDICT, verdict, text)

    def propose_box(self) -> None:
        """The region box around the fracture centre."""
        self._board.flush()
        drawing = self._board.active
        if drawing is None:
            return
        if drawing.alignment is None or drawing.pending:
            self._project.failed.emit(NO_ALIGNMENT)
            return
        box = proposed_region(drawing.alignment, drawing.spacing, rows=drawing.rows, cols=drawing.cols)
        drawing.active = "region"
        self.store(drawing.view.id, REGION, box, "Region box proposed from the alignment")

    def copy_box(self) -> None:
        """The active view's box, on the other view at the same level."""
        self._board.flush()
        drawing = self._board.active
        other = None if drawing is None else self._board.other(drawing)
        if drawing is None or drawing.region is None or other is None:
            self._project.failed.emit(
                UserError(
                    "There is no box to copy.",
                    reason="The active view has no region box, or the case has no second view.",
                    remedy="Draw a box on the active view first.",
                    kind="no-region",
                )
            )
            return
        box = copied_region(
            drawing.region,
            (drawing.spacing, drawing.alignment, (drawing.rows, drawing.cols)),
            (other.spacing, other.alignment, (other.rows, other.cols)),
        )
        self.store(other.view.id, REGION, box, "Region box copied from the other view")

    def delete(self) -> None:
        """Take away what was drawn or touched last in the active view."""
        self._board.flush()
        drawing = self._board.active
        if drawing is None or not drawing.active:
            return
        kind, _, which = drawing.active.partition(":")
        names = {"alignment": ALIGNMENT, "region": REGION, "measurement": f"{MEASUREMENT}{which}.",
                 "landmark": f"{LANDMARK}{which}."}  # fmt: skip
        drawing.active = ""
        self.store(drawing.view.id, names[kind], None, "Removed")

    def calibrate(self, pane: ImagePane, kind: CalibrationKind, first_xy: XY, second_xy: XY, known_mm: float) -> None:
        """Give a view the length scale that was measured."""
        drawing = self._board.on(pane)
        if drawing is not None:
            calibration = ScaleCalibration(kind=kind, first_xy=first_xy, second_xy=second_xy, known_mm=known_mm)
            self._set_calibration(drawing.view.id, document_of(calibration), "Calibrated by hand")

    def uncalibrate(self) -> None:
        """Go back to the file's own length scale."""
        drawing = self._board.active
        if drawing is not None:
            self._set_calibration(drawing.view.id, None, "Calibration removed")

    def describe_calibration(
        self, pane: ImagePane, kind: CalibrationKind, first_xy: XY, second_xy: XY, known_mm: float
    ) -> str:
        """What a known length makes of the image, in words."""
        drawing = self._board.on(pane)
        if drawing is None:
            return ""
        calibration = ScaleCalibration(kind=kind, first_xy=first_xy, second_xy=second_xy, known_mm=known_mm)
        try:
            spacing = calibrated_spacing(calibration, drawing.spacing)
        except UserError as error:
            return f"{say(error.reason)} {say(error.remedy)}"
        assert spacing.col_mm is not None, "a calibration gives figures"
        return tr("One pixel is {size} mm. Enter records it.", size=number(spacing.col_mm, 4))

    def missing(self, case_id: str) -> list[str]:
        """Names of the required labels that the reader has not given to a case yet."""
        return [field.text for field in missing_fields(self._project.annotations.label_set, self._labels(case_id))]

    def _labels(self, case_id: str) -> Mapping[str, LabelValue]:
        annotations, author = self._project.annotations, self._project.author
        return annotations.labels(case_id, author) if author.strip() else {}

    def commit(self, case_id: str) -> list[str] | None:
        """Mark a case as done, unless something required is missing.

        Returns:
            Names of what is missing; empty when the case is done; None when it could not be recorded.
        """
        project = self._project
        missing = self.missing(case_id)
        if missing:
            return missing
        values = self._labels(case_id)
        is_excused = any(field.excuses and field.id in values for field in project.annotations.label_set.fields)
        case = project.look().cases.get(case_id)
        if case is None:
            return None
        status = ReviewStatus.EXCLUDED if is_excused else ReviewStatus.ANNOTATED
        if case.status not in FREE_STATUSES and not (case.status is ReviewStatus.ANNOTATED and is_excused):
            return []  # reviewed or excluded by a person: Enter does not take that back

        def change(annotations: Annotations, author: str) -> bool:
            changed = annotations.change(target_of("case", case_id), STATUS, status.value)
            annotations.record(case_id, [changed], author=author, text="Done")
            return True

        return [] if project.annotate(case_id, change) else None

    def crop_view(self) -> tuple[CropView | None, str]:
        """The crop of the active view as it is drawn now, and what the view is called."""
        place, drawing = self._viewer.active_place, self._board.active
        if drawing is None or place.image is None or place.pane.table is None:
            return None, ""
        value = drawing.view.projection.value
        name = tr(PROJECTION_WORDS[value]) if value is not None else ""
        if drawing.alignment is None:
            return None, name
        stored = place.image.image
        return (
            CropView(
                pixels=stored.pixels,
                cut=aligned_crop(drawing.alignment, drawing.spacing),
                table=place.pane.table,
                fill=dark_index(drawing.view.grey, offset=stored.offset),
                angle_deg=drawing.alignment.angle_deg(drawing.spacing.aspect),
                state=drawing.state.value if drawing.alignment == drawing.stored else "",
            ),
            name,
        )

    def is_spacing_new(self, case_id: str) -> bool:
        """Whether a view on the screen has another length scale in the store now."""
        content = self._viewer.content
        if content is None or content.case.id != case_id:
            return False
        store = self._project.look()
        for hanging in (content.frontal, content.lateral):
            view = hanging.view
            now = store.views.get(view.id) if view is not None else None
            if view is not None and now is not None and now.spacing != view.spacing:
                return True
        return False

    def _set_calibration(self, view_id: str, document: Json, text: str) -> None:
        content = self._viewer.content
        if content is None:
            return
        case_id = content.case.id

        def change(annotations: Annotations, author: str) -> object:
            changed = annotations.change(target_of("view", view_id), CALIBRATION, document)
            return annotations.record(case_id, [changed], author=author, text=text)

        self._project.annotate(case_id, change)
