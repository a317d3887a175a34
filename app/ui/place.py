"""One place of the viewer: a pane and what hangs in it."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from app.core.case import Case, Side, View
from app.core.errors import UserError
from app.core.orientation import Orientation, hung
from app.core.record import record
from app.ui.captions import SIDE_LETTERS, Showing, corners, patient_directions
from app.ui.corner_text import Corners
from app.ui.image_pane import ImagePane, ZoomMode
from app.ui.language import say, tr
from app.ui.layouts import FRONTAL, OTHER
from app.ui.loader import PreparedImage
from app.ui.project import Hanging
from app.ui.window_level import Shown, first_shown, table_for

HALF = 0.55  # share of a pelvis that is shown for one hip
PANE_NAMES = {"frontal": "Frontal view", "lateral": "Lateral view", "other": "Other hip"}
NOTHING_HERE = {
    "frontal": "No frontal view in this case",
    "lateral": "No lateral view in this case",
    "other": "No frontal view of the other hip",
}


@record(slots=True, kw_only=True)
class Place:
    """A pane with what it shows now.

    Args:
        name: `frontal`, `lateral` or `other`.
        pane: the pane.
        hanging: the view that hangs here.
        case: the case that the view is shown for; for the other hip, that hip's own.
        image: its image; None without one.
        shown: the window it is shown through.
        failure: why the image cannot be shown.
        missing: places of the layout that hold nothing, which this pane says.
    """

    name: str
    pane: ImagePane
    hanging: Hanging = Hanging()  # frozen
    case: Case | None = None
    image: PreparedImage | None = None
    shown: Shown | None = None
    missing: tuple[str, ...] = ()
    failure: UserError | None = None

    @property
    def hung_orientation(self) -> Orientation:
        """How its view is hung before anybody turns it."""
        view = self.hanging.view
        return Orientation() if view is None else hung(view.projection.value, view.orientation)

    def hang(
        self, hanging: Hanging, case: Case, image: PreparedImage | UserError | None, orientation: Orientation | None
    ) -> None:
        """Show a view, or say why not.

        Args:
            hanging: the view.
            case: the case that it is shown for.
            image: its image, or the reason why there is none; None if there is no view.
            orientation: how the user last turned it; None = as it is hung.
        """
        before = self.hanging.view
        is_same = (
            isinstance(image, PreparedImage)
            and self.image is not None
            and image.key == self.image.key
            and before is not None
            and hanging.view is not None
            and before.spacing.aspect == hanging.view.spacing.aspect  # the same values may have other pixel shapes
        )
        is_other_hip = self.case is not None and case.side is not self.case.side
        is_other_case = self.case is not None and case.id != self.case.id
        self.hanging, self.case = hanging, case
        self.pane.setAccessibleName(tr(PANE_NAMES[self.name]))
        view = hanging.view
        if isinstance(image, PreparedImage) and view is not None:
            wanted = self.hung_orientation if orientation is None else orientation
            if not is_same or self.shown is None:
                self.shown, self.image = first_shown(image), image
                self.pane.set_image(
                    image.pyramid, table_for(image, self.shown), aspect=view.spacing.aspect, orientation=wanted
                )
            else:
                if is_other_case:  # of the same pelvis: what was begun there is none of this one's
                    self.pane.give_up()
                self.pane.set_orientation(wanted)
                if is_other_hip:  # of the same pelvis: what was enlarged belongs to the hip that was left
                    self.pane.fit()
                elif self.pane.stand.is_aside:
                    self.pane.keep_zoom()
            self.image = image
            self.pane.shutter.use(hanging.shutter or image.shutter, self.pane.item.boundingRect())
            self.pane.graphics.viewport().setToolTip("\n".join(say(notice) for notice in view.notices))
        else:
            self.image, self.shown = None, None
            self.failure = image if isinstance(image, UserError) else None
            self._say_why_empty()
        self.write()

    def retranslate(self) -> None:
        """Say everything in the present language."""
        self.pane.setAccessibleName(tr(PANE_NAMES[self.name]))
        view = self.hanging.view
        if self.image is not None and view is not None:
            self.pane.graphics.viewport().setToolTip("\n".join(say(notice) for notice in view.notices))
        elif self.case is not None:
            self._say_why_empty()
        self.write()

    def _say_why_empty(self) -> None:
        if self.failure is not None:
            self.pane.set_error(self.failure)
        elif self.case is not None and self.case.blocked_reason and self.name == FRONTAL:
            self.pane.set_empty(tr("Blocked.\n\nNothing of this case is shown until a person has released it."))
        else:
            self.pane.set_empty(tr(NOTHING_HERE[self.name]))

    def clear(self, text: str) -> None:
        """Show nothing, and say why."""
        self.hanging, self.case, self.image, self.shown = Hanging(), None, None, None
        self.pane.set_empty(text)
        self.pane.text.set_veil("")

    def set_half(self, *, is_on: bool) -> None:
        """In a pelvis beside the other hip, `fit` shows the half with this pane's hip; else the whole image."""
        view, pyramid = self.hanging.view, self.pane.item.pyramid
        if view is None or pyramid is None or self.case is None:
            return
        area = half_of(view, self.case) if is_on else None
        if self.pane.set_home(area) and self.pane.mode is ZoomMode.FIT:
            self.pane.fit()

    def show_through(self, shown: Shown) -> None:
        """Show the image through another window."""
        if self.image is not None:
            self.shown = shown
            self.pane.set_table(table_for(self.image, shown))
            self.write()

    def write(self) -> None:
        """Write over the image what is known about it and how it is shown."""
        self.pane.text.say(self._corners)

    def _corners(self) -> Corners:
        view = self.hanging.view
        if view is None or self.case is None or self.shown is None:
            return Corners()
        showing = Showing(
            window=self.shown.text,
            zoom=self.pane.zoom,
            unit_px=self.pane.unit_px,
            width_px=self.pane.graphics.width(),
            orientation=self.pane.orientation,
            is_hung_mirrored=self.hung_orientation.is_mirrored,
            is_placed=self.hanging.is_placed,
            is_other=self.name == OTHER,
            missing=self.missing,
            is_shut=self.pane.shutter.is_dark,
        )
        return corners(self.case, view, showing)


def half_of(view: View, case: Case) -> QRectF | None:
    """The half of a pelvis in which the hip of a case lies, image coordinates, with a little of the middle.

    None for an image of one hip, or if nobody knows on which half which hip is.
    """
    if view.side.value is not Side.BOTH or case.side not in SIDE_LETTERS:
        return None
    towards = Orientation().direction(SIDE_LETTERS[case.side], patient_directions(view)[0])
    if towards is None:
        return None
    width, height = float(view.cols), float(view.rows)
    if towards[0]:
        return QRectF(width * (1 - HALF) if towards[0] > 0 else 0.0, 0.0, width * HALF, height)
    return QRectF(0.0, height * (1 - HALF) if towards[1] > 0 else 0.0, width, height * HALF)
