"""Graphs of networks: they say what torch says, share the weights of their model, and are refused beside others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from safetensors.torch import load_file, save_file  # noqa: E402

from app.core.errors import UserError  # noqa: E402
from app.engine.explain import heatmaps  # noqa: E402
from app.engine.graph_export import export_graph  # noqa: E402
from app.engine.graph_file import read_graph  # noqa: E402
from app.engine.graph_model import GraphModel  # noqa: E402
from app.engine.head_gradient import head_gradient  # noqa: E402
from app.engine.heatmap_method import HeatmapMethod  # noqa: E402
from app.engine.loaded_model import LoadedModel  # noqa: E402
from app.engine.models.backbones import Backbone  # noqa: E402
from app.engine.models.cvdt import Cvdt, CvdtPlan, DeformableSingle  # noqa: E402
from app.engine.models.deformable_branch import BranchPlan  # noqa: E402
from app.engine.models.hip_model import HipModel  # noqa: E402
from app.engine.models.paired_baselines import Dual, Single  # noqa: E402
from app.engine.outlier import OutlierModel  # noqa: E402
from app.store.model_folder import GRAPH, WEIGHTS, read_card, weights_sha256, write_card  # noqa: E402
from tests.support.engine_process import make_model  # noqa: E402

CPU = torch.device("cpu")


def stored_as_shipped(folder: Path) -> None:
    """Matrices in half precision and a description of training cases, as bundled models have."""
    tensors = {
        name: part.half() if part.is_floating_point() and part.ndim > 1 else part
        for name, part in load_file(folder / WEIGHTS).items()
    }
    channels = 384 if folder.name == "pair" else 1280
    outlier = OutlierModel.fit(torch.randn(5, channels, generator=torch.Generator().manual_seed(1)))
    save_file(tensors | outlier.tensors(), folder / WEIGHTS)
    card = read_card(folder)
    facts = {name: getattr(card, name) for name in card.__struct_fields__}
    write_card(folder, type(card)(**(facts | {"weights_sha256": weights_sha256(folder / WEIGHTS)})))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair, and one view with a class activation map; both with graphs."""
    place = tmp_path_factory.mktemp("models")
    make_model(place / "pair", "cvdt-small")
    make_model(place / "single", "efficientnet-lite0-intervention")
    for name in ("pair", "single"):
        stored_as_shipped(place / name)
        export_graph(place / name)
    return place


def views_of(folder: Path, seed: int) -> tuple[np.ndarray, ...]:
    wanted, generator = read_card(folder).input, np.random.default_rng(seed)
    shape = (wanted.channels, wanted.size_px, wanted.size_px)
    return tuple(generator.standard_normal(shape).astype(np.float32) for _ in wanted.roles)


@pytest.mark.parametrize("name", ["pair", "single"])
def test_a_graph_says_what_the_network_says(models: Path, name: str) -> None:
    """Probabilities and distances within 1e-4, heatmaps within 1e-3 of their largest value, for every method;
    in half the precision probabilities within 1e-2."""
    graph = GraphModel(models / name, precision="float32")
    network = LoadedModel(models / name, device=CPU, precision=torch.float32)
    methods = [None, HeatmapMethod.GRAD_CAM, HeatmapMethod.GRAD_CAM_PP]
    methods += [HeatmapMethod.CAM] if name == "single" else []
    cases = [views_of(models / name, seed) for seed in (5, 6)]
    quick = GraphModel(models / name, precision="bfloat16").look(cases)
    for one, other in zip(quick, graph.look(cases), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-2)
    for number, method in enumerate(methods):
        ours = graph.look(cases, method=method, class_number=number % 2)
        theirs = network.look(cases, method=method, class_number=number % 2)
        for one, other in zip(ours, theirs, strict=True):
            assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
            assert one.distance == pytest.approx(other.distance, rel=1e-4)
            assert len(one.heatmaps) == len(other.heatmaps) == (0 if method is None else len(cases[0]))
            for part, meant in zip(one.heatmaps, other.heatmaps, strict=True):
                assert part.dtype == np.float32
                assert np.abs(part - meant).max() <= 1e-3 * max(float(meant.max()), 1e-6)


