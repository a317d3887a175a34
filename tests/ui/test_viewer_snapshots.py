"""What the layouts look like, against pictures that somebody has looked at.

Fonts differ between machines, so pictures are compared at a quarter of their size and with a tolerance: a pane, a
letter, a marker or a bar that is missing or elsewhere is far outside it. `COXA_SNAPSHOTS=write` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtGui import QImage

from app.core.case import Patient, Projection, Side, Study
from app.core.grey import StoredImage
from app.core.spacing import Spacing, SpacingSource
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.ui.viewer import Viewer
from tests.support.window import add_view, open_window, wait, wait_until

FOLDER = Path(__file__).resolve().parents[1] / "snapshots"
SMALLER = 4
MEAN_LEVELS = 1.5  # of 255, over the whole picture
LARGEST_SHARE = 0.02  # of the pixels may differ by more than …
LARGEST_LEVELS = 40
SPACING = Spacing(row_mm=0.5, col_mm=0.5, source=SpacingSource.CALIBRATED, is_trusted=True)


def phantom(seed: int) -> npt.NDArray[np.uint16]:
    """A thigh with a bone, a head and a neck, enough to see which way it lies."""
    rows, cols = np.mgrid[0:400, 0:320]
    image = np.full((400, 320), 300.0)
    image[(cols - 150) ** 2 < (110 + 20 * np.sin(rows / 70 + seed)) ** 2] = 1400
    image[((cols - 120 - rows / 12) ** 2 < 26**2) & (rows > 150)] = 2900
    image[(cols - 205) ** 2 + (rows - 130) ** 2 < 42**2] = 3100
    image[(np.abs((rows - 165) + (cols - 165) * 0.9) < 26) & (cols > 130) & (cols < 210)] = 2800
    return image.astype(np.uint16)


@pytest.fixture
def viewer(tmp_path: Path) -> Viewer:
    """Both hips of one patient, frontal and lateral, in the viewer of the window."""
    with ProjectStore.create(tmp_path / "p") as store:
        study = Study(id="2.25.3", patient_id="P-SNAP-1")
        with store.transaction():
            store.patients.add(Patient(id="P-SNAP-1"))
            store.studies.add(study)
            for side in (Side.RIGHT, Side.LEFT):
                for number, projection in enumerate((Projection.FRONTAL, Projection.CROSS_TABLE)):
                    pixels = phantom(number)
                    stored = pixels if side is Side.RIGHT else pixels[:, ::-1].copy()
                    letters = ("L", "F") if projection is Projection.FRONTAL else ("A", "F")
                    add_view(store, study, f"V-{side.value}-{number}", StoredImage(pixels=stored), side=side,
                             projection=projection, spacing=SPACING, orientation=letters)  # fmt: skip
            recompose_study(store, study.id, author="test")
    window = open_window(tmp_path / "p")
    assert window.viewer is not None
    window.viewer.setParent(None)
    window.viewer.resize(800, 560)
    window.viewer.show()
    wait(60)
    return window.viewer


def test_the_layouts_look_as_they_did(viewer: Viewer) -> None:
    from app.ui.layouts import Layout

    def look(name: str) -> None:
        wait_until(lambda: viewer.is_settled)
        wait(60)
        compare(viewer, name, may_write=True)

    look("pair")
    for layout in (Layout.SINGLE, Layout.STACKED, Layout.BOTH_HIPS):
        viewer.set_layout(layout)
        look(layout.value)
    viewer.set_layout(Layout.PAIR)
    wait(60)
    viewer.turn(lambda now: now.mirrored_horizontally().turned(-12))
    look("mirrored")
    viewer.reset_orientation()
    viewer.turn(lambda now: now.turned(90))
    look("turned")
    viewer.reset()
    viewer.use_preset("bone")
    viewer.set_inverted(True)
    look("inverted")


def compare(viewer: Viewer, name: str, *, may_write: bool = False) -> None:
    """The viewer as it is now against its picture."""
    picture = viewer.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    colours = lines[:, : picture.width() * 3].reshape(picture.height(), picture.width(), 3)[:, :, ::-1]
    size = (picture.width() // SMALLER, picture.height() // SMALLER)
    now = cv2.resize(np.ascontiguousarray(colours), size, interpolation=cv2.INTER_AREA)
    path = FOLDER / f"viewer-{name}.png"
    if may_write and os.environ.get("COXA_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        cv2.imwrite(str(path), now)
    then = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert then is not None, f"no picture {path.name}"
    assert then.shape == now.shape
    apart = np.abs(then.astype(int) - now.astype(int)).max(axis=2)
    assert apart.mean() < MEAN_LEVELS, f"{name}: {apart.mean():.2f} levels apart"
    share = float((apart > LARGEST_LEVELS).mean())
    assert share < LARGEST_SHARE, f"{name}: {share:.1%} of the pixels are something else"


def test_a_missing_side_marker_would_be_seen(viewer: Viewer) -> None:
    """The tolerance is not so wide that nothing fails: without its words and letters a pane is another picture."""
    compare(viewer, "pair")
    for place in viewer.places:
        place.pane.text.hide()
    wait(20)
    with pytest.raises(AssertionError, match="pair"):
        compare(viewer, "pair")
