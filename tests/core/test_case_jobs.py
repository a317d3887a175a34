"""Whose answer each reply is, in whatever order a person and the engine do things."""

from __future__ import annotations

import random
from dataclasses import replace

from app.core.batch_run import BatchProgress
from app.core.case import ViewRole
from app.core.case_jobs import OTHER_ANSWER, CaseJobs
from app.core.counsel import Counsel, LocatedHip, UsableModel, WantedHip
from app.core.engine_messages import (
    Cancel,
    EngineRequest,
    Failed,
    Locate,
    Located,
    Predict,
    Result,
    ViewInput,
    WholeView,
)
from app.core.finding import Consultation, ConsultationState, FedView, Finding, Gap
from app.core.geometry import Crop
from app.core.grey import GreyScale, Photometric, Window
from app.core.job_book import Purpose
from app.core.restarts import RestartRule
from tests.support.cards import make_card

MODELS = tuple(UsableModel(folder=name, card=make_card(name)) for name in ("one", "two"))
LOCALISER = UsableModel(folder="localiser", card=make_card("localiser"))
GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)
VOI = Window(center=2048, width=4096)
CUT = Crop(matrix=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), size_px=32)
CASES = tuple(f"C{number}" for number in range(6))
UNPLACED, NEEDY = "C4", "C5"  # one model needs a view that is not there; a hip must be located first


def truth(weights: str, key: str) -> float:
    """What these weights say about this input."""
    return random.Random(f"{weights} {key}").random()


