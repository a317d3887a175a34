"""The command table, its help, its exit codes, and what happens when something goes wrong."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from app.cli import main as main_module
from app.cli.exit_codes import BUG, CANCELLED, DONE, REFUSED, USAGE
from app.cli.main import COMMANDS, build_parser, main, trusted_path
from app.core.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[2]
COXA = [sys.executable, "-c", "from app.cli.main import entry_point; entry_point()"]


@pytest.fixture
def fake_command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command called `fake` whose `run` each test sets."""
    module = ModuleType("fake_command_module")

    def configure(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="JSON")

    module.configure = configure  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(main_module.COMMANDS, "fake", (module.__name__, "a command for tests"))
    return module


def raising(error: BaseException):
    """A `run` that raises."""

    def run(args: argparse.Namespace) -> int:
        raise error

    return run


@contextlib.contextmanager
def keep_descriptor(number: int) -> Iterator[None]:
    """Put a descriptor back that the program turns away."""
    kept = os.dup(number)
    try:
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_teaches_by_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == DONE
    assert f"  coxa {name}" in text.partition("examples:")[2], "the help shows no example of this command"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_of_each_command_says_what_it_does(name: str) -> None:
    def unexplained(parser: argparse.ArgumentParser) -> list[str]:
        found = []
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for sub in action.choices.values():
                    found += unexplained(sub)
            elif not action.help:
                found.append("/".join(action.option_strings) or action.dest)
        return found

    commands = next(a for a in build_parser(only=name)._actions if isinstance(a, argparse._SubParsersAction))
    assert unexplained(commands.choices[name]) == []


@pytest.mark.parametrize("words", [["help", "check"], ["check", "--help"]])
def test_both_ways_to_ask_for_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert capsys.readouterr().out.startswith("usage: coxa check")


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"]])
def test_general_help_lists_every_command_and_exit_code(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    text = capsys.readouterr().out
    assert ended.value.code == DONE
    for name in COMMANDS:
        assert re.search(rf"\n    {name}\s", text)
    for code in (DONE, 1, USAGE, REFUSED, BUG, CANCELLED):
        assert f"{code} " in text.partition("exit codes:")[2]


def test_without_a_command_the_help_is_shown_as_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == USAGE
    assert "examples:" in capsys.readouterr().out


def test_an_unknown_command_names_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["improt", "x"]) == USAGE
    assert "Did you mean `coxa import`?" in capsys.readouterr().err


def test_an_unknown_command_that_is_near_to_nothing_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zzzzzz"]) == USAGE
    assert all(name in capsys.readouterr().err for name in ["gui"])


def test_an_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "--no-such-option"])
    assert ended.value.code == USAGE
    assert "--no-such-option" in capsys.readouterr().err


