"""A screen that nobody sees: Xvfb with a window manager, for one process."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NEEDED = ("Xvfb", "openbox")
LIBRARIES = Path(__file__).resolve().parents[2] / "packaging" / "system_libraries.py"


def what_is_missing(*programs: str) -> str:
    """Why nothing can be shown on a screen here; empty if it can.

    Args:
        programs: needed besides.
    """
    missing = [name for name in (*NEEDED, *programs) if shutil.which(name) is None] or _libraries()
    return f"{' and '.join(missing)} not installed" if missing else ""


def _libraries() -> list[str]:
    """What Qt lacks for a window on X."""
    spec = importlib.util.spec_from_file_location("system_libraries", LIBRARIES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.missing(with_screen=True))


@contextmanager
def screen(size: str = "1600x1000x24") -> Iterator[dict[str, str]]:
    """Yields the environment of a process that shall use the screen.

    Args:
        size: width, height and depth.
    """
    read_end, write_end = os.pipe()
    with tempfile.TemporaryDirectory() as runtime:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", size, "-nolisten", "tcp"],
            pass_fds=(write_end,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write_end)
        manager: subprocess.Popen[bytes] | None = None
        try:
            with os.fdopen(read_end) as pipe:
                number = pipe.readline().strip()
            if not number:
                raise RuntimeError("Xvfb did not start")
            environment = {
                **os.environ,
                "DISPLAY": f":{number}",
                "QT_QPA_PLATFORM": "xcb",
                "XDG_RUNTIME_DIR": runtime,
            }
            manager = subprocess.Popen(["openbox"], env=environment, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)  # fmt: skip
            time.sleep(0.5)
            yield environment
        finally:
            for process in (manager, server):
                if process is not None:
                    process.terminate()
                    process.wait(10)


def run(command: Sequence[str], folder: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run a command on a screen of its own."""
    with screen() as environment:
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8",
                              timeout=timeout_s, check=False)  # fmt: skip
