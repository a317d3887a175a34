"""How heatmaps are painted: legend, method, class, opacity, threshold."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.heatmap import heat_colours
from app.core.model_card import ModelCard
from app.ui import theme
from app.ui.fields import ChoiceBox
from app.ui.finding_words import class_name
from app.ui.heat_board import HeatLook
from app.ui.language import number, tr
from app.ui.theme import GAP_M, GAP_S, TEXT_S

METHODS = (("grad-cam", "Grad-CAM"), ("grad-cam++", "Grad-CAM++"), ("cam", "CAM"))
BAR_PX = 10
CHOICES_PX = 290


class HeatLegend(QWidget):
    """The colours with what they stand for, in logit units."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale: float | None = None
        self._threshold = 0.0
        strip = np.ascontiguousarray(heat_colours()[None])
        self._strip = QImage(strip.data, strip.shape[1], 1, strip.shape[1] * 3, QImage.Format.Format_RGB888).copy()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_scale(self, scale: float | None, threshold: float) -> None:
        """Say what full colour is.

        Args:
            scale: logit units; None while no heatmap is on show.
            threshold: share of full colour below which nothing is painted.
        """
        self._scale, self._threshold = scale, threshold
        self.update()

    @property
    def scale(self) -> float | None:
        """Logit units that are full colour; None while nothing is said."""
        return self._scale

    def sizeHint(self) -> QSize:
        """A bar with a line of figures."""
        return QSize(110, BAR_PX + 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bar, threshold, figures."""
        if self._scale is None:
            return
        scheme, painter = theme.colours(), QPainter(self)
        painter.setFont(theme.font(TEXT_S))
        metrics = QFontMetricsF(painter.font())
        bar = QRectF(0.5, 2.5, self.width() - 1.0, BAR_PX)
        painter.drawImage(bar, self._strip)
        below = QRectF(bar.left(), bar.top(), bar.width() * self._threshold, bar.height())
        painter.fillRect(below, QColor(scheme.panel))
        painter.setPen(QPen(QColor(scheme.edge), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        y = bar.bottom() + metrics.ascent() + 3
        painter.setPen(QColor(scheme.muted))
        full = tr("{value} logits", value=number(self._scale, 1 if self._scale >= 1 else 2))
        for share, text in ((0.0, "0"), (1.0, full)):
            width = metrics.horizontalAdvance(text)
            x = min(max(bar.left() + share * bar.width() - share * width, 0.0), self.width() - width)
            painter.drawText(QPointF(x, y), text)


class HeatControls(QWidget):
    """One line with the legend, and below it, when opened, everything that can be chosen.

    Signals:
        look_changed: a `HeatLook`.
        wanted: method and class of another heatmap.
        negatives_wanted: whether heatmaps are also shown where nothing was found.
        shown_wanted: whether heatmaps are shown at all.
        points_wanted: whether sampling points are drawn.
    """

    look_changed = Signal(object)
    wanted = Signal(str, int)
    negatives_wanted = Signal(bool)
    shown_wanted = Signal(bool)
    points_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card: ModelCard | None = None
        self._key = ""
        look = HeatLook()
        self.shown = QCheckBox(self)
        self.shown.clicked.connect(self.shown_wanted)
        self.more = QToolButton(self)
        self.more.setObjectName("plain")
        self.more.setIcon(theme.icon("settings"))
        self.more.setIconSize(QSize(18, 18))
        self.more.clicked.connect(self.open_choices)
        self.legend = HeatLegend(self)
        self.note = QLabel(self)
        self.note.setObjectName("small_caution")
        self.note.setWordWrap(True)
        self.method, self.classes = ChoiceBox(self), ChoiceBox(self)
        for box in (self.method, self.classes):
            box.activated.connect(self._on_choice)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(6)
        self.opacity, self.threshold = _slider(self, 10, 100), _slider(self, 0, 90)
        self.opacity.setValue(round(100 * look.opacity))
        self.threshold.setValue(round(100 * look.threshold))
        for slider in (self.opacity, self.threshold):
            slider.valueChanged.connect(self._on_look)
        self.negatives, self.points = QCheckBox(self), QCheckBox(self)
        self.negatives.clicked.connect(self.negatives_wanted)
        self.points.clicked.connect(self.points_wanted)
        self._words = {name: QLabel(self) for name in ("method", "class", "opacity", "threshold")}
        self._lay_out()
        self.retranslate()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GAP_M)
        head.addWidget(self.shown)
        head.addWidget(self.legend, 1)
        head.addWidget(self.more)
        self.choices = QFrame(self, Qt.WindowType.Popup)
        self.choices.setObjectName("filters")
        self.choices.setFixedWidth(CHOICES_PX)
        grid = QGridLayout(self.choices)
        grid.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        grid.setHorizontalSpacing(GAP_M)
        grid.setVerticalSpacing(GAP_S)
        grid.setColumnStretch(1, 1)
        rows = (("method", self.method), ("class", self.classes), ("opacity", self.opacity),
                ("threshold", self.threshold))  # fmt: skip
        for row, (name, widget) in enumerate(rows):
            self._words[name].setObjectName("caption")
            grid.addWidget(self._words[name], row, 0)
            grid.addWidget(widget, row, 1)
        grid.addWidget(self.negatives, len(rows), 0, 1, 2)
        grid.addWidget(self.points, len(rows) + 1, 0, 1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_M)
        layout.setSpacing(GAP_S)
        layout.addLayout(head)
        layout.addWidget(self.note)

    @property
    def look(self) -> HeatLook:
        """What the sliders say."""
        return HeatLook(opacity=self.opacity.value() / 100, threshold=self.threshold.value() / 100)

    def set_key(self, key: str) -> None:
        """The key that shows and hides heatmaps."""
        self._key = key
        self.retranslate()

    def show_state(
        self,
        card: ModelCard | None,
        *,
        method: str,
        class_number: int,
        is_shown: bool,
        is_painted: bool,
        note: str = "",
        tip: str = "",
        has_points: bool | None = None,
    ) -> None:
        """Show what is on the images.

        Args:
            card: of the model whose heatmap it is; None without one.
            method: how it was made.
            class_number: whose.
            is_shown: whether heatmaps are shown.
            is_painted: whether one is on an image now, so that its scale must be told.
            note: what must be known about it; why there is none.
            tip: more about the note.
            has_points: whether sampling points are drawn; None where the model has none.
        """
        if card != self._card:
            self._card = card
            self._fill()
        self.setEnabled(card is not None)
        self.shown.setChecked(is_shown)
        self.method.setCurrentIndex(max(0, self.method.findData(method)))
        self.classes.setCurrentIndex(max(0, self.classes.findData(class_number)))
        self.legend.show_scale(
            card.heatmap_scale if card is not None and is_painted and is_shown else None, self.look.threshold
        )
        self.note.setText(note)
        self.note.setToolTip(tip)
        self.note.setVisible(bool(note))
        self.points.setVisible(has_points is not None)
        self.points.setChecked(bool(has_points))

    def set_negatives(self, is_on: bool) -> None:
        """Whether heatmaps are also shown where nothing was found."""
        self.negatives.setChecked(is_on)

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
            self._fill()

    def retranslate(self) -> None:
        """Say everything anew."""
        self.shown.setText(tr("Heatmap ({key})", key=self._key) if self._key else tr("Heatmap"))
        self.shown.setToolTip(tr("Show or hide where the chosen model found what speaks for the class"))
        for name, text in (("method", "Method"), ("class", "Class"), ("opacity", "Opacity"), ("threshold", "From")):
            self._words[name].setText(tr(text))
        self.method.setAccessibleName(tr("Method"))
        self.classes.setAccessibleName(tr("Class"))
        self.opacity.setAccessibleName(tr("Opacity"))
        self.threshold.setAccessibleName(tr("From"))
        self.threshold.setToolTip(tr("Nothing below this share of full colour is painted"))
        self.negatives.setText(tr("Also where nothing was found"))
        self.points.setText(tr("Sampling points"))
        self.points.setToolTip(tr("Where the deformable layers looked; larger = more attention"))
        self.more.setToolTip(tr("Method, class, opacity and threshold of heatmaps"))
        self.more.setAccessibleName(tr("Heatmap settings"))

    def _fill(self) -> None:
        card = self._card
        method, chosen = self.method.currentData(), self.classes.currentData()
        self.method.clear()
        self.classes.clear()
        if card is None:
            return
        for name, text in METHODS:
            if name != "cam" or has_cam(card):
                self.method.addItem(text, name)
        for index in range(len(card.classes)):
            self.classes.addItem(class_name(card, index), index)
        self.method.setCurrentIndex(max(0, self.method.findData(method)))
        self.classes.setCurrentIndex(max(0, self.classes.findData(chosen)))

    def open_choices(self) -> None:
        """Open everything that can be chosen above its button."""
        self.choices.adjustSize()
        corner = self.more.mapToGlobal(self.more.rect().topRight())
        left, top = corner.x() - self.choices.width(), corner.y() - self.choices.height() - GAP_S
        self.choices.move(max(0, left), max(0, top))
        self.choices.show()

    def _on_choice(self) -> None:
        method, chosen = self.method.currentData(), self.classes.currentData()
        if method is not None and chosen is not None:
            self.wanted.emit(str(method), int(chosen))

    def _on_look(self) -> None:
        self.legend.show_scale(self.legend.scale, self.look.threshold)
        self.look_changed.emit(self.look)


def has_cam(card: ModelCard) -> bool:
    """Whether class activation maps are defined for a model: every network of one view ends in a linear layer.

    Args:
        card: the model's.
    """
    return len(card.input.roles) == 1


def _slider(parent: QWidget, low: int, high: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal, parent)
    slider.setRange(low, high)
    slider.setPageStep(10)
    return slider
