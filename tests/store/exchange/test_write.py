"""A data set is there whole or not at all, and is the same every time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.errors import UserError
from app.core.export import Content, ExportFormat, ExportRequest
from app.store.exchange.plan import plan_export
from app.store.exchange.write import (
    DRAFT,
    ExportProgress,
    free_export_folder,
    remove_abandoned,
    this_computer,
    write_export,
)
from app.store.exchange.writer import checked_path
from app.store.project import ProjectStore
from tests.support.export_faults import EVERYTHING, DisturbedFileSystem, export, no_space

SMALL = ExportRequest(
    case_ids=("C-00002-LEFT",),
    contents=frozenset({Content.IMAGES, Content.LABELS, Content.ALIGNED_CROPS}),
    formats=frozenset({ExportFormat.PNG, ExportFormat.COXA}),
)


@pytest.fixture(scope="module")
def written(labelled_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with everything in it."""
    out = tmp_path_factory.mktemp("written") / "set"
    with ProjectStore.open(labelled_path, is_read_only=True) as project:
        write_export(project, plan_export(project, EVERYTHING), out)
    return out


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_checksums_are_those_of_every_file(written: Path) -> None:
    lines = (written / "SHA256SUMS").read_text("ascii").splitlines()
    sums = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    found = content_of(written)
    assert set(sums) == set(found) - {"SHA256SUMS"}
    assert all(hashlib.sha256(found[path]).hexdigest() == digest for path, digest in sums.items())
    assert list(sums) == sorted(sums)


def test_the_same_selection_gives_the_same_bytes(written: Path, labelled_path: Path, tmp_path: Path) -> None:
    report = export(labelled_path, tmp_path / "again", DisturbedFileSystem(0, no_space))
    assert content_of(tmp_path / "again") == content_of(written)
    assert report.sums_sha256 == hashlib.sha256((written / "SHA256SUMS").read_bytes()).hexdigest()
    assert report.files == len(content_of(written))
    assert report.written_bytes == sum(map(len, content_of(written).values()))


def test_names_are_made_of_our_own_identifiers(written: Path) -> None:
    names = " ".join(content_of(written))
    assert "Ann" not in names
    assert "Ben" not in names
    assert all(checked_path(path) == path for path in content_of(written))


@pytest.mark.parametrize("path", ["../x", "/x", "a/../b", "a//b", "a/con.txt", "a/é", "a/b.", ".hidden", "a b", ""])
def test_other_names_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"is no|name"):
        checked_path(path)


def test_nothing_shows_wherever_it_fails(labelled_path: Path, tmp_path: Path) -> None:
    calm = DisturbedFileSystem(0, no_space)
    export(labelled_path, tmp_path / "calm", calm, SMALL)
    assert calm.count > 30
    # the last operation makes the new name durable; it comes after the data set has its name
    steps = {*range(1, calm.count, 3), *range(calm.count - 6, calm.count)}
    for step in sorted(steps):
        out = tmp_path / "out" / f"{step}"
        with pytest.raises(UserError, match="cannot be written") as caught:
            export(labelled_path, out, DisturbedFileSystem(step, no_space), SMALL)
        assert caught.value.kind == "disk-full"
        assert not out.exists()
        assert list(out.parent.iterdir()) == [] if out.parent.exists() else True


def test_every_file_and_folder_is_durable_before_the_name_is_given(labelled_path: Path, tmp_path: Path) -> None:
    fs = DisturbedFileSystem(0, no_space)
    export(labelled_path, tmp_path / "set", fs, SMALL)
    kinds = [what for what, _ in fs.log]
    named = kinds.index("replace")
    before = fs.log[:named]
    assert kinds[named + 1 :] == ["sync-folder"]
    files = {path for what, path in before if what == "write"}
    for path in files:
        assert before.index(("sync", path)) > before.index(("write", path))
        assert ("sync-folder", path.parent) in before
    assert len(files) == len(content_of(tmp_path / "set"))


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_killed_export_shows_nothing_and_the_next_one_is_the_same(
    written: Path, labelled_path: Path, tmp_path: Path
) -> None:
    """Killed at one place here; bench/export_kill.py kills at every one."""
    expected = hashlib.sha256((written / "SHA256SUMS").read_bytes()).hexdigest()
    out = tmp_path / "here" / "set"
    out.parent.mkdir()
    step = str(len(content_of(written)))
    ended = subprocess.run([sys.executable, "-m", "tests.support.export_faults", labelled_path, out, step], check=False)
    assert ended.returncode == -9
    assert [path.name[: len(DRAFT)] for path in out.parent.iterdir()] == [DRAFT]
    assert export(labelled_path, out, DisturbedFileSystem(0, no_space)).sums_sha256 == expected
    assert [path.name for path in out.parent.iterdir()] == ["set"]


