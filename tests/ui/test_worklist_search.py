"""The words of the worklist, in the language of the window: read whole, and searched by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter
from PySide6.QtTest import QTest

from app.core.annotation import COMMENT
from app.core.case import ReviewStatus
from app.core.event import target_of
from app.core.worklist import Operator, Query, WorklistRow, parse_filter
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.ui import theme
from app.ui.case_list import CaseList
from app.ui.case_list_model import FIXED
from app.ui.language import use_language
from tests.support.many_cases import make_many_cases
from tests.support.window import application, wait

CASES = 24


@pytest.fixture
def cases(tmp_path: Path) -> Iterator[CaseList]:
    """A worklist with every status, in German."""
    make_many_cases(tmp_path / "project", CASES, seed=8)
    with ProjectStore.open(tmp_path / "project") as store:
        ids = [case.id for case in store.cases.all()]
        for case_id, status in zip(ids, ReviewStatus, strict=False):
            store.cases.set_status(case_id, status, author="Anna")
        notes = Annotations(store)
        note = notes.change(target_of("case", ids[-1]), f"{COMMENT}1", "Neurologisch unauffällig")
        notes.record(ids[-1], [note], author="Anna")
        widget = CaseList()
        widget.set_source(store.worklist)
        use_language(application(), "de")
        wait(0)
        yield widget
        use_language(application(), "en")
        wait(0)
        widget.set_source(None)
        widget.close()


def found(cases: CaseList, **asked: object) -> list[str]:
    cases.ask(Query(**asked))  # type: ignore[arg-type]
    return sorted(cases.listed_cases())


@pytest.mark.parametrize(
    ("words", "condition"),
    [("zweitblick", "status=second-look"), ("durchges", "status=reviewed"), ("ausgeschlossen", "status=excluded"),
     ("links", "side=left"), ("Rechte Hüfte", "side=right"), ("hüfte", "side=left,right"), ("offene", "open=yes")],
)  # fmt: skip
def test_words_are_found_as_they_are_shown(cases: CaseList, words: str, condition: str) -> None:
    wanted = found(cases, filters=(parse_filter(condition),))
    assert 0 < len(wanted) <= CASES
    assert found(cases, search=words) == wanted


def test_words_that_people_wrote_are_found_beside_those_that_are_shown(cases: CaseList) -> None:
    new = set(found(cases, filters=(parse_filter("status=new"),)))
    assert len(found(cases, search="neurolog")) == 1
    assert set(found(cases, search="neu")) == new | set(found(cases, search="neurolog"))
    assert found(cases, search="neu zweitblick") == []
    both = set(found(cases, search="neu links"))
    assert both == set(found(cases, search="neu")) & set(found(cases, search="links"))
    assert 0 < len(both) < len(new)


def test_a_search_follows_the_language(cases: CaseList) -> None:
    waiting = found(cases, search="zweitblick")
    assert waiting != []
    use_language(application(), "en")
    wait(0)
    assert cases.listed_cases() == []
    assert found(cases, search="second look") == waiting
    use_language(application(), "de")
    wait(0)
    assert sorted(cases.listed_cases()) == waiting, "what the index holds is found in every language"


def test_what_is_open_is_counted_among_the_listed_cases_only(cases: CaseList) -> None:
    waiting = len(found(cases, filters=(parse_filter("open=yes"),)))
    assert cases._count.text() == f"{waiting} von {CASES} · {waiting} offen"
    found(cases, filters=(parse_filter("open=no"),))
    assert cases._count.text() == f"{CASES - waiting} von {CASES}"


def test_hits_are_seen_from_the_first_one(cases: CaseList) -> None:
    cases.resize(400, 400)
    cases.show()
    wait(0)
    new = found(cases, filters=(parse_filter("status=new"),))
    cases.show_everything()
    cases.table.setCurrentIndex(cases.model.index(cases.model.row_of(new[0]), 0))
    bar = cases.table.verticalScrollBar()
    bar.setValue(bar.maximum())
    cases.ask(Query(filters=(parse_filter("status!=new"),)))
    assert bar.maximum() > 0
    assert bar.value() == 0, "the list begins at its top; a place in the list before says nothing about it"
    bar.setValue(bar.maximum())
    cases.refresh()
    assert bar.value() == bar.maximum() > 0, "what changes by itself does not move it"


class Measures(QFontMetrics):
    """Notes what had no room."""

    cut: list[str]

    def elidedText(self, text: str, mode: Qt.TextElideMode, width: float, flags: int = 0) -> str:  # noqa: N802
        """As ever."""
        shown = super().elidedText(text, mode, int(width), flags)
        if shown != text:
            self.cut.append(text)
        return shown


def test_every_status_is_read_whole_in_its_column(cases: CaseList) -> None:
    font, _ = cases.delegate._font(theme.TEXT_S)
    measures = Measures(font)
    measures.cut = []
    cases.delegate._fonts[theme.TEXT_S, False] = (font, measures)
    column = next(column for column in FIXED if column.name == "status")
    painter = QPainter(picture := QImage(200, 60, QImage.Format.Format_RGB32))
    for status in ReviewStatus:
        row = WorklistRow(case_id="C", position=1, study_id="S", patient_id="P", status=status.value)
        cases.delegate._paint_status(painter, QRect(0, 0, column.width_px, 56), row, theme.colours())
    painter.end()
    assert measures.cut == []
    assert not picture.isNull()


def test_a_bound_that_cannot_be_read_says_so_and_changes_nothing(cases: CaseList) -> None:
    cases.open_filters()
    popup = cases.popup
    assert popup is not None
    for field, typed, words in (("date", "abc", "kein Datum"), ("date", "45.13.2015", "kein Datum"),
                                ("label.score", "viel", "keine Zahl")):  # fmt: skip
        edit = popup._bounds[field, Operator.AT_LEAST]
        edit.setText(typed)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        assert f"„{typed}“ ist {words}" in popup.problem.text()
        assert not popup.problem.isHidden()
        assert cases.model.query.filters == ()
        edit.clear()
        QTest.keyClick(edit, Qt.Key.Key_Return)
        assert popup.problem.isHidden()
    for field, typed, condition in (("date", "2015", "date>=2015"), ("label.score", "0,1", "label.score>=0.1")):
        edit = popup._bounds[field, Operator.AT_LEAST]
        edit.setText(typed)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        assert parse_filter(condition) in cases.model.query.filters
        assert 0 < cases.model.rowCount() < CASES
    popup.close()
