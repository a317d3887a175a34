"""Cross-validations in the training panel: folds that wait for their turn, and what they come to so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.core.errors import UserError
from app.ui.language import number, tr, whole
from app.ui.wiring.processes import coxa_process, document_of, end_process

if TYPE_CHECKING:
    from PySide6.QtCore import QProcess

    from app.core.evaluation import Evaluation
    from app.store.runs import RunSummary
    from app.ui.main_window import MainWindow

SHOWN = ("AUC", "accuracy", "sensitivity", "specificity")


class Folds:
    """What the window knows about the folds of its project.

    Args:
        window: the main window.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._evaluations: dict[str, Evaluation] = {}
        self._process: QProcess | None = None

    def forget(self) -> None:
        """Another project."""
        self._evaluations = {}
        end_process(self._process)
        self._process = None

    def in_turn(self, runs: Sequence[RunSummary]) -> tuple[RunSummary, ...]:
        """A fold that nobody has started waits for its turn while another one of its queue is trained."""
        from app.core.training_run import RunState

        at_work = (RunState.RUNNING, RunState.PREPARING, RunState.QUEUED)
        busy = {run.info.queue for run in runs if run.state in at_work and run.info.queue}
        return tuple(
            replace(run, state=RunState.QUEUED) if run.state is RunState.NEW and run.info.queue in busy else run
            for run in runs
        )

    def rows(self, run: RunSummary | None, runs: Iterable[RunSummary]) -> list[tuple[str, str]]:
        """What the folds of a run come to so far: how many are finished, and figures with mean ± SD."""
        if run is None or not run.info.queue:
            return []
        from app.core.evaluation import over_folds
        from app.store.runs import queue_of

        found = [self._evaluation(fold) for fold in queue_of(list(runs), run.info.queue)]
        done = sum(each is not None for each in found)
        rows = [(tr("Folds"), tr("{done} of {total} finished", done=whole(done), total=whole(run.info.folds)))]
        for figure in over_folds(found):
            if figure.name in SHOWN:
                spread = "" if figure.sd is None else f" ± {number(figure.sd, 3)}"
                rows.append((tr(NAMES[figure.name]), f"{number(figure.mean, 3)}{spread}"))
        return rows

    def words(self, run: RunSummary, runs: Iterable[RunSummary]) -> tuple[str, ...]:
        """The same in one line, for the banner."""
        return tuple(f"{what}: {value}" for what, value in self.rows(run, runs)[:2])

    def rest_of(self, run: RunSummary, runs: Iterable[RunSummary]) -> list[RunSummary]:
        """A run that shall go on, and the folds after it that are not finished."""
        from app.core.training_run import RunState
        from app.store.runs import queue_of

        if not run.info.queue:
            return [run]
        others = [
            fold
            for fold in queue_of(list(runs), run.info.queue)
            if fold.info.id != run.info.id and fold.state is not RunState.FINISHED
        ]
        return [run, *others]

    def show_all(self, run: RunSummary, runs: Iterable[RunSummary]) -> None:
        """Work out all folds together, in a process, and show them."""
        from app.store.runs import queue_of

        folders = [str(fold.folder.path) for fold in queue_of(list(runs), run.info.queue)]
        end_process(self._process)
        process = self._process = coxa_process(self._window, ["evaluate", *folders, "--json"])
        process.finished.connect(lambda *_: self._on_worked_out(process))
        process.start()

    def _on_worked_out(self, process: QProcess) -> None:
        if self._process is not process:
            return
        self._process = None
        document = document_of(process)
        if document is None:
            lines = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
            self._window.banners.show_error(
                UserError("The folds cannot be put together.", reason=" ".join(lines[-2:]), kind="no-folds")
            )
            return
        import msgspec

        from app.core.evaluation import CrossEvaluation
        from app.ui.evaluation_dialog import EvaluationDialog

        cross = msgspec.convert(document, CrossEvaluation)
        dialog = EvaluationDialog(cross.pooled, self._window, cross=cross)
        dialog.case_wanted.connect(self._window.cases.go_to)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def _evaluation(self, run: RunSummary) -> Evaluation | None:
        if not run.has_model:
            self._evaluations.pop(run.info.id, None)
            return None
        if run.info.id not in self._evaluations:
            try:
                found = run.folder.evaluation()
            except UserError:
                return None
            if found is None:
                return None
            self._evaluations[run.info.id] = found
        return self._evaluations[run.info.id]


NAMES = {"AUC": "AUC", "accuracy": "Accuracy", "sensitivity": "Sensitivity", "specificity": "Specificity"}
