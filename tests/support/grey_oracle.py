"""A slow, literal reading of PS3.3 C.7.6.3.1 and C.11, one pixel at a time, in 64-bit floating point.

The referee of the grey-value battery. It takes the data set as written, with its raw Pixel Data, and shares no code,
no table and no type with the product: nothing of `app` may be imported here.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset

WHITE = 255.0


def oracle_levels(dataset: Dataset, *, voi: tuple[float, float] | None = None) -> list[list[float]]:
    """Display levels 0 … 255, not rounded, of a native little-endian grey object, row by row.

    Args:
        dataset: the object.
        voi: a center and width to use instead of the object's own.
    """
    chain = _Chain(dataset, voi)
    values = [chain.level(raw) for raw in _cells(dataset)]
    columns = int(dataset.Columns)
    return [values[start : start + columns] for start in range(0, len(values), columns)]


def _cells(dataset: Dataset) -> list[int]:
    size = int(dataset.BitsAllocated) // 8
    count = int(dataset.Rows) * int(dataset.Columns)
    return list(struct.unpack(f"<{count}{ {1: 'B', 2: 'H'}[size] }", dataset.PixelData[: count * size]))


def _sign(value: int, bits: int) -> int:
    """Two's complement of a value of so many bits."""
    return value - 2**bits if value >= 2 ** (bits - 1) else value


class _Table:
    """A LUT item: C.11.1.1.1."""

    def __init__(self, item: Dataset, is_input_signed: bool) -> None:
        count, first, bits = (int(value) for value in item.LUTDescriptor)
        self.count = 65536 if count == 0 else count
        self.first = _sign(first, 16) if is_input_signed and first > 32767 else first
        data = item.LUTData
        if isinstance(data, bytes):
            if len(data) < 2 * self.count:  # one byte an entry
                entries = [data[index] for index in range(self.count)]
            else:
                entries = [data[2 * index] + 256 * data[2 * index + 1] for index in range(self.count)]
        else:
            entries = [int(word) for word in data][: self.count]
        self.entries = entries
        self.top = 2.0 ** max(bits, max(entry.bit_length() for entry in entries)) - 1

    def entry(self, value: float) -> int:
        index = math.floor(value + 0.5) - self.first
        if index < 0:
            return self.entries[0]
        if index >= len(self.entries):
            return self.entries[-1]
        return self.entries[index]


class _Chain:
    """Everything that happens to one stored value."""

    def __init__(self, dataset: Dataset, voi: tuple[float, float] | None) -> None:
        self.allocated = int(dataset.BitsAllocated)
        self.stored = int(dataset.get("BitsStored") or int(dataset.get("HighBit", self.allocated - 1)) + 1)
        self.high = int(dataset.get("HighBit", self.stored - 1))
        self.is_signed = int(dataset.get("PixelRepresentation", 0)) == 1
        self.padding = self._padding(dataset)
        self.modality_table = self._table(dataset, "ModalityLUTSequence", self.is_signed)
        slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
        self.slope = 1.0 if slope is None else float(slope)
        self.intercept = 0.0 if intercept is None else float(intercept)
        is_value_signed = self.modality_table is None and (self.is_signed or self.intercept < 0 or self.slope < 0)
        self.voi_table = None if voi else self._table(dataset, "VOILUTSequence", is_value_signed)
        self.window = voi or self._window(dataset)
        self.function = str(dataset.get("VOILUTFunction") or "LINEAR") if voi is None else "LINEAR"
        self.shape = str(dataset.get("PresentationLUTShape") or "")
        self.presentation_table = self._table(dataset, "PresentationLUTSequence", False)
        self.is_white_small = dataset.PhotometricInterpretation == "MONOCHROME1"

    @staticmethod
    def _table(dataset: Dataset, keyword: str, is_signed: bool) -> _Table | None:
        sequence = dataset.get(keyword)
        return _Table(sequence[0], is_signed) if sequence else None

    @staticmethod
    def _first(value: Any) -> float | None:
        if value is None or value == "":
            return None
        return float(value[0] if isinstance(value, Sequence) and not isinstance(value, str) else value)

    def _window(self, dataset: Dataset) -> tuple[float, float] | None:
        center, width = self._first(dataset.get("WindowCenter")), self._first(dataset.get("WindowWidth"))
        if center is None or width is None or width <= 0:
            return None
        if width < 1 and str(dataset.get("VOILUTFunction") or "LINEAR") == "LINEAR":
            return None
        return center, width

    def _padding(self, dataset: Dataset) -> tuple[int, int] | None:
        value = dataset.get("PixelPaddingValue")
        if value is None:
            return None
        limit = dataset.get("PixelPaddingRangeLimit", value)
        return min(int(value), int(limit)), max(int(value), int(limit))

    def level(self, raw: int) -> float:
        stored = (raw >> (self.high + 1 - self.stored)) & (2**self.stored - 1)
        if self.is_signed:
            stored = _sign(stored, self.stored)
        if self.padding is not None and self.padding[0] <= stored <= self.padding[1]:
            return 0.0
        share = self._share(self._modality(stored))
        if self.presentation_table is not None:
            position = share * (len(self.presentation_table.entries) - 1)
            share = self.presentation_table.entry(position) / self.presentation_table.top
        elif self.shape:
            share = 1.0 - share if self.shape == "INVERSE" else share
        elif self.is_white_small:
            share = 1.0 - share
        return share * WHITE

    def _modality(self, stored: float) -> float:
        if self.modality_table is not None:
            return float(self.modality_table.entry(stored))
        return self.slope * stored + self.intercept

    def _share(self, x: float) -> float:
        if self.voi_table is not None:
            return self.voi_table.entry(x) / self.voi_table.top
        if self.window is None:
            low, high = self._full_range()
            return min(max((x - low) / (high - low), 0.0), 1.0)
        c, w = self.window
        if self.function == "SIGMOID":  # C.11.2.1.3.1
            return 1.0 / (1.0 + math.exp(min(-4.0 * (x - c) / w, 700.0)))
        if self.function == "LINEAR_EXACT":  # C.11.2.1.3.2
            if x <= c - w / 2:
                return 0.0
            return 1.0 if x > c + w / 2 else (x - c) / w + 0.5
        if x <= c - 0.5 - (w - 1) / 2:  # C.11.2.1.2.1
            return 0.0
        if x > c - 0.5 + (w - 1) / 2:
            return 1.0
        return (x - (c - 0.5)) / (w - 1) + 0.5

    def _full_range(self) -> tuple[float, float]:
        """All modality values that so many bits can stand for."""
        if self.modality_table is not None:
            return 0.0, self.modality_table.top
        low = -(2 ** (self.stored - 1)) if self.is_signed else 0
        ends = [self._modality(low), self._modality(low + 2**self.stored - 1)]
        return min(ends), max(ends)
