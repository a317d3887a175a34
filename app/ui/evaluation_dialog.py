"""What was measured of a model: curves, tables, and its mistakes, each of which can be opened. Not modal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyqtgraph as pg
import shiboken6
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
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

from app.core.evaluation import CrossEvaluation, Evaluation, FoldFigure, answered, risk_coverage
from app.ui import theme
from app.ui.dialog_size import open_at
from app.ui.language import number, say, tr, whole
from app.ui.panel_scroller import PanelScroller
from app.ui.still_plot import StillPlot
from app.ui.theme import GAP_L, GAP_M, GAP_S

ID = int(Qt.ItemDataRole.UserRole)
SIZE_PX = (1180, 720)
LEAST_PX = (400, 200)  # of the dialog; what is in it scrolls then
ONE_ROW_PX = 1000  # width in which the titles of four plots have room side by side
PLOT_PX = 210
PLOTS = ("roc", "pr", "calibration", "risk")


class EvaluationDialog(QDialog):
    """Figures of one model, or of all folds of a cross-validation.

    Args:
        evaluation: what was measured; of a cross-validation, pooled over its folds.
        parent: the window.
        cross: the folds one by one; None = one model.

    Signals:
        case_wanted: a case shall be opened.
    """

    case_wanted = Signal(str)

    def __init__(
        self, evaluation: Evaluation, parent: QWidget | None = None, *, cross: CrossEvaluation | None = None
    ) -> None:
        super().__init__(parent)
        self._evaluation, self._cross = evaluation, cross
        self._columns = 0
        open_at(self, *SIZE_PX)
        self.about = QLabel(self)
        self.about.setWordWrap(True)
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.plots = {name: StillPlot(self, height_px=PLOT_PX) for name in PLOTS}
        self._grid = QGridLayout()
        self._grid.setSpacing(GAP_M)
        for plot in self.plots.values():
            plot.setMaximumHeight(PLOT_PX + PLOT_PX // 2)
            plot.setRange(xRange=(0, 1), yRange=(0, 1), padding=0.03)
        self.figures, self.groups = QTableWidget(self), QTableWidget(self)
        for table in (self.figures, self.groups):
            table.verticalHeader().hide()
            table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
            table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
            table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            table.setShowGrid(False)
            table.setWordWrap(False)
        self.matrix = ConfusionMatrix(self)
        self.groups_title, self.mistakes_title = QLabel(self), QLabel(self)
        for title in (self.groups_title, self.mistakes_title):
            title.setObjectName("muted")
        self.mistakes = QListWidget(self)
        self.mistakes.itemClicked.connect(lambda item: self.case_wanted.emit(item.data(ID)))
        self.mistakes.itemActivated.connect(lambda item: self.case_wanted.emit(item.data(ID)))
        side = QVBoxLayout()
        side.setSpacing(GAP_S)
        side.addWidget(self.matrix)
        side.addSpacing(GAP_M)
        side.addWidget(self.groups_title)
        side.addWidget(self.groups, 1)
        side.addSpacing(GAP_M)
        side.addWidget(self.mistakes_title)
        side.addWidget(self.mistakes, 1)
        lower = QHBoxLayout()
        lower.setSpacing(GAP_L)
        lower.addWidget(self.figures, 1)
        lower.addLayout(side, 1)
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.about)
        layout.addLayout(self._grid)
        layout.addLayout(lower, 1)
        self._arrange()
        scroller = PanelScroller(self, panel=body)
        scroller.limit(QSize(*LEAST_PX))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroller)
        self.retranslate()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Plots in one row, or in two where they would be too narrow for their titles."""
        super().resizeEvent(event)
        self._arrange()

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
        words = tr("Measured on {cases}. Research use only, not for diagnosis.", cases=say(evaluation.measured_on))
        notes = () if self._cross is None else self._cross.notes
        self.about.setText("\n".join((words, *(say(note) for note in notes))))
        self._draw()
        self._fill_figures()
        self._fill_groups()
        self.matrix.show_counts(evaluation)
        wrong = evaluation.mistakes
        self.mistakes_title.setText(tr("Mistakes, the surest first: {count}", count=whole(len(wrong))))
        self.mistakes.clear()
        for case in wrong:
            said = tr("false negative") if case.is_finding else tr("false positive")
            item = QListWidgetItem(f"{case.id}  p {number(case.probability, 2)}  {said}", self.mistakes)
            item.setData(ID, case.id)

    def _arrange(self) -> None:
        columns = len(PLOTS) if self.width() >= ONE_ROW_PX else len(PLOTS) // 2
        if self._columns == columns or not self.plots:
            return
        self._columns = columns
        for place, plot in enumerate(self.plots.values()):
            self._grid.addWidget(plot, *divmod(place, columns))
        for place in range(len(PLOTS)):
            self._grid.setColumnStretch(place, int(place < columns))

    def _fill_figures(self) -> None:
        heads = [tr("Figure"), tr("Value"), tr("95 % interval")]
        folds: dict[str, FoldFigure] = {}
        if self._cross is not None:
            folds = {row.name: row for row in self._cross.per_fold}
            heads = [tr("Figure"), tr("All folds together"), tr("95 % interval"), tr("Mean ± SD of folds")]
            heads += [whole(fold) for fold in range(1, self._cross.folds + 1)]
        rows = []
        for figure in self._evaluation.figures:
            interval = ""
            if figure.low is not None and figure.high is not None:
                interval = f"{number(figure.low, 3)} … {number(figure.high, 3)}"
            cells = [say(figure.name), number(figure.value, 3), interval]
            if self._cross is not None:
                cells += _fold_cells(folds.get(figure.name), self._cross)
            rows.append([*cells, say(figure.method)])
        area = self._evaluation.average_precision
        if area is not None:
            blank = [""] * (len(heads) - 2)
            rows.append([tr("average precision"), number(area, 3), *blank, ""])
        _fill(self.figures, [*heads, tr("Method")], rows, texts=(0, len(heads)))

    def _fill_groups(self) -> None:
        groups = (*self._evaluation.by_class, *self._evaluation.by_vendor)
        names = list(dict.fromkeys(figure.name for group in groups for figure in group.figures))
        self.groups_title.setText(tr("By class and by maker of the detector"))
        rows = []
        for group in groups:
            by_name = {figure.name: figure for figure in group.figures}
            values = [number(by_name[name].value, 3) if name in by_name else "" for name in names]
            rows.append([say(group.name) or tr("not known"), whole(group.cases), *values])
        _fill(self.groups, [tr("Group"), tr("Cases"), *(say(name) for name in names)], rows, texts=(0,))

    def _draw(self) -> None:
        colours, evaluation = theme.colours(), self._evaluation
        line, diagonal = pg.mkPen(colours.data[0], width=2), pg.mkPen(colours.line, style=Qt.PenStyle.DashLine)
        texts = {
            "roc": (tr("ROC"), tr("1 − specificity"), tr("Sensitivity")),
            "pr": (tr("Precision and recall"), tr("Recall"), tr("Precision")),
            "calibration": (tr("Calibration"), tr("Stated probability"), tr("Observed share")),
            "risk": (tr("Risk and coverage"), tr("Share of cases answered"), tr("Errors, %")),
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
                axis.enableAutoSIPrefix(False)
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
        self._draw_risk(line, dot)

    def _draw_risk(self, line: object, dot: Mapping[str, object]) -> None:
        """The curve, and where the model stands with the limits of its card."""
        evaluation, plot = self._evaluation, self.plots["risk"]
        points = risk_coverage(evaluation.cases, evaluation.threshold)
        plot.plot([coverage for coverage, _ in points], [100 * risk for _, risk in points], pen=line)
        now = answered(evaluation.cases)
        if now is not None:
            plot.plot([now[0]], [100 * now[1]], **dot)
        plot.setYRange(0, max(10.0, *(110 * risk for _, risk in points)), padding=0)


class ConfusionMatrix(QWidget):
    """Four counts: rows are the truth, columns what the model said."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP_S)
        self.cells = {(row, column): QLabel(self) for row in range(3) for column in range(3) if (row, column) != (0, 0)}
        for (row, column), label in self.cells.items():
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(not (row and column))
            if column:
                label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            if not (row and column):
                label.setObjectName("muted")
            self._grid.addWidget(label, row, column)
        for column in range(3):
            self._grid.setColumnStretch(column, 1)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Not in Qt's way: a layout takes from others then what their least height is."""
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As high as words need that wrap."""
        super().resizeEvent(event)
        self.setMinimumHeight(self._grid.heightForWidth(event.size().width()))

    def show_counts(self, evaluation: Evaluation) -> None:
        """Show these decisions."""
        without, finding = (say(name) for name in evaluation.classes)
        tp, fn, tn, fp = evaluation.counts
        colours = theme.colours()
        texts = {
            (0, 1): tr("said: {what}", what=finding), (0, 2): tr("said: {what}", what=without),
            (1, 0): finding, (2, 0): without,
            (1, 1): whole(tp), (1, 2): whole(fn), (2, 1): whole(fp), (2, 2): whole(tn),
        }  # fmt: skip
        for place, words in texts.items():
            self.cells[place].setText(words)
            if min(place):
                is_right = place[0] == place[1]
                surface = colours.info_surface if is_right else colours.danger_surface
                self.cells[place].setStyleSheet(
                    f"background: {surface}; color: {colours.text}; font-size: {theme.TEXT_L}px; "
                    f"border-radius: {GAP_S}px; padding: {GAP_S}px;"
                )


def _fold_cells(row: FoldFigure | None, cross: CrossEvaluation) -> list[str]:
    if row is None:
        return [""] * (1 + cross.folds)
    spread = "" if row.sd is None else f" ± {number(row.sd, 3)}"
    return [f"{number(row.mean, 3)}{spread}", *("–" if each is None else number(each, 3) for each in row.folds)]


def _fill(table: QTableWidget, heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: tuple[int, ...]) -> None:
    """Fill a table; columns that are not `texts` hold numbers."""
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    table.setColumnCount(len(heads))
    table.setRowCount(len(rows))
    for column, words in enumerate(heads):
        item = QTableWidgetItem(words)
        item.setTextAlignment(left if column in texts else right)
        table.setHorizontalHeaderItem(column, item)
        for row, cells in enumerate(rows):
            cell = QTableWidgetItem(cells[column])
            cell.setTextAlignment(left if column in texts else right)
            cell.setToolTip(cells[column])
            table.setItem(row, column, cell)
    head = table.horizontalHeader()
    head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    head.setStretchLastSection(True)
