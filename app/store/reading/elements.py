"""Reading attributes of a data set that may hold anything: text, numbers and items, or nothing, never an exception."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag

_LEADING_INTEGER = re.compile(rb"\s*([+-]?\d{1,12})")
_MAX_TEXT = 4096


def value_of(dataset: Dataset, keyword: str) -> Any:
    """The value of an attribute; None when it is absent, empty or cannot be converted."""
    try:
        element = dataset.get(keyword)
    except Exception:  # pydicom raises whatever the conversion of a bad value raises
        return None
    if isinstance(element, str | bytes | Sequence) and len(element) == 0:
        return None
    return element


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Every value of an attribute as stripped text; empty when there is none."""
    value = value_of(dataset, keyword)
    if value is None:
        return ()
    values = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    return tuple(_clean(item) for item in values)


def text(dataset: Dataset, keyword: str) -> str:
    """The first value of an attribute as stripped text, or an empty string."""
    values = texts(dataset, keyword)
    return values[0] if values else ""


def whole_text(dataset: Dataset, keyword: str) -> str:
    """All values of an attribute as one text, joined as DICOM joins them."""
    return "\\".join(texts(dataset, keyword))


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of an attribute as a finite number."""
    try:
        result = float(text(dataset, keyword))
    except ValueError:
        return None
    return result if abs(result) < float("inf") else None


def numbers(dataset: Dataset, keyword: str) -> tuple[float | None, ...]:
    """Every value of an attribute as a finite number, None for what is not one."""
    results: list[float | None] = []
    for item in texts(dataset, keyword):
        try:
            result = float(item)
        except ValueError:
            results.append(None)
            continue
        results.append(result if abs(result) < float("inf") else None)
    return tuple(results)


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value of an attribute as an integer; the leading digits when the text goes on with something else."""
    value = value_of(dataset, keyword)
    if isinstance(value, MultiValue | list | tuple):
        value = value[0]
    if isinstance(value, int):
        return int(value)
    found = _LEADING_INTEGER.match(raw_bytes(dataset, keyword) if value is None else str(value).encode())
    return int(found[1]) if found else None


def raw_bytes(dataset: Dataset, keyword: str) -> bytes:
    """The bytes of an attribute as they are in the file, when pydicom has not converted them."""
    try:
        element: Any = dataset.get_item(Tag(keyword))
    except Exception:  # as above
        return b""
    return element.value if isinstance(element, RawDataElement) and isinstance(element.value, bytes) else b""


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none when it is absent or is not one."""
    value = value_of(dataset, keyword)
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def _clean(value: object) -> str:
    """Text of one value: stripped of padding and NUL, bounded."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value)[:_MAX_TEXT].replace("\0", "").strip()
