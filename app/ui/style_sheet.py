"""The style sheet of the application. Colours, gaps and sizes are filled in by `app.ui.theme`."""

from __future__ import annotations

STYLE = """
QMainWindow, QDialog {{ background: {window}; }}
QMainWindow::separator {{ background: {window}; width: {s}px; height: {s}px; }}
QMenuBar {{ background: {window}; padding: {s}px {m}px; }}
QMenuBar::item {{ padding: {s}px {m}px; background: transparent; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {hover}; }}
QMenu {{ background: {raised}; border: 1px solid {line}; padding: {s}px; }}
QMenu::item {{ padding: 6px {xl}px 6px {xl}px; border-radius: 4px; }}
QMenu::item:selected {{ background: {selected}; }}
QMenu::item:disabled {{ color: {disabled}; }}
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
QToolButton:disabled, QPushButton:disabled {{ color: {disabled}; }}
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
QFrame#job {{ background: {panel}; border-top: 1px solid {line}; }}
QFrame#dropzone[dashed="true"] {{ border: 2px dashed {line}; border-radius: 8px; }}
QPushButton#tile, QPushButton#primary_tile {{ text-align: left; border-radius: 6px; }}
QPushButton#primary_tile {{ background: {selected}; border-color: {accent}; }}
QTreeView {{
    background: {panel}; border: 1px solid {line}; outline: none; selection-background-color: {selected};
    selection-color: {text};
}}
QTreeView::item {{ padding: 3px {s}px; }}
QTreeView::item:selected {{ background: {selected}; color: {text}; }}
QListView#recent {{ background: {panel}; border: 1px solid {line}; border-radius: 6px; outline: none; }}
QListView#recent:focus {{ border-color: {accent}; }}
QLabel[tone="caution"] {{ color: {caution}; }}
QFrame#resolve {{ background: {panel}; border-left: 4px solid {caution}; }}
QFrame#block {{ background: {panel}; border-left: 4px solid {danger}; }}
QFrame#resolve QPushButton, QFrame#resolve QLabel, QFrame#resolve QCheckBox {{ font-size: {text_s}px; }}
QFrame#block QLabel#piece, QFrame#block QLabel#muted {{ font-size: {text_s}px; }}
QFrame#block QScrollArea, QWidget#plain {{ background: transparent; }}
QFrame#resolve QPushButton {{ padding: 0; }}
QLabel#key {{ color: {muted}; }}
QLabel#caution, QLabel#dispute {{ color: {caution}; }}
QLabel#dispute {{ font-weight: 600; }}
QPushButton QLabel:disabled, QLabel#key:disabled {{ color: {disabled}; }}
QLineEdit#search, QFrame#filters QLineEdit {{
    background: {window}; border: 1px solid {edge}; border-radius: 4px; padding: 5px {m}px; color: {text};
}}
QLineEdit#search:focus, QFrame#filters QLineEdit:focus {{ border-color: {accent}; }}
QFrame#filters {{ background: {raised}; border: 1px solid {edge}; }}
QFrame#filters QTreeView::indicator {{
    width: 13px; height: 13px; border: 1px solid {edge}; border-radius: 3px; background: {window};
}}
QFrame#filters QTreeView::indicator:checked {{ background: {accent}; border-color: {accent}; }}
QFrame#chip {{ background: {selected}; border: 1px solid {edge}; border-radius: 12px; }}
QFrame#chip QToolButton {{
    background: transparent; border: 1px solid transparent; border-radius: 11px;
    padding: 2px 7px; font-size: {text_s}px;
}}
QToolButton#listed {{ font-size: {text_s}px; }}
QFrame#chip QToolButton:hover {{ background: {hover}; }}
QFrame#chip QToolButton:focus {{ border-color: {accent}; }}
QWidget#worklist QToolButton::menu-indicator {{ image: none; }}
QLabel#note {{ color: {muted}; font-size: {text_s}px; }}
QScrollBar:vertical {{ background: {panel}; width: 12px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {line}; border-radius: 4px; min-height: 32px; margin: 2px; }}
QScrollBar::handle:vertical:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QPlainTextEdit {{ background: {panel}; border: 1px solid {line}; font-family: monospace; font-size: {text_s}px; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: {s}px; }}
"""
