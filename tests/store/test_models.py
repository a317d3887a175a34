"""Which model answers: promoted by an event, taken back by another."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.case import ViewRole
from app.core.errors import UserError
from app.core.model_input import InputKind, ModelInput
from app.core.promotion import Comparison, Flip
from app.store.models import Models
from app.store.project import ProjectStore
from tests.store.test_model_folder import make


def comparison(gain: float, *flips: bool) -> Comparison:
    listed = tuple(
        Flip(case_id=f"C{n}", is_finding=True, before=0.2, after=0.8, is_better=better)
        for n, better in enumerate(flips)
    )
    return Comparison(
        new_id="new", active_id="small", cases=20, patients=20, new_auc=0.9 + gain, active_auc=0.9, gain=gain,
        low=gain - 0.1, high=gain + 0.1, p=0.5, flips=listed,
    )  # fmt: skip


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    make(tmp_path / "bundled" / "small", decides="fracture")
    return tmp_path / "bundled"


@pytest.fixture
def received(tmp_path: Path) -> Path:
    make(tmp_path / "received" / "new", id="new", decides="fracture", title="New")
    make(tmp_path / "received" / "third", id="third", decides="fracture")
    return tmp_path / "received"


def test_a_place_is_told_from_question_and_views(tmp_path: Path) -> None:
    card = make(tmp_path / "a", decides="atypical")
    assert card.task_id == "atypical.pair"
    frontal = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=512)
    assert make(tmp_path / "b", input=frontal).task_id == "fracture.frontal"
    assert make(tmp_path / "c", input=frontal, classes=("nff", "aff")).task_id == "atypical.frontal"
    assert make(tmp_path / "d", input=frontal, classes=("x",), finding=0).task_id == "other.frontal"


def test_promote_and_roll_back(tmp_path: Path, bundled: Path, received: Path) -> None:
    with ProjectStore.create(tmp_path / "project") as project:
        models = Models(project, bundled=bundled)
        active = models.active("fracture.pair")
        assert active is not None
        assert active.id == "small"
        assert active.is_bundled
        assert models.active("garden.pair") is None
        models.add(received / "new")
        models.add(received / "third")
        assert [entry.id for entry in models.all()] == ["small", "new", "third"]
        assert models.promote("new", author="ab", comparison=comparison(0.02)) is not None
        assert models.promote("new", author="ab") is None
        for worse in (comparison(-0.01), comparison(0.0, True, False, False), None):
            with pytest.raises(UserError) as caught:
                models.promote("third", author="ab", comparison=worse, reason="because")
            assert caught.value.kind == "needs-reason"
        models.promote("third", author="ab", comparison=comparison(-0.01), reason="Trained on our own detector.")
        assert models.actives()["fracture.pair"].id == "third"
        assert "our own detector" in models.history("fracture.pair")[-1].text
        models.roll_back("fracture.pair", author="ab")
        assert models.actives()["fracture.pair"].id == "new"
        models.roll_back("fracture.pair", author="ab", reason="Back again")
        assert models.actives()["fracture.pair"].id == "small"
        assert not models.can_roll_back("fracture.pair")
        with pytest.raises(UserError) as caught:
            models.roll_back("fracture.pair", author="ab")
        assert caught.value.kind == "nothing-to-roll-back"
        models.promote("third", author="ab", comparison=comparison(0.1))
        (project.folder.models / "third" / "card.toml").unlink()
        assert models.actives()["fracture.pair"].id == "small"  # it is gone: the bundled one answers
        with pytest.raises(UserError):
            models.promote("third", author="ab")
    with ProjectStore.open(tmp_path / "project", is_read_only=True) as reader:
        with pytest.raises(UserError) as caught:
            Models(reader, bundled=bundled).promote("new", author="ab")
        assert caught.value.kind == "read-only"
    assert [entry.id for entry in Models(None, bundled=bundled).all()] == ["small"]


def test_a_received_model_does_not_take_the_place_of_a_bundled_one_by_its_name(tmp_path: Path, bundled: Path) -> None:
    with ProjectStore.create(tmp_path / "project") as project:
        models = Models(project, bundled=bundled)
        with pytest.raises(UserError) as caught:
            models.add(bundled / "small")
        assert caught.value.kind == "exists"
        assert models.actives()["fracture.pair"].is_bundled


def test_changed_weights_are_not_promoted(tmp_path: Path, bundled: Path, received: Path) -> None:
    with ProjectStore.create(tmp_path / "project") as project:
        models = Models(project, bundled=bundled)
        entry = models.add(received / "new")
        path = entry.folder / "weights.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(UserError) as caught:
            models.promote("new", author="ab", comparison=comparison(0.1))
        assert caught.value.kind == "other-weights"
        assert models.actives()["fracture.pair"].id == "small"
