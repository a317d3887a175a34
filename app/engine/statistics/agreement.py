"""Agreement between readers beyond chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def cohen_kappa(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Cohen's kappa (1960) of two readers.

    Args:
        first: (N,) what the first said, any labels.
        second: (N,) what the second said.

    Raises:
        ValueError: no cases, or not the same number.
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.shape != other.shape or not one.size:
        raise ValueError("two readers look at the same cases")
    labels = np.unique(np.concatenate([one, other]))
    observed = float((one == other).mean())
    expected = float(sum((one == label).mean() * (other == label).mean() for label in labels))
    return 1.0 if expected == 1 else (observed - expected) / (1 - expected)


def fleiss_kappa(counts: npt.ArrayLike) -> float:
    """Fleiss' kappa (1971) of several readers.

    Args:
        counts: (cases, labels) how many readers gave each label; the same number of readers, at least two, for each.

    Raises:
        ValueError: the number of readers differs or is below two.
    """
    table = np.asarray(counts, np.float64)
    readers = table.sum(1)
    if not table.size or readers.min() < 2 or readers.min() != readers.max():
        raise ValueError("every case needs the same number of readers, at least two")
    each = float(readers[0])
    observed = float((((table**2).sum(1) - each) / (each * (each - 1))).mean())
    expected = float(((table.sum(0) / table.sum()) ** 2).sum())
    return 1.0 if expected == 1 else (observed - expected) / (1 - expected)
