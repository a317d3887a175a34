"""Small radiographs for the worklist: made in one patient thread for the rows on the screen, and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Qt, QThread, QThreadPool, Signal
from PySide6.QtGui import QImage

from app.core.errors import UserError
from app.core.grey import GreyScale, StoredImage, Window
from app.core.grey_tables import display_table, modality_table
from app.core.half_planes import inside_mask
from app.core.orientation import Orientation
from app.core.pixel_review import MaskBox, masked, resized_masks
from app.core.record import record
from app.core.shutter import Shutter, found_shutter
from app.core.voi import auto_window
from app.store.derived import DerivedCache, derived_key
from app.store.windows import area_of, windows_of
from app.ui.threads import NICE_AHEAD, stand_back

SIDE_PX = 96  # longer side: 44 px on a screen at 200 %
KIND = "thumbnail/2"
KEPT = 1500  # 96 × 96 × 1 byte each: 14 MB
WAITING = 48  # what scrolled past long ago is not made any more
STATES = 8  # that one small radiograph is known to be right for; two cases show the same view of a pelvis

Levels = npt.NDArray[np.uint8]


@record(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a small radiograph shows.

    Args:
        sha256: address of the stored values.
        grey: how they are read.
        orientation: how the view hangs in its pane.
        masks: what is painted over, on the image.
        rows: image height, px; only read with masks.
    """

    sha256: str
    grey: GreyScale
    orientation: Orientation = Orientation()  # frozen
    masks: tuple[MaskBox, ...] = ()
    rows: int = 0


@record(frozen=True, slots=True)
class _Kept:
    """A small radiograph, and the states of its cases that it was made for or made since."""

    states: tuple[str, ...]
    image: QImage


def make_thumbnail(
    image: StoredImage, grey: GreyScale, window: Window | None = None, shutter: Shutter | None = None
) -> Levels:
    """(h, w) uint8 display levels through the automatic window, the longer side `SIDE_PX`.

    Levels are averaged, not stored values, so that padding stays black and thin bright lines stay bright. What a
    shutter hides is black.
    """
    modality = modality_table(grey, offset=image.offset)
    table = display_table(grey, window or auto_window(image, grey), offset=image.offset, modality=modality)
    rows, cols = image.pixels.shape
    share = SIDE_PX / max(rows, cols)
    size = (max(1, round(cols * share)), max(1, round(rows * share)))
    levels = np.asarray(cv2.LUT(image.pixels, table.levels), np.uint8)
    small: Levels = np.ascontiguousarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.uint8)
    for polygon in shutter.polygons_xy if shutter is not None else ():
        small[~inside_mask(np.array(polygon) * share, small.shape)] = 0
    return small


def painted_over(levels: Levels, subject: Subject) -> Levels:
    """A small radiograph with its masks, in black."""
    if not subject.masks or subject.rows <= 0:
        return levels
    rows, cols = levels.shape
    return masked(levels, resized_masks(subject.masks, scale=rows / subject.rows, rows=rows, cols=cols), fill=0)


def as_hung(levels: Levels, orientation: Orientation) -> Levels:
    """A small radiograph mirrored and turned (by quarters) as the view hangs in its pane."""
    shown = levels[:, ::-1] if orientation.is_mirrored else levels
    return np.ascontiguousarray(np.rot90(shown, -round(orientation.angle_deg / 90)))


class _Wire(QObject):
    """Carries results from the thread to the window's thread."""

    done = Signal(str, object)


