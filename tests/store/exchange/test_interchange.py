"""The interchange: every line proves itself, the chain is unbroken, of some cases nothing else is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.event import row_hash
from app.core.export import Content, ExportFormat, ExportRequest
from app.core.worklist import Filter, Query
from app.store.annotations import Annotations
from app.store.content import content_hash
from app.store.exchange.plan import plan_export
from app.store.exchange.write import write_export
from app.store.images import ImageStore
from app.store.merge.opening import import_export
from app.store.project import ProjectStore
from app.store.schema import FACT_TABLES, TABLES

COXA = ExportRequest(contents=frozenset({Content.IMAGES, Content.LABELS}), formats=frozenset({ExportFormat.COXA}))
BLOBS = ("previous_hash", "row_hash")


def exported(project: ProjectStore, out: Path, request: ExportRequest = COXA) -> tuple[Path, dict[str, Any]]:
    write_export(project, plan_export(project, request), out)
    folder = out / "coxa"
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return folder, document


def lines(path: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row | {name: bytes.fromhex(row[name]) for name in BLOBS if name in row} for row in found]


def test_every_line_proves_itself(project: ProjectStore, tmp_path: Path) -> None:
    folder, manifest = exported(project, tmp_path / "set")
    for table in ("event", *FACT_TABLES):
        rows = lines(folder / ("events.jsonl" if table == "event" else f"{table}.jsonl"))
        assert rows
        for row in rows:
            assert set(row) == set(TABLES[table])
            assert row_hash(table, row) == row["row_hash"]
    assert {table: len(lines(folder / f"{table}.jsonl")) for table in FACT_TABLES} == manifest["rows"]


def test_the_chain_of_a_whole_project_is_unbroken(project: ProjectStore, tmp_path: Path) -> None:
    folder, manifest = exported(project, tmp_path / "set")
    events = lines(folder / "events.jsonl")
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    previous = bytes(32)
    for event in events:
        assert event["previous_hash"] == previous
        previous = event["row_hash"]
    assert manifest["is_whole"]
    assert manifest["events"] == len(events)
    assert (manifest["head"]["event"], bytes.fromhex(manifest["head"]["hash"])) == project.events.head()
    assert manifest["state_sha256"] == Annotations(project).state_hash()
    assert manifest["cases"] == sorted(case.id for case in project.cases.all())


def test_images_are_files_of_the_store_and_withheld_ones_are_named(project: ProjectStore, tmp_path: Path) -> None:
    folder, manifest = exported(project, tmp_path / "set")
    store = ImageStore(folder / "images")
    addresses = list(store.addresses())
    for address in addresses:
        store.verify(address)
        assert store.path(address).read_bytes() == project.images.path(address).read_bytes()
    assert manifest["withheld"] == {"V-00001-LF": "waiting"}
    assert len(addresses) == manifest["images"] == 23


def test_of_some_cases_nothing_is_told_about_the_others(project: ProjectStore, tmp_path: Path) -> None:
    folder, manifest = exported(
        project, tmp_path / "set", ExportRequest(case_ids=("C-00002-LEFT",), formats=frozenset({ExportFormat.COXA}))
    )
    whole = b"".join(path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file())
    for other in (b"P-00001", b"C-00002-RIGHT", b"V-00002-R", b'2.25.2"', b"key-C-00002-RIGHT"):
        assert other not in whole
    assert not manifest["is_whole"]
    assert manifest["cases"] == ["C-00002-LEFT"]
    events = lines(folder / "events.jsonl")
    held = {event.id: event for event in project.events.since()}
    assert all(held[event["id"]].row_hash == event["row_hash"] for event in events)
    assert any(event["field"] == "label-set" for event in events)
    assert {row["id"] for row in lines(folder / "view.jsonl")} == {"V-00002-LF", "V-00002-LL"}


def test_the_secret_key_does_not_leave(project: ProjectStore, tmp_path: Path) -> None:
    exported(project, tmp_path / "set")
    whole = b"".join(path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file())
    assert project.key not in whole
    assert project.key.hex().encode() not in whole


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_happens_after_the_plan_is_not_in_it(tmp_path: Path, is_whole: bool) -> None:
    from tests.support.data_sets import make_labelled_project

    make_labelled_project(tmp_path / "project", patients=3)
    query = Query() if is_whole else Query(filters=(Filter("side", ("left",)),))
    request = ExportRequest(query=query, formats=frozenset({ExportFormat.COXA}), contents=frozenset({Content.LABELS}))
    with ProjectStore.open(tmp_path / "project") as project:
        plan = plan_export(project, request)
        before = Annotations(project).state_hash()
        Annotations(project).set_label("C-00000-LEFT", "fracture", "uncertain", author="Ann")
        write_export(project, plan, tmp_path / "set")
        events = lines(tmp_path / "set" / "coxa" / "events.jsonl")
    assert events[-1]["id"] <= plan.head[0]
    manifest = json.loads((tmp_path / "set" / "coxa" / "manifest.json").read_text("utf-8"))
    assert (manifest["state_sha256"] == before) is is_whole
    assert not manifest["has_images"]


def test_it_opens_as_an_equal_project_also_where_two_people_wrote_the_same_words(
    project: ProjectStore, tmp_path: Path
) -> None:
    _, manifest = exported(project, tmp_path / "set")
    with ProjectStore.create(tmp_path / "again") as again:
        import_export(again, tmp_path / "set", author="Somebody")
        assert Annotations(again).state_hash() == Annotations(project).state_hash() == manifest["state_sha256"]
        assert content_hash(again) == content_hash(project)
        head = again.events.head()
        assert import_export(again, tmp_path / "set", author="Somebody").changes_nothing
        assert again.events.head() == head
        _, second = exported(again, tmp_path / "second")
    assert second["state_sha256"] == manifest["state_sha256"]
