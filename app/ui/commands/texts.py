"""Looking for burnt-in text before images leave the project."""

from __future__ import annotations

from app.ui.commands.command import Command

LOOKING = "text review"

TEXT_COMMANDS: tuple[Command, ...] = (
    Command(id="text_review", text="Review burnt-in text", menu="Resolve", shortcuts=("Ctrl+Shift+T",), needs="cases",
            is_checkable=True, has_separator=True, icon="mask",
            tip="Look through the images that may hold names or numbers in their pixels; nothing unseen leaves"),
    Command(id="mask", text="Paint over text", menu="Resolve", shortcuts=("Shift+Q",), needs=LOOKING, group="tool",
            is_checkable=True, icon="mask", tip="Drag over everything that could identify somebody; it leaves black"),
    Command(id="text_clean", text="Nothing more to paint over", menu="Resolve", shortcuts=("Space",), needs=LOOKING,
            tip="The images on the screen may leave, with what is painted over; go on to the next one that waits"),
    Command(id="text_refuse", text="This image must not leave", menu="Resolve", shortcuts=("Shift+Space",),
            needs=LOOKING, tip="The active view stays out of every export; go on when nothing here waits any more"),
    Command(id="text_unmask", text="Take the paint off", menu="Resolve", shortcuts=("Del",), needs="mask",
            tip="Remove the rectangle that is chosen, or the one drawn last, from the active view"),
    Command(id="text_next", text="Next image to look at", menu="Resolve", shortcuts=("Shift+PgDown",), needs=LOOKING,
            tip="Leave the images on the screen as they are and go to the next ones that wait"),
)  # fmt: skip
