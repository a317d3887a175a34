"""Where the hip is: the peak, its refinement, and which of two hips."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.case import Side, ViewRole
from app.core.engine_messages import WholeView
from app.core.grey import StoredImage
from app.core.grey_tables import display_table
from app.core.model_input import GreyScaling, InputKind, ModelInput
from app.core.spacing import Spacing, SpacingSource
from app.engine.locate import hip_at, locate
from tests.support.engine_process import GREY, VOI

WANTED = ModelInput(
    kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=128, channels=1, scaling=GreyScaling.STANDARD
)


def hill(x: float, y: float, *, height: float = 3.0, cells: int = 32) -> np.ndarray:
    """Logits that fall off around (x, y), in cells."""
    rows, cols = np.mgrid[:cells, :cells] + 0.5
    return height - 1.5 * ((cols - x) ** 2 + (rows - y) ** 2)


def test_a_peak_is_found_between_cells() -> None:
    for x, y in ((10.2, 20.7), (0.5, 31.5), (16.0, 16.0)):
        (at_x, at_y), confidence = hip_at(hill(x, y), None, apart=8)
        assert at_x == pytest.approx(x, abs=0.2)
        assert at_y == pytest.approx(y, abs=0.2)
        assert confidence > 0.8


def test_the_side_decides_between_two_hips() -> None:
    """A patient's right is on the left of a radiograph, even where the other hip shows more clearly."""
    both = np.logaddexp(hill(8, 16, height=2), hill(24, 16, height=3))
    (left_in_image, _), sure = hip_at(both, Side.RIGHT, apart=8)
    (right_in_image, _), _ = hip_at(both, Side.LEFT, apart=8)
    (stronger, _), unsure = hip_at(both, None, apart=8)
    assert left_in_image == pytest.approx(8, abs=0.3)
    assert right_in_image == pytest.approx(24, abs=0.3)
    assert stronger == pytest.approx(24, abs=0.3)
    assert sure > 0.75 > unsure  # once the side is known the other hip is no doubt


def test_an_image_without_a_hip_gives_no_confidence() -> None:
    assert hip_at(hill(10, 10, height=-4), None, apart=8)[1] < 0.05


def test_one_hip_is_not_moved_by_the_side() -> None:
    alone = np.logaddexp(hill(24, 16), hill(8, 16, height=-2))
    for side in (Side.LEFT, Side.RIGHT, Side.BOTH, None):
        assert hip_at(alone, side, apart=8)[0][0] == pytest.approx(24, abs=0.3)
    wide = np.logaddexp(hill(14, 16), hill(17, 16, height=3.5))  # two peaks of one hip
    assert hip_at(wide, Side.RIGHT, apart=8)[0] == hip_at(wide, Side.LEFT, apart=8)[0]


@pytest.mark.parametrize(("rows", "cols", "aspect"), [(300, 200, 1.0), (200, 300, 1.0), (200, 300, 2.0)])
def test_it_comes_back_to_image_coordinates_and_never_lies_outside(rows: int, cols: int, aspect: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (rows, cols)).astype(np.uint16)
    spacing = Spacing(row_mm=0.5 * aspect, col_mm=0.5, source=SpacingSource.CALIBRATED, is_trusted=True, aspect=aspect)
    view = WholeView(image_sha256="a" * 64, grey=GREY, voi=VOI, rows=rows, cols=cols, spacing=spacing, side=Side.LEFT)
    side = max(rows * aspect, cols)  # of the padded square, in columns

    def bright(image: np.ndarray) -> np.ndarray:
        assert image.shape == (1, 128, 128)
        x = (120 + (side - cols) / 2) / side * 32
        y = (90 * aspect + (side - rows * aspect) / 2) / side * 32
        corner = hill(0.5, 0.5, height=30)  # the strongest score, on the padding or the image's corner
        corner[1:] = corner[:, 1:] = -99
        return np.stack([np.logaddexp(hill(x, y), corner if rows * aspect != cols else -99)]).astype(np.float32)

    image = StoredImage(pixels=pixels, offset=0)
    found = locate(image, display_table(GREY, VOI, offset=0), view, WANTED, bright)
    assert found.center_xy == pytest.approx((120, 90), abs=0.2 * side / 32)
    assert found.head_xy is None
    assert 0.5 < found.confidence <= 1
