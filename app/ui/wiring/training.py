"""The training panel in its dock: what would be trained, runs as they go on, and which model answers.

A run is a process of its own that outlives the window. The window only reads its folder, about once a second while
somebody looks or something is under way.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QInputDialog, QMessageBox

from app.core.errors import UserError
from app.ui.docks import switch_dock
from app.ui.jobs_strip import JobLine
from app.ui.language import tr, whole
from app.ui.notices import Banner
from app.ui.wiring.processes import PROGRAM, coxa_process, document_of, end_process, names_of
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.training_run import StopWish
    from app.store.runs import RunSummary
    from app.store.training_setup import TrainingSetup, TrainingWish
    from app.ui.background import BackgroundCall
    from app.ui.training_panel import TrainingPanel

JOB = "training"
LOOK_MS = 1000


class TrainingWiring(Wiring):
    """The Train menu.

    Attributes:
        panel: after the first paint.
        runs: those of the project, newest first, as they were looked at last.
    """

    panel: TrainingPanel | None = None
    runs: tuple[RunSummary, ...] = ()
    _work: BackgroundCall
    _is_stale = False
    _guess: QProcess | None = None
    _chosen = ""
    _told: frozenset[str] = frozenset()

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the Train menu does."""
        return {
            "training": lambda is_on: self._switch(is_on),
            "training_pause": lambda _: self._act("pause"),
            "training_finish": lambda _: self._act("finish"),
            "training_resume": lambda _: self._act("resume"),
            "promote": lambda _: self._act("promote"),
        }

    def connect_shell(self) -> None:
        """The dock is there from the start, so that its place can be restored."""
        window = self.window
        self._dock = QDockWidget(window)
        self._dock.setObjectName("training")
        self._dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        for name in ("findings", "export"):  # tabs: two panels of this size do not fit above each other
            other = window.findChild(QDockWidget, name)
            if other is not None:
                window.tabifyDockWidget(other, self._dock)
        self._dock.hide()
        self._dock.visibilityChanged.connect(lambda _: self._on_visible())
        self._timer = QTimer(window, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    def connect_rest(self) -> None:
        """The panel is made when it is first looked at; runs under way are found when a project opens."""
        from app.ui.background import BackgroundCall

        self._work = BackgroundCall(self.window)
        self._work.finished.connect(self._on_setup)
        self._work.failed.connect(self._on_refused)
        self.project.opened.connect(self._on_opened)
        self.project.closed.connect(self._on_closed)
        self.project.annotated.connect(lambda _: self._follow())
        self.project.cases_changed.connect(self._follow)

    def present(self) -> set[str]:
        """Which commands make sense for the run that is looked at."""
        from app.core.training_run import RunState

        found = set()
        if any(run.state in (RunState.RUNNING, RunState.PREPARING, RunState.QUEUED) for run in self.runs):
            found.add("running run")
        current = self._current
        if current is not None and current.state in (RunState.PAUSED, RunState.BROKEN_OFF, RunState.NEW):
            found.add("stopped run")
        if current is not None and current.has_model:
            found.add("trained run")
        return found

    def retranslate(self) -> None:
        """The dock's title."""
        self._dock.setWindowTitle(tr("Training"))

    def close(self) -> None:
        """The window closes; runs go on by themselves."""
        self._timer.stop()
        if self.window.project is not None:
            self._work.stop()
        end_process(self._guess)
        if self.panel is not None:
            self.panel.stop()

    @property
    def running(self) -> list[RunSummary]:
        """Runs with a living process."""
        from app.core.training_run import RunState

        return [run for run in self.runs if run.state in (RunState.RUNNING, RunState.PREPARING)]

    def pause_all(self) -> None:
        """Ask every run under way to stop after its present step."""
        from app.core.training_run import StopWish
        from app.store.runs import stop

        for run in self.running:
            stop(run.folder, StopWish.PAUSE)

    # --- the panel ---

    @property
    def _current(self) -> RunSummary | None:
        if self.panel is not None and self.panel.runs.current is not None:
            return self.panel.runs.current
        return next(iter(self.running), None) or next(iter(self.runs), None)

    def _switch(self, is_on: bool) -> None:
        if is_on:
            self.make_panel()
        switch_dock(self._dock, is_on)
        if is_on and self.panel is not None:
            self.panel.go.setFocus() if self.panel.go.isEnabled() else self.panel.form.boxes["task"].setFocus()

    def make_panel(self) -> TrainingPanel:
        """The panel; made when it is first looked at."""
        if self.panel is not None:
            return self.panel
        from app.ui.training_panel import TrainingPanel

        panel = self.panel = TrainingPanel(self._dock)
        self._dock.setWidget(panel)
        panel.setup_wanted.connect(self._set_up)
        panel.start_wanted.connect(self.start)
        panel.page_changed.connect(self.look)
        panel.runs.selected.connect(self._on_selected)
        panel.runs.action_wanted.connect(self._act)
        panel.runs.case_wanted.connect(self.window.selection.open_case)
        self.window.promoting.connect_gate(panel)
        return panel

    def _on_visible(self) -> None:
        self.window.actions_by_id["training"].setChecked(not self._dock.isHidden())
        if self._dock.isVisible() and self.window.project is not None and self.project.is_open:
            self.make_panel()
            self.look()
            self._follow()

    def _on_opened(self) -> None:
        if self.panel is not None:
            self.panel.form.forget()
        self._told = frozenset()
        self.look()
        self._follow()

    def _on_closed(self) -> None:
        self._timer.stop()
        self._work.stop()
        end_process(self._guess)
        self.runs = ()
        self.window.jobs.remove(JOB)
        if self.panel is not None:
            self.panel.stop()
            self.panel.runs.show_runs(())

    # --- what would be trained ---

    def _follow(self) -> None:
        """Labels have changed: so may what would be trained."""
        if self.panel is not None and self._dock.isVisible() and self.project.is_open:
            if importlib.util.find_spec("torch") is None:
                self.panel.show_problem(
                    UserError(
                        "Training needs torch, which is not installed.",
                        reason="Coxa was set up with --review-only.",
                        remedy="Run the set-up again, without --review-only.",
                        kind="no-torch",
                    )
                )
                return
            self.panel.ask()

    def _set_up(self) -> None:
        if self.panel is None or not self.project.is_open:
            return
        if self._work.is_running:
            self._is_stale = True
            return
        self._is_stale = False
        wish, path, reader = self.panel.form.wish(), self.project.path, self.project.author
        bundled = self.window.start.models
        self._work.start(lambda _: _worked_out(path, wish, reader, bundled), name="training-setup")

    def _on_setup(self, found: tuple[tuple[object, ...], tuple[object, ...], TrainingSetup | UserError]) -> None:
        if self._is_stale:
            self._set_up()
            return
        if self.panel is None or not self.project.is_open:
            return
        tasks, networks, setup = found
        self.panel.form.show_choices(tasks, networks)  # type: ignore[arg-type]
        if isinstance(setup, UserError):
            self.panel.show_problem(setup)
            return
        self.panel.form.show_setup(setup)
        self.panel.follow()
        self._estimate(setup)

    def _on_refused(self, error: UserError) -> None:
        if self._is_stale:
            self._set_up()
        elif self.panel is not None:
            self.panel.show_problem(error)

    def _estimate(self, setup: TrainingSetup) -> None:
        """How long it takes: a few steps in a process of their own, while nothing else trains."""
        end_process(self._guess)
        if self.running:
            return
        request, plan = setup.proposal.request, setup.proposal.plan
        training = sum(part.value == "training" for part in setup.proposal.folds[0].values())
        words = ["train", "--estimate", "--network", request.network.id, "--preset", request.preset, "--cases",
                 str(training), "--json"]  # fmt: skip
        process = self._guess = coxa_process(self.window, words)
        epochs, folds = plan.epochs, len(setup.proposal.folds)

        def tell() -> None:
            document = document_of(process)
            if document is not None and self._guess is process and self.panel is not None:
                share = epochs / max(int(document["epochs"]), 1)
                self.panel.form.show_estimate(float(document["seconds"]) * share * folds)

        process.finished.connect(lambda *_: tell())
        process.start()

    # --- runs ---

    def start(self) -> None:
        """Freeze the runs and begin."""
        panel = self.panel
        if panel is None or not panel.can_start or panel.form.setup is None:
            return
        from app.store.training_setup import command_of, make_runs

        setup, device = panel.form.setup, panel.form.device
        end_process(self._guess)
        folders = self.project.record(
            lambda store, author: make_runs(store, setup, author=author, command=command_of(setup))
        )
        if not folders:
            return
        self._chosen = folders[0].path.name
        self._begin([folder.path for folder in folders], device=device)
        panel.tabs.setCurrentWidget(panel.runs)
        self.look()

    def _begin(self, folders: list[Path], *, device: str = "auto") -> None:
        """Start the trainer as a process that outlives the window."""
        process = QProcess(self.window)
        process.setProgram(sys.executable)
        process.setArguments([*PROGRAM, "train", *map(str, folders), "--device", device, "--nice", "15"])
        process.setStandardOutputFile(QProcess.nullDevice())
        process.setStandardErrorFile(str(folders[0] / "trainer.log"))
        process.setWorkingDirectory(str(folders[0]))
        if not process.startDetached()[0]:
            self.window.banners.show_error(
                UserError("The training could not be started.", reason="No process could be made.", kind="no-trainer")
            )
        process.deleteLater()

    def look(self) -> None:
        """Read how far the runs are."""
        if self.window.project is None or not self.project.is_open:
            return
        from app.store.runs import Runs

        before = {run.info.id for run in self.running}
        self.runs = tuple(Runs(self.project.path / "runs").all())
        now = {run.info.id for run in self.running}
        if self.panel is not None:
            self.panel.runs.show_runs(self.runs, chosen=self._chosen)
            self._chosen = ""
            self._show_worst()
        is_looked_at = self._dock.isVisible() and self.panel is not None and self.panel.tabs.currentIndex() == 1
        if now or (is_looked_at and self.runs):
            self._timer.start()
        else:
            self._timer.stop()
        self._show_job()
        for run in self.runs:
            if run.info.id in before - now and run.has_model and run.info.id not in self._told:
                self._tell_finished(run)
        if before != now:
            self.window.enable()

    def _show_job(self) -> None:
        running = self.running
        if not running:
            self.window.jobs.remove(JOB)
            return
        run = running[0]
        live = run.live
        detail = tr("epoch {now} of {all}", now=whole(live.epoch), all=whole(run.plan.epochs))
        done = (max(live.epoch, 1) - 1) * max(live.steps, 1) + live.step
        total = run.plan.epochs * max(live.steps, 1)
        buttons = ((tr("Pause"), self.pause_all), (tr("Show"), self._show_runs))
        line = JobLine(title=tr("Training"), detail=detail, done=done, total=total, buttons=buttons)
        self.window.jobs.show_job(JOB, line)

    def show(self) -> TrainingPanel:
        """Bring the panel to the front."""
        panel = self.make_panel()
        switch_dock(self._dock, True)
        return panel

    def _show_runs(self) -> None:
        panel = self.show()
        panel.tabs.setCurrentWidget(panel.runs)

    def _tell_finished(self, run: RunSummary) -> None:
        self._told |= {run.info.id}
        best = run.best
        words = () if best is None or best.auc is None else (tr("AUC {value} on its validation cases.",
                                                                value=f"{best.auc:.3f}"),)  # fmt: skip
        banner = Banner(
            tr("A model was trained."),
            (run.info.title, *words, tr("It answers only after you have promoted it.")),
            tone="info",
            action=(tr("Promote …"), lambda: self.window.promoting.open_gate(run)),
            is_closable=True,
        )
        self.window.banners.show_banner(JOB, banner)

    def _show_worst(self) -> None:
        run = self._current
        if self.panel is None or run is None:
            return
        cases = run.folder.worst()
        self.panel.runs.show_worst(cases, names_of(self.window, [case.id for case in cases]))

    def _on_selected(self) -> None:
        self._show_worst()
        self.window.enable()

    def _act(self, name: str) -> None:
        from app.core.training_run import StopWish
        from app.store.runs import Runs

        run = self._current if name not in ("pause", "finish") else next(iter(self.running), None) or self._current
        if run is None:
            return
        runs = Runs(self.project.path / "runs")
        try:
            match name:
                case "pause":
                    self._stop_run(run, StopWish.PAUSE)
                case "finish":
                    self._stop_run(run, StopWish.FINISH)
                case "resume":
                    self._begin([run.folder.path])
                case "promote":
                    self.window.promoting.open_gate(run)
                case "evaluation":
                    self._show_figures(run)
                case "rename":
                    title, is_ok = QInputDialog.getText(self.window, tr("Rename"), tr("Name of the run"),
                                                        text=run.info.title)  # fmt: skip
                    if is_ok:
                        runs.rename(run.info.id, title)
                case "delete":
                    runs.delete(run.info.id)
                    self._offer_back(run)
        except UserError as error:
            self.window.banners.show_error(error)
        self.look()

    def _stop_run(self, run: RunSummary, wish: StopWish) -> None:
        from app.core.training_run import StopWish as Wish
        from app.store.runs import stop

        if not stop(run.folder, wish) and wish is Wish.FINISH:  # nobody is there to hear it: let it be finished
            run.folder.ask_to_stop(wish)
            self._begin([run.folder.path])

    def _offer_back(self, run: RunSummary) -> None:
        from app.store.runs import Runs

        def restore() -> None:
            Runs(self.project.path / "runs").restore(run.info.id)
            self.window.banners.remove(JOB)
            self.look()

        banner = Banner(tr("The run is in the trash."), (run.info.title,), tone="info",
                        action=(tr("Take back"), restore), is_closable=True)  # fmt: skip
        self.window.banners.show_banner(JOB, banner)

    def _show_figures(self, run: RunSummary) -> None:
        from app.ui.evaluation_dialog import EvaluationDialog

        evaluation = run.folder.evaluation()
        if evaluation is None:
            raise UserError("This run has not been evaluated yet.", reason="It is not finished.", kind="not-finished")
        dialog = EvaluationDialog(evaluation, self.window)
        dialog.case_wanted.connect(self.window.selection.open_case)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    # --- closing ---

    def may_close(self) -> bool:
        """Ask what becomes of a run under way; False keeps the window open."""
        if not self.running:
            return True
        box = QMessageBox(self.window)
        box.setWindowTitle(tr("Training"))
        box.setText(tr("A model is being trained."))
        box.setInformativeText(tr("It can go on while Coxa is closed; you find it again when you open the project."))
        leave = box.addButton(tr("Let it go on"), QMessageBox.ButtonRole.AcceptRole)
        pause = box.addButton(tr("Pause it"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(leave)
        box.exec()
        if box.clickedButton() is pause:
            self.pause_all()
        return box.clickedButton() in (leave, pause)


def _worked_out(
    path: Path, wish: TrainingWish, reader: str, bundled: Path | None
) -> tuple[tuple[object, ...], tuple[object, ...], TrainingSetup | UserError]:
    """Runs in a thread: choices and proposal, through a connection of its own."""
    from app.store.project import ProjectStore
    from app.store.training_setup import set_up, training_choices

    with ProjectStore.open(path, is_read_only=True) as store:
        tasks, networks = training_choices(store)
        try:
            return tasks, networks, set_up(store, wish, reader=reader, bundled=bundled)
        except UserError as error:
            return tasks, networks, error
