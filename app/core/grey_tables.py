"""From stored values to modality values to display levels, by one 65536-entry table for each view and window.

The order is that of PS3.3 C.11 and PS3.4 N.2: stored value → padding mask → Modality LUT or rescale → VOI LUT or
window → Presentation LUT (Shape), else MONOCHROME1 means inverse → padding to black. Because every step is a
function of the stored value alone, the whole chain is a table, and an image is displayed by one look-up.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from app.core.grey import (
    TABLE_SIZE,
    DisplayImage,
    DisplayTable,
    GreyScale,
    Lut,
    ModalityTable,
    Photometric,
    PresentationShape,
    Rescale,
    StoredImage,
    Window,
    WindowFunction,
)

Floats = npt.NDArray[np.float64]
WHITE = 255
LARGEST_VALUE = 1e15  # far beyond any modality unit, and exact enough to window


def modality_table(grey: GreyScale, *, offset: int = 0) -> ModalityTable:
    """Modality value of every table index (PS3.3 C.11.1).

    Args:
        grey: how the stored values of the image are to be read.
        offset: stored value = index + offset; take it from the StoredImage.

    Returns:
        (65536,) values in modality units, and which of them are image rather than padding.
    """
    stored = np.arange(TABLE_SIZE, dtype=np.int64) + offset
    is_image = np.ones(TABLE_SIZE, np.bool_)
    if grey.padding is not None:
        is_image = (stored < min(grey.padding)) | (stored > max(grey.padding))
    match grey.modality:
        case Lut():
            values = _look_up(grey.modality, stored)
        case Rescale(slope=slope, intercept=intercept):
            values = _rescaled(stored.astype(np.float64), slope, intercept)
        case None:
            values = stored.astype(np.float64)
    return ModalityTable(values=values, is_image=is_image)


def is_shown_inverse(grey: GreyScale) -> bool:
    """Whether the object's own presentation shows large modality values dark."""
    if isinstance(grey.presentation, Lut):
        return grey.presentation.entries[0] > grey.presentation.entries[-1]
    if grey.presentation is not None:
        return grey.presentation is PresentationShape.INVERSE
    return grey.photometric is Photometric.MONOCHROME1


def modality_range(grey: GreyScale) -> tuple[float, float]:
    """Smallest and largest modality value that the declared bit depth can hold, whatever the image contains.

    This is the range that `no VOI` means (ADR 0010): it does not depend on content, so two images of one detector
    are shown alike. A Modality LUT spans 0 … 2**bits − 1.
    """
    if isinstance(grey.modality, Lut):
        return 0.0, float(2**grey.modality.bits - 1)
    low = -(2 ** (grey.bits_stored - 1)) if grey.is_signed else 0
    high = low + 2**grey.bits_stored - 1
    if isinstance(grey.modality, Rescale):
        ends = _rescaled(np.array([low, high], np.float64), grey.modality.slope, grey.modality.intercept)
        return float(ends.min()), float(ends.max())
    return float(low), float(high)


def window_of_range(low: float, high: float, *, name: str = "") -> Window:
    """The LINEAR window that shows `low` as the first and `high` as the last output level."""
    return Window(center=(low + high + 1) / 2, width=high - low + 1, name=name)


def is_usable(voi: Lut | Window) -> bool:
    """Whether a VOI LUT or window can be applied: finite, width > 0, and ≥ 1 for LINEAR (PS3.3 C.11.2.1.2.1)."""
    if isinstance(voi, Lut):
        return len(voi.entries) > 0
    if not (np.isfinite(voi.center) and np.isfinite(voi.width)):
        return False
    return voi.width >= 1 if voi.function is WindowFunction.LINEAR else voi.width > 0


