"""`coxa engine`: the AI engine, which the window starts and talks to."""

from __future__ import annotations

import argparse
import contextlib
import os

from app.cli.arguments import niceness

EPILOG = """\
The engine reads requests from its standard input, one JSON object a line, and writes replies in the same form
(app/core/engine_messages.py). It ends when its input ends. Nobody needs to start it by hand.

examples:
  coxa engine                               answers each line of its input until that ends
  coxa engine --nice 10                     as the window starts it: everything else on the machine goes first"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa engine`."""
    parser.add_argument(
        "--nice", type=niceness, default=0, metavar="N", help="let other programs go first, 0 … 19 (default: 0)"
    )
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Serve until the standard input ends."""
    if args.nice and hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(args.nice)
    from app.engine.worker import main

    return main()
