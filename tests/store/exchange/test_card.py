"""The data card says what there is, how it was labelled, and what it is not for."""

from __future__ import annotations

import json
from pathlib import Path

from app.core.export import Content, ExportFormat, ExportRequest, SplitKind, SplitRequest
from app.core.label_set import parse_label_set
from app.store.exchange.plan import plan_export
from app.store.exchange.write import write_export
from app.store.label_sets import current_label_set
from app.store.project import ProjectStore

REQUEST = ExportRequest(
    contents=frozenset({Content.LABELS}),
    formats=frozenset({ExportFormat.TABLES}),
    split=SplitRequest(kind=SplitKind.SEED, seed=5, shares=(0.7, 0.0, 0.3)),
    title="Hüften | 2026",
    description="For the course.",
    licence="CC BY-NC 4.0",
)


def test_the_card_counts_what_is_there(project: ProjectStore, tmp_path: Path) -> None:
    write_export(project, plan_export(project, REQUEST), tmp_path / "set")
    card = json.loads((tmp_path / "set" / "data_card.json").read_text("utf-8"))
    assert card["title"] == "Hüften | 2026"
    assert card["licence"] == "CC BY-NC 4.0"
    assert card["holds"]["patients"] == 6
    assert card["holds"]["cases"] == 11
    assert card["holds"]["projections"] == {"frontal": 11, "lateral": 11}
    fracture = card["labelled"]["fields"]["fracture"]
    assert fracture["given"] == 18
    assert (fracture["agreed"], fracture["read_twice"]) == (8, 9)
    assert card["labelled"]["readers"] == 2
    assert card["label_set"] == {"id": "hip-fracture", "text": "Hip fracture", "version": 1}
    assert sum(sum(counts.values()) for counts in card["split"]["cases"].values()) == 11
    assert card["split"]["leaks"] == 0
    assert card["left_out"] == {"excluded": 1, "waiting": 1}
    assert any("Research use only" in text for text in card["limits"])
    assert any("lossy" in text for text in card["limits"])
    assert parse_label_set(json.loads((tmp_path / "set" / "label_set.json").read_text("utf-8"))) == current_label_set(
        project
    )


def test_the_card_for_people_says_the_same(project: ProjectStore, tmp_path: Path) -> None:
    write_export(project, plan_export(project, REQUEST), tmp_path / "set")
    text = (tmp_path / "set" / "DATA_CARD.md").read_text("utf-8")
    for words in ("# Hüften", "| cases | 11 |", "CC BY-NC 4.0", "8 of 9", "version 1", "Research use only", "seed 5"):
        assert words in text
    splits = json.loads((tmp_path / "set" / "splits.json").read_text("utf-8"))
    assert sum(map(len, splits["parts"].values())) == 11
