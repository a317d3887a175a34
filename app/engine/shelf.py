"""Models in memory: as many as the budget allows, those used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from app.engine.hardware import give_memory_back
from app.engine.opinion import RunningModel
from app.store.model_folder import CARD, GRAPH

State = tuple[tuple[int, int], ...]


class Shelf:
    """Keeps models loaded.

    Args:
        load: brings a model to the device.
        budget_bytes: most memory of all models together; the one in use may take more.
    """

    def __init__(self, load: Callable[[Path], RunningModel], budget_bytes: int) -> None:
        self._load, self._budget = load, budget_bytes
        self._models: OrderedDict[tuple[str, State], RunningModel] = OrderedDict()

    def get(self, folder: str) -> RunningModel:
        """A model, loaded when it is not there or when its files have changed.

        Raises:
            UserError: it cannot be used.
        """
        key = (folder, _state(Path(folder)))
        found = self._models.get(key)
        if found is None:
            for other in [one for one in self._models if one[0] == folder]:  # what was there before
                del self._models[other]
            found = self._loaded(Path(folder))
            self._models[key] = found
        self._models.move_to_end(key)
        self._make_room()
        return found

    def clear(self) -> None:
        """Give back everything."""
        self._models.clear()
        give_memory_back()

    def __len__(self) -> int:
        return len(self._models)

    def _loaded(self, folder: Path) -> RunningModel:
        try:
            return self._load(folder)
        except MemoryError:
            if not self._models:
                raise
            self.clear()
            return self._load(folder)

    def _make_room(self) -> None:
        while len(self._models) > 1 and sum(model.memory_bytes for model in self._models.values()) > self._budget:
            self._models.popitem(last=False)
            give_memory_back()


def _state(folder: Path) -> State:
    """Changes when the model in a folder is exchanged."""
    facts = []
    for name in (CARD, GRAPH):
        try:
            found = (folder / name).stat()
        except OSError:
            facts.append((0, 0))
        else:
            facts.append((found.st_mtime_ns, found.st_size))
    return tuple(facts)
