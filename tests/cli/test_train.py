"""`coxa train`, `coxa evaluate` and `coxa models` as a person or a program calls them."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.cli.exit_codes import DONE, PROBLEMS, REFUSED, USAGE
from app.cli.main import main
from app.core import networks as known_networks
from app.core.case import Patient, Projection, Side, Study, ViewRole
from app.core.model_input import InputKind, ModelInput
from app.core.networks import Network
from app.store import run_folder, training_setup
from app.store.annotations import Annotations
from app.store.models import Models
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.store.run_folder import RunFolder
from tests.support.training_run import narrow_networks
from tests.support.window import add_view, flat_image, make_project

SMALL = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=32)
TINY = Network(
    id="resnet18-frontal", title="Tiny", paper="000", input=SMALL, parameters=11.2, has_imagenet=True, fits_cpu=True
)
ONE = ("--device", "cpu", "--precision", "float32", "--threads", "1", "--nice", "0")


@pytest.fixture(autouse=True)
def stays_as_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands run in this process, which must not let others go first for all tests that follow."""
    monkeypatch.setattr("app.cli.train.be_modest", lambda *_, **__: None)


needs_torch = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs torch")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One network, and no model that Coxa ships with."""
    monkeypatch.setenv("GOMP_SPINCOUNT", "0")
    if importlib.util.find_spec("timm"):
        narrow_networks(monkeypatch)
    for place in (training_setup, known_networks):
        monkeypatch.setattr(place, "networks", lambda: (TINY,))
        monkeypatch.setattr(place, "network_named", lambda name: TINY if name == TINY.id else None)
    monkeypatch.setattr("app.store.models.bundled_models", lambda: tmp_path / "nothing")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty patients; every second hip is broken."""
    return labelled(tmp_path_factory.mktemp("train") / "project", "yn" * 10)


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(template, tmp_path / "project")
    return tmp_path / "project"


def labelled(path: Path, labels: str) -> Path:
    """A project with these answers: y, n, or - for none."""
    make_project(path, cases=len(labels))
    with ProjectStore.open(path) as store:
        for case, label in zip(store.cases.all(), labels, strict=True):
            if label != "-":
                value = {"y": "yes", "n": "no"}[label]
                Annotations(store).set_label(case.id, "fracture", value, author="tester")
    return path


def call(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out, said.err


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """What a refusal says."""
    code, out, err = call(capsys, *words, "--json")
    assert code == REFUSED, (out, err)
    found = json.loads(out or err)
    error: dict[str, Any] = found["error"]
    assert error["title"]
    assert error["remedy"]
    return error


def test_a_dry_run_says_everything_and_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "train", "--project", project, "--dry-run", "--protocol", "5-fold", "--json")
    assert code == DONE
    found = json.loads(out)
    assert (found["task"], found["network"], found["preset"]) == ("fracture", TINY.id, "quick")
    assert found["cases"] == 20
    assert len(found["folds"]) == 5
    tested = [sum(row["cases"] for row in fold["test"].values()) for fold in found["folds"]]
    assert sum(tested) == 20
    code, out, _ = call(capsys, "train", "--project", project, "--dry-run")
    assert code == DONE
    assert "cases of patients" in out
    assert "begins with random" in out
    assert not list((project / "runs").glob("*"))


def test_what_is_chosen_is_frozen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--preset", "paper-sgd", "--protocol", "10-fold", "--seed", "5", "--epochs", "3", "--start", "imagenet",
               "--title", "My run", "--reader", "Ann", "--task", "fracture", "--network", TINY.id]  # fmt: skip
    code, out, _ = call(capsys, "train", "--project", project, "--prepare-only", "--json", *options)
    assert code == DONE
    folders = [RunFolder(Path(path)) for path in json.loads(out)]
    assert len(folders) == 10
    plan, info = folders[3].plan(), folders[3].info()
    assert (plan.preset, plan.epochs, plan.seed, plan.start) == ("paper-sgd", 3, 8, "imagenet")
    assert (plan.optimiser, plan.learning_rate, plan.localisation) == ("sgd", 3e-3, 0.0)
    assert (info.title, info.author, info.protocol) == ("My run, fold 4 of 10", "Ann", "10-fold")
    assert (info.fold, info.folds, info.initialised_from) == (4, 10, "ImageNet-1k")
    assert info.command.endswith("--seed 5 --epochs 3")
    code, out, _ = call(capsys, "train", "--project", project, "--list", "--json")
    assert {run["state"] for run in json.loads(out)} == {"new"}
    code, out, _ = call(capsys, "train", "--project", project, "--list")
    assert "My run, fold 10 of 10" in out
    code, _, err = call(capsys, "train", folders[0].path, "--pause")
    assert code == DONE
    assert "is not being trained" in err


@pytest.mark.parametrize(
    ("labels", "kind"), [("-" * 8, "no-labels"), ("y" * 8, "one-class"), ("yyyyyynn", "too-few-patients")]
)
def test_cases_from_which_nothing_can_be_learnt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: str, kind: str
) -> None:
    path = labelled(tmp_path / "p", labels)
    assert refused(capsys, "train", "--project", path, "--dry-run")["kind"] == kind


def test_the_same_film_of_two_patients_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ProjectStore.open(project) as store:
        patient, study = Patient(id="P-again"), Study(id="2.25.999", patient_id="P-again")
        with store.transaction():
            store.patients.add(patient)
            store.studies.add(study)
            for step, projection in enumerate((Projection.FRONTAL, Projection.LATERAL)):
                image = flat_image(200 + step)  # those of the first case
                add_view(store, study, f"V-again-{step}", image, projection=projection, side=Side.LEFT)
            recompose_study(store, study.id, author="tester")
        case = next(case for case in store.cases.all() if case.study_id == study.id)
        Annotations(store).set_label(case.id, "fracture", "yes", author="tester")
    error = refused(capsys, "train", "--project", project, "--protocol", "5-fold", "--prepare-only")
    assert error["kind"] == "duplicate-images"
    assert not list((project / "runs").glob("*"))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (("--task", "nonsense"), "no-task"),
        (("--network", "nonsense"), "no-network"),
        (("--preset", "nonsense"), "no-preset"),
        (("--start", "active"), "no-start"),
        (("--start", "nowhere.safetensors"), "no-start"),
    ],
)
def test_choices_that_there_are_not(
    project: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], kind: str
) -> None:
    assert refused(capsys, "train", "--project", project, "--dry-run", *options)["kind"] == kind


def test_a_received_pickle_is_never_opened(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    received = tmp_path / "weights.pt"
    received.write_bytes(b"\x80\x04\x95cos\nsystem\n(S'touch opened'\ntR.")
    error = refused(capsys, "train", "--project", project, "--start", received, "--prepare-only")
    assert error["kind"] == "not-safetensors"
    assert "safetensors" in error["remedy"]
    assert not (tmp_path / "opened").exists()
    assert not list((project / "runs").glob("*"))


def test_usage(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["train"], ["train", "--list"], ["train", "--pause"], ["evaluate"],
                  ["train", "x", "--project", project]):  # fmt: skip
        assert call(capsys, *words)[0] == USAGE
    assert refused(capsys, "train", tmp_path / "nowhere")["kind"] == "no-run"
    assert refused(capsys, "evaluate", tmp_path / "nowhere")["kind"] == "no-run"


def test_a_project_that_is_open_elsewhere_keeps_its_hold_out_free(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first run freezes who judges; that must be written down where the project is written."""
    with ProjectStore.open(project):
        error = refused(capsys, "train", "--project", project, "--prepare-only")
        assert error["kind"] == "read-only"
        code, _, _ = call(capsys, "train", "--project", project, "--prepare-only", "--protocol", "80-20")
        assert code == DONE


