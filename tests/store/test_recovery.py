"""What is found on opening: damaged logs, foreign logs, lost parts. After the recovery tests of reference managers."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.store.folder import ProjectFolder
from app.store.health import check_project
from app.store.project import ProjectStore
from tests.support.bit_flips import flip_bit
from tests.support.projects import make_project


@pytest.fixture
def killed(tmp_path: Path) -> tuple[Path, int]:
    """A project as a kill leaves it: newest commits only in the write-ahead log; and the number of its last event."""
    source, path = tmp_path / "source", tmp_path / "killed"
    make_project(source)
    project = ProjectStore.open(source)
    for number in range(6):
        project.cases.set_status(f"case-{number}", ReviewStatus.REVIEWED, author="r")
    last = project.events.head()[0]
    shutil.copytree(source, path)
    project.close()
    return path, last


def test_a_log_is_recovered(killed: tuple[Path, int]) -> None:
    path, last = killed
    (path / "project.db-shm").unlink()
    assert (path / "project.db-wal").stat().st_size > 0
    with ProjectStore.open(path) as project:
        assert project.was_unclean
        assert project.events.head()[0] == last
    assert not check_project(path).is_damaged


@pytest.mark.parametrize("content", [b"", b"garbage" * 5000, bytes(32768)])
def test_the_index_of_a_log_is_never_trusted(killed: tuple[Path, int], content: bytes) -> None:
    path, last = killed
    (path / "project.db-shm").write_bytes(content)
    with ProjectStore.open(path) as project:
        assert project.events.head()[0] == last


@pytest.mark.parametrize(
    "damage",
    [
        lambda log: log.unlink(),
        lambda log: log.write_bytes(b""),
        lambda log: log.write_bytes(b"garbage" * 5000),
        lambda log: log.write_bytes(log.read_bytes()[: log.stat().st_size // 2]),
        lambda log: log.write_bytes(log.read_bytes()[:40]),
        lambda log: flip_bit(log, 8 * (log.stat().st_size // 2)),
    ],
)
def test_a_damaged_log_is_noticed(killed: tuple[Path, int], damage: Callable[[Path], None]) -> None:
    path, last = killed
    damage(path / "project.db-wal")
    with pytest.raises(UserError) as caught:
        ProjectStore.open(path)
    assert caught.value.kind == "damaged"
    assert "missing" in caught.value.reason
    report = check_project(path)
    assert ("event", str(last)) in {(problem.table, problem.key) for problem in report.problems}


def test_random_flips_in_the_log_lose_nothing_silently(tmp_path: Path, killed: tuple[Path, int]) -> None:
    original, last = killed
    choose = random.Random(11)
    for number in range(12):
        path = tmp_path / f"flip-{number}"
        shutil.copytree(original, path)
        log = path / "project.db-wal"
        flip_bit(log, choose.randrange(log.stat().st_size * 8))
        try:
            with ProjectStore.open(path) as project:
                found = project.events.head()[0]
        except UserError as error:
            found, kind = 0, error.kind
            assert kind == "damaged"
        assert found in (0, last)


def test_a_log_of_another_project_is_noticed(tmp_path: Path, killed: tuple[Path, int]) -> None:
    path, _ = killed
    make_project(tmp_path / "other", seed=9)
    other = ProjectStore.open(tmp_path / "other")
    for number in range(6):
        other.cases.set_status(f"case-{number}", ReviewStatus.EXCLUDED, author="r")
    shutil.copyfile(tmp_path / "other" / "project.db-wal", path / "project.db-wal")
    other.close()
    with pytest.raises(UserError) as caught:
        ProjectStore.open(path)
    assert caught.value.kind == "damaged"


def test_parts_that_can_be_made_again_are(closed: Path) -> None:
    for name in ("cache", "models", "runs", "exports", "scratch", "backups", "images"):
        shutil.rmtree(closed / name)
    with ProjectStore.open(closed) as project:
        assert project.folder.cache.is_dir()
        assert len(project.cases.all()) == 6
        with pytest.raises(UserError) as caught:
            project.images.load(project.views.all()[0].image_sha256)
        assert caught.value.kind == "image-missing"
    assert len(check_project(closed).missing_images) == 6


def test_a_copy_of_the_folder_is_a_backup(tmp_path: Path, closed: Path) -> None:
    shutil.copytree(closed, tmp_path / "copy")
    shutil.rmtree(closed)
    with ProjectStore.open(tmp_path / "copy") as project:
        assert len(project.cases.all()) == 6
    assert not check_project(tmp_path / "copy").is_damaged


def test_a_folder_where_a_file_should_be(closed: Path) -> None:
    folder = ProjectFolder(closed)
    shutil.rmtree(folder.images)
    folder.images.write_text("x")
    with pytest.raises(UserError) as caught:
        ProjectStore.open(closed)
    assert caught.value.kind == "unwritable-folder"
