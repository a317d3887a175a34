"""Kinds of arguments that several commands take."""

from __future__ import annotations

import argparse


def whole_count(text: str) -> int:
    """A whole number above zero.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)
