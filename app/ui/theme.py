"""How Coxa looks: colours, one type scale, one spacing grid. Dark at first, since it stands beside radiographs."""

from __future__ import annotations

from dataclasses import fields

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QFont, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from app.core.record import record
from app.store.bundled import resource_path
from app.ui.style_sheet import STYLE

# Spacing grid, px at 100 % scaling: every margin and gap is one of these.
GAP_S, GAP_M, GAP_L, GAP_XL = 4, 8, 16, 24

# Type scale, px at 100 % scaling.
TEXT_S, TEXT_M, TEXT_L, TEXT_XL = 12, 14, 16, 22


@record(frozen=True, slots=True, kw_only=True)
class Colours:
    """One colour scheme; every text colour has a contrast of at least 4.5:1 on every surface it is used on."""

    image: str = "#000000"  # behind radiographs, in every scheme
    window: str
    panel: str
    raised: str
    hover: str
    line: str
    edge: str  # around what can be pressed or filled in: 3:1 on window and panel
    text: str
    muted: str
    disabled: str
    accent: str  # focus, active pane
    selected: str
    caution: str  # something to know or to decide
    danger: str  # something wrong
    good: str  # something done
    danger_surface: str
    caution_surface: str
    info_surface: str
    data: tuple[str, ...]  # labels, curves, charts: told apart by the colour-blind too, 3:1 on panel


DARK = Colours(
    window="#15171b", panel="#1c1f25", raised="#282d36", hover="#323946", line="#3a414d", edge="#6a7484",
    text="#e8eaed", muted="#aab2bf", disabled="#7f8896", accent="#6cb2ff", selected="#20446a",
    caution="#ffc457", danger="#ff9d94", good="#6fd3a5",
    danger_surface="#43211f", caution_surface="#3a2f17", info_surface="#1d3349",
    data=("#e69f00", "#56b4e9", "#f0e442", "#00a878", "#4f8ff7", "#ef6f3c", "#e39ac6", "#d8dce2"),
)  # fmt: skip
LIGHT = Colours(
    window="#eef0f3", panel="#ffffff", raised="#e3e7ec", hover="#d6dce4", line="#c3cad4", edge="#7b8594",
    text="#15181d", muted="#485261", disabled="#7d8694", accent="#0a5cb0", selected="#cde2f8",
    caution="#744700", danger="#a5231c", good="#0b6b45",
    danger_surface="#fbe3e1", caution_surface="#fdf0cf", info_surface="#e1eefb",
    data=("#b87c00", "#1a87ff", "#7f914e", "#007c57", "#0d44a7", "#a2300e", "#ae5490", "#3a3f47"),
)  # fmt: skip
SCHEMES = {"dark": DARK, "light": LIGHT}
OVER_IMAGE = DARK  # what is drawn over radiographs; their surround is black in every scheme
# tells Qt the style from the start; setting it later makes PySide6 build the class of styles, before the first paint
STYLE_WORDS = ("-style", "fusion")
_SCHEME = "coxa_scheme"  # property of the application: the name of the scheme it wears


def colours() -> Colours:
    """The colours that the application wears now."""
    app = QCoreApplication.instance()
    return SCHEMES.get(str(app.property(_SCHEME)), DARK) if app is not None else DARK


def icon(name: str) -> QIcon:
    """An icon of `resources/icons`, in the colours that the application wears when it is painted."""
    from app.ui.icons import icon_named  # the frame of the window has none

    return icon_named(name, _icon_colour)


def _icon_colour(mode: QIcon.Mode, state: QIcon.State) -> str:
    present = colours()
    if mode is QIcon.Mode.Disabled:
        return present.disabled
    return present.accent if state is QIcon.State.On else present.text


