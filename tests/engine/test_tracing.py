"""Where deformable layers looked, and what a network makes of one view when it is not shown the other."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.core.engine_messages import EngineReply, Hello, Result  # noqa: E402
from app.core.grey_tables import display_table  # noqa: E402
from app.core.model_input import standardise  # noqa: E402
from app.engine.models.registry import architectures  # noqa: E402
from app.engine.predictor import Predictor  # noqa: E402
from app.engine.tracing import sampling_points  # noqa: E402
from app.store.images import ImageStore  # noqa: E402
from tests.support.engine_process import GREY, VOI, make_model, make_views, predict  # noqa: E402

SMALL = "cvdt-small"


def test_points_are_where_the_layers_looked_on_the_input() -> None:
    torch.manual_seed(1)
    network = architectures()[SMALL].build().eval()
    for module in network.modules():  # as trained: an untrained offset network moves nothing by much
        if hasattr(module, "pointwise"):
            torch.nn.init.normal_(module.pointwise.weight, std=0.5)
    images = tuple(torch.randn(2, 3, 224, 224) for _ in range(2))
    tables = sampling_points(network, images)
    assert tables is not None
    assert len(tables) == 2
    with torch.inference_mode():
        layers = network.points(*images)
    for case, table in enumerate(tables):
        assert table.dtype == np.float32
        for layer, pair in enumerate(layers):
            for view, points in enumerate(pair):
                rows = table[(table[:, 0] == view) & (table[:, 1] == layer)]
                groups, count = points.xy.shape[1:3]
                assert len(rows) == groups * count
                assert rows[:, 4].mean() == pytest.approx(1.0, abs=1e-4)
                side = round(count**0.5)
                # of the first place: -1 is the centre of the first cell
                x = float(points.xy[case, 0, 0, 0])
                assert rows[0, 2] == pytest.approx(((x + 1) / 2 * (side - 1) + 0.5) * 224 / side, abs=1e-3)


def test_a_network_without_deformable_layers_has_no_points() -> None:
    single = architectures()["cvdt-small-frontal"].build().eval()
    assert sampling_points(single, (torch.zeros(1, 3, 224, 224),)) is None


def test_view_ablation_equals_three_forward_passes(tmp_path: Path) -> None:
    make_model(tmp_path / "small", SMALL)
    wanted = architectures()[SMALL].input
    images = tmp_path / "images"
    pair = make_views(images, wanted)
    blank = tuple(msgspec.structs.replace(view, is_blank=True) for view in pair)
    replies: list[EngineReply] = []
    predictor = Predictor(Hello(device="cpu", precision="float32"), replies.append)
    strip = {"pair": pair, "frontal": (pair[0], blank[1]), "lateral": (blank[0], pair[1])}
    for number, views in enumerate(strip.values()):
        predictor.answer(
            [predict(number, tmp_path / "small", images, views, heatmaps=str(tmp_path / "maps"), has_points=not number)]
        )
    results = [reply for reply in replies if isinstance(reply, Result)]
    assert [result.job for result in results] == [0, 1, 2]
    assert len({result.input_key for result in results}) == 3, "each pass is another input"
    torch.manual_seed(0)
    network = architectures()[SMALL].build().eval()
    store, table = ImageStore(images), display_table(GREY, VOI)
    seen = [torch.from_numpy(standardise(store.load(view.image_sha256), table, view.cut, wanted))[None]
            for view in pair]  # fmt: skip
    nothing = torch.zeros_like(seen[0])  # standardised images have the mean 0
    with torch.inference_mode():
        for result, fed in zip(results, (seen, (seen[0], nothing), (nothing, seen[1])), strict=True):
            expected = network(*fed).softmax(1)[0].tolist()
            assert result.probabilities == pytest.approx(expected, abs=1e-5)
    assert np.load(results[0].points, allow_pickle=False).shape[1] == 5
    assert results[1].points == ""
