"""The image store: stored pixel values, addressed by what they are.

`images/ab/<sha256>` holds one image, losslessly, and is never changed. The address is a hash of the pixel values, the
shape and the offset, and of nothing else: it does not depend on the compression or on any library's version. See
ADR 0030 for the choice of the format.

A file is `COXAIMG1`, five little-endian numbers (rows, cols uint32; offset int32; payload length uint64; CRC-32 of
everything else, uint32), then the payload: the values as little-endian uint16, row by row, in one Blosc2 frame.

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
from typing import Any

import imagecodecs
import numpy as np

from app.core.errors import UserError
from app.core.grey import StoredImage
from app.store.fs import DISK, FileSystem, atomic_write, is_temporary

MAGIC = b"COXAIMG1"
_HEADER = struct.Struct("<8sIIiQ")
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


def encode_image(image: StoredImage) -> bytes:
    """The content of an image's file; read back and compared before it is handed out.

    Raises:
        ValueError: not a (H, W) uint16 image, or empty.
    """
    pixels = _little_endian(image)
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(f"an image is (H, W), not {pixels.shape}")
    payload = bytes(
        imagecodecs.blosc2_encode(
            pixels.tobytes(), level=5, compressor="lz4", shuffle="bitshuffle", typesize=2, numthreads=1
        )
    )
    rows, cols = pixels.shape
    header = _HEADER.pack(MAGIC, rows, cols, image.offset, len(payload))
    content = b"".join((header, _CHECK.pack(zlib.crc32(payload, zlib.crc32(header))), payload))
    if not np.array_equal(decode_image(content).pixels, pixels):
        raise RuntimeError("the image codec does not give back what it was given")
    return content


def decode_image(content: bytes | memoryview) -> StoredImage:
    """The image in a file's content. Damaged bytes never reach the decompressor: their CRC-32 is checked first.

    Raises:
        DamagedImageError: not what was written.
    """
    view = memoryview(content)
    if len(view) < HEADER_SIZE:
        raise DamagedImageError("the file is shorter than its header")
    magic, rows, cols, offset, length = _HEADER.unpack(view[: _HEADER.size])
    (check,) = _CHECK.unpack(view[_HEADER.size : HEADER_SIZE])
    payload = view[HEADER_SIZE:]
    if magic != MAGIC:
        raise DamagedImageError("the file does not begin as an image of this store")
    if len(payload) != length:
        raise DamagedImageError(f"the file holds {len(payload)} of {length} bytes")
    if zlib.crc32(payload, zlib.crc32(view[: _HEADER.size])) != check:
        raise DamagedImageError("the file's bytes have changed")
    pixels = np.empty((rows, cols), dtype="<u2")
    try:
        out: Any = pixels.data.cast("B")  # the codec's stubs do not know that any buffer will do
        source: Any = payload
        imagecodecs.blosc2_decode(source, numthreads=1, out=out)
    except Exception as error:  # the codec raises its own types; with a right CRC this is a foreign file
        raise DamagedImageError("the file cannot be decompressed") from error
    pixels = pixels.astype(np.uint16, copy=False)
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
            atomic_write(self.path(address), [encode_image(image)], mode=READ_ONLY_FILE, fs=self._fs)
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

        The first time in a process its whole SHA-256 is computed; while the file stays the same one, later loads
        check its CRC-32 only.

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
            content = file.read()
        image = decode_image(content)
        state = (status.st_ino, status.st_mtime_ns, status.st_size)
        with self._guard:
            is_known = not is_forced and self._verified.get(sha256) == state
        if not is_known:
            if image_address(image) != sha256:
                raise DamagedImageError("the file holds another image than its name says")
            with self._guard:
                self._verified[sha256] = state
        return image


def _little_endian(image: StoredImage) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    if image.pixels.dtype != np.uint16:
        raise ValueError(f"stored values are uint16, not {image.pixels.dtype}")
    return np.ascontiguousarray(image.pixels, dtype="<u2")
