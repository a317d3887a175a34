"""What is said about files before and while they are imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.core.errors import UserError
from app.store.folder import is_project
from app.ui.import_task import ImportState, Stage, remaining_s
from app.ui.language import tr, trn, whole
from app.ui.mapping_dialog import is_table
from app.ui.privacy import private

RATE_AFTER_S = 2.0
SOON_S, MINUTE_S = 15, 60


def is_project_folder(path: Path) -> bool:
    """Whether this is a project; a folder that cannot be looked into is none."""
    try:
        return is_project(path)
    except UserError:
        return False


def first_table(paths: Sequence[Path]) -> Path:
    """The table among some files."""
    return next(path for path in paths if is_table(path))


def what_words(paths: Sequence[Path]) -> str:
    """`2 folders and 3 files`, or the name of the only one."""
    if len(paths) == 1:
        return tr("“{name}”", name=private(paths[0].name))
    folders = sum(path.is_dir() for path in paths)
    files = len(paths) - folders
    parts = []
    if folders:
        parts.append(trn("1 folder", "{count} folders", folders))
    if files:
        parts.append(trn("1 file", "{count} files", files))
    return tr("{one} and {other}", one=parts[0], other=parts[1]) if len(parts) == 2 else parts[0]


def progress_words(state: ImportState, waiting: int) -> str:
    """How far an import is.

    Args:
        state: its state.
        waiting: imports that come after it.
    """
    if state.stage is Stage.LOOKING:
        words = [trn("1 file found", "{count} files found", state.done)]
    else:
        done, total = whole(state.done), whole(state.total or 0)
        if state.stage is Stage.HEADERS:
            words = [tr("Reading headers: {done} of {total}", done=done, total=total)]
        else:
            words = [tr("{done} of {total} files", done=done, total=total)]
        rate = round(state.done / state.elapsed_s) if state.elapsed_s > RATE_AFTER_S else 0
        if state.stage is Stage.IMAGES and rate:
            words.append(tr("{n} files/s", n=whole(rate)))
        rest_s = remaining_s(state)
        if rest_s is not None and not state.is_stopping:
            words.append(rest_words(rest_s))
    if state.refused:
        words.append(tr("{n} refused", n=whole(state.refused)))
    if waiting:
        words.append(trn("1 more import waits", "{count} more imports wait", waiting))
    return " · ".join(words)


def rest_words(seconds: float) -> str:
    """How long it will still take, no more exactly than anybody can know."""
    if seconds < MINUTE_S:
        return tr("less than a minute left") if seconds > SOON_S else tr("a few seconds left")
    return trn("about 1 minute left", "about {count} minutes left", round(seconds / MINUTE_S))
