"""The worklist in the window, by real keys and clicks, against the plain answer from the project."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTreeWidgetItem

from app.core.case import ReviewStatus
from app.core.worklist import AI_FINDING, AI_SCORE, LABEL_PREFIX, Query, Sort, WorklistRow, parse_filter
from app.store.project import ProjectStore
from app.ui import case_words
from app.ui.case_list import CaseList
from app.ui.import_words import what_words
from app.ui.language import use_language
from app.ui.privacy import hide_names
from tests.support.many_cases import make_many_cases
from tests.support.naive_worklist import answer, facts
from tests.support.window import application, wait, wait_until

CASES = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed project of invented hips."""
    path = tmp_path_factory.mktemp("list") / "project"
    make_many_cases(path, CASES, seed=8)
    return path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Iterator[ProjectStore]:
    """A copy of it, open."""
    import shutil

    shutil.copytree(made, tmp_path / "project")
    with ProjectStore.open(tmp_path / "project") as project:
        yield project


@pytest.fixture
def cases(store: ProjectStore) -> Iterator[CaseList]:
    """The worklist on it, shown."""
    widget = CaseList()
    widget.resize(400, 700)
    widget.set_source(store.worklist)
    widget.show()
    wait(0)
    yield widget
    widget.set_source(None)
    widget.close()


def listed(cases: CaseList) -> list[str]:
    """The cases as they stand in the list."""
    return [cases.model.case_at(row) for row in range(cases.model.rowCount())]


def click_heading(cases: CaseList, name: str) -> None:
    header = cases.table.horizontalHeader()
    section = [column.name for column in cases.model.columns].index(name)
    place = QPoint(header.sectionViewportPosition(section) + 15, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)


def tree_item(cases: CaseList, name: str, value: str) -> QTreeWidgetItem:
    assert cases.popup is not None
    return cases.popup._values[name, value]


def test_a_click_on_a_heading_sorts_both_ways_and_back(store: ProjectStore, cases: CaseList) -> None:
    known = facts(store)
    for name in ("patient", "side", "status"):
        for sort in (Sort(name), Sort(name, True), Sort()):
            click_heading(cases, name)
            assert listed(cases) == answer(known, Query(sort=sort))
            assert cases.table.horizontalHeader().isSortIndicatorShown() == (sort != Sort())


def test_the_marked_case_stays_marked_when_the_order_changes(cases: CaseList) -> None:
    chosen: list[str] = []
    cases.case_chosen.connect(chosen.append)
    QTest.mouseClick(cases.table.viewport(), Qt.MouseButton.LeftButton,
                     pos=cases.table.visualRect(cases.model.index(4, 0)).center())  # fmt: skip
    case_id = cases.current_case
    assert chosen == [case_id]
    for _ in range(3):
        click_heading(cases, "patient")
        assert cases.current_case == case_id
        assert cases.table.viewport().rect().intersects(cases.table.visualRect(cases.table.currentIndex()))
    assert chosen == [case_id], "sorting opens nothing"


def test_typing_searches_escape_empties_and_leaves(store: ProjectStore, cases: CaseList) -> None:
    cases.start_search()
    assert QApplication.focusWidget() is cases.bar.search or not QApplication.focusWidget()
    QTest.keyClicks(cases.bar.search, "neck lef")
    wait_until(lambda: cases.model.query.search == "neck lef")
    right = answer(facts(store), Query("neck lef"))
    assert 0 < len(right) < CASES
    assert listed(cases) == right
    assert cases._count.text().startswith(f"{len(right)} of {CASES}")
    QTest.keyClick(cases.bar.search, Qt.Key.Key_Escape)
    assert cases.bar.search.text() == ""
    assert cases.model.rowCount() == CASES
    QTest.keyClicks(cases.bar.search, "neck")
    QTest.keyClick(cases.bar.search, Qt.Key.Key_Return)  # without waiting
    assert listed(cases) == answer(facts(store), Query("neck"))
    assert cases.current_case == listed(cases)[0], "Enter goes on in the list"


