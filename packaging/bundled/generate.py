"""Make the synthetic cases that the bundled models are trained and judged on.

    python packaging/bundled/generate.py DATA [--jobs 2]

Every case is another patient, and no seed is that of the demo project. What is kept of a case is what the networks are
fed, cut by the product's own functions from a radiograph of 768 rows: the whole views, the square around the hip, and
the aligned crop of a broken shaft. Shards of 50 cases, written whole; those that exist are kept, so that a stopped run
goes on. The cases from `HOLD_OUT` on are never trained on.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

FIRST_SEED = 3_000_000
SHARD = 50
CASES = {"neck": (1300, 450), "frog": (300, 150), "displaced": (400, 150), "shaft": (300, 400)}  # training, hold-out
HOLD_OUT = 500_000  # added to the seed
OFFSETS = {"neck": 0, "displaced": 100_000, "shaft": 200_000, "frog": 300_000}
HEIGHT_PX = 768
WHOLE_PX, REGION_PX, ALIGNED_PX = 512, 292, 334  # with the margin that training turns and shifts images in
FIELD_MM = 96.0  # the square around the hip that the small CVDT sees on 224 px
EASY_SHARE = 0.75


def kind_of(group: str, seed: int) -> Any:
    """What a case of a group shows, and how difficult it is."""
    from app.engine.phantom.fracture import CaseKind, Difficulty

    rng = np.random.default_rng([seed, 78])
    difficulty = Difficulty.EASY if rng.random() < EASY_SHARE else Difficulty.STANDARD
    kinds = {
        "neck": (CaseKind.NORMAL, CaseKind.NECK_NON_DISPLACED),
        "frog": (CaseKind.NORMAL, CaseKind.NECK_NON_DISPLACED),
        "displaced": (CaseKind.GARDEN_3, CaseKind.GARDEN_4, CaseKind.TROCHANTERIC),
        "shaft": (CaseKind.SHAFT_NORMAL, CaseKind.SHAFT_ATYPICAL),
    }[group]
    return kinds[int(rng.integers(len(kinds)))], difficulty


def make_case(group: str, seed: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Images and facts of one case."""
    import cv2

    from app.core.case import Side
    from app.core.geometry import Alignment, aligned_crop, crop
    from app.core.grey import GreyScale, Photometric, StoredImage
    from app.core.grey_tables import display_table
    from app.core.model_input import mirrored, whole_view, with_margin
    from app.core.region import RegionMode, region_around, region_crop
    from app.core.spacing import Spacing, SpacingSource
    from app.core.voi import auto_window
    from app.engine.phantom.case import CaseRequest, build_case
    from app.engine.phantom.femur_model import COARSE_RESOLUTION
    from app.engine.phantom.views import ViewKind
    from app.engine.synthesis.radiographs import expose_case

    cv2.setNumThreads(1)
    kind, difficulty = kind_of(group, seed)
    lateral = ViewKind.FROG_LEG if group == "frog" else ViewKind.CROSS_TABLE
    views = (ViewKind.FRONTAL,) if group == "shaft" else (ViewKind.FRONTAL, lateral)
    case = build_case(
        CaseRequest(
            seed=seed, kind=kind, difficulty=difficulty, views=views, height_px=HEIGHT_PX,
            resolution=COARSE_RESOLUTION, has_twin=group in ("neck", "frog"),
        )
    )  # fmt: skip
    facts: dict[str, Any] = {
        "seed": seed, "patient": case.patient.id, "kind": kind.value, "difficulty": difficulty.value,
        "side": case.labels.side.value, "plan": str(case.labels.planned_visibility or ""), "views": [],
    }  # fmt: skip
    arrays: dict[str, list[np.ndarray]] = {}
    is_right = case.labels.side is Side.RIGHT

    def keep(name: str, image: StoredImage, table: Any, cut: Any) -> None:
        arrays.setdefault(name, []).append(table.levels[crop(image.pixels, cut)])
        inside = crop(np.full(image.pixels.shape, 1, np.uint16), cut) > 0
        arrays.setdefault(f"{name}_inside", []).append(np.packbits(inside))

    for exposed in expose_case(case):
        truth, radiograph = exposed.view.truth, exposed.radiograph
        image = StoredImage(pixels=np.ascontiguousarray(radiograph.pixels))
        grey = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=radiograph.bits_stored)
        table = display_table(grey, auto_window(image, grey))
        rows, cols = image.pixels.shape
        pixel = exposed.view.setup.geometry.pixel_mm / exposed.view.setup.magnification
        spacing = Spacing(row_mm=pixel, col_mm=pixel, source=SpacingSource.MAGNIFICATION, is_trusted=True)
        crossing, head = truth.neck_axis
        centre = (0.45 * crossing[0] + 0.55 * head[0], 0.45 * crossing[1] + 0.55 * head[1])
        whole = whole_view(rows, cols, spacing, size_px=WHOLE_PX)
        keep("whole", image, table, whole)
        about: dict[str, Any] = {
            "whole": whole.matrix, "mm_per_px": pixel, "shape": [rows, cols], "centre": centre,
            "head": truth.head_centre, "head_px": truth.head_radius_px, "fracture": truth.fracture_centre,
            "shaft": truth.shaft_axis,
            "amplitude": None if exposed.conspicuity is None else exposed.conspicuity.amplitude,
        }  # fmt: skip
        if group != "shaft":
            region = region_around(centre, spacing, rows=100_000, cols=100_000)
            cut = region_crop(region, spacing, mode=RegionMode.FIELD, size_px=224, field_mm=FIELD_MM)
            cut = with_margin(mirrored(cut) if is_right else cut, REGION_PX)
            keep("region", image, table, cut)
            about["region"] = cut.matrix
        if group == "shaft" and truth.fracture_centre is not None:
            first, second = (np.asarray(point) for point in truth.shaft_axis)
            along = (second - first) / np.hypot(*(second - first))
            axis = np.asarray(truth.fracture_centre) + along * 40 / pixel
            alignment = Alignment(center_xy=truth.fracture_centre, axis_xy=(float(axis[0]), float(axis[1])))
            cut = with_margin(aligned_crop(alignment, spacing), ALIGNED_PX)
            keep("aligned", image, table, cut)
        facts["views"].append(about)
    return {name: np.stack(parts) for name, parts in arrays.items()}, facts


