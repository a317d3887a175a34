"""What the tests of the set-up program share: the program itself, and a repository with nothing installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.fake_machine import FakeMachine

FOLDER = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The set-up program as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("bootstrap", FOLDER / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with lock files and nothing installed."""
    locks = tmp_path / "packaging" / "locks"
    locks.mkdir(parents=True)
    for name in ("runtime", "dev", "engine"):
        (locks / f"{name}.txt").write_text(f"{name}==1.0 \\\n    --hash=sha256:00\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


@pytest.fixture
def make(bootstrap: ModuleType, root: Path) -> Callable[..., tuple[object, FakeMachine]]:
    """Makes an environment of `root` on a fake machine."""

    def build(free: float | None = None, **options: object) -> tuple[object, FakeMachine]:
        machine = FakeMachine(root, **options)  # type: ignore[arg-type]
        return bootstrap.env.Environment(root, machine.run, machine.run_counted, lambda folder: free), machine

    return build
