"""The engine of the window with a fake process: whatever that does, the window lives, says so, and gets its answers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.counsel import UsableModel
from app.core.engine_messages import Predict
from app.core.errors import UserError
from app.core.finding import ConsultationState
from app.store.project import ProjectStore
from app.ui.engine import Engine
from app.ui.engine_state import EngineFacts, EngineState
from app.ui.engine_words import state_words
from tests.support.cards import make_card
from tests.support.engine_window import MODELS, Plan, impatient
from tests.support.window import application, make_project, wait, wait_until

CASES = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    application()
    return make_project(tmp_path_factory.mktemp("engine") / "project", cases=CASES)


@pytest.fixture
def store(folder: Path) -> Iterator[ProjectStore]:
    for path in (folder / "cache").glob("findings.db*"):
        path.unlink()
    with ProjectStore.open(folder, is_backing_up=False) as opened:
        yield opened


@pytest.fixture
def plan(store: ProjectStore, tmp_path: Path) -> Plan:
    return Plan(tmp_path / "plan.json", store)


@pytest.fixture
def engine(store: ProjectStore, plan: Plan) -> Iterator[Engine]:
    made = Engine(plan.command)
    made.use(store, MODELS, reader="tester")
    yield made
    made.stop()
    made.deleteLater()


def case_ids(store: ProjectStore) -> list[str]:
    return [case.id for case in store.cases.all()]


def states(engine: Engine, case_id: str) -> set[ConsultationState]:
    return {entry.state for entry in engine.consultations(case_id)}


def is_answered(engine: Engine, case_id: str) -> bool:
    return states(engine, case_id) == {ConsultationState.ANSWERED}


def test_the_open_case_is_answered_and_kept(store: ProjectStore, engine: Engine) -> None:
    first = case_ids(store)[0]
    arrived: list[str] = []
    engine.finding_arrived.connect(arrived.append)
    engine.open_case(first)
    wait_until(lambda: is_answered(engine, first))
    assert arrived == [first, first]
    weights = MODELS[0].card.weights_sha256
    found = engine.consultations(first)[0].finding
    assert found is not None
    assert engine.scores(weights)[first].probabilities == found.probabilities
    engine.stop()
    assert store.findings.get(first, weights, found.input_key) is not None
    again = Engine(["no", "program"])  # known answers need no engine
    again.use(store, MODELS)
    again.open_case(first, may_read_images=False)
    wait_until(lambda: is_answered(again, first))
    assert again.state is EngineState.OFF
    assert set(again.scores(weights)) == {first}
    again.stop()


@pytest.mark.parametrize("how", ["kill", "stop", "abort"])
@pytest.mark.parametrize("step", ["greeted", "ready", "started", "answered"])
def test_an_engine_that_ends_or_hangs_at_any_step_is_replaced(
    store: ProjectStore, plan: Plan, engine: Engine, step: str, how: str
) -> None:
    """A stopped process that owes no answer is not noticed, and does no harm, until it is asked something."""
    plan.be(faults=[(step, how)])
    if how == "stop":
        impatient(engine)
    said: list[str] = []
    engine.restarted.connect(said.append)
    first, second = case_ids(store)[:2]
    engine.open_case(first)
    wait_until(lambda: is_answered(engine, first))
    engine.open_case(second)
    wait_until(lambda: is_answered(engine, second))
    assert said == (["silent"] if how == "stop" else ["crashed"])
    assert engine.state in (EngineState.IDLE, EngineState.WORKING)


def test_an_engine_that_stands_still_is_mentioned_before_it_is_started_again(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    plan.be(faults=[("started", "stop")])
    assert engine.process.standing_s == 0
    engine.open_case(case_ids(store)[0])
    wait_until(lambda: engine.process.standing_s > 0.5)
    facts = EngineFacts(device="cpu", device_name="CPU", precision="float32", memory_bytes=0)
    assert state_words(EngineState.WORKING, facts, 0, standing_s=engine.process.standing_s) == "AI: working · CPU"
    assert state_words(EngineState.WORKING, facts, 0, standing_s=12.3) == "AI: no answer for 12 s"
    assert state_words(EngineState.IDLE, facts, 0, standing_s=12.3) == "AI: ready · CPU"


def test_an_engine_that_computes_without_a_word_is_given_time_but_not_for_ever(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    plan.be(faults=[("started", "compute")])  # for a second and a half
    said: list[str] = []
    engine.restarted.connect(said.append)
    first, second = case_ids(store)[:2]
    engine.open_case(first)
    wait_until(lambda: is_answered(engine, first))
    assert said == []
    engine.process.silence_s = 0.7
    plan.be(faults=[("started", "compute")])
    engine.open_case(second)
    wait_until(lambda: is_answered(engine, second))
    assert said == ["silent"]


def test_a_case_at_which_the_engine_ends_twice_does_not_stop_the_others(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    plan.be(faults=[("started", "kill"), ("started", "abort")])
    first, second = case_ids(store)[:2]
    engine.open_case(first)
    wait_until(lambda: ConsultationState.FAILED in states(engine, first))
    engine.open_case(second)
    wait_until(lambda: is_answered(engine, second))
    failed = [entry.failure for entry in engine.consultations(first) if entry.failure]
    assert failed == ["The AI engine ended twice while it worked at this case."]
    engine.open_case(first)
    engine.try_again(first)
    wait_until(lambda: is_answered(engine, first))


def test_an_engine_that_keeps_ending_is_given_up_until_somebody_restarts_it(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    plan.be(faults=[("ready", "kill")] * 4)
    errors: list[UserError] = []
    engine.failed.connect(errors.append)
    first = case_ids(store)[0]
    engine.open_case(first)
    wait_until(lambda: engine.state is EngineState.GIVEN_UP)
    assert [error.kind for error in errors] == ["engine-ended"]
    engine.restart()
    wait_until(lambda: is_answered(engine, first))


def test_an_engine_that_is_not_there_is_said_once_and_not_tried_again(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    plan.be(faults=[("greeted", "exit")])
    errors: list[UserError] = []
    engine.failed.connect(errors.append)
    engine.open_case(case_ids(store)[0])
    wait_until(lambda: engine.state is EngineState.UNAVAILABLE)
    wait(300)
    assert [error.title for error in errors] == ["The AI engine is not installed."]
    missing = Engine(["/no/such/program"])
    missing.failed.connect(errors.append)
    missing.use(store, MODELS)
    missing.start()
    wait_until(lambda: missing.state is EngineState.UNAVAILABLE)
    assert errors[-1].reason == "Its program was not found."
    missing.stop()


def test_what_is_no_answer_ends_the_process_and_noise_is_kept_for_the_report(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    plan.be(faults=[("ready", "noise"), ("started", "garble")])
    said: list[str] = []
    engine.restarted.connect(said.append)
    first = case_ids(store)[0]
    engine.open_case(first)
    wait_until(lambda: is_answered(engine, first))
    assert said == ["garbled"]
    assert "a library complains" in engine.report
    assert str(plan.path.parent) not in engine.report
    assert first not in engine.report


def test_an_answer_to_something_else_is_never_shown(store: ProjectStore, plan: Plan, engine: Engine) -> None:
    plan.be(faults=[("started", "strange")])
    first = case_ids(store)[0]
    engine.open_case(first)
    wait_until(lambda: ConsultationState.WAITING not in states(engine, first) and bool(states(engine, first)))
    assert states(engine, first) == {ConsultationState.ANSWERED, ConsultationState.FAILED}


def test_what_comes_next_is_answered_before_it_is_opened_unless_that_is_paused(
    store: ProjectStore, engine: Engine
) -> None:
    first, second, third = case_ids(store)[:3]
    engine.open_case(first)
    engine.look_ahead([second])
    wait_until(lambda: is_answered(engine, second))
    engine.pause_look_ahead(True)
    engine.look_ahead([third])
    wait(150)
    assert not is_answered(engine, third)
    engine.pause_look_ahead(False)
    wait_until(lambda: is_answered(engine, third))


def test_a_batch_is_stopped_within_a_second_and_what_was_found_is_kept(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    plan.be(pause_s=0.05)
    assert engine.start_batch(case_ids(store))
    assert not engine.start_batch(case_ids(store))
    wait_until(lambda: engine.batch is not None and engine.batch.done >= 1)
    engine.open_case(case_ids(store)[-1])  # goes first
    wait_until(lambda: is_answered(engine, case_ids(store)[-1]))
    assert engine.batch is not None
    begun = time.monotonic()
    engine.cancel_batch()
    wait_until(lambda: engine.waiting_jobs == 0)
    assert time.monotonic() - begun < 30  # measured in bench/engine_window.py
    assert engine.batch.is_cancelled
    done = engine.batch.done
    wait(200)
    assert engine.batch.done == done < CASES
    assert engine.start_batch(case_ids(store))
    wait_until(lambda: engine.batch is not None and engine.batch.is_over)
    assert engine.batch.answered == CASES


def test_moved_clicks_ask_anew_and_the_older_answer_is_not_shown(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    first = case_ids(store)[0]
    engine.open_case(first)
    wait_until(lambda: is_answered(engine, first))
    before = [entry.input_key for entry in engine.consultations(first)]
    case = store.cases.get(first)
    assert case is not None
    assert case.frontal_id is not None
    from app.core.case import Projection

    store.views.confirm(case.frontal_id, projection=Projection.OBLIQUE, author="tester")
    from app.store.resolve import recompose_study

    recompose_study(store, case.study_id, author="tester")
    engine.case_changed(first)
    wait_until(lambda: states(engine, first) == {ConsultationState.IMPOSSIBLE})
    wait_until(lambda: first not in engine.scores(MODELS[0].card.weights_sha256))
    store.views.confirm(case.frontal_id, projection=Projection.FRONTAL, author="tester")
    recompose_study(store, case.study_id, author="tester")
    engine.case_changed(first)
    wait_until(lambda: is_answered(engine, first))  # known still: the same input has the same key
    assert [entry.input_key for entry in engine.consultations(first)] == before


def test_of_a_crop_that_is_being_moved_only_the_newest_is_computed(
    store: ProjectStore, plan: Plan, engine: Engine
) -> None:
    first = case_ids(store)[0]
    engine.open_case(first)
    wait_until(lambda: is_answered(engine, first))
    plan.be(pause_s=0.1)
    entry = engine.consultations(first)[1]
    request = Predict(job=0, model=entry.folder, images="", views=tuple(view.given for view in entry.views))
    answered: list[int] = []
    engine.replied.connect(lambda ticket, _: answered.append(ticket))
    tickets = [engine.ask(request, card=entry.card, channel="crop") for _ in range(8)]
    wait_until(lambda: tickets[-1] in answered)
    assert len(answered) <= 2


def test_another_project_gets_none_of_the_answers_of_the_first(
    store: ProjectStore, plan: Plan, engine: Engine, tmp_path: Path
) -> None:
    plan.be(pause_s=0.2)
    first = case_ids(store)[0]
    engine.open_case(first)
    wait_until(lambda: engine.state is EngineState.WORKING)
    with ProjectStore.open(make_project(tmp_path / "other", cases=1)) as other:
        engine.use(other, MODELS)
        plan.learn(other)
        theirs = other.cases.all()[0].id
        engine.open_case(theirs)
        wait_until(lambda: is_answered(engine, theirs))
        assert engine.consultations(first) == () or theirs == first
        engine.stop()


def test_stopping_leaves_no_process_behind(store: ProjectStore, engine: Engine) -> None:
    engine.start()
    wait_until(lambda: engine.state is EngineState.IDLE)
    pid = engine.process.pid
    os.kill(pid, signal.SIGSTOP)
    engine.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_findings_of_the_model_before_are_outdated_until_the_present_one_has_looked(
    store: ProjectStore, engine: Engine, tmp_path: Path
) -> None:
    pair, single = MODELS
    ids = case_ids(store)
    engine.start_batch(ids[:3])
    wait_until(lambda: engine.batch is not None and engine.batch.is_over)
    newer = UsableModel(folder="newer", card=make_card("newer"), earlier=(single.card.weights_sha256,))
    Plan(tmp_path / "plan.json", store, (pair, newer))
    engine.restart()
    engine.set_models((pair, newer))
    assert not engine.has_all_scores
    wait_until(lambda: engine.has_all_scores)
    assert engine.outdated(newer) == set(ids[:3])
    assert engine.outdated(pair) == set()
    engine.open_case(ids[0])
    wait_until(lambda: is_answered(engine, ids[0]))
    assert engine.outdated(newer) == set(ids[1:3])
    engine.set_models(MODELS)  # back: what was said before holds at once
    wait_until(lambda: engine.has_all_scores)
    assert set(engine.scores(single.card.weights_sha256)) == set(ids[:3])
