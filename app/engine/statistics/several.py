"""More than two classes: each way of averaging has its own name, since paper 002 calls one of them "accuracy"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.engine.statistics.binary import confusion
from app.engine.statistics.interval import Estimate, clopper_pearson
from app.engine.statistics.roc import auc


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralClasses:
    """Figures of a classifier with some classes.

    Args:
        top_1_accuracy: the right class was named, Clopper–Pearson.
        one_vs_rest_accuracy: mean over classes of "this class or another", the figure that paper 002 prints.
        macro_sensitivity: mean over classes.
        macro_specificity: mean over classes.
        macro_ppv: mean over classes; a class that is never named counts as 0.
        macro_npv: mean over classes.
        macro_auc: mean over classes of each against the rest; None without scores.
    """

    top_1_accuracy: Estimate
    one_vs_rest_accuracy: float
    macro_sensitivity: float
    macro_specificity: float
    macro_ppv: float
    macro_npv: float
    macro_auc: float | None = None


def several_classes(
    truth: npt.ArrayLike, named: npt.ArrayLike, classes: int, *, scores: npt.NDArray[np.float64] | None = None
) -> SeveralClasses:
    """Figures of one set of decisions.

    Args:
        truth: (N,) class numbers; every class occurs.
        named: (N,) class numbers.
        classes: number of classes.
        scores: (N, classes), if areas shall be computed.

    Raises:
        ValueError: a class does not occur in the truth.
    """
    right, said = np.asarray(truth), np.asarray(named)
    if missing := sorted(set(range(classes)) - set(right.tolist())):
        raise ValueError(f"no case of class {missing[0]}")
    tables = [confusion(right == number, said == number) for number in range(classes)]
    ppv = [_share(table.true_positive, table.true_positive + table.false_positive) for table in tables]
    npv = [_share(table.true_negative, table.true_negative + table.false_negative) for table in tables]
    areas = None
    if scores is not None:
        areas = _mean([auc(right == number, scores[:, number]).value for number in range(classes)])
    return SeveralClasses(
        top_1_accuracy=clopper_pearson(int((right == said).sum()), len(right)),
        one_vs_rest_accuracy=_mean([table.accuracy().value for table in tables]),
        macro_sensitivity=_mean([table.sensitivity().value for table in tables]),
        macro_specificity=_mean([table.specificity().value for table in tables]),
        macro_ppv=_mean(ppv),
        macro_npv=_mean(npv),
        macro_auc=areas,
    )


def _share(hits: int, total: int) -> float:
    return hits / total if total else 0.0


def _mean(values: list[float]) -> float:
    return float(np.mean(values))