class World:
    """A project, an engine and a thread that looks things up, each as slow as it likes."""

    def __init__(self) -> None:
        self.version = dict.fromkeys(CASES, 0)
        self.kept: dict[tuple[str, str], Finding] = {}
        self.hips: dict[bytes, LocatedHip] = {}
        self.questions: list[str] = []
        self.engine: dict[int, EngineRequest] = {}
        self.begun: set[int] = set()
        self.cancelled: list[int] = []
        self.is_alive = False
        self.progress: list[BatchProgress] = []
        self.arrivals: list[str] = []
        self.replies: dict[int, object] = {}
        self.jobs = CaseJobs(self, images="images", heatmaps="heatmaps")

    # --- what CaseJobs wants done ---

    def send(self, *requests: EngineRequest) -> None:
        for request in requests:
            if isinstance(request, Cancel):
                self.cancelled += [number for number in request.jobs if number in self.engine.keys() - self.begun]
            elif self.is_alive:
                assert isinstance(request, Predict | Locate)
                self.engine[request.job] = request

    def consult(self, case_id: str, purpose: Purpose, *, may_read_images: bool) -> None:
        self.questions.append(case_id)

    def keep(self, finding: Finding, *, is_current: bool) -> None:
        self.kept[finding.weights_sha256, finding.input_key] = finding

    def keep_hip(self, key: bytes, hip: LocatedHip) -> None:
        self.hips[key] = hip

    def known(self, case_id: str) -> None:
        pass

    def arrived(self, case_id: str) -> None:
        self.arrivals.append(case_id)

    def progressed(self, progress: BatchProgress) -> None:
        self.progress.append(progress)

    def replied(self, ticket: int, reply: Result | Failed) -> None:
        self.replies[ticket] = reply

    # --- what happens ---

    def counsel(self, case_id: str) -> Counsel:
        """What is known of a case as it is now."""
        key, hip_key = f"{case_id} {self.version[case_id]}", f"hip {case_id}".encode()
        entries: list[Consultation] = []
        wanted: tuple[WantedHip, ...] = ()
        for model in MODELS:
            entry = Consultation(case_id=case_id, card=model.card, folder=model.folder, state=ConsultationState.UNKNOWN)
            given = ViewInput(image_sha256=key, grey=GREY, voi=VOI, cut=CUT)
            views = (FedView(role=ViewRole.FRONTAL, view_id=f"V-{case_id}", given=given),)
            finding = self.kept.get((model.card.weights_sha256, key))
            if case_id == UNPLACED and model is MODELS[0]:
                entry = replace(entry, state=ConsultationState.IMPOSSIBLE, gap=Gap.MISSING_VIEW)
            elif case_id == NEEDY and hip_key not in self.hips:
                look = WholeView(image_sha256=key, grey=GREY, voi=VOI, rows=9, cols=9)
                wanted = (WantedHip(key=hip_key, model=LOCALISER, given=look),)
            elif finding is not None:
                state = ConsultationState.ANSWERED
                finding = replace(finding, case_id=case_id)
                entry = replace(entry, state=state, views=views, input_key=key, finding=finding)
            else:
                entry = replace(entry, views=views, input_key=key)
            entries.append(entry)
        return Counsel(case_id=case_id, consultations=tuple(entries), wanted=wanted)

    def answer_question(self) -> None:
        """The thread answers, with what holds at that moment."""
        if self.questions:
            self.jobs.take_counsel(self.counsel(self.questions.pop(0)))

    def compute(self, dice: random.Random, *, may_fail: bool = True) -> None:
        """The engine does something with one of its jobs."""
        if self.cancelled and dice.random() < 0.5:
            number = self.cancelled.pop()
            if number in self.engine.keys() - self.begun:
                del self.engine[number]
                self.jobs.cancelled(number)
            return
        if not self.engine:
            return
        number = dice.choice(sorted(self.engine))
        if number not in self.begun:
            self.begun.add(number)
            self.jobs.begun(number)
            return
        self.begun.discard(number)
        request = self.engine.pop(number)
        if may_fail and dice.random() < 0.03:
            self.jobs.take_reply(Failed(job=number, kind="fault", title="No."))
        elif isinstance(request, Locate):
            self.jobs.take_reply(
                Located(
                    job=number,
                    weights_sha256=LOCALISER.card.weights_sha256,
                    input_key="k",
                    center_xy=(4.0, 5.0),
                    confidence=0.9,
                    seconds=0,
                )
            )
        else:
            assert isinstance(request, Predict)
            weights = next(model.card.weights_sha256 for model in MODELS if model.folder == request.model)
            key = request.views[0].image_sha256
            share = truth(weights, key)
            self.jobs.take_reply(
                Result(job=number, weights_sha256=weights, input_key=key, probabilities=(1 - share, share), seconds=0)
            )

    def die(self) -> None:
        """The engine ends."""
        self.is_alive = False
        self.engine.clear()
        self.begun.clear()
        self.cancelled.clear()
        self.jobs.engine_ended()

    def live(self) -> None:
        """The engine is ready."""
        if not self.is_alive:
            self.is_alive = True
            self.jobs.engine_ready(3)

    def check(self) -> None:
        """Nothing that is shown belongs to another case, other weights or another input."""
        for case_id in CASES:
            for entry in self.jobs.consultations(case_id):
                assert entry.case_id == case_id
                if entry.finding is not None:
                    names = (entry.finding.case_id, entry.finding.weights_sha256, entry.finding.input_key)
                    assert names == (case_id, entry.card.weights_sha256, entry.input_key)
                    assert entry.finding.probabilities[1] == truth(*names[1:])
                    assert entry.input_key.startswith(case_id)

    def settle(self, dice: random.Random) -> None:
        """Let everything come to its end."""
        self.live()
        for _ in range(4000):
            if not self.questions and not self.engine and self.jobs.book.is_idle:
                break
            self.answer_question()
            self.compute(dice, may_fail=False)
        assert self.jobs.book.is_idle, "something waits for ever"


