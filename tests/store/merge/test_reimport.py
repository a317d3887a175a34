"""A Coxa export opens as a project equal to the one it came from, and comes back into it without changing anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.case import Projection, ReviewStatus, Side
from app.core.errors import UserError
from app.core.export import Content, ExportFormat, ExportRequest
from app.core.export_plan import LeftOut
from app.store.adjudications import adjudicate
from app.store.annotations import Annotations
from app.store.audit import audit_database
from app.store.content import content_hash, content_lines
from app.store.exchange.plan import plan_export
from app.store.exchange.write import write_export
from app.store.health import check_project
from app.store.merge.export_source import export_name, is_export
from app.store.merge.merger import merge_source
from app.store.merge.opening import import_export, open_source
from app.store.project import ProjectStore
from app.store.resolve import block_study, resolve_view
from tests.support.merging import annotate, annotate_at_random, make_twins, merge


def make_busy_project(tmp_path: Path) -> Path:
    """Three cases with everything that people do to cases."""
    ours, _ = make_twins(tmp_path)
    annotate_at_random(ours, "Anna", seed=7, gestures=40)
    annotate_at_random(ours, "Ben", seed=8, gestures=40)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}})
    annotate(ours, "Ben", {"case-0": {"fracture": "no"}})
    with ProjectStore.open(ours) as project:
        for number in range(3):  # the pictures of these projects call themselves doubtful: somebody has looked
            view = f"view-{number}"
            annotations = Annotations(project)
            change = annotations.change(f"view:{view}", "pixels", {"verdict": "clean", "masks": []})
            annotations.record(f"case-{number}", [change], author="Anna")
        adjudicate(Annotations(project), "case-0", "fracture", "yes", author="Chief")
        resolve_view(project, "view-1", projection=Projection.LATERAL, side=Side.LEFT, author="Anna")
        block_study(project, "2.25.2", reason="looks like another patient", author="Ben")
        project.cases.set_status("case-1", ReviewStatus.EXCLUDED, author="Ben")
    return ours


def export(path: Path, out: Path, **more: object) -> Path:
    contents = frozenset({Content.IMAGES, Content.LABELS, Content.HISTORY})
    parts = {"contents": contents, "formats": frozenset({ExportFormat.COXA}), "has_excluded": True} | more
    with ProjectStore.open(path, is_read_only=True) as project:
        write_export(project, plan_export(project, ExportRequest(**parts)), out)  # type: ignore[arg-type]
    return out


def test_an_export_opens_as_an_equal_project(tmp_path: Path) -> None:
    ours = make_busy_project(tmp_path)
    data_set = export(ours, tmp_path / "export")
    assert is_export(data_set)
    assert export_name(data_set) == "Ours"
    with ProjectStore.create(tmp_path / "again", name="Again") as again:
        report = import_export(again, data_set, author="Somebody")
        assert report.left_out == []
        assert audit_database(again.database.connection) == []
        with ProjectStore.open(ours, is_read_only=True) as project:
            assert content_lines(again) == content_lines(project)
            assert content_hash(again) == content_hash(project)
            assert Annotations(again).state_hash() == Annotations(project).state_hash()
            assert again.key != project.key
        head = again.events.head()
        assert import_export(again, data_set, author="Somebody").changes_nothing
        assert again.events.head() == head


def test_an_export_of_an_export_is_still_the_same(tmp_path: Path) -> None:
    ours = make_busy_project(tmp_path)
    first = export(ours, tmp_path / "export")
    with ProjectStore.create(tmp_path / "again", name="Ours") as again:
        import_export(again, first, author="A")
    second = export(tmp_path / "again", tmp_path / "export-2")
    with ProjectStore.create(tmp_path / "third", name="Ours") as third:
        import_export(third, second, author="B")
        with ProjectStore.open(ours, is_read_only=True) as project:
            assert content_hash(third) == content_hash(project)
            events = third.events.since()
    with ProjectStore.open(ours) as project, open_source(second) as source:
        head = project.events.head()
        assert {each.event.author for each in source.events} <= {each.author for each in events}
    assert merge(ours, tmp_path / "again").changes_nothing  # every event is known by its identity
    with ProjectStore.open(ours) as project:
        assert project.events.head() == head


def test_some_cases_travel_and_what_was_done_to_them_comes_back(tmp_path: Path) -> None:
    ours = make_busy_project(tmp_path)
    data_set = export(ours, tmp_path / "export", case_ids=("case-0",))
    with ProjectStore.create(tmp_path / "away", name="Away") as away:
        import_export(away, data_set, author="Carl")
        assert [case.id for case in away.cases.all()] == ["case-0"]
        Annotations(away).set_label("case-0", "fracture", "uncertain", author="Carl")
    report = merge(ours, tmp_path / "away")
    assert (report.brought, report.conflicts, report.kept_apart) == (1, [], [])
    with ProjectStore.open(ours) as project:
        assert Annotations(project).labels("case-0", "Carl") == {"fracture": "uncertain"}


def test_without_images_it_merges_where_they_are_and_is_refused_where_they_are_not(tmp_path: Path) -> None:
    ours = make_busy_project(tmp_path)
    data_set = export(ours, tmp_path / "export", contents=frozenset({Content.LABELS, Content.HISTORY}))
    with ProjectStore.create(tmp_path / "empty", name="Empty") as empty:
        report = import_export(empty, data_set, author="A")
        assert len(report.left_out) == 3
        assert empty.cases.count() == 0
    with ProjectStore.open(ours) as project:
        assert import_export(project, data_set, author="A").changes_nothing


@pytest.mark.parametrize("name", ["coxa/events.jsonl", "coxa/view.jsonl", "coxa/manifest.json"])
def test_one_changed_byte_of_an_export_is_found(tmp_path: Path, name: str) -> None:
    ours, _ = make_twins(tmp_path, studies=1)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}})
    data_set = export(ours, tmp_path / "export")
    file = data_set / name
    content = bytearray(file.read_bytes())
    content[content.index(b'"') + 1] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)
    with pytest.raises(UserError) as caught, open_source(data_set):
        pass
    assert caught.value.kind == "merge-damaged"


def test_checksums_made_anew_do_not_help(tmp_path: Path) -> None:
    """Somebody edits a label and writes new checksums: the row's own hash still tells."""
    import hashlib

    ours, _ = make_twins(tmp_path, studies=1)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}})
    data_set = export(ours, tmp_path / "export")
    file, sums = data_set / "coxa" / "events.jsonl", data_set / "SHA256SUMS"
    for each in (file, sums):
        each.chmod(0o600)
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    lines = file.read_text(encoding="utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if "label.fracture" in line)
    row = json.loads(lines[at])
    row["after"] = '"no"'
    lines[at] = json.dumps(row)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    after = hashlib.sha256(file.read_bytes()).hexdigest()
    sums.write_text(sums.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(UserError, match="was changed since"), open_source(data_set):
        pass


def test_the_class_of_an_export_is_the_adjudicated_one_also_without_names(tmp_path: Path) -> None:
    ours, _ = make_twins(tmp_path, studies=2)
    annotate(ours, "Anna", {"case-0": {"fracture": "yes"}, "case-1": {"fracture": "yes"}})
    annotate(ours, "Ben", {"case-0": {"fracture": "no"}, "case-1": {"fracture": "no"}})
    with ProjectStore.open(ours) as project:
        adjudicate(Annotations(project), "case-0", "fracture", "no", author="Chief")
    for has_names in (True, False):
        request = ExportRequest(contents=frozenset({Content.LABELS}), formats=frozenset({ExportFormat.TABLES}),
                                has_reader_names=has_names, has_excluded=True)  # fmt: skip
        with ProjectStore.open(ours, is_read_only=True) as project:
            plan = plan_export(project, request)
            assert [(case.label, case.is_disputed) for case in plan.cases] == [("no", False), ("", True)]
            out = tmp_path / f"tables-{has_names}"
            write_export(project, plan, out)
        text = (out / "tables" / "adjudications.csv").read_text(encoding="utf-8-sig")
        assert "fracture,no" in text
        assert has_names == any(b"Chief" in file.read_bytes() for file in out.rglob("*") if file.is_file())
        assert has_names == any(b"Anna" in file.read_bytes() for file in out.rglob("*") if file.is_file())


def make_masked_copy(tmp_path: Path) -> tuple[Path, Path]:
    """A project of which one view is masked, and the project made of its export."""
    ours = make_busy_project(tmp_path)
    with ProjectStore.open(ours) as project:
        annotations = Annotations(project)
        box = {"left": 1, "top": 1, "right": 3, "bottom": 3}
        masked = annotations.change("view:view-0", "pixels", {"verdict": "masked", "masks": [box]})
        annotations.record("case-0", [masked], author="Anna")
    data_set, copy = export(ours, tmp_path / "export"), tmp_path / "copy"
    with ProjectStore.create(copy, name="Copy") as project:
        import_export(project, data_set, author="Somebody")
    return ours, copy


def test_a_withheld_image_is_no_damage(tmp_path: Path) -> None:
    ours, copy = make_masked_copy(tmp_path)
    report = check_project(copy)
    assert not report.is_damaged
    assert len(report.withheld_images) == 1
    assert report.missing_images == []
    with ProjectStore.open(copy) as project, ProjectStore.open(ours, is_read_only=True) as source:
        assert content_hash(project) == content_hash(source)
        kept = next(view for view in project.views.all() if view.id == "view-1")
        project.images.path(kept.image_sha256).unlink()
    report = check_project(copy)  # what was not withheld is missed
    assert report.is_damaged
    assert report.missing_images == [kept.image_sha256]


def test_a_copy_without_a_masked_image_is_exported_without_it(tmp_path: Path) -> None:
    _, copy = make_masked_copy(tmp_path)
    tables = frozenset({ExportFormat.TABLES, ExportFormat.PNG, ExportFormat.COXA})
    data_set = export(copy, tmp_path / "second", formats=tables)
    assert not (data_set / "images" / "view-0.png").exists()
    assert json.loads((data_set / "coxa" / "manifest.json").read_text())["withheld"]["view-0"] == "absent"
    with ProjectStore.open(copy, is_read_only=True) as project:
        assert plan_export(project, ExportRequest()).left_out[LeftOut.ABSENT] == ("view-0",)
    with ProjectStore.create(tmp_path / "third", name="Third") as third:
        import_export(third, data_set, author="Somebody")
    assert not check_project(tmp_path / "third").is_damaged


@pytest.mark.parametrize("is_copied_on", [False, True])
def test_a_withheld_image_comes_by_a_merge(tmp_path: Path, *, is_copied_on: bool) -> None:
    ours, copy = make_masked_copy(tmp_path)
    if is_copied_on:  # a project that never had it is a source of everything else
        with ProjectStore.create(tmp_path / "next", name="Next") as project, open_source(copy) as source:
            merge_source(project, source, author="Somebody")
        copy = tmp_path / "next"
        assert not check_project(copy).is_damaged
    with ProjectStore.open(copy) as project, open_source(ours) as source:
        merge_source(project, source, author="Somebody")
    report = check_project(copy)
    assert (report.withheld_images, report.missing_images, report.is_damaged) == ([], [], False)
