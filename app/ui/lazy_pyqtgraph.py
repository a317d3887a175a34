"""pyqtgraph without what no pane needs: its own copies of Qt's namespaces, and four fifths of its modules.

pyqtgraph copies every name of QtCore, QtGui and QtWidgets into modules of its own, which makes PySide6 build a thousand
classes that nobody uses, and imports all of its plots, dialogs and helper processes at once. Here these modules look
names up when they are asked for one, and the plots are imported when somebody asks pyqtgraph for a name of theirs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import PySide6.QtCore
import PySide6.QtGui
import PySide6.QtWidgets

from app.core.imports import without

COPIED = (PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets)
UNUSED = ("cuda", "cupy", "PySide6.QtTest")  # graphics cards, which no pane uses, and tests of pyqtgraph itself
UNUSED_BY_PANES = ("PySide6.QtOpenGLWidgets",)
_ITEMS = "ArrowItem AxisItem BarGraphItem BoxplotItem ButtonItem ColorBarItem CurvePoint DateAxisItem ErrorBarItem " \
    "FillBetweenItem GradientEditorItem GradientLegend GraphicsLayout GraphicsWidgetAnchor GraphItem GridItem " \
    "HistogramLUTItem ImageItem InfiniteLine IsocurveItem LabelItem LegendItem LinearRegionItem PColorMeshItem " \
    "PlotCurveItem PlotDataItem PlotItem ROI ScaleBar ScatterPlotItem TargetItem TextItem UIGraphicsItem " \
    "VTickGroup"  # fmt: skip
_WIDGETS = "BusyCursor CheckTable ColorButton ColorMapMenu ColorMapWidget ComboBox DataFilterWidget DataTreeWidget " \
    "DiffTreeWidget FeedbackButton FileDialog GradientWidget GraphicsLayoutWidget GroupBox HistogramLUTWidget " \
    "JoystickButton LayoutWidget PathButton PlotWidget ProgressDialog RawImageWidget RemoteGraphicsView " \
    "ScatterPlotWidget SpinBox TableWidget TreeWidget ValueLabel VerticalLabel"  # fmt: skip
LATER = (
    *(f"pyqtgraph.graphicsItems.{name}" for name in _ITEMS.split()),
    *(f"pyqtgraph.widgets.{name}" for name in _WIDGETS.split()),
    "pyqtgraph.colormap", "pyqtgraph.imageview", "pyqtgraph.SRTTransform3D", "pyqtgraph.ThreadsafeTimer",
    "pyqtgraph.Transform3D", "pyqtgraph.Vector", "pyqtgraph.Qt.OpenGLHelpers",
)  # fmt: skip  # what pyqtgraph imports and no pane needs; a name that it does not know does no harm


def import_pyqtgraph() -> None:
    """Import what the panes need of pyqtgraph; whoever has imported it already keeps what there is."""
    if "pyqtgraph" in sys.modules:
        return
    held = {name: _Held(name) for name in LATER if name not in sys.modules}
    sys.modules.update(held)
    try:
        with _lean(), without(*UNUSED_BY_PANES):
            import pyqtgraph
    finally:
        for name, module in held.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
    names = vars(pyqtgraph)
    for name in [name for name, value in names.items() if isinstance(value, _Later | _Held)]:
        del names[name]
    names["__getattr__"] = _asked_for


class _Later:
    """Stands for a name of a module that is not imported yet."""


class _Held(ModuleType):
    """Stands for a module that is not imported yet; it is when somebody uses it afterwards."""

    __all__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            return _Later()
        with _lean():
            return getattr(importlib.import_module(self.__name__), name)


def _asked_for(name: str) -> Any:
    """A name that pyqtgraph does not have yet: import everything that it would have imported."""
    import pyqtgraph

    names = vars(pyqtgraph)
    if name.startswith("__") or names.pop("__getattr__", None) is None:
        raise AttributeError(f"pyqtgraph has no {name}")
    with _lean():
        for module in map(importlib.import_module, LATER):
            for each in getattr(module, "__all__", None) or [one for one in vars(module) if not one.startswith("_")]:
                names.setdefault(each, getattr(module, each))
    return getattr(pyqtgraph, name)


@contextmanager
def _lean() -> Iterator[None]:
    """While this lasts, pyqtgraph finds nothing to copy, and no graphics card."""
    listed = [_list_nothing(module) for module in COPIED]
    try:
        with without(*UNUSED):
            yield
    finally:
        for module, before in zip(COPIED, listed, strict=True):
            if before is None:
                del module.__dict__["__dir__"]
            else:
                module.__dict__["__dir__"] = before


def _list_nothing(module: ModuleType) -> Callable[[], list[str]] | None:
    """Let a module say that it has no names, and its copy look them up; what said so before."""

    def names() -> list[str]:
        copy = sys.modules.get("pyqtgraph.Qt." + module.__name__.rpartition(".")[2])
        if copy is None:
            return list(module.__dict__)
        copy.__dict__.setdefault("__getattr__", lambda name: getattr(module, name))
        return []

    before: Callable[[], list[str]] | None = module.__dict__.get("__dir__")
    module.__dict__["__dir__"] = names
    return before
