"""Where there is little room: the worklist yields, big panels get height, nothing is cut off without dots."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QPushButton, QTabBar, QToolTip

from app.core.worklist import AI_FINDING, AI_SCORE
from app.store.project import ProjectStore
from app.ui.case_list import NARROW_PX, NARROWEST_PX
from app.ui.clipboard import PlainCopies
from app.ui.fields import ChoiceBox, DecimalBox, NumberBox
from app.ui.main_window import FRAME_PX, MainWindow
from app.ui.notices import Banner
from app.ui.shell import WORKLIST_PX
from app.ui.theme import GAP_M
from tests.support.window import application, make_project, open_window, wait, wait_until


def dock(window: MainWindow, name: str) -> QDockWidget:
    found = window.findChild(QDockWidget, name)
    assert isinstance(found, QDockWidget)
    return found


def settle() -> None:
    wait(30)


def test_the_worklist_makes_room_for_a_panel_and_takes_it_back(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    worklist, labels = window.case_list, window.actions_by_id["show_labels"]
    assert worklist.width() == WORKLIST_PX
    labels.trigger()
    wait_until(lambda: worklist.width() == NARROW_PX)
    window.actions_by_id["show_notes"].trigger()  # a second one changes nothing
    settle()
    assert worklist.width() == NARROW_PX
    window.actions_by_id["show_notes"].trigger()
    labels.trigger()
    wait_until(lambda: worklist.width() == WORKLIST_PX)


def test_a_width_that_the_user_gave_it_stays(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    window.actions_by_id["show_labels"].trigger()
    wait_until(lambda: window.case_list.width() == NARROW_PX)
    window.resizeDocks([dock(window, "cases")], [470], Qt.Orientation.Horizontal)
    settle()
    chosen = window.case_list.width()
    assert chosen > NARROW_PX + 20
    window.actions_by_id["show_labels"].trigger()
    settle()
    assert window.case_list.width() == chosen


def test_in_a_small_window_the_side_goes_to_the_second_line(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"), size=(960, 600))
    window.actions_by_id["show_labels"].trigger()
    wait_until(lambda: window.case_list.width() == NARROWEST_PX)
    row = window.case_list.model.row_at(0)
    assert row is not None
    assert [column.name for column in window.case_list.model.columns] == ["patient", "status"]
    assert window.case_list.delegate._second_line(row)[0] == "L"
    window.actions_by_id["small_rows"].trigger()  # one line has no second
    assert "side" in [column.name for column in window.case_list.model.columns]
    window.actions_by_id["show_labels"].trigger()
    wait_until(lambda: window.case_list.width() > NARROW_PX)


def test_in_a_wide_window_nothing_moves(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"), size=(1700, 900))
    window.actions_by_id["show_labels"].trigger()
    settle()
    assert window.case_list.width() == WORKLIST_PX


def test_a_panel_to_work_in_gets_most_of_the_height(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    window.actions_by_id["show_labels"].trigger()
    window.actions_by_id["export"].trigger()
    wait_until(lambda: dock(window, "export").height() > 1.5 * dock(window, "labels").height())


def test_the_place_to_drop_files_on_is_whole_beside_panels(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "empty"):
        pass
    window = open_window(tmp_path / "empty", size=(960, 600))
    for command in ("show_labels", "language:de"):
        window.actions_by_id[command].trigger()
    try:
        settle()
        page = window.start_page
        things = [page.message.heading, page.message.words, *page.message.buttons]
        assert all(isinstance(thing, QLabel | QPushButton) for thing in things)
        for thing in things:
            assert thing.mapTo(page, QPoint(thing.width(), 0)).x() <= page.width()
    finally:
        window.actions_by_id["language:en"].trigger()


@pytest.mark.parametrize("kind", [NumberBox, DecimalBox])
def test_numbers_have_the_margin_of_other_fields(kind: type[NumberBox] | type[DecimalBox]) -> None:
    application()
    box = kind()
    assert box.lineEdit().textMargins().left() == GAP_M


def test_a_choice_without_room_ends_in_dots_and_says_all_of_it_under_the_mouse() -> None:
    application()
    box = ChoiceBox()
    box.addItem("A frozen hold-out of many patients of this hospital")
    box.resize(140, 30)
    box.show()
    _, is_cut = box._shown()
    assert is_cut
    picture = box.grab().toImage()
    frame = [picture.pixelColor(picture.width() - 30, row).lightness() for row in range(6, 24)]
    assert max(frame) - min(frame) < 12  # no half letter before the arrow
    QApplication.sendEvent(box, QHelpEvent(QEvent.Type.ToolTip, QPoint(5, 5), box.mapToGlobal(QPoint(5, 5))))
    assert QToolTip.text() == box.currentText()
    QToolTip.hideText()
    box.close()


def test_a_score_takes_nothing_from_the_study(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    delegate, row = window.case_list.delegate, window.case_list.model.row_at(0)
    assert row is not None
    opinions = {f"{AI_SCORE}fracture.pair": ("0.22",), f"{AI_FINDING}fracture.pair": ("not-found",)}
    judged = dataclasses.replace(row, opinions=opinions)
    assert delegate._second_line(judged) == delegate._second_line(row)
    assert row.date in delegate._second_line(row)
    assert delegate._said(judged) == ("", "AI 22 %")
    labelled = dataclasses.replace(judged, labels={"label.fracture": ("yes",)})
    assert delegate._said(labelled)[0].endswith("yes")  # what a reader says comes first


def test_the_name_of_the_tab_in_front_is_whole(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    for command in ("show_findings", "show_crop", "show_notes", "show_history"):
        if not window.actions_by_id[command].isChecked():
            window.actions_by_id[command].trigger()
    name = dock(window, "history").windowTitle()

    def bars() -> list[QTabBar]:
        return [each for each in window.findChildren(QTabBar) if each.isVisible() and each.count() > 2]

    wait_until(lambda: any(bar.tabText(bar.currentIndex()) == name for bar in bars()))
    settle()
    (bar,) = bars()
    assert bar.tabText(bar.currentIndex()) == name
    assert bar.elideMode() is Qt.TextElideMode.ElideNone
    shown = bar.tabRect(bar.currentIndex())
    assert bar.rect().contains(shown.center())
    assert shown.width() >= bar.fontMetrics().horizontalAdvance(bar.tabText(bar.currentIndex()))
    window.close()


def test_on_a_small_screen_the_bottom_bar_is_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = QRect(0, 0, 911, 540)  # 1366 × 768 at 150 %, less the row of the system

    class Small:
        def availableGeometry(self) -> QRect:  # noqa: N802
            return small

    monkeypatch.setattr(MainWindow, "screen", lambda _: Small())
    window = open_window(make_project(tmp_path / "p"), size=(960, 600))
    window.resize(100, 100)  # as small as it gets
    settle()
    assert window.width() <= small.width() - FRAME_PX[0]
    assert window.height() <= small.height() - FRAME_PX[1]
    corner = window.research.mapTo(window, window.research.rect().bottomRight())
    assert window.rect().contains(corner)
    assert window.rect().contains(window.bar.mapTo(window, window.bar.rect().bottomRight()))


def test_what_is_copied_out_of_a_banner_has_no_invisible_characters() -> None:
    name = "Aufnahmen_der_linken_Hüfte_vom_Unfalltag_" * 3
    window = open_window()
    assert len(window.findChildren(PlainCopies)) == 1
    PlainCopies(window, is_ours=lambda _: True)  # without a screen Qt cannot tell whose copy it is
    window.banners.show_banner("long", Banner("It was not read.", (f"The file {name} is empty.",)))
    label = next(label for label in window.banners.findChildren(QLabel) if "is empty" in label.text())
    assert "\u200b" in label.text()
    clipboard = application().clipboard()
    label.setSelection(0, len(label.text()))
    QTest.keyClick(label, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard.text() == f"The file {name} is empty."
    label.setSelection(14, 30)  # a piece that begins and ends within words
    QTest.keyClick(label, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard.text() == f"The file {name} is empty."[14:43]
    window.close()
