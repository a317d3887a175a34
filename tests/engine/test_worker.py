"""The real engine process: what it answers, in which order, and what cannot bring it down."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.core.engine_messages import (  # noqa: E402
    Cancel,
    Cancelled,
    Failed,
    Hello,
    Ready,
    Result,
    Started,
    Unload,
)
from app.core.grey_tables import display_table  # noqa: E402
from app.core.model_card import Calibration  # noqa: E402
from app.core.model_input import standardise  # noqa: E402
from app.engine.models.registry import architectures  # noqa: E402
from app.store.images import ImageStore  # noqa: E402
from app.store.model_folder import CARD, WEIGHTS, write_card  # noqa: E402
from tests.support.engine_process import GREY, VOI, make_model, make_views, predict, running_engine  # noqa: E402

SMALL = "cvdt-small"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engine")
    make_model(folder / "small", SMALL)
    return folder


@pytest.mark.slow
def test_results_are_those_of_the_network(place: Path) -> None:
    wanted = architectures()[SMALL].input
    images = place / "images"
    cases = [make_views(images, wanted, seed=seed) for seed in range(3)]
    with running_engine() as engine:
        ready = engine.reply()
        assert isinstance(ready, Ready)
        assert ready.device == "cpu"
        engine.send(
            *(
                predict(number, place / "small", images, views, heatmap_method="grad-cam", heatmap_class=1,
                        heatmaps=str(place / "cache"))
                for number, views in enumerate(cases)
            )
        )  # fmt: skip
        results = [reply for reply in engine.replies_until(Result, 2) if isinstance(reply, Result)]
    assert [result.job for result in results] == [0, 1, 2]
    torch.manual_seed(0)
    network = architectures()[SMALL].build().eval()
    store, table = ImageStore(images), display_table(GREY, VOI)
    for result, views in zip(results, cases, strict=True):
        fed = [torch.from_numpy(standardise(store.load(view.image_sha256), table, view.cut, wanted)) for view in views]
        with torch.inference_mode():
            expected = network(*(part[None] for part in fed)).softmax(1)[0]
        assert result.probabilities == pytest.approx(expected.tolist(), abs=1e-4)
        assert [np.load(name, allow_pickle=False).shape for name in result.heatmaps] == [(7, 7), (7, 7)]
    assert len({result.input_key for result in results}) == 3


def test_the_open_case_goes_first_and_waiting_jobs_can_be_cancelled(place: Path) -> None:
    views = make_views(place / "images", architectures()[SMALL].input)
    with running_engine() as engine:
        assert isinstance(engine.reply(), Ready)
        engine.send(*(predict(number, place / "small", place / "images", views) for number in range(20)))
        engine.replies_until(Started, 0)
        engine.send(
            predict(99, place / "small", place / "images", views, priority=10), Cancel(jobs=tuple(range(5, 20)))
        )
        replies = engine.replies_until(Result, 99)
        done = [reply.job for reply in replies if isinstance(reply, Result)]
        assert done[-1] == 99
        assert len(done) < 6  # it did not wait for all that were asked for before
        cancelled = {reply.job for reply in replies if isinstance(reply, Cancelled)}
        engine.send(predict(100, place / "small", place / "images", views, priority=-1))
        rest = engine.replies_until(Result, 100)
        cancelled |= {reply.job for reply in rest if isinstance(reply, Cancelled)}
        done += [reply.job for reply in rest if isinstance(reply, Result)]
    assert cancelled | set(done) == {*range(20), 99, 100}
    assert not cancelled & set(done)


def test_nothing_that_is_asked_brings_it_down(place: Path, tmp_path: Path) -> None:
    wanted = architectures()[SMALL].input
    views = make_views(place / "images", wanted)
    make_model(tmp_path / "single", "cvdt-small-frontal")
    (tmp_path / "empty").mkdir()
    with running_engine() as engine:
        assert isinstance(engine.reply(), Ready)
        for line in (b"\n", b"{}\n", b"not json\n", b'{"type":"Predict"}\n', b"\xff\xfe\n"):
            engine.write(line)
            failed = engine.reply()
            assert isinstance(failed, Failed)
            assert failed.kind == "protocol"
        gone = make_views(tmp_path / "images", wanted, seed=9)
        asked = {
            1: (predict(1, tmp_path / "empty", place / "images", views), "no-model"),
            2: (predict(2, tmp_path / "single", place / "images", views), "other-views"),
            3: (predict(3, place / "small", place / "images", gone), ""),
            4: (predict(4, place / "small", place / "images", views, heatmap_method="no such"), "no-method"),
            5: (predict(5, place / "small", place / "images", views, heatmap_method="cam", heatmaps="x"), "no-method"),
            6: (predict(6, place / "small", place / "images", views, heatmap_method="grad-cam",
                        heatmaps="/proc/nowhere"), "unwritable"),
        }  # fmt: skip
        for number, (request, kind) in asked.items():
            engine.send(request)
            failed = engine.replies_until(Failed, number)[-1]
            assert isinstance(failed, Failed)
            assert not kind or failed.kind == kind, failed
            assert failed.title.endswith(".")
            assert str(place) not in failed.traceback
        engine.send(Unload(), predict(7, place / "small", place / "images", views))
        engine.replies_until(Result, 7)


def test_a_model_exchanged_between_two_cases_answers_nothing_in_the_name_of_the_other(tmp_path: Path) -> None:
    """Whole other models, single files of others, files that are gone: a sentence each; put back, the same answer."""
    card = make_model(tmp_path / "asked", SMALL)
    make_model(tmp_path / "other", SMALL, seed=1, title="Another one")
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "asked", kept)
    views = make_views(tmp_path / "images", card.input)

    def put(source: Path, *names: str) -> None:
        for name in names:
            shutil.copyfile(source / name, tmp_path / "asked" / name)

    def warmer() -> None:
        write_card(tmp_path / "asked", msgspec.structs.replace(card, calibration=Calibration(temperature=3.0)))

    faults: dict[str, tuple[Callable[[], object], str]] = {
        "the whole model is another": (lambda: put(tmp_path / "other", CARD, WEIGHTS), "other-model"),
        "the same weights, another temperature": (warmer, "other-model"),
        "another card": (lambda: put(tmp_path / "other", CARD), "other-weights"),
        "other weights, after all memory was given back": (lambda: put(tmp_path / "other", WEIGHTS), "other-weights"),
        "a cut card": (lambda: (tmp_path / "asked" / CARD).write_text("id = 'a'\n"), "bad-card"),
        "all is gone": (lambda: shutil.rmtree(tmp_path / "asked"), "model-gone"),
    }
    with running_engine() as engine:
        assert isinstance(engine.reply(), Ready)
        numbers = count()

        def ask() -> Result | Failed:
            job = next(numbers)
            engine.send(Unload(), predict(job, tmp_path / "asked", tmp_path / "images", views,
                                          model_key=card.answer_key))  # fmt: skip
            reply = engine.reply()
            while not isinstance(reply, Result | Failed):
                reply = engine.reply()
            assert reply.job == job
            return reply

        first = ask()
        assert isinstance(first, Result)
        for words, (fault, kind) in faults.items():
            fault()
            said = ask()
            assert isinstance(said, Failed), words
            assert said.kind == kind, words
            assert all(part.endswith(".") for part in (said.title, said.reason, said.remedy)), words
            (tmp_path / "asked").mkdir(exist_ok=True)
            put(kept, CARD, WEIGHTS)
        again = ask()
        assert isinstance(again, Result)
        assert (again.weights_sha256, again.probabilities) == (card.weights_sha256, first.probabilities)


def test_it_ends_with_its_input(place: Path) -> None:
    with running_engine() as engine:
        assert isinstance(engine.reply(), Ready)
        assert engine.process.stdin is not None
        engine.process.stdin.close()
        assert engine.process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("hello", "kind"),
    [(Hello(protocol=0), "protocol"), (Hello(device="cuda:7"), "no-device"), (Hello(precision="int4"), "no-precision")],
)
def test_what_cannot_be_is_said_before_it_ends(hello: Hello, kind: str) -> None:
    with running_engine(hello) as engine:
        failed = engine.reply()
        assert isinstance(failed, Failed)
        assert failed.kind == kind
        assert engine.process.wait(timeout=30) == 1