def test_what_a_graph_does_not_have_it_refuses_as_the_network_does(models: Path) -> None:
    with pytest.raises(UserError) as caught:
        GraphModel(models / "pair", precision="float32").look([views_of(models / "pair", 0)], method=HeatmapMethod.CAM)
    assert caught.value.kind == "no-method"


def test_weights_are_shared_and_not_stored_twice(models: Path) -> None:
    for name, most in (("pair", 100_000), ("single", 50_000)):
        assert (models / name / GRAPH).stat().st_size < most
        graph = read_graph(models / name, read_card(models / name))
        size = (models / name / WEIGHTS).stat().st_size
        assert graph.content[:size].tobytes() == (models / name / WEIGHTS).read_bytes()
        assert str(models).encode() not in graph.network


def test_a_graph_beside_other_weights_is_refused(models: Path, tmp_path: Path) -> None:
    make_model(tmp_path / "other", "cvdt-small", seed=1)
    (tmp_path / "other" / GRAPH).write_bytes((models / "pair" / GRAPH).read_bytes())
    with pytest.raises(UserError) as caught:
        GraphModel(tmp_path / "other", precision="float32")
    assert caught.value.kind == "other-graph"


def test_a_broken_graph_is_refused(models: Path, tmp_path: Path) -> None:
    whole = (models / "pair" / GRAPH).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    (tmp_path / WEIGHTS).symlink_to(models / "pair" / WEIGHTS)
    card = read_card(models / "pair")
    for name, kind in ((None, "bad-graph"), (card.graph_sha256, "other-graph")):  # an older card names none
        write_card(tmp_path, msgspec.structs.replace(card, graph_sha256=name))
        for broken in (b"", whole[: len(whole) // 2], bytes(flipped), whole.replace(b"graph.xml", b"graph.abc")):
            (tmp_path / GRAPH).write_bytes(broken)
            with pytest.raises(UserError) as caught:
                GraphModel(tmp_path, precision="float32")
            assert caught.value.kind == kind


def test_it_runs_without_torch(models: Path) -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('torch', 'timm', 'safetensors', 'torchvision')));"
        "import numpy as np; from pathlib import Path; from app.engine.graph_model import GraphModel;"
        "from app.engine.heatmap_method import HeatmapMethod as H;"
        f"model = GraphModel(Path({str(models / 'single')!r}), precision='float32');"
        "said = model.look([(np.zeros((3, 256, 256), np.float32),)], method=H.CAM)[0];"
        "print(round(sum(said.probabilities), 4), said.heatmaps[0].shape)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1.0 (8, 8)"


TINY = BranchPlan(dims=(6, 12, 24, 48), drop_path=0.0)


@pytest.mark.parametrize(
    ("build", "channels"),
    [
        (lambda: Single(Backbone("resnet18"), classes=3), (512,)),
        (lambda: DeformableSingle(TINY), (48,)),
        (lambda: Dual(Single(Backbone("resnet18")), Single(Backbone("resnet18"))), (512, 512)),
        (lambda: Cvdt(CvdtPlan(branch=TINY, hidden=20)), (48, 48)),
    ],
)
def test_the_written_gradient_is_the_gradient(build, channels: tuple[int, ...]) -> None:  # type: ignore[no-untyped-def]
    """Against autograd, and spread evenly over the places, as the maths of the graph assumes."""
    torch.manual_seed(0)
    model: HipModel = build().eval()
    maps = tuple(torch.randn(1, number, 3, 4).requires_grad_() for number in channels)
    written = head_gradient(model, maps)
    logits = model.classify(maps)
    for number in range(logits.shape[1]):
        for ours, meant in zip(written, torch.autograd.grad(logits[0, number], maps, retain_graph=True), strict=True):
            spread = (ours[number] / 12)[None, :, None, None].expand_as(meant)
            assert torch.allclose(spread, meant, atol=1e-7)
    _, found = heatmaps(model, maps, 0, HeatmapMethod.GRAD_CAM)
    assert len(found) == len(written)


def test_a_classifier_that_is_not_written_out_is_not_exported() -> None:
    class Other(HipModel):
        def maps(self, *images):  # type: ignore[no-untyped-def]
            return images

        def classify(self, maps):  # type: ignore[no-untyped-def]
            return maps[0].amax((-2, -1))

    with pytest.raises(UserError) as caught:
        head_gradient(Other(), (torch.zeros(1, 2, 3, 3),))
    assert caught.value.kind == "no-gradient"
