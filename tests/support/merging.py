"""Two projects to merge: copies of one, or made apart from the same images."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from app.store.annotations import Annotations
from app.store.merge.merger import merge_source
from app.store.merge.report import MergeReport
from app.store.merge.source import project_source
from app.store.project import ProjectStore
from tests.support.annotate import random_gesture
from tests.support.projects import add_study


def make_twins(tmp_path: Path, *, studies: int = 3) -> tuple[Path, Path]:
    """A project and a copy of it, both closed."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with ProjectStore.create(ours, name="Ours") as project:
        for number in range(studies):
            add_study(project, number)
    shutil.copytree(ours, theirs)
    return ours, theirs


def make_strangers(tmp_path: Path, *, studies: int = 3) -> tuple[Path, Path]:
    """Two projects with keys of their own and the same images under other names; the second has one more study."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with ProjectStore.create(ours, name="Ours") as project:
        for number in range(studies):
            add_study(project, number)
    with ProjectStore.create(theirs, name="Theirs") as project:
        for number in range(studies + 1):
            add_study(project, 100 + number, picture=number)
    return ours, theirs


def annotate(path: Path, reader: str, labels: dict[str, dict[str, str]]) -> None:
    """Let somebody label some cases of a closed project."""
    with ProjectStore.open(path) as project:
        annotations = Annotations(project)
        for case_id, values in labels.items():
            for field, value in values.items():
                annotations.set_label(case_id, field, value, author=reader)


def annotate_at_random(path: Path, reader: str, *, seed: int, gestures: int = 30, studies: int = 3) -> None:
    """Let somebody do all kinds of things, undoing some of them."""
    choose = random.Random(seed)
    with ProjectStore.open(path) as project:
        annotations = Annotations(project)
        for _ in range(gestures):
            number = choose.randrange(studies)
            case, view = f"case-{number}", f"view-{number}"
            if choose.random() < 0.15:
                annotations.undo(case, author=reader)
            elif choose.random() < 0.1:
                annotations.redo(case, author=reader)
            else:
                random_gesture(annotations, choose, case_id=case, view_id=view, author=reader)


def merge(ours: Path, theirs: Path, *, is_rehearsal: bool = False, author: str = "Merger") -> MergeReport:
    """Merge one closed project into another."""
    with project_source(theirs) as source, ProjectStore.open(ours) as project:
        return merge_source(project, source, author=author, is_rehearsal=is_rehearsal)
