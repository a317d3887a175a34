"""Saying what a view shows."""

from __future__ import annotations

from app.ui.commands.command import Command

WRONG_PATIENT = "wrong patient"
EXCLUSION_REASONS = ("repeat", "wrong body part", "poor quality", "not a radiograph", WRONG_PATIENT)

RESOLVE_COMMANDS: tuple[Command, ...] = (
    Command(id="next_question", text="Next question", menu="Resolve", needs="cases", shortcuts=("N",),
            tip="Go to the next view, or the next case, that a person has to decide about"),
    Command(id="go_on", text="Go on to the next case by itself", menu="Resolve", is_checkable=True,
            tip="When everything about a case is decided, open the next case with open questions"),
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
    Command(id="swap", text="Swap the panes", menu="Resolve", needs="question", shortcuts=("E",),
            tip="Record that the left one is the lateral view and the right one the frontal view"),
    Command(id="confirm", text="It is as shown", menu="Resolve", needs="question", shortcuts=("C",),
            tip="Record that projection and side, or the places of both views, are right as they are shown"),
    Command(id="left", text="Left hip", tip="Record that the active view shows the patient's left hip", menu="Resolve",
            needs="question", shortcuts=("Shift+L",), has_separator=True),
    Command(id="right", text="Right hip", tip="Record that the active view shows the patient's right hip",
            menu="Resolve", needs="question", shortcuts=("Shift+R",)),
    Command(id="both", text="Both hips", tip="Record that the active view shows both hips", menu="Resolve",
            needs="question", shortcuts=("Shift+B",)),
    Command(id="same_answer", text="Same answer for views like this", menu="Resolve", needs="question",
            shortcuts=("Shift+A",), tip="The next answer is also given for the views with the same evidence that the "
            "panel names"),
    Command(id="keep_this", text="Keep this view, exclude its repeats", menu="Resolve", needs="question",
            shortcuts=("Shift+O",), tip="Exclude the other views for the same place as repeats", has_separator=True),
    Command(id="exclude", text="Exclude view…", menu="Resolve", needs="question", shortcuts=("Shift+X",),
            tip="Take the active view out of its cases, with a reason; take an excluded one back in"),
    *(Command(id=f"exclude:{reason}", text=f"Exclude view: {reason}", menu="Resolve", needs="question",
              tip=f"Take the active view out of its cases: {reason}")
      for reason in EXCLUSION_REASONS),
    Command(id="take_back", text="Take back the last decision", menu="Resolve", needs="decision",
            shortcuts=("Backspace",), tip="What was decided last does not hold any more", has_separator=True),
    Command(id="block", text="Block this case…", menu="Resolve", needs="writable case",
            tip="Say that images of different patients are mixed up here; nothing of the study is shown any more"),
    Command(id="release", text="Release this case…", menu="Resolve", needs="blocked case",
            tip="Say why a blocked case may be read after all"),
)  # fmt: skip
