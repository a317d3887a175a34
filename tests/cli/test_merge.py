"""`coxa merge`: what it prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.exit_codes import DONE, REFUSED, USAGE
from app.cli.main import main
from app.store.project import ProjectStore
from tests.support.merging import annotate, make_twins


def test_a_merge_is_rehearsed_then_made_then_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = make_twins(tmp_path)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}})
    annotate(theirs, "Ben", {"case-0": {"fracture": "no"}})
    capsys.readouterr()
    assert main(["merge", str(ours), str(theirs), "--dry-run", "--json"]) == DONE
    rehearsed = json.loads(capsys.readouterr().out)
    assert rehearsed["disagreements"] == [
        {"case": "case-0", "field": "fracture", "values": {"Anna": "yes", "Ben": "no"}}
    ]
    assert main(["merge", str(ours), str(theirs)]) == DONE
    out = capsys.readouterr().out
    assert "Brought" in out
    assert "case-0  fracture  Anna: yes; Ben: no" in out
    assert main(["merge", str(ours), str(theirs)]) == DONE
    assert "nothing changed" in capsys.readouterr().out
    with ProjectStore.open(ours) as project:
        assert any("before-merge" in file.name for file in project.folder.backups.iterdir())


def test_what_cannot_be_merged_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = make_twins(tmp_path, studies=1)
    assert main(["merge", str(ours), str(ours)]) == USAGE
    assert main(["merge", str(ours), str(tmp_path / "nowhere")]) == REFUSED
    marked = theirs / "project.db"
    content = marked.read_bytes()
    place = content.rindex(b"imported")
    marked.write_bytes(content[:place] + b"I" + content[place + 1 :])
    capsys.readouterr()
    assert main(["merge", str(ours), str(theirs)]) == REFUSED
    assert "not what was written" in capsys.readouterr().err


def test_an_export_is_imported_as_a_project_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, _ = make_twins(tmp_path, studies=2)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}})
    out, again = tmp_path / "export", tmp_path / "again"
    words = ["--formats", "coxa", "--contents", "images,labels,history"]
    assert main(["export", "--project", str(ours), "--out", str(out), *words]) == DONE
    assert main(["import", str(out / "coxa"), "--project", str(again), "--author", "B"]) == DONE
    assert main(["import", str(out), str(tmp_path), "--project", str(again)]) == USAGE
    capsys.readouterr()
    assert main(["import", str(out), "--project", str(again)]) == DONE
    assert "nothing changed" in capsys.readouterr().out
    with ProjectStore.open(again) as project:
        assert project.name == "Ours"
        assert project.cases.count() == 2
