"""The rows of every table of a data set: plain values under fixed columns, made from a plan alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.core.adjudication import ADJUDICATED, adjudication_of, settled_value
from app.core.annotation import (
    ALIGNMENT,
    CALIBRATION,
    CASE,
    COMMENT,
    CROP_VERDICT,
    LABEL,
    LANDMARK,
    MEASUREMENT,
    REGION,
    VIEW,
    Annotation,
    alignment_of,
    calibration_of,
    label_value,
    labels_of,
    measurement_of,
    point_of,
    region_of,
    split_target,
)
from app.core.case import View
from app.core.export import Content, ExportFormat
from app.core.export_plan import ExportCase, ExportCrop, ExportPlan, agreed_label, label_text
from app.core.label_set import value_text
from app.core.measurement import measure
from app.store.crops import crop_key, crop_state

Cell: TypeAlias = str | int | float | bool | None
Row: TypeAlias = dict[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table.

    Args:
        name: of its files, without ending.
        columns: name -> type, in order.
        rows: makes its rows.
    """

    name: str
    columns: Mapping[str, type]
    rows: Callable[[], Iterable[Row]]


def tables_of(plan: ExportPlan) -> list[Table]:
    """The tables of a plan that hold what was asked for; the history is not among them."""
    fields = _label_names(plan) if plan.has(Content.LABELS) else ()
    found = [
        Table(
            name="cases", columns=CASES | {f"label.{name}": str for name in fields}, rows=lambda: _cases(plan, fields)
        ),
        Table(name="views", columns=VIEWS, rows=lambda: _views(plan)),
    ]
    if plan.has(Content.LABELS):
        found.append(Table(name="labels", columns=LABELS, rows=lambda: _labels(plan)))
        if any(True for _ in _annotations(plan, ADJUDICATED)):
            found.append(Table(name="adjudications", columns=ADJUDICATIONS, rows=lambda: _adjudications(plan)))
        if plan.request.has_free_text:
            found.append(Table(name="comments", columns=COMMENTS, rows=lambda: _comments(plan)))
    if plan.has(Content.ALIGNMENTS):
        found.append(Table(name="alignments", columns=ALIGNMENTS, rows=lambda: _alignments(plan)))
        found.append(Table(name="regions", columns=REGIONS, rows=lambda: _regions(plan)))
    if plan.has(Content.MEASUREMENTS):
        found.append(Table(name="measurements", columns=MEASUREMENTS, rows=lambda: _measurements(plan)))
        found.append(Table(name="landmarks", columns=LANDMARKS, rows=lambda: _landmarks(plan)))
        found.append(Table(name="calibrations", columns=CALIBRATIONS, rows=lambda: _calibrations(plan)))
    if plan.has(Content.ALIGNED_CROPS, Content.REGION_CROPS):
        found.append(Table(name="crops", columns=CROPS, rows=lambda: _crops(plan)))
    return found


def image_path(view: View) -> str:
    """Where the whole picture of a view is in a data set."""
    return f"images/{view.id}.png"


def crop_path(crop: ExportCrop) -> str:
    """Where a crop is in a data set."""
    kind = "aligned" if crop.content is Content.ALIGNED_CROPS else "region"
    return f"crops/{kind}/{crop.name}.png"


