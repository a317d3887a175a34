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
from app.core.grey import StoredImage
from app.core.grey_tables import dark_index, display_table, to_display
from app.core.voi import choose_voi
from app.store.exchange.rows import crop_path, image_path
from app.store.exchange.writer import ExportSource, OutputFile

# Noise of a detector hardly compresses: run lengths after a filter are as small as the slower ways, and twice as fast.
PNG_SETTINGS = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)


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
        """Nothing is left out."""
        return ()

    def guide(self) -> str:
        """What the pixels mean."""
        return (
            "`images/*.png` and `crops/*/*.png`, 16 bit, stored values and not what the eye sees: `tables/views.csv` "
            "says how they are read (photometric, stored_value_offset). File names are the identifiers of view, case "
            "and reader (r1 is the first reader by name). `heatmaps/*.npy` are values of a heatmap in logits over the "
            "model's input, `heatmaps/*.png` the same on the radiograph; `tables/heatmaps.csv` says where they lie."
        )


def view_png(source: ExportSource, view: View, *, bits: int = 16) -> list[bytes]:
    """A whole view.

    Args:
        source: where its pixels come from.
        view: the view.
        bits: 16 = stored values; 8 = display levels in the automatic window, 0 black.
    """
    image = source.image(view)
    return [png_bytes(levels_of(image, image.pixels, view) if bits == 8 else image.pixels)]


def crop_png(source: ExportSource, cut: ExportCrop, *, bits: int = 16) -> list[bytes]:
    """A crop; see `view_png`. Outside the image it is black."""
    image = source.image(cut.view)
    pixels = crop(image.pixels, cut.cut, fill=dark_index(cut.view.grey, offset=image.offset))
    return [png_bytes(levels_of(image, pixels, cut.view) if bits == 8 else pixels)]


def levels_of(image: StoredImage, pixels: npt.NDArray[np.uint16], view: View) -> npt.NDArray[np.uint8]:
    """Display levels of a part of an image, in the automatic window of the whole of it: what a network is fed.

    Args:
        image: the whole image.
        pixels: (H, W) the part, stored values.
        view: how they are read.
    """
    table = display_table(view.grey, choose_voi(image, view.grey, "auto"), offset=image.offset)
    return to_display(StoredImage(pixels=pixels, offset=image.offset), table).pixels


def png_bytes(pixels: npt.NDArray[np.uint16] | npt.NDArray[np.uint8]) -> bytes:
    """A grey picture as PNG, without any text or date in it. The same pixels give the same bytes."""
    is_encoded, data = cv2.imencode(".png", pixels, PNG_SETTINGS)
    assert is_encoded, "the PNG encoder takes 8- and 16-bit grey images"
    encoded: bytes = data.tobytes()
    return encoded
