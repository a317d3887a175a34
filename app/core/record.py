"""Data classes that are made in a sixth of the time.

`dataclasses.dataclass` writes and compiles six functions for every class that is defined, a third of a millisecond each
time a program starts; the window defines ninety before its first case. `record` leaves the fields to it and gives all
classes functions that are compiled already; only `__init__` is written, when the first object is made. Everything else
is as there: `fields`, `replace`, `asdict`, comparison, hashing, patterns, pickling, `FrozenInstanceError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(field_specifiers=(field, Field))
def record(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
) -> Callable[[type[T]], type[T]]:
    """Make a class a data class, as `dataclasses.dataclass` with the same words does.

    Args:
        frozen: its objects cannot be changed.
        slots: its objects have no other attributes.
        kw_only: its fields are given by name.
        eq: objects with equal fields are equal; else an object equals only itself.
    """

    def decorate(cls: type[T]) -> type[T]:
        if any(hasattr(base, "__dataclass_fields__") for base in cls.__mro__[1:]):
            return dataclass(frozen=frozen, slots=slots, kw_only=kw_only, eq=eq)(cls)
        own = set(cls.__dict__)
        made: type[T] = dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
        params: Any = made.__dataclass_params__  # type: ignore[attr-defined]  # typeshed leaves it out
        params.init, params.repr, params.eq, params.frozen = True, True, eq, frozen
        given: dict[str, object] = {"__init__": _first_init(made), "__repr__": _repr}
        if eq:
            given |= {"__eq__": _eq(made), "__hash__": _hash(made) if frozen else None}
        if frozen:
            given |= {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
            if slots:
                given |= {"__getstate__": _state, "__setstate__": _restore}
        for name, function in given.items():
            if name not in own:
                setattr(made, name, function)
        return made

    return decorate


def _first_init(cls: type) -> Callable[..., None]:
    def init(self: object, *args: object, **named: object) -> None:
        compiled = _compiled_init(cls)
        cls.__init__ = compiled  # type: ignore[misc]  # from now on
        compiled(self, *args, **named)

    return init


def _compiled_init(cls: type) -> Callable[..., None]:
    """The `__init__` that `dataclasses` would write."""
    is_frozen = cls.__dataclass_params__.frozen  # type: ignore[attr-defined]  # typeshed leaves it out
    names: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__}
    positional: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for each in fields(cls):
        value, parameter = each.name, each.name
        if each.default is not MISSING:
            names[f"_default_{each.name}"] = each.default
            parameter = f"{each.name}=_default_{each.name}"
        elif each.default_factory is not MISSING:
            names[f"_make_{each.name}"] = each.default_factory
            parameter = f"{each.name}=_missing"
            value = f"_make_{each.name}() if {each.name} is _missing else {each.name}"
        if each.init:
            (named if each.kw_only else positional).append(parameter)
        elif each.default_factory is not MISSING:
            value = f"_make_{each.name}()"
        elif each.default is not MISSING:
            value = f"_default_{each.name}"
        else:
            continue
        body.append(f"_set(self, {each.name!r}, {value})" if is_frozen else f"self.{each.name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    heads = ", ".join(["self", *positional, *(["*"] if named else []), *named])
    exec(f"def __init__({heads}):\n " + "\n ".join(body or ["pass"]), names)  # noqa: S102  # names of fields only
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _values(cls: type, is_wanted: Callable[[Field[Any]], object]) -> Callable[[Any], object]:
    names = [each.name for each in fields(cls) if is_wanted(each)]
    return attrgetter(*names) if names else lambda _: ()


def _eq(cls: type) -> Callable[[Any, Any], Any]:
    values = _values(cls, lambda each: each.compare)

    def eq(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        if self is other:
            return True
        return (values(self),) == (values(other),)

    return eq


def _hash(cls: type) -> Callable[[Any], int]:
    values = _values(cls, lambda each: each.compare if each.hash is None else each.hash)
    return lambda self: hash((values(self),))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({shown})"


def _refuse_set(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, each.name) for each in fields(self)]


def _restore(self: Any, state: list[object]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
