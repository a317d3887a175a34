"""`coxa train`: trains a model on the annotated cases of a project, or goes on with a run."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.arguments import niceness, whole_count, whole_number
from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.modest import be_modest
from app.cli.output import add_json_argument, add_project_argument, print_json, printable
from app.cli.user import user_name
from app.core.errors import UserError
from app.core.training_proposal import REASONS, Protocol, Start

if TYPE_CHECKING:
    from app.store.run_folder import Epoch, RunFolder
    from app.store.runs import RunSummary
    from app.store.training_setup import TrainingSetup

EPILOG = """\
examples:
  coxa train --project ~/hips --dry-run              who would take part, and how they would be divided
  coxa train --project ~/hips                        the question, network and weights that fit best, preset quick
  coxa train --project ~/hips --network cvdt --preset paper --protocol 10-fold
  coxa train --project ~/hips --list                 every run, and how far it is
  coxa train ~/hips/runs/RUN                         go on with a run
  coxa train ~/hips/runs/RUN --pause                 ask it to stop; --finish: and to keep the best weights so far
  coxa train --estimate --network cvdt --cases 700   how long an epoch takes on this machine
  torchrun --nproc-per-node 4 -m app train RUN       one run on four GPUs

A run is a folder that is complete but for the images: plan, cases, progress, weights, model. Stopping loses nothing:
the same command goes on where it was. A cross-validation is a queue of such folders, which can be trained anywhere.
The model that comes out answers only after it was promoted (`coxa models promote`)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa train`."""
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="folders of runs to train, in this order")
    add_project_argument(parser, is_required=False)
    parser.add_argument("--task", default="", metavar="ID", help="question of the label set (default: the first)")
    parser.add_argument(
        "--network",
        default="",
        metavar="ID",
        help="network (default: that of the active model; a name that is none lists them)",
    )
    parser.add_argument(
        "--preset",
        default="quick",
        metavar="NAME",
        help="quick (8 epochs), default (40), paper, or paper-sgd (default: quick)",
    )
    parser.add_argument("--start", default="", metavar="WEIGHTS",
                        help="active, imagenet, scratch, or a file (default: active where it fits)")  # fmt: skip
    parser.add_argument("--protocol", choices=("hold-out", "80-20", "10-fold", "5-fold"), default="",
                        help="how cases are divided (default: hold-out; of a paper's preset, the paper's)")  # fmt: skip
    parser.add_argument("--seed", type=whole_number, default=0, metavar="N",
                        help="of split, weights and order, 0 or more (default: 0)")  # fmt: skip
    parser.add_argument("--epochs", type=whole_count, default=0, metavar="N",
                        help="passes over the training cases (default: the preset's)")  # fmt: skip
    parser.add_argument("--title", default="", metavar="TEXT", help="what to call the run")
    parser.add_argument("--reader", default="", metavar="NAME", help="whose clicks and boxes come first")
    parser.add_argument("--dry-run", action="store_true", help="say what would be trained, and stop")
    parser.add_argument("--prepare-only", action="store_true", help="freeze the runs, print their folders, and stop")
    parser.add_argument("--list", action="store_true", help="list the runs of the project")
    parser.add_argument("--pause", action="store_true", help="ask runs to stop after the present step")
    parser.add_argument("--finish", action="store_true", help="ask runs to stop and make a model of the best weights")
    parser.add_argument("--estimate", action="store_true", help="measure a few steps and say how long a run takes")
    parser.add_argument("--cases", type=whole_count, default=0, metavar="N",
                        help="training cases, for --estimate (default: 100)")  # fmt: skip
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 … (default: auto)")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto",
                        help="auto: bfloat16 where a check finds it safe and quicker (default: auto)")  # fmt: skip
    parser.add_argument("--threads", type=whole_count, default=0, metavar="N", help="CPU threads (default: all cores)")
    parser.add_argument("--nice", type=niceness, default=10, metavar="N",
                        help="let other programs go first, 0 … 19; 19: take only idle time (default: 10)")  # fmt: skip
    parser.add_argument("--background", action="store_true",
                        help="outlive the terminal or window, in a scheduling group of its own")  # fmt: skip
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Train, or say what would be trained."""
    if args.list:
        return _list(args)
    if args.pause or args.finish:
        return _stop(args)
    if args.estimate:
        return _estimate(args)
    if args.runs and args.project is not None:
        raise UserError("Give either folders of runs, or --project.", kind="usage")
    folders: list[RunFolder]
    if args.runs:
        from app.store.run_folder import RunFolder

        folders = [RunFolder(path.absolute()) for path in args.runs]
        for folder in folders:
            folder.plan()  # refuses what is no run, before anything long begins
    elif args.project is not None:
        made = _make(args)
        if made is None:
            return DONE
        folders = made
    else:
        raise UserError("Give the folder of a run, or --project DIR.", kind="usage")
    return _train(args, folders)


def _train(args: argparse.Namespace, folders: list[RunFolder]) -> int:
    be_modest(args.nice, is_background=args.background)
    from app.core.training_run import RunState
    from app.engine.training.processes import is_first_process
    from app.engine.training.train_run import train_queue, train_run

    for name in ("lightning.fabric", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from app.store.runs import summary

    tell = None if args.json or not is_first_process() else _tell
    if len(folders) == 1 and summary(folders[0]).is_done:
        states = [RunState.FINISHED]
        if tell is not None:
            print("This run was finished before; there is nothing left to train.")
    elif len(folders) == 1:
        states = [
            train_run(folders[0], device=args.device, precision=args.precision, threads=args.threads, on_epoch=tell)
        ]
    else:
        states = train_queue(folders, device=args.device, precision=args.precision, threads=args.threads, on_epoch=tell,
                             on_run=None if tell is None else _tell_run)  # fmt: skip
    if not is_first_process():
        return DONE
    listed = [summary(folder) for folder in folders]
    if args.json:
        print_json([_document(each) for each in listed])
    else:
        for each in listed:
            print(_line(each))
            if each.has_model:
                print(f"    model: {each.folder.model_folder}")
        _show_folds(listed)
    return DONE if all(state.value in ("finished", "paused") for state in states) else PROBLEMS


def _make(args: argparse.Namespace) -> list[RunFolder] | None:
    """Freeze the runs that the project and the options make; None after a dry run, and where only freezing was asked
    for."""
    from app.store.project import ProjectStore
    from app.store.training_setup import TrainingWish, command_of, make_runs, set_up

    start, file = _start(args.start)
    wish = TrainingWish(
        task=args.task, network=args.network, preset=args.preset, start=start, start_file=file,
        protocol=Protocol(args.protocol) if args.protocol else None, seed=args.seed, epochs=args.epochs,
    )  # fmt: skip
    with open_project(args.project, ProjectStore, is_looking=args.dry_run) as project:
        setup = set_up(project, wish, reader=args.reader)
        if args.dry_run:
            _show(setup, as_json=args.json)
            return None
        author = args.reader or user_name()
        made = make_runs(project, setup, author=author, title=args.title, command=command_of(setup))
    if args.prepare_only:
        if args.json:
            print_json([str(folder.path) for folder in made])
        else:
            for folder in made:
                print(folder.path)
        return None
    if not args.json:
        _show(setup, as_json=False)
    return made


def open_project(path: Path, store: Any, *, is_looking: bool) -> Any:
    """Open a project for writing; read-only where only looking is asked for, or where the window has it open."""
    if is_looking:
        return store.open(path, is_read_only=True)
    try:
        return store.open(path)
    except UserError as error:
        if error.kind != "locked":
            raise
        return store.open(path, is_read_only=True)


def _start(word: str) -> tuple[Start | None, Path | None]:
    if not word:
        return None, None
    if word in (Start.ACTIVE.value, Start.IMAGENET.value, Start.SCRATCH.value):
        return Start(word), None
    return Start.FILE, Path(word)


def _show(setup: TrainingSetup, *, as_json: bool) -> None:
    proposal = setup.proposal
    request = proposal.request
    if as_json:
        print_json(
            {
                "task": request.task.field,
                "network": request.network.id,
                "preset": request.preset,
                "start": request.start.value,
                "begin": setup.begin.words,
                "protocol": request.protocol.value,
                "cases": len(proposal.labels),
                "folds": [
                    {
                        part.value: {
                            each.name: {"cases": row[number][0], "patients": row[number][1]}
                            for number, each in enumerate(request.task.classes)
                        }
                        for part, row in proposal.table(fold).items()
                    }
                    for fold in range(len(proposal.folds))
                ],
                "unfit": {reason.value: count for reason, count in proposal.unfit_counts().items()},
                "notes": list(proposal.notes),
            }
        )
        return
    names = [each.name for each in request.task.classes]
    print(f"{request.task.text}: {names[0]} or {names[1]}")
    print(f"{request.network.title}, preset {request.preset}, begins with {setup.begin.words}")
    width = max(12, *map(len, names))
    print(f"{'':12}  " + "  ".join(f"{name:>{width}}" for name in names))
    for part, row in proposal.table().items():
        print(f"{part.value:12}  " + "  ".join(f"{f'{cases} of {patients}':>{width}}" for cases, patients in row))
    print("(cases of patients)" + (f", fold 1 of {len(proposal.folds)}" if len(proposal.folds) > 1 else ""))
    for reason, count in proposal.unfit_counts().items():
        print(f"{count} not: {REASONS[reason]}")
    for note in proposal.notes:
        print(note)


def _list(args: argparse.Namespace) -> int:
    from app.store.folder import ProjectFolder
    from app.store.runs import Runs

    if args.project is None:
        raise UserError("Which project? Give --project DIR.", kind="usage")
    folder = ProjectFolder(args.project.absolute())
    folder.read_marker()
    listed = Runs(folder.runs).all()
    if args.json:
        print_json([_document(each) for each in listed])
    else:
        for each in listed:
            print(_line(each))
        if not listed:
            print("There are no runs yet.")
    return DONE


def _stop(args: argparse.Namespace) -> int:
    from app.core.training_run import StopWish
    from app.store.run_folder import RunFolder
    from app.store.runs import stop

    if not args.runs:
        raise UserError("Which runs? Give their folders.", kind="usage")
    wish = StopWish.FINISH if args.finish else StopWish.PAUSE
    for path in args.runs:
        folder = RunFolder(path.absolute())
        folder.plan()
        if stop(folder, wish):
            print(f"{folder.path.name}: asked to {'finish' if args.finish else 'pause'}")
        else:
            print(f"{folder.path.name}: is not being trained", file=sys.stderr)
    return DONE


def _estimate(args: argparse.Namespace) -> int:
    be_modest(args.nice)
    from app.core.networks import network_named, networks
    from app.core.training_plan import TrainingPlan
    from app.core.training_presets import presets_for, with_preset
    from app.engine.training.estimate import estimate

    network = network_named(args.network or networks()[0].id)
    if network is None or args.preset not in presets_for(network.id):
        raise UserError(
            "There is no such network or preset.",
            reason=f"Networks: {', '.join(each.id for each in networks())}.",
            kind="usage",
        )
    classes = ("fracture",) if network.outputs == 1 else ("no fracture", "fracture")
    plan = with_preset(
        TrainingPlan(architecture=network.id, classes=classes, finding=len(classes) - 1, input=network.input),
        args.preset,
    )
    cases = args.cases or 100
    found = estimate(plan, training=cases, validation=cases // 4, device=args.device, threads=args.threads)
    if args.json:
        print_json(
            {
                "network": network.id, "preset": args.preset, "cases": cases, "epochs": plan.epochs,
                "device": found.device, "precision": found.precision, "seconds_per_case": found.seconds_per_case,
                "seconds": found.seconds,
            }
        )  # fmt: skip
    else:
        print(
            f"{network.title}, preset {args.preset}, {cases} cases: about {duration(found.seconds)} for {plan.epochs} "
            f"epochs on {found.device} in {found.precision} ({found.seconds_per_case:.3f} s a case)"
        )
    return DONE


def _show_folds(listed: list[RunSummary]) -> None:
    """What the folds of one cross-validation come to together."""
    from app.cli.evaluate import cross_lines, cross_of

    queues = {each.info.queue for each in listed}
    found = [(each.folder.path, each.folder.evaluation()) for each in listed]
    if len(listed) > 1 and queues == {listed[0].info.queue} != {""} and any(each for _, each in found):
        print("\n" + "\n".join(cross_lines(cross_of(found))))


def _tell_run(folder: RunFolder) -> None:
    print(printable(folder.info().title), flush=True)


def _tell(epoch: Epoch) -> None:
    area = "" if epoch.auc is None else f", AUC {epoch.auc:.3f}"
    loss = "" if epoch.validation_loss is None else f", validation {epoch.validation_loss:.4f}"
    accuracy = "" if epoch.accuracy is None else f", accuracy {epoch.accuracy:.3f}"
    star = " *" if epoch.is_best else ""
    print(
        f"epoch {epoch.number}: loss {epoch.training_loss:.4f}{loss}{area}{accuracy}, {epoch.cases_per_s:.1f} cases/s, "
        f"{duration(epoch.seconds)}{star}",
        flush=True,
    )


def duration(seconds: float) -> str:
    """A time in words: 45 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _line(each: RunSummary) -> str:
    best = each.best
    area = f", best AUC {best.auc:.3f} in epoch {best.number}" if best is not None and best.auc is not None else ""
    problem = f": {each.live.problem.title}" if each.live.problem is not None and each.state.value == "failed" else ""
    return printable(
        f"{each.info.id}  {each.state.value}  {len(each.epochs)} of {each.plan.epochs} epochs{area}  {each.info.title}"
        f"{problem}"
    )


def _document(each: RunSummary) -> dict[str, Any]:
    best = each.best
    return {
        "id": each.info.id,
        "title": each.info.title,
        "folder": str(each.folder.path),
        "state": each.state.value,
        "task": each.info.task,
        "network": each.plan.architecture,
        "preset": each.info.preset,
        "protocol": each.info.protocol,
        "queue": each.info.queue,
        "fold": each.info.fold,
        "epochs": len(each.epochs),
        "of": each.plan.epochs,
        "best_epoch": None if best is None else best.number,
        "best_auc": None if best is None else best.auc,
        "seconds_left": each.live.seconds_left,
        "model": str(each.folder.model_folder) if each.has_model else None,
        "notes": list(each.live.notes),
    }
