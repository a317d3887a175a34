"""Write docs/commands.md from the commands themselves: `.venv/bin/python packaging/command_reference.py`.

Its own words and order, not argparse's, whose layout changes with the version of Python.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli.main import COMMANDS, build_parser

TARGET = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEADER = """\
# The commands of Coxa

Made from the commands by `packaging/command_reference.py`; do not edit. The same is printed by `coxa help COMMAND`.
Every command is also there as `python -m app COMMAND`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | done, but something was refused or found damaged |
| 2 | the command line is wrong |
| 3 | not possible; the reason is printed |
| 70 | a fault in Coxa |
| 130 | cancelled |

`coxa --version` prints the version, `coxa help` the list of commands. With `--json`, standard output is one JSON
document, for an error `{"error": {"kind", "title", "reason", "remedy"}}`. With `COXA_DEBUG=1` in the environment a
fault is shown in full.
"""


def describe(name: str, parser: argparse.ArgumentParser) -> str:
    """The section of one command."""
    table = "| argument | meaning |\n|---|---|\n" + "\n".join(_rows(parser, name))
    summary = COMMANDS[name][1]
    return f"## coxa {name}\n\n{summary[0].upper()}{summary[1:]}.\n\n{table}\n\n```text\n{parser.epilog}\n```\n"


def _rows(parser: argparse.ArgumentParser, name: str) -> list[str]:
    """One row for each argument; of a command with actions, first what an action does, then its arguments."""
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        if isinstance(action, argparse._SubParsersAction):
            for word, sub in action.choices.items():
                rows.append(f"| **`{name} {word}`** | {sub.description} |")
                rows += _rows(sub, f"{name} {word}")
            continue
        value = (
            "" if action.nargs == 0 else str(action.metavar or "").replace("|", "\\|")
        )  # a cell ends with a bare one
        if action.choices is not None:
            value = " \\| ".join(map(str, action.choices))
        if action.option_strings:
            shown = ", ".join(f"`{word}`" for word in action.option_strings) + (f" {value}" if value else "")
        else:
            shown = value or action.dest
        needed = " (needed)" if action.required and action.option_strings else ""
        rows.append(f"| {shown} | {action.help}{needed} |")
    return rows


def command_parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of every command."""
    group = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return {name: group.choices[name] for name in COMMANDS}


def reference() -> str:
    """The whole text of docs/commands.md."""
    return "\n".join([HEADER, *(describe(name, parser) for name, parser in command_parsers().items())])


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8", newline="\n")
