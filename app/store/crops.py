"""Crops of a project: what every reader's clicks cut out of which image, and whether they approved it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from app.core.annotation import (
    ALIGNMENT,
    CASE,
    CROP_VERDICT,
    REGION,
    alignment_of,
    region_of,
    split_target,
    verdict_of,
)
from app.core.case import Case, View
from app.core.event import Json
from app.core.geometry import DEFAULT_SIZE_PX, Alignment, Crop, aligned_crop, crop
from app.core.grey_tables import dark_index
from app.core.region import REGION_INPUT_PX, RegionBox, RegionMode, region_crop
from app.store.project import ProjectStore


class CropState(StrEnum):
    """What its reader thought of a crop on looking at it."""

    UNSEEN = "unseen"  # nobody has said anything
    APPROVED = "approved"
    REJECTED = "rejected"
    OUTDATED = "outdated"  # a verdict on another crop: the clicks, the size or the spacing have changed since


@dataclass(frozen=True, slots=True, kw_only=True)
class CropRecord:
    """One crop of one view by one reader.

    Args:
        case: the case.
        view: the view, as it stands now.
        reader: whose clicks or box.
        cut: what is cut out.
        key: names its pixels.
        state: the verdict.
        alignment: the two clicks; None for a region.
        region: the box; None for an alignment.
    """

    case: Case
    view: View
    reader: str
    cut: Crop
    key: str
    state: CropState
    alignment: Alignment | None = None
    region: RegionBox | None = None


def aligned_crops(project: ProjectStore, *, size_px: int = DEFAULT_SIZE_PX) -> Iterator[CropRecord]:
    """The crop of every alignment in a project, by case, reader and view."""
    for case, reader, values in _readings(project, ALIGNMENT):
        for view_id in sorted(name.removeprefix(ALIGNMENT) for name in values if name.startswith(ALIGNMENT)):
            view = project.views.get(view_id)
            alignment = alignment_of(values[f"{ALIGNMENT}{view_id}"])
            if view is None or alignment is None:
                continue
            yield CropRecord(
                case=case,
                view=view,
                reader=reader,
                cut=aligned_crop(alignment, view.spacing, size_px=size_px),
                key=crop_key(alignment, view),
                state=crop_state(alignment, view, values.get(f"{CROP_VERDICT}{view_id}")),
                alignment=alignment,
            )


def region_crops(
    project: ProjectStore, *, size_px: int = REGION_INPUT_PX, mode: RegionMode = RegionMode.CENTRE
) -> Iterator[CropRecord]:
    """The crop of every region in a project, by case, reader and view; a box that was drawn counts as approved."""
    for case, reader, values in _readings(project, REGION):
        for view_id in sorted(name.removeprefix(REGION) for name in values if name.startswith(REGION)):
            view = project.views.get(view_id)
            region = region_of(values[f"{REGION}{view_id}"])
            if view is None or region is None:
                continue
            cut = region_crop(region, view.spacing, mode=mode, size_px=size_px)
            yield CropRecord(
                case=case,
                view=view,
                reader=reader,
                cut=cut,
                key=cut.key(view.image_sha256),
                state=CropState.APPROVED,
                region=region,
            )


def crop_key(alignment: Alignment, view: View) -> str:
    """What a verdict is about: the crop at its usual size, whatever size it is rendered at."""
    return aligned_crop(alignment, view.spacing).key(view.image_sha256)


def crop_state(alignment: Alignment, view: View, verdict_value: Json) -> CropState:
    """What a stored verdict says about the crop as it is now."""
    verdict = verdict_of(verdict_value)
    if verdict is None:
        return CropState.UNSEEN
    if verdict.key != crop_key(alignment, view):
        return CropState.OUTDATED
    return CropState.APPROVED if verdict.is_approved else CropState.REJECTED


def crop_pixels(project: ProjectStore, record: CropRecord) -> npt.NDArray[np.uint16]:
    """The stored values of a crop, (size, size) uint16; index a table made with the image's offset.

    Raises:
        UserError: `image-missing` or `image-damaged`.
    """
    image = project.images.load(record.view.image_sha256)
    return crop(image.pixels, record.cut, fill=dark_index(record.view.grey, offset=image.offset))


def _readings(project: ProjectStore, prefix: str) -> Iterator[tuple[Case, str, dict[str, Json]]]:
    """Every case with each reader's values, where there is a field that begins like this."""
    rows = project.database.rows(
        "SELECT DISTINCT target FROM current WHERE field >= ? AND field < ? ORDER BY target",
        (prefix, f"{prefix[:-1]}/"),
    )
    for (target,) in rows:
        kind, identifier, reader = split_target(target)
        case = project.cases.get(identifier) if kind == CASE and reader else None
        if case is not None:
            yield case, reader, project.events.current_of(target)
