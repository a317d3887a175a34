"""Annotations of a project: recorded as events, undone and redone from the events, never overwritten by another reader.

One call of `record` is one gesture and one durable commit: when it returns, it is saved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.core.adjudication import ADJUDICATED, adjudication_of
from app.core.annotation import (
    ASSIGNED,
    CALIBRATION,
    CASE,
    COMMENT,
    LABEL,
    PIXEL_REVIEW,
    STATUS,
    VIEW,
    Annotation,
    Change,
    calibration_of,
    checked_document,
    checked_reader,
    is_annotation,
    label_value,
    labels_of,
    pixel_review_of,
    reader_target,
    split_target,
)
from app.core.case import Case, ReviewStatus
from app.core.errors import UserError
from app.core.event import COMPOSITION, PROJECT, Event, Json, canonical_json, target_of
from app.core.label_set import LabelSet, LabelValue, checked_value
from app.core.label_values import changes_for
from app.core.measurement import calibrated_spacing
from app.core.record import record
from app.store.database import Row
from app.store.label_sets import LABEL_SET, current_label_set, keep_label_set
from app.store.project import ProjectStore

if TYPE_CHECKING:
    from app.core.undo import Batch, UndoLog, UndoState

NEW = ReviewStatus.NEW.value


@record(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one person, or the import, says about a case.

    Args:
        reader: the person; empty for the labels that came with the images.
        values: field -> JSON value.
    """

    reader: str
    values: Mapping[str, Json]

    @property
    def labels(self) -> dict[str, LabelValue]:
        """Field of the label set -> value."""
        return labels_of(self.values)


