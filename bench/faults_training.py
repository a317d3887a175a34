"""kill -9 while a model is trained: the resumed run must end with the same curve, weights and model, bit by bit.

    python -m bench.faults_training [KILLS] [SEED]

The baseline is the same run, undisturbed, in the same program.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support.kill_training import main as train_with_kills


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        found = train_with_kills(Path(folder), kills, seed)
    same = ", ".join(f"{name} {'the same' if is_same else 'DIFFERENT'}" for name, is_same in found["same"].items())
    print(f"{found['kills']} kills at random moments of a run of {found['epochs']} epochs ({found['undisturbed_s']} s)")
    print(f"epoch of the last step/finished epochs when killed: {' '.join(found['moments'])}")
    print(f"{found['outside']} kills more fell after the last epoch and do not count")
    print(f"against the undisturbed run: {same}")
    if not all(found["same"].values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
