"""Adjudicating a case of a project: what is disputed, who decided what and when, and deciding it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.adjudication import (
    ADJUDICATED,
    Adjudication,
    Dispute,
    adjudication_of,
    answers_of,
    disputes,
)
from app.core.annotation import document_of, reader_target
from app.core.event import Event, Json
from app.core.label_set import LabelValue
from app.store.annotations import Annotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One decision about one field, as it was made.

    Args:
        field: id of the field.
        author: who decided.
        at: when, UTC, ISO 8601.
        answer: what; None = taken back.
    """

    field: str
    author: str
    at: str
    answer: Adjudication | None


def case_disputes(annotations: Annotations, case_id: str) -> list[Dispute]:
    """On what the readers of a case disagree, and what was decided."""
    opinions = [each for each in annotations.opinions(case_id) if each.reader]
    readings = {each.reader: each.labels for each in opinions if each.labels}
    answers = {each.reader: answers_of(each.values) for each in opinions}
    return disputes(annotations.label_set, readings, answers)


def adjudicate(
    annotations: Annotations, case_id: str, field_id: str, value: LabelValue | None, *, author: str, text: str = ""
) -> list[Event]:
    """Decide one question on which readers disagree, with the readings that are on the table.

    Args:
        annotations: of an open project.
        case_id: the case.
        field_id: the question.
        value: the answer; None takes this person's answer back.
        author: who decides.
        text: one sentence for people.

    Raises:
        UserError: as `Annotations.record`.
    """
    after: Json = None
    if value is not None:
        readings = {
            each.reader: each.labels[field_id]
            for each in annotations.opinions(case_id)
            if each.reader and field_id in each.labels
        }
        after = document_of(Adjudication(value=value, readings=readings))
    change = annotations.change(reader_target(case_id, author), f"{ADJUDICATED}{field_id}", after)
    return annotations.record(case_id, [change], author=author, text=text or "Adjudicated")


def versions(annotations: Annotations, case_id: str) -> list[Version]:
    """Every decision that was ever made about a case, oldest first."""
    return [
        Version(
            field=event.field.removeprefix(ADJUDICATED),
            author=event.author,
            at=event.at,
            answer=adjudication_of(event.after),
        )
        for event in annotations.history(case_id)
        if event.field.startswith(ADJUDICATED)
    ]


def decided_labels(values: Mapping[str, Mapping[str, Json]]) -> dict[str, dict[str, Adjudication]]:
    """The adjudicated answers among what is said about a case: adjudicator -> field -> answer.

    Args:
        values: reader -> field -> JSON value.
    """
    return {reader: found for reader, said in values.items() if reader and (found := answers_of(said))}
