"""The fastest decoder for each compression, for frames of one sample a pixel (`performance.md` §2a).

Each returns the cells of the code stream as they are, unsigned; meaning is given to them in `unpack`.
"""

from __future__ import annotations

import zlib
from typing import Any, cast

import imagecodecs
import numpy as np
import numpy.typing as npt

from app.store.reading import syntaxes
from app.store.reading.layout import PixelLayout

Cells = npt.NDArray[Any]
_THREADS = 2
_END_OF_IMAGE = b"\xff\xd9"
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32}


def decode_fast(frame: bytes, syntax: str, layout: PixelLayout) -> Cells | None:
    """Decode one compressed frame of one sample a pixel.

    Args:
        frame: its code stream.
        syntax: transfer syntax UID.
        layout: the layout of the object.

    Returns:
        (H, W) unsigned cells, or None when there is no fast decoder for this frame.

    Raises:
        Exception: whatever the codec raises; also pylibjpeg-rle's PanicException, which is a BaseException.
    """
    if layout.samples != 1 or layout.bits_allocated not in (8, 16):
        return None
    if syntax == syntaxes.RLE:
        return _rle(frame, layout)
    if syntax == syntaxes.DEFLATED_FRAMES:
        return _deflated(frame, layout)
    decoded: Any
    if syntax in syntaxes.JPEG_DCT | syntaxes.JPEG_SPATIAL:
        decoded = imagecodecs.jpeg_decode(frame)
    elif syntax in syntaxes.JPEG_LS:
        if not frame.rstrip(b"\0").endswith(_END_OF_IMAGE):
            return None  # CharLS searches for seconds for the end of a truncated stream
        decoded = imagecodecs.jpegls_decode(frame)
    elif syntax in syntaxes.J2K:
        decoded = imagecodecs.jpeg2k_decode(frame, numthreads=_THREADS)
    elif syntax in syntaxes.HTJ2K_ALL:
        decoded = imagecodecs.htj2k_decode(frame)
    elif syntax in syntaxes.JPEG_XL_ALL:
        decoded = imagecodecs.jpegxl_decode(frame, numthreads=_THREADS)
    else:
        return None
    return as_cells(decoded, layout)


def as_cells(decoded: Any, layout: PixelLayout) -> Cells | None:
    """Check shape and type of decoded values, and look at them as unsigned cells."""
    values = np.squeeze(np.asarray(decoded))
    if values.shape != (layout.rows, layout.cols):
        values = np.asarray(decoded).reshape(np.asarray(decoded).shape[:2]) if np.ndim(decoded) == 2 else values
    if values.shape != (layout.rows, layout.cols) or values.dtype.kind not in "iu" or values.itemsize > 4:
        return None
    return cast(Cells, values.view(_UNSIGNED[values.itemsize]))


def _rle(frame: bytes, layout: PixelLayout) -> Cells:
    """RLE (PS3.5 G) through pylibjpeg-rle."""
    from rle.rle import decode_frame

    raw = decode_frame(frame, layout.rows * layout.cols, layout.bits_allocated, "<")
    dtype = np.dtype("<u1") if layout.bits_allocated == 8 else np.dtype("<u2")
    return np.frombuffer(raw, dtype).reshape(layout.rows, layout.cols)


def _deflated(frame: bytes, layout: PixelLayout) -> Cells:
    """Deflated Image Frame Compression (PS3.5 A.4.12): one frame, raw deflate, little endian."""
    size = layout.frame_bits // 8
    raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, size)
    dtype = np.dtype("<u1") if layout.bits_allocated == 8 else np.dtype("<u2")
    return np.frombuffer(raw, dtype).reshape(layout.rows, layout.cols)
