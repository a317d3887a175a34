"""`coxa annotations` and `coxa crop`: what they print, record, refuse and write."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.cli.exit_codes import DONE, PROBLEMS, REFUSED, USAGE
from app.cli.main import main
from app.core.geometry import Alignment, aligned_crop, crop
from app.core.grey_tables import dark_index
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.store.resources import resource_path
from tests.support.projects import make_project


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_project(tmp_path / "project", studies=2, decisions=0)
    return tmp_path / "project"


def coxa(path: Path, *words: str, author: str = "Ann") -> int:
    return main([*words, "--project", str(path), *(["--author", author] if words[:1] == ("annotations",) else [])])


def document(capsys: pytest.CaptureFixture[str], path: Path, *words: str, author: str = "Ann") -> Any:
    capsys.readouterr()
    coxa(path, *words, "--json", author=author)
    return json.loads(capsys.readouterr().out)


def test_labels_are_set_listed_undone_and_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert coxa(path, "annotations", "set", "case-0", "garden=3", "exclusion=implant,contrast", "confidence=90") == DONE
    assert coxa(path, "annotations", "set", "case-0", "fracture=no", author="Ben") == DONE
    capsys.readouterr()
    assert coxa(path, "annotations") == DONE
    out = capsys.readouterr().out
    assert "case-0  Ann" in out
    assert "Garden: III" in out
    assert "Reasons to exclude: Contrast, Implant" in out
    assert "case-0  Ben" in out
    assert coxa(path, "annotations", "undo", "case-0") == DONE
    found = document(capsys, path, "annotations", "list", "case-0")
    assert [(a["reader"], a["field"], a["value"]) for a in found["annotations"]] == [("Ben", "label.fracture", "no")]
    assert coxa(path, "annotations", "redo", "case-0") == DONE
    found = document(capsys, path, "annotations", "list")
    assert {"Ann", "Ben"} == {a["reader"] for a in found["annotations"]}
    history = document(capsys, path, "annotations", "history", "case-0")["events"]
    assert [event["reverts"] is not None for event in history].count(True) == 12  # six values, undone and redone


def test_an_empty_value_takes_an_answer_away(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coxa(path, "annotations", "set", "case-0", "garden=3")
    changed = document(capsys, path, "annotations", "set", "case-0", "garden=", "quality=good")["events"]
    assert {event["field"]: event["after"] for event in changed} == {"label.garden": None, "label.quality": "good"}


def test_going_back(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = document(capsys, path, "annotations", "set", "case-0", "fracture=no")["events"][-1]["number"]
    coxa(path, "annotations", "set", "case-0", "fracture=yes", "--status", "annotated")
    back = document(capsys, path, "annotations", "back", "case-0", "--event", str(first))["events"]
    assert {event["field"]: event["after"] for event in back} == {"label.fracture": "no", "status": None} or {
        event["field"]: event["after"] for event in back
    } == {"label.fracture": "no", "status": "new"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set",), USAGE, "needs a case"),
        (("set", "case-0"), USAGE, "Nothing was given"),
        (("set", "case-0", "garden"), USAGE, "no answer"),
        (("set", "case-0", "garden=7"), REFUSED, "one of 1, 2, 3, 4"),
        (("set", "case-0", "colour=red"), REFUSED, "no label colour"),
        (("set", "case-9", "fracture=no"), REFUSED, "no such case"),
        (("set", "case-0", "--align", "view-0:1,2,3"), USAGE, "no alignment"),
        (("set", "case-0", "--align", "view-1:1,2,3,20"), REFUSED, "no such view"),
        (("set", "case-0", "--align", "view-0:1,2,3,4"), REFUSED, "too close"),
        (("set", "case-0", "--approve", "view-0"), REFUSED, "no crop to judge"),
        (("undo", "case-0"), REFUSED, "nothing to undo"),
        (("back", "case-0"), USAGE, "needs --event"),
        (("history", "case-9"), REFUSED, "no such case"),
        (("label-set", "--adopt", "nowhere.toml"), REFUSED, "cannot be read"),
    ],
)
def test_refusals(
    path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:  # fmt: skip
    assert coxa(path, "annotations", *words) == code
    assert said in capsys.readouterr().err


def test_verify_finds_a_changed_byte(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coxa(path, "annotations", "set", "case-0", "remarks=a-canary-remark")
    capsys.readouterr()
    assert coxa(path, "annotations", "verify") == DONE
    assert "every row is what was written" in capsys.readouterr().out
    file = path / "project.db"
    content = bytearray(file.read_bytes())
    place = content.find(b"a-canary-remark")
    assert place > 0
    content[place] ^= 1
    file.write_bytes(content)
    assert coxa(path, "annotations", "verify") == PROBLEMS
    assert "DAMAGED" in capsys.readouterr().out
    assert document(capsys, path, "annotations", "verify")["problems"]


def test_the_label_set_is_shown_tried_and_adopted(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert coxa(path, "annotations", "label-set") == DONE
    assert "[g] garden: Garden" in capsys.readouterr().out
    coxa(path, "annotations", "set", "case-0", "quality=limited")
    text = resource_path("label_sets", "hip-fracture.toml").read_text(encoding="utf-8")
    newer = tmp_path / "newer.toml"
    newer.write_text(text.replace("version = 1", "version = 2").replace('"limited"', '"poor"'), encoding="utf-8")
    tried = document(capsys, path, "annotations", "label-set", "--adopt", str(newer), "--dry-run")
    assert list(tried["flagged"]) == ["case:case-0@Ann"]
    assert document(capsys, path, "annotations", "label-set")["version"] == 1
    assert coxa(path, "annotations", "label-set", "--adopt", str(newer)) == DONE
    assert "stays as it is" in capsys.readouterr().out
    found = document(capsys, path, "annotations", "list")
    assert found["annotations"][0]["value"] == "limited"
    assert found["flagged"]
    assert document(capsys, path, "annotations", "verify")["flagged"] == 1


def test_approved_crops_are_written_with_their_table(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coxa(path, "annotations", "set", "case-0", "garden=2", "--align", "view-0:12,10,16.5,22", "--approve", "view-0")
    coxa(path, "annotations", "set", "case-1", "--align", "view-1:12,10,10,20")
    out = tmp_path / "crops"
    capsys.readouterr()
    assert coxa(path, "crop", "--out", str(out)) == DONE
    assert "1 crops" in capsys.readouterr().out
    with (out / "crops.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["case"], row["reader"], row["state"], row["label.garden"]) == ("case-0", "Ann", "approved", "2")
    picture = cv2.imread(str(out / row["file"]), cv2.IMREAD_UNCHANGED)
    with ProjectStore.open(path, is_read_only=True) as project:
        view = project.views.get("view-0")
        assert view is not None
        image = project.images.load(view.image_sha256)
    alignment = Alignment(
        center_xy=(float(row["center_x"]), float(row["center_y"])),
        axis_xy=(float(row["axis_x"]), float(row["axis_y"])),
    )
    wanted = crop(image.pixels, aligned_crop(alignment, view.spacing), fill=dark_index(view.grey))
    assert picture.dtype == np.uint16
    assert np.array_equal(picture, wanted)  # the very function that the window and the network use
    assert coxa(path, "crop", "--out", str(out)) == REFUSED
    assert coxa(path, "crop", "--out", str(tmp_path / "two"), "--all", "--bits", "8", "--size", "64") == DONE
    pictures = sorted((tmp_path / "two").glob("*.png"))
    assert len(pictures) == 2
    assert cv2.imread(str(pictures[0]), cv2.IMREAD_UNCHANGED).shape == (64, 64)


def test_a_verdict_on_another_crop_does_not_count(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coxa(path, "annotations", "set", "case-0", "--align", "view-0:12,10,16,22", "--approve", "view-0")
    coxa(path, "annotations", "set", "case-0", "--align", "view-0:12,10,15,22")
    assert coxa(path, "crop", "--out", str(tmp_path / "crops")) == REFUSED
    assert "none of them is approved as it is now" in capsys.readouterr().err
    assert document(capsys, path, "annotations", "verify")["outdated"] == 1
    assert not (tmp_path / "crops").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("set", "case-0", "garden=2", "--dry-run"),
        ("verify", "case-0"),
        ("history", "case-0", "garden=2"),
    ],
)
def test_what_a_command_does_not_do_is_refused_and_records_nothing(path: Path, words: tuple[str, ...]) -> None:
    assert coxa(path, "annotations", *words) in (USAGE, REFUSED)
    with ProjectStore.open(path, is_read_only=True) as project:
        assert list(Annotations(project).all()) == []


def test_a_number_that_no_database_counts_to_is_only_a_late_event(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert coxa(path, "annotations", "back", "case-0", "--event", "99999999999999999999") == DONE
    assert "Nothing has changed." in capsys.readouterr().out
    assert main(["cases", "undo", "99999999999999999999", "--project", str(path)]) == REFUSED
    assert main(["cases", "list", "case-0", "--project", str(path)]) == USAGE
    assert main(["models", "history", "fracture.pair", "--project", str(path)]) == DONE
    assert "No model was promoted to fracture.pair." in capsys.readouterr().out


def test_crops_are_not_written_among_the_projects_own_files(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coxa(path, "annotations", "set", "case-0", "--align", "view-0:12,10,16.5,22", "--approve", "view-0")
    assert coxa(path, "crop", "--out", str(path / "images" / "crops")) == USAGE
    assert "This is a folder of the project's own." in capsys.readouterr().err
    assert coxa(path, "crop", "--out", str(path / "exports" / "crops"), "--reader", "Nobody") == USAGE
    assert "There are crops of Ann." in capsys.readouterr().err
    assert coxa(path, "crop", "--out", str(path / "exports" / "crops")) == DONE
