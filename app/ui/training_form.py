"""What is to be trained, as somebody chooses it, and what that comes to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors import UserError
from app.core.training_presets import presets_for, protocol_for
from app.core.training_proposal import Protocol, Start
from app.ui.fields import ChoiceBox, NumberBox
from app.ui.language import say, tr, trn
from app.ui.theme import GAP_M, GAP_S
from app.ui.training_words import (
    PRESETS,
    PROTOCOLS,
    STARTS,
    duration_words,
    split_rows,
    takes_part_words,
    unfit_rows,
)

if TYPE_CHECKING:
    from app.core.networks import Network
    from app.core.training_task import TrainingTask
    from app.store.training_setup import TrainingSetup, TrainingWish

DEVICES = ("auto", "cpu", "cuda")
MOST_EPOCHS = 1000
FIELD_PX = 90  # at least; the panel may be narrow


class TrainingForm(QWidget):
    """Choices above, what they come to below.

    Signals:
        changed: something else is chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = ("task", "network", "start", "preset", "protocol", "epochs", "device")
        self.words = {name: QLabel(self) for name in self._names}
        self.boxes = {name: ChoiceBox(self) for name in self._names if name != "epochs"}
        self.epochs = NumberBox(self)
        self.epochs.setRange(0, MOST_EPOCHS)
        self._tasks: tuple[TrainingTask, ...] = ()
        self._networks: tuple[Network, ...] = ()
        self._file: Path | None = None
        self._setup: TrainingSetup | None = None
        self._problem: UserError | None = None
        self._seconds: float | None = None
        grid = QGridLayout()
        grid.setHorizontalSpacing(GAP_M)
        grid.setVerticalSpacing(GAP_S)
        grid.setColumnStretch(1, 1)
        for row, name in enumerate(self._names):
            field = self.epochs if name == "epochs" else self.boxes[name]
            self.words[name].setBuddy(field)
            self.words[name].setObjectName("muted")
            field.setSizePolicy(field.sizePolicy().Policy.Expanding, field.sizePolicy().Policy.Fixed)
            field.setMinimumWidth(FIELD_PX)
            grid.addWidget(self.words[name], row, 0)
            grid.addWidget(field, row, 1)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(GAP_S)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        layout.setSpacing(GAP_M)
        layout.addLayout(grid)
        layout.addLayout(self._lines)
        layout.addStretch(1)
        for name, box in self.boxes.items():
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.activated.connect(lambda _, name=name: self._on_chosen(name))
        self.epochs.valueChanged.connect(lambda _: self.changed.emit())
        self.retranslate()

    @property
    def comfort_px(self) -> int:
        """Width in which all of the number of epochs can be read, logical px; choices end in dots."""
        words_px = max(label.sizeHint().width() for label in self.words.values())
        return words_px + self.epochs.sizeHint().width() + 3 * GAP_M

    # --- what is chosen ---

    def wish(self) -> TrainingWish:
        """What is chosen; before the first choices are known, everything as it is proposed."""
        from app.store.training_setup import TrainingWish

        start = self.boxes["start"].currentData()
        return TrainingWish(
            task=self.boxes["task"].currentData() or "",
            network=self.boxes["network"].currentData() or "",
            preset=self.boxes["preset"].currentData() or "quick",
            start=None if not start else Start(start),
            start_file=self._file,
            protocol=Protocol(self.boxes["protocol"].currentData() or Protocol.HOLD_OUT.value),
            epochs=self.epochs.value(),
        )

    @property
    def device(self) -> str:
        """What to compute on."""
        return str(self.boxes["device"].currentData() or "auto")

    @property
    def setup(self) -> TrainingSetup | None:
        """What the choices come to; None while that is being worked out, and where it is refused."""
        return self._setup

    @property
    def text(self) -> str:
        """What is said below the choices, for tests and screen readers."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if label not in self.words.values())

    # --- what is shown ---

    def forget(self) -> None:
        """Another project: its own questions are not known yet."""
        self._tasks, self._networks, self._file = (), (), None
        for name in ("task", "network", "start", "preset"):
            self.boxes[name].clear()
        self.wait()

    def wait(self) -> None:
        """It is being worked out."""
        self._setup, self._problem = None, None
        self._fill()

    def show_choices(self, tasks: tuple[TrainingTask, ...], networks: tuple[Network, ...]) -> None:
        """What there is to choose from in this project."""
        if (tasks, networks) != (self._tasks, self._networks):
            self._tasks, self._networks = tasks, networks
            self._fill_boxes()

    def show_setup(self, setup: TrainingSetup) -> None:
        """What the choices come to; what was left open is chosen now."""
        self._setup, self._problem, self._seconds = setup, None, None
        request = setup.proposal.request
        self._choose("task", request.task.field)
        self._choose("network", request.network.id)
        self._fill_presets(request.network.id)
        self._choose("preset", request.preset)
        self._choose("start", request.start.value)
        self._choose("protocol", request.protocol.value)
        self._fill()

    def show_problem(self, problem: UserError) -> None:
        """What is chosen cannot be trained, for this reason."""
        self._setup, self._problem = None, problem
        for name in ("task", "network"):  # what would be proposed, so that something else can be chosen
            if self.boxes[name].currentIndex() < 0 and self.boxes[name].count():
                self._choose(name, str(self.boxes[name].itemData(0)))
        self._fill_presets(str(self.boxes["network"].currentData() or ""))
        self._fill()

    def show_estimate(self, seconds: float) -> None:
        """How long all epochs of a run take."""
        self._seconds = seconds
        self._fill()

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything anew."""
        texts = {
            "task": tr("Question"), "network": tr("Network"), "start": tr("Begins with"), "preset": tr("Preset"),
            "protocol": tr("Divided"), "epochs": tr("Epochs"), "device": tr("Computes on"),
        }  # fmt: skip
        for name, text in texts.items():
            self.words[name].setText(text)
        self.boxes["start"].setPlaceholderText(tr("As proposed"))
        self.epochs.setSpecialValueText(tr("As the preset says"))
        self.boxes["protocol"].setToolTip(
            tr("Frozen hold-out: the same patients judge every model of this project. Folds: every case tests once.")
        )
        self._fill_boxes()
        self._fill()

    def _on_chosen(self, name: str) -> None:
        if name == "start" and self.boxes["start"].currentData() == Start.FILE.value:
            path, _ = QFileDialog.getOpenFileName(
                self, tr("Choose the weights to begin with"), "", tr("Weights (*.safetensors)")
            )
            if not path:
                self._choose("start", Start.SCRATCH.value)
            self._file = Path(path) if path else None
        if name in ("task", "network"):  # other weights fit, and other presets
            self.boxes["start"].setCurrentIndex(-1)
        if name == "network":
            self._fill_presets(str(self.boxes["network"].currentData()))
        if name in ("network", "preset"):  # a paper divides in its own way
            network, preset = (str(self.boxes[each].currentData() or "") for each in ("network", "preset"))
            self._choose("protocol", protocol_for(network, preset))
        self.changed.emit()

    def _fill_boxes(self) -> None:
        self._refill("task", [(say(task.text), task.field) for task in self._tasks])
        self._refill("network", [(network.title, network.id) for network in self._networks])
        self._refill("start", [(tr(text), start.value) for start, text in STARTS.items()])
        self._refill("protocol", [(tr(text), protocol.value) for protocol, text in PROTOCOLS.items()])
        names = {"auto": tr("Automatic"), "cpu": tr("CPU"), "cuda": tr("GPU (CUDA)")}
        self._refill("device", [(names[name], name) for name in DEVICES])
        self._fill_presets(str(self.boxes["network"].currentData() or ""))
        for name in ("protocol", "device"):
            if self.boxes[name].currentIndex() < 0:
                self.boxes[name].setCurrentIndex(0)

    def _fill_presets(self, network: str) -> None:
        names = ("quick", *(name for name in presets_for(network) if name != "quick")) if network else ()
        self._refill("preset", [(tr(PRESETS.get(name, name)), name) for name in names])
        if self.boxes["preset"].currentIndex() < 0 and names:
            self.boxes["preset"].setCurrentIndex(0)

    def _refill(self, name: str, entries: list[tuple[str, str]]) -> None:
        box = self.boxes[name]
        chosen = box.currentData()
        with QSignalBlocker(box):
            box.clear()
            for text, data in entries:
                box.addItem(text, data)
            box.setCurrentIndex(box.findData(chosen) if chosen is not None else -1)

    def _choose(self, name: str, data: str) -> None:
        box = self.boxes[name]
        with QSignalBlocker(box):
            box.setCurrentIndex(box.findData(data))

    def _fill(self) -> None:
        while self._lines.count():
            item = self._lines.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        if self._problem is not None:
            self._line(say(self._problem.title), "strong")
            self._line(" ".join(filter(None, (say(self._problem.reason), say(self._problem.remedy)))), "caution")
            return
        if self._setup is None:
            self._line(tr("Looking who takes part"), "muted")
            return
        proposal = self._setup.proposal
        self._line(takes_part_words(proposal), "strong")
        self._table(split_rows(proposal))
        if len(proposal.folds) > 1:
            self._line(tr("This is the first of {count} folds.", count=len(proposal.folds)), "note")
        rows = unfit_rows(proposal)
        if rows:
            self._line(tr("Not taking part"), "muted")
            self._table([(words, count) for _, words, count in rows])
        if proposal.drawn_hold_out:
            patients = trn("1 patient", "{count} patients", len(proposal.drawn_hold_out))
            self._line(tr("{patients} will be held out for good, to judge every model.", patients=patients), "note")
        for note in proposal.notes:
            self._line(say(note), "small_caution")
        if self._seconds is not None:
            self._line(tr("About {time} on this machine.", time=duration_words(self._seconds)), "note")

    def _line(self, words: str, kind: str) -> None:
        label = QLabel(words, self)
        label.setObjectName(kind)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        self._lines.addWidget(label)

    def _table(self, rows: list[tuple[str, ...]]) -> None:
        place = QWidget(self)
        grid = QGridLayout(place)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_M)
        grid.setVerticalSpacing(GAP_S)
        grid.setColumnStretch(0, 1)
        for row, cells in enumerate(rows):
            for column, words in enumerate(cells):
                label = QLabel(words, place)
                label.setTextFormat(Qt.TextFormat.PlainText)
                label.setWordWrap(column == 0 or row == 0)
                if column:
                    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
                if row == 0 and len(cells) > 2:
                    label.setObjectName("muted")
                grid.addWidget(label, row, column)
        self._lines.addWidget(place)
