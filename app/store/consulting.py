"""What models are fed of a case, what they have said about it, and why one cannot be asked.

The window and the command line ask here, so that both feed models the same. Uses a connection of its own, that of the
thread which makes the first call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from app.core.annotation import (
    ALIGNMENT,
    CASE,
    CROP_VERDICT,
    REGION,
    alignment_of,
    reader_target,
    region_of,
    split_target,
)
from app.core.case import Case, View, ViewFlag, ViewRole
from app.core.counsel import Counsel, LocatedHip, LocatedRegion, UsableModel, WantedHip
from app.core.engine_messages import ViewInput, WholeView
from app.core.errors import UserError
from app.core.event import Json, target_of
from app.core.finding import Consultation, ConsultationState, FedView, Gap
from app.core.geometry import Alignment
from app.core.grey import Window
from app.core.model_card import ModelCard
from app.core.model_input import InputKind, ViewGeometry, input_crop, input_key
from app.core.region import RegionBox, region_around
from app.store.cases import Cases
from app.store.crops import CropState, crop_state
from app.store.database import Database
from app.store.derived import DerivedCache
from app.store.events import EventLog
from app.store.findings import Findings
from app.store.folder import ProjectFolder
from app.store.images import ImageStore
from app.store.located import kept_hip, located_key
from app.store.touched import head_of, touched_since
from app.store.views import Views
from app.store.windows import kept_windows, windows_of

UNFIT = (ViewFlag.PARTIAL, ViewFlag.FALLBACK_DECODER)


class Consultant:
    """Answers questions about the cases of one project. For one thread, besides `close` at its end.

    Args:
        folder: the project.
        images: its images.
        derived: its derived values.
        findings: its findings.
    """

    def __init__(self, folder: ProjectFolder, images: ImageStore, derived: DerivedCache, findings: Findings) -> None:
        self._folder, self._images, self._derived, self._findings = folder, images, derived, findings
        self._database: Database | None = None

    def close(self) -> None:
        """Close the connection; from the thread that asked."""
        if self._database is not None:
            self._database.close()
            self._database = None

    @property
    def database(self) -> Database:
        """A reading connection of the asking thread."""
        if self._database is None:
            self._database = Database.open_reader(self._folder.database)
        return self._database

    def ask(
        self,
        case_id: str,
        models: Sequence[UsableModel],
        *,
        reader: str = "",
        localiser: UsableModel | None = None,
        may_read_images: bool = True,
    ) -> Counsel:
        """Everything about one case.

        Args:
            case_id: the case.
            models: which models are asked.
            reader: whose clicks and boxes come first; another reader's count where this one has made none.
            localiser: proposes regions where nobody has drawn one.
            may_read_images: whether windows that are not known yet may be computed, which needs the image.
        """
        events = EventLog(self.database)
        case = Cases(self.database, events).get(case_id)
        if case is None:
            return Counsel(case_id=case_id)
        sitting = _Sitting(self, case, events, reader, localiser, may_read_images=may_read_images)
        answers = [sitting.consult(model) for model in models]
        return Counsel(
            case_id=case_id,
            consultations=tuple(answer for answer in answers if answer is not None),
            wanted=tuple(sitting.wanted.values()),
            located=tuple(sitting.located.values()),
            is_unprepared=sitting.is_unprepared,
        )

    def catch_up(
        self, models: Sequence[UsableModel], *, localiser: UsableModel | None = None, reader: str = ""
    ) -> bool:
        """Note which findings are still those of their cases, for every case that was touched since the last time.

        Returns:
            Whether any case was touched.
        """
        head, known = head_of(self.database), self._findings.head()
        if head == known:
            return False
        touched = touched_since(self.database, known, head)
        if touched is None:
            self._findings.forget_all()
        else:
            self._findings.forget(touched)
            for case_id in sorted(touched):
                self.ask(case_id, models, reader=reader, localiser=localiser, may_read_images=False)
        self._findings.note_head(*head)
        return touched is None or bool(touched)

    def window(self, view: View, *, may_read_images: bool) -> Window | None:
        """The automatic window of a view; None when it is not known and must not be looked for.

        Raises:
            UserError: the image is missing or damaged.
        """
        kept = kept_windows(self._derived, view.image_sha256, view.grey)
        if kept is None and may_read_images:
            image = self._images.load(view.image_sha256)
            kept = windows_of(self._derived, view.image_sha256, image, view.grey)
        return None if kept is None else kept["auto"]

    def hip(self, key: bytes) -> LocatedHip | None:
        """Where a localiser has found the hip before."""
        return kept_hip(self._derived, key)

    def finding_of(self, consultation: Consultation) -> Consultation:
        """The same, answered if it was answered before."""
        weights = consultation.card.weights_sha256
        finding = self._findings.get(consultation.case_id, weights, consultation.input_key)
        self._findings.note_current(consultation.case_id, weights, consultation.input_key)
        if finding is None:
            return consultation
        return replace(consultation, state=ConsultationState.ANSWERED, finding=finding)


class _Refused(Exception):  # not an error
    """A model cannot be asked."""

    def __init__(self, gap: Gap, role: ViewRole | None = None) -> None:
        super().__init__(gap.value)
        self.gap, self.role = gap, role


class _Unready(Exception):  # not an error
    """A model cannot be asked yet."""


class _Sitting:
    """One case and everything that was looked up about it."""

    def __init__(
        self,
        consultant: Consultant,
        case: Case,
        events: EventLog,
        reader: str,
        localiser: UsableModel | None,
        *,
        may_read_images: bool,
    ) -> None:
        self._consultant, self._case, self._localiser = consultant, case, localiser
        self._may_read_images = may_read_images
        self._views = Views(consultant.database, events)
        self._readings = _readings(consultant.database, events, case.id, reader)
        self._seen: dict[str, View | None] = {}
        self.wanted: dict[bytes, WantedHip] = {}
        self.located: dict[str, LocatedRegion] = {}
        self.is_unprepared = False

    def consult(self, model: UsableModel) -> Consultation | None:
        """What one model is fed, or why not."""
        blank = Consultation(
            case_id=self._case.id, card=model.card, folder=model.folder, state=ConsultationState.UNKNOWN
        )
        try:
            fed = tuple(self._fed(role, model.card) for role in model.card.input.roles)
        except _Unready:
            return blank
        except _Refused as refused:
            self._consultant.finding_of(blank)  # it has no finding of its own any more
            return replace(blank, state=ConsultationState.IMPOSSIBLE, gap=refused.gap, gap_role=refused.role)
        key = input_key(model.card.input, tuple((view.given.pixels_key, view.given.cut) for view in fed))
        return self._consultant.finding_of(replace(blank, views=fed, input_key=key))

    def _fed(self, role: ViewRole, card: ModelCard) -> FedView:
        if self._case.blocked_reason:
            raise _Refused(Gap.BLOCKED)
        view = self._view(role)
        if view is None:
            raise _Refused(Gap.MISSING_VIEW, role)
        if any(flag in view.flags for flag in UNFIT):
            raise _Refused(Gap.UNFIT_IMAGE, role)
        if self._case.side is None and card.input.is_right_mirrored:
            raise _Refused(Gap.SIDE_OPEN)
        alignment = region = None
        is_located = False
        if card.input.kind is InputKind.ALIGNED_CROP:
            alignment = self._alignment(view, role)
        elif card.input.kind is InputKind.REGION_CROP:
            region = self._drawn(view)
            if region is None:
                region, is_located = self._proposed(view, role), True
        geometry = ViewGeometry(
            rows=view.rows, cols=view.cols, spacing=view.spacing, side=self._case.side, alignment=alignment,
            region=region,
        )  # fmt: skip
        cut = input_crop(card.input, geometry)
        assert cut is not None, "what the crop needs is there"
        given = ViewInput(image_sha256=view.image_sha256, grey=view.grey, voi=self._window(view, role), cut=cut)
        return FedView(role=role, view_id=view.id, given=given, is_located=is_located)

    def _view(self, role: ViewRole) -> View | None:
        view_id = {ViewRole.FRONTAL: self._case.frontal_id, ViewRole.LATERAL: self._case.lateral_id}.get(role)
        if view_id is None:
            return None
        if view_id not in self._seen:
            self._seen[view_id] = self._views.get(view_id)
        return self._seen[view_id]

    def _window(self, view: View, role: ViewRole) -> Window:
        try:
            window = self._consultant.window(view, may_read_images=self._may_read_images)
        except UserError:
            raise _Refused(Gap.UNREADABLE, role) from None
        if window is None:
            self.is_unprepared = True
            raise _Unready
        return window

    def _alignment(self, view: View, role: ViewRole) -> Alignment:
        """The two clicks of the first reader who has made them and has not rejected the crop."""
        is_rejected = False
        for values in self._readings:
            alignment = None
            with suppress(UserError):
                alignment = alignment_of(values.get(f"{ALIGNMENT}{view.id}"))
            if alignment is None:
                continue
            if crop_state(alignment, view, values.get(f"{CROP_VERDICT}{view.id}")) is not CropState.REJECTED:
                return alignment
            is_rejected = True
        raise _Refused(Gap.CROP_REJECTED if is_rejected else Gap.NEEDS_CLICKS, role)

    def _drawn(self, view: View) -> RegionBox | None:
        for values in self._readings:
            with suppress(UserError):
                region = region_of(values.get(f"{REGION}{view.id}"))
                if region is not None:
                    return region
        return None

    def _proposed(self, view: View, role: ViewRole) -> RegionBox:
        """The region that a localiser proposes."""
        localiser = self._localiser
        if localiser is None:
            raise _Refused(Gap.NEEDS_REGION, role)
        given = WholeView(
            image_sha256=view.image_sha256,
            grey=view.grey,
            voi=self._window(view, role),
            rows=view.rows,
            cols=view.cols,
            spacing=view.spacing,
            side=self._case.side,
        )
        key = located_key(view.image_sha256, view.grey, localiser.card.weights_sha256, given.side)
        found = self._consultant.hip(key)
        if found is None:
            self.wanted[key] = WantedHip(key=key, model=localiser, given=given)
            raise _Unready
        region = region_around(found.center_xy, view.spacing, rows=view.rows, cols=view.cols)
        self.located[view.id] = LocatedRegion(view_id=view.id, region=region, confidence=found.confidence)
        return region


def _readings(database: Database, events: EventLog, case_id: str, reader: str) -> list[Mapping[str, Json]]:
    """What readers say about a case: this one's first, then the others', by name."""
    target = target_of(CASE, case_id)
    rows = database.rows(
        "SELECT DISTINCT target FROM current WHERE target > ? AND target < ? ORDER BY target",
        (f"{target}@", f"{target}A"),
    )
    names = [name for _, identifier, name in (split_target(row[0]) for row in rows) if identifier == case_id and name]
    names.sort(key=lambda name: name != reader)
    return [events.current_of(reader_target(case_id, name)) for name in names]
