"""One field of every case as arrays: filters are masks, orders are sorts of small integers, facets are counts."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from app.core.worklist import NONE, Field, FieldKind, Filter, Operator, as_number

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int32]
LAST = np.int64(1) << 40  # sorts after every rank


class Column:
    """The values of one field; a case may have none, one or several.

    Args:
        field: the field.
        items: (k,) int32, numbers of cases, one for each value held.
        values: the k values.
    """

    def __init__(self, field: Field, items: Iterable[int], values: Iterable[str]) -> None:
        self._field = field
        self._code_of: dict[str, int] = {}
        self._items = np.fromiter(items, np.int32)
        self._codes = self._coded(values)
        self._ranks: npt.NDArray[np.int64] | None = None

    def replace(self, numbers: Numbers, values: Mapping[int, tuple[str, ...]]) -> None:
        """Give some cases other values.

        Args:
            numbers: the cases, also those that have no value any more.
            values: number -> its values.
        """
        kept = ~np.isin(self._items, numbers)
        pairs = [(number, value) for number, held in values.items() for value in held]
        codes = self._coded(value for _, value in pairs)
        items = np.fromiter((number for number, _ in pairs), np.int32, len(pairs))
        self._items = np.concatenate([self._items[kept], items])
        self._codes = np.concatenate([self._codes[kept], codes])

    def mask(self, condition: Filter, size: int) -> Mask:
        """(size,) bool: the cases that a condition accepts."""
        accepted = np.fromiter((condition.accepts(value) for value in self._code_of), np.bool_, len(self._code_of))
        result = np.zeros(size, np.bool_)
        if len(self._items):
            result[self._items[accepted[self._codes]]] = True
        if condition.operator in (Operator.IS, Operator.IS_NOT) and NONE in condition.values:
            lacking = np.ones(size, np.bool_)
            lacking[self._items] = False
            result |= lacking
        return ~result if condition.operator is Operator.IS_NOT else result

    def counts(self, among: Mask) -> dict[str, int]:
        """How many of some cases have each value; values that none of them has are left out. `NONE` counts the rest."""
        inside = among[self._items]
        found = np.bincount(self._codes[inside], minlength=len(self._code_of))
        result = {value: int(count) for value, count in zip(self._code_of, found, strict=True) if count}
        has_any = np.zeros(len(among), np.bool_)
        has_any[self._items] = True
        without = int(np.count_nonzero(among & ~has_any))
        return result | ({NONE: without} if without else {})

    def keys(self, size: int, *, is_descending: bool) -> npt.NDArray[np.int64]:
        """(size,) int64: what cases are sorted by, ascending; of several values the first one in the order counts.

        Cases without a value come last in both directions.
        """
        ranks = self._rank()
        result = np.full(size, LAST)
        if len(self._items):
            mine = ranks[self._codes]
            np.minimum.at(result, self._items, -mine if is_descending else mine)
        return result

    def _coded(self, values: Iterable[str]) -> Numbers:
        """Codes of values; new values get new codes."""
        code_of, before = self._code_of, len(self._code_of)
        codes = np.fromiter((code_of.setdefault(value, len(code_of)) for value in values), np.int32)
        if len(code_of) != before:
            self._ranks = None
        return codes

    def _rank(self) -> npt.NDArray[np.int64]:
        """Rank of every code; equal in meaning, equal in rank."""
        if self._ranks is None:
            keys = _sort_keys(self._field, list(self._code_of))
            if all(map(operator.lt, keys, keys[1:])):  # as the index gives them: nothing to sort
                self._ranks = np.arange(len(keys), dtype=np.int64)
                return self._ranks
            rank_of = {key: rank for rank, key in enumerate(sorted(set(keys)))}  # type: ignore[type-var]
            self._ranks = np.fromiter((rank_of[key] for key in keys), np.int64, len(keys))
        return self._ranks


def _sort_keys(field: Field, values: list[str]) -> list[str] | list[tuple[float, str]]:
    """What values are sorted by: their fixed order, else their number, else their text without case; numbers first."""
    if field.values:
        place = {value: float(index) for index, value in enumerate(field.values)}
        return [(place.get(value, float(len(place))), "" if value in place else value) for value in values]
    if field.kind is FieldKind.NUMBER:
        numbers = [as_number(value) for value in values]
        return [
            (float("inf"), value.casefold()) if number is None else (number, "")
            for number, value in zip(numbers, values, strict=True)
        ]
    return [value.casefold() for value in values]  # very many pseudonyms: texts are sorted much faster than pairs
