"""Stored values, modality values and display levels: three things that must never be mixed up.

*Stored* values are what the object holds. *Modality* values are what measurements and models read (after the
Modality LUT). *Display* levels are the 8-bit picture on the screen, and nothing else. PS3.3 C.11, PS3.4 N.2.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from app.core.record import record

TABLE_SIZE = 65536
SIGNED_OFFSET = -32768


class Photometric(StrEnum):
    """Photometric Interpretation of a grey image."""

    MONOCHROME1 = "MONOCHROME1"  # the smallest value is white
    MONOCHROME2 = "MONOCHROME2"  # the smallest value is black


class WindowFunction(StrEnum):
    """VOI LUT Function (PS3.3 C.11.2.1.3)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


class PresentationShape(StrEnum):
    """Presentation LUT Shape (PS3.3 C.11.6)."""

    IDENTITY = "IDENTITY"
    INVERSE = "INVERSE"


class Lut(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A look-up table of a DICOM object.

    Args:
        first: the first input value mapped (may be negative).
        entries: output values, each 0 … 2**bits − 1.
        bits: output depth, 8–16.
        name: LUT Explanation, or empty.
    """

    first: int
    entries: tuple[int, ...]
    bits: int
    name: str = ""


class Window(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A window in modality values.

    Args:
        center: window center, modality units.
        width: window width, modality units, > 0.
        function: how values inside the window map.
        name: Window Center & Width Explanation, or empty.
    """

    center: float
    width: float
    function: WindowFunction = WindowFunction.LINEAR
    name: str = ""


class Rescale(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Modality value = slope × stored value + intercept."""

    slope: float
    intercept: float


@record(frozen=True, slots=True, kw_only=True)
class GreyScale:
    """How the stored values of one image become modality values and display levels.

    Args:
        photometric: MONOCHROME1 or MONOCHROME2.
        bits_stored: depth of the stored values, 1–16.
        is_signed: whether stored values are two's complement.
        modality: Modality LUT, rescale, or None (identity).
        voi: the object's own VOI LUTs, then windows, in the object's order.
        presentation: Presentation LUT Shape or Presentation LUT; None when the object has neither.
        padding: inclusive range of stored values that are padding, never image.
    """

    photometric: Photometric
    bits_stored: int
    is_signed: bool = False
    modality: Lut | Rescale | None = None
    voi: tuple[Lut | Window, ...] = ()
    presentation: PresentationShape | Lut | None = None
    padding: tuple[int, int] | None = None


@record(frozen=True, slots=True, kw_only=True, eq=False)
class StoredImage:
    """The unpacked stored values of one image, held so that they index a 16-bit table.

    Args:
        pixels: (H, W) uint16, C-contiguous; stored value = pixels + offset.
        offset: 0 for unsigned stored values, SIGNED_OFFSET for signed ones.
    """

    pixels: npt.NDArray[np.uint16]
    offset: int = 0


@record(frozen=True, slots=True, kw_only=True, eq=False)
class ModalityTable:
    """Modality value of every table index.

    Args:
        values: (65536,) float64, modality value of index i, which stands for stored value i + offset.
        is_image: (65536,) bool, False for padding.
    """

    values: npt.NDArray[np.float64]
    is_image: npt.NDArray[np.bool_]


@record(frozen=True, slots=True, kw_only=True, eq=False)
class DisplayTable:
    """Display level of every table index: the one precomputed 16-bit table for a view and a window.

    Args:
        levels: (65536,) uint8, 0 = black, 255 = white.
    """

    levels: npt.NDArray[np.uint8]


@record(frozen=True, slots=True, kw_only=True, eq=False)
class DisplayImage:
    """What the eye sees.

    Args:
        pixels: (H, W) uint8, 0 = black, 255 = white.
    """

    pixels: npt.NDArray[np.uint8]
