"""Dialogs and banners about projects while they are on the screen: another language, hidden names, odd folders."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from app.core.errors import UserError
from app.store.health import HealthReport, Item, State
from app.store.project import ProjectStore
from app.ui.care_dialogs import CheckDialog
from app.ui.language import use_language
from app.ui.new_project import NewProjectDialog
from app.ui.privacy import hide_names
from tests.support.window import application, make_project, open_window, wait, wait_until
from tests.support.window_files import empty_project


@pytest.fixture(autouse=True)
def plain_again() -> Iterator[None]:
    yield
    hide_names(application(), False)
    use_language(application(), "en")


def test_the_banner_about_a_damaged_project_stays_in_another_language(tmp_path: Path) -> None:
    broken = make_project(tmp_path / "broken", cases=0)
    for suffix in ("-wal", "-shm"):
        (broken / f"project.db{suffix}").unlink(missing_ok=True)
    (broken / "project.db").write_bytes(b"no database" * 1000)
    window = open_window()
    window.banners.show_error(UserError("The disk is full."))
    window.banners.remove("error")
    window.projects.open_project(broken)
    window.looks.change(language="de")
    wait(20)
    said = window.banners.texts["error"]
    assert "Die Datenbank des Projekts ist beschädigt." in said
    assert {"Prüfen", "Reparieren …"} <= {button.text() for button in window.banners.findChildren(QPushButton)}
    window.banners.show_error(UserError("The disk is full."))
    window.looks.change(language="en")
    wait(20)
    assert window.banners.texts["error"] == "The disk is full."


def test_properties_and_check_speak_the_language_and_hide_names_while_they_are_open(tmp_path: Path) -> None:
    window = open_window(empty_project(tmp_path / "p", "<h1>Meier</h1>"))
    window.actions_by_id["project_properties"].trigger()
    wait_until(lambda: window.care.properties is not None)
    window.care.check()
    wait_until(lambda: window.care.result is not None and window.care.result.isVisible())
    properties, result = window.care.properties, window.care.result
    assert properties is not None
    assert result is not None
    assert properties._heading.textFormat() is Qt.TextFormat.PlainText
    window.looks.change(language="de")
    wait(20)
    assert (properties.windowTitle(), result.windowTitle()) == ("Projekteigenschaften", "Projektprüfung")
    assert properties.rows["Ort"] == str(tmp_path / "p")
    assert window.banners.texts["care"].startswith("Das Projekt ist unversehrt.")
    for english in ("folder", "database", "open for writing", "process", "events", "the newest", "backups"):
        assert english not in result.text.lower()
    account = getpass.getuser()
    assert f"Zum Schreiben geöffnet von {account} auf " in result.text
    window.looks.change(hide_names=True)
    wait(20)
    shown = " ".join(label.text() for label in properties.findChildren(QLabel))
    assert str(tmp_path) not in shown
    assert "Meier" not in shown
    assert f"von {account} auf" not in result.text
    window.looks.change(hide_names=False, language="en")
    properties.close()
    result.close()


def test_what_a_check_found_is_read_whole() -> None:
    application()
    words = "Three of four images are damaged or missing, and nothing else is wrong with what was looked at here."
    damage = Item(name="images", state=State.DAMAGED, text=words, remedy="Mend it from the newest backup.")
    dialog = CheckDialog(HealthReport(items=[damage, Item(name="disk", state=State.FINE, text="9 GiB free.")]))
    dialog.show()
    wait(20)
    for width in (760, 480):
        dialog.resize(width, 480)
        wait(20)
        line, last = (dialog.tree.topLevelItem(number) for number in (0, 1))
        assert line is not None
        assert last is not None
        room = QRect(0, 0, dialog.tree.columnWidth(2) - 20, 10_000)
        needed = dialog.tree.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, line.text(2)).height()
        assert dialog.tree.visualItemRect(line).height() >= needed
        assert 26 <= dialog.tree.visualItemRect(last).height() < 40
    dialog.close()


def test_words_that_just_fit_are_not_cut_off() -> None:
    application()
    words = "Every row, the chain and the projection are intact: 26 events, 4 views, 6 cases."
    dialog = CheckDialog(HealthReport(items=[Item(name="database", state=State.FINE, text=words)]))
    dialog.show()
    line = dialog.tree.topLevelItem(0)
    assert line is not None

    def last_px() -> int:
        """Where the words end, from the beginning of their column; -1 where they take more than one line."""
        if dialog.tree.visualItemRect(line).height() > 30:
            return -1
        left = dialog.tree.columnViewportPosition(2)
        row = dialog.tree.visualItemRect(line).adjusted(left, 0, 0, 0)
        picture = dialog.tree.viewport().grab(row).toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        pixels = np.array(picture.constBits(), np.uint8).reshape(picture.height(), -1)[:, : picture.width()]
        return int(np.flatnonzero((pixels != pixels[0, -1]).any(axis=0)).max())

    dialog.resize(1200, 300)
    wait(20)
    whole = last_px()
    assert whole > 300
    ends = []
    for width in range(whole + 150, whole + 300, 2):
        dialog.resize(width, 300)
        wait(5)
        ends.append(last_px())
    assert ends[0] == -1
    assert set(ends) == {-1, whole}
    dialog.close()


def test_who_holds_the_project_is_no_longer_read_in_an_error_when_names_are_hidden(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", cases=1)
    with ProjectStore.open(folder):
        window = open_window(folder)
    assert window.project is not None
    assert not window.project.is_writable
    account = getpass.getuser()
    window.importing.bring_in([tmp_path])
    assert f"held by {account} on" in window.banners.texts["error"]
    window.looks.change(language="de")
    wait(20)
    said = window.banners.texts["error"]
    assert said.startswith(f"Jetzt kann nichts importiert werden. Es ist bei {account} auf ")
    assert said.endswith("Drücken Sie „Erneut zum Schreiben öffnen“, oder öffnen Sie ein anderes Projekt.")
    window.looks.change(hide_names=True)
    wait(20)
    assert f"bei {account} auf" not in window.banners.texts["error"]


def test_what_a_check_found_is_not_said_of_the_next_project(tmp_path: Path) -> None:
    first, second = make_project(tmp_path / "first", cases=1), make_project(tmp_path / "second", cases=1)
    for backup in (first / "backups").iterdir():
        backup.unlink()  # something to know
    window = open_window(first)
    window.care.check()
    wait_until(lambda: "care" in window.banners.texts)
    said = window.banners.texts["care"]
    assert re.fullmatch(r"The project is intact. (1 thing|[2-9] things) to know.", said), said
    window.care._show_result()
    window.projects.open_project(second)
    assert window.project is not None
    assert window.project.path == second
    assert "care" not in window.banners.texts
    assert window.care.result is not None
    assert not window.care.result.isVisible()


def test_a_case_of_a_report_about_another_project_is_not_gone_to_in_silence(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "first", cases=1))
    window.importing._go_to("C-NOT-HERE")
    assert "not in the project that is open" in window.banners.texts["error"]
    assert window.viewer is not None
    assert window.viewer.content is not None
    window.importing._go_to(window.viewer.content.case.id)
    assert window.viewer.is_settled


def test_a_home_that_there_is_not_is_no_place_for_a_project(tmp_path: Path) -> None:
    window = open_window()
    window.projects.ask_for_new()
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None
    dialog.form.place.clear()
    QTest.keyClicks(dialog.form.place, "~nobody-of-this-name/hips")
    assert dialog.form.says == "Choose a folder to keep it in."
    assert not dialog.accept_button.isEnabled()
    dialog.form.place.setText(str(tmp_path))
    assert dialog.accept_button.isEnabled()
    dialog.reject()


def test_the_place_of_a_new_project_is_not_read_while_names_are_hidden(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=0))
    window.looks.change(hide_names=True)
    wait(20)
    window.projects.ask_for_new()
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None
    assert str(tmp_path) not in dialog.form.says
    assert str(tmp_path) not in dialog.form.place.displayText()
    dialog.form.place.setText(str(tmp_path))
    assert dialog.path.parent == tmp_path
    dialog.reject()


def test_long_folders_without_spaces_are_read_whole_and_widen_nothing(tmp_path: Path) -> None:
    place = tmp_path / ("Hip_radiographs_" * 12)
    window = open_window(empty_project(place / "p", "Hip_radiographs_" * 8))
    window.actions_by_id["project_properties"].trigger()
    wait_until(lambda: window.care.properties is not None)
    properties = window.care.properties
    assert properties is not None
    assert properties.minimumSizeHint().width() <= 620
    assert properties.rows["Place"] == str(place / "p")
    properties.close()
    window.projects.ask_for_new()
    dialog = window.findChild(NewProjectDialog)
    assert dialog is not None
    dialog.form.place.setText(str(place))
    wait(20)
    assert dialog.minimumSizeHint().width() <= dialog.width()
    wait_until(lambda: dialog.form._says.height() >= dialog.form._says.heightForWidth(dialog.form._says.width()), 10)
    assert dialog.form.says == f"Will be made: {place / 'Hips'}"
    dialog.reject()
