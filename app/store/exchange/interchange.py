"""The interchange: everything that makes a project again, in files that anybody can read (ADR 0211).

`coxa/manifest.json` says what there is. `coxa/events.jsonl` holds the events and `coxa/patient.jsonl`, `study.jsonl`,
`view.jsonl` and `source.jsonl` the facts: each line one row of the database, its columns as they are stored (bytes as
hexadecimal digits), with its row hash, so that every line proves itself. `coxa/images/ab/<sha256>` are files of the
image store. Of a whole project the chain of events is unbroken and its end is the project's own; of some cases only
their events are there, unchanged, with gaps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from app.core.annotation import STATUS, is_annotation
from app.core.case import ReviewStatus, View
from app.core.event import canonical_json
from app.core.export import Content
from app.core.export_plan import ExportPlan, LeftOut
from app.core.pixel_review import ReleaseState
from app.core.replay import ReplayedState
from app.store.absent import with_absence
from app.store.audit import event_of_row
from app.store.database import Row
from app.store.exchange.events import exported_event_rows, exported_fact_rows, exported_names
from app.store.exchange.writer import ExportSource, OutputFile
from app.store.fs import Chunk
from app.store.images import encode_image
from app.store.project import ProjectStore
from app.store.schema import FACT_TABLES

FOLDER = "coxa"
MANIFEST = "manifest.json"
EVENTS = "events.jsonl"
FORMAT = 1  # raised when an older Coxa could not read a newer one
LINES_AT_ONCE = 1000


class InterchangeWriter:
    """What opens as a project again."""

    def files(self, plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
        """The manifest, events, facts, then images by address."""
        project = source.project
        views = interchange_views(project, plan)
        yield OutputFile(
            path=f"{FOLDER}/{MANIFEST}",
            content=lambda: [_document(manifest(source, plan, views)).encode("utf-8")],
            reads_project=True,
        )
        yield OutputFile(
            path=f"{FOLDER}/{EVENTS}", content=lambda: _lines(exported_event_rows(project, plan)), reads_project=True
        )
        for table in FACT_TABLES:
            yield OutputFile(
                path=f"{FOLDER}/{table}.jsonl", content=partial(_fact_lines, project, plan, table), reads_project=True
            )
        if plan.has(Content.IMAGES):
            for address, view in sorted(_pictures(views).items()):
                yield OutputFile(
                    path=f"{FOLDER}/images/{address[:2]}/{address}",
                    content=partial(_image, source, view),
                    about=f"The view {view.id}",
                )

    def notes(self, plan: ExportPlan) -> tuple[str, ...]:
        """What will not be the same after it was read again."""
        notes = []
        if not plan.has(Content.IMAGES):
            notes.append("Coxa: images are not in it; it can be merged into a project that has them.")
        elif any(view.release is ReleaseState.MASKED for view in plan.views):
            notes.append("Coxa: views with masks are in it without pixels, since an image is named by its pixels.")
        if plan.is_whole and len(plan.left_out.keys() & {LeftOut.BLOCKED, LeftOut.EXCLUDED, LeftOut.VIEW_EXCLUDED}):
            notes.append(
                "Coxa: so that it equals the project, it also holds the cases and views that others leave out."
            )
        if not plan.is_whole:
            notes.append("Coxa: it holds some cases; the chain of events has gaps where the others are.")
        return tuple(notes)

    def guide(self) -> str:
        """How it is opened."""
        return (
            f"`{FOLDER}/` is the interchange: `coxa import` opens the data set as a project again. Every line of its "
            "tables carries its own hash; the project's secret key is not in it."
        )


def interchange_views(project: ProjectStore, plan: ExportPlan) -> list[View]:
    """Every view of the interchange, by id; of a whole project also those of cases that other formats leave out."""
    if plan.is_whole:
        rows = exported_fact_rows(project, plan, "view")
        names = {row["id"] for row in rows}
    else:
        names = exported_names(project, plan)["view"]
    found = (project.views.get(name) for name in sorted(names))
    return with_absence(project, (view for view in found if view is not None))


def manifest(source: ExportSource, plan: ExportPlan, views: Iterable[View]) -> dict[str, Any]:
    """What the interchange holds, and what a project that was made of it must come to."""
    project, state, count = source.project, ReplayedState(), 0
    for row in exported_event_rows(project, plan):
        state.apply(event_of_row(row))
        count += 1
    rows = {table: sum(1 for _ in exported_fact_rows(project, plan, table)) for table in FACT_TABLES}
    has_images = plan.has(Content.IMAGES)
    return {
        "format": FORMAT,
        "project": plan.project_name,
        "is_whole": plan.is_whole,
        "head": {"event": plan.head[0], "hash": plan.head[1].hex()},
        "events": count,
        "rows": rows,
        "cases": sorted(target.partition(":")[2] for target in state.compositions),
        "state_sha256": state_hash(state),
        "has_images": has_images,
        "images": len(_pictures(views)) if has_images else 0,
        "withheld": {view.id: view.release.value for view in views if not _is_unchanged(view)} if has_images else {},
        "migrations": project.database.applied_migrations(),
    }


def state_hash(state: ReplayedState) -> str:
    """SHA-256 over every annotation that holds: what `Annotations.state_hash` says of a project with these events."""
    digest = hashlib.sha256()
    for (target, field), (value, _) in sorted(state.current.items(), key=lambda item: item[0]):
        if is_annotation(target, field) and not (field == STATUS and value == ReviewStatus.NEW.value):
            digest.update(canonical_json([target, field, value]).encode("utf-8") + b"\n")
    return digest.hexdigest()


def row_document(row: Row) -> dict[str, Any]:
    """A row as its line holds it."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}


def _is_unchanged(view: View) -> bool:
    """Whether a view's pixels leave as they are: an image is named by its pixels, so a masked one has no place here."""
    return view.release in (ReleaseState.FREE, ReleaseState.CLEAN)


def _pictures(views: Iterable[View]) -> dict[str, View]:
    """Address -> a view that shows it. Where two views show one image, one that must not leave decides."""
    withheld = {view.image_sha256 for view in views if not _is_unchanged(view)}
    return {view.image_sha256: view for view in views if view.image_sha256 not in withheld}


def _image(source: ExportSource, view: View) -> Iterable[Chunk]:
    return encode_image(source.image(view))


def _fact_lines(project: ProjectStore, plan: ExportPlan, table: str) -> Iterator[bytes]:
    return _lines(exported_fact_rows(project, plan, table))


def _lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """One JSON document a line, some lines at once."""
    lines: list[str] = []
    for row in rows:
        lines.append(canonical_json(row_document(row)))
        if len(lines) == LINES_AT_ONCE:
            yield ("\n".join(lines) + "\n").encode("utf-8")
            lines.clear()
    if lines:
        yield ("\n".join(lines) + "\n").encode("utf-8")


def _document(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
