"""What is known about one case: what each model is fed, what it has said, and what has to be located first."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.engine_messages import WholeView
from app.core.finding import Consultation
from app.core.geometry import XY
from app.core.model_card import ModelCard
from app.core.region import RegionBox


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableModel:
    """A model that can be asked.

    Args:
        folder: where it is.
        card: its card.
        earlier: weights (SHA-256) of the models that answered in its place before; what they said is outdated.
    """

    folder: str
    card: ModelCard
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedHip:
    """A view in which a localiser has to look for the hip first.

    Args:
        key: names the question; its answer is kept under it.
        model: the localiser.
        given: where it looks.
    """

    key: bytes
    model: UsableModel
    given: WholeView


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedHip:
    """What a localiser said about one view.

    Args:
        center_xy: centre of the hip's region, image coordinates.
        confidence: 0 … 1.
        head_xy: centre of the femoral head; None where the localiser does not tell.
    """

    center_xy: XY
    confidence: float
    head_xy: XY | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedRegion:
    """A region that a localiser proposes for a view of a case.

    Args:
        view_id: the view.
        region: the box.
        confidence: 0 … 1.
    """

    view_id: str
    region: RegionBox
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counsel:
    """What is known about one case.

    Args:
        case_id: the case.
        consultations: one for each model; `UNKNOWN` with an input key: it can be asked now.
        wanted: views whose hips must be located before the rest can be asked.
        located: what a localiser proposes, for the views in which nobody has drawn a box.
        is_unprepared: images must be read first, and that was not allowed.
    """

    case_id: str
    consultations: tuple[Consultation, ...] = ()
    wanted: tuple[WantedHip, ...] = ()
    located: tuple[LocatedRegion, ...] = ()
    is_unprepared: bool = False
