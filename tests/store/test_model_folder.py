"""Models on disk: what is received is checked before anything is opened."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.core.case import ViewRole
from app.core.errors import UserError
from app.core.model_card import Calibration, Figure, HeatmapAudit, ModelCard
from app.core.model_input import InputKind, ModelInput
from app.store import model_folder
from app.store.model_folder import (
    CARD,
    GRAPH,
    WEIGHTS,
    import_model,
    read_card,
    read_weights,
    verified_weights,
    weights_sha256,
    write_card,
)


def make(folder: Path, *, content: bytes | None = None, **changes: Any) -> ModelCard:
    folder.mkdir(parents=True)
    header = json.dumps({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}).encode()
    file = content if content is not None else len(header).to_bytes(8, "little") + header + b"ab"
    (folder / WEIGHTS).write_bytes(file)
    facts: dict[str, Any] = {
        "id": "small", "title": "A small model", "architecture": "cvdt-small", "task": "Fracture or not.",
        "classes": ("no fracture", "fracture"), "finding": 1,
        "input": ModelInput(kind=InputKind.REGION_CROP, roles=(ViewRole.FRONTAL, ViewRole.LATERAL), size_px=224),
        "weights_sha256": weights_sha256(folder / WEIGHTS), "initialised_from": "random",
        "trained_on": "8 synthetic hips", "seeds": "1", "command": "coxa train", "licence": "CC0",
        "limits": "Knows synthetic hips — ‹nothing› else.",
    }  # fmt: skip
    card = ModelCard(**(facts | changes))
    write_card(folder, card)
    return card


def test_a_card_survives_being_written(tmp_path: Path) -> None:
    card = make(
        tmp_path / "one",
        threshold=0.41,
        calibration=Calibration(temperature=1.7, made_on="20 synthetic hips", error_before=0.1, error_after=0.02),
        figures=(Figure(name="AUC", value=0.95, low=0.93, high=0.97, cases=400, measured_on="synthetic hips"),),
        heatmap_audit=HeatmapAudit(
            hits=47, positives=49, measured_on="synthetic hips", random_similarity=0.1, is_passed=True
        ),
    )
    assert read_card(tmp_path / "one") == card
    assert card.is_heatmap_validated
    assert verified_weights(tmp_path / "one", card).name == WEIGHTS


@pytest.mark.parametrize(
    "spoil",
    [
        lambda words: "",
        lambda words: words.replace("finding = 1", "finding = 2"),
        lambda words: words.replace("finding = 1", 'finding = "1"'),
        lambda words: "unknown = 1\n" + words,
        lambda words: words.replace("temperature =", "temper ="),
        lambda words: words.replace("[", "(", 1),
        lambda words: words.replace('kind = "region-crop"', 'kind = "everything"'),
        lambda words: words.replace('title = "', 'title = "\u202e', 1),  # turns the direction of what follows
        lambda words: words.replace('title = "', 'title = "\u200b', 1),
    ],
)
def test_a_bad_card_is_refused(tmp_path: Path, spoil: Any) -> None:
    make(tmp_path / "one")
    path = tmp_path / "one" / CARD
    words = path.read_text(encoding="utf-8")
    assert spoil(words) != words
    path.write_text(spoil(words), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_card(tmp_path / "one")
    assert caught.value.kind == "bad-card"


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("the pickle was opened",))


@pytest.mark.parametrize("content", [b"", b"abc", bytes(64), pickle.dumps(Bomb()), b"\xff" * 8 + b"{" * 99])
def test_only_safetensors_is_opened(tmp_path: Path, content: bytes) -> None:
    card = make(tmp_path / "one", content=content)
    with pytest.raises(UserError) as caught:
        verified_weights(tmp_path / "one", card)
    assert caught.value.kind == "not-safetensors"


def test_other_weights_are_refused(tmp_path: Path) -> None:
    card = make(tmp_path / "one")
    path = tmp_path / "one" / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"c")
    with pytest.raises(UserError) as caught:
        verified_weights(tmp_path / "one", card)
    assert caught.value.kind == "other-weights"
    path.unlink()
    with pytest.raises(UserError) as caught:
        verified_weights(tmp_path / "one", card)
    assert caught.value.kind == "no-weights"


def test_a_received_model_is_copied_whole_or_not_at_all(tmp_path: Path) -> None:
    card = make(tmp_path / "received")
    models = tmp_path / "models"
    assert import_model(tmp_path / "received", models) == card
    assert import_model(tmp_path / "received", models) == card  # again: it is there already
    assert [path.name for path in models.iterdir()] == ["small"]
    make(tmp_path / "other", content=(tmp_path / "received" / WEIGHTS).read_bytes()[:-1] + b"z")
    make(tmp_path / "claims more", limits="None.")
    for other in ("other", "claims more"):
        with pytest.raises(UserError) as caught:
            import_model(tmp_path / other, models)
        assert caught.value.kind == "exists"


@pytest.mark.parametrize("name", [CARD, WEIGHTS, GRAPH])
@pytest.mark.parametrize("spoil", ["gone", "cut", "exchanged"])
def test_importing_again_mends_what_was_damaged(tmp_path: Path, name: str, spoil: str) -> None:
    """It is what the message about a damaged model tells people to do."""
    card = make(tmp_path / "received")
    (tmp_path / "received" / GRAPH).write_bytes(b"a graph")
    card = msgspec.structs.replace(card, graph_sha256=weights_sha256(tmp_path / "received" / GRAPH))
    write_card(tmp_path / "received", card)
    goal = tmp_path / "models" / import_model(tmp_path / "received", tmp_path / "models").id
    before = {path.name: path.read_bytes() for path in goal.iterdir()}
    assert set(before) == {CARD, WEIGHTS, GRAPH}
    if spoil == "gone":
        (goal / name).unlink()
    else:
        (goal / name).write_bytes(before[name][:9] if spoil == "cut" else before[name][:-1] + b"z")
    assert import_model(tmp_path / "received", tmp_path / "models") == card
    assert {path.name: path.read_bytes() for path in goal.iterdir()} == before


def test_importing_mends_no_other_model_whose_card_cannot_be_read(tmp_path: Path) -> None:
    make(tmp_path / "received")
    make(tmp_path / "models" / "small", content=(tmp_path / "received" / WEIGHTS).read_bytes()[:-1] + b"z")
    (tmp_path / "models" / "small" / CARD).write_text("nothing")
    with pytest.raises(UserError) as caught:
        import_model(tmp_path / "received", tmp_path / "models")
    assert caught.value.kind == "exists"


def test_what_was_checked_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are exchanged while they are looked at are refused: there is one reading."""
    card = make(tmp_path / "one")
    path = tmp_path / "one" / WEIGHTS
    good = path.read_bytes()
    assert read_weights(tmp_path / "one", card).tobytes() == good
    check = model_folder.require_safetensors

    def exchanged(file: Path) -> None:
        check(file)
        file.write_bytes(good[:-1] + b"c")

    monkeypatch.setattr(model_folder, "require_safetensors", exchanged)
    with pytest.raises(UserError) as caught:
        read_weights(tmp_path / "one", card)
    assert caught.value.kind == "other-weights"


@pytest.mark.parametrize("name", ["", "../away", "a/b", "a b", "ä"])
def test_a_model_cannot_choose_its_place(tmp_path: Path, name: str) -> None:
    make(tmp_path / "received", id=name)
    with pytest.raises(UserError) as caught:
        import_model(tmp_path / "received", tmp_path / "models")
    assert caught.value.kind == "bad-card"
    assert not (tmp_path / "models").exists()


def test_names_of_dots_only_stay_inside(tmp_path: Path) -> None:
    for name in (".", ".."):
        make(tmp_path / f"received{len(name)}", id=name)
        with pytest.raises(UserError):
            import_model(tmp_path / f"received{len(name)}", tmp_path / "models")


def test_impossible_cards_cannot_be_made(tmp_path: Path) -> None:
    card = make(tmp_path / "one")
    for changes in ({"finding": 2}, {"threshold": 1.0}, {"heatmap_scale": 0.0}, {"weights_sha256": "12"}):
        with pytest.raises(ValueError, match=r"."):
            msgspec.structs.replace(card, **changes)
