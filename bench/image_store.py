"""How an image is kept: memory-mapped raw values, Blosc2 (LZ4, Zstandard), HTJ2K, and the store's own file.

    python -m bench.image_store [FOLDER_WITH_DICOM …]

Each row: size against raw; write (encode, temporary file, sync, rename); open = read, decode and verify the whole
SHA-256 with the file in the page cache (warm) and not (cold: the kernel was asked to drop it); open again = what a
second opening of the same file costs when it need not verify the SHA-256. Times are medians in ms; the baseline is
one copy of the image in memory, in the same run.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
import pydicom

from app.core.grey import StoredImage
from app.store.fs import atomic_write
from app.store.images import ImageStore, image_address

Pixels = npt.NDArray[np.uint16]
ROUNDS = 9
FOUND = ("JLSL__RG2_JLSL.dcm", "JLSL__RG3_JLSL.dcm", "331_DDH_1.dcm", "331_DDH_10.dcm")


def synthetic(seed: int, *, noise: float) -> Pixels:
    """(2688, 2688) uint16, 12 bit: smooth anatomy-like structure, edges and photon noise."""
    random = np.random.default_rng(seed)
    coarse = cv2.resize(random.random((14, 14), dtype=np.float32), (2688, 2688), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(random.random((340, 340), dtype=np.float32), (2688, 2688), interpolation=cv2.INTER_CUBIC)
    image = np.clip(2600 * coarse + 180 * fine, 1, 4095)
    image[:, :160] = 12  # outside the collimator
    image = image + noise * np.sqrt(image) * random.standard_normal(image.shape, dtype=np.float32)
    return np.clip(image, 0, 4095).astype(np.uint16)


def images(folders: list[Path]) -> dict[str, Pixels]:
    """Name -> pixels: real radiographs where they are found, then synthetic ones."""
    found: dict[str, Pixels] = {}
    for folder in folders:
        for name in FOUND:
            for path in folder.rglob(name):
                pixels = pydicom.dcmread(path).pixel_array
                grey = pixels if pixels.ndim == 2 else pixels[..., 0]
                found[path.stem] = np.ascontiguousarray(grey, dtype=np.uint16)
    for seed, noise in ((1, 0.15), (2, 0.3), (3, 0.6)):
        found[f"synthetic, noise {noise}"] = synthetic(seed, noise=noise)
    return found


def median_ms(action: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Median time of an action, ms; `before` runs untimed each time."""
    times = []
    for _ in range(ROUNDS):
        before()
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def drop(path: Path) -> None:
    """Ask the kernel to forget the file's pages."""
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def sha256(pixels: Pixels) -> str:
    return hashlib.sha256(pixels.data).hexdigest()


def rivals(folder: Path) -> dict[str, tuple[Callable[[Pixels], Path], Callable[[Path, bool], Pixels]]]:
    """Name -> (write, open(path, verify the whole hash))."""

    def write_npy(pixels: Pixels) -> Path:
        path = folder / "x.npy"
        with tempfile.SpooledTemporaryFile() as spool:
            np.save(spool, pixels)
            spool.seek(0)
            atomic_write(path, [spool.read()])
        return path

    def open_npy(path: Path, verify: bool) -> Pixels:
        pixels: Pixels = np.load(path, mmap_mode="r")
        if verify:
            sha256(pixels)
        else:
            zlib.crc32(pixels.data)  # as cheap a look at every byte as the others get
        return pixels

    def blosc(compressor: str, level: int) -> tuple[Callable[[Pixels], Path], Callable[[Path, bool], Pixels]]:
        def write(pixels: Pixels) -> Path:
            path = folder / f"x.{compressor}"
            encoded = imagecodecs.blosc2_encode(
                pixels.tobytes(), level=level, compressor=compressor, shuffle="bitshuffle", typesize=2, numthreads=1
            )
            atomic_write(path, [np.array(pixels.shape, np.uint32).tobytes(), bytes(encoded)])
            return path

        def open_(path: Path, verify: bool) -> Pixels:
            content = path.read_bytes()
            zlib.crc32(content)
            pixels = np.empty(np.frombuffer(content[:8], np.uint32), np.uint16)
            imagecodecs.blosc2_decode(content[8:], numthreads=1, out=pixels.data.cast("B"))
            if verify:
                sha256(pixels)
            return pixels

        return write, open_

    def write_htj2k(pixels: Pixels) -> Path:
        path = folder / "x.jph"
        atomic_write(path, [bytes(imagecodecs.htj2k_encode(pixels))])
        return path

    def open_htj2k(path: Path, verify: bool) -> Pixels:
        content = path.read_bytes()
        zlib.crc32(content)
        pixels: Pixels = imagecodecs.htj2k_decode(content)
        if verify:
            sha256(pixels)
        return pixels

    def write_store(pixels: Pixels) -> Path:
        image = StoredImage(pixels=pixels)
        address = image_address(image)
        path = ImageStore(folder / "store").path(address)
        path.unlink(missing_ok=True)
        ImageStore(folder / "store").put(image)
        return path

    known = ImageStore(folder / "store")

    def open_store(path: Path, verify: bool) -> Pixels:
        store = ImageStore(folder / "store") if verify else known
        return store.load(path.name).pixels

    return {
        "raw .npy, memory-mapped": (write_npy, open_npy),
        "Blosc2 LZ4 bitshuffle": blosc("lz4", 5),
        "Blosc2 Zstandard 1 bitshuffle": blosc("zstd", 1),
        "HTJ2K": (write_htj2k, open_htj2k),
        "this store": (write_store, open_store),
    }


def main() -> None:
    folders = [Path(argument) for argument in sys.argv[1:]]
    for name, pixels in images(folders).items():
        copy = np.empty_like(pixels)
        memcpy = median_ms(lambda copy=copy, pixels=pixels: np.copyto(copy, pixels))
        print(f"\n{name}, {pixels.shape[0]} × {pixels.shape[1]}: copy in memory {memcpy:.2f} ms")
        print(f"{'':<32}{'size':>7}{'write':>8}{'cold':>8}{'warm':>8}{'again':>8}{'warm/copy':>11}")
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as temporary:
            for rival, (write, open_) in rivals(Path(temporary)).items():
                path = write(pixels)
                assert np.array_equal(open_(path, True), pixels)
                assert np.array_equal(open_(path, False), pixels)
                size = path.stat().st_size / pixels.nbytes
                written = median_ms(lambda write=write, pixels=pixels: write(pixels))
                cold = median_ms(lambda o=open_, p=path: o(p, True), lambda p=path: drop(p))
                warm = median_ms(lambda o=open_, p=path: o(p, True))
                open_(path, False)
                again = median_ms(lambda o=open_, p=path: o(p, False))
                print(
                    f"{rival:<32}{size:>6.0%} {written:>7.1f} {cold:>7.1f} {warm:>7.1f} {again:>7.1f}"
                    f" {warm / memcpy if memcpy else 0:>9.0f}×"
                )


if __name__ == "__main__":
    main()
