"""A small screen, as 768 rows at 150 %: every dialog is on it, and what must be pressed is in sight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QToolButton, QWidget

from app.core.worklist import EVERYTHING, Filter
from app.ui import dialog_size
from app.ui.docks import dock_named
from app.ui.foot_scroller import FootScroller
from app.ui.main_window import MainWindow
from app.ui.notices import Banner
from tests.support import window as driver
from tests.support.window import make_project, open_window

SCREEN = QRect(0, 0, 911, 480)


class Small:
    """A small screen."""

    def availableGeometry(self) -> QRect:  # noqa: N802
        """All but the row of the system."""
        return SCREEN


@pytest.fixture
def small_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    monkeypatch.setattr(MainWindow, "screen", lambda _: Small())
    window = open_window(make_project(tmp_path / "p"), size=(907, 440))
    assert window.height() == 440
    return window


def wait_until(condition: Callable[[], bool]) -> None:
    driver.wait_until(condition, timeout_s=5)


def is_in_sight(widget: QWidget) -> bool:
    return widget.isVisible() and widget.visibleRegion().boundingRect().size() == widget.size()


@pytest.mark.parametrize("command", ["help", "settings", "about", "project_properties"])
def test_every_dialog_opens_on_the_screen(small_window: MainWindow, command: str) -> None:
    small_window.actions_by_id[command].trigger()

    def shown() -> list[QDialog]:
        return [each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible()]

    wait_until(lambda: shown() != [])
    for dialog in shown():
        assert dialog.width() <= SCREEN.width() - 4
        assert dialog.height() <= SCREEN.height() - 40
        dialog.close()
    small_window.close()


def test_a_dialog_is_as_large_as_it_likes_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    driver.application()
    dialog = QDialog()
    dialog_size.open_at(dialog, 300, 200)
    assert dialog.size().toTuple() == (300, 200)
    monkeypatch.setattr(QDialog, "screen", lambda _: Small())
    dialog_size.open_at(dialog, 3000, 2000)
    assert dialog.size().toTuple() == (907, 440)


def test_no_dialog_gives_itself_a_size_without_a_look_at_the_screen() -> None:
    sources = Path(dialog_size.__file__).parent.glob("*.py")
    found = [path.name for path in sources if "self.resize(" in path.read_text("utf-8") and path.stem != "main_window"]
    assert found == []


def test_a_question_leaves_half_of_the_height_to_the_images_and_scrolls(small_window: MainWindow) -> None:
    small_window.actions_by_id["ask"].trigger()
    panel, middle = small_window.resolving.panel, small_window.middle
    wait_until(panel.isVisible)
    scroller = next(each for each in small_window.findChildren(FootScroller) if each.isAncestorOf(panel))
    wait_until(lambda: middle.height() >= 150 and scroller.verticalScrollBar().maximum() > 0)
    for group in panel.groups.values():
        for button in group.buttons.values():
            assert button.height() >= button.sizeHint().height()  # nothing is squeezed
    scroller.verticalScrollBar().setValue(40)
    panel.turned.emit()
    assert scroller.verticalScrollBar().value() == 0
    panel.hide()
    assert scroller.isHidden()
    small_window.close()


def test_nothing_is_asked_where_nothing_is_open() -> None:
    window = open_window()
    assert len(window.findChildren(FootScroller)) == 3
    assert all(each.isHidden() for each in window.findChildren(FootScroller))
    assert window.middle.height() > 600
    window.close()


def test_a_question_about_another_view_begins_at_its_beginning(small_window: MainWindow) -> None:
    panel, turned = small_window.resolving.panel, list[bool]()
    small_window.actions_by_id["ask"].trigger()
    panel.turned.connect(lambda: turned.append(True))
    panel.show_asked(panel.asked, {})
    assert not turned
    asked = panel.asked
    assert asked.view is not None
    panel.show_asked(replace(asked, view=replace(asked.view, id="V-2")), {})
    panel.show_asked(replace(asked, view=None), {})
    assert len(turned) == 2
    small_window.close()


def test_there_is_room_for_the_reason_of_a_block(small_window: MainWindow) -> None:
    small_window.actions_by_id["show_labels"].trigger()
    small_window.actions_by_id["block"].trigger()
    panel = small_window.resolving.block_panel
    wait_until(lambda: small_window.middle.width() < 400 and panel.reason.width() > 200 and is_in_sight(panel.act))
    small_window.close()


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_exports_is_in_sight(small_window: MainWindow, language: str) -> None:
    small_window.actions_by_id[f"language:{language}"].trigger()
    try:
        small_window.actions_by_id["export"].trigger()
        panel = small_window.exporting.panel
        assert panel is not None
        wait_until(lambda: is_in_sight(panel.go))
        assert panel.go.mapTo(small_window, QPoint(panel.go.width(), 0)).x() < small_window.width()
        small_window.resize(1280, 440)
        wait_until(lambda: panel.width() >= panel.form.comfort_px)
        csv, png = (panel.form.formats[name] for name in list(panel.form.formats)[:2])
        wait_until(lambda: csv.x() == png.x() and {each.x() for each in panel.form.formats.values()} > {csv.x()})
        # two columns, which come when the form has its new width
    finally:
        small_window.actions_by_id["language:en"].trigger()
        small_window.close()


def test_what_removes_a_filter_is_in_sight(small_window: MainWindow) -> None:
    small_window.actions_by_id["show_labels"].trigger()
    bar, words = small_window.case_list.bar, "A reason that needs many words"
    small_window.case_list.ask(replace(EVERYTHING, filters=(Filter("label.reasons", (words, "other")),)))
    wait_until(lambda: small_window.case_list.width() < 320 and bar.chips != [])
    wait_until(lambda: is_in_sight(bar.chips[0].remove_button))
    small_window.close()


def test_what_has_no_room_in_the_toolbar_is_behind_an_arrow_that_can_be_seen(small_window: MainWindow) -> None:
    arrow = small_window.bar.findChild(QToolButton, "qt_toolbar_ext_button")
    assert isinstance(arrow, QToolButton)
    small_window.setMinimumWidth(600)
    small_window.resize(700, 440)
    wait_until(arrow.isVisible)
    picture = arrow.grab().toImage()
    row = [picture.pixelColor(column, picture.height() // 2).lightness() for column in range(picture.width())]
    assert max(row) - min(row) > 60
    small_window.close()


@pytest.mark.parametrize("width", [907, 700])
def test_the_mark_in_the_bottom_bar_is_whole_whatever_stands_beside_it(small_window: MainWindow, width: int) -> None:
    small_window.actions_by_id["language:de"].trigger()
    small_window.setMinimumWidth(width)
    try:
        small_window.annotating.saved.setText("Gespeichert")
        small_window.annotating.reader.setText("Befunder: Dr. Annegret-Maria von Altenbockum")
        engine = small_window.engine.button
        engine.setText("KI: bereit · CPU · 162 MB")
        engine.show()
        small_window.resize(width, 440)
        wait_until(lambda: small_window.research.width() >= small_window.research.sizeHint().width())
        assert small_window.research.geometry().right() < small_window.statusBar().width()
        assert "…" in small_window.annotating.reader.shown
        assert not small_window.annotating.reader.grab().isNull()
    finally:
        small_window.actions_by_id["language:en"].trigger()
        small_window.close()


def test_buttons_of_a_banner_lie_below_its_words_where_there_is_no_room_beside_them(small_window: MainWindow) -> None:
    actions = (("A button of many words", lambda: None), ("Another one", lambda: None))
    banner = Banner("Something waits: nobody has said who it is.", action=actions[0], more_actions=actions[1:])
    narrowest = small_window.centralWidget().minimumSizeHint().width()
    small_window.resize(1280, 440)
    small_window.banners.show_banner("test", banner)
    driver.wait(20)
    first, second = banner.findChildren(QPushButton)
    (words,) = (each for each in banner.findChildren(QLabel) if "waits" in each.text())

    def right_of(widget: QWidget) -> int:
        return widget.mapTo(banner, QPoint(widget.width(), 0)).x()

    wait_until(lambda: right_of(words) < first.mapTo(banner, QPoint()).x())
    small_window.resize(907, 440)
    small_window.actions_by_id["show_crop"].trigger()
    wait_until(lambda: small_window.centralWidget().minimumSizeHint().width() == narrowest and banner.width() < 400)
    wait_until(lambda: first.mapTo(banner, QPoint()).y() >= words.mapTo(banner, QPoint(0, words.height())).y())
    assert all(is_in_sight(each) and right_of(each) < banner.width() for each in (first, second))
    small_window.close()


def test_what_is_chosen_for_a_training_can_be_read(small_window: MainWindow) -> None:
    small_window.actions_by_id["language:de"].trigger()
    try:
        small_window.resize(960, 440)
        small_window.actions_by_id["show_labels"].trigger()
        driver.wait(20)
        dock = dock_named(small_window, "labels")
        assert dock is not None
        small_window.resizeDocks([dock], [246], Qt.Orientation.Horizontal)
        driver.wait(20)
        small_window.actions_by_id["training"].trigger()
        panel = small_window.training.panel
        assert panel is not None
        wait_until(lambda: panel.form.epochs.width() >= panel.form.epochs.sizeHint().width())
        assert panel.form.epochs.text() == panel.form.epochs.specialValueText()
    finally:
        small_window.actions_by_id["language:en"].trigger()
        small_window.close()
