"""Undo and redo, derived from the events alone, so that they are there after a restart.

An undo is an event that reverts another; a redo is an event that reverts an undo. Nothing is ever erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.annotation import Change
from app.core.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Events that were one gesture: they were recorded in one transaction and carry one time.

    Args:
        events: in order.
    """

    events: tuple[Event, ...]

    @property
    def is_reverting(self) -> bool:
        """Whether it takes another batch back."""
        return self.events[0].reverts is not None

    @property
    def text(self) -> str:
        """What it did, for people."""
        return next((event.text for event in self.events if event.text), "")

    def inverse(self) -> tuple[Change, ...]:
        """The changes that take it back, last first."""
        return tuple(_change(event).inverse(event_id=event.id) for event in reversed(self.events))


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoState:
    """What can be undone and redone.

    Args:
        undoable: batches in effect, oldest first; the last one is undone next.
        redoable: batches that took something back, oldest first; the last one is taken back next.
    """

    undoable: tuple[Batch, ...]
    redoable: tuple[Batch, ...]


class UndoLog:
    """What one person can undo and redo about a case, kept up to date event by event."""

    def __init__(self) -> None:
        self._undoable: list[Batch] = []
        self._redoable: list[Batch] = []
        self._open: list[Event] = []  # the last gesture, which may get more events
        self.last_id = 0

    def add(self, events: Iterable[Event]) -> None:
        """Take more events into account, in the order of their ids.

        Neighbours with the same author and time are one gesture: `Annotations.record` gives all events of a gesture
        one time, and never two gestures in a row the same.
        """
        for event in events:
            last = self._open[-1] if self._open else None
            if last is not None and (last.at, last.author) != (event.at, event.author):
                self._close()
            self._open.append(event)
            self.last_id = event.id

    def state(self) -> UndoState:
        """What can be undone and redone now; every gesture so far is taken for whole."""
        if self._open:
            self._close()
        return UndoState(undoable=tuple(self._undoable), redoable=tuple(self._redoable))

    def _close(self) -> None:
        batch = Batch(events=tuple(self._open))
        self._open = []
        reverted = min((event.reverts for event in batch.events if event.reverts is not None), default=None)
        if reverted is None:
            self._undoable.append(batch)
            self._redoable.clear()
        elif (found := _holding(self._undoable, reverted)) is not None:
            self._undoable.remove(found)
            self._redoable.append(batch)
        elif (found := _holding(self._redoable, reverted)) is not None:
            self._redoable.remove(found)
            self._undoable.append(batch)


def undo_state(events: Iterable[Event]) -> UndoState:
    """What can be undone and redone after these events of one person about one case, oldest first."""
    log = UndoLog()
    log.add(events)
    return log.state()


def _holding(batches: list[Batch], event_id: int) -> Batch | None:
    """The batch that an event is part of, the newest first: it is nearly always the last."""
    for batch in reversed(batches):
        if batch.events[0].id <= event_id <= batch.events[-1].id:
            return batch
    return None


def _change(event: Event) -> Change:
    return Change(target=event.target, field=event.field, before=event.before, after=event.after)
