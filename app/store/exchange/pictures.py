"""Pictures of a data set: stored values as 16-bit PNG, display levels as 8-bit PNG, whole views and crops."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from app.core.case import View
from app.core.export import Content
from app.core.export_plan import ExportCrop, ExportPlan
from app.core.geometry import crop
from app.core.grey import StoredImage, Window
from app.core.grey_tables import dark_index, display_table, to_display
from app.core.voi import choose_voi
from app.store.exchange.rows import crop_path, image_path
from app.store.exchange.writer import ExportSource, OutputFile

# Noise of a detector hardly compresses. One filter and run lengths are as small as what PNG encoders try otherwise
# (all filters for every row), and twice as fast.
PNG_SETTINGS = (
    cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB,
)  # fmt: skip


class PngWriter:
    """Stored values of whole views and crops, 16 bit."""

    def files(self, plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
        """Whole views by id, then the crops of every case."""
        if plan.has(Content.IMAGES):
            for view in plan.pictures:
                yield OutputFile(
                    path=image_path(view), content=partial(view_png, source, view), about=f"The view {view.id}"
                )
        for case in plan.cases:
            for cut in case.crops:
                yield OutputFile(
                    path=crop_path(cut), content=partial(crop_png, source, cut), about=f"The view {cut.view.id}"
                )
        if plan.has(Content.HEATMAPS):
            from app.store.exchange.model_words import heatmap_files

            yield from heatmap_files(plan, source)

    def notes(self, plan: ExportPlan) -> tuple[str, ...]:
        """What heatmaps are."""
        if not plan.has(Content.HEATMAPS):
            return ()
        return (
            "PNG: heatmaps/*.npy are the values of a heatmap in logits over the model's input (NumPy, float32), "
            "heatmaps/*.png the same on the radiograph; tables/heatmaps.csv says where they lie.",
        )

    def guide(self) -> str:
        """What the pixels mean."""
        return (
            "`images/*.png` and `crops/*/*.png`, 16 bit, stored values and not what the eye sees: `tables/views.csv` "
            "says how they are read (photometric, stored_value_offset). File names are the identifiers of view, case "
            "and reader (r1 is the first reader by name)."
        )


def view_png(source: ExportSource, view: View) -> list[bytes]:
    """A whole view: stored values."""
    return [png_bytes(source.image(view).pixels)]


def crop_png(source: ExportSource, cut: ExportCrop) -> list[bytes]:
    """A crop: stored values; outside the image those that are shown black."""
    return [png_bytes(_cut_out(source.image(cut.view), cut))]


def shown_view_png(source: ExportSource, view: View, window: Window | None) -> list[bytes]:
    """A whole view: display levels, 8 bit, 0 black.

    Args:
        source: where its pixels come from.
        view: the view.
        window: the automatic window of it; None = worked out now.
    """
    image = source.image(view)
    return [png_bytes(_levels(image, image.pixels, view, window))]


def shown_crop_png(source: ExportSource, cut: ExportCrop, window: Window | None) -> list[bytes]:
    """A crop: display levels in the window of the whole view, which is what a network is fed; see `shown_view_png`."""
    image = source.image(cut.view)
    return [png_bytes(_levels(image, _cut_out(image, cut), cut.view, window))]


def _cut_out(image: StoredImage, cut: ExportCrop) -> npt.NDArray[np.uint16]:
    return crop(image.pixels, cut.cut, fill=dark_index(cut.view.grey, offset=image.offset))


def _levels(
    image: StoredImage, pixels: npt.NDArray[np.uint16], view: View, window: Window | None
) -> npt.NDArray[np.uint8]:
    """Display levels of a part of an image, in the automatic window of the whole of it."""
    voi = window or choose_voi(image, view.grey, "auto")
    table = display_table(view.grey, voi, offset=image.offset)
    return to_display(StoredImage(pixels=pixels, offset=image.offset), table).pixels


def png_bytes(pixels: npt.NDArray[np.uint16] | npt.NDArray[np.uint8]) -> bytes:
    """A grey picture as PNG, without any text or date in it. The same pixels give the same bytes."""
    is_encoded, data = cv2.imencode(".png", pixels, PNG_SETTINGS)
    assert is_encoded, "the PNG encoder takes 8- and 16-bit grey images"
    encoded: bytes = data.tobytes()
    return encoded
