"""The image store: stored pixel values, addressed by what they are.

`images/ab/<sha256>` holds one image, losslessly, and is never changed. The address is a hash of the pixel values, the
shape and the offset, and of nothing else: it does not depend on the file's format. See ADR 0030 for the choice of raw
values over a compressed form.

A file is `COXAIMG1`, five little-endian numbers (bytes a value, rows, cols uint32; offset int32; CRC-32 of everything
else, uint32), then the values row by row: little-endian uint16, or uint8 when none is above 255.

This module knows no database, so the engine may use it too.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from app.core.errors import UserError
from app.core.grey import StoredImage
from app.store.fs import DISK, Chunk, FileSystem, atomic_write, is_temporary

MAGIC = b"COXAIMG1"
VALUE_TYPES: dict[int, npt.DTypeLike] = {1: "u1", 2: "<u2"}
_HEADER = struct.Struct("<8sIIIi")
_CHECK = struct.Struct("<I")
HEADER_SIZE = _HEADER.size + _CHECK.size
READ_ONLY_FILE = 0o600 if sys.platform == "win32" else 0o400


class DamagedImageError(Exception):
    """A file of the image store is not what was written. The message says how."""


def image_address(image: StoredImage) -> str:
    """Address of an image: SHA-256, hex.

    The hashed bytes are the ASCII line `coxa-image-1 <rows> <cols> <offset>\\n`, then the values as little-endian
    uint16, row by row.

    Args:
        image: (H, W) uint16 pixels and their offset.
    """
    rows, cols = image.pixels.shape
    digest = hashlib.sha256(f"coxa-image-1 {rows} {cols} {image.offset}\n".encode("ascii"))
    digest.update(_little_endian(image).data)
    return digest.hexdigest()


def encode_image(image: StoredImage) -> tuple[Chunk, ...]:
    """The content of an image's file, in pieces.

    Raises:
        ValueError: not a (H, W) uint16 image, or empty.
    """
    pixels = _little_endian(image)
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(f"an image is (H, W), not {pixels.shape}")
    values = pixels.astype(np.uint8) if pixels.max() <= 255 else pixels
    header = _HEADER.pack(MAGIC, values.itemsize, *pixels.shape, image.offset)
    check = zlib.crc32(values.data, zlib.crc32(header))
    return header + _CHECK.pack(check), values.data


def decode_image(file: BinaryIO, size: int, *, is_checked: bool = True) -> StoredImage:
    """The image in an open file.

    Args:
        file: at its beginning.
        size: the file's size, bytes.
        is_checked: compare the CRC-32.

    Raises:
        DamagedImageError: not what was written.
    """
    start = file.read(HEADER_SIZE)
    if len(start) < HEADER_SIZE:
        raise DamagedImageError("the file is shorter than its header")
    magic, width, rows, cols, offset = _HEADER.unpack(start[: _HEADER.size])
    (check,) = _CHECK.unpack(start[_HEADER.size :])
    if magic != MAGIC or width not in VALUE_TYPES:
        raise DamagedImageError("the file does not begin as an image of this store")
    if size != HEADER_SIZE + width * rows * cols or not size > HEADER_SIZE:
        raise DamagedImageError("the file is longer or shorter than its image")
    values = np.empty((rows, cols), dtype=VALUE_TYPES[width])
    rest = values.data.cast("B")
    while rest and (count := file.readinto(rest)):  # type: ignore[attr-defined]
        rest = rest[count:]
    if rest:
        raise DamagedImageError("the file ends too early")
    if is_checked and zlib.crc32(values.data, zlib.crc32(start[: _HEADER.size])) != check:
        raise DamagedImageError("the file's bytes have changed")
    pixels: npt.NDArray[np.uint16] = values.astype(np.uint16, copy=False)
    pixels.flags.writeable = False
    return StoredImage(pixels=pixels, offset=offset)


class ImageStore:
    """Content-addressed images of one project. Safe to use from several threads.

    Args:
        root: the `images` folder.
        fs: the file system, replaced in power-cut tests.
    """

    def __init__(self, root: Path, *, fs: FileSystem = DISK) -> None:
        self._root = root
        self._fs = fs
        self._verified: dict[str, tuple[int, int, int]] = {}
        self._guard = threading.Lock()

    def path(self, sha256: str) -> Path:
        """Where the image with this address is, or would be.

        Raises:
            ValueError: not an address.
        """
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError("an image address is 64 lower-case hexadecimal digits")
        return self._root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether a file with this address is there (its content is verified by `load`)."""
        return self.path(sha256).is_file()

    def put(self, image: StoredImage) -> str:
        """Store an image durably and return its address. An image that is there and intact is left alone.

        Args:
            image: (H, W) uint16 pixels and their offset.

        Raises:
            UserError: `disk-full` or `unwritable-folder`; nothing is left under the final name.
        """
        address = image_address(image)
        if self.has(address):
            try:
                self.verify(address)
                return address
            except DamagedImageError:
                pass  # write it again: this is how a damaged image is repaired
        try:
            self._root.parent.stat()  # never made anew: a project that was moved must be able to come back
            atomic_write(self.path(address), encode_image(image), mode=READ_ONLY_FILE, fs=self._fs)
        except OSError as error:
            raise UserError(
                "The image could not be stored.",
                reason=f"The system says: {(error.strerror or type(error).__name__).lower()}.",
                remedy="Free some space on the disk or check the folder's rights, then import it again.",
                kind="disk-full" if error.errno in (28, 27, 122) else "unwritable-folder",
            ) from error
        return address

    def load(self, sha256: str) -> StoredImage:
        """The image with this address, read-only, verified.

        The first time in a process its SHA-256 is computed; while the file stays the same one, later loads compare its
        CRC-32 instead, so that painting never waits twice. The file is read, not memory-mapped: a disk that fails
        later is an error that can be told, not the end of the process.

        Raises:
            UserError: `image-missing` or `image-damaged`.
        """
        try:
            return self._read(sha256, is_forced=False)
        except FileNotFoundError:
            raise UserError(
                "An image is missing from the project.",
                reason="Its file is not in the image store.",
                remedy="Import the original file again; it will find its place by itself.",
                kind="image-missing",
            ) from None
        except (DamagedImageError, OSError) as error:
            raise UserError(
                "An image of the project is damaged.",
                reason=f"{str(error) if isinstance(error, DamagedImageError) else 'It cannot be read'}.".capitalize(),
                remedy="Import the original file again to repair it, or put the image back from a copy of the folder.",
                kind="image-damaged",
            ) from error

    def verify(self, sha256: str) -> None:
        """Read the file from the disk and compare its whole content with its address.

        Raises:
            FileNotFoundError: no such image.
            DamagedImageError: not what was written.
        """
        self._read(sha256, is_forced=True)

    def addresses(self) -> Iterator[str]:
        """Addresses of every file in the store, in order."""
        for folder in sorted(self._root.iterdir()) if self._root.is_dir() else ():
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                if len(file.name) == 64 and file.name[:2] == folder.name:
                    yield file.name

    def remove_leftovers(self) -> int:
        """Remove unfinished files of an interrupted import; only for the one writer. Returns how many."""
        count = 0
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            for file in folder.iterdir() if folder.is_dir() else ():
                if is_temporary(file):
                    file.unlink(missing_ok=True)
                    count += 1
        return count

    def _read(self, sha256: str, *, is_forced: bool) -> StoredImage:
        with self.path(sha256).open("rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            state = (status.st_ino, status.st_mtime_ns, status.st_size)
            with self._guard:
                is_known = self._verified.get(sha256) == state
            image = decode_image(file, status.st_size, is_checked=is_forced or is_known)
        if is_forced or not is_known:
            if image_address(image) != sha256:
                raise DamagedImageError("the file holds another image than its name says")
            with self._guard:
                self._verified[sha256] = state
        return image


def _little_endian(image: StoredImage) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    if image.pixels.dtype != np.uint16:
        raise ValueError(f"stored values are uint16, not {image.pixels.dtype}")
    return np.ascontiguousarray(image.pixels, dtype="<u2")
