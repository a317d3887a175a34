"""The toolbar: the most used commands, with words as long as there is room for them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMainWindow, QToolBar, QToolButton

from app.ui.command_set import CommandSet
from app.ui.commands.table import BAR_SECTIONS
from app.ui.language import tr

ICON_PX = 20


class CommandBar(QToolBar):
    """Icons with words, section by section, as far as there is room; the others are icons with a tooltip.

    What does not fit even so is behind the arrow at the end, and in the menus as always.

    Args:
        commands: where the actions come from; those with a `bar_text` are shown, menu by menu.
        parent: the window.
    """

    def __init__(self, commands: CommandSet, parent: QMainWindow) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setMovable(False)
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._commands = commands
        self._is_tight = False
        self.sections: list[list[QToolButton]] = []
        for title in BAR_SECTIONS:
            shown = [command for command in commands.commands if command.menu == title and command.bar_text]
            if not shown:
                continue
            if self.sections:
                self.addSeparator()
            section = []
            for command in shown:
                self.addAction(commands.actions[command.id])
                button = self.widgetForAction(commands.actions[command.id])
                assert isinstance(button, QToolButton)
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                section.append(button)
            self.sections.append(section)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self.setWindowTitle(tr("Toolbar"))
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Other words or another font need other room."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self.isVisible():
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show words as long as there is room."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def _fit(self) -> None:
        styles = Qt.ToolButtonStyle
        self._tighten(False)
        for section in self.sections:
            self._dress(section, styles.ToolButtonIconOnly)
        if self.sizeHint().width() > self.width():
            self._tighten(True)
        for section in self.sections:
            self._dress(section, styles.ToolButtonTextBesideIcon)
            if self.sizeHint().width() > self.width():
                self._dress(section, styles.ToolButtonIconOnly)

    def _tighten(self, is_tight: bool) -> None:
        """Less air beside the icons, in a narrow window."""
        if self._is_tight is is_tight:
            return
        self._is_tight = is_tight
        for section in self.sections:
            for button in section:
                button.setProperty("tight", is_tight)
                button.style().unpolish(button)
                button.style().polish(button)

    def _dress(self, section: list[QToolButton], style: Qt.ToolButtonStyle) -> None:
        for button in section:
            action = button.defaultAction()
            button.setAccessibleName(action.text())
            has_icon = not action.icon().isNull()
            button.setToolButtonStyle(style if has_icon else Qt.ToolButtonStyle.ToolButtonTextOnly)
        layout = self.layout()
        if layout is not None:
            layout.invalidate()
