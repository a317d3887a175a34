"""Whether a data set is still what was written: every file against SHA256SUMS, nothing missing, nothing added."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.core.errors import UserError
from app.store.exchange.write import SUMS
from app.store.exchange.writer import checked_path

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class Fault(StrEnum):
    """What is wrong with a file of a data set."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"  # not in SHA256SUMS


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyFile:
    """A file that is not as it was written.

    Args:
        path: relative to the data set.
        fault: what is wrong.
    """

    path: str
    fault: Fault


def verify_data_set(folder: Path, *, on_file: Callable[[str], None] | None = None) -> tuple[int, list[FaultyFile]]:
    """Compare every file of a data set with its checksum.

    Args:
        folder: the data set.
        on_file: told the path of each file that was looked at.

    Returns:
        Number of files in SHA256SUMS, and what is wrong, by path.

    Raises:
        UserError: `not-a-data-set`: there is no SHA256SUMS, or it cannot be read.
    """
    expected = dict(_sums(folder))
    faults = []
    for path, digest in sorted(expected.items()):
        try:
            with (folder / path).open("rb") as file:
                is_same = hashlib.file_digest(file, "sha256").hexdigest() == digest
            if not is_same:
                faults.append(FaultyFile(path=path, fault=Fault.CHANGED))
        except OSError:
            faults.append(FaultyFile(path=path, fault=Fault.MISSING))
        if on_file is not None:
            on_file(path)
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    faults += [FaultyFile(path=path, fault=Fault.ADDED) for path in found if path not in expected and path != SUMS]
    return len(expected), sorted(faults, key=lambda each: each.path)


def _sums(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
        for line in lines:
            match = _LINE.fullmatch(line)
            if match is None:
                raise ValueError("not a line of checksums")
            yield checked_path(match[2]), match[1]
    except (OSError, ValueError) as error:
        raise UserError(
            "This is no data set of Coxa.",
            reason=f"Its {SUMS} is missing or cannot be read.",
            remedy="Choose the folder of a data set.",
            kind="not-a-data-set",
        ) from error
