"""The fast header scanner gives what pydicom gives, or leaves the file to pydicom."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store.reading.elements import whole_text
from app.store.reading.header import HeaderScanner
from tests.support import foreign_files as make

WANTED = (
    "ImageType",
    "SOPClassUID",
    "Modality",
    "PatientName",
    "PatientID",
    "SeriesDescription",
    "Rows",
    "ViewPosition",
)


def by_pydicom(path: Path) -> dict[str, str]:
    dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    return {name: whole_text(dataset, name) for name in WANTED}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text(st.characters(codec="latin-1", exclude_characters="\\^=", exclude_categories=["C"]), max_size=30),
    st.lists(st.sampled_from(["ORIGINAL", "PRIMARY", "", "A B"]), min_size=1, max_size=4),
    st.sampled_from([None, "ISO_IR 100", "ISO_IR 192"]),
    st.integers(0, 65535),
    st.sampled_from(sorted(make.SYNTAXES)),
)
def test_values_equal_pydicoms(
    tmp_path: Path, words: str, kinds: list[str], charset: str | None, rows: int, name: str
) -> None:
    if charset is None:
        words = words.encode("ascii", "ignore").decode()
    more = {} if charset is None else {"SpecificCharacterSet": charset}
    data = make.dicom_bytes(
        syntax=make.SYNTAXES[name],
        pixel_data=bytes(20) if name in ("implicit", "explicit", "big-endian", "deflated") else None,
        ImageType=kinds,
        SeriesDescription=words,
        PatientName=f"{words}^x",
        Rows=rows,
        **more,
    )
    path = tmp_path / "a.dcm"
    path.write_bytes(data)
    assert HeaderScanner(WANTED).scan_file(path) == by_pydicom(path)


def test_the_plain_case_is_really_taken_by_the_fast_parser() -> None:
    found = HeaderScanner(WANTED).scan(make.dicom_bytes(ImageType=["ORIGINAL", "PRIMARY"], ViewPosition="AP"))
    assert found is not None
    assert found["PatientName"] == "Doe^Jane"
    assert found["ImageType"] == "ORIGINAL\\PRIMARY"
    assert found["Rows"] == "80"


def test_pydicoms_own_files(tmp_path: Path) -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    scanner = HeaderScanner(WANTED)
    fast = 0
    for path in sorted(folder.glob("*.dcm")):
        found = scanner.scan(path.read_bytes()[:16384], is_whole=path.stat().st_size < 16384)
        if found is None:
            continue
        fast += 1
        assert found == by_pydicom(path), path.name
    assert fast > 30


@given(st.binary(max_size=300))
def test_anything_gives_text_or_nothing(tail: bytes) -> None:
    start = make.dicom_bytes()[:330]
    for cut in (0, 132, 200, 330):
        found = HeaderScanner(WANTED).scan(start[:cut] + tail)
        assert found is None or set(found) == set(WANTED)


def test_what_cannot_be_scanned_for_is_refused() -> None:
    for keyword in ("TransferSyntaxUID", "NoSuchThing"):
        with pytest.raises(ValueError, match="cannot be scanned"):
            HeaderScanner([keyword])
