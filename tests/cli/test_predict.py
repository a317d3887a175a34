"""`coxa predict` with an engine that needs no models: what is asked, kept, written and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import engine_client
from app.cli.exit_codes import DONE, PROBLEMS, REFUSED, USAGE
from app.cli.main import main
from app.core.counsel import UsableModel
from app.store.findings import Findings
from app.store.model_folder import WEIGHTS, weights_sha256, write_card
from app.store.models import Models
from app.store.project import ProjectStore
from tests.support.cards import make_card
from tests.support.engine_window import Plan
from tests.support.window import make_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two cases and a model of which there is only the card."""
    folder = make_project(tmp_path / "project", cases=2)
    source = tmp_path / "single"
    source.mkdir()
    header = b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    (source / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header)
    write_card(source, make_card("single", weights_sha256=weights_sha256(source / WEIGHTS)))
    with ProjectStore.open(folder) as store:
        Models(store).add(source)
    return folder


@pytest.fixture
def plan(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    with ProjectStore.open(project) as store:
        entry = Models(store).get("single")
        made = Plan(tmp_path / "plan.json", store, [UsableModel(folder=str(entry.folder), card=entry.card)])
    monkeypatch.setattr(engine_client, "COMMAND", tuple(made.command))
    return made


def predict(capsys: pytest.CaptureFixture[str], project: Path, *words: str) -> tuple[int, str, str]:
    code = main(["predict", "--project", str(project), "--model", "single", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_answers_are_said_kept_and_not_asked_for_twice(
    project: Path, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = predict(capsys, project, "--json")
    assert code == DONE
    cases = json.loads(out)["cases"]
    assert len(cases) == 2
    answer = cases[0]["answers"][0]
    assert answer["model"] == "single"
    assert answer["place"] == "fracture.frontal"
    assert answer["state"] == "answered"
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    kept = Findings(project / "cache", is_writable=False)
    found = kept.get(cases[0]["case"], answer["weights_sha256"], answer["input_key"])
    assert found is not None
    assert found.probabilities[1] == answer["probabilities"]["fracture"]
    kept.close()
    plan.be(faults=[("greeted", "exit")])  # nothing has to be computed now
    code, again, _ = predict(capsys, project, "--json")
    assert code == DONE
    assert json.loads(again) == json.loads(out)
    code, out, _ = predict(capsys, project, "--case", cases[1]["case"])
    assert code == DONE
    assert "fracture: " in out
    assert "threshold 50 %" in out
    assert cases[0]["case"] not in out


def test_an_engine_that_ends_is_started_again_and_a_case_that_ends_it_twice_is_said(
    project: Path, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.be(faults=[("started", "kill"), ("started", "abort")])
    code, out, _ = predict(capsys, project, "--json")
    assert code == PROBLEMS
    states = sorted(case["answers"][0]["state"] for case in json.loads(out)["cases"])
    assert states == ["answered", "failed"]
    plan.be(faults=[("ready", "kill")] * 4)
    code, out, err = predict(capsys, project)
    assert code == REFUSED
    assert "keeps ending" in err


def test_what_cannot_be_done_is_said(project: Path, plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict(capsys, project, "--case", "C-NOBODY")[0] == USAGE
    code, _, err = predict(capsys, project, "--model", "no-such-model")
    assert code == REFUSED
    assert "a model no-such-model" in err
    plan.be(faults=[("greeted", "exit")])
    code, _, err = predict(capsys, project)
    assert code == REFUSED
    assert "not installed" in err


def test_a_project_that_somebody_else_writes_is_looked_at_and_nothing_is_kept(
    project: Path, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.open(project):
        code, out, _ = predict(capsys, project, "--json")
    assert code == DONE
    answer = json.loads(out)["cases"][0]["answers"][0]
    kept = Findings(project / "cache", is_writable=False)
    assert kept.get("any", answer["weights_sha256"], answer["input_key"]) is None
    kept.close()
