"""COCO: boxes around hips and their points, one file for each part, with pictures that its tools can open.

The format: https://cocodataset.org/#format-data. Boxes are [left, top, width, height] in image coordinates; key points
are [x, y, 2], or [0, 0, 0] where nobody has set them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from app import __version__
from app.core.annotation import ALIGNMENT, LANDMARK, REGION, alignment_of, point_of, region_of
from app.core.case import View
from app.core.event import Json
from app.core.export_plan import ExportCase, ExportPlan
from app.core.geometry import XY, Alignment, aligned_crop
from app.core.measurement import LandmarkKind
from app.core.region import RegionBox
from app.store.exchange.card import NOT_STATED
from app.store.exchange.image_folder import part_folder
from app.store.exchange.pictures import shown_view_png
from app.store.exchange.writer import ExportSource, OutputFile

FOLDER = "coco"
KEY_POINTS = ("fracture-centre", "shaft-axis", *(kind.value for kind in LandmarkKind))
NO_CLASS = "hip"  # the category of a hip without an agreed class


class CocoWriter:
    """COCO instances with key points."""

    def files(self, plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
        """One JSON file for each part, then the pictures by id."""
        for part, cases in _parts(plan).items():
            yield OutputFile(path=f"{FOLDER}/instances_{part}.json", content=partial(_encoded, plan, cases))
        for view in plan.pictures:
            yield OutputFile(
                path=f"{FOLDER}/images/{view.id}.png",
                content=partial(shown_view_png, source, view, source.kept_window(view)),
                about=f"The view {view.id}",
            )

    def notes(self, plan: ExportPlan) -> tuple[str, ...]:
        """What has no place in COCO."""
        second = sum(len(_readers(case, view)) > 1 for case in plan.cases for view in case.pictures)
        without = sum(not _readers(case, view) for case in plan.cases for view in case.pictures)
        notes = []
        if second:
            notes.append(
                f"COCO: {second} hips have boxes or points of several readers; those of the first reader by name are "
                "there."
            )
        if without:
            notes.append(f"COCO: {without} hips on a view have neither box nor clicks; their views come without them.")
        return tuple(notes)

    def guide(self) -> str:
        """Where everything is."""
        return (
            f"`{FOLDER}/instances_PART.json` with `{FOLDER}/images/*.png`, 8 bit, display levels. A box is what a "
            "reader drew, or else the square around the two clicks (`box_source`); key points are the clicks and the "
            "landmarks."
        )


def coco_document(plan: ExportPlan, cases: list[ExportCase]) -> dict[str, Any]:
    """The COCO document of some cases."""
    names = [*plan.classes, NO_CLASS]
    category = {name: number for number, name in enumerate(names, start=1)}
    views = {view.id: view for case in cases for view in case.pictures}
    number_of = {name: number for number, name in enumerate(sorted(views), start=1)}
    annotations: list[dict[str, Any]] = []
    for case in cases:
        for view in case.pictures:
            for reader, values in list(_readers(case, view).items())[:1]:
                found = _annotation(case, view, values, plan.reader_number(reader))
                found |= {
                    "id": len(annotations) + 1,
                    "image_id": number_of[view.id],
                    "category_id": category[case.label or NO_CLASS],
                }
                annotations.append(found)
    return {
        "info": {
            "description": plan.title,
            "version": str(plan.head[0]),
            "contributor": f"Coxa {__version__}",
        },
        "licenses": [{"id": 1, "name": plan.request.licence or NOT_STATED, "url": ""}],
        "images": [_image(views[name], number, cases) for name, number in number_of.items()],
        "annotations": annotations,
        "categories": [
            {"id": number, "name": name, "supercategory": "hip", "keypoints": list(KEY_POINTS), "skeleton": [[1, 2]]}
            for name, number in category.items()
        ],
    }


def _encoded(plan: ExportPlan, cases: list[ExportCase]) -> list[bytes]:
    return [(json.dumps(coco_document(plan, cases), ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8")]


def _parts(plan: ExportPlan) -> dict[str, list[ExportCase]]:
    parts: defaultdict[str, list[ExportCase]] = defaultdict(list)
    for case in plan.cases:
        parts[part_folder(plan, case.part)].append(case)
    return dict(sorted(parts.items()))


def _readers(case: ExportCase, view: View) -> dict[str, dict[str, Json]]:
    """Reader by name -> what they drew on a view, if it has a box or clicks."""
    found: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    for each in case.annotations:
        if each.reader and each.field.endswith(f".{view.id}"):
            found[each.reader][each.field] = each.value
    drawn = (f"{REGION}{view.id}", f"{ALIGNMENT}{view.id}")
    return {reader: found[reader] for reader in sorted(found) if any(found[reader].get(name) for name in drawn)}


def _annotation(case: ExportCase, view: View, values: Mapping[str, Json], reader: int) -> dict[str, Any]:
    region = region_of(values.get(f"{REGION}{view.id}"))
    alignment = alignment_of(values.get(f"{ALIGNMENT}{view.id}"))
    box, outline = _outline(view, region, alignment)
    points = _key_points(view, alignment, values)
    return {
        "bbox": box,
        "area": box[2] * box[3],
        "segmentation": [outline],
        "iscrowd": 0,
        "keypoints": [part for point in points for part in ((*point, 2) if point else (0, 0, 0))],
        "num_keypoints": sum(point is not None for point in points),
        "box_source": "region" if region is not None else "clicks",
        "case": case.case.id,
        "side": case.case.side.value if case.case.side else "",
        "reader": reader,
    }


def _outline(view: View, region: RegionBox | None, alignment: Alignment | None) -> tuple[list[float], list[float]]:
    """Box and outline of a hip on the image: the region as it was drawn, or what the clicks cut out of it."""
    if region is not None:
        left, top, right, bottom = region.left, region.top, region.right, region.bottom
        corners: tuple[XY, ...] = ((left, top), (right, top), (right, bottom), (left, bottom))
    else:
        assert alignment is not None, "a hip comes with a box or clicks"
        corners = aligned_crop(alignment, view.spacing).corners_xy
    corners = tuple((min(max(x, 0.0), float(view.cols)), min(max(y, 0.0), float(view.rows))) for x, y in corners)
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    return box, [part for corner in corners for part in corner]


def _key_points(view: View, alignment: Alignment | None, values: Mapping[str, Json]) -> list[XY | None]:
    clicks = (alignment.center_xy, alignment.axis_xy) if alignment else (None, None)
    held = [values.get(f"{LANDMARK}{kind.value}.{view.id}") for kind in LandmarkKind]
    return [*clicks, *(None if value is None else point_of(value) for value in held)]


def _image(view: View, number: int, cases: list[ExportCase]) -> dict[str, Any]:
    patient = next(case.patient.id for case in cases if case.study.id == view.study_id)
    return {
        "id": number,
        "file_name": f"{view.id}.png",
        "width": view.cols,
        "height": view.rows,
        "license": 1,
        "view": view.id,
        "study": view.study_id,
        "patient": patient,
        "projection": view.projection.value.value if view.projection.value else "",
    }
