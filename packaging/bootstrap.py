"""Set Coxa up and start it, or test it. Needs nothing but Python: no compiler, no make, no package by hand.

    python3 packaging/bootstrap.py run     install, then open Coxa on its demo project
    python3 packaging/bootstrap.py test    install, then lint and run the tests
    python3 packaging/bootstrap.py setup   only install

Everything goes into `.venv/` in the repository. The exact versions come from `packaging/locks/`; what is installed
is written down last, in `.venv/coxa-setup.json`, so that the next start knows that nothing is left to do, and an
interrupted one knows that something is. Why: docs/adr/0003.

This file must parse under Python 3.6: an old Python is refused with a sentence, not with a SyntaxError.
"""

import argparse
import contextlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # `python -P` leaves it out

import environment as env
import system_libraries
from environment import SetupError, clean_environment, python_problem, say

ROOT = Path(__file__).resolve().parents[1]
DONE, FAILED, REFUSED, CANCELLED = 0, 1, 3, 130
WORKER_BYTES = 4 << 30  # what a process that tests takes at most, with those that it starts
NEEDED_MODULES = ("ctypes", "lzma", "sqlite3", "ssl", "zlib")  # a self-built Python may lack one


def find_python(find=shutil.which, run=subprocess.run) -> "str | None":
    """A usable Python on PATH that really starts (a version manager's shim may not), newest tested first."""
    low, high = env.OLDEST[1], env.NEWEST_TESTED[1]
    for minor in [*range(high, low - 1, -1), *range(high + 1, env.TOO_NEW[1])]:
        found = find(f"python3.{minor}")
        if not found:
            continue
        command = [found, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        if answer.returncode == 0 and answer.stdout.strip() == f"3.{minor}":
            return found
    return None


def use_right_python(arguments: "list[str]", version: "tuple[int, int]" = sys.version_info[:2]) -> "int | None":
    """Start again with a usable Python where this one is not; None when this one is.

    Raises:
        SetupError: this Python cannot be used and no other one was found.
    """
    problem = python_problem(version)
    if not problem:
        return None
    other = find_python()
    if other is None:
        raise SetupError(
            problem + " Install one from your system's packages or from python.org, and start this command with it."
        )
    say(problem + " Going on with " + other + ".")
    return wait_for([other, str(Path(__file__).resolve()), *arguments])


def wait_for(command: "list[str]", variables: "dict[str, str] | None" = None) -> int:
    """The exit code of a program, however it ends.

    Ctrl+C in a terminal reaches this program and that one: it is left the time to store what is being typed and to
    close, where `subprocess.call` would kill it after a quarter of a second.
    """
    with subprocess.Popen(command, env=variables) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


class Apt:
    """Debian's package manager, used only as root."""

    def __init__(self, run=subprocess.run, is_root=None, manager=None) -> None:
        self._run = run
        self._is_updated = False
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0 if is_root is None else is_root
        self.manager = system_libraries.package_manager() if manager is None else manager
        self.may_install = is_root and self.manager == system_libraries.APT

    def _call(self, *command: str, errors: "int | None" = None) -> bool:
        environment = dict(clean_environment(), DEBIAN_FRONTEND="noninteractive")
        done = self._run(list(command), env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        return done.returncode == 0

    def update(self) -> None:
        """Fetch the lists of packages, once."""
        if not self._is_updated:
            self._call("apt-get", "update", "-qq")
            self._is_updated = True

    def knows(self, name: str) -> bool:
        """Whether the package lists hold a package of this name."""
        return self._call("apt-cache", "show", "--no-all-versions", name, errors=subprocess.DEVNULL)

    def install(self, names: "list[str]") -> bool:
        """Install packages; False when that failed."""
        return self._call("apt-get", "install", "-y", "-qq", "--no-install-recommends", *names)


def provide_libraries(with_screen: bool, apt: Apt, find_missing=system_libraries.missing) -> None:
    """Install the system libraries that Qt needs, or say which command does.

    Raises:
        SetupError: something is missing and may not be installed here.
    """
    lacking = find_missing(with_screen)
    if not lacking:
        return
    if apt.may_install:
        apt.update()
        names = system_libraries.packages(lacking, system_libraries.APT, apt.knows)
        say("Installing the system packages that Qt needs: " + " ".join(names))
        if apt.install(names):
            lacking = find_missing(with_screen)
            if not lacking:
                return
    raise SetupError(library_message(lacking, apt.manager))


def provide_test_screen(apt: Apt, find=shutil.which, find_missing=system_libraries.missing) -> None:
    """Install what makes a screen that nobody sees, where that is allowed; without it some journeys are skipped."""
    programs = [package for name, package in system_libraries.TEST_SCREEN.items() if find(name) is None]
    lacking = find_missing(True)
    if not apt.may_install or not (programs or lacking):
        return
    apt.update()
    names = sorted({*programs, *system_libraries.packages(lacking, system_libraries.APT, apt.knows)})
    say("Installing a screen for the tests: " + " ".join(names))
    if not apt.install(names):
        say("It could not be installed: the journeys on a real screen are skipped.")


def library_message(lacking: "list[str]", manager: "int | None") -> str:
    """What is missing and the exact command that installs it."""
    start = "Qt needs what this system does not have: " + ", ".join(lacking) + ". "
    if manager is None:
        return start + "Install these with the system's package manager and start again."
    exists = (lambda name: "t64" not in name) if manager == system_libraries.APT else (lambda name: True)
    command = system_libraries.install_command(system_libraries.packages(lacking, manager, exists), manager)
    return start + "Install them with:\n  sudo " + " ".join(command) + "\nand start again."


def provide_venv_module(apt: Apt, find=importlib.util.find_spec) -> None:
    """Make sure that this Python can make a virtual environment (Debian keeps that in a package of its own).

    Raises:
        SetupError: it cannot, and nothing may be installed here.
    """
    if find("venv") and find("ensurepip"):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if apt.may_install:
        say("Installing " + package + ", which this system keeps apart from Python.")
        apt.update()
        if apt.install([package]):
            importlib.invalidate_caches()
            if find("venv") and find("ensurepip"):
                return
    raise SetupError(
        "This Python cannot make virtual environments: its module ensurepip is missing. "
        "On Debian and Ubuntu install it with:\n  sudo apt-get install " + package + "\nand start again."
    )


@contextlib.contextmanager
def only_one(root: Path):
    """Wait until no other set-up works on this copy of the repository."""
    with (root / ".venv.lock").open("a+") as file:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("Another set-up is at work here; waiting for it.")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def set_up(sets: "tuple[str, ...]", with_screen: bool, apt: Apt, environment: env.Environment) -> None:
    """Install whatever is missing: Python packages, then system libraries."""
    for name in NEEDED_MODULES:
        if importlib.util.find_spec(name) is None:
            raise SetupError(
                "This Python was built without its module " + name + ", which Coxa needs. "
                "Use the Python of your system or the one from python.org."
            )
    with only_one(environment.root):
        if environment.state() in ("missing", "broken", "unfinished", "moved"):
            provide_venv_module(apt)
        started = time.monotonic()
        if environment.install(sets):
            say(f"Coxa is installed ({time.monotonic() - started:.0f} s).")
        provide_libraries(with_screen, apt)


def has_display(variables: "dict[str, str]", platform: str = sys.platform) -> bool:
    """Whether a window can be shown, or the user chose Qt's platform themselves."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not platform.startswith("linux") or any(variables.get(name) for name in names)


NO_DISPLAY = """\
Coxa is installed, but this session has no display to open a window on (DISPLAY and WAYLAND_DISPLAY are not set).
Start the same command in a desktop session or through `ssh -X`.
Everything but the window works without one, for example: {coxa} --help"""


def run_window(environment: env.Environment, arguments: "list[str]") -> int:
    """Open Coxa: on the demo project, unless the arguments name another one."""
    coxa = environment.program("coxa")
    if not has_display(dict(os.environ)):
        raise SetupError(NO_DISPLAY.format(coxa=coxa.relative_to(environment.root)))
    has_project = any(word == "--project" or word.startswith("--project=") for word in arguments)
    words = [] if has_project else ["--demo"]
    code = wait_for([str(coxa), "gui", *words, *arguments], clean_environment())
    if code == -6:  # SIGABRT: how Qt ends when it cannot reach the display
        raise SetupError("Qt could not open the window; its lines above say why. Is the display reachable?")
    return code if code >= 0 else 128 - code


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> "int | None":
    """The memory that this process may use; None where that cannot be told."""
    found = []
    with contextlib.suppress(OSError, ValueError, AttributeError):  # Windows has no sysconf
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(OSError, ValueError):  # no limit: no such file, or the word max
        found.append(int(limit.read_text()))
    return min(found) if found else None


def worker_words(cpus: int, memory: "int | None") -> "list[str]":
    """What makes pytest test in several processes: one a processor, as far as the memory reaches.

    A process that is done takes tests away from another. The caller's own `-n` comes later and wins.
    """
    workers = min(cpus, cpus if memory is None else memory // WORKER_BYTES)
    return ["-n", str(workers), "--dist", "worksteal"] if workers > 1 else []


def run_tests(environment: env.Environment, arguments: "list[str]") -> int:
    """Lint, then test; every step runs, and one failure is enough to fail."""
    variables = clean_environment()
    variables.setdefault("QT_QPA_PLATFORM", "offscreen")
    words = worker_words(processors(), memory_bytes())
    steps = [("ruff", ["check", "."]), ("mypy", []), ("lint-imports", []), ("pytest", [*words, *arguments])]
    failed = []
    for name, words in steps:
        say("== " + " ".join([name, *words]))
        if subprocess.call([str(environment.program(name)), *words], env=variables, cwd=str(environment.root)):
            failed.append(name)
    if failed:
        print("Failed: " + ", ".join(failed), file=sys.stderr)
    return FAILED if failed else DONE


def build_parser() -> argparse.ArgumentParser:
    """The three commands."""
    parser = argparse.ArgumentParser(
        description="Set Coxa up in .venv/ and start it, or test it.",
        epilog="Further arguments of `run` go to `coxa gui`, those of `test` to pytest.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in (
        ("run", "install, then open Coxa on its demo project"),
        ("test", "install, then lint and run the tests"),
        ("setup", "only install"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--review-only",
            action="store_true",
            help="leave out torch (several gigabytes): no training",
        )
        if name == "setup":
            command.add_argument("--with-dev", action="store_true", help="also install the tools of the test command")
    return parser


def main(arguments: "list[str]") -> int:
    """Do one command and return its exit code."""
    parser = build_parser()
    options, others = parser.parse_known_args(arguments)
    if options.command is None or (options.command == "setup" and others):
        parser.print_help()
        return 2
    try:
        code = use_right_python(arguments)
        if code is not None:
            return code
        sets = ["runtime"]
        if options.command == "test" or getattr(options, "with_dev", False):
            sets.append("dev")
        if not options.review_only:
            sets.append("engine")
        with_screen = options.command != "test" and (os.environ.get("QT_QPA_PLATFORM") or "xcb").startswith("xcb")
        environment = env.Environment(ROOT)
        apt = Apt()
        set_up(tuple(sets), with_screen, apt, environment)
        if options.command == "run":
            return run_window(environment, others)
        if options.command == "test":
            provide_test_screen(apt)
            return run_tests(environment, others)
        return DONE
    except SetupError as error:
        print(str(error), file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return CANCELLED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
