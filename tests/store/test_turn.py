"""Threads of one process that write one project."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from app.core.errors import UserError
from app.core.event import PROJECT
from app.store.audit import audit_database
from app.store.head import read_head
from app.store.project import ProjectStore
from app.store.turn import WriteTurn


def test_an_urgent_writer_goes_before_the_next_batch() -> None:
    turn, order = WriteTurn(), []
    is_working, may_end = threading.Event(), threading.Event()

    def background() -> None:
        for number in range(3):
            with turn.taken(is_patient=True):
                order.append(f"batch {number}")
                is_working.set()
                if number == 0:
                    may_end.wait(10)

    def person() -> None:
        with turn.taken():
            order.append("person")

    worker = threading.Thread(target=background)
    worker.start()
    assert is_working.wait(10)
    hurried = threading.Thread(target=person)
    hurried.start()
    while not turn.has_urgent:
        time.sleep(0.001)
    may_end.set()
    worker.join(10)
    hurried.join(10)
    assert order == ["batch 0", "person", "batch 1", "batch 2"]


def test_the_turn_is_re_entrant() -> None:
    turn = WriteTurn()
    with turn.taken(), turn.taken(is_patient=True):
        pass


def test_two_threads_write_one_chain(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "p") as store:
        problems: list[BaseException] = []

        def work() -> None:
            try:
                with store.beside() as own:
                    for number in range(100):
                        own.events.append(target=PROJECT, field="theirs", after=number)
            except BaseException as error:
                problems.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        for number in range(100):
            store.events.append(target=PROJECT, field="mine", after=number)
        worker.join(60)
        assert problems == []
        assert (store.events.current(PROJECT, "mine"), store.events.current(PROJECT, "theirs")) == (99, 99)
        assert audit_database(store.database.connection, read_head(store.folder.head_file)) == []
        number, digest = store.events.head()
        noted = read_head(store.folder.head_file)
        assert noted is not None
        assert (noted.event_id, noted.event_hash) == (number, digest)
    with ProjectStore.open(tmp_path / "p") as store:
        assert not store.was_unclean


def test_a_read_only_project_has_no_second_writer(tmp_path: Path) -> None:
    ProjectStore.create(tmp_path / "p").close()
    with ProjectStore.open(tmp_path / "p", is_read_only=True) as store, pytest.raises(UserError, match="read-only"):
        store.beside()
