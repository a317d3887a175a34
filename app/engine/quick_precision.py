"""Whether a model may be computed in bfloat16 on this CPU: asked once, remembered.

A processor that multiplies bfloat16 natively is about twice as fast with it. Eight bits suffice for trained networks as
a rule, and a rule is not enough: the same images are shown in both precisions, and the quick one is taken only when no
probability differs by more than 0.01.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from app.core.model_input import ModelInput
from app.engine.opinion import Array, RunningModel

CLOSE = 1e-2
SHOWN = 4  # cases
MEMORY = "precision.json"


def check_views(wanted: ModelInput, *, count: int = SHOWN) -> list[tuple[Array, ...]]:
    """Cases to compare precisions on: noise of every scale, standardised as radiographs are; always the same.

    Args:
        wanted: what the model is fed.
        count: number of cases.
    """
    generator, side = np.random.default_rng(20261121), wanted.size_px
    cases = []
    for _ in range(count):
        views = []
        for _ in wanted.roles:
            image = np.zeros((side, side), np.float32)
            for cells in (3, 9, 27, 81):
                coarse = generator.standard_normal((cells, cells)).astype(np.float32)
                image += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC) / np.float32(cells**0.5)
            image = (image - image.mean()) / image.std()
            views.append(np.repeat(image[None], wanted.channels, axis=0))
        cases.append(tuple(views))
    return cases


def difference(one: RunningModel, other: RunningModel) -> float:
    """The largest difference of probabilities between two ways to compute a model."""
    cases = check_views(one.card.input)
    pairs = zip(one.look(cases), other.look(cases), strict=True)
    return max(float(np.abs(np.subtract(a.probabilities, b.probabilities)).max()) for a, b in pairs)


class PrecisionMemory:
    """What earlier starts found out.

    Args:
        folder: the cache folder; None remembers nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else folder / MEMORY

    def known(self, key: str) -> bool | None:
        """Whether the quick precision is good enough; None when nobody has looked."""
        found = self._all().get(key)
        return None if found is None else found <= CLOSE

    def remember(self, key: str, apart: float) -> None:
        """Keep the difference that was measured."""
        if self._file is None:
            return
        draft = self._file.with_suffix(".new")
        try:
            draft.write_text(json.dumps(self._all() | {key: apart}), encoding="utf-8")
            draft.replace(self._file)
        except OSError:
            return  # it is measured again next time

    def _all(self) -> dict[str, float]:
        if self._file is None:
            return {}
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return {str(name): float(apart) for name, apart in kept.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}
