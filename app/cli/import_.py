"""`coxa import`: bring radiographs into a project, and say for each file and each case what came of it."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from app.cli.arguments import whole_count
from app.cli.describe import case_document, case_lines
from app.cli.exit_codes import CANCELLED, DONE, PROBLEMS
from app.cli.output import add_json_argument, add_project_argument, print_json, printable
from app.cli.user import user_name
from app.core.errors import UserError

EPILOG = """\
examples:
  coxa import ~/radiographs --project ~/hips         a folder, with everything below it
  coxa import study.zip DICOMDIR hip.dcm --project ~/hips
  coxa import --csv images.csv --project ~/hips      a PNG archive: who, which side, which view
  coxa import ~/FracAtlas --layout fracatlas --project ~/hips
  coxa import run.dcm --frame 12 --project ~/hips    one frame of a multi-frame run
  coxa import ~/hips-export --project ~/hips-again   a Coxa export (format coxa) as a project again

The project is made when the folder does not exist or is empty.

mapping file (--csv): one row for each image; paths are relative to the mapping file.
  path,patient,side,projection,fracture
  a/001_ap.png,patient-1,left,frontal,yes
  a/001_lat.png,patient-1,left,lateral,yes
side: left right both. projection: frontal lateral frog-leg cross-table oblique. Both may stay empty.
Also understood: study, date, spacing_mm. Every other column is kept as a label.

privacy: names, identifiers and dates are replaced by pseudonyms of the project; the files themselves are not kept.
Importing the same files again is safe: they are recognised.

