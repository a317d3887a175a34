"""How Coxa looks: colours, one type scale, one spacing grid. Dark, since it stands beside radiographs."""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

# Spacing grid, px at 100 % scaling: every margin and gap is one of these.
GAP_S, GAP_M, GAP_L, GAP_XL = 4, 8, 16, 24

# Type scale, px at 100 % scaling.
TEXT_S, TEXT_M, TEXT_L, TEXT_XL = 12, 14, 16, 22


@dataclass(frozen=True, slots=True)
class Colours:
    """One colour scheme; every text colour has a contrast of at least 4.5:1 on every surface it is used on."""

    image: str = "#000000"  # behind radiographs
    window: str = "#15171b"
    panel: str = "#1c1f25"
    raised: str = "#282d36"
    hover: str = "#323946"
    line: str = "#3a414d"
    text: str = "#e8eaed"
    muted: str = "#aab2bf"
    accent: str = "#6cb2ff"  # focus, active pane
    selected: str = "#20446a"
    caution: str = "#ffc457"  # something to know or to decide
    danger: str = "#ff9d94"  # something wrong
    danger_surface: str = "#43211f"
    caution_surface: str = "#3a2f17"
    info_surface: str = "#1d3349"


DARK = Colours()
OVER_IMAGE = DARK  # what is drawn over radiographs; their surround is black in every scheme


def colours() -> Colours:
    """The colours that the application wears now."""
    return DARK


TEXT_ON = (  # every combination that the window uses; a test measures them
    ("text", "window"), ("text", "panel"), ("text", "raised"), ("text", "hover"), ("text", "selected"),
    ("text", "danger_surface"), ("text", "caution_surface"), ("text", "info_surface"), ("text", "image"),
    ("muted", "window"), ("muted", "panel"), ("muted", "raised"), ("muted", "selected"), ("muted", "image"),
    ("muted", "danger_surface"), ("muted", "caution_surface"), ("muted", "info_surface"),
    ("caution", "window"), ("caution", "panel"), ("caution", "image"), ("caution", "selected"),
    ("danger", "panel"), ("danger", "image"), ("danger", "selected"), ("accent", "panel"), ("accent", "window"),
)  # fmt: skip


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


def apply(app: QApplication, colours: Colours = DARK) -> None:
    """Dress the whole application."""
    app.setStyle("Fusion")
    base = app.font()
    base.setPixelSize(TEXT_M)
    app.setFont(base)
    app.setPalette(_palette(colours))
    app.setStyleSheet(_style_sheet(colours))


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
    }  # fmt: skip
    for role, name in roles.items():
        palette.setColor(role, QColor(name))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#7c8593"))
    return palette


def _style_sheet(c: Colours) -> str:
    names = {field.name: getattr(c, field.name) for field in fields(c)}
    return _STYLE.format(s=GAP_S, m=GAP_M, l=GAP_L, xl=GAP_XL, text_s=TEXT_S, text_m=TEXT_M, text_l=TEXT_L,
                         text_xl=TEXT_XL, **names)  # fmt: skip


_STYLE = """
QMainWindow, QDialog {{ background: {window}; }}
QMainWindow::separator {{ background: {window}; width: {s}px; height: {s}px; }}
QMenuBar {{ background: {window}; padding: {s}px {m}px; }}
QMenuBar::item {{ padding: {s}px {m}px; background: transparent; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {hover}; }}
QMenu {{ background: {raised}; border: 1px solid {line}; padding: {s}px; }}
QMenu::item {{ padding: 6px {xl}px 6px {xl}px; border-radius: 4px; }}
QMenu::item:selected {{ background: {selected}; }}
QMenu::item:disabled {{ color: #7c8593; }}
QMenu::separator {{ height: 1px; background: {line}; margin: {s}px {m}px; }}
QToolBar {{ background: {window}; border: none; spacing: {s}px; padding: {s}px {m}px; }}
QToolBar::separator {{ width: 1px; background: {line}; margin: {s}px {m}px; }}
QToolButton, QPushButton {{
    background: {raised}; border: 1px solid {line}; border-radius: 4px; padding: 5px 10px; color: {text};
}}
QToolBar QToolButton {{ background: transparent; border: 1px solid transparent; }}
QToolButton:hover, QPushButton:hover {{ background: {hover}; }}
QToolButton:checked, QPushButton:checked {{ background: {selected}; border-color: {accent}; }}
QToolButton:focus, QPushButton:focus {{ border-color: {accent}; }}
QToolButton:disabled, QPushButton:disabled {{ color: #7c8593; }}
QPushButton#primary {{ background: {selected}; border-color: {accent}; }}
QStatusBar {{ background: {window}; color: {muted}; border-top: 1px solid {line}; }}
QStatusBar::item {{ border: none; }}
QLabel#caption {{ color: {muted}; font-size: {text_s}px; }}
QLabel#heading {{ font-size: {text_xl}px; font-weight: 600; }}
QLabel#title {{ font-size: {text_l}px; font-weight: 600; }}
QLabel#muted {{ color: {muted}; }}
QLabel#research {{ color: {caution}; font-weight: 600; padding: 2px {m}px; }}
QLabel#strong {{ font-weight: 600; }}
QTableView {{
    background: {panel}; border: none; outline: none; selection-background-color: {selected};
    selection-color: {text}; gridline-color: {panel};
}}
QTableView::item {{ padding: 0 {m}px; border-bottom: 1px solid {raised}; }}
QTableView::item:selected {{ background: {selected}; color: {text}; }}
QTableView::item:hover:!selected {{ background: {raised}; }}
QHeaderView::section {{
    background: {panel}; color: {muted}; border: none; border-bottom: 1px solid {line}; padding: 6px 11px;
    font-size: {text_s}px;
}}
QWidget#worklist {{ background: {panel}; }}
QFrame#banner {{ background: {info_surface}; border-left: 4px solid {accent}; }}
QFrame#banner[tone="caution"] {{ background: {caution_surface}; border-left-color: {caution}; }}
QFrame#banner[tone="danger"] {{ background: {danger_surface}; border-left-color: {danger}; }}
QFrame#pane {{ background: {image}; border: 2px solid {window}; }}
QFrame#pane[active="true"] {{ border-color: {accent}; }}
QFrame#strip {{ background: {panel}; border-left: 4px solid {caution}; }}
QFrame#strip QPushButton {{ font-size: {text_s}px; padding: 5px 5px; }}
QFrame#strip QLabel {{ font-size: {text_s}px; }}
QScrollBar:vertical {{ background: {panel}; width: 12px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {line}; border-radius: 4px; min-height: 32px; margin: 2px; }}
QScrollBar::handle:vertical:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QPlainTextEdit {{ background: {panel}; border: 1px solid {line}; font-family: monospace; font-size: {text_s}px; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: {s}px; }}
"""
