"""Which model answers: the gate before a new one does, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core.errors import UserError
from app.ui.language import tr
from app.ui.notices import Banner
from app.ui.wiring.processes import coxa_process, document_of, end_process, names_of
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from PySide6.QtCore import QProcess

    from app.core.promotion import Comparison
    from app.store.models import ModelEntry
    from app.store.runs import RunSummary
    from app.ui.training_panel import TrainingPanel

JOB = "promotion"


class PromotingWiring(Wiring):
    """Promote and go back."""

    _gate: QProcess | None = None
    _candidate: ModelEntry | None = None
    _comparison: Comparison | None = None

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """The way back; promoting begins with a run, in the training panel."""
        return {"roll_back": lambda _: self._roll_back()}

    def connect_rest(self) -> None:
        """Another project has other models."""
        self.project.opened.connect(self.leave)
        self.project.closed.connect(self.leave)

    def close(self) -> None:
        """No comparison goes on without the window."""
        self._end()

    def connect_gate(self, panel: TrainingPanel) -> None:
        """The gate has been made."""
        panel.gate.promote_wanted.connect(self._promote)
        panel.gate.closed.connect(self.leave)
        panel.gate.case_wanted.connect(self.window.cases.go_to)

    def _end(self) -> None:
        end_process(self._gate)
        self._gate = None

    def open_gate(self, run: RunSummary) -> None:
        """Bring the run's model into the project, and let both models look at the held-out cases."""
        from app.store.models import Models

        panel = self.window.training.show()
        self.window.banners.remove(JOB)
        self.window.training.forget_banner(run)
        bundled = self.window.start.models
        entry = self.project.record(lambda store, _: Models(store, bundled=bundled).add(run.folder.model_folder))
        if entry is None:
            return
        active = Models(self.project.look(), bundled=bundled).active(entry.task_id)
        if active is not None and active.id == entry.id:
            banner = Banner(tr("{title} answers already.", title=entry.card.title), (), tone="info", is_closable=True)
            self.window.banners.show_banner(JOB, banner)
            return
        self._candidate, self._comparison = entry, None
        panel.show_gate()
        panel.gate.wait(entry.card.title)
        self._end()
        words = ["evaluate", "--project", str(self.project.path), "--model", entry.id, "--against", "active", "--json"]
        process = self._gate = coxa_process(self.window, words)
        process.finished.connect(lambda *_: self._on_compared(process))
        process.start()

    def _on_compared(self, process: QProcess) -> None:
        panel = self.window.training.panel
        if self._gate is not process or panel is None:
            return
        from app.core.promotion import Comparison

        document, problem = document_of(process), ""
        if document is None:
            lines = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
            problem = " ".join(lines[-3:])
        elif document.get("comparison"):
            import msgspec

            self._comparison = msgspec.convert(document["comparison"], Comparison)
        ids = [flip.case_id for flip in self._comparison.flips] if self._comparison is not None else []
        panel.gate.show_comparison(self._comparison, names_of(self.window, ids), problem)
        self._gate = None

    def _promote(self, reason: str) -> None:
        from app.store.models import Models

        entry, comparison, bundled = self._candidate, self._comparison, self.window.start.models
        if entry is None:
            return
        event = self.project.record(
            lambda store, author: Models(store, bundled=bundled).promote(
                entry.id, author=author, comparison=comparison, reason=reason
            )
        )
        if event is not None:
            banner = Banner(tr("{title} answers now.", title=entry.card.title),
                            (tr("Older findings are outdated and made anew in the background."),), tone="info",
                            action=(tr("Go back"), self._roll_back), is_closable=True)  # fmt: skip
            self.window.banners.show_banner(JOB, banner)
            self.leave()

    def leave(self) -> None:
        """Decided, or left as it is."""
        self._end()
        self._candidate = None
        if self.window.training.panel is not None:
            self.window.training.panel.hide_gate()

    def _roll_back(self) -> None:
        """The model before answers again: of the place that was promoted to last."""
        from app.store.models import Models

        bundled = self.window.start.models

        def change(store: object, author: str) -> str:
            models = Models(store, bundled=bundled)  # type: ignore[arg-type]
            places = [place for place in models.tasks() if models.can_roll_back(place)]
            if not places:
                raise UserError(
                    "There is nothing to go back to.", reason="No model was promoted yet.", kind="nothing-to-roll-back"
                )
            last = max(places, key=lambda place: models.history(place)[-1].id)
            return models.roll_back(last, author=author).text

        words = self.project.record(change)
        if words is not None:
            banner = Banner(tr("The model before answers again."), (words,), tone="info", is_closable=True)
            self.window.banners.show_banner(JOB, banner)
