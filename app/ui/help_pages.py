"""The pages of the help: Markdown from `resources/help/LANGUAGE`, and the table of all commands."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from app.core.fuzzy import folded
from app.store.bundled import resource_path
from app.ui.command_set import CommandSet, native
from app.ui.commands.table import MENUS
from app.ui.language import present_language, tr

COMMANDS_PAGE = "commands"
_KEY = re.compile(r"\{key:([a-z0-9_:\- ]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage:
    """One page.

    Args:
        name: file name without number and ending; stable.
        title: its heading.
        text: Markdown, or HTML for the table of commands.
        is_html: which of them.
    """

    name: str
    title: str
    text: str
    is_html: bool = False

    def answers(self, query: str) -> bool:
        """Whether every word of a query is on the page."""
        heap = folded(f"{self.title} {self.text}")
        return all(word in heap for word in folded(query).split())


def help_pages(commands: CommandSet) -> list[HelpPage]:
    """All pages in the language of the window; keys are those that hold now."""
    folder = resource_path("help", present_language())
    pages = [_page(path.stem, path.read_text(encoding="utf-8"), commands) for path in sorted(folder.glob("*.md"))]
    return [*pages, commands_page(commands)]


def _page(stem: str, text: str, commands: CommandSet) -> HelpPage:
    def key(found: re.Match[str]) -> str:
        known = found[1] in commands.by_id
        return f"**{(known and commands.key_text(found[1])) or '–'}**"

    text = _KEY.sub(key, text)
    title = next(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    return HelpPage(name=stem.partition("-")[2], title=title, text=text)


def commands_page(commands: CommandSet) -> HelpPage:
    """Every command: what it is called, what it does, its keys."""
    pieces = [f"<h1>{html.escape(tr('All commands'))}</h1>"]
    for menu in MENUS:
        shown = [command for command in commands.commands if command.menu == menu]
        if not shown:
            continue
        pieces.append(f"<h2>{html.escape(tr(menu))}</h2><table width='100%' cellspacing='0' cellpadding='4'>")
        for command in shown:
            keys = "   ".join(native(key) for key in commands.keys(command.id))
            pieces.append(f"<tr><td width='34%'>{html.escape(tr(command.text))}</td><td>{html.escape(tr(command.tip))}"
                          f"</td><td width='18%' align='right'><b>{html.escape(keys)}</b></td></tr>")  # fmt: skip
        pieces.append("</table>")
    return HelpPage(name=COMMANDS_PAGE, title=tr("All commands"), text="".join(pieces), is_html=True)
