"""Simulated power cuts and flipped bits while people annotate."""

from __future__ import annotations

import contextlib
import random
import shutil
import types
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from app.core.case import Patient, Study
from app.store.annotations import Annotations
from app.store.cases import Cases
from app.store.database import Database
from app.store.events import EventLog
from app.store.folder import ProjectFolder
from app.store.head import read_head
from app.store.patients import Patients
from app.store.project import ProjectStore, migrate
from app.store.studies import Studies
from app.store.views import Views
from tests.support.annotate import random_gesture
from tests.support.bit_flips import dump, flip_bit, judge
from tests.support.projects import HEADER, make_case, make_view


def annotation_statements(path: Path, *, gestures: int, seed: int = 1) -> list[str]:
    """The statements that the app itself runs: schema, one case, then gestures, undos and redos."""
    statements: list[str] = []
    choose = random.Random(seed)
    with contextlib.closing(Database.open_writer(path)) as database:
        database.connection.set_trace_callback(statements.append)
        events = EventLog(database)
        views, cases = Views(database, events), Cases(database, events)
        with database.transaction():
            migrate(database, events)
            Patients(database, events).add(Patient(id="P"))
            Studies(database, events).add(Study(id="S", patient_id="P"))
            views.add(make_view("view-0", "S", f"{0:064x}"), header=HEADER, offset=0)
            cases.replace_for_study("S", [make_case("case-0", "S", "P", "view-0")], author="import")
        parts = types.SimpleNamespace(
            database=database, events=events, cases=cases, views=views, transaction=database.transaction
        )
        annotations = Annotations(cast(ProjectStore, parts))
        done = 0
        while done < gestures:
            if choose.random() < 0.25:
                back = annotations.undo if choose.random() < 0.6 else annotations.redo
                done += back("case-0", author="Ann") is not None
            else:
                done += bool(
                    random_gesture(annotations, choose, case_id="case-0", view_id="view-0", author="Ann")
                )  # fmt: skip
        database.connection.set_trace_callback(None)
    return [text for text in statements if not text.startswith(("--", "SELECT", "select", "PRAGMA"))]


@dataclass(slots=True)
class FlipCount:
    """What became of flipped bits.

    Args:
        flips: how many bits were flipped, one at a time.
        changing: flips after which an annotation, or an event that tells of one, reads differently.
        rows: how many such rows there were.
        missed: rows of these that the audit did not tell of.
        reported: flips after which the audit reported something.
    """

    flips: int = 0
    changing: int = 0
    rows: int = 0
    missed: int = 0
    reported: int = 0


def flip_annotations(path: Path, scratch: Path, *, flips: int, seed: int = 7) -> FlipCount:
    """Flip bits of a closed project's database, one at a time in a copy, and ask the audit that `verify` runs."""
    folder = ProjectFolder(path)
    before, head = dump(folder.database), read_head(folder.head_file)
    assert before is not None
    assert head is not None
    choose, count = random.Random(seed), FlipCount()
    size = folder.database.stat().st_size
    for _ in range(flips):
        copy = scratch / "flipped.db"
        shutil.copyfile(folder.database, copy)
        flip_bit(copy, choose.randrange(size * 8))
        flip = judge(copy, before, head)
        mine = {row for row in flip.changed if row[0] in ("event", "current", "case")}
        count.flips += 1
        count.changing += bool(mine)
        count.rows += len(mine)
        count.missed += len(mine & flip.missed)
        count.reported += bool(mine) and flip.is_reported
        for file in scratch.glob("flipped.db*"):
            file.unlink()
    return count


def annotate_much(path: Path, *, gestures: int, seed: int = 3) -> None:
    """Fill a project of `make_project` with annotations of two readers."""
    choose = random.Random(seed)
    with ProjectStore.open(path) as project:
        annotations = Annotations(project)
        cases = [case.id for case in project.cases.all()]
        with project.transaction():  # one sync for all of them
            for number in range(gestures):
                case_id = choose.choice(cases)
                view_id = case_id.replace("case", "view")
                author = ("Ann", "Ben")[number % 2]
                random_gesture(annotations, choose, case_id=case_id, view_id=view_id, author=author)
