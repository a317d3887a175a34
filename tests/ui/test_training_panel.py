"""Training in the window: what is proposed, runs as they go on, and the gate before a model answers."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from filelock import FileLock
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.core.evaluation import CalibrationBin, EvaluatedCase, Evaluation, RocPoint
from app.core.model_card import Figure
from app.core.promotion import Comparison, Flip
from app.core.training_proposal import Protocol
from app.core.training_run import Problem, RunProgress, RunState, WorstCase
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.store.run_folder import Epoch, RunFolder
from app.store.runs import Runs
from app.store.training_setup import TrainingWish, make_runs, set_up
from app.ui.evaluation_dialog import PLOT_PX, EvaluationDialog
from app.ui.main_window import MainWindow
from app.ui.promotion_view import PromotionView
from app.ui.training_panel import GATE, RUNS
from tests.support.window import application, make_project, open_window, wait, wait_until

QUESTION = "fracture"


def labelled(path: Path, cases: int = 12) -> Path:
    """A project whose cases have answers: every second one is a fracture."""
    project = make_project(path, cases=cases)
    with ProjectStore.open(project) as store:
        for number, case in enumerate(store.cases.all()):
            Annotations(store).set_label(case.id, QUESTION, "yes" if number % 2 else "no", author="A")
    return project


def epoch(number: int, *, is_best: bool = True) -> Epoch:
    return Epoch(number=number, training_loss=1 / number, validation_loss=1.2 / number, auc=0.5 + number / 20,
                 accuracy=0.7, learning_rate=1e-3, cases_per_s=3.0, seconds=2.0, is_best=is_best)  # fmt: skip


def made_run(project: Path) -> RunFolder:
    with ProjectStore.open(project) as store:
        return make_runs(store, set_up(store, TrainingWish(network="densenet121-whole-view")), author="A")[0]


def open_panel(window: MainWindow) -> None:
    window.actions_by_id["training"].trigger()
    panel = window.training.panel
    assert panel is not None
    wait_until(lambda: panel.form.setup is not None or panel.form._problem is not None)


def test_without_labels_it_says_what_to_do(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    open_panel(window)
    panel = window.training.panel
    assert panel is not None
    assert not panel.go.isEnabled()
    assert "nothing to learn from" in panel.form.text
    window.close()


@pytest.mark.skipif("torch" not in sys.modules and not __import__("importlib.util").util.find_spec("torch"),
                    reason="training needs torch")  # fmt: skip
def test_it_proposes_everything_and_enter_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window = open_window(labelled(tmp_path / "p"))
    monkeypatch.setattr(window.proposing, "_estimate", lambda setup: None)  # a process that imports torch
    begun: list[list[Path]] = []
    monkeypatch.setattr(window.training, "_begin", lambda folders, device="auto": begun.append(folders))
    open_panel(window)
    panel = window.training.panel
    assert panel is not None
    panel.form._choose("network", "densenet121-whole-view")
    panel.form._on_chosen("network")
    wait_until(lambda: panel.form.setup is not None)
    assert panel.form.setup is not None
    proposal = panel.form.setup.proposal
    assert proposal.request.network.id == "densenet121-whole-view"
    assert "12 cases" in panel.form.text
    QTest.keyClick(panel, Qt.Key.Key_Return)
    wait(20)
    assert len(begun) == 1
    assert begun[0][0].parent == tmp_path / "p" / "runs"
    assert (begun[0][0] / "plan.json").is_file()
    assert panel.tabs.currentIndex() == RUNS
    window.close()


def test_a_run_is_followed_while_it_goes_on(tmp_path: Path) -> None:
    project = labelled(tmp_path / "p")
    run = made_run(project)
    run.write_epochs([epoch(1), epoch(2)])
    case = run.cases()[0].id
    run.worst_file.write_bytes(msgspec.json.encode([WorstCase(id=case, label=1, probability=0.1, loss=2.3)]))
    window = open_window(project)
    open_panel(window)
    panel = window.training.panel
    assert panel is not None
    panel.tabs.setCurrentIndex(RUNS)
    window.training.look()
    assert panel.runs.list.count() == 1
    assert "2" in panel.runs.list.item(0).text()
    current = panel.runs.current
    assert current is not None
    assert current.best is not None
    assert current.best.number == 2
    assert len(panel.runs.curves.loss.getPlotItem().listDataItems()) == 3
    assert panel.runs.worst.count() == 1
    opened: list[str] = []
    panel.runs.case_wanted.connect(opened.append)
    panel.runs.worst.itemClicked.emit(panel.runs.worst.item(0))
    assert opened == [case]
    run.write_live(RunProgress(state=RunState.FAILED, problem=Problem(title="The memory does not suffice.")))
    window.training.look()
    assert "The memory does not suffice." in panel.runs._notes.text()
    assert panel.runs.buttons["resume"].isVisibleTo(panel.runs)
    window.close()


def test_a_run_can_be_thrown_away_and_taken_back(tmp_path: Path) -> None:
    project = labelled(tmp_path / "p")
    run = made_run(project)
    window = open_window(project)
    window.training.show()
    window.training.look()
    window.training._act("delete")
    assert not run.path.exists()
    assert Runs(project / "runs").trashed() == [run.path.name]
    back = next(button for button in window.banners.findChildren(QPushButton) if button.text() == "Take back")
    back.click()
    assert run.path.is_dir()
    window.close()


def gate(comparison: Comparison | None) -> PromotionView:
    application()
    view = PromotionView()
    view.wait("A model")
    assert not view.promote.isEnabled()
    view.show_comparison(comparison, {})
    return view


def comparison(gain: float) -> Comparison:
    flips = (Flip(case_id="C-1", is_finding=True, before=0.2, after=0.8, is_better=True),)
    return Comparison(new_id="n", active_id="a", cases=40, patients=38, new_auc=0.8 + gain, active_auc=0.8, gain=gain,
                      low=gain - 0.02, high=gain + 0.02, p=0.1, flips=flips)  # fmt: skip


def test_a_better_model_needs_no_reason_and_a_worse_one_does() -> None:
    better = gate(comparison(0.05))
    assert better.promote.isEnabled()
    assert better.flips.count() == 1
    for worse in (gate(comparison(-0.05)), gate(None)):
        assert not worse.promote.isEnabled()
        worse.reason.setText("too short")
        assert not worse.promote.isEnabled()
        worse.reason.setText("the other one was trained on the wrong views")
        assert worse.promote.isEnabled()


def test_while_two_models_are_compared_the_gate_says_so_at_its_top() -> None:
    waiting = gate(comparison(0.05))
    waiting.resize(280, 700)
    waiting.wait("A run")
    waiting.show()
    wait_until(lambda: waiting.busy.isVisible())
    assert waiting.busy.geometry().bottom() < 200
    assert not waiting.promote.isEnabled()
    waiting.show_comparison(comparison(0.05), {})
    assert not waiting.busy.isVisible()
    waiting.close()


def test_the_gate_shows_only_while_it_is_asked(tmp_path: Path) -> None:
    window = open_window(labelled(tmp_path / "p"))
    panel = window.training.show()
    assert not panel.tabs.isTabVisible(GATE)
    panel.show_gate()
    assert panel.tabs.isTabVisible(GATE)
    panel.gate.leave.click()
    assert not panel.tabs.isTabVisible(GATE)
    window.close()


def test_figures_are_shown_and_mistakes_can_be_opened() -> None:
    application()
    cases = tuple(
        EvaluatedCase(id=f"C-{n}", patient=f"P-{n}", is_finding=n % 2 == 0, probability=0.1 + 0.08 * n,
                      is_found=n > 4, distance=1.0) for n in range(10)
    )  # fmt: skip
    evaluation = Evaluation(
        model_id="m", weights_sha256="0" * 64, title="A model", classes=("no fracture", "fracture"),
        measured_on="10 cases", threshold=0.5, cases=cases, counts=(2, 3, 3, 2),
        figures=(Figure(name="AUC", value=0.6, low=0.4, high=0.8, cases=10, measured_on="10 cases"),),
        roc=(RocPoint(false_positive_rate=0, sensitivity=0, threshold=2),
             RocPoint(false_positive_rate=1, sensitivity=1, threshold=0)),
        pr=(), average_precision=None,
        calibration=(CalibrationBin(stated=0.4, observed=0.5, low=0.2, high=0.8, cases=10),),
        by_class=(), by_vendor=(), at="2026-11-21T00:00:00+00:00",
    )  # fmt: skip
    dialog = EvaluationDialog(evaluation)
    dialog.show()
    assert dialog.figures.item(0, 2).text() == "0.400 … 0.800"
    assert dialog.mistakes.count() == sum(not case.is_right for case in cases)
    dialog.resize(900, 430)  # a small screen: what is below scrolls, plots lie in two rows
    wait(20)
    assert dialog.size().toTuple() == (900, 430)
    plots = [each.geometry() for each in dialog.plots.values()]
    assert plots[0].bottom() < plots[2].top()
    assert plots[0].y() == plots[1].y()
    assert all(each.height() >= PLOT_PX for each in plots)
    dialog.resize(1180, 720)
    wait(20)
    assert len({each.y() for each in dialog.plots.values()}) == 1
    turn = QWheelEvent(QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
                       Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    dialog.plots["roc"].wheelEvent(turn)
    assert not turn.isAccepted()  # it scrolls the dialog
    opened: list[str] = []
    dialog.case_wanted.connect(opened.append)
    dialog.mistakes.itemClicked.emit(dialog.mistakes.item(0))
    assert opened == [max((c for c in cases if not c.is_right), key=lambda c: abs(c.probability - 0.5)).id]
    dialog.reject()


def test_folds_wait_for_their_turn_and_tell_what_they_come_to(tmp_path: Path) -> None:
    """Mean ± SD as they finish; a fold that nobody has started waits while another one is trained."""
    project = labelled(tmp_path / "p", 12)
    wish = TrainingWish(network="densenet121-whole-view", protocol=Protocol.FIVE_FOLD)
    with ProjectStore.open(project) as store:
        runs = make_runs(store, set_up(store, wish), author="A")
    for run, area in zip(runs, (0.8, 0.6), strict=False):
        figures = (Figure(name="AUC", value=area, low=None, high=None, cases=3, measured_on="a fold"),)
        cases = (EvaluatedCase(id="C", patient="P", is_finding=True, probability=0.9, is_found=True, distance=1.0),)
        found = Evaluation(model_id="m", weights_sha256="", title="A model", classes=("no", "yes"), measured_on="fold",
                           threshold=0.5, cases=cases, counts=(1, 0, 0, 0), figures=figures)  # fmt: skip
        run.evaluation_file.write_bytes(msgspec.json.encode(found))
        run.model_folder.mkdir()
        (run.model_folder / "card.toml").touch()
        run.write_live(RunProgress(state=RunState.FINISHED))
    runs[2].write_live(RunProgress(state=RunState.RUNNING))
    window = open_window(project)
    panel = window.training.show()
    panel.tabs.setCurrentIndex(RUNS)
    with FileLock(runs[2].lock_file):
        window.training.look()
        states = [run.state for run in window.training.runs]
        assert states == [RunState.FINISHED] * 2 + [RunState.RUNNING] + [RunState.QUEUED] * 2
        assert window.training._busy is window.training.runs[2]
        rows = dict(window.training.folds.rows(window.training.runs[0], window.training.runs))
        assert rows["Folds"] == "2 of 5 finished"
        assert rows["AUC"] == "0.700 ± 0.141"  # n − 1
        assert panel.runs.buttons["folds"].isVisibleTo(panel.runs)
    window.training.look()
    rest = window.training.folds.rest_of(window.training.runs[2], window.training.runs)
    assert [run.info.fold for run in rest] == [3, 4, 5]
    window.close()


def test_when_the_trainer_of_a_queue_dies_nothing_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folds wait while the first one starts, and no longer once it has broken off."""
    project = labelled(tmp_path / "p", 12)
    wish = TrainingWish(network="densenet121-whole-view", protocol=Protocol.FIVE_FOLD)
    with ProjectStore.open(project) as store:
        runs = make_runs(store, set_up(store, wish), author="A")
    monkeypatch.setattr("app.ui.wiring.training.PROGRAM", ("-c", "pass"))  # a trainer that dies at once
    window = open_window(project)
    window.training._begin([run.path for run in runs])
    window.training.look()
    assert [run.state for run in window.training.runs] == [RunState.QUEUED] * 5
    assert "training" in window.jobs.texts
    runs[0].write_live(RunProgress(state=RunState.RUNNING))
    with FileLock(runs[0].lock_file):
        window.training.look()
        assert [run.state for run in window.training.runs] == [RunState.RUNNING, *[RunState.QUEUED] * 4]
    window.training.look()
    assert [run.state for run in window.training.runs] == [RunState.BROKEN_OFF, *[RunState.NEW] * 4]
    assert "training" not in window.jobs.texts
    window.close()


def test_of_the_models_that_answer_the_small_one_of_both_views_is_proposed(tmp_path: Path) -> None:
    with ProjectStore.open(labelled(tmp_path / "p"), is_read_only=True) as store:
        setup = set_up(store, TrainingWish(), reader="tester")  # with the bundled models: DenseNet-121 answers, too
    assert setup.proposal.request.network.id == "cvdt-small"
