"""Importing in the real window: drops, progress, cancel, the report, and what can be done meanwhile."""

from __future__ import annotations

import csv
import io
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from app.store.audit import audit_database
from app.store.head import read_head
from app.store.import_report import Outcome
from app.store.project import ProjectStore
from app.store.reading.sources import Source
from app.ui.new_project import NewProjectDialog
from app.ui.notices import Banner
from tests.support.dicom_files import picture, write_dicom
from tests.support.dropping import drag_over, drop, files, leave
from tests.support.window import open_window, wait, wait_until
from tests.support.window_files import empty_project, pair, press, settled

MIDDLE = QPoint(640, 400)


def test_files_folders_and_zips_are_dropped_and_become_cases(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    pair(tmp_path / "zipped", 2)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        for path in (tmp_path / "zipped").rglob("*.dcm"):
            archive.write(path, path.relative_to(tmp_path / "zipped"))
    (tmp_path / "note.txt").write_text("no image")
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "in", tmp_path / "more.zip", tmp_path / "note.txt"])
    assert window.importing.is_running
    assert "Importing" in window.jobs.texts["import"]
    settled(window)
    assert window.jobs.texts == {}
    assert window.case_list.model.rowCount() == 2
    assert window.banners.texts["import"].startswith("4 views imported, 1 refused.")
    assert window.viewer is not None
    assert window.viewer.isVisible()
    window.close()
    with ProjectStore.open(tmp_path / "p") as store:
        assert not store.was_unclean
        assert audit_database(store.database.connection, read_head(store.folder.head_file)) == []
        assert len(store.views.all()) == 4


def test_a_dicomdir_stands_for_its_folder(tmp_path: Path) -> None:
    pair(tmp_path / "disc", 3)
    (tmp_path / "disc" / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "disc" / "DICOMDIR"])
    settled(window)
    assert window.case_list.model.rowCount() == 1


def test_the_veil_says_what_a_drop_will_do(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    other = empty_project(tmp_path / "other")
    window = open_window(empty_project(tmp_path / "p", name="My hips"))
    overlay = window.importing.drop_area.overlay
    assert drag_over(window, files([tmp_path / "in", tmp_path / "p" / "project.toml"]), MIDDLE)
    assert overlay.isVisible()
    assert overlay.size() == window.size()
    assert overlay.offer.title == "Import 1 folder and 1 file"
    assert "“My hips”" in overlay.offer.words
    leave(window)
    assert not overlay.isVisible()
    assert drag_over(window, files([other]), QPoint(20, 200))  # over the worklist
    assert overlay.offer.title == "Open the project “other”"
    leave(window)
    web = QMimeData()
    web.setUrls([QUrl("https://example.org/hip.dcm")])
    assert not drag_over(window, web, MIDDLE)
    assert "Only files on this computer" in overlay.offer.title
    leave(window)
    words = QMimeData()
    words.setText("a word for the search field")
    assert not drag_over(window, words, MIDDLE)
    assert not overlay.isVisible()


def test_a_dropped_project_is_opened(tmp_path: Path) -> None:
    other = empty_project(tmp_path / "other", name="The other")
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [other])
    assert window.project is not None
    assert window.project.name == "The other"


def test_with_nothing_open_a_drop_makes_a_project_in_one_step(tmp_path: Path) -> None:
    pair(tmp_path / "Doe_Jane", 1)
    window = open_window()
    drop(window, [tmp_path / "Doe_Jane"])
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None
    assert "Doe" not in dialog.form.project_name  # a folder's name may be a patient's
    dialog.form.name.setText("Hips of May")
    dialog.form.place.setText(str(tmp_path / "projects"))
    assert dialog.form.says == f"Will be made: {tmp_path / 'projects' / 'Hips of May'}"
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    settled(window)
    assert window.project is not None
    assert window.project.path == tmp_path / "projects" / "Hips of May"
    assert window.case_list.model.rowCount() == 1


