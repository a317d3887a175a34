"""The lock files: complete, exact, checked by hash, and in agreement with the project and each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "packaging"


def read_lock(name: str) -> dict[str, Requirement]:
    """The requirements of a lock file by their normalised name."""
    text = (FOLDER / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    pins = [Requirement(line.removesuffix(" \\")) for line in text.splitlines() if line[:1].isalpha()]
    return {re.sub(r"[-_.]+", "-", pin.name).lower(): pin for pin in pins}


@pytest.mark.parametrize(("name", "extra"), [("runtime", ""), ("dev", "dev"), ("engine", "engine")])
def test_the_lock_holds_what_the_project_asks_for(name: str, extra: str) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted += project["project"]["optional-dependencies"][extra] if extra else []
    lock = read_lock(name)
    for requirement in map(Requirement, wanted):
        pin = lock[re.sub(r"[-_.]+", "-", requirement.name).lower()]
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert requirement.specifier.contains(Version(exact.version)), f"{requirement} is locked to {exact.version}"


@pytest.mark.parametrize("name", ["runtime", "dev", "engine"])
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (FOLDER / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z])", text)[1:]
    assert len(blocks) == len(read_lock(name))
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "--index" not in text


def test_one_version_in_all_three_locks() -> None:
    runtime, dev, engine = (read_lock(name) for name in ("runtime", "dev", "engine"))
    for name, pin in runtime.items():
        assert str(dev[name].specifier) == str(engine[name].specifier) == str(pin.specifier)


def test_the_pairs_that_belong_together() -> None:
    engine, runtime = read_lock("engine"), read_lock("runtime")
    assert (str(engine["torch"].specifier), str(engine["torchvision"].specifier)) == ("==2.14.1", "==0.29.1")
    assert str(runtime["pyside6-essentials"].specifier) not in ("==6.12.0", "==6.11.0", "==6.11.1")
    assert "torch" not in runtime
