"""One case on the CPU: the engine's graph in OpenVINO against a plain eager single-precision loop in torch.

    python bench/engine_inference.py [--rounds N] [--cases N] [MODEL …]

Prints the ratios, the largest difference of probabilities over some cases, and how many decisions flip.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from engine_models import conditions, in_turn, model_folder, show  # first: it sets the environment

import numpy as np  # isort: skip
import torch  # isort: skip

from app.engine.graph_model import GraphModel  # isort: skip
from app.engine.loaded_model import LoadedModel  # isort: skip
from app.engine.quick_precision import check_views  # isort: skip

MODELS = ("cvdt-small", "cvdt", "densenet121-whole-view", "resnet50-intervention", "efficientnet-lite0-intervention")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cases", type=int, default=8)
    args = parser.parse_args()
    print(conditions())
    with tempfile.TemporaryDirectory() as place:
        for name in args.models:
            folder = model_folder(name, Path(place))
            network = LoadedModel(folder, device=torch.device("cpu"), precision=torch.float32)
            graphs = {word: GraphModel(folder, precision=word) for word in ("float32", "bfloat16")}
            cases = check_views(network.card.input, count=args.cases)
            images = [torch.from_numpy(view[None]) for view in cases[0]]

            def eager(model: torch.nn.Module = network.network, fed: list[torch.Tensor] = images) -> None:
                with torch.inference_mode():
                    model(*fed)

            designs = {"torch eager float32": eager}
            for word, graph in graphs.items():
                designs[f"graph {word}"] = lambda graph=graph, case=cases[0]: graph.look([case])
            print(name, "(bundled)" if "resources" in folder.parts else "(random weights)")
            show(in_turn(designs, args.rounds), "torch eager float32")
            meant = np.array([opinion.probabilities for opinion in network.look(cases)])
            for word, graph in graphs.items():
                said = np.array([opinion.probabilities for opinion in graph.look(cases)])
                finding, threshold = network.card.finding, network.card.threshold
                flipped = int(((said[:, finding] >= threshold) != (meant[:, finding] >= threshold)).sum())
                print(
                    f"  {word}: largest difference {np.abs(said - meant).max():.1e}, {flipped} flipped of {len(cases)}"
                )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
