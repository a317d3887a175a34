"""The outer shape of DICOM files: encodings, missing parts, nesting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from app.core.case import ViewFlag
from app.core.errors import UserError
from app.store.reading import syntaxes
from app.store.reading.dicom import parse
from app.store.reading.fragments import find_fragments, frame_codestream
from app.store.reading.nesting import walk
from app.store.reading.part10 import is_dicom, open_dicom
from tests.store.reading.conftest import Read, stored
from tests.support import foreign_files as make

NATIVE = ("implicit", "explicit", "big-endian")


def without_meta(data: bytes) -> bytes:
    """The bare data set."""
    return data[144 + int.from_bytes(data[140:144], "little") :]


def with_syntax(data: bytes, old: str, new: str) -> bytes:
    """The same file under another transfer syntax name of the same length."""
    width = max(len(old) + len(old) % 2, len(new))
    assert data.count(old.encode()) == 1
    assert width == len(old) + len(old) % 2
    return data.replace(old.encode().ljust(width, b"\0"), new.encode().ljust(width, b"\0"))


@pytest.mark.parametrize("name", NATIVE)
def test_a_file_without_preamble_and_meta_is_worked_out(name: str, read: Read) -> None:
    data = without_meta(make.dicom_bytes(syntax=make.SYNTAXES[name]))
    reading = read(data)
    np.testing.assert_array_equal(stored(reading), make.radiograph())
    assert ViewFlag.ASSUMED_ENCODING in reading.flags
    assert reading.facts.transfer_syntax_uid == make.SYNTAXES[name]


@pytest.mark.parametrize("name", ["rle", "jpeg-lossless", "jpeg-ls", "jpeg-2000"])
def test_a_compression_that_is_not_named_is_worked_out(name: str, read: Read) -> None:
    data = without_meta(make.dicom_bytes(syntax=make.SYNTAXES[name]))
    reading = read(data)
    np.testing.assert_array_equal(stored(reading), make.radiograph())
    assert ViewFlag.ASSUMED_ENCODING in reading.flags
    assert reading.notices


def test_a_wrong_name_for_the_encoding_is_corrected(read: Read) -> None:
    explicit = make.dicom_bytes(syntax=syntaxes.EXPLICIT_LITTLE)
    for data in (
        with_syntax(explicit, syntaxes.EXPLICIT_LITTLE, syntaxes.EXPLICIT_BIG),
        with_syntax(explicit, syntaxes.EXPLICIT_LITTLE, syntaxes.IMPLICIT_LITTLE),
    ):
        reading = read(data)
        np.testing.assert_array_equal(stored(reading), make.radiograph())
        assert ViewFlag.ASSUMED_ENCODING in reading.flags


def test_compressed_pixels_under_an_uncompressed_name(read: Read) -> None:
    data = make.dicom_bytes(syntax=syntaxes.JPEG_LOSSLESS_SV1)
    reading = read(with_syntax(data, syntaxes.JPEG_LOSSLESS_SV1, syntaxes.EXPLICIT_LITTLE))
    np.testing.assert_array_equal(stored(reading), make.radiograph())
    assert ViewFlag.ASSUMED_ENCODING in reading.flags


def test_uncompressed_pixels_under_a_compressed_name(read: Read) -> None:
    data = make.dicom_bytes(syntax=syntaxes.EXPLICIT_LITTLE)
    reading = read(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))
    np.testing.assert_array_equal(stored(reading), make.radiograph())
    assert ViewFlag.ASSUMED_ENCODING in reading.flags


def test_a_tiff_header_in_the_preamble_is_still_dicom(read: Read) -> None:
    data = make.dicom_bytes()
    reading = read(b"II*\0" + data[4:])
    assert reading.facts.format == "DICOM"


@pytest.mark.parametrize("text", [b"", b"hello", b"{}", b"a,b\n1,2\n", b"%PDF-1.4 and more text", b"\x1f\x8b" * 9])
def test_other_files_are_not_dicom(text: bytes) -> None:
    assert not is_dicom(text)


def test_the_walk_ends_where_pydicom_stops() -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    compared = 0
    for path in sorted(folder.glob("*.dcm")):
        data = path.read_bytes()
        try:
            file = open_dicom(data)
            reference = pydicom.dcmread(path, stop_before_pixels=True)
        except Exception:
            continue
        if file.is_assumed or file.is_cut or ("NumberOfFrames" not in reference and "Rows" not in reference):
            continue
        assert [int(tag) for tag in parse(file).keys()] == [int(tag) for tag in reference.keys()], path.name  # noqa: SIM118
        compared += 1
    assert compared > 40


def nested(depth: int) -> Dataset:
    """Sequences in sequences, with siblings and text on every level."""
    dataset = Dataset()
    dataset.CodeMeaning = f"level {depth}"
    if depth:
        dataset.ConceptNameCodeSequence = [nested(depth - 1), nested(0)]
        dataset.CodeValue = "A"
    return dataset


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9), st.booleans(), st.sampled_from(NATIVE))
def test_the_walk_counts_depth_and_finds_the_pixels(depth: int, is_undefined: bool, name: str) -> None:
    inner = nested(depth)
    if is_undefined:
        pending = [inner]
        while pending:
            dataset = pending.pop()
            dataset.is_undefined_length_sequence_item = True
            for element in dataset:
                if element.VR == "SQ":
                    element.is_undefined_length = True
                    pending += element.value
    data = make.dicom_bytes(syntax=make.SYNTAXES[name], AcquisitionContextSequence=[inner])
    file = open_dicom(data)
    found = walk(data, file.start, is_explicit=file.is_explicit, is_little_endian=file.is_little_endian)
    assert found.depth == depth + 1
    assert not found.is_cut
    assert found.pixel is not None
    assert len(data) - found.pixel.value == make.radiograph().nbytes


@given(st.binary(max_size=400), st.booleans(), st.booleans())
def test_the_walk_ends_on_anything(data: bytes, is_explicit: bool, is_little_endian: bool) -> None:
    try:
        found = walk(data, 0, is_explicit=is_explicit, is_little_endian=is_little_endian)
    except UserError:
        return
    assert 0 <= found.end <= len(data)


def test_a_delimiter_inside_a_code_stream_does_not_mislead() -> None:
    stream = b"\xff\xd8" + b"\xfe\xff\xdd\xe0\0\0\0\0" + b"rest" + b"\xff\xd9"
    data = make.dicom_bytes(syntax=syntaxes.JPEG_BASELINE, pixel_data=pydicom.encaps.encapsulate([stream]))
    file = open_dicom(data)
    assert file.pixel is not None
    items, is_cut = find_fragments(data, file.pixel)
    assert not is_cut
    assert frame_codestream(data, items, 0, 1) == stream


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("per_frame", [1, 3])
def test_fragments_are_put_together_by_frame(has_table: bool, per_frame: int) -> None:
    frames = [b"\xff\xd8" + bytes([index]) * 300 + b"\xff\xd9\0\0" for index in range(1, 5)]
    packed = pydicom.encaps.encapsulate(frames, fragments_per_frame=per_frame, has_bot=has_table)
    data = make.dicom_bytes(syntax=syntaxes.JPEG_BASELINE, pixel_data=packed, NumberOfFrames=4)
    file = open_dicom(data)
    assert file.pixel is not None
    items, _ = find_fragments(data, file.pixel)
    for index, frame in enumerate(frames):
        found = frame_codestream(data, items, index, 4)
        assert found is not None
        assert found.rstrip(b"\0") == frame.rstrip(b"\0")
    assert frame_codestream(data, items, 4, 4) is None


@pytest.mark.parametrize(
    ("sop_class", "modality", "is_read"),
    [
        ("1.2.840.10008.5.1.4.1.1.1", "CR", True),
        ("1.2.840.10008.5.1.4.1.1.1.1.1", "DX", True),
        ("1.2.840.10008.5.1.4.1.1.12.1", "XA", True),
        ("1.2.840.10008.5.1.4.1.1.12.2", "RF", True),
        ("1.2.840.10008.5.1.4.1.1.1.2", "MG", True),
        ("1.2.840.10008.5.1.4.1.1.7", "OT", True),
        ("1.2.840.10008.5.1.4.1.1.7", "CT", False),
        ("1.2.840.10008.5.1.4.1.1.2", "CT", False),
        ("1.2.840.10008.5.1.4.1.1.4", "MR", False),
        ("1.2.840.10008.5.1.4.1.1.6.1", "US", False),
    ],
)
def test_only_projection_radiographs_are_read(sop_class: str, modality: str, is_read: bool, read: Read) -> None:
    data = make.dicom_bytes(SOPClassUID=sop_class, Modality=modality)
    if is_read:
        reading = read(data)
        assert (ViewFlag.NOT_NATIVE in reading.flags) is (modality == "OT")
        return
    with pytest.raises(UserError) as caught:
        read(data)
    assert caught.value.kind == "not-a-radiograph"
