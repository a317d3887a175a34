"""Banners: what a person can act on, said in a title, a reason, a remedy, and buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.core.errors import UserError
from app.ui import theme
from app.ui.breakable import breakable
from app.ui.flow_layout import FlowLayout
from app.ui.focus import holds_focus
from app.ui.icon_label import IconLabel
from app.ui.language import say, tr
from app.ui.lock_words import read_only_words
from app.ui.privacy import without_paths
from app.ui.theme import GAP_L, GAP_M, GAP_S

BannerAction = tuple[str, Callable[[], None]]
WORDS_PX = 230  # what a banner keeps beside its buttons, for its words above all
TONES = {"info": ("info", "accent"), "caution": ("warning", "caution"), "danger": ("error", "danger")}


class Banner(QFrame):
    """One message: title, reason, remedy, and what can be pressed.

    Args:
        title: what happened, or what the matter is.
        lines: reason, remedy, questions: one sentence each.
        tone: `info`, `caution` or `danger`.
        action: text and effect of a button, if there is something to press.
        more_actions: texts and effects of more buttons.
        is_closable: whether the user may put it away.

    Signals:
        closed: the user put it away.
    """

    closed = Signal()

    def __init__(
        self,
        title: str,
        lines: tuple[str, ...] = (),
        *,
        tone: str = "info",
        action: BannerAction | None = None,
        more_actions: tuple[BannerAction, ...] = (),
        is_closable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setProperty("tone", tone)
        self.text = " ".join((title, *lines))
        self._said = (title, *lines)
        self._labels: list[QLabel] = []
        words = QVBoxLayout()
        words.setSpacing(2)
        for number, _ in enumerate(self._said):
            label = QLabel(self)
            label.setObjectName("strong" if number == 0 else "")
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._labels.append(label)
            words.addWidget(label)
        self._buttons = QWidget(self)
        flow = FlowLayout(self._buttons, gap_px=GAP_M)
        for words_on_it, effect in (*((action,) if action is not None else ()), *more_actions):
            button = QPushButton(words_on_it, self._buttons)
            button.clicked.connect(_calling(effect))
            flow.addWidget(button)
        self._buttons.setVisible(flow.count() > 0)
        self._middle = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._middle.setSpacing(GAP_M)
        self._middle.addLayout(words, 1)
        self._middle.addWidget(self._buttons, 0, Qt.AlignmentFlag.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        layout.addWidget(IconLabel(*TONES[tone], self), 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(self._middle, 1)
        self._close: QToolButton | None = None
        if is_closable:
            self._close = QToolButton(self)
            self._close.setObjectName("plain")
            self._close.setIcon(theme.icon("close"))
            self._close.clicked.connect(self.closed)
            layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignVCenter)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew. What was said by others stays in its language; paths may have to be hidden."""
        for label, words in zip(self._labels, self._said, strict=True):
            label.setText(breakable(without_paths(words)))
        self.setAccessibleName(without_paths(self.text))
        if self._close is not None:
            self._close.setToolTip(tr("Put this message away"))
            self._close.setAccessibleName(tr("Put this message away"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Buttons beside the words, or below them where these would have no room."""
        is_beside = event.size().width() - self._buttons.sizeHint().width() >= WORDS_PX
        directions = QBoxLayout.Direction
        self._middle.setDirection(directions.LeftToRight if is_beside else directions.TopToBottom)
        self._buttons.setContentsMargins(GAP_L if is_beside else 0, 0, 0, 0)
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Another language, or names are hidden."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()


def _calling(effect: Callable[[], None]) -> Callable[[], None]:
    return lambda: effect()


class BannerArea(QWidget):
    """The place for banners above the images. Each has a key, so that a newer one replaces the older.

    Signals:
        focus_left: what the keyboard was on goes away.
    """

    focus_left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banners: dict[str, Banner] = {}
        self._error: UserError | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP_S)

    @property
    def texts(self) -> dict[str, str]:
        """What is on show, by key."""
        return {key: banner.text for key, banner in self._banners.items()}

    def show_banner(self, key: str, banner: Banner) -> None:
        """Show a banner in the place of the one with the same key."""
        self.remove(key)
        self._banners[key] = banner
        self._layout.addWidget(banner)
        banner.closed.connect(lambda: self.remove(key))

    def show_error(self, error: UserError) -> None:
        """Show an error: title, reason, remedy. The user puts it away."""
        lines = tuple(part for part in (read_only_words(error.reason), say(error.remedy)) if part)
        self.show_banner("error", Banner(say(error.title), lines, tone="danger", is_closable=True))
        self._error = error

    def changeEvent(self, event: QEvent) -> None:
        """Another language: say the error again. Other banners are shown anew by those who showed them."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and "error" in self._banners and self._error is not None:
            self.show_error(self._error)

    def remove(self, key: str) -> None:
        """Take a banner away, if it is there."""
        banner = self._banners.pop(key, None)
        if key == "error":
            self._error = None  # it must not come back in another language
        if banner is not None:
            if holds_focus(banner):
                self.focus_left.emit()  # else Qt would go to the next button, which keys would then press
            self._layout.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
