"""Pictures for people: a view as it is displayed, with a heatmap or drawings over it, marked for research use only.

Plain OpenCV drawing: the same input gives the same pixels on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from app.core.geometry import XY, Crop, Matrix
from app.core.grey import GreyScale, Lut, StoredImage, Window
from app.core.grey_tables import display_table, to_display
from app.core.heatmap import MOST, colour_table, levels
from app.store.exchange.shapes import Shape, ShapeKind

Picture = npt.NDArray[np.uint8]
LINE_HEIGHT_PX, MARGIN_PX = 22, 8
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.5
LEGIBLE_AT_PX = 1000  # width of a picture in which letters of twice that scale are read in print
WHITE, GREY, YELLOW = (255, 255, 255), (170, 170, 170), (255, 214, 64)
SHAPE_COLOURS = {
    ShapeKind.ALIGNMENT: (64, 196, 255),
    ShapeKind.REGION: (255, 160, 64),
    ShapeKind.LANDMARK: (255, 230, 80),
    ShapeKind.MEASUREMENT: (120, 230, 120),
}


def display_picture(
    image: StoredImage, grey: GreyScale, voi: Lut | Window, *, longest_px: int
) -> tuple[Picture, float]:
    """A view as it is displayed, made smaller where it is larger than asked for.

    Args:
        image: stored values, masks painted over.
        grey: how they are read.
        voi: window.
        longest_px: longest side of the picture.

    Returns:
        (h, w) uint8, and how many pixels of it one pixel of the image is.
    """
    shown = to_display(image, display_table(grey, voi, offset=image.offset)).pixels
    rows, cols = shown.shape
    scale = min(1.0, longest_px / max(rows, cols))
    if scale == 1.0:
        return np.ascontiguousarray(shown), 1.0
    size = (max(1, round(cols * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def with_heatmap(
    picture: Picture, scale: float, heatmap: npt.NDArray[np.float32], cut: Crop, *, full: float, opacity: float = 0.55
) -> Picture:
    """A heatmap laid over a picture, at its place on the image.

    Args:
        picture: (h, w) uint8.
        scale: pixels of the picture for one pixel of the image.
        heatmap: (m, n) float32 over the model's input, units of the logit.
        cut: the model's input.
        full: logit units that are full colour.
        opacity: of full colour.

    Returns:
        (h, w, 3) uint8, red, green, blue.
    """
    rows, cols = picture.shape
    side = 512
    numbers = levels(heatmap, full, size_px=side)
    table = colour_table(0.15, opacity)
    paint = table[np.minimum(numbers // (MOST // 255), 255)].astype(np.float32)
    # crop coordinates of the heatmap's fine pixels -> image -> picture; cv2 counts from pixel centres
    to_image = cut.to_image
    step = cut.size_px / side
    forward: Matrix = np.array(
        [[to_image[0, 0] * step, to_image[0, 1] * step, to_image[0, 2]],
         [to_image[1, 0] * step, to_image[1, 1] * step, to_image[1, 2]]]
    ) * scale  # fmt: skip
    forward[:, 2] += forward[:, :2] @ (0.5, 0.5) - 0.5
    warped = cv2.warpAffine(paint, forward, (cols, rows), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0))
    alpha = warped[..., 3:] / 255
    mixed = picture[..., None] * (1 - alpha) + warped[..., :3] * alpha
    return np.asarray(np.rint(mixed), np.uint8)


def with_shapes(picture: Picture, scale: float, shapes: Sequence[Shape]) -> Picture:
    """Drawings over a picture, with a dark rim so that they are seen on bone and on air.

    Args:
        picture: (h, w) or (h, w, 3) uint8.
        scale: pixels of the picture for one pixel of the image.
        shapes: in image coordinates.

    Returns:
        (h, w, 3) uint8.
    """
    result = as_rgb(picture)
    for width, is_rim in ((4, True), (2, False)):
        for shape in shapes:
            colour = (0, 0, 0) if is_rim else SHAPE_COLOURS[shape.kind]
            for line in shape.lines:
                points = [_at(xy, scale) for xy in line]
                if len(points) == 1:
                    cv2.circle(result, points[0], 3 + is_rim, colour, -1, cv2.LINE_AA)
                else:
                    cv2.polylines(result, [np.array(points, np.int32)], False, colour, width, cv2.LINE_AA)
    for shape in shapes:
        if shape.text and shape.anchor is not None:
            x, y = _at(shape.anchor, scale)
            size = max(FONT_SCALE, 2 * FONT_SCALE * result.shape[1] / LEGIBLE_AT_PX)
            write(result, shape.text, (x + 8, y - 8), SHAPE_COLOURS[shape.kind], size=size)
    return result


def with_caption(picture: Picture, lines: Sequence[str], mark: str) -> Picture:
    """A picture with a black band of words under it; the mark comes last and stands out.

    Args:
        picture: (h, w) or (h, w, 3) uint8.
        lines: what is said about it.
        mark: the research-use mark.
    """
    words = [part for line in lines for part in wrapped(line, picture.shape[1] - 2 * MARGIN_PX)]
    marks = wrapped(mark, picture.shape[1] - 2 * MARGIN_PX)
    height = MARGIN_PX * 2 + LINE_HEIGHT_PX * (len(words) + len(marks))
    band = np.zeros((height, picture.shape[1], 3), np.uint8)
    for number, line in enumerate([*words, *marks]):
        place = (MARGIN_PX, MARGIN_PX + LINE_HEIGHT_PX * (number + 1) - 6)
        write(band, line, place, YELLOW if number >= len(words) else WHITE)
    return np.vstack([as_rgb(picture), band])


def as_rgb(picture: Picture) -> Picture:
    """A grey picture as colours; a copy."""
    return np.array(picture) if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)


def wrapped(text: str, width_px: int) -> list[str]:
    """A text in lines that fit; a word that is too long stands alone and is cut."""
    lines: list[str] = []
    for word in plain(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer) <= width_px:
            lines[-1] = longer
        else:
            while len(word) > 1 and _width(word) > width_px:
                word = word[:-1]
            lines.append(word)
    return lines


def write(
    picture: Picture, text: str, at: tuple[int, int], colour: tuple[int, int, int], *, size: float = FONT_SCALE
) -> None:
    """Write a text into a picture, with a dark rim; it stays inside as far as it fits.

    Args:
        picture: (h, w, 3) uint8; changed.
        text: one line.
        at: left end of its base line.
        colour: red, green, blue.
        size: of the letters; 0.5 is 11 px high.
    """
    words, thick = plain(text), 1 + (size > FONT_SCALE)
    x = max(2, min(at[0], picture.shape[1] - _width(words, size) - 2))
    y = max(round(28 * size), min(at[1], picture.shape[0] - 4))
    cv2.putText(picture, words, (x, y), FONT, size, (0, 0, 0), thick + 3, cv2.LINE_AA)
    cv2.putText(picture, words, (x, y), FONT, size, colour, thick, cv2.LINE_AA)


def plain(text: str) -> str:
    """A text in the letters that the drawing font has."""
    changed = {"–": "-", "—": "-", "·": "|", "×": "x", "°": " deg", "≥": ">=", "≤": "<=", "’": "'", "“": '"', "”": '"'}
    return "".join(changed.get(letter, letter) for letter in text).encode("ascii", "replace").decode("ascii")


def _width(text: str, size: float = FONT_SCALE) -> int:
    return int(cv2.getTextSize(text, FONT, size, 1)[0][0])


def _at(xy: XY, scale: float) -> tuple[int, int]:
    return round(xy[0] * scale - 0.5), round(xy[1] * scale - 0.5)
