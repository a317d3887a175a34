"""Skin, subcutaneous fat, muscles with fat planes between them, bowel gas and vessel calcification.

The body is an envelope around the pelvis frame; the thigh follows the femur. Muscles are tapered rods that nearly fill
the fascia; fat lies where two of them meet, which gives the fat planes of a hip radiograph (gluteal, iliopsoas,
obturator). Positions by eye from cross-sectional anatomy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.phantom.bricks import Bricks, Lattice
from app.engine.phantom.fields import (
    bump,
    capsule,
    ellipsoid,
    polyline_tube,
    smooth_max,
    smooth_min,
    smooth_step,
    transform,
)
from app.engine.phantom.noise import Noise
from app.engine.phantom.patient import Patient
from app.engine.phantom.volume import Array, Material, Part, Vector, f32

MUSCLE_DENSITY = 1.05  # g/cm³, ICRU Report 44
FAT_DENSITY = 0.95

_LOW = np.array([-330.0, -175.0, -340.0])
_HIGH = np.array([225.0, 150.0, 270.0])

# start, end (femur frame, mm), radius at the start and at the end
_THIGH_MUSCLES = (
    ((20, -6, -25), (24, -10, -330), 25, 21),  # vastus lateralis
    ((2, -24, -40), (2, -30, -330), 19, 20),  # vastus intermedius
    ((0, -44, 25), (2, -52, -320), 15, 17),  # rectus femoris
    ((-18, -12, -70), (-26, -18, -330), 17, 26),  # vastus medialis
    ((30, -46, 62), (-52, -34, -300), 12, 11),  # sartorius
    ((52, -34, 70), (44, -22, -150), 16, 9),  # tensor fasciae latae
    ((-72, -28, 2), (-14, 6, -170), 16, 14),  # adductor longus and brevis
    ((-66, 20, -48), (-16, 14, -280), 27, 18),  # adductor magnus
    ((-84, -6, -30), (-62, 16, -330), 13, 11),  # gracilis
    ((-52, 38, -52), (-34, 46, -330), 22, 22),  # semitendinosus and semimembranosus
    ((-44, 44, -52), (10, 44, -330), 16, 22),  # biceps femoris
)
# pelvis frame
_PELVIC_MUSCLES = (
    ((-52, 72, 75), (50, 42, -75), 30, 27),  # gluteus maximus
    ((24, 0, 110), (54, 4, -15), 25, 15),  # gluteus medius
    ((14, 6, 70), (44, -4, -8), 16, 10),  # gluteus minimus
    ((-34, -4, 150), (-14, -38, 10), 22, 17),  # iliopsoas
    ((-14, -38, 10), (22, -2, -58), 17, 9),
    ((-62, -38, -6), (20, 2, -62), 12, 10),  # pectineus
    ((-48, 2, -36), (34, 20, -8), 13, 8),  # obturator muscles
    ((-60, 70, 50), (40, 14, 4), 12, 7),  # piriformis
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Body:
    """Signed distances, mm: the trunk with this thigh, the other thigh, and the depth below the fascia."""

    skin: Array
    other_thigh: Array
    fat_mm: Array


def _thigh(patient: Patient, x: Array, y: Array, z: Array, origin: Vector, down: Vector) -> Array:
    k, extra = patient.scale, patient.body_mass_index - 25
    lead = origin + np.array([-12.0, 6.0, 10.0])
    return capsule(x, y, z, lead, origin + 350 * down, 92 * k + 2.3 * extra, 64 * k + 1.3 * extra)


def _body(patient: Patient, x: Array, y: Array, z: Array, origin: Vector, down: Vector) -> _Body:
    k, extra, mid = patient.scale, patient.body_mass_index - 25, -patient.half_width_mm
    hips = patient.half_width_mm + 66 * k  # the wings of the pelvis stay inside the skin however thin the patient
    half_width = np.maximum(170 * k + 2.6 * extra - 22 * smooth_step(z, 5, 130), hips + 14 + 0.8 * extra)
    half_depth = 102 * k + 2.6 * extra - 10 * smooth_step(z, 20, 140)
    below = np.clip(-(z + 2), 0, None) / np.float32(74 * k)
    ring = (
        np.abs((x - np.float32(mid)) / half_width) ** 2.6 + np.abs((y - 4) / half_depth) ** 2.4 + below**2.6
    ) ** np.float32(1 / 2.5)
    trunk = ((ring - 1) * half_depth * np.float32(0.9)).astype(np.float32)
    seat = (88 * k + 1.2 * extra, 62 * k + 1.2 * extra, 82 * k + 1.2 * extra)
    skin = smooth_min(trunk, _thigh(patient, x, y, z, origin, down), 32)
    for side in (1, -1):
        skin = smooth_min(skin, ellipsoid(x, y, z, (mid + side * 70, 52, -28), seat), 34)
    skin = smooth_max(skin, (y - np.float32(112 * k + 1.6 * extra)) + 0 * skin, 14)  # flattened by the table
    other = np.array([2 * mid - 38, 0.0, -30.0])
    direction = np.array([-20.0, 0, -330.0])
    other_thigh = _thigh(patient, x, y, z, other + np.array([24.0, 0, 0]), direction / np.linalg.norm(direction))
    fat = np.clip(13 + 2.0 * extra, 5, 55) * (0.75 + 0.5 * smooth_step(x, 0, 120))
    return _Body(skin=skin, other_thigh=other_thigh, fat_mm=fat.astype(np.float32))


def _muscle_fat(patient: Patient, x: Array, y: Array, z: Array, femur_pose: Vector, noise: Noise) -> Array:
    """Share of fat below the fascia: gaps and septa between muscles, infiltration with age."""
    k = patient.scale
    mid = np.float32(-patient.half_width_mm)
    x = mid + np.abs(x - mid)  # the muscles of the other side are the mirror image
    nearest = np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), 60, dtype=np.float32)
    second = nearest.copy()
    posed = [
        (transform(femur_pose, np.multiply(a, k)), transform(femur_pose, np.multiply(b, k)), ra, rb)
        for a, b, ra, rb in _THIGH_MUSCLES
    ]
    for a, b, ra, rb in [*posed, *((np.multiply(a, k), np.multiply(b, k), ra, rb) for a, b, ra, rb in _PELVIC_MUSCLES)]:
        reach = capsule(x, y, z, a, b, ra * k, rb * k)
        second = np.minimum(second, np.maximum(nearest, reach))
        nearest = np.minimum(nearest, reach)
    septa = bump(second - nearest, 5.0) * (1 - smooth_step(nearest, 14, 26))
    gaps = smooth_step(nearest, 3, 9) * (1 - smooth_step(nearest, 14, 34))  # farther off: undifferentiated muscle
    wide = np.broadcast_arrays(x, y, z)
    lumps = noise.lumps(wide[0], wide[1], wide[2] * np.float32(0.5), 11)
    infiltration = np.float32(0.12 + 0.30 * min(1.0, patient.osteoporosis)) * np.clip(lumps, 0, 2)
    abdomen = smooth_step(z, -40, 60) * smooth_step(nearest, -4, 6)  # organs and mesentery rather than muscle
    return f32(np.clip(0.40 * gaps + 0.45 * septa + 0.4 * infiltration + 0.2 * abdomen, 0, 0.9))


def soft_tissue_parts(
    patient: Patient,
    *,
    spacing_mm: float,
    femur_pose: Vector,
    has_other_thigh: bool,
    rng: np.random.Generator,
) -> list[Part]:
    """Muscle and fat of the body around one posed femur, with bowel gas.

    Args:
        patient: whose body.
        spacing_mm: edge of the voxels; 4 to 6 is enough, edges are anti-aliased.
        femur_pose: (4, 4) pelvis frame from femur frame; the thigh follows it.
        has_other_thigh: whether the other thigh lies beside this one (a cross-table view has it raised).
        rng: of the study: gas differs from study to study.
    """
    lattice = Lattice.covering(_LOW, _HIGH, 2 * spacing_mm)
    x, y, z = lattice.axes()
    noise = Noise(np.random.default_rng([patient.texture_seed, 3]))
    down = femur_pose[:3, :3] @ np.array([0.0, 0.0, -1.0])
    body = _body(patient, x, y, z, femur_pose[:3, 3], down)
    skin = smooth_min(body.skin, body.other_thigh, 26) if has_other_thigh else body.skin
    wide = np.broadcast_arrays(x, y, z)
    uneven = 4.0 * noise.lumps(wide[0], wide[1], wide[2], 34)
    ramp = np.float32(2.6 * spacing_mm)  # wide enough that no voxel rows show where the beam grazes the skin
    bricks = Bricks.where_below(lattice, 2, skin, float(ramp))
    envelope = np.clip(np.float32(0.5) - bricks.refine(skin) / ramp, 0, 1)
    below_fascia = np.clip(np.float32(0.5) - bricks.refine(skin + body.fat_mm + uneven) / ramp, 0, 1)
    between = bricks.refine(_muscle_fat(patient, x, y, z, femur_pose, noise))
    fat = envelope * (1 - below_fascia) + envelope * below_fascia * between
    parts = [
        bricks.part((field * np.float32(density)).astype(np.float32), name=name, material=material, pose=np.eye(4))
        for name, material, field, density in (
            ("muscle", Material.MUSCLE, np.clip(envelope - fat, 0, None), MUSCLE_DENSITY),
            ("fat", Material.FAT, fat, FAT_DENSITY),
        )
    ]
    parts.append(_bowel_gas(patient, rng))
    return [part for part in parts if part is not None]


def _bowel_gas(patient: Patient, rng: np.random.Generator) -> Part | None:
    """Loops of gas in front of the sacrum, as missing muscle: chains of bubbles with a wavy wall."""
    loops = int(rng.integers(0, 5))
    if loops == 0:
        return None
    mid, spacing = -patient.half_width_mm, 3.0
    lattice = Lattice.covering(np.array([mid - 95, -70.0, -20]), np.array([mid + 95, 40.0, 190]), spacing)
    x, y, z = lattice.axes()
    gas = np.full(lattice.shape, 50, dtype=np.float32)
    for _ in range(loops):
        at = np.array([mid + rng.uniform(-55, 55), rng.uniform(-45, 15), rng.uniform(25, 150)])
        heading = rng.normal(0, 1, 3) * (1, 0.35, 1)
        size = rng.uniform(8, 17)
        for _ in range(int(rng.integers(2, 6))):
            radii = size * rng.uniform(0.75, 1.15, 3)
            gas = smooth_min(gas, ellipsoid(x, y, z, at, radii), 4)
            heading = heading + rng.normal(0, 0.7, 3) * (1, 0.3, 1)
            at = at + heading / (np.linalg.norm(heading) + 1e-6) * size * 1.25
            at = np.clip(at, [mid - 80, -52, 10], [mid + 80, 22, 172])
    density = np.clip(0.5 - gas / np.float32(1.5 * spacing), 0, 1) * np.float32(-MUSCLE_DENSITY)
    return Part(
        name="bowel-gas",
        material=Material.MUSCLE,
        density=density.astype(np.float32),
        spacing_mm=(spacing, spacing, spacing),
        origin_mm=lattice.origin_mm,
        pose=np.eye(4),
    )


def vessel_calcification(patient: Patient, *, spacing_mm: float) -> Part | None:
    """Calcified wall of the femoral artery, in stretches; None when the patient has none."""
    if not patient.has_vessel_calcification:
        return None
    k = patient.scale
    rng = np.random.default_rng([patient.texture_seed, 4])
    path = [(-16, -52, 40), (-12, -56, 0), (-14, -50, -60), (-24, -38, -130), (-34, -24, -220)]
    path = [tuple(np.add(p, rng.normal(0, 2.5, 3)) * k) for p in path]
    lattice = Lattice.covering(np.array([-52.0, -72, -170]) * k, np.array([4.0, -20, 46]) * k, spacing_mm)
    x, y, z = lattice.axes()
    wall = np.abs(polyline_tube(x, y, z, path, [4.2 * k, 4.0 * k, 3.6 * k, 3.2 * k, 3.0 * k])) - np.float32(0.45)
    noise = Noise(rng)
    wide = np.broadcast_arrays(x, y, z)
    patches = smooth_step(noise.lumps(wide[0], wide[1], wide[2], 6.0), 0.25, 0.8)
    density = np.clip(0.5 - wall / np.float32(spacing_mm), 0, 1) * patches * np.float32(0.9)
    return Part(
        name="vessel-calcification",
        material=Material.BONE,
        density=density.astype(np.float32),
        spacing_mm=(spacing_mm, spacing_mm, spacing_mm),
        origin_mm=lattice.origin_mm,
        pose=np.eye(4),
    )
