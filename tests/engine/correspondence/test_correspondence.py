from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.engine.correspondence import Correspondence, Form, crop_geometry, patch_geometry, pooled
from app.engine.correspondence.footprints import footprints
from app.engine.phantom.volume import Material, Part
from app.engine.projection.geometry import Geometry
from app.engine.projection.joseph import project_part
from tests.engine.projection.shapes import make_part


def volume(count: int, spacing: float, seed: int = 0) -> Part:
    rng = np.random.default_rng(seed)
    values = rng.random((count, count, count)) * (rng.random((count, count, count)) > 0.4)
    return make_part(values.astype(np.float32), spacing_mm=(spacing,) * 3)


def around(angle_deg: float, *, count: int = 16, pixel: float = 32.0, sid: float = 2050.0) -> Geometry:
    """The circular orbit of paper 003: source 1050 mm from the middle, detector 1000 mm behind it."""
    angle = np.deg2rad(angle_deg)
    return Geometry.aimed(
        aim=(0, 0, 0),
        beam=(np.sin(angle), np.cos(angle), 0.0),
        right=(np.cos(angle), -np.sin(angle), 0.0),
        source_to_detector_mm=sid,
        aim_to_detector_mm=sid - 1050,
        pixel_mm=pixel,
        rows=count,
        cols=count,
    )


def brute_force(part: Part, first: Geometry, second: Geometry) -> NDArray[np.float64]:
    """The published recipe: project every voxel alone, normalise, outer product, maximum."""
    result = np.zeros((first.rows * first.cols, second.rows * second.cols))
    for voxel in np.flatnonzero(part.density.ravel() > 0):
        alone = np.zeros(part.density.size, np.float32)
        alone[voxel] = 1
        single = replace(part, density=alone.reshape(part.density.shape))
        shadows = [project_part(single, view, is_per_pixel=True).ravel().astype(float) for view in (first, second)]
        p1, p2 = (shadow / shadow.max() if shadow.max() > 0 else shadow for shadow in shadows)
        result = np.maximum(result, part.density.ravel()[voxel] * np.outer(p1, p2))
    return result


@pytest.mark.parametrize(("a", "b"), [(0, 90), (13, 71), (180, 80)])
def test_sparse_equals_brute_force(a: float, b: float) -> None:
    part = volume(6, 30.0)
    first, second = around(a, count=8, pixel=50), around(b, count=8, pixel=50)
    matrix = Correspondence(part).matrix(first, second)
    np.testing.assert_allclose(matrix, brute_force(part, first, second), atol=5e-5)
    assert (matrix > 0.2).sum() > 20


@pytest.mark.parametrize("form", [Form.PHYSICAL, Form.PAPER_TEXT])
@pytest.mark.parametrize(("a", "b"), [(0, 90), (13, 71), (0, 45)])
def test_sparse_equals_dense_exactly(a: float, b: float, form: Form) -> None:
    maker = Correspondence(volume(10, 25.0), form=form)
    prints = [maker.footprints(around(angle)) for angle in (a, b)]
    dense = []
    for found in prints:
        rows = np.zeros((len(maker.values), found.patches))
        np.add.at(rows, (np.arange(len(rows))[:, None], found.patch), found.weight)
        dense.append(rows)
    scale = maker.values**2 if form is Form.PAPER_TEXT else maker.values
    expected = np.zeros((256, 256))
    for voxel, value in enumerate(scale):
        expected = np.maximum(expected, np.outer(dense[0][voxel] * value, dense[1][voxel]))
    assert np.array_equal(maker.combine(*prints), expected.astype(np.float32))


def test_the_three_by_three_by_three_figure_of_the_paper() -> None:
    """Fig. 4: two voxels stacked along z, two orthogonal views, nearly parallel rays, one ray a voxel column."""
    density = np.zeros((3, 3, 3), np.float32)
    density[1, 1, 1] = density[2, 1, 1] = 1
    part = make_part(density)

    def far(beam: tuple[float, float, float], right: tuple[float, float, float]) -> Geometry:
        return Geometry.aimed(
            aim=(0, 0, 0), beam=beam, right=right, source_to_detector_mm=1e9, aim_to_detector_mm=10,
            pixel_mm=1, rows=3, cols=3,
        )  # fmt: skip

    front, side = far((0, 1, 0), (1, 0, 0)), far((-1, 0, 0), (0, 1, 0))
    matrix = Correspondence(part).matrix(front, side)
    # rows run downwards here: z = 1 is the middle row (patch 4), z = 2 the upper one (patch 1)
    assert np.argwhere(matrix > 1e-3).tolist() == [[1, 1], [4, 4]]
    np.testing.assert_allclose(matrix[[1, 4], [1, 4]], 1, rtol=1e-6)


