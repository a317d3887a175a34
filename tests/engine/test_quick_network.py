"""A quick way to compute is taken while it says what the plain way says; whatever goes wrong, there is an answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from torch import Tensor, nn  # noqa: E402

from app.core.case import ViewRole  # noqa: E402
from app.core.model_input import InputKind, ModelInput  # noqa: E402
from app.engine.loaded_model import LoadedModel  # noqa: E402
from app.engine.models.cvdt import SMALL, DeformableSingle  # noqa: E402
from app.engine.models.hip_model import HipModel, Maps, pooled  # noqa: E402
from app.engine.opinion import MemoryShortageError, calibrated  # noqa: E402
from app.engine.quick_network import BATCHES, QuickNetwork, Way, ways  # noqa: E402
from tests.support.engine_process import make_model  # noqa: E402

CPU = torch.device("cpu")
SIDE = 16
WANTED = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL, ViewRole.LATERAL), size_px=SIDE, channels=1)
RECORDED = Way(precision=torch.float32, is_recorded=True)
PLAIN = Way(precision=torch.float32)
Replay = Callable[[], Maps]


class Small(HipModel):
    """Two views, one convolution, one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(8, 2)
        self.sizes: list[int] = []

    def maps(self, *images: Tensor) -> Maps:
        self.sizes.append(images[0].shape[0])
        return tuple(self.conv(image).relu() for image in images)

    def classify(self, maps: Maps) -> Tensor:
        result: Tensor = self.head(torch.cat([pooled(part) for part in maps], 1))
        return result


class Recorder:
    """In the place of CUDA graphs: computes anew from what the fixed places hold; may be wrong, or fail."""

    def __init__(self, *, wrong: float = 0.0, error: Exception | None = None, largest: int = 99) -> None:
        self.wrong, self.error, self.largest = wrong, error, largest
        self.sizes: list[int] = []

    def __call__(self, compute: Callable[..., Maps], images: tuple[Tensor, ...]) -> Replay:
        self.sizes.append(images[0].shape[0])
        if images[0].shape[0] > self.largest:
            raise torch.OutOfMemoryError("too much")
        if self.error is not None:
            raise self.error
        return lambda: tuple(part + self.wrong for part in compute(*images))


def quick(network: HipModel, tried: tuple[Way, ...], notes: list[str], **more: object) -> QuickNetwork:
    return QuickNetwork(
        network,
        WANTED,
        CPU,
        tried,
        chances=lambda logits: calibrated(logits.numpy(), 1.0),
        note=notes.append,
        **more,  # type: ignore[arg-type]
    )


