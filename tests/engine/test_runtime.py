"""How models come to the device: by their graph without torch, within a budget, in a precision that holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.core.case import ViewRole
from app.core.engine_messages import Hello, Locate, Located, Predict, Result
from app.core.errors import UserError
from app.core.model_input import InputKind, ModelInput
from app.engine import runtime as runtime_module
from app.engine.hardware import may_have_gpu
from app.engine.opinion import MemoryShortageError, Opinion, calibrated
from app.engine.predictor import Predictor
from app.engine.queue import JobQueue
from app.engine.quick_precision import PrecisionMemory, check_views, difference
from app.engine.runtime import Runtime
from app.engine.shelf import Shelf
from app.engine.weights_file import tensor, tensor_places
from app.store.model_folder import CARD, GRAPH

WANTED = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=32, channels=1)


@dataclass
class Known:
    """A model that says what it was told to say."""

    memory_bytes: int = 10
    said: float = 0.5
    most: int = 99

    card = SimpleNamespace(input=WANTED, weights_sha256="0" * 64)

    def look(self, cases, *, method=None, class_number=0, has_points=False):  # type: ignore[no-untyped-def]
        if len(cases) > self.most:
            raise MemoryShortageError
        return [Opinion(probabilities=(self.said,), distance=None, heatmaps=(), seconds=0.0) for _ in cases]

    def score(self, image):  # type: ignore[no-untyped-def]
        raise AssertionError


def test_probabilities_are_a_sigmoid_or_a_softmax() -> None:
    assert calibrated(np.array([[2.0]]), 2.0)[0, 0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert calibrated(np.array([[-1e6]]), 1.0)[0, 0] == pytest.approx(0)
    shares = calibrated(np.array([[1e6, 0.0, 1e6]]), 1.0)
    assert shares.tolist() == [[0.5, 0.0, 0.5]]


def test_models_that_were_not_used_for_longest_make_room(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / CARD).write_text(name)
    loaded: list[str] = []

    def load(folder: Path) -> Known:
        loaded.append(folder.name)
        return Known()

    shelf = Shelf(load, 25)
    for name in "abacab":
        shelf.get(str(tmp_path / name))
    assert "".join(loaded) == "abcb"  # b had to go for c, and comes back
    assert len(shelf) == 2
    os.utime(tmp_path / "a" / CARD, (1, 1))  # another model in the same folder
    shelf.get(str(tmp_path / "a"))
    assert "".join(loaded) == "abcba"
    shelf.clear()
    assert len(shelf) == 0


def test_one_model_larger_than_the_budget_is_kept(tmp_path: Path) -> None:
    shelf = Shelf(lambda folder: Known(memory_bytes=1000), 25)
    assert shelf.get(str(tmp_path)) is shelf.get(str(tmp_path))


def test_loading_without_memory_is_tried_again_with_room(tmp_path: Path) -> None:
    tries = iter([Known(), MemoryError(), Known(said=0.9)])

    def load(folder: Path) -> Known:
        found = next(tries)
        if isinstance(found, MemoryError):
            raise found
        return found

    shelf = Shelf(load, 1000)
    (tmp_path / "a").mkdir()
    shelf.get(str(tmp_path / "a"))
    assert shelf.get(str(tmp_path)).look([()])[0].probabilities == (0.9,)
    assert len(shelf) == 1


def test_a_precision_that_changes_a_probability_is_not_taken(tmp_path: Path) -> None:
    assert difference(Known(said=0.5), Known(said=0.52)) == pytest.approx(0.02)  # type: ignore[arg-type]
    memory = PrecisionMemory(tmp_path)
    assert memory.known("a") is None
    memory.remember("a", 0.02)
    memory.remember("b", 0.001)
    again = PrecisionMemory(tmp_path)
    assert (again.known("a"), again.known("b")) == (False, True)
    (tmp_path / "precision.json").write_bytes(b"\xff[")
    assert again.known("a") is None
    assert PrecisionMemory(None).known("a") is None


def test_precisions_are_compared_on_the_same_images_every_time() -> None:
    one, other = check_views(WANTED), check_views(WANTED)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0][0], one[1][0])
    assert one[0][0].shape == (1, 32, 32)
    assert abs(float(one[0][0].mean())) < 1e-4


def test_the_cpu_is_chosen_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_module, "has_torch", lambda: False)
    assert not may_have_gpu("cpu")
    facts = Runtime(Hello(device="cpu", precision="float32")).ready
    assert (facts.device, facts.precision) == ("cpu", "float32")
    assert facts.device_name
    with pytest.raises(UserError) as caught:
        Runtime(Hello(precision="int4"))
    assert caught.value.kind == "no-precision"


def test_a_graph_that_does_not_fit_is_left_for_torch_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / GRAPH).write_bytes(b"")
    runtime = Runtime(Hello(device="cpu", precision="float32"))

    def refuse(*_: object, **__: object) -> None:
        raise UserError("No.", kind="other-graph")

    monkeypatch.setattr(runtime_module, "GraphModel", refuse)
    monkeypatch.setattr(Runtime, "_network", lambda self, folder: Known())
    monkeypatch.setattr(runtime_module, "has_torch", lambda: True)
    assert isinstance(runtime.load(tmp_path), Known)
    monkeypatch.setattr(runtime_module, "has_torch", lambda: False)
    with pytest.raises(UserError) as caught:
        runtime.load(tmp_path)
    assert caught.value.kind == "other-graph"


def test_too_many_cases_are_halved_until_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost or answered twice, the batch stays small, and grows again after memory was given back."""
    replies: list[object] = []
    monkeypatch.setattr(Runtime, "load", lambda self, folder: Known(most=3))
    monkeypatch.setattr("app.engine.predictor._inputs", lambda job, wanted: (str(job.job), ()))
    monkeypatch.setattr(Runtime, "is_gpu", property(lambda self: True))
    predictor = Predictor(Hello(device="cpu", precision="float32", batch=16), replies.append)
    predictor.answer([Predict(job=number, model="m", images="i", views=()) for number in range(16)])
    assert [reply.job for reply in replies if isinstance(reply, Result)] == list(range(16))
    assert predictor.batch == 2
    predictor.unload()
    assert predictor.batch == 16
    monkeypatch.setattr(Runtime, "load", lambda self, folder: Known(most=0))
    predictor = Predictor(Hello(device="cpu", precision="float32", batch=16), replies.append)
    predictor.answer([Predict(job=99, model="m", images="i", views=())])
    assert getattr(replies[-1], "kind", "") == "memory"


