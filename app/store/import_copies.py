"""Whether an image is a copy of one that the project holds, and how the two differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.core.case import View, ViewFlag
from app.core.errors import UserError
from app.core.grey import StoredImage
from app.core.messages import ReadImage
from app.core.pseudonym import Pseudonyms
from app.store.project import ProjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Result of a comparison.

    Args:
        is_duplicate: whether the project holds the image already.
        reason: how the two differ, one or two sentences.
        remedy: what to do, or empty.
        kind: `bit-identical`, `lossy-copy`, `lossless-of-held-lossy` or `different`.
    """

    is_duplicate: bool
    reason: str
    remedy: str = ""
    kind: str


def keys_of(image: ReadImage, frame: int | None, pseudonyms: Pseudonyms) -> tuple[str, str]:
    """(object key, predecessor key): to find the object again without storing its UID."""
    suffix = "" if frame is None else f"|frame {frame}"
    own, predecessor = image.facts.sop_instance_uid.strip(), image.facts.predecessor_uid.strip()
    return (
        pseudonyms.key_of("object", own + suffix) if own else "",
        pseudonyms.key_of("object", predecessor + suffix) if predecessor else "",
    )


def held_view(
    project: ProjectStore, image: ReadImage, keys: tuple[str, str], patient_id: str, address: str, *, frame: int | None
) -> View | None:
    """The view that shows this image already: the same object, another encoding of it, or the same pixels.

    Pixels count only within one patient: the same picture under two patients is a mix-up, not a copy.

    Args:
        project: the project.
        image: the new image.
        keys: its object key and predecessor key.
        patient_id: its patient's pseudonym.
        address: address of its pixels.
        frame: frame of a multi-frame object.
    """
    own, predecessor = keys
    records = [
        project.sources.find(image.source_sha256, frame=frame),
        project.sources.find_object(own) if own else None,
        project.sources.find_object(predecessor) if predecessor else None,
        *(project.sources.of_predecessor(predecessor) if predecessor else ()),
        *(project.sources.of_predecessor(own) if own else ()),
    ]
    for record in records:
        view = project.views.get(record.view_id) if record is not None and record.view_id is not None else None
        if view is not None:
            return view
    for view in project.views.of_image(address):
        study = project.studies.get(view.study_id)
        if study is not None and study.patient_id == patient_id:
            return view
    return None


def compare(project: ProjectStore, held: View, pixels: StoredImage, address: str, *, is_lossy: bool) -> Verdict:
    """How a copy differs from the image that the project holds.

    Args:
        project: the project.
        held: the view that may show the same image.
        pixels: the new image's stored values.
        address: their address.
        is_lossy: whether the new image went through lossy compression.
    """
    if address == held.image_sha256:
        return Verdict(is_duplicate=True, reason=f"Bit-identical with {held.id}.", kind="bit-identical")
    try:
        known = project.images.load(held.image_sha256)
    except UserError:
        known = None
    is_held_lossy = ViewFlag.LOSSY in held.flags
    if known is not None and known.pixels.shape == pixels.pixels.shape:
        first = known.pixels.astype(np.int32) + known.offset
        second = pixels.pixels.astype(np.int32) + pixels.offset
        difference = int(np.abs(first - second).max())
        how = f"it differs by at most {difference} grey levels"
    else:
        how = "it has another size"
    if is_held_lossy and not is_lossy:
        return Verdict(
            is_duplicate=True,
            reason=f"The project holds a lossy copy of this image ({held.id}); this one is lossless and {how}.",
            remedy="The lossy copy stays, since work may refer to it. To use this one, import it into a new project.",
            kind="lossless-of-held-lossy",
        )
    if is_lossy or is_held_lossy:
        return Verdict(is_duplicate=True, reason=f"A lossy copy of {held.id}: {how}.", kind="lossy-copy")
    return Verdict(
        is_duplicate=False,
        reason=f"It says that it is a copy of the same original as {held.id}, but {how}.",
        kind="different",
    )


def conflicting(held: View) -> UserError:
    return UserError(
        "This is another image than the one that the project holds under the same identifier.",
        reason=f"{held.id} has the same SOP Instance UID and other pixels; two images must not share one.",
        remedy="Find out which of the two is right; the one in the project was not changed.",
        kind="conflicting-object",
    )
