"""The sixty paired cases of the demo project: what each shows, how well it was taken, and who is held out.

The list is written by rule, not by chance, so that every kind, view, difficulty and fault is there. Some patients have
two studies. Held-out patients are held out with all their studies.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.case import Side
from app.engine.phantom.case import CaseRequest
from app.engine.phantom.femur_model import Resolution
from app.engine.phantom.fracture import CaseKind, Difficulty, Visibility
from app.engine.phantom.implant import ImplantKind
from app.engine.phantom.views import ViewKind

HEIGHT_PX = 768
RESOLUTION = Resolution(femur=0.65, pelvis=1.1, soft=5.0)
FIRST_SEED = 7_000
HOLD_OUT_EVERY = 5  # every fifth patient

_TREES = (
    "ALDER", "APPLE", "ASH", "ASPEN", "BEECH", "BIRCH", "BOX", "BROOM", "CEDAR", "CHERRY", "CYPRESS", "DOGWOOD",
    "ELDER", "ELM", "FIR", "GINKGO", "GORSE", "HAWTHORN", "HAZEL", "HEATHER", "HEMLOCK", "HOLLY", "HORNBEAM", "IVY",
    "JUNIPER", "LABURNUM", "LARCH", "LAUREL", "LILAC", "LIME", "LINDEN", "MAGNOLIA", "MAPLE", "MEDLAR", "MULBERRY",
    "MYRTLE", "OAK", "OLIVE", "OSIER", "PEAR", "PINE", "PLANE", "PLUM", "POPLAR", "PRIVET", "QUINCE", "ROWAN",
    "SALLOW", "SPRUCE", "SUMAC", "SYCAMORE", "THORN", "WALNUT", "WILLOW",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCase:
    """One study of the demo project.

    Args:
        number: 1 …, also the study's number.
        patient: index of the patient.
        name: a tree, so that nobody mistakes it for a person.
        request: what to make.
        dose: factor on the detector dose.
        has_marker: whether a letter lies on the detector.
        is_marker_wrong: whether it is the wrong one.
        is_silent: the header names neither side nor projection.
        is_monochrome1: stored the other way round.
        is_hold_out: reserved for judging models; never for training them.
    """

    number: int
    patient: int
    name: str
    request: CaseRequest
    dose: float = 1.0
    has_marker: bool = True
    is_marker_wrong: bool = False
    is_silent: bool = False
    is_monochrome1: bool = False
    is_hold_out: bool = False


_F, _X, _G, _P = ViewKind.FRONTAL, ViewKind.CROSS_TABLE, ViewKind.FROG_LEG, ViewKind.PELVIS
_HIP, _FROG, _PELVIS = (_F, _X), (_F, _G), (_P, _X)
_SHAFT = (ViewKind.SHAFT_FRONTAL, ViewKind.SHAFT_LATERAL)
_N, _ND = CaseKind.NORMAL, CaseKind.NECK_NON_DISPLACED
_EASY, _HARD = Difficulty.EASY, Difficulty.STANDARD
_BOTH, _FRONTAL, _LATERAL = Visibility.BOTH, Visibility.FRONTAL_ONLY, Visibility.LATERAL_ONLY

# kind, views, visibility, difficulty; in the order of the worklist, obvious cases first
_PLAN: tuple[tuple[CaseKind, tuple[ViewKind, ...], Visibility | None, Difficulty], ...] = (
    (_N, _FROG, None, _HARD),
    (CaseKind.GARDEN_4, _FROG, None, _HARD),
    (_ND, _HIP, _BOTH, _EASY),
    (_N, _HIP, None, _HARD),
    (CaseKind.TROCHANTERIC, _HIP, None, _HARD),
    (_ND, _HIP, _FRONTAL, _EASY),
    (_ND, _HIP, _LATERAL, _EASY),
    (_N, _PELVIS, None, _HARD),
    (CaseKind.GARDEN_3, _PELVIS, None, _HARD),
    (CaseKind.SHAFT_ATYPICAL, _SHAFT, None, _HARD),
    (CaseKind.SHAFT_NORMAL, _SHAFT, None, _HARD),
    (_N, _HIP, None, _HARD),
    (_ND, _HIP, _FRONTAL, _HARD),
    (_N, _FROG, None, _HARD),
    (_ND, _FROG, _BOTH, _HARD),
    (CaseKind.GARDEN_4, _HIP, None, _HARD),
    (_N, _HIP, None, _HARD),
    (_ND, _HIP, _LATERAL, _HARD),
    (_N, _HIP, None, _HARD),
    (CaseKind.TROCHANTERIC, _FROG, None, _HARD),
    (_N, _PELVIS, None, _HARD),
    (_ND, _HIP, _FRONTAL, _EASY),
    (_N, _HIP, None, _HARD),
    (CaseKind.SHAFT_ATYPICAL, _SHAFT, None, _HARD),
    (_N, _FROG, None, _HARD),
    (_ND, _HIP, Visibility.OCCULT, _HARD),
    (CaseKind.GARDEN_3, _HIP, None, _HARD),
    (_N, _HIP, None, _HARD),
    (_ND, _HIP, _BOTH, _HARD),
    (_N, _HIP, None, _HARD),
    (CaseKind.GARDEN_4, _PELVIS, None, _HARD),
    (_ND, _HIP, _LATERAL, _EASY),
    (_N, _HIP, None, _HARD),
    (CaseKind.SHAFT_NORMAL, _SHAFT, None, _HARD),
    (_N, _FROG, None, _HARD),
    (CaseKind.TROCHANTERIC, _PELVIS, None, _HARD),
    (_ND, _HIP, _FRONTAL, _HARD),
    (_N, _HIP, None, _HARD),
    (_N, _HIP, None, _HARD),
    (CaseKind.GARDEN_3, _FROG, None, _HARD),
    (_ND, _FROG, _FRONTAL, _EASY),
    (_N, _HIP, None, _HARD),
    (CaseKind.SHAFT_ATYPICAL, _SHAFT, None, _HARD),
    (_N, _PELVIS, None, _HARD),
    (_ND, _HIP, _BOTH, _EASY),
    (CaseKind.GARDEN_4, _HIP, None, _HARD),
    (_N, _HIP, None, _HARD),
    (_ND, _HIP, _LATERAL, _HARD),
    (CaseKind.TROCHANTERIC, _HIP, None, _HARD),
    (_N, _FROG, None, _HARD),
    (_ND, _HIP, _FRONTAL, _HARD),
    (CaseKind.SHAFT_NORMAL, _SHAFT, None, _HARD),
    (_N, _HIP, None, _HARD),
    (CaseKind.GARDEN_4, _FROG, None, _HARD),
    (_N, _HIP, None, _HARD),
    (_ND, _HIP, _BOTH, _HARD),
    (CaseKind.SHAFT_ATYPICAL, _SHAFT, None, _HARD),
    (CaseKind.TROCHANTERIC, _HIP, None, _HARD),
    (CaseKind.GARDEN_3, _HIP, None, _HARD),
    (CaseKind.SHAFT_NORMAL, _SHAFT, None, _HARD),
)

# study number -> the number of an earlier study of the same patient
_SECOND_STUDIES = {14: 4, 23: 12, 33: 17, 42: 28, 53: 38, 55: 47}
_POOR_EXPOSURE = {19: 0.12, 50: 0.2}
_WRONG_MARKER = {30}
_NO_MARKER = {11, 29, 46}
_SILENT = {4, 25, 39}
_MONOCHROME1 = {8, 35}
_IMPLANT = {28: ImplantKind.SLIDING_SCREW}


def demo_cases() -> tuple[DemoCase, ...]:
    """All studies of the demo project, in order."""
    patients: dict[int, int] = {}
    cases = []
    for number, (kind, views, visibility, difficulty) in enumerate(_PLAN, start=1):
        patient = patients.setdefault(_SECOND_STUDIES.get(number, number), len(set(patients.values())))
        patients[number] = patient
        cases.append(
            DemoCase(
                number=number,
                patient=patient,
                name=_TREES[patient],
                request=CaseRequest(
                    seed=FIRST_SEED + number,
                    patient_seed=FIRST_SEED + patient,
                    kind=kind,
                    views=views,
                    visibility=visibility,
                    difficulty=difficulty,
                    side=Side.LEFT if (number * 7) % 11 < 5 else Side.RIGHT,
                    implant=_IMPLANT.get(number),
                    height_px=HEIGHT_PX,
                    resolution=RESOLUTION,
                    has_twin=False,
                ),
                dose=_POOR_EXPOSURE.get(number, 1.0),
                has_marker=number not in _NO_MARKER,
                is_marker_wrong=number in _WRONG_MARKER,
                is_silent=number in _SILENT,
                is_monochrome1=number in _MONOCHROME1,
                is_hold_out=patient % HOLD_OUT_EVERY == HOLD_OUT_EVERY - 1,
            )
        )
    return tuple(cases)
