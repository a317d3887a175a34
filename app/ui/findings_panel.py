"""What models say about the case on the screen, one beside the other; opinions, told apart from labels at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.finding import Consultation
from app.ui.ablation_strip import Ablation
from app.ui.finding_row import FindingRow
from app.ui.finding_words import GAP_COMMANDS
from app.ui.heat_controls import HeatControls
from app.ui.language import tr
from app.ui.theme import GAP_M, GAP_S

WIDTH_PX = 290


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView:
    """What the panel shows.

    Args:
        consultations: one for each model, in the order of the project.
        active: id of the model whose heatmap is on the images; empty = none.
        ablation: what the active model makes of each view alone; None while nobody wants to know.
        silence: why there is nothing: no case, no models, the case is read blinded; empty where there is something.
        engine_note: what the engine has to say about itself: it starts, it cannot work here; empty while all is well.
    """

    consultations: tuple[Consultation, ...] = ()
    active: str = ""
    ablation: Ablation | None = None
    silence: str = ""
    engine_note: str = ""


class FindingsPanel(QWidget):
    """Rows of models, and how their heatmaps are painted.

    Signals:
        chosen: id of the model whose heatmap is wanted.
        card_wanted: id of the model whose card is wanted.
        command_wanted: id of a command that fills a gap.
        retry_wanted: ask the models about this case again.
        ablation_wanted: id of the model, and whether each view alone shall be shown.
    """

    chosen = Signal(str)
    card_wanted = Signal(str)
    command_wanted = Signal(str)
    retry_wanted = Signal()
    ablation_wanted = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("worklist")  # a panel's surface
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._view = PanelView()
        self._keys: Mapping[str, str] = {}
        self.rows: list[FindingRow] = []
        self.mark = QLabel(self)
        self.mark.setObjectName("caption")
        self.mark.setWordWrap(True)
        self.mark.setContentsMargins(GAP_M, GAP_S, GAP_M, GAP_S)
        self.note = QLabel(self)
        self.note.setObjectName("small_caution")
        self.note.setWordWrap(True)
        self.note.setContentsMargins(GAP_M, 0, GAP_M, GAP_S)
        self.silence = QLabel(self)
        self.silence.setObjectName("muted")
        self.silence.setWordWrap(True)
        self.silence.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.silence.setContentsMargins(GAP_M, GAP_M, GAP_M, GAP_M)
        inner = QWidget(self)
        inner.setObjectName("findings")
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._column.addWidget(self.silence)
        self._column.addStretch(1)
        self.area = QScrollArea(self)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(inner)
        self.area.viewport().setAutoFillBackground(False)
        self.heat = HeatControls(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.mark)
        layout.addWidget(self.note)
        layout.addWidget(self.area, 1)
        layout.addWidget(self.heat)
        self.setMinimumHeight(200)
        self.show_view(self._view)

    @property
    def view(self) -> PanelView:
        """What is on show."""
        return self._view

    def sizeHint(self) -> QSize:
        """Room for two models."""
        return QSize(WIDTH_PX, 420)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Keys of commands, by id, as they are written on the keyboard."""
        self._keys = keys
        self.heat.set_key(keys.get("show_heatmap", ""))
        self.show_view(self._view)

    def show_view(self, view: PanelView) -> None:
        """Show what models say; rows are kept, so that nothing flickers while answers arrive."""
        self._view = view
        self.mark.setText(tr("Opinions, never labels · research only"))
        self.note.setText(view.engine_note)
        self.note.setVisible(bool(view.engine_note))
        self.silence.setText(view.silence)
        self.silence.setVisible(bool(view.silence))
        self._make_rows(len(view.consultations) if not view.silence else 0)
        for row, consultation in zip(self.rows, view.consultations, strict=False):
            is_active = consultation.card.id == view.active
            command = GAP_COMMANDS[consultation.gap][0] if consultation.gap in GAP_COMMANDS else ""
            row.show_consultation(
                consultation,
                is_active=is_active,
                key_text=self._keys.get(command, ""),
                ablation=view.ablation if is_active else None,
            )
        self.heat.setVisible(bool(self.rows))

    def row(self, model_id: str) -> FindingRow | None:
        """The row of a model."""
        return next((row for row in self.rows if row.consultation and row.consultation.card.id == model_id), None)

    def changeEvent(self, event: QEvent) -> None:
        """Another language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.show_view(self._view)

    def _make_rows(self, count: int) -> None:
        while len(self.rows) > count:
            row = self.rows.pop()
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        while len(self.rows) < count:
            self.rows.append(row := FindingRow(self))
            self._column.insertWidget(self._column.count() - 1, row)
            row.show()  # at once, not with the next turn of the event loop
            row.chosen.connect(lambda row=row: self._tell(row, self.chosen))
            row.card_wanted.connect(lambda row=row: self._tell(row, self.card_wanted))
            row.command_wanted.connect(self.command_wanted)
            row.retry_wanted.connect(self.retry_wanted)
            row.ablation_wanted.connect(lambda is_on, row=row: self._tell(row, self.ablation_wanted, is_on))

    def _tell(self, row: FindingRow, signal: SignalInstance, *values: object) -> None:
        if row.consultation is not None:
            signal.emit(row.consultation.card.id, *values)
