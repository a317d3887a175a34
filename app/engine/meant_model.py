"""Whether the model in a folder is still the one that a question is for: its files can be exchanged at any time.

A model that is in memory was read once and checked as it was read, so what it says is always what its card's weights
say. What cannot be told from there is whether the window still has that card in mind (ADR 0285).
"""

from __future__ import annotations

from pathlib import Path

from app.core.engine_messages import Locate, Predict
from app.core.errors import UserError
from app.core.model_card import ModelCard


def require_meant(job: Predict | Locate, card: ModelCard) -> None:
    """Refuse a question that is for another model than the one that was found.

    Raises:
        UserError: `other-model`.
    """
    if job.model_key and job.model_key != card.answer_key:
        raise exchanged_model(Path(job.model), card)


def exchanged_model(folder: Path, card: ModelCard) -> UserError:
    """Another model is where one was; `card` is that of the other."""
    return UserError(
        f"The files of the model {folder.name[:80]} were exchanged while Coxa was open.",
        reason=f"Its folder holds {card.title[:80]} now ({card.weights_sha256[:12]}…), which answers otherwise.",
        remedy="Restart the AI engine (menu AI) to ask what is there now, or put the old files back and ask again.",
        kind="other-model",
    )


def lost_model(folder: Path, error: UserError) -> UserError:
    """Why a model that was known cannot be read any more; whoever asked chose no folder."""
    if error.kind == "no-model":
        return UserError(
            f"The files of the model {folder.name[:80]} are gone.",
            reason=error.reason,
            remedy="Put its folder back and ask again, or restart the AI engine (menu AI) to go on without the model.",
            kind="model-gone",
        )
    return error
