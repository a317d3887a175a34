"""What is running: the AI engine, and what models say about the cases of the open project.

The engine works in a process of its own. What takes time besides (working out what a model is fed, looking up and
keeping findings) happens in one patient thread. Nothing here is ever waited for by the window.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from itertools import count

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.batch_run import BatchProgress
from app.core.case_jobs import CaseJobs
from app.core.counsel import Counsel, LocatedHip, LocatedRegion, UsableModel
from app.core.engine_messages import (
    Cancelled,
    EngineReply,
    EngineRequest,
    Failed,
    Hello,
    Located,
    Predict,
    Ready,
    Result,
    Started,
    Unload,
)
from app.core.errors import UserError
from app.core.finding import Consultation, Finding
from app.core.job_book import Purpose
from app.core.model_card import ModelCard
from app.core.restarts import RestartRule
from app.store.findings import Score
from app.store.project import ProjectStore
from app.ui.counsel_desk import CounselDesk
from app.ui.engine_process import EngineProcess
from app.ui.engine_state import EngineFacts, EngineState

UNLOAD_AFTER_MS = 600_000
RESTART_MS = 200
CPU_DEPTH, GPU_DEPTH = 3, 32  # jobs at the engine at a time
FAULTS_KEPT = 5
FOLDERS = re.compile(r"(?:[A-Za-z]:)?[/\\](?:[^/\\\s\"':;,]+[/\\])+")
"""Folders of a path; its last part says which file of which library it is."""


class Engine(QObject):
    """The AI engine and its jobs.

    Args:
        command: program and arguments of its process.
        hello: device, precision, batch and threads that are wished.

    Attributes:
        facts: what the engine said about itself; None before.
        error: why it does not work; None while it does.

    Signals:
        state_changed: `state`, `facts` or `error` are others.
        known_changed: id of a case whose `consultations` say something else.
        finding_arrived: id of a case about which a model has said something now.
        scores_changed: `scores` has other entries.
        batch_changed: a `BatchProgress`.
        replied: ticket of `ask`, and the `Result` or `Failed`.
        restarted: the engine has ended by itself (how, in a word) and is being started again.
        failed: a `UserError`: the engine does not work any more, or a project cannot be read.
    """

    state_changed = Signal()
    known_changed = Signal(str)
    finding_arrived = Signal(str)
    scores_changed = Signal()
    batch_changed = Signal(object)
    replied = Signal(int, object)
    restarted = Signal(str)
    failed = Signal(object)

    def __init__(self, command: Sequence[str], parent: QObject | None = None, *, hello: Hello | None = None) -> None:
        super().__init__(parent)
        self._hello = hello or Hello()
        self.process = EngineProcess(command, lambda: self._cases is not None and self._cases.book.is_busy, self)
        self.process.replied.connect(self._on_reply)
        self.process.ended.connect(self._on_ended)
        self._rule = RestartRule()
        self._numbers = count(1)
        self._desk: CounselDesk | None = None
        self._cases: CaseJobs | None = None
        self._is_ahead_paused = False
        self._state = EngineState.OFF
        self._refusal: UserError | None = None
        self.facts: EngineFacts | None = None
        self.error: UserError | None = None
        self._faults: list[str] = []
        self._unload_later = QTimer(self, singleShot=True, interval=UNLOAD_AFTER_MS)
        self._unload_later.timeout.connect(lambda: self.process.send(Unload()))
        self._restart_soon = QTimer(self, singleShot=True, interval=RESTART_MS)
        self._restart_soon.timeout.connect(self._start_process)

    # --- what is known; all of it is at hand ---

    @property
    def state(self) -> EngineState:
        """What the engine is doing."""
        return self._state

    @property
    def models(self) -> tuple[UsableModel, ...]:
        """The models that are asked about every case."""
        return self._desk.models if self._desk is not None else ()

    @property
    def localiser(self) -> UsableModel | None:
        """The model that finds the hip."""
        return self._desk.localiser if self._desk is not None else None

    @property
    def waiting_jobs(self) -> int:
        """Jobs that wait or are under way."""
        return self._cases.book.count if self._cases is not None else 0

    @property
    def batch(self) -> BatchProgress | None:
        """How far the batch is; None while there was none."""
        return self._cases.batch if self._cases is not None else None

    def consultations(self, case_id: str) -> tuple[Consultation, ...]:
        """What is known about a case, one for each model; none while nobody has looked."""
        return self._cases.consultations(case_id) if self._cases is not None else ()

    def located(self, view_id: str) -> LocatedRegion | None:
        """The region that a localiser proposes for a view of a case that was looked at."""
        return self._cases.located(view_id) if self._cases is not None else None

    def scores(self, weights_sha256: str) -> dict[str, Score]:
        """What these weights say about every case whose finding is up to date, by case."""
        return self._desk.scores.get(weights_sha256, {}) if self._desk is not None else {}

    @property
    def has_all_scores(self) -> bool:
        """Whether what was kept of the models that are asked has been read."""
        return self._desk is not None and self._desk.is_caught_up

    def outdated(self, model: UsableModel) -> frozenset[str]:
        """The cases about which only models said something that do not answer in this one's place any more."""
        earlier = (self.scores(weights) for weights in model.earlier)
        return frozenset().union(*earlier) - self.scores(model.card.weights_sha256).keys()

    @property
    def report(self) -> str:
        """What people who look after Coxa need: device, faults, and the last lines of libraries; nothing of a case."""
        facts = self.facts
        about = f"{facts.device} ({facts.device_name}), {facts.precision}" if facts is not None else "never ready"
        text = "\n".join((f"AI engine: {self._state}, {about}", *self._faults, *self.process.noise))
        return FOLDERS.sub("…", text)  # the name of a folder may be that of a person

    # --- project and process ---

    def use(
        self,
        store: ProjectStore | None,
        models: Iterable[UsableModel] = (),
        *,
        localiser: UsableModel | None = None,
        reader: str = "",
    ) -> None:
        """Work for another project, or for none.

        Args:
            store: the project; it must stay open until the engine works for another one, or for none.
            models: those that are asked about every case.
            localiser: proposes regions where nobody has drawn one.
            reader: whose clicks and boxes come first.
        """
        if self._cases is not None:
            self._cases.cancel_batch()
            self._cases.drop_all()
        if self._desk is not None:
            self._desk.close()
            self._desk.deleteLater()
        self._desk = self._cases = None
        if store is not None:
            desk = self._desk = CounselDesk(store, tuple(models), localiser=localiser, reader=reader, parent=self)
            desk.scores_changed.connect(self.scores_changed)
            desk.failed.connect(self.failed)
            heatmaps = str(store.findings.heatmap_folder)
            outlet = _Outlet(self, desk)
            self._cases = CaseJobs(outlet, images=str(store.folder.images), heatmaps=heatmaps, numbers=self._numbers)
            self._cases.pause_look_ahead(self._is_ahead_paused)
            if self._state in (EngineState.IDLE, EngineState.WORKING):
                self._cases.engine_ready(self._depth)
            desk.catch_up(is_all_new=True)
        self._follow()

    def set_models(self, models: Iterable[UsableModel], *, localiser: UsableModel | None = None) -> None:
        """Ask other models from now on."""
        if self._desk is not None and self._cases is not None:
            self._desk.set_models(tuple(models), localiser)
            self._cases.forget()
            self._follow()

    def set_reader(self, reader: str) -> None:
        """Another person reads: whose clicks and boxes come first."""
        if self._desk is not None and self._cases is not None and self._desk.reader != reader:
            self._desk.reader = reader
            self._cases.forget()

    def start(self) -> None:
        """Start the process, so that it is warm when it is needed."""
        if self.models and self._state is EngineState.OFF:
            self._start_process()

    def restart(self) -> None:
        """Start the process anew: a person has asked for it."""
        self.process.stop()
        self._rule.forgive()
        self._refusal = self.error = None
        self._set_state(EngineState.OFF)
        if self._cases is not None:
            self._cases.engine_ended()
            self._cases.try_failed_again()
        self.start()

    def stop(self) -> None:
        """End everything and wait until it has ended."""
        self._unload_later.stop()
        self._restart_soon.stop()
        self.process.stop()
        self.use(None)
        self._set_state(EngineState.OFF)

    # --- asking ---

    def open_case(self, case_id: str, *, may_read_images: bool = True) -> None:
        """This case is on the screen, or will be: everything about it goes first.

        Args:
            case_id: the case; empty = none.
            may_read_images: False while its images are still being prepared, which computes what is needed too.
        """
        if self._cases is not None:
            self._cases.open_case(case_id, may_read_images=may_read_images)

    def look_ahead(self, case_ids: Iterable[str]) -> None:
        """These cases may be opened next, the likeliest first; what was looked ahead at before is forgotten."""
        if self._cases is not None:
            self._cases.look_ahead(case_ids)

    def pause_look_ahead(self, is_paused: bool) -> None:
        """Look at nothing ahead for now, or do so again."""
        self._is_ahead_paused = is_paused
        if self._cases is not None:
            self._cases.pause_look_ahead(is_paused)

    def try_again(self, case_id: str) -> None:
        """Ask the models about a case once more where they have failed."""
        if self._cases is not None:
            self._cases.try_again(case_id)

    def ask_heatmap(
        self, case_id: str, model_id: str, method: str, class_number: int, *, has_points: bool = False
    ) -> bool:
        """Have a heatmap of another method or class made; `finding_arrived` follows.

        Returns:
            Whether it was asked for; False when it is there, or when the case has no answer yet.
        """
        if self._cases is None:
            return False
        return self._cases.ask_heatmap(case_id, model_id, method, class_number, has_points=has_points)

    def ask(self, request: Predict, *, card: ModelCard, channel: str) -> int:
        """Ask something that is not kept: a crop that is being moved, one view without the other.

        Args:
            request: its number, images and priority are put in here; heatmaps need a folder.
            card: of the model that is asked; an answer of another one becomes a `Failed`.
            channel: an older question of this channel that has not begun is forgotten.

        Returns:
            A ticket; `replied` brings it with the answer. 0 while no project is open.
        """
        return self._cases.ask(request, card=card, channel=channel) if self._cases is not None else 0

    def start_batch(self, case_ids: Iterable[str]) -> bool:
        """Ask about many cases; False while another batch is under way or nobody can be asked."""
        return self._cases is not None and bool(self.models) and self._cases.start_batch(case_ids)

    def cancel_batch(self) -> None:
        """Ask about no more cases; what has begun is finished and kept."""
        if self._cases is not None:
            self._cases.cancel_batch()
            self._follow()

    def case_changed(self, case_id: str) -> None:
        """Something was annotated or decided: what models are fed of this case may be another thing now."""
        if self._desk is not None and self._cases is not None:
            self._desk.catch_up()
            self._cases.case_changed(case_id)

    def cases_changed(self) -> None:
        """Anything in the project may be another thing now."""
        if self._desk is not None and self._cases is not None:
            self._desk.catch_up()
            self._cases.all_changed()

    # --- inside ---

    @property
    def _depth(self) -> int:
        return CPU_DEPTH if self.facts is None or self.facts.device == "cpu" else GPU_DEPTH

    def send(self, *requests: EngineRequest) -> None:
        """What the jobs of a project send."""
        self.process.send(*requests)

    def take_counsel(self, desk: CounselDesk, counsel: Counsel) -> None:
        """Something was looked up; it counts if it is about the project that is open."""
        if desk is self._desk and self._cases is not None:
            self._cases.take_counsel(counsel)
            self._follow()

    def _start_process(self) -> None:
        self._set_state(EngineState.STARTING)
        self.process.start(self._hello)

    def _on_reply(self, reply: EngineReply) -> None:
        match reply:
            case Ready():
                self.facts = EngineFacts(
                    device=reply.device,
                    device_name=reply.device_name,
                    precision=reply.precision,
                    memory_bytes=reply.memory_bytes,
                )
                self._set_state(EngineState.IDLE)
                if self._cases is not None:
                    self._cases.engine_ready(self._depth)
            case Failed(job=-1):
                self._note_fault(reply)
                if self._state is EngineState.STARTING:
                    self._refusal = UserError(reply.title, reason=reply.reason, remedy=reply.remedy, kind=reply.kind)
            case _ if self._cases is None:
                pass
            case Started():
                self._cases.begun(reply.job)
            case Cancelled():
                self._cases.cancelled(reply.job)
            case Result() | Located() | Failed():
                if isinstance(reply, Failed):
                    self._note_fault(reply)
                self._cases.take_reply(reply)
        self._follow()

    def _note_fault(self, reply: Failed) -> None:
        if reply.kind == "fault" or reply.job < 0:
            self._faults = [*self._faults, f"{reply.title} {reply.reason}\n{reply.traceback}"][-FAULTS_KEPT:]

    def _on_ended(self, how: str) -> None:
        if self._cases is not None:
            self._cases.engine_ended()
        refusal, self._refusal = self._refusal, None
        if how in ("exited", "not-started"):
            self.error = refusal or UserError(
                "The AI engine cannot be started.",
                reason="Its program ended at once." if how == "exited" else "Its program was not found.",
                remedy="Run the set-up again; a report of what it said can be copied.",
                kind="no-engine",
            )
            self._stand_still(EngineState.UNAVAILABLE)
        elif self._rule.may_restart(time.monotonic()):
            self._set_state(EngineState.STARTING)
            self._restart_soon.start()
            self.restarted.emit(how)
        else:
            self.error = UserError(
                "The AI engine keeps ending.",
                reason="It has ended four times within a minute.",
                remedy="Everything else works. Restart it, or copy the report for the people who look after Coxa.",
                kind="engine-ended",
            )
            self._stand_still(EngineState.GIVEN_UP)

    def _stand_still(self, state: EngineState) -> None:
        """The engine does not work until somebody does something about it."""
        if self._cases is not None:
            self._cases.cancel_batch()
        self._set_state(state)
        assert self.error is not None
        self.failed.emit(self.error)

    def _follow(self) -> None:
        """Let the state follow what there is to do."""
        is_idle = self._cases is None or self._cases.book.is_idle
        if self._state is EngineState.OFF and not is_idle:
            self._start_process()
        elif self._state in (EngineState.IDLE, EngineState.WORKING):
            self._set_state(EngineState.IDLE if is_idle else EngineState.WORKING)

    def _set_state(self, state: EngineState) -> None:
        if state is self._state:
            return
        self._state = state
        if state is EngineState.IDLE:
            self._unload_later.start()
        else:
            self._unload_later.stop()
        self.state_changed.emit()


class _Outlet:
    """What follows in the jobs of one project; nothing of an older project reaches a newer one."""

    def __init__(self, engine: Engine, desk: CounselDesk) -> None:
        self._engine, self._desk = engine, desk

    def send(self, *requests: EngineRequest) -> None:
        self._engine.send(*requests)

    def consult(self, case_id: str, purpose: Purpose, *, may_read_images: bool) -> None:
        self._desk.consult(case_id, self._take, urgency=int(purpose), may_read_images=may_read_images)

    def keep(self, finding: Finding, *, is_current: bool) -> None:
        self._desk.keep(finding, is_current=is_current)

    def keep_hip(self, key: bytes, hip: LocatedHip) -> None:
        self._desk.keep_hip(key, hip)

    def known(self, case_id: str) -> None:
        self._engine.known_changed.emit(case_id)

    def arrived(self, case_id: str) -> None:
        self._engine.finding_arrived.emit(case_id)

    def progressed(self, progress: BatchProgress) -> None:
        self._engine.batch_changed.emit(progress)

    def replied(self, ticket: int, reply: Result | Failed) -> None:
        self._engine.replied.emit(ticket, reply)

    def _take(self, counsel: Counsel) -> None:
        self._engine.take_counsel(self._desk, counsel)
