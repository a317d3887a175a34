"""What the command palette lists: every command, the best answer first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.fuzzy import find
from app.ui.command_set import CommandSet
from app.ui.language import LANGUAGES, present_language, read_catalogue, tr

TIP_WEIGHT, OTHER_WEIGHT = 0.25, 0.6  # words in the tip, or in another language, count less than the name


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the palette.

    Args:
        id: of the command.
        text: its name.
        at: letters of the name that were found.
        menu: the menu that it is in.
        note: what it does, or why it cannot be used now.
        keys: its key.
        is_enabled: whether it can be used now.
        is_recent: whether it was used lately.
        is_checked: whether it is on.
        icon: name of its icon; there may be none of that name.
    """

    id: str
    text: str
    at: tuple[int, ...]
    menu: str
    note: str
    keys: str
    is_enabled: bool
    is_recent: bool
    is_checked: bool
    icon: str


class PaletteIndex:
    """Searches the commands in the present language and in the others.

    Args:
        commands: the commands.
    """

    def __init__(self, commands: CommandSet) -> None:
        self._commands = commands
        self._others: dict[str, dict[str, str]] = {
            code: read_catalogue(code)["texts"] for code in LANGUAGES if code not in ("en", present_language())
        }

    def search(self, query: str, recent: Sequence[str] = ()) -> list[Entry]:
        """Every command that answers the query; without one all of them, the latest used first.

        Args:
            query: what was typed.
            recent: ids of the commands that were used last, latest first.
        """
        rank = {name: number for number, name in enumerate(recent)}
        found: list[tuple[float, int, Entry]] = []
        for number, command in enumerate(self._commands.commands):
            score, at = self._score(query, command.text, command.tip)
            if score is None:
                continue
            if command.id in rank:
                score += (12.0 if query.strip() else 1000.0) - rank[command.id]
            action = self._commands.actions[command.id]
            why_not = self._commands.why_not(command.id)
            if why_not:
                score -= 5.0 if query.strip() else 0.0
            entry = Entry(
                id=command.id, text=tr(command.text), at=at, menu=tr(command.menu), note=why_not or tr(command.tip),
                keys=self._commands.key_text(command.id), is_enabled=not why_not, is_recent=command.id in rank,
                is_checked=action.isCheckable() and action.isChecked(),
                icon=command.icon or command.id.replace("_", "-"),
            )  # fmt: skip
            found.append((-score, number, entry))
        return [entry for _, _, entry in sorted(found, key=lambda item: item[:2])]

    def _score(self, query: str, text: str, tip: str) -> tuple[float | None, tuple[int, ...]]:
        if not query.strip():
            return 0.0, ()
        if (direct := find(query, tr(text))) is not None:
            return direct.score, direct.at
        best: float | None = None
        others = [text, *(texts.get(text, text) for texts in self._others.values())]
        for words, weight in (*((words, OTHER_WEIGHT) for words in others), (f"{tr(text)} {tr(tip)}", TIP_WEIGHT)):
            if (indirect := find(query, words)) is not None:
                best = max(best or 0.0, indirect.score * weight)
        return best, ()