def test_cancelling_leaves_nothing(project: ProjectStore, tmp_path: Path) -> None:
    seen: list[ExportProgress] = []
    plan = plan_export(project, EVERYTHING)
    with pytest.raises(UserError) as caught:
        write_export(
            project, plan, tmp_path / "set", on_progress=seen.append, is_cancelled=lambda: len(seen) >= 20, workers=2
        )
    assert caught.value.kind == "cancelled"
    assert list(tmp_path.iterdir()) == []
    assert 20 <= len(seen) < 30
    assert [each.done for each in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].total > 80
    assert seen[-1].written_bytes > 0


def test_cancelling_is_heard_to_the_last(project: ProjectStore, tmp_path: Path) -> None:
    seen: list[ExportProgress] = []
    with pytest.raises(UserError):
        write_export(
            project,
            plan_export(project, SMALL),
            tmp_path / "set",
            on_progress=seen.append,
            is_cancelled=lambda: bool(seen) and seen[-1].done >= seen[-1].total - 1,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_taken_is_left_alone(project: ProjectStore, tmp_path: Path) -> None:
    plan = plan_export(project, SMALL)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("mine")
    with pytest.raises(UserError) as caught:
        write_export(project, plan, tmp_path / "set")
    assert caught.value.kind == "exists"
    assert (tmp_path / "set" / "mine.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert write_export(project, plan, tmp_path / "empty").files > 10


@pytest.mark.parametrize("inside", ["images/set", "set", "runs/set", "."])
def test_a_data_set_is_not_written_into_the_project(project: ProjectStore, inside: str) -> None:
    with pytest.raises(UserError) as caught:
        write_export(project, plan_export(project, SMALL), project.folder.path / inside)
    assert caught.value.kind == "usage"


def test_the_exports_folder_of_a_project_is_a_place(project: ProjectStore) -> None:
    first = free_export_folder(project)
    assert first.name == "export-001"
    write_export(project, plan_export(project, SMALL), first)
    assert free_export_folder(project).name == "export-002"


def test_a_damaged_image_is_not_exported(labelled_path: Path, tmp_path: Path) -> None:
    with ProjectStore.open(labelled_path, is_read_only=True) as project:
        plan = plan_export(project, SMALL)
        view = plan.pictures[0]
        file = project.images.path(view.image_sha256)
        before = file.read_bytes()
        file.chmod(0o600)
        try:
            file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
            with pytest.raises(UserError, match=view.id) as caught:
                write_export(project, plan, tmp_path / "set")
        finally:
            file.write_bytes(before)
    assert caught.value.kind == "image-damaged"
    assert list(tmp_path.iterdir()) == []


def test_only_drafts_of_exports_that_are_over_are_removed(tmp_path: Path) -> None:
    here = this_computer()
    running = tmp_path / f"{DRAFT}{here}-{os.getpid()}-00000000"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    over = tmp_path / f"{DRAFT}{here}-{ended.pid}-00000000"
    elsewhere = tmp_path / f"{DRAFT}{'0' * 8}-1-00000000"
    other = tmp_path / f"{DRAFT}of-somebody"
    for folder in (running, over, elsewhere, other):
        folder.mkdir()
    assert remove_abandoned(tmp_path) == 1
    assert not over.exists()
    assert all(folder.exists() for folder in (running, elsewhere, other))
    os.utime(elsewhere, (0, 0))
    assert remove_abandoned(tmp_path) == 1
