"""Sparse refinement against the dense computation."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.phantom.bricks import Bricks, Lattice
from app.engine.phantom.fields import distance
from app.engine.phantom.noise import Noise
from app.engine.phantom.volume import Material, Part


def _lattice() -> Lattice:
    return Lattice.covering(np.array([-20.0, -22, -24]), np.array([20.0, 22, 24]), 2.0)


def test_a_lattice_covers_its_box():
    lattice = Lattice.covering(np.array([0.0, 0, 0]), np.array([10.0, 5, 7.5]), 2.5)
    assert lattice.shape == (4, 3, 5)
    assert [float(a.max()) for a in lattice.axes()] == [10.0, 5.0, 7.5]


def test_refinement_is_exact_for_a_linear_field():
    lattice = _lattice()
    x, y, z = lattice.axes()
    bricks = Bricks(lattice, 3, np.ones(tuple(n - 1 for n in lattice.shape), dtype=bool))
    px, py, pz = bricks.points()
    np.testing.assert_allclose(bricks.refine(2 * x - 3 * y + 0.5 * z), 2 * px - 3 * py + 0.5 * pz, atol=1e-4)


def test_no_bone_is_lost_in_the_bricks_that_are_left_out():
    lattice = _lattice()
    ball = distance(*lattice.axes(), (1, 2, 3)) - np.float32(12)
    sparse = Bricks.where_below(lattice, 4, ball, 0.25)
    part = sparse.part(
        np.clip(0.5 - sparse.refine(ball) / 0.5, 0, 1).astype(np.float32),
        name="ball",
        material=Material.BONE,
        pose=np.eye(4),
    )
    assert part is not None
    volume = float(part.density.sum()) * 0.5**3
    assert volume == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.02)
    assert sparse.index[0].size < 0.6 * np.prod([n - 1 for n in lattice.shape])
    weights = part.density.sum(axis=(0, 1))
    centre = (weights * (np.arange(weights.size) * 0.5 + part.origin_mm[0])).sum() / weights.sum()
    assert centre == pytest.approx(1, abs=0.05)


def test_nothing_to_show_gives_no_part():
    lattice = _lattice()
    bricks = Bricks(lattice, 2, np.ones(tuple(n - 1 for n in lattice.shape), dtype=bool))
    empty = np.zeros_like(bricks.points()[0])
    assert bricks.part(empty, name="empty", material=Material.BONE, pose=np.eye(4)) is None


def test_noise_repeats_for_its_seed_and_wraps():
    coordinate = np.linspace(-40, 300, 999, dtype=np.float32)
    first = Noise(np.random.default_rng(5)).at(coordinate, coordinate / 3, coordinate / 7)
    again = Noise(np.random.default_rng(5)).at(coordinate, coordinate / 3, coordinate / 7)
    other = Noise(np.random.default_rng(6)).at(coordinate, coordinate / 3, coordinate / 7)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    noise = Noise(np.random.default_rng(5))
    here = noise.at(coordinate, coordinate, np.zeros_like(coordinate))
    np.testing.assert_allclose(here, noise.at(coordinate + 128, coordinate, np.zeros_like(coordinate)), atol=0.15)
    assert abs(float(first.mean())) < 0.15
    assert 0.2 < float(first.std()) < 1.1


def test_a_part_refuses_what_is_not_a_pose():
    density = np.zeros((2, 2, 2), dtype=np.float32)
    kind = {"name": "x", "material": Material.BONE, "spacing_mm": (1.0, 1.0, 1.0), "origin_mm": (0.0, 0.0, 0.0)}
    Part(density=density, pose=np.diag([-1.0, 1, 1, 1]), **kind)
    with pytest.raises(ValueError, match="reflection"):
        Part(density=density, pose=np.diag([2.0, 1, 1, 1]), **kind)
    with pytest.raises(ValueError, match="float32"):
        Part(density=density.astype(np.float64), pose=np.eye(4), **kind)
