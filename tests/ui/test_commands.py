"""Palette, shortcut sheet, editable keys, help, settings: driven in the real window by keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton, QWidget

from app.store.bundled import resource_path
from app.store.settings import Settings, SettingsFile
from app.ui import theme
from app.ui.command_set import portable, with_mnemonics
from app.ui.commands.needs import NEEDS
from app.ui.commands.table import COMMANDS, MENUS
from app.ui.help_dialog import HelpDialog
from app.ui.help_pages import COMMANDS_PAGE
from app.ui.language import use_language
from app.ui.main_window import MainWindow
from app.ui.settings_dialog import SettingsDialog
from app.ui.shortcut_editor import ShortcutEditor
from app.ui.shortcut_sheet import in_columns
from tests.support.window import application, make_project, open_window, wait, wait_until

Key, Mod = Qt.Key, Qt.KeyboardModifier


@pytest.fixture(autouse=True)
def plain_again() -> Iterator[None]:
    yield
    theme.apply(application(), "dark")
    use_language(application(), "en")


@pytest.fixture
def window(tmp_path: Path) -> MainWindow:
    return open_window(make_project(tmp_path / "project"))


def press(widget: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(widget, key, modifiers)
    wait(0)


def palette_texts(window: MainWindow) -> list[str]:
    model = window.looks.palette.model
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


# --- the table ---


def test_every_need_has_a_reason_and_every_menu_a_command() -> None:
    assert {command.needs for command in COMMANDS} - {""} <= set(NEEDS)
    assert {command.menu for command in COMMANDS} == set(MENUS)


def test_no_two_commands_have_the_same_key() -> None:
    owners: dict[str, list[str]] = {}
    for command in COMMANDS:
        for key in command.shortcuts:
            assert portable(key), f"{command.id}: {key} is no key"
            owners.setdefault(portable(key), []).append(command.id)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


def test_every_icon_that_is_named_is_there() -> None:
    there = {path.stem for path in resource_path("icons").glob("*.svg")}
    assert {command.icon for command in COMMANDS} - {""} <= there
    bare = [c.id for c in COMMANDS if c.bar_text and not {c.icon, c.id.replace("_", "-")} & there]
    assert bare == []


def test_every_command_is_in_its_menu_and_menus_open_by_letters_of_their_own(window: MainWindow) -> None:
    listed = {action.objectName() for title in MENUS for action in window.commands.menu(title).actions()}
    assert {command.id for command in COMMANDS} <= listed
    letters = [re.search("&(.)", window.commands.menu(title).title()) for title in MENUS]
    found = [letter[1].lower() for letter in letters if letter]
    assert len(found) == len(set(found)) == len(MENUS)
    with_mnemonics([window.commands.menu(title) for title in MENUS])  # twice changes nothing
    assert [re.search("&(.)", window.commands.menu(title).title())[1].lower() for title in MENUS] == found  # type: ignore[index]


@pytest.mark.parametrize("width", [1920, 1280, 960])
def test_the_toolbar_fits_and_what_has_no_words_has_a_name_and_a_tip(window: MainWindow, width: int) -> None:
    window.resize(width, 800)
    wait(0)
    buttons = [button for section in window.bar.sections for button in section]
    assert window.bar.sizeHint().width() <= window.bar.width()
    assert all(button.isVisible() for button in buttons)
    assert all(button.accessibleName() and button.toolTip() for button in buttons)
    with_words = [b for b in buttons if b.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon]
    assert with_words or width < 1280
    assert all(button.width() >= button.sizeHint().width() for button in buttons)


# --- the palette ---


def test_the_palette_finds_by_a_few_letters_and_runs_by_key(window: MainWindow) -> None:
    palette = window.looks.palette
    press(window, Key.Key_K, Mod.ControlModifier)
    assert palette.isVisible()
    assert len(palette_texts(window)) == len(COMMANDS)
    QTest.keyClicks(palette.line, "inv")
    assert palette_texts(window)[0] == "Invert"
    before = window.actions_by_id["invert"].isChecked()
    press(palette.line, Key.Key_Return)
    assert not palette.isVisible()
    assert window.actions_by_id["invert"].isChecked() != before
    assert window.looks.settings.recent_commands[0] == "invert"
    press(window, Key.Key_K, Mod.ControlModifier)
    assert palette_texts(window)[0] == "Invert"  # used last, listed first


def test_the_palette_says_why_a_command_cannot_be_used_and_does_not_run_it(window: MainWindow) -> None:
    window.project.close()  # type: ignore[union-attr]
    wait(0)
    palette = window.looks.palette
    press(window, Key.Key_K, Mod.ControlModifier)
    QTest.keyClicks(palette.line, "bone window")
    entry = palette.model.entry(0)
    assert entry is not None
    assert (entry.id, entry.is_enabled, entry.note) == ("bone", False, NEEDS["image"])
    press(palette.line, Key.Key_Return)
    assert palette.isVisible()
    press(palette.line, Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_answers_in_the_other_language_too(window: MainWindow) -> None:
    palette = window.looks.palette
    for language, query in (("en", "knochen"), ("de", "bone")):
        window.looks.change(language=language)
        wait(0)
        press(window, Key.Key_K, Mod.ControlModifier)
        QTest.keyClicks(palette.line, query)
        entry = palette.model.entry(0)
        assert entry is not None
        assert entry.id == "bone"
        press(palette.line, Key.Key_Escape)


def test_keys_typed_into_the_palette_do_nothing_else(window: MainWindow) -> None:
    inverted = window.actions_by_id["invert"].isChecked()
    case = window.selection.on_screen
    press(window, Key.Key_K, Mod.ControlModifier)
    line = window.looks.palette.line
    for key in (Key.Key_I, Key.Key_PageDown, Key.Key_Question, Key.Key_BracketRight):
        press(line, key)
    assert window.actions_by_id["invert"].isChecked() == inverted
    assert window.selection.on_screen == case
    assert not window.looks.sheet.isVisible()
    assert line.text() == "i?]"


def test_the_palette_is_left_by_a_click_beside_it_and_gives_the_keyboard_back(window: MainWindow) -> None:
    window.activateWindow()
    window.case_list.table.setFocus()
    focus = QApplication.focusWidget()
    press(window, Key.Key_K, Mod.ControlModifier)
    palette = window.looks.palette
    assert QApplication.focusWidget() is palette.line
    QTest.mouseClick(palette, Qt.MouseButton.LeftButton, Mod.NoModifier, QPoint(5, 5))
    assert not palette.isVisible()
    assert QApplication.focusWidget() is focus


# --- the sheet ---


def test_the_sheet_shows_the_keys_that_hold_now(window: MainWindow) -> None:
    window.looks.change(shortcuts={"next": ("Ctrl+Alt+J",), "previous": ()})
    press(window, Key.Key_Question)
    sheet = window.looks.sheet
    assert sheet.isVisible()
    rows = {name: keys for _, group in sheet.groups() for name, keys in group}
    assert rows["Next case"] == ["Ctrl+Alt+J"]
    assert "Previous case" not in rows
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    assert {"Next case", "Ctrl+Alt+J", "Invert", "I"} <= shown
    press(sheet, Key.Key_Question)
    assert not sheet.isVisible()


def test_groups_are_set_in_columns_without_losing_or_reordering_a_row() -> None:
    groups = [(f"G{g}", [(f"{g}-{row}", ["K"]) for row in range(count)]) for g, count in enumerate((3, 1, 14, 40, 2))]
    for columns in (1, 2, 3, 4):
        found = in_columns(groups, columns)
        assert len(found) <= columns
        assert [row for column in found for _, rows in column for row in rows] == [
            r for _, rows in groups for r in rows
        ]


# --- keys ---


def editor_of(window: MainWindow) -> ShortcutEditor:
    window.looks.show_settings("keys")
    dialog = window.looks.dialog
    assert isinstance(dialog, SettingsDialog)
    return dialog.editor


def test_a_changed_key_works_at_once_and_after_a_restart(tmp_path: Path) -> None:
    project, folder = make_project(tmp_path / "project"), tmp_path / "config"
    window = open_window(project, settings=SettingsFile(folder))
    editor = editor_of(window)
    editor.mark("next")
    editor.recorder.click()
    press(editor.recorder, Key.Key_J, Mod.ControlModifier | Mod.AltModifier)
    assert editor.recorder.text() == "Ctrl+Alt+J"
    window.looks.dialog.accept()  # type: ignore[union-attr]
    window.activateWindow()
    wait(0)
    first = window.selection.on_screen
    press(window, Key.Key_PageDown)
    assert window.selection.on_screen == first
    press(window, Key.Key_J, Mod.ControlModifier | Mod.AltModifier)
    wait_until(lambda: window.selection.on_screen != first)
    assert window.actions_by_id["next"].toolTip().endswith("(Ctrl+Alt+J)")
    window.close()
    again = open_window(project, settings=SettingsFile(folder))
    first = again.selection.on_screen
    press(again, Key.Key_J, Mod.ControlModifier | Mod.AltModifier)
    wait_until(lambda: again.selection.on_screen != first)


def test_a_key_that_is_taken_is_said_to_be_and_can_be_taken_over(window: MainWindow) -> None:
    editor = editor_of(window)
    editor.mark("next")
    editor.recorder.click()
    press(editor.recorder, Key.Key_I)
    assert "Invert" in editor.note.text()
    assert window.commands.keys("invert") == ("I",)
    editor.take_over.click()
    assert window.commands.keys("next") == ("I",)
    assert window.commands.keys("invert") == ()
    assert window.looks.settings.shortcuts == {"next": ("I",), "invert": ()}
    editor.reset_all.click()
    assert window.looks.settings == Settings()
    assert window.commands.keys("invert") == ("I",)


def test_escape_leaves_the_key_and_combinations_are_recorded(window: MainWindow) -> None:
    editor = editor_of(window)
    editor.mark("fit")
    before = window.commands.keys("fit")
    editor.recorder.click()
    press(editor.recorder, Key.Key_Escape)
    assert window.commands.keys("fit") == before
    assert isinstance(window.looks.dialog, SettingsDialog)
    assert window.looks.dialog.isVisible()
    editor.recorder.click()
    press(editor.recorder, Key.Key_F2, Mod.ControlModifier | Mod.AltModifier)
    assert window.commands.keys("fit") == ("Ctrl+Alt+F2",)
    editor.clear_button.click()
    assert window.commands.keys("fit") == ()
    editor.reset_button.click()
    assert window.commands.keys("fit") == before


def test_the_editor_finds_commands_by_name_and_by_key(window: MainWindow) -> None:
    editor = editor_of(window)
    for query, wanted in (("invert", "invert"), ("PgDown", "next")):
        editor.search.setText(query)
        shown = [item.data(0, Qt.ItemDataRole.UserRole) for item in editor._items() if not item.isHidden()]
        assert wanted in shown
        assert len(shown) < 12


def test_a_key_of_the_person_beats_a_new_default(window: MainWindow) -> None:
    window.commands.use_shortcuts({"quit": ("F",)})
    assert window.commands.keys("quit") == ("F",)
    assert "F" not in window.commands.keys("frontal")


def test_digits_of_the_label_form_are_no_keys_of_commands(window: MainWindow) -> None:
    editor = editor_of(window)
    editor.mark("fit")
    before = window.commands.keys("fit")
    editor.recorder.click()
    press(editor.recorder, Key.Key_1)
    assert window.commands.keys("fit") == before
    assert "label form" in editor.note.text()
    assert not editor.take_over.isVisible()
    editor.recorder.click()
    press(editor.recorder, Key.Key_1, Mod.ControlModifier | Mod.AltModifier)
    assert window.commands.keys("fit") == ("Ctrl+Alt+1",)


def test_whoever_goes_elsewhere_is_not_asked_for_a_key_any_more(window: MainWindow) -> None:
    editor = editor_of(window)
    editor.window().activateWindow()
    wait_until(editor.window().isActiveWindow)
    editor.mark("fit")
    QTest.mouseClick(editor.recorder, Qt.MouseButton.LeftButton)
    assert editor.recorder.text() == "Press the new key"
    QTest.mouseClick(editor.search, Qt.MouseButton.LeftButton)
    QTest.keyClicks(editor.search, "zoom")
    assert editor.search.text() == "zoom"
    assert editor.recorder.text() != "Press the new key"


def test_a_menu_leaves_its_letter_to_a_command_that_has_it(window: MainWindow) -> None:
    assert window.commands.menu("File").title() == "&File"
    fitted: list[bool] = []
    window.actions_by_id["fit"].triggered.connect(lambda _: fitted.append(True))
    window.looks.change(shortcuts={"fit": ("Alt+F",)})
    wait(20)
    assert window.commands.menu("File").title() == "F&ile"
    window.activateWindow()
    wait_until(window.isActiveWindow)
    for _ in range(2):
        press(window, Key.Key_F, Mod.AltModifier)
    assert len(fitted) == 2
    window.looks.change(shortcuts={})
    wait(20)
    assert window.commands.menu("File").title() == "&File"


# --- help ---


def test_the_help_is_there_in_both_languages_and_can_be_searched(window: MainWindow) -> None:
    press(window, Key.Key_F1)
    dialog = window.looks.dialog
    assert isinstance(dialog, HelpDialog)
    english = dialog.list.count()
    assert "PgDown" in dialog.page.toPlainText()
    dialog.search.setText("lossless zebra")
    assert dialog.topic == ""
    dialog.search.setText("window")
    assert 0 < dialog.list.count() < english
    dialog.show_topic(COMMANDS_PAGE)
    text = dialog.page.toPlainText()
    assert all(command.text in text for command in COMMANDS)
    window.looks.change(language="de")
    wait(0)
    assert dialog.list.count() == english
    assert dialog.windowTitle() == "Hilfe"


def test_help_pages_name_only_commands_that_there_are() -> None:
    known = {command.id for command in COMMANDS}
    pages = {code: sorted(path.name for path in resource_path("help", code).glob("*.md")) for code in ("en", "de")}
    assert pages["en"] == pages["de"] != []
    for code in pages:
        for path in resource_path("help", code).glob("*.md"):
            text = path.read_text(encoding="utf-8")
            assert set(re.findall(r"\{key:([^}]+)\}", text)) <= known, path.name
            linked = re.findall(r"\]\(([a-z]+)\.md\)", text)
            assert set(linked) <= {name.partition("-")[2].removesuffix(".md") for name in pages[code]}


def test_no_title_of_a_help_page_is_cut_off(window: MainWindow) -> None:
    window.looks.show_help()
    dialog = window.looks.dialog
    assert isinstance(dialog, HelpDialog)
    for language in ("en", "de"):
        window.looks.change(language=language)
        wait(20)
        items = [dialog.list.item(row) for row in range(dialog.list.count())]
        room = dialog.list.viewport().width()
        assert [item.text() for item in items if dialog.list.visualItemRect(item).width() > room] == []


def test_help_links_lead_to_their_page(window: MainWindow) -> None:
    window.looks.show_help()
    dialog = window.looks.dialog
    assert isinstance(dialog, HelpDialog)
    dialog.page.anchorClicked.emit("resolve.md")
    assert dialog.topic == "resolve"


def test_about_names_the_packages_with_their_licences(window: MainWindow) -> None:
    window.actions_by_id["about"].trigger()
    dialog = window.looks.dialog
    assert dialog is not None
    lines = dialog.packages.toPlainText().splitlines()  # type: ignore[attr-defined]
    assert any(line.startswith("PySide6") and "LGPL" in line for line in lines)
    assert any(line.startswith("numpy ") for line in lines)


def test_everything_with_only_an_icon_has_a_name(window: MainWindow) -> None:
    nameless = [
        button.objectName()
        for button in window.findChildren(QToolButton)
        if button.isVisible() and not button.accessibleName() and not button.text() and not button.defaultAction()
    ]
    assert nameless == []


def test_settings_hold_at_once(window: MainWindow) -> None:
    window.looks.show_settings()
    dialog = window.looks.dialog
    assert isinstance(dialog, SettingsDialog)
    dialog.theme.setCurrentIndex(dialog.theme.findData("light"))
    dialog.theme.activated.emit(dialog.theme.currentIndex())
    assert theme.colours() == theme.LIGHT
    assert window.actions_by_id["theme:light"].isChecked()
    dialog.language.setCurrentIndex(dialog.language.findData("de"))
    dialog.language.activated.emit(dialog.language.currentIndex())
    wait(0)
    assert dialog.windowTitle() == "Einstellungen"
    dialog.author.setText("  Dr. B  ")
    dialog.author.editingFinished.emit()
    assert window.looks.settings == replace(Settings(), theme="light", language="de", author="Dr. B")
