"""Label sets: what is asked about a case, as a table that a person can edit (`resources/label_sets/*.toml`).

A label set has a version. A project keeps the copy that its labels were given with; a newer version says which of its
fields and choices stand for older ones (`was`), see `label_migration`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from app.core.errors import UserError
from app.core.event import Json

LabelValue: TypeAlias = str | int | tuple[str, ...]  # choice or text; confidence; several choices

MAX_TEXT_LENGTH = 4000
MAX_FIELDS = 100
MAX_CHOICES = 60
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_CHOICE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_KEY = re.compile(r"[0-9a-zA-Z]")


class FieldType(StrEnum):
    """What kind of value a field takes."""

    CHOICE = "choice"  # one of its choices
    CHOICES = "choices"  # any number of its choices
    CONFIDENCE = "confidence"  # 0–100; its choices are marks on the scale, with the number as their id
    TEXT = "text"  # free text


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One answer.

    Args:
        id: stable name, lower case, unique in its field; of a mark of a confidence scale the number, 0–100.
        text: what people read.
        key: digit or letter that chooses it while its field is the active one.
        tip: one sentence that says what it means, or empty.
        implies: field -> choice that follows from this one, for example displaced from Garden III.
        was: ids that it had in older versions.
    """

    id: str
    text: str
    key: str = ""
    tip: str = ""
    implies: dict[str, str] = {}
    was: tuple[str, ...] = ()


class LabelField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question.

    Args:
        id: stable name, lower case, unique in its set.
        text: what people read.
        type: what kind of value it takes.
        key: letter that makes it the active field from anywhere; empty = none.
        tip: one sentence that says what is asked, or empty.
        is_required: whether a case is not complete without it, as long as it is asked.
        excuses: whether a value here says why a case cannot be labelled, so that nothing else is required.
        when: field -> choices, one of which that field must have for this one to be asked; all must hold. Among them
            an empty one stands for a field that has no answer yet.
        choices: the answers, in the order in which they are shown.
        was: ids that it had in older versions.
    """

    id: str
    text: str
    type: FieldType
    key: str = ""
    tip: str = ""
    is_required: bool = False
    excuses: bool = False
    when: dict[str, tuple[str, ...]] = {}
    choices: tuple[Choice, ...] = ()
    was: tuple[str, ...] = ()

    def choice(self, choice_id: str) -> Choice | None:
        """One of its choices, or None."""
        return next((choice for choice in self.choices if choice.id == choice_id), None)


class LabelSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything that is asked about a case.

    Args:
        id: stable name, lower case.
        version: 1, 2, …; raised with every change.
        text: what people read.
        tip: where it comes from, or empty.
        fields: the questions, in the order in which they are asked.
    """

    id: str
    version: int
    text: str
    fields: tuple[LabelField, ...]
    tip: str = ""

    def field(self, field_id: str) -> LabelField | None:
        """One of its fields, or None."""
        return next((field for field in self.fields if field.id == field_id), None)


def parse_label_set(document: Mapping[str, Any]) -> LabelSet:
    """The label set in a parsed TOML file or in a project's event, checked.

    Raises:
        UserError: `label-set`: says which field or choice is wrong, and what would be right.
    """
    try:
        label_set = msgspec.convert(document, LabelSet)
    except msgspec.ValidationError as error:
        raise _wrong(f"{error}.", "Compare it with the label sets that Coxa ships with.") from error
    for reason, remedy in _flaws(label_set):
        raise _wrong(reason, remedy)
    return label_set


def label_set_document(label_set: LabelSet) -> dict[str, Json]:
    """The label set as JSON, what `parse_label_set` reads; the same set gives the same document."""
    document: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(label_set))
    return document


def checked_value(field: LabelField, value: object) -> LabelValue:
    """A value as it is stored: choices in the order of the set, text without white space around it.

    Args:
        field: the field that it is for.
        value: a string, an int, or a list or tuple of strings.

    Raises:
        UserError: `label`: the field does not take this value.
    """
    match field.type:
        case FieldType.CHOICE if isinstance(value, str) and field.choice(value) is not None:
            return value
        case FieldType.CHOICES if isinstance(value, list | tuple) and value:
            if all(isinstance(part, str) and field.choice(part) is not None for part in value):
                return tuple(choice.id for choice in field.choices if choice.id in value)
        case FieldType.CONFIDENCE if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
            return value
        case FieldType.TEXT if isinstance(value, str) and 0 < len(value.strip()) <= MAX_TEXT_LENGTH:
            return value.strip()
    raise UserError(
        f"“{field.text}” cannot be {_shown(value)}.",
        reason=f"It takes {accepted_values(field)}.",
        remedy="Choose one of these.",
        kind="label",
    )


def value_from_text(field: LabelField, text: str) -> LabelValue:
    """The value that somebody wrote on a command line: ids, several joined by commas, or a number.

    Raises:
        UserError: `label`.
    """
    plain = text.strip()
    if field.type is FieldType.CONFIDENCE:
        return checked_value(field, int(plain) if re.fullmatch(r"[0-9]{1,3}", plain) else plain)
    if field.type is FieldType.CHOICES:
        return checked_value(field, [part.strip() for part in plain.split(",") if part.strip()])
    return checked_value(field, plain)


def accepted_values(field: LabelField) -> str:
    """What a field takes, in words."""
    match field.type:
        case FieldType.CHOICE:
            return "one of " + ", ".join(choice.id for choice in field.choices)
        case FieldType.CHOICES:
            return "any of " + ", ".join(choice.id for choice in field.choices)
        case FieldType.CONFIDENCE:
            return "a whole number from 0 to 100"
        case FieldType.TEXT:
            return f"text of 1 to {MAX_TEXT_LENGTH} characters"