def test_with_nothing_open_a_recent_project_can_be_chosen(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    window = open_window(empty_project(tmp_path / "p", name="Known"))
    window.actions_by_id["close_project"].trigger()
    assert window.start_page.is_home
    drop(window, [tmp_path / "in"])
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None
    assert [entry.name for entry in dialog.recent.entries] == ["Known"]
    dialog.use_known()
    dialog.accept_button.click()
    settled(window)
    assert window.project is not None
    assert window.project.name == "Known"
    assert window.case_list.model.rowCount() == 1


def test_files_are_pasted(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    pair(tmp_path / "more", 2)
    window = open_window(empty_project(tmp_path / "p"))
    QGuiApplication.clipboard().setMimeData(files([tmp_path / "in"]))
    window.actions_by_id["paste_files"].trigger()
    settled(window)
    QGuiApplication.clipboard().setText(f"{tmp_path / 'more' / '002' / 'AP.dcm'}\n\n{tmp_path / 'more' / '002'}\n")
    window.actions_by_id["paste_files"].trigger()
    settled(window, imports=2)
    assert window.case_list.model.rowCount() == 2
    QGuiApplication.clipboard().setText("just words")
    window.actions_by_id["paste_files"].trigger()
    assert "no file to paste" in window.banners.texts["error"]
    QGuiApplication.clipboard().clear()


def test_nothing_is_imported_into_a_project_that_is_only_looked_at(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    window = open_window(empty_project(tmp_path / "p"), is_read_only=True)
    assert not drag_over(window, files([tmp_path / "in"]), MIDDLE)
    assert "Nothing can be imported" in window.importing.drop_area.overlay.offer.title
    leave(window)
    window.importing.bring_in([tmp_path / "in"])
    assert "Nothing can be imported now." in window.banners.texts["error"]
    assert not window.importing.is_running


def test_a_project_locked_by_another_is_read_only_until_it_is_free(tmp_path: Path) -> None:
    folder = empty_project(tmp_path / "p")
    with ProjectStore.open(folder):
        window = open_window(folder)
        assert "held by" in window.banners.texts["read-only"]
        press(window, "Try again for writing")
        assert "read-only" in window.banners.texts
    press(window, "Try again for writing")
    assert "read-only" not in window.banners.texts
    assert window.project is not None
    assert window.project.is_writable


def test_cancelling_keeps_what_is_in_and_says_so(tmp_path: Path) -> None:
    pixels = picture(1, rows=500, cols=400)
    for study in range(1, 61):
        write_dicom(
            tmp_path / "in" / f"{study:03d}.dcm", pixels + study, study=study, instance=study, patient=f"PID-{study}",
            ViewPosition="AP", ImageLaterality="L",
        )  # fmt: skip
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "in"])
    wait_until(lambda: window.importing.task.state.imported > 0)
    window.jobs.buttons("import")[0].click()
    assert window.importing.task.state.is_stopping
    settled(window)
    _, report = window.importing.reports[-1]
    assert report.is_cancelled
    kept = report.count(Outcome.IMPORTED)
    assert 0 < kept < 60
    assert "The import was stopped" in window.banners.texts["import"]
    assert window.case_list.model.rowCount() == kept
    drop(window, [tmp_path / "in"])  # again: the rest comes in
    settled(window, imports=2)
    assert window.case_list.model.rowCount() == 60


def test_a_decision_is_recorded_while_an_import_goes_on(tmp_path: Path) -> None:
    pair(tmp_path / "first", 1, ViewPosition=None)
    for study in range(2, 30):
        pair(tmp_path / "rest", study)
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "first"])
    settled(window)
    assert window.project is not None
    case_id = window.selection.on_screen
    drop(window, [tmp_path / "rest"])
    wait_until(lambda: window.importing.task.state.imported > 0)
    target = f"case:{case_id}"
    decided = window.project.record(
        lambda store, author: store.events.append(target=target, field="note", after="seen", author=author)
    )
    assert decided is not None
    assert window.importing.is_running, "the import was over before the decision: nothing was shown"
    settled(window, imports=2)
    window.close()
    with ProjectStore.open(tmp_path / "p") as store:
        assert store.events.current(target, "note") == "seen"
        assert audit_database(store.database.connection, read_head(store.folder.head_file)) == []
        assert store.cases.count() >= 29


