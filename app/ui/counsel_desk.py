"""Looks up in one patient thread what models are fed of a project's cases and what they have said about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal

from app.core.counsel import Counsel, LocatedHip, UsableModel
from app.core.errors import UserError
from app.core.finding import Finding
from app.store.consulting import Consultant
from app.store.findings import Score
from app.store.located import keep_hip
from app.store.project import ProjectStore
from app.ui.desk import Desk

KEEPING, CATCHING_UP = 9, 8  # urgencies; those of questions about cases are smaller

Scores = dict[str, dict[str, Score]]


class CounselDesk(QObject):
    """Everything about models and cases of one project that would keep the window waiting.

    Args:
        store: the project; it must stay open until this is closed.
        models: the models that are asked about every case.
        localiser: proposes regions where nobody has drawn one.
        reader: whose clicks and boxes come first.

    Attributes:
        scores: weights -> case -> score, of the models that are asked and of those before them; for every case whose
            finding is up to date.
        is_caught_up: whether `scores` has been read since other models are asked.

    Signals:
        scores_changed: `scores` has other entries.
        failed: a `UserError`: the project cannot be read.
    """

    scores_changed = Signal()
    failed = Signal(object)

    def __init__(
        self,
        store: ProjectStore,
        models: tuple[UsableModel, ...],
        *,
        localiser: UsableModel | None,
        reader: str,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.models, self.localiser, self.reader = models, localiser, reader
        self.findings = store.findings
        self.scores: Scores = {}
        self.is_caught_up = False
        self._derived = store.derived
        self._consultant = Consultant(store.folder, store.images, store.derived, store.findings)
        self._desk = Desk("counsel", self, at_end=self._consultant.close)
        self._desk.failed.connect(self.failed)
        self._kept = 0

    def close(self) -> None:
        """Look up nothing more; what is to be kept is kept."""
        self._desk.close(finished=KEEPING)

    def set_models(self, models: tuple[UsableModel, ...], localiser: UsableModel | None) -> None:
        """Ask other models from now on."""
        self.models, self.localiser = models, localiser
        self.scores = {}
        self.is_caught_up = False
        self.catch_up(is_all_new=True)

    def consult(
        self, case_id: str, answered: Callable[[Counsel], None], *, urgency: int, may_read_images: bool
    ) -> None:
        """Work out what is known about a case.

        Args:
            case_id: the case.
            answered: gets it, in the window's thread.
            urgency: larger goes first.
            may_read_images: whether what was not computed yet may be, which needs the images.
        """
        models, localiser, reader = self.models, self.localiser, self.reader

        def question() -> Counsel | UserError:
            try:
                return self._consultant.ask(
                    case_id, models, reader=reader, localiser=localiser, may_read_images=may_read_images
                )
            except UserError as error:
                return error

        def take(counsel: Counsel | UserError) -> None:
            if isinstance(counsel, UserError):
                self.failed.emit(counsel)
                counsel = Counsel(case_id=case_id)
            answered(counsel)

        self._desk.ask(question, take, urgency=urgency)

    def keep(self, finding: Finding, *, is_current: bool) -> None:
        """Keep what a model has said.

        Args:
            finding: without a time.
            is_current: whether the case is as it was when the model was asked.
        """
        finding = replace(finding, at=datetime.now(UTC).isoformat(timespec="seconds"))
        self._desk.ask(lambda: self.findings.put(finding), _nothing, urgency=KEEPING)
        if is_current:
            score = Score(probabilities=finding.probabilities, distance=finding.distance)
            self.scores.setdefault(finding.weights_sha256, {})[finding.case_id] = score
            self._kept += 1
            self.scores_changed.emit()

    def keep_hip(self, key: bytes, hip: LocatedHip) -> None:
        """Keep what a localiser has said."""
        self._desk.ask(lambda: keep_hip(self._derived, key, hip), _nothing, urgency=KEEPING)

    def catch_up(self, *, is_all_new: bool = False) -> None:
        """Find out which findings are still those of their cases, after anything has changed in the project.

        Args:
            is_all_new: whether the scores are read even if nothing has changed.
        """
        models, localiser, reader, kept = self.models, self.localiser, self.reader, self._kept

        def question() -> Scores | None:
            is_touched = self._consultant.catch_up(models, localiser=localiser, reader=reader)
            if not is_touched and not is_all_new:
                return None
            asked = {weights for model in models for weights in (model.card.weights_sha256, *model.earlier)}
            return {weights: self.findings.scores(weights) for weights in asked}

        def take(scores: Scores | None) -> None:
            if scores is not None and kept != self._kept:
                self.catch_up(is_all_new=True)  # something was kept meanwhile, which may not be among them
            elif scores is not None:
                is_other, self.scores, self.is_caught_up = scores != self.scores, scores, True
                if is_other:
                    self.scores_changed.emit()

        self._desk.ask(question, take, urgency=CATCHING_UP)


def _nothing(_: object) -> None:
    """Nobody waits for it."""
