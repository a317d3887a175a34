"""Under the panes while something is open about the active view: the evidence, and a key for every answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from app.core.case import View
from app.core.questions import QuestionKind
from app.ui.answer_group import AnswerGroup
from app.ui.commands.resolve import EXCLUSION_REASONS
from app.ui.flow_layout import FlowLayout
from app.ui.key_button import KeyButton
from app.ui.language import tr
from app.ui.theme import GAP_L, GAP_M, GAP_S

PROJECTIONS = ("frontal", "lateral", "frog-leg", "cross-table", "oblique")
SIDES = ("left", "right", "both")
FOOT = ("confirm", "keep_this", "swap", "exclude", "next_unplaced", "next_question", "take_back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the panel shows.

    Args:
        view: the active view; None when nothing hangs in the active pane.
        kinds: what is open about it.
        is_by_hand: the user asked about it though nothing is open.
        number: place of this view among the views of the case that are asked about, from 1; 0 = it is not.
        total: number of views of the case that are asked about.
        notes: what else must be known about the view, one sentence each.
        rivals: number of other views for the same place.
        alike: other views to which the same answer may be given, by property.
        may_swap: whether both panes hold a view that can change places with the other.
        may_pair: the same, and of neither is the projection known.
        excluded: views of this study that were taken out.
        waiting: number of views without a place that are not on show.
        is_writable: whether decisions can be recorded.
        recorded: what was recorded last, in a sentence; empty when there is nothing to take back.
        is_any_left: whether there are open questions in other cases.
    """

    view: View | None = None
    kinds: frozenset[QuestionKind] = frozenset()
    is_by_hand: bool = False
    number: int = 0
    total: int = 0
    notes: tuple[str, ...] = ()
    rivals: int = 0
    alike: Mapping[QuestionKind, tuple[View, ...]] = field(default_factory=dict)
    may_swap: bool = False
    may_pair: bool = False
    excluded: tuple[View, ...] = ()
    waiting: int = 0
    is_writable: bool = True
    recorded: str = ""
    is_any_left: bool = False

    @property
    def is_asking(self) -> bool:
        """Whether keys may say what the view shows."""
        return self.view is not None and (bool(self.kinds) or self.is_by_hand)


