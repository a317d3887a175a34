"""The virtual environment in `.venv/`: what state it is in, and how it gets into the wanted one.

Standard library only, and no newer syntax than Python 3.6 (see bootstrap.py).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import disk

OLDEST, NEWEST_TESTED, TOO_NEW = (3, 11), (3, 13), (3, 15)
SETS = ("runtime", "dev", "engine")  # dev and engine each hold all of runtime
# Environment variables that would send packages or imports somewhere else.
UNWANTED = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT", "VIRTUAL_ENV")
PROBE = (
    "import importlib.util as u, sys; print('%d.%d' % sys.version_info[:2]); "
    "print(' '.join(n for n in sys.argv[1:] if u.find_spec(n) is None))"
)
PROBED_MODULES = ("pip", "PySide6", "cv2", "numpy", "pydicom", "imagecodecs", "sqlite_utils", "msgspec")


class SetupError(Exception):
    """Something that the person at the keyboard can do something about."""


def say(text: str) -> None:
    """Print one sentence of progress."""
    print(text, flush=True)


def clean_environment() -> "dict[str, str]":
    """The environment for everything that is started here."""
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return kept


def python_problem(version: "tuple[int, int]") -> str:
    """Why this version of Python cannot be used, in one sentence; empty when it can."""
    shown = "{}.{}".format(*version)
    if version < OLDEST:
        return "Coxa needs Python 3.11 or newer, and this is Python " + shown + "."
    if version >= TOO_NEW:
        return "Coxa's packages are not available for Python " + shown + " yet; it needs Python 3.11 to 3.14."
    return ""


def run_with_count(command: "list[str]", done: int, total: int, env: "dict[str, str]", cwd: str) -> int:
    """Run pip; on a terminal, count the packages on one line, on from `done`, instead of showing pip's own report."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, universal_newlines=True, env=env, cwd=cwd) as pip:
        for line in pip.stdout or ():
            if not sys.stdout.isatty():
                continue
            if line.startswith("Collecting "):
                done += 1
                print(f"\r  {done} of {total}: {line.split()[1].split('==')[0]}".ljust(60), end="", flush=True)
            elif line.startswith("Installing collected"):
                print("\r  unpacking …".ljust(60), flush=True)
    return pip.returncode


