"""Bringing what two copies of a project have come to together again: three-way, value by value, and nothing is lost.

Events are named by their own hash (`identity_of`), which stays theirs wherever they are merged to. What both projects
know is the base; where only one has gone on, its values hold; where both have, every reader keeps an own opinion, and
of what is one for the whole case the project that is merged into keeps its own and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.core.annotation import COMMENT, LABEL, STATUS
from app.core.event import Event, Json

IDENTITY_BYTES = 16
NEW_STATUS = "new"  # a case without a status is a new one
MANY_OPINIONS = 1000  # of one reader about one case: far beyond anything that happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An event of another project.

    Args:
        event: as it stands there.
        identity: names it wherever it goes, 16 bytes: from the hash of the row that it was first written as.
    """

    event: Event
    identity: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldStream:
    """What another project says of one field, as seen from a project that knows some of it.

    Args:
        base: the value after the last event that both know; None without one.
        unknown: the events since then, in order.
        theirs: the value now.
        superseded: events that are not known, but came before one that is.
    """

    base: Json
    unknown: tuple[Incoming, ...]
    theirs: Json
    superseded: tuple[Incoming, ...] = ()


class Verdict(StrEnum):
    """What becomes of a value that another project brings."""

    TAKEN = "taken"  # only they have gone on
    SAME = "same"  # both say the same
    CONFLICT = "conflict"  # both have gone on, to different values


def identity_of(row_hash: bytes) -> bytes:
    """The name of an event that was first written as a row with this hash."""
    return row_hash[:IDENTITY_BYTES]


def field_stream(events: Sequence[Incoming], known: Collection[bytes]) -> FieldStream:
    """What is new in the events of one field of one target.

    Args:
        events: all of them, in order; at least one.
        known: identities that the project has already.
    """
    last = max((index for index, each in enumerate(events) if each.identity in known), default=-1)
    return FieldStream(
        base=events[last].event.after if last >= 0 else None,  # what a file said is no value of the project
        unknown=tuple(events[last + 1 :]),
        theirs=events[-1].event.after,
        superseded=tuple(each for each in events[: last + 1] if each.identity not in known),
    )


def streams_of(events: Sequence[Incoming], known: Collection[bytes]) -> dict[str, FieldStream]:
    """What is new in the events of one target, by field."""
    fields: dict[str, list[Incoming]] = {}
    for each in events:
        fields.setdefault(each.event.field, []).append(each)
    return {name: field_stream(stream, known) for name, stream in fields.items()}


def verdict_on(base: Json, ours: Json, theirs: Json, *, field: str = "") -> Verdict:
    """What becomes of one value that is one for both projects.

    Where nothing was done here since, what was done there is taken, even if it came back to the same value.
    """
    if is_same(ours, base, field):
        return Verdict.TAKEN
    return Verdict.SAME if is_same(ours, theirs, field) else Verdict.CONFLICT


def is_same(one: Json, other: Json, field: str = "") -> bool:
    """Whether two values are the same; a case without a status is a new one."""
    if field == STATUS:
        return bool((one or NEW_STATUS) == (other or NEW_STATUS))
    return bool(one == other) and type(one) is type(other)


def fits(base: Mapping[str, Json], ours: Mapping[str, Json], theirs: Mapping[str, Json]) -> bool:
    """Whether one reader's opinions in two projects can be one: no part of it was changed in both, differently.

    The labels are one part, since an answer depends on others; every other field is a part of its own.

    Args:
        base: field -> value, as both projects know it.
        ours: as it stands in the project that is merged into.
        theirs: as it stands in the other one.
    """
    parts = {_part(name) for name in (*base, *ours, *theirs)}
    for part in parts:
        was, held, said = ({n: v for n, v in side.items() if _part(n) == part} for side in (base, ours, theirs))
        if held != was and said != was and held != said:
            return False
    return True


def place_opinion(
    reader: str, base: Mapping[str, Json], theirs: Mapping[str, Json], held: Callable[[str], Mapping[str, Json]]
) -> tuple[str, bool]:
    """Under which name an opinion of another project goes on here.

    Args:
        reader: who gave it there.
        base: what both projects know of it.
        theirs: what it says there now.
        held: what a reader of this name says here.

    Returns:
        The name, `Anna`, or `Anna (2)` where Anna says something else here; and whether it begins there anew, so
        that it needs what is known too.
    """
    if fits(base, held(reader), theirs):
        return reader, False
    for number in range(2, MANY_OPINIONS):
        name = f"{reader} ({number})"
        present = held(name)
        if present == theirs or (present and present == base):
            return name, False
        if not present:
            return name, True
    raise ValueError("one reader has more opinions than can be")


def place_comment(
    number_wanted: str, stream: FieldStream, held: Mapping[str, Json], taken: Collection[str] = ()
) -> str:
    """Under which field a comment of another project goes on here: comments are numbered in each project.

    Args:
        number_wanted: its field there, `comment.3`.
        stream: what is new about it.
        held: what stands at the whole case here.
        taken: comments here that stand for another one there: two people may have written the same words.
    """
    comments = {name: value for name, value in held.items() if name.startswith(COMMENT)}
    if number_wanted not in taken and number_wanted in held and held[number_wanted] in (stream.base, stream.theirs):
        return number_wanted
    for name, value in comments.items():
        if name in taken:
            continue
        if value == stream.theirs or (stream.base is not None and value == stream.base):
            return name
    if number_wanted not in held and stream.base is None:
        return number_wanted
    used = [int(tail) for name in comments if (tail := name.removeprefix(COMMENT)).isdecimal()]
    return f"{COMMENT}{max(used, default=0) + 1}"


def _part(name: str) -> str:
    return LABEL if name.startswith(LABEL) else name
