"""Labels given with one version of a label set, carried over to another: mapped or flagged, never dropped."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import UserError
from app.core.label_set import FieldType, LabelField, LabelSet, LabelValue, checked_value
from app.core.label_values import Changes, Values, is_asked


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedValues:
    """What a new label set makes of the labels of one case.

    Args:
        changes: field id -> value to store; None where a value has moved to another field.
        flagged: field id -> why its value has no place in the new set; the value stays as it is.
    """

    changes: Changes
    flagged: dict[str, str]


def migrate_values(values: Values, label_set: LabelSet) -> MigratedValues:
    """Carry labels over to a label set, following `was` of its fields and choices.

    Args:
        values: the labels as they are, whatever version they were given with.
        label_set: the new label set.
    """
    changes: Changes = {}
    flagged: dict[str, str] = {}
    for name, value in values.items():
        field = _heir(label_set, name)
        if field is None:
            flagged[name] = f"“{label_set.text}” version {label_set.version} has no field {name}."
            continue
        if field.id != name and (field.id in values or field.id in changes):
            flagged[name] = f"“{field.text}” has another value already."
            continue
        try:
            mapped = _mapped(field, value)
        except UserError as error:
            flagged[name] = f"{error.title} {error.reason}"
            continue
        if field.id != name:
            changes[name] = None
        if field.id != name or mapped != value:
            changes[field.id] = mapped
    after: dict[str, LabelValue] = {name: value for name, value in values.items() if name not in changes}
    after |= {name: value for name, value in changes.items() if value is not None}
    for field in label_set.fields:
        if field.id in after and not is_asked(field, after):
            flagged.setdefault(field.id, f"“{field.text}” is not asked any more with these answers.")
    return MigratedValues(changes=changes, flagged=flagged)


def check_successor(old: LabelSet, new: LabelSet) -> None:
    """Refuse a label set that cannot follow another one.

    Raises:
        UserError: `label-set`: another content under the same version, or an older version.
    """
    if new.id != old.id or new == old:
        return  # a project may go over to quite another set: what has no place in it is flagged
    if new.version <= old.version:
        raise UserError(
            "The label set cannot replace the project's own.",
            reason=f"It is version {new.version} of “{new.text}”, and the project has version {old.version} with "
            "other content.",
            remedy=f"Raise its version to {old.version + 1}.",
            kind="label-set",
        )


def _heir(label_set: LabelSet, name: str) -> LabelField | None:
    """The field that stands for an older one: the one of the same id, else the one that was called so."""
    return label_set.field(name) or next((field for field in label_set.fields if name in field.was), None)


def _mapped(field: LabelField, value: LabelValue) -> LabelValue:
    if field.type in (FieldType.CHOICE, FieldType.CHOICES) and not isinstance(value, int):
        parts = (value,) if isinstance(value, str) else value
        heirs = tuple(dict.fromkeys(_choice_heir(field, part) for part in parts))
        if field.type is FieldType.CHOICE and len(heirs) == 1:
            return checked_value(field, heirs[0])
        if field.type is FieldType.CHOICES:
            return checked_value(field, heirs)
    if field.type is FieldType.TEXT and not isinstance(value, str):
        return checked_value(field, str(value) if isinstance(value, int) else ", ".join(value))
    return checked_value(field, value)


def _choice_heir(field: LabelField, choice_id: str) -> str:
    if field.choice(choice_id) is not None:
        return choice_id
    return next((choice.id for choice in field.choices if choice_id in choice.was), choice_id)
