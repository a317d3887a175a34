"""The cache of derived values: found again, never wrong, never in the way."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from app.core.grey import GreyScale, Photometric, Window
from app.store.derived import FILE_NAME, DerivedCache, derived_key
from app.store.project import ProjectStore
from tests.support.unclosed import Closing

KEY = derived_key("address", 1)


def test_what_was_kept_is_found_again_also_by_the_next_process(tmp_path: Path, closing: Closing) -> None:
    cache = closing(DerivedCache(tmp_path))
    assert cache.get("windows/1", KEY) is None
    cache.put("windows/1", KEY, b"first")
    cache.put("windows/1", KEY, b"second")
    assert cache.get("windows/1", KEY) == b"second"
    assert cache.get("windows/2", KEY) is None
    assert cache.get("windows/1", derived_key("address", 2)) is None
    cache.close()
    assert cache.get("windows/1", KEY) is None  # closed, and no error
    cache.put("windows/1", KEY, b"third")
    assert closing(DerivedCache(tmp_path)).get("windows/1", KEY) == b"second"


def test_many_at_once(tmp_path: Path, closing: Closing) -> None:
    cache = closing(DerivedCache(tmp_path))
    entries = {derived_key(number): b"%d" % number for number in range(1200)}
    cache.put_many("thumbnail/1", entries)
    asked = [*list(entries)[5:905], derived_key("none")]
    assert cache.get_many("thumbnail/1", asked) == {key: entries[key] for key in asked[:-1]}


def test_the_key_depends_on_everything_that_it_is_made_of() -> None:
    grey = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)
    other = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12, voi=(Window(center=1, width=2),))
    assert derived_key("a", grey) == derived_key("a", grey)
    assert (
        len({derived_key("a", grey), derived_key("a", other), derived_key("b", grey), derived_key("a", grey, 1)}) == 4
    )


@pytest.mark.parametrize("size", [0, 10, 4096, 5000])
def test_a_damaged_file_is_computed_anew(tmp_path: Path, size: int, closing: Closing) -> None:
    first = closing(DerivedCache(tmp_path))
    first.put("windows/1", KEY, b"right" * 3000)
    first.close()
    path = tmp_path / FILE_NAME
    path.write_bytes(b"\xa5" * size if size < 5000 else path.read_bytes()[:4096] + b"\xa5" * 20000)
    cache = closing(DerivedCache(tmp_path))
    assert cache.get("windows/1", KEY) is None
    cache.put("windows/1", KEY, b"again")
    cache.put("windows/1", KEY, b"again")
    assert cache.get("windows/1", KEY) == b"again"
    cache.close()
    assert closing(DerivedCache(tmp_path)).get("windows/1", KEY) == b"again"


def test_a_flipped_bit_in_an_entry_is_seen(tmp_path: Path, closing: Closing) -> None:
    content = bytes(range(250)) * 4
    first = closing(DerivedCache(tmp_path))
    first.put("windows/1", KEY, content)
    first.close()
    path = tmp_path / FILE_NAME
    whole = bytearray(path.read_bytes())
    at = whole.index(content[100:200])
    whole[at] ^= 4
    path.write_bytes(whole)
    assert closing(DerivedCache(tmp_path)).get("windows/1", KEY) is None


def test_a_deleted_file_is_no_error(tmp_path: Path, closing: Closing) -> None:
    cache = closing(DerivedCache(tmp_path / "cache"))
    cache.put("windows/1", KEY, b"right")
    cache.close()
    for file in (tmp_path / "cache").iterdir():
        file.unlink()
    (tmp_path / "cache").rmdir()
    again = closing(DerivedCache(tmp_path / "cache"))
    assert again.get("windows/1", KEY) is None
    again.put("windows/1", KEY, b"right")
    assert again.get("windows/1", KEY) == b"right"


def test_a_file_of_another_layout_is_thrown_away(tmp_path: Path, closing: Closing) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("CREATE TABLE entry (kind, key, content)")
        other.execute("PRAGMA user_version = 7")
    other.close()
    cache = closing(DerivedCache(tmp_path))
    cache.put("windows/1", KEY, b"right")
    cache.put("windows/1", KEY, b"right")
    assert cache.get("windows/1", KEY) == b"right"


def test_where_nothing_can_be_written_nothing_outlives_the_process_and_nothing_fails(
    tmp_path: Path, closing: Closing
) -> None:
    in_the_way = tmp_path / "cache"
    in_the_way.write_text("a file where the folder should be")
    cache = closing(DerivedCache(in_the_way))
    cache.put("windows/1", KEY, b"right")
    assert cache.get("windows/1", KEY) == b"right"
    assert closing(DerivedCache(in_the_way)).get("windows/1", KEY) is None


def test_a_reader_finds_what_a_writer_beside_it_has_kept_and_keeps_nothing(tmp_path: Path, closing: Closing) -> None:
    reader = closing(DerivedCache(tmp_path / "none", is_writable=False))
    assert reader.get("windows/1", KEY) is None
    assert not (tmp_path / "none").exists()
    writer = closing(DerivedCache(tmp_path))
    writer.put("windows/1", KEY, b"right")
    reader = closing(DerivedCache(tmp_path, is_writable=False))
    assert reader.get("windows/1", KEY) == b"right"
    reader.put("windows/1", KEY, b"wrong")
    assert writer.get("windows/1", KEY) == b"right"


def test_the_file_stays_below_its_limit_and_the_newest_stay(tmp_path: Path, closing: Closing) -> None:
    limit = 1 << 20
    cache = closing(DerivedCache(tmp_path, limit_bytes=limit))
    keys = [derived_key(number) for number in range(4000)]
    for key in keys:
        cache.put("thumbnail/1", key, key * 32)
    cache.close()
    assert (tmp_path / FILE_NAME).stat().st_size < 1.5 * limit
    left = closing(DerivedCache(tmp_path)).get_many("thumbnail/1", keys)
    assert left[keys[-1]] == keys[-1] * 32
    assert 300 < len(left) < 1000
    assert list(left) == keys[-len(left) :]


def test_threads_share_it(tmp_path: Path, closing: Closing) -> None:
    cache = closing(DerivedCache(tmp_path))
    failed: list[bytes] = []

    def work(number: int) -> None:
        for step in range(100):
            key = derived_key(number, step)
            cache.put("thumbnail/1", key, key)
            if cache.get("thumbnail/1", key) != key:
                failed.append(key)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_project_has_one_and_closes_it(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "project") as store:
        store.derived.put("windows/1", KEY, b"right")
        with ProjectStore.open(tmp_path / "project", is_read_only=True) as other:
            other.derived.put("windows/1", KEY, b"wrong")
            assert other.derived.get("windows/1", KEY) == b"right"
    assert store.derived.get("windows/1", KEY) is None
    with ProjectStore.open(tmp_path / "project") as store:
        assert store.derived.get("windows/1", KEY) == b"right"


def test_what_the_file_does_not_take_is_found_again_by_the_same_process(tmp_path: Path, closing: Closing) -> None:
    """Or who asks for a value until it is there would ask for ever: a hip was located over and over."""
    cache = closing(DerivedCache(tmp_path, is_writable=False))
    cache.put("hip-region/1", KEY, b"here")
    cache.put("thumbnail/1", KEY, b"x" * 100_000)
    assert cache.get("hip-region/1", KEY) == b"here"
    assert cache.get("thumbnail/1", KEY) is None  # memory is for small values
    assert not (tmp_path / FILE_NAME).exists()
    cache.close()
    cache.put("hip-region/1", KEY, b"here")
    assert cache.get("hip-region/1", KEY) is None
