"""What may be asked of an export."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import UserError
from app.core.export import Content, ExportFormat, ExportRequest, SplitKind, SplitRequest, check_request
from app.core.export_plan import agreed_label
from app.core.region import RegionMode


def test_the_usual_request_makes_sense() -> None:
    check_request(ExportRequest())


@pytest.mark.parametrize(
    "wrong",
    [
        {"formats": frozenset()},
        {"contents": frozenset()},
        {"formats": frozenset({ExportFormat.PNG}), "contents": frozenset({Content.LABELS})},
        {"formats": frozenset({ExportFormat.IMAGE_FOLDER}), "contents": frozenset({Content.HEATMAPS})},
        {"formats": frozenset({ExportFormat.COCO}), "contents": frozenset({Content.ALIGNED_CROPS})},
        {"formats": frozenset({ExportFormat.COXA}), "has_free_text": False},
        {"formats": frozenset({ExportFormat.COXA}), "readers": ("Ann",)},
        {"contents": frozenset({Content.HISTORY}), "formats": frozenset({ExportFormat.TABLES}),
         "has_reader_names": False},
        {"split": SplitRequest(kind=SplitKind.SEED, shares=(1.0, 0.0, 0.0))},
        {"split": SplitRequest(kind=SplitKind.SEED, shares=(1.0, -0.2, 0.2))},
        {"split": SplitRequest(kind=SplitKind.RUN)},
        {"crop_px": 8},
        {"region_px": 4096},
        {"region_mode": RegionMode.FIELD},
        {"region_mm": 96.0},
        {"title": "x" * 5000},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_remedy(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError) as caught:
        check_request(ExportRequest(**wrong))
    assert caught.value.kind == "usage"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ("", False)),
        ({"": "yes"}, ("yes", False)),
        ({"Ann": "yes"}, ("yes", False)),
        ({"Ann": "yes", "": "no"}, ("yes", False)),
        ({"Ann": "yes", "Ben": "yes"}, ("yes", False)),
        ({"Ann": "yes", "Ben": "no"}, ("", True)),
        ({"Ann": ("a", "b")}, ("a b", False)),
        ({"Ann": 40}, ("40", False)),
    ],
)
def test_the_class_of_a_case_is_what_its_readers_agree_on(said: dict[str, Any], expected: tuple[str, bool]) -> None:
    assert agreed_label(said) == expected
