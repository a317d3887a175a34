"""What networks are fed while they learn."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.case import ViewRole
from app.core.geometry import Alignment, aligned_crop, crop, crop_mask
from app.core.grey import DisplayTable, StoredImage
from app.core.model_input import GreyScaling, InputKind, ModelInput, standardise, with_margin
from app.core.spacing import Spacing
from app.core.split import Part
from app.core.training_plan import Augmentation, TrainingCase, TrainingPlan
from app.engine.training.batches import Batches, drawn_warp, varied
from app.store.run_folder import cached_side
from tests.support.training_run import STILL, make_run

TABLE = DisplayTable(levels=np.minimum(np.arange(65536), 255).astype(np.uint8))


@given(seed=st.integers(0, 50), scaling=st.sampled_from(GreyScaling), x=st.floats(20, 180), y=st.floats(20, 130))
def test_an_image_as_it_is_equals_what_inference_sees(seed: int, scaling: GreyScaling, x: float, y: float) -> None:
    """The cache is larger by a margin; its middle is the model's input, but for how cv2 rounds: one level at most."""
    wants = ModelInput(kind=InputKind.ALIGNED_CROP, roles=(ViewRole.FRONTAL,), size_px=64, scaling=scaling)
    image = StoredImage(pixels=np.random.default_rng(seed).integers(0, 256, (150, 200)).astype(np.uint16))
    cut = aligned_crop(Alignment(center_xy=(x, y), axis_xy=(x + 9, y + 40), side_px=90), Spacing(), size_px=64)
    larger = with_margin(cut, cached_side(64))
    plan = TrainingPlan(architecture="any", classes=("a", "b"), finding=1, input=wants)
    batches = Batches(
        plan,
        [TrainingCase(id="C", patient="P", part=Part.TRAINING, label=0)],
        TABLE.levels[crop(image.pixels, larger)][None, None],
        crop_mask(larger, rows=150, cols=200)[None, None],
    )
    (seen,) = batches.batch(np.array([0])).views
    expected = standardise(image, TABLE, cut, wants)
    assert np.abs(seen[0] - expected).max() < (1.01 / 255 if scaling is GreyScaling.UNIT else 0.03)


@given(seed=st.integers(0, 1000), x=st.floats(10, 22), y=st.floats(10, 22))
def test_a_click_moves_with_its_image(seed: int, x: float, y: float) -> None:
    side, size = cached_side(32), 32
    margin = (side - size) // 2
    levels = np.zeros((1, 1, side, side), np.uint8)
    spot = np.hypot(*(np.indices((side, side)) + 0.5 - np.array([y + margin, x + margin])[:, None, None]))
    levels[0, 0] = (255 * np.exp(-(spot**2) / 8)).astype(np.uint8)
    wild = Augmentation(
        rotation_deg=40, zoom=0.2, shift=0.1, flip_horizontal=0.5, flip_vertical=0.5, contrast=0, noise=0
    )
    wants = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=size, scaling=GreyScaling.UNIT)
    plan = TrainingPlan(architecture="any", classes=("a", "b"), finding=1, input=wants, augmentation=wild, seed=seed)
    case = TrainingCase(id="C", patient="P", part=Part.TRAINING, label=1, clicks_xy=((x, y),))
    batch = Batches(plan, [case], levels, np.ones_like(levels, bool)).batch(np.array([0]), epoch=3)
    light, click = batch.views[0][0, 0].astype(np.float64), batch.clicks[0, 0]
    rows, cols = np.indices(light.shape) + 0.5
    centre = (cols * light).sum() / light.sum(), (rows * light).sum() / light.sum()
    if not np.isnan(click).any() and min(click) > 6 and max(click) < 26:
        assert centre == pytest.approx(click, abs=0.35)


def test_an_epoch_is_the_same_again_and_the_next_is_another(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", augmentation=Augmentation())
    batches = Batches(folder.plan(), folder.cases(), *folder.cache())
    once, again = list(batches.training(1)), list(batches.training(1))
    assert [part.numbers.tolist() for part in once] == [part.numbers.tolist() for part in again]
    assert all(np.array_equal(one.views[0], other.views[0]) for one, other in zip(once, again, strict=True))
    later = next(iter(batches.training(2)))
    assert later.numbers.tolist() != once[0].numbers.tolist()
    assert sorted(number for part in once for number in part.numbers) == batches.of(Part.TRAINING).tolist()


def test_balanced_epochs_show_every_class_equally_often(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", is_balanced=True)
    cases = [TrainingCase(id=str(n), patient=str(n), part=Part.TRAINING, label=int(n < 3)) for n in range(24)]
    batches = Batches(folder.plan(), cases, *folder.cache())
    labels = [cases[number].label for number in batches.order(1)]
    assert (labels.count(0), labels.count(1)) == (12, 12)
    assert {number for number in batches.order(1) if cases[number].label} == {0, 1, 2}


@given(st.integers(0, 300))
def test_images_stay_within_black_and_white(seed: int) -> None:
    rng = np.random.default_rng(seed)
    light = rng.random((16, 16), np.float32)
    result = varied(light, Augmentation(contrast=0.5, noise=0.2, inversion=0.5), rng)
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    assert np.array_equal(varied(light, STILL, rng), light)


@given(st.integers(0, 300))
def test_amounts_stay_within_the_plan(seed: int) -> None:
    limits = Augmentation(rotation_deg=15, zoom=0.1, shift=0.05)
    warp = drawn_warp(limits, np.random.default_rng(seed), size=100, side=130)
    scale = np.sqrt(abs(np.linalg.det(warp[:, :2])))
    assert 0.9 <= scale <= 1.1
    assert abs(np.degrees(np.arctan2(warp[1, 0], warp[0, 0]))) <= 15
    assert np.abs(warp[:, :2] @ (65, 65) + warp[:, 2] - 50).max() <= 5


PAIR = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL, ViewRole.LATERAL), size_px=32)


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_one_of_two_views_is_not_seen_as_often_as_the_plan_says(chance: float) -> None:
    plan = TrainingPlan(
        architecture="cvdt-small", classes=("no", "yes"), finding=1, input=PAIR, epochs=1, batch=200,
        learning_rate=1e-3, augmentation=msgspec.structs.replace(STILL, blank=chance),
    )  # fmt: skip
    cases = [
        TrainingCase(id=str(n), patient=str(n), part=Part.TRAINING, label=1, clicks_xy=((9.0, 9.0), (9.0, 9.0)))
        for n in range(200)
    ]
    side = cached_side(32)
    levels = np.random.default_rng(1).integers(0, 255, (200, 2, side, side)).astype(np.uint8)
    batches = Batches(plan, cases, levels, np.ones_like(levels, np.bool_))
    (batch,) = batches.training(1)
    unseen = np.stack([view.std(axis=(1, 2, 3)) == 0 for view in batch.views], axis=1)
    assert np.array_equal(np.isnan(batch.clicks).any(2), unseen)  # nothing is to be found where nothing is to be seen
    assert unseen.sum(1).max() <= 1
    assert unseen.any(1).mean() == pytest.approx(chance, abs=0.07)
    if chance:
        assert unseen.mean(0) == pytest.approx([chance / 2] * 2, abs=0.08)
    (plain,) = batches.plain(batches.of(Part.TRAINING), batch=200)
    assert not (plain.views[0].std(axis=(1, 2, 3)) == 0).any()