# every combination that the window uses; a test measures them, in both schemes
SURFACES = ("window", "panel", "raised", "hover", "selected", "danger_surface", "caution_surface", "info_surface")
TEXT_ON = (
    *((text, surface) for text in ("text", "muted") for surface in SURFACES),
    *((text, surface) for text in ("caution", "danger", "good", "accent")
      for surface in ("window", "panel", "raised", "selected")),
    ("caution", "caution_surface"), ("danger", "danger_surface"), ("accent", "info_surface"),
)  # fmt: skip
TEXT_OVER_IMAGE = ("text", "muted", "caution", "danger", "good", "accent")


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 … 21 (WCAG 2.2, 1.4.3)."""

    def luminance(name: str) -> float:
        colour = QColor(name)
        shares = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                  for part in (colour.redF(), colour.greenF(), colour.blueF())]  # fmt: skip
        return 0.2126 * shares[0] + 0.7152 * shares[1] + 0.0722 * shares[2]

    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def font(size_px: int, *, is_bold: bool = False) -> QFont:
    """The interface font at one of the sizes of the type scale."""
    result = QFont(QApplication.font())
    result.setPixelSize(size_px)
    result.setWeight(QFont.Weight.DemiBold if is_bold else QFont.Weight.Normal)
    return result


def apply(app: QApplication, choice: str = "dark") -> str:
    """Dress the whole application; widgets get `QEvent.PaletteChange` and `QEvent.StyleChange`.

    Args:
        app: the application.
        choice: `dark`, `light`, or `system`: as the system wants it, dark if it does not say.

    Returns:
        The scheme that is worn now.
    """
    from PySide6.QtCore import Qt  # all its enumerations take longer than the rest of this module

    hints = app.styleHints()
    if choice == "system":
        hints.unsetColorScheme()
        scheme = "light" if hints.colorScheme() is Qt.ColorScheme.Light else "dark"
    else:
        scheme = choice if choice in SCHEMES else "dark"
        hints.setColorScheme(Qt.ColorScheme.Light if scheme == "light" else Qt.ColorScheme.Dark)  # window frames too
    wear(app, scheme)
    return scheme


def wear(app: QApplication, scheme: str, *, has_style: bool = False) -> None:
    """Wear a scheme, `dark` or `light`, whatever the system wants.

    Args:
        app: the application.
        scheme: the colours.
        has_style: whether the application was started with `STYLE_WORDS`.
    """
    before = app.property(_SCHEME)
    if before == scheme:
        return
    app.setProperty(_SCHEME, scheme)
    if before is None:
        if not has_style:
            app.setStyle("Fusion")
        base = app.font()
        base.setPixelSize(TEXT_M)
        app.setFont(base)
    app.setPalette(_palette(SCHEMES[scheme]))
    app.setStyleSheet(_style_sheet(scheme))


def _palette(c: Colours) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: c.window, QPalette.ColorRole.WindowText: c.text, QPalette.ColorRole.Base: c.panel,
        QPalette.ColorRole.AlternateBase: c.window, QPalette.ColorRole.Text: c.text,
        QPalette.ColorRole.Button: c.raised,
        QPalette.ColorRole.ButtonText: c.text, QPalette.ColorRole.ToolTipBase: c.raised,
        QPalette.ColorRole.ToolTipText: c.text, QPalette.ColorRole.Highlight: c.selected,
        QPalette.ColorRole.HighlightedText: c.text, QPalette.ColorRole.PlaceholderText: c.muted,
        QPalette.ColorRole.Link: c.accent, QPalette.ColorRole.BrightText: c.danger,
        QPalette.ColorRole.Accent: c.accent, QPalette.ColorRole.Light: c.line, QPalette.ColorRole.Midlight: c.line,
        QPalette.ColorRole.Mid: c.line, QPalette.ColorRole.Dark: c.window, QPalette.ColorRole.Shadow: c.window,
    }  # fmt: skip
    for role, name in roles.items():
        palette.setColor(role, QColor(name))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(c.disabled))
    return palette


def _style_sheet(scheme: str) -> str:
    c = SCHEMES[scheme]
    names: dict[str, object] = {field.name: getattr(c, field.name) for field in fields(c)}
    return STYLE.format(s=GAP_S, m=GAP_M, l=GAP_L, xl=GAP_XL, text_s=TEXT_S, text_m=TEXT_M, text_l=TEXT_L,
                        text_xl=TEXT_XL, scheme=scheme,
                        controls=resource_path("controls").as_posix(), **names)  # fmt: skip
