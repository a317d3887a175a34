"""The worklist of a project: which cases, in which order, and what is said about each (ADR 0120, 0121)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from app.core.record import record
from app.core.worklist import (
    AI_PREFIX,
    EVERYTHING,
    FIELD_BY_NAME,
    FIELDS,
    IMPORT_ORDER,
    LABEL_PREFIX,
    NONE,
    READER_MARK,
    Field,
    FieldKind,
    Query,
    WorklistRow,
    as_number,
    search_words,
)
from app.store.database import Database
from app.store.worklist.columns import Column, Mask, Numbers
from app.store.worklist.index_file import SEPARATOR, SQLITE_ERRORS, IndexFile

if TYPE_CHECKING:
    from app.store.worklist.opinions import Opinions

T = TypeVar("T")
Meaning = tuple[str, tuple[str, ...]]  # a word that people see -> the words of the index that it stands for
ROWS_AT_ONCE = 1024
OFFERED_VALUES = 40  # of one field in a list of filters; a field with more is offered by its most frequent ones


@record(frozen=True, slots=True, kw_only=True)
class Facet:
    """A field with what a filter on it would find.

    Args:
        field: the field.
        counts: value -> number of cases, in the order to show them; `NONE` counts the cases without a value.
        is_cut: whether there are more values than these.
    """

    field: Field
    counts: dict[str, int]
    is_cut: bool = False


class Worklist:
    """Questions about all cases of a project, answered from an index that follows every change at the next question.

    Cases are named by number here: small integers that stay the same until `generation` changes.

    Args:
        database: the project's database.
        index: its index.

    Attributes:
        generation: raised when numbers mean other cases.
        version: raised when anything may be different from before.
    """

    def __init__(self, database: Database, index: IndexFile) -> None:
        self._database = database
        self._index = index
        index.hand_over(database)
        self.generation = 0
        self.version = 0
        self._opinions: Opinions | None = None
        self._meanings: list[Meaning] = []
        self._columns: dict[str, Column] = {}
        self._label_fields: dict[str, Field] | None = None
        self._readers: set[str] = set()
        self._order: Numbers | None = None
        self._size = 0

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def use_opinions(self, opinions: Opinions | None) -> None:
        """From now on these say what models think of the cases; also to be called when they say something else."""
        self._opinions = opinions
        self.version += 1
        self._forget_opinions()

    def use_words(self, shown: Mapping[str, str]) -> None:
        """Search from now on also by what people see.

        Args:
            shown: words as they are shown (`Linke Hüfte`) -> as the index has them (`left`).
        """
        self._meanings = [(word, search_words(kept)) for words, kept in shown.items() for word in search_words(words)]
        self.version += 1

    def catch_up(self) -> bool:
        """Take in what has happened in the project since; every question does this first.

        Returns:
            Whether anything may be different now.
        """
        if self._database.connection.in_transaction:  # what is not committed may still be taken back
            return False
        return self._answered(self._catch_up)

    def numbers(self, query: Query = EVERYTHING) -> Numbers:
        """(n,) int32: the cases of a query in its order."""
        self.catch_up()
        return self._answered(lambda: self._numbers(query))

    def count_of(self, query: Query) -> int:
        """Number of cases of a query."""
        self.catch_up()
        return self._answered(lambda: len(self._unsorted(query)))

    def rows(self, numbers: Sequence[int] | Numbers) -> dict[int, WorklistRow]:
        """What is said about some cases, by number; a case that is gone is left out."""
        self.catch_up()
        return self._answered(lambda: self._rows(list(map(int, numbers))))

    def case_ids(self, numbers: Sequence[int] | Numbers) -> list[str]:
        """The identifiers of some cases, in the order given."""
        known = dict(self._answered(lambda: self._select("SELECT number, case_id FROM item")))
        return [known[number] for number in map(int, numbers) if number in known]

    def number_of(self, case_id: str) -> int | None:
        """The number of a case; None when there is no such case."""
        self.catch_up()
        found = self._answered(lambda: self._select("SELECT number FROM item WHERE case_id = ?", (case_id,)))
        return int(found[0][0]) if found else None

    def count(self) -> int:
        """Number of all cases."""
        self.catch_up()
        return len(self._answered(self._in_import_order))

    def fields(self) -> list[Field]:
        """Every field that this project has: the fixed ones, then its labels by name."""
        self.catch_up()
        return [*FIELDS, *self._opinion_fields(), *self._answered(self._labels).values()]

    def facets(self, query: Query = EVERYTHING) -> list[Facet]:
        """What can be chosen to narrow a query down.

        The counts of a field take every other condition of the query into account but not those on the field itself,
        so that its other values are offered with what they would find.
        """
        self.catch_up()
        return self._answered(lambda: self._facets(query))

    # --- the answers ---

    def _catch_up(self) -> bool:
        changed = self._index.catch_up()
        if changed is None:
            self._forget()
            return True
        if not changed:
            return False
        self.version += 1
        numbers = np.fromiter(changed, np.int32, len(changed))
        present = self._rows([int(number) for number in numbers])
        if self._order is not None and not _is_same_set(self._order, numbers, present):
            self._order = None
        self._size = max(self._size, int(numbers.max()) + 1)
        self._notice_labels(present.values())
        self._forget_opinions()
        for name, column in self._columns.items():
            column.replace(numbers, {number: row.values(name) for number, row in present.items()})
        return True

    def _notice_labels(self, rows: Iterable[WorklistRow]) -> None:
        """Look at the fields of labels anew when a row has one that is not known, or a number is none any more."""
        if self._label_fields is None:
            return
        for row in rows:
            for name, values in (*row.labels.items(), *row.readings.items()):
                reader = name.partition(READER_MARK)[2]
                if reader in self._readers and len(self._readers) < 2:
                    continue
                known = self._label_fields.get(name)
                if known is None or (known.kind is FieldKind.NUMBER and any(as_number(v) is None for v in values)):
                    self._label_fields = None
                    self._columns.pop(name, None)
                    return

    def _forget(self) -> None:
        """Numbers mean other cases now."""
        self.generation += 1
        self.version += 1
        self._columns.clear()
        self._label_fields = None
        self._order = None

    def _in_import_order(self) -> Numbers:
        if self._order is None:
            found = self._select("SELECT number FROM item ORDER BY position, case_id")
            self._order = np.fromiter((number for (number,) in found), np.int32, len(found))
            self._size = int(self._order.max()) + 1 if len(self._order) else 0
        return self._order

    def _unsorted(self, query: Query) -> Numbers:
        order = self._in_import_order()
        mask = self._mask(query)
        return order if mask is None else order[mask[order]]

    def _numbers(self, query: Query) -> Numbers:
        order = self._unsorted(query)
        if query.sort.field != IMPORT_ORDER:
            keys = self._column(query.sort.field).keys(self._size, is_descending=query.sort.is_descending)
            order = order[np.argsort(keys[order], kind="stable")]
        elif query.sort.is_descending:
            order = order[::-1]
        return order

    def _mask(self, query: Query, *, but: str = "") -> Mask | None:
        """The cases of a query; None for all of them.

        Args:
            query: the query.
            but: a field whose conditions are left out.
        """
        result: Mask | None = None
        if words := search_words(query.search):
            found = self._select("SELECT rowid FROM words WHERE words MATCH ?", (_match(words, self._meanings),))
            result = np.zeros(self._size, np.bool_)
            result[np.fromiter((number for (number,) in found), np.int32, len(found))] = True
        for condition in query.filters:
            if condition.field != but:
                mask = self._column(condition.field).mask(condition, self._size)
                result = mask if result is None else result & mask
        return result

    def _column(self, name: str) -> Column:
        """The values of a field, read at the first use."""
        self._in_import_order()
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._read_column(name)
        return found

    def _read_column(self, name: str) -> Column:
        if name in FIELD_BY_NAME:
            ordered = f' ORDER BY "{name}"' if FIELD_BY_NAME[name].kind in (FieldKind.TEXT, FieldKind.DATE) else ""
            pairs = self._select(f'SELECT number, "{name}" FROM item WHERE "{name}" <> \'\'{ordered}')  # noqa: S608
            if any(SEPARATOR in value for _, value in pairs):
                pairs = [(number, value) for number, held in pairs for value in held.split(SEPARATOR)]
            field = FIELD_BY_NAME[name]
        elif name.startswith(AI_PREFIX):
            return self._opinion_column(name)
        else:
            pairs = self._select("SELECT number, value FROM label WHERE field = ?", (name,))
            field = label_field(name, (value for _, value in pairs))
        return Column(field, (number for number, _ in pairs), (value for _, value in pairs))

    def _labels(self) -> dict[str, Field]:
        if self._label_fields is None:
            names = [name for (name,) in self._select("SELECT DISTINCT field FROM label ORDER BY field")]
            self._readers = {name.partition(READER_MARK)[2] for name in names} - {""}
            if len(self._readers) < 2:  # one reader's labels are the labels
                names = [name for name in names if READER_MARK not in name]
            values = "SELECT DISTINCT value FROM label WHERE field = ?"
            self._label_fields = {
                name: label_field(name, (value for (value,) in self._select(values, (name,)))) for name in names
            }
        return self._label_fields

    def _facets(self, query: Query) -> list[Facet]:
        order = self._in_import_order()
        everything = np.zeros(self._size, np.bool_)
        everything[order] = True
        narrowed = self._mask(query)
        facets = []
        for field in (*FIELDS, *self._opinion_fields(), *self._labels().values()):
            if not field.is_filter:
                continue
            has_own = any(condition.field == field.name for condition in query.filters)
            mask = self._mask(query, but=field.name) if has_own else narrowed
            counts = self._column(field.name).counts(everything if mask is None else everything & mask)
            if counts or has_own:
                facets.append(_facet(field, counts))
        return facets

    def _rows(self, numbers: list[int]) -> dict[int, WorklistRow]:
        found = {}
        for start in range(0, len(numbers), ROWS_AT_ONCE):
            part = numbers[start : start + ROWS_AT_ONCE]
            marks = ",".join("?" * len(part))
            for number, text in self._select(f"SELECT number, json FROM content WHERE number IN ({marks})", part):  # noqa: S608
                found[int(number)] = self._with_opinions(_ROW.decode(text))
        return found

    # --- what models say ---

    def _opinion_fields(self) -> list[Field]:
        return [] if self._opinions is None else self._opinions.fields()

    def _forget_opinions(self) -> None:
        self._columns = {name: kept for name, kept in self._columns.items() if not name.startswith(AI_PREFIX)}

    def _opinion_column(self, name: str) -> Column:
        field = next((known for known in self._opinion_fields() if known.name == name), None)
        if field is None or self._opinions is None:  # of a model that is not asked any more
            return Column(Field(name=name, kind=FieldKind.CHOICE, title=name), (), ())
        number_of = {case_id: number for number, case_id in self._select("SELECT number, case_id FROM item")}
        pairs = [(number_of[case_id], value) for case_id, value in self._opinions.values(name) if case_id in number_of]
        return Column(field, (number for number, _ in pairs), (value for _, value in pairs))

    def _with_opinions(self, row: WorklistRow) -> WorklistRow:
        said = {} if self._opinions is None else self._opinions.of_case(row.case_id)
        return replace(row, opinions=said) if said else row

    def _select(self, statement: str, parameters: Sequence[int | str] = ()) -> list[tuple[Any, ...]]:
        return self._index.connection.execute(statement, parameters).fetchall()

    def _answered(self, question: Callable[[], T]) -> T:
        """The answer; after damage to the index that of a new one."""
        try:
            return question()
        except SQLITE_ERRORS:
            self._index.start_anew()
            self._forget()
            return question()


_ROW = msgspec.json.Decoder(WorklistRow)


def _is_same_set(before: Numbers, changed: Numbers, present: Container[int]) -> bool:
    """Whether the cases that changed were all there before and are all there now. (A case never moves.)"""
    return all(int(number) in present for number in changed) and bool(np.isin(changed, before).all())


def label_field(name: str, values: Iterable[str]) -> Field:
    """The field of a label: of numbers when every value is one."""
    is_number, is_empty = True, True
    for value in values:
        is_empty = False
        if as_number(value) is None:
            is_number = False
            break
    kind = FieldKind.NUMBER if is_number and not is_empty else FieldKind.CHOICE
    return Field(name=name, kind=kind, title=name.removeprefix(LABEL_PREFIX))


def _facet(field: Field, counts: dict[str, int]) -> Facet:
    """The values worth offering: all in their order, or of too many the most frequent."""
    names = [name for name in counts if name != NONE]
    is_cut = len(names) > OFFERED_VALUES
    if is_cut:
        names = sorted(names, key=lambda name: (-counts[name], name))[:OFFERED_VALUES]
    elif field.values:
        place = {value: index for index, value in enumerate(field.values)}
        names.sort(key=lambda name: (place.get(name, len(place)), name))
    else:
        names.sort(key=lambda name: (as_number(name) is None, as_number(name) or 0.0, name.casefold()))
    shown = {name: counts[name] for name in names}
    return Facet(field=field, counts=shown | ({NONE: counts[NONE]} if NONE in counts else {}), is_cut=is_cut)


def _match(words: Sequence[str], meanings: Sequence[Meaning]) -> str:
    """The full-text query for words that all must begin some word of a case, or one that people see instead of it.

    Words hold letters and digits only.
    """
    return " AND ".join(_one_of(word, meanings) for word in words)


def _one_of(word: str, meanings: Sequence[Meaning]) -> str:
    kept = dict.fromkeys(words for shown, words in meanings if shown.startswith(word))
    ways = [f'"{word}" *', *("(" + " AND ".join(f'"{each}"' for each in words) + ")" for words in kept)]
    return ways[0] if len(ways) == 1 else f"({' OR '.join(ways)})"


def unknown_fields(query: Query, known: Iterable[Field]) -> list[str]:
    """Names in a query that no field has."""
    names = {field.name for field in known} | {IMPORT_ORDER}
    asked = [*(condition.field for condition in query.filters), query.sort.field]
    return list(dict.fromkeys(name for name in asked if name not in names))
