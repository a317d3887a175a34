"""One case while something else keeps a core busy: the slowest of twenty against the usual time in peace.

    python bench/engine_busy.py [--rounds N] [MODEL]

The baseline is torch as it comes, with waiting threads that spin; each is compared with its own median in peace.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from engine_models import ROOT, conditions, model_folder

PROGRAM = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from app.engine.quick_precision import check_views
if {is_graph!r}:
    from app.engine.graph_model import GraphModel
    model = GraphModel(Path({folder!r}), precision="bfloat16")
else:
    import torch
    from app.engine.loaded_model import LoadedModel
    model = LoadedModel(Path({folder!r}), device=torch.device("cpu"), precision=torch.float32)
case = check_views(model.card.input, count=1)
model.look(case)
seconds = []
for _ in range({rounds}):
    begun = time.perf_counter()
    model.look(case)
    seconds.append(time.perf_counter() - begun)
print(json.dumps(seconds))
"""


def taken(folder: Path, rounds: int, *, is_graph: bool, is_busy: bool) -> list[float]:
    """Seconds of every case in a process of its own."""
    program = PROGRAM.format(root=str(ROOT), folder=str(folder), rounds=rounds, is_graph=is_graph)
    environment = {name: value for name, value in os.environ.items() if is_graph or name != "GOMP_SPINCOUNT"}
    hog = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if is_busy else None
    try:
        time.sleep(0.2)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=environment)
    finally:
        if hog is not None:
            hog.kill()
            hog.wait()
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="cvdt-small")
    parser.add_argument("--rounds", type=int, default=60)
    args = parser.parse_args()
    print(conditions())
    with tempfile.TemporaryDirectory() as place:
        folder = model_folder(args.model, Path(place))
        for name, is_graph in (("torch as it comes", False), ("engine's graph", True)):
            peace = taken(folder, args.rounds, is_graph=is_graph, is_busy=False)
            busy = taken(folder, args.rounds, is_graph=is_graph, is_busy=True)
            usual = float(np.median(peace))
            slowest = float(np.percentile(busy, 95))
            print(f"  {name:20s} in peace {usual * 1e3:7.1f} ms; beside a busy core median", end="")
            print(f" {np.median(busy) * 1e3:7.1f} ms, p95 {slowest * 1e3:7.1f} ms = x{slowest / usual:.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
