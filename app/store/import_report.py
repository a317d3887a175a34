"""What an import says about every file and every case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.case import Case, View
from app.core.errors import UserError


class Outcome(StrEnum):
    """What came of one file."""

    IMPORTED = "imported"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Phase(StrEnum):
    """What an import is doing."""

    HEADERS = "headers"
    IMAGES = "images"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportItem:
    """One file.

    Args:
        label: what the user calls it (a relative path). For the screen; never stored.
        outcome: what came of it.
        reason: why it is a duplicate (of what, how they differ) or was refused.
        remedy: what to do about it.
        kind: stable word of a refusal or of a duplicate, for programs.
        view_id: the view that shows it; None when refused.
        notices: what the user must know about the image.
    """

    label: str
    outcome: Outcome
    reason: str = ""
    remedy: str = ""
    kind: str = ""
    view_id: str | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import has come.

    Args:
        phase: reading headers, then images.
        done: files done in this phase.
        total: files in this phase; None when they are still being found.
        items: files acknowledged now: they are durably stored (or finally refused). Empty in the first phase.
    """

    phase: Phase
    done: int
    total: int | None
    items: tuple[ImportItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """One case that the import made or changed, with its views and their evidence."""

    case: Case
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The whole import.

    Args:
        items: every file, in the order it was found.
        cases: every case of a study that a file of this import belongs to.
        is_cancelled: whether it was stopped; what `items` holds is done, the rest was not looked at.
        notes: sentences about the import as a whole.
    """

    items: tuple[ImportItem, ...]
    cases: tuple[CaseReport, ...]
    is_cancelled: bool = False
    notes: tuple[str, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """Number of files with this outcome."""
        return sum(item.outcome is outcome for item in self.items)


def refused(label: str, error: UserError) -> ImportItem:
    """The item of a file that was refused."""
    return ImportItem(
        label=label,
        outcome=Outcome.REFUSED,
        reason=" ".join(part for part in (error.title, error.reason) if part),
        remedy=error.remedy,
        kind=error.kind,
    )


def not_listed() -> UserError:
    return UserError(
        "The mapping does not list this file.",
        remedy="Add a row for it, or import it without a mapping.",
        kind="not-listed",
    )
