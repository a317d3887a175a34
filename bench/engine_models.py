"""Models for the benches of the engine: bundled ones where they are, else the same networks with random weights."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "0")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.engine.graph_export import export_graph  # noqa: E402
from app.engine.graph_file import has_graph  # noqa: E402
from tests.support.engine_process import make_model  # noqa: E402


def model_folder(name: str, place: Path) -> Path:
    """The bundled model of this name, or one with random weights; with its graph.

    Args:
        name: of a bundled model, or of a network in the registry.
        place: for models that are made.
    """
    bundled = ROOT / "resources" / "models" / name
    if has_graph(bundled):
        return bundled
    folder = place / name
    if not folder.is_dir():
        make_model(folder, name)
        export_graph(folder)
    return folder


def conditions() -> str:
    """What the figures were taken on."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} CPUs, load average {load}"


def in_turn(designs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every design, visited in turn, so that a busy moment hits all of them; the first round is not kept."""
    seconds: dict[str, list[float]] = {name: [] for name in designs}
    for number in range(rounds + 1):
        for name, design in designs.items():
            begun = time.perf_counter()
            design()
            if number:
                seconds[name].append(time.perf_counter() - begun)
    return seconds


def show(seconds: dict[str, list[float]], baseline: str) -> None:
    """Median, fastest and ratio of both to a baseline."""
    middle = statistics.median(seconds[baseline])
    least = min(seconds[baseline])
    for name, kept in seconds.items():
        print(
            f"  {name:34s} median {statistics.median(kept) * 1e3:8.1f} ms  fastest {min(kept) * 1e3:8.1f} ms"
            f"  x{statistics.median(kept) / middle:6.3f}  x{min(kept) / least:6.3f}"
        )
