"""What `coxa import` and `coxa cases` print and refuse; the journeys run them as processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.describe import assessment_text, case_lines, spacing_text
from app.cli.exit_codes import DONE, PROBLEMS, REFUSED
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
        [],
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    code, out, errors = run(capsys, "import", *words, "--project", tmp_path / "p", "--json")
    assert code == REFUSED
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
    assert "view excluded: blurred" in out


@pytest.mark.parametrize("command", ["import", "cases"])
def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "examples:" in capsys.readouterr().out