class Thumbnails(QObject):
    """Small radiographs of one project, by view.

    Args:
        look: what a view shows; asked in the window's thread. None = there is no such view.
        load: gives the stored values of an image, verified against its address; called in the thread.
        derived: where they are kept.

    Signals:
        changed: a small radiograph has come.
    """

    changed = Signal()

    def __init__(
        self,
        look: Callable[[str], Subject | None],
        load: Callable[[str], StoredImage],
        derived: DerivedCache,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._load = load
        self._derived = derived
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._waiting: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._under_way: tuple[tuple[str, str], str, Subject] | None = None
        self._is_paused = False
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setThreadPriority(QThread.Priority.LowestPriority)
        self._wire = _Wire(self)
        self._wire.done.connect(self._on_done, Qt.ConnectionType.QueuedConnection)

    def image(self, view_id: str, sha256: str, state: str = "") -> QImage | None:
        """A small radiograph; None while it is being made, a null image when that is impossible.

        What was asked for last is made first; the list asks while it paints, so that is what is on the screen.

        Args:
            view_id: the view.
            sha256: the image that the view is believed to have.
            state: changes when the case does: a decision may hang the view differently.
        """
        key = (view_id, sha256)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            if state in found.states:
                return found.image
        if self._under_way is None or (key, state) != self._under_way[:2]:
            self._waiting[key] = state
            self._waiting.move_to_end(key)
            while len(self._waiting) > WAITING:
                self._waiting.popitem(last=False)
            self._feed()
        return None if found is None else found.image

    def pause(self, is_paused: bool) -> None:
        """Make none while the case that the user waits for is being decoded."""
        self._is_paused = is_paused
        self._feed()

    def close(self) -> None:
        """Stop, and wait for the one that is being made."""
        self._waiting.clear()
        self._wire.done.disconnect(self._on_done)
        self._pool.clear()
        self._pool.waitForDone()

    def _feed(self) -> None:
        while self._waiting and self._under_way is None and not self._is_paused:
            key, state = self._waiting.popitem(last=True)
            subject = self._look(key[0])
            if subject is None or subject.sha256 != key[1]:  # not what the list believes: show nothing rather
                self._keep(key, state, QImage())
                continue
            self._under_way = (key, state, subject)
            self._pool.start(self._task(subject))

    def _task(self, subject: Subject) -> Callable[[], None]:
        done, load, derived = self._wire.done, self._load, self._derived

        def run() -> None:
            stand_back(NICE_AHEAD)
            try:
                done.emit(subject.sha256, thumbnail_of(subject, load, derived))
            except Exception as error:  # judged in the window's thread
                done.emit(subject.sha256, error)

        return run

    def _on_done(self, sha256: str, result: Levels | Exception) -> None:
        assert self._under_way is not None
        (key, state, subject), self._under_way = self._under_way, None
        assert key[1] == sha256, "a small radiograph came for another image"
        if isinstance(result, np.ndarray):
            shown = as_hung(painted_over(result, subject), subject.orientation)
            rows, cols = shown.shape
            self._keep(key, state, QImage(shown.data, cols, rows, cols, QImage.Format.Format_Grayscale8).copy())
        else:
            self._keep(key, state, QImage())
        self.changed.emit()
        self._feed()
        if isinstance(result, Exception) and not isinstance(result, UserError):
            raise result  # a bug: reported where bugs are reported

    def _keep(self, key: tuple[str, str], state: str, image: QImage) -> None:
        before = self._kept.get(key)
        earlier = before.states if before is not None else ()  # made later than they, it is right for them as well
        self._kept[key] = _Kept((*earlier, state)[-STATES:], image)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def thumbnail_of(subject: Subject, load: Callable[[str], StoredImage], derived: DerivedCache) -> Levels:
    """A small radiograph, from what was kept or made now.

    Raises:
        UserError: the image is missing or damaged.
    """
    key = derived_key(subject.sha256, subject.grey, SIDE_PX)
    kept = derived.get(KIND, key)
    if kept is not None and len(kept) > 2 and len(kept) == 2 + kept[0] * kept[1]:
        return np.frombuffer(kept, np.uint8, offset=2).reshape(kept[0], kept[1])
    image = load(subject.sha256)
    window = windows_of(derived, subject.sha256, image, subject.grey)["auto"]  # and the viewer finds it there
    rows, cols = image.pixels.shape
    shutter = found_shutter(area_of(derived, subject.sha256, image, subject.grey), rows=rows, cols=cols)
    made = make_thumbnail(image, subject.grey, window, shutter)
    derived.put(KIND, key, bytes(made.shape) + made.tobytes())
    return made
