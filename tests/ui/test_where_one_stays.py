"""Which view is on the screen after something was taken back, and while one leafs through what has no place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from app.core.case import Projection, Side
from app.core.questions import QuestionKind
from app.core.worklist import Filter, Query
from tests.support.window import open_window, wait, wait_until
from tests.ui.test_resolving import active, disputed, press, project_of, silent, view


def test_what_is_taken_back_is_asked_again_on_the_screen(tmp_path: Path) -> None:
    """The view whose side is open again leaves the case of its hip: one goes with it."""
    window = open_window(project_of(tmp_path / "p", [view("V-f", Projection.FRONTAL, Side.RIGHT), silent("V-s")]))
    assert window.viewer is not None
    window.selection.open_case(window.case_list.listed_cases()[-1])
    while active(window) != "V-s":
        press(window, "N")
    for key in ("L", "Shift+R"):
        press(window, key)
    assert window.viewer.content is not None
    assert window.viewer.content.case.side is Side.RIGHT
    assert active(window) == "V-s"
    press(window, "Backspace")
    assert active(window) == "V-s"
    assert window.resolving.panel.asked.kinds == {QuestionKind.SIDE}
    window.close()


def test_leafing_through_views_without_a_place_comes_back_to_those_that_have_one(tmp_path: Path) -> None:
    placed = [view("V-f", Projection.FRONTAL, Side.LEFT), view("V-l", Projection.LATERAL, Side.LEFT)]
    more = [view(name, Projection.OBLIQUE, Side.LEFT) for name in ("V-o", "V-p")]
    window = open_window(project_of(tmp_path / "p", [*placed, *more]))
    assert window.viewer is not None

    def shown() -> tuple[str, ...]:
        assert window.viewer is not None
        return tuple(place.hanging.view.id for place in window.viewer.places if place.hanging.view is not None)

    assert shown() == ("V-f", "V-l")
    seen = []
    for _ in range(6):
        press(window, "U")
        seen.append(shown()[1])
    assert seen == ["V-p", "V-o", "V-l"] * 2
    window.close()


def test_the_last_view_that_a_filter_lists_can_be_taken_back_in(tmp_path: Path) -> None:
    window = open_window(project_of(tmp_path / "p", [disputed("a")], [view("b", Projection.FRONTAL, Side.LEFT)]))
    window.case_list.ask(Query(filters=(Filter("open", ("yes",)),)))
    asked = window.selection.on_screen
    assert window.resolving.may_decide
    window.actions_by_id["exclude:poor quality"].trigger()
    wait(30)
    assert window.viewer is not None
    assert not window.viewer.has_image
    QTest.keySequence(window, QKeySequence("Backspace"))
    wait_until(lambda: window.viewer is not None and window.viewer.has_image)
    assert window.viewer.content is not None
    assert window.viewer.content.case.id == asked
    window.close()
