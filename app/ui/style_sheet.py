"""The style sheet of the application. Colours, gaps and sizes are filled in by `app.ui.theme`."""

from __future__ import annotations

STYLE = """
QMainWindow, QDialog {{ background: {window}; }}
QMainWindow::separator {{ background: {window}; width: {s}px; height: {s}px; }}
QMenuBar {{ background: {window}; padding: {s}px {m}px; }}
QMenuBar::item {{ padding: {s}px {m}px; background: transparent; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {hover}; }}
QMenu {{ background: {raised}; border: 1px solid {line}; padding: {s}px; }}
QMenu::item {{ padding: 6px {xl}px 6px 36px; border-radius: 4px; }}
QMenu::icon {{ left: 10px; }}
QMenu::icon:checked {{ background: {raised}; border: 1px solid {accent}; border-radius: 4px; left: 9px; padding: 1px; }}
QMenu::indicator {{ width: 16px; height: 16px; left: 10px; border: 1px solid transparent; }}
QMenu::indicator:checked {{
    background: {accent}; border-color: {accent}; border-radius: 4px; image: url("{controls}/check-{scheme}.svg");
}}
QMenu::indicator:exclusive:checked {{ border-radius: 9px; image: url("{controls}/dot-{scheme}.svg"); }}
QMenu::right-arrow {{ image: url("{controls}/chevron-right-{scheme}.svg"); width: 14px; height: 14px; right: 8px; }}
QMenu::item:selected {{ background: {selected}; }}
QMenu::item:disabled {{ color: {disabled}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: {s}px {m}px; }}
QToolBar {{ background: {window}; border: none; spacing: {s}px; padding: {s}px {m}px; }}
QToolBar::separator {{ width: 1px; background: {line}; margin: {s}px {m}px; }}
QToolButton, QPushButton {{
    background: {raised}; border: 1px solid {line}; border-radius: 4px; padding: 5px 10px; color: {text};
}}
QToolButton#plain {{ background: transparent; border: 1px solid transparent; padding: {s}px; }}
QToolButton#plain:hover {{ background: {hover}; }}
QToolButton#plain:focus {{ border-color: {accent}; }}
QToolBar QToolButton {{ background: transparent; border: 1px solid transparent; }}
QToolButton:hover, QPushButton:hover {{ background: {hover}; }}
QToolButton:checked, QPushButton:checked {{ background: {selected}; border-color: {accent}; }}
QToolButton:focus, QPushButton:focus {{ border-color: {accent}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {disabled}; }}
QPushButton#primary {{ background: {selected}; border-color: {accent}; }}
QStatusBar {{ background: {window}; color: {muted}; border-top: 1px solid {line}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QPushButton, QStatusBar QToolButton {{
    background: transparent; border: 1px solid transparent; color: {muted}; padding: 2px {m}px;
}}
QStatusBar QPushButton:hover, QStatusBar QToolButton:hover {{ background: {hover}; color: {text}; }}
QStatusBar QPushButton:focus, QStatusBar QToolButton:focus {{ border-color: {accent}; }}
QDockWidget {{ font-weight: 600; titlebar-close-icon: url("{controls}/close-{scheme}.svg"); }}
QDockWidget::title {{ background: {panel}; padding: {m}px; text-align: left; border-bottom: 1px solid {line}; }}
QDockWidget::close-button {{
    background: transparent; border: none; border-radius: 4px; icon-size: 16px; subcontrol-origin: margin;
    subcontrol-position: top right; top: 8px; right: 8px; width: 20px; height: 20px;
}}
QDockWidget::close-button:hover {{ background: {hover}; }}
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
QFrame#field {{ background: {panel}; border-left: 4px solid transparent; }}
QFrame#field[active="true"] {{ background: {raised}; border-left-color: {accent}; }}
QFrame#field QPushButton {{ padding: 0; }}
QFrame#field QPushButton, QFrame#field QPushButton QLabel {{ font-size: {text_s}px; }}
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
QLabel#small_caution {{ color: {caution}; font-size: {text_s}px; }}
QWidget#findings {{ background: {panel}; }}
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
QFrame#card {{ background: {panel}; border: 1px solid {edge}; border-radius: 8px; }}
QFrame#card QScrollArea, QWidget#sheet {{ background: {panel}; }}
QLabel#key {{
    background: {raised}; border: 1px solid {line}; border-radius: 4px; padding: 1px 6px; font-size: {text_s}px;
    color: {text};
}}
QLabel#caution {{ color: {caution}; }}
QLabel#hidden-mark {{
    color: {window}; background: {caution}; border-radius: 4px; font-weight: 600; padding: 1px {m}px; margin: 2px {s}px;
}}
QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QDateEdit {{
    background: {panel}; border: 1px solid {edge}; border-radius: 4px; padding: 5px {m}px; color: {text};
    selection-background-color: {selected}; selection-color: {text};
}}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QDateEdit:focus {{ border-color: {accent}; }}
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled {{ color: {disabled}; border-color: {line}; }}
QLineEdit#palette-line {{ font-size: {text_l}px; padding: {m}px; }}
QComboBox {{ padding-right: 28px; }}
QComboBox::drop-down {{ border: none; width: 26px; }}
QComboBox::down-arrow {{ image: url("{controls}/chevron-down-{scheme}.svg"); width: 16px; height: 16px; }}
QSpinBox, QDoubleSpinBox, QDateEdit {{ padding-right: 24px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; background: transparent; width: 20px; }}
QAbstractSpinBox::up-arrow {{ image: url("{controls}/chevron-up-{scheme}.svg"); width: 12px; height: 12px; }}
QAbstractSpinBox::down-arrow {{ image: url("{controls}/chevron-down-{scheme}.svg"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{
    background: {raised}; border: 1px solid {edge}; padding: {s}px; outline: none;
    selection-background-color: {selected}; selection-color: {text};
}}
QListView, QTreeView, QTextBrowser {{
    background: {panel}; border: 1px solid {line}; border-radius: 4px; outline: none; color: {text};
}}
QListView::item {{ padding: 5px {m}px; }}
QTreeView::item {{ padding: 0 {m}px; min-height: 26px; }}
QListView::item:selected, QTreeView::item:selected {{ background: {selected}; color: {text}; }}
QListView:focus, QTreeView:focus, QTextBrowser:focus, QScrollArea:focus {{ border: 1px solid {accent}; }}
QListView#palette-list {{ border: none; }}
QListView#palette-list::item {{ padding: 0; }}
QTextBrowser {{ padding: {m}px; }}
QFrame#box {{ background: {panel}; border: 1px solid {line}; border-radius: 4px; }}
QPushButton#recorder {{ background: {window}; border-color: {edge}; }}
QPushButton#recorder:checked {{ background: {selected}; border-color: {accent}; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {line}; }}
QTabBar::tab {{
    background: transparent; border: none; border-bottom: 2px solid transparent; padding: {m}px {l}px; color: {muted};
}}
QMainWindow > QTabBar::tab {{ padding: {m}px {m}px; }}
QTabBar::tab:selected {{ color: {text}; border-bottom-color: {accent}; }}
QTabBar::tab:hover {{ color: {text}; }}
QTabBar::scroller {{ width: 40px; }}
QTabBar QToolButton {{ background: {window}; border: none; border-radius: 0; padding: 0; }}
QTabBar QToolButton:hover {{ background: {hover}; }}
QTabBar QToolButton::left-arrow {{ image: url("{controls}/chevron-left-{scheme}.svg"); width: 14px; height: 14px; }}
QTabBar QToolButton::right-arrow {{ image: url("{controls}/chevron-right-{scheme}.svg"); width: 14px; height: 14px; }}
QTabBar::tab:focus {{ border-bottom-color: {text}; }}
QCheckBox, QRadioButton {{ spacing: {m}px; }}
QCheckBox::indicator, QRadioButton::indicator, QTreeView::indicator, QListView::indicator, QGroupBox::indicator {{
    width: 16px; height: 16px; border: 1px solid {edge}; border-radius: 4px; background: {panel};
}}
QRadioButton::indicator {{ border-radius: 9px; }}
QCheckBox::indicator:checked, QTreeView::indicator:checked, QListView::indicator:checked,
QGroupBox::indicator:checked {{
    background: {accent}; border-color: {accent}; image: url("{controls}/check-{scheme}.svg");
}}
QCheckBox::indicator:indeterminate, QTreeView::indicator:indeterminate {{
    background: {accent}; border-color: {accent}; image: url("{controls}/part-{scheme}.svg");
}}
QRadioButton::indicator:checked {{
    background: {accent}; border-color: {accent}; image: url("{controls}/dot-{scheme}.svg");
}}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {line}; background: {window}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border: 2px solid {accent}; }}
QCheckBox:focus, QRadioButton:focus {{ color: {accent}; }}
QProgressBar {{ background: {raised}; border: none; border-radius: 2px; color: {text}; text-align: center; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 2px; }}
QToolBar QToolButton {{ padding: 5px 7px; }}
QToolBar QToolButton[tight="true"] {{ padding: 5px 4px; }}
QToolBar QToolButton#qt_toolbar_ext_button {{
    image: url("{controls}/chevron-right-{scheme}.svg"); padding: 0; border: none; background: {raised};
}}
QToolBar QToolButton:focus {{ border-color: {accent}; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {line}; border-radius: 4px; min-height: 32px; margin: 2px; }}
QScrollBar::handle:vertical:hover {{ background: {muted}; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {line}; border-radius: 4px; min-width: 32px; margin: 2px; }}
QScrollBar::handle:horizontal:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QPlainTextEdit {{ background: {panel}; border: 1px solid {line}; font-family: monospace; font-size: {text_s}px; }}
QPlainTextEdit:focus {{ border-color: {accent}; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: {s}px; }}
"""