CASES: dict[str, type] = {
    "case": str, "patient": str, "sex": str, "study": str, "study_date": str, "side": str, "status": str, "part": str,
    "class": str, "is_disputed": bool, "frontal": str, "lateral": str, "other_views": str, "open_questions": int,
}  # fmt: skip
VIEWS: dict[str, type] = {
    "view": str, "study": str, "patient": str, "projection": str, "projection_certainty": str, "side": str,
    "side_certainty": str, "rows": int, "cols": int, "row_mm": float, "col_mm": float, "spacing_source": str,
    "is_spacing_trusted": bool, "photometric": str, "bits_stored": int, "stored_value_offset": int,
    "acquired_at": str, "flags": str, "notices": str, "pixels": str, "image_sha256": str, "file": str,
}  # fmt: skip
LABELS: dict[str, type] = {
    "case": str, "view": str, "patient": str, "part": str, "reader": str, "field": str, "value": str, "text": str,
    "author": str, "at": str, "event": int,
}  # fmt: skip
ADJUDICATIONS: dict[str, type] = {
    "case": str, "patient": str, "part": str, "adjudicator": str, "field": str, "value": str, "text": str,
    "is_settled": bool, "at": str, "event": int,
}  # fmt: skip
COMMENTS: dict[str, type] = {"case": str, "number": str, "text": str, "author": str, "at": str, "event": int}
ALIGNMENTS: dict[str, type] = {
    "case": str, "view": str, "reader": str, "center_x": float, "center_y": float, "axis_x": float, "axis_y": float,
    "angle_deg": float, "side_mm": float, "side_px": float, "source": str, "crop_state": str, "crop_key": str,
    "at": str, "event": int,
}  # fmt: skip
REGIONS: dict[str, type] = {
    "case": str, "view": str, "reader": str, "left": float, "top": float, "right": float, "bottom": float, "at": str,
    "event": int,
}  # fmt: skip
MEASUREMENTS: dict[str, type] = {
    "case": str, "view": str, "reader": str, "number": str, "kind": str, "points": str, "value": float, "unit": str,
    "length_scale": str, "note": str, "at": str, "event": int,
}  # fmt: skip
LANDMARKS: dict[str, type] = {
    "case": str, "view": str, "reader": str, "landmark": str, "x": float, "y": float, "at": str, "event": int,
}  # fmt: skip
CALIBRATIONS: dict[str, type] = {
    "view": str, "kind": str, "first_x": float, "first_y": float, "second_x": float, "second_y": float,
    "known_mm": float, "author": str, "at": str, "event": int,
}  # fmt: skip
CROPS: dict[str, type] = {
    "file": str, "kind": str, "case": str, "patient": str, "part": str, "class": str, "view": str, "reader": str,
    "state": str, "size_px": int, "mm_per_px": float, "m11": float, "m12": float, "m13": float, "m21": float,
    "m22": float, "m23": float, "key": str, "image_sha256": str,
}  # fmt: skip


def _cases(plan: ExportPlan, fields: tuple[str, ...]) -> Iterator[Row]:
    for each in plan.cases:
        case = each.case
        row: Row = {
            "case": case.id,
            "patient": each.patient.id,
            "sex": each.patient.sex,
            "study": each.study.id,
            "study_date": each.study.date,
            "side": case.side.value if case.side else "",
            "status": case.status.value,
            "part": _part(each),
            "class": each.label,
            "is_disputed": each.is_disputed,
            "frontal": case.frontal_id or "",
            "lateral": case.lateral_id or "",
            "other_views": " ".join(case.unassigned_ids),
            "open_questions": len(case.questions),
        }
        said = _labels_by_reader(each)
        for name in fields:
            given = {reader: labels[name] for reader, labels in said.items() if name in labels}
            row[f"label.{name}"] = agreed_label(given)[0]
        yield row


def _views(plan: ExportPlan) -> Iterator[Row]:
    patients = {case.study.id: case.patient.id for case in plan.cases}
    has_file = plan.has(Content.IMAGES) and ExportFormat.PNG in plan.request.formats
    for view in plan.views:
        grey, spacing = view.grey, view.spacing
        yield {
            "view": view.id,
            "study": view.study_id,
            "patient": patients[view.study_id],
            "projection": view.projection.value.value if view.projection.value else "",
            "projection_certainty": view.projection.certainty.value,
            "side": view.side.value.value if view.side.value else "",
            "side_certainty": view.side.certainty.value,
            "rows": view.rows,
            "cols": view.cols,
            "row_mm": spacing.row_mm,
            "col_mm": spacing.col_mm,
            "spacing_source": spacing.source.value,
            "is_spacing_trusted": spacing.is_trusted,
            "photometric": grey.photometric.value,
            "bits_stored": grey.bits_stored,
            "stored_value_offset": plan.offsets[view.id],
            "acquired_at": view.acquired_at,
            "flags": " ".join(sorted(view.flags)),
            "notices": " ".join(view.notices),
            "pixels": view.release.value,
            "image_sha256": view.image_sha256,
            "file": image_path(view) if has_file and view.release.may_leave else "",
        }


