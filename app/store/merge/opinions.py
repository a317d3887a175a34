"""Writing events of another project into this one: what is one for both, and what each reader says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.core.annotation import CASE, COMMENT, PIXEL_REVIEW, STATUS, reader_target, split_target
from app.core.case import ReviewStatus
from app.core.event import Event, Json
from app.core.merging import (
    NEW_STATUS,
    FieldStream,
    Incoming,
    Verdict,
    place_comment,
    place_opinion,
    streams_of,
    verdict_on,
)
from app.store.merge.report import KeptApart, MergeConflict, MergeReport
from app.store.merge.translate import Translation
from app.store.project import ProjectStore

KEPT = "Kept; the merged project says otherwise"
LOOK_AGAIN = "Two projects say different things about text in the pixels: somebody has to look again"


class EventWriter:
    """Writes foreign events in the transaction of the caller.

    Args:
        project: what is merged into.
        report: what is counted and listed.
        words: the identifiers here.
        author: who merges: of what is kept against the other project.
        known: identities that are here; new ones are added.
        local_of: identity -> number of the event here; new ones are added.
        source_identities: number of an event there -> identity.
    """

    def __init__(
        self,
        project: ProjectStore,
        report: MergeReport,
        words: Translation,
        *,
        author: str,
        known: set[bytes],
        local_of: dict[bytes, int],
        source_identities: dict[int, bytes],
    ) -> None:
        self._project = project
        self._report = report
        self._words = words
        self._author = author
        self.known = known
        self._local_of = local_of
        self._source_identities = source_identities
        self._brought: list[tuple[int, bytes]] = []
        self._seen: list[bytes] = []

    def begin(self) -> None:
        """A new batch."""
        self._brought, self._seen = [], []

    def batch(self) -> tuple[list[tuple[int, bytes]], list[bytes]]:
        """What was brought since `begin`, and what needed not be."""
        return self._brought, self._seen

    def shared(self, events: Sequence[Incoming], *, case_id: str) -> int:
        """Bring what is one for both projects, of one target.

        Args:
            events: of one target there, in order, fields in identifiers of this project.
            case_id: the case here that it is about, for the report.

        Returns:
            How many events were written.
        """
        if not events:
            return 0
        target = self._words.target(events[0].event.target)
        held = self._project.events.current_of(target)
        fitting: list[tuple[Incoming, str]] = []
        disputed: list[tuple[str, FieldStream]] = []
        taken: set[str] = set()
        for name, stream in streams_of(events, self.known).items():
            self._note(stream)
            is_comment = target.startswith(f"{CASE}:") and name.startswith(COMMENT)
            field = place_comment(name, stream, held, taken) if is_comment else name
            if is_comment:
                taken.add(field)
            if not stream.unknown:
                continue
            verdict = verdict_on(None if is_comment and field not in held else stream.base, held.get(field),
                                 stream.theirs, field=field)  # fmt: skip
            if verdict is Verdict.SAME and len(stream.unknown) == 1:
                self._skip(stream.unknown)
            elif verdict is not Verdict.CONFLICT:  # also a longer way to the same value: the way is history
                fitting += [(each, field) for each in stream.unknown]
                held[field] = stream.theirs
            else:
                disputed.append((field, stream))
        for each, field in sorted(fitting, key=lambda pair: pair[0].event.id):
            self._write(each, target, field)
        for field, stream in disputed:
            self._keep_ours(target, field, stream, held.get(field), case_id)
        return len(fitting) + len(disputed)

    def opinion(self, case_id: str, reader: str, events: Sequence[Incoming]) -> None:
        """Bring what one reader says about a case.

        Args:
            case_id: the case here.
            reader: the reader's name there.
            events: of the reader's target there, in order, fields in identifiers of this project.
        """
        streams = streams_of(events, self.known)
        for stream in streams.values():
            self._note(stream)
        unknown = [each for stream in streams.values() for each in stream.unknown]
        if not unknown:
            return
        log = self._project.events
        base = {name: stream.base for name, stream in streams.items() if stream.base is not None}
        theirs = {name: stream.theirs for name, stream in streams.items() if stream.theirs is not None}
        name, is_anew = place_opinion(reader, base, theirs, lambda who: log.current_of(reader_target(case_id, who)))
        target = reader_target(case_id, name)
        held = log.current_of(target)
        if is_anew:
            first = min(unknown, key=lambda each: each.event.id).event
            for field, value in base.items():
                log.append(target=target, field=field, after=value, text="As both projects knew it", author=reader,
                           at=datetime.fromisoformat(first.at))  # fmt: skip
            held = base
        if name != reader:
            self._report.kept_apart.append(KeptApart(case_id=case_id, reader=reader, kept_as=name))
        wanted = []
        for field, stream in streams.items():
            ours = held.get(field)
            verdict = verdict_on(stream.base, ours, stream.theirs, field=field)
            if verdict is Verdict.SAME and len(stream.unknown) == 1:
                self._skip(stream.unknown)
            elif verdict is Verdict.CONFLICT:  # there and back again, while it went on here
                self._keep_ours(target, field, stream, ours, case_id, is_told=False)
            else:
                wanted += [(each, field) for each in stream.unknown]
        self._report.opinions += bool(wanted)
        for each, field in sorted(wanted, key=lambda pair: pair[0].event.id):
            self._write(each, target, field)

    # --- one event ---

    def _write(self, each: Incoming, target: str, field: str) -> Event | None:
        theirs = each.event
        written = self._append(
            target,
            field,
            theirs.after,
            before=theirs.before,
            text=theirs.text,
            author=theirs.author,
            reverts=self._local(theirs.reverts),
            at=datetime.fromisoformat(theirs.at),
        )
        self.known.add(each.identity)
        if written is None:
            self._seen.append(each.identity)
        else:
            self._brought.append((written.id, each.identity))
            self._local_of[each.identity] = written.id
            self._report.brought += 1
        return written

    def _append(
        self,
        target: str,
        field: str,
        after: Json,
        *,
        before: Json = None,
        text: str,
        author: str,
        reverts: int | None,
        at: datetime | None,
    ) -> Event | None:
        kind, identifier, reader = split_target(target)
        if kind == CASE and not reader and field == STATUS and self._project.cases.get(identifier) is not None:
            status = ReviewStatus(after or NEW_STATUS)
            return self._project.cases.set_status(identifier, status, author=author, text=text, reverts=reverts, at=at)
        held = self._project.events.current(target, field)
        return self._project.events.append(
            target=target,
            field=field,
            before=before if held is None else held,  # the first decision replaces what the file had said
            after=after,
            text=text,
            author=author,
            reverts=reverts,
            at=at,
        )

    def _keep_ours(
        self, target: str, field: str, stream: FieldStream, ours: Json, case_id: str, *, is_told: bool = True
    ) -> None:
        """Put what they say into the history, then go back to what holds here."""
        last: Event | None = None
        for each in stream.unknown:
            last = self._write(each, target, field) or last
        is_pixels = target.startswith("view:") and field == PIXEL_REVIEW
        after, text = (None, LOOK_AGAIN) if is_pixels else (ours, KEPT)
        reverts = None if last is None or is_pixels else last.id
        self._append(target, field, after, text=text, author=self._author, reverts=reverts, at=None)
        if is_told:
            self._report.conflicts.append(MergeConflict(case_id=case_id, what=field, ours=ours, theirs=stream.theirs))

    def _note(self, stream: FieldStream) -> None:
        """Take note of events that came before one that is known: what they said does not hold any more."""
        if stream.superseded:
            self._skip(stream.superseded)

    def _skip(self, events: Sequence[Incoming]) -> None:
        for each in events:
            self.known.add(each.identity)
            self._seen.append(each.identity)

    def _local(self, number: int | None) -> int | None:
        identity = self._source_identities.get(number) if number is not None else None
        return None if identity is None else self._local_of.get(identity)
