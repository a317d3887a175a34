"""The real engine killed, stopped and aborted at every step of its protocol, beside the real window.

    python bench/faults_engine.py [--random N] [--steps STEP …]

The engine is the product's process with the bundled models; at one instant it sends itself SIGKILL, SIGSTOP (it
hangs) or SIGABRT (`tests/support/faulty_engine.py` lists the steps). After each fault everything must be answered again
without anybody asking, by one restart, and every answer and heatmap must be the one that was given without a fault; the
window must say so and go on turning; no engine may be left behind. Then N kills at instants that nobody has chosen.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.engine_faults import FaultyWindow
from tests.support.faulty_engine import SIGNALS, STEPS
from tests.support.window import application

MID_BATCH = ("begun", "computing", "heatmap", "answered")  # these steps also in the middle of a batch


def main(argv: list[str] | None = None) -> int:
    """Run and print; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=20, metavar="N")
    parser.add_argument("--steps", nargs="*", default=list(STEPS), choices=tuple(STEPS))
    args = parser.parse_args(argv)
    application()
    begun, broken, gaps = time.monotonic(), 0, []
    with tempfile.TemporaryDirectory(prefix="coxa-bench-") as name:
        os.environ["COXA_CACHE"] = f"{name}/cache"
        faulty = FaultyWindow(Path(name))
        print(f"{len(faulty.cases)} cases, {len(faulty.engine.models)} models; load {os.getloadavg()[0]:.1f}")
        steps = [(step, 0) for step in args.steps if step != "shutdown"]
        steps += [(step, 3) for step in args.steps if step in MID_BATCH]
        for step, after in steps:
            for how in SIGNALS:
                outcome = faulty.suffer(step, how, after=after)
                gaps.append(outcome.gap_ms)
                broken += bool(outcome.broken)
                where = f"{step}, the {after + 1}th time" if after else step
                print(f"{where:24} {how:6} {outcome.seconds:5.1f} s, event loop stood {outcome.gap_ms:5.0f} ms  "
                      f"{'; '.join(outcome.broken) or 'kept'}", flush=True)  # fmt: skip
        rng = random.Random(1)
        for _ in range(args.random):
            outcome = faulty.kill_from_outside(rng.uniform(0.0, 0.6), signal.SIGKILL)
            gaps.append(outcome.gap_ms)
            broken += bool(outcome.broken)
            if outcome.broken:
                print(f"at random: {'; '.join(outcome.broken)}")
        if args.random:
            print(f"{args.random} kills at random instants of a batch")
        left = faulty.close()
        broken += bool(left)
        print("; ".join(left) or "closing the window left no process")
        for how in SIGNALS if "shutdown" in args.steps else ():
            broken += _closed_while(how, Path(name) / how)
    print(f"{len(gaps)} faults, {broken} with a broken promise; the event loop stood at most {max(gaps):.0f} ms, "
          f"median {sorted(gaps)[len(gaps) // 2]:.0f} ms; {time.monotonic() - begun:.0f} s, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    return 1 if broken else 0


def _closed_while(how: str, place: Path) -> int:
    """The window is closed while the engine has just been killed, hangs, or is aborted."""
    place.mkdir()
    faulty = FaultyWindow(place, cases=2)
    os.kill(faulty.engine.process.pid, getattr(signal, SIGNALS[how]))
    left = faulty.close()
    print(f"closed beside an engine that was hit by {SIGNALS[how]}: {'; '.join(left) or 'nothing left'}")
    return bool(left)


if __name__ == "__main__":
    raise SystemExit(main())
