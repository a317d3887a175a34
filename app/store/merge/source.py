"""What is merged: another project, or an export of one, read at one moment and verified first."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.case import Case, Patient, Side, Study, View
from app.core.errors import UserError
from app.core.event import COMPOSITION, CREATED, NO_EVENT_HASH, PROJECT, Event, Json
from app.core.grey import StoredImage
from app.core.merging import Incoming
from app.core.replay import ReplayedState
from app.store.absent import absent_images
from app.store.audit import audit_database
from app.store.cases import STATUSES
from app.store.database import Database
from app.store.events import EventLog
from app.store.folder import ProjectFolder
from app.store.head import read_head
from app.store.images import ImageStore
from app.store.label_sets import LABEL_SET
from app.store.merge.identities import identities_of
from app.store.patients import Patients
from app.store.project import KEY_CHECK
from app.store.sources import SourceRecord, Sources
from app.store.studies import Studies
from app.store.training_cases import HOLD_OUT
from app.store.views import Views

KINDS = ("case", "view", "study")  # of targets that are merged


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSource:
    """Everything that another project brings.

    Args:
        origin: first 16 hex digits of its first event's hash: names the chain, and nothing else.
        head: number and hash of its last event.
        key_check: what its pseudonyms were made with, as a check value; None when that is not told.
        patients: by id.
        studies: by id, as their files gave them.
        views: by id, as their files gave them.
        sources: what came of which file.
        cases: as they stand, in the order in which they were first made.
        events: what happened, without the making of rows, in order.
        label_set: its label set; None when none was recorded.
        held_out: patients that no model may be trained on.
        withheld: addresses of images that do not travel; their views come without pixels.
        load_image: gives the verified pixels of an image by its address.
        load_header: gives the de-identified header of a view (DICOM JSON model) and its pixel offset, by its id.
    """

    origin: str
    head: tuple[int, bytes]
    key_check: str | None
    patients: Mapping[str, Patient]
    studies: Mapping[str, Study]
    views: Mapping[str, View]
    sources: Sequence[SourceRecord]
    cases: Sequence[Case]
    events: Sequence[Incoming]
    label_set: Json = None
    held_out: tuple[str, ...] = ()
    withheld: frozenset[str] = frozenset()
    load_image: Callable[[str], StoredImage] = field(repr=False)
    load_header: Callable[[str], tuple[Mapping[str, Any], int]] = field(repr=False)


@contextlib.contextmanager
def project_source(path: Path) -> Iterator[MergeSource]:
    """Another project as a source, at one moment; it may be open elsewhere. Its secret key is not needed.

    Args:
        path: its folder.

    Raises:
        UserError: `merge-damaged`: not every byte of it is what was written; `not-a-project`, `newer-version`,
            `older-version`, `restoring`, `damaged` or `unreadable-folder`.
    """
    folder = ProjectFolder(Path(path).absolute())
    folder.read_marker()
    if folder.restore_file.exists() or not folder.database.is_file():
        raise UserError(
            "The other project cannot be read now.",
            reason="A restore of it was interrupted, or its file project.db is missing.",
            remedy="Open it in Coxa once, then merge it.",
            kind="restoring",
        )
    noted = read_head(folder.head_file)  # before the database: it may lag behind, it is never ahead
    with contextlib.closing(Database.open_reader(folder.database)) as database:
        if database.pending_migrations():
            raise UserError(
                "The other project was made by another version of Coxa.",
                reason="Its tables are not those of this version.",
                remedy="Open it once with this version, or update the older program; then merge it.",
                kind="older-version",
            )
        database.connection.execute("BEGIN")  # everything below is of one moment
        try:
            problems = audit_database(database.connection, noted)
            if problems:
                raise UserError(
                    "The other project was not merged: it is not what was written.",
                    reason=f"{len(problems)} thing(s) in its chain of events and its tables were changed or are "
                    f"missing; the first: {problems[0].text}",
                    remedy="Run `coxa check` on it, restore one of its backups, or ask for another copy.",
                    kind="merge-damaged",
                )
            yield _read(database, ImageStore(folder.images))
        finally:
            with contextlib.suppress(Exception):
                database.connection.execute("ROLLBACK")


def _read(database: Database, images: ImageStore) -> MergeSource:
    log = EventLog(database)
    views = Views(database, log)
    return source_of(
        log.since(),
        patients=Patients(database, log).all(),
        studies=Studies(database, log).as_found(),
        views=views.as_found(),
        sources=Sources(database, log).all(),
        load_image=images.load,
        load_header=lambda view_id: (views.header(view_id), views.offset(view_id)),
        withheld=absent_images(database, images),
    )


def source_of(
    events: Sequence[Event],
    *,
    patients: Iterable[Patient],
    studies: Iterable[Study],
    views: Iterable[View],
    sources: Sequence[SourceRecord],
    load_image: Callable[[str], StoredImage],
    load_header: Callable[[str], tuple[Mapping[str, Any], int]],
    withheld: frozenset[str] = frozenset(),
) -> MergeSource:
    """A source from its events and facts; see `MergeSource`."""
    known = identities_of(events)
    state = ReplayedState()
    incoming: list[Incoming] = []
    for event in events:
        state.apply(event)
        if event.field not in (CREATED, COMPOSITION) and event.target.partition(":")[0] in KINDS:
            incoming.append(Incoming(event=event, identity=known[event.id]))
    current = {name: value for (target, name), (value, _) in state.current.items() if target == PROJECT}
    return MergeSource(
        origin=events[0].row_hash.hex()[:16] if events else "",
        head=(events[-1].id, events[-1].row_hash) if events else (0, NO_EVENT_HASH),
        key_check=current.get(KEY_CHECK),
        patients={patient.id: patient for patient in patients},
        studies={study.id: study for study in studies},
        views={view.id: view for view in views},
        sources=sources,
        cases=composed_cases(state),
        events=incoming,
        label_set=current.get(LABEL_SET),
        held_out=tuple(map(str, current.get(HOLD_OUT) or ())),
        withheld=withheld,
        load_image=load_image,
        load_header=load_header,
    )


def composed_cases(state: ReplayedState) -> list[Case]:
    """The cases that events tell of, in the order in which they were first made."""
    found = []
    for target in sorted(state.compositions, key=lambda name: state.positions[name]):
        parts = state.compositions[target]
        status, _ = state.current.get((target, "status"), ("new", 0))
        found.append(
            Case(
                id=target.partition(":")[2],
                study_id=parts["study_id"],
                patient_id=parts["patient_id"],
                side=Side(parts["side"]) if parts["side"] else None,
                frontal_id=parts["frontal_id"],
                lateral_id=parts["lateral_id"],
                unassigned_ids=tuple(parts["unassigned_ids"]),
                status=STATUSES[status],
                blocked_reason=parts["blocked_reason"],
                questions=tuple(parts["questions"]),
            )
        )
    return found
