"""`coxa export`: preview, writing, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.exit_codes import DONE, PROBLEMS, REFUSED, USAGE
from app.cli.main import main
from tests.support.data_sets import make_labelled_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli-export") / "project"
    make_labelled_project(path, patients=4)
    return path


def export(project: Path, *words: str | Path) -> int:
    return main(["export", "--project", str(project), *map(str, words)])


def test_a_dry_run_says_everything_and_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(project, "--split", "60/20/20", "--seed", "2", "--dry-run") == DONE
    text = capsys.readouterr().out
    assert "7 cases of 4 patients, 16 radiographs" not in text  # one case is excluded
    assert "7 cases of 4 patients" in text
    assert "(1 without pixels)" in text
    assert "No patient and no image is in two parts." in text
    assert "Left out: cases with the status excluded: 1." in text
    assert list((project / "exports").iterdir()) == []


def test_what_was_previewed_is_written(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--formats", "tables,png", "--contents", "images,labels", "--filter", "side=left", "--json")
    assert export(project, *words, "--dry-run") == DONE
    preview = json.loads(capsys.readouterr().out)
    assert export(project, *words, "--out", tmp_path / "set") == DONE
    report = json.loads(capsys.readouterr().out)
    assert preview["written"] is None
    assert {key: value for key, value in report.items() if key != "written"} == {
        key: value for key, value in preview.items() if key != "written"
    }
    files = [path for path in (tmp_path / "set").rglob("*") if path.is_file()]
    assert report["written"]["files"] == len(files)
    assert len(list((tmp_path / "set" / "images").iterdir())) == report["files"]["png"] == report["views_with_pixels"]


def test_without_a_place_it_goes_into_the_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(project, "--contents", "labels", "--formats", "tables", "--case", "C-00001-LEFT") == DONE
    assert (project / "exports" / "export-001" / "SHA256SUMS").is_file()
    assert "1 cases of 1 patients" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--formats", "pngg"), USAGE),
        (("--contents", "labels,pictures"), USAGE),
        (("--split", "seventy"), USAGE),
        (("--split", "70/30", "--split-of", "run-1"), USAGE),
        (("--split-of", "run-1"), REFUSED),
        (("--filter", "no-such=1"), USAGE),
        (("--filter", "side=up"), USAGE),
        (("--label", "no-such"), USAGE),
        (("--case", "C-none"), REFUSED),
        (("--without", "C-none"), REFUSED),
        (("--reader", "Nobody"), USAGE),
        (("--search", "nothing-like-this"), REFUSED),
        (("--formats", "coco", "--contents", "labels"), USAGE),
        (("--region-mode", "field"), USAGE),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    project: Path, tmp_path: Path, words: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(project, *words, "--out", tmp_path / "set") == code
    assert capsys.readouterr().err.startswith("coxa: ")
    assert not (tmp_path / "set").exists()


def test_a_full_folder_is_left_alone(project: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    assert export(project, "--out", tmp_path) == REFUSED
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_data_set_is_verified(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(project, "--contents", "labels", "--formats", "tables", "--out", tmp_path / "set") == DONE
    assert main(["export", "--verify", str(tmp_path / "set")]) == DONE
    assert "intact" in capsys.readouterr().out
    (tmp_path / "set" / "tables" / "cases.csv").write_bytes(b"case\n")
    (tmp_path / "set" / "tables" / "views.csv").unlink()
    (tmp_path / "set" / "more.txt").write_text("more")
    assert main(["export", "--verify", str(tmp_path / "set"), "--json"]) == PROBLEMS
    assert json.loads(capsys.readouterr().out)["faults"] == [
        {"path": "more.txt", "fault": "added"},
        {"path": "tables/cases.csv", "fault": "changed"},
        {"path": "tables/views.csv", "fault": "missing"},
    ]
    assert main(["export", "--verify", str(tmp_path)]) == REFUSED
    assert main(["export"]) == USAGE
