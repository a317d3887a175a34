"""From the cells of a decoded frame to stored values (PS3.5 8.1.1): shift, mask, sign."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.grey import SIGNED_OFFSET, StoredImage
from app.store.reading.codestream import CodestreamSize
from app.store.reading.layout import PixelLayout

MAX_BITS = 16


def unpack(
    cells: npt.NDArray[Any], layout: PixelLayout, stream: CodestreamSize | None, *, has_sign_per_stream: bool
) -> npt.NDArray[Any]:
    """Stored values, `(raw >> (HighBit + 1 − BitsStored)) & mask`, sign-extended when they are signed.

    Whatever else sits in the unused bits, an old overlay for instance, is cut away.

    Args:
        cells: (H, W) unsigned. An array that owns its memory may be overwritten with what is returned.
        layout: the layout of the object.
        stream: what the code stream says of its samples; None for uncompressed data and RLE.
        has_sign_per_stream: JPEG 2000 and JPEG-LS, where the precision of the code stream carries the sign.

    Returns:
        (H, W) integers: unsigned, or signed when the stored values are.
    """
    width = cells.dtype.itemsize * 8
    bits = min(layout.bits_stored, width)
    shift = layout.high_bit + 1 - bits
    if stream is not None:
        if stream.precision <= layout.high_bit:
            shift = 0  # code streams carry the stored value alone
        if has_sign_per_stream and stream.is_signed != layout.is_signed:
            bits = min(bits, stream.precision)
    if shift + bits > width:
        shift = 0
    values = cells
    if shift:
        values = values >> np.array(shift, values.dtype)
    if bits < width - shift:
        own = values if values.flags.owndata and values.flags.writeable else None  # nobody else has these cells
        values = np.bitwise_and(values, np.array((1 << bits) - 1, values.dtype), out=own)
    if not layout.is_signed:
        return values
    signed = values.view(f"i{cells.dtype.itemsize}")
    if bits < width:
        sign = np.array(1 << (bits - 1), signed.dtype)
        signed = (signed ^ sign) - sign
    return signed


def to_stored_image(values: npt.NDArray[Any]) -> StoredImage:
    """Stored values held so that they index a 16-bit table.

    Args:
        values: (H, W) integers of at most 16 bits.

    Raises:
        ValueError: wider values.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        return StoredImage(pixels=np.ascontiguousarray(values, np.uint16), offset=0)
    if values.dtype.kind == "i" and values.dtype.itemsize == 2:
        flipped = np.ascontiguousarray(values).astype("=i2", copy=False).view(np.uint16) ^ np.uint16(0x8000)
        return StoredImage(pixels=flipped, offset=SIGNED_OFFSET)
    low, high = int(values.min()), int(values.max())
    if values.dtype.kind == "u" and high < 1 << MAX_BITS:
        return StoredImage(pixels=np.ascontiguousarray(values, np.uint16), offset=0)
    if values.dtype.kind == "i" and low >= SIGNED_OFFSET and high < -SIGNED_OFFSET:
        shifted = (values.astype(np.int32) - SIGNED_OFFSET).astype(np.uint16)
        return StoredImage(pixels=np.ascontiguousarray(shifted), offset=SIGNED_OFFSET)
    raise ValueError("stored values of more than 16 bits")
