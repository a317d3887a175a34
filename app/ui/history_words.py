"""The history of a case in words: one entry a gesture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.adjudication import ADJUDICATED
from app.core.annotation import (
    ALIGNMENT,
    ASSIGNED,
    CALIBRATION,
    COMMENT,
    CROP_VERDICT,
    LABEL,
    LANDMARK,
    MEASUREMENT,
    PIXEL_REVIEW,
    REGION,
    STATUS,
    is_annotation,
    label_value,
)
from app.core.case import ReviewStatus
from app.core.event import Event, Json
from app.core.label_set import LabelSet, value_text
from app.ui.language import say, tr
from app.ui.project import STATUS_WORDS

THINGS = (
    (ALIGNMENT, "Alignment"),
    (CROP_VERDICT, "Crop"),
    (REGION, "Region box"),
    (LANDMARK, "Landmark"),
    (MEASUREMENT, "Measurement"),
    (CALIBRATION, "Calibration"),
    (PIXEL_REVIEW, "Burnt-in text"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One gesture.

    Args:
        event_id: its last event; going back to it brings back what was so right after it.
        at: when.
        author: who.
        lines: what, one line a change.
        is_reverting: whether it takes another one back.
        is_mine: whether going back can bring it back: it is an annotation of this reader or of the whole case.
    """

    event_id: int
    at: datetime
    author: str
    lines: tuple[str, ...]
    is_reverting: bool
    is_mine: bool


def history_entries(
    events: Sequence[Event], label_set: LabelSet, view_names: Mapping[str, str], *, reader: str
) -> list[HistoryEntry]:
    """The history of a case, newest first; events of one gesture carry one time and one author.

    Args:
        events: oldest first.
        label_set: names of questions and answers.
        view_names: what each view is called.
        reader: who looks.
    """
    groups: list[list[Event]] = []
    for event in events:
        if groups and (groups[-1][0].at, groups[-1][0].author) == (event.at, event.author):
            groups[-1].append(event)
        else:
            groups.append([event])
    return [_entry(group, label_set, view_names, reader) for group in reversed(groups)]


def _entry(group: Sequence[Event], label_set: LabelSet, view_names: Mapping[str, str], reader: str) -> HistoryEntry:
    is_reverting = any(event.reverts is not None for event in group)
    first = group[0].text
    word = first.partition(":")[0] if is_reverting and first.startswith(("Undone", "Redone")) else ""
    lines = tuple(describe(event, label_set, view_names) for event in group)
    return HistoryEntry(
        event_id=group[-1].id,
        at=datetime.fromisoformat(group[-1].at),
        author=group[0].author,
        lines=(say(word), *lines) if word else lines,
        is_reverting=is_reverting,
        is_mine=any(
            is_annotation(event.target, event.field) and event.target.partition("@")[2] in ("", reader)
            for event in group
        ),
    )


def describe(event: Event, label_set: LabelSet, view_names: Mapping[str, str]) -> str:
    """What one event changed, in words."""
    field, after = event.field, event.after
    if field.startswith(LABEL):
        name = field.removeprefix(LABEL)
        asked = label_set.field(name)
        title = say(asked.text) if asked is not None else name
        return f"{title}: {_answer(label_set, name, after)}"
    if field.startswith(ADJUDICATED):
        name = field.removeprefix(ADJUDICATED)
        asked = label_set.field(name)
        question = say(asked.text) if asked is not None else name
        value = after.get("value") if isinstance(after, dict) else None
        return tr("Adjudicated: {question}: {answer}", question=question, answer=_answer(label_set, name, value))
    if field == STATUS:
        return tr("Status: {value}", value=tr(STATUS_WORDS[ReviewStatus(after or ReviewStatus.NEW)]))
    if field == ASSIGNED:
        return tr("Assigned to {name}", name=str(after)) if after else tr("Assigned to nobody")
    if field.startswith(COMMENT):
        return tr("Comment: {words}", words=str(after)) if after else tr("Comment removed")
    for prefix, title in THINGS:
        if field == prefix or field.startswith(prefix):
            return _of_view(tr(title), field, event.target, after, view_names)
    return say(event.text) if event.text else f"{field}: {_plain(after)}"


def _answer(label_set: LabelSet, name: str, after: Json) -> str:
    if after is None:
        return "–"
    asked = label_set.field(name)
    value = label_value(after)
    if asked is None or isinstance(value, int):
        return value_text(asked, value)
    if not asked.choices:
        return str(value)
    parts = value if isinstance(value, tuple) else (value,)
    known = {choice.id: say(choice.text) for choice in asked.choices}
    return ", ".join(known.get(part, part) for part in parts)


def _of_view(title: str, field: str, target: str, after: Json, view_names: Mapping[str, str]) -> str:
    view_id = next((name for name in view_names if field.endswith(name) or target.endswith(f":{name}")), "")
    of = f" ({view_names[view_id]})" if view_id else ""
    if after is None:
        return tr("{thing} removed", thing=f"{title}{of}")
    if isinstance(after, dict) and "is_approved" in after:
        return f"{title}{of}: {tr('approved') if after['is_approved'] else tr('rejected')}"
    if isinstance(after, dict) and "verdict" in after:
        words = {"clean": "nothing in it", "masked": "painted over", "refused": "must not leave"}
        return f"{title}{of}: {tr(words.get(str(after['verdict']), str(after['verdict'])))}"
    return f"{title}{of}"


def _plain(value: Json) -> str:
    return "–" if value is None else str(value)[:120]
