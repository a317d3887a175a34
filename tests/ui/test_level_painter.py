"""Levels written straight into the picture that Qt paints in are what Qt would have drawn, and nowhere else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QGraphicsView, QStyleOptionGraphicsItem, QWidget

from app.core.resampling import Rect
from app.ui import level_painter
from app.ui.level_painter import LevelPainter
from tests.support.window import application, wait
from tests.ui.test_image_item import table

WHERE = Rect(left=7, top=5, right=57, bottom=45)
SIZE = (80, 60)
GREEN = QColor(0, 255, 0)


@pytest.fixture(scope="module")
def stored() -> npt.NDArray[np.uint16]:
    """More than is drawn: a part of a larger array, as in a pane."""
    whole = np.random.default_rng(5).integers(0, 4096, (60, 90), dtype=np.uint16)
    return whole[3 : 3 + WHERE.height, 11 : 11 + WHERE.width]


def pixels(picture: QImage) -> npt.NDArray[np.uint32]:
    """(H, W) of a picture of 32 bits."""
    return np.frombuffer(picture.constBits(), np.uint32).reshape(picture.height(), picture.width()).copy()


def draw(painter: QPainter, stored: npt.NDArray[np.uint16]) -> None:
    """As an item without a transform does."""
    LevelPainter().draw(painter, QTransform(), WHERE, stored, table(), None)


def expected(stored: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint32]:
    """The levels on green."""
    found = np.full((SIZE[1], SIZE[0]), GREEN.rgba(), np.uint32)
    grey = table().levels[stored].astype(np.uint32)
    found[WHERE.top : WHERE.bottom, WHERE.left : WHERE.right] = 0xFF000000 | grey << 16 | grey << 8 | grey
    return found


def canvas(kind: QImage.Format = QImage.Format.Format_RGB32) -> QImage:
    picture = QImage(*SIZE, kind)
    picture.fill(GREEN)
    return picture


@pytest.mark.parametrize("is_written", [True, False])
@pytest.mark.parametrize("kind", level_painter.WITHOUT_BLENDING)
def test_either_way_gives_the_same_picture(
    stored: npt.NDArray[np.uint16], kind: QImage.Format, is_written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    application()
    ways: list[bool] = []
    write = LevelPainter._write

    def noted(*args: object) -> bool:
        ways.append(write(*args) if is_written else False)  # type: ignore[arg-type]
        return ways[-1]

    monkeypatch.setattr(LevelPainter, "_write", noted)
    picture = canvas(kind)
    painter = QPainter(picture)
    draw(painter, stored)
    painter.end()
    assert ways == [is_written]
    np.testing.assert_array_equal(pixels(picture), expected(stored))


def test_a_clip_opacity_or_another_kind_of_picture_is_left_to_qt(stored: npt.NDArray[np.uint16]) -> None:
    application()
    picture = canvas()
    painter = QPainter(picture)
    painter.setClipRect(QRect(20, 10, 15, 12))
    draw(painter, stored)
    painter.end()
    clipped = np.full((SIZE[1], SIZE[0]), GREEN.rgba(), np.uint32)
    clipped[10:22, 20:35] = expected(stored)[10:22, 20:35]
    np.testing.assert_array_equal(pixels(picture), clipped)

    picture = canvas()
    painter = QPainter(picture)
    painter.setOpacity(0.5)
    draw(painter, stored)
    painter.end()
    inside = pixels(picture)[WHERE.top : WHERE.bottom, WHERE.left : WHERE.right]
    assert (np.abs((inside >> 16 & 255) - table().levels[stored] / 2.0) <= 1).all()
    assert ((inside >> 8 & 255) >= 127).all()

    picture = canvas(QImage.Format.Format_Grayscale8)
    painter = QPainter(picture)
    draw(painter, stored)
    painter.end()
    grey = np.frombuffer(picture.constBits(), np.uint8).reshape(SIZE[1], picture.bytesPerLine())
    np.testing.assert_array_equal(grey[WHERE.top : WHERE.bottom, WHERE.left : WHERE.right], table().levels[stored])


class _Item(QGraphicsItem):
    def __init__(self, stored: npt.NDArray[np.uint16]) -> None:
        super().__init__()
        self._stored = stored

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, *SIZE)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        corner = painter.deviceTransform()
        where = WHERE.moved(round(corner.dx()), round(corner.dy()))
        LevelPainter().draw(painter, QTransform(), where, self._stored, table(), None)


def test_nothing_is_written_over_what_lies_above_or_outside_the_part_that_is_repainted(
    stored: npt.NDArray[np.uint16],
) -> None:
    application()
    window = QWidget()
    window.setFixedSize(*SIZE)
    view = QGraphicsView(window)
    view.setFrameShape(QGraphicsView.Shape.NoFrame)
    view.setGeometry(0, 0, *SIZE)
    view.setSceneRect(0, 0, *SIZE)
    scene = QGraphicsScene(view)
    scene.setBackgroundBrush(GREEN)
    scene.addItem(_Item(stored))
    view.setScene(scene)
    above = QWidget(window)
    above.setAutoFillBackground(True)
    above.setGeometry(25, 15, 30, 20)
    window.show()
    wait(20)
    for area in (QRect(0, 0, *SIZE), QRect(10, 10, 30, 9), QRect(40, 30, 8, 15)):
        view.viewport().repaint(area)
    picture = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    backing = window.backingStore().paintDevice()
    assert isinstance(backing, QImage)
    colour = above.palette().window().color().rgba()
    for found in (pixels(picture), pixels(backing)):
        wanted = expected(stored)
        wanted[15:35, 25:55] = colour
        np.testing.assert_array_equal(found, wanted)
    window.close()
