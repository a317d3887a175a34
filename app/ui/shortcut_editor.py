"""Changing keys: search a command, press its new key, see who has it already."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.fuzzy import find
from app.ui.command_set import CommandSet, native, portable
from app.ui.commands.table import MENUS
from app.ui.language import tr
from app.ui.theme import GAP_M, GAP_S

ROW_PX = 26
ID = Qt.ItemDataRole.UserRole
MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta)
DIGITS = tuple("123456789")  # labels get them before any command does
Shortcuts = Mapping[str, tuple[str, ...]]


class ShortcutEditor(QWidget):
    """All commands with their keys, and what can be done about them.

    Args:
        commands: the commands as they are.
        changed: keys that differ from those of a new installation.
        apply: takes the new table of changed keys; called at once.
        parent: the dialog.
    """

    def __init__(
        self,
        commands: CommandSet,
        changed: Shortcuts,
        apply: Callable[[Shortcuts], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._commands = commands
        self._changed: dict[str, tuple[str, ...]] = dict(changed)
        self._apply = apply
        self.search = QLineEdit(self)
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.tree = QTreeWidget(self)
        self.tree.setObjectName("shortcuts")
        self.tree.setColumnCount(2)
        self.tree.setUniformRowHeights(True)
        self.tree.setRootIsDecorated(False)
        self.tree.setColumnWidth(0, 330)
        self.tree.currentItemChanged.connect(lambda *_: self._show())
        self.recorder: KeyRecorder = KeyRecorder(self)
        self.tree.itemActivated.connect(lambda *_: self.recorder.record())
        self.recorder.recorded.connect(self._take)
        self.name = QLabel(self)
        self.name.setObjectName("strong")
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setMinimumHeight(self.note.fontMetrics().height() * 2 + GAP_S)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.clear_button, self.reset_button, self.reset_all = (QPushButton(self) for _ in range(3))
        self.clear_button.clicked.connect(lambda: self._set(()))
        self.reset_button.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self._reset_all)
        self.take_over = QPushButton(self)
        self.take_over.clicked.connect(self._take_over)
        self._wanted = ""
        self._build()
        self.retranslate()
        self._fill()

    @property
    def changed(self) -> Shortcuts:
        """Keys that differ from those of a new installation."""
        return dict(self._changed)

    @property
    def current(self) -> str:
        """Id of the command that is marked; empty when it is none."""
        item = self.tree.currentItem()
        return str(item.data(0, ID) or "") if item is not None else ""

    def mark(self, command_id: str) -> None:
        """Mark a command."""
        for item in self._items():
            if item.data(0, ID) == command_id:
                self.tree.setCurrentItem(item)

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self.search.setPlaceholderText(tr("Search a command, or a key"))
        self.search.setAccessibleName(tr("Search a command, or a key"))
        self.tree.setHeaderLabels([tr("Command"), tr("Keys")])
        self.tree.setAccessibleName(tr("Commands and their keys"))
        self.recorder.retranslate()
        self.clear_button.setText(tr("No key"))
        self.clear_button.setToolTip(tr("Take every key away from this command"))
        self.reset_button.setText(tr("Reset"))
        self.reset_button.setToolTip(tr("Give this command the keys of a new installation"))
        self.reset_all.setText(tr("Reset all keys"))
        self.reset_all.setToolTip(tr("Give every command the keys of a new installation"))
        self.take_over.setText(tr("Take it over"))

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
            self._fill()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        frame = QFrame(self)
        frame.setObjectName("box")
        box = QVBoxLayout(frame)
        box.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        box.setSpacing(GAP_S)
        row = QHBoxLayout()
        row.setSpacing(GAP_M)
        row.addWidget(self.name, 1)
        for widget in (self.recorder, self.clear_button, self.reset_button):
            row.addWidget(widget)
        box.addLayout(row)
        below = QHBoxLayout()
        below.addWidget(self.note, 1)
        below.addWidget(self.take_over, 0, Qt.AlignmentFlag.AlignTop)
        box.addLayout(below)
        layout.addWidget(frame)
        foot = QHBoxLayout()
        foot.addWidget(self.reset_all)
        foot.addStretch(1)
        layout.addLayout(foot)

    def _items(self) -> list[QTreeWidgetItem]:
        return [item for group in self._groups() for item in _children(group)]

    def _groups(self) -> list[QTreeWidgetItem]:
        return [item for i in range(self.tree.topLevelItemCount()) if (item := self.tree.topLevelItem(i)) is not None]

    def _fill(self) -> None:
        current = self.current
        self.tree.clear()
        for menu in MENUS:
            shown = [command for command in self._commands.commands if command.menu == menu]
            if not shown:
                continue
            group = QTreeWidgetItem(self.tree, [tr(menu)])
            group.setFlags(Qt.ItemFlag.ItemIsEnabled)
            group.setFirstColumnSpanned(True)
            group.setSizeHint(0, QSize(0, ROW_PX))  # every row is as high as the first
            face = group.font(0)
            face.setBold(True)
            group.setFont(0, face)
            for command in shown:
                item = QTreeWidgetItem(group, [tr(command.text), self._words(command.id)])
                item.setData(0, ID, command.id)
                item.setToolTip(0, tr(command.tip))
                if command.id in self._changed:
                    face = item.font(1)
                    face.setBold(True)
                    item.setFont(1, face)
                    item.setToolTip(1, tr("Changed by you"))
            group.setExpanded(True)
        self._filter(self.search.text())
        self.mark(current or (self._commands.commands[0].id if self._commands.commands else ""))
        self._show()

    def _words(self, command_id: str) -> str:
        return "   ".join(native(key) for key in self._commands.keys(command_id))

    def _filter(self, query: str) -> None:
        for group in self._groups():
            seen = 0
            for item in _children(group):
                is_wanted = not query.strip() or find(query, item.text(0)) is not None
                keys = [native(key).lower() for key in self._commands.keys(str(item.data(0, ID)))]
                item.setHidden(not (is_wanted or query.strip().lower() in keys))
                seen += not item.isHidden()
            group.setHidden(not seen)

    def _show(self, note: str = "") -> None:
        name = self.current
        command = self._commands.by_id.get(name)
        for widget in (self.recorder, self.clear_button):
            widget.setEnabled(command is not None)
        self.reset_button.setEnabled(name in self._changed)
        self.reset_all.setEnabled(bool(self._changed))
        self.name.setText(tr(command.text) if command is not None else "")
        self.recorder.show_key(self._words(name) if command is not None else "")
        self.note.setText(note or (tr(command.tip) if command is not None else ""))
        self.note.setObjectName("caution" if note else "muted")
        self.note.style().unpolish(self.note)
        self.note.style().polish(self.note)
        self.take_over.setVisible(bool(note) and bool(self._wanted))
        if not note:
            self._wanted = ""

    def _take(self, key: str) -> None:
        """A key was pressed for the marked command."""
        if key in DIGITS:
            self._wanted = ""
            self._show(tr("The digits 1 to 9 answer the label form; no command gets them."))
            return
        owner = self._commands.owner_of(key)
        if owner and owner != self.current:
            self._wanted = key
            text = tr("{key} belongs to “{command}”.", key=native(key), command=tr(self._commands.by_id[owner].text))
            self._show(text)
            self.take_over.setFocus()
            return
        self._set((portable(key),))

    def _take_over(self) -> None:
        key, owner = self._wanted, self._commands.owner_of(self._wanted)
        if owner:
            self._changed[owner] = tuple(one for one in self._commands.keys(owner) if one != portable(key))
        self._set((portable(key),))

    def _set(self, keys: tuple[str, ...]) -> None:
        name = self.current
        if not name:
            return
        self._changed[name] = keys
        self._finish()

    def _reset(self) -> None:
        """Give the marked command its own keys again; a key of these that another command has now stays there."""
        self._changed.pop(self.current, None)
        self._finish()

    def _reset_all(self) -> None:
        self._changed.clear()
        self._finish()

    def _finish(self) -> None:
        own = {command.id: tuple(map(portable, command.shortcuts)) for command in self._commands.commands}
        self._changed = {name: keys for name, keys in self._changed.items() if own.get(name) != keys}
        self._wanted = ""
        self._apply(dict(self._changed))
        self._fill()


def _children(group: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    return [item for row in range(group.childCount()) if (item := group.child(row)) is not None]


class KeyRecorder(QPushButton):
    """Shows a key; pressed, it waits for another one. Escape leaves it as it is.

    Signals:
        recorded: the key that was pressed, portable form.
    """

    recorded = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recorder")
        self.setCheckable(True)
        self.setMinimumWidth(180)
        self._keys = ""
        self.clicked.connect(lambda _: self.record())

    def show_key(self, keys: str) -> None:
        """Show what the keys are now."""
        self._keys = keys
        self.setChecked(False)
        self.retranslate()

    def record(self) -> None:
        """Wait for a key."""
        self.setChecked(True)
        self.setFocus()
        self.retranslate()

    def retranslate(self) -> None:
        """Say what to do."""
        self.setText(tr("Press the new key") if self.isChecked() else self._keys or tr("Set a key"))
        self.setToolTip(tr("Press here, then the new key; Escape leaves it as it is"))
        self.setAccessibleName(tr("Key of this command: {keys}", keys=self._keys or tr("none")))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Whoever goes elsewhere does not press a key here any more."""
        super().focusOutEvent(event)
        self.show_key(self._keys)

    def event(self, event: QEvent) -> bool:
        """While it waits, every key comes here, those of the dialog and of the window too."""
        if self.isChecked() and event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            assert isinstance(event, QKeyEvent)
            if event.type() == QEvent.Type.KeyPress:
                self._on_key(event)
            event.accept()
            return True
        return super().event(event)

    def _on_key(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in MODIFIERS or key == Qt.Key.Key_unknown:
            return
        self.setChecked(False)
        self.retranslate()
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key == Qt.Key.Key_Escape and not modifiers:
            return
        if key == Qt.Key.Key_Backtab:
            key = Qt.Key.Key_Tab
        # "?" and "+" are what is written on the key; that Shift was needed for them depends on the keyboard
        if len(event.text()) == 1 and not event.text().isalnum() and event.text().isprintable() and event.text() != " ":
            modifiers &= ~Qt.KeyboardModifier.ShiftModifier
        self.recorded.emit(QKeySequence(key.value | modifiers.value).toString())
