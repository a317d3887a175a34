"""Review orders, as fields of the worklist: where models disagree, where a label looks wrong, what to annotate next.

They are worked out when somebody sorts by them, from what models say just now and the labels that hold just now.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from app.core.adjudication import ADJUDICATED
from app.core.annotation import CASE, LABEL, split_target
from app.core.event import Json
from app.core.finding import Verdict, finding_probability, uncertainty, verdict
from app.core.review_order import annotation_values, label_conflict, spread
from app.core.training_task import TrainingTask, tasks_of
from app.core.worklist import AI_CONFLICT, AI_NEXT, AI_SPLIT, REVIEW_PREFIXES, Field, FieldKind
from app.store.findings import Score
from app.store.label_sets import current_label_set
from app.store.project import ProjectStore
from app.store.training_cases import common_label
from app.store.worklist.opinions import ModelOpinions, Opinions, ScoredModel


class ReviewOrders:
    """The orders that models and labels of one project give.

    Args:
        project: the project.
        models: those that are asked in it.
    """

    def __init__(self, project: ProjectStore, models: Iterable[ScoredModel]) -> None:
        self._project = project
        self._models: dict[str, list[ScoredModel]] = defaultdict(list)
        for model in models:
            self._models[model.card.task_id.partition(".")[0]].append(model)
        self._tasks = {task.field: task for task in tasks_of(current_label_set(project))}

    def fields(self) -> list[Field]:
        """The orders of each question: disagreement where two models answer it, the others where people can."""
        found = []
        for question, models in self._models.items():
            prefixes = [AI_SPLIT] if len(models) > 1 else []
            prefixes += [AI_CONFLICT, AI_NEXT] if question in self._tasks else []
            found += [
                Field(name=f"{prefix}{question}", kind=FieldKind.NUMBER, title=question, is_filter=False)
                for prefix in prefixes
            ]
        return found

    def values(self, name: str) -> Iterator[tuple[str, str]]:
        """(case, value) for every case that has a place in an order."""
        prefix = next((each for each in REVIEW_PREFIXES if name.startswith(each)), "")
        question = name.removeprefix(prefix)
        models, task = self._models.get(question), self._tasks.get(question)
        if not prefix or models is None:
            return
        if prefix == AI_SPLIT:
            found = self._spreads(models)
        elif task is None:
            return
        else:
            found = self._conflicts(models, task) if prefix == AI_CONFLICT else self._next(models, task)
        yield from ((case_id, f"{value:.4f}") for case_id, value in found.items())

    def of_case(self, case_id: str) -> dict[str, tuple[str, ...]]:
        """Nothing: these fields order cases and say nothing about one."""
        del case_id
        return {}

    # --- the orders ---

    def _spreads(self, models: list[ScoredModel]) -> dict[str, float]:
        said = _by_case(models, _probability)
        return {case_id: gap for case_id, each in said.items() if (gap := spread(each)) is not None}

    def _conflicts(self, models: list[ScoredModel], task: TrainingTask) -> dict[str, float]:
        said = _by_case(models, _probability)
        labels = self._labels(task)
        return {
            case_id: label_conflict(is_finding=number == task.finding, probability=sum(each) / len(each))
            for case_id, each in said.items()
            if (number := task.class_of(labels.get(case_id, ""))) is not None
        }

    def _next(self, models: list[ScoredModel], task: TrainingTask) -> dict[str, float]:
        patients = dict(self._project.database.rows('SELECT id, patient_id FROM "case"'))
        labels = self._labels(task)
        unsure = {
            case_id: (patients[case_id], sum(each) / len(each))
            for case_id, each in _by_case(models, _uncertainty).items()
            if case_id not in labels and case_id in patients
        }
        return annotation_values(unsure, (patients[case_id] for case_id in labels if case_id in patients))

    def _labels(self, task: TrainingTask) -> dict[str, str]:
        """Case -> what its readers say together; empty where they disagree. A case without a label is left out."""
        rows = self._project.database.rows(
            "SELECT target, field, value FROM current WHERE target >= 'case:' AND target < 'case;' AND field IN (?, ?)",
            (f"{LABEL}{task.field}", f"{ADJUDICATED}{task.field}"),
        )
        found: dict[str, dict[str, dict[str, Json]]] = defaultdict(lambda: defaultdict(dict))
        for target, field, value in rows:
            kind, case_id, reader = split_target(target)
            if kind == CASE:
                found[case_id][reader][field] = json.loads(value)
        answers = {case_id: common_label(readers, task.field) for case_id, readers in found.items()}
        return {case_id: label for case_id, (label, is_disputed) in answers.items() if label or is_disputed}


class ReviewedOpinions:
    """What models say, and the orders that follow from it, as one provider of fields.

    Args:
        project: the project.
        models: those that are asked in it.
    """

    def __init__(self, project: ProjectStore, models: Iterable[ScoredModel]) -> None:
        known = list(models)
        self._parts: tuple[Opinions, ...] = (ModelOpinions(known), ReviewOrders(project, known))

    def fields(self) -> list[Field]:
        """The fields of the models, then the orders."""
        return [field for part in self._parts for field in part.fields()]

    def values(self, name: str) -> Iterator[tuple[str, str]]:
        """(case, value) for every case that has a value of this field."""
        for part in self._parts:
            yield from part.values(name)

    def of_case(self, case_id: str) -> dict[str, tuple[str, ...]]:
        """What every model says about one case, by field."""
        return {name: values for part in self._parts for name, values in part.of_case(case_id).items()}


def _by_case(
    models: Iterable[ScoredModel], read: Callable[[ScoredModel, Score], float | None]
) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for model in models:
        for case_id, score in model.scores().items():
            value = read(model, score)
            if value is not None:
                found[case_id].append(value)
    return found


def _probability(model: ScoredModel, score: Score) -> float | None:
    """None for a case outside what the model knows: its figure means nothing."""
    is_outside = verdict(model.card, score.probabilities, score.distance) is Verdict.OUTSIDE
    return None if is_outside else finding_probability(model.card, score.probabilities)


def _uncertainty(model: ScoredModel, score: Score) -> float:
    is_outside = verdict(model.card, score.probabilities, score.distance) is Verdict.OUTSIDE
    return 1.0 if is_outside else uncertainty(model.card, score.probabilities)