def test_the_sum_of_footprints_is_the_projection() -> None:
    part = volume(16, 16.0)
    view = around(13)
    voxels = np.flatnonzero(part.density.ravel() > 0)
    found = footprints(part, view, voxels)
    total = np.zeros(256)
    np.add.at(total, found.patch.ravel(), (found.weight * part.density.ravel()[voxels, None]).ravel())
    np.testing.assert_allclose(total.reshape(16, 16) / 10, project_part(part, view, is_per_pixel=True), rtol=1e-4)


def test_swapping_the_views_transposes() -> None:
    maker = Correspondence(volume(8, 20.0))
    first, second = around(0), around(70)
    np.testing.assert_allclose(maker.matrix(first, second), maker.matrix(second, first).T, rtol=1e-6)


def test_a_view_with_itself_is_full_on_its_diagonal() -> None:
    maker = Correspondence(make_part(np.ones((8, 8, 8), np.float32), spacing_mm=(30, 30, 30)))
    matrix = maker.matrix(around(0), around(0))
    seen = matrix.max(axis=1) > 0
    assert (matrix.diagonal()[seen] > 0.5).all()


def test_the_code_of_the_paper_nearly_drops_the_cone() -> None:
    density = np.zeros((16, 16, 16), np.float32)
    density[2, 0, 8] = 1  # on the side of the source, 88 mm below the middle
    part = make_part(density, spacing_mm=(16, 16, 16))
    views = around(0), around(90)

    def row_of_the_corner(form: Form) -> float:
        prints = Correspondence(part, form=form).footprints(views[0])
        rows = prints.patch // 16
        return float((rows * prints.weight).sum() / prints.weight.sum())

    assert 0.5 < abs(row_of_the_corner(Form.PHYSICAL) - row_of_the_corner(Form.PAPER_CODE)) < 1.5


def test_sparse_entries_make_the_same_matrix_and_all_pairs_the_same_as_single_ones() -> None:
    maker = Correspondence(volume(8, 20.0))
    views = [around(0), around(60), around(110)]
    matrix = maker.matrix(views[0], views[2])
    assert np.array_equal(maker.sparse(views[0], views[2]).dense(), matrix)
    assert (maker.sparse(views[0], views[2], least=0.2).value > 0.2).all()
    pairs = dict(maker.all_pairs(views))
    assert set(pairs) == {(0, 1), (0, 2), (1, 2)}
    assert np.array_equal(pairs[0, 2], matrix)


def test_pooling_keeps_the_mass_and_its_place() -> None:
    rng = np.random.default_rng(1)
    fine = make_part(rng.random((8, 12, 16)).astype(np.float32), spacing_mm=(1, 2, 3))
    coarse = pooled(fine, 4)
    assert coarse.density.shape == (2, 3, 4)
    assert coarse.density.sum() * 64 == pytest.approx(fine.density.sum(), rel=1e-5)
    assert coarse.origin_mm[0] == pytest.approx(fine.origin_mm[0] + 1.5 * 3)
    assert pooled(fine, 5).density.shape == (2, 3, 4)


def test_the_geometry_of_a_crop_follows_its_matrix() -> None:
    geometry = around(20, count=64, pixel=4)
    angle, scale = np.deg2rad(30), 0.7
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for linear in (turn, turn @ np.diag([-1.0, 1.0])):
        matrix = np.column_stack([linear, [5.0, -3.0]])
        crop = crop_geometry(geometry, matrix, rows=32, cols=32)
        point = np.array([20.0, -10.0, 30.0])
        expected = matrix @ [*geometry.project_points(point), 1]
        np.testing.assert_allclose(crop.project_points(point), expected, atol=1e-6)
    with pytest.raises(ValueError, match="shear"):
        crop_geometry(geometry, [[1, 0.5, 0], [0, 1, 0]], rows=8, cols=8)


def test_patches_must_fit() -> None:
    with pytest.raises(ValueError, match="divide"):
        patch_geometry(around(0, count=30), 16)
    assert patch_geometry(around(0, count=32), 16).rows == 2


def test_a_source_inside_the_volume_is_refused() -> None:
    part = Part(
        name="huge", material=Material.BONE, density=np.ones((4, 4, 4), np.float32), spacing_mm=(1000.0,) * 3,
        origin_mm=(-1500.0,) * 3, pose=np.eye(4),
    )  # fmt: skip
    with pytest.raises(ValueError, match="source"):
        Correspondence(part).matrix(around(0), around(90))
