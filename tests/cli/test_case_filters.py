"""`coxa cases` lists what the worklist lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.exit_codes import DONE, USAGE
from app.cli.main import main
from app.core.worklist import Query, Sort, parse_filter
from app.store.project import ProjectStore
from tests.support.many_cases import make_many_cases
from tests.support.naive_worklist import answer, facts
from tests.support.window import make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed project of invented hips."""
    path = tmp_path_factory.mktemp("filters") / "project"
    make_many_cases(path, 50, seed=3)
    return path


def listed(capsys: pytest.CaptureFixture[str], project: Path, *words: str) -> list[str]:
    assert main(["cases", "--project", str(project), "--json", *words]) == DONE
    return [case["case"] for case in json.loads(capsys.readouterr().out)["cases"]]


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ((), Query()),
        (("--search", "neck lef"), Query("neck lef")),
        (("--status", "new", "--status", "reviewed"), Query(filters=(parse_filter("status=new,reviewed"),))),
        (("--filter", "date>=2020-01-01", "--filter", "label.garden!=I", "--sort=-date"),
         Query(filters=(parse_filter("date>=2020-01-01"), parse_filter("label.garden!=I")), sort=Sort("date", True))),
        (("--side", "left", "--projection", "frog-leg", "--sort", "label.score"),
         Query(filters=(parse_filter("side=left"), parse_filter("projection=frog-leg")), sort=Sort("label.score"))),
        (("--filter", "label.score="), Query(filters=(parse_filter("label.score="),))),
        (("--sort=-position",), Query(sort=Sort("position", True))),
    ],
)  # fmt: skip
def test_filters_of_the_command_line(
    capsys: pytest.CaptureFixture[str], project: Path, words: tuple[str, ...], query: Query
) -> None:
    with ProjectStore.open(project, is_read_only=True) as store:
        right = answer(facts(store), query)
    assert right, "the test asks for something that is there"
    assert listed(capsys, project, *words) == right
    assert listed(capsys, project, *words, "--limit", "2") == right[:2]


def test_fields_with_their_counts(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert main(["cases", "--fields", "--json", "--project", str(project)]) == DONE
    found = json.loads(capsys.readouterr().out)
    assert sum(found["status"].values()) == 50
    assert set(found["label.fracture"]) <= {"neck", "none", "shaft", "subtrochanteric", "trochanteric", ""}
    assert main(["cases", "--fields", "--status", "new", "--project", str(project)]) == DONE
    out = capsys.readouterr().out
    assert "label.garden" in out
    assert f"{found['status']['new']:>7}  new" in out


@pytest.mark.parametrize(
    "words",
    [("--filter", "colour=red"), ("--filter", "status"), ("--filter", "status=done"), ("--sort", "nothing"),
     ("--side", "both"), ("--filter", "date>=")],
)  # fmt: skip
def test_what_is_no_filter_is_said(capsys: pytest.CaptureFixture[str], project: Path, words: tuple[str, ...]) -> None:
    assert main(["cases", "--project", str(project), *words]) == USAGE
    assert "coxa: " in capsys.readouterr().err


def test_a_filter_that_finds_nothing_lists_nothing(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert listed(capsys, project, "--search", 'zzzz " OR (') == []


def test_a_question_that_nobody_has_answered_is_no_unknown_field_and_its_values_are_checked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Garden III is the value 3: `III` would find nothing and say nothing."""
    folder = make_project(tmp_path / "p", cases=2)
    words = ["cases", "--project", str(folder), "--filter"]
    assert listed(capsys, folder, "--filter", "label.garden=3,4") == []
    assert len(listed(capsys, folder, "--filter", "label.garden!=3")) == 2
    assert main([*words, "label.garden=III"]) == USAGE
    assert "has no value III. Its values are 1, 2, 3, 4." in capsys.readouterr().err
    assert main([*words, "label.nobody=1"]) == USAGE
    assert "There is no field label.nobody" in capsys.readouterr().err
