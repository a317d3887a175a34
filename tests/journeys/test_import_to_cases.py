"""Journey: import → cases → resolve → cases, with the real commands in real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.dicom_files import write_dicom

ROOT = Path(__file__).resolve().parents[2]


def coxa(*words: object, code: int = 0) -> str:
    """Run the command and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *(str(word) for word in words)],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def coxa_json(*words: object, code: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(coxa(*words, "--json", code=code))
    return document


def test_import_cases_resolve_cases(tmp_path: Path) -> None:
    archive, project = tmp_path / "archive", tmp_path / "project"
    write_dicom(archive / "pelvis.dcm", instance=1, ViewPosition="AP", BodyPartExamined="PELVIS")
    write_dicom(archive / "IM2.dcm", instance=2, SeriesDescription="Hüfte axial", AcquisitionTime="102000")
    (archive / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM")

    report = coxa_json("import", archive, "--project", project, "--author", "anna", code=1)
    assert report["counts"] == {"imported": 2, "duplicate": 0, "refused": 1}
    by_file = {entry["file"]: entry for entry in report["files"]}
    assert by_file["broken.dcm"]["reason"]
    lateral = by_file["IM2.dcm"]["view"]

    found = coxa_json("cases", "--project", project)["cases"]
    assert [(case["side"], case["frontal"] is not None, case["lateral"]) for case in found] == [
        ("right", True, None),
        ("left", True, None),
        (None, False, lateral),
    ]
    [still_open] = coxa_json("cases", "--open-only", "--project", project)["cases"]
    assert still_open["views"][0]["projection"] == {
        "value": "cross-table",
        "certainty": "evident",
        "evidence": [
            {"source": "Series Description", "found": "axial", "says": "cross-table", "rank": 3, "advisory": False}
        ],
    }
    assert lateral in still_open["questions"][0]

    coxa("cases", "resolve", lateral, "--side", "left", "--author", "berta", "--project", project)
    found = coxa_json("cases", "--project", project)["cases"]
    assert {case["side"]: case["lateral"] for case in found} == {"right": None, "left": lateral}
    assert coxa_json("cases", "--open-only", "--project", project)["cases"] == []

    left = next(case for case in found if case["side"] == "left")
    shown = coxa_json("cases", "show", left["case"], "--project", project)
    decisions = [event for event in shown["history"] if event["field"] == "side"]
    assert [(event["author"], event["after"]["value"]) for event in decisions] == [("berta", "left")]

    coxa("cases", "exclude", lateral, "--reason", "blurred", "--project", project)
    found = coxa_json("cases", "--project", project)["cases"]
    assert {case["side"]: case["lateral"] for case in found} == {"right": None, "left": None}
    coxa("cases", "include", lateral, "--project", project)

    again = coxa_json("import", archive, "--project", project, code=1)
    assert again["counts"] == {"imported": 0, "duplicate": 2, "refused": 1}
    found = coxa_json("cases", "--project", project)["cases"]
    assert {case["side"]: case["lateral"] for case in found} == {"right": None, "left": lateral}
    assert "intact" in coxa("check", "--project", project)


def test_a_mix_up_is_blocked_until_a_person_releases_it(tmp_path: Path) -> None:
    archive, project = tmp_path / "archive", tmp_path / "project"
    write_dicom(archive / "1.dcm", instance=1, ViewPosition="AP", ImageLaterality="L")
    write_dicom(archive / "2.dcm", instance=2, ViewPosition="LL", ImageLaterality="L", PatientSex="M")
    text = coxa("import", archive, "--project", project)
    assert "BLOCKED: Images of one study differ in the patient's sex." in text
    [case] = coxa_json("cases", "--project", project)["cases"]
    assert (case["frontal"], case["lateral"]) == (None, None)
    coxa("cases", "release", case["study"], "--reason", "typing error", "--project", project)
    [case] = coxa_json("cases", "--project", project)["cases"]
    assert case["frontal"] is not None
    assert case["lateral"] is not None
    assert case["blocked"] == ""
    coxa("cases", "release", case["study"], "--reason", "again", "--project", project, code=3)


def test_a_mapping_file(tmp_path: Path) -> None:
    import cv2

    from tests.support.dicom_files import picture

    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    table = tmp_path / "map.csv"
    table.write_text("path;patient;side;projection;fracture\n1.png;p1;L;AP;neck\n2.png;p1;L;seitlich;neck\n")
    report = coxa_json("import", "--csv", table, "--project", tmp_path / "project")
    [case] = report["cases"]
    assert (case["side"], len(case["views"])) == ("left", 2)
    shown = coxa_json("cases", "show", case["case"], "--project", tmp_path / "project")
    assert shown["labels"] == {"fracture": "neck"}
    table.write_text("path,patient,side\n1.png,p1,upper\n")
    document = coxa_json("import", "--csv", table, "--project", tmp_path / "project", code=3)
    assert "Row 2, column 'side'" in document["error"]["reason"]


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    coxa("import", "--project", tmp_path / "p", code=2)
    coxa("import", tmp_path / "nowhere", "--project", tmp_path / "p", code=3)
    assert not (tmp_path / "p").exists()
    write_dicom(tmp_path / "a.dcm")
    coxa("import", tmp_path / "a.dcm", "--project", tmp_path / "p")
    coxa("cases", "show", "C-NONE", "--project", tmp_path / "p", code=3)
    coxa("cases", "resolve", "V-NONE", "--side", "left", "--project", tmp_path / "p", code=3)
    coxa("cases", "resolve", "--project", tmp_path / "p", code=2)
    coxa("cases", "--project", tmp_path / "none", code=3)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C reaches a process of its own group only on POSIX")
def test_ctrl_c_stops_soon_and_keeps_what_is_done(tmp_path: Path) -> None:
    for number in range(1, 400):
        write_dicom(tmp_path / "in" / f"{number:03d}.dcm", instance=number, study=number)
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "import", str(tmp_path / "in"), "--project", str(tmp_path / "p"), "--verbose"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    promised = []
    for line in process.stdout:
        if line.startswith("imported"):
            promised.append(line.split()[1])
            break
    process.send_signal(signal.SIGINT)
    stopped = time.monotonic()
    promised += [line.split()[1] for line in process.stdout if line.startswith("imported")]
    process.stdout.close()
    assert process.wait() == 130
    assert time.monotonic() - stopped < 20  # a hang would be longer; the promise itself is measured in bench/
    views = {
        view["view"] for case in coxa_json("cases", "--project", tmp_path / "p")["cases"] for view in case["views"]
    }
    assert set(promised) <= views
    assert len(views) < 399
    assert list((tmp_path / "p" / "scratch").iterdir()) == []
