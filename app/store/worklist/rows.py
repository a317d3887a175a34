"""Rows of the worklist, read from the project: many cases with a handful of queries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field as dataclass_field
from typing import Any

import msgspec

from app.core.adjudication import ADJUDICATED
from app.core.annotation import ASSIGNED, CALIBRATION, PIXEL_REVIEW
from app.core.event import Json
from app.core.pixel_review import release_state
from app.core.record import record
from app.core.worklist import LABEL_PREFIX, READER_MARK, WorklistRow
from app.store.database import Database
from app.store.views import PROJECTION
from app.store.worklist.disputes import Disputes

COMMENT = "comment"  # the fields of comments begin with it
CASES_AT_ONCE = 2000  # bounds the memory of a read, and the number of parameters of a statement


class _Value(msgspec.Struct):
    value: str | None = None


class _Scale(msgspec.Struct):
    row_mm: float | None = None
    is_trusted: bool = False


class _Seen(msgspec.Struct):
    verdict: str = ""


_VALUE = msgspec.json.Decoder(_Value)
_SEEN = msgspec.json.Decoder(_Seen)
_SCALE = msgspec.json.Decoder(_Scale)
_TEXTS = msgspec.json.Decoder(list[str])


@record(slots=True)
class _ViewPart:
    """What the worklist needs of a view."""

    sha256: str
    projection: str
    notices: Sequence[str]
    scale: str
    text: str


def read_all(database: Database) -> Iterator[WorklistRow]:
    """Every case, in the order of import."""
    readers = _Readers.of_all(database)
    last = (-1, "")
    while True:
        cases = database.rows(
            f"{_CASES} WHERE (position, id) > (?, ?) ORDER BY position, id LIMIT ?",
            (*last, CASES_AT_ONCE),
        )
        if not cases:
            return
        yield from _rows(database, cases, readers)
        last = (cases[-1][1], cases[-1][0])


def read_cases(database: Database, case_ids: Iterable[str]) -> Iterator[WorklistRow]:
    """Some cases; those that are not there are left out."""
    for names in _parts(sorted(set(case_ids))):
        cases = database.rows(f"{_CASES} WHERE id IN ({_marks(names)})", names)
        yield from _rows(database, cases, _Readers.of_cases(database, names))


def cases_of_studies(database: Database, study_ids: Iterable[str]) -> set[str]:
    """The cases of some studies."""
    found: set[str] = set()
    for names in _parts(sorted(set(study_ids))):
        rows = database.rows(f'SELECT id FROM "case" WHERE study_id IN ({_marks(names)})', names)  # noqa: S608
        found.update(name for (name,) in rows)
    return found


def studies_of_views(database: Database, view_ids: Iterable[str]) -> set[str]:
    """The studies of some views."""
    found: set[str] = set()
    for names in _parts(sorted(set(view_ids))):
        rows = database.rows(f'SELECT study_id FROM "view" WHERE id IN ({_marks(names)})', names)  # noqa: S608
        found.update(name for (name,) in rows)
    return found


_CASES = """SELECT id, position, study_id, patient_id, side, frontal_id, lateral_id, unassigned_ids, status,
    blocked_reason, questions FROM "case\""""