def step(world: World, dice: random.Random) -> None:
    """One thing that a person, the thread or the engine does."""
    jobs, case_id = world.jobs, dice.choice(CASES)
    match dice.randrange(16):
        case 0 | 1:
            jobs.open_case(case_id, may_read_images=True)
        case 2:
            jobs.look_ahead(dice.sample(CASES, 3))
        case 3:
            world.version[case_id] += 1
            jobs.case_changed(case_id)
        case 4:
            jobs.start_batch(dice.sample(CASES, 4))
        case 5 if dice.random() < 0.5:
            jobs.cancel_batch()
        case 6 if dice.random() < 0.3:
            world.die()
        case 7:
            world.live()
        case 8 if dice.random() < 0.3:
            jobs.pause_look_ahead(dice.random() < 0.5)
        case 9 if dice.random() < 0.2:
            jobs.forget()
        case 10 | 11 | 12:
            world.answer_question()
        case _:
            world.compute(dice)


def test_no_answer_is_ever_shown_on_another_case() -> None:
    """10,000 random orders of switching, changing, batches, answers, failures and ends of the engine."""
    answered = 0
    for seed in range(10_000):
        dice, world = random.Random(seed), World()
        world.live()
        for _ in range(dice.randrange(6, 26)):
            step(world, dice)
            world.check()
        answered += len(world.arrivals)
        if seed % 20:
            continue
        world.jobs.open_case("C0", may_read_images=True)  # and everything comes to its end
        world.jobs.try_again("C0")
        world.settle(dice)
        world.check()
        states = {entry.state for entry in world.jobs.consultations("C0")}
        assert states == {ConsultationState.ANSWERED}
        batch = world.jobs.batch
        assert batch is None or batch.is_over
    assert answered > 4_000, "the orders must let the engine answer"


def test_the_open_case_goes_before_the_next_ones_and_those_before_a_batch() -> None:
    world = World()
    world.jobs.start_batch(["C2", "C3"])
    world.jobs.look_ahead(["C1"])
    world.jobs.open_case("C0", may_read_images=True)
    while world.questions:
        world.answer_question()
    world.live()
    sent = [request.views[0].image_sha256 for request in world.engine.values() if isinstance(request, Predict)]
    assert [name.split()[0] for name in sent] == ["C0", "C0", "C1"]
    priorities = [request.priority for request in world.engine.values() if isinstance(request, Predict)]
    assert priorities == [Purpose.OPEN, Purpose.OPEN, Purpose.AHEAD]


def test_a_hip_is_located_once_and_then_the_models_are_asked() -> None:
    world = World()
    world.live()
    world.jobs.open_case(NEEDY, may_read_images=True)
    world.jobs.open_case(NEEDY, may_read_images=True)
    world.answer_question()
    world.answer_question()
    assert [type(request) for request in world.engine.values()] == [Locate]
    assert {entry.state for entry in world.jobs.consultations(NEEDY)} == {ConsultationState.WAITING}
    world.settle(random.Random(1))
    assert {entry.state for entry in world.jobs.consultations(NEEDY)} == {ConsultationState.ANSWERED}
    assert len(world.hips) == 1


def test_a_job_at_which_the_engine_ends_twice_is_given_up_and_may_be_asked_again() -> None:
    world, dice = World(), random.Random(0)
    world.live()
    world.jobs.open_case("C0", may_read_images=True)
    world.answer_question()
    for _ in range(2):
        for number in list(world.engine):
            world.jobs.begun(number)
        world.die()
        world.live()
    assert {entry.state for entry in world.jobs.consultations("C0")} == {ConsultationState.FAILED}
    assert not world.engine
    world.jobs.try_again("C0")
    world.settle(dice)
    assert {entry.state for entry in world.jobs.consultations("C0")} == {ConsultationState.ANSWERED}


def test_a_reply_about_something_else_than_was_asked_is_no_finding() -> None:
    world = World()
    world.live()
    world.jobs.open_case("C0", may_read_images=True)
    world.answer_question()
    number = next(iter(world.engine))
    world.jobs.take_reply(
        Result(job=number, weights_sha256="e" * 64, input_key="C1 0", probabilities=(0.1, 0.9), seconds=0)
    )
    states = sorted(entry.state for entry in world.jobs.consultations("C0"))
    assert states == [ConsultationState.FAILED, ConsultationState.WAITING]
    assert not world.kept


