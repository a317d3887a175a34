"""`coxa synth`: make labelled pairs of synthetic hip radiographs."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from app.cli.exit_codes import DONE
from app.cli.output import add_json_argument, print_json, progress
from app.core.errors import UserError

if TYPE_CHECKING:
    from app.engine.synthesis.study import Series

STAMP = "series.json"
TABLE = "cases.csv"
KINDS = ("normal", "neck-non-displaced", "garden-3", "garden-4", "trochanteric", "shaft-nff", "shaft-aff")
EXAMINATIONS = ("cross-table", "frog-leg", "pelvis", "shaft")

EPILOG = """\
examples:
  coxa synth --cases 100 --seed 1 --out ~/synth               pairs as DICOM, truth as JSON, a table
  coxa synth --cases 600 --seed 2 --out ~/train --kind normal --kind neck-non-displaced \\
             --difficulty easy --size 512 --coarse --format npz --jobs 4
  coxa synth --cases 100 --seed 1 --out ~/synth               again: only what is missing is made

The same seed gives the same bytes, whatever --jobs is, with the same versions of numpy and OpenCV. A run that
was interrupted is resumed. Synthetic images serve demonstration, tests, pre-training and augmentation; they say
nothing about patients. Research use only."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa synth`."""
    parser.add_argument("--cases", type=int, metavar="N", required=True, help="number of studies, each a pair of views")
    parser.add_argument("--seed", type=int, metavar="S", required=True, help="seed of the series, 0 or more")
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder to write to, or to go on in")
    parser.add_argument(
        "--kind", action="append", choices=KINDS, help="what to show; repeat for several (default: a mix)"
    )
    parser.add_argument(
        "--difficulty", choices=("easy", "standard"), default="standard", help="how subtle fractures are"
    )
    parser.add_argument(
        "--views", choices=EXAMINATIONS, default="cross-table", help="the lateral view, or a whole pelvis"
    )
    parser.add_argument("--size", type=int, metavar="PX", default=1024, help="image height (default: 1024)")
    parser.add_argument("--coarse", action="store_true", help="coarser voxels: faster, enough for small training crops")
    parser.add_argument("--format", choices=("dicom", "npz"), default="dicom", help="npz also holds difference images")
    parser.add_argument("--jobs", type=int, metavar="J", default=1, help="processes (default: 1)")
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Make what is missing of a series."""
    from app.engine.synthesis.pool import write_cases
    from app.engine.synthesis.study import MOST_CASES, case_folder, remove_partial

    if not 1 <= args.cases <= MOST_CASES or not 0 <= args.seed < 2**40:
        raise UserError(
            "These numbers cannot be used.",
            reason=f"A series has 1 to {MOST_CASES} studies and a seed of 0 or more.",
            remedy="Change --cases or --seed.",
            kind="bad-number",
        )
    if not 128 <= args.size <= 4096 or not 1 <= args.jobs <= 256:
        raise UserError(
            "These numbers cannot be used.",
            reason="Images are 128 to 4096 px high, and 1 to 256 processes can work.",
            remedy="Change --size or --jobs.",
            kind="bad-number",
        )
    series = _series(args)
    folder: Path = args.out.absolute()
    _open_folder(folder, series)
    with _alone(folder):
        remove_partial(folder)
        missing = [number for number in range(args.cases) if not case_folder(folder, number).exists()]
        work = write_cases(series, missing, folder, jobs=args.jobs)
        for _ in progress(work, total=len(missing), text="Synthetic hips", unit="case"):
            pass
        document = _finish(folder, args.cases, len(missing))
    if args.json:
        print_json(document)
    else:
        print(f"{document['cases']} studies ({document['made']} made now): {folder}")
    return DONE


def _series(args: argparse.Namespace) -> Series:
    from app.engine.phantom.fracture import CaseKind, Difficulty
    from app.engine.synthesis.study import Examination, FileFormat, Series

    return Series(
        seed=args.seed,
        kinds=tuple(dict.fromkeys(CaseKind(kind) for kind in args.kind or ())),
        difficulty=Difficulty(args.difficulty),
        examination=Examination(args.views),
        height_px=args.size,
        is_coarse=args.coarse,
        format=FileFormat(args.format),
    )


def _open_folder(folder: Path, series: Series) -> None:
    """Start a folder, or make sure that the one there holds the same series."""
    stamp = folder / STAMP
    wanted = series.describe()
    if stamp.exists():
        try:
            found = json.loads(stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = None
        if found != json.loads(json.dumps(wanted)):
            raise UserError(
                "This folder holds another series of synthetic hips.",
                reason="Its settings or its generator were others, and two series in one folder cannot be told apart.",
                remedy="Choose another folder with --out, or use the settings that the folder was made with.",
                kind="other-series",
            )
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            "This folder is in use.",
            reason="It exists and is not a series of synthetic hips.",
            remedy="Choose an empty or a new folder with --out.",
            kind="folder-in-use",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(stamp, json.dumps(wanted, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise UserError(
            "The folder cannot be written to.",
            reason=f"The system says: {error.strerror}.",
            remedy="Choose another folder with --out.",
            kind="not-writable",
        ) from error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second run out of the folder."""
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UserError(
            "Another run is working in this folder.",
            reason="Two runs would make the same studies.",
            remedy="Wait until it ends, or choose another folder with --out.",
            kind="folder-in-use",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _finish(folder: Path, cases: int, made: int) -> dict[str, Any]:
    from app.engine.synthesis.study import TRUTH, case_folder, table_of

    truths = (json.loads((case_folder(folder, number) / TRUTH).read_text(encoding="utf-8")) for number in range(cases))
    _write(folder / TABLE, table_of(truths))
    return {"cases": cases, "made": made, "table": TABLE}


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
