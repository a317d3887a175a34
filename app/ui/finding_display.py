"""Shows what models say about the case on the screen: the rows of the panel, and one model's heatmap on the images."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject

from app.core.finding import Consultation, ConsultationState, FedView, Finding, Verdict
from app.core.heatmap import POINT_COLUMNS
from app.core.model_input import InputKind
from app.ui.ablation_asking import AblationAsking
from app.ui.engine import Engine
from app.ui.engine_state import EngineState
from app.ui.findings_panel import FindingsPanel, PanelView
from app.ui.heat_board import HeatBoard, ViewOverlay
from app.ui.heat_controls import METHODS, has_cam
from app.ui.language import say, tr
from app.ui.viewer import Viewer

ARRAYS_KEPT = 64
LARGEST_MAP = 4096  # cells on a side; a larger file is no heatmap
SHOWN_BY_ITSELF = (Verdict.FOUND, Verdict.ABSTAINS)
Array = npt.NDArray[np.float32]


class FindingDisplay(QObject):
    """What is shown of the consultations of the case on the screen.

    Args:
        engine: who knows them.
        viewer: the images.
        panel: the rows.
        board: what is drawn over the images.

    Attributes:
        folder: where heatmap files are; None while no project is open.
    """

    def __init__(self, engine: Engine, viewer: Viewer, panel: FindingsPanel, board: HeatBoard) -> None:
        super().__init__(panel)
        self._engine, self._viewer, self.panel, self.board = engine, viewer, panel, board
        self.folder: Path | None = None
        self.ablations = AblationAsking(engine, self)
        self.ablations.answered.connect(self.refresh)
        self._chosen = ""  # the model that somebody has clicked
        self._method = METHODS[0][0]
        self._classes: dict[str, int] = {}
        self._is_shown = True
        self._has_negatives = False
        self._has_points = False
        self._is_ablating = False
        self._asked: dict[tuple[object, ...], bool] = {}  # what was asked for -> whether it may still come
        self._arrays: OrderedDict[str, Array] = OrderedDict()
        engine.finding_arrived.connect(self._on_arrived)
        panel.chosen.connect(self.choose)
        panel.ablation_wanted.connect(self._on_ablation)
        panel.heat.wanted.connect(self._on_heatmap)
        panel.heat.look_changed.connect(board.set_look)

    def use(self, folder: Path | None) -> None:
        """Another project, or none."""
        self.folder = folder
        self.ablations.forget()
        self._asked.clear()
        self._arrays.clear()
        self.board.clear()
        self.refresh()

    # --- what is chosen ---

    @property
    def case_id(self) -> str:
        """The case on the screen, if it is also the one that was asked for and may be read."""
        content = self._viewer.content
        if content is None or not self._viewer.is_settled or content.case.blocked_reason:
            return ""
        return content.case.id

    @property
    def active(self) -> Consultation | None:
        """The consultation whose heatmap is on the images."""
        entries = self._engine.consultations(self.case_id) if self.case_id else ()
        by_id = {entry.card.id: entry for entry in entries}
        if self._chosen in by_id:
            return by_id[self._chosen]
        answered = [entry for entry in entries if entry.state is ConsultationState.ANSWERED]
        return next(iter((*answered, *entries)), None)

    def choose(self, model_id: str) -> None:
        """Show the heatmap of another model."""
        self._chosen = model_id
        self.refresh()

    def choose_next(self) -> None:
        """Show the heatmap of the model below, from the last one on that of the first."""
        entries = self._engine.consultations(self.case_id) if self.case_id else ()
        active = self.active
        if active is not None and entries:
            names = [entry.card.id for entry in entries]
            self.choose(names[(names.index(active.card.id) + 1) % len(names)])

    def set_shown(self, is_shown: bool) -> None:
        """Show or hide heatmaps."""
        self._is_shown = is_shown
        self.board.set_shown(is_shown)
        self.refresh()

    def set_negatives(self, is_on: bool) -> None:
        """Show heatmaps also where nothing was found, or not."""
        self._has_negatives = is_on
        self.refresh()

    def set_points(self, is_on: bool) -> None:
        """Draw the sampling points, or not."""
        self._has_points = is_on
        self.refresh()

    # --- what is shown ---

    def refresh(self) -> None:
        """Bring everything up to date; cheap, and safe to call at any time."""
        case_id = self.case_id
        entries = self._engine.consultations(case_id) if case_id else ()
        active = self.active
        if self.panel.isVisible():
            self.panel.show_view(
                PanelView(
                    consultations=entries,
                    active=active.card.id if active is not None else "",
                    ablation=self.ablations.of(active) if active is not None and self._is_ablating else None,
                    silence=self._silence(entries),
                    engine_note=self._engine_note(entries),
                )
            )
        self._paint(active)

    def _silence(self, entries: tuple[Consultation, ...]) -> str:
        content = self._viewer.content
        if content is None:
            return tr("No case is on the screen.")
        if content.case.blocked_reason:
            return tr("The case is blocked. No model is asked about it.")
        if not self._engine.models:
            return tr("There are no models.")
        if not entries:
            return tr("Looking up what is known …")
        return ""

    def _engine_note(self, entries: tuple[Consultation, ...]) -> str:
        state, error = self._engine.state, self._engine.error
        is_wanted = any(entry.state is ConsultationState.WAITING for entry in entries)
        if error is not None and state in (EngineState.UNAVAILABLE, EngineState.GIVEN_UP):
            return " ".join(say(part) for part in (error.title, error.reason, error.remedy) if part)
        if state is EngineState.STARTING and is_wanted:
            return tr("The AI engine is starting …")
        return ""

    def _paint(self, active: Consultation | None) -> None:
        card = active.card if active is not None else None
        finding = active.finding if active is not None else None
        class_number = self._class_of(active)
        method = self._method if card is None or self._method != "cam" or has_cam(card) else METHODS[0][0]
        maps: tuple[Array | None, ...] = ()
        note = ""
        if active is not None and finding is not None:
            note = self._reason_for_none(active, class_number)
            if not note:
                maps = self._maps(active, finding, method, class_number)
                note = tr("Heatmap not validated") if _audit_note(active) else ""
                if not maps:
                    is_coming = self._ask(active, method, class_number, has_points=False)
                    note = tr("The heatmap is being made …" if is_coming else "The engine could not make this heatmap.")
        has_points = active is not None and "cvdt" in active.card.architecture and len(active.card.input.roles) == 2
        points = self._points(active, finding, method, class_number) if has_points and self._has_points else None
        overlays = {}
        for number, view in enumerate(active.views if active is not None else ()):
            overlays[view.view_id] = _overlay(
                active, view, maps[number] if number < len(maps) else None,
                points=None if points is None else points[points[:, 0] == number][:, 2:],
                mark="" if not _audit_note(active) else tr("heatmap not validated"),
            )  # fmt: skip
        self.board.show(overlays)
        is_painted = any(part is not None for part in maps)
        if has_points and self._has_points and points is None and finding is not None:
            note = "\n".join(filter(None, (note, tr("The sampling points are being traced …"))))
        if points is not None and not len(points):
            note = "\n".join(filter(None, (note, tr("Sampling points need PyTorch, which is not installed here."))))
        self.panel.heat.show_state(
            card, method=method, class_number=class_number, is_shown=self._is_shown, is_painted=is_painted,
            note=note if self._is_shown or not is_painted else "", tip=_audit_note(active),
            has_points=self._has_points if has_points else None,
        )  # fmt: skip
        self.panel.heat.set_negatives(self._has_negatives)

    def _class_of(self, active: Consultation | None) -> int:
        if active is None:
            return 0
        return self._classes.get(active.card.id, active.card.finding)

    def _reason_for_none(self, active: Consultation, class_number: int) -> str:
        """Why no heatmap is painted; empty where one is. A negative gets none unless somebody asks for it."""
        verdict = active.verdict
        if self._has_negatives or class_number != active.card.finding or verdict in SHOWN_BY_ITSELF:
            return ""
        if verdict is Verdict.OUTSIDE:
            return tr("No heatmap: the case is outside what the model knows.")
        return tr("No heatmap: nothing was found.")

    def _maps(self, active: Consultation, finding: Finding, method: str, class_number: int) -> tuple[Array | None, ...]:
        files = finding.heatmap(method, class_number)
        if files is None:
            self._ask(active, method, class_number, has_points=False)
            return ()
        return tuple(self._load(name, columns=0) for name in files.files)

    def _points(
        self, active: Consultation | None, finding: Finding | None, method: str, class_number: int
    ) -> Array | None:
        """(K, 5); empty when the engine has none to tell; None while it is being asked."""
        if active is None or finding is None:
            return None
        if finding.points:
            return self._load(finding.points, columns=len(POINT_COLUMNS))
        if self._ask(active, method, class_number, has_points=True):
            return None
        return np.empty((0, len(POINT_COLUMNS)), np.float32)

    def _ask(self, active: Consultation, method: str, class_number: int, *, has_points: bool) -> bool:
        """Ask for what is missing, once. False when it did not come."""
        key = (active.case_id, active.card.weights_sha256, active.input_key, method, class_number, has_points)
        if key not in self._asked:
            self._asked[key] = True
            self._engine.ask_heatmap(active.case_id, active.card.id, method, class_number, has_points=has_points)
        return self._asked[key]

    def _on_arrived(self, case_id: str) -> None:
        for key in self._asked:
            if key[0] == case_id:
                self._asked[key] = False

    def _load(self, name: str, *, columns: int) -> Array | None:
        """A file of the engine; None for one that is not what it should be: it may be damaged, and is made again."""
        found = self._arrays.get(name)
        if found is None and self.folder is not None:
            found = _read_array(self.folder / name, columns=columns)
            if found is not None:
                self._arrays[name] = found  # the name holds everything that it depends on
                while len(self._arrays) > ARRAYS_KEPT:
                    self._arrays.popitem(last=False)
        return found

    def _on_heatmap(self, method: str, class_number: int) -> None:
        active = self.active
        self._method = method
        if active is not None:
            self._classes[active.card.id] = class_number
        self.refresh()

    def _on_ablation(self, model_id: str, is_on: bool) -> None:
        self._chosen = model_id
        self._is_ablating = is_on
        if is_on:
            self.ablations.try_again()
        self.refresh()


def _read_array(path: Path, *, columns: int) -> Array | None:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    is_fit = (
        isinstance(array, np.ndarray)
        and array.dtype == np.float32
        and array.ndim == 2
        and min(array.shape) > 0
        and (array.shape[1] == columns if columns else max(array.shape) <= LARGEST_MAP)
        and bool(np.isfinite(array).all())
    )
    return array if is_fit else None


def _overlay(
    active: Consultation | None, view: FedView, heatmap: Array | None, *, points: Array | None, mark: str
) -> ViewOverlay:
    assert active is not None
    return ViewOverlay(
        case_id=active.case_id,
        view_id=view.view_id,
        image_sha256=view.given.image_sha256,
        cut=view.given.cut,
        heatmap=heatmap,
        scale=active.card.heatmap_scale,
        is_framed=active.card.input.kind is InputKind.REGION_CROP,
        is_proposed=view.is_located,
        points=points,
        mark=mark if heatmap is not None else "",
    )


def _audit_note(active: Consultation | None) -> str:
    """Whether heatmaps of a model may be believed; empty when they may."""
    if active is None or active.card.is_heatmap_validated:
        return ""
    if active.card.heatmap_audit is None:
        return tr("Not validated: nobody has checked where heatmaps of this model point.")
    return tr("Not validated: heatmaps of this model failed the audit.")
