"""Which grey values are shown: the object's own VOI LUTs and windows, automatic windows, and presets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from app.core.collimation import SAMPLE_PX, CollimatedArea, collimated_area
from app.core.errors import UserError
from app.core.grey import (
    TABLE_SIZE,
    GreyScale,
    Lut,
    StoredImage,
    Window,
    WindowFunction,
)
from app.core.grey_tables import is_shown_inverse, is_usable, modality_range, modality_table, window_of_range
from app.core.record import record


class VoiKind(StrEnum):
    """Where a choice of window comes from."""

    AUTO = "auto"  # from the grey values of the collimated area
    FILE = "file"  # a VOI LUT or window of the object
    PRESET = "preset"  # from the collimated area, for one kind of tissue


@record(frozen=True, slots=True, kw_only=True)
class VoiChoice:
    """One named way to show an image; `choose_voi` takes the name.

    Args:
        name: unique among the choices of one image.
        kind: where it comes from.
        voi: the object's own VOI LUT or window; None for choices that are computed from the image.
    """

    name: str
    kind: VoiKind
    voi: Lut | Window | None = None


@record(frozen=True, slots=True, kw_only=True)
class Tones:
    """Shares of the pixels in the collimated area that may turn quite black and quite white (0 … 1), and the share
    of the range between them that is added as a margin at either end."""

    black: float
    white: float
    margin: float = 0.0


AUTO_TONES = Tones(black=0.01, white=0.005, margin=0.02)
PRESETS: dict[str, Tones] = {
    "bone": Tones(black=0.35, white=0.001),
    "soft-tissue": Tones(black=0.005, white=0.15),
}


def full_range_window(grey: GreyScale) -> Window:
    """The window that spans every modality value the object's bit depth can hold (ADR 0010), not those it takes."""
    return window_of_range(*modality_range(grey))


def file_voi(grey: GreyScale) -> Lut | Window | None:
    """The object's own first VOI LUT or window that can be applied; None when it has none."""
    return next((voi for voi in grey.voi if is_usable(voi)), None)


def voi_notices(grey: GreyScale) -> tuple[str, ...]:
    """What a user must know about the object's own windows, one sentence each."""
    unusable = sum(not is_usable(voi) for voi in grey.voi)
    if not unusable:
        return ()
    instead = "another of its windows" if file_voi(grey) else "the full range of values"
    return (f"The object's window is not valid (width zero or not a number); `file` shows {instead}.",)


def auto_window(image: StoredImage, grey: GreyScale, *, tones: Tones = AUTO_TONES) -> Window:
    """A window from the grey values of the collimated area, padding excluded.

    Args:
        image: stored values.
        grey: how they are to be read.
        tones: how much of the area may turn quite black or quite white.

    Returns:
        A LINEAR_EXACT window in modality units.
    """
    return _windows_of(image, grey, {"": tones})[""]


def computed_windows(image: StoredImage, grey: GreyScale, area: CollimatedArea | None = None) -> dict[str, Window]:
    """The automatic window (`auto`) and every preset, by name: all that `choose_voi` computes from the pixels.

    Args:
        image: stored values.
        grey: how they are to be read.
        area: the collimated area of the image; searched, once for all of them, if it is not known.
    """
    return _windows_of(image, grey, {"auto": AUTO_TONES, **PRESETS}, area)


def _windows_of(
    image: StoredImage, grey: GreyScale, tones: Mapping[str, Tones], area: CollimatedArea | None = None
) -> dict[str, Window]:
    """A window for each of some tones, by name."""
    modality = modality_table(grey, offset=image.offset)
    counts = np.where(modality.is_image, area_histogram(image, grey, area), 0)
    if not counts.any():  # nothing but padding or collimator
        counts = np.where(modality.is_image, np.bincount(image.pixels.ravel(), minlength=TABLE_SIZE), 0)
    if not counts.any():
        return dict.fromkeys(tones, window_of_range(*modality_range(grey)))
    used = np.flatnonzero(counts)
    order = used[np.argsort(modality.values[used], kind="stable")]
    values, shares = modality.values[order], np.cumsum(counts[order]) / counts.sum()
    return {name: _window_between(values, shares, grey, wanted) for name, wanted in tones.items()}


