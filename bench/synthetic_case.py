"""What a synthetic case costs: CPU-seconds and peak memory, and sparse bricks against the dense volume.

    python bench/synthetic_case.py

A case is two views with scatter, noise and processing, and the intact twin of both. One thread. The baseline in the
same run is the same femur computed at every voxel of its box instead of in the occupied bricks only.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.engine.phantom import femur_volume as femur_module
from app.engine.phantom.bricks import Bricks
from app.engine.phantom.case import CaseRequest, build_case, patient_of
from app.engine.phantom.femur_model import COARSE_RESOLUTION, FULL_RESOLUTION
from app.engine.phantom.fracture import CaseKind
from app.engine.phantom.views import ViewKind
from app.engine.synthesis.radiographs import expose_case

RUNS = 7


def cpu(action: Callable[[], object]) -> float:
    """Median CPU-seconds of `RUNS` runs after one to warm up."""
    action()
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return statistics.median(times)


class DenseBricks(Bricks):
    """Bricks that leave nothing out."""

    @classmethod
    def where_below(cls, lattice, factor, distance, limit_mm):  # type: ignore[no-untyped-def]
        return cls(lattice, factor, np.ones(tuple(n - 1 for n in lattice.shape), dtype=bool))


def femur(bricks: type[Bricks]) -> None:
    """One proximal femur at 0.6 mm."""
    femur_module.Bricks = bricks  # type: ignore[misc]
    try:
        femur_module.femur_volume(patient_of(CaseRequest(seed=1)), spacing_mm=0.6, bottom_mm=-112)
    finally:
        femur_module.Bricks = Bricks  # type: ignore[misc]


def main() -> int:
    cv2.setNumThreads(1)
    seeds = iter(range(10_000))
    shaft = (ViewKind.SHAFT_FRONTAL, ViewKind.SHAFT_LATERAL)
    hip = (ViewKind.FRONTAL, ViewKind.CROSS_TABLE)
    rows = (
        ("512², frontal and cross-table, twin", 512, FULL_RESOLUTION, CaseKind.NECK_NON_DISPLACED, hip),
        ("1024², the same", 1024, FULL_RESOLUTION, CaseKind.NECK_NON_DISPLACED, hip),
        ("1024 rows, femoral shaft, two views, twin", 1024, FULL_RESOLUTION, CaseKind.SHAFT_ATYPICAL, shaft),
        ("1024 rows, whole pelvis, one view", 1024, FULL_RESOLUTION, CaseKind.NORMAL, (ViewKind.PELVIS,)),
        ("512², coarse grids (training crops)", 512, COARSE_RESOLUTION, CaseKind.NECK_NON_DISPLACED, hip),
    )
    print("| Case | CPU-seconds | peak memory so far, MiB |")
    print("|---|---|---|")
    for text, height, resolution, kind, views in rows:

        def one(height=height, resolution=resolution, kind=kind, views=views):  # type: ignore[no-untyped-def]
            request = CaseRequest(seed=next(seeds), kind=kind, views=views, height_px=height, resolution=resolution)
            return list(expose_case(build_case(request)))

        seconds = cpu(one)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {text} | {seconds:.2f} | {peak:.0f} |", flush=True)
    sparse, dense = cpu(lambda: femur(Bricks)), cpu(lambda: femur(DenseBricks))
    print(f"\nproximal femur at 0.6 mm: {sparse:.2f} s in bricks, {dense:.2f} s dense: {dense / sparse:.1f}× faster")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