def images(count: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(count)
    return tuple(torch.randn(count, 1, SIDE, SIDE, generator=generator) for _ in WANTED.roles)


def same(network: HipModel, found: Maps, given: tuple[Tensor, ...], *, within: float = 1e-6) -> None:
    with torch.inference_mode():
        for ours, meant in zip(found, network.maps(*given), strict=True):
            assert ours.shape == meant.shape
            assert float((ours - meant).abs().max()) < within


@pytest.mark.parametrize("count", [1, 3, 8, 9, 41])
def test_any_number_of_cases_goes_through_the_fixed_batches(count: int) -> None:
    network, notes, recorder = Small().eval(), [], Recorder()
    fast = quick(network, (RECORDED, PLAIN), notes, recorder=recorder)
    given = images(count)
    same(network, fast.maps(given), given)
    first = fast.maps(given)
    fast.maps(images(count + 1))
    same(network, first, given)  # an answer stays what it was when the places hold other images
    assert fast.way is RECORDED
    assert notes == []
    assert set(recorder.sizes) <= set(BATCHES)
    assert len(recorder.sizes) == len(set(recorder.sizes)), "each batch size is recorded once"


def test_a_way_that_says_something_else_is_left() -> None:
    network, notes = Small().eval(), []
    fast = quick(network, (RECORDED, PLAIN), notes, recorder=Recorder(wrong=1.0))
    given = images(3)
    same(network, fast.maps(given), given)
    assert fast.way is PLAIN
    assert len(notes) == 1
    assert "float32, CUDA graph, batch 8: probabilities differ" in notes[0]


def test_a_way_that_fails_is_left_and_the_next_one_tried() -> None:
    network, notes = Small().eval(), []
    compiled = Way(precision=torch.float32, is_compiled=True)

    def broken(*given: object, **more: object) -> Callable[..., Maps]:
        raise RuntimeError("no compiler here, in /home/somebody")

    fast = quick(network, (compiled, RECORDED, PLAIN), notes, compiler=broken, recorder=Recorder())
    given = images(2)
    same(network, fast.maps(given), given)
    assert fast.way is RECORDED
    assert notes == ["float32, compiled, batch 8: it failed (RuntimeError); computing goes on with float32, CUDA graph"]


def test_eager_half_precision_is_checked_too() -> None:
    class Vast(Small):
        """Eight bits are not enough for its sums."""

        def maps(self, *given: Tensor) -> Maps:
            return tuple((part + 1000.0) - 1000.0 for part in super().maps(*given))

        def classify(self, maps: Maps) -> Tensor:
            return super().classify(maps) * 50

    network, notes = Vast().eval(), []
    half = Way(precision=torch.bfloat16)
    fast = quick(network, (half, PLAIN), notes)
    given = images(2)
    fast.maps(given)
    assert fast.way is PLAIN
    assert "bfloat16, eager: probabilities differ" in notes[0]
    good = quick(Small().eval(), (half, PLAIN), notes)
    good.maps(given)
    assert good.way is half


def test_a_batch_that_does_not_fit_gives_way_to_smaller_ones() -> None:
    network, notes, recorder = Small().eval(), [], Recorder(largest=8)
    fast = quick(network, (RECORDED, PLAIN), notes, recorder=recorder)
    given = images(20)
    same(network, fast.maps(given), given)
    assert fast.way is RECORDED
    assert recorder.sizes == [32, 8]
    with pytest.raises(torch.OutOfMemoryError):
        quick(network, (RECORDED, PLAIN), notes, recorder=Recorder(largest=0)).maps(given)


def test_a_full_device_is_said_to_the_queue(tmp_path: Path) -> None:
    make_model(tmp_path / "m", "cvdt-small-frontal")
    model = LoadedModel(tmp_path / "m", device=CPU, precision=torch.float32)
    model.quick._ways.insert(0, RECORDED)
    model.quick._recorder = Recorder(largest=0)
    with pytest.raises(MemoryShortageError):
        model.look([(np.zeros((3, 224, 224), np.float32),)])


def test_which_ways_are_tried() -> None:
    gpu = torch.device("cuda")
    assert [way.words for way in ways(gpu, torch.bfloat16, is_compiled=True)] == [
        "bfloat16, compiled, CUDA graph", "bfloat16, CUDA graph", "bfloat16, eager", "float32, eager",
    ]  # fmt: skip
    assert [way.words for way in ways(CPU, torch.float32)] == ["float32, eager"]
    assert [way.words for way in ways(torch.device("mps"), torch.bfloat16)] == ["bfloat16, eager", "float32, eager"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Guards may run slower")  # torch, about Python 3.13.0
def test_the_small_branch_is_one_graph_for_the_compiler() -> None:
    """`fullgraph`: a single break would raise, and the way would be left."""
    notes: list[str] = []
    wanted = ModelInput(kind=InputKind.REGION_CROP, roles=(ViewRole.FRONTAL,), size_px=224)
    network = DeformableSingle(SMALL).eval()
    fast = QuickNetwork(
        network, wanted, CPU, ways(CPU, torch.float32, is_compiled=True),
        chances=lambda logits: calibrated(logits.numpy(), 1.0), note=notes.append,
        compiler=partial(torch.compile, backend="eager"), batches=(1,),
    )  # fmt: skip
    given = (torch.randn(1, 3, 224, 224),)
    same(network, fast.maps(given), given, within=1e-5)
    assert fast.way.is_compiled, notes
