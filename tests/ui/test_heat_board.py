"""Heatmaps lie where the model looked, however the image lies, and never on another case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage

from app.core.geometry import Alignment, Crop, aligned_crop, mapped
from app.core.model_input import mirrored
from app.core.orientation import Orientation
from app.core.region import RegionBox, RegionMode, region_crop
from app.core.spacing import Spacing
from app.ui.heat_board import HeatBoard, HeatLook, ViewOverlay
from app.ui.image_pane import ImagePane
from app.ui.main_window import MainWindow
from app.ui.place import Place
from tests.support.window import make_project, open_window, wait

ROWS, COLS = 420, 360
CELLS = 8
HOT = (2, 5)  # row, column
CUTS = {
    "region": region_crop(
        RegionBox(left=60, top=80, right=300, bottom=330), Spacing(), mode=RegionMode.FIELD, size_px=224, field_mm=96.0
    ),
    "aligned": aligned_crop(Alignment(center_xy=(180, 200), axis_xy=(120, 380)), Spacing(), size_px=256),
}
CUTS["mirrored"] = mirrored(CUTS["region"])


def overlay(place: Place, cut: Crop, heatmap: npt.NDArray[np.float32] | None, **more: object) -> ViewOverlay:
    assert place.case is not None
    assert place.hanging.view is not None
    assert place.image is not None
    facts: dict[str, object] = {
        "case_id": place.case.id, "view_id": place.hanging.view.id, "image_sha256": place.image.key.sha256,
        "cut": cut, "heatmap": heatmap,
    }  # fmt: skip
    return ViewOverlay(**(facts | more))  # type: ignore[arg-type]


def hot_cell() -> npt.NDArray[np.float32]:
    cells = np.zeros((CELLS, CELLS), np.float32)
    cells[HOT] = 1
    return cells


def shown(pane: ImagePane) -> npt.NDArray[np.int64]:
    """(H, W, 3) the colours on the screen."""
    picture = pane.graphics.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine() // 4, 4)
    return lines[:, : picture.width(), :3].astype(np.int64)


def colourfulness(pane: ImagePane) -> npt.NDArray[np.int64]:
    colours = shown(pane)
    return np.asarray(colours.max(2) - colours.min(2), np.int64)


def board_of(window: MainWindow) -> tuple[HeatBoard, list[Place]]:
    viewer = window.viewer
    assert viewer is not None
    viewer.set_text_shown(False)
    for place in viewer.places:
        place.pane.text.hide()
    return HeatBoard(viewer), viewer.places


def test_a_heatmap_follows_its_image_within_a_pixel(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=1, rows=ROWS, cols=COLS), size=(900, 600))
    board, places = board_of(window)
    place, pane = places[0], places[0].pane
    view = place.hanging.view
    assert view is not None
    board.set_look(HeatLook(opacity=1.0, threshold=0.5))
    orientations = [Orientation(), Orientation().turned(90), Orientation().turned(-37.5),
                    Orientation().mirrored_horizontally(), Orientation().turned(180).mirrored_vertically()]  # fmt: skip
    for orientation in orientations:
        pane.set_orientation(orientation)
        for zoom in (None, 1.3):
            if zoom is None:
                pane.fit()
            else:
                pane.look_at(pane.oriented.transform().map(QPointF(200, 190)), zoom)
            board.clear()
            wait()
            without = shown(pane)
            for name, cut in CUTS.items():
                step = cut.size_px / CELLS
                there = mapped(cut.to_image, ((HOT[1] + 0.5) * step, (HOT[0] + 0.5) * step))
                board.show({view.id: overlay(place, cut, hot_cell())})
                wait()
                change = np.abs(shown(pane) - without).sum(2)
                assert change.max() > 100, "it is seen"
                weight = np.where(change > 0.75 * change.max(), change, 0)
                y, x = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
                expected = pane.map_from_image(*there)
                found = (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()
                assert found == pytest.approx((expected.x(), expected.y()), abs=1.0), (orientation, zoom, name)


def test_no_heatmap_of_a_case_is_painted_over_another(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=2, rows=ROWS, cols=COLS))
    board, (place, lateral) = board_of(window)
    cut = CUTS["region"]
    view = place.hanging.view
    assert view is not None
    right = overlay(place, cut, hot_cell())

    def is_painted() -> bool:
        wait()
        return bool((colourfulness(place.pane) > 60).any())

    board.show({view.id: right})
    assert is_painted()
    assert board.painted(view.id) is right
    for wrong in (
        replace(right, case_id="another"),
        replace(right, image_sha256="0" * 64),
        replace(right, view_id="another"),
    ):
        board.show({view.id: wrong})  # told to, by whatever mistake
        assert not is_painted()
        assert board.painted(view.id) is None
    board.show({view.id: right})
    assert not (colourfulness(lateral.pane) > 60).any()
    first = window.selection.on_screen
    window.case_list.step(1)
    for _ in range(200):
        wait(10)
        if window.selection.on_screen != first:
            break
    assert window.selection.on_screen != first
    assert not is_painted(), "the next case is clean at once"


def test_hidden_threshold_opacity_and_frame(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p", cases=1, rows=ROWS, cols=COLS))
    board, (place, _) = board_of(window)
    view = place.hanging.view
    assert view is not None
    cells = hot_cell()
    cells[6, 1] = 0.3
    board.show({view.id: overlay(place, CUTS["region"], cells)})

    def area() -> int:
        wait()
        return int((colourfulness(place.pane) > 25).sum())

    board.set_look(HeatLook(opacity=0.9, threshold=0.1))
    both = area()
    board.set_look(HeatLook(opacity=0.9, threshold=0.5))
    one = area()
    assert 0 < one < both
    strong = colourfulness(place.pane).max()
    board.set_look(HeatLook(opacity=0.3, threshold=0.5))
    wait()
    assert colourfulness(place.pane).max() < strong
    board.set_shown(False)
    assert area() == 0
    points = np.array([[112.0, 112.0, 4.0], [40.0, 40.0, 0.2]], np.float32)
    board.show({view.id: overlay(place, CUTS["region"], cells, is_framed=True, is_proposed=True, points=points)})
    assert area() > 50, "frame and points stay when heatmaps are hidden"
