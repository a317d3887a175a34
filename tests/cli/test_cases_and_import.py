"""What `coxa import` and `coxa cases` print and refuse; the journeys run them as processes."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli.describe import assessment_text, case_lines, spacing_text
from app.cli.exit_codes import DONE, PROBLEMS, REFUSED, USAGE
from app.cli.main import main
from app.core.case import Assessment, Case, Certainty, Evidence, Projection, Side
from app.core.spacing import Spacing, SpacingSource
from tests.support.dicom_files import write_dicom


def evidence(source: str, found: str, says: str, *, is_advisory: bool = False) -> Evidence:
    return Evidence(source=source, found=found, says=says, rank=1, is_advisory=is_advisory)


def test_an_assessment_in_one_line() -> None:
    nothing: Assessment[Side] = Assessment(value=None, certainty=Certainty.UNKNOWN)
    assert assessment_text(nothing) == "unknown: no evidence"
    found = Assessment(
        value=Projection.FRONTAL,
        certainty=Certainty.EVIDENT,
        evidence=(
            evidence("View Position", "AP", "frontal"),
            evidence("File name", "lat", "lateral", is_advisory=True),
        ),
    )
    assert assessment_text(found) == ("frontal: View Position “AP” says frontal; File name “lat” says lateral (hint)")
    decided = Assessment(value=Side.LEFT, certainty=Certainty.CONFIRMED)
    assert assessment_text(decided) == "left (confirmed): no evidence"


@pytest.mark.parametrize(
    ("spacing", "text"),
    [
        (Spacing(), "no length scale"),
        (Spacing(note="It says 0."), "no length scale (It says 0.)"),
        (Spacing(row_mm=0.2, col_mm=0.2, source=SpacingSource.DETECTOR, is_trusted=True), "0.2 mm/px (detector)"),
        (Spacing(row_mm=1, col_mm=1, source=SpacingSource.PIXEL_SPACING), "1 mm/px (pixel-spacing, not trusted)"),
        (Spacing(row_mm=0.2, col_mm=0.1, source=SpacingSource.MANUAL, is_trusted=True), "0.2 × 0.1 mm/px (manual)"),
    ],
)
def test_a_length_scale_in_words(spacing: Spacing, text: str) -> None:
    assert spacing_text(spacing) == text


def test_a_blocked_case_says_so_first() -> None:
    case = Case(id="C-1", study_id="2.25.1", patient_id="P-1", side=None, blocked_reason="Two patients.")
    lines = list(case_lines(case, []))
    assert lines[0].startswith("C-1  side open")
    assert "BLOCKED: Two patients." in lines[1]


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of a command in this process."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_report_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dicom(tmp_path / "in" / "a.dcm", ViewPosition="AP")
    (tmp_path / "in" / "b.dcm").write_text("no image")
    code, out, _ = run(capsys, "import", tmp_path / "in", "--project", tmp_path / "p", "--workers", 1, "--verbose")
    assert code == PROBLEMS
    assert "imported  V-" in out
    assert re.search(r"^Imported:\n  a\.dcm \[V-\w+-\w+\]$", out, re.MULTILINE)  # which file is which view
    assert "Refused:\n  b.dcm: " in out
    assert "projection frontal: View Position “AP” says frontal" in out
    assert "which hip does it show" in out
    assert "1 imported, 0 duplicate, 1 refused. 1 cases, 1 with open questions, 0 blocked." in out
    code, out, _ = run(capsys, "import", tmp_path / "in" / "a.dcm", "--project", tmp_path / "p", "--workers", 1)
    assert code == DONE
    assert "This very file is in the project already." in out


def test_keeping_originals_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dicom(tmp_path / "a.dcm")
    _, _, errors = run(
        capsys, "import", tmp_path / "a.dcm", "--project", tmp_path / "p", "--workers", 1, "--keep-originals"
    )
    assert "They hold names and other identifiers" in errors
    assert len(list((tmp_path / "p" / "private" / "originals").iterdir())) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--csv", "map.csv", "--layout", "fracatlas"],
        ["--csv", "map.csv", "folder"],
        ["--layout", "fracatlas"],
        ["--layout", "fracatlas", "one", "two"],
        ["a.dcm", "--frame", "-1"],
        ["a.dcm", "--frame", "0"],
        [],
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    code, out, errors = run(capsys, "import", *words, "--project", tmp_path / "p", "--json")
    assert code == USAGE
    assert errors
    assert json.loads(out)["error"]["kind"] == "usage"
    assert not (tmp_path / "p").exists()


def test_excluded_views_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dicom(tmp_path / "a.dcm", ViewPosition="AP", ImageLaterality="L")
    run(capsys, "import", tmp_path / "a.dcm", "--project", tmp_path / "p", "--workers", 1)
    _, out, _ = run(capsys, "cases", "--project", tmp_path / "p", "--json")
    [case] = json.loads(out)["cases"]
    code, _, _ = run(capsys, "cases", "exclude", case["frontal"], "--project", tmp_path / "p")
    assert code == REFUSED  # a reason is missing
    run(capsys, "cases", "exclude", case["frontal"], "--reason", "blurred", "--project", tmp_path / "p")
    _, out, _ = run(capsys, "cases", "--project", tmp_path / "p", "--json")
    document = json.loads(out)
    assert document["cases"] == []
    assert [(view["view"], view["excluded"]) for view in document["excluded"]] == [(case["frontal"], "blurred")]
    _, out, _ = run(capsys, "cases", "--project", tmp_path / "p")
    assert f"excluded {case['frontal']}: blurred" in out
    run(capsys, "cases", "include", case["frontal"], "--project", tmp_path / "p")
    _, out, _ = run(capsys, "cases", "show", case["case"], "--project", tmp_path / "p")
    assert "History:" in out
    assert f"view {case['frontal']} excluded: blurred" in out
    assert f"view {case['frontal']} excluded: taken back" in out


def test_the_history_of_a_case_tells_who_excluded_a_repeat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        write_dicom(tmp_path / "in" / f"{number}.dcm", instance=number, ViewPosition="AP", ImageLaterality="L")
    _, out, _ = run(capsys, "import", tmp_path / "in", "--project", tmp_path / "p", "--workers", 1, "--json")
    [case] = json.loads(out)["cases"]
    repeat = case["unassigned"][0]
    words = ("exclude", repeat, "--reason", "repeat", "--author", "Dr A")
    run(capsys, "cases", *words, "--project", tmp_path / "p")
    _, out, _ = run(capsys, "cases", "show", case["case"], "--project", tmp_path / "p")
    assert f"  excluded {repeat}: repeat" in out
    assert f"Dr A  view {repeat} excluded: repeat" in out
    _, out, _ = run(capsys, "cases", "show", case["case"], "--project", tmp_path / "p", "--json")
    assert [view["view"] for view in json.loads(out)["excluded"]] == [repeat]


def test_frames_are_counted_from_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_of_three = np.arange(3 * 60 * 50, dtype=np.uint16).reshape(180, 50) % 4096
    write_dicom(tmp_path / "run.dcm", run_of_three, Rows=60, NumberOfFrames=3,
                SOPClassUID="1.2.840.10008.5.1.4.1.1.12.2", Modality="RF")  # fmt: skip
    words = ("import", tmp_path / "run.dcm", "--project", tmp_path / "p", "--workers", 1, "--frame")
    code, out, _ = run(capsys, *words, 4)
    assert code == PROBLEMS
    assert "There is no frame 4. The object holds 3." in out
    code, out, _ = run(capsys, *words, 3)
    assert (code, "1 imported" in out) == (DONE, True)


def test_a_folder_without_files_is_said_and_makes_no_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    code, _, errors = run(capsys, "import", tmp_path / "empty", "--project", tmp_path / "p")
    assert code == REFUSED
    assert "no file to import" in errors
    assert not (tmp_path / "p").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold such names")
def test_a_name_that_is_no_text_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dicom(tmp_path / "in" / "good.dcm", instance=1)
    write_dicom(tmp_path / "in" / "bad.dcm", instance=2)
    write_dicom(tmp_path / "in" / "red\x1b[31m\n\u202egpj.dcm", instance=3)
    (tmp_path / "in" / "bad.dcm").rename(tmp_path / "in" / os.fsdecode(b"bad\xff.dcm"))
    code, out, _ = run(capsys, "import", tmp_path / "in", "--project", tmp_path / "p", "--workers", 1)
    assert code == PROBLEMS
    assert "2 imported, 0 duplicate, 1 refused" in out
    assert "bad\\udcff.dcm: The file's name cannot be read." in out
    assert "red\\x1b[31m\\n\\u202egpj.dcm [V-" in out


def test_a_place_that_may_not_be_looked_at_is_no_fault_of_coxa(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dicom(tmp_path / "a.dcm")

    def no_entry(path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", no_entry)
    code, _, errors = run(capsys, "import", tmp_path / "a.dcm", "--project", tmp_path / "p")
    assert code == REFUSED
    assert "The project folder cannot be read. The system says: permission denied." in errors


@pytest.mark.parametrize("command", ["import", "cases"])
def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "examples:" in capsys.readouterr().out


def test_decisions_and_blocks_are_taken_back_by_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.support.projects import make_project

    folder = str(tmp_path / "p")
    make_project(Path(folder), studies=1, decisions=0)

    def cases(*words: str) -> dict[str, object]:
        assert main(["cases", *words, "--json", "--project", folder, "--author", "reader"]) == DONE
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    cases("resolve", "view-0", "--side", "left")
    shown = cases("show", "case-0")
    number = next(event["number"] for event in shown["history"] if event["field"] == "side")  # type: ignore[attr-defined]
    taken_back = cases("undo", str(number))
    assert taken_back["cases"][0]["side"] is None  # type: ignore[index]
    blocked = cases("block", "2.25.0", "--reason", "two different people")
    assert blocked["cases"][0]["blocked"] == "two different people"  # type: ignore[index]
    assert main(["cases", "undo", str(number - 1), "--project", folder]) == REFUSED
    assert main(["cases", "undo", "yesterday", "--project", folder]) == USAGE
    assert "yesterday is not the number" in capsys.readouterr().err
