"""One synthetic study as files: what to make for a number, and writing it so that it is there whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.core.case import Side
from app.engine.dicom_output import SyntheticObject, dicom_bytes
from app.engine.phantom.case import GENERATOR, CaseRequest, SyntheticCase, build_case
from app.engine.phantom.femur_model import COARSE_RESOLUTION, FULL_RESOLUTION
from app.engine.phantom.fracture import CaseKind, Difficulty
from app.engine.phantom.views import ViewKind
from app.engine.projection.geometry import Geometry
from app.engine.synthesis.radiographs import ExposedView, expose_case

MOST_CASES = 1_000_000
TRUTH = "truth.json"
_PLAN_STREAM = 200
_FIRST_DAY = date(2000, 1, 3)
_MIX = {
    CaseKind.NORMAL: 0.50,
    CaseKind.NECK_NON_DISPLACED: 0.30,
    CaseKind.GARDEN_3: 0.06,
    CaseKind.GARDEN_4: 0.06,
    CaseKind.TROCHANTERIC: 0.08,
}


class FileFormat(StrEnum):
    """How images are written."""

    DICOM = "dicom"
    NPZ = "npz"


class Examination(StrEnum):
    """Which pair of views is taken."""

    CROSS_TABLE = "cross-table"
    FROG_LEG = "frog-leg"
    PELVIS = "pelvis"  # whole pelvis and cross-table lateral
    SHAFT = "shaft"

    @property
    def views(self) -> tuple[ViewKind, ViewKind]:
        """The two views, frontal first."""
        return {
            Examination.CROSS_TABLE: (ViewKind.FRONTAL, ViewKind.CROSS_TABLE),
            Examination.FROG_LEG: (ViewKind.FRONTAL, ViewKind.FROG_LEG),
            Examination.PELVIS: (ViewKind.PELVIS, ViewKind.CROSS_TABLE),
            Examination.SHAFT: (ViewKind.SHAFT_FRONTAL, ViewKind.SHAFT_LATERAL),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A whole set of synthetic studies; a study follows from the series and its number.

    Args:
        seed: of the series.
        kinds: the kinds to draw from, equally often; empty = the usual mix of hips.
        difficulty: how much of a fracture there is to see.
        examination: which views; shaft fractures always get views of the shaft.
        height_px: image height.
        is_coarse: coarser voxels, for training crops.
        format: how images are written.
    """

    seed: int
    kinds: tuple[CaseKind, ...] = ()
    difficulty: Difficulty = Difficulty.STANDARD
    examination: Examination = Examination.CROSS_TABLE
    height_px: int = 1024
    is_coarse: bool = False
    format: FileFormat = FileFormat.DICOM

    def request(self, number: int) -> CaseRequest:
        """What to make for a number, 0-based; every tenth study is a second one of an earlier patient."""
        if not 0 <= number < MOST_CASES:
            raise ValueError(f"a series has at most {MOST_CASES} studies")
        rng = np.random.default_rng([self.seed, _PLAN_STREAM, number])
        kinds = self.kinds or tuple(_MIX)
        shares = None if self.kinds else list(_MIX.values())
        kind = kinds[int(rng.choice(len(kinds), p=shares))]
        first = number - 5 if number % 10 == 9 else number
        examination = Examination.SHAFT if kind.is_shaft else self.examination
        return CaseRequest(
            seed=self.seed * MOST_CASES + number,
            patient_seed=self.seed * MOST_CASES + first,
            kind=kind,
            difficulty=self.difficulty,
            views=examination.views,
            height_px=self.height_px,
            resolution=COARSE_RESOLUTION if self.is_coarse else FULL_RESOLUTION,
        )

    def describe(self) -> dict[str, Any]:
        """The series as plain values; two series make the same studies exactly when these are equal."""
        return {"generator": GENERATOR, **asdict(self), "kinds": [kind.value for kind in self.kinds]}


def case_folder(folder: Path, number: int) -> Path:
    """Where a study lies, 0-based number."""
    return folder / f"case-{number:06d}"


def write_case(series: Series, number: int, folder: Path) -> Path:
    """Make one study and write it; an interrupted write leaves nothing under the final name.

    Args:
        series: what the study belongs to.
        number: 0-based number of the study.
        folder: existing folder of the series.

    Returns:
        the study's folder; untouched when it was there already.
    """
    final = case_folder(folder, number)
    if final.exists():
        return final
    partial = folder / f".{final.name}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # one process a processor; the caller's setting comes back
    try:
        case = build_case(series.request(number))
        views = []
        for position, exposed in enumerate(expose_case(case), start=1):
            name = f"{position}-{exposed.view.setup.kind.value}"
            content = _image_file(case, exposed, position, series)
            (partial / f"{name}.{'dcm' if series.format is FileFormat.DICOM else 'npz'}").write_bytes(content)
            views.append({"file": name, **view_truth(exposed)})
        text = json.dumps({**case_truth(case), "number": number, "views": views}, indent=1, sort_keys=True)
        (partial / TRUTH).write_text(text + "\n", encoding="utf-8")
    finally:
        cv2.setNumThreads(threads)
    try:
        partial.replace(final)
    except OSError:  # another run was faster
        shutil.rmtree(partial, ignore_errors=True)
        if not final.exists():
            raise
    return final


