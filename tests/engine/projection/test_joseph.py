"""Joseph's projector against formulae, against Siddon, and against Joseph's sum written out in plain numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.engine.phantom.volume import Material, Part
from app.engine.projection.geometry import Geometry
from app.engine.projection.joseph import RayFrame, project, project_part
from app.engine.projection.siddon import siddon
from tests.engine.projection.shapes import (
    box,
    box_chords_cm,
    make_part,
    sphere,
    sphere_chords_cm,
    view,
    voxelised_box_chords_cm,
)

BEAMS = [
    ((0.1, 1.0, 0.2), (1.0, 0.0, 0.0)),
    ((1.0, 0.15, -0.1), (0.0, 1.0, 0.0)),
    ((0.1, 0.2, -1.0), (1.0, 0.0, 0.0)),
    ((0.7, 0.05, 0.75), (1.0, 0.0, -1.0)),
]


def joseph_in_float64(part: Part, geometry: Geometry) -> NDArray[np.float64]:
    """Joseph's sum, ray by ray and slice by slice, without any shortcut."""
    frame = RayFrame.of(part, geometry)
    axis = frame.main_axis(geometry)
    fast, slow = (other for other in range(3) if other != axis)
    col, row = np.meshgrid(np.arange(geometry.cols), np.arange(geometry.rows))
    direction = np.einsum("ij,jrc->irc", frame.rays, np.stack([col, row, np.ones_like(col)]).astype(float))
    planes = np.pad(np.moveaxis(part.density.astype(float), 2 - axis, 0), ((0, 0), (2, 2), (2, 2)))
    total = np.zeros(col.shape)
    for index, plane in enumerate(planes):
        t = (index - frame.source[axis]) / direction[axis]
        x, y = frame.source[fast] + t * direction[fast] + 2, frame.source[slow] + t * direction[slow] + 2
        x, y = np.clip(x, 0, plane.shape[1] - 1.001), np.clip(y, 0, plane.shape[0] - 1.001)
        i, j = np.floor(x).astype(int), np.floor(y).astype(int)
        a, b = x - i, y - j
        upper = plane[j, i] * (1 - a) + plane[j, i + 1] * a
        lower = plane[j + 1, i] * (1 - a) + plane[j + 1, i + 1] * a
        total += upper * (1 - b) + lower * b
    length = np.sqrt(sum((direction[k] * frame.spacing[k]) ** 2 for k in range(3))) / np.abs(direction[axis])
    result: NDArray[np.float64] = total * length / 10
    return result


