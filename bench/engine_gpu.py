"""Cases a second on a GPU: eager single precision against bfloat16, CUDA graphs and compiled; batches of 1, 8, 32.

    python bench/engine_gpu.py [--rounds N] [--compile] [MODEL …]
    python bench/engine_gpu.py --rehearse          the same program on the CPU, once; its figures say nothing

The baseline of every ratio is eager single precision of the same run. The share is that of the rate of a bfloat16
product of two 8192² matrices, measured in the same run. Images lie on the device already: only the network is measured.
Ends with 2 where there is no CUDA device.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine_models import conditions, model_folder  # first: it sets the environment

import numpy as np  # isort: skip
import torch  # isort: skip
from torch.utils.flop_counter import FlopCounterMode  # isort: skip

from app.engine.loaded_model import LoadedModel  # isort: skip
from app.engine.opinion import calibrated  # isort: skip
from app.engine.quick_network import QuickNetwork, Way, ways  # isort: skip
from app.engine.quick_precision import check_views  # isort: skip

MODELS = ("cvdt", "cvdt-small", "densenet121-whole-view", "resnet50-intervention")
BATCHES = (1, 8, 32)
SIDE = 8192
Run = Callable[[], object]


def seconds(device: torch.device, run: Run, rounds: int) -> float:
    """Median time of one call, with the device finished before and after."""

    def finished() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    run()
    taken = []
    for _ in range(rounds):
        finished()
        begun = time.perf_counter()
        run()
        finished()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def product_rate(device: torch.device, rounds: int, side: int) -> float:
    """Floating-point operations a second of a bfloat16 product."""
    one, other = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * side**3 / seconds(device, lambda: one @ other, rounds)


def measure(folder: Path, device: torch.device, rounds: int, rate: float, *, is_compiled: bool, largest: int) -> None:
    """Print every way of one model at every batch size."""
    model = LoadedModel(folder, device=device, precision=torch.float32)
    wanted = model.card.input
    cases = check_views(wanted)
    tried = [Way(precision=torch.float32), Way(precision=torch.bfloat16)]
    tried += [way for way in ways(device, torch.bfloat16, is_compiled=is_compiled) if way.is_static]
    for batch in (size for size in BATCHES if size <= largest):
        at = [number % len(cases) for number in range(batch)]
        images = tuple(torch.from_numpy(np.stack(views)[at]).to(device) for views in zip(*cases, strict=True))
        with FlopCounterMode(display=False) as counter:
            model.quick.maps(images)
        operations = counter.get_total_flops()
        base = 0.0
        for way in tried:
            notes: list[str] = []
            plain = Way(precision=torch.float32)
            quick = QuickNetwork(
                model.network, wanted, device, [way, plain] if way != plain else [plain],
                chances=lambda logits: calibrated(logits.float().cpu().numpy(), model.card.calibration.temperature),
                note=notes.append, batches=(batch,),
            )  # fmt: skip
            begun = time.perf_counter()
            quick.maps(images)
            first_s = time.perf_counter() - begun
            if notes:
                print(f"  batch {batch:2}  {way.words:30} left: {notes[0]}")
                continue
            taken = seconds(device, lambda quick=quick, images=images: quick.maps(images), rounds)
            base = base or taken
            print(
                f"  batch {batch:2}  {way.words:30} {batch / taken:9.1f} cases/s  x{base / taken:5.2f} of eager float32"
                f"  {operations / taken / rate:6.1%} of the measured rate  (first pass {first_s:.1f} s)",
                flush=True,
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--rehearse", action="store_true")
    args = parser.parse_args()
    print(conditions())
    if not torch.cuda.is_available() and not args.rehearse:
        print("There is no GPU here: nothing was measured.")
        return 2
    device = torch.device("cpu" if args.rehearse else "cuda")
    if args.rehearse:
        print("A rehearsal on the CPU: no figure below says anything about a GPU.")
    else:
        print(torch.cuda.get_device_name(device))
    rate = product_rate(device, 3 if args.rehearse else 20, 1024 if args.rehearse else SIDE)
    print(f"bfloat16 product: {rate / 1e12:.2f} T/s")
    with tempfile.TemporaryDirectory() as place:
        for name in args.models if not args.rehearse else ("cvdt-small",):
            folder = model_folder(name, Path(place))
            print(name)
            measure(folder, device, 1 if args.rehearse else args.rounds, rate, is_compiled=args.compile,
                    largest=8 if args.rehearse else BATCHES[-1])  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
