"""What a localiser says about synthetic hips of which the place is known: how far off it is, in mm.

A localiser decides nothing, so it has no heatmaps to be believed or not: the peak of its map is its answer. What can be
asked of it is what its card says, on cases made on the spot as in `app.engine.audit`, and whether the answer comes from
its weights: the same network with random weights must not find hips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.case import Side
from app.core.engine_messages import WholeView
from app.core.geometry import XY
from app.core.grey import GreyScale, StoredImage, Window
from app.core.grey_tables import display_table
from app.core.model_card import Figure
from app.core.spacing import Spacing
from app.engine.audit import SEED, SHARES
from app.engine.device import Choice
from app.engine.loaded_model import LoadedModel
from app.engine.locate import Score, locate
from app.engine.statistics.bootstrap import patient_bootstrap
from app.engine.statistics.interval import Estimate, clopper_pearson
from app.engine.synthesis.known_cases import CaseGroup, KnownView, first_seed, known_case
from app.engine.training import measuring
from app.engine.training.judging import random_weights

NEAR_MM = 20.0  # within this the region around the place holds the neck
LEAST_NEAR = 0.9  # share of views within NEAR_MM from which a localiser passes
MOST_BY_CHANCE = 0.5  # share within NEAR_MM of random weights from which the weights say nothing
PROJECTIONS = {CaseGroup.FROG: "frog-leg lateral"}
Distances = npt.NDArray[np.float64]
PlaceJob = tuple[CaseGroup, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedView:
    """One radiograph and where the middle of the femoral neck is in it.

    Args:
        patient: pseudonym.
        projection: in words.
        pixels: stored values.
        grey: how they become grey levels.
        window: the automatic window.
        spacing: of its pixels.
        side: of the hip.
        neck_xy: image coordinates.
    """

    patient: str
    projection: str
    pixels: npt.NDArray[np.uint16]
    grey: GreyScale
    window: Window
    spacing: Spacing
    side: Side
    neck_xy: XY


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReport:
    """What came of an audit of a localiser.

    Args:
        figures: the card's figures, recomputed on these cases.
        near: share of all views within `NEAR_MM`.
        near_by_chance: the same with random weights.
        measured_on: which cases, in words.
    """

    figures: tuple[Figure, ...]
    near: float
    near_by_chance: float
    measured_on: str

    @property
    def is_passed(self) -> bool:
        """Whether its places may be proposed."""
        return self.near >= LEAST_NEAR and self.near_by_chance < MOST_BY_CHANCE


def place_jobs(count: int, groups: Sequence[CaseGroup] = ()) -> list[PlaceJob]:
    """The cases that a localiser is shown.

    Args:
        count: how many in all.
        groups: which cases; empty = all.
    """
    chosen = tuple(groups) or tuple(SHARES)
    whole = sum(SHARES[group] for group in chosen)
    jobs: list[PlaceJob] = []
    for group in chosen:
        start = first_seed(group, is_held_out=True)
        jobs += [(group, start + number) for number in range(round(count * SHARES[group] / whole))]
    return jobs


def placed_views(job: PlaceJob) -> list[PlacedView]:
    """Make one case."""
    group, seed = job
    case = known_case(group, seed)
    return [
        PlacedView(
            patient=case.patient,
            projection=PROJECTIONS.get(group, "cross-table lateral") if number else "frontal",
            pixels=view.image.pixels,
            grey=view.grey,
            window=view.window,
            spacing=view.geometry.spacing,
            side=case.side,
            neck_xy=view.neck_xy,
        )
        for number, view in enumerate[KnownView](case.views)
    ]


def audit_places(folder: Path, cases: Iterable[list[PlacedView]], choice: Choice, measured_on: str) -> PlaceReport:
    """Let a localiser look for the hip in synthetic views, and measure how far off it is.

    Args:
        folder: of the localiser.
        cases: the views of each case.
        choice: device and precision to compute with.
        measured_on: which cases, in words.

    Raises:
        UserError: the model cannot be used.
    """
    model = LoadedModel(folder, device=choice.device, precision=choice.precision)
    views = [view for case in cases for view in case]
    off = _distances(views, model)
    with random_weights(model.network, SEED):
        by_chance = _distances(views, model)
    kinds = np.array([view.projection for view in views])
    rows: list[Figure] = []
    for kind in dict.fromkeys(kinds.tolist()):
        at = np.flatnonzero(kinds == kind)
        patients = [views[int(number)].patient for number in at]
        rows += _figures(kind, off[at], patients, f"{len(at)} held-out synthetic {kind} views")
    return PlaceReport(
        figures=tuple(rows),
        near=float((off < NEAR_MM).mean()),
        near_by_chance=float((by_chance < NEAR_MM).mean()),
        measured_on=measured_on,
    )


def _distances(views: Sequence[PlacedView], model: LoadedModel) -> Distances:
    """(N,) mm from the middle of the neck."""
    return np.array([_off(view, model, model.score) for view in views])


def _off(view: PlacedView, model: LoadedModel, score: Score) -> float:
    rows, cols = view.pixels.shape
    asked = WholeView(
        image_sha256="", grey=view.grey, voi=view.window, rows=rows, cols=cols, spacing=view.spacing, side=view.side
    )
    image, table = StoredImage(pixels=view.pixels), display_table(view.grey, view.window)
    found = locate(image, table, asked, model.card.input, score)
    (x, y), (at_x, at_y) = view.neck_xy, found.center_xy
    row_mm, col_mm = view.spacing.row_mm, view.spacing.col_mm
    assert row_mm is not None, "the phantom's views have a length scale"
    assert col_mm is not None, "given together with row_mm"
    return float(np.hypot((x - at_x) * col_mm, (y - at_y) * row_mm))


def _figures(kind: str, off: Distances, patients: Sequence[str], measured_on: str) -> list[Figure]:
    near = clopper_pearson(int((off < NEAR_MM).sum()), len(off))
    found: list[tuple[str, Estimate, str]] = [
        ("median distance from the middle of the neck, mm",
         patient_bootstrap(patients, lambda at: float(np.median(off[at]))), measuring.BOOTSTRAP),
        ("95th percentile of the distance, mm",
         patient_bootstrap(patients, lambda at: float(np.percentile(off[at], 95))), measuring.BOOTSTRAP),
        (f"share within {NEAR_MM:.0f} mm", near, measuring.EXACT),
    ]  # fmt: skip
    return [
        measuring.figure(f"{name}, {kind}", value, cases=len(off), measured_on=measured_on, method=method)
        for name, value, method in found
    ]
