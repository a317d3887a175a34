"""How far readers agree: shares, Cohen's kappa with its interval, and the list of what they disagree about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from app.core.label_set import FieldType, LabelSet, LabelValue

Z_95 = 1.959963984540054
# case id -> reader -> field of the label set -> value
Opinions: TypeAlias = Mapping[str, Mapping[str, Mapping[str, LabelValue]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Cohen's kappa of two readers.

    Args:
        value: −1 … 1; None where it is not defined, because both always said the same one thing.
        low: lower end of the 95 % interval, cut at −1; None where the cases allow none.
        high: upper end, cut at 1.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAgreement:
    """How far two readers agree on one field.

    Args:
        field: id of the field.
        first: one reader.
        second: the other.
        cases: cases in which both gave a value.
        agreeing: cases in which it was the same one.
        kappa: Cohen's kappa over these cases.
    """

    field: str
    first: str
    second: str
    cases: int
    agreeing: int
    kappa: Kappa


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A field of a case on which not all readers say the same.

    Args:
        case_id: the case.
        field: id of the field.
        values: reader -> value, by name.
    """

    case_id: str
    field: str
    values: Mapping[str, LabelValue]


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> Kappa:
    """Cohen's kappa (1960) with the large-sample interval of Fleiss, Cohen and Everitt (1969), equation 13.

    Args:
        first: what the first reader said of each case.
        second: what the second said of the same cases.

    Raises:
        ValueError: no cases, or not the same number.
    """
    count = len(first)
    if not count or count != len(second):
        raise ValueError("two readers look at the same cases")
    rows = {label: number / count for label, number in Counter(first).items()}
    columns = {label: number / count for label, number in Counter(second).items()}
    cells = {pair: number / count for pair, number in Counter(zip(first, second, strict=True)).items()}
    observed = sum(share for (one, other), share in cells.items() if one == other)
    expected = sum(rows[label] * columns.get(label, 0.0) for label in rows)
    if expected >= 1.0:
        return Kappa(value=None)
    value = (observed - expected) / (1 - expected)
    spread = 0.0
    for (one, other), share in cells.items():
        if one == other:
            weight = 1 - (rows[one] + columns[one]) * (1 - value)
            spread += share * weight**2
        else:
            spread += (1 - value) ** 2 * share * (columns.get(one, 0.0) + rows.get(other, 0.0)) ** 2
    spread -= (value - expected * (1 - value)) ** 2
    error = math.sqrt(max(spread, 0.0) / count) / (1 - expected)
    if error < 1e-12:  # too few cases, or no variation: nothing can be said about how sure it is
        return Kappa(value=value)
    return Kappa(value=value, low=max(value - Z_95 * error, -1.0), high=min(value + Z_95 * error, 1.0))


def comparable_fields(label_set: LabelSet) -> tuple[str, ...]:
    """The fields that readers can agree or disagree on: choices. A confidence or a free text is a reader's own."""
    return tuple(field.id for field in label_set.fields if field.type in (FieldType.CHOICE, FieldType.CHOICES))


def agreement(opinions: Opinions, fields: Iterable[str]) -> list[FieldAgreement]:
    """How far every two readers agree on every field, for those who have cases in common.

    Args:
        opinions: what readers say.
        fields: the fields, in the order of the result.
    """
    readers = sorted({reader for said in opinions.values() for reader in said})
    cases = sorted(opinions)
    found = []
    for field in fields:
        for first, second in combinations(readers, 2):
            pairs = [
                (_settled(opinions[case][first][field]), _settled(opinions[case][second][field]))
                for case in cases
                if field in opinions[case].get(first, {}) and field in opinions[case].get(second, {})
            ]
            if pairs:
                found.append(
                    FieldAgreement(
                        field=field,
                        first=first,
                        second=second,
                        cases=len(pairs),
                        agreeing=sum(one == other for one, other in pairs),
                        kappa=cohen_kappa([one for one, _ in pairs], [other for _, other in pairs]),
                    )
                )
    return found


def disagreements(opinions: Opinions, fields: Iterable[str]) -> list[Disagreement]:
    """Every field of every case on which two readers say different things, by case, in the order of the fields.

    A reader who has not answered a question does not disagree with those who have.
    """
    wanted = tuple(fields)
    found = []
    for case_id in sorted(opinions):
        for field in wanted:
            values = {reader: said[field] for reader, said in sorted(opinions[case_id].items()) if field in said}
            if len({_settled(value) for value in values.values()}) > 1:
                found.append(Disagreement(case_id=case_id, field=field, values=values))
    return found


def _settled(value: LabelValue) -> Hashable:
    """A value in the form in which two are compared: the order of several choices says nothing."""
    return tuple(sorted(value)) if isinstance(value, tuple) else value
