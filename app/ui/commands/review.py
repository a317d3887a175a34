"""What is said about the whole case: status, who looks at it, comments; and its history."""

from __future__ import annotations

from app.ui.commands.command import Command

CASE = "annotatable case"
STATUSES: tuple[tuple[str, str], ...] = (
    ("new", "New"),
    ("annotated", "Annotated"),
    ("reviewed", "Reviewed"),
    ("excluded", "Excluded"),
    ("second-look", "Second look"),
)

REVIEW_COMMANDS: tuple[Command, ...] = (
    Command(id="next_new", text="Next new case", menu="Case", shortcuts=("Ctrl+PgDown",), needs="cases",
            tip="Go down to the next case in the list that nobody has marked as annotated yet", has_separator=True,
            icon="next"),
    *(Command(id=f"status:{name}", text=f"Status: {text}", menu="Case", shortcuts=(f"Alt+{number}",), needs=CASE,
              tip="Set the review status of the case on the screen", has_separator=number == 1,
              icon=f"status-{name}")
      for number, (name, text) in enumerate(STATUSES, start=1)),
    Command(id="assign", text="Assign…", menu="Case", shortcuts=("Ctrl+Shift+A",), needs=CASE, has_separator=True,
            tip="Say who is to look at this case"),
    Command(id="comment", text="Comment…", menu="Case", shortcuts=("Ctrl+M",), needs=CASE,
            tip="Write a comment about this case"),
    Command(id="show_notes", text="Status and comments", menu="Case", shortcuts=("F2",), is_checkable=True,
            tip="Show or hide status, assignment and comments of the case", has_separator=True, icon="info"),
    Command(id="show_history", text="History", menu="Case", shortcuts=("F3",), is_checkable=True, icon="history",
            tip="Show or hide who said what about the case and when, and go back to any state"),
    Command(id="adjudication_queue", text="List disagreements", menu="Case", shortcuts=("Ctrl+D",), needs="project",
            tip="List exactly the cases on which readers disagree and nobody has decided, and open the first",
            has_separator=True, icon="disagreements"),
    Command(id="next_disputed", text="Next disagreement", menu="Case", shortcuts=("Ctrl+Shift+PgDown",), needs="cases",
            tip="Go down to the next case in the list on which readers disagree and nobody has decided"),
    Command(id="show_adjudication", text="Disagreements", menu="Case", shortcuts=("Ctrl+Shift+D",), is_checkable=True,
            tip="Show or hide on what readers of the case disagree; while it is shown, digits and letters decide",
            icon="decide"),
)  # fmt: skip