@record(slots=True)
class _Readers:
    """What readers say about cases; they have targets of their own, `case:ID@READER`.

    Args:
        said: case -> (reader, field, value).
        changed: case -> time of the newest event.
    """

    said: dict[str, list[tuple[str, str, Json]]] = dataclass_field(default_factory=dict)
    changed: dict[str, str] = dataclass_field(default_factory=dict)

    @classmethod
    def of_all(cls, database: Database) -> _Readers:
        """Of every case, in one look at all that holds."""
        found = cls()
        found._take(database, "> 'case:' AND target < 'case;' AND instr(target, '@') > 0", ())
        return found

    @classmethod
    def of_cases(cls, database: Database, case_ids: Iterable[str | int]) -> _Readers:
        """Of some cases."""
        found = cls()
        for case_id in case_ids:  # A comes after @
            found._take(database, ">= ? AND target < ?", (f"case:{case_id}@", f"case:{case_id}A"))
        return found

    def _take(self, database: Database, condition: str, parameters: Sequence[str]) -> None:
        statement = f"SELECT target, field, value FROM current WHERE target {condition}"  # noqa: S608
        for target, field, value in database.rows(statement, parameters):
            if field.startswith((LABEL_PREFIX, ADJUDICATED)):
                case_id, _, reader = target.partition(":")[2].partition(READER_MARK)
                self.said.setdefault(case_id, []).append((reader, field, json.loads(value)))
        newest = f"SELECT target, at, max(id) FROM event WHERE target {condition} GROUP BY target"  # noqa: S608
        for target, at, _ in database.rows(newest, parameters):
            case_id = target.partition(":")[2].partition(READER_MARK)[0]
            self.changed[case_id] = max(at, self.changed.get(case_id, ""))


def _rows(database: Database, cases: Sequence[tuple[Any, ...]], readers: _Readers) -> Iterator[WorklistRow]:
    waiting = [[] if case[7] == "[]" else _TEXTS.decode(case[7]) for case in cases]
    view_ids = {name for case in cases for name in case[5:7] if name} | {name for names in waiting for name in names}
    dates = dict(_of(database, "SELECT id, date FROM study WHERE id", {case[2] for case in cases}))
    views = _views(database, view_ids)
    disputes = Disputes(database)
    said, changed = _said(database, [*(f"case:{case[0]}" for case in cases), *(f"view:{name}" for name in view_ids)])
    for case, others in zip(cases, waiting, strict=True):
        case_id, position, study_id, patient_id, side, frontal, lateral, _, status, blocked, questions = case
        names = [name for name in (frontal, lateral, *others) if name]
        parts = [views[name] for name in names if name in views]
        told = [f"case:{case_id}", *(f"view:{name}" for name in names)]
        words = _Words()
        for target in told:
            for field, value in said.get(target, ()):
                words.take(field, value)
        opinions = readers.said.get(case_id, ())
        for reader, field, value in opinions:
            if field.startswith(LABEL_PREFIX):
                words.take(field, value, reader)
        times = [changed[target] for target in told if target in changed]
        yield WorklistRow(
            case_id=case_id,
            position=int(position),
            study_id=study_id,
            patient_id=patient_id,
            date=dates.get(study_id, ""),
            side=side or "",
            frontal_id=frontal or "",
            lateral_id=lateral or "",
            frontal_sha256=views[frontal].sha256 if frontal in views else "",
            lateral_sha256=views[lateral].sha256 if lateral in views else "",
            waiting_ids=tuple(others),
            waiting_sha256=tuple(views[name].sha256 if name in views else "" for name in others),
            projections=tuple(dict.fromkeys(part.projection for part in parts)),
            notices=tuple(sorted({flag for part in parts for flag in part.notices})),
            texts=tuple(dict.fromkeys(part.text for part in parts)),
            spacing=_worst([part.scale for part in parts]),
            status=status,
            blocked_reason=blocked,
            questions=() if questions == "[]" else tuple(_TEXTS.decode(questions)),
            labels=words.labels,
            readings=words.readings,
            adjudication=disputes.state(opinions),
            assigned=words.assigned,
            comments=tuple(words.comments),
            changed_at=max([*times, readers.changed.get(case_id, "")]),
        )


@record(slots=True)
class _Words:
    """What was said about one case."""

    labels: dict[str, tuple[str, ...]] = dataclass_field(default_factory=dict)
    readings: dict[str, tuple[str, ...]] = dataclass_field(default_factory=dict)
    comments: list[str] = dataclass_field(default_factory=list)
    assigned: str = ""

    def take(self, field: str, value: Json, reader: str = "") -> None:
        """Take one value in."""
        texts = texts_of(value)
        if field.startswith(LABEL_PREFIX):
            self.labels[field] = tuple(dict.fromkeys((*self.labels.get(field, ()), *texts)))
            if reader:
                self.readings[f"{field}{READER_MARK}{reader}"] = texts
        elif field == ASSIGNED:
            self.assigned = ", ".join(texts)
        else:
            self.comments += texts


