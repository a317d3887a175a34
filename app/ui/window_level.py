"""The window of one pane, and what dragging does to it."""

from __future__ import annotations

from dataclasses import replace

from app.core.grey import DisplayTable, Lut, Window, WindowFunction
from app.core.grey_tables import display_table, is_shown_inverse
from app.core.record import record
from app.core.voi import VoiKind, choose_voi, full_range_window, voi_choices
from app.ui.language import tr
from app.ui.loader import PreparedImage

WIDTH_PER_PX = 1.004  # factor of the window's width for each px dragged to the right
LEVEL_PER_PX = 0.0025  # shares of the window's width for each px dragged up
NARROWEST = 1e-3  # shares of the automatic window
WIDEST = 64.0
FULL_RANGE = "full"
WINDOW_WORDS = {
    "auto": "auto",
    "file": "the file's own",
    "bone": "bone",
    "soft-tissue": "soft tissue",
    FULL_RANGE: "full range",
    "manual": "by hand",
}


@record(frozen=True, slots=True, kw_only=True)
class Shown:
    """How an image is shown.

    Args:
        voi: the window or VOI LUT.
        name: one of `preset_names`, `file`, or `manual` after a drag or typed values.
        is_inverted: whether the negative is shown.
    """

    voi: Lut | Window
    name: str = "auto"
    is_inverted: bool = False

    @property
    def text(self) -> str:
        """The window in words, for the corner text."""
        if isinstance(self.voi, Lut):
            words = f"VOI LUT {self.voi.name}".strip()
        else:
            words = f"C {_number(self.voi.center)}  W {_number(self.voi.width)}"
        name = tr(WINDOW_WORDS[self.name]) if self.name in WINDOW_WORDS else self.name
        return " · ".join((words, name, *((tr("inverted"),) if self.is_inverted else ())))


def first_shown(image: PreparedImage) -> Shown:
    """How an image is shown when it is opened: the automatic window."""
    return Shown(voi=image.auto)


def preset(image: PreparedImage, shown: Shown, name: str) -> Shown:
    """The same image through a named window."""
    grey = image.key.grey
    if name == FULL_RANGE:
        voi: Lut | Window = full_range_window(grey)
    else:
        own = {choice.name.lower() for choice in voi_choices(grey) if choice.kind is VoiKind.FILE}
        computed = {"auto": image.auto, **image.presets}
        is_computed = name in computed and name not in own  # an object may call a window of its own `bone`
        voi = computed[name] if is_computed else choose_voi(image.image, grey, name)
    return replace(shown, voi=voi, name=name)


def has_window(image: PreparedImage, name: str) -> bool:
    """Whether `preset` knows a window of that name for an image: an object's own are not those of the next one."""
    return name == FULL_RANGE or any(choice.name.lower() == name.lower() for choice in voi_choices(image.key.grey))


def preset_names(image: PreparedImage) -> tuple[str, ...]:
    """Every named window of an image, in the order in which menus list them: automatic, its own, presets, all values.

    The object's first window is listed once, by its explanation if it has one, else as `file`. Without any window of
    its own `file` is left out: it would be the full range.
    """
    choices = voi_choices(image.key.grey)
    own = [choice for choice in choices if choice.kind is VoiKind.FILE and choice.voi is not None]
    named = [choice.name for choice in own if choice.name != "file"]
    first = own[0].voi if own else None
    is_named = any(choice.voi is first for choice in own[1:])
    files = named if is_named else [choice.name for choice in own]
    presets = [choice.name for choice in choices if choice.kind is VoiKind.PRESET]
    return ("auto", *files, *presets, FULL_RANGE)


def typed(shown: Shown, center: float, width: float) -> Shown:
    """The same image through a window of which somebody typed the values, modality units; width > 0."""
    return replace(shown, voi=Window(center=center, width=width, function=WindowFunction.LINEAR_EXACT), name="manual")


def dragged(image: PreparedImage, shown: Shown, dx_px: float, dy_px: float) -> Shown:
    """The window after a drag: right is wider, up is brighter, whichever way round the grey values are shown.

    Args:
        image: the image.
        shown: how it is shown before.
        dx_px: logical px to the right.
        dy_px: logical px down.
    """
    start = shown.voi if isinstance(shown.voi, Window) else window_of_lut(shown.voi)
    width = min(max(start.width * WIDTH_PER_PX**dx_px, image.auto.width * NARROWEST), image.auto.width * WIDEST)
    brighter_is_lower = not (is_shown_inverse(image.key.grey) ^ shown.is_inverted)
    step = dy_px * LEVEL_PER_PX * start.width
    low, high = float(image.modality.values.min()), float(image.modality.values.max())
    center = min(max(start.center + (step if brighter_is_lower else -step), low), high)
    function = WindowFunction.LINEAR_EXACT if start.function is WindowFunction.LINEAR else start.function
    return replace(shown, voi=Window(center=center, width=width, function=function), name="manual")


def window_of_lut(lut: Lut) -> Window:
    """The window that spans the input values of a VOI LUT: where a drag starts from."""
    count = len(lut.entries)
    return Window(center=lut.first + count / 2, width=float(max(count, 1)), function=WindowFunction.LINEAR_EXACT)


def table_for(image: PreparedImage, shown: Shown) -> DisplayTable:
    """The display table of an image as it is shown, for the values that it holds."""
    if shown.voi is image.auto and not shown.is_inverted:
        return image.table
    return display_table(
        image.key.grey,
        shown.voi,
        offset=image.image.offset,
        is_inverted=shown.is_inverted,
        modality=image.modality,
        span=image.span,
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.3g}"
