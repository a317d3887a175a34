"""Findings are found by weights and input; which one is a case's own is known until the case changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.finding import Finding, HeatmapFiles, Verdict, uncertainty, verdict
from app.core.model_card import Abstention
from app.store.findings import FILE_NAME, Findings
from tests.support.cards import make_card
from tests.support.unclosed import Closing

WEIGHTS = "a" * 64


def make_finding(case_id: str = "C1", key: str = "k1", **changes: object) -> Finding:
    facts: dict[str, object] = {
        "case_id": case_id, "model_id": "one", "weights_sha256": WEIGHTS, "input_key": key,
        "probabilities": (0.25, 0.75), "distance": 1.5, "at": "2026-11-21T11:00:00+00:00",
    }  # fmt: skip
    return Finding(**(facts | changes))  # type: ignore[arg-type]


@pytest.fixture
def findings(tmp_path: Path, closing: Closing) -> Findings:
    return closing(Findings(tmp_path))


def test_what_was_kept_is_found_by_another_handle_and_for_another_case_with_the_same_input(
    findings: Findings, tmp_path: Path, closing: Closing
) -> None:
    findings.put(make_finding())
    findings.close()
    again = closing(Findings(tmp_path))
    assert again.get("C1", WEIGHTS, "k1") == make_finding()
    assert again.get("C2", WEIGHTS, "k1") == make_finding("C2")  # one pelvis shows two hips
    assert again.get("C1", "b" * 64, "k1") is None
    assert again.get("C1", WEIGHTS, "k2") is None
    again.close()


def test_heatmaps_count_only_while_their_files_are_there(findings: Findings) -> None:
    findings.heatmap_folder.mkdir()
    names = ("front.npy", "side.npy")
    for name in (*names, "points.npy"):
        np.save(findings.heatmap_folder / name, np.zeros((2, 2), np.float32))
    kept = make_finding(heatmaps=(HeatmapFiles(method="grad-cam", class_number=1, files=names),), points="points.npy")
    findings.put(kept)
    found = findings.get("C1", WEIGHTS, "k1")
    assert found == kept
    assert found is not None
    assert found.heatmap("grad-cam", 1) is not None
    assert found.heatmap("cam", 1) is None
    (findings.heatmap_folder / "side.npy").unlink()
    assert findings.get("C1", WEIGHTS, "k1") == replace(kept, heatmaps=())


def test_a_score_counts_while_the_finding_is_its_cases_own(findings: Findings) -> None:
    findings.put(make_finding())
    assert findings.scores(WEIGHTS) == {}
    findings.note_current("C1", WEIGHTS, "k1")
    findings.note_current("C2", WEIGHTS, "k2")  # not answered yet
    assert set(findings.scores(WEIGHTS)) == {"C1"}
    findings.note_current("C1", WEIGHTS, "moved")
    assert findings.scores(WEIGHTS) == {}
    findings.note_current("C1", WEIGHTS, "k1")
    findings.forget(["C1"])
    assert findings.scores(WEIGHTS) == {}
    findings.note_current("C1", WEIGHTS, "k1")
    findings.note_current("C1", WEIGHTS, "")  # it cannot be asked any more
    assert findings.scores(WEIGHTS) == {}


def test_for_looking_only_what_is_found_is_kept_in_memory(findings: Findings, tmp_path: Path, closing: Closing) -> None:
    findings.put(make_finding())
    reader = closing(Findings(tmp_path, is_writable=False))
    reader.put(make_finding(key="k2"))
    assert reader.get("C1", WEIGHTS, "k1") == make_finding()
    assert reader.get("C1", WEIGHTS, "k2") == make_finding(key="k2")
    assert findings.get("C1", WEIGHTS, "k2") is None
    nowhere = closing(Findings(tmp_path / "gone", is_writable=False))
    nowhere.put(make_finding())
    assert nowhere.get("C1", WEIGHTS, "k1") == make_finding()
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("damage", [b"no database at all" * 500, b""])
def test_a_damaged_file_is_made_anew_and_fails_nobody(
    findings: Findings, tmp_path: Path, damage: bytes, closing: Closing
) -> None:
    findings.put(make_finding())
    findings.close()
    for path in tmp_path.glob(f"{FILE_NAME}-*"):
        path.unlink()
    (tmp_path / FILE_NAME).write_bytes(damage)
    again = closing(Findings(tmp_path))
    assert again.get("C1", WEIGHTS, "k1") is None
    again.put(make_finding())
    assert again.get("C1", WEIGHTS, "k1") == make_finding()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_verdict_follows_the_card() -> None:
    abstention = Abstention(limit=0.5, made_on="x", coverage=0.9, risk=0.1, risk_of_all=0.2)
    card = make_card("one", threshold=0.4, outlier_limit=2.0, abstention=abstention)
    low, high = card.unsure_band or (0.0, 0.0)
    assert low < 0.4 < high
    said = [verdict(card, (1 - share, share), 1.0) for share in (0.1, low - 0.01, 0.4, high + 0.01)]
    assert said == [Verdict.NOT_FOUND, Verdict.NOT_FOUND, Verdict.ABSTAINS, Verdict.FOUND]
    assert verdict(card, (0.01, 0.99), 2.5) is Verdict.OUTSIDE
    assert verdict(card, (0.01, 0.99), None) is Verdict.FOUND
    assert [uncertainty(card, (1 - share, share)) for share in (0.0, 0.4, 1.0)] == [0.0, 1.0, 0.0]
    assert verdict(make_card("sigmoid", classes=("fracture",), finding=0), (0.6,), None) is Verdict.FOUND


def test_half_written_heatmaps_are_swept_away_and_whole_ones_stay(findings: Findings, tmp_path: Path) -> None:
    folder = findings.heatmap_folder
    folder.mkdir(parents=True)
    for name in (".w-k-grad-cam-1-0.npy.4711", "w-k-grad-cam-1-0.npy"):
        (folder / name).write_bytes(b"half")
    findings.get("C-1", "w" * 64, "k")
    assert [path.name for path in folder.iterdir()] == ["w-k-grad-cam-1-0.npy"]
