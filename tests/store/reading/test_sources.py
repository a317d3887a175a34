"""What a person points at, and the files found in it."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest

from app.core.errors import UserError
from app.store.reading import archive as archive_module
from app.store.reading.archive import is_wanted, open_archive, read_member
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source, find_sources
from tests.support import foreign_files as make


def labels(*paths: Path) -> list[str]:
    return [source.label for source in find_sources(paths)]


def test_folders_are_searched_in_a_stable_order_and_hidden_files_passed_over(tmp_path: Path) -> None:
    for name in ("b/2.dcm", "b/1.dcm", "a.dcm", ".hidden.dcm", ".git/x", "Thumbs.db", "c/d/e/f.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert labels(tmp_path) == ["a.dcm", "b/1.dcm", "b/2.dcm", "c/d/e/f.png"]
    assert labels(tmp_path / ".hidden.dcm") == [".hidden.dcm"]  # named itself


def test_a_file_named_twice_is_found_once(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"x")
    assert labels(tmp_path, tmp_path / "a.dcm", tmp_path) == ["a.dcm"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_are_followed_but_not_round_in_circles(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "real.dcm").write_bytes(b"x")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "deep" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "dead").symlink_to(tmp_path / "nowhere")
    assert sorted(labels(tmp_path / "in")) == ["dead", "link/real.dcm"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_a_folder_does_not_hold_anything_up(tmp_path: Path, pool: ReaderPool) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert labels(tmp_path) == []
    with pytest.raises(UserError) as caught:
        pool.read(Source(path=tmp_path / "pipe"))
    assert caught.value.kind == "not-an-image"


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        list(find_sources([tmp_path / "nothing"]))
    assert caught.value.kind == "missing"


def test_archives_are_looked_into_with_nested_folders(tmp_path: Path, pool: ReaderPool) -> None:
    image = make.dicom_bytes()
    data = make.zip_bytes(
        {
            "p/s/1.dcm": image,
            "p/2.png": make.png_bytes(make.radiograph()),
            "__MACOSX/._1.dcm": b"x",
            "p/.DS_Store": b"x",
            "note.txt": b"hello",
        }
    )
    (tmp_path / "set.zip").write_bytes(data)
    answers = {source.label: answer for source, answer in pool.read_many(find_sources([tmp_path]))}
    assert list(answers) == ["set.zip/note.txt", "set.zip/p/2.png", "set.zip/p/s/1.dcm"]
    note = answers["set.zip/note.txt"]
    assert isinstance(note, UserError)
    assert note.kind == "not-an-image"
    for name in ("set.zip/p/2.png", "set.zip/p/s/1.dcm"):
        answer = answers[name]
        assert not isinstance(answer, UserError)
        assert pool.pixels(answer).pixels.shape == (80, 96)


def test_names_in_an_archive_are_never_paths(tmp_path: Path, pool: ReaderPool) -> None:
    names = ["../../evil.dcm", "/etc/evil.dcm", "C:\\evil.dcm", "a/../../b.dcm"]
    (tmp_path / "slip.zip").write_bytes(make.zip_bytes(dict.fromkeys(names, make.dicom_bytes())))
    before = sorted(path.name for path in tmp_path.parent.iterdir())
    for _, answer in pool.read_many(find_sources([tmp_path / "slip.zip"])):
        assert not isinstance(answer, UserError)  # read in memory; the name is only a label
        pool.discard(answer)
    assert sorted(path.name for path in tmp_path.parent.iterdir()) == before
    assert not list(tmp_path.rglob("*evil*"))


def read_error(pool: ReaderPool, path: Path) -> UserError:
    (source,) = find_sources([path])
    with pytest.raises(UserError) as caught:
        pool.read(source)
    return caught.value


def test_hostile_archives_are_refused_with_a_reason(tmp_path: Path, pool: ReaderPool) -> None:
    image = make.dicom_bytes()
    inner = make.zip_bytes({"a.dcm": image})
    cases = {
        "nested-archive": make.zip_bytes({"inner.bin": inner}),
        "too-large": make.zip_bytes({"zeros.dcm": bytes(80 << 20)}),
        "archive": make.zip_bytes({"a.dcm": image})[:200],
    }
    for kind, data in cases.items():
        path = tmp_path / f"{kind}.zip"
        path.write_bytes(data)
        assert read_error(pool, path).kind == kind


def test_an_encrypted_member_is_said(tmp_path: Path, pool: ReaderPool) -> None:
    data = bytearray(make.zip_bytes({"a.dcm": make.dicom_bytes()}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(data))
    assert read_error(pool, tmp_path / "locked.zip").kind == "encrypted"


def test_a_member_longer_than_it_says_is_stopped(tmp_path: Path) -> None:
    data = bytearray(make.zip_bytes({"a.dcm": bytes(100_000)}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (50).to_bytes(4, "little")
    path = tmp_path / "lying.zip"
    path.write_bytes(bytes(data))
    with open_archive(path) as archive, pytest.raises(UserError):
        read_member(archive, "a.dcm")


def test_links_in_an_archive_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link.dcm")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with open_archive(path) as archive, pytest.raises(UserError) as caught:
        read_member(archive, "link.dcm")
    assert caught.value.kind == "not-an-image"


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_ARCHIVE_MEMBERS", 3)
    path = tmp_path / "many.zip"
    path.write_bytes(make.zip_bytes({f"{index}.dcm": b"x" for index in range(4)}))
    with pytest.raises(UserError) as caught:
        open_archive(path)
    assert caught.value.kind == "too-large"
    assert labels(path) == ["many.zip"]  # one source; reading it gives a reason


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a/b.dcm", True), ("a/", False), (".x/b.dcm", False), ("__MACOSX/a", False), ("../a", True), ("a/.b", False)],
)
def test_which_members_are_wanted(name: str, expected: bool) -> None:
    assert is_wanted(name) is expected


def dicomdir(*references: str) -> bytes:
    """The part of a DICOMDIR that names files."""
    body = b""
    for reference in references:
        raw = reference.encode() + b" " * (len(reference) % 2)
        body += b"\x04\x00\x00\x15CS" + len(raw).to_bytes(2, "little") + raw
    return b"\0" * 128 + b"DICM" + body


def test_a_dicomdir_stands_for_its_folder_and_its_missing_files_are_said(tmp_path: Path, pool: ReaderPool) -> None:
    (tmp_path / "outside.dcm").write_bytes(make.dicom_bytes())
    disc = tmp_path / "disc"
    (disc / "A").mkdir(parents=True)
    (disc / "A" / "1").write_bytes(make.dicom_bytes())
    (disc / "EXTRA").write_bytes(make.dicom_bytes())  # the DICOMDIR does not name it
    (disc / "DICOMDIR").write_bytes(dicomdir("A\\1", "A\\2", "..\\outside.dcm", "..\\..\\etc\\passwd", "A\\..\\..\\x"))
    for given in (disc, disc / "DICOMDIR"):
        answers = {source.label: answer for source, answer in pool.read_many(find_sources([given]))}
        assert sorted(answers) == ["A/1", "A/2", "EXTRA"]
        missing = answers["A/2"]
        assert isinstance(missing, UserError)
        assert missing.kind == "missing"
        assert sum(isinstance(answer, UserError) for answer in answers.values()) == 1


def test_pydicoms_dicomdir_tree_is_found(pool: ReaderPool) -> None:
    import pydicom

    tree = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
    found = list(find_sources([tree / "DICOMDIR"]))
    assert len(found) >= 31
    kinds = {
        "image" if not isinstance(answer, UserError) else answer.kind
        for _, answer in pool.read_many(found, is_header_only=True)
    }
    assert kinds <= {"image", "not-a-radiograph", "not-an-image", "no-image"}
    assert "image" in kinds  # the CR spine pair
