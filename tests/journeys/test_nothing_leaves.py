"""What an export holds of the people whose radiographs were imported: nothing."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from app.core.export import Content, ExportFormat, ExportRequest
from app.store.exchange.plan import plan_export, preview_export
from app.store.exchange.write import write_export
from app.store.project import ProjectStore
from tests.support.canaries import Canaries, canary_object, everything_in, planted_in
from tests.support.dicom_files import picture
from tests.support.imports import import_paths
from tests.support.looked_at import look_at_everything

ALL = ExportRequest(
    contents=frozenset(Content), formats=frozenset(ExportFormat), has_unapproved_crops=True, has_excluded=True,
    is_leak_accepted=True,
)  # fmt: skip


@pytest.mark.slow
def test_no_canary_in_any_byte_of_project_and_exports(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A secret in every attribute of the data dictionary, nested, private, overlay, preamble: none comes out."""
    canaries = Canaries()
    content = canary_object(picture(3, rows=120, cols=100), canaries)
    assert planted_in(content, canaries) == canaries.words | canaries.uids | canaries.dates, "they are in the input"
    assert len(canaries) > 9000
    folder = tmp_path / "in" / canaries.word()
    folder.mkdir(parents=True)
    (folder / f"{canaries.word()}.dcm").write_bytes(content)
    caplog.set_level(logging.DEBUG)
    with ProjectStore.create(tmp_path / "project") as project:
        report = import_paths(project, folder)
        assert [(item.outcome.value, item.kind) for item in report.items] == [("imported", "")]
        waiting = preview_export(project, plan_export(project, ALL))
        assert waiting.pictures == 0, "nobody has looked at it"
        look_at_everything(project)
        plan = plan_export(project, ALL)
        assert preview_export(project, plan).pictures == 1
        write_export(project, plan, tmp_path / "out")
    shutil.rmtree(tmp_path / "in")
    formats = {path.relative_to(tmp_path / "out").parts[0] for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"dicom", "reports", "coco"} <= formats
    found = {name: planted_in(inside, canaries) for name, inside in everything_in(tmp_path)}
    assert {name: words for name, words in found.items() if words} == {}
    said = capfd.readouterr()
    logged = "\n".join([*caplog.messages, said.out, said.err]).encode()
    assert planted_in(logged, canaries) == set()


SECRETS = ("19790408", "1979-04-08", "HIGASHI", "FUJI95706", "HUP CR ER01", "CompressedSamples", "11RG3", "10RG2")


@pytest.mark.slow
def test_rg3_leaves_without_birth_date_institution_and_accession_number(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "dicom-hip" / "J2KR__RG3_J2KR.dcm"
    raw = source.read_bytes()
    assert sum(word.encode() in raw for word in SECRETS) >= 3
    with ProjectStore.create(tmp_path / "project") as project:
        import_paths(project, source)
        look_at_everything(project)
        write_export(project, plan_export(project, ALL), tmp_path / "out")
    hits = []
    for name, content in everything_in(tmp_path):
        folded = content.lower()
        for word in SECRETS:
            forms = {form.lower() for form in (word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"))}
            hits += [(name, word) for form in forms if form in folded]
    assert hits == []
