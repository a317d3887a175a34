"""The last resort for frames that nothing else reads: GDCM inside SimpleITK, on a neutralised copy (`imaging.md` §2.4).

SimpleITK inverts MONOCHROME1 and applies the rescale on its own, so it never sees the foreign file: a minimal object
is written with MONOCHROME2, without rescale, padding or spacing, that holds this one code stream.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np
import numpy.typing as npt

from app.store.reading import syntaxes
from app.store.reading.layout import PixelLayout

_SECONDARY_CAPTURE = b"1.2.840.10008.5.1.4.1.1.7\0"
_INSTANCE = b"2.25.1\0\0"


def decode_fallback(frame: bytes, syntax: str, layout: PixelLayout, folder: Path) -> npt.NDArray[Any]:
    """Decode one compressed frame with SimpleITK.

    Args:
        frame: the code stream of one frame.
        syntax: transfer syntax UID.
        layout: the layout of the object.
        folder: where the temporary copy may be.

    Returns:
        (H, W) integers as GDCM decodes them, or (H, W, 3).

    Raises:
        RuntimeError: SimpleITK cannot read it either.
    """
    sitk: Any = importlib.import_module("SimpleITK")  # slow to import, and rarely needed

    with tempfile.TemporaryDirectory(dir=folder, prefix="fallback-") as place:
        path = Path(place) / "frame.dcm"
        path.write_bytes(neutral_object(frame, syntax, layout))
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        values = sitk.GetArrayFromImage(reader.Execute())
    if values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    if values.shape[:2] != (layout.rows, layout.cols):
        raise RuntimeError("the fallback decoder returned another size")
    return np.asarray(values)


def neutral_object(frame: bytes, syntax: str, layout: PixelLayout) -> bytes:
    """A minimal DICOM object around one compressed frame, without anything that changes grey values."""
    photometric = "MONOCHROME2" if layout.samples == 1 else layout.photometric
    meta = (
        _element(0x0002, 0x0001, b"OB", b"\0\1")
        + _element(0x0002, 0x0002, b"UI", _SECONDARY_CAPTURE)
        + _element(0x0002, 0x0003, b"UI", _INSTANCE)
        + _element(0x0002, 0x0010, b"UI", _even(syntax.encode(), b"\0"))
        + _element(0x0002, 0x0012, b"UI", _INSTANCE)
    )
    fields = [
        _element(0x0008, 0x0016, b"UI", _SECONDARY_CAPTURE),
        _element(0x0008, 0x0018, b"UI", _INSTANCE),
        _element(0x0028, 0x0002, b"US", pack("<H", layout.samples)),
        _element(0x0028, 0x0004, b"CS", _even(photometric.encode(), b" ")),
    ]
    if layout.samples > 1:
        fields.append(_element(0x0028, 0x0006, b"US", pack("<H", layout.is_planar)))
    fields += [
        _element(0x0028, 0x0010, b"US", pack("<H", layout.rows)),
        _element(0x0028, 0x0011, b"US", pack("<H", layout.cols)),
        _element(0x0028, 0x0100, b"US", pack("<H", layout.bits_allocated)),
        _element(0x0028, 0x0101, b"US", pack("<H", layout.bits_stored)),
        _element(0x0028, 0x0102, b"US", pack("<H", layout.bits_stored - 1)),
        _element(0x0028, 0x0103, b"US", pack("<H", layout.is_signed)),
    ]
    padded = _even(frame, b"\0")
    pixels = (
        pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
        + pack("<HHI", 0xFFFE, 0xE000, 0)
        + pack("<HHI", 0xFFFE, 0xE000, len(padded))
        + padded
        + pack("<HHI", 0xFFFE, 0xE0DD, 0)
    )
    length = _element(0x0002, 0x0000, b"UL", pack("<I", len(meta)))
    return b"\0" * 128 + b"DICM" + length + meta + b"".join(fields) + pixels


def can_fall_back(syntax: str) -> bool:
    """Whether GDCM knows this compression at all."""
    return syntax in syntaxes.JPEG_FAMILY | syntaxes.J2K | {syntaxes.RLE}


def _even(value: bytes, padding: bytes) -> bytes:
    return value + padding * (len(value) % 2)


def _element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    if vr == b"OB":
        return pack("<HH2sHI", group, number, vr, 0, len(value)) + value
    return pack("<HH2sH", group, number, vr, len(value)) + value
