"""Fractures: planned visibility is seen in the projections, fragments neither vanish nor pile up."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.engine.phantom.case import build_case, patient_of
from app.engine.phantom.femur_volume import femur_volume
from app.engine.phantom.fracture import (
    VISIBILITY_SHARES,
    CaseKind,
    Difficulty,
    Visibility,
    sample_fracture,
    sample_visibility,
)
from app.engine.phantom.fragments import break_hip
from app.engine.phantom.render import conspicuity, difference_image, project_view
from app.engine.phantom.shaft import break_shaft, patient_for_shaft, sample_shaft_fracture
from app.engine.phantom.volume import Material
from tests.engine.phantom.test_case import ROUGH, request


def test_shares_of_the_visibility_classes_sum_to_one_and_are_drawn():
    assert sum(VISIBILITY_SHARES.values()) == pytest.approx(1)
    rng = np.random.default_rng(0)
    drawn = [sample_visibility(rng) for _ in range(4000)]
    for visibility, share in VISIBILITY_SHARES.items():
        assert drawn.count(visibility) / 4000 == pytest.approx(share, abs=0.03)


def test_non_displaced_fractures_stay_within_two_millimetres():
    rng = np.random.default_rng(1)
    for _ in range(500):
        f = sample_fracture(rng, CaseKind.NECK_NON_DISPLACED)
        assert f.garden in (1, 2)
        assert 0 <= f.step_mm <= 2
        assert 0 <= f.gap_mm <= 0.9
        assert f.impaction_mm <= 1.8
        assert f.gap_mm > 0 or f.impaction_mm > 0
        assert -2 <= f.coronal_deg <= 9
        assert -4 <= f.tilt_deg <= 13
        assert 0.30 <= f.position <= 0.74


def test_easy_fractures_have_more_to_see():
    def widths(difficulty):
        rng = np.random.default_rng(2)
        drawn = [sample_fracture(rng, CaseKind.NECK_NON_DISPLACED, difficulty=difficulty) for _ in range(300)]
        return np.mean([f.gap_mm + f.impaction_mm for f in drawn])

    assert widths(Difficulty.EASY) > 1.4 * widths(Difficulty.STANDARD)


def test_a_normal_hip_has_no_fracture_and_shaft_kinds_are_sent_elsewhere():
    rng = np.random.default_rng(0)
    assert sample_fracture(rng, CaseKind.NORMAL) is None
    with pytest.raises(ValueError, match="shaft"):
        sample_fracture(rng, CaseKind.SHAFT_NORMAL)
    with pytest.raises(ValueError, match="not a shaft"):
        sample_shaft_fracture(rng, CaseKind.GARDEN_3)


def _mass(bricks, values) -> float:
    return float(values.sum()) * bricks.spacing_mm**3


def _overlap(broken, volume) -> float:
    """Share of the smaller fragment's volume that lies inside the other one after displacement."""
    masks = []
    h = 1.5
    for fragment in broken.fragments[:2]:
        part = broken.bricks.part(fragment.density, name="f", material=Material.BONE, pose=np.eye(4))
        z, y, x = np.nonzero(part.density > 0.15)
        points = np.stack([x, y, z], 1) * part.spacing_mm[0] + part.origin_mm
        moved = points @ fragment.pose[:3, :3].T + fragment.pose[:3, 3]
        masks.append({tuple(p) for p in np.round(moved / h).astype(int)})
    return len(masks[0] & masks[1]) / min(len(masks[0]), len(masks[1]))


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        (CaseKind.NECK_NON_DISPLACED, 0.30),
        (CaseKind.GARDEN_3, 0.45),
        (CaseKind.GARDEN_4, 0.45),
        (CaseKind.TROCHANTERIC, 0.45),
    ],
)
def test_fragments_keep_the_bone_and_do_not_pile_up(kind, limit):
    for seed in range(4):
        patient = patient_of(request(seed=seed))
        volume = femur_volume(patient, spacing_mm=ROUGH.femur, bottom_mm=-112)
        fracture = sample_fracture(np.random.default_rng(seed), kind)
        broken = break_hip(patient, volume, fracture, seed)
        whole = _mass(volume.bricks, volume.density)
        pieces = sum(_mass(broken.bricks, f.density) for f in broken.fragments)
        assert 0.9 < pieces / whole < 1.12
        assert min(_mass(broken.bricks, f.density) for f in broken.fragments[:2]) > 0.05 * whole
        assert _overlap(broken, volume) < limit


@pytest.mark.parametrize("kind", [CaseKind.SHAFT_NORMAL, CaseKind.SHAFT_ATYPICAL])
def test_shaft_fragments_keep_the_bone(kind):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        patient = patient_for_shaft(patient_of(request(seed=seed)), kind, rng)
        fracture = sample_shaft_fracture(rng, kind)
        volume = femur_volume(patient, spacing_mm=1.5, bottom_mm=-330, thickening=fracture.thickening)
        broken = break_shaft(patient, volume, fracture, seed)
        whole = _mass(volume.bricks, volume.density)
        assert 0.95 < sum(_mass(broken.bricks, f.density) for f in broken.fragments) / whole <= 1.001
        assert (fracture.thickening is not None) is (kind is CaseKind.SHAFT_ATYPICAL)
        assert _overlap(broken, volume) < 0.3


def _edges(visibility: Visibility, seed: int) -> tuple[float, float]:
    """Band-passed energy of the difference image in the frontal and in the cross-table view."""
    made = build_case(request(seed=seed, visibility=visibility, height_px=256))
    found = []
    for view in made.views:
        difference = cv2.GaussianBlur(difference_image(project_view(view)), (0, 0), 0.6)
        found.append(conspicuity(view, difference).energy)
    return found[0], found[1]


@pytest.mark.slow
def test_planned_visibility_shows_in_the_projections():
    """Over several patients: a frontal-only fracture shows more frontally, a lateral-only one more laterally."""
    seeds = range(30, 38)
    frontal_only = np.array([_edges(Visibility.FRONTAL_ONLY, seed) for seed in seeds])
    lateral_only = np.array([_edges(Visibility.LATERAL_ONLY, seed) for seed in seeds])
    log_ratio = [float(np.log(e[:, 0] / e[:, 1]).mean()) for e in (frontal_only, lateral_only)]
    assert log_ratio[0] > log_ratio[1] + 0.5
    assert frontal_only[:, 0].mean() > 1.2 * lateral_only[:, 0].mean()
    assert lateral_only[:, 1].mean() > 1.2 * frontal_only[:, 1].mean()
