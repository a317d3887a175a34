"""A run from its folder to its model, and everything that may come between."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from filelock import FileLock

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("scipy")
pytest.importorskip("lightning_fabric")
pytest.importorskip("sklearn")

from safetensors.torch import load_file  # noqa: E402

from app.core.errors import UserError  # noqa: E402
from app.core.split import Part  # noqa: E402
from app.core.training_run import RunState, StopWish  # noqa: E402
from app.engine.device import choose_device  # noqa: E402
from app.engine.training import machine  # noqa: E402
from app.engine.training import train_run as program  # noqa: E402
from app.engine.training.ahead import Ahead  # noqa: E402
from app.engine.training.train_run import train_queue, train_run  # noqa: E402
from app.engine.training.trainer import Trainer  # noqa: E402
from app.store.run_folder import RunFolder  # noqa: E402
from app.store.runs import summary  # noqa: E402
from tests.support.training_run import make_run, narrow_networks  # noqa: E402

ONE: dict[str, Any] = {"device": "cpu", "precision": "float32", "threads": 1}


@pytest.fixture(autouse=True)
def no_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs for CPUs have tests of their own, and take seconds."""
    narrow_networks(monkeypatch)
    monkeypatch.setattr(program, "write_graph_of", lambda folder: None)


def test_paused_resumed_and_finished(tmp_path: Path) -> None:
    whole = make_run(tmp_path / "whole", cases=16, epochs=2, average=0.5)
    shutil.copytree(whole.path, tmp_path / "broken")
    broken = RunFolder(tmp_path / "broken")
    assert train_run(whole, **ONE) is RunState.FINISHED
    first = train_run(broken, **ONE, on_epoch=lambda epoch: broken.ask_to_stop(StopWish.PAUSE))
    assert first is RunState.PAUSED
    assert summary(broken).state is RunState.PAUSED
    assert [epoch.number for epoch in broken.epochs()] == [1]
    assert train_run(broken, **ONE) is RunState.FINISHED
    one, other = load_file(whole.best_file), load_file(broken.best_file)
    assert all(torch.equal(one[name], other[name]) for name in one)
    finished = summary(broken)
    assert finished.state is RunState.FINISHED
    assert finished.has_model
    assert finished.live.epoch == 2
    assert finished.live.problem is None
    assert len(broken.worst()) == 8
    assert broken.worst()[0].loss >= broken.worst()[-1].loss
    evaluation = broken.evaluation()
    assert evaluation is not None
    assert {case.id for case in evaluation.cases} == {c.id for c in broken.cases() if c.part is Part.VALIDATION}
    assert (broken.model_folder / "weights.safetensors").read_bytes() == (
        whole.model_folder / "weights.safetensors"
    ).read_bytes()
    kept = machine.kept_machine(broken)
    assert kept is not None
    assert kept.threads == 1


def test_the_best_so_far_becomes_a_model_on_request(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=8, epochs=50)
    state = train_run(run, **ONE, on_epoch=lambda epoch: run.ask_to_stop(StopWish.FINISH))
    assert state is RunState.FINISHED
    assert len(run.epochs()) == 1
    assert summary(run).has_model
    assert run.wish() is None


def test_a_full_memory_becomes_smaller_passes_and_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", cases=16, epochs=1, batch=8)
    whole = Trainer._loss

    def scarce(self: Trainer, batch: Any, part: slice) -> Any:
        if part.stop - part.start > 2:
            raise torch.OutOfMemoryError("planted")
        return whole(self, batch, part)

    monkeypatch.setattr(Trainer, "_loss", scarce)
    assert train_run(run, **ONE) is RunState.FINISHED
    notes = [note for note in run.live().notes if "memory" in note]
    assert [note.split(":")[1].split()[0] for note in notes] == ["4", "2"]
    assert len(run.epochs()) == 1

    def none_left(self: Trainer, batch: Any, part: slice) -> Any:
        raise torch.OutOfMemoryError("planted")

    monkeypatch.setattr(Trainer, "_loss", none_left)
    other = make_run(tmp_path / "other", cases=8, epochs=1)
    with pytest.raises(UserError) as caught:
        train_run(other, **ONE)
    assert caught.value.kind == "memory"
    problem = other.live().problem
    assert problem is not None
    assert problem.kind == "memory"
    assert summary(other).state is RunState.FAILED


