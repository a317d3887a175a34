"""What is disputed, what is settled, and what opens a question again."""

from __future__ import annotations

import itertools

import pytest

from app.core.adjudication import Adjudication, adjudication_of, case_state, decided_value, disputes
from app.core.annotation import document_of
from app.core.errors import UserError
from app.core.label_set import LabelSet
from app.store.label_sets import default_label_set


@pytest.fixture(scope="module")
def asked() -> LabelSet:
    return default_label_set()


def test_exactly_the_cases_without_unanimity_are_disputed(asked: LabelSet) -> None:
    """All combinations of three readers who say yes, no, uncertain or nothing."""
    for said in itertools.product(("yes", "no", "uncertain", None), repeat=3):
        readings = {f"R{n}": {"fracture": value} for n, value in enumerate(said) if value is not None}
        found = disputes(asked, readings, {})
        assert bool(found) == (len({value for value in said if value is not None}) > 1)
        assert case_state(found) == ("waiting" if found else "")


def test_confidence_and_free_text_are_a_readers_own(asked: LabelSet) -> None:
    readings = {"A": {"fracture": "yes", "confidence": 90}, "B": {"fracture": "yes", "confidence": 40}}
    assert disputes(asked, readings, {}) == []


def test_an_answer_settles_until_a_reader_says_something_else(asked: LabelSet) -> None:
    readings = {"A": {"fracture": "yes"}, "B": {"fracture": "no"}}
    answer = Adjudication(value="yes", readings={"A": "yes", "B": "no"})
    (found,) = disputes(asked, readings, {"Chief": {"fracture": answer}})
    assert (found.state.value, found.value) == ("settled", "yes")
    (found,) = disputes(asked, readings | {"C": {"fracture": "yes"}}, {"Chief": {"fracture": answer}})
    assert found.value == "yes"  # another reader who says the same changes nothing
    (found,) = disputes(asked, readings | {"C": {"fracture": "uncertain"}}, {"Chief": {"fracture": answer}})
    assert (found.state.value, found.moved) == ("waiting", ("C",))
    (found,) = disputes(asked, readings, {"Chief": {"fracture": answer},
                                          "Other": {"fracture": Adjudication(value="no")}})  # fmt: skip
    assert found.state.value == "waiting"  # two adjudicators who disagree


def test_what_is_not_asked_any_more_is_no_dispute(asked: LabelSet) -> None:
    readings = {
        "A": {"fracture": "yes", "region": "neck", "displacement": "displaced", "garden": "3"},
        "B": {"fracture": "yes", "region": "neck", "displacement": "displaced", "garden": "4"},
        "C": {"fracture": "no"},
    }
    assert [each.field.id for each in disputes(asked, readings, {})] == ["fracture", "garden"]
    answer = Adjudication(value="no", readings={"A": "yes", "B": "yes", "C": "no"})
    found = disputes(asked, readings, {"Chief": {"fracture": answer}})
    assert [(each.field.id, each.value) for each in found] == [("fracture", "no")]
    assert case_state(found) == "settled"


def test_the_value_that_holds(asked: LabelSet) -> None:
    readings = {"A": {"fracture": "yes"}, "B": {"fracture": "no"}}
    assert decided_value(asked, "fracture", readings, {}) is None
    answers = {"Chief": {"fracture": Adjudication(value="no", readings={"A": "yes", "B": "no"})}}
    assert decided_value(asked, "fracture", readings, answers) == "no"
    assert decided_value(asked, "fracture", {"A": {"fracture": "yes"}}, {}) == "yes"
    assert decided_value(asked, "garden", readings, {}) is None


def test_the_stored_form_reads_back_and_nonsense_is_refused() -> None:
    answer = Adjudication(value=("a", "b"), readings={"A": ("a",), "B": ("b",)})
    assert adjudication_of(document_of(answer)) == answer
    with pytest.raises(UserError):
        adjudication_of({"verdict": "yes"})
