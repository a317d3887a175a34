"""Images that carry a number which can be read back from the screen, and an asymmetric one that shows its sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from app.core.grey import StoredImage
from app.ui.image_pane import ImagePane

GRID = 5  # cells across and down; the corner cell is white, its neighbours are black: the code cannot lie on its side
BITS = 16
DARK, BRIGHT = 500, 3500
Levels = npt.NDArray[np.uint8]


def coded_image(number: int, *, cell_px: int = 16) -> StoredImage:
    """A chequered image that says its number."""
    return StoredImage(pixels=np.kron(_cells(number), np.ones((cell_px, cell_px), np.uint16)))


def number_in(levels: Levels) -> int:
    """The number of a coded image, from its display levels at any size.

    Raises:
        ValueError: this is no coded image, or not a whole one.
    """
    rows, cols = levels.shape
    at_rows = ((np.arange(GRID) + 0.5) * rows / GRID).astype(int)
    at_cols = ((np.arange(GRID) + 0.5) * cols / GRID).astype(int)
    cells = levels[np.ix_(at_rows, at_cols)] > 127
    bits = cells.ravel()[-BITS:]
    number = int(sum(1 << place for place, bit in enumerate(bits) if bit))
    if not np.array_equal(cells, _cells(number) == BRIGHT):
        raise ValueError("no coded image")
    return number


def _cells(number: int) -> npt.NDArray[np.uint16]:
    if not 0 <= number < 1 << BITS:
        raise ValueError(f"{number} does not fit")
    cells = np.zeros(GRID * GRID, bool)
    cells[0] = True
    bits = [bool(number >> place & 1) for place in range(BITS)]
    cells[-BITS:] = bits
    cells[GRID * GRID - BITS - 1] = sum(bits) % 2  # parity, so that half a code is no code
    return np.where(cells, BRIGHT, DARK).astype(np.uint16).reshape(GRID, GRID)


def on_screen(pane: ImagePane) -> Levels:
    """What a pane paints of its image, cut to the image, without the words over it."""
    assert pane.item.pyramid is not None
    rows, cols = pane.item.pyramid.levels[0].shape
    pane.text.hide()
    viewport = pane.graphics.viewport()
    picture = viewport.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    pane.text.show()
    ratio = picture.width() / viewport.width()
    corners = [pane.map_from_image(0, 0), pane.map_from_image(cols, rows)]
    left, right = sorted(corner.x() * ratio for corner in corners)
    top, bottom = sorted(corner.y() * ratio for corner in corners)
    top, left = max(0, top), max(0, left)  # between two sizes of a pane its image may stick out by a pixel
    return levels_of(picture)[round(top) : round(bottom), round(left) : round(right)]


def levels_of(picture: QImage) -> Levels:
    """(H, W) grey levels of a picture."""
    grey = picture.convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return lines[:, : grey.width()].copy()


# Shares of the area that are bright at the patient's left, right, head and foot end: four different bars.
BARS = {"L": 0.9, "R": 0.6, "H": 0.35, "F": 0.15}


def sided_image(patient: tuple[str, str], *, size_px: int = 120, bar_px: int = 12) -> npt.NDArray[np.uint16]:
    """An image whose edges carry bars that say which side of the patient lies there.

    The patient's left edge has a bar over 90 % of its length, the right 60 %, the head end 35 %, the foot end 15 %.

    Args:
        patient: Patient Orientation of the stored image: direction of the rows (to the right), of the columns (down).
        size_px: width and height.
        bar_px: thickness of the bars; they keep clear of the corners by as much.
    """
    opposite = {"L": "R", "R": "L", "H": "F", "F": "H"}
    pixels = np.full((size_px, size_px), DARK, np.uint16)
    row, column = patient
    clear = 2 * bar_px
    for letter, edge in ((opposite[row], "left"), (row, "right"), (opposite[column], "top"), (column, "bottom")):
        length = round((size_px - 2 * clear) * BARS[letter])
        start = (size_px - length) // 2
        along, across = slice(start, start + length), slice(bar_px // 2, bar_px // 2 + bar_px)
        back = slice(size_px - bar_px // 2 - bar_px, size_px - bar_px // 2)
        where = {"left": (along, across), "right": (along, back), "top": (across, along), "bottom": (back, along)}
        pixels[where[edge]] = BRIGHT
    return pixels


def sides_in(levels: Levels) -> dict[str, str]:
    """Which side of the patient lies at the left, right, top and bottom of a sided image on the screen."""
    rows, cols = levels.shape
    depth_rows, depth_cols = round(rows * 0.1), round(cols * 0.1)
    lengths = {
        "left": (levels[:, depth_cols] > 127).mean(),
        "right": (levels[:, cols - 1 - depth_cols] > 127).mean(),
        "top": (levels[depth_rows] > 127).mean(),
        "bottom": (levels[rows - 1 - depth_rows] > 127).mean(),
    }
    free = 0.6  # what the bars have of an edge: 1 − 4 × 12 / 120
    return {edge: min(BARS, key=lambda letter: abs(BARS[letter] * free - share)) for edge, share in lengths.items()}
