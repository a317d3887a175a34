"""The loader: what is wanted comes first, what is not wanted any more is given up, and memory stays bounded."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from app.core.errors import UserError
from app.core.grey import StoredImage
from app.core.voi import computed_windows
from app.store.derived import DerivedCache
from app.store.windows import windows_of
from app.ui.loader import ImageKey, ImageLoader, PreparedImage, prepare
from tests.support.unclosed import Closing
from tests.support.window import GREY, flat_image, wait, wait_until


def keys(numbers: Iterable[int]) -> list[ImageKey]:
    """Keys of images that carry their number."""
    return [ImageKey(sha256=str(number), grey=GREY) for number in numbers]


class Disk:
    """Images that come when they are let through."""

    def __init__(self) -> None:
        self.gates: dict[str, threading.Event] = {}
        self.asked: list[str] = []
        self.threads: dict[str, int] = {}

    def hold(self, *numbers: int) -> None:
        """Let loading these images wait for `release`."""
        self.gates |= {str(number): threading.Event() for number in numbers}

    def release(self, number: int) -> None:
        """Let one go on."""
        self.gates[str(number)].set()

    def load(self, sha256: str) -> StoredImage:
        """What the loader calls in its threads."""
        self.asked.append(sha256)
        self.threads[sha256] = threading.get_native_id()
        if sha256 in self.gates:
            assert self.gates[sha256].wait(20)
        return flat_image(int(sha256))


def watched(loader: ImageLoader) -> list[str]:
    """The numbers of the images that the loader reports, as they come."""
    done: list[str] = []
    loader.ready.connect(lambda key, result: done.append(key.sha256) if isinstance(result, PreparedImage) else None)
    return done


def test_what_is_decoded_ahead_waits_for_what_is_wanted() -> None:
    disk = Disk()
    loader = ImageLoader(disk.load)
    done = watched(loader)
    disk.hold(0, 1)
    loader.want(keys([0, 1]))
    loader.look_ahead(keys([2, 3, 4]))
    wait(30)
    assert sorted(disk.asked) == ["0", "1"]
    disk.release(0)
    disk.release(1)
    wait_until(lambda: len(done) == 5)
    assert set(done[:2]) == {"0", "1"}
    assert done[2:] == ["2", "3", "4"]
    loader.close()


def test_a_wanted_image_never_waits_for_one_that_is_decoded_ahead() -> None:
    disk = Disk()
    loader = ImageLoader(disk.load)
    done = watched(loader)
    disk.hold(5)
    loader.look_ahead(keys([5, 6, 7]))
    wait_until(lambda: disk.asked == ["5"])
    loader.want(keys([8, 9]))
    wait_until(lambda: sorted(done) == ["8", "9"])
    disk.release(5)
    wait(50)
    assert sorted(done) == ["8", "9"]  # 5 was given up between its steps, 6 and 7 were never begun
    assert sorted(disk.asked) == ["5", "8", "9"]
    loader.look_ahead(keys([5]))
    wait_until(lambda: done[-1] == "5")
    loader.close()


def test_what_is_decoded_ahead_and_becomes_wanted_is_decoded_once() -> None:
    disk = Disk()
    loader = ImageLoader(disk.load)
    done = watched(loader)
    disk.hold(5)
    loader.look_ahead(keys([5, 6]))
    wait_until(lambda: disk.asked == ["5"])
    loader.want(keys([5]))
    wait(20)
    disk.release(5)
    wait_until(lambda: done == ["5"])
    wait(20)
    assert disk.asked == ["5"]
    loader.close()


def test_back_and_forth_while_it_is_given_up_still_brings_the_image() -> None:
    disk = Disk()
    loader = ImageLoader(disk.load)
    done = watched(loader)
    disk.hold(5, 8)
    loader.look_ahead(keys([5]))
    wait_until(lambda: disk.asked == ["5"])
    loader.want(keys([8]))  # 5 is given up
    loader.want(keys([5]))  # and wanted after all
    disk.release(8)
    disk.release(5)
    wait_until(lambda: "5" in done)
    wait(30)
    assert loader.cached(keys([5])[0]) is not None
    loader.look_ahead(keys([6]))
    wait_until(lambda: "6" in done)  # the thread for looking ahead is free again
    loader.close()


def test_the_thread_for_looking_ahead_is_another_one() -> None:
    disk = Disk()
    loader = ImageLoader(disk.load)
    done = watched(loader)
    loader.want(keys([0, 1]))
    wait_until(lambda: len(done) == 2)
    loader.look_ahead(keys([2]))
    wait_until(lambda: len(done) == 3)
    assert disk.threads["2"] not in (disk.threads["0"], disk.threads["1"], threading.get_native_id())
    loader.close()


def test_memory_is_bounded_and_what_is_wanted_is_never_dropped() -> None:
    one = prepare(keys([1])[0], lambda _: flat_image(1)).nbytes
    loader = ImageLoader(Disk().load, cache_bytes=4 * one)
    done = watched(loader)
    for number in range(0, 40, 2):
        loader.want(keys([number, number + 1]))
        wait_until(lambda number=number: all(loader.cached(key) is not None for key in keys([number, number + 1])))
        assert loader.used_bytes <= 4 * one
    assert len(done) == 40
    loader.want(keys([100, 101, 102, 103, 104, 105]))  # more than fits
    wait_until(lambda: all(loader.cached(key) is not None for key in keys(range(100, 106))))
    assert loader.used_bytes == 6 * one
    loader.want(keys([106]))
    wait_until(lambda: loader.cached(keys([106])[0]) is not None)
    assert loader.used_bytes <= 4 * one
    loader.close()
    assert loader.used_bytes == 0


def test_the_likeliest_neighbours_are_dropped_last() -> None:
    one = prepare(keys([1])[0], lambda _: flat_image(1)).nbytes
    loader = ImageLoader(Disk().load, cache_bytes=4 * one)
    done = watched(loader)
    loader.look_ahead(keys([1, 2, 3, 4]))
    wait_until(lambda: len(done) == 4)
    loader.want(keys([2]))
    loader.look_ahead(keys([3, 1]))
    loader.want(keys([9]))
    wait_until(lambda: "9" in done)
    at_hand = [number for number in (1, 2, 3, 4) if loader._cache.get(keys([number])[0])]
    assert at_hand == [1, 2, 3]
    loader.close()


def test_an_image_that_cannot_be_had_ahead_is_no_trouble() -> None:
    def load(sha256: str) -> StoredImage:
        raise UserError("An image is missing.", kind="image-missing")

    loader = ImageLoader(load)
    results: list[object] = []
    loader.ready.connect(lambda _, result: results.append(result))
    loader.look_ahead(keys([1]))
    wait_until(lambda: len(results) == 1)
    loader.want(keys([1]))
    wait_until(lambda: len(results) == 2)
    assert all(isinstance(result, UserError) for result in results)
    loader.close()


def test_windows_that_were_kept_are_not_computed_again(tmp_path: Path, closing: Closing) -> None:
    derived = closing(DerivedCache(tmp_path))
    image = StoredImage(pixels=np.tile(np.linspace(100, 3900, 200).astype(np.uint16), (200, 1)))
    key = ImageKey(sha256="a" * 64, grey=GREY)
    first = prepare(key, lambda _: image, derived)
    assert {"auto": first.auto, **first.presets} == computed_windows(image, GREY)
    other = StoredImage(pixels=np.full((200, 200), 7, np.uint16))
    assert prepare(key, lambda _: other, derived).auto == first.auto  # found by the address alone
    assert windows_of(derived, key.sha256, other, GREY)["auto"] == first.auto
    assert first.span == (100, 3900)