def relative_rms(image: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    return float(np.sqrt(((image - truth) ** 2).mean()) / truth.max())


@pytest.mark.parametrize(("beam", "right"), BEAMS)
def test_a_sphere_within_three_per_mille(beam: tuple[float, ...], right: tuple[float, ...]) -> None:
    geometry = view(beam, right, size=160, field_mm=150)
    truth = sphere_chords_cm(geometry, (5, -7, 9), 40.0)
    image = project_part(sphere(172, 0.6, (5, -7, 9), 40.0), geometry)
    assert relative_rms(image.astype(float), truth) <= 0.003
    assert image.sum() == pytest.approx(truth.sum(), rel=0.001)


@pytest.mark.parametrize(("beam", "right"), BEAMS[:3])
def test_a_box_within_three_per_mille(beam: tuple[float, ...], right: tuple[float, ...]) -> None:
    low, high = (-30.3, -22.2, -35.1), (27.4, 31.7, 33.9)
    geometry = view(beam, right, size=128)
    truth = box_chords_cm(geometry, low, high)
    image = project_part(box(120, 0.8, low, high), geometry)
    shrunk = box_chords_cm(geometry, tuple(x + 2 for x in low), tuple(x - 2 for x in high))
    through_two_opposite_faces = (shrunk > 0) & (truth - shrunk < 0.42)  # no ray that leaves through a side
    assert through_two_opposite_faces.sum() > 1000
    np.testing.assert_allclose(image[through_two_opposite_faces], truth[through_two_opposite_faces], rtol=0.003)
    assert image.sum() == pytest.approx(truth.sum(), rel=0.001)


@pytest.mark.parametrize(("beam", "right"), BEAMS[:3])
def test_a_box_as_its_voxels_hold_it_within_three_per_mille_everywhere(
    beam: tuple[float, ...], right: tuple[float, ...]
) -> None:
    low, high = (-30.3, -22.2, -35.1), (27.4, 31.7, 33.9)
    geometry = view(beam, right, size=128)
    voxelised = voxelised_box_chords_cm(geometry, 120, 0.8, low, high)
    image = project_part(box(120, 0.8, low, high), geometry, is_per_pixel=True).astype(float)
    assert relative_rms(image, voxelised) <= 0.0002
    assert np.abs(image - voxelised).max() <= 0.003 * voxelised.max()  # every pixel, the outline too
    # what is left to the box itself is the softness of voxels: the same before and after projection
    truth = box_chords_cm(geometry, low, high)
    assert relative_rms(image, truth) == pytest.approx(relative_rms(voxelised, truth), rel=0.01)


@pytest.mark.parametrize(("beam", "right"), BEAMS)
def test_equals_joseph_written_out_in_float64(beam: tuple[float, ...], right: tuple[float, ...]) -> None:
    density = np.random.default_rng(3).random((24, 31, 28)).astype(np.float32)
    part = make_part(density, spacing_mm=(1.7, 1.1, 1.4))
    geometry = view(beam, right, size=90, field_mm=80)
    expected = joseph_in_float64(part, geometry)
    image = project_part(part, geometry, is_per_pixel=True)
    assert np.abs(image - expected).max() / expected.max() < 2e-5


def test_agrees_with_siddon_on_a_smooth_body() -> None:
    part = sphere(64, 1.5, (0, 0, 0), 30.0)
    geometry = view(size=48, field_mm=110)
    assert relative_rms(project_part(part, geometry).astype(float), siddon(part, geometry)) < 0.006


def test_siddon_is_exact_for_a_box_of_whole_voxels() -> None:
    density = np.zeros((20, 20, 20), np.float32)
    density[4:15, 3:17, 6:14] = 1
    part = make_part(density, spacing_mm=(2.0, 2.0, 2.0))
    geometry = view(size=40, field_mm=60)
    truth = box_chords_cm(geometry, (-8, -14, -12), (8, 14, 10))
    np.testing.assert_allclose(siddon(part, geometry, rays_at_once=700), truth, atol=1e-9)


def test_a_posed_part_equals_a_moved_camera() -> None:
    part = sphere(40, 1.5, (8, -3, 5), 14.0)
    angle = np.deg2rad(25)
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    pose[:3, 3] = [4, -6, 3]
    geometry = view(size=64, field_mm=90)
    back = np.linalg.inv(pose)
    moved = replace(
        geometry,
        source=back[:3, :3] @ geometry.source + back[:3, 3],
        corner=back[:3, :3] @ geometry.corner + back[:3, 3],
        u=back[:3, :3] @ geometry.u,
        v=back[:3, :3] @ geometry.v,
    )
    posed = project_part(replace(part, pose=pose), geometry)
    np.testing.assert_allclose(posed, project_part(part, moved), atol=1e-5)


def test_the_mirrored_part_gives_the_mirrored_image() -> None:
    density = np.random.default_rng(5).random((20, 22, 24)).astype(np.float32)
    part = make_part(density, spacing_mm=(2.0, 2.0, 2.0))
    mirror = np.diag([-1.0, 1, 1, 1])
    geometry = view(beam=(0, 1, 0.1), size=80)
    image = project_part(part, geometry)
    mirrored = project_part(replace(part, pose=mirror), geometry)
    np.testing.assert_allclose(mirrored[:, ::-1], image, atol=2e-5 * image.max())


def test_coarse_volumes_are_projected_coarsely_without_a_visible_difference() -> None:
    x = np.linspace(-1, 1, 40)
    z, y, w = np.meshgrid(x, x, x, indexing="ij")
    part = make_part(np.clip(1.2 - np.sqrt(z**2 + y**2 + w**2) * 1.5, 0, 1).astype(np.float32), spacing_mm=(5, 5, 5))
    geometry = view(size=300, field_mm=240)
    exact = project_part(part, geometry, is_per_pixel=True)
    quick = project_part(part, geometry)
    difference = np.abs(quick - exact).max() / exact.max()
    assert 0 < difference < 0.003


def test_materials_are_summed_and_negative_density_displaces() -> None:
    body, gas = sphere(40, 2.0, (0, 0, 0), 30.0), sphere(40, 2.0, (0, 0, 0), 10.0)
    geometry = view(size=40)
    images = project(
        [
            replace(body, material=Material.MUSCLE),
            replace(gas, material=Material.MUSCLE, density=-gas.density),
            replace(gas, material=Material.BONE),
        ],
        geometry,
    )
    assert set(images) == {Material.MUSCLE, Material.BONE}
    np.testing.assert_allclose(images[Material.MUSCLE] + images[Material.BONE], project_part(body, geometry), atol=1e-5)
    assert images[Material.MUSCLE].dtype == np.float32


def test_an_empty_part_gives_zero() -> None:
    image = project_part(make_part(np.zeros((4, 5, 6), np.float32)), view(size=16))
    assert not image.any()


def test_a_source_inside_the_part_is_refused() -> None:
    part = make_part(np.ones((60, 60, 60), np.float32), spacing_mm=(50, 50, 50))
    with pytest.raises(ValueError, match="source"):
        project_part(part, view(size=16))


def test_the_same_bytes_every_time() -> None:
    part = sphere(32, 2.0, (1, 2, 3), 20.0)
    geometry = view(size=64)
    assert project_part(part, geometry).tobytes() == project_part(part, geometry).tobytes()
