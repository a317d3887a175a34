"""What models say about cases: opinions that can be computed again, never annotations and never training labels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.case import ViewRole
from app.core.engine_messages import ViewInput
from app.core.model_card import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapFiles:
    """Where the heatmaps of one finding are.

    Args:
        method: `grad-cam`, `grad-cam++` or `cam`.
        class_number: of which class of the card.
        files: names in the project's `cache/heatmaps`, one for each view in the order of the model's roles; each
            (h, w) float32 `.npy` over the model's input, in units of the logit.
    """

    method: str
    class_number: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A model's opinion about one case.

    Args:
        case_id: the case.
        model_id: the model, by the id of its card.
        weights_sha256: which weights said so.
        input_key: what they were fed (`model_input.input_key`); another alignment is another key.
        probabilities: calibrated, one for each class of the card (one class: of that class).
        distance: from the training cases; None where the model cannot tell.
        heatmaps: those that were computed so far.
        points: file of the sampling points in `cache/heatmaps`; empty where there are none.
        at: when, UTC, ISO 8601.
    """

    case_id: str
    model_id: str
    weights_sha256: str
    input_key: str
    probabilities: tuple[float, ...]
    distance: float | None = None
    heatmaps: tuple[HeatmapFiles, ...] = ()
    points: str = ""
    at: str = ""

    def heatmap(self, method: str, class_number: int) -> HeatmapFiles | None:
        """The heatmaps of one method and class; None where they were not computed yet."""
        wanted = (method, class_number)
        return next((files for files in self.heatmaps if (files.method, files.class_number) == wanted), None)


class Verdict(StrEnum):
    """What a finding comes to, by the rules of the model's card."""

    FOUND = "found"  # at or above the threshold
    NOT_FOUND = "not-found"
    ABSTAINS = "abstains"  # too near the threshold
    OUTSIDE = "outside"  # too far from what the model was trained on


class Gap(StrEnum):
    """Why a model cannot be asked about a case."""

    BLOCKED = "blocked"  # the case must not be read
    MISSING_VIEW = "missing-view"
    UNFIT_IMAGE = "unfit-image"  # partial, or decoded for display only
    SIDE_OPEN = "side-open"
    NEEDS_CLICKS = "needs-clicks"  # the two clicks on every view that the model looks at
    CROP_REJECTED = "crop-rejected"
    NEEDS_REGION = "needs-region"  # nobody has drawn a box, and no model proposes one
    UNREADABLE = "unreadable"  # the image is missing or damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class FedView:
    """One view as a model is fed it.

    Args:
        role: its place in the case.
        view_id: the view.
        given: image, grey scale, window and cut; `given.cut` takes a heatmap back onto the image.
        is_located: whether the region was proposed by a model, and drawn by nobody.
    """

    role: ViewRole
    view_id: str
    given: ViewInput
    is_located: bool = False


class ConsultationState(StrEnum):
    """How far one case and one model are."""

    UNKNOWN = "unknown"  # could be asked; nobody did
    WAITING = "waiting"  # asked, not answered yet
    ANSWERED = "answered"
    IMPOSSIBLE = "impossible"  # there is a gap
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation:
    """One case put to one model: what it is fed, what it says, or why it says nothing.

    Args:
        case_id: the case.
        card: the model's.
        folder: the model's folder.
        state: how far it is.
        views: what the model is fed; empty while there is a gap or a region is being looked for.
        input_key: names that; empty with it.
        finding: for `ANSWERED`.
        gap: for `IMPOSSIBLE`.
        gap_role: the view that the gap is about, where it is about one.
        failure: for `FAILED`: one sentence.
    """

    case_id: str
    card: ModelCard
    folder: str
    state: ConsultationState
    views: tuple[FedView, ...] = ()
    input_key: str = ""
    finding: Finding | None = None
    gap: Gap | None = None
    gap_role: ViewRole | None = None
    failure: str = ""

    @property
    def verdict(self) -> Verdict | None:
        """What the finding comes to; None without one."""
        return None if self.finding is None else verdict(self.card, self.finding.probabilities, self.finding.distance)


def finding_probability(card: ModelCard, probabilities: tuple[float, ...]) -> float:
    """Calibrated probability of the card's finding, 0 … 1."""
    return probabilities[card.finding if len(probabilities) > 1 else 0]


def verdict(card: ModelCard, probabilities: tuple[float, ...], distance: float | None) -> Verdict:
    """What probabilities and distance come to by the rules of a card."""
    if card.is_outlier(distance):
        return Verdict.OUTSIDE
    probability = finding_probability(card, probabilities)
    if card.is_unsure(probability):
        return Verdict.ABSTAINS
    return Verdict.FOUND if probability >= card.threshold else Verdict.NOT_FOUND


def uncertainty(card: ModelCard, probabilities: tuple[float, ...]) -> float:
    """How undecided a model is: 0 = certain, 1 = exactly at the threshold; linear on both sides of it."""
    value, threshold = finding_probability(card, probabilities), card.threshold
    return 1 - (value - threshold) / (1 - threshold) if value >= threshold else value / threshold
