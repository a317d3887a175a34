"""Annotate a project until killed: `python -m tests.support.annotate_loop PROJECT ROUND`.

Says `ready`, then one line `event ID HASH` for everything that was acknowledged: every event of a gesture that
`Annotations` has returned from is saved.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from app.store.annotations import Annotations
from app.store.project import ProjectStore
from tests.support.annotate import random_gesture


def main() -> None:
    path, number = Path(sys.argv[1]), int(sys.argv[2])
    choose = random.Random(number)
    with ProjectStore.open(path) as project:
        annotations = Annotations(project)
        cases = [case.id for case in project.cases.all()]
        print("ready", flush=True)
        while True:
            case_id = choose.choice(cases)
            author, before = choose.choice(["Ann", "Ben"]), project.events.head()[0]
            if choose.random() < 0.2:
                (annotations.undo if choose.random() < 0.6 else annotations.redo)(case_id, author=author)
            else:
                view_id = case_id.replace("case", "view")
                random_gesture(annotations, choose, case_id=case_id, view_id=view_id, author=author)
            for event in project.events.since(before):
                sys.stdout.write(f"event {event.id} {event.row_hash.hex()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
