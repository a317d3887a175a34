"""One command of the window."""

from __future__ import annotations

from app.core.record import record


@record(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that the user can do. Texts are English here and translated when they are shown.

    Args:
        id: stable name.
        text: what menus say.
        tip: what it does, in one sentence.
        menu: the menu it is in; `File`, `Case` …
        shortcuts: key sequences, portable form; what a new installation has.
        needs: what must be there for it to work: `image`, `cases`, `view`, `question` (a view that is asked about and
            may be changed), or empty.
        group: commands of one group exclude each other.
        is_checkable: whether it can be on or off.
        is_checked: whether it starts on.
        bar_text: its text in the toolbar; empty = not in the toolbar.
        has_separator: whether a line goes before it.
        is_kept: whether it is as it was left when the window opens again.
        is_repeating: whether a key that is held down does it again and again; what decides something never does.
        icon: name of its icon in `resources/icons`, without `.svg`; empty = the id, with `-` for `_`, if there is
            such a file.
    """

    id: str
    text: str
    tip: str
    menu: str
    shortcuts: tuple[str, ...] = ()
    needs: str = ""
    group: str = ""
    is_checkable: bool = False
    is_checked: bool = False
    bar_text: str = ""
    has_separator: bool = False
    icon: str = ""
    is_kept: bool = False
    is_repeating: bool = False
