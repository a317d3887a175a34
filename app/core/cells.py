"""Cells of tables for spreadsheets: text that a spreadsheet would run is made harmless, and can be made itself again.

A cell that begins with one of `= + - @` (or their full-width forms) is a formula to a spreadsheet. One apostrophe in
front makes it text. The same is done behind semicolons, tabs and line breaks, where a spreadsheet that expects another
separator than the comma begins a new cell (OWASP, CSV injection). `plain_cell` takes exactly these apostrophes away
again.
"""

from __future__ import annotations

import re

_START = r"((?:^|[;\t\r\n])[ \"\u00a0\u3000\ufeff]*)"
_RUNS = r"(?=['=+\-@＝＋－＠])"  # also an apostrophe, so that those that were there before can be told apart
_HARMFUL = re.compile(_START + _RUNS)
_HARMLESS = re.compile(_START + "'" + _RUNS)


def harmless_cell(text: str) -> str:
    """A text as no spreadsheet runs it."""
    return _HARMFUL.sub(r"\1'", text)


def plain_cell(text: str) -> str:
    """The text that `harmless_cell` was given."""
    return _HARMLESS.sub(r"\1", text)
