"""Taking the radiographs of a synthetic case: technique, style, collimation and marker drawn for each view."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.core.case import Side
from app.engine.phantom.case import SyntheticCase, SyntheticView
from app.engine.phantom.fracture import Difficulty
from app.engine.phantom.render import Conspicuity, ProjectedView, conspicuity, difference_image, project_view
from app.engine.phantom.views import ViewKind
from app.engine.phantom.volume import Array
from app.engine.radiograph import Marker, Radiograph, Style, Technique, expose, sample_field

_TECHNIQUE, _FIELD, _NOISE, _STYLE = range(20, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How well a radiograph is taken.

    Args:
        dose: factor on the detector dose: 0.15 is a badly underexposed image.
        has_marker: whether a side marker lies on the detector.
        is_marker_wrong: whether it is the letter of the other side.
    """

    dose: float = 1.0
    has_marker: bool = True
    is_marker_wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticRadiograph:
    """A finished view with its truth.

    Args:
        view: its set-up and truth.
        radiograph: stored pixels and technique.
        difference: what the fracture changes (natural logarithm of attenuation), None without a fracture.
        conspicuity: how much of the fracture shows, None without one.
    """

    view: SyntheticView
    radiograph: Radiograph
    difference: Array | None
    conspicuity: Conspicuity | None


def sample_technique(rng: np.random.Generator, kind: ViewKind, difficulty: Difficulty) -> Technique:
    """Draw an exposure technique; a cross-table view needs more of everything (derived from daily practice)."""
    u = rng.uniform
    is_lateral = kind is ViewKind.CROSS_TABLE
    is_easy = difficulty is Difficulty.EASY
    return Technique(
        kvp=u(78, 90) if is_lateral else u(68, 80),
        dose=u(0.5, 1.6) * (3.2 if is_lateral else 1.0) * (2.2 if is_easy else 1.0),
        focal_spot_mm=u(0.5, 1.1),
        scatter_share=min(1.0, u(0.35, 0.75) * (1.3 if is_lateral else 1.0)),
        blur=u(0.9, 1.3),
    )


def style_of(case: SyntheticCase) -> Style:
    """The manner of processing: one for all views of a study, as from one room."""
    rng = np.random.default_rng([case.request.seed, _STYLE])
    styles = list(Style)
    return styles[int(rng.integers(len(styles)))]


def acquire_view(
    case: SyntheticCase, number: int, *, quality: Quality | None = None, projected: ProjectedView | None = None
) -> SyntheticRadiograph:
    """Project and expose one view.

    Args:
        case: the case.
        number: index of the view.
        quality: how well it is taken; None = as usual.
        projected: its line integrals when they are at hand.
    """
    view = case.views[number]
    wanted = quality or Quality()
    lines = projected or project_view(view)
    geometry = view.setup.geometry

    def stream(purpose: int) -> np.random.Generator:
        return np.random.default_rng([*view.seed, purpose])

    technique = sample_technique(stream(_TECHNIQUE), view.setup.kind, case.request.difficulty)
    side = case.labels.side
    if wanted.is_marker_wrong:
        side = Side.RIGHT if side is Side.LEFT else Side.LEFT
    field = sample_field(stream(_FIELD), geometry.rows, geometry.cols)
    if view.is_mirrored:  # the collimator is part of the set-up, which is mirrored as a whole
        field = (field * (-1.0, 1.0) + (geometry.cols, 0.0))[[1, 0, 3, 2]]
    radiograph = expose(
        lines.areal,
        pixel_mm=geometry.pixel_mm,
        magnification=view.setup.magnification,
        technique=replace(technique, dose=technique.dose * wanted.dose),
        style=style_of(case),
        rng=stream(_NOISE),
        field=field,
        marker=Marker(side=side) if wanted.has_marker else None,
        marker_region=_marker_region(view, side),
    )
    difference = difference_image(lines)
    return SyntheticRadiograph(
        view=view,
        radiograph=radiograph,
        difference=difference,
        conspicuity=None if difference is None else conspicuity(view, difference),
    )


def _marker_region(view: SyntheticView, side: Side) -> Array | None:
    """Where the letter may lie: on a view of both hips beside the hip that it names (left of the patient = right)."""
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
