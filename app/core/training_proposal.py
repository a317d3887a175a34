"""What a training run would be, before anything is written: which cases train and why others do not, and the split.

Pure: the store says what it knows about every case (`Candidate`), and this decides, or refuses with what to do about
it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from app.core.errors import UserError
from app.core.networks import Network
from app.core.split import Leak, Part, SplitCase, cross_validation, leaks, split_by_shares
from app.core.training_plan import TrainingPlan
from app.core.training_presets import presets_for, with_preset
from app.core.training_task import TrainingTask

VALIDATION_SHARE = 0.2
HOLD_OUT_SHARE = 0.2  # drawn and frozen where a project has no hold-out yet
FEWEST_PATIENTS = 3  # of each class
FEW_CASES = 100  # below this the figures of a run are hardly more than a hint


class Unfit(StrEnum):
    """Why a case does not take part."""

    NO_LABEL = "no-label"
    DISPUTED = "disputed"  # readers disagree
    UNDECIDED = "undecided"  # the answer is none of the two classes
    EXCLUDED = "excluded"
    BLOCKED = "blocked"
    HELD_OUT = "held-out"  # every other way of dividing leaves the frozen hold-out alone
    MISSING_VIEW = "missing-view"
    UNFIT_IMAGE = "unfit-image"
    SIDE_OPEN = "side-open"
    NEEDS_CLICKS = "needs-clicks"
    CROP_REJECTED = "crop-rejected"
    NEEDS_REGION = "needs-region"
    UNREADABLE = "unreadable"


class Protocol(StrEnum):
    """How the cases are divided."""

    HOLD_OUT = "hold-out"  # the project's frozen hold-out tests; the rest trains and validates
    SHARES = "80-20"  # a fifth tests; of the rest a tenth validates
    TEN_FOLD = "10-fold"  # paper 000: every fold tests once; of the rest a tenth validates
    FIVE_FOLD = "5-fold"  # paper 004: every fold tests once; nothing validates, the last epoch is kept

    @property
    def folds(self) -> int:
        """Number of runs."""
        return {Protocol.TEN_FOLD: 10, Protocol.FIVE_FOLD: 5}.get(self, 1)


class Start(StrEnum):
    """Which weights a run begins with."""

    ACTIVE = "active"  # those of the model that answers now
    IMAGENET = "imagenet"
    SCRATCH = "scratch"
    FILE = "file"  # a safetensors file


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a proposal must know about a case.

    Args:
        id: the case.
        patient: a pseudonym.
        label: the readers' common answer as text; empty when there is none.
        is_disputed: whether readers give different answers.
        gap: why the network cannot be fed it, as far as that is known; None = it can.
        images: addresses of the images that the network would see.
        is_held_out: whether its patient belongs to the frozen hold-out.
        has_click: whether somebody has clicked on the fracture centre.
    """

    id: str
    patient: str
    label: str
    is_disputed: bool = False
    gap: Unfit | None = None
    images: tuple[str, ...] = ()
    is_held_out: bool = False
    has_click: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """What somebody wants to train.

    Args:
        task: which question.
        network: which network.
        preset: `quick`, `default`, `paper` …
        start: which weights to begin with.
        protocol: how cases are divided.
        seed: of split, weights, order and augmentation.
        epochs: instead of the preset's; 0 = the preset's.
    """

    task: TrainingTask
    network: Network
    preset: str = "quick"
    start: Start = Start.SCRATCH
    protocol: Protocol = Protocol.HOLD_OUT
    seed: int = 0
    epochs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProposal:
    """A run, or the runs of a cross-validation, as they would be.

    Args:
        request: what was asked for.
        plan: of every run; only the seed of the weights differs between folds.
        labels: case -> class number, for every case that takes part.
        patients: case -> patient.
        folds: case -> part, for each run.
        unfit: case -> why it does not take part.
        drawn_hold_out: patients to be frozen as the project's hold-out when the run is made; empty when there is one.
        notes: what whoever starts it must know, one sentence each.
    """

    request: TrainingRequest
    plan: TrainingPlan
    labels: Mapping[str, int]
    patients: Mapping[str, str]
    folds: tuple[Mapping[str, Part], ...]
    unfit: Mapping[str, Unfit]
    drawn_hold_out: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def table(self, fold: int = 0) -> dict[Part, tuple[tuple[int, int], ...]]:
        """For each part and class the number of cases and of patients."""
        rows = {}
        for part in Part:
            inside = [case for case, where in self.folds[fold].items() if where is part]
            if inside:
                rows[part] = tuple(
                    (
                        sum(self.labels[case] == number for case in inside),
                        len({self.patients[case] for case in inside if self.labels[case] == number}),
                    )
                    for number in range(2)
                )
        return rows

    def unfit_counts(self) -> dict[Unfit, int]:
        """How many cases do not take part, by reason, most frequent first."""
        return dict(Counter(self.unfit.values()).most_common())


