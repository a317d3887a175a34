"""Asks a model of two views what it makes of each view alone: two more passes, kept while the window is open."""

from __future__ import annotations

from collections import OrderedDict

import msgspec
from PySide6.QtCore import QObject, Signal

from app.core.case import ViewRole
from app.core.engine_messages import Failed, Predict, Result
from app.core.finding import Consultation, Verdict, finding_probability
from app.ui.ablation_strip import Ablation
from app.ui.engine import Engine
from app.ui.language import say

KEPT = 256  # opinions whose parts are at hand
PARTS = {ViewRole.FRONTAL: "frontal", ViewRole.LATERAL: "lateral"}

Key = tuple[str, str]


class AblationAsking(QObject):
    """View ablations of the present project.

    Args:
        engine: who computes.

    Signals:
        answered: something is known that was not.
    """

    answered = Signal()

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._known: OrderedDict[Key, dict[str, float]] = OrderedDict()
        self._failed: dict[Key, str] = {}
        self._asked: dict[int, tuple[Key, str, int]] = {}
        engine.replied.connect(self._on_reply)

    def forget(self) -> None:
        """Another project."""
        self._known.clear()
        self._failed.clear()
        self._asked.clear()

    def of(self, consultation: Consultation) -> Ablation | None:
        """What is known; asks for the rest. None for a model of one view, and where there is no answer.

        Args:
            consultation: of the case on the screen.
        """
        finding = consultation.finding
        is_paired = {view.role for view in consultation.views} == set(PARTS)
        if finding is None or not is_paired or consultation.verdict is Verdict.OUTSIDE:
            return None
        card = consultation.card
        key = (card.weights_sha256, consultation.input_key)
        parts = self._known.setdefault(key, {})
        self._known.move_to_end(key)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        failure = self._failed.get(key, "")
        pending = {part for known, part, _ in self._asked.values() if known == key}
        for role, part in PARTS.items():
            if part not in parts and part not in pending and not failure:
                self._ask(consultation, key, role, part)
        return Ablation(
            frontal=parts.get("frontal"),
            lateral=parts.get("lateral"),
            pair=finding_probability(card, finding.probabilities),
            failure=failure,
        )

    def try_again(self) -> None:
        """Ask again where that has failed."""
        self._failed.clear()

    def _ask(self, consultation: Consultation, key: Key, role: ViewRole, part: str) -> None:
        views = tuple(
            view.given if view.role is role else msgspec.structs.replace(view.given, is_blank=True)
            for view in consultation.views
        )
        request = Predict(job=0, model=consultation.folder, images="", views=views)
        ticket = self._engine.ask(request, card=consultation.card, channel=f"ablation-{part}")
        self._asked = {known: entry for known, entry in self._asked.items() if entry[1] != part}  # superseded
        self._asked[ticket] = (key, part, consultation.card.finding)

    def _on_reply(self, ticket: int, reply: Result | Failed) -> None:
        entry = self._asked.pop(ticket, None)
        if entry is None:
            return
        key, part, finding = entry
        if isinstance(reply, Failed):
            self._failed[key] = say(reply.title)
        else:
            shares = reply.probabilities
            self._known.setdefault(key, {})[part] = shares[finding if len(shares) > 1 else 0]
        self.answered.emit()
