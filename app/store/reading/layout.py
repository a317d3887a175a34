"""How the pixel data of an object are laid out, and whether that claim may be believed (PS3.3 C.7.6.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydicom.dataset import Dataset

from app.core.errors import UserError
from app.store.reading import syntaxes
from app.store.reading.elements import integer, text
from app.store.reading.limits import MAX_PIXEL_BYTES, MAX_SIDE_PX, MIB, RATIO_FREE_BYTES, too_large
from app.store.reading.part10 import DicomFile

# One code stream byte may stand for so many pixel bytes once the image is large. A blank film reaches about 700.
_MAX_EXPANSION = 2000


class PixelKind(StrEnum):
    """Which attribute holds the pixels."""

    INTEGER = "PixelData"
    FLOAT = "FloatPixelData"
    DOUBLE = "DoubleFloatPixelData"


_KINDS = {0x7FE00010: PixelKind.INTEGER, 0x7FE00008: PixelKind.FLOAT, 0x7FE00009: PixelKind.DOUBLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """The layout of the frames of one object.

    Args:
        rows: height, px.
        cols: width, px.
        samples: samples of a pixel, 1 or 3.
        frames: number of frames.
        bits_allocated: bits of a cell.
        bits_stored: bits of a stored value.
        high_bit: position of its highest bit in the cell.
        is_signed: two's complement.
        photometric: Photometric Interpretation.
        is_planar: colour by plane (Planar Configuration 1).
        kind: integer or floating point pixels.
        pixel_vr: VR of Pixel Data; empty in an implicit encoding.
    """

    rows: int
    cols: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    photometric: str
    is_planar: bool
    kind: PixelKind = PixelKind.INTEGER
    pixel_vr: str = ""

    @property
    def frame_bits(self) -> int:
        """Bits of one uncompressed frame."""
        bits = self.rows * self.cols * self.samples * self.bits_allocated
        return bits * 2 // 3 if self.photometric == "YBR_FULL_422" else bits

    @property
    def is_grey(self) -> bool:
        """One sample a pixel, no palette."""
        return self.samples == 1 and self.photometric != "PALETTE COLOR"


def read_layout(dataset: Dataset, file: DicomFile) -> tuple[PixelLayout, tuple[str, ...]]:
    """The layout, with what had to be assumed as sentences.

    Raises:
        UserError: the object holds no image, or claims one that is too large or impossible.
    """
    if file.pixel is None:
        raise _no_image(file)
    notices: list[str] = []
    rows, cols = integer(dataset, "Rows"), integer(dataset, "Columns")
    if not rows or not cols or rows < 0 or cols < 0:
        raise UserError("The file holds no image.", reason="It does not give the size of its image.", kind="no-image")
    photometric = text(dataset, "PhotometricInterpretation")
    samples = integer(dataset, "SamplesPerPixel") or (3 if photometric[:3] in ("RGB", "YBR") else 1)
    if not photometric:
        photometric = "MONOCHROME2" if samples == 1 else "RGB"
        notices.append(f"Photometric Interpretation is missing; {photometric} was assumed.")
    frames = max(integer(dataset, "NumberOfFrames") or 1, 1)
    kind = _KINDS[file.pixel.tag]
    allocated = _bits_allocated(dataset, file, kind, rows * cols * samples * frames, notices)
    high_bit = integer(dataset, "HighBit")
    stored = integer(dataset, "BitsStored")
    if not stored:
        stored = high_bit + 1 if high_bit is not None and 0 <= high_bit < allocated else allocated
        notices.append(f"Bits Stored is missing; {stored} was assumed.")
    if not 1 <= stored <= allocated:
        notices.append(f"Bits Stored makes no sense; {allocated} was assumed.")
        stored = allocated
    if high_bit is None or not stored - 1 <= high_bit < allocated:
        high_bit = stored - 1
    representation = integer(dataset, "PixelRepresentation")
    if representation is None and kind is PixelKind.INTEGER:
        notices.append("Pixel Representation is missing; unsigned values were assumed.")
    layout = PixelLayout(
        rows=rows,
        cols=cols,
        samples=samples,
        frames=frames,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high_bit,
        is_signed=representation == 1,
        photometric=photometric,
        is_planar=integer(dataset, "PlanarConfiguration") == 1,
        kind=kind,
        pixel_vr=file.pixel.vr,
    )
    check_budget(layout)
    return layout, tuple(notices)


def check_budget(layout: PixelLayout) -> None:
    """Refuse what no radiograph is.

    Raises:
        UserError: too large, or an impossible layout.
    """
    if layout.samples not in (1, 3):
        raise _impossible(f"Its pixels have {layout.samples} samples; an image has 1 or 3.")
    if layout.bits_allocated not in (1, 8, 16, 32, 64):
        raise _impossible(f"Its pixels have {layout.bits_allocated} bits, which Coxa cannot read.")
    if max(layout.rows, layout.cols) > MAX_SIDE_PX:
        raise too_large(f"It claims {layout.cols:,} × {layout.rows:,} px; {MAX_SIDE_PX:,} px a side are allowed.")
    size = layout.rows * layout.cols * layout.samples * layout.frames * max(layout.bits_allocated, 8) // 8
    if size > MAX_PIXEL_BYTES:
        raise too_large(f"It claims {size / MIB:,.0f} MB of pixels; {MAX_PIXEL_BYTES // MIB} MB are allowed.")


def check_expansion(layout: PixelLayout, codestream_bytes: int) -> None:
    """Refuse a code stream that is far too short for the size it claims.

    Raises:
        UserError: a decompression bomb.
    """
    size = layout.frame_bits // 8
    if size > RATIO_FREE_BYTES and size > codestream_bytes * _MAX_EXPANSION:
        raise too_large(
            f"{codestream_bytes:,} bytes of compressed data cannot be a real image of {size / MIB:,.0f} MB."
        )


def _bits_allocated(dataset: Dataset, file: DicomFile, kind: PixelKind, values: int, notices: list[str]) -> int:
    if kind is not PixelKind.INTEGER:
        return 32 if kind is PixelKind.FLOAT else 64
    if found := integer(dataset, "BitsAllocated"):
        return found
    stored = integer(dataset, "BitsStored") or 0
    length = file.pixel.length if file.pixel else None
    if file.syntax in syntaxes.NATIVE and length:
        guessed = 16 if length >= 2 * values else 8
    else:
        guessed = 8 if 0 < stored <= 8 else 16
    notices.append(f"Bits Allocated is missing; {guessed} was assumed.")
    return guessed


def _no_image(file: DicomFile) -> UserError:
    if file.is_cut:
        return UserError(
            "The file is damaged.",
            reason="It ends before its image begins.",
            remedy="Copy it again from where it came from.",
            kind="damaged",
        )
    return UserError("The file holds no image.", reason="It is DICOM, but has no pixel data.", kind="no-image")


def _impossible(reason: str) -> UserError:
    return UserError("The image cannot be read.", reason=reason, kind="unreadable")
