"""Synthetic cases of which everything is known: what models are trained, measured and audited on.

Every case is another patient, and no seed is that of the demo project. The cases from `HOLD_OUT` on are never trained
on. Images are windowed as an import does it, and the places that a person would click on come from the phantom's truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.core.case import Side, ViewRole
from app.core.geometry import XY, Alignment
from app.core.grey import DisplayTable, GreyScale, Photometric, StoredImage, Window
from app.core.grey_tables import display_table
from app.core.model_input import ViewGeometry
from app.core.region import region_around
from app.core.spacing import Spacing, SpacingSource
from app.core.voi import auto_window
from app.engine.phantom.case import CaseRequest, build_case
from app.engine.phantom.femur_model import COARSE_RESOLUTION
from app.engine.phantom.fracture import CaseKind, Difficulty
from app.engine.phantom.views import ViewKind
from app.engine.synthesis.radiographs import ExposedView, expose_case

FIRST_SEED = 3_000_000
HOLD_OUT = 500_000  # added to the seed
HEIGHT_PX = 768
EASY_SHARE = 0.75
SEEN = 0.12  # amplitude of the difference image from which a person would click on the fracture in a view
NECK_SHARES = (0.45, 0.55)  # of the shaft's crossing and of the centre of the head: the middle of the neck
AXIS_MM = 40.0  # from the fracture of a shaft to the second click
UNBOUNDED = 100_000  # px: a region is not moved into the image


class CaseGroup(StrEnum):
    """Cases that answer one question."""

    NECK = "neck"  # intact, or a non-displaced fracture of the neck; lateral view: cross-table
    FROG = "frog"  # the same with a frog-leg view
    DISPLACED = "displaced"  # Garden III and IV, and trochanteric
    SHAFT = "shaft"  # normal and atypical fractures of the shaft; frontal view only


_OFFSETS = {CaseGroup.NECK: 0, CaseGroup.DISPLACED: 100_000, CaseGroup.SHAFT: 200_000, CaseGroup.FROG: 300_000}
_KINDS = {
    CaseGroup.NECK: (CaseKind.NORMAL, CaseKind.NECK_NON_DISPLACED),
    CaseGroup.FROG: (CaseKind.NORMAL, CaseKind.NECK_NON_DISPLACED),
    CaseGroup.DISPLACED: (CaseKind.GARDEN_3, CaseKind.GARDEN_4, CaseKind.TROCHANTERIC),
    CaseGroup.SHAFT: (CaseKind.SHAFT_NORMAL, CaseKind.SHAFT_ATYPICAL),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownView:
    """One radiograph with its truth.

    Args:
        role: frontal or lateral.
        image: stored values.
        grey: how they become grey levels.
        window: the automatic window.
        table: both of them, as one table.
        geometry: size, spacing and side; with the two clicks where a shaft is broken, and the region around the neck.
        exposed: what it was made from.
        neck_xy: middle of the neck.
        fracture_xy: where a person would click on the fracture; None where there is none, or none is to be seen.
    """

    role: ViewRole
    image: StoredImage
    grey: GreyScale
    window: Window
    table: DisplayTable
    geometry: ViewGeometry
    exposed: ExposedView
    neck_xy: XY
    fracture_xy: XY | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownCase:
    """A case with its truth.

    Args:
        group: which question it answers.
        seed: it is made from.
        patient: pseudonym.
        kind: what it shows.
        difficulty: how clearly.
        side: of the hip.
        planned_visibility: in which views a non-displaced fracture was planned to show; empty otherwise.
        views: one after the other, the frontal one first.
    """

    group: CaseGroup
    seed: int
    patient: str
    kind: CaseKind
    difficulty: Difficulty
    side: Side
    planned_visibility: str
    views: tuple[KnownView, ...]


def first_seed(group: CaseGroup, *, is_held_out: bool) -> int:
    """The seed of the first case of a group."""
    return FIRST_SEED + _OFFSETS[group] + HOLD_OUT * is_held_out


def kind_of(group: CaseGroup, seed: int) -> tuple[CaseKind, Difficulty]:
    """What a case of a group shows, and how difficult it is."""
    rng = np.random.default_rng([seed, 78])
    difficulty = Difficulty.EASY if rng.random() < EASY_SHARE else Difficulty.STANDARD
    kinds = _KINDS[group]
    return kinds[int(rng.integers(len(kinds)))], difficulty


def known_case(group: CaseGroup, seed: int) -> KnownCase:
    """Make one case.

    Args:
        group: which question it answers.
        seed: the same seed gives the same case.
    """
    kind, difficulty = kind_of(group, seed)
    lateral = ViewKind.FROG_LEG if group is CaseGroup.FROG else ViewKind.CROSS_TABLE
    case = build_case(
        CaseRequest(
            seed=seed,
            kind=kind,
            difficulty=difficulty,
            views=(ViewKind.FRONTAL,) if group is CaseGroup.SHAFT else (ViewKind.FRONTAL, lateral),
            height_px=HEIGHT_PX,
            resolution=COARSE_RESOLUTION,
            has_twin=group in (CaseGroup.NECK, CaseGroup.FROG),
        )
    )
    return KnownCase(
        group=group,
        seed=seed,
        patient=case.patient.id,
        kind=kind,
        difficulty=difficulty,
        side=case.labels.side,
        planned_visibility=str(case.labels.planned_visibility or ""),
        views=tuple(_views(expose_case(case), group, case.labels.side)),
    )


def _views(exposed: Iterator[ExposedView], group: CaseGroup, side: Side) -> Iterator[KnownView]:
    for number, one in enumerate(exposed):
        truth, radiograph = one.view.truth, one.radiograph
        image = StoredImage(pixels=np.ascontiguousarray(radiograph.pixels))
        grey = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=radiograph.bits_stored)
        window = auto_window(image, grey)
        rows, cols = image.pixels.shape
        pixel = one.view.setup.geometry.pixel_mm / one.view.setup.magnification
        spacing = Spacing(row_mm=pixel, col_mm=pixel, source=SpacingSource.MAGNIFICATION, is_trusted=True)
        crossing, head = truth.neck_axis
        neck = tuple(NECK_SHARES[0] * a + NECK_SHARES[1] * b for a, b in zip(crossing, head, strict=True))
        fracture = truth.fracture_centre
        amplitude = None if one.conspicuity is None else one.conspicuity.amplitude
        is_seen = fracture is not None and (amplitude or 1.0) >= SEEN
        alignment = None
        if group is CaseGroup.SHAFT and fracture is not None:
            alignment = _clicks(fracture, truth.shaft_axis, pixel)
        yield KnownView(
            role=ViewRole.LATERAL if number else ViewRole.FRONTAL,
            image=image,
            grey=grey,
            window=window,
            table=display_table(grey, window),
            geometry=ViewGeometry(
                rows=rows,
                cols=cols,
                spacing=spacing,
                side=side,
                alignment=alignment,
                region=region_around((neck[0], neck[1]), spacing, rows=UNBOUNDED, cols=UNBOUNDED),
            ),
            exposed=one,
            neck_xy=(neck[0], neck[1]),
            fracture_xy=fracture if is_seen else None,
        )


def _clicks(fracture: XY, shaft: tuple[XY, XY], pixel_mm: float) -> Alignment:
    """The two clicks on a broken shaft: its fracture, and a point on its axis."""
    first, second = (np.asarray(point) for point in shaft)
    along = (second - first) / np.hypot(*(second - first))
    axis = np.asarray(fracture) + along * AXIS_MM / pixel_mm
    return Alignment(center_xy=fracture, axis_xy=(float(axis[0]), float(axis[1])))