def test_a_full_disk_is_said(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(run_folder, "replace", full)
    error = refused(capsys, "train", "--project", project, "--prepare-only")
    assert (error["kind"], error["reason"]) == ("unwritable-run", "No space left on device.")
    assert not list((project / "runs").glob("*"))


def test_without_torch_it_says_what_to_install(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("app.engine.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    made = json.loads(call(capsys, "train", "--project", project, "--prepare-only", "--json")[1])
    for words in (["train", made[0], *ONE], ["train", "--estimate", "--network", TINY.id, "--nice", "0"]):
        error = refused(capsys, *words)
        assert error["kind"] == "no-torch"
        assert "--review-only" in error["remedy"]


@needs_torch
def test_an_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--estimate", "--network", TINY.id, "--cases", "50", "--device", "cpu", "--threads", "1"]
    code, out, _ = call(capsys, *words, "--nice", "0", "--json")
    assert code == DONE
    found = json.loads(out)
    assert found["cases"] == 50
    assert 0 < found["seconds_per_case"] < 10
    expected = found["seconds_per_case"] * (50 + 0.35 * 12) * found["epochs"]
    assert found["seconds"] == pytest.approx(expected)
    assert refused(capsys, "train", "--estimate", "--network", TINY.id, "--device", "cuda:77")["kind"] == "no-device"


@needs_torch
def test_a_leak_in_a_received_run_is_found_before_it_is_trained(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = json.loads(call(capsys, "train", "--project", project, "--prepare-only", "--json")[1])
    run = RunFolder(Path(made[0]))
    cases = run.cases()
    cases[1] = msgspec.structs.replace(cases[1], patient=next(c.patient for c in cases if c.part != cases[1].part))
    run.cases_file.write_bytes(b"".join(msgspec.json.encode(case) + b"\n" for case in cases))
    assert refused(capsys, "train", run.path, *ONE)["kind"] == "leak"
    assert run.live().state == "failed"


@needs_torch
@pytest.mark.slow
def test_from_a_project_to_a_model_that_answers_and_back(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs; figures; the gate; promoted and rolled back. (In processes of their own: the journey.)"""
    from app.engine.training import train_run  # not by its name: another test takes torch away and brings it back

    monkeypatch.setattr(train_run, "write_graph_of", lambda model: None)
    code, out, _ = call(capsys, "train", "--project", project, "--epochs", "1", "--seed", "1", "--json", *ONE)
    assert code == DONE
    (first,) = json.loads(out)
    assert (first["state"], first["epochs"], first["of"]) == ("finished", 1, 1)
    made = json.loads(call(capsys, "train", "--project", project, "--prepare-only", "--epochs", "1", "--json")[1])
    assert refused(capsys, "evaluate", made[0])["kind"] == "not-finished"
    code, out, _ = call(capsys, "train", made[0], *ONE)
    assert code == DONE
    assert "epoch 1: loss" in out
    assert "finished  1 of 1 epochs" in out
    card, figures = Path(made[0], "model", "card.toml"), Path(made[0], "evaluation.json")
    before = [file.stat().st_mtime_ns for file in (card, figures)]
    code, out, _ = call(capsys, "train", made[0], *ONE)
    assert code == DONE
    assert "nothing left to train" in out
    assert f"model: {card.parent}" in out
    assert [file.stat().st_mtime_ns for file in (card, figures)] == before, "neither is made a second time"

    code, out, _ = call(capsys, "evaluate", made[0])
    assert "Clopper–Pearson" in out
    found = json.loads(call(capsys, "evaluate", made[0], "--json")[1])
    assert sum(found["counts"]) == len(found["cases"]) == 4
    held_out = {case["id"] for case in found["cases"]}
    theirs = json.loads(call(capsys, "evaluate", first["folder"], "--json")[1])
    assert {case["id"] for case in theirs["cases"]} == held_out  # frozen by the first

    assert call(capsys, "models", "promote", "--project", project, first["folder"])[0] == DONE  # none answers yet
    code, out, _ = call(capsys, "models", "import", "--project", project, made[0])
    assert code == DONE
    new = RunFolder(Path(made[0])).path.name[:64]
    words = ["evaluate", "--project", project, "--model", new, "--against", "active", "--device", "cpu"]
    compared = json.loads(call(capsys, *words, "--json")[1])["comparison"]
    assert compared["cases"] == 4
    assert {flip["case_id"] for flip in compared["flips"]} <= held_out
    assert "McNemar" in call(capsys, *words)[1]
    assert (
        call(capsys, "models", "promote", "--project", project, new, "--reason", "to be rolled back again")[0] == DONE
    )
    assert answering(project) == new
    assert call(capsys, "models", "rollback", "--project", project, "fracture.frontal")[0] == DONE
    assert answering(project) == first["id"][:64]
    assert "to be rolled back again" in call(capsys, "models", "history", "--project", project, "fracture.frontal")[1]


def answering(project: Path) -> str:
    with ProjectStore.open(project, is_read_only=True) as store:
        entry = Models(store).active("fracture.frontal")
    assert entry is not None
    return entry.id


@needs_torch
def test_a_queue_of_which_one_fails_ends_with_problems(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine.training import train_run as program

    monkeypatch.setattr(program, "write_graph_of", lambda model: None)
    words = ["train", "--project", project, "--prepare-only", "--json", "--protocol", "5-fold", "--epochs", "1"]
    made = json.loads(call(capsys, *words)[1])[:3]
    RunFolder(Path(made[1])).views_file.write_bytes(b"{")
    code, out, _ = call(capsys, "train", *made, *ONE, "--json")
    assert code == PROBLEMS
    assert [run["state"] for run in json.loads(out)] == ["finished", "failed", "finished"]
    code, said, _ = call(capsys, "train", *made, *ONE)  # again: the finished ones stay, the other one fails again
    assert code == PROBLEMS
    assert "fold 2 of 5" in said.splitlines()[0], "which fold is being trained"
    assert "2 of 3 folds: mean ± SD" in said
    code, out, _ = call(capsys, "evaluate", *made)
    assert code == DONE
    assert said.endswith(out), "what the folds come to together ends the training"
    assert "2 of 3 folds" in out
    assert "1 of 3 folds are not finished." in out
    cross = json.loads(call(capsys, "evaluate", *made, "--json")[1])
    accuracy = next(row for row in cross["per_fold"] if row["name"] == "accuracy")
    known = [value for value in accuracy["folds"] if value is not None]
    assert accuracy["mean"] == pytest.approx(sum(known) / 2)
    assert accuracy["sd"] == pytest.approx(abs(known[0] - known[1]) / 2**0.5)  # n − 1
