"""The thread that looks things up: the urgent first; what is to be kept is kept although the window closes."""

from __future__ import annotations

import threading
from functools import partial

from app.ui.desk import Desk
from tests.support.window import application, wait, wait_until


def test_urgent_first_and_nothing_that_is_to_be_kept_is_lost_at_the_end() -> None:
    application()
    desk = Desk("test")
    begun, gate, worked, heard = threading.Event(), threading.Event(), list[str](), list[str]()

    def work(word: str) -> str:
        worked.append(word)
        return word

    def hold() -> str:
        begun.set()
        gate.wait(10)
        return work("held")

    desk.ask(hold, heard.append)
    begun.wait(10)
    for word, urgency in (("look", 1), ("keep", 9), ("keep too", 9), ("look more", 2)):
        desk.ask(partial(work, word), heard.append, urgency=urgency)
    threading.Timer(0.05, gate.set).start()
    desk.close(finished=9)
    assert worked == ["held", "keep", "keep too"]
    wait(20)
    assert heard == []
    desk.deleteLater()


def test_answers_come_in_the_windows_thread() -> None:
    application()
    desk = Desk("test")
    found: list[bool] = []
    desk.ask(
        lambda: threading.current_thread() is threading.main_thread(),
        lambda is_main: found.extend((is_main, threading.current_thread() is threading.main_thread())),
    )
    wait_until(lambda: bool(found))
    assert found == [False, True]
    desk.close()
    desk.deleteLater()
