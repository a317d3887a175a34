"""The adjudication queue: cases on which readers disagree, their answers side by side, and a key that decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDockWidget

from app.ui.docks import fill, reserve, switch_dock
from app.ui.language import moment, tr
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.case import Case
    from app.core.label_set import LabelValue
    from app.store.annotations import Annotations
    from app.ui.adjudication_panel import AdjudicationPanel
    from app.ui.dispute_box import DisputeView

WAITING = "waiting"
PANEL_PX, LEAST_PX = (340, 360), (169, 195)  # what the panel asks for, and its least


class AdjudicatingWiring(Wiring):
    """Deciding what readers disagree about.

    Attributes:
        panel: the disputes of the case on the screen; after the first paint.
    """

    late_turn = 8
    late_imports = ("app.store.merge.report", "app.ui.dispute_box", "app.ui.adjudication_panel")
    panel: AdjudicationPanel | None = None
    _has_names = False

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the commands do."""
        return {
            "adjudication_queue": lambda _: self.open_queue(),
            "next_disputed": lambda _: self.next_disputed(),
            "show_adjudication": lambda is_on: switch_dock(self._dock, is_on, is_tall=True),
        }

    def connect_shell(self) -> None:
        """The dock is there from the start, so that its place can be restored."""
        window = self.window
        self._dock = QDockWidget(window)
        self._dock.setObjectName("adjudication")
        self._dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        self._dock.hide()
        self._dock.visibilityChanged.connect(self._on_visible)

    def connect_rest(self) -> None:
        """The panel and what it follows."""
        from app.ui.adjudication_panel import AdjudicationPanel

        project = self.project
        self.panel = AdjudicationPanel(self._dock)
        fill(self._dock, self.panel)
        self.panel.decided.connect(self.decide)
        self.panel.next_wanted.connect(self.next_disputed)
        self.panel.names_wanted.connect(self._on_names)
        self.viewer.swapped.connect(lambda _: self.refresh())
        project.annotated.connect(lambda _: self.refresh())
        project.cases_changed.connect(self.refresh)
        project.author_changed.connect(self.refresh)
        project.closed.connect(self._on_closed)
        self.panel.set_next_key(self.window.commands.key_text("next_disputed"))

    def reserve(self) -> None:
        """The dock."""
        reserve(self._dock, PANEL_PX, LEAST_PX)

    def catch_up(self) -> None:
        """Show the disputes of the case on the screen."""
        self.refresh()

    def retranslate(self) -> None:
        """The title, and what is shown."""
        self._dock.setWindowTitle(tr("Disagreements"))
        if self.panel is not None:
            self.panel.set_next_key(self.window.commands.key_text("next_disputed"))
            self.refresh()

    def wants(self, event: QKeyEvent) -> str:
        """The key as the panel names it, if the panel is to have it; else empty."""
        panel = self.panel
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        if panel is None or not plain or not panel.isVisible() or panel.visibleRegion().isEmpty():
            return ""
        if self.window.resolving.may_decide:
            return ""
        key = event.text()
        return key if len(key) == 1 and panel.would_take(key) else ""

    def open_queue(self) -> None:
        """List exactly the cases that wait, and open the first of them."""
        from app.core.worklist import Filter, Query

        if not self.project.is_open:
            return
        switch_dock(self._dock, True, is_tall=True)
        cases = self.window.case_list
        self.window.activateWindow()  # a report may have had the keyboard
        cases.table.setFocus()
        cases.ask(Query(filters=(Filter("adjudication", (WAITING,)),)))
        listed = cases.listed_cases()
        if listed and self._case_id() not in listed:
            self.window.cases.go_to(listed[0])
        self.refresh()

    def next_disputed(self) -> None:
        """Open the next case of the list that waits; from its end go on at its beginning."""
        cases = self.window.case_list
        model = cases.model
        count = model.rowCount()
        here = model.row_of(cases.current_case)
        for step in range(1, count + 1):
            row = model.row_at((here + step) % count)
            if row is not None and row.adjudication == WAITING and row.case_id != self._case_id():
                self.window.cases.go_to(row.case_id)
                return
        words = (tr("All of them are decided, or their readers agree."),)
        banner = Banner(tr("No other case of the list waits for a decision."), words, tone="info")
        self.window.banners.show_banner("incomplete", banner)

    def decide(self, field_id: str, value: LabelValue | None) -> None:
        """Record the answer to one question, under the name of whoever sits here."""
        from app.store.adjudications import adjudicate

        case_id = self._case_id()
        if not case_id:
            return
        if self.window.labelling.refuses_other_hip():
            self.refresh()
            return

        def change(annotations: Annotations, author: str) -> object:
            return adjudicate(annotations, case_id, field_id, value, author=author)

        self.project.annotate(case_id, change)
        self.refresh()  # also when it was refused: show what is stored

    def refresh(self) -> None:
        """Show the disputes of the case on the screen; a panel that is hidden costs nothing."""
        if self.panel is None or not self._dock.isVisible() or not self.project.is_open:
            return
        case = self._case()
        shown = self._shown(case) if case is not None else None
        self.panel.show_disputes(shown, waiting=self._count_waiting(), is_writable=self.project.is_writable)

    # --- what is shown ---

    def _shown(self, case: Case) -> list[DisputeView]:
        from app.core.adjudication import anonymous_order
        from app.core.label_set import FieldType
        from app.store.adjudications import case_disputes, versions
        from app.ui.dispute_box import DisputeView
        from app.ui.merge_words import opinion_text
        from app.ui.privacy import private

        annotations, author = self.project.annotations, self.project.author
        found = case_disputes(annotations, case.id)
        if not found:
            return []
        opinions = {each.reader: each.labels for each in annotations.opinions(case.id) if each.reader and each.labels}
        numbered = anonymous_order(case.id, opinions)
        names = {
            reader: private(reader) if self._has_names else tr("Reader {n}", n=number)
            for number, reader in enumerate(numbered, start=1)
        }
        sure = [field.id for field in annotations.label_set.fields if field.type is FieldType.CONFIDENCE]
        confidences = {
            reader: value
            for reader, labels in opinions.items()
            for name in sure
            if isinstance(value := labels.get(name), int)
        }
        told = versions(annotations, case.id)
        views = []
        for each in found:
            history = [version for version in told if version.field == each.field.id]
            views.append(
                DisputeView(
                    dispute=each,
                    names=names,
                    confidences=confidences,
                    mine=each.answers[author].value if author in each.answers else None,
                    earlier=tuple(
                        tr(
                            "Earlier, {when}: {value}",
                            when=moment(datetime.fromisoformat(version.at)),
                            value=opinion_text(each.field, version.answer.value),
                        )
                        for version in reversed(history[:-1])
                        if version.answer is not None
                    ),
                )
            )
        return views

    def _count_waiting(self) -> int:
        from app.core.worklist import Filter, Query

        return self.project.look().worklist.count_of(Query(filters=(Filter("adjudication", (WAITING,)),)))

    def _case(self) -> Case | None:
        content = self.viewer.content
        if content is None or not self.project.is_open or content.case.blocked_reason:
            return None
        return content.case

    def _case_id(self) -> str:
        """The case on the screen, if it is also the one that was asked for."""
        case = self._case()
        return case.id if case is not None and self.viewer.is_settled else ""

    def _on_names(self, has_names: bool) -> None:
        self._has_names = has_names
        self.refresh()

    def _on_visible(self) -> None:
        self.window.actions_by_id["show_adjudication"].setChecked(not self._dock.isHidden())
        if self.window.project is not None and self.window.viewer is not None:
            self.refresh()

    def _on_closed(self) -> None:
        if self.panel is not None:
            self.panel.show_disputes(None, waiting=0, is_writable=False)
