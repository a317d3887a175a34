"""pyqtgraph finds every name of Qt without having copied any."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import PySide6.QtGui
names = len(dir(PySide6.QtGui))
from app.ui.lazy_pyqtgraph import import_pyqtgraph
import_pyqtgraph()
import_pyqtgraph()
import pyqtgraph as pg
assert len(dir(PySide6.QtGui)) >= names > 100
for module in (pg.QtCore, pg.QtGui, pg.QtWidgets):
    assert len([name for name in vars(module) if name.startswith("Q")]) < 20, vars(module).keys()
assert pg.QtGui.QImage is PySide6.QtGui.QImage
assert not hasattr(pg.QtGui, "QNothing")
import PySide6.QtTest
from PySide6.QtWidgets import QApplication
app = QApplication([])
view = pg.GraphicsView()
view.setCentralItem(pg.ViewBox())
view.show()
app.processEvents()
print("works")
"""


def test_nothing_is_copied_and_everything_is_found() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "works", done.stderr
