"""An engine without networks inside the test's own process: a probability and a hot cell by what it is fed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from PySide6.QtCore import QTimer

from app.core.engine_messages import ENGINE_PROTOCOL, EngineReply, EngineRequest, Hello, Predict, Ready, Result, Started
from app.core.model_input import input_key
from app.store.model_folder import read_card
from app.ui.engine_process import EngineProcess

CELLS = 8
HOT = (3, 5)


class HeatProcess(EngineProcess):
    """Answers with the next turn of the event loop; in the place of `app.ui.engine.EngineProcess`."""

    _is_there = False

    @property
    def is_running(self) -> bool:
        """Whether it was started."""
        return self._is_there

    @property
    def pid(self) -> int:
        """The test's own process."""
        return os.getpid()

    def start(self, hello: Hello) -> None:
        """Be there."""
        self._is_there = True
        self._say(Ready(protocol=ENGINE_PROTOCOL, device="cpu", device_name="nothing", precision="float32"))

    def send(self, *requests: EngineRequest) -> None:
        """Answer what is asked."""
        for request in requests:
            if self._is_there and isinstance(request, Predict):
                self._say(Started(job=request.job))
                self._say(answer(request))

    def stop(self) -> None:
        """Say nothing more."""
        self._is_there = False

    def _say(self, reply: EngineReply) -> None:
        QTimer.singleShot(1, self, lambda: self.replied.emit(reply) if self._is_there else None)


def probability(key: str) -> float:
    """Of the finding: 0.6 … 0.9, by the key."""
    return 0.6 + 0.3 * int(hashlib.sha256(key.encode()).hexdigest()[:4], 16) / 65536


def answer(request: Predict) -> Result:
    """What models called `negative`, `outside` and `traced` say, and all others."""
    assert Path(request.images).is_dir(), "images are read from a folder"
    card = read_card(Path(request.model))
    key = input_key(card.input, tuple((view.pixels_key, view.cut) for view in request.views))
    value = 0.1 if "negative" in card.id else probability(key)
    maps = []
    if request.heatmap_method:
        Path(request.heatmaps).mkdir(parents=True, exist_ok=True)
        for number in range(len(request.views)):
            cells = np.zeros((CELLS, CELLS), np.float32)
            cells[HOT] = card.heatmap_scale
            name = f"{card.id}-{key[:32]}-{request.heatmap_method}-{request.heatmap_class}-{number}.npy"
            np.save(Path(request.heatmaps) / name, cells)
            maps.append(str(Path(request.heatmaps) / name))
    points = ""
    if request.has_points and "traced" in card.id:
        table = np.array([[view, 0, 100.0, 90.0, 4.0] for view in range(len(request.views))], np.float32)
        points = str(Path(request.heatmaps) / f"{card.id}-{key[:32]}-points.npy")
        np.save(points, table)
    return Result(job=request.job, weights_sha256=card.weights_sha256, input_key=key,
                  probabilities=(1 - value, value), distance=99.0 if "outside" in card.id else 1.0,
                  heatmaps=tuple(maps), points=points, seconds=0.001)  # fmt: skip
