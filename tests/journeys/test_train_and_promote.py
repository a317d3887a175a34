"""Label → Ctrl+T, Enter → a trainer of its own → a model → promoted, it answers → rolled back, the old answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.case import ViewRole
from app.core.finding import ConsultationState
from app.core.model_input import InputKind, ModelInput
from app.core.networks import Network
from app.core.training_run import RunState
from app.store import training_setup
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.ui.main_window import MainWindow
from tests.support.engine_process import make_model
from tests.support.window import make_project, open_window, strict_qt, wait, wait_until

COMMAND = (sys.executable, "-P", "-m", "app", "engine")
SMALL = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=32)
TINY = Network(id="resnet18-frontal", title="Tiny", paper="000", input=SMALL, parameters=11.2, fits_cpu=True)
PLACE = "fracture.frontal"


@pytest.fixture(autouse=True)
def strict_window(tmp_path: Path) -> Iterator[None]:
    with strict_qt():
        yield


def answer(window: MainWindow, case_id: str) -> tuple[str, tuple[float, ...]] | None:
    """Which model answers about a case just now, and what it says."""
    engine = window.engine.engine
    assert engine is not None
    for entry in engine.consultations(case_id):
        if entry.card.task_id == PLACE and entry.state is ConsultationState.ANSWERED:
            assert entry.finding is not None
            return entry.card.id, entry.finding.probabilities
    return None


@pytest.mark.slow
def test_from_labels_to_a_model_that_answers_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "0")
    monkeypatch.setattr("app.ui.wiring.training.NICE", 0)  # else a trainer waits for all other tests
    monkeypatch.setattr(training_setup, "networks", lambda: (TINY,))
    monkeypatch.setattr(training_setup, "network_named", lambda _: TINY)
    folder = make_project(tmp_path / "project", cases=12)
    with ProjectStore.open(folder) as store:
        for number, case in enumerate(store.cases.all()[1:]):
            Annotations(store).set_label(case.id, "fracture", "yes" if number % 2 else "no", author="tester")
    make_model(tmp_path / "models" / "old", "resnet18-frontal", input=SMALL, title="Old")
    window = open_window(folder, engine_command=COMMAND, models=tmp_path / "models")
    monkeypatch.setattr(window.proposing, "_estimate", lambda setup: None)  # one process less
    case_id = window.selection.on_screen
    wait_until(lambda: answer(window, case_id) is not None, 240)
    before = answer(window, case_id)
    assert before is not None
    assert before[0] == "old"
    engine = window.engine.engine
    assert engine is not None
    assert window.project is not None
    others = [case.id for case in window.project.look().cases.all()][-3:]  # far from what is looked ahead at
    assert engine.start_batch(others)
    wait_until(lambda: engine.batch is not None and engine.batch.is_over, 240)

    window.actions_by_id["show_labels"].trigger()
    wait(30)
    for key in (Qt.Key.Key_G, Qt.Key.Key_3):  # a Garden III is a fracture
        QTest.keyClick(QApplication.focusWidget() or window, key)
        wait(5)
    assert window.project is not None
    assert window.project.annotations.labels(case_id, "tester")["fracture"] == "yes"

    QTest.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    panel = window.training.panel
    assert panel is not None
    wait_until(lambda: panel.can_start)
    panel.form.epochs.setValue(2)
    wait_until(
        lambda: panel.can_start and panel.form.setup is not None and panel.form.setup.proposal.request.epochs == 2
    )
    QTest.keyClick(QApplication.focusWidget() or panel, Qt.Key.Key_Return)
    wait_until(lambda: bool(window.training.runs))
    wait_until(lambda: window.training.runs[0].state is RunState.FINISHED, 240)
    run = window.training.runs[0]
    assert run.has_model
    assert len(run.epochs) == 2
    wait_until(lambda: "training" in window.banners.texts)
    assert answer(window, case_id) == before  # a model that nobody has promoted says nothing

    panel.runs.buttons["promote"].click()
    wait_until(lambda: window.promoting._gate is None, 240)
    assert "training" not in window.banners.texts
    panel.gate.reason.setText("a test of the whole way")
    assert panel.gate.promote.isEnabled()
    panel.gate.promote.click()
    wait_until(lambda: (now := answer(window, case_id)) is not None and now[0] != "old", 240)
    after = answer(window, case_id)
    assert after is not None
    assert after[1] != before[1]
    (active,) = (model for model in engine.models if model.card.task_id == PLACE)
    wait_until(lambda: set(others) <= set(engine.scores(active.card.weights_sha256)), 240)  # made anew by itself

    window.actions_by_id["roll_back"].trigger()
    wait_until(lambda: answer(window, case_id) is not None and answer(window, case_id) != after)
    assert answer(window, case_id) == before
    window.close()
    wait(0)
