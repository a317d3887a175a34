"""The engine's waiting jobs."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from app.core.engine_messages import Predict
from app.engine.queue import JobQueue


def job(number: int, *, priority: int = 0, model: str = "m", method: str = "") -> Predict:
    return Predict(job=number, model=model, images="", views=(), priority=priority, heatmap_method=method)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=30))
def test_the_most_urgent_goes_first_then_the_oldest(entries: list[tuple[int, int]]) -> None:
    queue, last = JobQueue(), {}
    for place, (number, priority) in enumerate(entries):
        queue.put(job(number, priority=priority))
        last[number] = (-priority, place)  # the same number again replaces the one that waits
    order = [queue.take(1)[0].job for _ in last]
    assert order == sorted(last, key=lambda number: last[number])


def test_batches_hold_jobs_of_one_kind() -> None:
    queue = JobQueue()
    for number, (model, priority) in enumerate([("a", 0), ("a", 0), ("b", 0), ("a", 0), ("a", 5)]):
        queue.put(job(number, model=model, priority=priority))
    assert [entry.job for entry in queue.take(8)] == [4]
    assert [entry.job for entry in queue.take(8)] == [0, 1]
    assert [entry.job for entry in queue.take(8)] == [2]
    assert [entry.job for entry in queue.take(8)] == [3]


def test_forgotten_jobs_never_come() -> None:
    queue = JobQueue()
    for number in range(5):
        queue.put(job(number))
    assert queue.forget([1, 3, 77]) == [1, 3]
    assert [queue.take(1)[0].job for _ in range(3)] == [0, 2, 4]
    assert queue.forget([0]) == []


def test_waiting_ends_when_there_is_work_or_an_end() -> None:
    queue = JobQueue()
    got: list[list[Predict]] = []

    def work() -> None:
        while not queue.is_closed:
            got.append(queue.take(4))

    thread = threading.Thread(target=work)
    thread.start()
    queue.put(job(1))
    queue.ask_to_unload()
    queue.close()
    thread.join(5)
    assert not thread.is_alive()
    assert sum(len(jobs) for jobs in got) <= 1


def test_memory_is_given_back_before_the_next_job() -> None:
    queue = JobQueue()
    queue.put(job(1))
    queue.ask_to_unload()
    assert queue.take(4) == []
    assert queue.was_asked_to_unload()
    assert not queue.was_asked_to_unload()
    assert [entry.job for entry in queue.take(4)] == [1]
