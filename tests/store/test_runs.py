"""Runs as folders of a project: frozen whole, listed, renamed, thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from app.core.case import Side
from app.core.errors import UserError
from app.core.grey import GreyScale, Photometric
from app.core.model_input import ViewGeometry
from app.core.networks import network_named
from app.core.spacing import Spacing
from app.core.training_proposal import Candidate, Protocol, TrainingProposal, TrainingRequest, propose
from app.core.training_run import RunCase, RunProgress, RunState, RunView, StopWish
from app.core.training_task import tasks_of
from app.store.label_sets import default_label_set
from app.store.run_folder import RunFolder
from app.store.runs import Begin, Runs, is_training, queue_of, stop, summary


def proposal(protocol: Protocol = Protocol.HOLD_OUT) -> tuple[TrainingProposal, dict[str, RunCase]]:
    network = network_named("cvdt-small-frontal")
    assert network is not None
    found = [
        Candidate(id=f"C{n:02d}", patient=f"P{n:02d}", label="yes" if n % 2 else "no", images=(f"i{n}",))
        for n in range(30)
    ]
    view = RunView(
        image_sha256="a" * 64,
        grey=GreyScale(photometric=Photometric.MONOCHROME1, bits_stored=12),
        geometry=ViewGeometry(rows=10, cols=20, spacing=Spacing(), side=Side.LEFT),
        click_xy=(3.5, 4.0),
    )
    views = {case.id: RunCase(id=case.id, views=(view,), vendor="Acme") for case in found}
    task = tasks_of(default_label_set())[0]
    return propose(TrainingRequest(task=task, network=network, protocol=protocol), found), views


def test_a_run_survives_being_written(tmp_path: Path) -> None:
    made, views = proposal()
    (tmp_path / "weights").write_bytes(b"w")
    runs = Runs(tmp_path / "runs")
    begin = Begin(start="start.safetensors", words="cvdt-small", weights=tmp_path / "weights", base_model="cvdt-small")
    (folder,) = runs.create(made, views, images=tmp_path / "images", begin=begin, author="ab", event_id=7)
    again = RunFolder(folder.path)
    assert again.plan().start == "start.safetensors"
    assert again.start_file.read_bytes() == b"w"
    assert [case.id for case in again.cases()] == sorted(made.labels)
    assert {case.id: case.part for case in again.cases()} == dict(made.folds[0])
    assert again.views() == [views[case] for case in sorted(made.labels)]
    info = again.info()
    assert (info.task, info.author, info.event_id, info.base_model) == ("fracture", "ab", 7, "cvdt-small")
    (listed,) = runs.all()
    assert listed.state is RunState.NEW
    assert listed.best is None
    assert runs.get(info.id) == listed


def test_folds_are_complete_runs_of_their_own(tmp_path: Path) -> None:
    made, views = proposal(Protocol.TEN_FOLD)
    runs = Runs(tmp_path / "runs")
    folders = runs.create(made, views, images=tmp_path / "images")
    assert len(folders) == 10
    listed = runs.all()
    queue = queue_of(listed, listed[0].info.queue)
    assert [each.info.fold for each in queue] == list(range(1, 11))
    assert len({each.plan.seed for each in queue}) == 10
    orders = {tuple(case.id for case in each.folder.cases()) for each in queue}
    assert len(orders) == 1  # so that they share one cache


def test_names_trash_and_back(tmp_path: Path) -> None:
    made, views = proposal()
    runs = Runs(tmp_path / "runs")
    (folder,) = runs.create(made, views, images=tmp_path)
    name = folder.path.name
    assert runs.rename(name, "  My   run ").title == "My run"
    assert runs.get(name).info.title == "My run"
    for title in ("", "a\nb\x00", "x" * 200):
        with pytest.raises(UserError, match="name of one line"):
            runs.rename(name, title)
    runs.delete(name)
    assert runs.all() == []
    assert runs.trashed() == [name]
    runs.restore(name)
    assert runs.get(name).info.title == "My run"
    runs.delete(name)
    assert runs.empty_trash() == 1
    for call in (runs.delete, runs.get, runs.restore):
        with pytest.raises(UserError) as caught:
            call(name)
        assert caught.value.kind == "no-run"
    with pytest.raises(UserError):
        runs.get("../runs")


def test_a_living_trainer_is_seen(tmp_path: Path) -> None:
    made, views = proposal()
    runs = Runs(tmp_path / "runs")
    (folder,) = runs.create(made, views, images=tmp_path)
    folder.write_live(RunProgress(state=RunState.RUNNING, epoch=2))
    assert summary(folder).state is RunState.BROKEN_OFF
    assert not stop(folder, StopWish.FINISH)
    assert folder.wish() is None
    with FileLock(folder.lock_file):
        assert is_training(folder)
        assert summary(folder).state is RunState.RUNNING
        assert stop(folder, StopWish.FINISH)
        assert folder.wish() is StopWish.FINISH
        with pytest.raises(UserError) as caught:
            runs.delete(folder.path.name)
    assert caught.value.kind == "run-in-use"


def test_a_damaged_run_hides_no_other(tmp_path: Path) -> None:
    made, views = proposal()
    runs = Runs(tmp_path / "runs")
    (one,) = runs.create(made, views, images=tmp_path)
    (other,) = runs.create(made, views, images=tmp_path)
    one.plan_file.write_text("{")
    assert [each.info.id for each in runs.all()] == [other.path.name]
