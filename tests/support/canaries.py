"""A DICOM object with a unique secret in every attribute that can hold one, and a search of everything for them.

The attributes are those of pydicom's data dictionary (PS3.6), not those of any table that Coxa's cleaner is made of.
"""

from __future__ import annotations

import contextlib
import io
import re
import sqlite3
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from tests.support.dicom_files import make_dataset

TEXTS = ("PN", "LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE", "CS")
UID_ROOT = "1.2.99887"
WORD = re.compile(rb"zq\d{5}x", re.IGNORECASE)
WIDE_WORD = re.compile(rb"z\0q\0(?:\d\0){5}x", re.IGNORECASE)
UID = re.compile(rb"1\.2\.99887\.\d+")
DATE = re.compile(rb"(?<!\d)(\d{4})-(\d{2})-(\d{2})")
# not the digits of a UID or of a fraction; a byte of the next element may look like one more digit
DIGITS = re.compile(rb"(?<![\d.])\d{8,20}(?!\d)")
# without these it is no image that can be read, or another patient's; their own canaries are planted by hand
NEEDED = frozenset(
    {
        "SOPClassUID", "SpecificCharacterSet", "PhotometricInterpretation", "Modality", "PixelPresentation",
        "PatientSex", "ImageType", "PresentationLUTShape", "BurnedInAnnotation", "SOPInstanceUID",
    }
)  # fmt: skip
# whom it says nothing about a person: the maker and model of the machine stay (ADR 0042)
MACHINE = frozenset({"Manufacturer", "ManufacturerModelName"})


class Canaries:
    """Plants secrets and remembers them."""

    def __init__(self) -> None:
        self.words: set[bytes] = set()
        self.uids: set[bytes] = set()
        self.dates: set[bytes] = set()
        self._number = 0
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.words) + len(self.uids) + len(self.dates)

    def word(self) -> str:
        """A text that nothing else holds."""
        self._number += 1
        text = f"ZQ{self._number:05d}X"
        self.words.add(text.lower().encode())
        return text

    def value(self, vr: str, tag: int = 0) -> str | None:
        """A secret that is well-formed for a VR; None where there is none. An attribute has one date in all places."""
        if vr in TEXTS:
            return self.word()
        self._number += 1
        if vr == "UI":
            uid = f"{UID_ROOT}.{self._number}"
            self.uids.add(uid.encode())
            return uid
        if vr in ("DA", "DT"):  # eleven years apart: one that was moved is never another one
            place = self._places.setdefault(tag, len(self._places) + 1)
            day = (date(1900, 3, 4) + timedelta(days=4000 * place)).strftime("%Y%m%d")
            self.dates.add(day.encode())
            return day if vr == "DA" else f"{day}083215"
        return None

    def fill(self, dataset: Dataset) -> None:
        """Plant one in every attribute of the data dictionary that is not there yet."""
        for tag, (vr, *_) in DicomDictionary.items():
            keyword = keyword_for_tag(tag)
            group = tag >> 16
            is_free = keyword and group >= 0x0008 and tag not in dataset and group not in (0x5400, 0x7FE0, 0xFFFE)
            if is_free and keyword not in NEEDED | MACHINE and (value := self.value(vr, tag)) is not None:
                dataset.add_new(tag, vr, value)


def canary_object(pixels: npt.NDArray[np.uint16], canaries: Canaries) -> bytes:
    """A CR image with a secret in every attribute, nested, private, overlay, preamble and file meta."""
    dataset = make_dataset(
        pixels, PatientName=canaries.word(), PatientID=canaries.word(), PatientBirthDate=None, StudyDate=None,
        AcquisitionDate=None, AcquisitionTime=None, BodyPartExamined=None,
    )  # fmt: skip
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, canaries.value("UI"))
    dataset.SeriesDescription = f"{canaries.word()} hip ap left"
    dataset.BurnedInAnnotation = "YES"
    dataset.WindowCenter, dataset.WindowWidth = "2048", "4096"
    dataset.WindowCenterWidthExplanation = canaries.word()
    for keyword in ("RequestAttributesSequence", "SourceImageSequence", "AnatomicRegionSequence", "ViewCodeSequence"):
        inner = Dataset()
        canaries.fill(inner)
        if keyword == "SourceImageSequence":
            deeper = Dataset()
            canaries.fill(deeper)
            inner.PurposeOfReferenceCodeSequence = Sequence([deeper])
        setattr(dataset, keyword, Sequence([inner]))
    canaries.fill(dataset)
    for group in (0x0009, 0x0029, 0x7FE1):
        block = dataset.private_block(group, canaries.word(), create=True)
        block.add_new(1, "LO", canaries.word())
        block.add_new(2, "UN", canaries.word().encode())
        block.add_new(3, "OB", canaries.word().encode().ljust(10, b"\0"))
        hidden = Dataset()
        hidden.PatientName = canaries.word()
        block.add_new(4, "SQ", Sequence([hidden]))
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60003000, "OW", canaries.word().encode())
    dataset.add_new(0x60004000, "LT", canaries.word())
    dataset.add_new(0x60001500, "LO", canaries.word())
    dataset.add_new(0x50000030, "SH", canaries.word())
    dataset.add_new(0x00420011, "OB", canaries.word().encode())  # an encapsulated document
    dataset.add_new(0xFFFCFFFC, "OB", canaries.word().encode())
    meta = dataset.file_meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = canaries.word()
    meta.PrivateInformationCreatorUID = canaries.value("UI")
    meta.PrivateInformation = canaries.word().encode()
    dataset.preamble = canaries.word().encode().ljust(128, b"\0")
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def planted_in(content: bytes, canaries: Canaries) -> set[bytes]:
    """The secrets in some bytes: text in 8 and 16 bits, any case, UIDs, dates with and without dashes."""
    found = {word.lower() for word in WORD.findall(content)} & canaries.words
    found |= {word.replace(b"\0", b"").lower() for word in WIDE_WORD.findall(content)} & canaries.words
    uids = UID.findall(content)  # a byte of the next element may look like one more digit
    found |= {uid[:end] for uid in uids for end in range(len(UID_ROOT) + 2, len(uid) + 1)} & canaries.uids
    found |= {b"".join(parts) for parts in DATE.findall(content)} & canaries.dates
    runs = DIGITS.findall(content)
    return found | ({run[at : at + 8] for run in runs for at in range(len(run) - 7)} & canaries.dates)


def everything_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of all that is in a folder, and what is packed inside the files."""
    for path in sorted(folder.rglob("*")):
        yield f"name of {path.name}", str(path.relative_to(folder)).encode()
        if path.is_file():
            content = path.read_bytes()
            yield path.name, content
            for number, inside in enumerate(_unpacked(path, content)):
                yield f"{path.name} inside {number}", inside


def _unpacked(path: Path, content: bytes) -> Iterator[bytes]:
    if content.startswith(b"%PDF"):
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
            yield _decoded(stream.strip(b"\r\n"))
    if content.startswith(b"SQLite format 3\0"):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            yield "\n".join(database.iterdump()).encode()
    if path.suffix == ".parquet":
        import pyarrow.parquet

        yield str(pyarrow.parquet.read_table(path).to_pydict()).encode()


def _decoded(stream: bytes) -> bytes:
    """A stream of a PDF file as it was before it was packed."""
    import base64

    data: Any = stream
    if stream.endswith(b"~>"):
        data = base64.a85decode(stream[:-2])
    try:
        return zlib.decompress(data)
    except zlib.error:
        return bytes(data)
