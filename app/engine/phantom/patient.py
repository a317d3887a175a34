"""A synthetic patient: the parameters of one pelvis and its femora, sampled within published adult ranges.

How to read the sources: *reported* means that the figure is the one the source reports (quoted from memory of a
well-known paper, not read again for this work); *derived* means that the range is our choice, guided by the source.
Sizes are bone sizes in mm, without radiographic magnification.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

SEX_SHARE_FEMALE = 0.65


class Sex(StrEnum):
    """Patient's Sex, as DICOM writes it."""

    FEMALE = "F"
    MALE = "M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What stays the same from study to study.

    Args:
        id: pseudonym of the synthetic patient.
        sex: female in 65 % (derived: hip fractures are two to three times as frequent in women, Kannus et al., Bone
            1996;18:57S; Kanis et al., Osteoporos Int 2012;23:2239; we keep more men than that for variety).
        age_years: 45–98, about 76 ± 11 (derived from the same two).
        head_radius_mm: female 22.3, male 25.2, ± 1.2 (derived from Noble et al., Clin Orthop 1988;235:148: head
            diameter 46.1 ± 4.8 over both sexes, reported).
        neck_shaft_deg: 128 ± 5.5 within 112–145 (derived; reported: 129.2 ± 6.2, Toogood et al., Clin Orthop
            2009;467:876; 124.7 ± 7.4, Noble 1988; review: Boese et al., Skeletal Radiol 2016;45:19).
        anteversion_deg: 12 ± 7 within −5–32 (derived; reported: 9.7 ± 9.3, Toogood 2009).
        neck_length_mm: from the crossing of neck and shaft axes to the head centre, female 51, male 55, ± 2.5 (derived
            from Noble 1988: femoral offset 43.0 ± 6.8 = length × sin(neck–shaft angle), reported).
        neck_height_ratio: narrowest supero-inferior half-height of the neck over the head radius, 0.64–0.72 (derived
            from Toogood 2009: head–neck ratio).
        neck_depth_ratio: the same in antero-posterior direction, 0.52–0.60 (derived from the same).
        shaft_radius_mm: outer, female 14.2, male 15.8, ± 0.8 (derived from Noble 1988).
        bow_mm: sagitta of the anterior bow, 4–14 (derived from Egol et al., J Orthop Trauma 2004;18:410: radius of
            curvature 120 ± 36 cm, reported).
        greater_trochanter: scale of its height, 0.90–1.12 (derived).
        lesser_trochanter: scale of its size, 0.85–1.15 (derived).
        osteoporosis: 0 healthy – 1.2 severe, grows with age, more in women (derived from Singh et al., J Bone Joint
            Surg Am 1970;52:457: the grades of trabecular loss).
        cortex: factor on every cortical thickness, 0.42–1.2 (derived from Dorr et al., Bone 1993;14:231, and, for the
            neck, Mayhew et al., Lancet 2005;366:129).
        cancellous: factor on the cancellous density, 0.3–1.25 (derived from Singh 1970).
        joint_space_mm: 4.0 ± 0.7 within 1.6–5.5, less with osteoarthritis (derived from Lequesne et al., Ann Rheum Dis
            2004;63:1145).
        osteoarthritis: 0–3, like the grades of Kellgren and Lawrence (Ann Rheum Dis 1957;16:494) that show on a film:
            osteophytes, narrowing, sclerosis (derived).
        cup_inclination_deg: 40–46, cup_version_deg: 12–24 of the acetabular opening (derived from Murray, J Bone Joint
            Surg Br 1993;75:228, and Köhnlein et al., Clin Orthop 2009;467:682).
        cup_version_deg: see above.
        pelvic_tilt_deg: rotation about the transverse axis beside the average supine pose, 0 ± 5 (derived from
            spread of supine pelvic tilt between patients; no single source).
        half_width_mm: hip centre to mid-line, female 88 × scale (derived from Bell et al., Hum Mov Sci 1989;8:3: hip
            centres at 14 / 30 / 22 % of the distance between the anterior superior spines).
        flare: 0 narrow – 1 wide iliac wings (derived; women wider).
        body_mass_index: 25 ± 4.5 within 16–42 kg/m² (derived from De Laet et al., Osteoporos Int 2005;16:1330).
        has_vessel_calcification: in a quarter of those over 65 (derived).
        texture_seed: seed of the trabeculae and of everything else that is the same in each study.
    """

    id: str
    sex: Sex
    age_years: int
    head_radius_mm: float
    neck_shaft_deg: float
    anteversion_deg: float
    neck_length_mm: float
    neck_height_ratio: float
    neck_depth_ratio: float
    shaft_radius_mm: float
    bow_mm: float
    greater_trochanter: float
    lesser_trochanter: float
    osteoporosis: float
    cortex: float
    cancellous: float
    joint_space_mm: float
    osteoarthritis: float
    cup_inclination_deg: float
    cup_version_deg: float
    pelvic_tilt_deg: float
    half_width_mm: float
    flare: float
    body_mass_index: float
    has_vessel_calcification: bool
    texture_seed: int

    @property
    def scale(self) -> float:
        """Size of the skeleton relative to an average one (head radius 24 mm)."""
        return self.head_radius_mm / 24.0

    @property
    def cup_radius_mm(self) -> float:
        """Radius of the bony socket."""
        return self.head_radius_mm + self.joint_space_mm


def _normal(rng: np.random.Generator, mean: float, deviation: float, low: float, high: float) -> float:
    return float(np.clip(rng.normal(mean, deviation), low, high))


def sample_patient(rng: np.random.Generator, patient_id: str) -> Patient:
    """Draw one patient; see `Patient` for the ranges and their sources."""
    sex = Sex.FEMALE if rng.random() < SEX_SHARE_FEMALE else Sex.MALE
    is_female = sex is Sex.FEMALE
    age = int(_normal(rng, 76, 11, 45, 98))
    head_radius = _normal(rng, 22.3 if is_female else 25.2, 1.2, 18.5, 29.0)
    osteoporosis = float(np.clip((age - 55) / 45 + rng.normal(0, 0.25) + (0.15 if is_female else -0.1), 0, 1.2))
    osteoarthritis = float(np.clip(rng.normal(0.4 + (age - 60) / 60, 0.9), 0, 3))
    joint_space = _normal(rng, 4.0 - 0.6 * osteoarthritis, 0.5, 1.6, 5.5)
    return Patient(
        id=patient_id,
        sex=sex,
        age_years=age,
        head_radius_mm=head_radius,
        neck_shaft_deg=_normal(rng, 128, 5.5, 112, 145),
        anteversion_deg=_normal(rng, 12, 7, -5, 32),
        neck_length_mm=_normal(rng, 51 if is_female else 55, 2.5, 43, 63),
        neck_height_ratio=float(rng.uniform(0.64, 0.72)),
        neck_depth_ratio=float(rng.uniform(0.52, 0.60)),
        shaft_radius_mm=_normal(rng, 14.2 if is_female else 15.8, 0.8, 11.5, 18.5),
        bow_mm=float(rng.uniform(4, 14)),
        greater_trochanter=float(rng.uniform(0.90, 1.12)),
        lesser_trochanter=float(rng.uniform(0.85, 1.15)),
        osteoporosis=osteoporosis,
        cortex=float(np.clip(rng.normal(1.0, 0.12) - 0.45 * osteoporosis, 0.42, 1.2)),
        cancellous=float(np.clip(1.0 - 0.55 * osteoporosis + rng.normal(0, 0.12), 0.3, 1.25)),
        joint_space_mm=joint_space,
        osteoarthritis=osteoarthritis,
        cup_inclination_deg=float(rng.uniform(40, 46)),
        cup_version_deg=float(rng.uniform(12, 24)),
        pelvic_tilt_deg=_normal(rng, 0, 5, -12, 12),
        half_width_mm=_normal(rng, 88.0, 2.5, 80, 96) * head_radius / (22.3 if is_female else 25.2),
        flare=float(np.clip(rng.normal(0.6 if is_female else 0.4, 0.2), 0, 1)),
        body_mass_index=_normal(rng, 25, 4.5, 16, 42),
        has_vessel_calcification=bool(age > 65 and rng.random() < 0.25),
        texture_seed=int(rng.integers(1 << 31)),
    )
