"""Adjudication: on what readers of a case disagree, and what somebody decided on seeing all of them.

An adjudicated answer is a value of its own, `adjudicated.FIELD`, at the target of whoever gave it: no reader's opinion
is touched, and earlier answers stay in the events. It holds the readings that were on the table; when a reader comes to
say something else than then, or another project brings another opinion, the question is open again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias

import msgspec

from app.core.errors import UserError
from app.core.event import Json
from app.core.label_set import FieldType, LabelField, LabelSet, LabelValue
from app.core.label_values import is_asked
from app.core.record import record

ADJUDICATED = "adjudicated."  # + field of the label set; at `case:ID@READER`
Readings: TypeAlias = Mapping[str, Mapping[str, LabelValue]]  # reader -> field -> value


@record(frozen=True, slots=True, kw_only=True)
class Adjudication:
    """What somebody decided about one field of a case.

    Args:
        value: the answer.
        readings: reader -> what each had said by then.
    """

    value: LabelValue
    readings: Mapping[str, LabelValue] = field(default_factory=dict)


Answers: TypeAlias = Mapping[str, Mapping[str, Adjudication]]  # adjudicator -> field -> answer


class DisputeState(StrEnum):
    """How far a disagreement has come."""

    WAITING = "waiting"  # nobody has decided, or not on what readers say now
    SETTLED = "settled"


@record(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A field of a case on which readers say different things.

    Args:
        field: the question.
        readings: reader -> what each says, by name; those who have not answered are not here.
        answers: adjudicator -> what each decided, by name.
        state: how far it has come.
        moved: readers who say something else now than when it was decided.
    """

    field: LabelField
    readings: Mapping[str, LabelValue]
    answers: Mapping[str, Adjudication]
    state: DisputeState
    moved: tuple[str, ...] = ()

    @property
    def value(self) -> LabelValue | None:
        """The decided answer; None while it waits."""
        return next(iter(self.answers.values())).value if self.state is DisputeState.SETTLED else None


def disputes(label_set: LabelSet, readings: Readings, answers: Answers) -> list[Dispute]:
    """On what the readers of a case disagree, in the order of the questions.

    Only choices can be disputed: a confidence or a free text is a reader's own. A question that is not asked once
    those before it are answered (which Garden grade, when there is no fracture) is no dispute.

    Args:
        label_set: what is asked.
        readings: what readers say.
        answers: what was decided.
    """
    found: list[Dispute] = []
    resolved: dict[str, LabelValue] = {}
    moot: set[str] = set()  # not asked, once what comes before is answered
    for asked in label_set.fields:
        if asked.type not in (FieldType.CHOICE, FieldType.CHOICES):
            continue
        said = {reader: values[asked.id] for reader, values in sorted(readings.items()) if asked.id in values}
        if not moot.isdisjoint(asked.when) or not is_asked(_as_far_as_known(asked, resolved), resolved):
            moot.add(asked.id)
            continue
        distinct = {_comparable(value) for value in said.values()}
        if len(distinct) < 2:
            if said:
                resolved[asked.id] = next(iter(said.values()))
            continue
        decided = {who: given[asked.id] for who, given in sorted(answers.items()) if asked.id in given}
        dispute = _dispute(asked, said, decided)
        found.append(dispute)
        if dispute.value is not None:
            resolved[asked.id] = dispute.value
    return found


def case_state(found: list[Dispute]) -> str:
    """The state of a case: `waiting` while anything waits, `settled` when all is decided, empty without a dispute."""
    if not found:
        return ""
    is_waiting = any(each.state is DisputeState.WAITING for each in found)
    return (DisputeState.WAITING if is_waiting else DisputeState.SETTLED).value


def decided_value(label_set: LabelSet, field_id: str, readings: Readings, answers: Answers) -> LabelValue | None:
    """What holds of a case for one field: what all readers say, or what was decided; None while it is open or unsaid.

    Args:
        label_set: what is asked.
        field_id: the field.
        readings: what readers say.
        answers: what was decided.
    """
    for dispute in disputes(label_set, readings, answers):
        if dispute.field.id == field_id:
            return dispute.value
    values = [said[field_id] for _, said in sorted(readings.items()) if field_id in said]
    return values[0] if values and len({_comparable(value) for value in values}) == 1 else None


def anonymous_order(case_id: str, readers: Iterable[str]) -> list[str]:
    """Readers in an order that says nothing about who they are: always the same for a case, another for the next.

    Args:
        case_id: the case.
        readers: their names; the first of the result is shown as reader 1.
    """
    return sorted(readers, key=lambda name: hashlib.sha256(f"{case_id}|{name}".encode()).digest())


def settled_value(said: Mapping[str, LabelValue], decided: Mapping[str, Adjudication]) -> LabelValue | None:
    """What was decided about one field of a case, if that still counts.

    Args:
        said: reader -> what each says now.
        decided: adjudicator -> answer.
    """
    values = {_comparable(answer.value) for answer in decided.values()}
    return next(iter(decided.values())).value if len(values) == 1 and not _moved(said, decided) else None


def adjudication_of(value: Json) -> Adjudication | None:
    """An adjudicated answer from its JSON form; None when there is none."""
    if value is None:
        return None
    try:
        found = msgspec.convert(value, _Stored)
    except msgspec.ValidationError as error:
        raise UserError(
            "This is not an adjudicated answer.",
            reason=f"{error}.",
            remedy="Use a newer version of Coxa.",
            kind="annotation",
        ) from error
    return Adjudication(
        value=_label(found.value), readings={name: _label(said) for name, said in sorted(found.readings.items())}
    )


def answers_of(values: Mapping[str, Json]) -> dict[str, Adjudication]:
    """The adjudicated answers among the values of one reader: field of the label set -> answer."""
    found = {}
    for name, value in values.items():
        if name.startswith(ADJUDICATED) and (answer := adjudication_of(value)) is not None:
            found[name.removeprefix(ADJUDICATED)] = answer
    return found


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    value: str | int | list[str]
    readings: dict[str, str | int | list[str]] = {}


def _dispute(asked: LabelField, said: Mapping[str, LabelValue], decided: Mapping[str, Adjudication]) -> Dispute:
    value = settled_value(said, decided)
    return Dispute(
        field=asked,
        readings=said,
        answers=decided,
        state=DisputeState.WAITING if value is None else DisputeState.SETTLED,
        moved=_moved(said, decided),
    )


def _moved(said: Mapping[str, LabelValue], decided: Mapping[str, Adjudication]) -> tuple[str, ...]:
    """Readers who say something that was not on the table, and is not what was decided."""
    values = {_comparable(answer.value) for answer in decided.values()}
    return tuple(
        reader
        for reader, value in said.items()
        if decided
        and _comparable(value) not in values
        and all(_comparable(answer.readings.get(reader, "")) != _comparable(value) for answer in decided.values())
    )


def _as_far_as_known(asked: LabelField, resolved: Mapping[str, LabelValue]) -> LabelField:
    """The field with those of its conditions of which the answer is known."""
    return msgspec.structs.replace(asked, when={name: asked.when[name] for name in asked.when if name in resolved})


def _label(value: str | int | list[str]) -> LabelValue:
    return tuple(value) if isinstance(value, list) else value


def _comparable(value: LabelValue) -> str | int | tuple[str, ...]:
    """A value in the form in which two are compared: the order of several choices says nothing."""
    return tuple(sorted(value)) if isinstance(value, tuple) else value
