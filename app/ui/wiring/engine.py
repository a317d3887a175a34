"""The AI engine: what it is asked, how it is doing, and what it has said, in the bottom bar and the worklist."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication

from app.ui.dotted_button import DottedButton
from app.ui.jobs_strip import JobLine
from app.ui.language import say, tr
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.batch_run import BatchProgress
    from app.core.errors import UserError
    from app.ui.engine import Engine

JOB, BANNER = "ai", "engine"
AHEAD = (1, 2, 3, 4, 5, -1)  # steps in the worklist, the likeliest first
AHEAD_MS = 250  # after a case is on the screen: decoding the neighbours computes what is needed here too
MEMORY_MS = 5000
CALM_MS = 15_000  # that a banner stays after the engine works again
LIST_MS = 600  # the worklist follows new scores at most so often
ENOUGH_TO_TELL = 8  # cases of a batch from which the rest can be foretold


class EngineWiring(Wiring):
    """The AI menu, and what the engine says.

    Attributes:
        engine: the engine; None before the first paint, and where there is none.
    """

    late_turn = 4
    late_imports = ("app.core.counsel", "app.core.case_jobs", "app.ui.counsel_desk", "app.ui.engine",
                    "app.store.usable_models")  # fmt: skip
    engine: Engine | None = None
    _is_new = False  # the project was opened, and no case of it was on the screen yet
    _batch_since = 0.0
    _is_anew_due = False  # other models answer now: cases with outdated findings are to be asked about
    _memory_bytes = 0
    _is_restarted = False  # and a banner says so
    _chosen: tuple[tuple[str, str], ...] = ()

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the AI menu does."""
        return {
            "ai_case": lambda _: self._ask_case(),
            "ai_selection": lambda _: self._ask_many(self.window.case_list.selected_cases()),
            "ai_all": lambda _: self._ask_many(self.window.case_list.listed_cases()),
            "ai_cancel": lambda _: self.engine.cancel_batch() if self.engine is not None else None,
            "ai_pause_ahead": lambda is_on: self._pause(is_on),
            "ai_restart": lambda _: self._restart(),
            "ai_report": lambda _: self._copy_report(),
        }

    def connect_shell(self) -> None:
        """The state in the bottom bar."""
        window = self.window
        self.button = DottedButton(window)
        self.button.setObjectName("engine")
        self.button.setPopupMode(DottedButton.ToolButtonPopupMode.InstantPopup)
        self.button.hide()
        window.statusBar().insertPermanentWidget(1, self.button)
        self._ahead_soon = QTimer(window, singleShot=True, interval=AHEAD_MS)
        self._ahead_soon.timeout.connect(self._look_ahead)
        self._list_soon = QTimer(window, singleShot=True, interval=LIST_MS)
        self._list_soon.timeout.connect(self._refresh_list)
        self._calm_soon = QTimer(window, singleShot=True, interval=CALM_MS)
        self._calm_soon.timeout.connect(self._calm)
        self._memory_soon = QTimer(window, interval=MEMORY_MS)
        self._memory_soon.timeout.connect(self._look_at_memory)

    def connect_rest(self) -> None:
        """The engine, where there is one; it is started when the first case is on the screen."""
        window, command = self.window, self.window.start.engine_command
        if not command:
            return
        from app.ui.engine import Engine

        engine = self.engine = Engine(command, window)
        self.button.setMenu(window.commands.menu("AI"))
        engine.state_changed.connect(self._on_state)
        engine.batch_changed.connect(self._on_batch)
        engine.scores_changed.connect(self._on_scores)
        engine.restarted.connect(self._on_restarted)
        engine.failed.connect(self._on_failed)
        engine.pause_look_ahead(window.actions_by_id["ai_pause_ahead"].isChecked())
        self.project.opened.connect(self._on_opened)
        self.project.closed.connect(self._on_closed)
        self.project.annotated.connect(engine.case_changed)
        self.project.cases_changed.connect(self._on_cases_changed)
        self.project.author_changed.connect(lambda: engine.set_reader(self.project.author))
        window.selection.requested.connect(lambda case_id: engine.open_case(case_id, may_read_images=False))
        self.viewer.swapped.connect(self._on_swapped)
        # after the paint, which must not wait for any of it
        window.settled.connect(lambda: QTimer.singleShot(0, window, self._begin))

    def catch_up(self) -> None:
        """The project was opened; when its first case is on the screen, there is time for models."""
        self._on_opened()
        if self.viewer.is_settled:
            QTimer.singleShot(0, self.window, self._begin)

    def present(self) -> set[str]:
        """Whether anything can be asked."""
        engine = self.engine
        if engine is None or not engine.models:
            return set()
        found = {"ai engine"}
        is_busy = engine.batch is not None and not engine.batch.is_over
        if self.window.selection.on_screen:
            found.add("ai case")
        if is_busy:
            found.add("ai batch")
        elif self.window.case_list.model.rowCount():
            found.add("ai cases")
        return found

    def retranslate(self) -> None:
        """State and batch in another language."""
        if self.engine is not None:
            self._show_state()
            if self.engine.batch is not None and JOB in self.window.jobs.texts:
                self._show_batch(self.engine.batch)

    def close(self) -> None:
        """End the engine with the window."""
        for timer in (self._ahead_soon, self._list_soon, self._memory_soon, self._calm_soon):
            timer.stop()
        if self.engine is not None:
            self.engine.stop()

    # --- asking ---

    def _ask_case(self) -> None:
        engine, case_id = self._ready_engine(), self.window.selection.on_screen
        if engine is not None and case_id:
            engine.try_again(case_id)

    def _ask_many(self, case_ids: list[str]) -> None:
        engine = self._ready_engine()
        if engine is not None and case_ids:
            self._batch_since = time.monotonic()
            engine.start_batch(case_ids)
            self.window.enable()

    def _ready_engine(self) -> Engine | None:
        """The engine; started again if it had been given up."""
        from app.ui.engine_state import EngineState

        if self.engine is not None and self.engine.state in (EngineState.GIVEN_UP, EngineState.UNAVAILABLE):
            self._restart()
        return self.engine

    def _pause(self, is_paused: bool) -> None:
        if self.engine is not None:
            self.engine.pause_look_ahead(is_paused)

    def _restart(self) -> None:
        """Start the engine anew, with the models as they are on the disk by now."""
        self.window.banners.remove(BANNER)
        engine = self.engine
        if engine is None:
            return
        if self.project.is_open and not self._is_new:
            from app.store.usable_models import usable_models

            models, localiser = usable_models(self.project.look(), bundled=self.window.start.models)
            if (models, localiser) != (engine.models, engine.localiser):
                engine.set_models(models, localiser=localiser)
        engine.restart()

    def _copy_report(self) -> None:
        if self.engine is not None:
            QGuiApplication.clipboard().setText(self.engine.report)

    # --- what follows from what ---

    def _on_opened(self) -> None:
        self._is_new = True

    def _begin(self) -> None:
        """The project and its first case are on the screen: now there is time for models."""
        engine = self.engine
        if engine is None or not self._is_new or not self.project.is_open:
            return
        self._is_new = False
        from app.store.usable_models import chosen_models, usable_models

        store = self.project.look()
        models, localiser = usable_models(store, bundled=self.window.start.models)
        self._chosen = chosen_models(store)
        engine.use(store, models, localiser=localiser, reader=self.project.author)
        self.button.show()
        self._show_state()
        self.window.enable()
        engine.start()
        if self.window.selection.on_screen:
            self._on_swapped(self.window.selection.on_screen)

    def _on_cases_changed(self) -> None:
        """Anything may be another thing now, also which models are asked."""
        engine = self.engine
        if engine is None or self._is_new or not self.project.is_open:
            return
        from app.store.usable_models import chosen_models, usable_models

        store = self.project.look()
        chosen = chosen_models(store)
        if chosen == self._chosen:
            engine.cases_changed()
            return
        self._chosen = chosen
        models, localiser = usable_models(store, bundled=self.window.start.models)
        self._is_anew_due = True
        engine.set_models(models, localiser=localiser)
        self._show_state()
        self.window.enable()

    def _on_closed(self) -> None:
        """Called while the project is still open: nothing may read it from here on."""
        self._ahead_soon.stop()
        self._list_soon.stop()
        self.window.jobs.remove(JOB)
        self.window.banners.remove(BANNER)
        if self.engine is not None:
            self.engine.use(None)
        self.button.hide()

    def _on_swapped(self, case_id: str) -> None:
        if self.engine is not None and not self._is_new:
            self.engine.open_case(case_id)
            self._ahead_soon.start()

    def _look_ahead(self) -> None:
        if self.engine is not None and self.project.is_open:
            self.engine.look_ahead(self.window.case_list.neighbours(AHEAD))

    def _on_state(self) -> None:
        from app.ui.engine_state import EngineState

        is_there = self.engine is not None and self.engine.state in (EngineState.IDLE, EngineState.WORKING)
        if not is_there:
            self._memory_soon.stop()
            self._memory_bytes = 0
        elif not self._memory_soon.isActive():
            self._memory_soon.start()
            self._look_at_memory()
        if is_there and self._is_restarted:
            self._calm_soon.start()  # it works again: no reason to keep room from the images
        self._show_state()

    def _calm(self) -> None:
        """The engine has worked again for a while."""
        if self._is_restarted:
            self._is_restarted = False
            self.window.banners.remove(BANNER)

    def _look_at_memory(self) -> None:
        import psutil

        assert self.engine is not None
        try:
            self._memory_bytes = psutil.Process(self.engine.process.pid).memory_info().rss
        except (psutil.Error, ValueError):
            self._memory_bytes = 0
        self._show_state()

    def _show_state(self) -> None:
        from app.ui.engine_words import state_tip, state_words

        engine = self.engine
        assert engine is not None
        self.button.setText(state_words(
            engine.state, engine.facts, self._memory_bytes, standing_s=engine.process.standing_s
        ))  # fmt: skip
        titles = tuple(model.card.title for model in engine.models)
        reason = "" if engine.error is None else " ".join(map(say, (engine.error.title, engine.error.reason)))
        self.button.setToolTip(state_tip(engine.facts, titles, reason))

    def _on_batch(self, progress: BatchProgress) -> None:
        self._show_batch(progress)
        if progress.is_over or progress.done == 0:
            self.window.enable()
        if progress.is_over and self._is_anew_due:
            self._ask_anew()

    def _show_batch(self, progress: BatchProgress) -> None:
        from app.ui.engine_words import batch_title, batch_words

        elapsed_s = time.monotonic() - self._batch_since
        remaining_s = None
        if progress.done >= ENOUGH_TO_TELL:
            remaining_s = (progress.total - progress.done) * elapsed_s / progress.done
        button = (tr("Close"), lambda: self.window.jobs.remove(JOB)) if progress.is_over else (
            tr("Cancel"), self.window.actions_by_id["ai_cancel"].trigger
        )  # fmt: skip
        line = JobLine(
            title=batch_title(progress),
            detail=batch_words(progress, remaining_s),
            done=progress.done,
            total=None if progress.is_over else progress.total,
            buttons=(button,),
        )
        self.window.jobs.show_job(JOB, line)

    def _ask_anew(self) -> None:
        """Have the cases with outdated findings looked at by the models that answer now; after a batch under way."""
        engine = self.engine
        if engine is None or not engine.has_all_scores or (engine.batch is not None and not engine.batch.is_over):
            return
        self._is_anew_due = False
        outdated = frozenset().union(*(engine.outdated(model) for model in engine.models))
        self._ask_many([case.id for case in self.project.look().cases.all() if case.id in outdated])

    def _on_scores(self) -> None:
        if self._is_anew_due:
            self._ask_anew()
        if not self._list_soon.isActive():
            self._list_soon.start()

    def _refresh_list(self) -> None:
        """Let the worklist say what models say now."""
        if self.engine is None or not self.project.is_open:
            return
        from functools import partial

        from app.store.worklist.opinions import ScoredModel
        from app.store.worklist.review_orders import ReviewedOpinions

        engine = self.engine
        scored = (
            ScoredModel(
                card=model.card,
                scores=partial(engine.scores, model.card.weights_sha256),
                outdated=partial(engine.outdated, model),
            )
            for model in engine.models
        )
        store = self.project.look()
        store.worklist.use_opinions(ReviewedOpinions(store, scored))
        self.window.case_list.refresh()

    def _on_restarted(self, how: str) -> None:
        from app.ui.engine_words import ENDED, ENDINGS

        is_owed = self.engine is not None and self.engine.waiting_jobs > 0
        lines = (tr("What it was working on is asked once more; everything else went on."),) if is_owed else ()
        report = (tr("Copy report"), self._copy_report)
        banner = Banner(tr(ENDINGS.get(how, ENDED)), lines, tone="caution", more_actions=(report,), is_closable=True)
        self.window.banners.show_banner(BANNER, banner)
        self._is_restarted = True

    def _on_failed(self, error: UserError) -> None:
        actions = ((tr("Restart"), self._restart), (tr("Copy report"), self._copy_report))
        lines = tuple(say(part) for part in (error.reason, error.remedy) if part)
        self._is_restarted = False
        banner = Banner(say(error.title), lines, tone="caution", more_actions=actions, is_closable=True)
        self.window.banners.show_banner(BANNER, banner)
        self.window.enable()
