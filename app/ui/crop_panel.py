"""The aligned crop of the active view: live while the mouse moves, approved or rejected with a key."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent, QTransform
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.core.geometry import Crop, crop
from app.core.grey import DisplayTable
from app.ui.crop_opinion import CropOpinion, OpinionLine
from app.ui.flow_layout import FlowLayout
from app.ui.key_button import KeyButton
from app.ui.language import number, tr
from app.ui.look_item import paint_mark
from app.ui.theme import GAP_M, GAP_S, OVER_IMAGE

SMALLEST_PX, TINIEST_PX = 192, 96  # side of the picture, and in a window that is too low for that
WORDS_PX = 156  # room for the words and buttons

STATE_WORDS = {
    "unseen": "Not judged yet",
    "approved": "Approved",
    "rejected": "Rejected",
    "outdated": "Changed since it was judged",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CropView:
    """A crop to show.

    Args:
        pixels: (H, W) uint16, stored values of the whole image.
        cut: what is cut out.
        table: the window that the view is shown through.
        fill: stored value beyond the edge of the image.
        angle_deg: how far the image is turned.
        state: `unseen`, `approved`, `rejected` or `outdated`; empty while the mouse is moving.
    """

    pixels: npt.NDArray[np.uint16]
    cut: Crop
    table: DisplayTable
    fill: int
    angle_deg: float
    state: str = ""


class CropPicture(QWidget):
    """The pixels themselves, made by the function that a network's input is made by, once a frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: CropView | None = None
        self._levels: npt.NDArray[np.uint8] | None = None
        self._heat: QImage | None = None
        self._heat_cut: Crop | None = None
        self._mark = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(SMALLEST_PX, TINIEST_PX)

    @property
    def levels(self) -> npt.NDArray[np.uint8] | None:
        """(size, size) uint8: what is painted; None without a crop."""
        if self._levels is None and self._shown is not None:
            stored = crop(self._shown.pixels, self._shown.cut, fill=self._shown.fill)
            self._levels = np.asarray(cv2.LUT(stored, self._shown.table.levels), np.uint8)
        return self._levels

    def show_crop(self, shown: CropView | None) -> None:
        """Show a crop, or nothing."""
        self._shown, self._levels = shown, None
        self.update()

    def show_heat(self, heat: QImage | None, cut: Crop | None, *, mark: str = "") -> None:
        """Lay a model's heatmap over it.

        Args:
            heat: premultiplied colours over what the model was shown; None shows none.
            cut: what the model was shown; it may have been moved since.
            mark: what is written on it, if it must not be believed.
        """
        self._heat, self._heat_cut, self._mark = heat, cut, mark
        self.update()

    def sizeHint(self) -> QSize:
        """One screen pixel for each of its own."""
        return QSize(256, 256)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it as large as it fits, square."""
        painter = QPainter(self)
        side = min(self.width(), self.height())
        area = QRect((self.width() - side) // 2, 0, side, side)
        levels = self.levels
        if levels is None:
            area = self.rect()
        painter.fillRect(area, OVER_IMAGE.image)
        if levels is None:
            painter.setPen(OVER_IMAGE.muted)
            margin = area.adjusted(GAP_M, GAP_M, -GAP_M, -GAP_M)
            words = tr("No crop yet.\n\nAlign: click the fracture centre, then a point on the shaft axis.")
            painter.drawText(margin, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
            return
        size = levels.shape[0]
        picture = QImage(levels.data, size, size, size, QImage.Format.Format_Grayscale8)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(area, picture)
        if self._heat is not None and self._heat_cut is not None and self._shown is not None:
            painter.setClipRect(area)
            to_area = QTransform.fromScale(side / size, side / size) * QTransform.fromTranslate(area.x(), area.y())
            back, forth = _as_transform(self._heat_cut.to_image), _as_transform(self._shown.cut.to_crop)
            grow = self._heat_cut.size_px / self._heat.width()
            painter.setTransform(QTransform.fromScale(grow, grow) * back * forth * to_area)
            painter.drawImage(0, 0, self._heat)
            painter.resetTransform()
            if self._mark:
                paint_mark(painter, QRectF(area), self._mark, QRectF(self.rect()))


class CropPanel(QWidget):
    """The crop with what it is, and the two buttons of the visual screening (paper 004).

    Signals:
        judged: True = approved, False = rejected.
    """

    judged = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._shown: CropView | None = None
        self._name = ""
        self._keys = ("", "")
        self._is_writable = False
        self.title = QLabel(self)
        self.title.setObjectName("strong")
        self.picture = CropPicture(self)
        self.facts = QLabel(self)
        self.facts.setObjectName("caption")
        self.facts.setWordWrap(True)
        self.state = QLabel(self)
        self.opinion = OpinionLine(self)
        self.approve = KeyButton("approve", self)
        self.reject = KeyButton("reject", self)
        self.approve.clicked.connect(lambda: self.judged.emit(True))
        self.reject.clicked.connect(lambda: self.judged.emit(False))
        for button in (self.approve, self.reject):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._buttons = FlowLayout(gap_px=GAP_S)
        self._buttons.addWidget(self.approve)
        self._buttons.addWidget(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_S)
        layout.addWidget(self.title)
        layout.addWidget(self.picture)
        layout.addWidget(self.opinion)
        layout.addWidget(self.facts)
        layout.addWidget(self.state)
        layout.addLayout(self._buttons)
        layout.addStretch()
        self.opinion.hide()
        self.setMinimumWidth(SMALLEST_PX + 2 * GAP_M)
        self._fit_picture()
        self.retranslate()

    def sizeHint(self) -> QSize:
        """As wide as the crop at its own size."""
        return QSize(256 + 2 * GAP_M, 420)

    def minimumSizeHint(self) -> QSize:
        """What it gets in any window that is not too low for it."""
        return QSize(self._buttons.sizeHint().width() + 2 * GAP_M, SMALLEST_PX + self._words_px)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The picture is square and leaves room for the words."""
        super().resizeEvent(event)
        self._fit_picture()

    def show_opinion(self, opinion: CropOpinion | None) -> None:
        """What a model says about the crop as it is drawn now; None where no model looks at crops."""
        is_new = self.opinion.isHidden() is not (opinion is None)
        self.opinion.show_opinion(opinion)
        self.opinion.setVisible(opinion is not None)
        if opinion is None:
            self.picture.show_heat(None, None)
        else:
            self.picture.show_heat(opinion.heat, opinion.cut, mark=opinion.mark)
        if is_new:
            self._fit_picture()

    @property
    def _words_px(self) -> int:
        return WORDS_PX + (self.opinion.sizeHint().height() + GAP_S if not self.opinion.isHidden() else 0)

    def _fit_picture(self) -> None:
        second_line_px = self._buttons.heightForWidth(self.width() - 2 * GAP_M) - self._buttons.sizeHint().height()
        words = self._words_px + max(second_line_px, 0)
        self.setMinimumHeight(TINIEST_PX + words)
        self.picture.setFixedHeight(max(TINIEST_PX, min(self.width() - 2 * GAP_M, self.height() - words)))

    def set_keys(self, approve: str, reject: str) -> None:
        """The keys that do the same as the buttons."""
        self._keys = (approve, reject)
        self.retranslate()

    def show_crop(self, shown: CropView | None, *, name: str, is_writable: bool) -> None:
        """Show the crop of a view.

        Args:
            shown: the crop; None when the view has none.
            name: what the view is called; empty when there is none.
            is_writable: whether a verdict can be recorded.
        """
        self._shown, self._name, self._is_writable = shown, name, is_writable
        self.picture.show_crop(shown)
        self.retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        shown = self._shown
        self.title.setText(self._name or tr("No view"))
        approve, reject = self._keys
        self.approve.say(tr("Approve"), key=approve, tip=tr("This crop may be used"))
        self.reject.say(tr("Reject"), key=reject, tip=tr("This crop must not be used"))
        can_judge = shown is not None and bool(shown.state) and self._is_writable
        self.approve.setEnabled(can_judge)
        self.reject.setEnabled(can_judge)
        self.opinion.retranslate()
        self.state.setText(tr(STATE_WORDS[shown.state]) if shown is not None and shown.state else "")
        self.facts.setText(_facts(shown) if shown is not None else "")


def _facts(shown: CropView) -> str:
    """Size, scale and turn in one line."""
    cut = shown.cut
    parts = [f"{cut.size_px} × {cut.size_px} px"]
    if cut.mm_per_px is None:
        parts.append(tr("literal pixels, no trusted length scale"))
    else:
        parts.append(f"{number(cut.mm_per_px * cut.size_px, 1)} mm · {number(cut.mm_per_px, 3)} mm/px")
    parts.append(tr("turned by {angle}°", angle=number(shown.angle_deg, 1).replace("-", "−")))
    return " · ".join(parts)


def _as_transform(matrix: npt.NDArray[np.float64]) -> QTransform:
    (a, b, c), (d, e, f) = matrix
    return QTransform(a, d, b, e, c, f)
