"""What follows from the labels of a case: which questions are asked, what a new answer changes, what is missing."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.errors import UserError
from app.core.label_set import FieldType, LabelField, LabelSet, LabelValue, checked_value

UNANSWERED = ""  # in the `when` of a field: the other one has no answer yet
Values = Mapping[str, LabelValue]  # field id -> value; a field without a value is absent
Changes = dict[str, LabelValue | None]  # None takes the value away


def is_asked(field: LabelField, values: Values) -> bool:
    """Whether a field's question is asked: every condition in its `when` holds."""
    return all(_is_one_of(values.get(name), allowed) for name, allowed in field.when.items())


def asked_fields(label_set: LabelSet, values: Values) -> tuple[LabelField, ...]:
    """The questions that are asked, in order."""
    return tuple(field for field in label_set.fields if is_asked(field, values))


def can_be_asked(label_set: LabelSet, field: LabelField, values: Values) -> bool:
    """Whether answering this field says by itself what its condition needs (Garden III: a fracture, of the neck)."""
    return _needed(label_set, field, values) is not None


def missing_fields(label_set: LabelSet, values: Values) -> tuple[LabelField, ...]:
    """Required questions that are asked and have no answer; none where a field says why the case is excluded."""
    if any(field.excuses and field.id in values for field in label_set.fields):
        return ()
    return tuple(field for field in asked_fields(label_set, values) if field.is_required and field.id not in values)


def unfit_values(label_set: LabelSet, values: Values) -> dict[str, str]:
    """Values that the label set has no place for, each with the reason; nothing is ever dropped because of it."""
    found = {}
    for name, value in values.items():
        field = label_set.field(name)
        if field is None:
            found[name] = f"“{label_set.text}” version {label_set.version} has no field {name}."
            continue
        try:
            checked_value(field, value)
        except UserError as error:
            found[name] = f"{error.title} {error.reason}"
    return found


def changes_for(label_set: LabelSet, values: Values, field_id: str, value: object) -> Changes:
    """Everything that changes when one question is answered, or when its answer is taken away.

    What the answer needs (`when`) and implies is set with it; an answer that implies something else than this one, and
    answers to questions that are not asked any more, are taken away. All of it is one step for undo.

    Args:
        label_set: the label set.
        values: the labels now.
        field_id: the question.
        value: the answer; None takes it away.

    Returns:
        Field id -> new value, only where it differs; empty when nothing changes.

    Raises:
        UserError: `label`: no such field, or it does not take this value, or it cannot be asked here.
    """
    field = label_set.field(field_id)
    if field is None:
        raise UserError(
            f"There is no label {field_id[:60]}.",
            reason=f"“{label_set.text}” has: {', '.join(field.id for field in label_set.fields)}.",
            kind="label",
        )
    after = dict(values)
    if value is None:
        after.pop(field_id, None)
    else:
        _answer(label_set, after, field, checked_value(field, value), depth=0)
    _drop_what_is_not_asked(label_set, after)
    names = [field.id for field in label_set.fields]
    return {name: after.get(name) for name in names if after.get(name) != values.get(name)}


def _answer(
    label_set: LabelSet, values: dict[str, LabelValue], field: LabelField, value: LabelValue, *, depth: int
) -> None:
    if depth > len(label_set.fields):
        raise UserError(f"The consequences of “{field.text}” go in a circle.", kind="label-set")
    needed = _needed(label_set, field, values)
    if needed is None:
        raise UserError(
            f"“{field.text}” is not asked here.",
            reason=_condition_text(label_set, field),
            remedy="Answer the question before it first.",
            kind="label",
        )
    for name, choice in needed.items():
        _answer(label_set, values, _existing(label_set, name), choice, depth=depth + 1)
    values[field.id] = value
    for other in label_set.fields:  # an older answer that implies something else gives way
        said = values.get(other.id)
        picked = other.choice(said) if isinstance(said, str) and other.type is FieldType.CHOICE else None
        implied_here = picked.implies.get(field.id) if picked is not None else None
        if other.id != field.id and implied_here is not None and not _is_one_of(value, (implied_here,)):
            del values[other.id]
    if field.type is FieldType.CHOICE and isinstance(value, str):
        chosen = field.choice(value)
        for name, choice in (chosen.implies if chosen is not None else {}).items():
            if not _is_one_of(values.get(name), (choice,)):
                implied = _existing(label_set, name)
                _answer(label_set, values, implied, _as_value(implied, choice), depth=depth + 1)
                values[field.id] = value


def _needed(label_set: LabelSet, field: LabelField, values: Values) -> dict[str, LabelValue] | None:
    """Answers that must be given for this field to be asked; None when that is a choice for a person."""
    needed: dict[str, LabelValue] = {}
    for name, allowed in field.when.items():
        if _is_one_of(values.get(name), allowed):
            continue
        other = _existing(label_set, name)
        if len(allowed) != 1 or _needed(label_set, other, values) is None:
            return None
        needed[name] = _as_value(other, allowed[0])
    return needed


def _drop_what_is_not_asked(label_set: LabelSet, values: dict[str, LabelValue]) -> None:
    for field in label_set.fields:  # conditions look back only, so one pass is enough
        if field.id in values and not is_asked(field, values):
            del values[field.id]


def _condition_text(label_set: LabelSet, field: LabelField) -> str:
    parts = []
    for name, allowed in field.when.items():
        other = _existing(label_set, name)
        texts = [choice.text for choice in other.choices if choice.id in allowed]
        parts.append(f"{other.text}: {' or '.join(texts)}")
    return f"It belongs to {'; '.join(parts)}."


def _existing(label_set: LabelSet, name: str) -> LabelField:
    field = label_set.field(name)
    assert field is not None, "the label set was checked when it was read"
    return field


def _as_value(field: LabelField, choice: str) -> LabelValue:
    return (choice,) if field.type is FieldType.CHOICES else choice


def _is_one_of(value: LabelValue | None, allowed: tuple[str, ...]) -> bool:
    if value is None:
        return UNANSWERED in allowed
    if isinstance(value, tuple):
        return any(part in allowed for part in value)
    return isinstance(value, str) and value in allowed