def test_imports_that_waited_for_each_other_are_told_together(tmp_path: Path) -> None:
    pair(tmp_path / "first", 1, ViewPosition=None)
    pair(tmp_path / "second", 2)
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "first"])
    drop(window, [tmp_path / "second"])
    settled(window, imports=2)
    assert window.banners.texts["import"] == "4 views imported. 1 case needs a decision."
    press(window, "Go to the first")
    assert window.project is not None
    wait_until(lambda: window.selection.on_screen == window.selection.wanted)
    case = window.project.look().cases.get(window.selection.on_screen)
    assert case is not None
    assert case.questions
    pair(tmp_path / "third", 3)
    drop(window, [tmp_path / "third"])
    settled(window, imports=3)
    assert window.banners.texts["import"] == "2 views imported."


def test_keys_are_commands_again_when_what_they_were_on_goes_away(tmp_path: Path) -> None:
    for study in range(1, 40):
        pair(tmp_path / "in", study)
    window = open_window(empty_project(tmp_path / "p"))
    window.banners.show_banner("other", Banner("Something else.", is_closable=True))
    drop(window, [tmp_path / "in"])
    wait_until(lambda: window.importing.task.state.imported > 0)
    (cancel,) = window.jobs.buttons("import")
    cancel.setFocus()
    cancel.click()
    assert window.focusWidget() in (window, window.case_list.table)
    settled(window)
    cross = window.banners.findChildren(QToolButton)[0]
    cross.setFocus()
    cross.click()
    assert window.focusWidget() is window.case_list.table


def test_closing_the_window_ends_an_import_cleanly(tmp_path: Path) -> None:
    for study in range(1, 40):
        pair(tmp_path / "in", study)
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "in"])
    wait_until(lambda: window.importing.task.state.imported > 0)
    assert window.importing.is_running
    told = window.importing.task.state.imported
    window.close()
    assert not window.importing.is_running
    with ProjectStore.open(tmp_path / "p") as store:
        assert not store.was_unclean
        assert told <= len(store.views.all()) < 78
        assert list((tmp_path / "p" / "scratch").iterdir()) == []


def test_leaving_the_project_asks_first_while_an_import_goes_on(tmp_path: Path) -> None:
    from PySide6.QtWidgets import QMessageBox

    for study in range(1, 40):
        pair(tmp_path / "in", study)
    other = empty_project(tmp_path / "other", name="The other")
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "in"])
    wait_until(lambda: window.importing.task.state.imported > 0)
    window.projects.open_project(other)
    box = window.findChild(QMessageBox)
    assert box is not None
    next(button for button in box.buttons() if button.text() == "Go on importing").click()
    assert window.project is not None
    assert window.project.path == tmp_path / "p"
    assert window.importing.is_running
    wait(0)
    window.projects.open_project(other)
    box = next(found for found in window.findChildren(QMessageBox) if found.isVisible())
    next(button for button in box.buttons() if button.text() == "Stop the import").click()
    assert window.project.path == other
    assert not window.importing.is_running


def test_the_report_groups_searches_copies_and_saves(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    shutil.copy(tmp_path / "in" / "001" / "AP.dcm", tmp_path / "in" / "001" / "copy.dcm")
    for name in ("a.txt", "b.txt"):
        (tmp_path / "in" / name).write_text("no image")
    (tmp_path / "in" / "cut.dcm").write_bytes((tmp_path / "in" / "001" / "AP.dcm").read_bytes()[:300])
    window = open_window(empty_project(tmp_path / "p"))
    assert not window.actions_by_id["show_report"].isEnabled()
    drop(window, [tmp_path / "in"])
    settled(window)
    assert window.banners.texts["import"].startswith("2 views imported, 1 already known, 3 refused.")
    press(window, "Show report")
    dialog = window.importing.dialog
    assert dialog is not None
    assert [dialog.filters[outcome].text() for outcome in Outcome] == [
        "Imported (2)",
        "Already known (1)",
        "Refused (3)",
    ]
    groups = [dialog.tree.topLevelItem(number) for number in range(dialog.tree.topLevelItemCount())]
    texts = [group.text(0) for group in groups if group is not None]
    assert texts[0].startswith("2 files: This is not an image that Coxa knows.")
    assert texts[1].startswith("1 file: ")
    first = groups[0]
    assert first is not None
    names = {first.child(number).text(0) for number in range(first.childCount())}
    assert {"a.txt", "b.txt"} <= names
    dialog.search.setText("b.txt")
    wait_until(lambda: dialog.tree.topLevelItemCount() == 1)
    press(window, "Copy as CSV")
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text(), newline="")))
    assert {row["file"]: row["outcome"] for row in rows} == {
        "001/AP.dcm": "imported", "001/LL.dcm": "imported", "001/copy.dcm": "duplicate",
        "a.txt": "refused", "b.txt": "refused", "cut.dcm": "refused",
    }  # fmt: skip
    dialog.save_to(tmp_path / "report.csv")
    assert (tmp_path / "report.csv").read_text(encoding="utf-8-sig").count("\n") == 7
    dialog.close()
    window.actions_by_id["show_report"].trigger()
    assert dialog.isVisible()
    dialog.close()
    window.close()
    for path in (tmp_path / "p").rglob("*"):  # names of files stay on the screen
        if path.is_file():
            assert b"cut.dcm" not in path.read_bytes()
    QGuiApplication.clipboard().clear()


