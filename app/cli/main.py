"""The `coxa` command: finds the sub-command, then imports only what that one needs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from app import __version__
from app.cli.exit_codes import BUG, CANCELLED, REFUSED, USAGE
from app.cli.output import print_user_error
from app.core.errors import UserError

# name -> (module with configure(parser) and run(args) -> exit code, one-line summary)
COMMANDS: dict[str, tuple[str, str]] = {
    "gui": ("app.cli.gui", "open the window on a project"),
    "import": ("app.cli.import_", "bring radiographs into a project"),
    "cases": ("app.cli.cases", "list cases; say which view and which side an image shows"),
    "render": ("app.cli.render", "write the picture that a pane shows as a PNG file"),
    "check": ("app.cli.check", "versions, device, and the health of a project"),
    "backup": ("app.cli.backup", "make, list and restore verified backups of a project"),
    "demo": ("app.cli.demo", "make the demo project"),
}

EXAMPLES = """\
examples:
  coxa gui --project ~/hips                 open a project in the window
  coxa import ~/radiographs --project ~/hips
  coxa cases --project ~/hips               what was found, and what is still open
  coxa render hip.dcm -o hip.png            the picture that a pane shows
  coxa check --project ~/hips               is everything still intact?

exit codes: 0 done · 1 done, but something was refused or found damaged · 2 the command line is wrong
            3 not possible, the reason is printed · 70 a fault in Coxa · 130 cancelled

Research use only. Not for diagnosis."""


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The full parser; with `only`, sub-commands other than that one are left unconfigured (not imported)."""
    parser = argparse.ArgumentParser(
        prog="coxa",
        description="Coxa: paired hip radiographs, reviewed, labelled and curated on one workstation.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"coxa {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (module, summary) in COMMANDS.items():
        sub = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        sub.formatter_class = argparse.RawDescriptionHelpFormatter
        if only is None or only == name:
            importlib.import_module(module).configure(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    named = next((word for word in words if word in COMMANDS), None)
    parser = build_parser(only=named or "")
    args = parser.parse_args(words)
    if args.command is None:
        parser.print_help()
        return USAGE
    try:
        return int(importlib.import_module(COMMANDS[args.command][0]).run(args))
    except UserError as error:
        print_user_error(error, as_json=bool(getattr(args, "json", False)))
        return REFUSED
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return CANCELLED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception:  # the last line of defence: a bug is reported as one, with its traceback
        import traceback

        traceback.print_exc()
        print("coxa: this is a fault in Coxa, not in your input. Please report the lines above.", file=sys.stderr)
        return BUG


def entry_point() -> NoReturn:
    """What the `coxa` console command calls."""
    sys.exit(main())
