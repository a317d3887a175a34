"""What models say leaves as it is kept: nothing is computed anew, and nothing of withheld pixels is told."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from app.core.case import ViewRole
from app.core.export import Content, ExportFormat, ExportRequest
from app.core.finding import Finding, HeatmapFiles
from app.core.model_input import InputKind, ModelInput
from app.store.consulting import Consultant
from app.store.exchange.plan import plan_export
from app.store.exchange.write import write_export
from app.store.findings import Findings
from app.store.models import Models
from app.store.project import ProjectStore
from app.store.usable_models import usable_models
from tests.store.test_model_folder import make

REQUEST = ExportRequest(
    contents=frozenset({Content.FINDINGS, Content.HEATMAPS}), formats=frozenset({ExportFormat.TABLES, ExportFormat.PNG})
)
CASES = ("C-00002-LEFT", "C-00001-LEFT", "C-00003-RIGHT")
VALUES = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)


@pytest.fixture(scope="module")
def asked_path(labelled_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which a model was asked about three cases; one of its views must not leave."""
    folder = tmp_path_factory.mktemp("asked")
    path = shutil.copytree(labelled_path, folder / "project")
    whole = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=64)
    make(folder / "mine", id="mine", decides="fracture", input=whole)
    with ProjectStore.open(path) as project:
        models = Models(project)
        models.add(folder / "mine")
        models.promote("mine", author="Ann", reason="The first one.")
        findings = Findings(project.folder.cache)
        consultant = Consultant(project.folder, project.images, project.derived, findings)
        asked, _ = usable_models(project)
        findings.heatmap_folder.mkdir()
        np.save(findings.heatmap_folder / "map.npy", VALUES)
        for number, case_id in enumerate(CASES):
            for one in consultant.ask(case_id, asked).consultations:
                if one.card.id == "mine":
                    maps = HeatmapFiles(method="grad-cam++", class_number=one.card.finding, files=("map.npy",))
                    findings.put(
                        Finding(case_id=case_id, model_id="mine", weights_sha256=one.card.weights_sha256,
                                input_key=one.input_key, probabilities=(0.25 + number / 10,), distance=1.5,
                                heatmaps=(maps,), at="2026-11-21T10:00:00+00:00")
                    )  # fmt: skip
        consultant.close()
        findings.close()
    return path


def test_findings_and_heatmaps_leave_as_they_are_kept(asked_path: Path, tmp_path: Path) -> None:
    with ProjectStore.open(asked_path, is_read_only=True) as project:
        report = write_export(project, plan_export(project, REQUEST), tmp_path / "set")
        again = write_export(project, plan_export(project, REQUEST), tmp_path / "again")
    assert report.sums_sha256 == again.sums_sha256
    rows = pq.read_table(tmp_path / "set" / "tables" / "findings.parquet").to_pylist()
    assert [(row["case"], row["probability"]) for row in rows] == [("C-00002-LEFT", 0.25), ("C-00003-RIGHT", 0.45)]
    assert all(row["model"] == "mine" and row["distance"] == 1.5 for row in rows)
    maps = pq.read_table(tmp_path / "set" / "tables" / "heatmaps.parquet").to_pylist()
    assert {row["case"] for row in maps} == {"C-00002-LEFT", "C-00003-RIGHT"}
    for row in maps:
        values = np.load(io.BytesIO((tmp_path / "set" / row["values"]).read_bytes()), allow_pickle=False)
        assert np.array_equal(values, VALUES)
        overlay = cv2.imread(str(tmp_path / "set" / row["overlay"]), cv2.IMREAD_UNCHANGED)
        assert overlay is not None
        assert overlay.shape[2] == 3
        assert (overlay.max(axis=2).astype(int) - overlay.min(axis=2)).max() > 60  # there is colour on it
        assert row["input_px"] == 64
        assert row["m11"] == pytest.approx(64 / 240)
    names = {path.name for path in (tmp_path / "set" / "heatmaps").iterdir()}
    assert names == {Path(row[name]).name for row in maps for name in ("values", "overlay")}


def test_a_heatmap_that_is_gone_is_not_in_it(asked_path: Path, tmp_path: Path) -> None:
    path = shutil.copytree(asked_path, tmp_path / "project")
    (path / "cache" / "heatmaps" / "map.npy").unlink()
    with ProjectStore.open(path, is_read_only=True) as project:
        write_export(project, plan_export(project, REQUEST), tmp_path / "set")
    assert len(pq.read_table(tmp_path / "set" / "tables" / "findings.parquet")) == 2
    assert len(pq.read_table(tmp_path / "set" / "tables" / "heatmaps.parquet")) == 0
