"""Findings in the real window: there without a click, heatmap by H, each view alone, live with the clicks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from app.core.case import ViewRole
from app.core.finding import Consultation, ConsultationState, finding_probability
from app.core.geometry import DEFAULT_SIZE_PX
from app.core.model_card import HeatmapAudit
from app.core.model_input import InputKind, ModelInput
from app.store.model_folder import write_card
from app.store.settings import SettingsFile
from app.ui.finding_display import FindingDisplay
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start
from tests.support.annotating_window import act, align, pane, place
from tests.support.cards import make_card
from tests.support.heat_engine import HeatProcess, probability
from tests.support.window import make_project, wait, wait_until
from tests.ui.test_heat_board import colourfulness

F, L = ViewRole.FRONTAL, ViewRole.LATERAL
WHOLE = {"kind": InputKind.WHOLE_VIEW, "size_px": 128}
PAIR = ModelInput(roles=(F, L), **WHOLE)  # type: ignore[arg-type]
CROP = ModelInput(kind=InputKind.ALIGNED_CROP, roles=(F,), size_px=DEFAULT_SIZE_PX)
KNOWN = {"outlier_limit": 9.0}


def make_models(folder: Path) -> Path:
    audit = HeatmapAudit(hits=9, positives=9, measured_on="x", random_similarity=0.0, is_passed=True)
    cards = (
        make_card("a-traced", input=PAIR, architecture="cvdt-small", heatmap_audit=audit, decides="a", **KNOWN),
        make_card("b-negative", decides="b", **KNOWN),
        make_card("c-crop", input=CROP, decides="c", classes=("nff", "aff"), **KNOWN),
        make_card("d-outside", decides="d", **KNOWN),
        make_card("e-whole", decides="e", classes=("nff", "aff"), **KNOWN),
    )
    for card in cards:
        (folder / card.id).mkdir(parents=True)
        write_card(folder / card.id, card)
    return folder


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    monkeypatch.setattr("app.ui.engine.EngineProcess", HeatProcess)
    start = Start(
        project=make_project(tmp_path / "p", cases=2, rows=420, cols=360), is_read_only=False, demo=Path("nowhere"),
        demo_command=("nothing",), is_demo_ready=lambda: False, author="tester", settings=SettingsFile(None),
        models=make_models(tmp_path / "models"), engine_command=("in this process",),
    )  # fmt: skip
    made = MainWindow(start)
    settled: list[bool] = []
    made.settled.connect(lambda: settled.append(True))
    made.resize(1280, 800)
    made.show()
    wait_until(lambda: bool(settled))
    made.finish()
    assert made.project is not None
    made.project.confirm_author("tester")
    wait_until(lambda: len(answers(made)) == 4)
    return made


def answers(window: MainWindow) -> list[Consultation]:
    engine = window.engine.engine
    assert engine is not None
    entries = engine.consultations(window.selection.on_screen)
    return [entry for entry in entries if entry.state is ConsultationState.ANSWERED]


def display(window: MainWindow) -> FindingDisplay:
    assert window.findings.display is not None
    return window.findings.display


def is_painted(window: MainWindow, number: int = 0) -> bool:
    wait(20)
    return bool((colourfulness(pane(window, number))[60:-60, 60:-60] > 60).any())


def key(window: MainWindow, which: Qt.Key) -> None:
    QTest.keyClick(window, which)
    wait(20)


def test_opinion_and_heatmap_are_there_without_a_click(window: MainWindow) -> None:
    panel = window.findings.panel
    assert panel is not None
    assert panel.isVisible()
    assert [row.consultation.card.id for row in panel.rows if row.consultation] == [
        "a-traced", "b-negative", "c-crop", "d-outside", "e-whole"]  # fmt: skip
    assert is_painted(window)
    assert is_painted(window, 1)
    key(window, Qt.Key.Key_H)
    assert not is_painted(window)
    assert panel.heat.legend.scale is None
    key(window, Qt.Key.Key_H)
    assert is_painted(window)
    key(window, Qt.Key.Key_Y)  # the next model: nothing was found, so nothing is painted
    active = display(window).active
    assert active is not None
    assert active.card.id == "b-negative"
    assert not is_painted(window)
    assert "nothing was found" in panel.heat.note.text()
    act(window, "negative_heatmaps")
    assert is_painted(window)
    assert "not validated" in panel.heat.note.text()
    assert not is_painted(window, 1), "it looks at the frontal view only"
    assert "Aff" not in panel.rows[2].headline.text()
    assert "two clicks" in panel.rows[2].facts.text()
    before = window.selection.on_screen
    display(window).choose("a-traced")
    window.case_list.step(1)
    wait_until(lambda: window.selection.on_screen != before and len(answers(window)) == 4)
    assert is_painted(window), "the next case has its own"


def test_what_lies_outside_a_model_is_said_in_one_place(window: MainWindow) -> None:
    before = pane(window).geometry()

    def notice() -> str:
        wait(20)
        return window.banners.texts.get("outside", "")

    assert notice() == "", "the findings say it"
    assert pane(window).geometry() == before
    act(window, "show_crop")  # in front of the findings
    assert "outside what a model knows" in notice()
    act(window, "show_findings")
    assert notice() == ""
    act(window, "show_findings")
    act(window, "show_crop")
    assert "outside what a model knows" in notice()
    cross = next(each for each in window.banners.findChildren(QToolButton) if each.isVisible())
    cross.click()
    window.findings.refresh()
    assert notice() == "", "who has put it away has read it"


def test_other_methods_each_view_alone_points_and_the_card(window: MainWindow) -> None:
    shown = display(window)
    panel = shown.panel
    panel.heat.method.setCurrentIndex(panel.heat.method.findData("grad-cam++"))
    panel.heat.method.activated.emit(1)
    wait_until(lambda: any(entry.finding and entry.finding.heatmap("grad-cam++", 1) for entry in answers(window)))
    assert is_painted(window)
    QTest.mouseClick(panel.rows[0].alone, Qt.MouseButton.LeftButton)
    bars = panel.rows[0].strip.table.bars
    wait_until(lambda: len(bars) == 3 and all(bar.value is not None for bar in panel.rows[0].strip.table.bars))
    values = [bar.value for bar in panel.rows[0].strip.table.bars]
    pair = answers(window)[0]
    assert pair.finding is not None
    assert values[2] == finding_probability(pair.card, pair.finding.probabilities)
    assert len(set(values)) == 3, "each is a pass of its own"
    window.actions_by_id["sampling_points"].trigger()
    views = [view.view_id for view in pair.views]
    board = shown.board
    wait_until(lambda: all((found := board.painted(name)) is not None and found.points is not None for name in views))
    QTest.mouseClick(panel.rows[1].card_button, Qt.MouseButton.LeftButton)
    assert window.findings.dialog is not None
    assert window.findings.dialog.heading.text() == "B-Negative"
    window.findings.dialog.accept()


def test_the_crop_has_an_opinion_that_follows_the_mouse(window: MainWindow) -> None:
    align(window, 0, (150, 180), (165, 330))
    crop = window.annotating.panel
    assert crop is not None
    assert crop.isVisible()

    def said() -> float | None:
        shown = crop.opinion.shown
        return None if shown is None or shown.probabilities is None else shown.probabilities[1]

    def stored() -> Consultation | None:
        return next((entry for entry in answers(window) if entry.card.id == "c-crop"), None)

    wait_until(lambda: stored() is not None and said() is not None)
    entry = stored()
    assert entry is not None
    wait_until(lambda: said() == probability(entry.input_key))  # the very input that the engine was fed for the case
    assert crop.opinion.shown is not None
    assert crop.opinion.shown.heat is not None
    whole = next(other for other in answers(window) if other.card.id == "e-whole")
    assert crop.opinion.shown.automated == pytest.approx(probability(whole.input_key))
    assert "Δ" in crop.opinion.automated.text()
    heard = set()
    viewport = pane(window).graphics.viewport()
    start = place(pane(window), (150, 180))
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, 40):
        QTest.mouseMove(viewport, start + QPoint(step, step // 2))
        wait(15)
        heard.add(said())
    assert stored() == entry, "nothing is stored while the button is down"
    assert len(heard) > 2, "it follows"
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start + QPoint(39, 19))
    wait_until(lambda: (now := stored()) is not None and now != entry and said() == probability(now.input_key))
    files = list(Path(window.findings.live._folder.path()).iterdir()) if window.findings.live is not None else []
    assert files == [], "what was shown for a moment is not kept"


def test_docks_share_their_place_as_tabs_and_keys_bring_them_forward(window: MainWindow) -> None:
    panel, actions = window.findings.panel, window.actions_by_id
    assert panel is not None
    act(window, "show_labels")
    act(window, "show_crop")
    wait(50)
    assert panel.visibleRegion().isEmpty(), "behind the crop"
    assert actions["show_findings"].isChecked(), "but open"
    assert window.labelling.form is not None
    assert not window.labelling.form.visibleRegion().isEmpty(), "labels stay in sight: digits answer them"
    key(window, Qt.Key.Key_F11)
    wait(50)
    assert not panel.visibleRegion().isEmpty()
    assert actions["show_findings"].isChecked()
    key(window, Qt.Key.Key_F11)
    wait(50)
    assert not actions["show_findings"].isChecked()
    assert panel.visibleRegion().isEmpty()


def test_a_restart_asks_the_models_as_they_are_on_the_disk_by_now(window: MainWindow, tmp_path: Path) -> None:
    """It is what the message about exchanged files tells people to do."""
    engine = window.engine.engine
    assert engine is not None
    assert "D-Outside" in [model.card.title for model in engine.models]
    write_card(tmp_path / "models" / "d-outside", make_card("d-outside", decides="d", title="A newer one", **KNOWN))
    shutil.rmtree(tmp_path / "models" / "b-negative")
    window.actions_by_id["ai_restart"].trigger()
    titles = [model.card.title for model in engine.models]
    assert ("A newer one" in titles, "D-Outside" in titles, len(titles)) == (True, False, 4)
    wait_until(lambda: "A newer one" in [entry.card.title for entry in answers(window)])
    assert [entry.card.id for entry in answers(window)] == ["a-traced", "d-outside", "e-whole"]