def value_text(field: LabelField | None, value: LabelValue) -> str:
    """A value as people read it; the ids themselves where the label set does not know them."""
    if isinstance(value, int):
        return f"{value} %"
    if field is not None and field.type is FieldType.TEXT:
        return str(value)
    parts = (value,) if isinstance(value, str) else value
    known = {choice.id: choice.text for choice in field.choices} if field is not None else {}
    return ", ".join(known.get(part, part) for part in parts)


def _flaws(label_set: LabelSet) -> Iterator[tuple[str, str]]:
    """What is wrong with a label set, each as reason and remedy."""
    if not _ID.fullmatch(label_set.id):
        yield f"The id {label_set.id!r} is not a name.", "Write lower-case letters, digits and hyphens."
    if label_set.version < 1:
        yield f"The version {label_set.version} is not possible.", "Count 1, 2, 3 …"
    if not label_set.text.strip():
        yield "It has no text.", "Write what people should read as its name."
    if not 1 <= len(label_set.fields) <= MAX_FIELDS:
        yield f"It has {len(label_set.fields)} fields.", f"A label set has 1 to {MAX_FIELDS} fields."
    seen: dict[str, LabelField] = {}
    keys: dict[str, str] = {}
    for field in label_set.fields:
        where = f"Field {field.id!r}"
        if not _ID.fullmatch(field.id):
            yield f"{where} has no proper id.", "Write lower-case letters, digits and hyphens."
        if field.id in seen:
            yield f"{where} is there twice.", "Give each field an id of its own."
        yield from _field_flaws(field, where)
        if field.key:
            other = keys.setdefault(field.key.casefold(), field.id)
            if other != field.id:
                yield f"{where} has the key {field.key!r}, as has {other!r}.", "Give each field a key of its own."
        for name, allowed in field.when.items():
            yield from _reference_flaws(f"{where} asks in `when` for", seen, name, allowed)
        seen[field.id] = field
    for field in label_set.fields:
        for choice in field.choices:
            if choice.key and choice.key.casefold() in keys:
                yield (
                    f"Choice {choice.id!r} of field {field.id!r} has the key {choice.key!r}, which is the key of a "
                    "field.",
                    "Give choices digits and fields letters.",
                )
            for name, implied in choice.implies.items():
                where = f"Choice {choice.id!r} of field {field.id!r} implies"
                if name == field.id:
                    yield f"{where} another choice of its own field.", "Name another field."
                yield from _reference_flaws(where, seen, name, (implied,))


def _field_flaws(field: LabelField, where: str) -> Iterator[tuple[str, str]]:
    if not field.text.strip():
        yield f"{where} has no text.", "Write what people should read."
    if field.key and not re.fullmatch(r"[a-zA-Z]", field.key):
        yield f"{where} has the key {field.key!r}.", "The key of a field is one letter."
    has_choices = field.type in (FieldType.CHOICE, FieldType.CHOICES)
    if has_choices and not 1 <= len(field.choices) <= MAX_CHOICES:
        yield f"{where} has {len(field.choices)} choices.", f"Give it 1 to {MAX_CHOICES}."
    if field.type is FieldType.TEXT and field.choices:
        yield f"{where} is text and has choices.", "Leave the choices out, or make it a choice."
    ids: set[str] = set()
    keys: set[str] = set()
    for choice in field.choices:
        of = f"Choice {choice.id!r} of field {field.id!r}"
        if field.type is FieldType.CONFIDENCE:
            if not (choice.id.isdecimal() and choice.id.isascii() and int(choice.id) <= 100):
                yield f"{of} is no mark from 0 to 100.", "Write the number as its id."
        elif not _CHOICE_ID.fullmatch(choice.id):
            yield f"{of} has no proper id.", "Write lower-case letters, digits and hyphens."
        if choice.id in ids:
            yield f"{of} is there twice.", "Give each choice an id of its own."
        if not choice.text.strip():
            yield f"{of} has no text.", "Write what people should read."
        if choice.key and not _KEY.fullmatch(choice.key):
            yield f"{of} has the key {choice.key!r}.", "A key is one digit or one letter."
        if choice.key and choice.key.casefold() in keys:
            yield f"{of} has the key {choice.key!r}, as has another choice.", "Give each choice a key of its own."
        ids.add(choice.id)
        keys.add(choice.key.casefold())


def _reference_flaws(
    where: str, fields: Mapping[str, LabelField], name: str, choices: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """A condition or a consequence must name a field with choices; a condition only one that is asked before."""
    field = fields.get(name)
    if field is None:
        yield (
            f"{where} {name!r}, which is not there, or not before it.",
            "Name a field; in `when` one that comes earlier.",
        )
        return
    if field.type not in (FieldType.CHOICE, FieldType.CHOICES):
        yield f"{where} {name!r}, which has no choices.", "Name a field with choices."
    if not any(choices):
        yield f"{where} nothing of {name!r}.", "Name at least one choice."
    for choice in choices:
        if choice and field.choice(choice) is None:
            yield f"{where} {choice!r} of {name!r}, which is not there.", "Name one of its choices."


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"“{text[:60]}”" if text else "empty"


def _wrong(reason: str, remedy: str) -> UserError:
    return UserError("The label set cannot be used.", reason=reason, remedy=remedy, kind="label-set")
