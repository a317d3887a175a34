"""The shortcut sheet on paper."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QMarginsF
from PySide6.QtGui import QPageLayout, QTextDocument
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QWidget

from app import __version__
from app.ui.language import tr

Groups = Sequence[tuple[str, Sequence[tuple[str, Sequence[str]]]]]
COLUMNS = 2


def sheet_document(groups: Groups) -> QTextDocument:
    """The sheet in black on white, in two columns.

    Args:
        groups: title → (name of a command, its keys).
    """
    halves: list[list[str]] = [[] for _ in range(COLUMNS)]
    lengths = [0] * COLUMNS
    for title, rows in groups:
        column = lengths.index(min(lengths))
        lengths[column] += len(rows) + 2
        lines = "".join(
            f"<tr><td>{html.escape(text)}</td><td align='right'><b>{html.escape('  '.join(keys))}</b></td></tr>"
            for text, keys in rows
        )
        halves[column].append(f"<h3>{html.escape(title)}</h3><table width='100%' cellspacing='3'>{lines}</table>")
    cells = "".join(f"<td width='{100 // COLUMNS}%' style='padding: 8px'>{''.join(half)}</td>" for half in halves)
    document = QTextDocument()
    document.setDefaultStyleSheet("body { color: black; font-size: 9pt; }")
    document.setHtml(f"<body><h2>Coxa {__version__} · {html.escape(tr('Keys'))}</h2>"
                     f"<table width='100%'><tr>{cells}</tr></table></body>")  # fmt: skip
    return document


def print_sheet(groups: Groups, parent: QWidget) -> None:
    """Ask for a printer, or a PDF file, and print."""
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setPageMargins(QMarginsF(12, 12, 12, 12), QPageLayout.Unit.Millimeter)
    printer.setDocName("Coxa")
    dialog = QPrintDialog(printer, parent)
    dialog.setWindowTitle(tr("Print the keys"))
    dialog.accepted.connect(lambda: sheet_document(groups).print_(printer))
    QDialog.open(dialog)
