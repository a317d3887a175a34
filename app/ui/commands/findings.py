"""What models say about the case on the screen."""

from __future__ import annotations

from app.ui.commands.command import Command

FINDINGS_COMMANDS: tuple[Command, ...] = (
    Command(id="show_findings", text="Findings", menu="AI", shortcuts=("F11",), is_checkable=True, is_checked=True,
            is_kept=True, bar_text="Findings", icon="findings",
            tip="Show or hide what models say about the case: opinions for research, never labels"),
    Command(id="show_heatmap", text="Heatmap", menu="AI", shortcuts=("H",), is_checkable=True, is_checked=True,
            is_kept=True, bar_text="Heatmap", icon="heatmap",
            tip="Show or hide where the chosen model found what speaks for the finding"),
    Command(id="next_model", text="Heatmap of the next model", menu="AI", shortcuts=("Y",), needs="finding",
            tip="Show the heatmap of the next model in the list of findings"),
    Command(id="negative_heatmaps", text="Heatmaps of negatives too", menu="AI", is_checkable=True,
            tip="Show heatmaps also where nothing was found; they have the same scale and are mostly pale"),
    Command(id="sampling_points", text="Sampling points", menu="AI", shortcuts=("Shift+Y",), is_checkable=True,
            icon="points",
            tip="Draw where the deformable layers of a model of two views looked; larger = more attention"),
    Command(id="model_card", text="Model card…", menu="AI", needs="finding", icon="model-card",
            tip="Read what the chosen model was trained and measured on, and what it does not know"),
)  # fmt: skip
