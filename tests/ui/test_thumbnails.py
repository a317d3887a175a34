"""Small radiographs: the right one, kept, and never in anybody's way."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from app.core.collimation import collimated_area
from app.core.errors import UserError
from app.core.grey import GreyScale, Photometric, StoredImage
from app.core.orientation import Orientation
from app.core.shutter import found_shutter
from app.store.derived import DerivedCache
from app.ui import theme
from app.ui.thumbnails import SIDE_PX, WAITING, Subject, Thumbnails, as_hung, make_thumbnail, thumbnail_of
from tests.support.window import wait, wait_until

GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)


def picture(level: int, *, rows: int = 300, cols: int = 200) -> StoredImage:
    """A ramp with a bright square whose size tells the picture."""
    pixels = np.tile(np.linspace(0, 3000, cols).astype(np.uint16), (rows, 1))
    pixels[: level * 10 + 10, : level * 10 + 10] = 4095
    return StoredImage(pixels=pixels)


class Shelf:
    """Images by address; counts what is loaded."""

    def __init__(self, count: int) -> None:
        self.images = {f"sha-{k}": picture(k) for k in range(count)}
        self.loaded: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def load(self, sha256: str) -> StoredImage:
        self.gate.wait(20)
        self.loaded.append(sha256)
        if sha256 not in self.images:
            raise UserError("The image is damaged.", kind="damaged")
        return self.images[sha256]

    @staticmethod
    def look(view_id: str) -> Subject | None:
        return Subject(sha256=view_id.replace("V", "sha"), grey=GREY) if view_id.startswith("V") else None


def made(shelf: Shelf, derived: DerivedCache, look: Callable[[str], Subject | None] | None = None) -> Thumbnails:
    return Thumbnails(look or shelf.look, shelf.load, derived)


@pytest.fixture
def derived(tmp_path: Path) -> Iterator[DerivedCache]:
    with contextlib.closing(DerivedCache(tmp_path / "cache")) as made:
        yield made


@pytest.mark.parametrize(("rows", "cols"), [(300, 200), (200, 300), (2688, 10), (1, 1), (7, 4000)])
def test_the_shape_is_kept_and_the_longer_side_fixed(rows: int, cols: int) -> None:
    small = make_thumbnail(StoredImage(pixels=np.full((rows, cols), 500, np.uint16)), GREY)
    assert max(small.shape) == SIDE_PX
    assert min(small.shape) == max(1, round(min(rows, cols) * SIDE_PX / max(rows, cols)))


def test_levels_are_those_of_the_automatic_window() -> None:
    small = make_thumbnail(picture(8), GREY)
    assert small[5, 5] > 245
    assert small[-1, 0] < 10
    inverse = make_thumbnail(picture(8), GreyScale(photometric=Photometric.MONOCHROME1, bits_stored=12))
    assert inverse[5, 5] < 10


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("angle_deg", [0.0, 90.0, 180.0, -90.0])
def test_it_hangs_as_the_view_does(angle_deg: float, is_mirrored: bool) -> None:
    """Compared with the matrix that the panes use."""
    orientation = Orientation(angle_deg=angle_deg, is_mirrored=is_mirrored)
    levels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    shown = as_hung(levels, orientation)
    matrix = orientation.matrix(rows=2, cols=3)
    for row in range(2):
        for col in range(3):
            x, y, _ = matrix @ np.array([col + 0.5, row + 0.5, 1.0])
            assert shown[int(y), int(x)] == levels[row, col]


def test_a_decision_that_hangs_it_differently_is_followed(derived: DerivedCache) -> None:
    shelf, turn = Shelf(1), [0.0]
    thumbnails = made(
        shelf, derived, lambda _: Subject(sha256="sha-0", grey=GREY, orientation=Orientation(angle_deg=turn[0]))
    )
    thumbnails.image("V-0", "sha-0", "before")
    wait_until(lambda: thumbnails.image("V-0", "sha-0", "before") is not None)
    turn[0] = 90.0
    assert thumbnails.image("V-0", "sha-0", "after") is not None, "the old one meanwhile"
    wait_until(lambda: thumbnails.image("V-0", "sha-0", "after").width() == SIDE_PX)  # type: ignore[union-attr]
    assert shelf.loaded == ["sha-0"]
    thumbnails.close()


@pytest.mark.parametrize("sha256", ["sha-0", "sha-damaged"])
def test_both_hips_of_a_pelvis_share_one_whatever_is_said_about_each(derived: DerivedCache, sha256: str) -> None:
    shelf, asked = Shelf(1), list[str]()

    def look(view_id: str) -> Subject | None:
        asked.append(view_id)
        return Subject(sha256=sha256, grey=GREY)

    thumbnails = made(shelf, derived, look)

    def paint(*states: str) -> bool:
        """Ask for it as two rows do; whether nothing is left to be made."""
        images = [thumbnails.image("V-0", sha256, state) for state in states]
        return None not in images and thumbnails._under_way is None and not thumbnails._waiting

    wait_until(lambda: paint("right", "left"), timeout_s=10)
    assert len(asked) == 2
    wait_until(lambda: paint("right, labelled", "left"), timeout_s=10)
    assert len(asked) == 3
    thumbnails.close()


def test_nothing_of_a_blocked_case_is_shown(derived: DerivedCache) -> None:
    from app.core.worklist import WorklistRow
    from app.ui.case_list_delegate import CaseDelegate
    from app.ui.case_list_model import CaseListModel

    asked: list[str] = []

    class Source:
        def image(self, view_id: str, sha256: str, state: str = "") -> QImage | None:
            asked.append(view_id)
            return None

    model = CaseListModel()
    delegate = CaseDelegate(model)
    delegate.thumbnails = Source()
    picture, option = QImage(400, 56, QImage.Format.Format_RGB32), QStyleOptionViewItem()
    option.rect = picture.rect()  # type: ignore[attr-defined]
    for reason in ("Two images seem to be of different patients.", ""):
        row = WorklistRow(case_id="C", position=1, study_id="S", patient_id="P", frontal_id="V", blocked_reason=reason)
        painter = QPainter(picture)
        delegate._paint_patient(painter, picture.rect(), row, theme.colours())
        painter.end()
        assert asked == ([] if reason else ["V"])


def test_every_view_gets_its_own(derived: DerivedCache) -> None:
    shelf = Shelf(6)
    thumbnails = made(shelf, derived)
    for k in range(6):
        assert thumbnails.image(f"V-{k}", f"sha-{k}") is None
    wait_until(lambda: all(thumbnails.image(f"V-{k}", f"sha-{k}") is not None for k in range(6)))
    for k in range(6):
        shown = thumbnails.image(f"V-{k}", f"sha-{k}")
        assert shown is not None
        image = shelf.images[f"sha-{k}"]
        rows, cols = image.pixels.shape
        shutter = found_shutter(collimated_area(image, GREY), rows=rows, cols=cols)
        right = make_thumbnail(image, GREY, None, shutter)
        held = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), shown.bytesPerLine())[
            :, : shown.width()
        ]
        np.testing.assert_array_equal(held, right)
    thumbnails.close()


def test_what_the_list_believes_wrongly_is_shown_as_unreadable(derived: DerivedCache) -> None:
    shelf = Shelf(2)
    thumbnails = made(shelf, derived)
    assert thumbnails.image("V-0", "sha-1") is None  # the index says V-0 shows sha-1
    shown = thumbnails.image("V-0", "sha-1")
    assert shown is not None
    assert shown.isNull()
    assert thumbnails.image("gone", "sha-1") is None
    gone = thumbnails.image("gone", "sha-1")
    assert gone is not None
    assert gone.isNull()
    assert shelf.loaded == []
    thumbnails.close()


def test_a_damaged_image_gets_a_mark_and_is_not_tried_again(derived: DerivedCache) -> None:
    shelf = Shelf(0)
    thumbnails = made(shelf, derived)
    thumbnails.image("V-9", "sha-9")
    wait_until(lambda: thumbnails.image("V-9", "sha-9") is not None)
    shown = thumbnails.image("V-9", "sha-9")
    assert shown is not None
    assert shown.isNull()
    wait(20)
    assert shelf.loaded == ["sha-9"]
    thumbnails.close()


def test_they_are_kept_on_disk_and_damage_there_is_noticed(derived: DerivedCache) -> None:
    shelf = Shelf(1)
    subject = Subject(sha256="sha-0", grey=GREY)
    first = thumbnail_of(subject, shelf.load, derived)
    np.testing.assert_array_equal(thumbnail_of(subject, shelf.load, derived), first)
    assert shelf.loaded == ["sha-0"]
    other = Subject(sha256="sha-0", grey=GreyScale(photometric=Photometric.MONOCHROME1, bits_stored=12))
    assert not np.array_equal(thumbnail_of(other, shelf.load, derived), first)
    from app.store.derived import derived_key
    from app.ui.thumbnails import KIND

    derived.put(KIND, derived_key("sha-0", GREY, SIDE_PX), b"\x05\x05short")
    np.testing.assert_array_equal(thumbnail_of(subject, shelf.load, derived), first)
    assert len(shelf.loaded) == 3
    derived.close()


def test_the_last_ones_asked_for_come_first_and_old_ones_are_forgotten(derived: DerivedCache) -> None:
    shelf = Shelf(WAITING + 20)
    shelf.gate.clear()
    thumbnails = made(shelf, derived)
    for k in range(WAITING + 20):
        thumbnails.image(f"V-{k}", f"sha-{k}")
    shelf.gate.set()
    last = f"sha-{WAITING + 19}"
    wait_until(lambda: len(shelf.loaded) >= WAITING + 1)
    wait(50)
    assert shelf.loaded[:2] == ["sha-0", last]
    assert len(shelf.loaded) == WAITING + 1
    assert "sha-5" not in shelf.loaded
    thumbnails.close()


def test_none_is_made_while_the_case_is_being_decoded(derived: DerivedCache) -> None:
    shelf = Shelf(1)
    thumbnails = made(shelf, derived)
    thumbnails.pause(True)
    thumbnails.image("V-0", "sha-0")
    wait(30)
    assert shelf.loaded == []
    thumbnails.pause(False)
    wait_until(lambda: thumbnails.image("V-0", "sha-0") is not None)
    thumbnails.close()


def test_closing_waits_and_reports_nothing_more(derived: DerivedCache) -> None:
    shelf = Shelf(3)
    shelf.gate.clear()
    thumbnails = made(shelf, derived)
    told: list[bool] = []
    thumbnails.changed.connect(lambda: told.append(True))
    thumbnails.image("V-0", "sha-0")
    thumbnails.image("V-1", "sha-1")
    threading.Timer(0.05, shelf.gate.set).start()
    thumbnails.close()
    wait(30)
    assert told == []
    assert shelf.loaded == ["sha-0"]
