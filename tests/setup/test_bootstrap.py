"""The set-up program, without a network: its decisions with made-up machines and made-up environments."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "packaging"


def test_the_first_start_installs_and_the_second_installs_nothing(make) -> None:
    environment, machine = make()
    assert environment.state() == "missing"
    assert environment.install(("runtime",)) is True
    assert machine.installs == ["runtime"]
    assert environment.state() == "good"
    machine.calls.clear()
    assert environment.install(("runtime",)) is False
    assert all("-c" in call for call in machine.calls), "a second start may only look"


def test_byte_code_is_written_once_everything_is_installed(make, root: Path) -> None:
    environment, machine = make()
    environment.install(("runtime",))
    compiling = [number for number, call in enumerate(machine.calls) if "compileall" in call]
    assert len(compiling) == 1
    assert str(root / "app") in machine.calls[compiling[0]]
    assert any("--editable" in call for call in machine.calls[: compiling[0]])


def test_pip_installs_only_checked_wheels(make) -> None:
    environment, machine = make()
    environment.install(("runtime",))
    command = next(call for call in machine.calls if "--require-hashes" in call)
    assert {"--no-deps", "--no-build-isolation", "--only-binary", ":all:"} <= set(command)


def test_tests_need_the_dev_set_which_serves_the_window_too(make) -> None:
    environment, machine = make()
    environment.install(("runtime", "dev"))
    assert machine.installs == ["dev"]
    assert environment.install(("runtime",)) is False
    machine.calls.clear()


def test_a_wider_set_is_added_later(make) -> None:
    environment, machine = make()
    environment.install(("runtime",))
    machine.calls.clear()
    assert environment.install(("runtime", "dev")) is True
    assert machine.installs == ["dev"]


def test_an_engine_that_was_asked_for_stays_when_the_lock_changes(make, root: Path) -> None:
    environment, machine = make()
    environment.install(("runtime", "engine"))
    assert machine.installs == ["runtime", "engine"]
    for name in ("runtime", "engine"):
        (root / "packaging" / "locks" / f"{name}.txt").write_text(f"{name}==2.0\n")
    machine.calls.clear()
    assert environment.install(("runtime",)) is True
    assert machine.installs == ["runtime", "engine"]


@pytest.mark.parametrize("changed", ["packaging/locks/runtime.txt", "pyproject.toml"])
def test_a_changed_lock_or_project_file_is_noticed(make, root: Path, changed: str) -> None:
    environment, machine = make()
    environment.install(("runtime",))
    machine.calls.clear()
    (root / changed).write_text("changed==1.0\n")
    assert environment.install(("runtime",)) is True
    assert machine.installs == ["runtime"]


def test_a_half_finished_set_up_is_made_anew(make, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment, machine = make(pip_fails=True)
    with pytest.raises(Exception, match="could not be installed"):
        environment.install(("runtime",))
    assert environment.state() == "unfinished"
    (root / ".venv" / "left-over").touch()
    machine.pip_fails = False
    assert environment.install(("runtime",)) is True
    assert not (root / ".venv" / "left-over").exists()
    assert environment.state() == "good"
    assert "unfinished; making it anew" in capsys.readouterr().out


def test_a_failed_update_that_changed_nothing_leaves_the_old_one_working(make, root: Path) -> None:
    environment, machine = make()
    environment.install(("runtime",))
    (root / "packaging" / "locks" / "runtime.txt").write_text("newer==1.0\n")
    machine.pip_fails = True
    with pytest.raises(Exception, match="could not be installed"):
        environment.install(("runtime",))
    assert environment.state() == "good"
    assert environment.lacking_sets(("runtime",)) == ["runtime"]


def test_a_moved_environment_is_made_anew(make, root: Path) -> None:
    environment, _ = make()
    environment.install(("runtime",))
    stamp = json.loads(environment.stamp.read_text())
    environment.stamp.write_text(json.dumps(stamp | {"folder": "/elsewhere/.venv"}))
    assert environment.state() == "moved"
    assert environment.install(("runtime",)) is True
    assert environment.state() == "good"


def test_broken_environments_are_noticed(make, root: Path) -> None:
    environment, machine = make()
    environment.install(("runtime",))
    machine.missing = ["numpy"]
    assert environment.state() == "broken"
    machine.missing = []
    machine.version = "3.12"  # the system's Python was replaced under the environment
    assert environment.state() == "broken"
    machine.version = "3.11"
    assert environment.state() == "good"
    environment.program("coxa").unlink()
    assert environment.state() == "broken"
    environment.program("python").unlink()
    assert environment.state() == "broken"
    assert environment.install(("runtime",)) is True
    assert environment.state() == "good"


def test_a_damaged_stamp_is_a_broken_environment(make) -> None:
    environment, _ = make()
    environment.install(("runtime",))
    environment.stamp.write_text("{ not json")
    assert environment.state() == "broken"


def test_an_environment_made_by_hand_is_used_and_never_deleted(make, root: Path) -> None:
    environment, machine = make()
    machine._make("python")
    (root / ".venv" / "precious").touch()
    assert environment.state() == "foreign"
    assert environment.install(("runtime",)) is True
    assert (root / ".venv" / "precious").exists()
    assert environment.state() == "good"


def test_an_unusable_environment_made_by_hand_is_put_aside(make, root: Path) -> None:
    environment, machine = make(version="3.9")
    machine._make("python")
    (root / ".venv" / "precious").touch()
    assert environment.state() == "broken"
    machine.missing = ["pip"]
    with pytest.raises(Exception, match="does not work"):
        environment.install(("runtime",))
    assert len(list(root.glob(".venv.old-*/precious"))) == 1


@pytest.mark.parametrize(
    ("version", "words"), [((3, 6), "needs Python 3.11 or newer"), ((3, 10), "3.10"), ((3, 15), "not available")]
)
def test_a_wrong_python_is_refused_with_a_sentence(bootstrap: ModuleType, version: tuple[int, int], words: str) -> None:
    assert words in bootstrap.python_problem(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13), (3, 14)])
def test_a_right_python_is_accepted(bootstrap: ModuleType, version: tuple[int, int]) -> None:
    assert bootstrap.python_problem(version) == ""


def test_a_newer_python_on_the_path_is_found_but_must_really_start(bootstrap: ModuleType) -> None:
    there = {"python3.12": "/shims/python3.12", "python3.11": "/usr/bin/python3.11"}

    def run(command: list[str], **_: object) -> SimpleNamespace:
        works = command[0] == "/usr/bin/python3.11"  # the other one is a shim of a version that is not chosen
        return SimpleNamespace(returncode=0 if works else 127, stdout="3.11\n" if works else "")

    assert bootstrap.find_python(there.get, run) == "/usr/bin/python3.11"
    assert bootstrap.find_python({}.get, run) is None


def test_without_a_right_python_the_refusal_names_one(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "find_python", lambda: None)
    with pytest.raises(bootstrap.SetupError, match=r"this is Python 3\.9\. Install one"):
        bootstrap.use_right_python(["run"], (3, 9))


@pytest.mark.parametrize("name", ["bootstrap.py", "disk.py", "environment.py", "system_libraries.py"])
def test_the_set_up_program_parses_under_an_old_python(name: str) -> None:
    ast.parse((FOLDER / name).read_text(encoding="utf-8"), feature_version=(3, 6))


def fake_apt(bootstrap: ModuleType, *, is_root: bool, manager: int = 0) -> tuple[object, list[list[str]]]:
    """Apt on a made-up machine, and the commands that it ran."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        calls.append(command)
        is_unknown = command[0] == "apt-cache" and "t64" in command[-1]
        return SimpleNamespace(returncode=100 if is_unknown else 0)

    return bootstrap.Apt(run=run, is_root=is_root, manager=manager), calls


