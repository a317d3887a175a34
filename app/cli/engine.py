"""`coxa engine`: the AI engine, which the window starts and talks to."""

from __future__ import annotations

import argparse

EPILOG = """\
The engine reads requests from its standard input, one JSON object a line, and writes replies in the same form
(app/core/engine_messages.py). It ends when its input ends. Nobody needs to start it by hand.

examples:
  coxa engine                               answers each line of its input until that ends"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the help of `coxa engine`; it takes no arguments."""
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Serve until the standard input ends."""
    from app.engine.worker import main

    return main()
