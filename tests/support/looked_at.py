"""A project in which somebody has done all that one does before an export."""

from __future__ import annotations

from app.core.annotation import (
    ALIGNMENT,
    LANDMARK,
    MEASUREMENT,
    PIXEL_REVIEW,
    REGION,
    VIEW,
    document_of,
    reader_target,
)
from app.core.case import Projection, Side
from app.core.event import target_of
from app.core.geometry import Alignment
from app.core.measurement import Measurement, MeasurementKind
from app.core.pixel_review import MaskBox, PixelReview, PixelVerdict
from app.core.region import RegionBox
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.store.resolve import Decision, record_decisions


def look_at_everything(project: ProjectStore) -> None:
    """Somebody reviews, labels and draws as one would before an export."""
    for view in project.views.all():
        if view.projection.is_open or view.side.is_open:
            decision = Decision(view_id=view.id, projection=Projection.FRONTAL, side=Side.LEFT)
            record_decisions(project, [decision], author="tester")
    annotations = Annotations(project)
    for case in project.cases.all():
        target = reader_target(case.id, "tester")
        changes = []
        for view in filter(None, map(project.views.get, case.view_ids)):
            width, height = view.cols, view.rows
            review = PixelReview(verdict=PixelVerdict.MASKED, masks=(MaskBox(left=0, top=0, right=9, bottom=5),))
            things = {
                f"{ALIGNMENT}{view.id}": Alignment(
                    center_xy=(0.5 * width, 0.4 * height), axis_xy=(0.55 * width, 0.8 * height)
                ),
                f"{REGION}{view.id}": RegionBox(left=2, top=3, right=width - 4, bottom=height - 5),
                f"{MEASUREMENT}1.{view.id}": Measurement(
                    kind=MeasurementKind.LENGTH, points=((3, 4), (0.7 * width, 0.6 * height))
                ),
            }
            changes += [annotations.change(target, name, document_of(value)) for name, value in things.items()]
            changes.append(annotations.change(target, f"{LANDMARK}head-centre.{view.id}", [0.4 * width, 0.3 * height]))
            changes.append(annotations.change(target_of(VIEW, view.id), PIXEL_REVIEW, document_of(review)))
        annotations.record(case.id, changes, author="tester")
        annotations.set_label(case.id, "fracture", "yes", author="tester")
