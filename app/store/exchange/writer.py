"""What a format of an export must be able to do, and where the formats are.

A format is one class with `files`, `notes` and `guide`. It never opens a file: it says which files there will be and
how their bytes are made; `write_export` makes, hashes, writes and renames them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from app.core.case import View
from app.core.export import ExportFormat
from app.core.export_plan import ExportPlan
from app.core.grey import StoredImage, Window
from app.core.pixel_review import ReleaseState
from app.store.fs import Chunk
from app.store.project import ProjectStore
from app.store.released import released_image
from app.store.windows import kept_windows

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # names that Windows keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """One file of an export, not made yet.

    Args:
        path: where it goes, relative to the data set, `/` between parts; of our own identifiers only.
        content: makes its bytes, in pieces. It may run in another thread, several of them at once.
        reads_project: whether `content` reads the database; then it runs in the thread of the project instead.
        about: case or view, for the sentence that tells what could not be written.
    """

    path: str
    content: Callable[[], Iterable[Chunk]]
    reads_project: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSource:
    """Where writers take what the plan does not hold.

    Args:
        project: the open project; only for the thread that opened it.
    """

    project: ProjectStore

    def image(self, view: View) -> StoredImage:
        """Verified stored values of a view as they may leave, masks painted over; from any thread.

        Raises:
            UserError: `not-released`, `image-missing` or `image-damaged`.
        """
        return released_image(self.project.images, view)

    def kept_window(self, view: View) -> Window | None:
        """The automatic window of a view if it was worked out before; only for the thread of the project.

        That of a masked view is worked out anew, without what is under the masks.
        """
        if view.release is ReleaseState.MASKED:
            return None
        found = kept_windows(self.project.derived, view.image_sha256, view.grey)
        return None if found is None else found.get("auto")


class Writer(Protocol):
    """One format."""

    def files(self, plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
        """Every file of this format, always in the same order. Asked twice: to count, and to write.

        Runs in the thread of the project, so it may read the database and bind what it finds into `content`; it must
        be quick and must not load pixels.
        """

    def notes(self, plan: ExportPlan) -> tuple[str, ...]:
        """Sentences about what this format leaves out or changes; shown in the preview and in the data card."""

    def guide(self) -> str:
        """One or two sentences for the data card: what is where, and how it is opened."""


def writer_of(wanted: ExportFormat) -> Writer:
    """The writer of a format; its libraries are imported here and not before."""
    match wanted:
        case ExportFormat.TABLES:
            from app.store.exchange.tables import TablesWriter

            return TablesWriter()
        case ExportFormat.PNG:
            from app.store.exchange.pictures import PngWriter

            return PngWriter()
        case ExportFormat.IMAGE_FOLDER:
            from app.store.exchange.image_folder import ImageFolderWriter

            return ImageFolderWriter()
        case ExportFormat.COCO:
            from app.store.exchange.coco import CocoWriter

            return CocoWriter()
        case ExportFormat.COXA:
            from app.store.exchange.interchange import InterchangeWriter

            return InterchangeWriter()
        case ExportFormat.DICOM:
            from app.store.exchange.dicom_writer import DicomWriter

            return DicomWriter()
        case ExportFormat.PDF:
            from app.store.exchange.pdf_writer import PdfWriter

            return PdfWriter()
    raise NotImplementedError(wanted)


def checked_path(path: str) -> str:
    """The path of an output file, as every file system takes it.

    Raises:
        ValueError: it was not made of our own identifiers.
    """
    for part in PurePosixPath(path).parts:
        if not _PART.fullmatch(part) or part.endswith(".") or _RESERVED.fullmatch(part):
            raise ValueError(f"{part!r} is no name for a file of a data set")
    if path.startswith("/") or str(PurePosixPath(path)) != path:
        raise ValueError(f"{path!r} is no relative path")
    return path
