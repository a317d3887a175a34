"""DICOM objects and printed reports of an export: valid, readable, equal to what they were made of, always the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from app.core.annotation import PIXEL_REVIEW, VIEW, document_of
from app.core.case import Projection, Side, ViewRole
from app.core.event import PROJECT, target_of
from app.core.export import Content, ExportFormat, ExportRequest
from app.core.finding import Finding, HeatmapFiles
from app.core.model_card import ModelCard
from app.core.model_input import InputKind, ModelInput
from app.core.pixel_review import PixelReview, PixelVerdict, ReleaseState
from app.engine.dicom_output import SyntheticObject, dicom_bytes
from app.store.annotations import Annotations
from app.store.consulting import Consultant
from app.store.exchange.plan import plan_export, preview_export
from app.store.exchange.write import write_export
from app.store.findings import Findings
from app.store.model_folder import write_card
from app.store.models import FIELD
from app.store.project import ProjectStore
from app.store.usable_models import usable_models
from tests.support.dicom_files import picture, write_dicom
from tests.support.imports import import_paths
from tests.support.looked_at import look_at_everything

WANTED = ExportRequest(
    contents=frozenset(Content) - {Content.ALIGNED_CROPS, Content.REGION_CROPS},
    formats=frozenset({ExportFormat.DICOM, ExportFormat.PDF}),
)
CARD = ModelCard(
    id="test-model", title="Test network", architecture="densenet121", task="fracture",
    classes=("no fracture", "fracture"), finding=1, weights_sha256="ab" * 32, initialised_from="random",
    input=ModelInput(kind=InputKind.REGION_CROP, roles=(ViewRole.FRONTAL,), size_px=64, is_right_mirrored=True),
    trained_on="nothing", seeds="1", command="none", heatmap_scale=4.0, limits="everything", licence="none",
)  # fmt: skip


def synthetic(number: int, projection: Projection) -> bytes:
    about = SyntheticObject(
        study_key="one", number=number, patient_id="SYN-1", date="20200310", projection=projection, side=Side.RIGHT,
        body_part="HIP", bits_stored=12, pixel_mm=0.3, magnification=1.2, source_to_detector_mm=1100, kvp=75, sex="F",
        age_years=93,
    )  # fmt: skip
    return dicom_bytes(picture(number, rows=160, cols=140), about)


@pytest.fixture(scope="module")
def project_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair of DX images, a CR image that may hold text, a colour picture, a model's opinion; all looked at."""
    folder = tmp_path_factory.mktemp("dicom-export")
    source = folder / "in"
    source.mkdir()
    for number, projection in ((1, Projection.FRONTAL), (2, Projection.LATERAL)):
        (source / f"dx{number}.dcm").write_bytes(synthetic(number, projection))
    write_dicom(
        source / "cr.dcm", picture(5, rows=90, cols=70), study=7, instance=7, patient="PID-7", ViewPosition="AP",
        ImageLaterality="L", SeriesDescription="hip", PhotometricInterpretation="MONOCHROME1",
    )  # fmt: skip
    colours = np.random.default_rng(1).integers(0, 255, (80, 60, 3), dtype=np.uint8)
    assert cv2.imwrite(str(source / "left hip ap.png"), colours)
    with ProjectStore.create(folder / "project") as project:
        import_paths(project, source)
        assert {view.release for view in project.views.all()} == {ReleaseState.FREE, ReleaseState.WAITING}
        look_at_everything(project)
        keep_finding(project)
    return folder / "project"


def keep_finding(project: ProjectStore) -> None:
    """A model has looked at every frontal view."""
    folder = project.folder.models / CARD.id
    folder.mkdir()
    write_card(folder, CARD)
    project.events.append(target=PROJECT, field=f"{FIELD}{CARD.task_id}", after=CARD.id, author="tester")
    findings = Findings(project.folder.cache)
    consultant = Consultant(project.folder, project.images, project.derived, findings)
    asked, localiser = usable_models(project)
    findings.heatmap_folder.mkdir(parents=True, exist_ok=True)
    heatmap = np.zeros((8, 8), np.float32)
    heatmap[2:4, 5:7] = 4.0
    for case in project.cases.all():
        for one in consultant.ask(case.id, asked, localiser=localiser).consultations:
            if one.card.id == CARD.id and one.views:
                name = f"{one.input_key[:16]}.npy"
                np.save(findings.heatmap_folder / name, heatmap)
                maps = (HeatmapFiles(method="grad-cam", class_number=1, files=(name,)),)
                findings.put(
                    Finding(case_id=case.id, model_id=CARD.id, weights_sha256=CARD.weights_sha256,
                            input_key=one.input_key, probabilities=(0.25, 0.75), distance=1.5, heatmaps=maps)
                )  # fmt: skip
    consultant.close()
    findings.close()


@pytest.fixture(scope="module")
def exported(project_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "first"
    with ProjectStore.open(project_path, is_read_only=True) as project:
        write_export(project, plan_export(project, WANTED), folder)
    return folder


def objects(exported: Path, ending: str) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(exported.glob(f"dicom/*/*{ending}"))]


