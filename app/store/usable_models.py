"""The models that are asked about a project's cases: the active one of each place, and the one that finds the hip."""

from __future__ import annotations

from pathlib import Path

from app.core.counsel import UsableModel
from app.core.event import PROJECT
from app.store.models import FIELD, Models
from app.store.project import ProjectStore

LOCALISER = "hip-localiser"  # the network that finds the hip
ORDER = ("pair", "frontal", "lateral")  # what sees more is named first


def usable_models(
    project: ProjectStore, *, bundled: Path | None = None
) -> tuple[tuple[UsableModel, ...], UsableModel | None]:
    """The models that are asked, and the localiser, if there is one.

    Args:
        project: the project.
        bundled: folder of the bundled models; Coxa's own when left out.
    """
    models = Models(project, bundled=bundled)
    entries = models.actives().values()
    localisers = [entry for entry in entries if entry.card.architecture == LOCALISER]
    asked = sorted((entry for entry in entries if entry not in localisers), key=lambda entry: _place(entry.task_id))
    localiser = UsableModel(folder=str(localisers[-1].folder), card=localisers[-1].card) if localisers else None
    return tuple(
        UsableModel(
            folder=str(entry.folder),
            card=entry.card,
            earlier=tuple(each.card.weights_sha256 for each in models.earlier(entry.task_id)),
        )
        for entry in asked
    ), localiser


def chosen_models(project: ProjectStore) -> tuple[tuple[str, str], ...]:
    """What was promoted in a project, place by place; differs when other models are to be asked."""
    rows = project.database.rows(
        "SELECT field, value FROM current WHERE target = ? AND field >= ? AND field < ? ORDER BY field",
        (PROJECT, FIELD, f"{FIELD[:-1]}/"),
    )
    return tuple((str(field), str(value)) for field, value in rows)


def _place(task_id: str) -> tuple[bool, int, str]:
    question, _, views = task_id.partition(".")
    return question != "fracture", ORDER.index(views) if views in ORDER else len(ORDER), question
