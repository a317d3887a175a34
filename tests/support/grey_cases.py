"""The synthetic objects of the grey-value battery: each one trait of PS3.3 C.11, or one fault met in the field.

`BATTERY` names them; `in_pydicom_failures` marks the ten that pydicom 3.0.2's own helpers get wrong. They are written
with pydicom as plain little-endian files, so that every reader and `dcm2pnm` can be asked about the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from app.core.grey import (
    SIGNED_OFFSET,
    GreyScale,
    Lut,
    Photometric,
    PresentationShape,
    Rescale,
    StoredImage,
    Window,
    WindowFunction,
)
from app.core.lut import lut_from_descriptor

ROWS, COLS = 48, 64


@dataclass(frozen=True, kw_only=True)
class GreyCase:
    """One object of the battery.

    Args:
        name: what is special about it.
        stored: Bits Stored.
        allocated: Bits Allocated.
        high: High Bit; None = the usual one.
        is_signed: Pixel Representation 1.
        tags: further attributes, by keyword.
        luts: sequences of LUT items, by keyword: (descriptor, words or bytes) for each item.
        missing: attributes to leave out.
        low, high_value: range of stored values in the image; None = all that the bits can hold.
        is_monochrome1: Photometric Interpretation.
        junk_bits: fills the unused bits of every cell, as old overlays do.
        in_pydicom_failures: one of the ten that pydicom's helpers get wrong (imaging.md §2.3).
        dcmtk_limit: why `dcm2pnm` cannot be asked about it; empty if it can.
    """

    name: str
    stored: int = 12
    allocated: int = 16
    high: int | None = None
    is_signed: bool = False
    is_monochrome1: bool = False
    tags: dict[str, Any] = field(default_factory=dict)
    luts: dict[str, list[tuple[tuple[int, int, int], bytes | list[int]]]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    low: int | None = None
    high_value: int | None = None
    junk_bits: bool = False
    in_pydicom_failures: bool = False
    dcmtk_limit: str = ""

    def stored_values(self) -> npt.NDArray[np.int64]:
        """A ramp over the range with both ends, and some noise; (ROWS, COLS)."""
        bottom = -(2 ** (self.stored - 1)) if self.is_signed else 0
        low = bottom if self.low is None else self.low
        high = bottom + 2**self.stored - 1 if self.high_value is None else self.high_value
        ramp = np.linspace(low, high, ROWS * COLS)
        noise = np.random.default_rng(7).integers(-3, 4, ramp.size)
        return np.clip(np.rint(ramp).astype(np.int64) + noise, low, high).reshape(ROWS, COLS)

    def dataset(self) -> Dataset:
        """The object, its pixels packed as its tags say."""
        high = self.stored - 1 if self.high is None else self.high
        shift = high + 1 - self.stored
        cells = (self.stored_values() & (2**self.stored - 1)) << shift
        if self.junk_bits:
            used = (2**self.stored - 1) << shift
            junk = np.random.default_rng(3).integers(0, 2**self.allocated, cells.shape)
            cells = cells | (junk & ~used & (2**self.allocated - 1))
        dataset = Dataset()
        dataset.SOPClassUID = ComputedRadiographyImageStorage
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=["grey battery", self.name])
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=["grey battery"])
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["grey battery", "series"])
        dataset.Modality = "CR"
        dataset.PatientName, dataset.PatientID = "", ""
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME1" if self.is_monochrome1 else "MONOCHROME2"
        dataset.Rows, dataset.Columns = ROWS, COLS
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = self.allocated, self.stored, high
        dataset.PixelRepresentation = int(self.is_signed)
        for keyword, value in self.tags.items():
            setattr(dataset, keyword, value)
        for keyword, items in self.luts.items():
            setattr(dataset, keyword, Sequence([_lut_item(*item, self.is_signed) for item in items]))
        for keyword in self.missing:
            delattr(dataset, keyword)
        dataset.PixelData = cells.astype(f"<u{self.allocated // 8}").tobytes()
        dataset["PixelData"].VR = "OW" if self.allocated > 8 else "OB"
        return dataset

    def write(self, folder: Path) -> Path:
        """Write the object as a DICOM file named after it."""
        dataset = self.dataset()
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / f"{self.name}.dcm"
        file = FileDataset(str(path), dataset, preamble=b"\0" * 128, file_meta=meta)
        file.save_as(path, enforce_file_format=True)
        return path


def _lut_item(descriptor: tuple[int, int, int], data: bytes | list[int], is_signed: bool) -> Dataset:
    item = Dataset()
    vr = "SS" if is_signed and descriptor[1] < 0 else "US"
    item.add_new("LUTDescriptor", vr, list(descriptor))
    item.add_new("LUTData", "OW" if isinstance(data, bytes) else "US", data)
    return item


def _curve(count: int, bits: int, power: float = 1.7) -> list[int]:
    """A curved table from 0 to full scale."""
    return np.rint(np.linspace(0, 1, count) ** power * (2**bits - 1)).astype(int).tolist()


def _words(values: list[int]) -> bytes:
    return np.asarray(values, "<u2").tobytes()


def _packed(values: list[int]) -> bytes:
    return np.asarray(values, np.uint8).tobytes()


def _window(center: float | list[float], width: float | list[float], **more: Any) -> dict[str, Any]:
    return {"WindowCenter": center, "WindowWidth": width, **more}


def _rescale(slope: float, intercept: float) -> dict[str, Any]:
    return {"RescaleSlope": slope, "RescaleIntercept": intercept}


_MODALITY, _VOI = "ModalityLUTSequence", "VOILUTSequence"

BATTERY: tuple[GreyCase, ...] = (
    # windows
    GreyCase(name="mono2_full_range"),
    GreyCase(name="full_range_of_part", low=500, high_value=1400),
    GreyCase(name="signed_full_range", is_signed=True, low=-300, high_value=1500),
    GreyCase(name="width_half", tags=_window(2000, 0.5)),
    GreyCase(name="mono2_linear", tags=_window(2000, 1500)),
    GreyCase(name="mono1_full_range", is_monochrome1=True),
    GreyCase(name="mono1_linear", is_monochrome1=True, tags=_window(2000, 1500), in_pydicom_failures=True),
    GreyCase(name="linear_exact", tags=_window(2000, 1500, VOILUTFunction="LINEAR_EXACT")),
    GreyCase(name="sigmoid", tags=_window(2000, 1500, VOILUTFunction="SIGMOID")),
    GreyCase(name="mono1_sigmoid", is_monochrome1=True, tags=_window(1800, 900, VOILUTFunction="SIGMOID")),
    GreyCase(name="voifunc_empty", tags=_window(2000, 1500, VOILUTFunction=""), in_pydicom_failures=True),
    GreyCase(name="width0", tags=_window(2000, 0), in_pydicom_failures=True),
    GreyCase(name="width1_step", tags=_window(2000, 1)),
    GreyCase(name="narrow_window", tags=_window(2000, 12)),
    GreyCase(name="window_beyond_range", tags=_window(6000, 9000)),
    GreyCase(name="two_windows_first", tags=_window([1500, 2500], [1000, 400])),
    GreyCase(name="eight_bit", stored=8, allocated=8, tags=_window(120, 200)),
    GreyCase(name="ten_bit_mono1", stored=10, is_monochrome1=True, tags=_window(550, 1024)),
    GreyCase(name="sixteen_bit", stored=16, tags=_window(30000, 40000)),
    # modality
    GreyCase(name="rescale", tags={**_rescale(0.684, 200), **_window(1600, 2800)}),
    GreyCase(name="mono1_rescale", is_monochrome1=True, tags={**_rescale(0.684, 200), **_window(1600, 2800)}),
    GreyCase(name="rescale_full_range", tags=_rescale(2.5, -1000)),
    GreyCase(name="neg_slope", tags={**_rescale(-1, 4095), **_window(2600, 1500)}, in_pydicom_failures=True),
    GreyCase(name="neg_slope_full_range", tags=_rescale(-1, 4095)),
    GreyCase(
        name="slope_without_intercept",
        tags={"RescaleSlope": 2, **_window(4000, 3000)},
        dcmtk_limit="ignores a slope without an intercept",
    ),
    GreyCase(
        name="modlut16", luts={_MODALITY: [((4096, 0, 16), _words(_curve(4096, 16)))]}, tags=_window(30000, 40000)
    ),
    GreyCase(
        name="modlut12",
        luts={_MODALITY: [((4096, 0, 12), _words(_curve(4096, 12)))]},
        tags=_window(2000, 2500),
        in_pydicom_failures=True,
    ),
    GreyCase(
        name="modlut10_clamped",
        luts={_MODALITY: [((2000, 1000, 10), _words(_curve(2000, 10)))]},
        tags=_window(500, 700),
    ),
    GreyCase(
        name="modlut8_full_range", luts={_MODALITY: [((256, 0, 8), _packed(_curve(256, 8)))]}, stored=8, allocated=8
    ),
    GreyCase(
        name="modlut_signed_first",
        is_signed=True,
        luts={_MODALITY: [((4096, -2048, 16), _words(_curve(4096, 16)))]},
        tags=_window(30000, 50000),
    ),
    # VOI LUT
    GreyCase(name="voilut16", luts={_VOI: [((4096, 0, 16), _words(_curve(4096, 16)))]}),
    GreyCase(name="voilut12_us", luts={_VOI: [((4096, 0, 12), _curve(4096, 12))]}),
    GreyCase(name="voilut10_clamped", luts={_VOI: [((1500, 1200, 10), _words(_curve(1500, 10)))]}),
    GreyCase(
        name="voilut8bit_4096entries",
        luts={_VOI: [((4096, 0, 8), _curve(4096, 8))]},
        in_pydicom_failures=True,
    ),
    GreyCase(
        name="voilut8bit_packed_ow",
        luts={_VOI: [((4096, 0, 8), _packed(_curve(4096, 8)))]},
        in_pydicom_failures=True,
    ),
    GreyCase(
        name="voilut_signed_first",
        is_signed=True,
        luts={_VOI: [((4096, -2048, 12), _words(_curve(4096, 12)))]},
    ),
    GreyCase(
        name="voilut_negative_after_rescale",
        tags=_rescale(1, -1024),
        luts={_VOI: [((4096, 65536 - 1024, 12), _words(_curve(4096, 12)))]},
    ),
    GreyCase(
        name="voilut_before_window",
        luts={_VOI: [((4096, 0, 12), _words(_curve(4096, 12, 0.5)))]},
        tags=_window(1000, 500),
    ),
    GreyCase(name="mono1_voilut", is_monochrome1=True, luts={_VOI: [((4096, 0, 12), _words(_curve(4096, 12)))]}),
    # presentation
    GreyCase(name="shape_identity", tags={**_window(2000, 1500), "PresentationLUTShape": "IDENTITY"}),
    GreyCase(
        name="shape_identity_on_mono1",
        is_monochrome1=True,
        tags={**_window(2000, 1500), "PresentationLUTShape": "IDENTITY"},
    ),
    GreyCase(name="shape_inverse_on_mono2", tags={**_window(2000, 1500), "PresentationLUTShape": "INVERSE"}),
    GreyCase(
        name="dx_mono1_inverse",
        is_monochrome1=True,
        tags={**_window(2000, 1500), "PresentationLUTShape": "INVERSE"},
    ),
    GreyCase(
        name="dx_mono1_inverse_part_range",
        is_monochrome1=True,
        low=500,
        high_value=1400,
        tags={**_window(2000, 3000), "PresentationLUTShape": "INVERSE"},
    ),
    # signed, odd bits
    GreyCase(name="signed12", is_signed=True, tags=_window(0, 3000)),
    GreyCase(name="signed16", stored=16, is_signed=True, tags={**_rescale(1, 1024), **_window(1024, 20000)}),
    GreyCase(name="mono1_signed", is_monochrome1=True, is_signed=True, tags=_window(100, 1800)),
    GreyCase(name="highbit15_stored12", high=15, tags=_window(2000, 1500), in_pydicom_failures=True),
    GreyCase(name="signed_highbit13", high=13, is_signed=True, tags=_window(0, 3000)),
    GreyCase(name="junk_in_unused_bits", junk_bits=True, tags=_window(2000, 1500)),
    GreyCase(
        name="no_bitsstored",
        missing=("BitsStored",),
        tags=_window(2000, 1500),
        in_pydicom_failures=True,
        dcmtk_limit="refuses an object without Bits Stored",
    ),
    GreyCase(
        name="no_pixelrep",
        missing=("PixelRepresentation",),
        tags=_window(2000, 1500),
        in_pydicom_failures=True,
        dcmtk_limit="refuses an object without Pixel Representation",
    ),
    # padding
    GreyCase(name="padding", tags={**_window(2000, 1500), "PixelPaddingValue": 4095}, dcmtk_limit="ignores padding"),
    GreyCase(
        name="padding_range_mono1",
        is_monochrome1=True,
        tags={**_window(2000, 3500), "PixelPaddingValue": 0, "PixelPaddingRangeLimit": 300},
        dcmtk_limit="ignores padding",
    ),
    GreyCase(
        name="padding_signed",
        is_signed=True,
        tags={**_window(0, 3000), "PixelPaddingValue": 2047, "PixelPaddingRangeLimit": 1500},
        dcmtk_limit="ignores padding",
    ),
)


def grey_of(case: GreyCase) -> tuple[StoredImage, GreyScale]:
    """What a perfect reader hands to the grey chain for this object."""
    tags, luts = case.tags, {}
    for keyword, items in case.luts.items():
        is_input_signed = case.is_signed or (keyword == _VOI and float(tags.get("RescaleIntercept", 0)) < 0)
        luts[keyword] = [lut_from_descriptor(*item, is_input_signed) for item in items]
    modality: Lut | Rescale | None = luts[_MODALITY][0] if _MODALITY in luts else None
    if modality is None and "RescaleSlope" in tags:
        modality = Rescale(slope=tags["RescaleSlope"], intercept=tags.get("RescaleIntercept", 0))
    function = WindowFunction(tags.get("VOILUTFunction") or "LINEAR")
    centers, widths = (np.atleast_1d(tags.get(key, [])) for key in ("WindowCenter", "WindowWidth"))
    windows = [
        Window(center=float(center), width=float(width), function=function)
        for center, width in zip(centers, widths, strict=True)
    ]
    padding = tags.get("PixelPaddingValue")
    shape = tags.get("PresentationLUTShape")
    offset = SIGNED_OFFSET if case.is_signed else 0
    grey = GreyScale(
        photometric=Photometric.MONOCHROME1 if case.is_monochrome1 else Photometric.MONOCHROME2,
        bits_stored=case.stored,
        is_signed=case.is_signed,
        modality=modality,
        voi=(*luts.get(_VOI, []), *windows),
        presentation=PresentationShape(shape) if shape else None,
        padding=None if padding is None else (padding, tags.get("PixelPaddingRangeLimit", padding)),
    )
    return StoredImage(pixels=(case.stored_values() - offset).astype(np.uint16), offset=offset), grey
