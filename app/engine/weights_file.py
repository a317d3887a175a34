"""A safetensors file as bytes and places in them, so that a graph can share its weights; needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.store.model_folder import Bytes

_TYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "I16": np.int16,
    "I8": np.int8, "U8": np.uint8, "BOOL": np.bool_,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor lies.

    Args:
        dtype: numpy's type; None for one that numpy does not have.
        shape: its shape.
        start: first byte, from the beginning of the file.
        end: byte behind the last.
    """

    dtype: type[np.generic] | None
    shape: tuple[int, ...]
    start: int
    end: int


def tensor_places(content: Bytes) -> dict[str, Place]:
    """Where the tensors of a safetensors file lie.

    Args:
        content: the whole file.

    Raises:
        ValueError: it is not such a file, or a tensor lies outside it.
    """
    length = int.from_bytes(content[:8].tobytes(), "little")
    begin = 8 + length
    if not 2 <= length <= len(content) - 8:
        raise ValueError("the header does not lie in the file")
    header: dict[str, dict[str, Any]] = json.loads(content[8:begin].tobytes())
    places = {}
    for name, facts in header.items():
        if name == "__metadata__":
            continue
        start, end = (begin + int(offset) for offset in facts["data_offsets"])
        place = Place(_TYPES.get(facts["dtype"]), tuple(map(int, facts["shape"])), start, end)
        count = int(np.prod(place.shape, dtype=np.int64))
        is_whole = place.dtype is None or np.dtype(place.dtype).itemsize * count == end - start
        if not (begin <= start <= end <= len(content) and is_whole):
            raise ValueError(f"{name} does not lie in the file")
        places[name] = place
    return places


def tensor(content: Bytes, place: Place) -> npt.NDArray[Any]:
    """A copy of one tensor.

    Raises:
        ValueError: numpy does not have its type.
    """
    if place.dtype is None:
        raise ValueError("numpy does not have this type")
    return np.frombuffer(content[place.start : place.end].tobytes(), place.dtype).reshape(place.shape)


def tensors_of(content: Bytes, prefix: str) -> Mapping[str, npt.NDArray[Any]]:
    """Tensors whose names begin so."""
    return {name: tensor(content, place) for name, place in tensor_places(content).items() if name.startswith(prefix)}
