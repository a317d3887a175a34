"""Jobs for the AI engine: which are asked for, which are under way, and what becomes of them when the engine ends.

Pure bookkeeping without clock, process or files, so that every order of events can be tried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import count

from app.core.engine_messages import Locate, Predict

TRIES = 2  # a job that was under way when the engine ended is asked for once more


class Purpose(IntEnum):
    """What a job is for; the larger goes first."""

    BATCH = 1
    AHEAD = 2  # a case that may be opened next
    OPEN = 3  # the case on the screen
    LIVE = 4  # follows the mouse


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """One request and what it is for.

    Args:
        number: of the request; never used again.
        request: what the engine is asked.
        purpose: what for.
        case_id: whose answer it is; empty for a live one.
        model_id: which model is asked.
        weights_sha256: which weights must answer.
        input_key: what they must be fed; empty for a live one and for a localiser.
        hip_key: for a localiser: under which key its answer is kept.
        channel: a live job makes those of its channel that have not begun superfluous.
        tries: how often the engine ended while it was under way.
        is_begun: whether the engine has begun with it.
        is_dropped: whether nobody waits for it any more; its answer, if it comes, still counts.
    """

    number: int
    request: Predict | Locate
    purpose: Purpose
    case_id: str = ""
    model_id: str = ""
    weights_sha256: str = ""
    input_key: str = ""
    hip_key: bytes = b""
    channel: str = ""
    tries: int = 0
    is_begun: bool = False
    is_dropped: bool = False


class JobBook:
    """Jobs that wait in the window, and those that were sent to the engine.

    Few are sent at a time, so that what waits can be dropped or overtaken at once.

    Args:
        depth: see the attribute.
        numbers: of jobs; shared by all books of one engine.

    Attributes:
        depth: most jobs at the engine, besides live and open ones, which are sent at once.
    """

    def __init__(self, depth: int = 3, numbers: Iterator[int] | None = None) -> None:
        self.depth = depth
        self._numbers = numbers if numbers is not None else count(1)
        self._waiting: dict[int, Job] = {}
        self._sent: dict[int, Job] = {}

    def new_number(self) -> int:
        """A number that no job has had."""
        return next(self._numbers)

    def add(self, job: Job) -> list[int]:
        """Add a job.

        Returns:
            Numbers of sent jobs that became superfluous, to be cancelled at the engine.
        """
        superfluous = self.drop(lambda other: other.channel == job.channel) if job.channel else []
        self._waiting[job.number] = job
        return superfluous

    def to_send(self) -> list[Job]:
        """The jobs that go to the engine now, the most urgent first; they count as sent."""
        order = sorted(self._waiting.values(), key=lambda job: (-job.purpose, job.number))
        sent = []
        for job in order:
            if job.purpose < Purpose.OPEN and len(self._sent) >= self.depth:
                break
            self._sent[job.number] = self._waiting.pop(job.number)
            sent.append(job)
        return sent

    def begun(self, number: int) -> None:
        """The engine has begun with a job."""
        if number in self._sent:
            self._sent[number].is_begun = True

    def ended(self, number: int) -> Job | None:
        """There is an answer to a job, whichever; None for one that nobody waits for."""
        return self._sent.pop(number, None)

    def engine_ended(self) -> list[Job]:
        """The engine is gone: what was under way is asked for again, once; what it had not begun with, at any rate.

        Returns:
            Jobs that are given up: the engine has ended twice while it worked at them.
        """
        given_up = []
        for job in self._sent.values():
            if job.is_dropped:
                continue
            job.tries += job.is_begun
            job.is_begun = False
            if job.tries >= TRIES:
                given_up.append(job)
            else:
                self._waiting[job.number] = job
        self._sent.clear()
        return given_up

    def drop(self, is_superfluous: Callable[[Job], bool]) -> list[int]:
        """Forget jobs that have not begun.

        Returns:
            Numbers of those that were sent, to be cancelled at the engine; its answer, if it comes, still counts.
        """
        self._waiting = {number: job for number, job in self._waiting.items() if not is_superfluous(job)}
        sent = []
        for number, job in self._sent.items():
            if not job.is_begun and not job.is_dropped and is_superfluous(job):
                job.is_dropped = True
                sent.append(number)
        return sent

    def urge(self, is_urgent: Callable[[Job], bool], purpose: Purpose) -> list[Job]:
        """Make jobs at least this urgent.

        Returns:
            Those that were sent and have not begun, to be sent again with the new priority.
        """
        again = []
        for job in self._wanted():
            if job.purpose < purpose and is_urgent(job):
                job.purpose = purpose
                if job.number in self._sent and not job.is_begun:
                    again.append(job)
        return again

    def lower(self, case_id: str, purpose: Purpose) -> None:
        """Make the jobs of a case at most this urgent, as far as they were not sent."""
        for job in self._waiting.values():
            if job.case_id == case_id:
                job.purpose = min(job.purpose, purpose)

    def find(self, is_wanted: Callable[[Job], bool]) -> Job | None:
        """A job that waits or is under way."""
        return next((job for job in self._wanted() if is_wanted(job)), None)

    def clear(self) -> list[int]:
        """Forget everything; returns the numbers of what was sent."""
        sent = list(self._sent)
        self._waiting.clear()
        self._sent.clear()
        return sent

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._waiting and not self._sent

    @property
    def is_busy(self) -> bool:
        """Whether an answer of the engine is awaited."""
        return bool(self._sent)

    @property
    def count(self) -> int:
        """Jobs that wait or are under way."""
        return len(self._wanted())

    def _wanted(self) -> list[Job]:
        return [job for job in (*self._waiting.values(), *self._sent.values()) if not job.is_dropped]
