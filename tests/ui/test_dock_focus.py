"""A panel that closes while it has the keyboard gives it back to the worklist, where keys are commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPlainTextEdit, QWidget

from app.ui.docks import dock_named
from app.ui.main_window import MainWindow
from tests.support.window import make_project, open_window, wait, wait_until

FIELDS = (QComboBox, QLineEdit, QPlainTextEdit)


def field_in(window: MainWindow, command: str) -> QWidget:
    """Open a panel by its command and give the keyboard to its first field that takes it."""
    window.actions_by_id[command].trigger()
    dock = dock_named(window, command.removeprefix("show_"))
    assert dock is not None

    def found() -> list[QWidget]:
        return [each for kind in FIELDS for each in dock.findChildren(kind)
                if each.isVisible() and each.isEnabled() and each.focusPolicy() & Qt.FocusPolicy.TabFocus]  # fmt: skip

    wait_until(lambda: bool(found()))
    field = found()[0]
    field.setFocus()
    assert QApplication.focusWidget() is field
    return field


@pytest.mark.parametrize("command", ["training", "export", "show_notes"])
def test_a_panel_that_closes_gives_the_keyboard_to_the_worklist(tmp_path: Path, command: str) -> None:
    window = open_window(make_project(tmp_path / "p"))
    field_in(window, command)
    window.actions_by_id[command].trigger()
    wait(30)
    assert QApplication.focusWidget() is window.case_list.table
    window.close()


def test_without_the_worklist_no_field_takes_the_keyboard(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    window.actions_by_id["show_list"].trigger()
    field_in(window, "training")
    window.actions_by_id["training"].trigger()
    wait(30)
    assert not isinstance(QApplication.focusWidget(), FIELDS)
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Slash)
    assert window.case_list.isVisible()  # a key is a command: this one looks for a case
    window.close()


def test_a_panel_that_closes_leaves_the_keyboard_where_it_is_elsewhere(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    window.actions_by_id["training"].trigger()
    search = window.case_list.bar.search
    search.setFocus()
    wait(30)
    window.actions_by_id["training"].trigger()
    wait(30)
    assert QApplication.focusWidget() is search
    window.close()
