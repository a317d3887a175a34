"""An export of 2,000 cases against copying the same images file by file, and whether its memory grows.

    python -m bench.export_throughput FOLDER [CASES] [PX]

FOLDER keeps the project between runs. Its cases are invented; their views share 24 synthetic images of PX × PX px, so
that it is made quickly, but every view is decoded, verified, encoded and written on its own. Every row is a process of
its own. The baseline copies the file of every view from the image store (shutil.copyfile), without and with waiting
for the disk; the export always waits (fsync of every file) and writes SHA-256 sums.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

from app.core.export import Content, ExportFormat, ExportRequest
from app.core.grey import StoredImage
from app.store.exchange.plan import plan_export
from app.store.exchange.write import write_export
from app.store.project import ProjectStore
from bench.image_store import synthetic
from tests.support.many_cases import GREY, Picture, make_many_cases

SHARED_IMAGES = 24
REQUEST = ExportRequest(
    contents=frozenset({Content.IMAGES, Content.LABELS, Content.MEASUREMENTS, Content.ALIGNMENTS}),
    formats=frozenset({ExportFormat.TABLES, ExportFormat.PNG}),
    has_excluded=True,  # no split: patients who share an image stay together, and here all do
)
KINDS = {
    "copy": "copy, not waiting for the disk",
    "copy-sync": "copy, waiting for the disk",
    "png": "export: tables, PNG 16 bit",
    "folder": "export: ImageFolder, 8 bit",
}


def rss_mb() -> float:
    """Largest resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make(folder: Path, cases: int, px: int) -> Path:
    """The project, made at the first call."""
    path = folder / f"cases-{cases}-{px}"
    if not path.exists():
        pixels = [cv2.resize(synthetic(seed, noise=0.3), (px, px)) for seed in range(SHARED_IMAGES)]
        pictures = [
            Picture(image=StoredImage(pixels=image), grey=GREY, is_frontal=number % 2 == 0)
            for number, image in enumerate(pixels)
        ]
        make_many_cases(path, cases, pictures=pictures)
    return path


def measure(kind: str, path: Path, out: Path, cases: int) -> dict[str, Any]:
    """One row, in this process."""
    with ProjectStore.open(path, is_read_only=True) as project:
        request = replace(REQUEST, case_ids=tuple(case.id for case in project.cases.all()[:cases]))
        if kind == "folder":
            request = replace(request, formats=frozenset({ExportFormat.IMAGE_FOLDER}))
        began = time.monotonic()
        plan = plan_export(project, request)
        planned = time.monotonic() - began
        before, cpu = rss_mb(), time.process_time()
        raw = sum(project.images.path(view.image_sha256).stat().st_size for view in plan.pictures)
        began = time.monotonic()
        if kind.startswith("copy"):
            out.mkdir()
            for view in plan.pictures:
                shutil.copyfile(project.images.path(view.image_sha256), out / view.id)
                if kind == "copy-sync":
                    with (out / view.id).open("rb") as file:
                        os.fsync(file.fileno())
            files, written = len(plan.pictures), raw
        else:
            report = write_export(project, plan, out)
            files, written = report.files, report.written_bytes
        seconds = time.monotonic() - began
    return {
        "seconds": seconds,
        "cpu": time.process_time() - cpu,
        "planned": planned,
        "files": files,
        "raw_mb": raw / 1e6,
        "written_mb": written / 1e6,
        "before_mb": before,
        "peak_mb": rss_mb(),
    }


def main() -> None:
    """The command line."""
    if sys.argv[1] == "--row":
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))))
        return
    folder, numbers = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]
    cases, px = (*numbers, *(2000, 1024)[len(numbers) :])
    folder.mkdir(parents=True, exist_ok=True)
    path, out = make(folder, cases, px), folder / "out"
    print(
        f"{cases} cases, {SHARED_IMAGES} images of {px} × {px} px; load {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs"
    )
    print(
        f"{'what':<34}{'cases':>6}{'files':>7}{'raw MB':>9}{'written':>9}{'s':>8}{'CPU s':>8}{'raw MB/s':>10}"
        f"{'÷ copy':>8}{'peak MB':>9}"
    )
    copied = 0.0
    for kind, count in (("copy", cases), ("copy-sync", cases), ("png", cases // 10), ("png", cases), ("folder", cases)):
        shutil.rmtree(out, ignore_errors=True)
        words = [sys.executable, "-m", "bench.export_throughput", "--row", kind, str(path), str(out), str(count)]
        row = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        speed = row["raw_mb"] / row["seconds"]
        copied = copied or (speed if kind == "copy" else 0.0)
        print(
            f"{KINDS[kind]:<34}{count:>6}{row['files']:>7}{row['raw_mb']:>9.0f}{row['written_mb']:>9.0f}"
            f"{row['seconds']:>8.1f}{row['cpu']:>8.1f}{speed:>10.0f}{speed / copied:>8.2f}{row['peak_mb']:>9.0f}"
        )
    shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
