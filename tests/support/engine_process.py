"""Driving the real engine process in tests, with small models that have random weights."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from app.core.engine_messages import EngineReply, EngineRequest, Hello, Predict, ViewInput
from app.core.geometry import Crop
from app.core.grey import GreyScale, Photometric, StoredImage, Window
from app.core.model_card import ModelCard
from app.core.model_input import ModelInput
from app.core.spacing import Spacing
from app.store.images import ImageStore
from app.store.model_folder import WEIGHTS, weights_sha256, write_card

GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)
VOI = Window(center=2048, width=4096)


def make_model(folder: Path, architecture: str, *, seed: int = 0, **changes: object) -> ModelCard:
    """A model with random weights and a card that says so."""
    import torch
    from safetensors.torch import save_file

    from app.engine.models.registry import architectures

    entry = architectures()[architecture]
    torch.manual_seed(seed)
    folder.mkdir(parents=True)
    save_file(entry.build().state_dict(), folder / WEIGHTS)
    facts: dict[str, object] = {
        "id": folder.name, "title": entry.title, "architecture": architecture, "task": "A test.",
        "classes": entry.classes, "finding": len(entry.classes) - 1, "input": entry.input,
        "weights_sha256": weights_sha256(folder / WEIGHTS), "initialised_from": "random",
        "trained_on": "nothing", "seeds": str(seed), "command": "none", "limits": "Knows nothing.", "licence": "none",
    }  # fmt: skip
    card = ModelCard(**(facts | changes))  # type: ignore[arg-type]
    write_card(folder, card)
    return card


def make_views(images: Path, wanted: ModelInput, *, seed: int = 0) -> tuple[ViewInput, ...]:
    """Random radiographs in an image store, as a model is to see them."""
    from app.core.model_input import whole_view

    store, rng = ImageStore(images), np.random.default_rng(seed)
    views = []
    for _ in wanted.roles:
        image = StoredImage(pixels=rng.integers(0, 4096, (90, 70)).astype(np.uint16))
        cut: Crop = whole_view(90, 70, Spacing(), size_px=wanted.size_px)
        views.append(ViewInput(image_sha256=store.put(image), grey=GREY, voi=VOI, cut=cut))
    return tuple(views)


class Engine:
    """A running engine."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._replies: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._replies.put(line)
        self._replies.put(b"")

    def write(self, line: bytes) -> None:
        """Send raw bytes."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def send(self, *requests: EngineRequest) -> None:
        """Send requests in one piece, so that none is begun before all are there."""
        self.write(b"".join(msgspec.json.encode(request) + b"\n" for request in requests))

    def reply(self, timeout_s: float = 120.0) -> EngineReply:
        """The next reply."""
        line = self._replies.get(timeout=timeout_s)
        assert line, "the engine ended"
        return msgspec.json.decode(line, type=EngineReply)  # type: ignore[no-any-return]

    def replies_until(self, kind: type[EngineReply], job: int) -> list[EngineReply]:
        """Replies up to the one of this kind for this job."""
        got = [self.reply()]
        while not (isinstance(got[-1], kind) and getattr(got[-1], "job", None) == job):
            got.append(self.reply())
        return got


@contextmanager
def running_engine(hello: Hello | None = None) -> Iterator[Engine]:
    """A real engine process, greeted and ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    engine = Engine(process)
    try:
        engine.send(hello or Hello(device="cpu", threads=1))
        yield engine
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def predict(job: int, model: Path, images: Path, views: tuple[ViewInput, ...], **more: object) -> Predict:
    """A request."""
    return Predict(job=job, model=str(model), images=str(images), views=views, **more)  # type: ignore[arg-type]