def _labels(plan: ExportPlan) -> Iterator[Row]:
    for case, each in _annotations(plan, LABEL):
        kind, identifier, reader = split_target(each.target)
        name, value = each.field.removeprefix(LABEL), label_value(each.value)
        field = plan.label_set.field(name)
        yield {
            "case": identifier if kind == CASE else "",
            "view": identifier if kind == VIEW else "",
            "patient": case.patient.id,
            "part": _part(case),
            "reader": reader,
            "field": name,
            "value": label_text(value),
            "text": value_text(field, value),
            **_made(each),
        }


def _adjudications(plan: ExportPlan) -> Iterator[Row]:
    """What somebody decided where readers disagree; the opinions themselves are in `labels`."""
    for case, each in _annotations(plan, ADJUDICATED):
        answer = adjudication_of(each.value)
        name = each.field.removeprefix(ADJUDICATED)
        if answer is None:
            continue
        said = {
            other.reader: label_value(other.value)
            for other in case.annotations
            if other.field == f"{LABEL}{name}" and other.reader
        }
        decided = {
            other.reader: given
            for other in case.annotations
            if other.field == each.field and (given := adjudication_of(other.value)) is not None
        }
        yield {
            "case": case.case.id,
            "patient": case.patient.id,
            "part": _part(case),
            "adjudicator": each.reader,
            "field": name,
            "value": label_text(answer.value),
            "text": value_text(plan.label_set.field(name), answer.value),
            "is_settled": settled_value(said, decided) is not None,
            **_made(each, has_author=False),
        }


def _comments(plan: ExportPlan) -> Iterator[Row]:
    for case, each in _annotations(plan, COMMENT):
        text = each.value.get("text") if isinstance(each.value, dict) else each.value
        yield {"case": case.case.id, "number": each.field.removeprefix(COMMENT), "text": str(text), **_made(each)}


def _alignments(plan: ExportPlan) -> Iterator[Row]:
    for case, each in _annotations(plan, ALIGNMENT):
        view = _view(case, each.field.removeprefix(ALIGNMENT))
        alignment = alignment_of(each.value)
        if view is None or alignment is None:
            continue
        verdict = next(
            (
                other.value
                for other in case.annotations
                if other.target == each.target and other.field == f"{CROP_VERDICT}{view.id}"
            ),
            None,
        )
        (x, y), (axis_x, axis_y) = alignment.center_xy, alignment.axis_xy
        yield {
            "case": case.case.id,
            "view": view.id,
            "reader": each.reader,
            "center_x": x,
            "center_y": y,
            "axis_x": axis_x,
            "axis_y": axis_y,
            "angle_deg": alignment.angle_deg(view.spacing.aspect),
            "side_mm": alignment.side_mm,
            "side_px": alignment.side_px,
            "source": alignment.source.value,
            "crop_state": crop_state(alignment, view, verdict).value,
            "crop_key": crop_key(alignment, view),
            **_made(each, has_author=False),
        }


def _regions(plan: ExportPlan) -> Iterator[Row]:
    for case, each in _annotations(plan, REGION):
        region = region_of(each.value)
        if region is None:
            continue
        yield {
            "case": case.case.id,
            "view": each.field.removeprefix(REGION),
            "reader": each.reader,
            "left": region.left,
            "top": region.top,
            "right": region.right,
            "bottom": region.bottom,
            **_made(each, has_author=False),
        }