def test_ticking_filters_by_mouse_and_keys(store: ProjectStore, cases: CaseList) -> None:
    known = facts(store)
    QTest.mouseClick(cases.bar.filter_button, Qt.MouseButton.LeftButton)
    popup = cases.popup
    assert popup is not None
    item = tree_item(cases, "status", "new")
    rect = popup.tree.visualItemRect(item)
    for x in (12, 60, 60):  # in the box, and twice beside it
        QTest.mouseClick(
            popup.tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(rect.left() + x, rect.center().y())
        )
    assert listed(cases) == answer(known, Query(filters=(parse_filter("status=new"),)))
    QTest.keyClicks(popup.box, "left")
    QTest.keyClick(popup.box, Qt.Key.Key_Down)
    QTest.keyClick(popup.tree, Qt.Key.Key_Space)
    both = (parse_filter("status=new"), parse_filter("side=left"))
    assert listed(cases) == answer(known, Query(filters=both))
    assert [chip.text_button.text() for chip in cases.bar.chips] == ["Status: New", "Left hip"]
    popup.box.clear()
    count = tree_item(cases, "status", "reviewed").text(1)
    assert int(count) == len(answer(known, Query(filters=(parse_filter("status=reviewed"), both[1]))))
    popup.close()
    QTest.mouseClick(cases.bar.chips[0].remove_button, Qt.MouseButton.LeftButton)
    assert listed(cases) == answer(known, Query(filters=both[1:]))
    button = cases.bar.chips[0].remove_button
    for _ in range(2):  # the second one is there before the first is done
        QTest.keyClick(button, Qt.Key.Key_Delete)
    wait_until(lambda: not cases.bar.chips)
    wait(10)
    assert cases.model.rowCount() == CASES


def test_bounds_of_dates_and_scores(store: ProjectStore, cases: CaseList) -> None:
    from app.core.worklist import Operator

    cases.open_filters()
    popup = cases.popup
    assert popup is not None
    edit = popup._bounds["date", Operator.AT_LEAST]
    edit.setText("2020-01-01")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    edit = popup._bounds["label.score", Operator.AT_MOST]
    edit.setText("0.5")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    wanted = (parse_filter("date>=2020-01-01"), parse_filter("label.score<=0.5"))
    assert cases.model.query.filters == wanted
    assert listed(cases) == answer(facts(store), Query(filters=wanted))
    QTest.mouseClick(popup.clear_button, Qt.MouseButton.LeftButton)
    assert cases.model.rowCount() == CASES
    popup.close()


def test_in_german_dates_are_written_and_typed_as_germans_do(cases: CaseList) -> None:
    from app.core.worklist import Operator

    use_language(application(), "de")
    try:
        rows = [cases.model.row_at(number) for number in range(CASES)]
        row = next(row for row in rows if row is not None and row.date)
        year, month, day = row.date.split("-")
        assert cases.model.cell_words(row, "date") == f"{day}.{month}.{year}"
        assert f"{day}.{month}.{year}" in case_words.row_tip(row, patient="P")
        cases.open_filters()
        popup = cases.popup
        assert popup is not None
        edit = popup._bounds["date", Operator.AT_LEAST]
        assert "TT.MM.JJJJ" in edit.placeholderText()
        edit.setText("1.2.2020")
        QTest.keyClick(edit, Qt.Key.Key_Return)
        assert cases.model.query.filters == (parse_filter("date>=2020-02-01"),)
        assert "01.02.2020" in case_words.filter_words(cases.model.query.filters[0])
        popup.close()
        cases.open_filters()
        assert popup._bounds["date", Operator.AT_LEAST].text() == "01.02.2020"
        popup.close()
    finally:
        use_language(application(), "en")


def test_an_empty_answer_says_what_to_do(cases: CaseList) -> None:
    cases.ask(Query("zzzz", (parse_filter("status=new"),), Sort("date")))
    assert cases.model.rowCount() == 0
    assert cases.empty.isVisible()
    assert not cases.table.isVisible()
    cases.open_filters()
    assert tree_item(cases, "status", "new").checkState(0) == Qt.CheckState.Checked, "what is chosen can be taken back"
    assert cases.popup is not None
    cases.popup.close()
    assert "search and the filters" in cases.empty.words.text()
    QTest.mouseClick(cases.empty.show_all_button, Qt.MouseButton.LeftButton)
    assert cases.model.rowCount() == CASES
    assert cases.model.query == Query(sort=Sort("date"))
    assert cases.table.isVisible()


def test_a_case_that_leaves_the_list_leaves_its_place(store: ProjectStore, cases: CaseList) -> None:
    chosen: list[str] = []
    cases.case_chosen.connect(chosen.append)
    cases.ask(Query(filters=(parse_filter("status=new"),)))
    before = listed(cases)
    cases.table.selectRow(3)
    store.cases.set_status(before[3], ReviewStatus.ANNOTATED, author="a")
    cases.refresh()
    assert listed(cases) == before[:3] + before[4:]
    assert cases.current_case == ""
    assert "not listed" in cases._count.text()
    assert cases.neighbours((1, 2, -1)) == [before[4], before[5], before[2]]
    cases.step(1)
    assert chosen == [before[3], before[4]]
    store.cases.set_status(before[4], ReviewStatus.ANNOTATED, author="a")
    cases.refresh()
    cases.step(-1)
    assert chosen[-1] == before[2]


