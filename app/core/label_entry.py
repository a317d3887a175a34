"""Labelling by keys: what one key press does, as a function without a window.

Keys of choices (digits) answer the active question, keys of questions (letters) go to one from anywhere. After an
answer the next open question becomes the active one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.core.label_set import FieldType, LabelField, LabelSet, LabelValue
from app.core.label_values import Changes, Values, asked_fields, can_be_asked, changes_for, is_asked

CLEAR_KEYS = ("Backspace", "Delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEntry:
    """The label form of one case.

    Args:
        label_set: what is asked.
        values: the labels so far.
        active: id of the question that digits answer.
    """

    label_set: LabelSet
    values: Values
    active: str

    @property
    def active_field(self) -> LabelField:
        """The question that digits answer."""
        found = self.label_set.field(self.active)
        assert found is not None, "an entry's active field is one of its label set"
        return found

    @property
    def shown_fields(self) -> tuple[LabelField, ...]:
        """The questions to show: those that are asked, and the active one though it is not asked yet."""
        return tuple(
            field for field in self.label_set.fields if is_asked(field, self.values) or field.id == self.active
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStep:
    """What a key press leads to.

    Args:
        entry: the form afterwards, as it will be when the changes are stored.
        changes: what to store, as one step for undo; may be empty.
        is_text_wanted: whether the keyboard should go into the active field's text box.
    """

    entry: LabelEntry
    changes: Changes = field(default_factory=dict)
    is_text_wanted: bool = False


def new_entry(label_set: LabelSet, values: Values) -> LabelEntry:
    """The form of a case that was just opened: the first open question is the active one, else the first."""
    return LabelEntry(
        label_set=label_set, values=dict(values), active=_first_open(label_set, values, label_set.fields[0].id)
    )


def press(entry: LabelEntry, key: str) -> LabelStep | None:
    """What a key does; None when it means nothing to the form.

    Args:
        entry: the form.
        key: one character, or one of CLEAR_KEYS.

    Raises:
        UserError: `label`: the answer is not possible now.
    """
    active = entry.active_field
    if key in CLEAR_KEYS:
        return answer(entry, entry.active, None, is_advancing=False) if entry.active in entry.values else None
    wanted = key.casefold()
    for choice in active.choices:
        if choice.key and choice.key.casefold() == wanted:
            return pick(entry, active.id, choice.id)
    for other in entry.label_set.fields:
        if other.key and other.key.casefold() == wanted and can_be_asked(entry.label_set, other, entry.values):
            return activate(entry, other.id)
    return None


def activate(entry: LabelEntry, field_id: str) -> LabelStep:
    """Make a question the active one."""
    moved = replace(entry, active=field_id)
    return LabelStep(entry=moved, is_text_wanted=moved.active_field.type is FieldType.TEXT)


def pick(entry: LabelEntry, field_id: str, choice_id: str) -> LabelStep:
    """Choose one answer of a question, by key or with the mouse; of several choices it is switched on or off.

    Raises:
        UserError: `label`: not possible now.
    """
    asked = entry.label_set.field(field_id)
    assert asked is not None, "the form shows fields of its label set"
    if asked.type is FieldType.CHOICES:
        held = entry.values.get(field_id, ())
        parts = set(held) if isinstance(held, tuple) else set()
        return answer(entry, field_id, tuple(parts ^ {choice_id}) or None, is_advancing=False)
    value: LabelValue = int(choice_id) if asked.type is FieldType.CONFIDENCE else choice_id
    return answer(entry, field_id, value)


def answer(entry: LabelEntry, field_id: str, value: LabelValue | None, *, is_advancing: bool = True) -> LabelStep:
    """Give a question an answer, or take it away (None).

    Args:
        entry: the form.
        field_id: the question.
        value: the answer; checked.
        is_advancing: whether the next open question becomes the active one.

    Raises:
        UserError: `label`: not possible now.
    """
    changes = changes_for(entry.label_set, entry.values, field_id, value)
    after = {name: held for name, held in entry.values.items() if name not in changes}
    after |= {name: given for name, given in changes.items() if given is not None}
    values = {each.id: after.pop(each.id) for each in entry.label_set.fields if each.id in after} | after
    active = _first_open(entry.label_set, values, field_id, after=field_id) if is_advancing else field_id
    return LabelStep(entry=replace(entry, values=values, active=active), changes=changes)


def move(entry: LabelEntry, steps: int) -> LabelStep:
    """Go to the question that many places further down (or up) among those that are shown; stops at the ends."""
    ids = [each.id for each in entry.shown_fields]
    place = min(max(ids.index(entry.active) + steps, 0), len(ids) - 1)
    return activate(entry, ids[place])


def _first_open(label_set: LabelSet, values: Values, otherwise: str, *, after: str = "") -> str:
    """The first question that is asked and has no answer; below `after`, if that is given. Text is never gone to."""
    asked = asked_fields(label_set, values)
    ids = [each.id for each in asked]
    start = ids.index(after) + 1 if after in ids else 0
    opened = [each.id for each in asked[start:] if each.id not in values and each.type is not FieldType.TEXT]
    return opened[0] if opened else otherwise
