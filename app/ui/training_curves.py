"""Curves of one or several runs: loss and area under the ROC curve by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyqtgraph as pg
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui import theme
from app.ui.language import tr

if TYPE_CHECKING:
    from app.store.runs import RunSummary

HEIGHT_PX = 132


class TrainingCurves(QWidget):
    """Two plots above each other. Training is a thin line, validation a thick one; the best epoch has a dot."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[RunSummary, ...] = ()
        self.loss, self.auc = pg.PlotWidget(self), pg.PlotWidget(self)
        self._plots: tuple[pg.PlotWidget, ...] = (self.loss, self.auc)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_S)
        for plot in (self.auc, self.loss):
            plot.setMinimumHeight(HEIGHT_PX)
            plot.setMouseEnabled(x=False, y=False)
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            plot.getPlotItem().getAxis("left").setWidth(44)
            layout.addWidget(plot, 1)
        self.setFixedHeight(2 * HEIGHT_PX + theme.GAP_S)  # a layout that wraps beside it would squeeze the plots
        self.auc.setYRange(0.4, 1.0, padding=0.05)
        self._dress()

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Draw these runs over each other; the first one in the first colour."""
        self._runs = tuple(runs)
        self._draw()

    def stop(self) -> None:
        """The window closes: pyqtgraph's plots crash when Qt destroys them with their parent, so they go first."""
        plots, self._plots = self._plots, ()
        for plot in plots:
            plot.close()
            shiboken6.delete(plot)

    def changeEvent(self, event: QEvent) -> None:
        """Another language, or other colours."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._dress()
            self._draw()

    def _dress(self) -> None:
        if not self._plots:
            return
        colours = theme.colours()
        for plot, words in ((self.auc, tr("AUC, validation")), (self.loss, tr("Loss"))):
            plot.setBackground(colours.panel)
            plot.getPlotItem().setTitle(words, color=colours.muted, size=f"{theme.TEXT_S}px", justify="left")
            for side in ("left", "bottom"):
                axis = plot.getPlotItem().getAxis(side)
                axis.setPen(colours.line)
                axis.setTextPen(colours.muted)

    def _draw(self) -> None:
        if not self._plots:
            return
        colours = theme.colours().data
        for plot in (self.loss, self.auc):
            plot.clear()
        most = max((run.plan.epochs for run in self._runs), default=1)
        reached = max((len(run.epochs) for run in self._runs), default=0)
        for number, run in enumerate(self._runs):
            colour = colours[number % len(colours)]
            at = [epoch.number for epoch in run.epochs]
            thin, thick = pg.mkPen(colour, width=1, style=Qt.PenStyle.DotLine), pg.mkPen(colour, width=2)
            self.loss.plot(at, [epoch.training_loss for epoch in run.epochs], pen=thin)
            self.loss.plot(at, [epoch.validation_loss for epoch in run.epochs], pen=thick)
            known = [epoch for epoch in run.epochs if epoch.auc is not None]
            self.auc.plot([epoch.number for epoch in known], [epoch.auc for epoch in known], pen=thick)
            best = run.best
            if best is not None:
                dot = {"symbol": "o", "symbolSize": 7, "symbolBrush": colour, "symbolPen": None, "pen": None}
                self.loss.plot([best.number], [best.validation_loss], **dot)
                if best.auc is not None:
                    self.auc.plot([best.number], [best.auc], **dot)
        last = max(2, min(most, max(reached, 2)))
        step = max(1, -(-last // 6))  # whole epochs only
        ticks = [(number, str(number)) for number in range(step, last + 1, step)]
        for plot in (self.loss, self.auc):
            plot.setXRange(1, last, padding=0.04)
            plot.getPlotItem().getAxis("bottom").setTicks([ticks])
