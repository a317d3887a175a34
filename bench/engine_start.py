"""From nothing to the first heatmap of the engine's process, against a process that only imports torch and timm.

    python bench/engine_start.py [--rounds N] [MODEL]

The engine has run once before, so that the compiled graph is kept: what counts is every start but the first. Prints the
engine's memory too.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from engine_models import conditions, in_turn, model_folder, show  # first: it sets the environment

import psutil  # isort: skip

from app.core.engine_messages import Hello, Result  # isort: skip
from app.store.model_folder import read_card  # isort: skip
from tests.support.engine_process import make_views, predict, running_engine  # isort: skip


def processor_s() -> float:
    """Processor time of all processes that were started and have ended; a busy machine changes it little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="cvdt-small")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    print(conditions())
    memory: list[int] = []
    worked: dict[str, list[float]] = {"import torch, timm": [], "engine to first heatmap": []}
    with tempfile.TemporaryDirectory() as place:
        os.environ["COXA_CACHE"] = f"{place}/cache"
        folder = model_folder(args.model, Path(place))
        views = make_views(Path(place) / "images", read_card(folder).input)

        def engine() -> None:
            before = processor_s()
            with running_engine(Hello(device="cpu")) as running:
                running.send(
                    predict(0, folder, Path(place) / "images", views, heatmap_method="grad-cam",
                            heatmaps=f"{place}/maps")
                )  # fmt: skip
                running.replies_until(Result, 0)
                memory.append(psutil.Process(running.process.pid).memory_info().rss)
            worked["engine to first heatmap"].append(processor_s() - before)

        def imports() -> None:
            before = processor_s()
            subprocess.run([sys.executable, "-c", "import torch, timm"], check=True)
            worked["import torch, timm"].append(processor_s() - before)

        show(in_turn({"import torch, timm": imports, "engine to first heatmap": engine}, args.rounds),
             "import torch, timm")  # fmt: skip
    for name, seconds in worked.items():
        print(f"  {name:34s} processor time {statistics.median(seconds[1:]):6.2f} s")
    print(f"  engine's memory {max(memory[1:]) / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