A Coxa export is recognised by its folder. A new project made of it equals the one it came from: labels, alignments,
measurements and history; in a project that holds something already it is merged (`coxa help merge`)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa import`."""
    parser.add_argument("paths", nargs="*", type=_path, metavar="PATH", help="file, folder, zip or DICOMDIR")
    add_project_argument(parser)
    parser.add_argument("--csv", type=Path, metavar="MAP", help="mapping file of an archive without DICOM headers")
    parser.add_argument("--layout", choices=("fracatlas",), help="published folder layout instead of a mapping file")
    parser.add_argument("--frame", type=int, metavar="N",
                        help="frame to take from multi-frame objects, from 1 (default: they are refused)")  # fmt: skip
    parser.add_argument("--author", default="", metavar="NAME", help="who imports (default: your user name)")
    parser.add_argument("--workers", type=whole_count, default=2, metavar="N", help="reader processes (default: 2)")
    parser.add_argument(
        "--keep-originals",
        action="store_true",
        help="also keep the files themselves in private/originals; they hold names and other identifiers",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="one line for each file as soon as it is durably stored"
    )
    add_json_argument(parser)
    parser.epilog = EPILOG


def _path(text: str) -> Path:
    if not text:  # a variable without a value: not the current folder and everything below it
        raise argparse.ArgumentTypeError("the name is empty")
    return Path(text)


def run(args: argparse.Namespace) -> int:
    """Import and report."""
    mapping = _mapping(args)
    if mapping is None and not args.paths:
        raise UserError(
            "There is nothing to import.", remedy="Name files or folders, or a mapping file with --csv.", kind="usage"
        )
    if args.frame is not None and args.frame < 1:
        raise UserError("There is no such frame.", reason="The first frame is 1.", kind="usage")
    from app.store.merge.opening import export_folder

    exports = [found for path in args.paths if (found := export_folder(path)) is not None] if mapping is None else []
    if exports:
        return _import_exports(args, exports)
    from app.store.import_report import ImportProgress, ImportReport, Outcome, Phase
    from app.store.importer import import_sources, mapping_sources
    from app.store.reading.sources import find_sources

    sources = mapping_sources(mapping) if mapping is not None else list(find_sources(args.paths))
    if not sources:
        raise UserError(
            "There is no file to import.",
            reason="What was named holds none that can be looked at.",
            remedy="Check the path.",
            kind="nothing-found",
        )
    with open_or_create(args.project) as (project, is_new), cancellable() as is_cancelled, _bar(args) as bar:
        if is_new and not args.json:
            print(f"Made the project {args.project}.")
        if args.keep_originals:
            print(
                "coxa: the original files are kept in private/originals. They hold names and other identifiers: "
                "do not pass this folder on.",
                file=sys.stderr,
            )

        def on_progress(progress: ImportProgress) -> None:
            for item in progress.items if args.verbose and not args.json else ():
                print(f"{item.outcome.value:<10}{item.view_id or '-':<15}{printable(item.label)}", flush=True)
            bar.show("headers" if progress.phase is Phase.HEADERS else "images", progress.done, len(sources))

        report: ImportReport = import_sources(
            project,
            sources,
            author=args.author or user_name(),
            mapping=mapping,
            frame=args.frame - 1 if args.frame is not None else None,
            is_keeping_originals=args.keep_originals,
            on_progress=on_progress,
            is_cancelled=is_cancelled,
            workers=args.workers,
        )
        project.worklist.catch_up()  # so that the window opens at once
    if args.json:
        print_json(_document(report))
    else:
        _print(report)
    if report.is_cancelled:
        return CANCELLED
    return PROBLEMS if report.count(Outcome.REFUSED) else DONE


def _import_exports(args: argparse.Namespace, exports: list[Path]) -> int:
    """Open Coxa exports as a project again, or merge them into the one that is there."""
    from app.cli.merge import print_report, report_document
    from app.store.folder import is_project
    from app.store.merge.opening import export_name, import_export
    from app.store.project import ProjectStore

    if len(exports) != len(args.paths) or args.frame is not None or args.keep_originals:
        raise UserError(
            "A Coxa export is imported on its own.",
            reason="It holds a project, not files.",
            remedy="Import other files separately.",
            kind="usage",
        )
    if not is_project(args.project):
        ProjectStore.create(args.project, name=export_name(exports[0])).close()
        if not args.json:
            print(f"Made the project {args.project}.")
    code = DONE
    with ProjectStore.open(args.project) as project, cancellable() as is_cancelled:
        for export in exports:
            author = args.author or user_name()
            report = import_export(project, export, author=author, is_cancelled=is_cancelled)
            if args.json:
                print_json(report_document(report))
            else:
                print_report(report)
            code = CANCELLED if report.is_cancelled else PROBLEMS if report.left_out else code
        project.worklist.catch_up()
    return code


def _mapping(args: argparse.Namespace) -> Any:
    if args.csv is not None and args.layout is not None:
        raise UserError("Give either --csv or --layout, not both.", kind="usage")
    if args.csv is not None:
        if args.paths:
            raise UserError(
                "With --csv the mapping file lists the images.",
                reason="Other paths would not be looked at.",
                remedy="Leave them out, or import them on their own.",
                kind="usage",
            )
        from app.store.mapping import read_mapping

        return read_mapping(args.csv)
    if args.layout == "fracatlas":
        if len(args.paths) != 1:
            raise UserError("Name the one folder that holds FracAtlas.", kind="usage")
        from app.store.fracatlas import read_fracatlas

        return read_fracatlas(args.paths[0])
    return None


@contextmanager
def open_or_create(path: Path) -> Iterator[tuple[Any, bool]]:
    """An open project, made first when nothing is there; and whether it was made."""
    from app.store.folder import is_project
    from app.store.project import ProjectStore

    is_new = not is_project(path)
    with ProjectStore.create(path) if is_new else ProjectStore.open(path) as project:
        yield project, is_new


@contextmanager
def cancellable() -> Iterator[Any]:
    """A question "was Ctrl+C pressed?" instead of an exception in the middle of things; pressed twice it is one."""
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)
        print("coxa: stopping; what is done is kept.", file=sys.stderr)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(pressed)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Bar:
    def __init__(self) -> None:
        self._bar: Any = None
        self._text = ""

    def show(self, text: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if text != self._text:
            self.close()
            self._text = text
            self._bar = tqdm(total=total, desc=text, unit="file", disable=None, file=sys.stderr, leave=False)
        self._bar.update(min(done, total) - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def _bar(args: argparse.Namespace) -> Iterator[_Bar]:
    bar = _Bar()
    try:
        yield bar
    finally:
        bar.close()


def _document(report: Any) -> dict[str, Any]:
    from app.store.import_report import Outcome

    return {
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "is_cancelled": report.is_cancelled,
        "notes": list(report.notes),
        "files": [
            {
                "file": item.label,
                "outcome": item.outcome.value,
                "kind": item.kind,
                "reason": item.reason,
                "remedy": item.remedy,
                "view": item.view_id,
                "notices": list(item.notices),
            }
            for item in report.items
        ],
        "cases": [case_document(entry.case, entry.views) for entry in report.cases],
    }


def _print(report: Any) -> None:
    from app.store.import_report import Outcome

    for note in report.notes:
        print(note)
    titles = {"Imported": Outcome.IMPORTED, "Duplicates": Outcome.DUPLICATE, "Refused": Outcome.REFUSED}
    for title, outcome in titles.items():
        items = [item for item in report.items if item.outcome is outcome]
        if items:
            print(f"{title}:")
            for item in items:
                view = f" [{item.view_id}]" if item.view_id else ""
                why = " ".join(part for part in (item.reason, item.remedy) if part)
                print(f"  {printable(item.label)}{view}{f': {printable(why)}' if why else ''}")
    if report.cases:
        print("Cases:")
        for entry in report.cases:
            for line in case_lines(entry.case, entry.views):
                print(f"  {line}")
    questions = sum(bool(entry.case.questions) for entry in report.cases)
    blocked = sum(bool(entry.case.blocked_reason) for entry in report.cases)
    counts = f"{report.count(Outcome.IMPORTED)} imported, {report.count(Outcome.DUPLICATE)} duplicate, "
    print(f"{counts}{report.count(Outcome.REFUSED)} refused.", end=" ")
    print(f"{len(report.cases)} cases, {questions} with open questions, {blocked} blocked.")
    if questions:
        print("Answer with: coxa cases resolve VIEW --side left|right|both --projection frontal|… --project DIR")
    if report.is_cancelled:
        print("Stopped before the end; import the same files again to go on.")
