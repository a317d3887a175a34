"""Every text has its German; switching holds at once; names are hidden everywhere."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QDialogButtonBox,
    QDockWidget,
    QLabel,
    QWidget,
)

from app.core.errors import UserError
from app.store.bundled import resource_path
from app.store.settings import SettingsFile
from app.ui import theme
from app.ui.commands.table import COMMANDS
from app.ui.geometry import is_on_a_screen
from app.ui.language import (
    LANGUAGES,
    Catalogue,
    date_figures,
    day,
    moment,
    number,
    present_language,
    read_catalogue,
    say,
    tr,
    trn,
    typed_date,
    use_language,
    whole,
)
from app.ui.main_window import MainWindow
from app.ui.privacy import HIDDEN, hide_names, private, private_id, without_paths
from tests.support.texts import (
    looked_up_texts,
    made_sentences,
    skeleton,
    table_texts,
    templates,
    trees,
    window_plurals,
    window_texts,
)
from tests.support.window import application, make_project, open_window, wait

GERMAN = read_catalogue("de")
NO_WORDS = re.compile(r"(Ctrl|Shift|Alt)\+\w+|Backspace|Return|Enter|Del|PySide6\.\w+")  # keys and modules, not texts


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    use_language(application(), "en")
    hide_names(application(), False)
    theme.apply(application(), "dark")


def field_names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


# --- the catalogue is complete and right ---


def test_every_text_of_the_window_has_its_german() -> None:
    wanted = window_texts() | {text: place for text, place in table_texts().items() if not NO_WORDS.fullmatch(text)}
    missing = {text: place for text, place in wanted.items() if text not in GERMAN["texts"] and "{}" not in text}
    assert missing == {}


def test_every_word_of_a_table_has_its_german() -> None:
    """Also those that begin with a small letter: “by hand” stood in German corners."""
    known = {*GERMAN["texts"], *GERMAN["sentences"]}
    assert {text: place for text, place in looked_up_texts().items() if text not in known} == {}


def test_no_text_is_put_together_before_it_is_looked_up() -> None:
    """`tr(f"…")` could never be found in a catalogue."""
    assert [place for text, place in window_texts().items() if "{}" in text] == []


def test_every_plural_has_its_german() -> None:
    missing = {many: place for (_, many), place in window_plurals().items() if many not in GERMAN["plurals"]}
    assert missing == {}


def test_every_plural_is_seen_by_the_extraction() -> None:
    """A number of things whose words come in a variable would be missed by the test above."""
    hidden = [f"{path.name}:{node.lineno}" for path, tree in trees("ui") for node in ast.walk(tree)
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "trn"
              and not all(templates(arg) for arg in node.args[:2])]  # fmt: skip
    assert hidden == []


@pytest.mark.parametrize("room", ["core", "store", "engine", "ui"])
def test_every_sentence_that_another_room_makes_has_its_german(room: str) -> None:
    known = {skeleton(key) for key in (*GERMAN["sentences"], *GERMAN["texts"], *GERMAN["plurals"])}
    missing = {text: place for text, place in made_sentences(room).items()
               if skeleton(text) not in known and text.strip("{}. ")}  # fmt: skip
    assert missing == {}
    templates = {skeleton(key) for key in GERMAN["sentences"]}  # only there a text with a value in it is found
    lost = {text: place for text, place in made_sentences(room).items()
            if room != "ui" and "{}" in text and text.strip("{}. ") and skeleton(text) not in templates}  # fmt: skip
    assert lost == {}
    assert not [key for key in GERMAN["sentences"] if "{}" in key]


def test_every_shipped_label_set_has_its_german() -> None:
    texts: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            texts.update(node[name] for name in ("text", "tip") if isinstance(node.get(name), str))
            for part in node.values():
                walk(part)
        elif isinstance(node, list):
            for part in node:
                walk(part)

    for path in resource_path("label_sets").glob("*.toml"):
        walk(tomllib.loads(path.read_text(encoding="utf-8")))
    assert len(texts) > 30
    assert texts - set(GERMAN["sentences"]) - set(GERMAN["texts"]) == set()


def test_translations_have_the_fields_of_their_texts() -> None:
    wrong = [key for table in ("texts", "sentences") for key, words in GERMAN[table].items()
             if field_names(key) != field_names(words)]  # fmt: skip
    wrong += [key for key, both in GERMAN["plurals"].items() if field_names(both[1]) != field_names(key)]
    wrong += [key for key, both in GERMAN["plurals"].items() if not field_names(both[0]) <= field_names(key)]
    assert wrong == []
    assert all(len(both) == 2 for both in GERMAN["plurals"].values())
    assert all(words.strip() for table in ("texts", "sentences") for words in GERMAN[table].values())


def test_the_extraction_sees_what_it_must() -> None:
    """The tests above are not vacuous: known texts of each kind are found."""
    assert "Search commands" in window_texts()
    assert COMMANDS[0].text in table_texts()
    assert "The disk is full." in made_sentences("store")
    assert any("{}" in text for text in made_sentences("store"))
    assert len(window_plurals()) > 5


# --- looking up ---


def test_texts_plurals_and_sentences_are_looked_up() -> None:
    catalogue = Catalogue("de", {
        "texts": {"Open {name}": "{name} öffnen", "frontal": "Frontalaufnahme"},
        "plurals": {"{count} hips": ["{count} Hüfte", "{count} Hüften"]},
        "sentences": {"It holds no {a}.": "Darin fehlt {a}.", "It is {a}.": "Es ist {a:t}.", "The end.": "Das Ende."},
    }, application())  # fmt: skip
    application().installTranslator(catalogue)
    assert tr("Open {name}", name="X") == "X öffnen"
    assert tr("Unknown {name}", name="X") == "Unknown X"
    assert trn("{count} hip", "{count} hips", 1) == "1 Hüfte"
    assert trn("{count} hip", "{count} hips", 12000) == "12.000 Hüften"
    assert say("It holds no project.db.") == "Darin fehlt project.db."
    assert say("It is frontal.") == "Es ist Frontalaufnahme."
    assert say("It is oblique.") == "Es ist oblique."
    assert say("The end. It holds no x. Nobody knows.") == "Das Ende. Darin fehlt x. Nobody knows."
    assert say("Something else.") == "Something else."
    assert say("") == ""


def test_known_sentences_go_before_a_template_that_would_span_them() -> None:
    tables = {"sentences": {"{a} is not {b} or {c}.": "{a} ist weder {b} noch {c}.", "It is odd.": "Es ist seltsam.",
                            "This is not red.": "Das ist nicht rot.", "It is 1 or 2.": "Es ist 1 oder 2."}}  # fmt: skip
    catalogue = Catalogue("de", tables)
    assert catalogue._sentence("This is not red. It is 1 or 2.") == "Das ist nicht rot. Es ist 1 oder 2."
    assert catalogue._sentence("A is not B or C. It is odd.") == "A ist weder B noch C. Es ist seltsam."


def test_a_fault_in_the_catalogue_falls_back_to_english() -> None:
    catalogue = Catalogue("de", {"texts": {"Open {name}": "{nam} öffnen"}}, application())
    application().installTranslator(catalogue)
    assert tr("Open {name}", name="X") == "Open X"


def test_numbers_and_dates_are_written_as_people_do() -> None:
    assert (number(1234.5, 2), whole(1234), whole(25000)) == ("1234.50", "1234", "25,000")
    assert day(date(2026, 3, 4)) == "4 Mar 2026"
    assert date_figures("2026-03-04T12:30:59.5") == "2026-03-04 12:30"
    use_language(application(), "de")
    assert (number(1234.5, 2), whole(1234), whole(25000)) == ("1234,50", "1234", "25.000")
    assert day(date(2026, 3, 4)) == "04.03.2026"
    assert [date_figures(text) for text in ("2026-03-04", "2026-03-04T12:30:59", "2026-03", "")] == [
        "04.03.2026", "04.03.2026 12:30", "2026-03", ""]  # fmt: skip
    assert [typed_date(text) for text in ("4.3.2026", " 04.03.2026", "3.2026", "2026-03", "2026", "x")] == [
        "2026-03-04", "2026-03-04", "2026-03", "2026-03", "2026", "x"]  # fmt: skip
    stamp = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
    assert moment(stamp).startswith(day(stamp.astimezone().date()))


def test_an_unknown_language_is_english_and_qt_speaks_german_too() -> None:
    assert use_language(application(), "xx") == "en"
    assert use_language(application(), "de") == "de"
    assert present_language() == "de"
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    assert box.buttons()[0].text() == "Abbrechen"
    box.deleteLater()


# --- in the real window ---

PASSING = {"Starting", "Loading…"}  # said anew whenever it is shown
SAME_WORD = {key for key, words in GERMAN["texts"].items() if key == words}


def english_left(window: QWidget) -> set[str]:
    """Texts on the screen that are still English although there is German for them."""
    english = set(GERMAN["texts"]) - SAME_WORD - PASSING - set(GERMAN["texts"].values())
    seen: set[str] = set()
    for widget in window.findChildren(QWidget):
        texts = [widget.toolTip(), widget.accessibleName(), widget.windowTitle()]
        if isinstance(widget, QLabel | QAbstractButton):
            texts.append(widget.text())
        if isinstance(widget, QAbstractItemView) and (model := widget.model()) is not None:
            columns = range(model.columnCount()) if hasattr(model, "HEADERS") else ()
            texts += [str(model.headerData(column, Qt.Orientation.Horizontal) or "") for column in columns]
        if not widget.objectName().startswith("qt_") and (widget.isVisible() or widget.objectName() != "heading"):
            seen |= {text.replace("&", "").partition(" (")[0].strip() for text in texts}
    return seen & english


def test_switching_the_language_leaves_no_english_behind(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "project"))
    title = window.commands.menu("File").title()
    window.looks.change(language="de")
    wait(20)
    assert english_left(window) == set()
    assert window.commands.menu("File").title() != title
    assert {command.id: window.actions_by_id[command.id].text() for command in COMMANDS} == {
        command.id: GERMAN["texts"][command.text] for command in COMMANDS
    }
    window.looks.change(language="en")
    wait(20)
    assert window.commands.menu("File").title() == title
    assert {command.id: window.actions_by_id[command.id].text() for command in COMMANDS} == {
        command.id: command.text for command in COMMANDS
    }


def test_the_start_page_switches_too() -> None:
    window = open_window()
    window.looks.change(language="de")
    wait(20)
    assert english_left(window) == set()


def test_making_the_demo_is_told_in_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    window = open_window()
    monkeypatch.setattr(type(window.demo_task), "is_running", property(lambda _: True))
    monkeypatch.setattr(window.demo_task, "start", lambda: None)
    window.projects.open_demo()
    assert window.start_page.heading.text() == "Making the demo project"
    window.looks.change(language="de")
    wait(20)
    assert window.start_page.heading.text() == "Das Demoprojekt wird angelegt"
    window.demo_task.progressed.emit(3, 24, "Computing radiographs")
    assert window.start_page.step.text() == "Röntgenbilder werden berechnet: 3 von 24"
    monkeypatch.undo()


def test_an_error_on_the_screen_is_said_again_in_the_other_language() -> None:
    window = open_window()
    window.banners.show_error(UserError("The disk is full.", reason="SQLite says: no space.", remedy="Check the path."))
    window.looks.change(language="de")
    wait(20)
    assert window.banners.texts["error"] == "Der Datenträger ist voll. SQLite meldet: no space. Prüfen Sie den Pfad."


def test_language_and_theme_come_back_after_a_restart(tmp_path: Path) -> None:
    first = open_window(settings=SettingsFile(tmp_path))
    first.actions_by_id["language:de"].trigger()
    first.actions_by_id["theme:light"].trigger()
    first.close()
    again = SettingsFile(tmp_path)
    assert (again.settings.language, again.settings.theme) == ("de", "light")
    assert set(LANGUAGES) == {"en", "de"}


def test_names_are_hidden_everywhere_and_a_mark_says_so(tmp_path: Path) -> None:
    project = make_project(tmp_path / "Miller hips")
    window = open_window(project)
    assert "Miller hips" in window.windowTitle()
    assert not window.hidden_mark.isVisible()
    QTest.keyClick(window, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    wait(50)
    assert window.hidden_mark.isVisible()
    assert "Miller" not in everything(window)
    assert "P-000" not in everything(window)
    assert HIDDEN in window.windowTitle()
    window.banners.show_error(UserError("It failed.", reason=f"See {project / 'project.db'}, please."))
    wait(0)
    assert "Miller" not in everything(window)
    window.actions_by_id["hide_names"].trigger()
    wait(50)
    assert "Miller hips" in window.windowTitle()
    assert not window.hidden_mark.isVisible()


def everything(window: MainWindow) -> str:
    """All texts of the window: labels, titles, tips, lists, and what is painted over the images."""
    texts = [window.windowTitle()]
    for widget in window.findChildren(QWidget):
        texts += [widget.toolTip(), widget.accessibleName(), widget.statusTip()]
        if isinstance(widget, QLabel | QAbstractButton):
            texts.append(widget.text())
        if isinstance(widget, QAbstractItemView) and (model := widget.model()) is not None:
            for row in range(min(model.rowCount(), 20)):
                roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)
                texts += [str(model.index(row, 0).data(role)) for role in roles]
    if window.viewer is not None:
        for place in window.viewer.places:
            shown = place.pane.text.corners
            texts += [line.text for lines in (shown.top_left, shown.top_right, shown.bottom_left, shown.bottom_right)
                      for line in lines]  # fmt: skip
    return "\n".join(texts)


def test_pseudonyms_stay_apart_while_they_are_hidden() -> None:
    hide_names(application(), True)
    assert private("Dr. B") == HIDDEN
    assert private("") == ""
    assert private_id("P-001") == private_id("P-001") != private_id("P-002")
    assert "P-001" not in private_id("P-001")
    hidden = without_paths("See /home/miller/x.db and C:\\Users\\Miller\\y z\\b, 1/2 of it, coxa cases --project DIR.")
    assert "iller" not in hidden
    assert "1/2" in hidden
    assert "--project DIR" in hidden


# --- size and place ---


def test_the_window_comes_back_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "window.ini"
    first = open_window(geometry=path)
    first.resize(1000, 650)  # the screen that is only thought of has 800 × 800 px, and Qt makes windows fit
    wait(0)
    first.close()
    assert open_window(geometry=path).height() == 650


def test_docks_come_back_and_their_commands_say_so(tmp_path: Path) -> None:
    path, project = tmp_path / "window.ini", make_project(tmp_path / "project")
    first = open_window(project, geometry=path)
    first.actions_by_id["show_labels"].trigger()
    first.actions_by_id["show_list"].trigger()
    wait(20)
    first.close()
    again = open_window(project, geometry=path)
    docks = {dock.objectName(): not dock.isHidden() for dock in again.findChildren(QDockWidget)}
    assert (docks["labels"], docks["cases"]) == (True, False)
    assert again.actions_by_id["show_labels"].isChecked()
    assert not again.actions_by_id["show_list"].isChecked()


@pytest.mark.parametrize("content", [b"\x00\xff nonsense", b"[window]\ngeometry=5\nstate=@ByteArray(xyz)\n"])
def test_a_geometry_that_makes_no_sense_is_ignored(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "window.ini"
    path.write_bytes(content)
    window = open_window(geometry=path)
    assert window.width() == 796  # all of it on the screen of tests, which has 800 px
    assert window.isVisible()


def test_a_window_on_a_screen_that_is_gone_comes_to_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "window.ini"
    first = open_window(geometry=path)
    first.move(9000, 9000)
    wait(0)
    first.close()
    assert QSettings(str(path), QSettings.Format.IniFormat).value("window/geometry") is not None
    assert is_on_a_screen(open_window(geometry=path).frameGeometry())
    screen = QGuiApplication.primaryScreen().availableGeometry()
    assert is_on_a_screen(QRect(screen.left(), screen.top(), 400, 300))
    assert not is_on_a_screen(QRect(screen.right() + 50, 0, 400, 300))
    assert not is_on_a_screen(QRect(0, screen.bottom() - 5, 400, 300))


# --- colours ---


def test_the_system_is_followed_while_the_window_is_open() -> None:
    window = open_window()
    window.looks.change(theme="system")
    QApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert theme.colours() == theme.LIGHT
    QApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.colours() == theme.DARK
    window.looks.change(theme="dark")
    QApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert theme.colours() == theme.DARK


def test_icons_are_drawn_in_the_colour_of_the_moment_at_every_size() -> None:
    picture = theme.icon("check")
    for scheme, wanted in (("dark", theme.DARK), ("light", theme.LIGHT)):
        theme.apply(application(), scheme)
        for size in (16, 20, 40, 60):
            image = picture.pixmap(size, size).toImage()
            strongest = max((image.pixelColor(x, y) for x in range(size) for y in range(size)), key=lambda c: c.alpha())
            assert image.width() == size
            assert strongest.alpha() > 200
            assert abs(strongest.lightnessF() - theme.QColor(wanted.text).lightnessF()) < 0.1


def test_the_banner_about_the_last_session_speaks_the_new_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.project.Project.was_unclean", True)
    window = open_window(make_project(tmp_path / "p", cases=1))
    assert "ended unexpectedly" in window.banners.texts["unclean"]
    use_language(application(), "de")
    wait(20)
    assert "unerwartet" in window.banners.texts["unclean"]
    window.close()


def test_the_reason_inside_a_sentence_is_said_in_german_too() -> None:
    from app.core.training_proposal import REASONS

    use_language(application(), "de")
    for reason in REASONS.values():
        said = say(f"None of 66 cases qualifies; of most it is to be said: {reason}.")
        assert said == f"Keiner von 66 Fällen kommt infrage; von den meisten gilt: {say(reason)}."
        assert reason not in said
