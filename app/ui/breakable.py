"""Text that people typed or pasted, shown in a narrow place: a word without a space must not make that place wider."""

from __future__ import annotations

import re

LONGEST_WORD = 24
_TOO_LONG = re.compile(rf"(\S{{{LONGEST_WORD}}})(?=\S)")
_BREAK = "\u200b"


def breakable(text: str) -> str:
    """The text with places (zero-width spaces) where a long word may be broken."""
    return _TOO_LONG.sub(f"\\1{_BREAK}", text)


def unbroken(text: str) -> str:
    """What was given to `breakable`, or any piece of it."""
    return text.replace(_BREAK, "")
