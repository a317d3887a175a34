"""What the tables must hold, computed again from the events alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.core.event import COMPOSITION, CREATED, Event, Json


@dataclass(slots=True)
class ReplayedState:
    """The state of a project after some events.

    Args:
        current: (target, field) -> (value, id of the event that set it).
        created: target -> row hash (hex) of the row that the event created.
        compositions: target -> content of a projected row, as its last event holds it.
        positions: target -> id of the event that first composed it.
    """

    current: dict[tuple[str, str], tuple[Json, int]] = field(default_factory=dict)
    created: dict[str, str] = field(default_factory=dict)
    compositions: dict[str, Json] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take one more event into account; events come in the order of their ids."""
        if event.field == CREATED:
            self.created[event.target] = str(event.after)
        elif event.field == COMPOSITION:
            self.positions.setdefault(event.target, event.id)
            if event.after is None:
                self.compositions.pop(event.target, None)
            else:
                self.compositions[event.target] = event.after
        elif event.after is None:
            self.current.pop((event.target, event.field), None)
        else:
            self.current[event.target, event.field] = (event.after, event.id)


def replay(events: Iterable[Event]) -> ReplayedState:
    """The state of a project after these events, in the order of their ids."""
    state = ReplayedState()
    for event in events:
        state.apply(event)
    return state