def images(exported: Path) -> dict[str, pydicom.Dataset]:
    return {path.stem: pydicom.dcmread(path) for path in sorted(exported.glob("dicom/*/V-*.dcm"))}


@pytest.mark.slow
def test_the_same_selection_gives_the_same_bytes(project_path: Path, exported: Path, tmp_path: Path) -> None:
    shutil.copytree(project_path, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "cache" / "derived", ignore_errors=True)
    with ProjectStore.open(tmp_path / "copy") as project:
        write_export(project, plan_export(project, WANTED), tmp_path / "again")
    assert (tmp_path / "again" / "SHA256SUMS").read_bytes() == (exported / "SHA256SUMS").read_bytes()


def test_the_validator_finds_no_error(exported: Path) -> None:
    validator = Path(sys.executable).with_name("dciodvfy")
    if not validator.is_file():
        pytest.skip("dicom3tools is not installed")
    paths = sorted(exported.glob("dicom/*/*.dcm"))
    kinds = {"-sr": 0, "-pr": 0, "-heatmap": 0, "V-": 0}
    errors = {}
    for path in paths:
        done = subprocess.run([validator, "-new", path], capture_output=True, text=True, check=False, timeout=60)
        errors[path.name] = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error")]
        for kind in kinds:
            kinds[kind] += kind in path.name
    assert {name: lines for name, lines in errors.items() if lines} == {}
    assert all(kinds.values()), "one of each kind was looked at"


def test_radiographs_come_back_as_they_were(project_path: Path, exported: Path, tmp_path: Path) -> None:
    """What was exported is read again: the same grey scale and, but for the masks, the same values."""
    with ProjectStore.open(project_path, is_read_only=True) as project:
        views = {view.id: view for view in project.views.all()}
        pixels = {name: project.images.load(view.image_sha256).pixels for name, view in views.items()}
    found = images(exported)
    assert set(found) == set(views)
    copy = tmp_path / "images"
    copy.mkdir()
    for name in found:
        shutil.copy(next(exported.glob(f"dicom/*/{name}.dcm")), copy)
    with ProjectStore.create(tmp_path / "second") as again:
        assert {item.outcome.value for item in import_paths(again, copy).items} == {"imported"}
        back = {f"{view.rows}x{view.cols}": view for view in again.views.all()}
        loaded = {name: again.images.load(view.image_sha256).pixels for name, view in back.items()}
    for name, view in views.items():
        other = f"{view.rows}x{view.cols}" if view.rows != 160 else ""
        if not other:
            continue  # the pair has one size
        assert (back[other].grey.photometric, back[other].grey.bits_stored) == (
            view.grey.photometric,
            view.grey.bits_stored,
        )
        masked = np.zeros((view.rows, view.cols), bool)
        masked[:5, :9] = True
        assert np.array_equal(loaded[other][~masked], pixels[name][~masked])
        assert len(np.unique(loaded[other][masked])) == 1, "painted over"
    dx = [one for one in found.values() if one.Modality == "DX"]
    assert {one.ImageLaterality for one in dx} == {"R"}
    assert {one.PatientAge for one in dx} == {"090Y"}
    assert {one.BurnedInAnnotation for one in found.values()} == {"NO"}


def test_kinds_of_images(exported: Path) -> None:
    kinds = {(one.SOPClassUID.name, one.Modality, one.PhotometricInterpretation) for one in images(exported).values()}
    assert kinds == {
        ("Digital X-Ray Image Storage - For Presentation", "DX", "MONOCHROME2"),
        ("Computed Radiography Image Storage", "CR", "MONOCHROME1"),
        ("Secondary Capture Image Storage", "OT", "MONOCHROME2"),
    }
    codes = [one.DeidentificationMethodCodeSequence for one in images(exported).values()]
    assert all("113101" in {item.CodeValue for item in one} for one in codes), "Clean Pixel Data Option"


def test_every_reference_is_to_an_object_of_the_export(exported: Path) -> None:
    known = {str(one.SOPInstanceUID): str(one.SOPClassUID) for one in images(exported).values()}
    studies = {str(one.StudyInstanceUID) for one in images(exported).values()}
    derived = [one for ending in ("-sr.dcm", "-pr.dcm", "-heatmap-*.dcm") for one in objects(exported, ending)]
    assert len(derived) >= 6
    uids = [str(one.SOPInstanceUID) for one in derived]
    assert len(set(uids)) == len(uids)
    for one in derived:
        refers = [(str(item.ReferencedSOPInstanceUID), str(item.ReferencedSOPClassUID)) for item in _references(one)]
        assert refers
        assert all(known.get(uid) == kind for uid, kind in refers)
        assert str(one.StudyInstanceUID) in studies


def _references(dataset: pydicom.Dataset) -> list[pydicom.Dataset]:
    found = [dataset] if "ReferencedSOPInstanceUID" in dataset and "ReferencedSOPClassUID" in dataset else []
    for element in dataset:
        if element.VR == "SQ":
            found += [inner for item in element.value for inner in _references(item)]
    return found