def propose(request: TrainingRequest, candidates: Sequence[Candidate]) -> TrainingProposal:
    """Work out a run, or say why there can be none.

    Raises:
        UserError: `no-preset`, `no-labels`, `one-class`, `too-few-patients`, `duplicate-images` or `leak`.
    """
    if request.preset not in presets_for(request.network.id):
        raise UserError(
            "There is no such preset for this network.",
            reason=f"It has: {', '.join(presets_for(request.network.id))}.",
            remedy="Choose one of these.",
            kind="no-preset",
        )
    spares_hold_out = request.protocol is not Protocol.HOLD_OUT
    reasons = {each.id: _unfit(request.task, each, spares_hold_out) for each in candidates}
    unfit = {case: reason for case, reason in reasons.items() if reason is not None}
    fit = [each for each in candidates if each.id not in unfit]
    labels = {each.id: number for each in fit if (number := request.task.class_of(each.label)) is not None}
    _require_both_classes(request.task, fit, labels, len(candidates), unfit)
    _refuse_duplicates(fit)
    cases = [
        SplitCase(id=each.id, patient=each.patient, label=str(labels[each.id]), images=each.images) for each in fit
    ]
    held_out = {each.id for each in fit if each.is_held_out}
    splits = _splits(request, cases, held_out)
    for split in splits:
        if found := leaks(cases, split):
            raise _leak(found[0])
    notes = list(_notes(request, fit, labels, splits))
    patients = {each.id: each.patient for each in fit}
    drawn: frozenset[str] = frozenset()
    if request.protocol is Protocol.HOLD_OUT and not held_out:
        drawn = frozenset(patients[case] for case, part in splits[0].items() if part is Part.TEST)
    return TrainingProposal(
        request=request,
        plan=_plan(request, has_clicks=any(each.has_click for each in fit)),
        labels=labels,
        patients=patients,
        folds=tuple(splits),
        unfit=unfit,
        drawn_hold_out=drawn,
        notes=tuple(notes),
    )


def _unfit(task: TrainingTask, case: Candidate, spares_hold_out: bool) -> Unfit | None:
    if case.gap in (Unfit.EXCLUDED, Unfit.BLOCKED):
        return case.gap
    if case.is_disputed:
        return Unfit.DISPUTED
    if not case.label:
        return Unfit.NO_LABEL
    if task.class_of(case.label) is None:
        return Unfit.UNDECIDED
    if case.gap is not None:
        return case.gap
    return Unfit.HELD_OUT if spares_hold_out and case.is_held_out else None


def _splits(request: TrainingRequest, cases: list[SplitCase], held_out: set[str]) -> list[Mapping[str, Part]]:
    match request.protocol:
        case Protocol.TEN_FOLD:
            return list(cross_validation(cases, 10, inner=0.1, seed=request.seed))
        case Protocol.FIVE_FOLD:
            return list(cross_validation(cases, 5, inner=0, seed=request.seed))
        case Protocol.SHARES:
            shares = {Part.TRAINING: 0.72, Part.VALIDATION: 0.08, Part.TEST: 0.2}
            return [split_by_shares(cases, shares, seed=request.seed)]
        case Protocol.HOLD_OUT:
            pass
    if not held_out:
        rest = 1 - HOLD_OUT_SHARE
        shares = {
            Part.TRAINING: rest * (1 - VALIDATION_SHARE),
            Part.VALIDATION: rest * VALIDATION_SHARE,
            Part.TEST: HOLD_OUT_SHARE,
        }
        return [split_by_shares(cases, shares, seed=request.seed)]
    # a patient is held out with all cases: one whose image lies in the hold-out goes there too, or `leaks` tells
    others = [case for case in cases if case.id not in held_out]
    shares = {Part.TRAINING: 1 - VALIDATION_SHARE, Part.VALIDATION: VALIDATION_SHARE}
    return [split_by_shares(others, shares, seed=request.seed) | dict.fromkeys(sorted(held_out), Part.TEST)]


def _plan(request: TrainingRequest, *, has_clicks: bool) -> TrainingPlan:
    names = tuple(each.name for each in request.task.classes)
    is_single = request.network.outputs == 1
    plan = TrainingPlan(
        architecture=request.network.id,
        classes=names[1:] if is_single else names,
        finding=0 if is_single else request.task.finding,
        input=request.network.input,
        seed=request.seed,
    )
    plan = with_preset(plan, request.preset)
    if request.epochs:
        plan = msgspec.structs.replace(plan, epochs=request.epochs)
    return plan if has_clicks else msgspec.structs.replace(plan, localisation=0.0)


def _notes(
    request: TrainingRequest, fit: Sequence[Candidate], labels: Mapping[str, int], splits: Sequence[Mapping[str, Part]]
) -> list[str]:
    notes = []
    if len(fit) < FEW_CASES:
        notes.append(f"{len(fit)} cases are few: expect wide intervals, and judge on cases that nobody has trained on.")
    if request.preset.startswith("paper"):
        notes.append("The preset takes from the paper what it states; what it leaves open is our reading.")
    if not request.network.fits_cpu:
        notes.append("This network is large: without a GPU a run takes days.")
    missing = set()
    for split in splits:
        for part in set(split.values()):
            if len({labels[case] for case, where in split.items() if where is part}) < 2:
                missing.add(part)
    for part in sorted(missing):
        notes.append(f"Some {part} cases are all of one class, so that nothing can be measured on them.")
    if fit and not any(each.has_click for each in fit) and not request.preset.startswith("paper"):
        notes.append("Nobody has clicked on a fracture: with clicks far fewer cases are enough.")
    return notes


