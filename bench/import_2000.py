"""Import of 2,000 generated files: files a second and peak memory, against reading and saving them with pydicom.

The named baseline runs in the same process, on the same files: `pydicom.dcmread(path).pixel_array` and `np.save`, one
file after the other, nothing checked, nothing de-identified, nothing flushed to the disk. A second baseline copies the
files and flushes each to the disk, which is the least that "durably stored" can cost.

Usage: python bench/import_2000.py [--files 2000]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.store.import_report import Outcome
from app.store.importer import import_sources
from app.store.project import ProjectStore
from app.store.reading.sources import find_sources
from tests.support.dicom_files import picture, write_dicom


class MemoryWatch:
    """Peak resident memory of this process and of its children, sampled."""

    def __init__(self) -> None:
        self.parent_mb = self.children_mb = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._is_over.wait(0.1):
            self.parent_mb = max(self.parent_mb, me.memory_info().rss / 1e6)
            for child in me.children(recursive=True):
                try:
                    self.children_mb = max(self.children_mb, child.memory_info().rss / 1e6)
                except psutil.Error:
                    continue


def make_files(folder: Path, *, count: int, rows: int, cols: int) -> int:
    """Pairs of patients; returns the bytes written."""
    base = picture(1, rows=rows, cols=cols)
    for number in range(count):
        pixels = np.roll(base, 7 * number, axis=1).copy()
        pixels[0, :8] = np.frombuffer(number.to_bytes(8, "little"), np.uint8)
        study = number // 2
        view = {"ViewPosition": "AP"} if number % 2 == 0 else {"ViewPosition": "LL", "AcquisitionTime": "102000"}
        write_dicom(
            folder / f"{study // 100:03d}" / f"{number:05d}.dcm", pixels, instance=number + 1, study=study + 1,
            patient=f"PID-{study}", ImageLaterality="L" if study % 2 else "R", **view,
        )  # fmt: skip
    return sum(path.stat().st_size for path in folder.rglob("*.dcm"))


def time_baseline(files: list[Path], folder: Path) -> float:
    """pydicom and np.save, one after the other."""
    import pydicom

    started = time.perf_counter()
    for number, path in enumerate(files):
        np.save(folder / f"{number}.npy", pydicom.dcmread(path).pixel_array)
    return time.perf_counter() - started


def time_copy(files: list[Path], folder: Path) -> float:
    """Copy and flush, one after the other."""
    started = time.perf_counter()
    for number, path in enumerate(files):
        target = folder / f"{number}.dcm"
        shutil.copyfile(path, target)
        descriptor = os.open(target, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return time.perf_counter() - started


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--cols", type=int, default=840)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coxa-bench-") as name:
        folder = Path(name)
        size = make_files(folder / "in", count=args.files, rows=args.rows, cols=args.cols)
        files = sorted((folder / "in").rglob("*.dcm"))
        print(f"{len(files)} files of {args.rows} × {args.cols} px, {size / 1e9:.2f} GB")
        (folder / "base").mkdir()
        baseline_s = time_baseline(files, folder / "base")
        shutil.rmtree(folder / "base")
        (folder / "copy").mkdir()
        copy_s = time_copy(files, folder / "copy")
        shutil.rmtree(folder / "copy")
        before_mb = psutil.Process().memory_info().rss / 1e6
        with ProjectStore.create(folder / "project") as project, MemoryWatch() as memory:
            started = time.perf_counter()
            report = import_sources(project, find_sources([folder / "in"]), author="bench")
            import_s = time.perf_counter() - started
            assert report.count(Outcome.IMPORTED) == len(files), report.items[:3]
            assert len(report.cases) == len(files) // 2
            started = time.perf_counter()
            again = import_sources(project, find_sources([folder / "in"]), author="bench")
            again_s = time.perf_counter() - started
            assert again.count(Outcome.DUPLICATE) == len(files)
        stored = sum(path.stat().st_size for path in (folder / "project" / "images").rglob("*") if path.is_file())
    rate = len(files) / import_s
    print(f"baseline pydicom + np.save    {len(files) / baseline_s:8.1f} files/s")
    print(f"baseline copy + fsync         {len(files) / copy_s:8.1f} files/s")
    print(f"import                        {rate:8.1f} files/s   {import_s / baseline_s:.2f} × the time of pydicom,"
          f" {import_s / copy_s:.2f} × of copying")  # fmt: skip
    print(f"import again (all duplicates) {len(files) / again_s:8.1f} files/s")
    print(f"peak memory: this process {memory.parent_mb:.0f} MB (before: {before_mb:.0f} MB), "
          f"largest reader {memory.children_mb:.0f} MB")  # fmt: skip
    print(f"images stored: {stored / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