def test_a_decision_that_moves_the_case_does_not_lead_the_way_astray(store: ProjectStore, cases: CaseList) -> None:
    cases.ask(Query(sort=Sort("changed")))
    order = listed(cases)
    chosen: list[str] = []
    cases.case_chosen.connect(chosen.append)
    cases.table.selectRow(3)
    for number in range(3, 8):
        store.cases.set_status(order[number], ReviewStatus.REVIEWED, author="a")
        store.events.append(target=f"case:{order[number]}", field="label.seen", after=number, author="a")
        cases.refresh()
        cases.refresh()
        assert cases.current_case == order[number]
        assert listed(cases)[-1] == order[number], "it is the newest now"
        assert cases.neighbours((1, 2))[:2] == order[number + 1 : number + 3]
        cases.step(1)
    assert chosen == order[3:9]
    store.events.append(target=f"case:{order[8]}", field="label.seen", after=8, author="a")
    cases.refresh()
    cases.step(-1)
    assert chosen[-1] == order[2]
    cases.bar.sort_by("patient")
    row = cases.table.currentIndex().row()
    cases.step(1)
    assert cases.table.currentIndex().row() == row + 1


@pytest.mark.parametrize("seed", range(3))
def test_the_list_is_right_while_decisions_change_the_cases(store: ProjectStore, cases: CaseList, seed: int) -> None:
    choose = random.Random(seed)
    queries = [
        Query(),
        Query(sort=Sort("status")),
        Query(filters=(parse_filter("status!=excluded"),), sort=Sort("patient")),
        Query("neck"),
        Query(filters=(parse_filter("label.garden=I,II"),), sort=Sort("label.garden", True)),
    ]
    every = [case.id for case in store.cases.all()]
    for _ in range(25):
        match choose.randrange(4):
            case 0:
                cases.ask(choose.choice(queries))
            case 1:
                cases.step(choose.choice((-1, 1)))
            case 2:
                store.cases.set_status(choose.choice(every), choose.choice(list(ReviewStatus)), author="a")
            case _:
                target, value = f"case:{choose.choice(every)}", choose.choice(("I", "II", "III", None))
                store.events.append(target=target, field="label.garden", after=value, author="a")
        marked = cases.current_case
        cases.refresh()
        known = facts(store)
        assert listed(cases) == answer(known, cases.model.query)
        assert cases.current_case == (marked if marked in listed(cases) else "")
        for row in range(cases.model.rowCount()):
            shown = cases.model.row_at(row)
            assert shown is not None
            assert [shown.status] == known[shown.case_id]["status"]
            assert list(shown.values("label.garden")) == known[shown.case_id].get("label.garden", [])


def test_several_can_be_selected_and_stay_selected(cases: CaseList) -> None:
    def click(row: int, keys: Qt.KeyboardModifier) -> None:
        place = cases.table.visualRect(cases.model.index(row, 0)).center()
        QTest.mouseClick(cases.table.viewport(), Qt.MouseButton.LeftButton, keys, place)

    click(1, Qt.KeyboardModifier.NoModifier)
    click(4, Qt.KeyboardModifier.ShiftModifier)
    four = cases.selected_cases()
    assert four == listed(cases)[1:5]
    assert "4 selected" in cases._count.text()
    cases.ask(Query(sort=Sort("patient")))
    assert sorted(cases.selected_cases()) == sorted(four)
    assert cases.current_case == four[-1]


def test_filters_are_kept_by_name(cases: CaseList) -> None:
    kept: list[dict[str, str]] = []
    cases.saved_filters_changed.connect(kept.append)
    cases.ask(Query("neck", (parse_filter("status=new"),), Sort("date", True)))
    cases.bar.save_as("  My queue ")
    assert kept[-1] == {"My queue": "search:neck\nstatus=new\nsort:-date"}
    cases.show_everything()
    cases.bar.saved_menu.aboutToShow.emit()
    cases.bar.saved_menu.actions()[0].trigger()
    assert cases.model.query == Query("neck", (parse_filter("status=new"),), Sort("date", True))
    cases.bar.rename("My queue", "Second look")
    assert list(kept[-1]) == ["Second look"]
    cases.bar.saved_menu.aboutToShow.emit()
    menus = {action.text(): action.menu() for action in cases.bar.saved_menu.actions() if action.menu()}
    menus["Delete"].actions()[0].trigger()  # type: ignore[union-attr]
    assert kept[-1] == {}
    cases.bar.set_saved({"broken": "by=hand=and\nwrong"})
    cases.bar.saved_menu.aboutToShow.emit()
    cases.bar.saved_menu.actions()[0].trigger()
    assert kept[-1] == {}


def test_the_order_can_be_chosen_by_keyboard(store: ProjectStore, cases: CaseList) -> None:
    menu = cases.bar.sort_menu
    menu.aboutToShow.emit()
    {action.text(): action for action in menu.actions()}["Study date"].trigger()
    assert listed(cases) == answer(facts(store), Query(sort=Sort("date")))
    menu.aboutToShow.emit()
    {action.text(): action for action in menu.actions()}["Largest or latest first"].trigger()
    assert listed(cases) == answer(facts(store), Query(sort=Sort("date", True)))


