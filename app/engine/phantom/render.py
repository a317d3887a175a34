"""From the parts of a view to areal densities, the difference image and the visibility of a fracture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from app.engine.phantom.case import SyntheticView
from app.engine.phantom.femur import MINERAL_DENSITY
from app.engine.phantom.implant import TITANIUM_DENSITY
from app.engine.phantom.soft_tissue import MUSCLE_DENSITY
from app.engine.phantom.volume import Array, Material, f32
from app.engine.projection import project

# mass attenuation at 55 keV, about the mean of a 75 kVp beam behind the body, cm²/g (NIST XAAMDI, interpolated)
_ATTENUATION = {Material.BONE: 0.362, Material.MUSCLE: 0.215, Material.FAT: 0.204, Material.METAL: 0.93}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProjectedView:
    """The line integrals of one view, oriented like the final image.

    Args:
        areal: for each material (rows, cols) float32, g/cm², with displacement taken into account.
        intact: the same for the intact twin; None without a fracture or without a twin.
    """

    areal: dict[Material, Array]
    intact: dict[Material, Array] | None


def project_view(view: SyntheticView) -> ProjectedView:
    """Project a view and, when it has one, its intact twin (only the bones that differ are projected again)."""
    geometry = view.setup.geometry
    broken = set(map(id, view.broken_bones))
    shared = project([part for part in view.parts if id(part) not in broken], geometry)
    for material in (Material.MUSCLE, Material.FAT):
        if material in shared:
            shared[material] = _without_voxel_rows(view, material, shared[material])
    folds = _skin_folds(view, shared)
    if folds is not None:
        shared[Material.MUSCLE] = shared[Material.MUSCLE] + folds
    with_fracture = shared
    intact = None
    if view.broken_bones:
        with_fracture = _sum(shared, project(view.broken_bones, geometry))
        intact = _oriented(_displaced(_sum(shared, project(view.intact_bones, geometry))), view.is_mirrored)
    return ProjectedView(areal=_oriented(_displaced(with_fracture), view.is_mirrored), intact=intact)


def _without_voxel_rows(view: SyntheticView, material: Material, image: Array) -> Array:
    """Blur by about half a soft-tissue voxel: linear interpolation leaves kinks that edge enhancement would show."""
    coarsest = max(part.spacing_mm[0] for part in view.parts if part.material is material)
    sigma = 0.45 * coarsest * view.setup.magnification / view.setup.geometry.pixel_mm
    factor = max(1, int(sigma / 3))  # a wide blur is as good on a smaller image
    small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REPLICATE)
    return f32(cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_CUBIC))


def _sum(a: dict[Material, Array], b: dict[Material, Array]) -> dict[Material, Array]:
    total = dict(a)
    for material, image in b.items():
        total[material] = total[material] + image if material in total else image
    return total


def _oriented(areal: dict[Material, Array], is_mirrored: bool) -> dict[Material, Array]:
    if not is_mirrored:
        return areal
    return {material: np.ascontiguousarray(image[:, ::-1]) for material, image in areal.items()}


def _displaced(areal: dict[Material, Array]) -> dict[Material, Array]:
    """Bone and metal take the place of muscle."""
    solid = np.zeros_like(next(iter(areal.values())))
    for material, density in ((Material.BONE, MINERAL_DENSITY), (Material.METAL, TITANIUM_DENSITY)):
        if material in areal:
            solid = solid + areal[material] * np.float32(1 / density)
    if Material.BONE in areal:  # what metal displaces was sampled on another grid: a trace below zero at its edge
        areal = {**areal, Material.BONE: np.clip(areal[Material.BONE], 0, None)}
    muscle = areal.get(Material.MUSCLE, np.zeros_like(solid)) - np.float32(MUSCLE_DENSITY) * solid
    return {**areal, Material.MUSCLE: np.clip(muscle, 0, None)}


def _skin_folds(view: SyntheticView, areal: dict[Material, Array]) -> Array | None:
    """Folds of skin and of clothing: soft steps or ridges of a few millimetres along a curved line, in every class."""
    rng = np.random.default_rng([*view.seed, 5])
    count = int(rng.integers(0, 3))
    if count == 0:
        return None
    geometry = view.setup.geometry
    rows, cols, pixel = geometry.rows, geometry.cols, geometry.pixel_mm
    centre = geometry.project_points(np.zeros(3)) * pixel
    x = ((np.arange(cols) + 0.5) * pixel - centre[0]).astype(np.float32)[None, :]
    y = ((np.arange(rows) + 0.5) * pixel - centre[1]).astype(np.float32)[:, None]
    total = np.zeros((rows, cols), dtype=np.float32)
    for _ in range(count):
        turn, offset = rng.uniform(0, np.pi), rng.normal(0, 60)
        across = x * np.float32(np.cos(turn)) + y * np.float32(np.sin(turn))
        along = y * np.float32(np.cos(turn)) - x * np.float32(np.sin(turn))
        t = across - np.float32(offset) - np.float32(rng.uniform(-0.004, 0.004)) * along**2
        width, height, reach = rng.uniform(0.4, 1.6), rng.uniform(0.05, 0.40), rng.uniform(6, 40)
        if rng.random() < 0.6:
            step = 1 / (1 + np.exp(np.clip(-t / np.float32(width), -30, 30)))
            total += np.float32(height) * step * np.exp(-np.clip(t, 0, None) / np.float32(reach))
        else:
            total += np.float32(0.6 * height) * np.exp(-((t / np.float32(width)) ** 2))
    body = areal[Material.MUSCLE] + areal.get(Material.FAT, np.float32(0))
    return f32(total * np.clip((body - 2) / 2, 0, 1))


def attenuation(areal: dict[Material, Array]) -> Array:
    """Monoenergetic line integral of the attenuation at 55 keV (natural logarithm)."""
    total = np.zeros_like(next(iter(areal.values())))
    for material, image in areal.items():
        total = total + np.float32(_ATTENUATION[material]) * image
    return total


def difference_image(projected: ProjectedView) -> Array | None:
    """What the fracture changes: attenuation with it minus without it, (rows, cols) float32; None without a twin."""
    if projected.intact is None:
        return None
    return attenuation(projected.areal) - attenuation(projected.intact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conspicuity:
    """How much of a fracture a view shows: band-passed (1–7 mm on the detector) difference near the fracture.

    Args:
        amplitude: 99.5th percentile of its size, natural-logarithm units.
        energy: root of its squared integral, mm.
    """

    amplitude: float
    energy: float


def conspicuity(view: SyntheticView, difference: Array) -> Conspicuity:
    """Measure the difference image within 40 mm of the fracture's centre."""
    if view.truth.fracture_centre is None:
        raise ValueError("a view without a fracture has no conspicuity")
    pixel = view.setup.geometry.pixel_mm
    fine = cv2.GaussianBlur(difference, (0, 0), 0.5 / pixel) - cv2.GaussianBlur(difference, (0, 0), 3.5 / pixel)
    rows, cols = difference.shape
    x, y = view.truth.fracture_centre
    near = np.hypot(np.arange(cols)[None, :] + 0.5 - x, np.arange(rows)[:, None] + 0.5 - y) * pixel < 40
    values = fine[near]
    if values.size == 0:
        return Conspicuity(amplitude=0.0, energy=0.0)
    return Conspicuity(
        amplitude=float(np.percentile(np.abs(values), 99.5)), energy=float(np.sqrt((values**2).sum()) * pixel)
    )
