"""Many cases put to the models one after the other: how far that is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from app.core.finding import Consultation, ConsultationState


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """How far a batch is.

    Args:
        total: cases in all.
        done: cases that need nothing more.
        answered: cases with a finding of one model at least.
        impossible: cases that no model can be asked about.
        failed: cases at which something failed.
        is_cancelled: whether it was stopped before its end.
    """

    total: int = 0
    done: int = 0
    answered: int = 0
    impossible: int = 0
    failed: int = 0
    is_cancelled: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is coming."""
        return self.is_cancelled or self.done >= self.total


class BatchRun:
    """The cases of a batch: those that wait, those in hand, those that are done.

    Args:
        case_ids: in the order in which they are asked about; each once.
    """

    def __init__(self, case_ids: Iterable[str]) -> None:
        self._waiting = deque(dict.fromkeys(case_ids))
        self._in_hand: set[str] = set()
        self._total = len(self._waiting)
        self._answered = self._impossible = self._failed = self._done = 0
        self._is_cancelled = False

    @property
    def progress(self) -> BatchProgress:
        """How far it is."""
        return BatchProgress(
            total=self._total,
            done=self._done,
            answered=self._answered,
            impossible=self._impossible,
            failed=self._failed,
            is_cancelled=self._is_cancelled,
        )

    def take(self, most_in_hand: int) -> list[str]:
        """The cases to ask about now, so that at most so many are in hand."""
        taken = []
        while self._waiting and len(self._in_hand) < most_in_hand:
            case_id = self._waiting.popleft()
            self._in_hand.add(case_id)
            taken.append(case_id)
        return taken

    @property
    def in_hand(self) -> tuple[str, ...]:
        """The cases that are being asked about."""
        return tuple(sorted(self._in_hand))

    def has_in_hand(self, case_id: str) -> bool:
        """Whether this case is being asked about."""
        return case_id in self._in_hand

    def note(self, case_id: str, consultations: Iterable[Consultation]) -> bool:
        """This is what is known of a case now.

        Returns:
            Whether the case is done by that.
        """
        if case_id not in self._in_hand:
            return False
        states = {consultation.state for consultation in consultations}
        if ConsultationState.WAITING in states:
            return False
        self._in_hand.discard(case_id)
        self._done += 1
        if ConsultationState.FAILED in states:
            self._failed += 1
        elif ConsultationState.ANSWERED in states:
            self._answered += 1
        else:
            self._impossible += 1
        return True

    def cancel(self) -> None:
        """Ask about nothing more."""
        self._is_cancelled = self._done < self._total
        self._waiting.clear()
        self._in_hand.clear()