def test_general_help_imports_no_command() -> None:
    script = (
        "import sys; from app.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = [m for m in ('numpy', 'cv2', 'PySide6', 'torch', 'pydicom', 'sqlite3') if m in sys.modules]\n"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr


def test_the_exit_code_of_the_command_is_returned(fake_command: ModuleType) -> None:
    fake_command.run = lambda args: 1
    assert main(["fake"]) == 1


def test_a_user_error_is_one_line_and_exit_code_3(fake_command: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    fake_command.run = raising(UserError("The disk is full.", remedy="Free some space.", kind="disk-full"))
    assert main(["fake"]) == REFUSED
    printed = capsys.readouterr()
    assert printed.err == "coxa: The disk is full. Free some space.\n"
    assert printed.out == ""


def test_a_user_error_as_json(fake_command: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    fake_command.run = raising(UserError("Title.", reason="Reason.", remedy="Remedy.", kind="a-kind"))
    assert main(["fake", "--json"]) == REFUSED
    expected = {"kind": "a-kind", "title": "Title.", "reason": "Reason.", "remedy": "Remedy."}
    assert json.loads(capsys.readouterr().out) == {"error": expected}


def test_a_fault_is_reported_without_quoting_the_users_files(
    fake_command: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COXA_DEBUG", raising=False)
    name, born = "DOE^" + "JANE", "1931" + "-02-03"  # as a file's text would arrive: not written in the source
    try:
        raise ValueError(name)
    except ValueError as cause:
        error = RuntimeError(born)
        error.__cause__ = cause
    fake_command.run = raising(error)
    assert main(["fake", "--json"]) == BUG
    printed = capsys.readouterr()
    assert "RuntimeError" in printed.err
    assert "ValueError" in printed.err
    assert "app/cli/main.py" in printed.err
    for secret in (name, born, str(Path.home()) + "/"):
        assert secret not in printed.out + printed.err
    assert json.loads(printed.out)["error"]["kind"] == "fault"


def test_debug_mode_shows_the_messages(
    fake_command: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COXA_DEBUG", "1")
    fake_command.run = raising(RuntimeError("the details"))
    assert main(["fake"]) == BUG
    assert "RuntimeError: the details" in capsys.readouterr().err


def test_control_c_is_a_word_not_a_traceback(fake_command: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    fake_command.run = raising(KeyboardInterrupt())
    assert main(["fake"]) == CANCELLED
    assert capsys.readouterr().err == "Cancelled.\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no broken pipes of this kind")
def test_a_reader_that_goes_away_is_no_error() -> None:
    script = f"""
import sys, types
from app.cli import main as m
fake = types.ModuleType("fake_command_module")
fake.configure = lambda parser: None
def run(args):
    for _ in range(200_000): print("a line of some length, so that the pipe fills up")
    return 0
fake.run = run
sys.modules["fake_command_module"] = fake
m.COMMANDS["fake"] = ("fake_command_module", "x")
sys.argv = ["coxa", "fake"]
sys.path.insert(0, {str(REPOSITORY)!r})
m.entry_point()
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == DONE
    assert errors == b""


def test_a_console_without_the_letters_does_not_end_the_program() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COXA, "--help"], capture_output=True, env=environment, cwd=REPOSITORY)
    assert done.returncode == DONE
    assert b"exit codes: 0 done \\xb7 1 done" in done.stdout


def test_folders_in_the_current_folder_are_not_imported(tmp_path: Path) -> None:
    for name in ("dl", "cv2", "numpy", "pydicom", "psutil", "sqlite_utils"):
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").write_text("raise SystemExit('a folder beside the images was imported')\n")
    script = Path(sys.executable).with_name("coxa.exe" if os.name == "nt" else "coxa")
    starts = [[sys.executable, "-m", "app"], *([[str(script)]] if script.exists() else [])]
    for command in starts:
        for extra in ("", os.pathsep + str(REPOSITORY)):  # an empty entry means the current folder
            environment = os.environ | {"PYTHONPATH": extra}
            done = subprocess.run(
                [*command, "check"], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60
            )
            assert done.returncode == DONE, (command, extra, done.stderr)
            assert "Research use only" in done.stdout


def test_the_repository_itself_stays_importable(tmp_path: Path) -> None:
    assert trusted_path(["", "/usr/lib"], tmp_path) == ["/usr/lib"]
    assert trusted_path([str(tmp_path), "/usr/lib"], tmp_path) == ["/usr/lib"]
    assert trusted_path(["", "/usr/lib"], REPOSITORY) == ["", "/usr/lib"]


def test_what_is_too_much_is_said_with_the_usage_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["cases", "--project", "hips", "list", "one", "two"])
    assert ended.value.code == USAGE
    assert "coxa cases: error: unrecognized arguments: two" in capsys.readouterr().err


def test_letters_that_are_not_valid_are_refused_before_anything_begins(capsys: pytest.CaptureFixture[str]) -> None:
    bad = os.fsdecode(b"b\xffd")
    assert main(["cases", "show", bad, "--project", "hips"]) == USAGE
    assert "“b\\udcffd” cannot be read." in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["import", "hip.dcm", "--project", bad])
    assert ended.value.code == USAGE


@pytest.mark.parametrize("words", [["import", "", "--project", "hips"], ["cases", "--project", ""]])
def test_a_variable_without_a_value_is_not_the_current_folder(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == USAGE
    assert "the name is empty" in capsys.readouterr().err


def test_output_without_room_is_a_sentence(fake_command: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    """Also with --json: the error document has no room either."""
    fake_command.run = raising(OSError(errno.ENOSPC, "No space left on device"))
    with keep_descriptor(1):
        assert main(["fake", "--json"]) == REFUSED
    assert capfd.readouterr().err.startswith("coxa: The output cannot be written. The system says: no space left")


@pytest.mark.skipif(os.name == "nt", reason="a descriptor is closed in a shell")
def test_a_closed_output_is_no_fault() -> None:
    command = [*COXA, "models", "list"]
    done = subprocess.run(["/bin/sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, text=True, cwd=REPOSITORY)
    assert (done.returncode, done.stderr) == (DONE, "")


def test_a_project_that_is_not_there_or_a_file_is_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name, reason in (("none", "It does not exist."), ("file", "It is a file."), (".", "It holds no project.toml.")):
        assert main(["cases", "--project", str(tmp_path / name)]) == REFUSED
        assert reason in capsys.readouterr().err
