"""Saying what a view shows."""

from __future__ import annotations

from app.ui.commands.command import Command

EXCLUSION_REASONS = ("repeat", "wrong body part", "poor quality", "not a radiograph")

RESOLVE_COMMANDS: tuple[Command, ...] = (
    Command(id="ask", text="Decide about this view", menu="Resolve", needs="view", shortcuts=("Q",),
            tip="Ask what the active view shows, though it is known; press again to leave it"),
    Command(id="frontal", text="View is frontal", tip="Record that the active view is frontal", menu="Resolve",
            has_separator=True,
            needs="question", shortcuts=("F",)),
    Command(id="lateral", text="View is lateral", tip="Record that the active view is lateral", menu="Resolve",
            needs="question", shortcuts=("L",)),
    Command(id="frog-leg", text="View is frog-leg", tip="Record that the active view is a frog-leg lateral",
            menu="Resolve", needs="question", shortcuts=("G",)),
    Command(id="cross-table", text="View is cross-table", menu="Resolve", needs="question", shortcuts=("X",),
            tip="Record that the active view is a cross-table (axial) lateral"),
    Command(id="oblique", text="View is oblique", tip="Record that the active view is oblique", menu="Resolve",
            needs="question", shortcuts=("O",)),
    Command(id="left", text="Left hip", tip="Record that the active view shows the patient's left hip", menu="Resolve",
            needs="question", shortcuts=("Shift+L",), has_separator=True),
    Command(id="right", text="Right hip", tip="Record that the active view shows the patient's right hip",
            menu="Resolve", needs="question", shortcuts=("Shift+R",)),
    Command(id="both", text="Both hips", tip="Record that the active view shows both hips", menu="Resolve",
            needs="question", shortcuts=("Shift+B",)),
    *(Command(id=f"exclude:{reason}", text=f"Exclude view: {reason}", menu="Resolve", needs="question",
              tip=f"Take the active view out of its cases: {reason}", has_separator=not number)
      for number, reason in enumerate(EXCLUSION_REASONS)),
)  # fmt: skip
