"""What is still to be decided about a case, and where one answer may stand for several views."""

from __future__ import annotations

from dataclasses import replace

from app.core.case import Assessment, Certainty, Evidence, Projection, Side, Study, View, ViewFlag
from app.core.pairing import compose_cases
from app.core.questions import Question, QuestionKind, alike, evidence_by_value, open_questions
from tests.support.projects import make_view

STUDY = Study(id="2.25.1", patient_id="P-1")
POSITION = Evidence(source="View Position", found="AP", says="frontal", rank=2)
WORDS = Evidence(source="Series Description", found="lat", says="lateral", rank=3)
NAME = Evidence(source="File name", found="ap", says="frontal", rank=9, is_advisory=True)


def view(name: str, projection: Projection | None, side: Side | None, *evidence: Evidence, **more: object) -> View:
    """A view of which these are known; None is unknown, or contradictory where two deciding pieces are given."""
    deciding = [piece for piece in evidence if not piece.is_advisory]
    state = Certainty.CONTRADICTORY if len(deciding) > 1 else Certainty.UNKNOWN
    certainty = Certainty.EVIDENT if projection else state
    return replace(
        make_view(name, STUDY.id, name * 64, side=side),
        projection=Assessment(value=projection, certainty=certainty, evidence=evidence),
        flags=frozenset(),
        notices=(),
        **more,  # type: ignore[arg-type]
    )


def asked(*views: View, study: Study = STUDY) -> list[tuple[Question, ...]]:
    known = {one.id: one for one in views}
    return [open_questions(case, known) for case in compose_cases(study, views)]


def test_a_pair_of_which_everything_is_known_asks_nothing() -> None:
    assert asked(view("a", Projection.FRONTAL, Side.LEFT), view("b", Projection.LATERAL, Side.LEFT)) == [()]


def test_views_are_asked_about_one_by_one_projection_before_side() -> None:
    (questions,) = asked(view("a", None, None), view("b", Projection.LATERAL, None))
    assert questions == (
        Question(view_id="a", kind=QuestionKind.PROJECTION),
        Question(view_id="a", kind=QuestionKind.SIDE),
        Question(view_id="b", kind=QuestionKind.SIDE),
    )


def test_every_question_that_pairing_puts_into_words_is_asked_here_too() -> None:
    """Sentences and questions come from two places: neither may know of something the other does not."""
    other = frozenset({ViewFlag.OTHER_BODY_PART})
    samples = [
        (view("a", Projection.FRONTAL, Side.LEFT), view("b", Projection.FRONTAL, Side.LEFT)),
        (
            view("a", Projection.FRONTAL, Side.LEFT, acquired_at="2020-01-01T10:00:00"),
            view("b", Projection.LATERAL, Side.LEFT, acquired_at="2020-01-01T14:00:00"),
        ),
        (view("a", None, Side.LEFT, POSITION, WORDS),),
        (replace(view("a", Projection.FRONTAL, Side.LEFT), flags=other),),
        (view("a", Projection.FRONTAL, Side.BOTH), view("b", None, Side.LEFT)),
        (view("a", None, None), view("b", None, None), view("c", Projection.OBLIQUE, Side.RIGHT)),
    ]
    for views in samples:
        known = {one.id: one for one in views}
        for case in compose_cases(STUDY, views):
            assert bool(case.questions) == bool(open_questions(case, known)), case.questions


def test_of_several_views_for_one_place_the_proposed_one_is_asked_about_with_its_rivals() -> None:
    views = [
        replace(view(name, Projection.FRONTAL, Side.LEFT), acquired_at=f"2020-01-01T10:0{number}:00")
        for number, name in enumerate("abc")
    ]
    (questions,) = asked(*views)
    assert questions == (Question(view_id="c", kind=QuestionKind.REPEAT, rivals=("a", "b")),)


def test_views_taken_apart_ask_about_the_lateral_one() -> None:
    (questions,) = asked(
        view("a", Projection.FRONTAL, Side.LEFT, acquired_at="2020-01-01T10:00:00"),
        view("b", Projection.LATERAL, Side.LEFT, acquired_at="2020-01-01T14:00:00"),
    )
    assert questions == (Question(view_id="b", kind=QuestionKind.APART, rivals=("a",)),)


def test_of_a_blocked_case_nothing_is_asked() -> None:
    study = replace(STUDY, blocked_reason="Two patients are mixed up.")
    assert asked(view("a", None, None), study=study) == [()]


def test_evidence_stands_by_value_with_hints_last() -> None:
    weak = Evidence(source="Study Description", found="lat", says="lateral", rank=9, is_advisory=True)
    found = evidence_by_value(view("a", None, None, NAME, WORDS, POSITION, weak).projection)
    assert found == (("frontal", (POSITION, NAME)), ("lateral", (WORDS, weak)))


def test_the_same_answer_is_offered_only_on_the_same_evidence() -> None:
    disputed = view("a", None, None, POSITION, WORDS)
    same, other = view("b", None, Side.LEFT, POSITION, WORDS), view("c", None, None, POSITION, NAME)
    settled = view("d", Projection.FRONTAL, None, POSITION, WORDS)
    out = replace(view("e", None, None, POSITION, WORDS), excluded_reason="repeat")
    found = alike(disputed, [disputed, same, other, settled, out], QuestionKind.PROJECTION)
    assert [one.id for one in found] == ["b"]


def test_silent_views_of_a_study_may_share_a_side_but_never_a_projection() -> None:
    first, second = view("a", None, None), view("b", None, None)
    elsewhere = replace(view("c", None, None), study_id="2.25.2")
    assert alike(first, [second, elsewhere], QuestionKind.PROJECTION) == ()
    assert [one.id for one in alike(first, [second, elsewhere], QuestionKind.SIDE)] == ["b"]


def test_what_is_known_is_never_answered_for_others() -> None:
    first, second = view("a", Projection.FRONTAL, Side.LEFT), view("b", Projection.FRONTAL, Side.LEFT)
    assert alike(first, [second], QuestionKind.SIDE) == ()