class Annotations:
    """What people say about the cases of one project.

    Args:
        project: the project; changes need it open for writing.
    """

    def __init__(self, project: ProjectStore) -> None:
        self._project = project
        self._events = project.events
        self._label_set: tuple[int, LabelSet] | None = None
        self._logs: dict[tuple[str, tuple[str, ...]], UndoLog] = {}

    @property
    def label_set(self) -> LabelSet:
        """What is asked in this project."""
        found = self._project.database.rows(
            "SELECT event_id FROM current WHERE target = ? AND field = ?", (PROJECT, LABEL_SET)
        )
        event_id = int(found[0][0]) if found else 0
        if self._label_set is None or self._label_set[0] != event_id:
            self._label_set = (event_id, current_label_set(self._project))
        return self._label_set[1]

    # --- what holds now ---

    def values(self, case_id: str, reader: str = "") -> dict[str, Json]:
        """Everything that one reader says about a case; with no reader what is one for the whole case."""
        return self._events.current_of(reader_target(case_id, reader) if reader else target_of(CASE, case_id))

    def labels(self, case_id: str, reader: str = "") -> dict[str, LabelValue]:
        """The labels of one reader: field of the label set -> value."""
        return labels_of(self.values(case_id, reader))

    def opinions(self, case_id: str) -> list[Opinion]:
        """Every reader's opinion, by name; first the labels that came with the images, if there are any."""
        found: dict[str, dict[str, Json]] = {}
        for annotation in self._current_of_cases([case_id]):
            if split_target(annotation.target)[0] == CASE:
                found.setdefault(annotation.reader, {})[annotation.field] = annotation.value
        return [Opinion(reader=reader, values=found[reader]) for reader in sorted(found)]

    def all(self, case_ids: Sequence[str] | None = None) -> Iterator[Annotation]:
        """Everything that people, and mapping files, say now, by target and field.

        Args:
            case_ids: only about these cases; None = all of them.
        """
        yield from self._current() if case_ids is None else self._current_of_cases(case_ids)

    def state_hash(self) -> str:
        """SHA-256 over every annotation that holds now, whoever set it and when: equal states have equal hashes."""
        digest = hashlib.sha256()
        for annotation in self._current():
            if is_annotation(annotation.target, annotation.field) and not _is_nothing(annotation):
                line = [annotation.target, annotation.field, annotation.value]
                digest.update(canonical_json(line).encode("utf-8") + b"\n")
        return digest.hexdigest()

    # --- changes ---

    def record(self, case_id: str, changes: Iterable[Change], *, author: str, text: str = "") -> list[Event]:
        """Record one gesture: all of its changes, or none.

        Args:
            case_id: the case that is worked on.
            changes: what changes; a value that is the present one already is left out.
            author: who does it.
            text: one sentence for people.

        Returns:
            The events; empty when nothing differs.

        Raises:
            UserError: `no-case`, `blocked`, `reader`, `annotation`, `label`, `changed-meanwhile` or what a
                transaction may raise; nothing is recorded then.
        """
        reader = checked_reader(author)
        with self._project.transaction():
            case = self._annotatable(case_id)
            fitting = [self._fitting(case, change, reader) for change in changes]
            if any(change.field.startswith(LABEL) for change in fitting):
                keep_label_set(self._project, author=reader)
            at = self._events.moment()
            written = [self._write(change, reader, text, at) for change in fitting]
        return [event for event in written if event is not None]

    def set_label(self, case_id: str, field_id: str, value: object, *, author: str, text: str = "") -> list[Event]:
        """Answer one question of the label set, with everything that follows from it, as one gesture.

        Args:
            case_id: the case.
            field_id: the question.
            value: the answer; None takes it away.
            author: who answers.
            text: one sentence for people; made from the answer when left out.

        Raises:
            UserError: as `record`.
        """
        changes = changes_for(self.label_set, self.labels(case_id, checked_reader(author)), field_id, value)
        return self.set_labels(case_id, changes, author=author, text=text)

    def set_labels(
        self, case_id: str, labels: Mapping[str, LabelValue | None], *, author: str, text: str = ""
    ) -> list[Event]:
        """Record labels as they are given, as one gesture; what follows from them is for the caller to say.

        Raises:
            UserError: as `record`.
        """
        target = reader_target(case_id, checked_reader(author))
        changes = [self.change(target, f"{LABEL}{name}", value) for name, value in labels.items()]
        return self.record(case_id, changes, author=author, text=text)

    def change(self, target: str, field: str, after: object) -> Change:
        """The change of one value from what it is now."""
        value: Json = list(after) if isinstance(after, tuple) else after
        return Change(target=target, field=field, before=self._value(target, field), after=value)

    # --- undo, redo, history ---

    def undo_state(self, case_id: str, author: str) -> UndoState:
        """What this person can undo and redo about a case, in this session or any later one."""
        from app.core.undo import UndoLog  # the first case is on the screen before anything of it can be undone

        reader, targets = checked_reader(author), tuple(self._own_targets(case_id, author))
        log = self._logs.get((reader, targets))
        if log is None:
            self._logs.clear()  # the one that is worked on is enough
            log = self._logs[reader, targets] = UndoLog()
        events = self._events.of_targets(targets, author=reader, after=log.last_id)
        log.add(event for event in events if is_annotation(event.target, event.field))
        return log.state()

    def undo(self, case_id: str, *, author: str) -> Batch | None:
        """Take back what this person did last about a case. Returns what was taken back; None when there is nothing.

        A step whose value somebody else has changed since is left alone, and the one before it is taken back.
        """
        return self._revert(case_id, self.undo_state(case_id, author).undoable, author, "Undone")

    def redo(self, case_id: str, *, author: str) -> Batch | None:
        """Do again what was undone last. Returns what was taken back; None when there is nothing."""
        return self._revert(case_id, self.undo_state(case_id, author).redoable, author, "Redone")

    def history(self, case_id: str) -> list[Event]:
        """Everything that people and imports have done about a case and its views, oldest first."""
        case = self._project.cases.get(case_id)
        targets = [target_of(CASE, case_id), *(target_of(VIEW, name) for name in (case.view_ids if case else ()))]
        events = self._events.of_targets(targets, beginning=f"{target_of(CASE, case_id)}@")
        return [event for event in events if event.field != COMPOSITION and event.field != "created"]

    def go_to(self, case_id: str, event_id: int, *, author: str, text: str = "") -> list[Event]:
        """Bring back what this person's annotations and those of the whole case were after an event, as one gesture.

        Nothing is erased: the way back is recorded and can itself be undone. Other readers' opinions stay.

        Args:
            case_id: the case.
            event_id: the last event that shall hold; 0 for the very beginning.
            author: who goes back.
            text: one sentence for people.
        """
        from app.core.replay import replay

        own = self._own_targets(case_id, author)
        wanted = replay(self._events.of_targets(own, until=event_id)).current
        changes = []
        for target in own:
            held = self._events.current_of(target)
            names = held.keys() | {field for place, field in wanted if place == target}
            for name in sorted(name for name in names if is_annotation(target, name)):
                after, _ = wanted.get((target, name), (None, 0))
                changes.append(Change(target=target, field=name, before=self._value(target, name), after=after))
        reader = checked_reader(author)
        with self._project.transaction():
            self._annotatable(case_id)
            at = self._events.moment()
            written = [self._write(change, reader, text or f"Back to event {event_id}", at) for change in changes]
        return [event for event in written if event is not None]

    def _revert(self, case_id: str, batches: Sequence[Batch], author: str, word: str) -> Batch | None:
        reader = checked_reader(author)
        with self._project.transaction():
            self._annotatable(case_id)
            for batch in reversed(batches):
                changes = batch.inverse()
                if all(_is_same(self._value(each.target, each.field), each.before, each.field) for each in changes):
                    at = self._events.moment()
                    text = batch.text.removeprefix("Undone: ").removeprefix("Redone: ")
                    for change in changes:
                        self._write(change, reader, f"{word}: {text}" if text else word, at)
                    return batch
        return None

    # --- how it is written ---

    def _write(self, change: Change, author: str, text: str, at: datetime) -> Event | None:
        now = self._value(change.target, change.field)
        if not _is_same(now, change.before, change.field):
            raise UserError(
                "This was changed meanwhile.",
                reason="Somebody else, or another window, has given it another value.",
                remedy="Look at the present value, then decide again.",
                kind="changed-meanwhile",
            )
        if _is_same(now, change.after, change.field):
            return None
        kind, identifier, reader = split_target(change.target)
        if kind == CASE and not reader and change.field == STATUS:
            status = ReviewStatus(change.after or NEW)
            cases = self._project.cases
            return cases.set_status(identifier, status, author=author, text=text, reverts=change.reverts, at=at)
        return self._events.append(
            target=change.target,
            field=change.field,
            before=now,
            after=change.after,
            text=text,
            author=author,
            reverts=change.reverts,
            at=at,
        )

    def _fitting(self, case: Case, change: Change, author: str) -> Change:
        """The change with its value in its one form; refuses what this person may not say, or what makes no sense."""
        kind, identifier, reader = split_target(change.target)
        is_ours = identifier in case.view_ids if kind == VIEW else kind == CASE and identifier == case.id
        if not is_ours or reader not in ("", author):
            raise UserError(
                "This belongs to another case or another reader.",
                reason="What others have said is never overwritten.",
                kind="annotation",
            )
        after = checked_document(change.target, change.field, change.after)
        if reader and change.field.startswith(LABEL) and after is not None:
            field = self.label_set.field(change.field.removeprefix(LABEL))
            if field is None:
                raise UserError("There is no such label in this project.", kind="label")
            checked = checked_value(field, label_value(after))
            after = list(checked) if isinstance(checked, tuple) else checked
        if reader and change.field.startswith(ADJUDICATED) and (answer := adjudication_of(after)) is not None:
            field = self.label_set.field(change.field.removeprefix(ADJUDICATED))
            if field is None:
                raise UserError("There is no such label in this project.", kind="label")
            checked_value(field, answer.value)
        if kind == VIEW and after is not None:
            self._check_about_view(identifier, change.field, after)
        if change.field == STATUS and after not in (None, *(status.value for status in ReviewStatus)):
            raise UserError("There is no such review status.", kind="annotation")
        if not reader and (change.field == ASSIGNED or change.field.startswith(COMMENT)) and after is not None:
            _require_text(after)
        return replace(change, after=after)

    def _check_about_view(self, view_id: str, field: str, value: Json) -> None:
        """Refuse what cannot be said of this view."""
        view = self._project.views.get(view_id)
        if view is None:
            return
        if field == CALIBRATION and (calibration := calibration_of(value)) is not None:
            calibrated_spacing(calibration, view.spacing)
        review = pixel_review_of(value) if field == PIXEL_REVIEW else None
        if review is not None and any(box.right > view.cols or box.bottom > view.rows for box in review.masks):
            raise UserError("A mask lies beyond the edge of the image.", kind="annotation")

    def _annotatable(self, case_id: str) -> Case:
        case = self._project.cases.get(case_id)
        if case is None:
            raise UserError(
                "There is no such case in this project.",
                reason=f"No case has the identifier {case_id[:64]}.",
                remedy="`coxa cases --project DIR` lists them.",
                kind="no-case",
            )
        if reason := case.blocked_reason.strip():
            raise UserError(
                "This case cannot be annotated yet.",
                reason=reason if reason[-1:] in (".", "?", "!") else f"It is blocked: {reason}.",
                remedy="Check who it belongs to and release it first.",
                kind="blocked",
            )
        return case

    def _value(self, target: str, field: str) -> Json:
        return self._events.current(target, field)

    def _own_targets(self, case_id: str, author: str) -> list[str]:
        case = self._project.cases.get(case_id)
        views = [target_of(VIEW, name) for name in (case.view_ids if case is not None else ())]
        return [target_of(CASE, case_id), reader_target(case_id, checked_reader(author)), *views]

    def _current(self) -> Iterator[Annotation]:
        rows = self._project.database.records("current", "ORDER BY target, field")
        made = self._project.database.rows(
            "SELECT id, at, author FROM event WHERE id IN (SELECT event_id FROM current)"
        )
        yield from _annotations(rows, made)

    def _current_of_cases(self, case_ids: Sequence[str]) -> Iterator[Annotation]:
        for case_id in case_ids:
            case = self._project.cases.get(case_id)
            views = [target_of(VIEW, name) for name in (case.view_ids if case is not None else ())]
            exact = [target_of(CASE, case_id), *views]
            marks = ", ".join("?" * len(exact))
            where = f"WHERE (target IN ({marks}) OR (target >= ? AND target < ?))"
            names = (*exact, f"{target_of(CASE, case_id)}@", f"{target_of(CASE, case_id)}A")
            rows = self._project.database.records("current", f"{where} ORDER BY target, field", names)
            made = self._project.database.rows(
                f"SELECT id, at, author FROM event WHERE id IN (SELECT event_id FROM current {where})",  # noqa: S608
                names,
            )
            yield from _annotations(rows, made)


