"""The pool survives everything that may happen to a worker, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.core.errors import UserError
from app.core.messages import ReadImage
from app.store.reading import process as process_module
from app.store.reading import syntaxes
from app.store.reading.limits import HAS_ADDRESS_LIMIT
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source, find_sources
from tests.support import foreign_files as make
from tests.support import hostile_files as hostile


def write(folder: Path, name: str, data: bytes) -> Source:
    path = folder / name
    path.write_bytes(data)
    return Source(path=path, label=name)


@pytest.fixture
def slow_file(tmp_path: Path) -> Source:
    """An image that takes a second or more to decode."""
    noise = np.random.default_rng(0).integers(0, 4096, (3000, 3000)).astype(np.uint16)
    return write(tmp_path, "slow.dcm", make.dicom_bytes(noise, syntaxes.JPEG_2000_LOSSLESS))


def test_many_files_come_back_in_order(pool: ReaderPool, tmp_path: Path) -> None:
    pixels = [make.radiograph(30 + index, 40, seed=index) for index in range(25)]
    for index, image in enumerate(pixels):
        data = b"not an image" if index % 5 == 4 else make.dicom_bytes(image, PatientID=f"P{index}")
        write(tmp_path, f"{index:02d}.dcm", data)
    answers = list(pool.read_many(find_sources([tmp_path])))
    assert [source.label for source, _ in answers] == [f"{index:02d}.dcm" for index in range(25)]
    for index, (_, answer) in enumerate(answers):
        if index % 5 == 4:
            assert isinstance(answer, UserError)
            assert answer.kind == "not-an-image"
        else:
            assert isinstance(answer, ReadImage)
            assert answer.facts.patient_id == f"P{index}"
            np.testing.assert_array_equal(pool.pixels(answer).pixels, pixels[index])


def test_pixels_are_fetched_once(pool: ReaderPool, tmp_path: Path) -> None:
    image = pool.read(write(tmp_path, "a.dcm", make.dicom_bytes()))
    pool.pixels(image)
    with pytest.raises(UserError) as caught:
        pool.pixels(image)
    assert caught.value.kind == "missing"


def test_nothing_is_left_in_the_scratch_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for index in range(12):
        write(folder, f"{index}.dcm", make.dicom_bytes())
    scratch = tmp_path / "scratch"
    with ReaderPool(scratch=scratch, workers=2) as pool:
        answers = pool.read_many(find_sources([folder]))
        first = next(answers)[1]
        assert isinstance(first, ReadImage)
        pool.discard(first)
        answers.close()  # type: ignore[attr-defined]  # the caller loses interest
        assert list(scratch.glob("*/*.npy")) == []
        pool.read(Source(path=folder / "0.dcm"))  # never fetched
    assert list(scratch.iterdir()) == []


def test_the_working_directory_is_never_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('imported from the working directory')")
    (tmp_path / "pydicom").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    source = write(tmp_path, "a.dcm", make.dicom_bytes())
    with ReaderPool(scratch=tmp_path / "scratch", workers=1) as pool:
        assert pool.read(source).rows == 80


def test_a_file_that_takes_too_long_is_stopped(tmp_path: Path, slow_file: Source) -> None:
    sound = write(tmp_path, "sound.dcm", make.dicom_bytes())
    with ReaderPool(scratch=tmp_path / "scratch", workers=1, timeout_s=0.3) as pool:
        pool.read(sound)
        start = time.monotonic()
        with pytest.raises(UserError) as caught:
            pool.read(slow_file)
        assert caught.value.kind == "timeout"
        assert time.monotonic() - start < 5
        assert pool.read(sound).rows == 80  # by a new worker
        assert pool.processes()[0].starts == 2


def test_a_worker_that_dies_costs_one_sentence(tmp_path: Path, slow_file: Source) -> None:
    with ReaderPool(scratch=tmp_path / "scratch", workers=1, timeout_s=60) as pool:
        pool.read_header(slow_file)
        threading.Timer(0.2, pool.processes()[0].kill).start()
        with pytest.raises(UserError) as caught:
            pool.read(slow_file)
        assert caught.value.kind == "crashed"
        assert pool.read_header(slow_file).rows == 3000


@pytest.mark.skipif(not HAS_ADDRESS_LIMIT, reason="only Linux limits address space")
def test_memory_is_bounded(tmp_path: Path) -> None:
    side = 14_000
    source = write(tmp_path, "large.dcm", hostile._rle_bomb(side))
    with ReaderPool(scratch=tmp_path / "scratch", workers=1, memory_bytes=1200 << 20) as pool:
        with pytest.raises(UserError) as caught:
            pool.read(source)
        assert caught.value.kind in ("memory", "crashed", "undecodable")
        assert pool.read(write(tmp_path, "sound.dcm", make.dicom_bytes())).rows == 80


def test_memory_is_watched_where_the_system_does_not_limit_it(
    tmp_path: Path, slow_file: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "HAS_ADDRESS_LIMIT", False)
    with ReaderPool(scratch=tmp_path / "scratch", workers=1, memory_bytes=4 << 30) as pool:
        pool.read_header(slow_file)
        worker = pool.processes()[0]
        monkeypatch.setattr(worker, "_memory_bytes", 1 << 20)
        with pytest.raises(UserError) as caught:
            pool.read(slow_file)
        assert caught.value.kind == "memory"


@pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals")
def test_workers_end_when_the_parent_is_killed(tmp_path: Path, slow_file: Source) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from app.store.reading.pool import ReaderPool\nfrom app.store.reading.sources import Source\n"
        "pool = ReaderPool(scratch=Path(sys.argv[1]), workers=2, timeout_s=60)\n"
        "source = Source(path=Path(sys.argv[2]))\n"
        "pool.read_header(source)\n"
        "print('ready', flush=True)\n"
        "pool.read(source)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "scratch"), str(slow_file.path)], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert workers
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert [worker for worker in alive if worker.status() != psutil.STATUS_ZOMBIE] == []


def test_libraries_that_print_do_not_disturb_the_protocol(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom app.store.reading import worker\n"
        "real = worker.serve\n"
        "def noisy(*a):\n    print('hello from a library', flush=True); os.write(1, b'more\\n'); real(*a)\n"
        "worker.serve = noisy\nsys.exit(worker.main([str(2 << 30), '10']))\n"
    )
    path = tmp_path / "a.dcm"
    path.write_bytes(make.dicom_bytes())
    request = b'{"type":"ReadRequest","job":7,"path":"%s","is_header_only":true}\n' % str(path).encode()
    done = subprocess.run([sys.executable, "-c", program], input=request, capture_output=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert b'"job":7' in lines[1]
    assert b"hello from a library" in done.stderr


def test_no_library_text_reaches_the_sentence(pool: ReaderPool, tmp_path: Path) -> None:
    data = bytearray(make.dicom_bytes(PatientName="Canary^Bird", syntax=syntaxes.JPEG_LS_LOSSLESS))
    data[-400:-200] = bytes(200)
    _, answer = next(iter(pool.read_many([write(tmp_path, "Canary_Bird.dcm", bytes(data))])))
    assert "anary" not in str(answer if isinstance(answer, UserError) else answer.notices)


def test_reading_after_closing_is_a_bug(tmp_path: Path) -> None:
    source = write(tmp_path, "a.dcm", make.dicom_bytes())
    pool = ReaderPool(scratch=tmp_path / "scratch", workers=1)
    pool.close()
    pool.close()
    with pytest.raises(RuntimeError):
        pool.read(source)
