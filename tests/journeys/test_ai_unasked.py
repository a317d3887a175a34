"""Open a project → what a model says is there without a click, and for the next case before it is opened."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.case import ViewRole
from app.core.finding import ConsultationState
from app.core.model_input import InputKind, ModelInput
from app.ui.engine_state import EngineState
from app.ui.main_window import MainWindow
from tests.support.engine_process import make_model
from tests.support.window import make_project, open_window, strict_qt, wait, wait_until

COMMAND = (sys.executable, "-P", "-m", "app", "engine")
SMALL = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=32)


@pytest.fixture(autouse=True)
def strict_window(tmp_path: Path) -> Iterator[None]:
    with strict_qt():
        yield


def is_answered(window: MainWindow, case_id: str) -> bool:
    engine = window.engine.engine
    assert engine is not None
    states = {entry.state for entry in engine.consultations(case_id)}
    return states == {ConsultationState.ANSWERED}


@pytest.mark.slow
def test_the_answer_is_there_before_anybody_asks_and_a_killed_engine_comes_back(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "project", cases=3)
    make_model(tmp_path / "models" / "tiny", "resnet18-frontal", input=SMALL, title="Tiny")
    window = open_window(folder, engine_command=COMMAND, models=tmp_path / "models")
    engine = window.engine.engine
    assert engine is not None
    first = window.selection.on_screen
    second, third = window.case_list.neighbours((1, 2))
    wait_until(lambda: is_answered(window, first), 240)
    wait_until(lambda: is_answered(window, second) and is_answered(window, third))
    assert window.engine.button.text().startswith("AI: ")
    assert "CPU" in window.engine.button.text()
    wait_until(lambda: engine.state is EngineState.IDLE)

    arrived: list[str] = []
    engine.finding_arrived.connect(arrived.append)
    QTest.keyClick(window, Qt.Key.Key_PageDown)
    wait_until(lambda: window.selection.on_screen == second)
    assert is_answered(window, second)
    assert arrived == []  # nothing had to be computed for it
    weights = engine.models[0].card.weights_sha256
    assert set(engine.scores(weights)) == {first, second, third}
    wait_until(lambda: "AI" in shown_words(window, first))

    pid = engine.process.pid
    window.banners.remove("engine")  # a very busy machine may have taken the start for a hang
    os.kill(pid, signal.SIGABRT)
    wait_until(lambda: "engine" in window.banners.texts)
    assert "was started again" in window.banners.texts["engine"]
    wait_until(lambda: engine.state is EngineState.IDLE, 240)
    assert engine.process.pid != pid
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    wait_until(lambda: window.selection.on_screen == first)
    assert is_answered(window, first)
    last = engine.process.pid
    window.close()
    wait(0)
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)


def shown_words(window: MainWindow, case_id: str) -> str:
    """What the worklist says about a case."""
    from app.ui import case_words

    row = window.case_list.model.row_at(window.case_list.model.row_of(case_id))
    return "" if row is None else case_words.first_score(row)
