"""On what the readers of the case on the screen disagree, side by side and without their names; one key decides."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.ui.dispute_box import DisputeBox, DisputeView
from app.ui.key_button import KeyButton
from app.ui.language import tr, trn
from app.ui.theme import GAP_M, GAP_S

WIDTH_PX = 340


class AdjudicationPanel(QWidget):
    """The disputes of one case.

    Signals:
        decided: id of a field and the value.
        next_wanted: go on to the next case that waits.
        names_wanted: show the readers' names, or numbers.
    """

    decided = Signal(str, object)
    next_wanted = Signal()
    names_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.boxes: list[DisputeBox] = []
        self._active = 0
        self._has_case = False
        self._left = 0
        self._next_key = ""
        self._heading = QLabel(self)
        self._heading.setObjectName("strong")
        self._heading.setWordWrap(True)
        self._words = QLabel(self)
        self._words.setObjectName("muted")
        self._words.setWordWrap(True)
        self.names = QCheckBox(self)
        self.names.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.names.toggled.connect(self.names_wanted)
        self.next_button = KeyButton("next_disputed", self)
        self.next_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.next_button.clicked.connect(self.next_wanted)
        self._sheet = QWidget(self)
        self._sheet.setObjectName("sheet")
        self._list = QVBoxLayout(self._sheet)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(GAP_M)
        self._list.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._sheet)
        foot = QVBoxLayout()
        foot.setContentsMargins(GAP_M, 0, GAP_M, GAP_M)
        foot.setSpacing(GAP_M)
        foot.addWidget(self.names)
        foot.addWidget(self.next_button)
        head = QVBoxLayout()
        head.setContentsMargins(GAP_M, GAP_M, GAP_M, 0)
        head.setSpacing(GAP_S)
        head.addWidget(self._heading)
        head.addWidget(self._words)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(GAP_M)
        outer.addLayout(head)
        outer.addWidget(area, 1)
        outer.addLayout(foot)
        self.retranslate()

    def sizeHint(self) -> QSize:
        """As wide as the label form."""
        return QSize(WIDTH_PX, 360)

    def show_disputes(self, shown: Sequence[DisputeView] | None, *, waiting: int, is_writable: bool) -> None:
        """Show the disputes of a case.

        Args:
            shown: in the order of the questions; None when no case is on the screen.
            waiting: how many cases of the project wait.
            is_writable: whether anything can be decided.
        """
        was = self.boxes[self._active].shown.dispute.field.id if self._active < len(self.boxes) else ""
        for box in self.boxes:
            self._list.removeWidget(box)
            box.deleteLater()
        self._has_case, self._left = shown is not None, waiting
        self.boxes = [DisputeBox(each, is_writable=is_writable, parent=self._sheet) for each in shown or ()]
        for number, box in enumerate(self.boxes):
            self._list.insertWidget(number, box)
            box.decided.connect(lambda value, name=box.shown.dispute.field.id: self.decided.emit(name, value))
            box.chosen.connect(lambda number=number: self._activate(number))
        still = [n for n, box in enumerate(self.boxes) if box.shown.dispute.field.id == was]
        is_open = [n for n, box in enumerate(self.boxes) if box.shown.dispute.value is None]
        stays = still and (still[0] in is_open or not is_open)
        self._activate(still[0] if stays else is_open[0] if is_open else 0)
        self.retranslate()

    def set_next_key(self, key: str) -> None:
        """The key that goes on."""
        self._next_key = key
        self.retranslate()

    def would_take(self, key: str) -> bool:
        """Whether a key decides something here."""
        if self._active < len(self.boxes) and self.boxes[self._active].takes(key):
            return True
        return any(box.shown.dispute.field.key.casefold() == key.casefold() for box in self.boxes if key)

    def take(self, key: str) -> None:
        """A key was pressed: answer the active question, or make another one active."""
        if self._active < len(self.boxes) and self.boxes[self._active].press(key):
            return
        for number, box in enumerate(self.boxes):
            if box.shown.dispute.field.key and box.shown.dispute.field.key.casefold() == key.casefold():
                self._activate(number)

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say what is said once; the boxes are made anew with every case."""
        is_open = sum(box.shown.dispute.value is None for box in self.boxes)
        if not self._has_case:
            heading = tr("No case is on the screen.")
        elif not self.boxes:
            heading = tr("There is nothing to decide about this case.")
        elif is_open:
            heading = trn("1 question to decide", "{count} questions to decide", is_open)
        else:
            heading = tr("All questions of this case are decided.")
        self._heading.setText(heading)
        self._words.setText(trn("1 case of the project waits", "{count} cases of the project wait", self._left))
        self.names.setText(tr("Show names"))
        self.names.setToolTip(tr("Who said what; without it readers have numbers, in another order for every case"))
        self.next_button.say(tr("Next disagreement"), key=self._next_key)
        self.next_button.setEnabled(bool(self._left))

    def _activate(self, number: int) -> None:
        self._active = number
        for index, box in enumerate(self.boxes):
            box.set_active(is_active=index == number)
