"""Expose the views of a synthetic case, with the techniques of a usual hip examination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.core.case import Side
from app.engine.phantom.case import SyntheticCase, SyntheticView
from app.engine.phantom.fracture import Difficulty
from app.engine.phantom.render import Conspicuity, conspicuity, difference_image, project_view
from app.engine.phantom.views import ViewKind
from app.engine.phantom.volume import Array
from app.engine.radiograph import Marker, Radiograph, Style, Technique, expose, sample_field
from app.engine.radiograph.attenuation import AttenuationTable

# streams of random numbers, so that one decision never shifts another
_STYLE, _TECHNIQUE, _FIELD, _MARKER, _EXPOSURE = range(100, 105)
_EASY_DOSE = 2.2  # an easy case is also less noisy


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Faults of an examination, for data that are not all perfect.

    Args:
        dose_factor: multiplies the dose; 0.1 is badly underexposed.
        has_marker: whether a side marker was laid down.
        is_marker_wrong: whether it shows the other side.
        style: manner of processing; None = drawn.
    """

    dose_factor: float = 1.0
    has_marker: bool = True
    is_marker_wrong: bool = False
    style: Style | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposedView:
    """A finished view with what is known about it.

    Args:
        view: the view it was made from.
        radiograph: the picture.
        difference: (rows, cols) float32, attenuation with the fracture minus without it; None without a twin.
        conspicuity: how much of the fracture the view shows; None without a twin.
        marker: the marker laid down, or None.
    """

    view: SyntheticView
    radiograph: Radiograph
    difference: Array | None
    conspicuity: Conspicuity | None
    marker: Marker | None


def expose_case(
    case: SyntheticCase, *, quality: Quality | None = None, table: AttenuationTable | None = None
) -> Iterator[ExposedView]:
    """Project and expose the views of a case one after the other.

    Args:
        case: what `build_case` made.
        quality: faults; None for none.
        table: attenuation table; read from the resources when not given.
    """
    faults = quality or Quality()
    attenuation = table or AttenuationTable.load()
    style = faults.style or _draw_style(case.request.seed)
    for number, view in enumerate(case.views):
        yield _expose_view(case, view, number, faults, style, attenuation)


def _expose_view(
    case: SyntheticCase, view: SyntheticView, number: int, faults: Quality, style: Style, table: AttenuationTable
) -> ExposedView:
    seed = case.request.seed
    projected = project_view(view)
    geometry = view.setup.geometry
    marker = _marker(np.random.default_rng([seed, _MARKER, number]), case.labels.side, faults)
    dose = faults.dose_factor * (_EASY_DOSE if case.request.difficulty is Difficulty.EASY else 1.0)
    radiograph = expose(
        projected.areal,
        pixel_mm=geometry.pixel_mm,
        magnification=view.setup.magnification,
        technique=_technique(np.random.default_rng([seed, _TECHNIQUE, number]), view.setup.kind, dose),
        style=style,
        rng=np.random.default_rng([seed, _EXPOSURE, number]),
        field=sample_field(
            np.random.default_rng([seed, _FIELD, number]),
            geometry.rows,
            geometry.cols,
            side_share=0.025 if view.setup.kind.shows_both_hips else 0.085,
        ),
        marker=marker,
        marker_region=None if marker is None else _marker_region(view, marker.side),
        table=table,
    )
    difference = difference_image(projected)
    return ExposedView(
        view=view,
        radiograph=radiograph,
        difference=difference,
        conspicuity=None if difference is None else conspicuity(view, difference),
        marker=marker,
    )


def _draw_style(seed: int) -> Style:
    styles = tuple(Style)
    return styles[int(np.random.default_rng([seed, _STYLE]).integers(len(styles)))]


def _technique(rng: np.random.Generator, kind: ViewKind, dose_factor: float) -> Technique:
    """Tube voltage and dose as usual for the view; a cross-table lateral has more tissue and more scatter."""
    if kind is ViewKind.CROSS_TABLE:
        kvp, dose, scatter = rng.uniform(78, 92), rng.uniform(1.8, 5.0), rng.uniform(0.5, 1.0)
    else:
        kvp, dose, scatter = rng.uniform(68, 80), rng.uniform(0.6, 1.8), rng.uniform(0.35, 0.8)
    return Technique(
        kvp=float(kvp),
        dose=float(dose) * dose_factor,
        scatter_share=float(scatter),
        focal_spot_mm=float(rng.choice([0.6, 1.0, 1.2])),
        blur=float(rng.uniform(0.9, 1.3)),
    )


def _marker(rng: np.random.Generator, side: Side, faults: Quality) -> Marker | None:
    height, turn = rng.uniform(13, 19), rng.normal(0, 7)
    if not faults.has_marker:
        return None
    other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
    return Marker(side=other if faults.is_marker_wrong else side, height_mm=float(height), turn_deg=float(turn))


def _marker_region(view: SyntheticView, side: Side) -> Array | None:
    """Where the letter may lie: on a view of both hips beside the hip that it names (image left = patient's right)."""
    if not view.setup.kind.shows_both_hips:
        return None
    geometry = view.setup.geometry
    region = np.zeros((geometry.rows, geometry.cols), dtype=np.float32)
    half = geometry.cols // 2
    if side is Side.LEFT:
        region[:, half:] = 1
    else:
        region[:, :half] = 1
    return region