def test_nothing_that_another_model_says_is_kept_or_shown() -> None:
    """The files of a model, or of the localiser, were exchanged under the engine."""
    world = World()
    world.live()
    world.jobs.open_case(NEEDY, may_read_images=True)
    world.answer_question()
    (asked,) = world.engine.values()
    assert isinstance(asked, Locate)
    assert asked.model_key == LOCALISER.card.answer_key
    world.jobs.take_reply(
        Located(job=asked.job, weights_sha256="e" * 64, input_key="k", center_xy=(4.0, 5.0), confidence=0.9, seconds=0)
    )
    assert not world.hips
    assert {entry.failure for entry in world.jobs.consultations(NEEDY)} == {OTHER_ANSWER}
    view = ViewInput(image_sha256="x", grey=GREY, voi=VOI, cut=CUT)
    ticket = world.jobs.ask(Predict(job=0, model="one", images="", views=(view,)), card=MODELS[0].card, channel="crop")
    sent = world.engine[ticket]
    assert isinstance(sent, Predict)
    assert sent.model_key == MODELS[0].card.answer_key
    world.jobs.take_reply(
        Result(job=ticket, weights_sha256="e" * 64, input_key="x", probabilities=(0.1, 0.9), seconds=0)
    )
    reply = world.replies[ticket]
    assert isinstance(reply, Failed)
    assert reply.title == OTHER_ANSWER


def test_what_was_looked_up_before_an_answer_came_does_not_take_it_away() -> None:
    world, dice = World(), random.Random(3)
    world.live()
    world.jobs.open_case("C0", may_read_images=True)
    world.answer_question()
    world.jobs.case_changed("C0")
    older = world.counsel(world.questions.pop())  # looked up now, and told later
    world.settle(dice)
    asked = world.jobs.book.new_number()
    world.jobs.take_counsel(older)
    assert {entry.state for entry in world.jobs.consultations("C0")} == {ConsultationState.ANSWERED}
    assert not world.engine
    assert world.jobs.book.new_number() == asked + 1, "nothing is computed twice"
    world.version["C0"] += 1  # what it is fed is another thing now: the older answer is none
    world.jobs.take_counsel(world.counsel("C0"))
    assert {entry.state for entry in world.jobs.consultations("C0")} == {ConsultationState.WAITING}


def test_a_batch_counts_what_was_answered_what_cannot_be_asked_and_stops_at_once() -> None:
    world, dice = World(), random.Random(3)
    world.live()
    world.jobs.start_batch(["C0", "C1", UNPLACED])
    assert not world.jobs.start_batch(["C2"])
    world.settle(dice)
    last = world.progress[-1]
    assert (last.total, last.done, last.answered, last.impossible, last.failed) == (3, 3, 3, 0, 0)
    world.jobs.start_batch(CASES)
    while world.questions:
        world.answer_question()
    world.jobs.cancel_batch()
    assert world.progress[-1].is_over
    assert world.progress[-1].is_cancelled
    assert world.jobs.book.to_send() == []


def test_of_live_questions_only_the_newest_waits() -> None:
    world = World()
    request = Predict(
        job=0, model="one", images="images", views=(ViewInput(image_sha256="x", grey=GREY, voi=VOI, cut=CUT),)
    )
    tickets = [world.jobs.ask(request, card=MODELS[0].card, channel="crop") for _ in range(5)]
    world.live()
    assert list(world.engine) == tickets[-1:]
    world.compute(random.Random(0))
    world.compute(random.Random(0))
    assert set(world.replies) == {tickets[-1]}


def test_an_engine_is_started_again_three_times_a_minute() -> None:
    rule = RestartRule()
    assert [rule.may_restart(second) for second in (0, 1, 2, 3)] == [True, True, True, False]
    assert rule.may_restart(61)
    rule.forgive()
    assert [rule.may_restart(62) for _ in range(4)] == [True, True, True, False]
