"""Write to a project until killed: `python -m tests.support.write_loop PROJECT ROUND`.

Says `ready`, then one line for everything that was acknowledged: `image ADDRESS`, `event ID HASH`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from app.core.case import ReviewStatus, Side
from app.store.project import ProjectStore
from tests.support.projects import add_study, make_image


def main() -> None:
    path, number = Path(sys.argv[1]), int(sys.argv[2])
    choose = random.Random(number)
    with ProjectStore.open(path) as project:
        count = len(project.patients.all())
        print("ready", flush=True)
        for step in range(1_000_000):
            kind = choose.randrange(5)
            if kind == 0 or count == 0:
                _, address = add_study(project, count, seed=number)
                count += 1
                _say(f"image {address}")
            elif kind == 1:
                _say(f"image {project.images.put(make_image(number * 1000 + step, rows=200, cols=300))}")
                continue
            elif kind == 2:
                view = f"view-{choose.randrange(count)}"
                project.views.confirm(view, side=choose.choice(list(Side)), author="reader")
            elif kind == 3:
                case = f"case-{choose.randrange(count)}"
                project.cases.set_status(case, choose.choice(list(ReviewStatus)), author="reader")
            else:
                project.events.append(target=f"case:case-{choose.randrange(count)}", field="note", after=step)
            event_id, digest = project.events.head()
            _say(f"event {event_id} {digest.hex()}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
