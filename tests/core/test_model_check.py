"""A card that leaves something open is said to."""

from __future__ import annotations

import msgspec
import pytest

from app.core.model_card import Calibration, Figure, ModelCard
from app.core.model_check import NEEDED_FIGURES, CheckState, card_check
from tests.support.cards import make_card


def figure(name: str, **changes: object) -> Figure:
    facts: dict[str, object] = {
        "name": name, "value": 0.9, "low": 0.8, "high": 0.95, "cases": 40, "measured_on": "40 held-out cases",
    }  # fmt: skip
    return Figure(**(facts | changes))  # type: ignore[arg-type]


def whole(**changes: object) -> ModelCard:
    facts: dict[str, object] = {
        "figures": tuple(map(figure, NEEDED_FIGURES)), "calibration": Calibration(made_on="20 cases"),
        "threshold_rule": "Youden, on 20 cases", "outlier_limit": 1.5,
    }  # fmt: skip
    return make_card("model", **(facts | changes))


def test_a_complete_card_passes_and_says_what_it_was_measured_on() -> None:
    check = card_check(whole())
    assert check.state is CheckState.PASSED
    assert "40 held-out cases" in check.words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"figures": ()}, "nothing was measured"),
        ({"figures": tuple(map(figure, NEEDED_FIGURES[1:]))}, "AUC is missing"),
        ({"figures": (figure("AUC", low=None, high=None), *map(figure, NEEDED_FIGURES[1:]))}, "AUC has no interval"),
        ({"figures": (figure("AUC", high=None), *map(figure, NEEDED_FIGURES[1:]))}, "half an interval"),
        ({"figures": (figure("AUC", value=0.5), *map(figure, NEEDED_FIGURES[1:]))}, "outside its interval"),
        ({"figures": (figure("AUC", measured_on=" "), *map(figure, NEEDED_FIGURES[1:]))}, "measured on"),
        ({"figures": (figure("AUC", cases=0), *map(figure, NEEDED_FIGURES[1:]))}, "no cases"),
        ({"calibration": Calibration()}, "calibrated on"),
        ({"threshold_rule": ""}, "threshold"),
        ({"outlier_limit": None}, "foreign cases"),
        ({"limits": " "}, "limits"),
        ({"seeds": ""}, "seeds"),
        ({"licence": ""}, "licence"),
    ],
)
def test_every_gap_is_named(changes: dict[str, object], words: str) -> None:
    check = card_check(whole(**changes))
    assert check.state is CheckState.FAILED
    assert words in check.words


def test_a_localiser_decides_nothing() -> None:
    bare = msgspec.structs.replace(
        whole(figures=(figure("median distance, mm"),)), classes=("hip",), finding=0, threshold_rule="",
        calibration=Calibration(), outlier_limit=None,
    )  # fmt: skip
    assert card_check(bare).state is CheckState.PASSED
