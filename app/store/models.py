"""Models that can answer: those that Coxa ships with and those of a project; which one answers, and since when.

Which model answers is an event like any other: target `project`, field `model.<task>`, value the model's id. Without
one the bundled model answers. Nothing is ever deleted by promoting, so a roll-back gives the same answers as before,
bit by bit.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import UserError
from app.core.event import PROJECT, Event
from app.core.model_card import ModelCard
from app.core.promotion import Comparison, require_reason
from app.store.fs import PRIVATE_FOLDER
from app.store.model_folder import CARD, import_model, read_card, verified_weights
from app.store.project import ProjectStore
from app.store.resources import resource_path

FIELD = "model."  # + task id
EVALUATION = "evaluation.json"  # of a model that was made by a run


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model on disk.

    Args:
        folder: its folder.
        card: its card.
        is_bundled: whether Coxa ships with it.
    """

    folder: Path
    card: ModelCard
    is_bundled: bool

    @property
    def id(self) -> str:
        """Its id."""
        return self.card.id

    @property
    def task_id(self) -> str:
        """Its place."""
        return self.card.task_id


class Models:
    """The models of one project. Reading them needs no writer.

    Args:
        project: the project; None: the bundled models only.
        bundled: folder of the bundled models; Coxa's own when left out.
    """

    def __init__(self, project: ProjectStore | None, *, bundled: Path | None = None) -> None:
        self._project = project
        self._bundled = bundled if bundled is not None else bundled_models()

    def all(self) -> list[ModelEntry]:
        """Every model whose card can be read, bundled ones first; of two with one id the project's."""
        own = _entries(self._project.folder.models, is_bundled=False) if self._project is not None else []
        names = {entry.id for entry in own}
        shipped = _entries(self._bundled, is_bundled=True) if self._bundled is not None else []
        return [entry for entry in shipped if entry.id not in names] + own

    def get(self, model_id: str) -> ModelEntry:
        """One model.

        Raises:
            UserError: `no-model`.
        """
        found = next((entry for entry in self.all() if entry.id == model_id), None)
        if found is None:
            raise UserError(
                "There is no such model.",
                reason=f"Neither Coxa nor this project has a model {model_id[:64]}.",
                remedy="`coxa models list` names them.",
                kind="no-model",
            )
        return found

    def tasks(self) -> list[str]:
        """Every place for which there is a model."""
        return sorted({entry.task_id for entry in self.all()})

    def active(self, task_id: str) -> ModelEntry | None:
        """The model that answers; None where there is none at all.

        A model that was promoted and is gone gives its place back to the bundled one.
        """
        return self._active(task_id, self.all())

    def actives(self) -> dict[str, ModelEntry]:
        """Place -> the model that answers there."""
        entries = self.all()  # once: every card is a file
        tasks = sorted({entry.task_id for entry in entries})
        return {task: entry for task in tasks if (entry := self._active(task, entries)) is not None}

    def history(self, task_id: str) -> list[Event]:
        """Who has put which model in this place, oldest first."""
        if self._project is None:
            return []
        return [event for event in self._project.events.of(PROJECT) if event.field == f"{FIELD}{task_id}"]

    def earlier(self, task_id: str) -> list[ModelEntry]:
        """The models that have answered here and do not any more, as far as they are still there."""
        events = self.history(task_id)
        if not events:
            return []
        entries = [entry for entry in self.all() if entry.task_id == task_id]
        active = self._active(task_id, entries)
        once = {value for event in events for value in (event.before, event.after)}
        return [
            entry
            for entry in entries
            if entry is not active and (entry.id in once or (entry.is_bundled and None in once))
        ]

    def add(self, source: Path) -> ModelEntry:
        """Copy a received model, or that of a run, into the project.

        Raises:
            UserError: anything is wrong with it (`import_model`), or the project is open read-only.
        """
        project = self._writable()
        name = read_card(source).id
        if self._bundled is not None and any(each.id == name for each in _entries(self._bundled, is_bundled=True)):
            raise UserError(
                "Coxa ships with a model of this name.",
                reason=f"{name} in the project would stand in the way of the bundled one, which would answer no more.",
                remedy="Give the other one another id on its card.",
                kind="exists",
            )
        project.folder.models.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        card = import_model(source, project.folder.models)
        measured = (source.parent if source.name == "model" else source) / EVALUATION
        goal = project.folder.models / card.id / EVALUATION
        if measured.is_file() and not goal.exists():
            shutil.copyfile(measured, goal)
        return self.get(card.id)

    def promote(
        self, model_id: str, *, author: str, comparison: Comparison | None = None, reason: str = ""
    ) -> Event | None:
        """Let a model answer from now on.

        Args:
            model_id: which one.
            author: who decides.
            comparison: with the model that answers now; None = it could not be made.
            reason: what was typed; needed where the model is worse, or nobody knows.

        Returns:
            The event; None where it answers already.

        Raises:
            UserError: `no-model`, `needs-reason`, `read-only`, or its weights are not those of its card.
        """
        project = self._writable()
        entry = self.get(model_id)
        verified_weights(entry.folder, entry.card)
        active = self.active(entry.task_id)
        if active is not None and active.id == model_id:
            return None
        plain = require_reason(comparison, reason) if active is not None else " ".join(reason.split())
        parts = [f"{entry.card.title} ({model_id}) answers now"]
        parts += [comparison.words] if comparison is not None else []
        parts += [f"Reason: {plain}"] if plain else []
        with project.transaction():
            return project.events.append(
                target=PROJECT, field=f"{FIELD}{entry.task_id}", after=model_id, text=". ".join(parts), author=author
            )

    def roll_back(self, task_id: str, *, author: str, reason: str = "") -> Event:
        """Let the model answer that answered before the present one; again goes one step further back.

        Raises:
            UserError: `nothing-to-roll-back`, or `no-model`: that model is gone.
        """
        project = self._writable()
        last = self._last_promotion(task_id)
        if last is None:
            raise UserError(
                "There is nothing to go back to.",
                reason="No model was promoted to this place.",
                kind="nothing-to-roll-back",
            )
        if last.before is not None:
            entry = self.get(str(last.before))
            verified_weights(entry.folder, entry.card)
        words = f"Back to {last.before or 'the bundled model'}"
        plain = " ".join(reason.split())
        with project.transaction():
            return project.events.append(
                target=PROJECT,
                field=f"{FIELD}{task_id}",
                after=last.before,
                text=f"{words}. Reason: {plain}" if plain else words,
                author=author,
                reverts=last.id,
            )

    def can_roll_back(self, task_id: str) -> bool:
        """Whether a model was promoted to this place."""
        return self._last_promotion(task_id) is not None

    def _last_promotion(self, task_id: str) -> Event | None:
        """The promotion that holds now: each roll-back takes one off."""
        standing: list[Event] = []
        for event in self.history(task_id):
            if event.reverts is None:
                standing.append(event)
            else:
                standing = [each for each in standing if each.id < event.reverts]
        return standing[-1] if standing else None

    def _active(self, task_id: str, entries: list[ModelEntry]) -> ModelEntry | None:
        fitting = [entry for entry in entries if entry.task_id == task_id]
        chosen = self._chosen(task_id)
        return next((entry for entry in fitting if entry.id == chosen), None) or next(
            (entry for entry in fitting if entry.is_bundled), None
        )

    def _chosen(self, task_id: str) -> str | None:
        value = None if self._project is None else self._project.events.current(PROJECT, f"{FIELD}{task_id}")
        return None if value is None else str(value)

    def _writable(self) -> ProjectStore:
        if self._project is None or self._project.is_read_only:
            raise UserError(
                "This project is open read-only.",
                reason="Which model answers is recorded in the project.",
                remedy="Open it for writing.",
                kind="read-only",
            )
        return self._project


def bundled_models() -> Path | None:
    """The folder of the models that Coxa ships with; None in a copy without them."""
    try:
        return resource_path("models")
    except FileNotFoundError:
        return None


def _entries(folder: Path, *, is_bundled: bool) -> list[ModelEntry]:
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or not (path / CARD).is_file():
            continue
        try:
            found.append(ModelEntry(folder=path, card=read_card(path), is_bundled=is_bundled))
        except UserError:
            continue  # the others can be used
    return found
