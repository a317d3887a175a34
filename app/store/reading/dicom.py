"""One foreign DICOM file: what it says about itself, its grey scale, and its stored values."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from app.core.case import ViewFlag
from app.core.errors import UserError
from app.core.grey import GreyScale, Photometric, StoredImage
from app.core.messages import ObjectFacts
from app.store.reading.buffers import Buffer
from app.store.reading.colour import palette_to_rgb, to_luma
from app.store.reading.decode import Frame, decode_frame
from app.store.reading.elements import text
from app.store.reading.facts import read_facts
from app.store.reading.greyscale import read_grey
from app.store.reading.layout import PixelKind, PixelLayout, read_layout
from app.store.reading.limits import MIB
from app.store.reading.part10 import DicomFile, open_dicom
from app.store.reading.radiographs import check_is_radiograph, is_secondary_capture
from app.store.reading.unpack import MAX_BITS, to_stored_image
from app.store.reading.whitelist import header_of

_MAX_HEADER_BYTES = 128 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one foreign file gave.

    Args:
        facts: what it says about itself.
        header: whitelisted attributes, DICOM JSON model.
        rows: image height, px.
        cols: image width, px.
        grey: how stored values become grey levels.
        flags: what a user must know.
        notices: sentences for the user.
        image: the stored values; None when only the header was asked for.
    """

    facts: ObjectFacts
    header: dict[str, dict[str, object]]
    rows: int
    cols: int
    grey: GreyScale
    flags: frozenset[ViewFlag]
    notices: tuple[str, ...]
    image: StoredImage | None


