"""The project folder."""

from __future__ import annotations

import stat
import sys
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from app.core.errors import UserError
from app.store import folder as module
from app.store.folder import FORMAT, ProjectFolder, file_system_type, is_project, refuse_network_folder
from app.store.project import ProjectStore

Mount = namedtuple("Mount", "device mountpoint fstype opts")


def test_layout_and_rights(closed: Path) -> None:
    folder = ProjectFolder(closed)
    assert is_project(closed)
    assert len(folder.read_key()) == 32
    assert folder.name == "Test"
    for path in (folder.images, folder.backups, folder.cache, folder.models, folder.runs, folder.exports):
        assert path.is_dir()
    if sys.platform != "win32":
        for path in (closed, *closed.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "damaged"),
        ("format = ", "damaged"),
        ("\udcff", "damaged"),
        ('format = "1"', "damaged"),
        (f"format = {FORMAT + 1}", "newer-version"),
    ],
)
def test_a_wrong_marker_is_one_sentence(closed: Path, text: str, kind: str) -> None:
    (closed / "project.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError) as caught:
        ProjectStore.open(closed)
    assert caught.value.kind == kind
    assert caught.value.remedy


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_not_a_project(tmp_path: Path, make: object) -> None:
    make(tmp_path / "x")  # type: ignore[operator]
    with pytest.raises(UserError) as caught:
        ProjectStore.open(tmp_path / "x")
    assert caught.value.kind == "not-a-project"


def test_names_survive_quotes(tmp_path: Path) -> None:
    name = 'a "quoted" \\ name\nwith ü'
    with ProjectStore.create(tmp_path / "p", name=name) as project:
        assert project.name == name


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX mount points")
@pytest.mark.parametrize(
    ("kind", "is_refused"), [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("ext4", False), ("tmpfs", False)]
)
def test_network_folders_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, is_refused: bool
) -> None:
    mounts = [Mount("a", "/", "ext4", "rw"), Mount("b", str(tmp_path), kind, "rw"), Mount("c", "/other", "nfs", "rw")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    assert file_system_type(tmp_path / "not" / "yet") == kind
    if is_refused:
        with pytest.raises(UserError) as caught:
            ProjectStore.create(tmp_path / "p")
        assert caught.value.kind == "network-folder"
        assert not (tmp_path / "p").exists()
    else:
        refuse_network_folder(tmp_path / "p")


def test_a_neighbour_with_the_same_beginning_is_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = [Mount("a", "/", "ext4", "rw"), Mount("b", str(tmp_path) + "/share", "nfs", "rw")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    (tmp_path / "shared").mkdir()
    assert module.file_system_type(tmp_path / "shared") == "ext4"
