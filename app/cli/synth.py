"""`coxa synth`: make labelled pairs of synthetic hip radiographs."""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.exit_codes import DONE
from app.cli.output import add_json_argument, print_json, progress
from app.cli.series_folder import SeriesFolder, write_whole
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
    parser.add_argument("--cases", type=int, metavar="N", required=True, help="number of studies, 1 to 1,000,000")
    parser.add_argument("--seed", type=int, metavar="S", required=True, help="seed of the series, 0 or more")
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder to write to, or to go on in")
    parser.add_argument(
        "--kind", action="append", choices=KINDS, help="what to show; repeat for several (default: a mix)"
    )
    parser.add_argument(
        "--difficulty",
        choices=("easy", "standard"),
        default="standard",
        help="how clearly fractures show (default: standard)",
    )
    parser.add_argument(
        "--views",
        choices=EXAMINATIONS,
        default="cross-table",
        help="the lateral view beside the frontal one, or a whole pelvis, or a shaft (default: cross-table)",
    )
    parser.add_argument(
        "--size", type=int, metavar="PX", default=1024, help="image height, 128 to 4096 px (default: 1024)"
    )
    parser.add_argument("--coarse", action="store_true", help="coarser voxels: faster, enough for small training crops")
    parser.add_argument(
        "--format", choices=("dicom", "npz"), default="dicom", help="npz also holds difference images (default: dicom)"
    )
    parser.add_argument("--jobs", type=int, metavar="J", default=1, help="processes, 1 to 256 (default: 1)")
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Make what is missing of a series."""
    from app.engine.synthesis.pool import write_cases
    from app.engine.synthesis.study import MOST_CASES, case_folder

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
    place = SeriesFolder(path=folder, stamp=STAMP, what="synthetic hips")
    place.open(series.describe())
    with place.alone(partial=".case-*.partial"):
        missing = [number for number in range(args.cases) if not case_folder(folder, number).exists()]
        work = write_cases(series, missing, folder, jobs=args.jobs)
        with contextlib.closing(work):  # ends its processes, whatever happens
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


def _finish(folder: Path, cases: int, made: int) -> dict[str, Any]:
    from app.engine.synthesis.study import TRUTH, case_folder, table_of

    truths = (json.loads((case_folder(folder, number) / TRUTH).read_text(encoding="utf-8")) for number in range(cases))
    write_whole(folder / TABLE, table_of(truths))
    return {"cases": cases, "made": made, "table": TABLE}
