"""`coxa evaluate`: what a model is worth, on the cases of its run or on the project's hold-out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app.cli.arguments import whole_number
from app.cli.exit_codes import DONE
from app.cli.output import add_json_argument, add_project_argument, print_json, printable
from app.core.errors import UserError
from app.core.evaluation import CrossEvaluation, Evaluation, decided_at

if TYPE_CHECKING:
    from app.core.promotion import Comparison

EPILOG = """\
examples:
  coxa evaluate ~/hips/runs/RUN                      figures, tables and mistakes of a run's model
  coxa evaluate ~/hips/runs/RUN-fold*                all folds of a cross-validation: mean ± SD, and pooled
  coxa evaluate --project ~/hips --model ID          a model on the project's frozen hold-out
  coxa evaluate --project ~/hips --model ID --against active
                                                     the promotion gate: Δ AUC with its interval, flipped cases
  coxa evaluate ~/hips/runs/RUN --json               the same, with every point of every curve

Intervals: Clopper–Pearson for shares, DeLong for the AUC (bootstrap by patient where patients have several cases),
Wilson's of TP ÷ (TP + FP + FN) for F1. ± is the sample standard deviation over folds (n − 1)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa evaluate`."""
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="folder of a run, or of all folds")
    add_project_argument(parser, is_required=False)
    parser.add_argument("--model", default="", metavar="ID", help="a model of the project, or one that Coxa ships with")
    parser.add_argument("--against", default="", metavar="ID", help="another one, or `active`")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda … (default: auto)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32",
                        help="what the network computes in (default: float32)")  # fmt: skip
    parser.add_argument("--mistakes", type=whole_number, default=10, metavar="N",
                        help="how many wrong cases to list, the surest first (default: 10)")  # fmt: skip
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Evaluate."""
    if args.project is not None and args.model:
        return _model(args)
    if not args.runs:
        raise UserError("Give the folder of a run, or --project DIR --model ID.", kind="usage")
    found = [(path, _evaluation(path)) for path in args.runs]
    if len(found) > 1:
        return _folds(args, found)
    evaluation = found[0][1]
    if evaluation is None:
        raise UserError(
            "This run has not been evaluated yet.",
            reason="It is not finished.",
            remedy="Train it to its end, or stop it with `coxa train RUN --finish`.",
            kind="not-finished",
        )
    if args.json:
        print_json(msgspec.to_builtins(evaluation))
    else:
        print("\n".join(lines_of(evaluation, mistakes=args.mistakes)))
    return DONE


def _model(args: argparse.Namespace) -> int:
    from app.cli.gate import on_hold_out
    from app.store.models import Models
    from app.store.project import ProjectStore

    with ProjectStore.open(args.project, is_read_only=True) as project:
        models = Models(project)
        entry = models.get(args.model)
        other = None
        if args.against:
            other = models.active(entry.task_id) if args.against == "active" else models.get(args.against)
        evaluation = on_hold_out(project, entry, device=args.device, precision=args.precision)
        comparison: Comparison | None = None
        if other is not None and other.id != entry.id:
            theirs = on_hold_out(project, other, device=args.device, precision=args.precision)
            from app.engine.training.evaluating import compare_models

            comparison = compare_models(evaluation, theirs)
    if args.json:
        document: dict[str, Any] = {"evaluation": msgspec.to_builtins(evaluation)}
        document["comparison"] = None if comparison is None else msgspec.to_builtins(comparison)
        print_json(document)
        return DONE
    print("\n".join(lines_of(evaluation, mistakes=args.mistakes)))
    if comparison is not None:
        print("\n".join(comparison_lines(comparison)))
    elif args.against:
        print("\nThere is nothing to compare with: it is the active model itself, or the hold-out is of one class.")
    return DONE


def _folds(args: argparse.Namespace, found: Sequence[tuple[Path, Evaluation | None]]) -> int:
    cross = cross_of(found)
    if args.json:
        print_json(msgspec.to_builtins(cross))
    else:
        print("\n".join(cross_lines(cross, mistakes=args.mistakes)))
    return DONE


def cross_of(found: Sequence[tuple[Path, Evaluation | None]]) -> CrossEvaluation:
    """The folds of a cross-validation together.

    Args:
        found: folder and evaluation of each; None = not finished.

    Raises:
        UserError: `not-finished`: none of them is.
    """
    from app.engine.training.evaluating import cross_evaluate
    from app.store.model_folder import read_card
    from app.store.run_folder import RunFolder

    finished = [path for path, evaluation in found if evaluation is not None]
    if not finished:
        raise UserError("None of these runs is finished.", remedy="Train them first.", kind="not-finished")
    folder = RunFolder(finished[0].absolute())
    info = folder.info()
    return cross_evaluate(
        info.queue or info.id, [evaluation for _, evaluation in found], read_card(folder.model_folder),
        title=info.title.rpartition(", fold ")[0] or info.title,
    )  # fmt: skip


def _evaluation(path: Path) -> Evaluation | None:
    from app.store.run_folder import RunFolder

    folder = RunFolder(path.absolute())
    folder.plan()
    return folder.evaluation()


def lines_of(evaluation: Evaluation, *, mistakes: int = 10) -> list[str]:
    """An evaluation as text."""
    lines = [printable(f"{evaluation.title} ({evaluation.model_id})"), evaluation.measured_on, ""]
    for figure in evaluation.figures:
        interval = "" if figure.low is None else f"  ({figure.low:.3f} … {figure.high:.3f})"
        lines.append(f"{figure.name:38} {figure.value:6.3f}{interval:22} {figure.cases:5} cases  {figure.method}")
    if evaluation.average_precision is not None:
        lines.append(f"{'average precision':38} {evaluation.average_precision:6.3f}")
    true_positive, false_negative, true_negative, false_positive = evaluation.counts
    without, finding = evaluation.classes
    width = max(len(without), len(finding), 8)
    thresholds = sorted({decided_at(case, evaluation.threshold) for case in evaluation.cases} or {evaluation.threshold})
    at = f"from {thresholds[0]:.3f}"
    if len(thresholds) > 1:
        at = f"each fold from its own threshold, {thresholds[0]:.3f} to {thresholds[-1]:.3f}"
    lines += [
        "",
        f"{'':{width}}  {'said ' + finding:>{width + 5}}  {'said ' + without:>{width + 5}}   {at}",
        f"{finding:{width}}  {true_positive:{width + 5}}  {false_negative:{width + 5}}",
        f"{without:{width}}  {false_positive:{width + 5}}  {true_negative:{width + 5}}",
    ]
    if len(evaluation.by_vendor) > 1:
        lines.append("")
        for group in evaluation.by_vendor:
            words = ", ".join(f"{figure.name} {figure.value:.3f}" for figure in group.figures[:4])
            lines.append(printable(f"{group.name}: {group.cases} cases, {words}"))
    wrong = evaluation.mistakes
    lines += ["", f"{len(wrong)} mistakes" + (":" if wrong else "")]
    for case in wrong[:mistakes]:
        truth = evaluation.classes[case.is_finding]
        own = "" if len(thresholds) < 2 else f" (found from {decided_at(case, evaluation.threshold):.3f})"
        lines.append(f"  {case.id}  {truth}, said {case.probability:.3f}{own}")
    return lines


def cross_lines(cross: CrossEvaluation, *, mistakes: int = 10) -> list[str]:
    """A cross-validation as text."""
    lines = [f"{cross.done} of {cross.folds} folds: mean ± SD, and each fold", ""]
    for row in cross.per_fold:
        spread = "" if row.sd is None else f" ± {row.sd:.3f}"
        spread += "" if row.counted == cross.done else f" of {row.counted} folds"
        folds = " ".join("  –  " if value is None else f"{value:.3f}" for value in row.folds)
        lines.append(f"{row.name:38} {row.mean:6.3f}{spread:20}  {folds}")
    return [*lines, "", *cross.notes, *([""] if cross.notes else []), *lines_of(cross.pooled, mistakes=mistakes)]


def comparison_lines(comparison: Comparison) -> list[str]:
    """The promotion gate as text."""
    verdict = "worse" if comparison.is_worse else "not worse"
    lines = [
        "",
        f"{comparison.new_id} against {comparison.active_id}: {verdict}",
        f"{comparison.words}; DeLong p = {comparison.p:.3f}, McNemar p = {comparison.decisions_p:.3f}",
    ]
    for flip in comparison.flips:
        word = "better" if flip.is_better else "worse"
        lines.append(f"  {flip.case_id}  {flip.before:.3f} → {flip.after:.3f}  {word}")
    return lines
