"""The label form: the questions of the project's label set, answered by keys or with the mouse."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import UserError
from app.core.event import Json
from app.core.label_entry import LabelEntry, LabelStep, activate, answer, new_entry, pick, press
from app.core.label_set import FieldType, LabelSet, LabelValue
from app.core.label_values import is_asked, missing_fields, unfit_values
from app.ui.label_field import FieldRow
from app.ui.language import say, tr
from app.ui.theme import GAP_M, GAP_S


class LabelForm(QWidget):
    """Shows the labels of one case and reports what should change; it stores nothing itself.

    Signals:
        changed: a LabelStep whose changes are to be stored.
        refused: a UserError: the answer is not possible now.
        left: the keyboard is to go back where it was.
    """

    changed = Signal(object)
    refused = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.entry: LabelEntry | None = None
        """The form as it is; None while there is no case."""
        self.is_writable = False
        self.rows: dict[str, FieldRow] = {}
        self._label_set: LabelSet | None = None
        self._archive: Mapping[str, Json] = {}
        self._is_blocked = False
        self._inner = QWidget(self)
        self._inner.setObjectName("worklist")
        self._inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(self._inner)
        self._column.setContentsMargins(0, 0, 0, GAP_M)
        self._column.setSpacing(0)
        self.notes = QLabel(self._inner)
        self.notes.setObjectName("muted")
        self.notes.setTextFormat(Qt.TextFormat.PlainText)
        self.notes.setWordWrap(True)
        self.notes.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_S)
        self._column.addWidget(self.notes)
        self._column.addStretch()
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(self._inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.area)
        self.setMinimumWidth(240)
        self._show()

    def sizeHint(self) -> QSize:
        """Wide enough for two or three answers in a row."""
        return QSize(292, 600)

    def show_case(
        self, label_set: LabelSet, values: Mapping[str, LabelValue], *, archive: Mapping[str, Json], is_writable: bool
    ) -> None:
        """Show a case that was just opened: the first open question is the active one.

        Args:
            label_set: what is asked.
            values: the reader's labels.
            archive: what came with the images, by name.
            is_writable: whether questions can be answered.
        """
        self._build(label_set)
        self._archive, self.is_writable = archive, is_writable
        self.entry = new_entry(label_set, values)
        self._show()
        self._into_sight()

    def show_values(self, values: Mapping[str, LabelValue]) -> None:
        """The labels of the same case are others now: an answer was stored, or undone."""
        if self.entry is None or self._label_set is None:
            return
        entry = LabelEntry(label_set=self._label_set, values=dict(values), active=self.entry.active)
        is_left = not is_asked(entry.active_field, values) and dict(values) != dict(self.entry.values)
        self.entry = new_entry(self._label_set, values) if is_left else entry
        self._show()
        self._into_sight()

    def clear(self, *, is_blocked: bool = False) -> None:
        """There is no case, or none that may be annotated."""
        self.entry, self._is_blocked = None, is_blocked
        for row in self.rows.values():
            row.hide()
        self._show()

    def store_typed(self) -> None:
        """The case is about to be left: hand over what is being typed about it."""
        if self.entry is not None:
            for row in self.rows.values():
                row.store_typed()

    def would_take(self, key: str) -> bool:
        """Whether a key means something to the form now."""
        if self.entry is None or not self.is_writable:
            return False
        try:
            return press(self.entry, key) is not None
        except UserError:
            return True

    def take(self, key: str) -> None:
        """A key was pressed that means something to the form."""
        if self.entry is not None:
            try:
                self._go(press(self.entry, key))
            except UserError as error:
                self.refused.emit(error)

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            for row in self.rows.values():
                row.retranslate()
            self._show()

    # --- inside ---

    def _build(self, label_set: LabelSet) -> None:
        """Make the rows, once for a label set."""
        if label_set == self._label_set:
            return
        for row in self.rows.values():
            self._column.removeWidget(row)
            row.deleteLater()
        self._label_set = label_set
        self.rows = {}
        for number, field in enumerate(label_set.fields):
            row = self.rows[field.id] = FieldRow(field, self._inner)
            row.picked.connect(lambda choice, name=field.id: self._pick(name, choice))
            row.entered.connect(lambda value, name=field.id: self._answer(name, value))
            row.chosen.connect(lambda name=field.id: self._activate(name))
            row.left.connect(self._on_left)
            self._column.insertWidget(number, row)

    def _show(self) -> None:
        entry = self.entry
        if entry is None:
            blocked = f"{tr('The case is blocked.')} {tr('Release it first.')}"
            self.notes.setText(blocked if self._is_blocked else tr("No case is on the screen."))
            self.notes.show()
            return
        shown = {field.id for field in entry.shown_fields}
        missing = {field.id for field in missing_fields(entry.label_set, entry.values)}
        for name, row in self.rows.items():
            row.show_value(
                entry.values.get(name),
                is_active=name == entry.active,
                is_missing=name in missing,
                is_writable=self.is_writable,
            )
            row.setVisible(name in shown)
        lines = [say(reason) for reason in unfit_values(entry.label_set, entry.values).values()]
        told = ", ".join(f"{name.removeprefix('label.')}: {value}" for name, value in sorted(self._archive.items()))
        if told:
            lines.append(tr("With the images came {labels}.", labels=told))
        self.notes.setText("\n".join(lines))
        self.notes.setVisible(bool(lines))

    def _into_sight(self) -> None:
        if self.entry is not None:
            self.area.ensureWidgetVisible(self.rows[self.entry.active], 0, GAP_S)

    def _go(self, step: LabelStep | None) -> None:
        if step is None:
            return
        self.entry = step.entry
        self._show()
        self._into_sight()
        line = self.rows[step.entry.active].line
        if step.is_text_wanted and line is not None:
            line.setFocus()
        if step.changes:
            self.changed.emit(step)

    def _pick(self, name: str, choice: str) -> None:
        if self.entry is not None:
            try:
                self._go(pick(self.entry, name, choice))
            except UserError as error:
                self._show()  # the button has checked itself
                self.refused.emit(error)

    def _answer(self, name: str, value: LabelValue | None) -> None:
        if self.entry is not None:
            is_text = self.rows[name].field.type is FieldType.TEXT
            try:
                self._go(answer(self.entry, name, value, is_advancing=not is_text))
            except UserError as error:
                self._show()
                self.refused.emit(error)

    def _on_left(self) -> None:
        """The text is done: digits answer the first open question again."""
        if self.entry is not None:
            self.entry = new_entry(self.entry.label_set, self.entry.values)
            self._show()
        self.left.emit()

    def _activate(self, name: str) -> None:
        if self.entry is not None and self.is_writable:
            self._go(activate(self.entry, name))
