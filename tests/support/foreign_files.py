"""Foreign files made here: one synthetic radiograph in every encoding that Coxa promises to read."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from struct import pack
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from app.store.reading import syntaxes

Pixels = npt.NDArray[Any]
DX = "1.2.840.10008.5.1.4.1.1.1.1"
SYNTAXES = {
    "implicit": syntaxes.IMPLICIT_LITTLE,
    "explicit": syntaxes.EXPLICIT_LITTLE,
    "big-endian": syntaxes.EXPLICIT_BIG,
    "deflated": syntaxes.DEFLATED_EXPLICIT,
    "rle": syntaxes.RLE,
    "jpeg-baseline": syntaxes.JPEG_BASELINE,
    "jpeg-extended": syntaxes.JPEG_EXTENDED,
    "jpeg-lossless": syntaxes.JPEG_LOSSLESS_SV1,
    "jpeg-ls": syntaxes.JPEG_LS_LOSSLESS,
    "jpeg-2000": syntaxes.JPEG_2000_LOSSLESS,
    "htj2k": syntaxes.HTJ2K_LOSSLESS,
}
LOSSLESS = tuple(name for name in SYNTAXES if name not in ("jpeg-baseline", "jpeg-extended"))


def radiograph(rows: int = 80, cols: int = 96, *, bits: int = 12, seed: int = 1) -> Pixels:
    """A smooth, noisy picture with a bright bar, unsigned: (rows, cols) uint8 or uint16."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:cols].astype(np.float32)
    top = (1 << bits) - 1
    smooth = 0.5 + 0.3 * np.sin(x / cols * 5) * np.cos(y / rows * 4)
    smooth[:, cols // 3 : cols // 2] += 0.15
    noisy = smooth * top + generator.normal(0, top / 300, (rows, cols))
    return np.clip(noisy, 0, top).astype(np.uint8 if bits <= 8 else np.uint16)


def encode_frame(pixels: Pixels, syntax: str) -> bytes:
    """The code stream of one grey frame; empty for uncompressed syntaxes."""
    if syntax == syntaxes.RLE:
        from rle.rle import encode_frame as encode_rle

        raw = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
        rows, cols = pixels.shape
        return bytes(encode_rle(raw, rows, cols, 1, pixels.dtype.itemsize * 8, "<"))
    if syntax == syntaxes.JPEG_BASELINE:
        return bytes(imagecodecs.jpeg_encode(pixels, level=95))
    if syntax == syntaxes.JPEG_EXTENDED:
        return bytes(imagecodecs.jpeg_encode(pixels, level=95, bitspersample=12))
    if syntax in syntaxes.JPEG_SPATIAL:
        return bytes(imagecodecs.jpeg_encode(pixels, lossless=True, predictor=1))
    if syntax in syntaxes.JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(pixels))
    if syntax in syntaxes.J2K:
        return bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", reversible=True))
    if syntax in syntaxes.HTJ2K_ALL:
        return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    raise ValueError(syntax)


def dicom_bytes(
    pixels: Pixels | None = None,
    syntax: str = syntaxes.EXPLICIT_LITTLE,
    *,
    frames: int = 1,
    pixel_data: bytes | None = None,
    without: tuple[str, ...] = (),
    **attributes: Any,
) -> bytes:
    """A DICOM file around grey pixels.

    Args:
        pixels: (H, W) unsigned or signed 8- or 16-bit; by default a small radiograph that fits the syntax.
        syntax: transfer syntax UID.
        frames: how often the frame is repeated.
        pixel_data: the value of Pixel Data instead of an encoding of `pixels`.
        without: keywords of attributes to leave out.
        attributes: more attributes, by keyword; they win.
    """
    if pixels is None:
        pixels = radiograph(bits=8 if syntax == syntaxes.JPEG_BASELINE else 12)
    bits = pixels.dtype.itemsize * 8
    stored = bits if bits == 8 else 12 if pixels.dtype.kind == "u" and pixels.max() < 4096 else 16
    dataset = Dataset()
    values: dict[str, Any] = {
        "SOPClassUID": DX,
        "SOPInstanceUID": "1.2.826.0.1.3680043.10.1.1",
        "StudyInstanceUID": "1.2.826.0.1.3680043.10.1.2",
        "SeriesInstanceUID": "1.2.826.0.1.3680043.10.1.3",
        "Modality": "DX",
        "PatientID": "P-1",
        "PatientName": "Doe^Jane",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": stored,
        "HighBit": stored - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "BurnedInAnnotation": "NO",
    }
    if frames > 1:
        values["NumberOfFrames"] = frames
    values |= attributes
    for keyword in without:
        values.pop(keyword, None)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    is_compressed = syntax not in syntaxes.NATIVE
    if pixel_data is not None:
        dataset.PixelData = pixel_data
    elif is_compressed:
        dataset.PixelData = encapsulate([encode_frame(pixels, syntax)] * frames)
    else:
        order = ">" if syntax == syntaxes.EXPLICIT_BIG else "<"
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes() * frames
    dataset["PixelData"].VR = "OB" if is_compressed else "OW"
    dataset["PixelData"].is_undefined_length = is_compressed
    return to_bytes(dataset, syntax)


def to_bytes(dataset: Dataset, syntax: str) -> bytes:
    """A DICOM file of a data set."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", DX)
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3")
    dataset.file_meta = meta
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def png_bytes(pixels: Pixels) -> bytes:
    """A PNG file."""
    return bytes(imagecodecs.png_encode(pixels))


def jpeg_bytes(pixels: Pixels) -> bytes:
    """A JPEG file."""
    return bytes(imagecodecs.jpeg_encode(pixels, level=95))


def tiff_bytes(
    pixels: Pixels, *, photometric: int = 1, orientation: int = 1, pages: int = 1, palette: Pixels | None = None
) -> bytes:
    """An uncompressed little-endian TIFF of grey or palette pixels, one strip a page."""
    rows, cols = pixels.shape
    raw = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    out = bytearray(pack("<2sHI", b"II", 42, 8))
    colours = b"" if palette is None else palette.astype("<u2").tobytes()
    for page in range(pages):
        fields = [
            (256, 3, cols),
            (257, 3, rows),
            (258, 3, pixels.dtype.itemsize * 8),
            (259, 3, 1),
            (262, 3, photometric),
            (273, 4, 0),
            (274, 3, orientation),
            (277, 3, 1),
            (278, 4, rows),
            (279, 4, len(raw)),
        ]
        if colours:
            fields.append((320, 3, 0))
        size = 2 + 12 * len(fields) + 4
        data_at = len(out) + size
        out += pack("<H", len(fields))
        for tag, kind, value in fields:
            if tag == 320:
                out += pack("<HHII", tag, kind, len(colours) // 2, data_at + len(raw))
                continue
            shown = data_at if tag == 273 else value
            out += pack("<HHI", tag, kind, 1) + (pack("<HH", shown, 0) if kind == 3 else pack("<I", shown))
        out += pack("<I", data_at + len(raw) + len(colours) if page + 1 < pages else 0) + raw + colours
    return bytes(out)


def zip_bytes(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def raw_png(rows: int, cols: int, bits: int, lines: Callable[[], Any]) -> bytes:
    """A grey PNG from an iterator of raw scan lines, without holding the picture in memory."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" + line) for line in lines()) + packer.flush()

    def chunk(name: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    head = pack(">IIBBBBB", cols, rows, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
