"""Make the synthetic cases that the bundled models are trained and judged on.

    python packaging/bundled/generate.py DATA [--jobs 2]

Every case is another patient, and no seed is that of the demo project. What is kept of a case is what the networks are
fed, cut by the product's own functions from a radiograph of 768 rows: the whole views, the square around the hip, and
the aligned crop of a broken shaft. Shards of 50 cases, written whole; those that exist are kept, so that a stopped run
goes on. What a case shows and how it is X-rayed is decided in `known_cases`; the held-out ones are never trained on.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.core.case import Side
from app.core.geometry import Crop, aligned_crop, crop
from app.core.model_input import mirrored, whole_view, with_margin
from app.core.region import RegionMode, region_crop
from app.engine.synthesis.known_cases import CaseGroup, KnownView, first_seed, known_case

SHARD = 50
CASES = {  # training, hold-out
    CaseGroup.NECK: (1300, 450),
    CaseGroup.FROG: (300, 150),
    CaseGroup.DISPLACED: (400, 150),
    CaseGroup.SHAFT: (300, 400),
}
WHOLE_PX, REGION_PX, ALIGNED_PX = 512, 292, 334  # with the margin that training turns and shifts images in
FIELD_MM = 96.0  # the square around the hip that the small CVDT sees on 224 px
Job = tuple[Path, CaseGroup, int, int]  # a shard's file, its group, first seed and number of cases


def make_case(group: CaseGroup, seed: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Images and facts of one case."""
    cv2.setNumThreads(1)
    case = known_case(group, seed)
    facts: dict[str, Any] = {
        "seed": seed, "patient": case.patient, "kind": case.kind.value, "difficulty": case.difficulty.value,
        "side": case.side.value, "plan": case.planned_visibility, "views": [],
    }  # fmt: skip
    arrays: dict[str, list[np.ndarray]] = {}

    def keep(name: str, view: KnownView, cut: Crop) -> None:
        pixels = view.image.pixels
        arrays.setdefault(name, []).append(view.table.levels[crop(pixels, cut)])
        inside = crop(np.full(pixels.shape, 1, np.uint16), cut) > 0
        arrays.setdefault(f"{name}_inside", []).append(np.packbits(inside))

    for view in case.views:
        geometry, truth, conspicuity = view.geometry, view.exposed.view.truth, view.exposed.conspicuity
        whole = whole_view(geometry.rows, geometry.cols, geometry.spacing, size_px=WHOLE_PX)
        keep("whole", view, whole)
        about: dict[str, Any] = {
            "whole": whole.matrix, "mm_per_px": geometry.spacing.row_mm, "shape": [geometry.rows, geometry.cols],
            "centre": view.neck_xy, "head": truth.head_centre, "head_px": truth.head_radius_px,
            "fracture": truth.fracture_centre, "shaft": truth.shaft_axis,
            "amplitude": None if conspicuity is None else conspicuity.amplitude,
        }  # fmt: skip
        if group is not CaseGroup.SHAFT and geometry.region is not None:
            cut = region_crop(geometry.region, geometry.spacing, mode=RegionMode.FIELD, size_px=224, field_mm=FIELD_MM)
            cut = with_margin(mirrored(cut) if case.side is Side.RIGHT else cut, REGION_PX)
            keep("region", view, cut)
            about["region"] = cut.matrix
        if geometry.alignment is not None:
            keep("aligned", view, with_margin(aligned_crop(geometry.alignment, geometry.spacing), ALIGNED_PX))
        facts["views"].append(about)
    return {name: np.stack(parts) for name, parts in arrays.items()}, facts


def make_shard(job: Job) -> str:
    """Write one shard, whole or not at all."""
    path, group, first, count = job
    rows = [make_case(group, seed) for seed in range(first, first + count)]
    columns = {name: np.stack([arrays[name] for arrays, _ in rows]) for name in rows[0][0]}
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        np.savez_compressed(file, facts=json.dumps([facts for _, facts in rows]), **columns)
    draft.replace(path)
    return path.name


def jobs(folder: Path) -> list[Job]:
    """Every shard: first the hold-outs and the training cases of all groups by turns, so that any part is of use."""
    listed: list[tuple[float, Job]] = []
    for group in CASES:
        for is_held_out, count in zip((False, True), CASES[group], strict=True):
            start = first_seed(group, is_held_out=is_held_out)
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
