"""Which events, and which rows, belong to an export."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.annotation import CASE, VIEW, split_target
from app.core.event import PROJECT, Event
from app.core.export_plan import ExportPlan
from app.store.label_sets import LABEL_SET
from app.store.project import ProjectStore

BATCH = 5000


def exported_events(project: ProjectStore, plan: ExportPlan) -> Iterator[Event]:
    """The events of an export, oldest first, up to the head of the plan.

    Of a whole project all of them, so that the chain is unbroken. Of some cases those of the cases, their views,
    studies and patients, and the label sets; nothing about anybody else.
    """
    wanted = None if plan.is_whole else _targets(plan)
    last, end = 0, plan.head[0]
    while last < end:
        found = project.events.since(last, limit=BATCH)
        if not found:
            return
        for event in found:
            if event.id > end:
                return
            if wanted is None or _belongs(event, wanted):
                yield event
        last = found[-1].id


def _targets(plan: ExportPlan) -> set[tuple[str, str]]:
    """(kind, identifier) of everything that is exported."""
    wanted = {(CASE, case.case.id) for case in plan.cases} | {(VIEW, view.id) for view in plan.views}
    wanted |= {("study", case.study.id) for case in plan.cases} | {("patient", case.patient.id) for case in plan.cases}
    return wanted


def _belongs(event: Event, wanted: set[tuple[str, str]]) -> bool:
    if event.target == PROJECT:
        return event.field == LABEL_SET
    kind, identifier, _ = split_target(event.target)
    return (kind, identifier) in wanted
