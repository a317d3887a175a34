"""Making, opening, closing and looking after projects in the real window; the start page."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton

from app.store.backup import list_backups
from app.store.folder import ProjectFolder
from app.store.lock import Holder, locked
from app.store.project import ProjectStore
from app.store.recent import RecentProjects
from app.ui.docks import docks_of, is_behind
from app.ui.language import moment, use_language
from app.ui.lock_words import read_only_words
from app.ui.main_window import MainWindow
from app.ui.new_project import NewProjectDialog, folder_name, free_name, problem_with
from app.ui.privacy import hide_names
from app.ui.start_plan import Start
from tests.support.window import application, make_project, open_window, wait, wait_until


def window_with(recent: Path) -> MainWindow:
    """The window without a project, with a list of recent ones."""
    window = MainWindow(
        Start(demo=Path("nowhere"), demo_command=("nothing",), is_demo_ready=lambda: False, author="t", recent=recent)
    )
    window.resize(1280, 800)
    window.show()
    wait_until(lambda: window.is_built and window.start_page.is_home)
    return window


def test_a_new_project_is_made_and_opened(tmp_path: Path) -> None:
    window = open_window()
    window.actions_by_id["new_project"].trigger()
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None
    dialog.form.place.setText(str(tmp_path))
    dialog.form.name.setText("Hips: 2026/05")
    assert dialog.path == tmp_path / "Hips 2026 05"
    QTest.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert window.project is not None
    assert window.project.is_writable
    assert window.project.name == "Hips: 2026/05"
    assert "Drop radiographs here" in window.start_page.heading.text()
    assert "Hips: 2026/05" in window.windowTitle()


def test_a_place_that_is_taken_is_said_before_anything_is_made(tmp_path: Path) -> None:
    make_project(tmp_path / "there", cases=0)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("private")
    (tmp_path / "file").write_text("in the way")
    assert "project in this folder" in problem_with(tmp_path, "there")
    assert "something else" in problem_with(tmp_path, "other")
    assert "something else" in problem_with(tmp_path / "file", "new")
    assert "a name" in problem_with(tmp_path, " . ")
    assert "Choose a folder" in problem_with(Path("relative"), "new")
    assert problem_with(tmp_path / "not" / "yet", "new") == ""
    assert free_name(tmp_path, "there") == "there 2"
    window = open_window()
    window.projects.ask_for_new()
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None
    dialog.form.place.setText(str(tmp_path))
    dialog.form.name.setText("other")
    assert not dialog.accept_button.isEnabled()
    dialog.form.name.setText("another")
    assert dialog.accept_button.isEnabled()
    dialog.reject()


@pytest.mark.parametrize(
    ("name", "folder"),
    [("Hips", "Hips"), ('a<b>:"c', "a b c"), ("..", ""), ("tab\there", "tab here"), ("x" * 200, "x" * 80)],
)
def test_folders_have_names_for_every_system(name: str, folder: str) -> None:
    assert folder_name(name) == folder


def test_recent_projects_are_opened_pinned_and_removed_by_key(tmp_path: Path) -> None:
    first, second = make_project(tmp_path / "first", cases=2), make_project(tmp_path / "second", cases=1)
    recent = tmp_path / "state" / "recent.json"
    window = window_with(recent)
    assert window.start_page.home.recent.entries == ()
    for folder in (first, second):
        window.projects.open_project(folder)
    window.close()
    window = window_with(recent)
    entries = window.start_page.home.recent.entries
    assert [(entry.name, entry.is_there) for entry in entries] == [("second", True), ("first", True)]
    assert entries[1].about == "just now · 2 cases"
    listed = window.start_page.home.recent
    window.projects.recent.pin(first, is_pinned=True)
    window.projects.show_beginning()
    assert [entry.name for entry in listed.entries] == ["first", "second"]
    listed.setFocus()
    QTest.keyClick(listed, Qt.Key.Key_Return)
    assert window.project is not None
    assert window.project.path == first
    window.actions_by_id["close_project"].trigger()
    assert window.start_page.is_home
    assert not window.project.is_open
    QTest.keyClick(listed, Qt.Key.Key_Delete)
    assert [entry.name for entry in listed.entries] == ["second"]
    assert first.is_dir()
    window.close()
    assert [project.name for project in RecentProjects(recent).projects] == ["second"]


def test_a_recent_project_that_is_gone_is_marked_and_can_be_removed(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=1)
    recent = tmp_path / "recent.json"
    window = window_with(recent)
    window.projects.open_project(folder)
    window.close()
    shutil.rmtree(folder)
    window = window_with(recent)
    listed = window.start_page.home.recent
    (entry,) = listed.entries
    assert not entry.is_there
    menu = listed.menu_for(entry)
    assert not menu.actions()[0].isEnabled()
    next(action for action in menu.actions() if action.text() == "Remove from this list").trigger()
    menu.close()
    assert listed.entries == ()
    assert not listed.isVisible()
    actions = window.projects.recent_menu().actions()
    assert actions[0].text() == "No project was open yet"


def test_the_menu_of_recent_projects_opens_one(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=1)
    window = open_window(folder)
    window.actions_by_id["close_project"].trigger()
    menu = window.projects.recent_menu()
    menu.actions()[0].trigger()
    menu.close()
    menu.deleteLater()
    assert window.project is not None
    assert window.project.path == folder


def test_everything_on_the_start_page_is_reached_by_tab(tmp_path: Path) -> None:
    make_project(tmp_path / "p", cases=0)
    recent = tmp_path / "recent.json"
    RecentProjects(recent).note(tmp_path / "p", name="P", case_count=0)
    window = window_with(recent)
    window.activateWindow()
    home = window.start_page.home
    tiles = [tile for tile in home.findChildren(QPushButton) if tile.isVisible()]
    assert [tile.accessibleName() for tile in tiles] == [
        "New project…", "Open project…", "Import files…", "Import folder…", "Demo project"
    ]  # fmt: skip
    tiles[0].setFocus()
    met = []
    for _ in range(8):
        met.append(window.focusWidget())
        QTest.keyClick(window, Qt.Key.Key_Tab)
    assert {*tiles, home.recent} <= set(met)


@pytest.mark.parametrize("size", [(960, 600), (1280, 800), (1920, 1080)])
def test_nothing_on_the_start_page_is_cut_off(tmp_path: Path, size: tuple[int, int]) -> None:
    window = open_window(size=size)
    home = window.start_page.home
    for tile in home.findChildren(QPushButton):
        if tile.isVisible():
            assert tile.width() >= tile.layout().minimumSize().width()
            corner = tile.mapTo(home, QPoint(tile.width(), tile.height()))
            assert corner.x() <= home.width()
            assert corner.y() <= home.height()


def test_properties_count_and_name_everything(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=3))
    window.actions_by_id["project_properties"].trigger()
    wait_until(lambda: window.care.properties is not None)
    dialog = window.care.properties
    assert dialog is not None
    assert (dialog.rows["Cases"], dialog.rows["Radiographs"], dialog.rows["Patients"]) == ("3", "6", "3")
    assert dialog.rows["Place"] == str(tmp_path / "p")
    assert "images" in dialog.rows["On the disk"]
    assert window.jobs.texts == {}
    next(button for button in dialog.findChildren(QPushButton) if button.text() == "Back up now").click()
    wait_until(lambda: "care" in window.banners.texts)
    assert "Backup made and verified." in window.banners.texts["care"]
    wait_until(lambda: window.care.properties is not None and window.care.properties is not dialog)
    assert window.care.properties is not None
    assert window.care.properties.backups.topLevelItemCount() == len(list_backups(ProjectFolder(tmp_path / "p"))) >= 1
    window.care.properties.close()


def test_the_backup_of_the_day_is_made_behind_the_window(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=1)
    (old,) = list_backups(ProjectFolder(folder))
    old.path.rename(old.path.with_name(f"project-20200101T000000Z-{old.event_id}.db"))
    with ProjectStore.open(folder, is_backing_up=False) as store:
        store.events.append(target="case:x", field="note", after="changed")
    for backup in list_backups(ProjectFolder(folder))[:-1]:
        backup.path.unlink()  # made on closing
    window = open_window(folder)
    wait_until(lambda: len(list_backups(ProjectFolder(folder))) == 2 and not window.care._backup.is_running)
    assert "care" not in window.banners.texts


def test_a_check_says_that_all_is_well_and_what_is_not(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=2)
    window = open_window(folder)
    window.actions_by_id["check_project"].trigger()
    assert "Checking the project" in window.jobs.texts["check"]
    wait_until(lambda: "care" in window.banners.texts)
    assert "intact" in window.banners.texts["care"]
    image = next(path for path in (folder / "images").rglob("*") if path.is_file())
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.chmod(0o600)
    image.write_bytes(bytes(content))
    window.banners.remove("care")
    window.actions_by_id["check_project"].trigger()
    wait_until(lambda: "care" in window.banners.texts)
    assert "damaged" in window.banners.texts["care"]
    assert window.care.result is not None
    assert window.care.result.isVisible()
    assert image.name in window.care.result.text
    window.care.result.close()


def test_a_check_can_be_cancelled_and_does_not_outlive_its_project(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=2))
    window.actions_by_id["check_project"].trigger()
    window.jobs.buttons("check")[0].click()
    assert window.jobs.texts == {}
    wait_until(lambda: not window.care._check.is_running)
    assert "care" not in window.banners.texts
    window.actions_by_id["check_project"].trigger()
    window.actions_by_id["close_project"].trigger()
    assert window.jobs.texts == {}
    wait(100)
    assert "care" not in window.banners.texts


def test_projects_that_cannot_be_opened_leave_the_present_one_as_it_is(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=1))
    assert window.project is not None
    newer = make_project(tmp_path / "newer", cases=0)
    ProjectFolder(newer).marker.write_text('format = 99\nname = "x"\n', encoding="utf-8")
    broken = make_project(tmp_path / "broken", cases=0)
    for suffix in ("-wal", "-shm"):
        (broken / f"project.db{suffix}").unlink(missing_ok=True)
    (broken / "project.db").write_bytes(b"no database" * 1000)
    keyless = make_project(tmp_path / "keyless", cases=0)
    ProjectFolder(keyless).key_file.unlink()
    for folder, words in ((newer, "newer version"), (broken, "damaged"), (keyless, "secret key"),
                          (tmp_path / "nowhere", "not a Coxa project")):  # fmt: skip
        window.projects.open_project(folder)
        assert words in window.banners.texts["error"]
        assert window.project.path == tmp_path / "p"
        assert window.project.is_writable
        assert window.selection.on_screen


def test_a_damaged_project_is_checked_and_repaired_from_its_banner(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=3)
    connection = sqlite3.connect(folder / "project.db")
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]
    for name in names:
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute("UPDATE head SET event_id = event_id - 1")
    connection.commit()
    connection.close()
    window = open_window()
    window.projects.open_project(folder)
    assert "damaged" in window.banners.texts["error"]
    buttons = {button.text(): button for button in window.banners.findChildren(QPushButton)}
    buttons["Check"].click()
    wait_until(lambda: window.care.result is not None and window.care.result.isVisible())
    assert window.care.result is not None
    assert "Something is damaged." in window.care.result.text
    window.care.result.close()
    buttons["Repair…"].click()
    box = window.findChild(QMessageBox)
    assert box is not None
    next(button for button in box.buttons() if button.text() == "Repair").click()
    wait_until(lambda: window.project is not None and window.project.is_open)
    assert window.project is not None
    assert window.project.path == folder
    assert window.project.is_writable
    assert "The project was repaired." in window.banners.texts["care"]
    assert window.case_list.total == 3
    assert list((folder / "backups").glob("replaced-*"))


def test_trying_again_keeps_the_case_on_the_screen(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=3)
    store = ProjectStore.open(folder)
    window = open_window(folder)
    window.cases.go_to(window.case_list.model.case_at(1))
    wait_until(lambda: window.selection.on_screen == window.case_list.model.case_at(1))
    on_screen = window.selection.on_screen
    assert window.project is not None
    assert not window.project.is_writable
    store.close()
    window.projects.try_writing()
    assert window.project.is_writable
    wait_until(lambda: window.selection.on_screen == on_screen)


def test_panels_are_put_away_without_a_project_and_lie_where_they_were_with_one(tmp_path: Path) -> None:
    folder, kept = make_project(tmp_path / "p", cases=1), tmp_path / "window.ini"
    window = open_window(folder, geometry=kept)

    def places() -> dict[str, tuple[int, ...]]:
        wait(60)
        shown = [dock for dock in docks_of(window) if dock.isVisible() and not is_behind(dock)]
        return {dock.objectName(): dock.geometry().getRect() for dock in shown}

    for name in ("show_notes", "show_labels"):
        window.actions_by_id[name].trigger()
    before = places()
    assert {"cases", "notes", "labels"} <= set(before)
    window.actions_by_id["close_project"].trigger()
    assert places() == {}
    window.projects.open_project(folder)
    wait_until(lambda: bool(window.selection.on_screen))
    assert places() == before
    assert window.actions_by_id["show_labels"].isChecked()
    window.actions_by_id["close_project"].trigger()
    window.close()  # from the start page
    window = open_window(geometry=kept)
    assert places() == {}
    window.projects.open_project(folder)
    wait_until(lambda: bool(window.selection.on_screen))
    assert set(places()) == set(before)
    window.close()


def test_who_holds_a_project_is_said_in_the_language_and_not_while_names_are_hidden() -> None:
    held = locked(Holder(pid=7, host="ward-3", user="m.meier", since="2026-11-21T18:03:05+00:00")).reason
    reason = f"{held} Close it there, then try again here to make changes."
    app, then = application(), moment(datetime(2026, 11, 21, 18, 3, tzinfo=UTC))
    assert read_only_words(reason) == (
        f"It is held by m.meier on ward-3, since {then}. Close it there, then try again here to make changes."
    )
    use_language(app, "de")
    try:
        words = read_only_words(reason)
        assert words.startswith("Es ist bei m.meier auf ward-3 zum Schreiben geöffnet, seit 21.11.2026, ")
        assert words.endswith("Schließen Sie es dort, und versuchen Sie es dann hier erneut, um etwas zu ändern.")
        hide_names(app, True)
        assert "meier" not in read_only_words(reason)
        assert "ward" not in read_only_words(reason)
    finally:
        hide_names(app, False)
        use_language(app, "en")
    assert read_only_words("It was opened for looking only.") == "It was opened for looking only."


def test_a_second_writer_of_the_same_process_cannot_slip_in(tmp_path: Path) -> None:
    """While the window holds a project, a second window finds it locked, also during its own import."""
    folder = make_project(tmp_path / "p", cases=1)
    first, second = open_window(folder), open_window(folder)
    assert first.project is not None
    assert second.project is not None
    assert (first.project.is_writable, second.project.is_writable) == (True, False)
    assert "read-only" in second.banners.texts
    second.close()
    first.close()
    with sqlite3.connect(folder / "project.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
