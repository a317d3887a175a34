"""The rules of the house: which room may import what, how long a file may be, what a command loads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
MAX_LINES = 450
QT = ("PySide6", "pyqtgraph", "shiboken6")
TORCH = ("torch", "torchvision", "timm", "pytorch_grad_cam")


def start(script: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a fresh process, in the repository, drawing into memory."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"} | variables
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment, timeout=120)


def modules_after(*words: str) -> set[str]:
    """The top-level packages in memory after one `coxa` command."""
    script = (
        "import json, sys; from app.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        "print('\\n' + json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    done = start(script, *words)
    assert done.returncode == 0, done.stderr
    code, names = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout + done.stderr
    return set(names)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small 16-bit PNG file that can be read as a radiograph."""
    path = tmp_path_factory.mktemp("picture") / "hip.png"
    ramp = np.add.outer(np.arange(240), np.arange(200)).astype(np.uint16) * 100
    cv2.imwrite(str(path), ramp)
    return path


def test_the_import_contracts_hold() -> None:
    script = "import sys; from importlinter import cli; sys.exit(cli.lint_imports(config_filename='pyproject.toml'))"
    done = start(script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_a_broken_contract_would_be_seen(tmp_path: Path) -> None:
    """The contracts are not vacuous: an import of Qt in the core breaks one."""
    package = tmp_path / "app"
    for room in ("core", "store", "engine", "ui", "cli"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("")
    (package / "core" / "wrong.py").write_text("import PySide6\n")
    (tmp_path / "pyproject.toml").write_text((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    script = (
        "import os, sys; os.chdir(sys.argv[1]); sys.path.insert(0, sys.argv[1]); from importlinter import cli; "
        "sys.exit(cli.lint_imports(config_filename='pyproject.toml', cache_dir=None, no_cache=True))"
    )
    done = start(script, str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "app.core.wrong -> PySide6" in done.stdout


def test_no_file_is_too_long_to_read() -> None:
    folders = ("app", "tests", "bench", "packaging")
    files = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]
    assert len(files) > 50
    long = {str(p.relative_to(REPOSITORY)): n for p in files if (n := len(p.read_bytes().splitlines())) > MAX_LINES}
    assert long == {}


def test_committed_text_names_no_machine() -> None:
    """Committed text names no folder of the machine that it was written on."""
    git = shutil.which("git")
    if git is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout, or no git")
    done = subprocess.run([git, "ls-files", "-z"], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    words = ["/" + "work/", "/" + "tmp/w/", "/" + "root/"]
    texts = (".py", ".md", ".toml", ".txt", ".yaml", ".svg", ".json")
    found = []
    for name in filter(None, done.stdout.split("\0")):
        path = REPOSITORY / name
        if path.suffix in texts and path.is_file():
            text = path.read_text(encoding="utf-8")
            found += [f"{name}: {word}" for word in words if word in text]
    assert found == []


def test_check_loads_neither_qt_nor_torch() -> None:
    assert not modules_after("check") & {*QT, *TORCH}


def test_render_loads_neither_qt_nor_torch(picture: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    assert not modules_after("render", str(picture), "-o", str(output)) & {*QT, *TORCH}
    assert output.is_file()


def test_import_and_cases_load_neither_qt_nor_torch(picture: Path, tmp_path: Path) -> None:
    project = str(tmp_path / "project")
    assert not modules_after("import", str(picture), "--project", project) & {*QT, *TORCH}
    assert not modules_after("cases", "--project", project) & {*QT, *TORCH}


def test_the_process_of_the_window_never_loads_torch() -> None:
    """Every module of the window, whatever it imports, leaves torch alone, even where torch is installed."""
    script = (
        "import importlib, json, pkgutil, sys, app.ui, app.cli.gui\n"
        "names = [m.name for m in pkgutil.walk_packages(app.ui.__path__, 'app.ui.')]\n"
        "for name in names: importlib.import_module(name)\n"
        "print(json.dumps([len(names), sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    done = start(script)
    assert done.returncode == 0, done.stderr
    count, loaded = json.loads(done.stdout.splitlines()[-1])
    assert count > 5
    assert "PySide6" in loaded
    assert not set(loaded) & set(TORCH)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="True and None are immortal from Python 3.12 on")
def test_qt_keeps_its_hands_off_true_and_none() -> None:
    """PySide6 6.12.0 drops one reference to True an emit and one to None a call, until Python 3.11 aborts."""
    script = (
        "import sys\n"
        "from PySide6.QtCore import QObject, Signal\n"
        "from PySide6.QtWidgets import QApplication, QWidget\n"
        "class Source(QObject):\n"
        "    happened = Signal()\n"
        "app = QApplication([]); source = Source(); widget = QWidget()\n"
        "before = sys.getrefcount(True), sys.getrefcount(None)\n"
        "for _ in range(2000):\n"
        "    source.happened.emit(); widget.setVisible(False)\n"
        "print(sys.getrefcount(True) - before[0], sys.getrefcount(None) - before[1])"
    )
    done = start(script)
    assert done.returncode == 0, done.stderr
    drift_true, drift_none = map(int, done.stdout.split())
    assert abs(drift_true) < 50
    assert abs(drift_none) < 50


def test_images_are_read_beside_folders_named_like_packages(picture: Path, tmp_path: Path) -> None:
    """The reader processes, too, never import from the current folder."""
    for name in ("dl", "cv2", "numpy", "pydicom", "msgspec", "imagecodecs", "SimpleITK"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a folder beside the images was imported')\n")
    script = Path(sys.executable).with_name("coxa.exe" if os.name == "nt" else "coxa")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "app"]
    environment = os.environ | {"PYTHONPATH": os.pathsep + str(REPOSITORY)}  # the empty entry is the current folder
    output = tmp_path / "out.png"
    words = ["render", str(picture), "-o", str(output)]
    done = subprocess.run(
        [*command, *words], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(output), cv2.IMREAD_UNCHANGED).shape == (240, 200)
