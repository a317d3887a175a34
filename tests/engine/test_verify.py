"""`coxa models verify`: whatever is wrong with a model on disk is found, and by the check that is about it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.core.model_check import CheckState  # noqa: E402
from app.engine import verify  # noqa: E402
from app.engine.audit import FedCase  # noqa: E402
from app.engine.graph_export import export_graph, name_graph  # noqa: E402
from app.engine.graph_file import NETWORK  # noqa: E402
from app.engine.quick_precision import check_views  # noqa: E402
from app.store.model_folder import CARD, GRAPH, WEIGHTS, import_model, read_card, weights_sha256, write_card  # noqa: E402
from tests.core.test_model_check import whole  # noqa: E402
from tests.support.engine_process import make_model  # noqa: E402

FAILED, PASSED = CheckState.FAILED, CheckState.PASSED


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a complete card and a graph."""
    folder = tmp_path_factory.mktemp("models") / "frontal"
    card = whole()
    kept = {name: getattr(card, name) for name in ("figures", "calibration", "threshold_rule", "outlier_limit")}
    make_model(folder, "cvdt-small-frontal", **kept)
    export_graph(folder)
    return folder


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(made, tmp_path / made.name))


def failures(folder: Path, *, is_named: bool = True) -> dict[str, str]:
    return {
        check.name: check.words
        for check in verify.verify_model(folder, is_named=is_named)
        if check.state is FAILED
    }  # fmt: skip


def renamed(folder: Path, **changes: object) -> None:
    write_card(folder, msgspec.structs.replace(read_card(folder), **changes))


def test_a_good_model_passes_every_check(made: Path) -> None:
    checks = list(verify.verify_model(made))
    assert [check.name for check in checks if check.state is FAILED] == []
    assert "the graph says what the network says, float32" in [c.name for c in checks if c.state is PASSED]
    assert read_card(made).graph_sha256 == weights_sha256(made / GRAPH)


def test_damaged_files_are_found(model: Path) -> None:
    content = bytearray((model / GRAPH).read_bytes())
    content[len(content) // 2] ^= 1
    (model / GRAPH).write_bytes(content)
    assert list(failures(model)) == ["the graph is that of the card"]
    (model / GRAPH).unlink()
    assert failures(model) == {"the graph is that of the card": "the card names one, and it is missing"}
    content = bytearray((model / WEIGHTS).read_bytes())
    content[-5] ^= 1
    (model / WEIGHTS).write_bytes(content)
    assert "the weights are those of the card" in failures(model)
    (model / CARD).write_text("id = 3", encoding="utf-8")
    assert list(failures(model)) == ["the card can be read"]


def test_weights_that_are_no_numbers_are_found_although_their_hash_is_right(model: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(model / WEIGHTS)
    tensors["head.bias"][0] = torch.nan
    save_file(tensors, model / WEIGHTS)
    renamed(model, weights_sha256=weights_sha256(model / WEIGHTS))
    assert "head.bias" in failures(model)["every tensor can be read"]


def test_a_graph_that_says_something_else_is_found_although_its_hash_is_right(model: Path) -> None:
    with zipfile.ZipFile(model / GRAPH) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    other = members[NETWORK].replace(b'type="Gelu"', b'type="Tanh"')
    assert other != members[NETWORK]
    with zipfile.ZipFile(model / GRAPH, "w") as archive:
        for name, content in (members | {NETWORK: other}).items():
            archive.writestr(name, content)
    renamed(model, graph_sha256=weights_sha256(model / GRAPH))
    assert "the graph says what the network says, float32" in failures(model)
    with pytest.raises(Exception, match="does not say what the network says"):
        name_graph(model)
    assert read_card(model).graph_sha256 is None
    apart = next(iter(verify.decision_checks(model, cases_of(model))))
    assert apart.state is FAILED


def cases_of(folder: Path) -> list[FedCase]:
    return [
        FedCase(patient=f"{number}", is_positive=True, views=views, clicks_xy=np.zeros((1, 2), np.float32))
        for number, views in enumerate(check_views(read_card(folder).input))
    ]


def test_decisions_of_graph_and_network_are_compared_case_by_case(made: Path) -> None:
    checks = list(verify.decision_checks(made, cases_of(made)))
    assert [check.name.partition(" ")[0] for check in checks] == ["float32", "bfloat16"]
    assert checks[0].state is PASSED
    assert "0 of 4 decisions flipped" in checks[0].words


def test_a_received_model_may_lie_in_a_folder_of_any_name(model: Path) -> None:
    other = model.rename(model.with_name("as received"))
    assert "the folder is as received" in failures(other)["the card can be read"]
    assert failures(other, is_named=False) == {}


def test_a_graph_that_is_not_the_cards_is_not_imported(model: Path, tmp_path: Path) -> None:
    renamed(model, graph_sha256="0" * 64)
    with pytest.raises(Exception, match="not the one that its card describes"):
        import_model(model, tmp_path / "models")
    assert not (tmp_path / "models" / "frontal").exists()


def test_without_torch_the_rest_is_checked_and_what_is_left_out_is_said(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "has_torch", lambda: False)
    states = {check.name: check.state for check in verify.verify_model(made)}
    assert states["the graph can be computed"] is PASSED
    assert states["the graph says what the network says"] is CheckState.SKIPPED
    assert FAILED not in states.values()
