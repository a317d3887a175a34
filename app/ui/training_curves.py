"""Curves of one or several runs by epoch: loss, area under the ROC curve and accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyqtgraph as pg
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui import theme
from app.ui.language import tr
from app.ui.still_plot import StillPlot

if TYPE_CHECKING:
    from app.store.runs import RunSummary

HEIGHT_PX = 132


class TrainingCurves(QWidget):
    """Two plots above each other: AUC and accuracy of the validation cases, and the loss. The best epoch has a dot."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[RunSummary, ...] = ()
        self.loss, self.auc = (StillPlot(self, height_px=HEIGHT_PX) for _ in range(2))
        self._plots: tuple[StillPlot, ...] = (self.loss, self.auc)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GAP_S)
        for plot in (self.auc, self.loss):
            plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            plot.getPlotItem().getAxis("left").setWidth(44)
            layout.addWidget(plot, 1)
        self.setFixedHeight(2 * HEIGHT_PX + theme.GAP_S)  # a layout that wraps beside it would squeeze the plots
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
            self._draw()

    def _dress(self) -> None:
        if not self._plots:
            return
        colours = theme.colours()
        epochs = [epoch for run in self._runs for epoch in run.epochs]
        is_judged = not epochs or any(epoch.validation_loss is not None for epoch in epochs)
        area = tr("Validation: AUC, dotted accuracy") if is_judged else tr("No validation cases")
        for plot, words in ((self.auc, area), (self.loss, tr("Loss, dotted of training"))):
            plot.setBackground(colours.panel)
            plot.getPlotItem().setTitle(words, color=colours.muted, size=f"{theme.TEXT_S}px", justify="left")
            for side in ("left", "bottom"):
                axis = plot.getPlotItem().getAxis(side)
                axis.setPen(colours.line)
                axis.setTextPen(colours.muted)

    def _draw(self) -> None:
        if not self._plots:
            return
        self._dress()
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
            judged = [epoch for epoch in run.epochs if epoch.validation_loss is not None]
            self.loss.plot([epoch.number for epoch in judged], [epoch.validation_loss for epoch in judged], pen=thick)
            right = [epoch for epoch in run.epochs if epoch.accuracy is not None]
            self.auc.plot([epoch.number for epoch in right], [epoch.accuracy for epoch in right], pen=thin)
            known = [epoch for epoch in run.epochs if epoch.auc is not None]
            self.auc.plot([epoch.number for epoch in known], [epoch.auc for epoch in known], pen=thick)
            best = run.best
            if best is not None:
                dot = {"symbol": "o", "symbolSize": 7, "symbolBrush": colour, "symbolPen": None, "pen": None}
                height = best.training_loss if best.validation_loss is None else best.validation_loss
                self.loss.plot([best.number], [height], **dot)
                if best.auc is not None:
                    self.auc.plot([best.number], [best.auc], **dot)
        values = [epoch.accuracy for run in self._runs for epoch in run.epochs if epoch.accuracy is not None]
        values += [epoch.auc for run in self._runs for epoch in run.epochs if epoch.auc is not None]
        self.auc.setYRange(min([0.4, *values]), 1.0, padding=0.05)
        last = max(2, min(most, max(reached, 2)))
        step = max(1, -(-last // 6))  # whole epochs only
        ticks = [(number, str(number)) for number in range(step, last + 1, step)]
        for plot in (self.loss, self.auc):
            plot.setXRange(1, last, padding=0.04)
            plot.getPlotItem().getAxis("bottom").setTicks([ticks])
