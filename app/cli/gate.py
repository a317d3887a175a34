"""Two models on the frozen hold-out: shared by `coxa evaluate` and `coxa models promote`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.cli.modest import be_modest
from app.core.errors import UserError
from app.core.evaluation import Evaluation

if TYPE_CHECKING:
    from app.core.promotion import Comparison
    from app.store.models import ModelEntry
    from app.store.project import ProjectStore


def on_hold_out(project: ProjectStore, entry: ModelEntry, *, device: str, precision: str) -> Evaluation:
    """One model on the hold-out; an evaluation of the same weights on the same cases is not made twice.

    Raises:
        UserError: `no-task`, `no-hold-out`, or the model cannot be used.
    """
    from app.store.hold_out import hold_out
    from app.store.run_folder import replace

    folder = hold_out(project, entry.card)
    name = f"{entry.card.weights_sha256[:16]}-{_card_key(entry.folder)}-{precision}.json"
    kept = folder.path / name
    if kept.is_file():
        try:
            return msgspec.json.decode(kept.read_bytes(), type=Evaluation)
        except msgspec.DecodeError:
            kept.unlink()
    be_modest(0)
    from app.engine.device import choose_device
    from app.engine.training.evaluate_model import evaluate_model

    found = evaluate_model(entry.folder, folder, choose_device(device, precision))
    replace(kept, msgspec.json.encode(found))
    return found


def compare_on_hold_out(
    project: ProjectStore, new: ModelEntry, active: ModelEntry, *, device: str = "auto", precision: str = "float32"
) -> Comparison | None:
    """The promotion gate; None where there is nothing to compare on.

    Raises:
        UserError: one of the models cannot be used.
    """
    try:
        ours = on_hold_out(project, new, device=device, precision=precision)
        theirs = on_hold_out(project, active, device=device, precision=precision)
    except UserError as error:
        if error.kind in ("no-hold-out", "no-task"):
            return None
        raise
    from app.engine.training.evaluating import compare_models

    return compare_models(ours, theirs)


def _card_key(folder: Path) -> str:
    """Threshold and temperature are on the card, so a changed card is another model."""
    import hashlib

    return hashlib.sha256((folder / "card.toml").read_bytes()).hexdigest()[:8]
