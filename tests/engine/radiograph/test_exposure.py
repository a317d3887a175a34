from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.case import Side
from app.engine.phantom.volume import Material
from app.engine.radiograph import Marker, Style, Technique, expected_signal, expose, sample_field
from app.engine.radiograph.attenuation import AttenuationTable
from app.engine.radiograph.collimation import field_mask, full_field
from app.engine.radiograph.detector import QUANTA_PER_MM2, detector_signal, scatter
from app.engine.radiograph.marker import draw, find_place, outline
from app.engine.radiograph.processing import RECIPES, process

ROWS, COLS, PIXEL = 150, 170, 1.2


def thigh() -> dict[Material, NDArray[np.float32]]:
    """A thigh with a bone in it, surrounded by air."""
    x = np.linspace(-1, 1, COLS, dtype=np.float32)[None, :] * np.ones((ROWS, 1), np.float32)
    muscle = 16 * np.sqrt(np.clip(1 - (x / 0.8) ** 2, 0, None))
    bone = 3.5 * np.sqrt(np.clip(1 - (x / 0.15) ** 2, 0, None))
    return {Material.MUSCLE: muscle.astype(np.float32), Material.BONE: bone.astype(np.float32)}


def signal_of(rng: np.random.Generator | None, *, dose: float = 1.0, blur: float = 1.0) -> NDArray[np.float32]:
    flat = {Material.MUSCLE: np.full((200, 200), 12, np.float32)}
    return detector_signal(
        flat,
        pixel_mm=0.3,
        magnification=1.0,
        technique=Technique(dose=dose, blur=blur, electronic_noise=0),
        field=np.ones((200, 200), np.float32),
        table=AttenuationTable.load(),
        rng=rng,
    )


def test_bone_is_brighter_than_muscle_and_air_is_black() -> None:
    picture = expose(
        thigh(), pixel_mm=PIXEL, magnification=1.15, technique=Technique(), style=Style.SOFT,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    rows = picture.pixels[40:110].astype(float) / ((1 << picture.bits_stored) - 1)
    bone, muscle, air = rows[:, 80:90].mean(), rows[:, 110:125].mean(), rows[:, 2:8].mean()
    assert bone > muscle + 0.2
    assert muscle > air + 0.1
    assert air < 0.05


@pytest.mark.parametrize("style", list(Style))
def test_every_style_fills_its_bits(style: Style) -> None:
    picture = expose(
        thigh(), pixel_mm=PIXEL, magnification=1.15, technique=Technique(), style=style, rng=np.random.default_rng(1)
    )
    assert picture.bits_stored == RECIPES[style].bits
    assert picture.pixels.dtype == np.uint16
    top = (1 << picture.bits_stored) - 1
    assert 0.7 * top < picture.pixels.max() <= top
    assert len(np.unique(picture.pixels)) > 300


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    def make(seed: int) -> bytes:
        return expose(
            thigh(), pixel_mm=PIXEL, magnification=1.15, technique=Technique(), style=Style.HARD,
            rng=np.random.default_rng(seed), marker=Marker(side=Side.LEFT),
        ).pixels.tobytes()  # fmt: skip

    assert make(3) == make(3)
    assert make(3) != make(4)


def test_quantum_noise_has_the_variance_that_the_dose_demands() -> None:
    expected = signal_of(None)
    quiet = signal_of(np.random.default_rng(0), dose=4) - expected
    loud = signal_of(np.random.default_rng(0), dose=1) - expected
    assert loud.std() / quiet.std() == pytest.approx(2, rel=0.03)
    # blur keeps the sum: noise of large areas is that of the quanta alone
    blocks = loud[:200, :200].reshape(10, 20, 10, 20).mean(axis=(1, 3))
    quanta = QUANTA_PER_MM2 * (20 * 0.3) ** 2
    assert blocks.std() == pytest.approx(np.sqrt(expected.mean() / quanta), rel=0.25)


def test_scatter_is_broad_and_adds_about_the_measured_share() -> None:
    primary = np.full((300, 300), 0.03, np.float32)
    primary[:, 150:] = 0.003
    spread = scatter(primary, 0.6)
    assert (spread > 0).all()
    assert np.abs(np.diff(spread, axis=1)).max() < 0.001
    # without a grid a hip has a scatter-to-primary ratio of several (Barnes, RadioGraphics 1991;11:307: 4–6 in 20 cm)
    assert 0.3 < float(spread[150, 75] / primary[150, 75]) < 6


def test_the_border_outside_the_field_is_dark_and_no_edge_glows_inside() -> None:
    field = np.array([[20, 15], [150, 18], [148, 135], [18, 130]], float)
    picture = expose(
        thigh(), pixel_mm=PIXEL, magnification=1.15, technique=Technique(dose=50), style=Style.CRISP,
        rng=np.random.default_rng(1), field=field,
    )  # fmt: skip
    grey = picture.pixels / ((1 << picture.bits_stored) - 1)
    assert grey[:10].max() < 0.05
    rows = grey[25:125, 80:90].mean(axis=1)
    assert np.abs(rows - np.median(rows)).max() < 0.1


def test_an_uncollimated_field_is_open_to_the_edges() -> None:
    np.testing.assert_allclose(field_mask(full_field(40, 50), 40, 50, 2.0), 1, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_sampled_fields_leave_most_of_the_detector_open(seed: int) -> None:
    field = sample_field(np.random.default_rng(seed), 200, 240)
    assert field_mask(field, 200, 240, 1.0).mean() > 0.75


def test_the_marker_shows_its_letter_upright_and_lies_off_the_bone() -> None:
    left = draw(Marker(side=Side.LEFT, height_mm=40), (40, 40), 1.0, 80, 80)
    assert left[:, :38].sum() > 1.5 * left[:, 42:].sum()  # the stem of an L is on the left
    right = draw(Marker(side=Side.RIGHT, height_mm=40), (40, 40), 1.0, 80, 80)
    assert right[:38].sum() > right[42:].sum()  # the bowl of an R is above
    turned = draw(Marker(side=Side.LEFT, height_mm=40, is_reversed=True), (40, 40), 1.0, 80, 80)
    assert turned[:, 42:].sum() > 1.5 * turned[:, :38].sum()
    bone = thigh()[Material.BONE]
    marker = Marker(side=Side.LEFT)
    for seed in range(10):
        place = find_place(marker, bone, np.ones_like(bone), PIXEL, np.random.default_rng(seed))
        covered = draw(marker, place, PIXEL, ROWS, COLS) > 0.5
        assert covered.any()
        assert not bone[covered].any()
        box = outline(marker, place, PIXEL)
        assert cv2.pointPolygonTest(box.astype(np.float32), place, False) > 0


def test_a_marker_shows_one_side() -> None:
    with pytest.raises(ValueError, match="one side"):
        Marker(side=Side.BOTH)


def test_the_expected_signal_has_no_noise() -> None:
    first = expected_signal(thigh(), pixel_mm=PIXEL, magnification=1.15, technique=Technique())
    again = expected_signal(thigh(), pixel_mm=PIXEL, magnification=1.15, technique=Technique())
    assert np.array_equal(first, again)
    assert np.abs(np.diff(first[30:120], axis=0)).max() < 1e-4


def test_an_image_without_exposure_is_refused() -> None:
    with pytest.raises(ValueError, match="exposed"):
        process(np.ones((32, 32), np.float32), np.zeros((32, 32), np.float32), Style.SOFT)


def test_techniques_outside_a_tube_are_refused() -> None:
    with pytest.raises(ValueError, match="kV"):
        Technique(kvp=200)
