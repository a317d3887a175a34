"""What a pixel measures: true or refused, with its source (imaging.md §2.2, §8 goal 6)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.messages import ObjectFacts
from app.core.spacing import LARGEST_MM, SMALLEST_MM, Spacing, SpacingSource, resolve_spacing

CR = "1.2.840.10008.5.1.4.1.1.1"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
SC = "1.2.840.10008.5.1.4.1.1.7"
MULTI_FRAME_SC = "1.2.840.10008.5.1.4.1.1.7.2"


@dataclass(frozen=True, kw_only=True)
class SpacingCase:
    """Facts of one object, and what must come out."""

    name: str
    facts: dict[str, Any]
    row_mm: float | None
    source: SpacingSource
    is_trusted: bool
    col_mm: float | None = None
    rows: int = 0
    cols: int = 0
    says: str = ""


def both(text: str) -> tuple[str, str]:
    return (text, text)


CASES = (
    # as in real files
    SpacingCase(  # WG04 RG2; SimpleITK reads 1.0 here
        name="hip CR with Pixel Spacing alone",
        facts={"sop_class_uid": CR, "pixel_spacing": both("0.2000")},
        row_mm=0.2,
        source=SpacingSource.PIXEL_SPACING,
        is_trusted=True,
        says="does not say",
    ),
    SpacingCase(  # WG04 RG1
        name="chest CR with Pixel Spacing zero",
        facts={"sop_class_uid": CR, "pixel_spacing": both("0.000")},
        row_mm=None,
        source=SpacingSource.NONE,
        is_trusted=False,
        says="not the pixel size",
    ),
    SpacingCase(  # WG04 RG3
        name="CR without any",
        facts={"sop_class_uid": CR},
        row_mm=None,
        source=SpacingSource.NONE,
        is_trusted=False,
        says="no pixel size",
    ),
    SpacingCase(  # pydicom's 6154, 6247, 6278
        name="CR with Imager Pixel Spacing alone",
        facts={"sop_class_uid": CR, "imager_pixel_spacing": both("0.1")},
        row_mm=0.1,
        source=SpacingSource.DETECTOR,
        is_trusted=True,
        says="detector",
    ),
    SpacingCase(  # the DDH pelves
        name="converter's 1 mm under the CR class",
        facts={"sop_class_uid": CR, "pixel_spacing": both("1.0")},
        row_mm=1.0,
        source=SpacingSource.PIXEL_SPACING,
        is_trusted=False,
        says="converters",
        rows=331,
        cols=331,
    ),
    SpacingCase(  # pydicom's SC_rgb_small_odd
        name="secondary capture of 33 mm",
        facts={"sop_class_uid": SC, "pixel_spacing": both("33.333333")},
        row_mm=None,
        source=SpacingSource.NONE,
        is_trusted=False,
        says="33.3333",
    ),
    # the order of sources
    SpacingCase(
        name="calibrated on a ball",
        facts={
            "sop_class_uid": DX,
            "pixel_spacing": both("0.121"),
            "imager_pixel_spacing": both("0.139"),
            "calibration_type": "FIDUCIAL",
            "magnification_factor": "1.3",
        },
        row_mm=0.121,
        source=SpacingSource.CALIBRATED,
        is_trusted=True,
    ),
    SpacingCase(
        name="calibrated by geometry, exactly 1 mm",
        facts={"sop_class_uid": SC, "pixel_spacing": both("1.0"), "calibration_type": "geometry"},
        row_mm=1.0,
        source=SpacingSource.CALIBRATED,
        is_trusted=True,
    ),
    SpacingCase(
        name="Pixel Spacing repeats the detector's",
        facts={"sop_class_uid": DX, "pixel_spacing": both("0.139"), "imager_pixel_spacing": both("0.1390")},
        row_mm=0.139,
        source=SpacingSource.DETECTOR,
        is_trusted=True,
        says="smaller",
    ),
    SpacingCase(
        name="magnification factor",
        facts={"sop_class_uid": DX, "imager_pixel_spacing": both("0.15"), "magnification_factor": "1.2"},
        row_mm=0.125,
        source=SpacingSource.MAGNIFICATION,
        is_trusted=True,
    ),
    SpacingCase(
        name="magnification factor and an uncalibrated Pixel Spacing",
        facts={
            "sop_class_uid": DX,
            "pixel_spacing": both("0.15"),
            "imager_pixel_spacing": both("0.15"),
            "magnification_factor": "1.2",
        },
        row_mm=0.125,
        source=SpacingSource.MAGNIFICATION,
        is_trusted=True,
    ),
    SpacingCase(
        name="magnification from the distances",
        facts={
            "sop_class_uid": DX,
            "imager_pixel_spacing": both("0.15"),
            "source_to_detector_mm": "1150",
            "source_to_patient_mm": "1000",
        },
        row_mm=0.15 / 1.15,
        source=SpacingSource.MAGNIFICATION,
        is_trusted=True,
        says="distances",
    ),
    SpacingCase(
        name="factor and Pixel Spacing agree",
        facts={
            "sop_class_uid": DX,
            "pixel_spacing": both("0.125"),
            "imager_pixel_spacing": both("0.15"),
            "magnification_factor": "1.2",
        },
        row_mm=0.125,
        source=SpacingSource.MAGNIFICATION,
        is_trusted=True,
    ),
    SpacingCase(
        name="factor and Pixel Spacing contradict each other",
        facts={
            "sop_class_uid": DX,
            "pixel_spacing": both("0.14"),
            "imager_pixel_spacing": both("0.15"),
            "magnification_factor": "1.3",
        },
        row_mm=0.15 / 1.3,
        source=SpacingSource.MAGNIFICATION,
        is_trusted=False,
        says="does not agree",
    ),
    SpacingCase(
        name="corrected without a word",
        facts={"sop_class_uid": DX, "pixel_spacing": both("0.13"), "imager_pixel_spacing": both("0.15")},
        row_mm=0.13,
        source=SpacingSource.PIXEL_SPACING,
        is_trusted=True,
        says="corrected",
    ),
    SpacingCase(
        name="larger than the detector's pixels",
        facts={"sop_class_uid": DX, "pixel_spacing": both("0.3"), "imager_pixel_spacing": both("0.15")},
        row_mm=0.3,
        source=SpacingSource.PIXEL_SPACING,
        is_trusted=False,
        says="larger",
    ),
    # figures that cannot be true
    SpacingCase(
        name="impossible factor",
        facts={"sop_class_uid": DX, "imager_pixel_spacing": both("0.15"), "magnification_factor": "0.4"},
        row_mm=0.15,
        source=SpacingSource.DETECTOR,
        is_trusted=True,
        says="not possible",
    ),
    SpacingCase(
        name="factor one",
        facts={"sop_class_uid": DX, "imager_pixel_spacing": both("0.15"), "magnification_factor": "1.0"},
        row_mm=0.15,
        source=SpacingSource.DETECTOR,
        is_trusted=True,
        says="no magnification",
    ),
    SpacingCase(
        name="patient beyond the detector",
        facts={
            "sop_class_uid": DX,
            "imager_pixel_spacing": both("0.15"),
            "source_to_detector_mm": "1000",
            "source_to_patient_mm": "1100",
        },
        row_mm=0.15,
        source=SpacingSource.DETECTOR,
        is_trusted=True,
    ),
    SpacingCase(
        name="zero Pixel Spacing, good detector",
        facts={"sop_class_uid": DX, "pixel_spacing": both("0"), "imager_pixel_spacing": both("0.15")},
        row_mm=0.15,
        source=SpacingSource.DETECTOR,
        is_trusted=True,
        says="not the pixel size",
    ),
    *(
        SpacingCase(
            name=f"nonsense {texts}",
            facts={"sop_class_uid": DX, "pixel_spacing": texts},
            row_mm=None,
            source=SpacingSource.NONE,
            is_trusted=False,
            says="Pixel Spacing",
        )
        for texts in (
            both("nan"),
            both("inf"),
            both("-0.2"),
            both("0.0002"),
            both("5"),
            ("0.2",),
            ("0.2", "abc"),
            ("0.1", "1.9"),
            ("0.2", "0.2", "0.2"),
        )
    ),
    SpacingCase(
        name="an image of four metres",
        facts={"sop_class_uid": CR, "pixel_spacing": both("1.4")},
        row_mm=None,
        source=SpacingSource.NONE,
        is_trusted=False,
        rows=3000,
        cols=2500,
        says="4200 mm",
    ),
    SpacingCase(
        name="rectangular pixels",
        facts={"sop_class_uid": DX, "imager_pixel_spacing": ("0.2", "0.1")},
        row_mm=0.2,
        col_mm=0.1,
        source=SpacingSource.DETECTOR,
        is_trusted=True,
    ),
    # doubtful ones
    SpacingCase(
        name="secondary capture",
        facts={"sop_class_uid": MULTI_FRAME_SC, "pixel_spacing": both("0.14")},
        row_mm=0.14,
        source=SpacingSource.PIXEL_SPACING,
        is_trusted=False,
        says="secondary capture",
    ),
    SpacingCase(
        name="screen resolution",
        facts={"sop_class_uid": CR, "pixel_spacing": both("0.264583")},
        row_mm=0.264583,
        source=SpacingSource.PIXEL_SPACING,
        is_trusted=False,
        says="screen",
    ),
    SpacingCase(
        name="1 mm in both",
        facts={"sop_class_uid": DX, "pixel_spacing": both("1"), "imager_pixel_spacing": both("1")},
        row_mm=1.0,
        source=SpacingSource.DETECTOR,
        is_trusted=False,
        says="converters",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_spacing(case: SpacingCase) -> None:
    found = resolve_spacing(ObjectFacts(format="DICOM", **case.facts), rows=case.rows, cols=case.cols)
    assert found.source is case.source
    assert found.is_trusted is case.is_trusted
    assert found.row_mm == (None if case.row_mm is None else pytest.approx(case.row_mm))
    col_mm = case.row_mm if case.col_mm is None else case.col_mm
    assert found.col_mm == (None if col_mm is None else pytest.approx(col_mm))
    assert case.says in found.note
    assert found.is_trusted or found.note, "a figure that is not trusted comes with a reason"


def test_aspect_is_known_without_millimetres() -> None:
    facts = ObjectFacts(format="DICOM", pixel_aspect_ratio=("2", "1"))
    assert resolve_spacing(facts) == Spacing(note="The object states no pixel size.", aspect=2.0)
    assert resolve_spacing(ObjectFacts(format="DICOM", pixel_aspect_ratio=("0", "1"))).aspect == 1.0
    assert resolve_spacing(ObjectFacts(format="PNG")).aspect == 1.0
    assert resolve_spacing(ObjectFacts(format="DICOM", imager_pixel_spacing=("0.2", "0.1"))).aspect == 2.0


NUMBER_LIKE = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(str), st.text(max_size=6), st.sampled_from(["", "1", "0.2"])
)
PAIRS = st.lists(NUMBER_LIKE, max_size=3).map(tuple)


@given(
    pixel=PAIRS,
    imager=PAIRS,
    aspect=PAIRS,
    calibration=st.sampled_from(["", "FIDUCIAL", "GEOMETRY", "other"]),
    factor=NUMBER_LIKE,
    distances=st.tuples(NUMBER_LIKE, NUMBER_LIKE),
    sop_class=st.sampled_from([CR, DX, SC, ""]),
    size=st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
)
def test_nothing_absurd_ever_comes_out(
    pixel: tuple[str, ...],
    imager: tuple[str, ...],
    aspect: tuple[str, ...],
    calibration: str,
    factor: str,
    distances: tuple[str, str],
    sop_class: str,
    size: tuple[int, int],
) -> None:
    found = resolve_spacing(
        ObjectFacts(
            format="DICOM",
            sop_class_uid=sop_class,
            pixel_spacing=pixel,
            imager_pixel_spacing=imager,
            pixel_aspect_ratio=aspect,
            calibration_type=calibration,
            magnification_factor=factor,
            source_to_detector_mm=distances[0],
            source_to_patient_mm=distances[1],
        ),
        rows=size[0],
        cols=size[1],
    )
    for value in (found.row_mm, found.col_mm):
        assert value is None or SMALLEST_MM / 3 <= value <= LARGEST_MM
    assert 0.2 < found.aspect < 5
    assert (found.source is SpacingSource.NONE) == (found.row_mm is None)
    assert found.is_trusted or found.note


def test_real_files(shared_data: Path) -> None:
    """The real headers, read with pydicom: RG2 0.2 mm, RG3 none, the infant pelves not trusted."""
    import pydicom

    def found(name: str) -> Spacing:
        dataset = pydicom.dcmread(shared_data / name, stop_before_pixels=True)
        texts = tuple(str(value) for value in dataset.get("PixelSpacing") or ())
        facts = ObjectFacts(format="DICOM", sop_class_uid=dataset.SOPClassUID, pixel_spacing=texts)
        return resolve_spacing(facts, rows=dataset.Rows, cols=dataset.Columns)

    for encoding in ("J2KI", "J2KR", "JLSL", "JLSN", "JPLL", "RLE"):
        hip = found(f"dicom-hip/{encoding}__RG2_{encoding}.dcm")
        assert (hip.row_mm, hip.col_mm, hip.is_trusted) == (0.2, 0.2, True)
        assert found(f"dicom-hip/{encoding}__RG3_{encoding}.dcm").source is SpacingSource.NONE
    pelves = [found(f"pelvis-ddh/{path.name}") for path in sorted((shared_data / "pelvis-ddh").glob("*.dcm"))]
    assert len(pelves) == 5
    assert not any(pelvis.is_trusted for pelvis in pelves)
