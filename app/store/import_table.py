"""An import's report as people read it: what happened how often and why, and a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.store.import_report import ImportItem, ImportReport, Outcome

COLUMNS = ("file", "outcome", "reason", "remedy", "view", "notices")
_FIGURES = re.compile(r"\d+(?:[.,]\d+)*")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # bytes of a name that is in no valid encoding
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportGroup:
    """Files that share an outcome and a reason.

    Args:
        outcome: what came of them.
        reason: why; empty where nothing can be said of all of them.
        remedy: what to do about it.
        items: the files, in the order they were found.
    """

    outcome: Outcome
    reason: str
    remedy: str
    items: tuple[ImportItem, ...]


def grouped(items: Iterable[ImportItem]) -> list[ReportGroup]:
    """Files by outcome, refused ones first, then by reason, the most frequent first.

    What differs from file to file in a reason of the same kind (a number, a name) does not split a group.
    """
    groups: dict[tuple[Outcome, str, str], list[ImportItem]] = {}
    for item in items:
        groups.setdefault((item.outcome, _sort_of_reason(item), item.remedy), []).append(item)
    order = (Outcome.REFUSED, Outcome.DUPLICATE, Outcome.IMPORTED)
    found = [
        ReportGroup(outcome=outcome, reason=_common_reason(members), remedy=remedy, items=tuple(members))
        for (outcome, _, remedy), members in groups.items()
    ]
    return sorted(found, key=lambda group: (order.index(group.outcome), -len(group.items), group.reason))


def matching(items: Iterable[ImportItem], text: str) -> list[ImportItem]:
    """Files in whose name, reason or notices every word of the text occurs."""
    words = text.casefold().split()
    return [
        item
        for item in items
        if all(
            word in " ".join((item.label, item.reason, item.view_id or "", *item.notices)).casefold() for word in words
        )
    ]


def together(reports: Iterable[ImportReport]) -> ImportReport:
    """Several imports as one; a case is in it once, as it was after the last of them."""
    parts = list(reports)
    return ImportReport(
        items=tuple(item for part in parts for item in part.items),
        cases=tuple({entry.case.id: entry for part in parts for entry in part.cases}.values()),
        is_cancelled=any(part.is_cancelled for part in parts),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def first_open_case(report: ImportReport) -> str:
    """The first case that waits for a decision; empty when none does."""
    return next((entry.case.id for entry in report.cases if entry.case.questions or entry.case.blocked_reason), "")


def report_csv(report: ImportReport) -> str:
    """The report as CSV for a spreadsheet; nothing in it is taken for a formula, and it can always be written.

    It holds names of files, so it belongs wherever the user puts it and not into the project.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for item in report.items:
        cells = (item.label, item.outcome.value, item.reason, item.remedy, item.view_id or "", " ".join(item.notices))
        writer.writerow([_plain(cell) for cell in cells])
    return text.getvalue()


def _plain(cell: str) -> str:
    cell = _LONE_SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", cell)
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _sort_of_reason(item: ImportItem) -> str:
    """What files of a group share: the kind, and for refused ones what is said first, whatever figures are in it."""
    if item.kind and item.outcome is Outcome.REFUSED:
        return f"{item.kind} {_FIGURES.sub('0', item.reason.split('. ')[0].rstrip('.'))}"
    return item.kind or item.reason


def _common_reason(items: list[ImportItem]) -> str:
    reasons = {item.reason for item in items}
    if len(reasons) == 1:
        return items[0].reason
    sentences = [[part.rstrip(".") for part in reason.split(". ")] for reason in sorted(reasons)]
    common = [part for part in sentences[0] if all(part in other for other in sentences)]
    return ". ".join(common) + "." if common else ""
