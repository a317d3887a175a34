"""The export panel: choices, a preview that follows them, and the button that writes the data set."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import UserError
from app.core.export_plan import ExportPreview, LeftOut
from app.ui.export_form import ExportForm
from app.ui.export_words import file_rows, leak_words, left_out_rows, note_words, part_rows, size_words, summary_of
from app.ui.language import say, tr
from app.ui.theme import GAP_M, GAP_S

WIDTH_PX, LEAST_PX = 420, 240  # what it likes to have, and its least in a narrow window
PREVIEW_SHARE = 0.45  # of the panel's height, at most
SCROLL_BAR_PX = 14
PAUSE_MS = 250


class ExportPanel(QWidget):
    """Choices above, preview below.

    Signals:
        preview_wanted: something else is chosen: look what it comes to.
        export_wanted: write it.
        review_wanted: look at the radiographs that may hold text.
    """

    preview_wanted = Signal()
    export_wanted = Signal()
    review_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._preview: ExportPreview | None = None
        self._problem: UserError | None = None
        self._is_busy = False
        self.form = ExportForm(self)
        self._card = QWidget(self)
        self._card.setObjectName("sheet")
        self._lines = QVBoxLayout(self._card)
        self._lines.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        self._lines.setSpacing(GAP_S)
        self.review = QPushButton(self)
        self.review.clicked.connect(self.review_wanted)
        self.go = QPushButton(self)
        self.go.setObjectName("primary")
        self.go.clicked.connect(self.export_wanted)
        sheet = QWidget(self)
        sheet.setObjectName("sheet")
        layout = QVBoxLayout(sheet)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.form)
        layout.addStretch(1)
        area, self._area = QScrollArea(self), QScrollArea(self)
        self.setMinimumWidth(LEAST_PX)  # below what the choices need, they alone scroll
        for each, content in ((area, sheet), (self._area, self._card)):
            each.setWidgetResizable(True)
            each.setFrameShape(QScrollArea.Shape.NoFrame)
            each.setWidget(content)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setObjectName("job")  # a line above it
        foot = QHBoxLayout()
        foot.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_M)
        foot.addWidget(self.review)
        foot.addStretch(1)
        foot.addWidget(self.go)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(area, 1)
        outer.addWidget(self._area)
        outer.addLayout(foot)
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.preview_wanted)
        self.form.changed.connect(self.ask)
        self.retranslate()

    @property
    def can_export(self) -> bool:
        """Whether what is chosen can be written as it stands."""
        preview = self._preview
        is_leaking = preview is not None and bool(preview.leaks) and not self.form.leaks.isChecked()
        return preview is not None and preview.cases > 0 and not is_leaking and not self._is_busy

    @property
    def is_asking(self) -> bool:
        """Whether a preview is about to be asked for, or is being made."""
        return self._pause.isActive() or (self._preview is None and self._problem is None)

    def minimumSizeHint(self) -> QSize:
        """As wide as the choices, where the window is: nothing is cut off."""
        return QSize(self.form.comfort_px + 2 * GAP_M + SCROLL_BAR_PX, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Wide enough for two columns of choices."""
        return QSize(WIDTH_PX, 560)

    def ask(self) -> None:
        """Something else is chosen; the preview follows in a moment."""
        self._preview, self._problem = None, None
        self._show()
        self._pause.start()

    def stop(self) -> None:
        """No preview any more."""
        self._pause.stop()

    def show_preview(self, preview: ExportPreview) -> None:
        """Show what it comes to."""
        self._preview, self._problem = preview, None
        self._show()

    def show_problem(self, problem: UserError) -> None:
        """What is chosen cannot be exported, for this reason."""
        self._preview, self._problem = None, problem
        self._show()

    def set_busy(self, *, is_busy: bool) -> None:
        """A data set is being written: one at a time."""
        self._is_busy = is_busy
        self.go.setEnabled(self.can_export)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Room for the preview, as far as there is."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        self.go.setText(tr("Export"))
        self.review.setText(tr("Look at them now"))
        self.form.retranslate()  # its width is wanted now, and it hears of another language later
        self.updateGeometry()
        self.review.setToolTip(tr("Go through the radiographs that may hold text in their pixels"))
        self._show()

    @property
    def text(self) -> str:
        """What the preview says, for tests and screen readers."""
        return "\n".join(label.text() for label in self._card.findChildren(QLabel))

    def _fit(self) -> None:
        """The preview is always in sight, as high as it needs, and never takes more than its share."""
        width = max(self.width() - 2 * GAP_M - SCROLL_BAR_PX, 1)
        needed = 2 * GAP_M
        for number in range(self._lines.count()):
            item = self._lines.itemAt(number)
            if item is not None:
                wanted = item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
                needed += wanted + self._lines.spacing()
        self._area.setFixedHeight(min(needed, round(self.height() * PREVIEW_SHARE)))

    def _show(self) -> None:
        self._fill()
        self._fit()

    def _fill(self) -> None:
        while self._lines.count():
            item = self._lines.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        preview, problem = self._preview, self._problem
        has_waiting = preview is not None and bool(preview.left_out.get(LeftOut.WAITING))
        self.review.setVisible(has_waiting)
        self.go.setEnabled(self.can_export)
        if problem is not None:
            self._line(say(problem.title), "strong")
            self._line(" ".join(filter(None, (say(problem.reason), say(problem.remedy)))), "caution")
            return
        if preview is None:
            self._line(tr("Looking what it comes to"), "muted")
            return
        self._line(summary_of(preview), "strong")
        self._line(size_words(preview.pixel_bytes), "note")
        self._rows("", part_rows(preview))
        if preview.leaks:
            self._line(leak_words(preview.leaks), "dispute")
            for leak in preview.leaks[:5]:
                self._line(str(leak), "note")
        elif len(preview.parts) > 1:
            self._line(tr("No patient and no image is in two parts."), "note")
        self._rows(tr("Files"), file_rows(preview))
        self._rows(tr("Left out"), left_out_rows(preview))
        for note in note_words(preview):
            self._line(note, "small_caution")

    def _line(self, words: str, kind: str) -> None:
        label = QLabel(words, self._card)
        label.setObjectName(kind)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        self._lines.addWidget(label)
        label.show()  # else it has no height yet

    def _rows(self, title: str, rows: list[tuple[str, str]]) -> None:
        if not rows:
            return
        if title:
            self._line(title, "muted")
        place = QWidget(self._card)
        grid = QGridLayout(place)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_M)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        for number, (what, count) in enumerate(rows):
            left, right = QLabel(what, place), QLabel(count, place)
            left.setWordWrap(True)
            right.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            for label in (left, right):
                label.setTextFormat(Qt.TextFormat.PlainText)
            grid.addWidget(left, number, 0)
            grid.addWidget(right, number, 1)
        self._lines.addWidget(place)
        place.show()