def _window_between(
    values: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], grey: GreyScale, tones: Tones
) -> Window:
    """The window whose ends leave the wanted shares of pixels black and white."""
    low_share, high_share = tones.black, tones.white
    if is_shown_inverse(grey):  # large modality values are dark
        low_share, high_share = high_share, low_share
    low = float(values[np.searchsorted(shares, low_share)])
    high = float(values[np.searchsorted(shares, 1 - high_share)])
    margin = (high - low) * tones.margin
    low, high = low - margin, high + margin
    if high <= low:
        return window_of_range(low, low)
    return Window(center=(low + high) / 2, width=high - low, function=WindowFunction.LINEAR_EXACT)


def area_histogram(image: StoredImage, grey: GreyScale, area: CollimatedArea | None = None) -> npt.NDArray[np.int64]:
    """(65536,) number of pixels of the collimated area at every table index, padding included; of every n-th pixel
    in a large image."""
    area = area or collimated_area(image, grey)
    step = max(1, int(math.sqrt(image.pixels.size / SAMPLE_PX)))
    sample = image.pixels[::step, ::step]
    if area.is_found:
        sample = sample[replace(area, polygon_xy=area.polygon_xy / step).mask(sample.shape, margin=0.01) != 0]
    return np.bincount(sample.ravel(), minlength=TABLE_SIZE)


def voi_choices(grey: GreyScale) -> tuple[VoiChoice, ...]:
    """Every named way to show an image: `auto`, the object's own VOI LUTs and windows, then the presets.

    The object's first is called `file`; the others go by their explanation, or `file-2`, `file-3` … without one. A
    first with an explanation can be asked for by either name, so it is listed under both.
    """
    choices = [VoiChoice(name="auto", kind=VoiKind.AUTO), VoiChoice(name="file", kind=VoiKind.FILE, voi=file_voi(grey))]
    taken = {"auto", "file"}
    for number, voi in enumerate((voi for voi in grey.voi if is_usable(voi)), start=1):
        name = voi.name.strip()
        if number == 1 and (not name or name.lower() in taken):
            continue  # it is `file`
        if not name or name.lower() in taken:
            name = f"file-{number}"
        taken.add(name.lower())
        choices.append(VoiChoice(name=name, kind=VoiKind.FILE, voi=voi))
    choices += [VoiChoice(name=name, kind=VoiKind.PRESET) for name in PRESETS if name not in taken]
    return tuple(choices)


def choose_voi(image: StoredImage, grey: GreyScale, text: str) -> Lut | Window:
    """The VOI LUT or window that a user's words ask for.

    Args:
        image: stored values.
        grey: how they are to be read.
        text: `file` (the object's own first VOI LUT or window; the full range of modality values when it has none),
            `auto` (from the collimated area), `CENTER,WIDTH` in modality units, or the name of one of
            `voi_choices`, in upper or lower case.

    Raises:
        UserError: no such name, or numbers that are not a window.
    """
    wanted = text.strip()
    for choice in voi_choices(grey):
        if choice.name.lower() != wanted.lower():
            continue
        if choice.kind is VoiKind.AUTO:
            return auto_window(image, grey)
        if choice.kind is VoiKind.PRESET:
            return auto_window(image, grey, tones=PRESETS[choice.name])
        return choice.voi if choice.voi is not None else full_range_window(grey)
    window = _parse_window(wanted)
    if window is not None:
        return window
    names = ", ".join(choice.name for choice in voi_choices(grey))
    raise UserError(
        f"There is no window called “{wanted}” for this image.",
        reason=f"It has: {names}.",
        remedy="Take one of these names, or give CENTER,WIDTH as two numbers, for example 2048,1024.",
        kind="unknown-window",
    )


def _parse_window(text: str) -> Window | None:
    """`CENTER,WIDTH` as a window; None when the text is something else."""
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        return None
    if not (math.isfinite(center) and math.isfinite(width) and width > 0):
        raise UserError(
            f"“{text}” is not a window.",
            reason="Center and width must be finite numbers, and the width greater than zero.",
            remedy="Give CENTER,WIDTH in modality values, for example 2048,1024.",
            kind="bad-window",
        )
    # LINEAR is defined from a width of 1 (PS3.3 C.11.2.1.2.1); below that the exact form means the same to a user.
    function = WindowFunction.LINEAR if width >= 1 else WindowFunction.LINEAR_EXACT
    return Window(center=center, width=width, function=function)