def _measurements(plan: ExportPlan) -> Iterator[Row]:
    for case, each in _annotations(plan, MEASUREMENT):
        number, _, view_id = each.field.removeprefix(MEASUREMENT).partition(".")
        view = _view(case, view_id)
        if view is None or each.value is None:
            continue
        measurement = measurement_of(each.value)
        reading = measure(measurement, view.spacing)
        yield {
            "case": case.case.id,
            "view": view.id,
            "reader": each.reader,
            "number": number,
            "kind": measurement.kind.value,
            "points": " ".join(f"{x!r},{y!r}" for x, y in measurement.points),
            "value": reading.value,
            "unit": reading.unit,
            "length_scale": reading.source.value if reading.source else "",
            "note": reading.note,
            **_made(each, has_author=False),
        }


def _landmarks(plan: ExportPlan) -> Iterator[Row]:
    for case, each in _annotations(plan, LANDMARK):
        landmark, _, view_id = each.field.removeprefix(LANDMARK).partition(".")
        if each.value is None:
            continue
        x, y = point_of(each.value)
        yield {
            "case": case.case.id,
            "view": view_id,
            "reader": each.reader,
            "landmark": landmark,
            "x": x,
            "y": y,
            **_made(each, has_author=False),
        }


def _calibrations(plan: ExportPlan) -> Iterator[Row]:
    for _, each in _annotations(plan, CALIBRATION):
        calibration = calibration_of(each.value)
        if calibration is None:
            continue
        (x1, y1), (x2, y2) = calibration.first_xy, calibration.second_xy
        yield {
            "view": split_target(each.target)[1],
            "kind": calibration.kind.value,
            "first_x": x1,
            "first_y": y1,
            "second_x": x2,
            "second_y": y2,
            "known_mm": calibration.known_mm,
            **_made(each),
        }


def _crops(plan: ExportPlan) -> Iterator[Row]:
    has_file = ExportFormat.PNG in plan.request.formats
    for case in plan.cases:
        for crop in case.crops:
            (m11, m12, m13), (m21, m22, m23) = crop.cut.matrix
            yield {
                "file": crop_path(crop) if has_file else "",
                "kind": crop.content.value,
                "case": case.case.id,
                "patient": case.patient.id,
                "part": _part(case),
                "class": case.label,
                "view": crop.view.id,
                "reader": crop.reader,
                "state": crop.state,
                "size_px": crop.cut.size_px,
                "mm_per_px": crop.cut.mm_per_px,
                "m11": m11, "m12": m12, "m13": m13, "m21": m21, "m22": m22, "m23": m23,
                "key": crop.key,
                "image_sha256": crop.view.image_sha256,
            }  # fmt: skip


def _annotations(plan: ExportPlan, prefix: str) -> Iterator[tuple[ExportCase, Annotation]]:
    """What is said under a field, with its case; what is said of a view that serves two cases comes once."""
    seen: set[tuple[str, str]] = set()
    for case in plan.cases:
        for each in case.annotations:
            key = (each.target, each.field)
            if each.field.startswith(prefix) and key not in seen:
                seen.add(key)
                yield case, each


def _made(each: Annotation, *, has_author: bool = True) -> Row:
    author: Row = {"author": each.author} if has_author else {}
    return author | {"at": each.at, "event": each.event_id}


def _view(case: ExportCase, view_id: str) -> View | None:
    return next((view for view in case.views if view.id == view_id), None)


def _part(case: ExportCase) -> str:
    return case.part.value if case.part else ""


def _labels_by_reader(case: ExportCase) -> dict[str, Mapping[str, Any]]:
    """Reader (or empty: came with the images) -> labels of the case."""
    values: dict[str, dict[str, Any]] = {}
    for each in case.annotations:
        if each.field.startswith(LABEL) and split_target(each.target)[0] == CASE:
            values.setdefault(each.reader, {})[each.field] = each.value
    return {reader: labels_of(found) for reader, found in values.items()}


def _label_names(plan: ExportPlan) -> tuple[str, ...]:
    """Every field that somebody answered: those of the label set in its order, then the others by name."""
    found = {
        each.field.removeprefix(LABEL)
        for case in plan.cases
        for each in case.annotations
        if each.field.startswith(LABEL) and split_target(each.target)[0] == CASE
    }
    known = [field.id for field in plan.label_set.fields if field.id in found]
    return (*known, *sorted(found - set(known)))
