"""`coxa predict`: let models look at cases of a project, by the same way as the window does."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.arguments import whole_count
from app.cli.case_filters import add_filter_arguments, cases_of, query_of
from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.output import add_json_argument, add_project_argument, print_json
from app.core.case import Projection
from app.core.errors import UserError

if TYPE_CHECKING:
    from app.core.counsel import UsableModel
    from app.core.finding import Consultation
    from app.store.project import ProjectStore

EPILOG = """\
examples:
  coxa predict --project ~/hips                             every model about every case
  coxa predict --project ~/hips --case C-7K3Q9-XWD2M --json
  coxa predict --project ~/hips --status new --model cvdt-small --heatmaps ~/heatmaps
  coxa predict --project ~/hips --filter label.garden=3,4 --reader "A. Reader"
  coxa predict --project ~/hips --device cuda --precision bfloat16
  coxa predict ap.dcm axial.dcm --model cvdt-small --side left -o heatmap.png
  coxa predict ap.png axial.png --model cvdt-small --side right --region 310,220,400,600 --region 290,240,400,600
  coxa predict shaft.dcm --model efficientnet-lite0-intervention --align 512,640,530,900 --json

Answers are kept beside the project's other derived values, where the window finds them; what was answered before is
not computed again. They are opinions for research: never labels, never training data, not for diagnosis.
--heatmaps writes a PNG for each answer and view, in the model's own scale of colours: a negative stays pale.

FILES, DICOM or pictures, need no project: the frontal view first, then the lateral one, or the one view of a model
that looks at one. They are read, windowed and cut as those of a project are, and nothing is kept. Where the model
needs to know where the hip is and no --region is given, it is located automatically. -o writes the views side by side
with their heatmaps."""

VERDICTS = {"found": "found", "not-found": "not found", "abstains": "no answer: too near the threshold",
            "outside": "no answer: outside what it knows"}  # fmt: skip
GAPS = {
    "blocked": "the case is blocked", "missing-view": "it has no {role} view",
    "unfit-image": "the {role} image is partial, or decoded for display only",
    "side-open": "nobody has said which hip it is", "needs-clicks": "the {role} view has no two clicks",
    "crop-rejected": "the {role} crop was rejected", "needs-region": "the {role} view has no region box",
    "unreadable": "the {role} image is missing or damaged",
}  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa predict`."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE",
                        help="files without a project: the frontal view, then the lateral one")  # fmt: skip
    add_project_argument(parser, is_required=False)
    parser.add_argument("--case", action="append", default=[], metavar="ID", dest="cases",
                        help="only this case (may be repeated)")  # fmt: skip
    parser.add_argument("--model", action="append", default=[], metavar="ID", dest="models",
                        help="ask this model (may be repeated; default: the active one of every place); with FILES "
                        "one, by its name or its folder")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar="PNG", help="with FILES: write the views with heatmaps")
    parser.add_argument("--region", action="append", default=[], metavar="X,Y,W,H",
                        help="with FILES: the box around the hip, px, once for each view")  # fmt: skip
    parser.add_argument("--align", action="append", default=[], metavar="X,Y,X,Y",
                        help="with FILES: fracture centre and a point on the axis of the shaft, px, once for each "
                        "view")  # fmt: skip
    parser.add_argument("--heatmaps", type=Path, metavar="DIR", help="write heatmaps over the radiographs as PNG")
    parser.add_argument("--reader", default="", metavar="NAME", help="whose clicks and boxes come first")
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 … or mps (default: auto)"
    )
    parser.add_argument("--precision", default="auto", metavar="NAME",
                        help="float32, bfloat16, or auto: where a check allows it bfloat16")  # fmt: skip
    parser.add_argument("--threads", type=whole_count, default=0, metavar="N", help="CPU threads (default: all cores)")
    parser.add_argument("--compile", action="store_true",
                        help="compile networks for a GPU first: takes minutes; for thousands of cases")  # fmt: skip
    parser.add_argument("--projection", choices=[value.value for value in Projection],
                        help="only cases with such a view")  # fmt: skip
    parser.add_argument("--side", choices=("left", "right"), help="only hips of this side; with FILES: which hip it is")
    add_filter_arguments(parser)
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Ask, and say what was answered.

    Raises:
        UserError: `usage`, or something cannot be read or asked.
    """
    if args.files:
        if args.project is not None:
            raise UserError("Give files, or a project; not both.", kind="usage")
        from app.cli.predict_files import run_files

        return run_files(args)
    if args.project is None:
        raise UserError("Give --project DIR, or the files to look at.", kind="usage")
    if args.output is not None or args.region or args.align:
        raise UserError(
            "-o, --region and --align are for files without a project.",
            remedy="Use --heatmaps for the cases of a project; boxes and clicks are those of its readers.",
            kind="usage",
        )
    from app.cli.predict_run import ask_models

    if args.fields:
        raise UserError("`coxa cases --fields` lists the fields.", kind="usage")
    with _opened(args.project) as project:
        models, localiser = chosen_models(project, args.models)
        names = args.cases or [case.id for case in cases_of(project, query_of(args), limit=args.limit)]
        if missing := [name for name in names if project.cases.get(name) is None]:
            raise UserError(f"There is no case {missing[0][:64]} in this project.", kind="usage")
        found = ask_models(project, names, models, localiser, args)
        pictures = _write_pictures(project, found, args.heatmaps) if args.heatmaps else []
    if args.json:
        print_json({"cases": [_document(name, entries) for name, entries in found.items()],
                    "heatmaps": [str(path) for path in pictures]})  # fmt: skip
    else:
        for name, entries in found.items():
            print(name)
            for entry in entries:
                print(f"  {entry.card.id:<32} {answer_words(entry)}")
        if args.heatmaps:
            print(f"{len(pictures)} heatmaps in {args.heatmaps}.")
        print("Opinions of models for research. Not for diagnosis.")
    return PROBLEMS if any(entry.failure for entries in found.values() for entry in entries) else DONE


