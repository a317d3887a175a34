"""Our modules against reference implementations, with the same random weights."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
safetensors = pytest.importorskip("safetensors")

from app.engine.models.cvdt import DeformableSingle  # noqa: E402
from app.engine.models.deformable_attention import DeformableAttention  # noqa: E402
from app.engine.models.deformable_branch import BranchPlan  # noqa: E402
from app.engine.models.window_attention import WindowAttention  # noqa: E402

HERE = Path(__file__).parent / "oracles"
INPUTS = ("input", "output", "positions")


def read(path: Path):  # type: ignore[no-untyped-def]
    with safetensors.safe_open(path, "pt") as file:
        names = file.keys()
        return file.metadata(), {name: file.get_tensor(name) for name in names}


ATTENTION = ("v1_factor2_14x14", "v1_factor4_14x14", "v1_factor4_7x7", "v2_factor4_14x14")


@pytest.mark.parametrize(
    "path", [HERE / f"deformable_attention_{name}.safetensors" for name in ATTENTION], ids=ATTENTION
)
def test_deformable_attention_equals_dat(path: Path) -> None:
    """Both versions of DAT, both offset ranges, both map sizes: output and positions."""
    facts, tensors = read(path)
    batch, dim, size, _ = tensors["input"].shape
    module = DeformableAttention(
        dim,
        int(facts["heads"]),
        int(facts["groups"]),
        size,
        kernel=int(facts["kernel"]),
        factor=float(facts["offset_range_factor"]),
        references=facts["refs"],
    )
    module.load_state_dict({name: value for name, value in tensors.items() if name not in INPUTS})
    tokens = tensors["input"].permute(0, 2, 3, 1)
    with torch.inference_mode():
        output, query = module(tokens)
        positions = module.positions(query)
    assert (output.permute(0, 3, 1, 2) - tensors["output"]).abs().max() <= 1e-5
    assert (positions.view(batch, -1, size, size, 2) - tensors["positions"]).abs().max() <= 1e-5


def test_shifted_window_attention_equals_dat() -> None:
    """Window 7, shift 4."""
    facts, tensors = read(HERE / "shifted_window_attention_28x28.safetensors")
    module = WindowAttention(48, int(facts["heads"]), 28, window=int(facts["window"]), shift=int(facts["shift"]))
    module.load_state_dict({name: value for name, value in tensors.items() if name not in INPUTS})
    with torch.inference_mode():
        output = module(tensors["input"].permute(0, 2, 3, 1))
    assert (output.permute(0, 3, 1, 2) - tensors["output"]).abs().max() <= 1e-5


def test_whole_branch_equals_dat(shared_data: Path) -> None:
    """A four-stage branch with its head: same logits, same number of parameters."""
    path = shared_data.parent / "oracles" / "deformable_branch_small.safetensors"
    if not path.is_file():
        pytest.skip("the reference tensors of the whole branch are not here")
    facts, tensors = read(path)
    plan = BranchPlan(
        dims=(24, 48, 96, 192), references=facts["refs"], factor=float(facts["offset_range_factor"]), drop_path=0.0
    )
    model = DeformableSingle(plan).eval()
    weights = {
        name if name.startswith("head") else f"branch.{name}": value
        for name, value in tensors.items()
        if name not in INPUTS
    }
    model.load_state_dict(weights)
    assert sum(part.numel() for part in model.parameters()) == 1_778_004
    with torch.inference_mode():
        logits = model(tensors["input"].float())
    assert (logits - tensors["output"]).abs().max() <= 1e-4