def _views(database: Database, view_ids: Iterable[str]) -> dict[str, _ViewPart]:
    found: dict[str, _ViewPart] = {}
    statement = 'SELECT id, image_sha256, projection, spacing, flags FROM "view" WHERE id'
    for name, sha256, projection, spacing, flags in _of(database, statement, view_ids):
        scale = _SCALE.decode(spacing)
        notices = () if flags == "[]" else _TEXTS.decode(flags)
        found[name] = _ViewPart(
            sha256=sha256,
            projection=_VALUE.decode(projection).value or "open",
            notices=notices,
            scale="none" if scale.row_mm is None else "trusted" if scale.is_trusted else "doubtful",
            text=release_state(notices, None).value,
        )
    decided = f"SELECT substr(target, 6), value FROM current WHERE field = '{PROJECTION}' AND target"  # noqa: S608
    for name, value in _of(database, decided, {f"view:{view}" for view in found}):
        found[name].projection = _VALUE.decode(value).value or "open"
    calibrated = f"SELECT substr(target, 6) FROM current WHERE field = '{CALIBRATION}' AND target"  # noqa: S608
    for (name,) in _of(database, calibrated, {f"view:{view}" for view in found}):
        found[name].scale = "trusted"
    seen = f"SELECT substr(target, 6), value FROM current WHERE field = '{PIXEL_REVIEW}' AND target"  # noqa: S608
    for name, value in _of(database, seen, {f"view:{view}" for view in found}):
        found[name].text = _SEEN.decode(value).verdict
    return found


def _said(database: Database, targets: Iterable[str]) -> tuple[dict[str, list[tuple[str, Json]]], dict[str, str]]:
    """Labels and comments of cases and views, and when a person or the importer last said something about them.

    The facts of a view ("created") are no change of the case.
    """
    said: dict[str, list[tuple[str, Json]]] = {}
    changed: dict[str, str] = {}
    names = set(targets)
    statement = "SELECT current.target, field, value FROM current WHERE current.target"
    for target, field, value in _of(database, statement, names):
        if field == ASSIGNED or field.startswith((LABEL_PREFIX, COMMENT)):
            said.setdefault(target, []).append((field, json.loads(value)))
    newest = "SELECT target, max(id) FROM event WHERE field <> 'created' AND target"
    latest = dict(_of(database, newest, names, after="GROUP BY target"))
    at = dict(_of(database, "SELECT id, at FROM event WHERE id", latest.values()))
    changed = {target: at[number] for target, number in latest.items()}
    return said, changed


def texts_of(value: Json) -> tuple[str, ...]:
    """The values that a label holds, as texts: one for a word or a number, several for a list.

    A value with particulars (an object) is its `value` or `text`.
    """
    if value is None or value == "":
        return ()
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    if isinstance(value, list):
        return tuple(text for part in value for text in texts_of(part))
    if isinstance(value, dict):
        return texts_of(value.get("value", value.get("text")))
    if isinstance(value, float):
        return (repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value),)
    return (str(value),)


def _worst(scales: Sequence[str]) -> str:
    if not scales or "none" in scales:
        return "none"
    return "doubtful" if "doubtful" in scales else "trusted"


def _of(
    database: Database, statement: str, names: Iterable[str | int], *, after: str = ""
) -> Iterator[tuple[Any, ...]]:
    """Rows of a statement that ends with a column, for some values of that column."""
    for part in _parts(sorted(set(names))):
        yield from database.rows(f"{statement} IN ({_marks(part)}) {after}", part)


def _parts(names: Sequence[str | int]) -> Iterator[Sequence[str | int]]:
    for start in range(0, len(names), CASES_AT_ONCE * 4):
        yield names[start : start + CASES_AT_ONCE * 4]


def _marks(names: Sequence[str | int]) -> str:
    return ",".join("?" * len(names))