def _require_both_classes(
    task: TrainingTask, fit: Sequence[Candidate], labels: Mapping[str, int], count: int, unfit: Mapping[str, Unfit]
) -> None:
    if not fit:
        reasons = Counter(unfit.values()).most_common(1)
        raise UserError(
            "There is nothing to learn from yet.",
            reason=f"None of {count} cases qualifies"
            + (f"; of most it is to be said: {REASONS[reasons[0][0]]}." if reasons else "."),
            remedy=REMEDIES[reasons[0][0]] if reasons else "Import radiographs first.",
            kind="no-labels",
        )
    patients = [{each.patient for each in fit if labels[each.id] == number} for number in range(2)]
    for number, group in enumerate(patients):
        if not group:
            name, only = task.classes[number].name, task.classes[1 - number].name
            raise UserError(
                "There is nothing to tell apart.",
                reason=f"All {len(fit)} cases that qualify are of the class “{only}”."
                if len(fit) > 1
                else f"The only case that qualifies is of the class “{only}”.",
                remedy=f"Annotate cases of the class “{name}” too.",
                kind="one-class",
            )
    for number, group in enumerate(patients):
        if len(group) < FEWEST_PATIENTS:
            name = task.classes[number].name
            raise UserError(
                "There are too few patients.",
                reason=f"{len(group)} of class “{name}”, and training, validation and test need one each of their own.",
                remedy=f"Annotate cases of at least {FEWEST_PATIENTS - len(group)} more patients of this class.",
                kind="too-few-patients",
            )


def _refuse_duplicates(fit: Sequence[Candidate]) -> None:
    """One image under two patients: whichever split there is, one of the two labels may be another person's."""
    owners: dict[str, dict[str, str]] = defaultdict(dict)
    for each in fit:
        for image in each.images:
            owners[image].setdefault(each.patient, each.id)
    for held_by in owners.values():
        if len(held_by) > 1:
            first, second, *_ = held_by.values()
            raise UserError(
                "One radiograph is there under two patients.",
                reason=f"Cases {first} and {second} show the same pixels and belong to different patients; a model "
                "would be tested on what it was trained on.",
                remedy="Find out whose it is, and exclude the other case.",
                kind="duplicate-images",
            )


def _leak(leak: Leak) -> UserError:
    parts = " and ".join(leak.parts)
    return UserError(
        "A patient would be in two parts of the split.",
        reason=f"{'Patient' if leak.what == 'patient' else 'An image'} of the cases {', '.join(leak.cases[:4])} is in "
        f"{parts}.",
        remedy="Exclude one of these cases, or hold the whole patient out.",
        kind="leak",
    )


def with_request(proposal: TrainingProposal, **changes: object) -> TrainingRequest:
    """The request of a proposal with some things changed."""
    return replace(proposal.request, **changes)  # type: ignore[arg-type]


REASONS: Mapping[Unfit, str] = {
    Unfit.NO_LABEL: "nobody has answered the question",
    Unfit.DISPUTED: "readers disagree",
    Unfit.UNDECIDED: "the answer is neither of the two classes",
    Unfit.EXCLUDED: "it is excluded",
    Unfit.BLOCKED: "it is blocked",
    Unfit.HELD_OUT: "it is held out",
    Unfit.MISSING_VIEW: "a view is missing",
    Unfit.UNFIT_IMAGE: "an image is incomplete or only for display",
    Unfit.SIDE_OPEN: "its side is not known",
    Unfit.NEEDS_CLICKS: "the two clicks are missing",
    Unfit.CROP_REJECTED: "its crop was rejected",
    Unfit.NEEDS_REGION: "nobody has drawn a region, and no model proposes one",
    Unfit.UNREADABLE: "an image is missing or damaged",
}
REMEDIES: Mapping[Unfit, str] = {
    Unfit.NO_LABEL: "Annotate some cases of both classes.",
    Unfit.DISPUTED: "Let the readers settle where they disagree.",
    Unfit.UNDECIDED: "Annotate cases that can be decided.",
    Unfit.EXCLUDED: "Take cases back that were excluded.",
    Unfit.BLOCKED: "Release cases that are blocked.",
    Unfit.HELD_OUT: "Annotate cases that are not held out.",
    Unfit.MISSING_VIEW: "Choose a network that sees one view, or import the missing views.",
    Unfit.UNFIT_IMAGE: "Import the images again, complete.",
    Unfit.SIDE_OPEN: "Say which side the cases show.",
    Unfit.NEEDS_CLICKS: "Click fracture centre and shaft axis in some cases, or choose another network.",
    Unfit.CROP_REJECTED: "Align the rejected cases anew.",
    Unfit.NEEDS_REGION: "Draw boxes around the hips, or choose a network that sees the whole view.",
    Unfit.UNREADABLE: "Check the project.",
}
