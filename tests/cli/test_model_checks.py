"""`coxa models verify` and `audit`: what is said, with which exit code, and whose card may be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from app.cli.exit_codes import DONE, PROBLEMS, REFUSED, USAGE
from app.cli.main import main
from app.core.model_card import HeatmapAudit
from app.core.promotion import require_reason
from app.engine import audit, verify
from app.engine.audit import AuditReport
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
        (("hip-localiser",), "no-heatmaps"),
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