def make_shard(job: tuple[Path, str, int, int]) -> str:
    """Write one shard, whole or not at all."""
    path, group, first, count = job
    rows = [make_case(group, seed) for seed in range(first, first + count)]
    columns = {name: np.stack([arrays[name] for arrays, _ in rows]) for name in rows[0][0]}
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        np.savez_compressed(file, facts=json.dumps([facts for _, facts in rows]), **columns)
    draft.replace(path)
    return path.name


def jobs(folder: Path) -> list[tuple[Path, str, int, int]]:
    """Every shard: first the hold-outs and the training cases of all groups by turns, so that any part is of use."""
    listed: list[tuple[float, tuple[Path, str, int, int]]] = []
    for group, counts in CASES.items():
        for is_held_out, count in zip((False, True), counts, strict=True):
            start = FIRST_SEED + OFFSETS[group] + HOLD_OUT * is_held_out
            for at in range(0, count, SHARD):
                size = min(SHARD, count - at)
                word = "hold-out" if is_held_out else "training"
                path = folder / f"{group}-{word}-{start + at}.npz"
                listed.append(((at + SHARD) / count + (0.4 if is_held_out else 0), (path, group, start + at, size)))
    return [job for _, job in sorted(listed, key=lambda entry: entry[0])]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(argv)
    args.data.mkdir(parents=True, exist_ok=True)
    missing = [job for job in jobs(args.data) if not job[0].exists()]
    with multiprocessing.get_context("spawn").Pool(args.jobs) as pool:
        for number, name in enumerate(pool.imap_unordered(make_shard, missing), 1):
            print(f"{number} of {len(missing)}: {name}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
