"""Training models on the annotated cases."""

from __future__ import annotations

from app.ui.commands.command import Command

TRAIN_COMMANDS: tuple[Command, ...] = (
    Command(id="training", text="Train a model", menu="Train", shortcuts=("Ctrl+T",), needs="project", icon="train",
            is_checkable=True, tip="Show what would be trained on the annotated cases, and the runs; Enter starts"),
    Command(id="training_pause", text="Pause the training", menu="Train", needs="running run", icon="pause",
            tip="End the run in progress after its present step; it goes on from there when you resume it"),
    Command(id="training_finish", text="Stop and keep the best", menu="Train", needs="running run", icon="stop",
            tip="End the run in progress and make a model of the best weights so far"),
    Command(id="training_resume", text="Resume the run", menu="Train", needs="stopped run", icon="go-on",
            tip="Go on with the selected run where it was"),
    Command(id="promote", text="Promote the model", menu="Train", needs="trained run", icon="promote",
            has_separator=True,
            tip="Compare the model of the selected run with the one that answers now, and let it answer instead"),
    Command(id="roll_back", text="Go back to the model before", menu="Train", needs="writable project",
            icon="take-back", tip="Let the model answer again that answered before the last promotion"),
)  # fmt: skip
