"""A folder that somebody names, as something that can be merged; and an export as a project of its own again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from app.store.merge.export_source import export_name, export_source, is_export
from app.store.merge.merger import merge_source
from app.store.merge.report import MergeProgress, MergeReport
from app.store.merge.source import MergeSource, project_source
from app.store.project import ProjectStore


def open_source(path: Path) -> AbstractContextManager[MergeSource]:
    """The project, or the Coxa export, in a folder: verified, and read at one moment.

    Args:
        path: the folder; of an export also its sub-folder `coxa`, or any file in it.

    Raises:
        UserError: as `project_source` and `export_source`.
    """
    export = export_folder(path)
    return export_source(export) if export is not None else project_source(path)


def export_folder(path: Path) -> Path | None:
    """The Coxa export that somebody means by a path: its folder, its sub-folder `coxa` or a file in either."""
    for folder in (path, *path.parents[:2]):
        if is_export(folder):
            return folder
    return None


def import_export(
    project: ProjectStore,
    export: Path,
    *,
    author: str,
    on_progress: Callable[[MergeProgress], None] = lambda progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> MergeReport:
    """Bring a Coxa export into an open project; into a new one, so that it equals the project it came from.

    Args:
        project: open for writing.
        export: its folder.
        author: who imports.
        on_progress: told about studies, once they are durably stored.
        is_cancelled: asked between commits; what is done is kept.

    Raises:
        UserError: as `export_source` and `merge_source`.
    """
    with export_source(export) as source:
        return merge_source(project, source, author=author, on_progress=on_progress, is_cancelled=is_cancelled)


__all__ = ["export_folder", "export_name", "import_export", "is_export", "open_source"]
