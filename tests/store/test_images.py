"""The image store."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import UserError
from app.core.grey import StoredImage
from app.store.images import HEADER_SIZE, DamagedImageError, ImageStore, decode_image, encode_image, image_address
from tests.support.kill_loop import ROOT
from tests.support.projects import make_image


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """An empty store."""
    return ImageStore(tmp_path / "images")


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([0, -32768]), st.integers(0, 65535), st.integers(0, 9))
def test_lossless(rows: int, cols: int, offset: int, top: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, top + 1, (rows, cols), dtype=np.uint16)
    content = b"".join(bytes(chunk) for chunk in encode_image(StoredImage(pixels=pixels, offset=offset)))
    found = decode_image(io.BytesIO(content), len(content))
    assert len(content) == HEADER_SIZE + rows * cols * (2 if pixels.max() > 255 else 1)
    assert np.array_equal(found.pixels, pixels)
    assert found.pixels.dtype == np.uint16
    assert found.offset == offset


def test_the_address_is_the_documented_hash() -> None:
    pixels = np.array([[1, 256], [65535, 0]], dtype=np.uint16)
    content = b"coxa-image-1 2 2 -32768\n" + b"\x01\x00\x00\x01\xff\xff\x00\x00"
    assert image_address(StoredImage(pixels=pixels, offset=-32768)) == hashlib.sha256(content).hexdigest()


def test_shape_offset_and_layout_in_memory() -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    address = image_address(StoredImage(pixels=pixels))
    assert image_address(StoredImage(pixels=pixels.reshape(4, 3))) != address
    assert image_address(StoredImage(pixels=pixels, offset=-32768)) != address
    assert image_address(StoredImage(pixels=np.asfortranarray(pixels))) == address
    assert image_address(StoredImage(pixels=pixels.astype(">u2").view(">u2").astype(np.uint16))) == address


def test_put_and_load(store: ImageStore, tmp_path: Path) -> None:
    image = make_image(1, offset=-32768)
    address = store.put(image)
    assert store.path(address) == tmp_path / "images" / address[:2] / address
    assert store.has(address)
    assert list(store.addresses()) == [address]
    found = store.load(address)
    assert np.array_equal(found.pixels, image.pixels)
    assert found.offset == -32768
    assert not found.pixels.flags.writeable
    before = store.path(address).stat()
    assert store.put(image) == address
    assert store.path(address).stat().st_mtime_ns == before.st_mtime_ns  # left alone
    if sys.platform != "win32":
        assert before.st_mode & 0o777 == 0o400


@pytest.mark.parametrize(
    "pixels", [np.zeros((2, 2, 2), np.uint16), np.zeros((0, 3), np.uint16), np.zeros((2, 2), np.int16)]
)
def test_what_is_no_image_is_refused(store: ImageStore, pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(H, W\)|uint16|unpack"):
        store.put(StoredImage(pixels=pixels))
    assert list(store.addresses()) == []


@pytest.mark.parametrize("name", ["", "x" * 64, "../" + "a" * 61, "A" * 64, "a" * 63])
def test_an_address_is_never_a_path(store: ImageStore, name: str) -> None:
    with pytest.raises(ValueError, match="64"):
        store.path(name)


def _overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def test_every_kind_of_damage_is_found(store: ImageStore) -> None:
    address, other = store.put(make_image(1)), store.put(make_image(2))
    good = store.path(address).read_bytes()
    store.load(address)  # was good once: that must not hide what comes
    flipped = [
        bytes([*good[:at], good[at] ^ 1, *good[at + 1 :]]) for at in range(0, len(good), max(1, len(good) // 200))
    ]
    for content in (
        b"",
        good[:10],
        good[:-1],
        good + b"x",
        b"\x00" * len(good),
        store.path(other).read_bytes(),
        *flipped,
    ):
        _overwrite(store.path(address), content)
        with pytest.raises(UserError) as caught:
            store.load(address)
        assert caught.value.kind == "image-damaged"
        with pytest.raises(DamagedImageError):
            store.verify(address)
    store.put(make_image(1))  # importing again repairs it
    store.verify(address)


def test_a_missing_image(store: ImageStore) -> None:
    with pytest.raises(UserError) as caught:
        store.load("0" * 64)
    assert caught.value.kind == "image-missing"
    with pytest.raises(FileNotFoundError):
        store.verify("0" * 64)


def test_leftovers_are_no_images(store: ImageStore, tmp_path: Path) -> None:
    address = store.put(make_image(1))
    leftover = store.path(address).parent / f".{address}.abc.part"
    leftover.write_bytes(b"half")
    (tmp_path / "images" / "stray.txt").write_text("x")
    assert list(store.addresses()) == [address]
    assert store.remove_leftovers() == 1
    assert not leftover.exists()
    assert store.has(address)


def test_threads_may_put_and_load_the_same(store: ImageStore) -> None:
    failures: list[BaseException] = []

    def work(start: int) -> None:
        try:
            for number in range(start, start + 10):
                store.load(store.put(make_image(number)))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 0, 5, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(list(store.addresses())) == 15


TOO_BIG = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from app.core.errors import UserError
from app.core.grey import StoredImage
from app.store.images import ImageStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = ImageStore(Path(sys.argv[1]))
small = store.put(StoredImage(pixels=np.ones((4, 4), np.uint16)))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    store.put(StoredImage(pixels=np.random.default_rng(0).integers(0, 65536, (200, 200), dtype=np.uint16)))
except UserError as error:
    print(error.kind)
print([path.name for path in store._root.rglob("*") if path.is_file()] == [small])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE")
def test_a_full_disk_leaves_nothing_half_made(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", TOO_BIG, tmp_path / "images"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.stderr == ""
    assert answer.stdout.split() == ["disk-full", "True"]