def test_memory_is_given_back_when_nobody_asks_for_anything() -> None:
    queue = JobQueue()
    assert queue.take(1, idle_s=0.01) == []
    assert queue.was_asked_to_unload()
    assert not queue.was_asked_to_unload()


def test_hips_are_not_looked_for_together_with_findings() -> None:
    queue = JobQueue()
    view = {"image_sha256": "a", "grey": None, "voi": None, "rows": 1, "cols": 1}
    queue.put(Predict(job=1, model="m", images="i", views=()))
    queue.put(Locate(job=2, model="m", images="i", view=view))  # type: ignore[arg-type]
    queue.put(Predict(job=3, model="m", images="i", views=()))
    assert [[job.job for job in queue.take(8)] for _ in range(3)] == [[1], [2], [3]]
    assert Located.__struct_fields__[0] == "job"


def test_places_of_tensors_are_checked() -> None:
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    whole = np.frombuffer(len(header).to_bytes(8, "little") + header + np.array([1, 2], "<f4").tobytes(), np.uint8)
    assert tensor(whole, tensor_places(whole)["a"]).tolist() == [1, 2]
    for broken in (whole[:-1], whole[:20], whole[:0], np.where(whole == ord("8"), ord("9"), whole).astype(np.uint8)):
        with pytest.raises(ValueError):  # noqa: PT011 (also what json raises)
            tensor_places(broken)
