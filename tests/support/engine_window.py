"""An engine of the window in tests: a project, models on paper, and a fake process that answers about them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from app.core.case import ViewRole
from app.core.counsel import UsableModel
from app.core.model_input import InputKind, ModelInput
from app.store.consulting import Consultant
from app.store.findings import Findings
from app.store.project import ProjectStore
from app.ui.engine import Engine
from tests.support.cards import make_card

SCRIPT = Path(__file__).with_name("fake_engine.py")
BOTH = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL, ViewRole.LATERAL), size_px=32)
MODELS = (
    UsableModel(folder="pair", card=make_card("pair", input=BOTH)),
    UsableModel(folder="single", card=make_card("single")),
)


class Plan:
    """What the fake process does.

    Args:
        path: where the plan is kept.
        store: the project that it answers about.
        models: the models that it answers for.
    """

    def __init__(self, path: Path, store: ProjectStore, models: Iterable[UsableModel] = MODELS) -> None:
        self.path = path
        self._models = tuple(models)
        self._plan: dict[str, object] = {"answers": {}, "pause_s": 0.0, "faults": []}
        self.learn(store)

    def learn(self, store: ProjectStore) -> None:
        """Know the answers about every case as it is now."""
        findings = Findings(Path("nowhere"), is_writable=False)
        consultant = Consultant(store.folder, store.images, store.derived, findings)
        answers = self._plan["answers"]
        assert isinstance(answers, dict)
        for case in store.cases.all():
            for entry in consultant.ask(case.id, self._models).consultations:
                if entry.views:
                    name = f"{entry.folder} {entry.views[0].given.image_sha256}"
                    answers[name] = [entry.card.weights_sha256, entry.input_key]
        consultant.close()
        findings.close()
        self._write()

    def be(self, *, pause_s: float = 0.0, faults: Iterable[tuple[str, str]] = ()) -> None:
        """Behave like this from now on."""
        self._plan |= {"pause_s": pause_s, "faults": [{"step": step, "how": how} for step, how in faults]}
        self._write()

    @property
    def command(self) -> list[str]:
        """Program and arguments."""
        return [sys.executable, "-I", "-S", str(SCRIPT), str(self.path)]

    def _write(self) -> None:
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self._plan))
        draft.replace(self.path)


def impatient(engine: Engine) -> Engine:
    """The same; a process that stands still is noticed soon."""
    engine.process.standstill_s = 1.5
    return engine
