"""The modelled bones have the sizes, gaps and densities that they are meant to have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.engine.phantom.bone_texture import shell
from app.engine.phantom.case import CaseRequest, patient_of
from app.engine.phantom.femur import CorticalThickening, femur_fields, femur_frame, shaft_point
from app.engine.phantom.femur_volume import femur_volume
from app.engine.phantom.fields import unit
from app.engine.phantom.pelvis import mirror_about_midline, pelvis_parts
from app.engine.phantom.soft_tissue import FAT_DENSITY, MUSCLE_DENSITY, soft_tissue_parts
from app.engine.phantom.volume import Material


@pytest.fixture(scope="module")
def patient():
    return replace(patient_of(CaseRequest(seed=5)), osteoporosis=0.3, cortex=0.9, cancellous=0.85, osteoarthritis=0.0)


@pytest.fixture(scope="module")
def pelvis(patient):
    return pelvis_parts(patient, spacing_mm=2.0)


def sampled(part, points: np.ndarray) -> np.ndarray:
    """Density of a part at the nearest voxel to (N, 3) points; 0 outside its grid."""
    index = np.round((points - part.origin_mm) / part.spacing_mm[0]).astype(int)[:, ::-1]
    inside = ((index >= 0) & (index < part.density.shape)).all(axis=1)
    values = np.zeros(len(points))
    values[inside] = part.density[tuple(index[inside].T)]
    return values


def sphere(count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.array([unit(v) for v in rng.normal(size=(count, 3))])


def test_the_head_is_a_ball_of_the_patients_radius(patient):
    frame = femur_frame(patient)
    free = np.array([d for d in sphere() if d @ frame.neck > 0.2 and d @ frame.neck < 0.75])  # not neck, not fovea
    for radius, is_bone in ((patient.head_radius_mm - 0.6, True), (patient.head_radius_mm + 0.6, False)):
        points = (frame.head_mm + radius * free).astype(np.float32)
        surface = femur_fields(patient, *points.T).surface
        assert (surface < 0).mean() > 0.97 if is_bone else (surface > 0).mean() > 0.97


def test_the_shaft_is_a_tube_of_the_cortex_asked_for(patient):
    volume = femur_volume(patient, spacing_mm=0.8, bottom_mm=-130)
    part = volume.bricks.part(volume.density, name="femur", material=Material.BONE, pose=np.eye(4))
    axis = shaft_point(patient, -105.0)
    x = np.arange(0, 24, 0.2)
    line = sampled(part, np.stack([axis[0] + x, np.full_like(x, axis[1]), np.full_like(x, -105.0)], 1))
    solid = x[line > 0.9]
    fields = femur_fields(patient, *(np.float32([v]) for v in (axis[0] + solid.mean(), axis[1], -105.0)))
    assert solid[-1] - solid[0] == pytest.approx(float(fields.cortex[0]), abs=1.2)
    assert solid[-1] == pytest.approx(patient.shaft_radius_mm, abs=1.5)
    assert line[:10].mean() < 0.25 * line.max()


def test_osteoporosis_takes_bone_away(patient):
    def mass(who) -> float:
        volume = femur_volume(who, spacing_mm=1.5, bottom_mm=-112)
        return float(volume.density.sum())

    weak = replace(patient, osteoporosis=1.1, cortex=0.5, cancellous=0.4)
    assert mass(weak) < 0.75 * mass(patient)


def test_wards_triangle_is_less_dense_than_the_head(patient):
    frame = femur_frame(patient)
    ward = frame.neck * 0.40 * patient.neck_length_mm + 1.0 * frame.superior
    at = [np.float32([v]) for v in ward]
    head = [np.float32([v]) for v in frame.head_mm]
    assert femur_fields(patient, *at).cancellous[0] < 0.5 * femur_fields(patient, *head).cancellous[0]


def test_a_lateral_thickening_is_local_and_lateral(patient):
    bump = CorticalThickening(level_mm=-100, outward_mm=3, inward_mm=1, width_mm=8)
    axis = shaft_point(patient, -100.0)

    def at(side: float, z: float, thickening):
        where = (np.float32([axis[0] + side * patient.shaft_radius_mm]), np.float32([axis[1]]), np.float32([z]))
        fields = femur_fields(patient, *where, thickening)
        return float(fields.surface[0]), float(fields.cortex[0])

    assert at(1, -100, None)[0] - at(1, -100, bump)[0] == pytest.approx(3, abs=0.3)
    assert at(1, -100, bump)[1] - at(1, -100, None)[1] == pytest.approx(4, abs=0.4)
    assert at(-1, -100, bump) == at(-1, -100, None)
    assert at(1, -140, bump)[0] == pytest.approx(at(1, -140, None)[0], abs=0.01)


def test_the_fine_and_the_coarse_stretch_join_without_a_seam(patient):
    fine = femur_volume(patient, spacing_mm=0.8, bottom_mm=-112)
    coarse = femur_volume(patient, spacing_mm=1.6, factor=2, top_mm=-112, bottom_mm=-250)

    def mass_by_height(volume, edges: np.ndarray) -> np.ndarray:
        _, _, z = volume.bricks.points()
        total, _ = np.histogram(z, bins=edges, weights=volume.density)
        return total * volume.bricks.spacing_mm**3

    edges = np.arange(-135.0, -90.0, 3.2)
    profile = mass_by_height(fine, edges) + mass_by_height(coarse, edges)
    assert profile.std() / profile.mean() < 0.08


def test_the_socket_is_empty_and_its_roof_is_dense(patient, pelvis):
    directions = sphere()
    assert sampled(pelvis.left, directions * 0.8 * patient.cup_radius_mm).max() == 0
    roof = np.array([d for d in directions if d[2] > 0.85])
    assert (sampled(pelvis.left, roof * (patient.cup_radius_mm + 2.0)) > 0.4).mean() > 0.8


def test_the_two_halves_meet_at_the_symphysis_without_touching(patient, pelvis):
    _, _, x = np.nonzero(pelvis.left.density > 0.2)
    lateral = x * pelvis.left.spacing_mm[2] + pelvis.left.origin_mm[0]
    assert lateral.min() > -patient.half_width_mm - 0.5
    assert lateral.min() < -patient.half_width_mm + 8
    mirror = mirror_about_midline(patient)
    assert mirror @ np.array([-patient.half_width_mm, 1, 2, 1]) == pytest.approx([-patient.half_width_mm, 1, 2, 1])
    np.testing.assert_allclose(mirror @ mirror, np.eye(4), atol=1e-12)


def test_the_sacrum_keeps_clear_of_the_wings(pelvis):
    z, y, x = np.nonzero(pelvis.spine.density > 0.2)
    points = np.stack([x, y, z], 1) * pelvis.spine.spacing_mm[0] + pelvis.spine.origin_mm
    assert (sampled(pelvis.left, points) > 0.4).mean() < 0.01


def test_soft_tissue_surrounds_the_bones_and_is_never_denser_than_muscle(patient):
    frame = femur_frame(patient)
    pose = np.eye(4)
    pose[:3, 3] = -frame.head_mm
    parts = soft_tissue_parts(
        patient, spacing_mm=8.0, femur_pose=pose, has_other_thigh=True, rng=np.random.default_rng(0)
    )
    muscle, fat = (next(p for p in parts if p.name == name) for name in ("muscle", "fat"))
    points = np.array([[0, 0, 0], [20, 5, 60], frame.head_mm * -1 + (0, 0, -100), [-patient.half_width_mm, 20, 40]])
    share = sampled(muscle, points) / MUSCLE_DENSITY + sampled(fat, points) / FAT_DENSITY
    np.testing.assert_allclose(share, 1, atol=0.05)
    assert sampled(muscle, np.array([[0.0, 0, -900], [400, 0, 0]])).max() == 0
    assert muscle.density.min() >= 0
    assert muscle.density.max() <= MUSCLE_DENSITY * 1.001


def test_a_heavier_patient_has_more_fat(patient):
    def fat(index: float) -> float:
        who = replace(patient, body_mass_index=index)
        parts = soft_tissue_parts(
            who, spacing_mm=10.0, femur_pose=np.eye(4), has_other_thigh=True, rng=np.random.default_rng(0)
        )
        return float(next(p for p in parts if p.name == "fat").density.sum())

    assert fat(38) > 1.6 * fat(22)


@pytest.mark.parametrize("step", [0.5, 0.7, 0.9])
def test_plates_do_not_beat_with_the_rows_of_voxels(step):
    # a plate that the beam crosses at a slant is sampled every `step` voxels of depth, at any offset
    offsets = np.linspace(0, step, 40, endpoint=False, dtype=np.float32)[:, None]
    depth = offsets + np.arange(-12, 12, step, dtype=np.float32)

    def ripple(**how) -> float:
        cortex, _ = shell(depth, np.float32(1.0), **how)
        seen = cortex.sum(axis=1)
        return float(np.ptp(seen) / seen.mean())

    assert ripple(ramp_mm=2.5, is_smooth=True) < 0.03
    if step == 0.9:
        assert ripple(ramp_mm=1.6) > 0.05  # what a narrow linear ramp would do
