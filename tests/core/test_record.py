"""A record is what `dataclasses.dataclass` with the same words makes of the same class."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

import msgspec
import pytest

from app.core.record import record

T = TypeVar("T")


@record(frozen=True, slots=True, kw_only=True)
class Point(Generic[T]):
    """For pickling: a class of the module."""

    x: T
    y: int = 2
    names: tuple[str, ...] = ()
    seen: dict[str, int] = field(default_factory=dict, compare=False)


@record(slots=True, kw_only=True)
class Holder:
    """One that changes."""

    value: int = 0


def pickled(thing: T) -> T:
    again: T = pickle.loads(pickle.dumps(thing))  # noqa: S301  # our own
    return again


def made_by(how: Callable[..., Any], **words: bool) -> Any:
    @how(**words)
    class Made:
        a: int
        b: str = "b"
        c: list[int] = field(default_factory=list, repr=False)
        d: int = field(default=7, init=False)
        e: int = field(default=1, kw_only=True)

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("negative")

    return Made


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("slots", [True, False])
@pytest.mark.parametrize("kw_only", [True, False])
@pytest.mark.parametrize("eq", [True, False])
def test_it_is_what_dataclass_makes(frozen: bool, slots: bool, kw_only: bool, eq: bool) -> None:
    words = {"frozen": frozen, "slots": slots, "kw_only": kw_only, "eq": eq}
    theirs, ours = made_by(dataclass, **words), made_by(record, **words)
    assert is_dataclass(ours)
    assert repr(ours.__dataclass_params__) == repr(theirs.__dataclass_params__)
    assert ours.__match_args__ == theirs.__match_args__
    assert hasattr(ours, "__slots__") == hasattr(theirs, "__slots__") == slots
    arguments: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
        ((), {"a": 3}), ((), {"a": 3, "b": "z", "c": [1], "e": 4}), ((3,), {}), ((), {}), ((), {"a": -1}),
        ((), {"a": 1, "d": 2}), ((), {"a": 1, "other": 2}), ((1, 2), {"a": 1}),
    )  # fmt: skip
    for positional, named in arguments:
        found: list[Any] = []
        for cls in (theirs, ours):
            try:
                found.append(cls(*positional, **named))
            except (TypeError, ValueError) as error:
                found.append(type(error))
        assert isinstance(found[0], type) == isinstance(found[1], type), (positional, named)
        if isinstance(found[0], type):
            assert found[0] is found[1]
        else:
            assert repr(found[0]) == repr(found[1])
            assert asdict(found[0]) == asdict(found[1])
    one, same, other = ours(a=1), ours(a=1), replace(ours(a=1), a=2)
    assert (one == same) is eq
    assert one != other
    assert one != theirs(a=1)
    assert one.c is not same.c
    if frozen and eq:
        for unhashable in (one, theirs(a=1)):
            with pytest.raises(TypeError, match="unhashable type: 'list'"):
                hash(unhashable)
    elif eq:
        assert ours.__hash__ is None
    else:
        assert hash(one) != hash(same)
    if frozen:
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'a'"):
            one.a = 5
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'a'"):
            del one.a
    else:
        one.a = 5
        assert one.a == 5


def test_objects_survive_pickle_copy_and_json() -> None:
    point = Point(x=1.5, names=("n",), seen={"s": 1})
    for again in (pickled(point), copy.copy(point), copy.deepcopy(point)):
        assert again == point
        assert again.seen == point.seen
        assert hash(again) == hash(point)
    assert msgspec.json.decode(msgspec.json.encode(point), type=Point[float]) == point
    assert hash(Point(x=1, seen={"a": 1})) == hash(Point(x=1)), "what is not compared is not hashed"
    holder = pickled(Holder(value=3))
    holder.value += 1
    assert holder == Holder(value=4)


def test_patterns_and_what_a_class_says_itself() -> None:
    @record(frozen=True)
    class Named:
        a: int

        def __repr__(self) -> str:
            return "me"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 4

    assert (repr(Named(1)), Named(1) == 3, hash(Named(1))) == ("me", True, 4)
    match Point(x=1, y=5):
        case Point(x=1, y=y):
            assert y == 5
        case _:
            pytest.fail("it has the fields of a pattern")


def test_what_inherits_fields_is_a_data_class_too() -> None:
    @record(frozen=True, slots=True, kw_only=True)
    class Far(Point[int]):
        z: int = 3

    assert [each.name for each in fields(Far)] == ["x", "y", "names", "seen", "z"]
    assert Far(x=1) == Far(x=1, z=3)
    with pytest.raises(FrozenInstanceError):
        Far(x=1).z = 4  # type: ignore[misc]
