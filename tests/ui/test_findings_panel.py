"""What the findings panel says in each state, and that it never says more than a model may."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.core.case import ViewRole
from app.core.engine_messages import ViewInput
from app.core.finding import Consultation, ConsultationState, FedView, Finding, Gap, Verdict
from app.core.geometry import Crop
from app.core.grey import Window
from app.core.model_card import Abstention, Calibration, Figure, HeatmapAudit, ModelCard
from app.core.model_input import InputKind, ModelInput
from app.core.region import RegionMode
from app.ui.ablation_strip import Ablation
from app.ui.finding_words import GAP_COMMANDS, GAP_WORDS, percent, said
from app.ui.findings_panel import FindingsPanel, PanelView
from app.ui.heat_controls import HeatControls, has_cam
from app.ui.language import tr, use_language
from app.ui.model_card_view import ModelCardDialog, card_html
from tests.support.cards import make_card
from tests.support.window import GREY, application, wait

F, L = ViewRole.FRONTAL, ViewRole.LATERAL
PAIR = ModelInput(kind=InputKind.REGION_CROP, roles=(F, L), size_px=224, region_mode=RegionMode.FIELD, field_mm=96.0)
SURE = {
    "threshold": 0.4,
    "calibration": Calibration(temperature=1.2, made_on="200 synthetic hips", error_before=0.06, error_after=0.02),
    "abstention": Abstention(limit=0.3, made_on="200 hips", coverage=0.95, risk=0.05, risk_of_all=0.08),
    "outlier_limit": 9.0,
}


def consult(card: ModelCard, state: ConsultationState = ConsultationState.ANSWERED, **more: object) -> Consultation:
    views = tuple(
        FedView(
            role=role,
            view_id=str(role),
            given=ViewInput(
                image_sha256="0" * 64, grey=GREY, voi=Window(center=1, width=2),
                cut=Crop(matrix=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), size_px=224),
            ),
            is_located=True,
        )
        for role in card.input.roles
    )  # fmt: skip
    return Consultation(case_id="c", card=card, folder="f", state=state, views=views, input_key="k", **more)  # type: ignore[arg-type]


def answered(card: ModelCard, *probabilities: float, distance: float | None = 1.0) -> Consultation:
    finding = Finding(case_id="c", model_id=card.id, weights_sha256=card.weights_sha256, input_key="k",
                      probabilities=probabilities, distance=distance)  # fmt: skip
    return consult(card, finding=finding)


def words(panel: FindingsPanel) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisibleTo(panel))


@pytest.fixture
def panel() -> FindingsPanel:
    application()
    made = FindingsPanel()
    made.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    made.resize(300, 700)
    made.show()
    return made


def show(panel: FindingsPanel, *entries: Consultation, **more: object) -> str:
    panel.show_view(PanelView(consultations=entries, **more))  # type: ignore[arg-type]
    return words(panel)


@pytest.mark.parametrize(
    ("probability", "distance", "verdict", "headline", "has_figure"),
    [
        (0.92, 1.0, Verdict.FOUND, "Fracture: found", True),
        (0.1, 1.0, Verdict.NOT_FOUND, "Fracture: not found", True),
        (0.42, 1.0, Verdict.ABSTAINS, "Fracture: not sure", True),
        (0.38, 1.0, Verdict.ABSTAINS, "Fracture: not sure", True),
        (0.92, 20.0, Verdict.OUTSIDE, "Fracture: outside what it knows", False),
    ],
)
def test_a_verdict_in_words_and_no_figure_beyond_its_ken(
    panel: FindingsPanel, probability: float, distance: float, verdict: Verdict, headline: str, has_figure: bool
) -> None:
    card = make_card("pair", input=PAIR, **SURE)
    entry = answered(card, 1 - probability, probability, distance=distance)
    assert entry.verdict is verdict
    text = show(panel, entry)
    assert headline in text
    assert (percent(probability) in text) is has_figure
    row = panel.rows[0]
    assert row.bar.value == (probability if has_figure else None)
    assert "never labels" in text
    assert "hip region found automatically (dashed)" in text
    assert ("found from 40 %" in text) is has_figure
    assert row.alone.isVisibleTo(panel) is has_figure, "no figure through the back door"


def test_no_model_is_ever_certain() -> None:
    assert percent(0.9999) == "over 99 %"
    assert percent(0.0001) == "under 1 %"
    assert percent(0.5) == "50 %"


@pytest.mark.parametrize("gap", list(Gap))
def test_every_gap_says_what_is_missing_and_what_to_do(panel: FindingsPanel, gap: Gap) -> None:
    entry = consult(make_card("pair", input=PAIR), ConsultationState.IMPOSSIBLE, gap=gap, gap_role=L)
    text = show(panel, entry)
    lines = said(entry).lines
    assert lines[0] in text
    assert len(GAP_WORDS[gap]) == 2
    if gap is Gap.MISSING_VIEW:
        assert "lateral view" in text
    wanted: list[str] = []
    panel.command_wanted.connect(wanted.append)
    fix = panel.rows[0].fix
    assert fix.isVisibleTo(panel) is (gap in GAP_COMMANDS)
    if gap in GAP_COMMANDS:
        QTest.mouseClick(fix, Qt.MouseButton.LeftButton)
        assert wanted == [GAP_COMMANDS[gap][0]]


def test_waiting_failed_and_not_asked(panel: FindingsPanel) -> None:
    card = make_card("single")
    assert "is looking" in show(panel, consult(card, ConsultationState.WAITING))
    assert not panel.rows[0].fix.isVisibleTo(panel)
    asked: list[bool] = []
    panel.retry_wanted.connect(lambda: asked.append(True))
    text = show(panel, consult(card, ConsultationState.FAILED, failure="The memory does not suffice for this model."))
    assert "The memory does not suffice" in text
    QTest.mouseClick(panel.rows[0].fix, Qt.MouseButton.LeftButton)
    show(panel, consult(card, ConsultationState.UNKNOWN))
    QTest.mouseClick(panel.rows[0].fix, Qt.MouseButton.LeftButton)
    assert asked == [True, True]
    assert "starting" in show(panel, engine_note="The AI engine is starting …")
    assert show(panel, consult(card), silence="No case is on the screen.").count("Single") == 0


def test_what_may_not_be_relied_on_is_said(panel: FindingsPanel) -> None:
    text = show(panel, answered(make_card("single"), 0.7, 0.3))
    assert "Not calibrated" in text
    assert "cannot tell cases that are unlike" in text
    sure = answered(make_card("single", **SURE), 0.9, 0.1)
    assert "Not calibrated" not in show(panel, sure)
    assert "200 synthetic hips" in panel.rows[0].figure.toolTip()


def test_each_class_has_its_bar_where_there_are_more_than_two(panel: FindingsPanel) -> None:
    card = make_card("garden", classes=("normal", "Garden I/II", "Garden III/IV"), finding=2)
    text = show(panel, answered(card, 0.2, 0.5, 0.3))
    assert all(part in text for part in ("normal", "Garden I/II", "50 %", "20 %", "30 %"))


def test_each_view_alone_for_models_of_two_views_only(panel: FindingsPanel) -> None:
    pair, single = answered(make_card("pair", input=PAIR, **SURE), 0.1, 0.9), answered(make_card("single"), 0.5, 0.5)
    show(panel, pair, single, active="pair")
    first, second = panel.rows
    assert first.alone.isVisibleTo(panel)
    assert not second.alone.isVisibleTo(panel)
    wanted: list[tuple[str, bool]] = []
    panel.ablation_wanted.connect(lambda name, is_on: wanted.append((name, is_on)))
    QTest.mouseClick(first.alone, Qt.MouseButton.LeftButton)
    assert wanted == [("pair", True)]
    text = show(panel, pair, single, active="pair", ablation=Ablation(frontal=0.61, pair=0.9))
    assert "61 %" in text
    assert [bar.value for bar in first.strip.table.bars] == [0.61, None, 0.9]
    assert not second.strip.isVisibleTo(panel)


def test_a_click_chooses_whose_heatmap_is_shown_and_opens_the_card(panel: FindingsPanel) -> None:
    one, two = answered(make_card("one"), 0.2, 0.8), answered(make_card("two"), 0.2, 0.8)
    show(panel, one, two, active="one")
    chosen: list[str] = []
    cards: list[str] = []
    panel.chosen.connect(chosen.append)
    panel.card_wanted.connect(cards.append)
    rows = list(panel.rows)
    QTest.mouseClick(rows[1], Qt.MouseButton.LeftButton)
    QTest.mouseClick(rows[1].card_button, Qt.MouseButton.LeftButton)
    assert chosen[0] == "two"
    assert cards == ["two"]
    show(panel, one, replace(two, state=ConsultationState.WAITING, finding=None), active="two")
    assert panel.rows == rows, "rows are kept: nothing flickers"
    assert [row.property("active") for row in rows] == [False, True]


def test_german_and_keys(panel: FindingsPanel) -> None:
    panel.set_keys({"show_heatmap": "H", "align": "S"})
    show(panel, answered(make_card("pair", input=PAIR, **SURE), 0.1, 0.9))
    assert "(H)" in panel.heat.shown.text()
    use_language(application(), "de")
    wait()
    try:
        text = words(panel)
        assert "gefunden" in text
        assert "not" not in text.split()
    finally:
        use_language(application(), "en")
        wait()


def test_heat_controls_offer_what_is_defined() -> None:
    application()
    controls = HeatControls()
    pair, single = make_card("pair", input=PAIR), make_card("single")
    assert has_cam(single)
    assert not has_cam(pair)
    state = {"method": "grad-cam", "class_number": 1, "is_shown": True, "is_painted": True}
    controls.show_state(pair, **state)  # type: ignore[arg-type]
    assert [controls.method.itemData(row) for row in range(controls.method.count())] == ["grad-cam", "grad-cam++"]
    scales = [controls.legend.scale]
    controls.show_state(single, **state)  # type: ignore[arg-type]
    assert controls.method.count() == 3
    assert controls.classes.currentData() == 1
    controls.show_state(single, **(state | {"is_painted": False}))  # type: ignore[arg-type]
    assert [*scales, controls.legend.scale] == [pair.heatmap_scale, None], "no scale without a heatmap"
    looks: list[object] = []
    controls.look_changed.connect(looks.append)
    controls.threshold.setValue(50)
    assert looks == [controls.look]
    assert controls.look.threshold == 0.5


def test_a_card_shows_everything_on_it() -> None:
    application()
    figures = (Figure(name="AUC", value=0.962, low=0.94, high=0.98, cases=412, measured_on="412 held-out hips",
                      method="bootstrap over patients"),)  # fmt: skip
    audit = HeatmapAudit(hits=180, positives=191, measured_on="191 positives", random_similarity=0.08, is_passed=True)
    card = make_card("pair", input=PAIR, figures=figures, heatmap_audit=audit, threshold_rule="Youden", **SURE)
    page = card_html(card)
    for text in (card.task, card.limits, card.trained_on, card.initialised_from, card.seeds, card.command,
                 card.licence, card.weights_sha256, "0.962 (0.940–0.980)", "412 held-out hips", "200 synthetic hips",
                 "0.060", "180 of 191 (94.2 %)", "Youden", "96 mm", "passed", "bootstrap"):  # fmt: skip
        assert text in page, text
    bare = card_html(make_card("bare", limits="<b>&"))
    assert "Nothing was measured" in bare
    assert "nobody has checked" in bare
    assert "&lt;b&gt;&amp;" in bare, "a card is text, whatever is in it"
    dialog = ModelCardDialog(card)
    assert card.intended_use in dialog.use.text()
    assert dialog.windowTitle() == tr("Model card")
