"""Two processes open one project at the same moment: exactly one may write.

python -m bench.faults_race [ROUNDS]
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from app.store.health import check_project
from app.store.project import ProjectStore
from tests.support.race import race


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "project"
        ProjectStore.create(path).close()
        outcomes = Counter(tuple(sorted(race(path))) for _ in range(rounds))
        is_damaged = check_project(path).is_damaged
    for outcome, count in outcomes.items():
        print(f"{count} of {rounds} races: {', '.join(outcome)}")
    print("the project is damaged" if is_damaged else "the project is intact")


if __name__ == "__main__":
    main()
