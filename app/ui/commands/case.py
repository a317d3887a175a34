"""Going from case to case."""

from __future__ import annotations

from app.ui.commands.command import Command

CASE_COMMANDS: tuple[Command, ...] = (
    Command(id="previous", text="Previous case", tip="Go up in the list of cases", menu="Case", needs="cases",
            shortcuts=("PgUp", "["), bar_text="Previous", is_repeating=True),
    Command(id="next", text="Next case", tip="Go down in the list of cases", menu="Case", needs="cases",
            shortcuts=("PgDown", "]"), bar_text="Next", is_repeating=True),
    Command(id="first_case", text="First case", tip="Go to the top of the list of cases", menu="Case", needs="cases",
            shortcuts=("Alt+Home",)),
    Command(id="last_case", text="Last case", tip="Go to the end of the list of cases", menu="Case", needs="cases",
            shortcuts=("Alt+End",)),
    Command(id="find", text="Search the cases", menu="Case", needs="project", shortcuts=("/", "Ctrl+F"),
            icon="search", tip="Put the keyboard into the search box of the worklist", has_separator=True),
    Command(id="filter", text="Filter the cases…", menu="Case", needs="project", shortcuts=("Shift+F",), icon="filter",
            tip="Choose by status, side, labels … which cases are listed"),
    Command(id="show_all", text="Show all cases", menu="Case", needs="project", shortcuts=("Shift+Esc",),
            tip="Take the search and all filters away"),
    Command(id="show_list", text="Worklist", menu="Case", shortcuts=("F9",), is_checkable=True, is_checked=True,
            tip="Show or hide the list of cases", icon="list"),
    Command(id="small_rows", text="Small rows", menu="Case", is_checkable=True, is_kept=True,
            tip="One line for each case in the worklist, without small radiographs"),
    Command(id="switch_pane", text="Other pane", tip="Make the other pane the one that keys apply to", menu="Case",
            needs="image", shortcuts=("V",), has_separator=True),
    Command(id="next_unplaced", text="Next view without a place", menu="Case", needs="cases", shortcuts=("U",),
            tip="Hang the next view of this case that has no place yet"),
)  # fmt: skip
