"""Label sets: read, checked, refused in sentences; what one answer changes; labelling by keys."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UserError
from app.core.label_entry import CLEAR_KEYS, LabelEntry, activate, move, new_entry, pick, press
from app.core.label_migration import check_successor, migrate_values
from app.core.label_set import (
    FieldType,
    LabelSet,
    LabelValue,
    checked_value,
    label_set_document,
    parse_label_set,
    value_from_text,
    value_text,
)
from app.core.label_values import changes_for, is_asked, missing_fields, unfit_values
from app.store.resources import resource_path

SHIPPED = sorted(resource_path("label_sets").glob("*.toml"))


def shipped(name: str = "hip-fracture") -> LabelSet:
    return parse_label_set(tomllib.loads(resource_path("label_sets", f"{name}.toml").read_text(encoding="utf-8")))


def keyed(keys: str, values: dict[str, LabelValue] | None = None) -> LabelEntry:
    entry = new_entry(shipped(), values or {})
    for key in keys.split():
        step = press(entry, key)
        assert step is not None, key
        entry = step.entry
    return entry


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_sets_are_whole(path: Any) -> None:
    label_set = parse_label_set(tomllib.loads(path.read_text(encoding="utf-8")))
    assert label_set.id == path.stem
    assert parse_label_set(label_set_document(label_set)) == label_set
    for field in label_set.fields:
        assert field.key, f"{field.id} can be reached by a key"
        assert all(choice.key for choice in field.choices)


def test_the_hip_set_asks_what_the_papers_need() -> None:
    hip = shipped()
    assert {field.id for field in hip.fields} >= {
        "fracture", "region", "displacement", "garden", "atypical", "asbmr-major", "asbmr-minor", "quality",
        "exclusion", "confidence", "remarks",
    }  # fmt: skip
    major = hip.field("asbmr-major")
    assert major is not None
    assert len(major.choices) == 5


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("version",), 0, "version 0"),
        (("id",), "Hip Fracture", "id 'Hip Fracture'"),
        (("fields", 0, "type"), "colour", "Invalid enum value"),
        (("fields", 0, "colour"), "red", "unknown field"),
        (("fields", 1, "id"), "fracture", "there twice"),
        (("fields", 1, "key"), "f", "key 'f'"),
        (("fields", 0, "key"), "1", "one letter"),
        (("fields", 0, "choices"), [], "0 choices"),
        (("fields", 0, "choices", 1, "id"), "yes", "there twice"),
        (("fields", 0, "choices", 1, "key"), "1", "as has another choice"),
        (("fields", 0, "choices", 1, "key"), "g", "the key of a field"),
        (("fields", 0, "choices", 1, "key"), "F1", "one digit or one letter"),
        (("fields", 1, "when"), {"fracture": ["maybe"]}, "'maybe' of 'fracture'"),
        (("fields", 1, "when"), {"garden": ["1"]}, "not before it"),
        (("fields", 1, "when"), {"fracture": []}, "nothing of 'fracture'"),
        (("fields", 3, "choices", 0, "implies"), {"garden": "2"}, "its own field"),
        (("fields", 9, "choices", 0, "id"), "120", "no mark"),
        (("fields", 10, "choices"), [{"id": "a", "text": "A"}], "text and has choices"),
    ],
)
def test_a_wrong_set_is_refused_with_the_place(path: tuple[Any, ...], value: Any, said: str) -> None:
    document = label_set_document(shipped())
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(UserError) as caught:
        parse_label_set(document)
    assert caught.value.kind == "label-set"
    assert said in str(caught.value)


def test_two_keys_make_a_whole_garden_label() -> None:
    entry = keyed("g 3")
    assert entry.values == {"fracture": "yes", "region": "neck", "displacement": "displaced", "garden": "3"}
    assert missing_fields(entry.label_set, entry.values) == ()


def test_answers_advance_to_the_next_open_question() -> None:
    assert keyed("").active == "fracture"
    assert keyed("1").active == "region"
    assert keyed("1 1").active == "displacement"
    assert keyed("1 1 2").active == "garden"
    assert keyed("2").active == "quality"
    assert keyed("1 3 2").active == "atypical"


def test_an_answer_takes_away_what_is_not_asked_any_more_in_one_step() -> None:
    entry = keyed("g 3")
    changes = changes_for(entry.label_set, entry.values, "fracture", "no")
    assert changes == {"fracture": "no", "region": None, "displacement": None, "garden": None}


def test_an_answer_takes_away_what_implied_the_opposite() -> None:
    entry = keyed("g 3")
    assert changes_for(entry.label_set, entry.values, "displacement", "non-displaced") == {
        "displacement": "non-displaced",
        "garden": None,
    }


def test_a_question_that_depends_on_a_choice_of_two_is_not_guessed() -> None:
    entry = keyed("")
    assert press(entry, "m") is None  # subtrochanteric or shaft: a person must say
    with pytest.raises(UserError, match="Subtrochanteric or Shaft"):
        changes_for(entry.label_set, {}, "asbmr-major", ["not-comminuted"])


def test_a_condition_may_hold_while_the_other_question_is_open() -> None:
    entry = keyed("a 1")
    assert entry.values == {"fracture": "yes", "atypical": "aff"}
    assert entry.active == "quality"
    changes = changes_for(entry.label_set, entry.values, "region", "neck")
    assert changes == {"region": "neck", "atypical": None}
    assert press(keyed("r 1"), "a") is None


def test_several_choices_are_switched_and_kept_in_order() -> None:
    entry = keyed("x 4 1")
    assert entry.values["exclusion"] == ("contrast", "cast-or-splint")
    assert entry.active == "exclusion"
    assert pick(pick(entry, "exclusion", "contrast").entry, "exclusion", "cast-or-splint").entry.values == {}


def test_a_reason_to_exclude_excuses_required_answers() -> None:
    hip = shipped()
    assert [field.id for field in missing_fields(hip, {})] == ["fracture"]
    assert missing_fields(hip, {"exclusion": ("implant",)}) == ()


def test_text_is_gone_to_only_when_asked_for() -> None:
    step = press(keyed("2"), "t")
    assert step is not None
    assert step.is_text_wanted
    assert keyed("2 1").active == "exclusion"


def test_backspace_takes_an_answer_away() -> None:
    entry = activate(keyed("1 1"), "region").entry
    step = press(entry, "Backspace")
    assert step is not None
    assert step.changes == {"region": None}
    assert press(step.entry, "Backspace") is None


def test_moving_stops_at_the_ends() -> None:
    entry = keyed("")
    assert move(entry, -1).entry.active == "fracture"
    assert move(entry, 99).entry.active == "remarks"


KEYS = st.lists(st.sampled_from([*"123456fgrdamnqxct", *CLEAR_KEYS]), max_size=30)


@given(KEYS)
def test_whatever_is_pressed_the_labels_fit(keys: list[str]) -> None:
    """Every value is valid and asked for, and the changes told are exactly the difference."""
    entry = new_entry(shipped(), {})
    for key in keys:
        step = press(entry, key)
        if step is None:
            continue
        before, after = dict(entry.values), dict(step.entry.values)
        names = before.keys() | after.keys()
        assert step.changes == {name: after.get(name) for name in names if before.get(name) != after.get(name)}
        assert unfit_values(entry.label_set, after) == {}
        for name in after:
            field = entry.label_set.field(name)
            assert field is not None
            assert is_asked(field, after)
        entry = step.entry
        assert entry.active_field in entry.shown_fields


@pytest.mark.parametrize(
    ("field_id", "text", "value"),
    [
        ("fracture", " yes ", "yes"),
        ("exclusion", "implant, contrast", ("contrast", "implant")),
        ("confidence", "100", 100),
        ("remarks", "  a line ", "a line"),
    ],
)
def test_values_are_read_from_a_command_line(field_id: str, text: str, value: LabelValue) -> None:
    field = shipped().field(field_id)
    assert field is not None
    assert value_from_text(field, text) == value


@pytest.mark.parametrize(
    ("field_id", "text"),
    [("fracture", "maybe"), ("exclusion", ""), ("confidence", "101"), ("confidence", "-1"), ("confidence", "ten"),
     ("remarks", "  "), ("remarks", "x" * 4001)],
)  # fmt: skip
def test_wrong_values_are_refused_with_what_is_right(field_id: str, text: str) -> None:
    field = shipped().field(field_id)
    assert field is not None
    with pytest.raises(UserError) as caught:
        value_from_text(field, text)
    assert caught.value.kind == "label"
    assert "It takes" in caught.value.reason


def test_a_truth_value_is_no_confidence() -> None:
    field = shipped().field("confidence")
    assert field is not None
    assert field.type is FieldType.CONFIDENCE
    with pytest.raises(UserError):
        checked_value(field, True)


def test_values_are_shown_in_words() -> None:
    hip = shipped()
    assert value_text(hip.field("garden"), "3") == "III"
    assert value_text(hip.field("exclusion"), ("contrast", "implant")) == "Contrast, Implant"
    assert value_text(hip.field("confidence"), 75) == "75 %"
    assert value_text(None, "left-over") == "left-over"


def _newer(**changes: Any) -> LabelSet:
    """Version 2, in which the first field, which others depend on, is another one."""
    document = label_set_document(shipped()) | {"version": 2}
    document["fields"][0] |= changes
    for field in document["fields"]:
        if "fracture" in field.get("when", {}):
            first = document["fields"][0]
            field["when"] = {first["id"]: [first["choices"][0]["id"]]}
    return parse_label_set(document)


def test_renamed_fields_and_choices_are_followed() -> None:
    newer = _newer(
        id="broken",
        was=["fracture"],
        choices=[{"id": "broken", "text": "Broken", "was": ["yes"]}, {"id": "no", "text": "No"}],
    )
    migrated = migrate_values({"fracture": "yes", "region": "neck"}, newer)
    assert migrated.changes == {"fracture": None, "broken": "broken"}
    assert migrated.flagged == {}


def test_what_has_no_heir_is_flagged_and_stays() -> None:
    document = label_set_document(shipped()) | {"version": 2}
    document["fields"] = [field for field in document["fields"] if field["id"] != "quality"]
    document["fields"][0]["choices"] = document["fields"][0]["choices"][:2]
    migrated = migrate_values({"fracture": "uncertain", "quality": "good"}, parse_label_set(document))
    assert migrated.changes == {}
    assert set(migrated.flagged) == {"fracture", "quality"}


def test_one_choice_becomes_one_of_several() -> None:
    newer = _newer(type="choices")
    assert migrate_values({"fracture": "yes"}, newer).changes == {"fracture": ("yes",)}


def test_the_same_version_with_other_content_is_refused() -> None:
    hip = shipped()
    check_successor(hip, hip)
    check_successor(hip, _newer(text="Broken"))
    with pytest.raises(UserError, match="Raise its version"):
        check_successor(_newer(text="Broken"), hip)


CHOICES = {field.id: [choice.id for choice in field.choices] for field in shipped().fields if field.choices}


@given(st.lists(st.sampled_from("123456fgrdamnqxc"), max_size=20), st.randoms())
def test_migration_never_drops_a_value(keys: list[str], choose: Any) -> None:
    """Whatever fields and choices a new version leaves out, each old value is there, moved, or flagged and there."""
    entry = new_entry(shipped(), {})
    for key in keys:
        step = press(entry, key)
        entry = entry if step is None else step.entry
    document = label_set_document(shipped()) | {"version": 2}
    kept = [field for field in document["fields"] if choose.random() < 0.7] or document["fields"][:1]
    for field in kept:
        field.pop("when", None)
        field["choices"] = [c for c in field.get("choices", []) if choose.random() < 0.8] or field.get("choices", [])
        for choice in field["choices"]:
            choice.pop("implies", None)
        if not field["choices"]:
            field.pop("choices")
    document["fields"] = kept
    newer = parse_label_set(document)
    migrated = migrate_values(entry.values, newer)
    assert migrated.changes == {}  # nothing was renamed
    assert set(unfit_values(newer, entry.values)) == set(migrated.flagged)