class ResolvePanel(QFrame):
    """Asks what the active view shows.

    Signals:
        answered: id of the command that was pressed, one of the Resolve or Case menu, or `include:VIEW`.
        turned: it asks about another view now.
    """

    answered = Signal(str)
    turned = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resolve")
        self.asked = Asked()
        self._keys: Mapping[str, str] = {}
        self._title = _label(self, "strong")
        self._which = _label(self, "muted")
        self._recorded = _label(self, "muted")
        self._notes = _label(self, "caution")
        self._notes.setWordWrap(True)
        self._notes.setTextFormat(Qt.TextFormat.PlainText)
        self.groups = {
            QuestionKind.PROJECTION: AnswerGroup(QuestionKind.PROJECTION, PROJECTIONS, self),
            QuestionKind.SIDE: AnswerGroup(QuestionKind.SIDE, SIDES, self),
        }
        self.buttons: dict[str, KeyButton] = {}
        self.exclusion = QMenu(self)
        head = QHBoxLayout()
        head.setSpacing(GAP_M)
        for label in (self._title, self._which):
            head.addWidget(label)
        head.addStretch(1)
        self._groups = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._groups.setSpacing(GAP_L)
        for kind, group in self.groups.items():
            share = len(PROJECTIONS) if kind is QuestionKind.PROJECTION else len(SIDES)
            self._groups.addWidget(group, share, Qt.AlignmentFlag.AlignTop)
            group.answered.connect(self.answered)
            self.buttons |= group.buttons
        foot = FlowLayout(gap_px=GAP_S)
        for name in FOOT:
            button = KeyButton(name, self)
            self.buttons[name] = button
            foot.addWidget(button)
            button.clicked.connect(lambda _=False, name=name: self._press(name))
        foot.addWidget(self._recorded)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)  # it takes the width there is and never makes the window wider
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        layout.addLayout(head)
        layout.addWidget(self._notes)
        layout.addLayout(self._groups)
        layout.addLayout(foot)
        self.hide()

    def show_asked(self, asked: Asked, keys: Mapping[str, str]) -> None:
        """Show what is asked, or nothing when there is nothing to say.

        Args:
            asked: what to show.
            keys: the key of every command, in words of this system; empty = none.
        """
        before, self.asked, self._keys = self.asked.view, asked, keys
        if (before is None) is not (asked.view is None) or (before and asked.view and before.id != asked.view.id):
            self.turned.emit()
        if self.is_needed or not self.isHidden():  # a panel that stays hidden says nothing
            self.retranslate()

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to say."""
        return self.asked.is_asking or self.asked.total > 0 or bool(self.asked.recorded)

    def is_same(self, kind: QuestionKind) -> bool:
        """Whether the answer is meant for the views that are alike, too."""
        return self.groups[kind].is_same

    def flip_same(self) -> None:
        """Mean, or no longer mean, the views that are alike, too; as far as there are any."""
        for group in self.groups.values():
            group.flip_same()

    def popup_exclusion(self) -> None:
        """Offer the reasons for taking the view out, and the views that can be taken back in."""
        self._fill_exclusion()
        button = self.buttons["exclude"]
        above = button.mapToGlobal(QPoint(0, -self.exclusion.sizeHint().height()))
        self.exclusion.popup(above)

    def retranslate(self) -> None:
        """Say everything again."""
        asked = self.asked
        is_asking = asked.is_asking
        self._title.setText(self._heading())
        self._which.setText(asked.view.id if asked.view is not None and is_asking else "")
        self._recorded.setText(asked.recorded)
        self._recorded.setVisible(bool(asked.recorded))
        self._notes.setText("\n".join(asked.notes))
        self._notes.setVisible(bool(asked.notes) and is_asking)
        for kind, group in self.groups.items():
            group.setVisible(is_asking)
            if asked.view is not None and is_asking:
                group.ask(asked.view, alike=asked.alike.get(kind, ()), is_writable=asked.is_writable, keys=self._keys)
        self._say_foot()
        self._arrange(self.width())
        self.setVisible(self.is_needed)

    def changeEvent(self, event: QEvent) -> None:
        """Another language: say everything again."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Groups side by side where there is room."""
        self._arrange(event.size().width())
        super().resizeEvent(event)

    def _arrange(self, width_px: int) -> None:
        """Side by side or one above the other, whichever leaves more room for the images."""
        room = width_px - 2 * GAP_M
        groups = [group.layout() for group in self.groups.values()]
        if any(layout is None for layout in groups) or room <= 0:
            return
        least = [group.minimumSizeHint().width() for group in self.groups.values()]
        share = (room - GAP_L) * len(SIDES) // (len(PROJECTIONS) + len(SIDES))
        right = max(share, least[1])
        widths = (room - GAP_L - right, right)
        beside = max(
            layout.heightForWidth(max(1, width))
            for layout, width in zip(groups, widths, strict=True)
            if layout is not None
        )
        below = sum(layout.heightForWidth(room) for layout in groups if layout is not None) + GAP_L
        is_narrow = widths[0] < least[0] or below < beside
        direction = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if self._groups.direction() is not direction:
            self._groups.setDirection(direction)

    def _heading(self) -> str:
        asked = self.asked
        if asked.is_asking and asked.number and asked.total > 1:
            return tr("What does this view show? {number} of {total}", number=asked.number, total=asked.total)
        if asked.is_asking:
            return tr("What does this view show?")
        if asked.total == 1:
            return tr("One other view of this case has an open question.")
        if asked.total:
            return tr("{count} other views of this case have open questions.", count=asked.total)
        return tr("Everything about this case is decided.")

    def _say_foot(self) -> None:
        asked = self.asked
        is_deciding = asked.is_asking and asked.is_writable
        view = asked.view
        is_known = view is not None and not view.projection.is_open and not view.side.is_open
        is_doubted = bool(asked.kinds & {QuestionKind.BODY_PART, QuestionKind.APART}) or asked.is_by_hand
        shown = {
            "confirm": is_deciding and (asked.may_pair or (is_known and is_doubted)),
            "keep_this": is_deciding and asked.rivals > 0,
            "swap": is_deciding and asked.may_swap,
            "exclude": asked.is_asking,
            "next_unplaced": asked.waiting > 0,
            "next_question": asked.total - bool(asked.number) > 0 or asked.is_any_left,
            "take_back": bool(asked.recorded) and asked.is_writable,
        }
        words = {
            "confirm": (
                (tr("Frontal left, lateral right"), tr("The views hang as they should"))
                if asked.may_pair
                else (tr("It is as shown"), tr("Confirm projection and side as they are"))
            ),
            "keep_this": (tr("Keep this one"), tr("Exclude the other views for this place as repeats")),
            "swap": (
                tr("Lateral left, frontal right") if asked.may_pair else tr("Swap the panes"),
                tr("The left one is the lateral view, the right one the frontal view; they change places"),
            ),
            "exclude": (tr("Exclude…"), tr("Take this view out of its cases, with a reason")),
            "next_unplaced": (
                tr("{count} more waiting", count=asked.waiting),
                tr("Hang the next view of this case that has no place yet"),
            ),
            "next_question": (
                tr("Next question"),
                tr("Go to the next view, or the next case, that a person has to decide about"),
            ),
            "take_back": (tr("Take back"), tr("What was decided last does not hold any more")),
        }
        for name, (text, tip) in words.items():
            button = self.buttons[name]
            button.say(text, key=self._keys.get(name, ""), tip=tip)
            button.setVisible(shown[name])
        self.buttons["exclude"].setEnabled(asked.is_writable)

    def _press(self, name: str) -> None:
        if name == "exclude":
            self.popup_exclusion()
        else:
            self.answered.emit(name)

    def _fill_exclusion(self) -> None:
        menu = self.exclusion
        menu.clear()
        for number, reason in enumerate(EXCLUSION_REASONS, 1):
            words = tr(reason)
            action = menu.addAction(f"&{number}  {words[0].upper()}{words[1:]}")
            action.triggered.connect(lambda _=False, name=f"exclude:{reason}": self.answered.emit(name))
        if self.asked.excluded:
            menu.addSeparator()
        for view in self.asked.excluded:
            words = tr("Take {view} back in ({reason})", view=view.id, reason=tr(view.excluded_reason))
            action = menu.addAction(words)
            action.triggered.connect(lambda _=False, name=f"include:{view.id}": self.answered.emit(name))


def _label(parent: QWidget, name: str) -> QLabel:
    label = QLabel(parent)
    label.setObjectName(name)
    return label
