"""What was measured of a model: curves, tables, and its mistakes, each of which can be opened. Not modal."""

from __future__ import annotations

import pyqtgraph as pg
import shiboken6
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.evaluation import Evaluation
from app.ui import theme
from app.ui.language import number, say, tr, whole
from app.ui.theme import GAP_L, GAP_M

ID = int(Qt.ItemDataRole.UserRole)
SIZE_PX = (1000, 640)
PLOT_PX = 200


class EvaluationDialog(QDialog):
    """Figures of one model.

    Signals:
        case_wanted: a case shall be opened.
    """

    case_wanted = Signal(str)

    def __init__(self, evaluation: Evaluation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._evaluation = evaluation
        self.resize(*SIZE_PX)
        self.about = QLabel(self)
        self.about.setWordWrap(True)
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.plots = {name: pg.PlotWidget(self) for name in ("roc", "pr", "calibration")}
        row = QHBoxLayout()
        row.setSpacing(GAP_M)
        for plot in self.plots.values():
            plot.setMinimumHeight(PLOT_PX)
            plot.setMouseEnabled(x=False, y=False)
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.setRange(xRange=(0, 1), yRange=(0, 1), padding=0.03)
            row.addWidget(plot, 1)
        self.figures = QTableWidget(self)
        self.figures.setColumnCount(4)
        self.groups = QTableWidget(self)
        for table in (self.figures, self.groups):
            table.verticalHeader().hide()
            table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
            table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
            table.setShowGrid(False)
        self.matrix = QLabel(self)
        self.matrix.setTextFormat(Qt.TextFormat.PlainText)
        self.mistakes_title = QLabel(self)
        self.mistakes_title.setObjectName("muted")
        self.mistakes = QListWidget(self)
        self.mistakes.itemClicked.connect(lambda item: self.case_wanted.emit(item.data(ID)))
        self.mistakes.itemActivated.connect(lambda item: self.case_wanted.emit(item.data(ID)))
        side = QVBoxLayout()
        side.setSpacing(GAP_M)
        side.addWidget(self.matrix)
        side.addWidget(self.groups, 1)
        side.addWidget(self.mistakes_title)
        side.addWidget(self.mistakes, 1)
        lower = QGridLayout()
        lower.setSpacing(GAP_L)
        lower.addWidget(self.figures, 0, 0)
        lower.addLayout(side, 0, 1)
        lower.setColumnStretch(0, 3)
        lower.setColumnStretch(1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.about)
        layout.addLayout(row)
        layout.addLayout(lower, 1)
        self.retranslate()

    def done(self, result: int) -> None:
        """Closed: pyqtgraph's plots crash when Qt destroys them with their parent, so they go first."""
        plots, self.plots = list(self.plots.values()), {}
        for plot in plots:
            plot.close()
            shiboken6.delete(plot)
        super().done(result)

    def changeEvent(self, event: QEvent) -> None:
        """Another language, or other colours."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange):
            self.retranslate()

    def retranslate(self) -> None:
        """Say and draw everything anew."""
        evaluation = self._evaluation
        if not self.plots:
            return
        self.setWindowTitle(tr("Figures of {title}", title=evaluation.title))
        self.about.setText(
            tr("Measured on {cases}. Research use only, not for diagnosis.", cases=evaluation.measured_on)
        )
        self._draw()
        heads = [tr("Figure"), tr("Value"), tr("95 % interval"), tr("Method")]
        self.figures.setHorizontalHeaderLabels(heads)
        self.figures.setRowCount(len(evaluation.figures))
        for row, figure in enumerate(evaluation.figures):
            interval = ""
            if figure.low is not None and figure.high is not None:
                interval = f"{number(figure.low, 3)} … {number(figure.high, 3)}"
            cells = (say(figure.name), number(figure.value, 3), interval, say(figure.method))
            for column, words in enumerate(cells):
                self.figures.setItem(row, column, _cell(words, is_number=column in (1, 2)))
        self._stretch(self.figures)
        self._fill_groups()
        without, finding = evaluation.classes
        tp, fn, tn, fp = evaluation.counts
        self.matrix.setText(
            "\n".join(
                (
                    tr("{finding}: {right} found, {wrong} missed", finding=say(finding), right=whole(tp),
                       wrong=whole(fn)),
                    tr("{finding}: {right} right, {wrong} taken for the finding", finding=say(without),
                       right=whole(tn), wrong=whole(fp)),
                )
            )
        )  # fmt: skip
        wrong = sorted(
            (case for case in evaluation.cases if not case.is_right),
            key=lambda case: -abs(case.probability - evaluation.threshold),
        )
        self.mistakes_title.setText(tr("Mistakes, the surest first: {count}", count=whole(len(wrong))))
        self.mistakes.clear()
        for case in wrong:
            said = tr("false negative") if case.is_finding else tr("false positive")
            item = QListWidgetItem(f"{case.id}  p {number(case.probability, 2)}  {said}", self.mistakes)
            item.setData(ID, case.id)

    def _fill_groups(self) -> None:
        groups = (*self._evaluation.by_class, *self._evaluation.by_vendor)
        names = list(dict.fromkeys(figure.name for group in groups for figure in group.figures))
        self.groups.setColumnCount(2 + len(names))
        self.groups.setHorizontalHeaderLabels([tr("Group"), tr("Cases"), *(say(name) for name in names)])
        self.groups.setRowCount(len(groups))
        for row, group in enumerate(groups):
            by_name = {figure.name: figure for figure in group.figures}
            self.groups.setItem(row, 0, _cell(say(group.name) or tr("not known")))
            self.groups.setItem(row, 1, _cell(whole(group.cases), is_number=True))
            for column, name in enumerate(names, 2):
                found = by_name.get(name)
                self.groups.setItem(row, column, _cell("" if found is None else number(found.value, 3), is_number=True))
        self._stretch(self.groups)

    def _stretch(self, table: QTableWidget) -> None:
        head = table.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setStretchLastSection(True)

    def _draw(self) -> None:
        colours, evaluation = theme.colours(), self._evaluation
        line, diagonal = pg.mkPen(colours.data[0], width=2), pg.mkPen(colours.line, style=Qt.PenStyle.DashLine)
        texts = {
            "roc": (tr("ROC"), tr("1 − specificity"), tr("Sensitivity")),
            "pr": (tr("Precision and recall"), tr("Recall"), tr("Precision")),
            "calibration": (tr("Calibration"), tr("Stated probability"), tr("Observed share")),
        }
        for name, plot in self.plots.items():
            plot.clear()
            plot.setBackground(colours.panel)
            title, across, up = texts[name]
            plot.getPlotItem().setTitle(title, color=colours.text, size=f"{theme.TEXT_M}px")
            for side, words in (("bottom", across), ("left", up)):
                axis = plot.getPlotItem().getAxis(side)
                axis.setPen(colours.line)
                axis.setTextPen(colours.muted)
                axis.setLabel(words, color=colours.muted)
        for name in ("roc", "calibration"):
            self.plots[name].plot([0, 1], [0, 1], pen=diagonal)
        self.plots["roc"].plot(
            [point.false_positive_rate for point in evaluation.roc],
            [point.sensitivity for point in evaluation.roc],
            pen=line,
        )
        self.plots["pr"].plot(
            [point.recall for point in evaluation.pr], [point.precision for point in evaluation.pr], pen=line
        )
        tp, fn, tn, fp = evaluation.counts
        dot = {"pen": None, "symbol": "o", "symbolSize": 9, "symbolPen": None, "symbolBrush": colours.data[1]}
        if tp + fn and tn + fp:
            self.plots["roc"].plot([fp / (tn + fp)], [tp / (tp + fn)], **dot)
        if tp + fn and tp + fp:
            self.plots["pr"].plot([tp / (tp + fn)], [tp / (tp + fp)], **dot)
        for each in evaluation.calibration:
            self.plots["calibration"].plot([each.stated, each.stated], [each.low, each.high], pen=line)
            self.plots["calibration"].plot([each.stated], [each.observed], **dot)


def _cell(words: str, *, is_number: bool = False) -> QTableWidgetItem:
    item = QTableWidgetItem(words)
    if is_number:
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
