"""From a DICOM data set to `GreyScale`: how its stored values become grey levels (PS3.3 C.7.6.3, C.11).

What the object leaves out is assumed and said; what makes no sense is left out and said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from app.core.grey import GreyScale, Lut, Photometric, PresentationShape, Rescale, Window, WindowFunction
from app.core.lut import lut_from_descriptor
from app.store.reading.elements import items, number, numbers, raw_bytes, text, texts, value_of
from app.store.reading.facts import functional_groups

_MAX_CHOICES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyReading:
    """A grey scale, and what had to be said about it."""

    grey: GreyScale
    notices: tuple[str, ...]


# words of the names that manufacturers give their windows and look-up tables
NAME_WORDS = frozenset(
    {
        "abdomen", "algorithm", "auto", "automatic", "best", "bone", "bones", "brain", "bright", "chest",
        "contrast", "curve", "dark", "default", "detail", "detailed", "dicom", "diagnostic", "display", "edge",
        "enhanced", "extremity", "film", "flat", "full", "generic", "grayscale", "grey", "hard", "harder", "head",
        "high", "hip", "identity", "inverse", "knee", "linear", "log", "low", "lower", "lung", "lut", "max",
        "maximum", "medium", "middle", "min", "minimum", "narrow", "neutral", "normal", "original", "pelvis",
        "plain", "preset", "presentation", "processed", "processing", "proprietary", "raw", "sharp", "sharper",
        "shoulder", "sigmoid", "skeletal", "skeleton", "skull", "smooth", "soft", "softer", "spine", "standard",
        "steep", "thorax", "tissue", "trauma", "upper", "user", "value", "view", "viewing", "voi", "wide", "wider",
        "width", "window", "windows",
    }
)  # fmt: skip


def read_grey(
    dataset: Dataset, *, bits_stored: int, is_signed: bool, is_little_endian: bool, frame: int = 0
) -> GreyReading:
    """Collect the grey scale of one frame.

    Args:
        dataset: the data set without its pixel data.
        bits_stored: depth of the stored values.
        is_signed: whether they are two's complement.
        is_little_endian: byte order of LUT data.
        frame: frame index, for values that may differ between frames.
    """
    notices: list[str] = []
    groups = functional_groups(dataset, frame)
    sources = [
        *(item for group in groups for item in items(group, "PixelValueTransformationSequence")[:1]),
        dataset,
    ]
    modality = _modality(dataset, sources, is_signed, is_little_endian, notices)
    is_value_signed = _is_value_signed(modality, is_signed)
    voi_sources = [
        *(item for group in groups for item in items(group, "FrameVOILUTSequence")[:1]),
        dataset,
    ]
    voi: list[Lut | Window] = _luts(dataset, "VOILUTSequence", is_value_signed, is_little_endian, notices)
    for source in voi_sources:
        if windows := _windows(source, notices):
            voi += windows
            break
    photometric = text(dataset, "PhotometricInterpretation")
    grey = GreyScale(
        photometric=Photometric.MONOCHROME1 if photometric == "MONOCHROME1" else Photometric.MONOCHROME2,
        bits_stored=bits_stored,
        is_signed=is_signed,
        modality=modality,
        voi=tuple(voi[:_MAX_CHOICES]),
        presentation=_presentation(dataset, is_little_endian, notices),
        padding=_padding(dataset, bits_stored, is_signed),
    )
    return GreyReading(grey=grey, notices=tuple(notices))


def _modality(
    dataset: Dataset, sources: list[Dataset], is_signed: bool, is_little_endian: bool, notices: list[str]
) -> Lut | Rescale | None:
    """The Modality LUT, else slope and intercept; half a pair is completed with 1 or 0 (C.11.1)."""
    luts = _luts(dataset, "ModalityLUTSequence", is_signed, is_little_endian, notices)
    if luts:
        return luts[0] if isinstance(luts[0], Lut) else None
    for source in sources:
        slope, intercept = number(source, "RescaleSlope"), number(source, "RescaleIntercept")
        if slope is None and intercept is None:
            continue
        if slope == 0:
            notices.append("The rescale slope is 0 and was ignored.")
            return None
        return Rescale(slope=1.0 if slope is None else slope, intercept=intercept or 0.0)
    return None


def _is_value_signed(modality: Lut | Rescale | None, is_signed: bool) -> bool:
    """Whether modality values can be negative: the sign of a VOI LUT's first input value hangs on it (C.11.2.1.1)."""
    if isinstance(modality, Lut):
        return False
    if isinstance(modality, Rescale):
        return is_signed or modality.intercept < 0 or modality.slope < 0
    return is_signed