def case_truth(case: SyntheticCase) -> dict[str, Any]:
    """Everything known about a case but its views, as plain values."""
    return {
        "synthetic": True,
        "generator": GENERATOR,
        "seed": case.request.seed,
        "kind": case.request.kind.value,
        "difficulty": case.request.difficulty.value,
        "labels": asdict(case.labels),
        "patient": asdict(case.patient),
        "fracture": None if case.fracture is None else asdict(case.fracture),
    }


def view_truth(exposed: ExposedView) -> dict[str, Any]:
    """Everything known about a view, in image coordinates (corner origin, px) and as plain values."""
    view, picture = exposed.view, exposed.radiograph
    geometry = view.setup.geometry
    return {
        "kind": view.setup.kind.value,
        "projection": view.setup.kind.projection.value,
        "truth": asdict(view.truth),
        "geometry": geometry_values(geometry.mirrored() if view.is_mirrored else geometry),
        "magnification": view.setup.magnification,
        "rows": geometry.rows,
        "cols": geometry.cols,
        "bits_stored": picture.bits_stored,
        "technique": asdict(picture.technique),
        "style": picture.style.value,
        "field": picture.field.tolist(),
        "marker": None if exposed.marker is None else exposed.marker.side.value,
        "marker_box": None if picture.marker_box is None else picture.marker_box.tolist(),
        "conspicuity": None if exposed.conspicuity is None else asdict(exposed.conspicuity),
    }


def geometry_values(geometry: Geometry) -> dict[str, Any]:
    """A geometry as plain values, mm; world: x to the patient's left, y posterior, z superior, hip centre at 0."""
    return {
        "source_mm": geometry.source.tolist(),
        "corner_mm": geometry.corner.tolist(),
        "u": geometry.u.tolist(),
        "v": geometry.v.tolist(),
        "pixel_mm": geometry.pixel_mm,
        "camera_matrix": geometry.camera_matrix().tolist(),
    }


def table_of(truths: Iterable[dict[str, Any]]) -> str:
    """The main facts of many studies as CSV, one row a study."""
    rows = [_row(truth) for truth in truths]
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _row(truth: dict[str, Any]) -> dict[str, Any]:
    labels = truth["labels"]
    row = {
        "case": case_folder(Path(), truth["number"]).name,
        "patient": truth["patient"]["id"],
        "kind": truth["kind"],
        "difficulty": truth["difficulty"],
        "side": labels["side"],
        "fracture": int(labels["has_fracture"]),
        "region": labels["region"],
        "displacement": labels["displacement"],
        "garden": labels["garden"],
        "atypical": "" if labels["is_atypical"] is None else int(labels["is_atypical"]),
        "planned_visibility": labels["planned_visibility"],
    }
    for number, view in enumerate(truth["views"], start=1):
        centre = view["truth"]["fracture_centre"] or ("", "")
        row[f"view_{number}"] = view["file"]
        row[f"amplitude_{number}"] = (view["conspicuity"] or {}).get("amplitude", "")
        row[f"fracture_{number}_x"], row[f"fracture_{number}_y"] = centre
    return row


def _image_file(case: SyntheticCase, exposed: ExposedView, position: int, series: Series) -> bytes:
    picture = exposed.radiograph
    if series.format is FileFormat.DICOM:
        return dicom_bytes(picture.pixels, _header(case, exposed, position, series))
    arrays: dict[str, Any] = {"pixels": picture.pixels, "bits_stored": np.uint8(picture.bits_stored)}
    if exposed.difference is not None:
        arrays["difference"] = exposed.difference.astype(np.float16)
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def _header(case: SyntheticCase, exposed: ExposedView, position: int, series: Series) -> SyntheticObject:
    setup = exposed.view.setup
    is_femur = setup.kind in Examination.SHAFT.views
    seed = case.request.seed
    return SyntheticObject(
        study_key=f"synth/{series.describe()}/{seed}",
        number=position,
        patient_id=case.patient.id,
        date=f"{_FIRST_DAY + timedelta(days=seed % 7300):%Y%m%d}",
        projection=setup.kind.projection,
        side=Side.BOTH if setup.kind.shows_both_hips else case.labels.side,
        body_part="PELVIS" if setup.kind.shows_both_hips else "FEMUR" if is_femur else "HIP",
        bits_stored=exposed.radiograph.bits_stored,
        pixel_mm=setup.geometry.pixel_mm,
        magnification=setup.magnification,
        source_to_detector_mm=setup.geometry.source_to_detector_mm,
        kvp=exposed.radiograph.technique.kvp,
        sex=case.patient.sex.value,
        age_years=case.patient.age_years,
    )
