"""The `coxa` command: finds the sub-command, then imports only what that one needs."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from app import __version__
from app.cli.exit_codes import BUG, CANCELLED, DONE, REFUSED, USAGE
from app.cli.output import has_invalid_letters, print_fault, print_user_error, printable
from app.core.errors import UserError

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
READ_FILES_ON_THEIR_OWN = frozenset({"import", "render"})  # say of each file that its name cannot be read
TRAINING_PACKAGES = frozenset({"torch", "torchvision", "timm", "safetensors", "scipy", "sklearn", "statsmodels",
                               "lightning_fabric"})  # fmt: skip
# name -> (module with configure(parser) and run(args) -> exit code, one-line summary)
COMMANDS: dict[str, tuple[str, str]] = {
    "gui": ("app.cli.gui", "open the window on a project"),
    "import": ("app.cli.import_", "bring radiographs into a project"),
    "cases": ("app.cli.cases", "list cases; say which view and which side an image shows"),
    "annotations": ("app.cli.annotations", "what people say about cases: list, record, take back, verify"),
    "export": ("app.cli.export", "write a de-identified data set: tables, pictures, COCO, DICOM, or to open again"),
    "crop": ("app.cli.crop", "write every approved crop as a PNG file, with a table"),
    "render": ("app.cli.render", "write the picture that a pane shows as a PNG file"),
    "check": ("app.cli.check", "versions, device, and the health of a project"),
    "backup": ("app.cli.backup", "make, list and restore verified backups of a project"),
    "merge": ("app.cli.merge", "bring another annotator's copy of a project into yours"),
    "demo": ("app.cli.demo", "make the demo project"),
    "synth": ("app.cli.synth", "make labelled pairs of synthetic hip radiographs"),
    "drr": ("app.cli.drr", "make pairs of radiographs from a CT"),
    "train": ("app.cli.train", "train a model on the annotated cases of a project, or go on with a run"),
    "predict": ("app.cli.predict", "let the models look at cases of a project"),
    "evaluate": ("app.cli.evaluate", "what a model is worth: figures with intervals, tables, mistakes, the gate"),
    "models": ("app.cli.models", "list models, import one, let one answer, go back"),
    "engine": ("app.cli.engine", "the AI engine; the window starts it"),
}

EXAMPLES = """\
examples:
  coxa gui --project ~/hips                 open a project in the window
  coxa import ~/radiographs --project ~/hips
  coxa cases --project ~/hips               what was found, and what is still open
  coxa render hip.dcm -o hip.png            the picture that a pane shows
  coxa check --project ~/hips               is everything still intact?
  coxa help import                          what one command does, with examples

exit codes: 0 done · 1 done, but something was refused or found damaged · 2 the command line is wrong
            3 not possible, the reason is printed · 70 a fault in Coxa · 130 cancelled

Research use only. Not for diagnosis."""


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The full parser; with `only`, just that sub-command's; with an empty one, none is configured (imported)."""
    parser = argparse.ArgumentParser(
        prog="coxa",
        description="Coxa: paired hip radiographs, reviewed, labelled and curated on one workstation.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"coxa {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (module, summary) in COMMANDS.items():
        if only and only != name:
            continue
        sub = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        sub.set_defaults(told_by=sub)
        sub.formatter_class = argparse.RawDescriptionHelpFormatter
        if only is None or only == name:
            importlib.import_module(module).configure(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Raises:
        SystemExit: argparse ended the program: help was shown, or the command line is wrong.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    named = next((word for word in words if not word.startswith("-")), None)
    if named is not None and named not in COMMANDS:
        print(unknown_command(named), file=sys.stderr)
        return USAGE
    as_json = "--json" in words
    try:
        if named not in READ_FILES_ON_THEIR_OWN:
            refuse_invalid_letters(words)
        parser = build_parser(only=named if named is not None and words[0] == named else "")
        args, unknown = parser.parse_known_args(words)
        if unknown:  # said with the usage of the command, not with that of `coxa`
            getattr(args, "told_by", parser).error(f"unrecognized arguments: {printable(' '.join(unknown))}")
        if args.command is None:
            parser.print_help()
            return USAGE
        code = int(importlib.import_module(COMMANDS[args.command][0]).run(args))
        if sys.stdout is not None:  # it is None where the caller has closed it
            sys.stdout.flush()  # here, so that a closed pipe is noticed here
        return code
    except UserError as error:
        print_user_error(error, as_json=as_json)
        return USAGE if error.kind == "usage" else REFUSED
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in TRAINING_PACKAGES:
            print_fault(error, as_json=as_json)
            return BUG
        print_user_error(without_torch(error.name or ""), as_json=as_json)
        return REFUSED
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return CANCELLED
    except BrokenPipeError:  # `coxa cases | head`: the reader has seen enough, which is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the interpreter flushes standard output once more at its end
        return DONE
    except OSError as error:
        if error.errno not in NO_ROOM or error.filename is not None:
            print_fault(error, as_json=as_json)
            return BUG
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        print_user_error(cannot_print(error))
        return REFUSED
    except Exception as error:  # the last line of defence: a bug is reported as one
        print_fault(error, as_json=as_json)
        return BUG


def without_torch(package: str) -> UserError:
    """What to say where Coxa was set up for reviewing only."""
    return UserError(
        "Training needs torch, which is not installed.",
        reason=f"Coxa was set up with --review-only: there is no {package}.",
        remedy="Run the set-up again, without --review-only.",
        kind="no-torch",
    )


def refuse_invalid_letters(words: Sequence[str]) -> None:
    """Refuse arguments in another encoding than that of the system: neither a database nor a message takes them.

    Raises:
        UserError: `usage`.
    """
    for word in words:
        if has_invalid_letters(word):
            raise UserError(
                f"“{printable(word)[:80]}” cannot be read.",
                reason="It has letters that are not valid here.",
                remedy="Type it again; rename a file or a folder that is called so.",
                kind="usage",
            )


def cannot_print(error: OSError) -> UserError:
    """What to say where what a command prints has no room."""
    return UserError(
        "The output cannot be written.",
        reason=f"The system says: {(error.strerror or 'unknown error').lower()}.",
        remedy="Free some space, or write it to another place.",
        kind="disk-full",
    )


def unknown_command(word: str) -> str:
    """What to say about a command that does not exist."""
    import difflib  # only for what does not exist

    near = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"Did you mean `coxa {near[0]}`?" if near else "The commands are: " + ", ".join(COMMANDS) + "."
    return f"coxa: there is no command `{word}`. {hint}"


def trusted_path(path: Sequence[str], folder: Path) -> list[str]:
    """The import path without the current folder: a folder called `cv2` beside someone's images is no package.

    Args:
        path: `sys.path`; an empty entry stands for the current folder.
        folder: the current folder. It stays where it is the repository itself.
    """
    home = Path(__file__).resolve().parents[2]
    return [entry for entry in path if Path(entry or folder).resolve() != folder or folder == home]


def entry_point() -> NoReturn:
    """What the `coxa` console command and `python -m app` call."""
    sys.path[:] = trusted_path(sys.path, Path.cwd())
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console that lacks a letter must not end the program
    sys.exit(main())