def test_columns_come_with_room_and_only_where_there_is_something(store: ProjectStore, cases: CaseList) -> None:
    assert [column.name for column in cases.model.columns] == ["patient", "side", "status"]
    cases.table.selectRow(2)
    marked = cases.current_case
    cases.resize(1100, 700)
    wait(0)
    names = [column.name for column in cases.model.columns]
    assert names[3:5] == ["date", "label.score"]
    assert cases.current_case == marked
    assert not any("@" in name or name == "label.nothing" for name in names)
    cases.set_small_rows(True)
    assert cases.table.rowHeight(0) == 30
    cases.resize(340, 700)
    wait(0)
    assert [column.name for column in cases.model.columns] == ["patient", "side", "status"]


def test_hidden_names_are_in_no_cell_and_no_tip(store: ProjectStore, cases: CaseList) -> None:
    app = application()
    try:
        hide_names(app, True)
        wait(0)
        for row in range(5):
            index = cases.model.index(row, 0)
            pseudonym = store.cases.all()[row].patient_id
            for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
                assert pseudonym not in str(index.data(role))
    finally:
        hide_names(app, False)


def test_letters_are_commands_and_search_nothing_in_the_table(cases: CaseList) -> None:
    cases.table.selectRow(0)
    QTest.keyClicks(cases.table, "pqz")
    assert cases.table.currentIndex().row() == 0


@pytest.mark.parametrize("count", [0, 1])
def test_lists_of_none_and_one(tmp_path: Path, count: int) -> None:
    make_many_cases(tmp_path / "few", count)
    with ProjectStore.open(tmp_path / "few") as store:
        widget = CaseList()
        widget.set_source(store.worklist)
        widget.step(1)
        widget.step(1)
        assert widget.model.rowCount() == count
        assert bool(widget.current_case) == bool(count)
        widget.set_source(None)
        assert widget.model.rowCount() == 0
        widget.close()


def test_an_index_made_anew_under_the_list_shows_no_other_case(store: ProjectStore, cases: CaseList) -> None:
    before = listed(cases)
    store.worklist._index.start_anew()
    store.worklist._forget()
    cases.model._chunks.clear()
    assert [cases.model.row_at(row) for row in range(3)] == [None] * 3, "numbers mean other cases: show none"
    cases.refresh()
    assert listed(cases) == before


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("found", "AI 54 %"), ("not-found", "AI 54 %"), ("abstains", "AI (54 %)"), ("outside", "AI outside")],
)
def test_the_worklist_gives_a_figure_where_the_panel_gives_one(verdict: str, words: str) -> None:
    opinions = {f"{AI_SCORE}fracture.pair": ("0.54",), f"{AI_FINDING}fracture.pair": (verdict,)}
    row = WorklistRow(case_id="C", position=1, study_id="S", patient_id="P", opinions=opinions)
    assert case_words.first_score(row) == words
    assert ("54" in case_words.row_tip(row, patient="P")) is (verdict != "outside")


def test_the_words_of_coxa_are_german_and_names_of_labels_are_the_project_s_own(cases: CaseList) -> None:
    row = WorklistRow(
        case_id="C", position=1, study_id="S", patient_id="P", labels={f"{LABEL_PREFIX}osteoporosis": ("no",)},
        opinions={f"{AI_FINDING}fracture.pair": ("found",)}, comments=("Look here",),
    )  # fmt: skip
    app = application()
    use_language(app, "de")
    try:
        wait(0)
        assert case_words.label_words(row) == "osteoporosis nein"
        assert "osteoporosis: nein" in case_words.row_tip(row, patient="P")
        assert "„Look here“" in case_words.row_tip(row, patient="P")
        assert case_words.filter_words(parse_filter(f"{LABEL_PREFIX}osteoporosis=yes")) == "osteoporosis: ja"
        assert case_words.field_title(f"{AI_FINDING}fracture.pair") == "KI-Befund: Fraktur (beide Aufnahmen)"
        assert case_words.count_words(20_000, 100_000, is_everything=False) == "20.000 von 100.000"
        assert what_words([Path("set.zip")]) == "„set.zip“"
        cases.resize(300, 700)
        bar = cases.bar
        buttons = (bar.filter_button, bar.sort_button, bar.saved_button)
        wait_until(lambda: all(button.width() >= button.sizeHint().width() for button in buttons))
    finally:
        use_language(app, "en")
    wait_until(lambda: bar.sort_button.text().endswith("Import order ▾"))
    wait_until(lambda: all(button.width() >= button.sizeHint().width() for button in buttons))
