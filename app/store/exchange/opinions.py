"""What models have said about cases, for exports: kept findings only, nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.case import View
from app.core.errors import UserError
from app.core.finding import Consultation, ConsultationState
from app.store.consulting import Consultant
from app.store.findings import Findings
from app.store.project import ProjectStore
from app.store.usable_models import usable_models


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHeatmap:
    """One heatmap of a finding.

    Args:
        view_id: over which view.
        method: how it was made.
        class_number: of which class of the card.
        path: the file, (h, w) float32 over the model's input.
    """

    view_id: str
    method: str
    class_number: int
    path: Path

    def load(self) -> npt.NDArray[np.float32]:
        """Its values.

        Raises:
            UserError: `heatmap-missing`: the file is gone or damaged.
        """
        try:
            values = np.load(self.path, allow_pickle=False)
            if values.ndim != 2 or values.dtype.kind != "f":
                raise ValueError("not a heatmap")
        except (OSError, ValueError, EOFError) as error:
            raise UserError(
                "A heatmap of the project cannot be read.",
                reason="Its file is gone or damaged.",
                remedy="Let the model look at the case again, then export again.",
                kind="heatmap-missing",
            ) from error
        return np.asarray(values, np.float32)


class Opinions:
    """What the models of a project have said. Use it in one thread, and close it.

    Args:
        project: the open project.
    """

    def __init__(self, project: ProjectStore) -> None:
        self._findings = Findings(project.folder.cache, is_writable=False)
        self._consultant = Consultant(project.folder, project.images, project.derived, self._findings)
        self._models, self._localiser = usable_models(project)

    def of(self, case_id: str, *, reader: str = "") -> tuple[Consultation, ...]:
        """Every answer about a case that holds for it as it is now; by model."""
        if not self._models:
            return ()
        counsel = self._consultant.ask(
            case_id, self._models, reader=reader, localiser=self._localiser, may_read_images=False
        )
        return tuple(one for one in counsel.consultations if one.state is ConsultationState.ANSWERED)

    def heatmaps(self, consultation: Consultation, views: tuple[View, ...]) -> tuple[KeptHeatmap, ...]:
        """The heatmaps of an answer over these views, by method, class and view."""
        finding = consultation.finding
        if finding is None:
            return ()
        wanted = {view.id for view in views}
        kept = [
            KeptHeatmap(
                view_id=fed.view_id,
                method=entry.method,
                class_number=entry.class_number,
                path=self._findings.heatmap_folder / name,
            )
            for entry in finding.heatmaps
            for fed, name in zip(consultation.views, entry.files, strict=False)
            if fed.view_id in wanted
        ]
        return tuple(sorted(kept, key=lambda one: (one.method, one.class_number, one.view_id)))

    def close(self) -> None:
        """Close what was opened."""
        self._consultant.close()
        self._findings.close()
