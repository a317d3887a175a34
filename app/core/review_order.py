"""Which cases are worth a person's next look: where models disagree, where a label looks wrong, what teaches most.

Only opinions of models and labels of people go in; all figures are larger the sooner a case should be looked at.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

LEAST = 1e-4  # no model is surer than this, whatever it says
REPEAT = 0.5  # what another case of a patient is worth, beside the first


def spread(probabilities: Sequence[float]) -> float | None:
    """How far models that answer the same question are apart: largest less smallest probability, 0 … 1.

    Args:
        probabilities: calibrated probabilities of the finding, one for each model.

    Returns:
        None for fewer than two models.
    """
    return max(probabilities) - min(probabilities) if len(probabilities) > 1 else None


def label_conflict(*, is_finding: bool, probability: float) -> float:
    """How much models speak against a label: −ln of the probability they give to what the reader said.

    The self-confidence of confident learning (Northcutt et al. 2021), for two classes. 0 = they agree fully.

    Args:
        is_finding: what the reader said.
        probability: calibrated probability of the finding.
    """
    said = probability if is_finding else 1 - probability
    return abs(math.log(min(max(said, LEAST), 1.0)))


def annotation_values(uncertainties: Mapping[str, tuple[str, float]], labelled: Iterable[str]) -> dict[str, float]:
    """What a label would teach about each case without one: its uncertainty, halved for each other case of its patient
    that has a label or comes before it. So both hips of one patient do not stand next to each other.

    Args:
        uncertainties: case -> patient and uncertainty (0 = certain … 1); cases without a label.
        labelled: patient of each case that has a label, once for each case.

    Returns:
        Case -> value, 0 … 1.
    """
    seen = Counter(labelled)
    values = {}
    for case_id, (patient, uncertainty) in sorted(uncertainties.items(), key=lambda item: (-item[1][1], item[0])):
        values[case_id] = uncertainty * REPEAT ** seen[patient]
        seen[patient] += 1
    return values