def test_root_on_debian_gets_the_libraries_installed(bootstrap: ModuleType) -> None:
    apt, calls = fake_apt(bootstrap, is_root=True)
    answers = [["libEGL.so.1", "libglib-2.0.so.0", "font"], []]
    bootstrap.provide_libraries(True, apt, lambda with_screen: answers.pop(0))
    assert calls[0][:2] == ["apt-get", "update"]
    assert calls[-1][-3:] == ["fonts-dejavu-core", "libegl1", "libglib2.0-0"]


def test_others_are_told_the_exact_command(bootstrap: ModuleType) -> None:
    apt, calls = fake_apt(bootstrap, is_root=False)
    with pytest.raises(bootstrap.SetupError) as error:
        bootstrap.provide_libraries(True, apt, lambda with_screen: ["libxcb-cursor.so.0", "libxkbcommon.so.0"])
    command = "sudo apt-get install -y --no-install-recommends libxcb-cursor0 libxkbcommon0"
    assert command in str(error.value)
    assert calls == []


def test_root_on_debian_gets_a_screen_for_the_tests(bootstrap: ModuleType) -> None:
    apt, calls = fake_apt(bootstrap, is_root=True)
    there = {"openbox": "/usr/bin/openbox"}
    bootstrap.provide_test_screen(apt, there.get, lambda with_screen: ["libxcb-cursor.so.0"] if with_screen else [])
    assert calls[-1][-3:] == ["libxcb-cursor0", "xdotool", "xvfb"]


def test_a_screen_that_cannot_be_had_stops_nothing(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    apt, calls = fake_apt(bootstrap, is_root=False)
    bootstrap.provide_test_screen(apt, lambda name: None, lambda with_screen: ["libxcb-cursor.so.0"])
    assert calls == []
    apt, calls = fake_apt(bootstrap, is_root=True)
    bootstrap.provide_test_screen(apt, lambda name: "/usr/bin/" + name, lambda with_screen: [])
    assert calls == [], "all of it is there"
    failing = bootstrap.Apt(run=lambda *_, **__: SimpleNamespace(returncode=100), is_root=True, manager=0)
    bootstrap.provide_test_screen(failing, lambda name: None, lambda with_screen: [])
    assert "are skipped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("manager", "command"),
    [(1, "sudo dnf install -y xcb-util-cursor"), (2, "sudo pacman -S --needed xcb-util-cursor")],
)
def test_other_distributions_have_their_own_command(bootstrap: ModuleType, manager: int, command: str) -> None:
    assert command in bootstrap.library_message(["libxcb-cursor.so.0"], manager)


