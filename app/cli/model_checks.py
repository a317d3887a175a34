"""`coxa models verify`, and what it shares with `coxa models audit`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.cli.arguments import whole_count
from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.modest import be_modest
from app.cli.output import print_json, printable, progress
from app.core.errors import UserError
from app.core.model_check import LOCALISED, CheckState, ModelCheck

if TYPE_CHECKING:
    from app.store.models import Models

J = TypeVar("J")  # of which job
C = TypeVar("C")  # what is made
CASES = 100
MARKS = {CheckState.PASSED: "ok", CheckState.NOTED: "note", CheckState.SKIPPED: "skipped", CheckState.FAILED: "FAILED"}


def add_check_arguments(parser: argparse.ArgumentParser, action: str) -> None:
    """Add the arguments of `verify` or `audit`."""
    if action == "verify":
        parser.add_argument(
            "what", nargs="*", metavar="ID|DIR", help="names of models, or folders (default: all models)"
        )
        parser.add_argument("--hold-out", type=whole_count, default=0, metavar="N",
                            help="also compare decisions of graph and network on N synthetic cases")  # fmt: skip
    else:
        parser.add_argument("what", metavar="ID|DIR", help="name of the model, or its folder")
        parser.add_argument("--cases", type=whole_count, default=CASES, metavar="N",
                            help=f"synthetic cases that are made (default: {CASES}; about a second each)")  # fmt: skip
        parser.add_argument("--write", action="store_true", help="put the audit on the card of a project's model")
        parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda … (default: auto)")
    parser.add_argument("--group", action="append", default=[], choices=("neck", "frog", "displaced", "shaft"),
                        help="show these cases (may be repeated; default: all that answer its question)")  # fmt: skip
    parser.add_argument("--jobs", type=whole_count, default=0, metavar="N",
                        help="processes that make cases (default: one for each core)")  # fmt: skip


def run_verify(args: argparse.Namespace, models: Models) -> int:
    """Check models, and say what came of it.

    Raises:
        UserError: there is no such model, or `no-torch`.
    """
    be_modest(0)
    from app.engine.verify import verify_model

    chosen = [named_folder(models, word) for word in args.what] or [(entry.folder, True) for entry in models.all()]
    documents: list[dict[str, Any]] = []
    for folder, is_named in chosen:
        checks: list[ModelCheck] = []
        if not args.json:
            print(printable(folder.name))
        for check in _checks(folder, args, verify_model(folder, is_named=is_named)):
            checks.append(check)
            if not args.json:
                print(printable(f"  {MARKS[check.state]:8} {check.name}" + (f": {check.words}" if check.words else "")))
        documents.append(
            {
                "folder": str(folder),
                "is_verified": all(check.state is not CheckState.FAILED for check in checks),
                "is_complete": all(check.state is not CheckState.SKIPPED for check in checks),
                "checks": [{"name": one.name, "state": one.state.value, "words": one.words} for one in checks],
            }
        )
    if args.json:
        print_json({"models": documents})
    elif not documents:
        print("There are no models.")
    else:
        failed = [Path(str(one["folder"])).name for one in documents if not one["is_verified"]]
        print(printable(f"Not as they should be: {', '.join(failed)}." if failed else "Nothing is wrong."))
    return DONE if all(one["is_verified"] for one in documents) else PROBLEMS


def require_sound(folder: Path) -> None:
    """Let a received model in only if nothing is wrong with it, as far as that can be told on this machine.

    Raises:
        UserError: `not-sound`: a check of `coxa models verify` has failed; or its card cannot be read.
    """
    from app.store.model_folder import read_card

    read_card(folder)
    be_modest(0)
    from app.engine.verify import verify_model

    failed = [check for check in verify_model(folder, is_named=False) if check.state is CheckState.FAILED]
    if failed:
        raise UserError(
            "The model was not taken in.",
            reason=" ".join(f"Not so: {check.name}. {check.words}".strip() for check in failed),
            remedy="Ask whoever sent it for a whole copy; `coxa models verify DIR` shows every check.",
            kind="not-sound",
        )


def _checks(folder: Path, args: argparse.Namespace, checks: Iterator[ModelCheck]) -> Iterator[ModelCheck]:
    """The checks of one model; on synthetic cases only where the others found nothing."""
    is_good = True
    for check in checks:
        is_good &= check.state is not CheckState.FAILED
        yield check
    if not args.hold_out or not is_good:
        return
    from app.engine.graph_file import has_graph
    from app.store.model_folder import read_card

    card, name = read_card(folder), "the graph decides as the network"
    if card.classes == (LOCALISED,) or not has_graph(folder):
        why = "it decides nothing" if card.classes == (LOCALISED,) else "there is no graph"
        yield ModelCheck(name, CheckState.SKIPPED, why)
        return
    require_torch()
    from app.engine.audit import audit_jobs, fed_case
    from app.engine.verify import decision_checks

    jobs = audit_jobs(card, args.hold_out, groups_of(args))
    yield from decision_checks(folder, made_cases(fed_case, jobs, args))


def made_cases(make: Callable[[J], C], jobs: Sequence[J], args: argparse.Namespace) -> Iterable[C]:
    """Synthetic cases, made in as many processes as are wished."""
    from app.engine.audit import made

    workers = min(args.jobs or os.cpu_count() or 1, len(jobs))
    return progress(made(make, jobs, workers), total=len(jobs), text="synthetic cases", unit="case")


def groups_of(args: argparse.Namespace) -> list[Any]:
    from app.engine.synthesis.known_cases import CaseGroup

    return [CaseGroup(word) for word in args.group]


def named_folder(models: Models, word: str) -> tuple[Path, bool]:
    """The folder of a model, and whether it must have the model's name.

    Raises:
        UserError: `no-model`.
    """
    from app.cli.models import model_folder

    path = Path(word)
    if path.is_dir():
        folder = model_folder(path)
        known = next((entry for entry in models.all() if entry.folder.resolve() == folder.resolve()), None)
        return (folder, False) if known is None else (known.folder, True)
    return models.get(word).folder, True


def require_torch() -> None:
    from app.engine.hardware import has_torch

    if not has_torch():
        raise UserError(
            "This needs PyTorch, which is not installed.",
            reason="Networks with random weights, and those that graphs are compared with, run with it.",
            remedy="Run the set-up again, without --review-only.",
            kind="no-torch",
        )
