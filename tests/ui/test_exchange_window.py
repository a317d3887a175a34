"""Merging, deciding disagreements and exporting in the real window."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtTest import QTest

from app.core.export import Content, ExportFormat
from app.store.adjudications import case_disputes, versions
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.ui.adjudication_panel import AdjudicationPanel
from app.ui.export_panel import ExportPanel
from app.ui.main_window import MainWindow
from tests.support.merging import annotate
from tests.support.window import make_project, open_window, wait, wait_until


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    """A project with what Anna says, and a copy of it with what Ben says."""
    ours = make_project(tmp_path / "project", cases=4)
    with ProjectStore.open(ours) as project:
        first, second, third, _ = (case.id for case in project.cases.all())
    theirs = tmp_path / "from-ben"
    shutil.copytree(ours, theirs)
    annotate(ours, "Anna", {first: {"fracture": "yes"}, second: {"fracture": "no"}, third: {"fracture": "no"}})
    annotate(theirs, "Ben", {first: {"fracture": "no"}, second: {"fracture": "no"}, third: {"fracture": "yes"}})
    return ours, theirs


@pytest.fixture
def window(paths: tuple[Path, Path]) -> Iterator[MainWindow]:
    window = open_window(paths[0])
    yield window
    window.close()


def merged(window: MainWindow, path: Path) -> None:
    """Rehearse, look, merge."""
    window.merging.merge(path)
    wait_until(lambda: not window.merging.is_running)
    dialog = window.merging.dialog
    assert dialog is not None
    assert dialog.isVisible()
    assert not dialog.isModal()
    dialog.go.click()
    wait_until(lambda: not window.merging.is_running and window.merging.report is not None)


def panel(window: MainWindow) -> AdjudicationPanel:
    assert window.adjudicating.panel is not None
    return window.adjudicating.panel


def exporting(window: MainWindow) -> ExportPanel:
    assert window.exporting.panel is not None
    return window.exporting.panel


def test_a_merge_is_shown_before_it_is_made_and_disagreements_are_decided_with_keys(
    window: MainWindow, paths: tuple[Path, Path]
) -> None:
    assert window.project is not None
    store = window.project.look()
    window.merging.merge(paths[1])
    wait_until(lambda: not window.merging.is_running)
    dialog = window.merging.dialog
    assert dialog is not None
    assert "Would bring" in dialog.as_text()
    assert "1 of 3 alike" in dialog.as_text()
    assert not any(event.author == "Ben" for event in store.events.since())
    dialog.go.click()
    wait_until(lambda: not window.merging.is_running and window.merging.report is not None)
    assert "2 disagreements" in dialog.as_text()
    assert "merge" in window.banners.texts
    dialog.go.click()  # decide disagreements
    wait_until(lambda: len(window.case_list.listed_cases()) == 2 and bool(panel(window).boxes))
    listed = window.case_list.listed_cases()
    wait_until(lambda: window.selection.on_screen == listed[0])
    names = [panel(window).boxes[0].shown.names[reader] for reader in ("Anna", "Ben")]
    assert sorted(names) == ["Reader 1", "Reader 2"]
    wait_until(lambda: window.case_list.table.hasFocus() and window.viewer is not None and window.viewer.is_settled)
    QTest.keyClick(window.case_list.table, "1")  # the key of “Yes”
    wait_until(lambda: len(window.case_list.listed_cases()) == 1)
    (found,) = case_disputes(window.project.annotations, listed[0])
    assert found.value == "yes"
    assert window.project.annotations.labels(listed[0], "Ben") == {"fracture": "no"}
    window.actions_by_id["undo"].trigger()
    wait_until(lambda: len(window.case_list.listed_cases()) == 2)
    window.actions_by_id["redo"].trigger()
    wait_until(lambda: len(window.case_list.listed_cases()) == 1)
    assert len(versions(window.project.annotations, listed[0])) == 3  # nothing is erased
    window.actions_by_id["next_disputed"].trigger()
    wait_until(lambda: window.selection.on_screen == listed[1])
    panel(window).boxes[0].buttons["no"].click()
    wait_until(lambda: window.case_list.listed_cases() == [])
    window.merging.merge(paths[1])
    wait_until(lambda: not window.merging.is_running)
    assert "nothing changes" in dialog.as_text()
    assert not dialog.go.isVisible()


def test_a_damaged_project_is_refused_in_a_banner(window: MainWindow, paths: tuple[Path, Path]) -> None:
    database = paths[1] / "project.db"
    content = bytearray(database.read_bytes())
    place = content.rindex(b"label.fracture") + 6
    content[place] ^= 1
    database.write_bytes(content)
    window.merging.merge(paths[1])
    wait_until(lambda: not window.merging.is_running)
    wait(20)
    assert any("not what was written" in text for text in window.banners.texts.values())
    window.merging.merge(paths[0])  # with itself
    assert any("with itself" in text for text in window.banners.texts.values())


def test_the_preview_follows_the_list_and_the_data_set_is_written(
    window: MainWindow, paths: tuple[Path, Path], tmp_path: Path
) -> None:
    merged(window, paths[1])
    assert window.merging.dialog is not None
    window.merging.dialog.close()
    window.actions_by_id["export"].trigger()
    form = exporting(window).form
    form.split.setCurrentIndex(0)
    wait_until(lambda: exporting(window).can_export)
    assert exporting(window).text.startswith("4 cases")
    window.adjudicating.open_queue()
    window.actions_by_id["export"].trigger()
    wait_until(lambda: exporting(window).can_export and exporting(window).text.startswith("2 cases"))
    for content, box in form.contents.items():
        box.setChecked(content in (Content.IMAGES, Content.LABELS, Content.HISTORY))
    for wanted, box in form.formats.items():
        box.setChecked(wanted is ExportFormat.COXA)
    form.folder.setText(str(tmp_path / "out"))
    wait_until(lambda: exporting(window).can_export)
    exporting(window).go.click()
    wait_until(lambda: window.exporting.report is not None)
    manifest = json.loads((tmp_path / "out" / "coxa" / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["cases"]) == 2
    assert "export" in window.banners.texts
    for box in form.contents.values():
        box.setChecked(False)
    wait_until(lambda: not exporting(window).is_asking)
    assert not exporting(window).can_export
    assert "Nothing was chosen" in exporting(window).text


def test_a_cancelled_export_leaves_nothing(window: MainWindow, tmp_path: Path) -> None:
    window.actions_by_id["export"].trigger()
    exporting(window).form.folder.setText(str(tmp_path / "out"))
    wait_until(lambda: exporting(window).can_export)
    exporting(window).go.click()
    window.jobs.buttons("export")[0].click()
    wait_until(lambda: "export" not in window.jobs.texts)
    assert not (tmp_path / "out").exists()
    assert any("stopped" in text for text in window.banners.texts.values())


def test_a_dropped_export_becomes_a_project(paths: tuple[Path, Path], tmp_path: Path) -> None:
    from app.cli.main import main

    words = ["--formats", "coxa", "--contents", "images,labels,history"]
    assert main(["export", "--project", str(paths[0]), "--out", str(tmp_path / "out"), *words]) == 0
    window = open_window(None)
    try:
        offer = window.importing.offer_for([tmp_path / "out"])
        assert offer.is_accepted
        assert "as a project" in offer.title
        made = tmp_path / "again"
        window.projects.make_project(made, "Again", then=lambda: window.importing.bring_in([tmp_path / "out"]))
        wait_until(lambda: window.merging.report is not None)
        wait_until(lambda: window.case_list.total == 4)
    finally:
        window.close()
    with ProjectStore.open(made) as project, ProjectStore.open(paths[0]) as before:
        assert Annotations(project).state_hash() == Annotations(before).state_hash()