def chosen_models(project: ProjectStore, ids: Sequence[str]) -> tuple[tuple[UsableModel, ...], UsableModel | None]:
    """The models to ask, and the localiser.

    Raises:
        UserError: `no-model`.
    """
    from app.core.counsel import UsableModel
    from app.store.models import Models
    from app.store.usable_models import usable_models

    models, localiser = usable_models(project)
    if ids:
        entries = [Models(project).get(name) for name in dict.fromkeys(ids)]
        models = tuple(UsableModel(folder=str(entry.folder), card=entry.card) for entry in entries)
    if not models:
        raise UserError(
            "There is no model to ask.",
            reason="Neither Coxa nor this project has one.",
            remedy="Train one (`coxa train`), or import one (`coxa models import`).",
            kind="no-model",
        )
    return models, localiser


def answer_words(entry: Consultation) -> str:
    """What came of asking, in one line."""
    from app.core.finding import Verdict, finding_probability

    if entry.failure:
        return f"failed: {entry.failure}"
    if entry.gap is not None:
        return "cannot be asked: " + GAPS[entry.gap.value].format(role=entry.gap_role or "")
    if entry.finding is None or entry.verdict is None:
        return "was not answered"
    what = entry.card.classes[entry.card.finding]
    if entry.verdict is Verdict.OUTSIDE:
        return f"{what}: {VERDICTS[entry.verdict]}"
    share = finding_probability(entry.card, entry.finding.probabilities)
    return f"{what}: {100 * share:.0f} % (threshold {100 * entry.card.threshold:.0f} %), {VERDICTS[entry.verdict]}"


def _document(case_id: str, entries: Sequence[Consultation]) -> dict[str, Any]:
    """One case for programs."""
    answers = []
    for entry in entries:
        document: dict[str, Any] = {
            "model": entry.card.id, "place": entry.card.task_id, "weights_sha256": entry.card.weights_sha256,
            "state": str(entry.state),
        }  # fmt: skip
        if entry.finding is not None:
            document |= {
                "input_key": entry.input_key,
                "probabilities": dict(zip(entry.card.classes, entry.finding.probabilities, strict=True)),
                "threshold": entry.card.threshold,
                "verdict": str(entry.verdict),
                "distance": entry.finding.distance,
                "located": [view.view_id for view in entry.views if view.is_located],
            }
        if entry.gap is not None:
            document |= {"gap": entry.gap.value, "view": str(entry.gap_role) if entry.gap_role else None}
        if entry.failure:
            document["failure"] = entry.failure
        answers.append(document)
    return {"case": case_id, "answers": answers}


@contextmanager
def _opened(path: Path) -> Iterator[ProjectStore]:
    """The project, for writing if nobody else does: only then answers are kept.

    Raises:
        UserError: it cannot be opened.
    """
    from app.store.project import ProjectStore

    try:
        project = ProjectStore.open(path)
    except UserError as error:
        if error.kind != "locked":
            raise
        project = ProjectStore.open(path, is_read_only=True)
    with project:
        yield project


def _write_pictures(project: ProjectStore, found: dict[str, tuple[Consultation, ...]], folder: Path) -> list[Path]:
    """Heatmaps over radiographs, one PNG for each answer and view.

    Raises:
        UserError: `unwritable-folder`.
    """
    from app.cli.predict_run import heatmap_pictures

    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name, picture in heatmap_pictures(project, found):
            (folder / name).write_bytes(picture)
            written.append(folder / name)
    except OSError as error:
        raise UserError(
            "The heatmaps cannot be written.",
            reason=f"The system says: {(error.strerror or type(error).__name__).lower()}.",
            remedy="Choose another folder.",
            kind="unwritable-folder",
        ) from error
    return written
