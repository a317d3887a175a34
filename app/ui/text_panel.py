"""Under the panes while burnt-in text is looked for: what is known about each image, and a key for every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.core.pixel_review import ReleaseState
from app.ui.flow_layout import FlowLayout
from app.ui.key_button import KeyButton
from app.ui.language import tr
from app.ui.theme import GAP_M, GAP_S

BUTTONS = ("text_clean", "text_refuse", "text_unmask", "text_next", "text_review")
STATE_WORDS = {
    ReleaseState.WAITING: "not looked at",
    ReleaseState.FREE: "no text, by its header",
    ReleaseState.CLEAN: "nothing in it",
    ReleaseState.REFUSED: "must not leave",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """One image on the screen.

    Args:
        name: what it is called: `Frontal`, `Lateral` …
        state: whether it may leave.
        masks: how many rectangles are painted over it.
    """

    name: str
    state: ReleaseState
    masks: int = 0


class TextPanel(QFrame):
    """Asks whether the images on the screen may leave.

    Signals:
        pressed: id of the command whose button was pressed.
    """

    pressed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resolve")
        self._keys: Mapping[str, str] = {}
        self._shown: tuple[LookedAt, ...] = ()
        self._waiting = 0
        self._is_writable = True
        self._has_masks = False
        self.title = QLabel(self)
        self.title.setObjectName("strong")
        self.count = QLabel(self)
        self.count.setObjectName("muted")
        self.hint = QLabel(self)
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.states = QLabel(self)
        self.states.setTextFormat(Qt.TextFormat.PlainText)
        self.states.setWordWrap(True)
        self.buttons: dict[str, KeyButton] = {}
        head = QHBoxLayout()
        head.setSpacing(GAP_M)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.count)
        foot = FlowLayout(gap_px=GAP_S)
        for name in BUTTONS:
            button = self.buttons[name] = KeyButton(name, self)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the space bar is an answer, not a press of the last button
            button.clicked.connect(lambda _=False, name=name: self.pressed.emit(name))
            foot.addWidget(button)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        layout.addLayout(head)
        layout.addWidget(self.hint)
        layout.addWidget(self.states)
        layout.addLayout(foot)
        self.hide()

    def show_images(
        self,
        shown: Sequence[LookedAt],
        *,
        waiting: int,
        has_masks: bool,
        is_writable: bool,
        keys: Mapping[str, str],
    ) -> None:
        """Show what is known.

        Args:
            shown: the images on the screen, as they hang.
            waiting: number of cases with an image that nobody has looked at.
            has_masks: whether something is painted over the active view.
            is_writable: whether anything can be recorded.
            keys: the key of every command.
        """
        self._shown, self._waiting, self._has_masks = tuple(shown), waiting, has_masks
        self._is_writable, self._keys = is_writable, keys
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything again."""
        self.title.setText(tr("May these images leave the project?"))
        self.count.setText(tr("1 case waits") if self._waiting == 1 else tr("{count} cases wait", count=self._waiting))
        self.hint.setText(
            tr("Look for names, dates and numbers in the picture and drag over them. Side markers may stay.")
        )
        self.states.setText("   ·   ".join(_words(one) for one in self._shown))
        is_any = any(one.state is not ReleaseState.FREE for one in self._shown)
        words = {
            "text_clean": (
                tr("Nothing more to paint over"),
                tr("The images on the screen may leave, with what is painted over"),
            ),
            "text_refuse": (tr("Must not leave"), tr("The active view stays out of every export")),
            "text_unmask": (tr("Take the paint off"), tr("Remove the chosen rectangle, or the one drawn last")),
            "text_next": (tr("Next"), tr("Leave these as they are and go to the next images that wait")),
            "text_review": (tr("Done looking"), tr("Stop looking for burnt-in text")),
        }
        enabled = {
            "text_clean": self._is_writable and is_any,
            "text_refuse": self._is_writable and bool(self._shown),
            "text_unmask": self._is_writable and self._has_masks,
            "text_next": self._waiting > 0,
            "text_review": True,
        }
        for name, (text, tip) in words.items():
            self.buttons[name].say(text, key=self._keys.get(name, ""), tip=tip)
            self.buttons[name].setEnabled(enabled[name])

    def changeEvent(self, event: QEvent) -> None:
        """Another language: say everything again."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)


def _words(one: LookedAt) -> str:
    if one.state is ReleaseState.MASKED:
        state = tr("1 place painted over") if one.masks == 1 else tr("{count} places painted over", count=one.masks)
    else:
        state = tr(STATE_WORDS[one.state])
    return f"{one.name}: {state}"