def display_table(
    grey: GreyScale,
    voi: Lut | Window | None,
    *,
    offset: int = 0,
    is_inverted: bool = False,
    modality: ModalityTable | None = None,
    span: tuple[int, int] = (0, TABLE_SIZE - 1),
) -> DisplayTable:
    """Display level of every table index: the whole grey chain, precomputed.

    Args:
        grey: how the stored values of the image are to be read.
        voi: VOI LUT or window in modality values; None, or one that is not usable, shows the full range of
            modality values that the object's bit depth can hold.
        offset: stored value = index + offset; take it from the StoredImage.
        is_inverted: whether the user asked for the negative. Padding stays black: it is not image.
        modality: what `modality_table(grey, offset=offset)` gave before, to save making it for every frame of a drag.
        span: first and last index that the image holds; levels outside it are left 0.

    Returns:
        (65536,) levels, 0 = black, 255 = white.
    """
    if modality is None:
        modality = modality_table(grey, offset=offset)
    part = slice(span[0], span[1] + 1)
    if voi is None or not is_usable(voi):
        voi = window_of_range(*modality_range(grey))
    share = apply_voi(voi, modality.values[part])
    match grey.presentation:
        case Lut() as lut:
            # The table's input is the whole range of the VOI output, whatever its number of entries (C.11.6.1).
            share = _look_up(lut, share * (len(lut.entries) - 1) + lut.first) / (2**lut.bits - 1)
        case PresentationShape.INVERSE:
            share = 1.0 - share
        case PresentationShape.IDENTITY:
            pass
        case None:
            if grey.photometric is Photometric.MONOCHROME1:
                share = 1.0 - share
    if is_inverted:
        share = 1.0 - share
    levels = np.zeros(TABLE_SIZE, np.uint8)
    levels[part] = np.floor(share * WHITE + 0.5).astype(np.uint8)
    levels[~modality.is_image] = 0
    return DisplayTable(levels=levels)


def apply_voi(voi: Lut | Window, values: Floats) -> Floats:
    """Map modality values to shares of full brightness (PS3.3 C.11.2.1).

    Args:
        voi: a usable VOI LUT or window.
        values: modality values, any shape.

    Returns:
        Shares 0 … 1, same shape.
    """
    if isinstance(voi, Lut):
        return np.asarray(_look_up(voi, values) / (2**voi.bits - 1), np.float64)
    with np.errstate(over="ignore"):  # far outside a very narrow window: black or white all the same
        return np.asarray(np.clip(_windowed(voi, values), 0.0, 1.0), np.float64)


def _windowed(voi: Window, values: Floats) -> Floats:
    """The window's function before it is cut off at black and white."""
    match voi.function:
        case WindowFunction.LINEAR:
            low = voi.center - 0.5 - (voi.width - 1) / 2
            if voi.width == 1:  # a step: nothing lies between black and white
                return np.asarray(values > low, np.float64)
            return (values - low) / (voi.width - 1)
        case WindowFunction.LINEAR_EXACT:
            return (values - voi.center) / voi.width + 0.5
        case WindowFunction.SIGMOID:
            exponent = np.clip(-4 * (values - voi.center) / voi.width, -700, 700)  # exp stays finite
            return np.asarray(1 / (1 + np.exp(exponent)), np.float64)


def to_display(image: StoredImage, table: DisplayTable) -> DisplayImage:
    """Look up every pixel: (H, W) uint16 stored values to (H, W) uint8 display levels."""
    return DisplayImage(pixels=np.asarray(cv2.LUT(image.pixels, table.levels), np.uint8))


def modality_values(image: StoredImage, table: ModalityTable) -> npt.NDArray[np.float32]:
    """Modality values of an image or a crop of one, for measurements and models; never for display.

    Returns:
        (H, W) float32, modality units. Padding pixels keep their nominal value; mask them with `table.is_image`.
    """
    values: npt.NDArray[np.float32] = table.values.astype(np.float32)[image.pixels]
    return values


def _rescaled(stored: Floats, slope: float, intercept: float) -> Floats:
    """slope × stored + intercept, kept finite whatever an object claims."""
    with np.errstate(over="ignore"):
        return np.asarray(np.clip(stored * slope + intercept, -LARGEST_VALUE, LARGEST_VALUE), np.float64)


def _look_up(lut: Lut, values: npt.NDArray[np.int64] | Floats) -> Floats:
    """Entries for the input values; inputs below the first or above the last mapped value take the end entries."""
    index = np.clip(np.floor(values + 0.5) - lut.first, 0, len(lut.entries) - 1).astype(np.int64)
    found: Floats = np.asarray(lut.entries, np.float64)[index]
    return found


def dark_index(grey: GreyScale, *, offset: int = 0) -> int:
    """A table index that is shown black in every window: what fills a crop beyond the edge of its image.

    Padding where the object declares any, else the dark end of the range that its bit depth can hold.
    """
    if grey.padding is not None:
        return min(max(min(grey.padding) - offset, 0), TABLE_SIZE - 1)
    low = -(2 ** (grey.bits_stored - 1)) if grey.is_signed else 0
    ends = [min(max(stored - offset, 0), TABLE_SIZE - 1) for stored in (low, low + 2**grey.bits_stored - 1)]
    values = modality_table(grey, offset=offset).values
    is_rising = values[ends[0]] <= values[ends[1]]
    return ends[0] if is_rising != is_shown_inverse(grey) else ends[1]
