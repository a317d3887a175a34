"""Sampled patients stay within the ranges that their docstring names."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.phantom.femur import femur_frame
from app.engine.phantom.patient import Sex, sample_patient

RANGES = {
    "age_years": (45, 98),
    "neck_shaft_deg": (112, 145),
    "anteversion_deg": (-5, 32),
    "neck_height_ratio": (0.64, 0.72),
    "neck_depth_ratio": (0.52, 0.60),
    "bow_mm": (4, 14),
    "greater_trochanter": (0.90, 1.12),
    "lesser_trochanter": (0.85, 1.15),
    "osteoporosis": (0, 1.2),
    "cortex": (0.42, 1.2),
    "cancellous": (0.3, 1.25),
    "joint_space_mm": (1.6, 5.5),
    "osteoarthritis": (0, 3),
    "cup_inclination_deg": (40, 46),
    "cup_version_deg": (12, 24),
    "body_mass_index": (16, 42),
    "flare": (0, 1),
}


@pytest.fixture(scope="module")
def crowd():
    return [sample_patient(np.random.default_rng([n, 7]), str(n)) for n in range(3000)]


@pytest.mark.parametrize("name", sorted(RANGES))
def test_every_parameter_stays_in_its_range_and_varies(crowd, name):
    values = np.array([getattr(p, name) for p in crowd], dtype=float)
    low, high = RANGES[name]
    assert values.min() >= low
    assert values.max() <= high
    assert values.std() > 0.15 * (high - low) / 3.5


def test_means_and_shares_are_those_of_the_docstring(crowd):
    female = [p for p in crowd if p.sex is Sex.FEMALE]
    male = [p for p in crowd if p.sex is Sex.MALE]
    assert len(female) / len(crowd) == pytest.approx(0.65, abs=0.03)
    assert np.mean([p.head_radius_mm for p in female]) == pytest.approx(22.3, abs=0.2)
    assert np.mean([p.head_radius_mm for p in male]) == pytest.approx(25.2, abs=0.2)
    assert np.mean([p.neck_shaft_deg for p in crowd]) == pytest.approx(128, abs=0.5)
    assert np.mean([p.anteversion_deg for p in crowd]) == pytest.approx(12, abs=0.6)
    assert np.mean([p.neck_length_mm for p in female]) == pytest.approx(51, abs=0.3)


def test_bone_thins_with_age(crowd):
    age = np.array([p.age_years for p in crowd], dtype=float)
    for name, sign in (("osteoporosis", 1), ("cortex", -1), ("cancellous", -1), ("joint_space_mm", -1)):
        values = np.array([getattr(p, name) for p in crowd])
        assert sign * np.corrcoef(age, values)[0, 1] > 0.06, name
    assert not any(p.has_vessel_calcification for p in crowd if p.age_years <= 65)


def test_the_same_seed_is_the_same_patient():
    assert sample_patient(np.random.default_rng(4), "a") == sample_patient(np.random.default_rng(4), "a")


def test_the_femur_frame_has_the_angles_asked_for(crowd):
    for patient in crowd[:50]:
        frame = femur_frame(patient)
        shaft = np.array([0.0, 0, -1])
        assert np.degrees(np.arccos(frame.neck @ shaft)) == pytest.approx(patient.neck_shaft_deg)
        medial, anterior = -frame.neck[0], -frame.neck[1]
        assert np.degrees(np.arctan2(anterior, medial)) == pytest.approx(patient.anteversion_deg)
        axes = np.stack([frame.neck, frame.superior, frame.posterior])
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        assert frame.superior[2] > 0
        assert frame.posterior[1] > 0
