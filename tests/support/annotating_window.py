"""Annotating in the real window: clicks and drags at image coordinates, and what is stored afterwards."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.core.annotation import alignment_of
from app.core.geometry import XY, Alignment
from app.core.grey import StoredImage
from app.ui.image_pane import ImagePane
from app.ui.main_window import MainWindow
from tests.support.window import wait

SHIFT, ALT, NONE = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier


def textured(number: int, *, rows: int, cols: int) -> StoredImage:
    """An image on which no two places are alike."""
    noise = np.random.default_rng(number).integers(0, 4096, (rows, cols)).astype(np.float32)
    return StoredImage(pixels=cv2.GaussianBlur(noise, (0, 0), 3).astype(np.uint16))


def pane(window: MainWindow, number: int = 0) -> ImagePane:
    assert window.viewer is not None
    return window.viewer.places[number].pane


def act(window: MainWindow, name: str) -> None:
    action = window.actions_by_id[name]
    assert action.isEnabled(), name
    action.trigger()
    wait(20)


def place(where: ImagePane, xy: XY) -> QPoint:
    return where.map_from_image(*xy).toPoint()


def click(where: ImagePane, xy: XY) -> XY:
    """Click at image coordinates; returns those of the pixel of the screen that was really hit."""
    at = place(where, xy)
    QTest.mouseMove(where.graphics.viewport(), at)
    wait(5)
    QTest.mouseClick(where.graphics.viewport(), Qt.MouseButton.LeftButton, NONE, at)
    wait(5)
    return where.map_to_image(QPointF(at))


def drag(where: ImagePane, start: XY, end: XY) -> tuple[XY, XY]:
    viewport, first, last = where.graphics.viewport(), place(where, start), place(where, end)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, NONE, first)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(viewport, first + (last - first) * share)
        wait(5)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, NONE, last)
    wait(5)
    return where.map_to_image(QPointF(first)), where.map_to_image(QPointF(last))


def case_id(window: MainWindow) -> str:
    assert window.viewer is not None
    assert window.viewer.content is not None
    return window.viewer.content.case.id


def values(window: MainWindow) -> dict[str, Any]:
    assert window.project is not None
    return window.project.annotations.values(case_id(window), "tester")


def stored_alignment(window: MainWindow, number: int = 0) -> Alignment:
    assert window.viewer is not None
    view = window.viewer.places[number].hanging.view
    assert view is not None
    found = alignment_of(values(window).get(f"alignment.{view.id}"))
    assert found is not None
    return found


def count_events(window: MainWindow) -> int:
    assert window.project is not None
    return window.project.look().events.head()[0]


def align(window: MainWindow, number: int = 0, center: XY = (150, 180), axis: XY = (165, 330)) -> tuple[XY, XY]:
    act(window, "align")
    return click(pane(window, number), center), click(pane(window, number), axis)
