"""PNG, TIFF and JPEG files: size first, pixels second. 16-bit values are kept exactly."""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from app.core.case import ViewFlag
from app.core.errors import UserError
from app.core.grey import GreyScale, Photometric, StoredImage
from app.core.messages import ObjectFacts
from app.store.reading.buffers import Buffer
from app.store.reading.colour import to_luma
from app.store.reading.dicom import Reading
from app.store.reading.limits import MAX_PIXEL_BYTES, MAX_RATIO, MAX_SIDE_PX, MIB, RATIO_FREE_BYTES, too_large
from app.store.reading.part10 import has_preamble
from app.store.reading.raster_headers import RasterSize, jpeg_size, png_size, tiff_size

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_raster(buffer: Buffer) -> bool:
    """Whether the bytes are PNG, JPEG or TIFF; a DICOM file may carry a TIFF header in its preamble (PS3.10 7.1)."""
    if has_preamble(buffer):
        return False
    head = bytes(buffer[:8])
    return head == PNG_MAGIC or head.startswith((JPEG_MAGIC, *TIFF_MAGICS))


def read_raster(buffer: Buffer, *, frame: int | None, is_header_only: bool) -> Reading:
    """Read one PNG, TIFF or JPEG file.

    Args:
        buffer: the whole file.
        frame: must be None or 0; pages of a TIFF beyond the first are not read.
        is_header_only: do not decode pixels.

    Raises:
        UserError: it is refused, with the reason.
    """
    size = _read_size(buffer)
    _check_size(size, len(buffer))
    if size.pages > 1:
        raise UserError(
            f"The file holds {size.pages} pages, not one image.",
            reason="Coxa cannot know which of them is meant.",
            remedy="Save the page you need as a file of its own.",
            kind="multi-frame",
        )
    if frame not in (None, 0):
        raise UserError("There is no such frame.", reason="The file holds one image.", kind="no-such-frame")
    flags = {ViewFlag.MAY_HAVE_TEXT}
    notices = []
    if size.is_lossy:
        flags.add(ViewFlag.LOSSY)
    if not size.is_plain_grey:
        flags.add(ViewFlag.NOT_NATIVE)
        notices.append("The image is in colour or has transparency; its brightness was taken.")
    if size.orientation > 1:
        notices.append("The file says how it wants to be turned; the image was turned so.")
    image = None
    bits = size.bits if size.is_plain_grey and size.bits == 16 else 8
    rows, cols = (size.cols, size.rows) if size.orientation >= 5 else (size.rows, size.cols)
    if not is_header_only:
        image, bits = _decode(buffer, size)
    photometric = Photometric.MONOCHROME1 if size.is_white_zero and size.is_plain_grey else Photometric.MONOCHROME2
    return Reading(
        facts=ObjectFacts(format=size.format, is_lossy=size.is_lossy),
        header={},
        rows=rows,
        cols=cols,
        grey=GreyScale(photometric=photometric, bits_stored=bits),
        flags=frozenset(flags),
        notices=tuple(notices),
        image=image,
    )


def _read_size(buffer: Buffer) -> RasterSize:
    head = bytes(buffer[:8])
    if head == PNG_MAGIC:
        found = png_size(buffer)
    elif head.startswith(JPEG_MAGIC):
        found = jpeg_size(buffer)
    else:
        found = tiff_size(buffer)
    if found is None or found.rows <= 0 or found.cols <= 0:
        raise damaged_raster("Its header cannot be read.")
    return found


def _check_size(size: RasterSize, held_bytes: int) -> None:
    """Refuse what no radiograph is, before anything is decoded."""
    if max(size.rows, size.cols) > MAX_SIDE_PX:
        raise too_large(f"It claims {size.cols:,} × {size.rows:,} px; {MAX_SIDE_PX:,} px a side are allowed.")
    needed = size.rows * size.cols * size.samples * max(size.bits, 8) // 8
    if needed > MAX_PIXEL_BYTES:
        raise too_large(f"It claims {needed / MIB:,.0f} MB of pixels; {MAX_PIXEL_BYTES // MIB} MB are allowed.")
    if needed > RATIO_FREE_BYTES and needed > MAX_RATIO * held_bytes:
        raise too_large(f"{held_bytes:,} bytes cannot be a real image of {needed // MIB:,} MB.")
    if size.bits > 16 or size.is_float:
        raise UserError(
            "The image is not a radiograph that Coxa can show.",
            reason="Its pixels are floating point numbers or have more than 16 bits.",
            kind="unsupported-pixels",
        )


def _decode(buffer: Buffer, size: RasterSize) -> tuple[StoredImage, int]:
    """Decode, reduce to grey, turn. Returns the image and its depth."""
    data = bytes(buffer)
    try:
        if size.format == "PNG":
            values = imagecodecs.png_decode(data)
        elif size.format == "JPEG":
            values = imagecodecs.jpeg_decode(data)
        else:
            values = imagecodecs.tiff_decode(data, index=0)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception as error:
        if "alloc" in str(error).lower() or "memory" in str(error).lower():
            raise MemoryError from error
        raise damaged_raster("Its pixels cannot be decoded.") from error
    grey = _to_grey(np.asarray(values), size)
    if grey.shape != (size.rows, size.cols):
        raise damaged_raster("Its pixels have another size than its header says.")
    bits = 16 if grey.dtype == np.uint16 else 8
    turned = _turn(grey, size.orientation)
    return StoredImage(pixels=np.ascontiguousarray(turned, np.uint16)), bits


def _to_grey(values: npt.NDArray[Any], size: RasterSize) -> npt.NDArray[Any]:
    """(H, W) uint8 or uint16: grey as it is, colour as brightness, transparency dropped."""
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind != "u" or values.dtype.itemsize > 2:
        raise damaged_raster("Its pixels are of a kind that does not fit its header.")
    if values.ndim == 3 and values.shape[2] in (1, 2):
        values = values[..., 0]
    if values.ndim == 3 and values.shape[2] in (3, 4):
        return to_luma(values[..., :3])
    if size.palette is not None and values.ndim == 2:
        return to_luma(size.palette[np.minimum(values, len(size.palette) - 1)])
    return values


def _turn(grey: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """The image as the file wants it to be seen (TIFF 6.0, Orientation; EXIF uses the same numbers)."""
    if orientation in (5, 6, 7, 8):
        grey = grey.T
    if orientation in (2, 3, 6, 7):
        grey = grey[:, ::-1]
    if orientation in (3, 4, 7, 8):
        grey = grey[::-1]
    return grey


def damaged_raster(reason: str) -> UserError:
    """The error for a picture file that cannot be decoded."""
    return UserError(
        "The picture is damaged.", reason=reason, remedy="Copy it again from where it came from.", kind="damaged"
    )