def test_what_needs_a_decision_is_offered_next(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    pair(tmp_path / "in", 2, ViewPosition=None)
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "in"])
    settled(window)
    assert "1 case needs a decision." in window.banners.texts["import"]
    press(window, "Go to the first")
    assert window.project is not None
    wanted = window.project.look().cases.get(window.selection.wanted)
    assert wanted is not None
    assert wanted.questions


def test_several_drops_wait_for_each_other(tmp_path: Path) -> None:
    for study in range(1, 7):
        pair(tmp_path / str(study % 3), study)
    window = open_window(empty_project(tmp_path / "p"))
    for name in "012":
        drop(window, [tmp_path / name])
    assert "2 more imports wait" in window.jobs.texts["import"]
    settled(window, imports=3)
    assert window.case_list.model.rowCount() == 6
    window.importing.show_report()
    dialog = window.importing.dialog
    assert dialog is not None
    assert dialog.isVisible()
    dialog.close()


def test_a_file_that_vanished_is_refused_with_its_name(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    window = open_window(empty_project(tmp_path / "p"))
    window.importing.bring_in([tmp_path / "in", tmp_path / "gone.dcm"])
    settled(window)
    _, report = window.importing.reports[-1]
    assert [(item.label, item.kind) for item in report.items if item.outcome is Outcome.REFUSED] == [
        ("gone.dcm", "missing")
    ]
    assert report.count(Outcome.IMPORTED) == 2


def test_a_full_disk_ends_the_import_with_a_sentence(tmp_path: Path) -> None:
    pair(tmp_path / "in", 1)
    folder = empty_project(tmp_path / "p")
    window = open_window(folder)
    shutil.rmtree(folder / "images")
    (folder / "images").write_text("in the way")  # nothing can be stored there
    drop(window, [tmp_path / "in"])
    wait_until(lambda: "error" in window.banners.texts)
    assert "could not be stored" in window.banners.texts["error"]
    assert not window.importing.is_running
    assert window.jobs.texts == {}


def test_a_fault_ends_the_import_with_a_sentence_and_a_report_to_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("Doe^Jane")

    monkeypatch.setattr("app.ui.import_task.import_sources", broken)
    pair(tmp_path / "in", 1)
    window = open_window(empty_project(tmp_path / "p"))
    window.crash.install()
    try:
        drop(window, [tmp_path / "in"])
        wait_until(lambda: window.crash.dialog is not None)
    finally:
        window.crash.remove()
    assert "The import ended early." in window.banners.texts["error"]
    assert window.jobs.texts == {}
    assert not window.importing.is_running
    assert window.crash.dialog is not None
    assert "ZeroDivisionError" in window.crash.dialog.report
    assert "Doe" not in window.crash.dialog.report
    window.crash.dialog.close()


def test_a_search_that_hangs_does_not_keep_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end, is_looking = threading.Event(), threading.Event()

    def slow(paths: object) -> Iterator[Source]:
        is_looking.set()
        may_end.wait(60)
        yield Source(path=tmp_path / "late.dcm", label="late.dcm")

    monkeypatch.setattr("app.ui.import_task.find_sources", slow)
    pair(tmp_path / "in", 1)
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "in"])
    assert is_looking.wait(10)
    window.close()
    with ProjectStore.open(tmp_path / "p") as store:  # free, clean, and nobody writes it any more
        assert not store.was_unclean
        may_end.set()
        for thread in threading.enumerate():
            if thread.name == "import":
                thread.join(10)
        assert store.views.all() == []
