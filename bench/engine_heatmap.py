"""What a heatmap costs beside the forward pass, against pytorch-grad-cam on the same network.

python bench/engine_heatmap.py [--rounds N] [MODEL …]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from engine_models import conditions, in_turn, model_folder, show  # first: it sets the environment

import torch  # isort: skip

from app.engine.graph_model import GraphModel  # isort: skip
from app.engine.heatmap_method import HeatmapMethod  # isort: skip
from app.engine.loaded_model import LoadedModel  # isort: skip
from app.engine.quick_precision import check_views  # isort: skip

MODELS = ("efficientnet-lite0-intervention", "densenet121-whole-view")


def measure(folder: Path, rounds: int) -> None:
    """Print the times of one model."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    network, reference = (LoadedModel(folder, device=torch.device("cpu"), precision=torch.float32) for _ in range(2))
    reference.network.requires_grad_(True)  # it fails on frozen weights
    graph = GraphModel(folder, precision="float32")
    case = check_views(network.card.input, count=1)[0]
    cam = GradCAM(model=reference.network, target_layers=[reference.network.backbone])
    image, way = torch.from_numpy(case[0][None]), HeatmapMethod.GRAD_CAM
    seconds = in_turn(
        {
            "torch forward": lambda: network.look([case]),
            "torch forward + heatmap": lambda: network.look([case], method=way),
            "pytorch-grad-cam": lambda: cam(input_tensor=image, targets=[ClassifierOutputTarget(0)]),
            "graph forward": lambda: graph.look([case]),
            "graph forward + heatmap": lambda: graph.look([case], method=way),
        },
        rounds,
    )
    show({key: value for key, value in seconds.items() if not key.startswith("graph")}, "torch forward")
    show({key: value for key, value in seconds.items() if key.startswith("graph")}, "graph forward")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    print(conditions())
    with tempfile.TemporaryDirectory() as place:
        for name in args.models:
            print(name)
            measure(model_folder(name, Path(place)), args.rounds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
