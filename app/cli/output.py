"""What commands print: sentences and tables for people, one JSON document for programs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from app.core.errors import UserError

T = TypeVar("T")


def add_project_argument(parser: argparse.ArgumentParser, *, is_required: bool = True) -> None:
    """Add `--project DIR`."""
    parser.add_argument(
        "--project", type=Path, metavar="DIR", required=is_required, help="the project folder"
    )


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def print_json(document: Any) -> None:
    """Print one JSON document on standard output; keys sorted so that the same state prints the same bytes."""
    print(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True))


def print_user_error(error: UserError, *, as_json: bool = False) -> None:
    """Print a UserError on standard error, and as JSON on standard output when asked."""
    if as_json:
        print_json(
            {"error": {"kind": error.kind, "title": error.title, "reason": error.reason, "remedy": error.remedy}}
        )
    print(f"coxa: {error}", file=sys.stderr)


def progress(items: Iterable[T], *, total: int | None = None, text: str = "", unit: str = "file") -> Iterable[T]:
    """Wrap an iterable with a progress bar on standard error; silent when that is not a terminal."""
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, total=total, desc=text, unit=unit, disable=None, file=sys.stderr, leave=False)
    return bar
