"""What is said about the whole case: its status, who is to look at it, and comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.case import ReviewStatus
from app.ui.breakable import breakable
from app.ui.fields import ChoiceBox
from app.ui.flow_layout import FlowLayout
from app.ui.key_button import KeyButton
from app.ui.language import tr
from app.ui.note_edit import NoteEdit
from app.ui.privacy import private
from app.ui.project import STATUS_WORDS
from app.ui.theme import GAP_M, GAP_S

WIDTH_PX = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment.

    Args:
        author: who wrote it.
        when: in words.
        text: what.
    """

    author: str
    when: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """What is shown of a case.

    Args:
        status: its review status; None when no case is on the screen.
        assigned: who is to look at it; empty = nobody.
        people: names that are offered.
        comments: oldest first.
        is_writable: whether anything can be recorded.
    """

    status: ReviewStatus | None = None
    assigned: str = ""
    people: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    is_writable: bool = False


class CaseNotes(QWidget):
    """Status, assignment and comments.

    Signals:
        status_chosen: a ReviewStatus.
        assigned: a name; empty = nobody.
        commented: a new comment.
        left: the keyboard is given back.
    """

    status_chosen = Signal(object)
    assigned = Signal(str)
    commented = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.state = CaseState()
        self._keys: Mapping[str, str] = {}
        self._titles = {name: _title(self) for name in ("status", "assigned", "comments")}
        self.buttons: dict[ReviewStatus, KeyButton] = {}
        flow = FlowLayout()
        for status in ReviewStatus:
            button = KeyButton(f"status:{status.value}", self)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, status=status: self._choose(status))
            self.buttons[status] = button
            flow.addWidget(button)
        self.person = ChoiceBox(self)
        self.person.setEditable(True)
        self.person.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.person.activated.connect(lambda _: self._assign())
        line = self.person.lineEdit()
        assert line is not None
        line.returnPressed.connect(self._assign)
        self.comments = QLabel(self)
        self.comments.setWordWrap(True)
        self.comments.setTextFormat(Qt.TextFormat.PlainText)
        self.comments.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.comment = NoteEdit(self)
        self.comment.done.connect(self._comment)
        self.comment.left.connect(self.left)
        sheet = QWidget(self)
        sheet.setObjectName("sheet")
        layout = QVBoxLayout(sheet)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_S)
        layout.addWidget(self._titles["status"])
        layout.addLayout(flow)
        layout.addSpacing(GAP_M)
        layout.addWidget(self._titles["assigned"])
        layout.addWidget(self.person)
        layout.addSpacing(GAP_M)
        layout.addWidget(self._titles["comments"])
        layout.addWidget(self.comments)
        layout.addWidget(self.comment)
        layout.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(sheet)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self.retranslate()

    def sizeHint(self) -> QSize:
        """As wide as the label form."""
        return QSize(WIDTH_PX, 320)

    def show_state(self, state: CaseState) -> None:
        """Show what is said about a case."""
        self.state = state
        can = state.status is not None and state.is_writable
        for status, button in self.buttons.items():
            button.setChecked(status is state.status)
            button.setEnabled(can)
        line = self.person.lineEdit()
        if line is not None and not (line.hasFocus() and line.isModified()):
            self._fill_people()
        self.person.setEnabled(can)
        self.comment.setReadOnly(not can)
        self._say_comments()

    def leave(self) -> None:
        """The case is about to be left: what was typed about it is handed over; a name counts only with Enter."""
        self.comment.store()
        self._fill_people()

    def take_back(self, text: str) -> None:
        """A comment was not recorded: it can be read and recorded again."""
        typed = self.comment.toPlainText().strip()
        self.comment.setPlainText(f"{text}\n{typed}" if typed else text)

    def forget(self) -> None:
        """The project is closed: what stands in the box is about none of the next one's cases."""
        self.comment.setPlainText("")
        self.show_state(CaseState())

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """The keys that do the same as the buttons, by command."""
        self._keys = keys
        self.retranslate()

    def write_comment(self) -> None:
        """Put the keyboard into the comment."""
        self.comment.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def choose_person(self) -> None:
        """Put the keyboard into the name."""
        self.person.setFocus(Qt.FocusReason.ShortcutFocusReason)
        line = self.person.lineEdit()
        if line is not None:
            line.selectAll()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        for name, words in (("status", tr("Status")), ("assigned", tr("Assigned to")), ("comments", tr("Comments"))):
            key = self._keys.get({"assigned": "assign", "comments": "comment"}.get(name, ""), "")
            self._titles[name].setText(f"{words} ({key})" if key else words)
        for status, button in self.buttons.items():
            button.say(tr(STATUS_WORDS[status]), key=self._keys.get(f"status:{status.value}", ""))
        line = self.person.lineEdit()
        if line is not None:
            line.setPlaceholderText(tr("Nobody"))
        self.comment.setPlaceholderText(tr("A new comment. Enter records it. No names of patients."))
        self._say_comments()

    def _fill_people(self) -> None:
        names = sorted({*self.state.people, *((self.state.assigned,) if self.state.assigned else ())})
        self.person.blockSignals(True)
        self.person.clear()
        self.person.addItems(["", *names])
        self.person.setCurrentText(self.state.assigned)
        self.person.blockSignals(False)

    def _say_comments(self) -> None:
        said: Sequence[Comment] = self.state.comments
        texts = (f"{each.when} · {private(each.author)}\n{each.text}" for each in said)
        self.comments.setText(breakable("\n\n".join(texts)))
        self.comments.setVisible(bool(said))

    def _choose(self, status: ReviewStatus) -> None:
        self.buttons[status].setChecked(status is self.state.status)  # what is stored decides, not the click
        self.status_chosen.emit(status)

    def _assign(self) -> None:
        name = " ".join(self.person.currentText().split())
        if name != self.state.assigned:
            self.assigned.emit(name)
        self.left.emit()

    def _comment(self, text: str) -> None:
        self.comment.setPlainText("")
        self.commented.emit(text)


def _title(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setObjectName("strong")
    return label
