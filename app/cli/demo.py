"""`coxa demo`: make the demo project from synthetic hips."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.arguments import whole_count
from app.cli.demo_place import STAMP, VERSION, demo_folder
from app.cli.exit_codes import DONE
from app.cli.output import add_json_argument, print_json
from app.core.errors import UserError

if TYPE_CHECKING:
    from app.store.import_report import ImportItem
    from app.store.project import ProjectStore

OnStep = Callable[[int, int, str], None]  # steps done, steps in all, what is being done

PLACED_ASIDE = ".replaced"
TRUTH = "demo-truth.json"  # what is known about each case; never a label

EPILOG = """\
examples:
  coxa demo --out ~/coxa-demo               a project of synthetic hips, made by the ordinary import
  coxa demo                                 the one that `coxa gui --demo` opens
  coxa demo --replace                       make it anew; the old one is kept beside it once
  coxa demo --out ~/few --cases 8           the first eight studies only

Every patient is invented (SYNTHETIC^ALDER …); every image is
synthetic and says nothing about patients. demo-truth.json in the folder tells what each case shows."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa demo`."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="the project folder (default: your user data folder)")
    parser.add_argument("--replace", action="store_true", help="put another demo project in the place of this one")
    parser.add_argument("--cases", type=whole_count, metavar="N", help="only the first N studies (default: all sixty)")
    parser.add_argument(
        "--jobs", type=whole_count, metavar="J", help="processes (default: one a processor, at most eight)"
    )
    parser.add_argument(
        "--progress", action="store_true", help="print a line `progress DONE TOTAL WHAT` for every step, for programs"
    )
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Make the demo project."""
    folder = (args.out or demo_folder()).absolute()
    document = make_demo(
        folder,
        is_replacing=args.replace,
        studies=args.cases,
        jobs=args.jobs,
        on_step=_print_step if args.progress else None,
    )
    if args.json:
        print_json(document)
    else:
        print(f"{document['cases']} hips, {document['images']} radiographs: {folder}")
    return DONE


def make_demo(
    folder: Path,
    *,
    is_replacing: bool = False,
    studies: int | None = None,
    jobs: int | None = None,
    on_step: OnStep | None = None,
) -> dict[str, Any]:
    """Make the demo project beside its place and rename it at the end, so that it is there whole or not at all.

    Args:
        folder: the project's folder.
        is_replacing: what is in that place is moved to `<folder>.replaced` (only when it is a Coxa project or a
            broken demo).
        studies: how many studies; None = all.
        jobs: processes; None = one a processor, at most eight.
        on_step: told steps done, steps in all, and what is being done.

    Returns:
        Counts of what was made.

    Raises:
        UserError: `exists`, `unwritable-folder`, `locked`, or what the import says.
    """
    from app.store.folder import cannot_write

    if folder.exists() and not is_replacing and any(folder.iterdir()):
        raise UserError(
            "There is something in this folder already.",
            reason="The demo project needs a folder of its own.",
            remedy="Choose another folder, or use --replace to put the old one aside.",
            kind="exists",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        draft = folder.parent / f"{folder.name}.{secrets.token_hex(4)}.new"
        try:
            document = _fill(draft, studies, jobs, on_step or _no_step)
            _put_in_place(draft, folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise cannot_write(error) from error
    return document


def _fill(draft: Path, studies: int | None, jobs: int | None, on_step: OnStep) -> dict[str, Any]:
    from app.cli.demo_files import file_count, truth_of, write_demo_files
    from app.cli.output import progress
    from app.store.import_report import ImportProgress, Phase
    from app.store.importer import import_sources
    from app.store.project import ProjectStore
    from app.store.reading.sources import Source

    with ProjectStore.create(draft, name="Demo") as project, tempfile.TemporaryDirectory(prefix="coxa-demo-") as files:
        total = file_count(studies)
        paths = []
        for path in progress(
            write_demo_files(Path(files), cases=studies, jobs=jobs), total=total, text="Making", unit="image"
        ):
            paths.append(path)
            on_step(len(paths), total, "Computing radiographs")
        sources = [Source(path=path, label=path.name) for path in paths]

        def on_import(now: ImportProgress) -> None:
            if now.phase is Phase.IMAGES:
                on_step(now.done, total, "Importing radiographs")

        report = import_sources(project, sources, author="coxa demo", on_progress=on_import)
        refused = [item for item in report.items if item.view_id is None]
        if refused:
            raise RuntimeError(f"the demo's own file {refused[0].label} was refused: {refused[0].reason}")
        document = {"version": VERSION, "cases": project.cases.count(), "images": len(paths)}
        truth = _truth_by_case(project, report.items, truth_of(Path(files)))
        _mark_hold_out(project, truth)
    (draft / TRUTH).write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    (draft / STAMP).write_text(json.dumps(document) + "\n", encoding="utf-8")
    return document


def _truth_by_case(
    project: ProjectStore, items: Iterable[ImportItem], truth: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What is known about the hip that each study is about, by case. (The other hip of a pelvis has no entry.)"""
    by_view = {item.view_id: truth[item.label] for item in items if item.label in truth}
    found = {}
    for case in project.cases.all():
        known = [by_view[view] for view in (case.frontal_id, *case.unassigned_ids) if view in by_view]
        if known and case.side in (None, known[0]["labels"]["side"]):
            found[case.id] = known[0]
    return found


def _mark_hold_out(project: ProjectStore, truth: dict[str, dict[str, Any]]) -> None:
    """Say in the project itself which cases are kept for judging models and never train them."""
    from app.core.event import target_of
    from app.store.import_labels import LABEL_PREFIX

    with project.transaction():
        for case_id in sorted(case_id for case_id, known in truth.items() if known["is_hold_out"]):
            project.events.append(
                target=target_of("case", case_id),
                field=f"{LABEL_PREFIX}hold-out",
                after="yes",
                text="Kept for judging models; never for training them",
                author="coxa demo",
            )


def _print_step(done: int, total: int, text: str) -> None:
    print("progress", done, total, text, flush=True)


def _no_step(done: int, total: int, text: str) -> None:
    pass


def _put_in_place(draft: Path, folder: Path) -> None:
    """Rename the new project to its place; what was there is kept once, as `<folder>.replaced`."""
    from app.store.folder import ProjectFolder
    from app.store.lock import is_locked, locked, read_holder

    if folder.exists():
        old = ProjectFolder(folder)
        if is_locked(old):
            raise locked(read_holder(old.holder_file))
        aside = folder.with_name(folder.name + PLACED_ASIDE)
        if aside.exists():
            shutil.rmtree(aside)
        folder.replace(aside)
    draft.replace(folder)


def _remove_leftovers(folder: Path) -> None:
    """Remove what an interrupted run left beside the place."""
    for path in folder.parent.glob(f"{folder.name}.????????.new"):
        shutil.rmtree(path, ignore_errors=True)
