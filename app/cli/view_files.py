"""Radiographs in files that belong to no project, read as the views that a model wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.cli.predict import GAPS
from app.cli.render import FLAG_SENTENCES
from app.core.case import Projection, Side, ViewRole
from app.core.errors import UserError
from app.core.evidence import assess_projection, assess_side
from app.core.finding import Gap
from app.core.grey import StoredImage, Window
from app.core.messages import ReadImage
from app.core.spacing import Spacing, resolve_spacing
from app.core.voi import computed_windows
from app.store.consulting import UNFIT
from app.store.images import ImageStore
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source
from app.store.resources import load_evidence_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One file as a view.

    Args:
        file: where it was read.
        role: which view it is taken for.
        read: what the file says about itself.
        image: its stored values.
        address: of the values in the store.
        window: the automatic window.
        spacing: length scale.
        projection: what its header says; None when it says nothing, or too little.
        side: what its header says; None when it says nothing.
    """

    file: Path
    role: ViewRole
    read: ReadImage
    image: StoredImage
    address: str
    window: Window
    spacing: Spacing
    projection: Projection | None
    side: Side | None


def read_views(files: Sequence[Path], roles: Sequence[ViewRole], store: ImageStore, scratch: Path) -> list[Shown]:
    """Read files in the way of an import.

    Args:
        files: one a view.
        roles: which view each of them is taken for.
        store: where the stored values go.
        scratch: a folder for the reader.

    Raises:
        UserError: a file was refused; its name comes first where there are several. `same-image`: two of them hold the
            same radiograph.
    """
    found: list[Shown] = []
    with ReaderPool(scratch=scratch, workers=1) as pool:
        for file, role in zip(files, roles, strict=True):
            try:
                found.append(_read(pool, file, role, store))
            except UserError as error:
                if len(files) == 1:
                    raise
                raise _about(file, error) from error
    addresses = {view.address for view in found}
    if len(addresses) < len(found):
        raise UserError(
            "Both files hold the same radiograph.",
            reason="A model of two views would take one view for both.",
            remedy="Give the frontal view first, then the lateral one.",
            kind="same-image",
        )
    return found


def notices_of(view: Shown) -> list[str]:
    """What is to be known about a file before its answer is believed."""
    sentences = [text for flag, text in FLAG_SENTENCES.items() if flag.value in view.read.flags]
    if view.projection is not None and view.projection.role is not view.role:
        what = view.projection.value
        sentences.append(f"the header of {view.file.name} says {what}, and it is taken for the {view.role} view.")
    return list(dict.fromkeys([*sentences, *view.read.notices]))


def _read(pool: ReaderPool, file: Path, role: ViewRole, store: ImageStore) -> Shown:
    read = pool.read(Source(path=file))
    image = pool.pixels(read)
    if any(flag.value in read.flags for flag in UNFIT):
        raise impossible(Gap.UNFIT_IMAGE, role)
    tables = load_evidence_tables()
    projection = assess_projection(read.facts, tables).value
    return Shown(
        file=file,
        role=role,
        read=read,
        image=image,
        address=store.put(image),
        window=computed_windows(image, read.grey)["auto"],
        spacing=resolve_spacing(read.facts, rows=read.rows, cols=read.cols),
        projection=projection,
        side=assess_side(read.facts, tables, projection=projection).value,
    )


def impossible(gap: Gap, role: ViewRole, remedy: str = "") -> UserError:
    """Why a model cannot be asked about a view."""
    return UserError(
        "The model cannot be asked.",
        reason=f"{GAPS[gap.value].format(role=role)}.".capitalize(),
        remedy=remedy,
        kind=gap.value,
    )


def _about(file: Path, error: UserError) -> UserError:
    return UserError(f"{file.name}: {error.title}", reason=error.reason, remedy=error.remedy, kind=error.kind)
