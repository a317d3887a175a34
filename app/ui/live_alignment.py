"""What a model says about the crop while the two clicks are dragged: one question at a time, and the latest wins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTemporaryDir
from PySide6.QtGui import QImage

from app.core.case import ViewRole
from app.core.engine_messages import Failed, Predict, Result, ViewInput
from app.core.finding import Consultation, ConsultationState, Verdict, finding_probability, verdict
from app.core.heatmap import coloured
from app.core.model_card import ModelCard
from app.core.model_input import InputKind, ViewGeometry, input_crop
from app.ui.crop_opinion import CropOpinion
from app.ui.crop_panel import CropPanel
from app.ui.drawing_board import DrawingBoard
from app.ui.engine import Engine
from app.ui.heat_board import HeatLook
from app.ui.language import say, tr
from app.ui.viewer import Viewer

METHOD = "grad-cam"
CHANNEL = "alignment"
ROLES = {"frontal": ViewRole.FRONTAL, "lateral": ViewRole.LATERAL}
HEAT_PX = 256
SHOWN_BY_ITSELF = (Verdict.FOUND, Verdict.ABSTAINS)  # a negative is given no heatmap


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What was asked, or would be."""

    case_id: str
    card: ModelCard
    folder: str
    views: tuple[ViewInput, ...]
    number: int  # of the view on show among them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Answer:
    question: _Question
    probabilities: tuple[float, ...]
    distance: float | None
    heat: QImage | None


