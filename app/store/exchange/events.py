"""Which events, and which rows, belong to an export."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.annotation import CASE, VIEW, split_target
from app.core.event import PROJECT, Event
from app.core.export_plan import ExportPlan
from app.store.audit import event_of_row
from app.store.database import Row
from app.store.label_sets import LABEL_SET
from app.store.merge.identities import MERGE
from app.store.project import ProjectStore
from app.store.schema import FACT_TABLES

BATCH = 5000
Names = dict[str, set[str]]  # kind -> identifiers


def exported_events(project: ProjectStore, plan: ExportPlan) -> Iterator[Event]:
    """The events of an export, oldest first, up to the head of the plan; see `exported_event_rows`."""
    return map(event_of_row, exported_event_rows(project, plan))


def exported_event_rows(project: ProjectStore, plan: ExportPlan) -> Iterator[Row]:
    """The rows of these events, each checked against its hash.

    Of a whole project all of them, so that the chain is unbroken. Of some cases those of the cases, of everything that
    they are made of, and of the label sets; nothing about anybody else.
    """
    wanted = None if plan.is_whole else exported_names(project, plan)
    last, end = 0, plan.head[0]
    while last < end:
        found = project.database.records("event", "WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", (last, end, BATCH))
        if not found:
            return
        for row in found:
            if wanted is None or _belongs(row, wanted):
                yield row
        last = found[-1]["id"]


def exported_fact_rows(project: ProjectStore, plan: ExportPlan, table: str) -> Iterator[Row]:
    """The rows of a table of facts, by key, each checked against its hash; those that were there at the plan's moment.

    Args:
        project: the project.
        plan: the plan.
        table: one of `FACT_TABLES`.
    """
    if table not in FACT_TABLES:
        raise ValueError(f"{table} is no table of facts")
    wanted = None if plan.is_whole else exported_names(project, plan)[table]
    created = project.database.rows(
        "SELECT substr(target, ?) FROM event WHERE target >= ? AND target < ? AND field = 'created' AND id <= ?",
        (len(table) + 2, f"{table}:", f"{table};", plan.head[0]),
    )
    names = sorted({str(name) for (name,) in created if wanted is None or str(name) in wanted}, key=_natural)
    for name in names:
        row = project.database.record(table, id=int(name) if table == "source" else name)
        if row is not None:
            yield row


def exported_names(project: ProjectStore, plan: ExportPlan) -> Names:
    """Identifiers of everything that some cases are made of, by kind; also of views that a person took out of them."""
    names: Names = {kind: set() for kind in (CASE, *FACT_TABLES)}
    for case in plan.cases:
        names[CASE].add(case.case.id)
        names[VIEW] |= {*case.case.view_ids, *(view.id for view in case.views)}
        names["study"].add(case.study.id)
        names["patient"].add(case.patient.id)
    for view_id in sorted(names[VIEW]):
        names["source"] |= {str(record.id) for record in project.sources.of_view(view_id)}
    return names


def _belongs(row: Row, wanted: Names) -> bool:
    if row["target"] == PROJECT:
        return bool(row["field"] == LABEL_SET)
    kind, identifier, _ = split_target(row["target"])
    if kind == MERGE:
        return True  # hashes only; they tell which events came from another project
    return identifier in wanted.get(kind, ())


def _natural(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (-1, name)
