"""Decode one radiograph in six transfer syntaxes: Coxa against pydicom's `pixel_array` with its default plugins.

    python -m bench.decode [--rounds 7]

2688 × 2688 px, 12 bits in 16, synthetic; encoded here and checked to come back bit-identical from both. Coxa and
pydicom take turns, each from the file on disk to stored values in memory, in one process; medians. The copy of the
image in memory (memcpy) is measured in the same rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom

from app.store.reading import syntaxes
from app.store.reading.files import FileOpener, read_buffer
from tests.support.foreign_files import dicom_bytes, radiograph

SIDE_PX = 2688
SYNTAXES = {
    "uncompressed": syntaxes.EXPLICIT_LITTLE,
    "RLE": syntaxes.RLE,
    "JPEG lossless SV1": syntaxes.JPEG_LOSSLESS_SV1,
    "JPEG-LS": syntaxes.JPEG_LS_LOSSLESS,
    "JPEG 2000": syntaxes.JPEG_2000_LOSSLESS,
    "HTJ2K": syntaxes.HTJ2K_LOSSLESS,
}


def main() -> int:
    """Print milliseconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    pixels = radiograph(SIDE_PX, SIDE_PX)
    target = np.empty_like(pixels)
    print("| syntax | size | Coxa ms | pydicom ms | pydicom ÷ Coxa | Coxa ÷ memcpy |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "image.dcm"
        for name, syntax in SYNTAXES.items():
            path.write_bytes(dicom_bytes(pixels, syntax))
            if not (np.array_equal(ours(path), pixels) and np.array_equal(theirs(path), pixels)):
                raise AssertionError(f"{name} does not come back as it was")
            times: dict[str, list[float]] = {"ours": [], "theirs": [], "copy": []}
            for _ in range(rounds):
                times["copy"].append(clock(lambda: np.copyto(target, pixels)))
                times["ours"].append(clock(lambda: ours(path)))
                times["theirs"].append(clock(lambda: theirs(path)))
            median = {key: statistics.median(values) for key, values in times.items()}
            ratio = pixels.nbytes / path.stat().st_size
            print(
                f"| {name} | {ratio:.2f}:1 | {median['ours'] * 1000:.1f} | {median['theirs'] * 1000:.1f} "
                f"| {median['theirs'] / median['ours']:.1f}× | {median['ours'] / median['copy']:.1f}× |"
            )
    return 0


def ours(path: Path) -> np.ndarray:
    """Everything that a worker does with a file, but for the hash and the way back to the parent."""
    buffer = FileOpener().open(path, "")
    reading = read_buffer(buffer, whitelist=frozenset(), frame=None, is_header_only=False, scratch=path.parent)
    if reading.image is None:
        raise AssertionError("no image")
    return reading.image.pixels


def theirs(path: Path) -> np.ndarray:
    """The baseline."""
    return pydicom.dcmread(path).pixel_array


def clock(work: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
