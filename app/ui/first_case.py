"""A head start for the first case: its images are decoded in threads while the panes are still being imported."""

from __future__ import annotations

from pathlib import Path

from app.core.errors import UserError
from app.store.project import ProjectStore
from app.store.worklist.prepare import takes_long
from app.ui.loader import ImageKey, ImageLoader
from app.ui.project import Hanging, Project, content_of


def first_images(project: Project, path: Path, *, is_read_only: bool) -> ImageLoader | None:
    """Open what will be opened in a moment, and have the images decoded that will be wanted first.

    Args:
        project: nothing is open in it yet, and nobody is told.
        path: the project's folder.
        is_read_only: look only.

    Returns:
        The loader, for the viewer; None where that makes no sense, or fails: opening the project says why.
    """
    store = project.open_ahead(path, is_read_only=is_read_only)
    if store is None:
        return None
    try:
        wanted = _first_hangings(store)
    except UserError:
        return None
    loader = ImageLoader(store.images.load, project, derived=store.derived)
    loader.want(dict.fromkeys(key for key in map(key_of, wanted) if key is not None))
    return loader


def key_of(hanging: Hanging) -> ImageKey | None:
    """Which image a place needs."""
    return None if hanging.view is None else ImageKey(sha256=hanging.view.image_sha256, grey=hanging.view.grey)


def _first_hangings(store: ProjectStore) -> tuple[Hanging, ...]:
    """What hangs in the panes of the first case of the list; nothing where the list has to be made first."""
    if takes_long(store.database, store.folder.cache):
        return ()
    rows = store.worklist.rows(store.worklist.numbers()[:1])
    for row in rows.values():
        content = content_of(store, row.case_id)
        if content is not None:
            return content.frontal, content.lateral
    return ()