def read_dicom(
    buffer: Buffer,
    *,
    whitelist: frozenset[int],
    frame: int | None,
    is_header_only: bool,
    scratch: Path,
) -> Reading:
    """Read one DICOM file.

    Args:
        buffer: the whole file.
        whitelist: tags that the header may hold.
        frame: frame index; None refuses a multi-frame object when pixels are asked for.
        is_header_only: do not decode pixels.
        scratch: folder for temporary files.

    Raises:
        UserError: it is refused, with the reason.
        MemoryError: not enough memory.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings quote values, which identify patients
        file = open_dicom(buffer)
        dataset = parse(file)
        check_is_radiograph(text(dataset, "SOPClassUID"), text(dataset, "Modality"))
        layout, assumed = read_layout(dataset, file)
        _check_frame(layout, frame, is_header_only=is_header_only)
        grey_bits = min(layout.bits_stored, MAX_BITS)
        reading = read_grey(
            dataset,
            bits_stored=grey_bits,
            is_signed=layout.is_signed,
            is_little_endian=file.is_little_endian,
            frame=frame or 0,
        )
        grey = reading.grey
        facts = read_facts(dataset, syntax=file.syntax, frame_count=layout.frames, frame=frame)
        header = header_of(dataset, whitelist)
        flags = _flags(file, layout, facts, has_assumptions=bool(assumed))
        notices = [*file.notices, *assumed, *reading.notices]
        image = None
        if not layout.is_grey:
            grey = colour_grey()
            notices.insert(0, "The image is in colour; its brightness was taken. It is not a native radiograph.")
        if not is_header_only:
            decoded = decode_frame(file, layout, frame or 0, scratch)
            image, grey = _to_image(decoded, layout, dataset, grey)
            flags |= _frame_flags(decoded)
            notices = [*_partial_notice(decoded), *decoded.notices, *notices]
    return Reading(
        facts=facts,
        header=header,
        rows=layout.rows,
        cols=layout.cols,
        grey=grey,
        flags=flags,
        notices=tuple(dict.fromkeys(notices)),
        image=image,
    )


def parse(file: DicomFile) -> Dataset:
    """The elements before the pixel data, through pydicom.

    Raises:
        UserError: pydicom can make nothing of them.
    """
    if file.end - file.start > _MAX_HEADER_BYTES:
        raise UserError(
            "The file is built in a way that no radiograph needs.",
            reason=f"Its header is larger than {_MAX_HEADER_BYTES // MIB} MB.",
            kind="too-complex",
        )
    elements = BytesIO(bytes(file.buffer[file.start : file.end]))
    try:
        return read_dataset(elements, not file.is_explicit, file.is_little_endian)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception as error:
        raise UserError(
            "The file is damaged.",
            reason="Its header cannot be read.",
            remedy="Copy it again from where it came from.",
            kind="damaged",
        ) from error


def _check_frame(layout: PixelLayout, frame: int | None, *, is_header_only: bool) -> None:
    if layout.kind is not PixelKind.INTEGER or layout.bits_stored > MAX_BITS or layout.bits_allocated > 2 * MAX_BITS:
        raise UserError(
            "The image is not a radiograph that Coxa can show.",
            reason="Its pixels are floating point numbers or have more than 16 bits.",
            kind="unsupported-pixels",
        )
    if frame is None:
        if layout.frames > 1 and not is_header_only:
            raise UserError(
                f"The object holds {layout.frames} frames, not one image.",
                reason="Coxa cannot know which of them is meant.",
                remedy="Choose one frame.",
                kind="multi-frame",
            )
    elif not 0 <= frame < layout.frames:
        raise UserError(
            f"There is no frame {frame + 1}.", reason=f"The object holds {layout.frames}.", kind="no-such-frame"
        )


def _flags(file: DicomFile, layout: PixelLayout, facts: ObjectFacts, *, has_assumptions: bool) -> frozenset[ViewFlag]:
    found = {
        ViewFlag.ASSUMED_ENCODING: file.is_assumed or has_assumptions,
        ViewFlag.LOSSY: facts.is_lossy,
        ViewFlag.NOT_NATIVE: not layout.is_grey or is_secondary_capture(facts.sop_class_uid),
        ViewFlag.FOR_PROCESSING: facts.presentation_intent == "FOR PROCESSING",
        ViewFlag.MAY_HAVE_TEXT: facts.burned_in_annotation != "NO",
    }
    return frozenset(flag for flag, holds in found.items() if holds)


def _frame_flags(decoded: Frame) -> frozenset[ViewFlag]:
    found = {
        ViewFlag.PARTIAL: decoded.is_partial,
        ViewFlag.FALLBACK_DECODER: decoded.is_fallback,
        ViewFlag.ASSUMED_ENCODING: decoded.is_assumed,
    }
    return frozenset(flag for flag, holds in found.items() if holds)


def _partial_notice(decoded: Frame) -> list[str]:
    rows = decoded.values.shape[0]
    if not decoded.is_partial:
        return []
    if decoded.rows_present < rows:
        return [f"The file is truncated: {rows - decoded.rows_present} of {rows} rows are missing."]
    return ["The file is truncated: part of the image may be missing or wrong."]


def colour_grey() -> GreyScale:
    """The grey scale of an 8-bit brightness image."""
    return GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=8)


def _to_image(decoded: Frame, layout: PixelLayout, dataset: Dataset, grey: GreyScale) -> tuple[StoredImage, GreyScale]:
    """Stored values for the 16-bit tables; missing rows become padding."""
    values = decoded.values
    if decoded.photometric == "PALETTE COLOR":
        values = palette_to_rgb(values, dataset)
        return StoredImage(pixels=to_luma(values).astype(np.uint16)), grey
    if values.ndim == 3:
        return StoredImage(pixels=to_luma(values, layout.bits_stored).astype(np.uint16)), grey
    try:
        image = to_stored_image(values)
    except ValueError as error:
        raise UserError(
            "The image is not a radiograph that Coxa can show.",
            reason="Its pixels have more than 16 bits.",
            kind="unsupported-pixels",
        ) from error
    if decoded.rows_present < layout.rows:
        return _pad_missing_rows(image, decoded.rows_present, grey)
    return image, grey


def _pad_missing_rows(image: StoredImage, rows_present: int, grey: GreyScale) -> tuple[StoredImage, GreyScale]:
    """Fill missing rows with the object's padding value, or with a value that no pixel has."""
    pixels = image.pixels.copy()
    if grey.padding is None:
        used = np.bincount(pixels[:rows_present].ravel(), minlength=1 << MAX_BITS)
        low = -(1 << (grey.bits_stored - 1)) if grey.is_signed else 0
        codes = np.arange(low, low + (1 << grey.bits_stored)) - image.offset
        free = codes[used[codes] == 0]
        fill = int(free[0] if free.size else codes[0]) + image.offset
        grey = replace(grey, padding=(fill, fill))
    padding = grey.padding
    pixels[rows_present:] = (padding[0] if padding else 0) - image.offset
    return StoredImage(pixels=pixels, offset=image.offset), grey
