"""The project folder."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from app.core.errors import UserError
from app.store import folder as module
from app.store.folder import FORMAT, ProjectFolder, file_system_type, is_project, refuse_network_folder
from app.store.mounts import Mount, mounts, parse_mounts
from app.store.project import ProjectStore


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
    found = [Mount("/", "ext4"), Mount(str(tmp_path), kind), Mount("/other", "nfs")]
    monkeypatch.setattr(module, "mounts", lambda: found)
    assert file_system_type(tmp_path / "not" / "yet") == kind
    if is_refused:
        with pytest.raises(UserError) as caught:
            ProjectStore.create(tmp_path / "p")
        assert caught.value.kind == "network-folder"
        assert not (tmp_path / "p").exists()
    else:
        refuse_network_folder(tmp_path / "p")


def test_a_neighbour_with_the_same_beginning_is_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Mount("/", "ext4"), Mount(str(tmp_path) + "/share", "nfs")]
    monkeypatch.setattr(module, "mounts", lambda: found)
    (tmp_path / "shared").mkdir()
    assert module.file_system_type(tmp_path / "shared") == "ext4"


def test_the_mount_table_is_read_as_the_system_writes_it() -> None:
    text = "proc /proc proc rw 0 0\nnas:/x /mnt/with\\040a\\011tab nfs4 rw,addr=1 0 0\nodd\n"
    assert parse_mounts(text) == [Mount("/proc", "proc"), Mount("/mnt/with a\ttab", "nfs4")]


def test_what_is_mounted_here_is_found_as_psutil_finds_it() -> None:
    psutil = pytest.importorskip("psutil")
    theirs = {(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)}
    assert {(each.point, each.kind) for each in mounts()} == theirs