def _annotations(rows: Iterable[Row], made: Iterable[tuple[int, str, str]]) -> Iterator[Annotation]:
    """Rows of `current` that people, or mapping files, have said, with who and when."""
    origins = {number: (at, author) for number, at, author in made}
    for row in rows:
        target, field = row["target"], row["field"]
        kind, _, reader = split_target(target)
        if not is_annotation(target, field) and not (kind in (CASE, VIEW) and field.startswith(LABEL)):
            continue
        at, author = origins[row["event_id"]]
        yield Annotation(
            target=target,
            field=field,
            value=json.loads(row["value"]),
            reader=reader,
            author=author,
            at=at,
            event_id=row["event_id"],
        )


def _require_text(value: Json) -> None:
    text = value.get("text") if isinstance(value, dict) else value
    if not isinstance(text, str) or not text.strip() or len(text) > 4000:
        raise UserError("A comment is 1 to 4000 characters of text.", kind="annotation")


def _is_same(one: Json, other: Json, field: str) -> bool:
    """Whether two values are the same; a case without a status is a new one."""
    if field == STATUS:
        return (one or NEW) == (other or NEW)
    return bool(one == other) and type(one) is type(other)


def _is_nothing(annotation: Annotation) -> bool:
    return annotation.field == STATUS and annotation.value == NEW
