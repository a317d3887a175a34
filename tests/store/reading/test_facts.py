"""What an object says about itself: facts, grey scale, header."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from app.core.case import ViewFlag
from app.core.errors import UserError
from app.core.grey import Lut, PresentationShape, Rescale, Window, WindowFunction
from app.core.messages import CodedConcept, ReadImage
from app.store.reading.dicom import parse
from app.store.reading.elements import texts
from app.store.reading.part10 import open_dicom
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source
from tests.store.reading.conftest import Read
from tests.support import foreign_files as make


def code(scheme: str, value: str, meaning: str = "") -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning = scheme, value, meaning
    return item


def test_facts_are_complete(read: Read) -> None:
    region = code("SCT", "29836001", "Hip region")
    region.AnatomicRegionModifierSequence = [code("SCT", "7771000", "Left")]
    view = code("SCT", "399067008", "Lateral")
    view.ViewModifierCodeSequence = [code("SCT", "1", "x")]
    source = Dataset()
    source.ReferencedSOPInstanceUID = "1.2.3.4"
    source.PurposeOfReferenceCodeSequence = [code("DCM", "121320", "Uncompressed predecessor")]
    data = make.dicom_bytes(
        IssuerOfPatientID="Clinic",
        PatientBirthDate="19500102",
        PatientSex="F",
        StudyDate="20200304",
        StudyTime="050607",
        AcquisitionDate="20200304",
        AcquisitionTime="101112.5",
        ImageType=["ORIGINAL", "PRIMARY"],
        BodyPartExamined="HIP",
        AnatomicRegionSequence=[region],
        ViewCodeSequence=[view],
        SourceImageSequence=[source],
        ViewPosition="LL",
        ImageLaterality="L",
        Laterality="R",
        PatientOrientation=["A", "F"],
        SeriesDescription=" Hüfte axial ",
        SpecificCharacterSet="ISO_IR 192",
        ProtocolName="Lauenstein",
        PresentationIntentType="FOR PROCESSING",
        PixelSpacing=["0.2", "0.2"],
        ImagerPixelSpacing=["0.21", "0.21"],
        PixelAspectRatio=["1", "1"],
        PixelSpacingCalibrationType="GEOMETRY",
        EstimatedRadiographicMagnificationFactor="1.05",
        DistanceSourceToDetector="1150",
        DistanceSourceToPatient="1000",
        LossyImageCompression="01",
    )
    reading = read(data, is_header_only=True)
    facts = reading.facts
    assert facts.patient_name == "Doe^Jane"
    assert (facts.patient_id, facts.patient_id_issuer, facts.birth_date, facts.sex) == (
        "P-1",
        "Clinic",
        "19500102",
        "F",
    )
    assert facts.acquired == "20200304101112.5"
    assert facts.study_date == "20200304"
    assert facts.regions == (CodedConcept(scheme="SCT", value="29836001", meaning="Hip region"),)
    assert facts.region_modifiers == (CodedConcept(scheme="SCT", value="7771000", meaning="Left"),)
    assert [view.value for view in facts.view_codes] == ["399067008"]
    assert [view.value for view in facts.view_modifiers] == ["1"]
    assert facts.predecessor_uid == "1.2.3.4"
    assert (facts.view_position, facts.image_laterality, facts.laterality) == ("LL", "L", "R")
    assert facts.patient_orientation == ("A", "F")
    assert facts.words == {"Series Description": "Hüfte axial", "Protocol Name": "Lauenstein"}
    assert facts.pixel_spacing == ("0.2", "0.2")
    assert facts.imager_pixel_spacing == ("0.21", "0.21")
    assert (facts.calibration_type, facts.magnification_factor) == ("GEOMETRY", "1.05")
    assert (facts.source_to_detector_mm, facts.source_to_patient_mm) == ("1150", "1000")
    assert facts.is_lossy
    assert reading.flags == {ViewFlag.LOSSY, ViewFlag.FOR_PROCESSING}


def test_an_empty_object_has_empty_facts(read: Read) -> None:
    left_out = ("PatientID", "PatientName", "Modality", "BurnedInAnnotation", "StudyInstanceUID", "SeriesInstanceUID")
    reading = read(make.dicom_bytes(without=left_out))
    assert reading.facts.patient_id == reading.facts.study_uid == reading.facts.acquired == ""
    assert reading.facts.words == {}
    assert reading.flags == {ViewFlag.MAY_HAVE_TEXT}


def test_character_sets_are_decoded_as_pydicom_decodes_them() -> None:
    folder = Path(pydicom.__file__).parent / "data" / "charset_files"
    compared = 0
    for path in sorted(folder.glob("*.dcm")):
        data = path.read_bytes()
        try:
            ours = parse(open_dicom(data))
        except UserError:
            continue
        reference = pydicom.dcmread(path)
        if "PatientName" not in reference:
            continue  # the text is in a sequence
        assert texts(ours, "PatientName") == tuple(str(reference.PatientName).split("\\")), path.name
        assert "�" not in texts(ours, "PatientName")[0]
        compared += 1
    assert compared >= 15


def test_the_grey_scale_is_complete(read: Read) -> None:
    lut = Dataset()
    lut.LUTDescriptor = [4, 10, 16]
    lut.add_new("LUTData", "OW", np.array([0, 100, 200, 65535], "<u2").tobytes())
    lut.LUTExplanation = "BONE"
    data = make.dicom_bytes(
        PhotometricInterpretation="MONOCHROME1",
        RescaleSlope="2",
        RescaleIntercept="-100",
        WindowCenter=["100", "50"],
        WindowWidth=["200", "80"],
        WindowCenterWidthExplanation=["WIDE", "BONE"],
        VOILUTFunction="SIGMOID",
        VOILUTSequence=[lut],
        PresentationLUTShape="INVERSE",
        PixelPaddingValue=0,
        PixelPaddingRangeLimit=5,
    )
    grey = read(data, is_header_only=True).grey
    assert grey.photometric == "MONOCHROME1"
    assert grey.modality == Rescale(slope=2.0, intercept=-100.0)
    assert grey.voi == (
        Lut(first=10, entries=(0, 100, 200, 65535), bits=16, name="BONE"),
        Window(center=100.0, width=200.0, function=WindowFunction.SIGMOID, name="WIDE"),
        Window(center=50.0, width=80.0, function=WindowFunction.SIGMOID, name="BONE"),
    )
    assert grey.presentation is PresentationShape.INVERSE
    assert grey.padding == (0, 5)
    assert grey.bits_stored == 12


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"WindowCenter": "100", "WindowWidth": "0"}, "window"),
        ({"RescaleSlope": "0", "RescaleIntercept": "5"}, "slope"),
        ({"PresentationLUTShape": "UPSIDEDOWN"}, "presentation shape"),
    ],
)
def test_nonsense_is_left_out_and_said(attributes: dict[str, str], said: str, read: Read) -> None:
    reading = read(make.dicom_bytes(**attributes))
    assert reading.grey.voi == ()
    assert reading.grey.modality is None
    assert any(said in notice for notice in reading.notices)


def test_half_a_rescale_is_completed(read: Read) -> None:
    assert read(make.dicom_bytes(RescaleSlope="3")).grey.modality == Rescale(slope=3.0, intercept=0.0)
    assert read(make.dicom_bytes(RescaleIntercept="7")).grey.modality == Rescale(slope=1.0, intercept=7.0)


def test_the_header_holds_the_whitelist_only_and_no_bulk_data(read: Read, whitelist: frozenset[int]) -> None:
    private = make.dicom_bytes(InstitutionName="Canary Hospital", OperatorsName="Canary^Op", ViewPosition="AP")
    header = read(private).header
    assert header["00185101"] == {"vr": "CS", "Value": ["AP"]}
    assert {int(tag, 16) for tag in header} <= whitelist
    assert "Canary" not in str(header)
    assert "InlineBinary" not in str(header)


def test_a_reading_survives_the_way_between_processes(pool: ReaderPool, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(make.dicom_bytes(WindowCenter="10", WindowWidth="20", PatientName="Müller^Zoë=鈴木",
                                      SpecificCharacterSet="ISO_IR 192"))  # fmt: skip
    image = pool.read(Source(path=path))
    assert image.facts.patient_name == "Müller^Zoë=鈴木"
    assert image.grey.voi == (Window(center=10.0, width=20.0),)
    assert msgspec.json.decode(msgspec.json.encode(image), type=ReadImage) == image
    assert len(image.source_sha256) == 64
    pool.discard(image)
