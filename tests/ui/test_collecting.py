"""Garbage is collected where Qt's objects may be destroyed."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication

from app.ui.collecting import EVERY_MS, Collector, collect_due
from tests.support.window import application, wait_until


@pytest.fixture(autouse=True)
def own_collecting() -> Iterator[None]:
    application()
    gc.collect()
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.disable()


class Knot(QObject):
    """Part of a cycle; says in which thread it went."""

    def __init__(self, gone: list[int]) -> None:
        super().__init__()
        self.itself = self
        weakref.finalize(self, lambda: gone.append(threading.get_ident()))


def test_a_cycle_goes_in_the_thread_of_the_window_though_others_allocate() -> None:
    gone: list[int] = []
    owner = QObject()
    collector = Collector(owner)
    gc.set_threshold(50, 2, 2)
    collector.start()
    Knot(gone)

    def allocate() -> None:
        kept = [[number] for number in range(50_000)]
        assert len(kept) == 50_000

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert gone == [], "nobody collects in another thread"
    wait_until(lambda: bool(gone), timeout_s=20 * EVERY_MS / 1000)
    assert gone == [threading.get_ident()]
    owner.deleteLater()


def test_nothing_is_collected_before_it_is_due() -> None:
    gc.disable()
    gc.set_threshold(1_000_000, 10, 10)
    assert collect_due() == -1


def test_the_oldest_generation_waits_while_a_button_is_held_down(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.disable()
    gc.set_threshold(1, 1, 1)
    for _ in range(3):
        gc.collect(1)
    asked: list[int] = []
    monkeypatch.setattr("app.ui.collecting.gc.collect", lambda generation: asked.append(generation))
    kept = [[number] for number in range(100)]
    monkeypatch.setattr(QGuiApplication, "mouseButtons", staticmethod(lambda: Qt.MouseButton.LeftButton))
    Collector._collect()
    monkeypatch.setattr(QGuiApplication, "mouseButtons", staticmethod(lambda: Qt.MouseButton.NoButton))
    Collector._collect()
    assert max(asked[:1]) < 2
    assert asked[1:] == [2]
    assert len(kept) == 100