def test_what_leaks_is_not_trained(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=8)
    cases = [msgspec.structs.replace(case, patient="P-0") for case in run.cases()]
    run.cases_file.write_bytes(b"".join(msgspec.json.encode(case) + b"\n" for case in cases))
    with pytest.raises(UserError) as caught:
        train_run(run, **ONE)
    assert caught.value.kind == "leak"
    assert not run.best_file.exists()


def test_one_process_trains_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", cases=8)
    monkeypatch.setattr(program, "PATIENCE_S", 0.05)
    with FileLock(run.lock_file), pytest.raises(UserError) as caught:
        train_run(run, **ONE)
    assert caught.value.kind == "run-in-use"


def test_a_queue_goes_on_after_a_failure_and_stops_at_a_pause(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / f"run{number}", cases=8, epochs=1) for number in range(3)]
    runs[0].cases_file.write_bytes(b"{")
    done: list[int] = []

    def tell(epoch: Any) -> None:
        done.append(epoch.number)
        if len(done) == 2:
            runs[2].ask_to_stop(StopWish.PAUSE)

    runs[2].plan_file.write_bytes(msgspec.json.encode(msgspec.structs.replace(runs[2].plan(), epochs=2)))
    states = train_queue(runs, **ONE, on_epoch=tell)
    assert states == [RunState.FAILED, RunState.FINISHED, RunState.PAUSED]
    assert train_queue(runs[1:], **ONE) == [RunState.FINISHED] * 2
    assert len(done) == 2  # the finished one was not trained again


def test_a_fault_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", cases=8)

    def fault(*args: Any, **more: Any) -> None:
        raise RuntimeError("a name that must not be shown")

    monkeypatch.setattr(program, "machine_of", fault)
    with pytest.raises(RuntimeError):
        train_run(run, **ONE)
    problem = run.live().problem
    assert problem is not None
    assert (problem.kind, problem.reason) == ("fault", "RuntimeError")


def test_the_quicker_way_is_taken_only_where_it_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", cases=8)
    answers = iter(
        [
            machine._Answer(0.70, 0.701, 0.99, 1.0, 0.4),  # agrees and is quicker
            machine._Answer(0.70, 0.701, 0.99, 1.0, 0.97),  # not quicker
            machine._Answer(0.70, 0.80, 0.99, 1.0, 0.4),  # another loss
            machine._Answer(0.70, float("nan"), 0.99, 1.0, 0.4),
            machine._Answer(0.70, 0.70, 0.2, 1.0, 0.4),  # another gradient
        ]
    )
    monkeypatch.setattr(machine._Probe, "compare", lambda self, single, half: next(answers))
    chosen = []
    for _ in range(5):
        run.machine_file.unlink(missing_ok=True)
        chosen.append(machine.machine_of(run, device="cpu", threads=1).precision)
    assert chosen == ["bfloat16", "float32", "float32", "float32", "float32"]
    again = machine.machine_of(run)
    assert again == machine.kept_machine(run)  # kept, not chosen anew
    moved = msgspec.structs.replace(again, device="cuda:99", name="another machine")
    run.machine_file.write_bytes(msgspec.json.encode(moved))
    monkeypatch.setattr(machine, "choose_device", _no_such_device(choose_device))
    with pytest.raises(StopIteration):  # it asks anew, and there is no answer left
        machine.machine_of(run)


def _no_such_device(real: Any) -> Any:
    def choose(wish: str, precision: str) -> Any:
        if wish == "cuda:99":
            raise UserError("There is no device cuda:99.", kind="no-device")
        return real("cpu", precision)

    return choose


def test_ahead_keeps_the_order_and_tells_of_faults() -> None:
    assert list(Ahead(lambda n: n * n, range(20), threads=3)) == [n * n for n in range(20)]

    def third(number: int) -> int:
        if number == 3:
            raise ValueError("planted")
        return number

    taken: list[int] = []
    with pytest.raises(ValueError, match="planted"):
        taken.extend(Ahead(third, range(9)))
    assert taken in ([], [0, 1, 2])  # `extend` may or may not keep what came before the fault


def test_a_run_that_cannot_be_written_to_is_refused_in_a_sentence(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.lock_file.mkdir()  # as good as a folder without rights, which an administrator has all the same
    with pytest.raises(UserError) as caught:
        train_run(run)
    assert caught.value.kind == "unwritable-folder"
