"""Nothing that identifies a person is in any byte of a project after an import."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.support.dicom_files import make_dataset, picture

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "resources" / "dicom" / "confidentiality_profile.csv"


def run_import(*words: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "import", *(str(word) for word in words), "--author", "tester"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr


def bytes_of(project: Path) -> Iterable[tuple[Path, bytes]]:
    """Every file of a project with its name: database pages, images, locks, backups, all of it."""
    for path in sorted(project.rglob("*")):
        yield path, path.name.encode() + (path.read_bytes() if path.is_file() else b"")


def found_in(project: Path, words: Iterable[str]) -> list[tuple[str, str]]:
    """(file, word) for every word that occurs, in UTF-8 or UTF-16, in any case."""
    hits = []
    needles = [
        (word, form.lower())
        for word in words
        for form in {word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be")}
    ]
    for path, content in bytes_of(project):
        folded = content.lower()
        hits += [(path.name, word) for word, needle in needles if needle in folded]
    return hits


def test_canaries_in_every_attribute_of_table_e_1_1(tmp_path: Path) -> None:
    """Text canaries in every attribute of the table, at the top, in a sequence, in private and in file meta fields."""
    canaries: list[str] = []
    dataset = make_dataset(picture(1), ViewPosition="AP", ImageLaterality="L")
    inner = Dataset()
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for number, row in enumerate(rows):
        if "x" in row["tag"] or row["tag"].startswith(("0000", "0002")):
            continue
        tag = int(row["tag"], 16)
        try:
            vr = dictionary_VR(tag)
        except KeyError:
            continue
        value = _canary(vr, number)
        if value is None or keyword_for_tag(tag) in ("SOPClassUID", "PatientSex"):
            continue
        for target, suffix in ((dataset, "A"), (inner, "B")):
            text = value.replace("#", suffix)
            if target is dataset and tag in (0x00080018, 0x0020000D, 0x0020000E):
                continue  # needed to be an image of a study; planted below
            target.add_new(tag, vr, text)
            canaries.append(text)
    dataset.SourceImageSequence = Sequence([inner])
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.77.1", "1.2.77.2", "1.2.77.3"
    dataset.SeriesDescription = "KANARIE hip ap left"
    block = dataset.private_block(0x0009, "KANARIE CREATOR", create=True)
    block.add_new(1, "LO", "KANARIE PRIVATE")
    dataset.add_new(0x60004000, "LT", "KANARIE OVERLAY")
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.SourceApplicationEntityTitle = "KANARIE AE"
    dataset.preamble = b"KANARIE PREAMBLE".ljust(128, b"\0")
    source = tmp_path / "KANARIE_folder" / "KANARIE_file.dcm"
    source.parent.mkdir()
    dataset.save_as(source, enforce_file_format=True)
    raw = source.read_bytes()
    assert sum(canary.encode() in raw for canary in canaries) > 800, "the canaries are in the input"
    run_import(source.parent, "--project", tmp_path / "project")
    with (tmp_path / "project" / "project.db").open("rb") as file:
        assert file.read(6) == b"SQLite"
    words = [*canaries, "KANARIE", "1.2.77.1", "1.2.77.2", "1.2.77.3"]
    assert found_in(tmp_path / "project", words) == []
    done = subprocess.run(
        [sys.executable, "-m", "app", "cases", "--project", str(tmp_path / "project"), "--json"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    [case] = json.loads(done.stdout)["cases"]
    assert case["side"] == "left", "it was imported"


def _canary(vr: str, number: int) -> str | None:
    """A text that no chance produces, well-formed for its VR so that it could slip through."""
    if vr in ("LO", "SH", "PN", "LT", "ST", "UT", "UC", "CS", "AE"):
        return f"KANARIE{number}#"
    if vr == "UI":
        return f"1.2.7788.{number}"
    if vr == "DA":
        return "19310417"
    if vr == "DT":
        return "19310417083215"
    return None


def test_mapping_files_and_png_texts_leave_nothing(tmp_path: Path) -> None:
    import cv2

    archive = tmp_path / "archive" / "KANARIE_folder"
    archive.mkdir(parents=True)
    for number in (1, 2):
        assert cv2.imwrite(str(archive / f"KANARIE_{number}.png"), picture(number))
        text = b"tEXtAuthor\0KANARIE PNG"
        content = (archive / f"KANARIE_{number}.png").read_bytes()
        chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
        (archive / f"KANARIE_{number}.png").write_bytes(content[:33] + chunk + content[33:])
    (tmp_path / "archive" / "KANARIE_map.csv").write_text(
        "path,patient,side,projection,study,patient_name,birth,fracture\n"
        "KANARIE_folder/KANARIE_1.png,KANARIE-77,left,ap,KANARIE-S,KANARIE Ann,KANARIE,neck\n"
        "KANARIE_folder/KANARIE_2.png,KANARIE-77,left,lat,KANARIE-S,KANARIE Ann,KANARIE,neck\n"
    )
    run_import("--csv", tmp_path / "archive" / "KANARIE_map.csv", "--project", tmp_path / "project")
    assert found_in(tmp_path / "project", ["KANARIE"]) == []
    assert found_in(tmp_path / "project", ["neck"]) != [], "the labels are kept"


PRIVATE_FACTS = ("19790408", "1979-04-08", "HIGASHI", "FUJI95706", "HUP CR ER01", "CompressedSamples", "11RG3", "10RG2")


@pytest.mark.slow
def test_the_real_radiographs_leave_no_birth_date_institution_or_accession_number(
    shared_data: Path, tmp_path: Path
) -> None:
    run_import(shared_data / "dicom-hip", "--project", tmp_path / "project")
    raw = b"".join(path.read_bytes() for path in sorted((shared_data / "dicom-hip").glob("*RG3*")))
    assert all(word.encode() in raw for word in ("19790408", "HIGASHI", "FUJI95706"))
    assert found_in(tmp_path / "project", PRIVATE_FACTS) == []


@pytest.mark.slow
def test_the_real_radiographs_become_the_cases_that_they_are(shared_data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "import", str(shared_data / "dicom-hip"),
               str(shared_data / "pelvis-ddh"), "--project", str(tmp_path / "project"), "--json"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300)
    report = json.loads(done.stdout)
    counts = {name: report["counts"][name] for name in ("imported", "duplicate")}
    assert counts == {"imported": 7, "duplicate": 10}

    files = {entry["file"]: entry for entry in report["files"]}
    hips = {name: entry for name, entry in files.items() if "RG2" in name}
    assert len({entry["view"] for entry in hips.values()}) == 1
    kinds = sorted(entry["kind"] or entry["outcome"] for entry in hips.values())
    assert kinds == ["bit-identical"] * 3 + ["imported"] + ["lossy-copy"] * 2
    assert files["J2KI__RG2_J2KI.dcm"]["reason"].endswith("differs by at most 87 grey levels.")
    assert files["JLSN__RG2_JLSN.dcm"]["reason"].endswith("differs by at most 4 grey levels.")

    views = {view["view"]: view for case in report["cases"] for view in case["views"]}
    hip = views[files["J2KR__RG2_J2KR.dcm"]["view"]]
    assert (hip["projection"]["certainty"], hip["side"]["certainty"]) == ("unknown", "unknown")
    assert (hip["spacing"]["row_mm"], hip["photometric"]) == (0.2, "MONOCHROME2")
    assert "lossy" not in hip["flags"]
    leg = views[files["J2KR__RG3_J2KR.dcm"]["view"]]
    assert "other-body-part" in leg["flags"]
    assert leg["photometric"] == "MONOCHROME1"
    [leg_case] = [case for case in report["cases"] if leg["view"] in {view["view"] for view in case["views"]}]
    assert leg_case["frontal"] is None
    assert leg_case["questions"]

    pelves = [entry["view"] for name, entry in files.items() if name.endswith(".dcm") and "DDH" in name]
    assert len(pelves) == 5
    for identifier in pelves:
        served = [case for case in report["cases"] if case["frontal"] == identifier]
        assert {case["side"] for case in served} == {"left", "right"}
        pelvis = views[identifier]
        assert pelvis["spacing"]["is_trusted"] is False
        sources = {piece["source"] for piece in pelvis["projection"]["evidence"]}
        assert {"Image content", "Series Description"} <= sources