class Environment:
    """The virtual environment of one copy of the repository.

    Args:
        root: the repository.
        run: starts a program like `subprocess.run`; tests give their own.
        run_counted: starts pip like `run_with_count`; tests give their own.
        find_free: tells the free bytes like `disk.free_bytes`; tests give their own.
    """

    def __init__(self, root: Path, run=subprocess.run, run_counted=run_with_count, find_free=disk.free_bytes) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.stamp = self.folder / "coxa-setup.json"
        self._run = run
        self._run_counted = run_counted
        self._find_free = find_free

    def program(self, name: str) -> Path:
        """The path of a program in the environment."""
        windows = os.name == "nt"
        return self.folder / ("Scripts" if windows else "bin") / (name + ".exe" if windows else name)

    def wanted_hash(self, name: str) -> str:
        """Hash of everything that decides what the set `name` installs."""
        digest = hashlib.sha256()
        for path in (self.root / "packaging" / "locks" / (name + ".txt"), self.root / "pyproject.toml"):
            digest.update(path.read_bytes() + b"\0")
        return digest.hexdigest()

    def read_stamp(self) -> "dict[str, object] | None":
        """What the last set-up wrote down; None when there is nothing readable."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return stamp if isinstance(stamp, dict) and isinstance(stamp.get("sets"), dict) else None

    def write_stamp(self, sets: "dict[str, str]", is_finished: bool, version: str = "") -> None:
        """Write down what is installed, in one step."""
        stamp = {"folder": str(self.folder), "is_finished": is_finished, "python": version, "sets": sets}
        temporary = self.stamp.with_suffix(".tmp")
        temporary.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self.stamp)

    def probe(self) -> "tuple[str, list[str]] | None":
        """The environment's Python version and which of the probed modules are missing; None when it won't start."""
        command = [str(self.program("python")), "-I", "-c", PROBE, *PROBED_MODULES]
        try:
            answer = self._run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        except OSError:
            return None
        lines = answer.stdout.splitlines()
        return (lines[0], lines[1].split()) if answer.returncode == 0 and len(lines) == 2 else None

    def state(self) -> str:
        """`missing`, `foreign` (made by hand), `broken`, `unfinished`, `moved` or `good`."""
        if not self.folder.exists():
            return "missing"
        stamp, probed = self.read_stamp(), self.probe()
        if stamp is None:
            is_usable = probed is not None and not python_problem(tuple(map(int, probed[0].split("."))))
            return "foreign" if is_usable and not self.stamp.exists() else "broken"
        if not stamp.get("is_finished"):
            return "unfinished"
        if stamp.get("folder") != str(self.folder):
            return "moved"
        if probed is None or probed[1] or probed[0] != stamp.get("python") or not self.program("coxa").exists():
            return "broken"
        return "good"

    def lacking_sets(self, sets: "tuple[str, ...]") -> "list[str]":
        """Which of the sets are not installed as they are wanted now."""
        stamp = self.read_stamp()
        have = stamp["sets"] if stamp else {}
        current = [name for name in SETS if have.get(name) == self.wanted_hash(name)]
        return [name for name in sets if name not in current and not (name == "runtime" and current)]

    def clear_away(self, state: str) -> None:
        """Delete an environment that cannot be used. One that was not made here is put aside, never deleted."""
        if self.stamp.exists():
            say(f"The environment in .venv is {state}; making it anew.")
            shutil.rmtree(str(self.folder))
        elif self.folder.exists():
            aside = self.folder.with_name(f".venv.old-{time.time():.0f}")
            say(f"The .venv here cannot be used and was not made by this program; it is now {aside.name}.")
            self.folder.rename(aside)

    def make(self) -> None:
        """Make an environment with nothing in it."""
        say("Making the virtual environment .venv with Python {}.{}.".format(*sys.version_info))
        self.folder.mkdir()
        self.write_stamp({}, False)
        self._check([sys.executable, "-m", "venv", str(self.folder)], "Python could not make the environment .venv.")

    def install(self, sets: "tuple[str, ...]") -> bool:
        """Bring the environment to the wanted state; False when nothing was to be done.

        Raises:
            SetupError: the disk has too little room, or a step failed.
        """
        state = self.state()
        if state == "good" and not self.lacking_sets(sets):
            return False
        stamp = self.read_stamp()
        earlier = set(stamp["sets"]) if stamp else set()  # an engine that was asked for once stays
        if state not in ("good", "foreign"):
            self.clear_away(state)
        wanted = [name for name in SETS if name in earlier | set(sets) | {"runtime"}]
        there = {"foreign": set(SETS), "good": earlier}.get(state, set())
        keeps = self._check_room([name for name in wanted if name not in there])
        if not self.folder.exists():
            self.make()
        before = self._installed()
        self.write_stamp(dict.fromkeys(wanted, ""), False)
        try:
            for name in wanted:
                if not (name == "runtime" and "dev" in wanted):  # dev holds all of runtime
                    self._install_lock(name, keeps)
        except SetupError:
            if state == "good" and stamp and self._installed() == before:  # pip changed nothing, so neither do we
                self.write_stamp(stamp["sets"], True, stamp["python"])
            raise
        pip = [str(self.program("python")), "-m", "pip"]
        self._check(
            [*pip, "install", "--quiet", "--no-build-isolation", "--no-deps", "--editable", str(self.root)],
            "Coxa itself could not be installed into .venv.",
        )
        self._check([*pip, "check"], "The installed packages do not fit together.")
        probed = self.probe()
        if probed is None or probed[1] or not self.program("coxa").exists():
            raise SetupError("The installation ended, but .venv does not work. Delete the folder and start again.")
        self._compile()
        self.write_stamp({name: self.wanted_hash(name) for name in wanted}, True, probed[0])
        return True

    def _compile(self) -> None:
        """Write byte code now, so that the first start is as quick as later ones; what cannot be compiled is left.

        Coxa itself is not installed by pip but used where it lies, and some sessions forbid Python to write byte code.
        """
        folders = [self.root / "app", *sorted(self.folder.glob("[Ll]ib"))]
        command = [str(self.program("python")), "-m", "compileall", "-q", "-j", "0", *map(str, folders)]
        self._run(command, env=clean_environment(), cwd=str(self.root), stdout=subprocess.DEVNULL,
                  stderr=subprocess.DEVNULL)  # fmt: skip

    def _installed(self) -> "list[str]":
        return sorted(path.name for path in self.folder.glob("[Ll]ib/**/*.dist-info"))

    def _check_room(self, sets: "list[str]") -> bool:
        """Refuse what does not fit; otherwise tell whether there is room to keep the downloads, too."""
        free = self._find_free(self.folder)
        problem = disk.room_problem(sets, self.folder, free)
        if problem:
            raise SetupError(problem)
        return disk.keeps_downloads(sets, free)

    def _install_lock(self, name: str, keeps_downloads: bool) -> None:
        text = (self.root / "packaging" / "locks" / (name + ".txt")).read_text(encoding="utf-8")
        total, done = disk.count(text), 0
        size = "several gigabytes" if name == "engine" else "about 300 MB"
        say(f"Installing the {name} packages (up to {total}; {size} the first time).")
        command = [str(self.program("python")), "-m", "pip", "install", "--no-deps", "--require-hashes",
                   "--no-build-isolation", "--only-binary", ":all:", "--progress-bar", "off"]  # fmt: skip
        if name == "engine":
            command += ["--no-binary", "grad-cam"]  # published as source only; pure Python
        if not keeps_downloads:
            command.append("--no-cache-dir")
        folder = self.folder / "coxa-fetched"
        with disk.fetching_into(folder, clean_environment()) as variables:
            for part in disk.split_lock(text):
                lock = folder / (name + ".txt")
                lock.write_text(part, encoding="utf-8")
                words = [*command, "--requirement", str(lock)]
                if self._run_counted(words, done, total, variables, str(self.root)) != 0:
                    raise SetupError(
                        "The packages could not be installed. The lines above say why; you can start again."
                    )
                done += disk.count(part)

    def _check(self, command: "list[str]", sentence: str) -> None:
        if self._run(command, env=clean_environment(), cwd=str(self.root), stdout=subprocess.DEVNULL).returncode != 0:
            raise SetupError(sentence + " The lines above say why; you can start again.")