class LiveAlignment(QObject):
    """Follows the drawing of an alignment.

    Args:
        engine: who computes.
        viewer: the images.
        board: what is drawn on them.
        panel: where the crop is shown.
    """

    def __init__(self, engine: Engine, viewer: Viewer, board: DrawingBoard, panel: CropPanel) -> None:
        super().__init__(panel)
        self._engine, self._viewer, self._board, self._panel = engine, viewer, board, panel
        self._folder = QTemporaryDir()  # its files are read once
        self._asked: dict[int, _Question] = {}
        self._next: _Question | None = None
        self._answer: _Answer | None = None
        self._failure: tuple[_Question, str] | None = None
        self._is_heatmap_shown = True
        engine.replied.connect(self._on_reply)
        board.previewed.connect(lambda _: self.refresh())
        viewer.swapped.connect(lambda _: self.refresh())
        viewer.active_changed.connect(self.refresh)

    def close(self) -> None:
        """Leave no files behind."""
        self._next = None
        self._asked.clear()
        self._folder.remove()

    def set_heatmap_shown(self, is_shown: bool) -> None:
        """Show or hide the heatmap over the crop."""
        self._is_heatmap_shown = is_shown
        self.refresh()

    def refresh(self) -> None:
        """Show what is known about the crop as it is drawn now, and ask for what is not."""
        entry = self._entry()
        if entry is None or not self._panel.isVisible():
            self._next = None
            self._panel.show_opinion(None)
            return
        question = self._question(entry)
        if question is None:
            self._next = None
            self._panel.show_opinion(None)
            return
        self._panel.show_opinion(self._opinion(entry, question))

    # --- what is looked at ---

    def _entry(self) -> Consultation | None:
        """The model that looks at crops of the active view."""
        content, place = self._viewer.content, self._viewer.active_place
        if content is None or not self._viewer.is_settled or place.name not in ROLES:
            return None
        for entry in self._engine.consultations(content.case.id):
            wanted = entry.card.input
            if wanted.kind is InputKind.ALIGNED_CROP and ROLES[place.name] in wanted.roles:
                return entry
        return None

    def _question(self, entry: Consultation) -> _Question | None:
        """What the model would be fed of the drawing; None while a click is missing."""
        card, views = entry.card, []
        by_role = {ROLES[place.name]: place for place in self._viewer.places if place.name in ROLES}
        for role in card.input.roles:
            place = by_role[role]
            drawing = self._board.on(place.pane)
            if place.image is None or place.case is None or drawing is None or drawing.alignment is None:
                return None
            geometry = ViewGeometry(
                rows=drawing.rows,
                cols=drawing.cols,
                spacing=drawing.spacing,
                side=place.case.side,
                alignment=drawing.alignment,
            )
            cut = input_crop(card.input, geometry)
            if cut is None:
                return None
            key = place.image.key
            views.append(ViewInput(image_sha256=key.sha256, grey=key.grey, voi=place.image.auto, cut=cut))
        return _Question(
            case_id=entry.case_id,
            card=card,
            folder=entry.folder,
            views=tuple(views),
            number=card.input.roles.index(ROLES[self._viewer.active_place.name]),
        )

    def _opinion(self, entry: Consultation, question: _Question) -> CropOpinion:
        automated = self._automated(entry)
        answer, cut = self._answer, question.views[question.number].cut
        if self._failure is not None and self._failure[0] == question:
            return CropOpinion(card=entry.card, failure=self._failure[1], automated=automated, cut=cut)
        is_same_model = answer is not None and (answer.question.case_id, answer.question.card,
                                                answer.question.number) == (
            question.case_id, question.card, question.number)  # fmt: skip
        is_current = answer is not None and answer.question == question
        if not is_current:
            self._want(question)
        if answer is None or not is_same_model:
            return CropOpinion(card=entry.card, automated=automated, cut=cut)
        found = verdict(entry.card, answer.probabilities, answer.distance)
        return CropOpinion(
            card=entry.card,
            probabilities=answer.probabilities,
            distance=answer.distance,
            automated=automated,
            heat=answer.heat if self._is_heatmap_shown and found in SHOWN_BY_ITSELF else None,
            cut=answer.question.views[question.number].cut,
            mark="" if entry.card.is_heatmap_validated else tr("heatmap not validated"),
        )

    def _automated(self, entry: Consultation) -> float | None:
        """What a model of whole views says about the same finding (paper 004: the automated pathway)."""
        for other in self._engine.consultations(entry.case_id):
            card = other.card
            if (
                card.input.kind is InputKind.WHOLE_VIEW
                and card.classes == entry.card.classes
                and card.finding == entry.card.finding
                and other.state is ConsultationState.ANSWERED
                and other.finding is not None
            ):
                return finding_probability(card, other.finding.probabilities)
        return None

    # --- asking ---

    def _want(self, question: _Question) -> None:
        """Ask, as soon as the question before it is answered; only the latest one is."""
        if question in self._asked.values():
            self._next = None
            return
        self._next = question
        if not self._asked:
            self._ask_next()

    def _ask_next(self) -> None:
        question, self._next = self._next, None
        if question is None:
            return
        folder = self._folder.path() if self._folder.isValid() else ""
        request = Predict(
            job=0,
            model=question.folder,
            images="",
            views=question.views,
            heatmap_method=METHOD if folder else "",
            heatmap_class=question.card.finding,
            heatmaps=folder,
        )
        ticket = self._engine.ask(request, card=question.card, channel=CHANNEL)
        if ticket:
            self._asked = {ticket: question}

    def _on_reply(self, ticket: int, reply: Result | Failed) -> None:
        question = self._asked.pop(ticket, None)
        if question is None:
            return
        if isinstance(reply, Failed):
            self._failure = (question, say(reply.title))
        else:
            self._failure = None
            self._answer = _Answer(
                question=question,
                probabilities=reply.probabilities,
                distance=reply.distance,
                heat=_heat(reply.heatmaps, question),
            )
        self._ask_next()
        self.refresh()


def _heat(files: tuple[str, ...], question: _Question) -> QImage | None:
    """The heatmap of the view on show, coloured; its files are removed."""
    if len(files) <= question.number:
        return None
    try:
        heatmap = np.load(files[question.number], allow_pickle=False)
        for name in files:
            Path(name).unlink(missing_ok=True)
    except (OSError, ValueError, EOFError):
        return None
    if heatmap.ndim != 2 or heatmap.dtype != np.float32:
        return None
    look = HeatLook()
    rgba = coloured(
        heatmap, scale=question.card.heatmap_scale, threshold=look.threshold, opacity=look.opacity, size_px=HEAT_PX
    )
    picture = QImage(rgba.data, HEAT_PX, HEAT_PX, 4 * HEAT_PX, QImage.Format.Format_RGBA8888)
    return picture.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
