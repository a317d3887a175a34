"""Going from case to case."""

from __future__ import annotations

from app.ui.commands.command import Command

CASE_COMMANDS: tuple[Command, ...] = (
    Command(id="previous", text="Previous case", tip="Go up in the list of cases", menu="Case", needs="cases",
            shortcuts=("PgUp", "["), bar_text="‹ Previous"),
    Command(id="next", text="Next case", tip="Go down in the list of cases", menu="Case", needs="cases",
            shortcuts=("PgDown", "]"), bar_text="Next ›"),
    Command(id="switch_pane", text="Other pane", tip="Make the other pane the one that keys apply to", menu="Case",
            needs="image", shortcuts=("V",), has_separator=True),
    Command(id="next_unplaced", text="Next view without a place", menu="Case", needs="cases", shortcuts=("U",),
            tip="Hang the next view of this case that has no place yet"),
)  # fmt: skip
