"""Cards of models that exist on paper only."""

from __future__ import annotations

from app.core.case import ViewRole
from app.core.model_card import ModelCard
from app.core.model_input import InputKind, ModelInput


def make_card(name: str, **changes: object) -> ModelCard:
    """A card of a model that looks at a whole frontal view."""
    facts: dict[str, object] = {
        "id": name, "title": name.title(), "architecture": "resnet18-frontal", "task": "Is there a fracture?",
        "classes": ("no fracture", "fracture"), "finding": 1,
        "input": ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=32),
        "weights_sha256": name.encode().hex().ljust(64, "0")[:64], "initialised_from": "random",
        "trained_on": "nothing", "seeds": "0", "command": "none", "limits": "Knows nothing.", "licence": "none",
    }  # fmt: skip
    return ModelCard(**(facts | changes))  # type: ignore[arg-type]
