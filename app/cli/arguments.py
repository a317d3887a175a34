"""Kinds of arguments that several commands take."""

from __future__ import annotations

import argparse

MOST_NICE = 19  # what systems know


def whole_count(text: str) -> int:
    """A whole number above zero.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def whole_number(text: str) -> int:
    """A whole number, 0 or more.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


def niceness(text: str) -> int:
    """How far other programs go first: 0 … 19.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    if not (text.isascii() and text.isdigit()) or int(text) > MOST_NICE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {MOST_NICE}")
    return int(text)
