"""Which cases train, which choose the model, and which only measure it: always whole patients.

The papers split at random or do not say how (models.md §1); a patient on both sides makes every figure too good. Splits
here are by patient and balanced by label, made from a seed, and can be checked by anybody afterwards.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from app.core.errors import UserError


class Part(StrEnum):
    """What a case is for."""

    TRAINING = "training"
    VALIDATION = "validation"  # chooses the epoch, the threshold and the temperature
    TEST = "test"  # is looked at once, at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCase:
    """What a split must know about a case.

    Args:
        id: the case.
        patient: whose it is.
        label: its class.
        images: addresses of its images, so that copies under other patients are found.
    """

    id: str
    patient: str
    label: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Something that is in two parts.

    Args:
        what: `patient` or `image`.
        name: the patient or the image's address.
        cases: the cases that hold it.
        parts: the parts that they are in.
    """

    what: str
    name: str
    cases: tuple[str, ...]
    parts: tuple[Part, ...]


Split: TypeAlias = Mapping[str, Part]  # case -> part
Group: TypeAlias = tuple[SplitCase, ...]  # cases that stay together


def folds(cases: Sequence[SplitCase], count: int, *, seed: int) -> list[tuple[str, ...]]:
    """Cut cases into folds of whole patients, each with about the same mix of labels.

    Patients are dealt in a random order, those with most cases first, each to the fold that becomes most even by it.
    Patients who share an image are dealt as one: the same film may be there under two names.

    Args:
        cases: every case once.
        count: number of folds, ≥ 2.
        seed: the same seed and cases give the same folds, in whatever order the cases come.

    Returns:
        Ids of the cases of each fold, sorted.

    Raises:
        UserError: `too-few-patients` or `one-class`.
        ValueError: a case comes twice, or fewer than two folds.
    """
    if count < 2:
        raise ValueError("at least two folds")
    return _deal(cases, [1 / count] * count, seed)


def split_by_shares(
    cases: Sequence[SplitCase], shares: Mapping[Part, float], *, seed: int, needs_classes: bool = True
) -> dict[str, Part]:
    """Give every case a part, in about these shares, whole patients only.

    Args:
        cases: every case once.
        shares: positive, for example 0.8 training and 0.2 validation; they need not add up to 1.
        seed: see `folds`.
        needs_classes: refuse cases of one label only, from which nothing can be learnt.

    Raises:
        UserError: `too-few-patients` or `one-class`.
    """
    whole = sum(shares.values())
    dealt = _deal(cases, [share / whole for share in shares.values()], seed, needs_classes=needs_classes)
    return {name: part for part, names in zip(shares, dealt, strict=True) for name in names}


def cross_validation(cases: Sequence[SplitCase], count: int, *, inner: float, seed: int) -> list[dict[str, Part]]:
    """One split for each fold: the fold tests, a share of the rest validates (paper 000: 10 folds, inner 90/10).

    Args:
        cases: every case once.
        count: number of folds.
        inner: share of the other folds that validates; 0 = none (paper 004 validates on the fold that it reports).
        seed: see `folds`.
    """
    by_id = {case.id: case for case in cases}
    result = []
    for number, fold in enumerate(folds(cases, count, seed=seed)):
        held_out = set(fold)
        rest = [case for name, case in by_id.items() if name not in held_out]
        if inner:
            shares = {Part.TRAINING: 1 - inner, Part.VALIDATION: inner}
            split = split_by_shares(rest, shares, seed=seed * 1000 + number)
        else:
            split = {case.id: Part.TRAINING for case in rest}
        result.append(split | dict.fromkeys(fold, Part.TEST))
    return result


def leaks(cases: Iterable[SplitCase], split: Split) -> list[Leak]:
    """Patients and images that are in more than one part; none in a split that was made here.

    Args:
        cases: every case.
        split: the part of each; cases without one are left out.
    """
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case in cases:
        if case.id in split:
            for key in (("patient", case.patient), *(("image", image) for image in case.images)):
                holders[key].append(case.id)
    found = []
    for (what, name), names in sorted(holders.items()):
        parts = tuple(part for part in Part if any(split[case] is part for case in names))
        if len(parts) > 1:
            found.append(Leak(what=what, name=name, cases=tuple(sorted(names)), parts=parts))
    return found


def _deal(
    cases: Sequence[SplitCase], targets: Sequence[float], seed: int, *, needs_classes: bool = True
) -> list[tuple[str, ...]]:
    """Deal whole patients to parts, so that each gets about its target share of every label, and none is empty."""
    if len({case.id for case in cases}) != len(cases):
        raise ValueError("every case once")
    totals = Counter(case.label for case in cases)
    if needs_classes and len(totals) < 2:
        raise UserError(
            "There is nothing to tell apart.",
            reason="All cases that qualify have the same label.",
            remedy="Annotate cases of the other class too.",
            kind="one-class",
        )
    groups = _groups(cases)
    if len(groups) < len(targets):
        raise UserError(
            f"There are too few patients for {len(targets)} parts.",
            reason=f"There are {len(groups)}, and every part needs at least one of its own.",
            remedy="Annotate cases of more patients, or use fewer folds.",
            kind="too-few-patients",
        )
    counts = [Counter[str]() for _ in targets]
    members: list[list[Group]] = [[] for _ in targets]
    queue = sorted(groups, key=lambda group: (-len(group), _shuffled(group, seed)))
    for number, group in enumerate(queue):
        empty = [place for place, part in enumerate(members) if not part]
        # the last patients go to the parts that would stay empty
        places = empty if len(queue) - number <= len(empty) else range(len(targets))
        labels = Counter(case.label for case in group)
        place = min(places, key=lambda place: _gain(counts[place], targets[place], labels, totals))
        counts[place] += labels
        members[place].append(group)
    return [tuple(sorted(case.id for group in part for case in group)) for part in members]


def _groups(cases: Iterable[SplitCase]) -> list[Group]:
    """Cases that must stay together: of one patient, or of patients who share an image."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    listed = sorted(cases, key=lambda case: case.id)
    for case in listed:
        for image in case.images:
            leader[find(f"image {image}")] = find(f"patient {case.patient}")
    together: dict[str, list[SplitCase]] = defaultdict(list)
    for case in listed:
        together[find(f"patient {case.patient}")].append(case)
    return [tuple(group) for group in together.values()]


def _shuffled(group: Group, seed: int) -> str:
    """A place in a random order that does not depend on the order of the cases."""
    return hashlib.sha256(f"{seed} {group[0].id}".encode()).hexdigest()


def _gain(have: Counter[str], target: float, labels: Counter[str], totals: Counter[str]) -> tuple[float, float]:
    """How much more uneven a part becomes by these labels (negative: more even); then how full it is."""
    change = 0.0
    for label, more in labels.items():
        share, step = have[label] / totals[label] / target, more / totals[label] / target
        change += ((share + step - 1) ** 2 - (share - 1) ** 2) * target
    return round(change, 12), have.total() / target
