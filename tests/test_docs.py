"""What is written down is true and complete: commands, options, decisions, words."""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from app.cli.main import COMMANDS, build_parser

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
DECISIONS = sorted(p for p in (REPOSITORY / "docs" / "adr").glob("*.md") if not p.name.startswith("0000"))


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The program that writes docs/commands.md, as a module."""
    path = REPOSITORY / "packaging" / "command_reference.py"
    spec = importlib.util.spec_from_file_location("command_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_is_up_to_date(reference: ModuleType) -> None:
    written = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == reference.reference(), "run: .venv/bin/python packaging/command_reference.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(reference: ModuleType, name: str) -> None:
    text = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## coxa {name}\n")[2].partition("\n## ")[0]
    options = [word for action in reference.command_parsers()[name]._actions for word in action.option_strings]
    assert section, f"docs/commands.md does not have coxa {name}"
    assert [word for word in options if f"`{word}`" not in section and word not in ("-h", "--help")] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_mentions_every_command(name: str) -> None:
    assert f"coxa {name} " in README


def examples() -> list[str]:
    """Every `coxa …` line of the README and of the help pages."""
    lines = re.findall(r"^\$ (coxa .+)$", README, re.MULTILINE)
    for name, parser in command_parsers().items():
        text = re.sub(r" *\\\n +", " ", parser.epilog or "")  # a backslash joins a line with the next
        lines += re.findall(rf"^  (coxa {name}(?: .*)?)$", text, re.MULTILINE)
    return lines


@cache
def command_parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of every command."""
    group = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return {name: group.choices[name] for name in COMMANDS}


@pytest.mark.parametrize("line", examples())
def test_every_example_is_a_command_line_that_is_understood(line: str) -> None:
    words = shlex.split(re.split(r"  +", line)[0])[1:]  # what follows two blanks is a remark
    assert build_parser().parse_args(words).command == words[0]


def test_there_are_examples_to_look_at() -> None:
    assert len(examples()) >= 3 * len(COMMANDS)


@pytest.mark.parametrize("command", re.findall(r"^python3 (packaging/\S+) (\w+)", README, re.MULTILINE))
def test_the_two_commands_of_the_readme_exist(command: tuple[str, str]) -> None:
    path, word = command
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    ast.parse(text)
    assert f'("{word}", ' in text


def test_the_readme_shows_both_commands_and_the_statement() -> None:
    assert re.findall(r"^python3 packaging/bootstrap.py (\w+)", README, re.MULTILINE) == ["run", "test"]
    assert "Research use only. Not for diagnosis." in README


@pytest.mark.parametrize("name", ["README.md", "CONTEXT.md", "CHANGELOG.md", "docs/commands.md"])
def test_links_and_named_files_exist(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    folder = (REPOSITORY / name).parent
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    named = re.findall(r"`((?:app|bench|docs|packaging|resources|tests)/[\w./-]*)`", text)
    assert [link for link in links if not (folder / link).exists()] == []
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def test_the_ci_script_calls_the_test_command() -> None:
    assert "packaging/bootstrap.py test" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_says_why_and_what(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    number = path.name[:4]
    assert re.match(rf"# {number}:? \S", text), "the title starts with the number"
    assert re.search(r"Status\W+(accepted|proposed|superseded)", text, re.IGNORECASE)
    assert re.search(r"\d{4}-\d\d-\d\d", text), "a date"
    assert re.search(r"\b(Context|Question)\b", text)
    assert re.search(r"\bDecision\b", text)


def test_no_two_decisions_have_one_number() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))
    assert {"0001", "0002", "0003"} <= set(numbers)


@cache
def glossary_types() -> list[str]:
    """The types that the glossary names."""
    text = (REPOSITORY / "CONTEXT.md").read_text(encoding="utf-8")
    return re.findall(r"`([A-Z]\w+)`", text)


@cache
def core_types() -> dict[str, str]:
    """Every public class of the core and its module."""
    found = {}
    for path in sorted((REPOSITORY / "app" / "core").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name] = f"app.core.{path.stem}"
    return found


@pytest.mark.parametrize("name", sorted(core_types()))
def test_every_type_of_the_core_is_in_the_glossary(name: str) -> None:
    assert name in glossary_types(), f"CONTEXT.md explains no `{name}`"


@pytest.mark.parametrize("name", sorted(set(glossary_types())))
def test_every_type_in_the_glossary_exists(name: str) -> None:
    module = core_types().get(name)
    assert module is not None, f"CONTEXT.md names `{name}`, which is in no module of app/core"
    assert hasattr(importlib.import_module(module), name)


def test_the_glossary_explains_each_word_once() -> None:
    text = (REPOSITORY / "CONTEXT.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    words = [word for word, _ in rows if word not in ("word", "---")]
    assert len(words) > 60
    assert len(words) == len(set(words))
