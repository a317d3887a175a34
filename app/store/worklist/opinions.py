"""What models say, as fields of the worklist: score, finding and uncertainty of each model.

Opinions of models are in no index and in no search: they come and go with the models, and are no annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from app.core.finding import Verdict, finding_probability, uncertainty, verdict
from app.core.model_card import ModelCard
from app.core.worklist import AI_FINDING, AI_SCORE, AI_UNCERTAINTY, OUTDATED, Field, FieldKind
from app.store.findings import Score

Scores = Mapping[str, Score]  # by case


class Opinions(Protocol):
    """Fields of the worklist that are not kept in its index."""

    def fields(self) -> list[Field]:
        """The fields."""

    def values(self, name: str) -> Iterable[tuple[str, str]]:
        """(case, value) for every case that has a value of this field."""

    def of_case(self, case_id: str) -> dict[str, tuple[str, ...]]:
        """Every value of one case, by field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredModel:
    """A model whose opinions are fields.

    Args:
        card: its card.
        scores: what it says about each case just now.
        outdated: what the models before it in its place said.
    """

    card: ModelCard
    scores: Callable[[], Scores]
    outdated: Callable[[], Collection[str]] = frozenset


class ModelOpinions:
    """The opinions of the models that are asked in a project.

    Args:
        models: in the order in which they are named.
    """

    def __init__(self, models: Iterable[ScoredModel]) -> None:
        self._models = {model.card.task_id: model for model in models}

    def fields(self) -> list[Field]:
        """Score, finding and uncertainty of each model."""
        found: list[Field] = []
        for task, model in self._models.items():
            what = model.card.classes[model.card.finding]
            found += [
                Field(name=f"{AI_SCORE}{task}", kind=FieldKind.NUMBER, title=what, is_filter=False),
                Field(name=f"{AI_UNCERTAINTY}{task}", kind=FieldKind.NUMBER, title=what, is_filter=False),
                Field(name=f"{AI_FINDING}{task}", kind=FieldKind.CHOICE, title=what, is_sortable=False,
                      values=(*map(str, Verdict), OUTDATED)),
            ]  # fmt: skip
        return found

    def values(self, name: str) -> Iterator[tuple[str, str]]:
        """(case, value) for every case that a model has said something about."""
        for prefix in (AI_SCORE, AI_UNCERTAINTY, AI_FINDING):
            model = self._models.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
            if model is not None:
                scores = model.scores()
                for case_id, score in scores.items():
                    yield case_id, _value(prefix, model.card, score)
                if prefix == AI_FINDING:
                    yield from ((case_id, OUTDATED) for case_id in model.outdated() if case_id not in scores)

    def of_case(self, case_id: str) -> dict[str, tuple[str, ...]]:
        """What every model says about one case, by field."""
        found: dict[str, tuple[str, ...]] = {}
        for task, model in self._models.items():
            score = model.scores().get(case_id)
            if score is not None:
                for prefix in (AI_SCORE, AI_UNCERTAINTY, AI_FINDING):
                    found[f"{prefix}{task}"] = (_value(prefix, model.card, score),)
            elif case_id in model.outdated():
                found[f"{AI_FINDING}{task}"] = (OUTDATED,)
        return found


def _value(prefix: str, card: ModelCard, score: Score) -> str:
    said = verdict(card, score.probabilities, score.distance)
    if prefix == AI_FINDING:
        return str(said)
    if prefix == AI_SCORE:
        return f"{finding_probability(card, score.probabilities):.4f}"
    # a case that is unlike all that a model knows is one that it knows nothing about
    return f"{1.0 if said is Verdict.OUTSIDE else uncertainty(card, score.probabilities):.4f}"
