"""The engine's waiting jobs: the most urgent first, then the oldest; taken, forgotten and gathered into batches."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Sequence
from itertools import count
from typing import TypeAlias

from app.core.engine_messages import Locate, Predict

Job: TypeAlias = Predict | Locate


class JobQueue:
    """Jobs that wait. One thread puts in what the window asks for, another takes out what is computed next."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Job]] = []
        self._order = count()
        self._waiting: set[int] = set()
        self._is_unload_asked = False
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, job: Job) -> None:
        """Add a job. The same number again replaces the one that waits, for example with another priority."""
        with self._changed:
            self._drop({job.job})
            heapq.heappush(self._heap, (-job.priority, next(self._order), job))
            self._waiting.add(job.job)
            self._changed.notify()

    def ask_to_unload(self) -> None:
        """Wake the computing thread, to give memory back before the next job."""
        with self._changed:
            self._is_unload_asked = True
            self._changed.notify()

    def was_asked_to_unload(self) -> bool:
        """Whether memory shall be given back; asked once, answered once."""
        with self._changed:
            asked, self._is_unload_asked = self._is_unload_asked, False
            return asked

    def forget(self, jobs: Sequence[int]) -> list[int]:
        """Remove jobs that have not begun. Returns those that were there."""
        with self._changed:
            return self._drop(set(jobs))

    def close(self) -> None:
        """Nothing more is computed; what waits is dropped."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def take(self, most: int, *, idle_s: float | None = None) -> list[Job]:
        """Wait for work, and take the most urgent job with others of its kind.

        Args:
            most: largest number of jobs; those after the first ask the same of the same model, with the same priority.
            idle_s: after so long without work memory is to be given back, as if somebody had asked for it.

        Returns:
            Jobs; empty when the queue was closed, or when something else had to be done first.
        """
        with self._changed:
            while not self._heap and not self._is_unload_asked and not self._is_closed:
                if not self._changed.wait(idle_s):
                    self._is_unload_asked = True
            if self._is_unload_asked or self._is_closed:
                return []
            taken = [self._pop()]
            while len(taken) < most and self._heap and _are_alike(self._heap[0][2], taken[0]):
                taken.append(self._pop())
            return taken

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is computed."""
        return self._is_closed

    def _pop(self) -> Job:
        job = heapq.heappop(self._heap)[2]
        self._waiting.discard(job.job)
        return job

    def _drop(self, jobs: set[int]) -> list[int]:
        there = sorted(jobs & self._waiting)
        if there:
            self._heap = [entry for entry in self._heap if entry[2].job not in jobs]
            heapq.heapify(self._heap)
            self._waiting -= jobs
        return there


def _are_alike(one: Job, other: Job) -> bool:
    return _kind(one) == _kind(other)


def _kind(job: Job) -> tuple[object, ...]:
    if isinstance(job, Locate):
        return (Locate, job.model, job.priority)
    return (Predict, job.model, job.priority, job.heatmap_method, job.heatmap_class, job.has_points)
