"""A folder that somebody names, as something that can be merged."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from app.store.merge.source import MergeSource, project_source


def open_source(path: Path) -> AbstractContextManager[MergeSource]:
    """The project in a folder as a source, verified and read at one moment.

    Args:
        path: the folder.

    Raises:
        UserError: as `project_source`.
    """
    return project_source(path)
