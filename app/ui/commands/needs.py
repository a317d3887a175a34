"""Why a command cannot be used just now: a sentence for each of the `needs`."""

from __future__ import annotations

from collections.abc import Mapping

NEEDS: Mapping[str, str] = {
    "image": "There is no image on the screen.",
    "cases": "There are no cases in the list.",
    "view": "No view is on the screen.",
    "question": "The active view is not asked about, or the project is read-only. “Decide about this view” asks.",
    "decision": "Nothing was decided yet that could be taken back.",
    "writable case": "There is no case on the screen, or the project is read-only.",
    "blocked case": "The case on the screen is not blocked, or the project is read-only.",
    "annotatable view": "No view of a case is on the screen, the case is blocked, or the project is read-only.",
    "annotatable case": "No case is on the screen, it is blocked, or the project is read-only.",
    "calibrated view": "The active view was not calibrated by hand.",
    "finding": "No model has been asked about the case on the screen.",
    "text review": "Burnt-in text is not being looked for, no view is on the screen, or the project is read-only.",
    "mask": "Nothing is painted over on the active view.",
    "crop": "The active view has no aligned crop, or the project is read-only.",
    "undo": "You have done nothing about this case that could be taken back.",
    "redo": "Nothing was taken back.",
    "commit": "No case is on the screen, or the keyboard is in a field.",
    "ai case": "No case is on the screen, or there is no model to ask.",
    "ai cases": "There are no cases in the list, no model to ask, or many cases are being asked about already.",
    "ai batch": "Nothing is being asked about many cases.",
    "ai engine": "No project is open, or there is no model to ask.",
    "running run": "No model is being trained.",
    "stopped run": "No run that could go on is selected in the training panel.",
    "trained run": "No run with a model is selected in the training panel.",
    "report": "Nothing was imported yet.",
    "merge report": "Nothing was merged yet.",
    "disputed case": "Readers do not disagree about the case on the screen, or the project is read-only.",
    "project": "No project is open.",
    "writable project": "No project is open, or it is read-only.",
}
