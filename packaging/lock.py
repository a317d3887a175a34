"""Make the lock files again: `python packaging/lock.py` (needs `uv`; add `--upgrade` to take newer versions).

Three files under `packaging/locks/`, each complete in itself, for Linux, macOS and Windows and every supported
Python, with the hash of every file that may be installed:

* `runtime.txt`: what Coxa needs, and its build backend (so that nothing is fetched while building);
* `dev.txt`: the same and the tools of the test command;
* `engine.txt`: the same as `runtime.txt` and torch.

One resolution covers all three, so a package never has two versions. Why: docs/adr/0003.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "packaging" / "locks"
INDEX = "https://pypi.org/simple"
LOWEST_PYTHON = "3.11"
# Hatchling asks for the first to make an editable install; grad-cam comes as source only and asks for the second.
BUILD_EXTRAS = ("editables", "setuptools")

HEADER = """\
# Exact versions and hashes. Made by `python packaging/lock.py`; do not edit.
"""


def find_uv() -> str:
    """The path of `uv`; ends the program with a sentence when there is none."""
    beside = Path(sys.executable).with_name("uv.exe" if sys.platform == "win32" else "uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        sys.exit("Making the lock files needs uv. Install it with: python -m pip install uv")
    return found


def compile_lock(uv: str, sources: list[Path], output: Path, *extra: str) -> None:
    """Resolve `sources` for every platform and write pinned requirements to `output`.

    Local package settings are ignored (`--no-config`, a named index), so that every machine gets the same file.
    """
    command = [
        uv, "pip", "compile", "--no-config", "--universal", "--python-version", LOWEST_PYTHON,
        "--fork-strategy", "fewest", "--default-index", INDEX, "--no-emit-index-url", "--no-header",
        "--no-annotate", "--quiet", "--output-file", str(output), *extra, *map(str, sources),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def read_pins(lock: Path) -> str:
    """The `name==version ; marker` lines of a lock file without their hashes."""
    lines = lock.read_text(encoding="utf-8").splitlines() if lock.is_file() else []
    return "\n".join(line.removesuffix(" \\") for line in lines if line[:1].isalnum()) + "\n"


def main() -> None:
    """Resolve everything once, then write each lock as a part of that resolution."""
    parser = argparse.ArgumentParser(description="Make the lock files again.")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions where the bounds allow them")
    args = parser.parse_args()
    uv = find_uv()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pyproject = ROOT / "pyproject.toml"
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        build, everything = scratch / "build.in", scratch / "everything.txt"
        build.write_text("\n".join((*project["build-system"]["requires"], *BUILD_EXTRAS)), encoding="utf-8")
        constraints = ["--constraints", str(LOCKS / "constraints.in")]
        if not args.upgrade:  # uv keeps what an existing output names
            everything.write_text("".join(read_pins(LOCKS / f"{n}.txt") for n in ("dev", "engine")), encoding="utf-8")
        compile_lock(uv, [pyproject, build], everything, "--all-extras", *constraints)
        fixed = ["--generate-hashes", "--constraints", str(everything)]
        for name, extra in (("runtime", []), ("dev", ["--extra", "dev"]), ("engine", ["--extra", "engine"])):
            output = scratch / f"{name}.txt"
            compile_lock(uv, [pyproject, build], output, *extra, *fixed)
            text = HEADER + output.read_text(encoding="utf-8")
            (LOCKS / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")
            print(f"packaging/locks/{name}.txt: {len(read_pins(output).splitlines())} packages")


if __name__ == "__main__":
    main()