def test_a_structured_report_gives_back_what_was_said(project_path: Path, exported: Path) -> None:
    from highdicom.sr import srread

    with ProjectStore.open(project_path, is_read_only=True) as project:
        case = next(case for case in project.cases.all() if case.lateral_id)
        values = Annotations(project).values(case.id, "tester")
    [path] = exported.glob(f"dicom/*/{case.id}-reader-1-sr.dcm")
    report = srread(path).content
    labels = {
        (item.name.meaning, item.value.meaning)
        for group in report.get_image_measurement_groups()
        for item in group.get_qualitative_evaluations()
    }
    assert ("Fracture", "Yes") in labels
    lengths = [
        measurement.value
        for group in report.get_image_measurement_groups()
        for measurement in group.get_measurements()
        if measurement.name.meaning == "Length"
    ]
    assert len(lengths) == 2
    assert all(length > 1 for length in lengths)
    points = [
        tuple(group.roi.value[0])
        for group in report.get_planar_roi_measurement_groups()
        if group.finding_type is not None and group.finding_type.value == "head-centre"
    ]
    assert sorted(points) == sorted(
        tuple(np.float32(value)) for name, value in values.items() if name.startswith("point.head-centre.")
    )
    assert b"tester" not in path.read_bytes(), "readers are numbers"


def test_a_models_opinion_stands_apart_and_names_the_algorithm(exported: Path) -> None:
    from highdicom.sr import srread

    paths = sorted(exported.glob("dicom/*/*-model-1-sr.dcm"))
    assert paths
    for path in paths:
        [group] = srread(path).content.get_image_measurement_groups()
        shares = [one.value for one in group.get_measurements() if one.name.meaning == "Probability"]
        assert shares == [0.25, 0.75]
        assert [one.value.value for one in group.get_qualitative_evaluations()] == ["found"]
        content = path.read_bytes()
        assert CARD.weights_sha256.encode() in content
        assert b"Algorithm Version" in content
        assert b"Person Observer" not in content
        assert b"RESEARCH USE ONLY" in content


def test_heatmaps_are_colours_with_a_mark(project_path: Path, exported: Path) -> None:
    heatmaps = objects(exported, "-heatmap-*.dcm")
    assert heatmaps
    for one in heatmaps:
        picture_ = one.pixel_array
        assert one.PhotometricInterpretation == "RGB"
        assert picture_.shape == (one.Rows, one.Columns, 3)
        spread = picture_.max(axis=2).astype(int) - picture_.min(axis=2)
        assert (spread > 60).sum() > 20, "colours"
        assert "RESEARCH USE ONLY" in one.DerivationDescription


def test_presentation_states_hold_window_and_drawings(exported: Path) -> None:
    states = objects(exported, "-pr.dcm")
    assert states
    for one in states:
        layers = {item.GraphicLayer for item in one.GraphicLayerSequence}
        assert layers == {"ALIGNMENT", "REGION", "LANDMARKS", "MEASUREMENTS"}
        assert one.SoftcopyVOILUTSequence[0].WindowWidth > 0
        area = one.DisplayedAreaSelectionSequence[0]
        cols, rows = area.DisplayedAreaBottomRightHandCorner
        for annotation in one.GraphicAnnotationSequence:
            for graphic in annotation.GraphicObjectSequence:
                places = np.array(graphic.GraphicData).reshape(-1, 2)
                assert (places >= 0).all()
                assert (places <= (cols, rows)).all()


def test_printed_reports_are_whole_and_say_what_they_are(exported: Path) -> None:
    from tests.support.canaries import everything_in

    reports = sorted(exported.glob("reports/*.pdf"))
    assert len(reports) >= 3
    assert all(path.read_bytes().startswith(b"%PDF") and b"%%EOF" in path.read_bytes()[-20:] for path in reports)
    assert sum(1 for name, _ in everything_in(exported / "reports") if "inside" in name) > len(reports)


def test_what_nobody_has_looked_at_stays(project_path: Path, tmp_path: Path) -> None:
    shutil.copytree(project_path, tmp_path / "copy")
    with ProjectStore.open(tmp_path / "copy") as project:
        annotations = Annotations(project)
        case = next(case for case in project.cases.all() if case.lateral_id)
        target = target_of(VIEW, str(case.frontal_id))
        refused = PixelReview(verdict=PixelVerdict.REFUSED)
        annotations.record(case.id, [annotations.change(target, PIXEL_REVIEW, document_of(refused))], author="tester")
        plan = plan_export(project, WANTED)
        preview = preview_export(project, plan)
        write_export(project, plan, tmp_path / "out")
    assert preview.left_out
    names = [path.name for path in (tmp_path / "out").rglob("*.dcm")]
    assert not any(str(case.frontal_id) in name for name in names)
    assert not any(case.id in name and "model" in name for name in names), "nor what a model saw in it"
    assert any(str(case.lateral_id) in name for name in names)
