"""What commands print: sentences and tables for people, one JSON document for programs."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from app.core.errors import UserError

T = TypeVar("T")


def add_project_argument(parser: argparse.ArgumentParser, *, is_required: bool = True) -> None:
    """Add `--project DIR`."""
    parser.add_argument("--project", type=folder_name, metavar="DIR", required=is_required, help="the project folder")


def folder_name(text: str) -> Path:
    """A folder on the command line. An empty word, as a variable without a value leaves it, is not the current one.

    Raises:
        argparse.ArgumentTypeError: it is empty, or has letters that are not valid here.
    """
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    if has_invalid_letters(text):
        raise argparse.ArgumentTypeError(f"{printable(text)} has letters that are not valid here")
    return Path(text)


def has_invalid_letters(text: str) -> bool:
    """Whether a word came in another encoding than that of the system: Python keeps its bytes as lone surrogates."""
    return any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def print_json(document: Any) -> None:
    """Print one JSON document on standard output; keys sorted so that the same state prints the same bytes."""
    import json

    is_unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    print(json.dumps(document, indent=2, ensure_ascii=not is_unicode, sort_keys=True))


def printable(text: str) -> str:
    """A text from outside, such as a file name, in one line that steers no terminal.

    Control characters, line breaks and marks that turn the direction of writing are shown as escapes; a name that the
    file system holds in no valid encoding is shown with its bytes.
    """
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else character
        for character in text
    )


def print_user_error(error: UserError, *, as_json: bool = False) -> None:
    """Print a UserError on standard error, and as JSON on standard output when asked."""
    if as_json:
        print_json(
            {"error": {"kind": error.kind, "title": error.title, "reason": error.reason, "remedy": error.remedy}}
        )
    print(f"coxa: {printable(str(error))}", file=sys.stderr)


def print_fault(error: BaseException, *, as_json: bool = False) -> None:
    """Print an exception that is a bug, fit to be reported.

    Neither the messages of the exceptions, which may quote a name or a date from a file, nor the folders of this
    computer are shown, unless COXA_DEBUG is set.
    """
    if os.environ.get("COXA_DEBUG"):
        traceback.print_exception(error)
    else:
        print("\n".join(_frames(error)), file=sys.stderr)
    sentence = "This is a fault in Coxa, not in your input."
    remedy = "Please report the lines above. (COXA_DEBUG=1 shows more, which may quote your files.)"
    if as_json:
        print_json({"error": {"kind": "fault", "title": sentence, "reason": type(error).__name__, "remedy": remedy}})
    print(f"coxa: {sentence} {remedy}", file=sys.stderr)


def _frames(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _frames(cause)
        yield "which led to"
    for frame in traceback.extract_tb(error.__traceback__):
        parts = Path(frame.filename).parts
        home = max((index for index, part in enumerate(parts) if part in ("app", "site-packages", "lib")), default=-1)
        yield f"  {'/'.join(parts[home:] if home >= 0 else parts[-1:])}:{frame.lineno} in {frame.name}: {frame.line}"
    yield type(error).__name__


def progress(items: Iterable[T], *, total: int | None = None, text: str = "", unit: str = "file") -> Iterable[T]:
    """Wrap an iterable with a progress bar on standard error; silent when that is not a terminal."""
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, total=total, desc=text, unit=unit, disable=None, file=sys.stderr, leave=False)
    return bar
