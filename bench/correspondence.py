"""One correspondence matrix: ours against the dense recipe of paper 003, in one run.

    python -m bench.correspondence

The recipe projects each of 16³ voxels alone (here with our own exact projector, and with ITK-RTK's Joseph where that is
installed: there most of the time goes into starting its pipeline), makes outer products of 256 × 256 and takes their
maximum. Both use one thread.
"""

from __future__ import annotations

import importlib.util
import time
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engine.correspondence import Correspondence
from app.engine.phantom.volume import Material, Part
from app.engine.projection.geometry import Geometry
from app.engine.projection.joseph import project_part

ANGLES = (13.0, 71.0)
# RTK weights the first and the last slice of a ray by how much of it lies in the volume: they have to be air
AIR = 2
COUNT, STEP, SID, SDD, PIXEL = 16, 16.0, 1050.0, 2050.0, 32.0


def view(angle_deg: float) -> Geometry:
    """RTK's circular geometry: the source in the x–z plane, rows along +y."""
    angle = np.deg2rad(angle_deg)
    out, across = np.array([np.sin(angle), 0, np.cos(angle)]), np.array([np.cos(angle), 0, -np.sin(angle)])
    corner = out * (SID - SDD) - (across + np.array([0, 1.0, 0])) * (COUNT / 2 * PIXEL)
    return Geometry(
        source=out * SID, corner=corner, u=across, v=np.array([0, 1.0, 0]), pixel_mm=PIXEL, rows=COUNT, cols=COUNT
    )


def shadows_of_ours(part: Part) -> list[NDArray[np.float64]]:
    found = []
    for angle in ANGLES:
        rows = np.zeros((COUNT**3, COUNT**2))
        for voxel in range(COUNT**3):
            alone = np.zeros(COUNT**3, np.float32)
            alone[voxel] = 1
            single = replace(part, density=alone.reshape(part.density.shape))
            rows[voxel] = project_part(single, view(angle), is_per_pixel=True).ravel()
        found.append(rows)
    return found


def shadows_of_rtk(part: Part) -> list[NDArray[np.float64]]:
    import itk
    from itk import RTK as rtk  # noqa: N811

    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(1)
    kind: Any = itk.Image[itk.F, 3]
    found = []
    for angle in ANGLES:
        geometry = rtk.ThreeDCircularProjectionGeometry.New()
        geometry.AddProjection(SID, SDD, angle)
        first = -(COUNT - 1) / 2 * PIXEL
        rows = np.zeros((COUNT**3, COUNT**2))
        for voxel in range(COUNT**3):
            empty = itk.image_from_array(np.zeros((1, COUNT, COUNT), np.float32))  # the filter works in its place
            empty.SetSpacing([PIXEL, PIXEL, 1.0])
            empty.SetOrigin([first, first, 0.0])
            alone = np.zeros(part.density.shape, np.float32)
            alone.ravel()[voxel] = 1
            image = itk.image_from_array(np.pad(alone, AIR))
            image.SetSpacing(part.spacing_mm[::-1])
            image.SetOrigin([value - AIR * STEP for value in part.origin_mm])
            projector = rtk.JosephForwardProjectionImageFilter[kind, kind].New()
            projector.SetGeometry(geometry)
            projector.SetInput(0, empty)
            projector.SetInput(1, image)
            projector.Update()
            rows[voxel] = itk.array_from_image(projector.GetOutput())[0].ravel()
        found.append(rows)
    return found


def dense(shadows: list[NDArray[np.float64]], values: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = (rows / np.maximum(rows.max(axis=1, keepdims=True), 1e-30) for rows in shadows)
    matrix = np.zeros((first.shape[1], second.shape[1]))
    for voxel in np.flatnonzero(values > 0):
        np.maximum(matrix, np.outer(first[voxel] * values[voxel], second[voxel]), out=matrix)
    return matrix


def main() -> None:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    density = (rng.random((COUNT,) * 3) * (rng.random((COUNT,) * 3) > 0.4)).astype(np.float32)
    first = -(COUNT - 1) / 2 * STEP
    part = Part(
        name="voxels", material=Material.BONE, density=density, spacing_mm=(STEP,) * 3, origin_mm=(first,) * 3,
        pose=np.eye(4),
    )  # fmt: skip
    maker = Correspondence(part)
    first_view, second_view = (view(angle) for angle in ANGLES)
    times = []
    for _ in range(200):
        start = time.perf_counter()
        matrix = maker.matrix(first_view, second_view)
        times.append(time.perf_counter() - start)
    ours = float(np.median(times))
    print(f"ours: median {ours * 1e3:.2f} ms, fastest {min(times) * 1e3:.2f} ms, {len(maker.values)} voxels not air")
    print(f"entries: {(matrix > 0).sum()} of {matrix.size}, {(matrix > 0.2).mean():.1%} above 0.2")
    # the dense maximum of the very same footprints: equal to the last bit
    rows = []
    for geometry in (first_view, second_view):
        found = maker.footprints(geometry)
        full = np.zeros((len(maker.values), found.patches))
        np.add.at(full, (np.arange(len(full))[:, None], found.patch), found.weight)
        rows.append(full)
    same = dense_of_footprints(rows, maker.values)
    print(f"equal to the dense maximum of the same footprints: {np.array_equal(matrix, same.astype(np.float32))}")
    recipes = {"our one-voxel projections": shadows_of_ours}
    if importlib.util.find_spec("itk") is not None:
        recipes["ITK-RTK one-voxel projections"] = shadows_of_rtk
    for name, shadows in recipes.items():
        start = time.perf_counter()
        expected = dense(shadows(part), density.ravel().astype(np.float64))
        seconds = time.perf_counter() - start
        difference = np.abs(matrix - expected).max()
        print(f"dense recipe, {name}: {seconds:.2f} s, {seconds / ours:.0f}× ours, differs by {difference:.1e}")


def dense_of_footprints(rows: list[NDArray[np.float64]], values: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.zeros((rows[0].shape[1], rows[1].shape[1]))
    for voxel, value in enumerate(values):
        np.maximum(matrix, np.outer(rows[0][voxel] * value, rows[1][voxel]), out=matrix)
    return matrix


if __name__ == "__main__":
    main()
