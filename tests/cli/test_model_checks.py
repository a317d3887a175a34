"""`coxa models verify` and `audit`: what is said, with which exit code, and whose card may be written."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")

from app.cli.exit_codes import DONE, PROBLEMS, REFUSED, USAGE
from app.cli.main import main
from app.cli.model_card import card_lines
from app.core.model_card import Figure, HeatmapAudit
from app.core.promotion import require_reason
from app.engine import audit, audit_places, verify
from app.engine.audit import AuditReport
from app.engine.audit_places import PlaceReport
from app.store.model_folder import WEIGHTS, read_card, weights_sha256, write_card
from app.store.models import Models
from app.store.project import ProjectStore
from tests.support.cards import make_card
from tests.support.window import make_project

PEAK = HeatmapAudit(hits=9, positives=10, measured_on="cases", random_similarity=0.1, is_passed=True)


@pytest.fixture
def received(tmp_path: Path) -> Path:
    """A model folder with a card and weights that fit no network."""
    source = tmp_path / "as received"
    source.mkdir()
    header = b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    (source / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header)
    write_card(source, make_card("single", weights_sha256=weights_sha256(source / WEIGHTS)))
    return source


@pytest.fixture
def project(tmp_path: Path, received: Path) -> Path:
    folder = make_project(tmp_path / "project", cases=1)
    with ProjectStore.open(folder) as store:
        Models(store).add(received)
    return folder


def test_a_model_that_is_not_as_it_should_be_ends_with_a_code_and_its_reasons(
    received: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "verify", str(received), "--json"]) == PROBLEMS
    (document,) = json.loads(capsys.readouterr().out)["models"]
    states = {check["name"]: check["state"] for check in document["checks"]}
    assert states["the weights are those of the card"] == "passed"
    assert states["the card is complete"] == states["the network takes the weights"] == "failed"
    assert not document["is_verified"]
    assert main(["models", "verify", str(received)]) == PROBLEMS
    assert "Not as they should be: as received." in capsys.readouterr().out


def test_every_model_of_a_project_is_checked_when_none_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(verify, "verify_model", lambda folder, is_named: (seen.append(folder.name), iter(()))[1])
    assert main(["models", "verify", "--project", str(project)]) == DONE
    assert seen[-1] == "single"
    assert len(seen) == len(Models(None).all()) + 1
    capsys.readouterr()
    assert main(["models", "verify", "nobody", "--json"]) == REFUSED
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "no-model"


def test_an_audit_is_said_and_written_to_a_projects_card_only_when_asked_for(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = project / "models" / "single"
    report = AuditReport(audit=PEAK, figures=(), measured_on="cases")
    monkeypatch.setattr(audit, "audit_model", lambda *args: report)
    assert main(["models", "audit", "single", "--project", str(project), "--cases", "2"]) == DONE
    assert "9 of 10 found fractures" in capsys.readouterr().out
    assert read_card(card).heatmap_audit is None
    assert main(["models", "audit", "single", "--project", str(project), "--write", "--json"]) == DONE
    document = json.loads(capsys.readouterr().out)
    assert (document["is_written"], document["audit"]["hits"], document["card_says"]) == (True, 9, None)
    assert read_card(card).heatmap_audit == PEAK
    failed = AuditReport(audit=None, figures=(), measured_on="cases")
    monkeypatch.setattr(audit, "audit_model", lambda *args: failed)
    assert main(["models", "audit", "single", "--project", str(project), "--write"]) == PROBLEMS
    assert read_card(card).heatmap_audit == PEAK


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("hip-localiser", "--write"), "usage"),
        (("cvdt-small", "--write"), "usage"),
        (("cvdt-small", "--project", "PROJECT", "--write"), "bundled"),
        (("nobody",), "no-model"),
    ],
)
def test_what_cannot_be_audited_is_said(
    words: tuple[str, ...], kind: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not {"hip-localiser", "cvdt-small"} <= {entry.id for entry in Models(None).all()}:
        pytest.skip("a copy without bundled models")
    given = [str(project) if word == "PROJECT" else word for word in words]
    assert main(["models", "audit", *given, "--json"]) == (USAGE if kind == "usage" else REFUSED)
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == kind


def test_of_a_localiser_the_distances_are_audited(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = read_card(project / "models" / "single")
    write_card(project / "models" / "single", msgspec.structs.replace(card, classes=("hip",), finding=0))
    figure = Figure(name="share within 20 mm, frontal", value=0.95, low=0.9, high=0.99, cases=40, measured_on="cases")
    asked: list[int] = []

    def audited(folder: Path, cases: object, choice: object, words: str) -> PlaceReport:
        asked.append(len(words))
        return PlaceReport(figures=(figure,), near=0.95, near_by_chance=chance, measured_on=words)

    monkeypatch.setattr(audit_places, "audit_places", audited)
    monkeypatch.setattr(audit_places, "known_case", lambda *_: pytest.fail("no case is made before it is needed"))
    words = ["models", "audit", "single", "--project", str(project), "--jobs", "1"]
    chance = 0.1
    assert main(words) == DONE
    said = capsys.readouterr().out
    assert "share within 20 mm, frontal 0.950 (0.900–0.990), 40 cases" in said
    assert "with random weights 10.0 %" in said
    assert "Passed" in said
    chance = 0.6
    assert main([*words, "--json"]) == PROBLEMS
    document = json.loads(capsys.readouterr().out)
    assert (document["is_passed"], document["within_20_mm"], document["is_written"]) == (False, 0.95, False)
    assert len(asked) == 2


def test_a_card_is_printed_to_be_read_and_raw_where_that_is_asked_for(
    received: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = read_card(received)
    figure = Figure(name="AUC", value=0.9, low=0.8, high=0.95, cases=40, measured_on="40 cases", method="DeLong")
    hostile = "Knows nothing. " * 20 + "\x1b[2J"
    card = msgspec.structs.replace(card, figures=(figure,), heatmap_audit=PEAK, limits="Knows nothing. " * 20)
    write_card(received, card)
    assert main(["models", "show", str(received)]) == DONE
    said = capsys.readouterr().out
    assert "Research use only. Not for diagnosis." in said
    assert "AUC   0.900  (0.800 … 0.950)     40 cases  DeLong" in said
    assert "9 of 10 found fractures (90.0 %)" in said
    for words in (card.title, card.task, card.trained_on, card.weights_sha256, "from a probability of 50.0 %"):
        assert words in said
    assert max(map(len, said.splitlines())) <= 118
    assert "\x1b" not in "\n".join(card_lines(msgspec.structs.replace(card, title=hostile, limits=hostile)))
    assert main(["models", "card", str(received), "--toml"]) == DONE
    assert capsys.readouterr().out == (received / "card.toml").read_text(encoding="utf-8")
    assert main(["models", "card", str(received), "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["weights_sha256"] == card.weights_sha256
    localiser = msgspec.structs.replace(card, classes=("hip",), finding=0, figures=(), heatmap_audit=None)
    words = "\n".join(card_lines(localiser))
    assert "Nothing was measured. Do not rely on it." in words
    assert "probability of" not in words
    assert "Heatmaps" not in words


def test_a_received_model_that_is_not_sound_is_not_taken_in(
    tmp_path: Path, received: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_project(tmp_path / "another", cases=1)
    assert main(["models", "import", str(received), "--project", str(folder)]) == REFUSED
    said = capsys.readouterr().err
    assert "was not taken in" in said
    assert "the network takes the weights" in said
    with ProjectStore.open(folder, is_read_only=True) as store:
        assert all(entry.is_bundled for entry in Models(store).all())


def test_who_promotes_without_a_reason_is_told_where_to_give_one(
    project: Path, received: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Models, "promote", lambda *_, reason, **__: require_reason(None, reason))
    assert main(["models", "promote", "single", "--project", str(project)]) == REFUSED
    assert "in 10 letters or more: --reason TEXT." in capsys.readouterr().err
