"""Importing in tests: one call, one report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.core.case import Case
from app.store.import_report import ImportReport, Outcome
from app.store.importer import import_sources
from app.store.project import ProjectStore
from app.store.reading.sources import find_sources


def import_paths(project: ProjectStore, *paths: Path, **options: Any) -> ImportReport:
    """Import files and folders as the command does."""
    options.setdefault("author", "tester")
    options.setdefault("workers", 1)
    return import_sources(project, find_sources(paths), **options)


def outcomes(report: ImportReport) -> dict[str, str]:
    """label → outcome or kind: `imported`, `bit-identical`, `lossy-copy`, `same-file`, or the kind of a refusal."""
    return {item.label: item.outcome.value if item.outcome is Outcome.IMPORTED else item.kind for item in report.items}


def hung(cases: list[Case]) -> set[tuple[str | None, bool, bool, bool]]:
    """(side, has frontal, has lateral, is blocked) of every case."""
    return {
        (
            case.side.value if case.side else None,
            case.frontal_id is not None,
            case.lateral_id is not None,
            bool(case.blocked_reason),
        )
        for case in cases
    }


def state(project: ProjectStore) -> dict[str, Any]:
    """Everything that an import decides, without numbers and times of events."""
    return {
        "patients": project.patients.all(),
        "studies": project.studies.all(),
        "views": project.views.all(),
        "headers": {view.id: project.views.header(view.id) for view in project.views.all()},
        "cases": sorted(project.cases.all(), key=lambda case: case.id),
        "sources": sorted(
            (record.source_sha256, record.view_id or "", record.outcome) for record in project.sources.all()
        ),
        "images": sorted(project.images.addresses()),
    }
