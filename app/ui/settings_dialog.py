"""The settings: colours, language, size, name, keys. Everything holds at once."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.store.settings import SCALES, THEMES, Settings
from app.ui.command_set import CommandSet
from app.ui.dialog_size import open_at
from app.ui.fields import ChoiceBox
from app.ui.language import LANGUAGES, tr
from app.ui.shortcut_editor import ShortcutEditor
from app.ui.theme import GAP_L, GAP_M, GAP_XL

THEME_WORDS = {"dark": "Dark", "light": "Light", "system": "As the system"}


class Change(Protocol):
    """Sets something, keeps it, and lets it hold at once."""

    def __call__(self, **values: Any) -> None: ...


class SettingsDialog(QDialog):
    """Two pages: how Coxa looks and speaks, and its keys.

    Args:
        commands: for the keys.
        settings: what holds now.
        change: sets something.
        computer_name: the name that the computer knows, used while no other is given.
        parent: the window.
    """

    def __init__(
        self,
        commands: CommandSet,
        settings: Settings,
        change: Change,
        *,
        computer_name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        open_at(self, 760, 620)
        self._change = change
        self._computer_name = computer_name
        self.theme, self.language, self.scale = (ChoiceBox(self) for _ in range(3))
        for name in THEMES:
            self.theme.addItem("", name)
        self.language.addItem("", "system")
        for code, own_name in LANGUAGES.items():
            self.language.addItem(own_name, code)
        for percent in SCALES:
            self.scale.addItem("", percent)
        for box, value in (
            (self.theme, settings.theme), (self.language, settings.language), (self.scale, settings.scale_percent)
        ):  # fmt: skip
            box.setCurrentIndex(max(0, box.findData(value)))
        self.theme.activated.connect(lambda _: change(theme=self.theme.currentData()))
        self.language.activated.connect(lambda _: change(language=self.language.currentData()))
        self.scale.activated.connect(lambda _: change(scale_percent=self.scale.currentData()))
        self.author = QLineEdit(settings.author, self)
        self.author.setPlaceholderText(computer_name)
        self.author.setMaxLength(64)
        self.author.editingFinished.connect(self._on_author)
        self._author = settings.author
        self.hide_names = QCheckBox(self)
        self.hide_names.setChecked(settings.hide_names)
        self.hide_names.toggled.connect(lambda is_on: change(hide_names=is_on))
        self.editor = ShortcutEditor(commands, settings.shortcuts, lambda keys: change(shortcuts=keys), self)
        self._labels = {name: QLabel(self) for name in ("theme", "language", "scale", "author", "names")}
        self._hints = {name: _hint(self) for name in ("scale", "author", "names")}
        self._close = QPushButton(self)
        self._close.clicked.connect(self.accept)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._general(), "")
        keys = QWidget(self)
        room = QVBoxLayout(keys)
        room.setContentsMargins(GAP_L, GAP_L, GAP_L, 0)
        room.addWidget(self.editor)
        self.tabs.addTab(keys, "")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP_M, 0, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.tabs, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(GAP_L, 0, GAP_L, 0)
        foot.addStretch(1)
        foot.addWidget(self._close)
        layout.addLayout(foot)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Return in a line must not press whatever comes first
        self.retranslate()

    def show_page(self, page: str) -> None:
        """Show a page: `keys`, or anything else for the first."""
        self.tabs.setCurrentIndex(1 if page == "keys" else 0)
        (self.editor.search if page == "keys" else self.theme).setFocus()

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self.setWindowTitle(tr("Settings"))
        self.tabs.setTabText(0, tr("General"))
        self.tabs.setTabText(1, tr("Keys"))
        for row, name in enumerate(THEMES):
            self.theme.setItemText(row, tr(THEME_WORDS[name]))
        self.language.setItemText(0, tr("As the system"))
        for row, percent in enumerate(SCALES):
            self.scale.setItemText(row, f"{percent} %" if percent else tr("As the system"))
        for name, text, field in (
            ("theme", tr("Colours"), self.theme),
            ("language", tr("Language"), self.language),
            ("scale", tr("Size of everything"), self.scale),
            ("author", tr("Your name"), self.author),
            ("names", tr("Names on the screen"), self.hide_names),
        ):
            self._labels[name].setText(text)
            field.setAccessibleName(text)
        self.hide_names.setText(tr("Hide names"))
        self._hints["scale"].setText(tr("Holds from the next start of Coxa."))
        name = self._computer_name or tr("none")
        self._hints["author"].setText(
            tr("Recorded with every decision and every label. Without one: {name}, as this computer says.", name=name)
        )
        self._hints["names"].setText(
            tr("Pseudonyms, project names and paths are not shown, so that the screen can be shown to others.")
        )
        self._close.setText(tr("Close"))

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def _general(self) -> QWidget:
        page = QWidget(self)
        form = QFormLayout(page)
        form.setContentsMargins(GAP_XL, GAP_XL, GAP_XL, GAP_XL)
        form.setHorizontalSpacing(GAP_XL)
        form.setVerticalSpacing(GAP_L)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, field in (
            ("theme", self.theme), ("language", self.language), ("scale", self.scale), ("author", self.author),
            ("names", self.hide_names),
        ):  # fmt: skip
            self._labels[name].setBuddy(field)
            column = QVBoxLayout()
            column.setSpacing(GAP_M // 2)
            column.addWidget(field)
            if name in self._hints:
                column.addWidget(self._hints[name])
            form.addRow(self._labels[name], column)
        return page

    def _on_author(self) -> None:
        author = self.author.text().strip()
        if author != self._author:
            self._author = author
            self._change(author=author)


def _hint(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setObjectName("caption")
    label.setWordWrap(True)
    return label
