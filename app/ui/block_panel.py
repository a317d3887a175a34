"""In the place of the images of a blocked case: what disagrees, whose views they are, and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.core.case import View
from app.ui.evidence_view import VALUES
from app.ui.language import date_figures, tr
from app.ui.theme import GAP_L, GAP_M, GAP_S

LONGEST_REASON = 400
ROW_PX = 34
MOST_ROWS = 5
NARROW_PX = 560  # below this the line for the reason would have no room beside the buttons


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """What the panel shows.

    Args:
        study_id: the study.
        reason: why it is blocked; empty = it is not, and the panel asks why it should be.
        views: every view of the study, the excluded ones too.
        is_writable: whether anything can be changed.
    """

    study_id: str = ""
    reason: str = ""
    views: tuple[View, ...] = ()
    is_writable: bool = True


class BlockPanel(QFrame):
    """Releases a blocked study, or blocks one; both with a reason.

    Signals:
        released: the reason why it may be read.
        blocked: the reason why it must not be read.
        left: the user does not want to block it after all.
        excluded: (view id, is out): a view is taken out as another patient's, or taken back in.
    """

    released = Signal(str)
    blocked = Signal(str)
    left = Signal()
    excluded = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("block")
        self.shown = Blocked()
        self._title = QLabel(self)
        self._title.setObjectName("title")
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._rows = QGridLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setHorizontalSpacing(GAP_L)
        self._rows.setVerticalSpacing(GAP_S)
        inside = QWidget(self)
        inside.setObjectName("plain")
        inside.setLayout(self._rows)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(inside)
        self.reason = QLineEdit(self)
        self.reason.setMaxLength(LONGEST_REASON)
        self.reason.textChanged.connect(lambda _: self._enable())
        self.reason.returnPressed.connect(self._press)
        self.act = QPushButton(self)
        self.act.setObjectName("primary")
        self.act.clicked.connect(self._press)
        self.leave = QPushButton(self)
        self.leave.clicked.connect(self.left)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        buttons.addWidget(self.act)
        buttons.addWidget(self.leave)
        foot = self._foot = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        foot.setSpacing(GAP_M)
        foot.addWidget(self.reason, 1)
        foot.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        layout.addWidget(self._title)
        layout.addWidget(self._words)
        layout.addWidget(self._scroll)
        layout.addLayout(foot)
        self.hide()

    def show_blocked(self, shown: Blocked) -> None:
        """Show a study; the reason that was being typed stays only as long as the study does."""
        if (shown.study_id, bool(shown.reason)) != (self.shown.study_id, bool(self.shown.reason)):
            self.reason.clear()
        self.shown = shown
        self.retranslate()
        self.setVisible(bool(shown.study_id))

    def retranslate(self) -> None:
        """Say everything again."""
        shown, is_blocked = self.shown, bool(self.shown.reason)
        if is_blocked:
            self._title.setText(tr("Whose images are these?"))
            self._words.setText(
                tr(
                    "Look at the request and the images where they came from. A view that belongs to somebody else is "
                    "taken out below. When you are sure, release the case and say why; it is recorded with your name."
                )
            )
            self.reason.setPlaceholderText(tr("Why it may be read, for example: checked against the request form"))
            self.act.setText(tr("Release this case"))
        else:
            self._title.setText(tr("Block this case"))
            self._words.setText(
                tr(
                    "Nothing of this study is shown any more, in none of its cases, until a person releases it. "
                    "Write no names."
                )
            )
            self.reason.setPlaceholderText(tr("Why, for example: the images show two different people"))
            self.act.setText(tr("Block this case"))
        self.leave.setText(tr("Cancel"))
        self.leave.setVisible(not is_blocked)
        self.reason.setAccessibleName(tr("Reason"))
        self.reason.setEnabled(shown.is_writable)
        self._scroll.setVisible(is_blocked)
        self._fill(shown.views if is_blocked else ())
        self._enable()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Room for a reason, above the buttons where there is little."""
        is_narrow = event.size().width() < NARROW_PX
        self._foot.setDirection(QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight)
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Another language: say everything again."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _fill(self, views: Sequence[View]) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for row, view in enumerate(views):
            for column, text in enumerate(_words_of(view, self.shown.reason)):
                label = QLabel(text, self)
                label.setObjectName("muted" if view.excluded_reason or column else "piece")
                self._rows.addWidget(label, row, column)
            is_out = bool(view.excluded_reason)
            button = QPushButton(tr("Take back in") if is_out else tr("Belongs to another patient"), self)
            button.setEnabled(self.shown.is_writable)
            button.setToolTip(
                tr("Take this view back into its cases") if is_out else tr("Take this view out of its cases")
            )
            button.clicked.connect(lambda _=False, name=view.id, is_out=is_out: self.excluded.emit(name, not is_out))
            self._rows.addWidget(button, row, 4)
        self._rows.setColumnStretch(3, 1)
        self._rows.setRowStretch(len(views), 1)
        self._scroll.setFixedHeight(min(len(views), MOST_ROWS) * ROW_PX + GAP_S)

    def _enable(self) -> None:
        self.act.setEnabled(self.shown.is_writable and bool(self.reason.text().strip()))

    def _press(self) -> None:
        words = self.reason.text().strip()
        if not words or not self.shown.is_writable:
            return
        if self.shown.reason:
            self.released.emit(words)
        else:
            self.blocked.emit(words)


def _words_of(view: View, reason: str) -> tuple[str, str, str, str]:
    """Id, what it shows, when it was taken, and what is the matter with it."""
    known = [tr(VALUES[part.value]) for part in (view.projection.value, view.side.value) if part is not None]
    matter = ""
    if view.excluded_reason:
        matter = tr("taken out: {reason}", reason=tr(view.excluded_reason))
    elif reason in view.notices:
        matter = tr("does not agree with the others")
    return view.id, ", ".join(known) or tr("unknown"), date_figures(view.acquired_at), matter