def test_an_unknown_distribution_is_told_the_libraries(bootstrap: ModuleType) -> None:
    assert "libxcb-cursor.so.0" in bootstrap.library_message(["libxcb-cursor.so.0"], None)


def test_debian_keeps_venv_apart(bootstrap: ModuleType) -> None:
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    apt, calls = fake_apt(bootstrap, is_root=False)
    with pytest.raises(bootstrap.SetupError, match=f"sudo apt-get install {package}"):
        bootstrap.provide_venv_module(apt, lambda name: None)
    assert calls == []
    apt, calls = fake_apt(bootstrap, is_root=True)
    found = iter([None, True, True])
    bootstrap.provide_venv_module(apt, lambda name: next(found))
    assert calls[-1][-1] == package


def test_every_library_that_qt_needs_has_a_package_everywhere(bootstrap: ModuleType) -> None:
    libraries = bootstrap.system_libraries
    everything = [*libraries.DRAWING, *libraries.SCREEN, "font"]
    for manager in libraries.INSTALL:
        assert all(libraries.packages([name], manager) != [""] for name in everything)
    assert not set(libraries.DRAWING) & set(libraries.SCREEN)


@pytest.mark.parametrize(
    ("variables", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_displays(bootstrap: ModuleType, variables: dict[str, str], platform: str, expected: bool) -> None:
    assert bootstrap.has_display(variables, platform) is expected


def test_without_a_display_the_window_is_not_even_tried(
    bootstrap: ModuleType, make, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, _ = make()
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setattr(bootstrap, "has_display", lambda variables: False)
    with pytest.raises(bootstrap.SetupError, match="no display"):
        bootstrap.run_window(environment, [])


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], ["gui", "--demo"]), (["--project", "x"], ["gui", "--project", "x"]), (["-v"], ["gui", "--demo", "-v"])],
)
def test_the_window_opens_on_the_demo_unless_a_project_is_named(
    bootstrap: ModuleType, make, monkeypatch: pytest.MonkeyPatch, words: list[str], expected: list[str]
) -> None:
    environment, _ = make()
    calls: list[list[str]] = []
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(bootstrap, "wait_for", lambda command, _: calls.append(command) or 0)
    assert bootstrap.run_window(environment, words) == 0
    assert calls == [[str(environment.program("coxa")), *expected]]


@pytest.mark.parametrize("broken", ["ruff", "mypy", "lint-imports", "pytest", None])
def test_one_failing_step_fails_the_test_command_and_the_others_still_run(
    bootstrap: ModuleType, make, monkeypatch: pytest.MonkeyPatch, broken: str | None
) -> None:
    environment, _ = make()
    ran: list[str] = []

    def call(command: list[str], **_: object) -> int:
        ran.append(Path(command[0]).stem)
        return int(ran[-1] == broken)

    monkeypatch.setattr(bootstrap.subprocess, "call", call)
    assert bootstrap.run_tests(environment, ["-x"]) == (0 if broken is None else 1)
    assert ran == ["ruff", "mypy", "lint-imports", "pytest"]


@pytest.mark.parametrize(
    ("cpus", "memory_gib", "workers"), [(2, 24, 2), (1, 24, 0), (16, 24, 6), (8, 7, 0), (8, None, 8), (2, 8, 2)]
)
def test_as_many_tests_at_a_time_as_processors_and_memory_allow(
    bootstrap: ModuleType, cpus: int, memory_gib: int | None, workers: int
) -> None:
    words = bootstrap.worker_words(cpus, None if memory_gib is None else memory_gib << 30)
    assert words == (["-n", str(workers), "--dist", "worksteal"] if workers else [])


def test_a_containers_memory_is_what_counts(bootstrap: ModuleType, tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    machine = bootstrap.memory_bytes(limit)
    assert machine is None or machine > 1 << 28
    limit.write_text("max\n")
    assert bootstrap.memory_bytes(limit) == machine
    limit.write_text("12345\n")
    assert bootstrap.memory_bytes(limit) == 12345
    assert bootstrap.processors() >= 1


def test_unwanted_variables_do_not_reach_what_is_started(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")  # an institute's own index is respected
    environment = bootstrap.clean_environment()
    assert "PYTHONPATH" not in environment
    assert "PIP_TARGET" not in environment
    assert environment["PIP_INDEX_URL"] == "https://packages.example/simple"


def test_an_unknown_command_shows_the_help() -> None:
    done = subprocess.run([sys.executable, str(FOLDER / "bootstrap.py")], capture_output=True, text=True, cwd=FOLDER)
    assert done.returncode == 2
    assert "setup" in done.stdout
