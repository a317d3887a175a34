"""Pixels that may leave a project: the only way by which an export reads an image."""

from __future__ import annotations

from app.core.case import View
from app.core.errors import UserError
from app.core.grey import StoredImage
from app.core.grey_tables import dark_index
from app.core.pixel_review import PixelVerdict, ReleaseState, masked
from app.store.images import ImageStore

WHY_NOT = {
    ReleaseState.WAITING: "It may hold burnt-in text, and nobody has looked at it.",
    ReleaseState.REFUSED: "Somebody looked at it and said that it must not leave.",
    ReleaseState.ABSENT: "This copy of the project never had its pixels.",
}


def released_image(images: ImageStore, view: View) -> StoredImage:
    """The stored values of a view as they may leave, with its masks painted black.

    Args:
        images: the project's image store.
        view: as it stands now.

    Raises:
        UserError: `not-released`: nobody has looked at what may hold burnt-in text, or it was refused; `image-missing`
            or `image-damaged`.
    """
    if not view.release.may_leave:
        raise UserError(
            "This image must not leave the project.",
            reason=WHY_NOT[view.release],
            remedy="Look at it: Resolve, Review burnt-in text.",
            kind="not-released",
        )
    image = images.load(view.image_sha256)
    review = view.pixel_review
    if review is None or review.verdict is not PixelVerdict.MASKED:
        return image
    fill = dark_index(view.grey, offset=image.offset)
    return StoredImage(pixels=masked(image.pixels, review.masks, fill=fill), offset=image.offset)
