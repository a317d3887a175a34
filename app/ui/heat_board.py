"""What models have looked at and found, drawn over the views of the case on the screen.

Everything that is drawn carries the case, the view and the image that it is about, and is painted only while its pane
shows exactly these: a heatmap cannot appear on another case, whatever happens in which order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject
from PySide6.QtGui import QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.core.geometry import Crop
from app.core.heatmap import PICTURE_PX, colour_table, levels
from app.ui.heat_item import HeatItem
from app.ui.layouts import OTHER
from app.ui.look_item import Look, LookItem
from app.ui.place import Place
from app.ui.viewer import Viewer

HEAT_Z, LOOK_Z = 4.0, 5.0  # below what people have drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatLook:
    """How heatmaps are painted.

    Args:
        opacity: of full colour, 0 … 1.
        threshold: share of full colour below which nothing is painted, 0 … 1.
    """

    opacity: float = 0.7
    threshold: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ViewOverlay:
    """What one model says about one view.

    Args:
        case_id: the case that it is about.
        view_id: the view.
        image_sha256: the image.
        cut: what the model was shown of it.
        heatmap: (h, w) float32 over the cut, units of the logit; None where there is none to be shown.
        scale: logit units that are full colour.
        is_framed: whether to mark what the model was shown.
        is_proposed: whether a model has chosen that part: the frame is dashed.
        points: (N, 3) float32: place in px of the cut and weight (1 = average); None without.
        mark: what is written beside the heatmap, if it must not be believed.
    """

    case_id: str
    view_id: str
    image_sha256: str
    cut: Crop
    heatmap: npt.NDArray[np.float32] | None = None
    scale: float = 1.0
    is_framed: bool = False
    is_proposed: bool = False
    points: npt.NDArray[np.float32] | None = None
    mark: str = ""


class HeatBoard(QObject):
    """The overlays of both views.

    Args:
        viewer: whose panes are drawn on.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._layers = [_Layer(place) for place in viewer.places if place.name != OTHER]
        self._look = HeatLook()
        self._is_shown = True
        viewer.swapped.connect(lambda _: self.clear())

    @property
    def look(self) -> HeatLook:
        """How heatmaps are painted."""
        return self._look

    def set_look(self, look: HeatLook) -> None:
        """Paint heatmaps in another way."""
        self._look = look
        for layer in self._layers:
            layer.colour(look)

    def set_shown(self, is_shown: bool) -> None:
        """Show or hide the heatmaps; frames and points stay."""
        self._is_shown = is_shown
        for layer in self._layers:
            layer.heat.setVisible(is_shown)
            layer.look.set_mark_shown(is_shown)

    def show(self, overlays: Mapping[str, ViewOverlay]) -> None:
        """Draw what a model says about the views of the case on the screen.

        Args:
            overlays: view id -> overlay; views that are not named show nothing.
        """
        for layer in self._layers:
            view = layer.place.hanging.view
            layer.show(overlays.get(view.id) if view is not None else None)

    def clear(self) -> None:
        """Draw nothing."""
        self.show({})

    def painted(self, view_id: str) -> ViewOverlay | None:
        """The overlay that a view has now; None without one, or where it is not that of what hangs there."""
        for layer in self._layers:
            view = layer.place.hanging.view
            if view is not None and view.id == view_id and layer.is_its_own:
                return layer.overlay
        return None


class _Layer:
    """The items of one pane."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.overlay: ViewOverlay | None = None
        self.heat, self.look = _OwnHeat(self), _OwnLook(self)
        self.colour(HeatLook())
        place.pane.add_overlay(self.heat, z=HEAT_Z)
        place.pane.add_overlay(self.look, z=LOOK_Z)

    @property
    def is_its_own(self) -> bool:
        """Whether the pane shows the very view and case that the overlay is about."""
        overlay, place = self.overlay, self.place
        view = place.hanging.view
        return (
            overlay is not None
            and place.image is not None
            and place.case is not None
            and view is not None
            and (place.case.id, view.id, place.image.key.sha256)
            == (overlay.case_id, overlay.view_id, overlay.image_sha256)
        )

    def colour(self, look: HeatLook) -> None:
        self.heat.set_rgba(colour_table(look.threshold, look.opacity))

    def show(self, overlay: ViewOverlay | None) -> None:
        before, self.overlay = self.overlay, overlay
        if before is None and overlay is None:
            return
        heatmap = None if overlay is None else overlay.heatmap
        if heatmap is None or overlay is None:
            self.heat.set_heat(None)
        elif before is None or before.heatmap is not heatmap or (before.cut, before.scale) != (
            overlay.cut, overlay.scale
        ):  # fmt: skip
            self.heat.set_heat(levels(heatmap, overlay.scale), to_image(overlay.cut, PICTURE_PX))
        if overlay is None:
            self.look.set_look(None)
        else:
            look = Look(cut=overlay.cut, is_framed=overlay.is_framed, is_dashed=overlay.is_proposed,
                        points=overlay.points)  # fmt: skip
            self.look.set_look(look)
            self.look.set_mark(overlay.mark)


class _OwnHeat(HeatItem):
    """Heat of one case and no other."""

    def __init__(self, layer: _Layer) -> None:
        super().__init__()
        self._layer = layer

    @property
    def is_due(self) -> bool:
        """Never, unless the pane shows what it is about."""
        return self._layer.is_its_own


class _OwnLook(LookItem):
    """Frame and points of one case and no other."""

    def __init__(self, layer: _Layer) -> None:
        super().__init__()
        self._layer = layer

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Nothing, unless the pane shows what it is about."""
        if self._layer.is_its_own:
            super().paint(painter, option, widget)


def to_image(cut: Crop, size_px: int) -> QTransform:
    """From a picture of a crop to the image.

    Args:
        cut: the crop.
        size_px: side of the picture, px.
    """
    (a, b, c), (d, e, f) = cut.to_image
    scale = cut.size_px / size_px
    return QTransform(scale * a, scale * d, scale * b, scale * e, c, f)
