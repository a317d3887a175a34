"""The runs of a project: a list, and of those that are selected the curves, how far they are, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.core.training_run import RunState, WorstCase
from app.ui.flow_layout import FlowLayout
from app.ui.language import number, say, tr
from app.ui.theme import GAP_M, GAP_S
from app.ui.training_words import live_rows, run_line

if TYPE_CHECKING:
    from app.store.runs import RunSummary
    from app.ui.training_curves import TrainingCurves

LIST_PX = 132
OVERLAID = 6  # runs whose curves are drawn over each other
ACTIVE = (RunState.RUNNING, RunState.PREPARING, RunState.QUEUED)
RESUMABLE = (RunState.NEW, RunState.PAUSED, RunState.BROKEN_OFF, RunState.FAILED)
ID = int(Qt.ItemDataRole.UserRole)


class RunsView(QWidget):
    """List, curves, facts, buttons.

    Signals:
        selected: other runs are looked at.
        action_wanted: `pause`, `finish`, `resume`, `rename`, `delete`, `promote`, `evaluation` or `folds`, for the
            current run.
        case_wanted: a case that the run gets wrong shall be opened.
    """

    selected = Signal()
    action_wanted = Signal(str)
    case_wanted = Signal(str)

    def __init__(self, curves: TrainingCurves, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: dict[str, RunSummary] = {}
        self._worst: tuple[WorstCase, ...] = ()
        self._folds: list[tuple[str, str]] = []
        self.curves = curves
        self.list = QListWidget(self)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setFixedHeight(LIST_PX)
        self.list.itemSelectionChanged.connect(self._on_selected)
        self.buttons = {name: QPushButton(self) for name in ("pause", "finish", "resume", "promote", "evaluation",
                                                             "folds", "rename", "delete")}  # fmt: skip
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _=False, name=name: self.action_wanted.emit(name))
        self.buttons["promote"].setObjectName("primary")
        self._facts = QWidget(self)
        self._grid = QGridLayout(self._facts)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP_M)
        self._grid.setVerticalSpacing(GAP_S)
        self._grid.setColumnStretch(1, 1)
        self._notes = QLabel(self)
        self._notes.setObjectName("small_caution")
        self._notes.setWordWrap(True)
        self._notes.setTextFormat(Qt.TextFormat.PlainText)
        self._worst_title = QLabel(self)
        self._worst_title.setObjectName("muted")
        self.worst = QListWidget(self)
        self.worst.setMaximumHeight(LIST_PX)
        self.worst.itemActivated.connect(lambda item: self.case_wanted.emit(item.data(ID)))
        self.worst.itemClicked.connect(lambda item: self.case_wanted.emit(item.data(ID)))
        for each in (self.list, self.worst):
            each.setTextElideMode(Qt.TextElideMode.ElideRight)
            each.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._empty = QLabel(self)
        self._empty.setObjectName("muted")
        self._empty.setWordWrap(True)
        self._lay_out()
        self.retranslate()

    def _lay_out(self) -> None:
        rows = [FlowLayout(), FlowLayout()]
        for place, names in zip(
            rows, (("pause", "finish", "resume", "promote"), ("evaluation", "folds", "rename", "delete")), strict=True
        ):
            for name in names:
                place.addWidget(self.buttons[name])
        sheet = QWidget(self)
        sheet.setObjectName("sheet")
        inner = QVBoxLayout(sheet)
        inner.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        inner.setSpacing(GAP_M)
        inner.addWidget(self._empty)
        inner.addWidget(self.list)
        inner.addLayout(rows[0])
        inner.addWidget(self.curves)
        inner.addWidget(self._facts)
        inner.addWidget(self._notes)
        inner.addWidget(self._worst_title)
        inner.addWidget(self.worst)
        inner.addLayout(rows[1])
        inner.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(sheet)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    # --- what is shown ---

    @property
    def current(self) -> RunSummary | None:
        """The run that the buttons are about: the first of those that are selected."""
        ids = self._selected_ids()
        return self._runs.get(ids[0]) if ids else None

    def show_runs(self, runs: Sequence[RunSummary], *, chosen: str = "") -> None:
        """Show these runs, newest first; those that were selected stay so.

        Args:
            runs: of the project.
            chosen: id of the run to select; empty = as before, or the first.
        """
        before = [chosen] if chosen else self._selected_ids()
        self._runs = {run.info.id: run for run in runs}
        with QSignalBlocker(self.list):
            if [self.list.item(row).data(ID) for row in range(self.list.count())] != list(self._runs):
                self.list.clear()
                for run_id in self._runs:
                    item = QListWidgetItem(self.list)
                    item.setData(ID, run_id)
            for row, run in enumerate(self._runs.values()):
                item = self.list.item(row)
                which = f"{run.info.fold}/{run.info.folds} · " if run.info.fold else ""  # the title's end is cut off
                item.setText(f"{run.info.title}\n{which}{run_line(run)}")
                item.setToolTip(f"{run.info.title}\n{run_line(run)}\n{run.info.id}")
                item.setSelected(run.info.id in before)
            if not self.list.selectedItems() and self.list.count():
                self.list.item(0).setSelected(True)
        self._show()

    def show_folds(self, rows: Sequence[tuple[str, str]]) -> None:
        """Show what the folds of the current run come to so far; empty: it is no fold."""
        if list(rows) != self._folds:
            self._folds = list(rows)
            self._show()

    def show_worst(self, cases: Sequence[WorstCase], names: dict[str, str]) -> None:
        """Show the validation cases that the current run gets most wrong.

        Args:
            cases: worst first.
            names: pseudonyms of these cases; one that is gone is left out.
        """
        if tuple(cases) == self._worst:
            return
        self._worst = tuple(cases)
        self.worst.clear()
        for case in self._worst:
            if case.id in names:
                words = tr("{case}: p {value}, labelled {label}", case=names[case.id],
                           value=number(case.probability, 2), label=self._class_name(case.label))  # fmt: skip
                item = QListWidgetItem(words, self.worst)
                item.setData(ID, case.id)
        self._show_worst()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        texts = {
            "pause": tr("Pause"), "finish": tr("Stop, keep the best"), "resume": tr("Resume"),
            "promote": tr("Promote …"), "evaluation": tr("Figures"), "folds": tr("All folds"),
            "rename": tr("Rename"), "delete": tr("Delete"),
        }  # fmt: skip
        for name, text in texts.items():
            self.buttons[name].setText(text)
        self._worst_title.setText(tr("Most wrong of the validation cases"))
        self._empty.setText(tr("There are no runs yet. “New run” proposes one."))
        self._show()

    def _selected_ids(self) -> list[str]:
        return [item.data(ID) for item in self.list.selectedItems()]

    def _class_name(self, label: int) -> str:
        run = self.current
        classes = run.plan.classes if run is not None else ()
        if len(classes) == 1:
            return say(classes[0]) if label else tr("not {finding}", finding=say(classes[0]))
        return say(classes[label]) if label < len(classes) else str(label)

    def _on_selected(self) -> None:
        self._worst = ()
        self.worst.clear()
        self._show()
        self.selected.emit()

    def _show(self) -> None:
        run = self.current
        shown = [self._runs[run_id] for run_id in self._selected_ids() if run_id in self._runs][:OVERLAID]
        self.curves.show_runs(shown)
        self._empty.setVisible(not self._runs)
        for part in (self.list, self.curves, self._facts):
            part.setVisible(bool(self._runs))
        state = None if run is None else run.state
        visible = {
            "pause": state in ACTIVE,
            "finish": state in ACTIVE or (state in RESUMABLE and run is not None and bool(run.epochs)),
            "resume": state in RESUMABLE,
            "promote": run is not None and run.has_model and state not in ACTIVE,
            "evaluation": run is not None and run.has_model,
            "folds": bool(self._folds)
            and any(other.has_model for other in self._runs.values() if run and other.info.queue == run.info.queue),
            "rename": run is not None,
            "delete": run is not None and state not in ACTIVE,
        }
        for name, button in self.buttons.items():
            button.setVisible(visible[name])
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        notes: list[str] = []
        if run is not None:
            for row, (what, value) in enumerate([*self._folds, *live_rows(run)]):
                left, right = QLabel(what, self._facts), QLabel(value, self._facts)
                left.setObjectName("muted")
                right.setWordWrap(True)
                right.setTextFormat(Qt.TextFormat.PlainText)
                self._grid.addWidget(left, row, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(right, row, 1)
            notes = [say(note) for note in run.live.notes]
            problem = run.live.problem
            if problem is not None and state is RunState.FAILED:
                notes += [" ".join(say(part) for part in (problem.title, problem.reason, problem.remedy) if part)]
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))
        self._show_worst()

    def _show_worst(self) -> None:
        self._worst_title.setVisible(self.worst.count() > 0)
        self.worst.setVisible(self.worst.count() > 0)
