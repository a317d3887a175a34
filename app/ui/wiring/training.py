"""The training panel in its dock: what would be trained, runs as they go on, and which model answers.

A run is a process of its own that outlives the window. The window only reads its folder, about once a second while
somebody looks or something is under way.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QInputDialog, QMessageBox

from app.core.errors import UserError
from app.ui.docks import dock_named, fill, switch_dock
from app.ui.jobs_strip import JobLine
from app.ui.language import tr, whole
from app.ui.notices import Banner
from app.ui.wiring.folds import Folds
from app.ui.wiring.processes import PROGRAM, names_of
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.training_run import StopWish
    from app.store.runs import RunSummary
    from app.ui.training_panel import TrainingPanel

JOB = "training"
LOOK_MS = 1000
NICE = 15  # of the trainer; the engine has 10, the window 0
STARTING_S = 120.0  # until a process that has been started must have said something


class TrainingWiring(Wiring):
    """The Train menu.

    Attributes:
        panel: after the first paint.
        runs: those of the project, newest first, as they were looked at last.
    """

    late_turn = 9
    late_imports = ("app.core.training_run",)
    panel: TrainingPanel | None = None
    runs: tuple[RunSummary, ...] = ()
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
        self._begun: dict[str, float] = {}
        self.folds = Folds(window)
        self._dock = QDockWidget(window)
        self._dock.setObjectName("training")
        self._dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        findings = dock_named(window, "findings")
        for dock in (dock_named(window, "export"), self._dock):
            if findings is not None and dock is not None:  # tabs: panels of this size do not fit above each other
                window.tabifyDockWidget(findings, dock)
        self._dock.hide()
        self._dock.visibilityChanged.connect(lambda _: self._on_visible())
        self._timer = QTimer(window, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    def connect_rest(self) -> None:
        """The panel is made when it is first looked at; runs under way are found when a project opens."""
        self.project.opened.connect(self._on_opened)
        self.project.closed.connect(self._on_closed)

    def catch_up(self) -> None:
        """Find the runs of the project that is open; show them if the dock was open the last time."""
        self._on_opened()
        self._on_visible()

    def present(self) -> set[str]:
        """Which commands make sense for the run that is looked at."""
        if not self.runs:
            return set()  # before the shell is painted, when numpy is not to be imported
        from app.core.training_run import RunState

        found = set()
        if self.running:
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
        self.folds.forget()
        if self.panel is not None:
            self.panel.take_apart()

    @property
    def is_seen(self) -> bool:
        """Whether somebody looks at the panel."""
        return self._dock.isVisible()

    @property
    def running(self) -> list[RunSummary]:
        """Runs with a living process."""
        if not self.runs:
            return []
        from app.core.training_run import RunState

        return [run for run in self.runs if run.state in (RunState.RUNNING, RunState.PREPARING, RunState.QUEUED)]

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

    @property
    def _busy(self) -> RunSummary | None:
        """The run that is trained just now, before those that wait."""
        from app.core.training_run import RunState

        return min(self.running, key=lambda run: run.state is RunState.QUEUED, default=None)

    def _switch(self, is_on: bool) -> None:
        if is_on:
            self.make_panel()
        switch_dock(self._dock, is_on, is_tall=True)
        if is_on and self.panel is not None:
            self.panel.go.setFocus() if self.panel.go.isEnabled() else self.panel.form.boxes["task"].setFocus()

    def make_panel(self) -> TrainingPanel:
        """The panel; made when it is first looked at."""
        if self.panel is not None:
            return self.panel
        from app.ui.training_panel import TrainingPanel

        panel = self.panel = TrainingPanel(self._dock)
        fill(self._dock, panel)
        self.window.proposing.connect_form(panel)
        panel.start_wanted.connect(self.start)
        panel.page_changed.connect(self.look)
        panel.runs.selected.connect(self._on_selected)
        panel.runs.action_wanted.connect(self._act)
        panel.runs.case_wanted.connect(self.window.cases.go_to)
        self.window.promoting.connect_gate(panel)
        return panel

    def _on_visible(self) -> None:
        self.window.actions_by_id["training"].setChecked(not self._dock.isHidden())
        if self._dock.isVisible() and self.is_connected and self.project.is_open:
            self.make_panel()
            self.look()
            self.window.proposing.follow()

    def _on_opened(self) -> None:
        self._told = frozenset()
        self.look()

    def _on_closed(self) -> None:
        self._timer.stop()
        self.folds.forget()
        self.runs = ()
        self.window.jobs.remove(JOB)
        if self.panel is not None:
            self.panel.stop()
            self.panel.runs.show_runs(())

    # --- runs ---

    def start(self) -> None:
        """Freeze the runs and begin."""
        panel = self.panel
        if panel is None or not panel.can_start or panel.form.setup is None:
            return
        from app.store.training_setup import command_of, make_runs

        setup, device = panel.form.setup, panel.form.device
        self.window.proposing.end_estimate()
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
        process.setArguments(
            [*PROGRAM, "train", *map(str, folders), "--device", device, "--nice", str(NICE), "--background"]
        )
        process.setStandardOutputFile(QProcess.nullDevice())
        process.setStandardErrorFile(str(folders[0] / "trainer.log"))
        process.setWorkingDirectory(str(folders[0]))
        self._begun[folders[0].name] = time.monotonic() + STARTING_S  # the others wait for it, see `Folds.in_turn`
        begun: object = process.startDetached()  # PySide's stubs speak of the static function
        if begun is False:
            self.window.banners.show_error(
                UserError("The training could not be started.", reason="No process could be made.", kind="no-trainer")
            )
        process.deleteLater()

    def look(self) -> None:
        """Read how far the runs are."""
        if self.window.project is None or not self.project.is_open:
            return
        before = {run.info.id for run in self.running}
        found: list[RunSummary] = []
        folder = self.project.path / "runs"
        if folder.is_dir() and any(folder.iterdir()):  # the first case need not wait for what reads runs
            from app.store.runs import Runs

            found = Runs(folder).all()
        self.runs = self.folds.in_turn([self._as_begun(run) for run in found])
        now = {run.info.id for run in self.running}
        if self.panel is not None:
            self.panel.runs.show_runs(self.runs, chosen=self._chosen)
            self._chosen = ""
            self._show_worst()
        panel = self.panel
        is_looked_at = panel is not None and self._dock.isVisible() and panel.tabs.currentIndex() == 1
        if now or (is_looked_at and self.runs):
            self._timer.start()
        else:
            self._timer.stop()
        self._show_job()
        busy = {run.info.queue for run in self.running if run.info.queue}
        for run in self.runs:
            is_new = run.info.id in before - now and run.has_model and run.info.id not in self._told
            if is_new and run.info.queue not in busy:
                self._tell_finished(run)
        if before != now:
            self.window.enable()

    def _as_begun(self, run: RunSummary) -> RunSummary:
        """A run whose process has just been started is under way, though it has not said so yet."""
        from app.core.training_run import RunState

        until = self._begun.get(run.info.id)
        if until is None:
            return run
        is_silent = run.state in (RunState.NEW, RunState.PAUSED, RunState.BROKEN_OFF)
        if not is_silent or time.monotonic() > until:
            del self._begun[run.info.id]
            return run
        return replace(run, state=RunState.QUEUED)

    def _show_job(self) -> None:
        running = self.running
        if not running:
            self.window.jobs.remove(JOB)
            return
        run = self._busy or running[0]
        live = run.live
        detail = tr("epoch {now} of {all}", now=whole(live.epoch), all=whole(run.plan.epochs))
        if run.info.queue:
            fold = tr("fold {now} of {all}", now=whole(run.info.fold), all=whole(run.info.folds))
            detail = f"{fold}, {detail}"
        done = (max(live.epoch, 1) - 1) * max(live.steps, 1) + live.step
        total = run.plan.epochs * max(live.steps, 1)
        buttons = ((tr("Pause"), self.pause_all), (tr("Show"), self._show_runs))
        line = JobLine(title=tr("Training"), detail=detail, done=done, total=total, buttons=buttons)
        self.window.jobs.show_job(JOB, line)

    def show(self) -> TrainingPanel:
        """Bring the panel to the front."""
        panel = self.make_panel()
        switch_dock(self._dock, True, is_tall=True)
        return panel

    def _show_runs(self) -> None:
        panel = self.show()
        panel.tabs.setCurrentWidget(panel.runs)

    def _tell_finished(self, run: RunSummary) -> None:
        self._told |= {run.info.id}
        if run.info.queue:
            banner = Banner(
                tr("A cross-validation has ended."), self.folds.words(run, self.runs), tone="info",
                action=(tr("All folds"), lambda: self.folds.show_all(run, self.runs)), is_closable=True,
            )  # fmt: skip
            self.window.banners.show_banner(JOB, banner)
            return
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

    def forget_banner(self, run: RunSummary) -> None:
        """Somebody looks at what the banner about a finished run would propose."""
        self._told |= {run.info.id}
        self.window.banners.remove(JOB)

    def _show_worst(self) -> None:
        run = self._current
        if self.panel is None or run is None:
            return
        self.panel.runs.show_folds(self.folds.rows(run, self.runs))
        cases = run.folder.worst()
        self.panel.runs.show_worst(cases, names_of(self.window, [case.id for case in cases]))

    def _on_selected(self) -> None:
        self._show_worst()
        self.window.enable()

    def _act(self, name: str) -> None:
        from app.core.training_run import StopWish
        from app.store.runs import Runs

        run = self._current if name not in ("pause", "finish") else self._busy or self._current
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
                    self._begin([each.folder.path for each in self.folds.rest_of(run, self.runs)])
                case "folds":
                    self.folds.show_all(run, self.runs)
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
        dialog.case_wanted.connect(self.window.cases.go_to)
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
