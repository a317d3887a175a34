"""What would be trained: the form's choices are worked out in a thread, and how long it takes in a process."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import UserError
from app.ui.wiring.processes import coxa_process, document_of, end_process
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from PySide6.QtCore import QProcess

    from app.store.training_setup import TrainingSetup, TrainingWish
    from app.ui.background import BackgroundCall
    from app.ui.training_panel import TrainingPanel


class ProposingWiring(Wiring):
    """The first page of the training panel."""

    _work: BackgroundCall
    _is_stale = False
    _guess: QProcess | None = None

    def connect_rest(self) -> None:
        """What is proposed follows the labels, while somebody looks."""
        from app.ui.background import BackgroundCall

        self._work = BackgroundCall(self.window)
        self._work.finished.connect(self._on_setup)
        self._work.failed.connect(self._on_refused)
        self.project.opened.connect(self._on_opened)
        self.project.closed.connect(self._stop)
        self.project.annotated.connect(lambda _: self.follow())
        self.project.cases_changed.connect(self.follow)

    def connect_form(self, panel: TrainingPanel) -> None:
        """The panel has been made."""
        panel.setup_wanted.connect(self._set_up)

    def close(self) -> None:
        """Nothing is worked out without the window."""
        if self.window.project is not None:
            self._stop()

    @property
    def panel(self) -> TrainingPanel | None:
        """The panel; None before it was looked at."""
        return self.window.training.panel

    def end_estimate(self) -> None:
        """Leave the machine to the training itself."""
        end_process(self._guess)
        self._guess = None

    def _on_opened(self) -> None:
        if self.panel is not None:
            self.panel.form.forget()
            self.follow()

    def _stop(self) -> None:
        self._work.stop()
        self.end_estimate()

    def follow(self) -> None:
        """Labels have changed: so may what would be trained."""
        panel = self.panel
        if panel is not None and self.window.training.is_seen and self.project.is_open:
            if importlib.util.find_spec("torch") is None:
                panel.show_problem(
                    UserError(
                        "Training needs torch, which is not installed.",
                        reason="Coxa was set up with --review-only.",
                        remedy="Run the set-up again, without --review-only.",
                        kind="no-torch",
                    )
                )
                return
            panel.ask()

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
        self.end_estimate()
        if self.window.training.running:
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
