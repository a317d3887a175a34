"""The hash of a row, and the projection of events."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.event import COMPOSITION, CREATED, Event, canonical_json, row_hash
from app.core.replay import ReplayedState, replay

SCALARS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.text(), st.binary(max_size=40))
ROWS = st.dictionaries(st.sampled_from(["a", "b", "c", "id"]), SCALARS, min_size=1)


def test_row_hash_is_the_documented_one() -> None:
    text = b'["case", [["a", 1], ["b", {"hex": "00ff"}], ["c", "\\u00fc"], ["d", null]]]'.replace(b" ", b"")
    columns = {"d": None, "c": "ü", "b": b"\x00\xff", "a": 1, "row_hash": b"left out"}
    assert row_hash("case", columns) == hashlib.sha256(text).digest()


@given(ROWS, ROWS)
def test_different_rows_have_different_hashes(first: dict[str, object], second: dict[str, object]) -> None:
    same = [(name, type(value), value) for name, value in sorted(first.items())] == [
        (name, type(value), value) for name, value in sorted(second.items())
    ]
    assert (row_hash("t", first) == row_hash("t", second)) == same  # type: ignore[arg-type]


def test_the_table_is_part_of_the_hash() -> None:
    assert row_hash("patient", {"id": "1"}) != row_hash("study", {"id": "1"})


def test_text_and_bytes_that_look_alike_differ() -> None:
    assert row_hash("t", {"a": b"\x01"}) != row_hash("t", {"a": "01"})
    assert row_hash("t", {"a": "1"}) != row_hash("t", {"a": 1})


def test_a_row_that_sqlite_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        row_hash("t", {"a": {1, 2}})  # type: ignore[dict-item]


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "ü"}) == '{"a":"ü","b":[1,2.5,null]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def _event(number: int, target: str, field: str, after: object) -> Event:
    return Event(id=number, at="", author="", target=target, field=field, before=None, after=after)


def test_projection_follows_the_events() -> None:
    state = replay(
        [
            _event(1, "view:1", CREATED, "aa"),
            _event(2, "case:1", COMPOSITION, {"side": "left"}),
            _event(3, "case:1", "status", "reviewed"),
            _event(4, "case:1", COMPOSITION, {"side": "right"}),
            _event(5, "case:2", COMPOSITION, {"side": None}),
            _event(6, "case:2", COMPOSITION, None),
            _event(7, "view:1", "side", "left"),
            _event(8, "view:1", "side", None),
        ]
    )
    assert state == ReplayedState(
        current={("case:1", "status"): ("reviewed", 3)},
        created={"view:1": "aa"},
        compositions={"case:1": {"side": "right"}},
        positions={"case:1": 2, "case:2": 5},
    )
