"""Heatmaps become colours by one scale for the model, in an order that everybody sees, and find their way back."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.geometry import Alignment, aligned_crop, mapped
from app.core.heatmap import MOST, coloured, heat_colours, levels, peak_xy
from app.core.model_input import GreyScaling, InputKind, ModelInput, ViewRole, blank_input
from app.core.spacing import Spacing

# what a protanope and a deuteranope see (Viénot, Brettel and Mollon 1999), on linear red, green, blue
PROTANOPE = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
DEUTERANOPE = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])


def linear(colours: np.ndarray) -> np.ndarray:
    part = colours / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lightness(light: np.ndarray) -> np.ndarray:
    """CIE L* of linear red, green, blue."""
    return 116 * np.cbrt(light.clip(0, 1) @ (0.2126, 0.7152, 0.0722)) - 16


@pytest.mark.parametrize("eye", [np.eye(3), PROTANOPE, DEUTERANOPE], ids=["all", "protanope", "deuteranope"])
def test_every_eye_sees_the_order_of_the_colours(eye: np.ndarray) -> None:
    seen = lightness(linear(heat_colours().astype(float)) @ eye.T)[::8]
    steps = np.diff(seen)
    assert steps.min() > 0.8, "each step is lighter than the one before"
    assert steps.max() < 3 * np.median(steps), "no step is a jump that would look like an edge"


def test_full_colour_is_one_number_for_the_model_so_that_a_negative_stays_pale() -> None:
    weak = np.zeros((7, 7), np.float32)
    weak[3, 3] = 0.2
    assert levels(weak, 1.0, size_px=147).max() == pytest.approx(0.2 * MOST, abs=1)
    assert levels(weak, 2.0, size_px=147).max() == pytest.approx(0.1 * MOST, abs=1)
    assert levels(9 * weak, 1.0, size_px=147).max() == MOST
    pale, strong = coloured(weak, scale=1.0), coloured(5 * weak, scale=1.0)
    assert pale[..., 3].max() < strong[..., 3].max()
    assert not coloured(weak, scale=1.0, threshold=0.25)[..., 3].any()
    assert not coloured(np.zeros((7, 7), np.float32), scale=1.0)[..., 3].any()


def test_cells_keep_their_values_and_nothing_is_painted_below_the_threshold() -> None:
    cells = np.random.default_rng(3).random((7, 7)).astype(np.float32)
    step = 21
    fine = levels(cells, 1.0, size_px=7 * step)
    assert fine[step // 2 :: step, step // 2 :: step] == pytest.approx(np.rint(cells * MOST), abs=1)
    assert fine.max() <= np.rint(cells.max() * MOST), "between the cells nothing is hotter than the hottest"
    picture = coloured(cells, scale=1.0, threshold=0.4, size_px=7 * step)
    alpha = picture[step // 2 :: step, step // 2 :: step, 3]
    assert (alpha[cells < 0.395] == 0).all()
    assert (alpha[cells > 0.41] > 0).all()
    half = coloured(cells, scale=1.0, threshold=0.4, opacity=0.5, size_px=7 * step)
    assert half[..., 3].max() == pytest.approx(picture[..., 3].max() / 2, abs=1)


def test_the_peak_is_found_on_the_radiograph_through_the_inverse_crop() -> None:
    cut = aligned_crop(Alignment(center_xy=(700, 400), axis_xy=(640, 700)), Spacing())
    cells = np.zeros((8, 8), np.float32)
    cells[2, 5] = 1
    assert mapped(cut.to_crop, peak_xy(cells, cut)) == pytest.approx((5.5 * 32, 2.5 * 32))


@pytest.mark.parametrize(("scaling", "mean"), [(GreyScaling.STANDARD, 0.0), (GreyScaling.UNIT, 0.5)])
def test_a_view_that_is_not_to_be_seen_is_its_own_mean(scaling: GreyScaling, mean: float) -> None:
    model = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=4, scaling=scaling)
    seen = np.linspace(0, 1, 48, dtype=np.float32).reshape(3, 4, 4)
    assert blank_input(seen, model) == pytest.approx(np.full((3, 4, 4), mean), abs=1e-6)
