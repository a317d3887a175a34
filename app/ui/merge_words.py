"""A merge in words."""

from __future__ import annotations

from app.core.case import ReviewStatus
from app.core.event import Json
from app.core.label_set import LabelField, LabelValue
from app.store.merge.report import MergeConflict, MergeReport
from app.ui.language import say, tr, trn, whole
from app.ui.privacy import private, private_id
from app.ui.project import STATUS_WORDS

WHAT = {
    "status": "Status",
    "assigned": "Assigned to",
    "projection": "Projection",
    "side": "Side",
    "excluded": "View taken out",
    "blocked": "Blocked",
    "calibration": "Calibration",
    "pixels": "Text in the pixels",
}


def summary_of(report: MergeReport) -> str:
    """What came, or would come, in one or two sentences."""
    if report.changes_nothing:
        return tr("Everything of the other project is here already; nothing changes.")
    parts = [trn("1 recorded change", "{count} recorded changes", report.brought)]
    if report.new_cases:
        parts.append(trn("1 new case", "{count} new cases", report.new_cases))
    if report.new_views:
        parts.append(trn("1 new radiograph", "{count} new radiographs", report.new_views))
    known = trn("1 case is in both projects", "{count} cases are in both projects", report.shared_cases)
    listed = ", ".join(parts)
    said = tr("Would bring {what}.", what=listed) if report.is_rehearsal else tr("Brought {what}.", what=listed)
    return f"{said} {known}."


def conflict_words(conflict: MergeConflict) -> tuple[str, str, str, str]:
    """What differs, nothing, the case, and both values."""
    name = conflict.what.partition(".")[0]
    what = tr(WHAT[name]) if name in WHAT else conflict.what
    values = tr("here: {ours}; there: {theirs}", ours=_value(conflict.ours), theirs=_value(conflict.theirs))
    return what, "", private_id(conflict.case_id), values


def opinion_text(field: LabelField | None, value: LabelValue) -> str:
    """A reader's answer."""
    if isinstance(value, int):
        return f"{whole(value)} %"
    parts = value if isinstance(value, tuple) else (value,)
    known = {choice.id: say(choice.text) for choice in field.choices} if field is not None else {}
    return ", ".join(known.get(part, part) for part in parts)


def _value(value: Json) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return str(value.get("value") or value.get("verdict") or value.get("kind") or tr("another one"))
    if value in {status.value for status in ReviewStatus}:
        return tr(STATUS_WORDS[ReviewStatus(value)])
    return private(str(value))