def _luts(
    dataset: Dataset, keyword: str, is_signed: bool, is_little_endian: bool, notices: list[str]
) -> list[Lut | Window]:
    """The usable tables of a LUT sequence."""
    found: list[Lut | Window] = []
    for item in items(dataset, keyword):
        try:
            found.append(_lut(item, is_signed, is_little_endian))
        except (ValueError, TypeError, OverflowError):
            notices.append("A look-up table of the object makes no sense and was ignored.")
    return found


def _lut(item: Dataset, is_signed: bool, is_little_endian: bool) -> Lut:
    descriptor = value_of(item, "LUTDescriptor")
    data: bytes | list[int] = raw_bytes(item, "LUTData")
    if not data:
        value = value_of(item, "LUTData")
        if value is None:
            raise ValueError("a LUT without data")
        data = bytes(value) if isinstance(value, bytes | bytearray) else [int(entry) for entry in as_list(value)]
    return lut_from_descriptor(
        [int(entry) for entry in as_list(descriptor)],
        data,
        is_signed,
        name=plain_name(text(item, "LUTExplanation")),
        is_little_endian=is_little_endian,
    )


def plain_name(text: str) -> str:
    """The name of a window or LUT, if it is made of words that manufacturers use; else nothing.

    The attribute is free text, and a name that a person typed into it is still a name. Numbers of up to three digits
    stay, as in `NORMAL2` or `WINDOW 1`.
    """
    words = re.findall(r"[^\W\d_]+|\d+", text)
    is_plain = all(word.lower() in NAME_WORDS or (word.isdigit() and len(word) <= 3) for word in words)
    return text if words and is_plain and re.fullmatch(r"[\w .,/()&+-]{1,64}", text) else ""


def as_list(value: object) -> list[int]:
    """The values of a multi-valued attribute, also when there is only one."""
    if isinstance(value, MultiValue | list | tuple):
        return list(value)
    if isinstance(value, int):
        return [value]
    raise ValueError("not a list of numbers")


def _windows(dataset: Dataset, notices: list[str]) -> list[Window]:
    """The windows of an object that make sense (C.11.2.1.2)."""
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    names = texts(dataset, "WindowCenterWidthExplanation")
    try:
        function = WindowFunction(text(dataset, "VOILUTFunction") or "LINEAR")
    except ValueError:
        function = WindowFunction.LINEAR
        notices.append("The object names a window function that does not exist; LINEAR was taken.")
    found = []
    for index, (center, width) in enumerate(zip(centers, widths, strict=False)):
        if center is None or width is None or width <= 0 or (function is WindowFunction.LINEAR and width < 1):
            notices.append("A window of the object makes no sense and was ignored.")
            continue
        name = plain_name(names[index]) if index < len(names) else ""
        found.append(Window(center=center, width=width, function=function, name=name))
    return found


def _presentation(dataset: Dataset, is_little_endian: bool, notices: list[str]) -> PresentationShape | Lut | None:
    """Presentation LUT Sequence, else Presentation LUT Shape (C.11.6)."""
    luts = _luts(dataset, "PresentationLUTSequence", False, is_little_endian, notices)
    if luts and isinstance(luts[0], Lut):
        return luts[0]
    shape = text(dataset, "PresentationLUTShape")
    try:
        return PresentationShape(shape) if shape else None
    except ValueError:
        notices.append("The object names a presentation shape that does not exist; it was ignored.")
        return None


def _padding(dataset: Dataset, bits_stored: int, is_signed: bool) -> tuple[int, int] | None:
    """The inclusive range of stored values that are padding (C.7.5.1.1.2)."""
    value, limit = number(dataset, "PixelPaddingValue"), number(dataset, "PixelPaddingRangeLimit")
    if value is None:
        return None
    ends = [_stored(int(end), bits_stored, is_signed) for end in (value, value if limit is None else limit)]
    return min(ends), max(ends)


def _stored(value: int, bits_stored: int, is_signed: bool) -> int:
    """A padding value as the stored value it stands for, although its VR may not match the pixels' sign."""
    if is_signed:
        if value >= 1 << (bits_stored - 1):
            return value - (1 << 16 if value >= 1 << bits_stored else 1 << bits_stored)
        return value
    return value & 0xFFFF
