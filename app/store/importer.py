"""Importing: files become studies, views and cases of a project.

Two passes. The first reads headers and finds copies (`import_plan`); the second reads pixels of what is new, one
image at a time. Images and rows are committed in small batches; a file is acknowledged (`on_progress`) only after
its commit, so what was acknowledged survives a kill or a power cut, and running the same import again completes it.

One file that fails never stops the others. Nothing that identifies a person, no path and no file name is stored or
logged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from app.core.case import View
from app.core.errors import UserError
from app.core.messages import ReadImage
from app.core.pseudonym import Pseudonyms
from app.store.images import DamagedImageError
from app.store.import_copies import compare, conflicting, held_view
from app.store.import_identity import IdentityGuard
from app.store.import_labels import said_otherwise, write_labels
from app.store.import_plan import PlannedFile, planned_file, reading_order
from app.store.import_prepare import ImageWriting, PreparedImage, is_surely_new, prepare_image
from app.store.import_readers import closed_when, until_stopped
from app.store.import_report import (
    CaseReport,
    ImportItem,
    ImportProgress,
    ImportReport,
    Outcome,
    Phase,
    not_listed,
    refused,
)
from app.store.import_views import Rules, object_text
from app.store.mapping import ImageMapping, MappingRow
from app.store.originals import keep_original
from app.store.project import ProjectStore
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source
from app.store.resolve import recompose_study
from app.store.resources import load_deidentification_rules, load_evidence_tables

BATCH_FILES = 16
BATCH_SECONDS = 0.4
BATCH_BYTES = 96 << 20  # of pixels that are held at once
WRITERS = 4

ProgressCallback = Callable[[ImportProgress], None]


def import_sources(
    project: ProjectStore,
    sources: Iterable[Source],
    *,
    author: str,
    mapping: ImageMapping | None = None,
    frame: int | None = None,
    is_keeping_originals: bool = False,
    on_progress: ProgressCallback | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    workers: int = 2,
    is_background: bool = False,
) -> ImportReport:
    """Import files into an open project.

    Args:
        project: open for writing.
        sources: what `find_sources` found; for a mapping what `mapping_sources` gave.
        author: who imports.
        mapping: patient, side and projection of images without headers; files that it does not list are refused.
        frame: frame to take from multi-frame objects; None refuses them.
        is_keeping_originals: keep a copy of every imported file in `private/originals`. **Identifying.**
        on_progress: told about headers read, and about files once they are durably stored.
        is_cancelled: asked often; when true, what is done is kept and the report says so.
        workers: reader processes.
        is_background: somebody works in this process meanwhile: the readers give way to it.

    Raises:
        UserError: the project itself cannot be written (disk full, read-only …).
    """
    with (
        ThreadPoolExecutor(WRITERS, thread_name_prefix="image-writer") as writers,
        ReaderPool(scratch=project.folder.scratch, workers=workers, is_background=is_background) as pool,
    ):
        work = _Import(
            project=project,
            rules=Rules(
                pseudonyms=Pseudonyms(project.key),
                evidence=load_evidence_tables(),
                deidentification=load_deidentification_rules(),
            ),
            author=author,
            mapping=mapping,
            frame=frame,
            is_keeping_originals=is_keeping_originals,
            on_progress=on_progress or (lambda progress: None),
            is_cancelled=is_cancelled or (lambda: False),
            writers=writers,
        )
        with closed_when(work.is_cancelled, pool):
            return work.run(pool, sources)


@dataclass(kw_only=True)
class _Import:
    """One import under way."""

    project: ProjectStore
    rules: Rules
    author: str
    mapping: ImageMapping | None
    frame: int | None
    is_keeping_originals: bool
    on_progress: ProgressCallback
    is_cancelled: Callable[[], bool]
    items: dict[int, ImportItem] = field(default_factory=dict)
    studies: dict[str, None] = field(default_factory=dict)  # in the order met
    changed: dict[str, None] = field(default_factory=dict)  # studies to recompose before the next commit, as they came
    labels: list[tuple[str, MappingRow]] = field(default_factory=list)
    label_notes: list[str] = field(default_factory=list)
    was_cancelled: bool = False
    writers: ThreadPoolExecutor  # most of the time of storing an image is waiting for the disk

    def __post_init__(self) -> None:
        self.writing = ImageWriting(store=lambda image: self.writers.submit(self.project.images.put, image))
        self.guard = IdentityGuard(self.project, self.rules.pseudonyms, author=self.author)

    def run(self, pool: ReaderPool, sources: Iterable[Source]) -> ImportReport:
        files = self._read_headers(pool, sources)
        first_of: dict[tuple[str, int | None], PlannedFile] = {}
        for file in files:
            if file.source_sha256:
                first_of.setdefault((file.source_sha256, file.frame), file)
        unique = [
            file for file in files if not file.source_sha256 or first_of[(file.source_sha256, file.frame)] is file
        ]
        known = self._held_intact(unique)
        to_read = [file for file in reading_order(unique) if file.position not in known]
        total = len(files)
        with self.project.transaction():
            held = [(file, self._already_held(file)) for file in unique if file.position in known]
            self._recompose()
        self._settle(held, total)
        self._read_images(pool, to_read, total)
        done = {file.position for file in unique}
        copies = [file for file in files if file.position not in done]
        self._settle(
            [
                (file, self._exact_copy(file, first_of[(file.source_sha256, file.frame)]))
                for file in copies
                if first_of[(file.source_sha256, file.frame)].position in self.items
            ],
            total,
        )
        return ImportReport(
            items=tuple(self.items[position] for position in sorted(self.items)),
            cases=tuple(self._case_reports()),
            is_cancelled=self.was_cancelled,
            notes=(*(self.mapping.notes if self.mapping is not None else ()), *self.label_notes),
        )

    # headers

    def _read_headers(self, pool: ReaderPool, sources: Iterable[Source]) -> list[PlannedFile]:
        files: list[PlannedFile] = []
        count, expected = 0, len(sources) if isinstance(sources, Sized) else None
        failed: list[tuple[int, ImportItem]] = []
        replies = pool.read_many(sources, frame=self.frame, is_header_only=True)
        with closing(until_stopped(self._stop, replies)) as stream:
            for source, reply in stream:
                if self._stop():  # from here on the answers are those of readers that were ended
                    break
                if isinstance(reply, UserError):
                    failed.append((count, refused(_name(source), reply)))
                elif self.mapping is not None and self._row(source) is None:
                    failed.append((count, refused(_name(source), not_listed())))
                else:
                    files.append(planned_file(count, source, reply, frame=self.frame))
                count += 1
                self.on_progress(ImportProgress(phase=Phase.HEADERS, done=count, total=expected))
        self.items |= dict(failed)
        if failed:
            self.on_progress(
                ImportProgress(phase=Phase.IMAGES, done=len(failed), total=count, items=tuple(i for _, i in failed))
            )
        return files

    # images

    def _read_images(self, pool: ReaderPool, files: Sequence[PlannedFile], total: int) -> None:
        replies = pool.read_many((file.source for file in files), frame=self.frame)
        with closing(until_stopped(self._stop, replies)) as stream:
            queue = zip(files, stream, strict=False)
            is_more = bool(files)
            while is_more and not self._stop():
                is_more = self._batch(pool, queue, total)

    def _batch(
        self, pool: ReaderPool, queue: Iterator[tuple[PlannedFile, tuple[Source, ReadImage | UserError]]], total: int
    ) -> bool:
        """Import some files in one commit, then acknowledge them. Returns whether there may be more."""
        ready: list[PreparedImage | tuple[int, ImportItem]] = []
        images: list[PreparedImage] = []
        is_more, size = True, 0
        started = time.monotonic()
        while len(ready) < BATCH_FILES and size < BATCH_BYTES and time.monotonic() - started < BATCH_SECONDS:
            answer = next(queue, None)
            if answer is None or self._stop():
                is_more = False
                break
            file, (_, reply) = answer
            prepared = self._prepare(pool, file, reply)
            if prepared is None:
                is_more = False
                break
            if isinstance(prepared, PreparedImage):
                if not self.is_keeping_originals and is_surely_new(self.project, prepared, images):
                    self.writing.start(prepared)
                images.append(prepared)
                size += prepared.pixels.pixels.nbytes
            ready.append(prepared)
        self.writing.finish()
        done: list[tuple[int, ImportItem]] = []
        with self.project.transaction():
            for prepared in ready:
                if isinstance(prepared, PreparedImage):
                    done.append((prepared.file.position, self._import_one(prepared)))
                else:
                    done.append(prepared)
            self._recompose()
            self.writing.finish()
        self.writing.forget()
        self._acknowledge(done, total)
        return is_more

    def _prepare(
        self, pool: ReaderPool, file: PlannedFile, reply: ReadImage | UserError
    ) -> PreparedImage | tuple[int, ImportItem] | None:
        """An image ready to be brought in, or its refusal; None when the import was cancelled meanwhile."""
        label = _name(file.source)
        if isinstance(reply, UserError):
            return file.position, refused(label, reply)
        try:
            pixels = pool.pixels(reply)
        except UserError as error:
            return None if self._stop() else (file.position, refused(label, error))
        return prepare_image(file, reply, pixels, name=label, row=self._row(file.source), rules=self.rules)

    def _import_one(self, prepared: PreparedImage) -> ImportItem:
        """Bring one image in, inside a transaction."""
        rules, project, file, reply = self.rules, self.project, prepared.file, prepared.image
        label = _name(file.source)
        keys, address, frame = prepared.keys, prepared.address, file.frame
        held = held_view(project, reply, keys, prepared.subject.patient.id, address, frame=frame)
        notices: tuple[str, ...] = ()
        if held is not None:
            self.writing.finish()
            verdict = compare(project, held, prepared.pixels, address, is_lossy=reply.facts.is_lossy)
            if verdict.is_duplicate:
                if address == held.image_sha256:
                    project.images.put(prepared.pixels)  # mends the stored image if it was lost or damaged
                self._record(reply, keys, held.id, Outcome.DUPLICATE, frame)
                self._touch(held.study_id)
                mixed_up = self.guard.same_object(held, prepared.subject)
                return ImportItem(
                    label=label,
                    outcome=Outcome.DUPLICATE,
                    reason=" ".join(part for part in (verdict.reason, mixed_up) if part),
                    remedy=verdict.remedy,
                    kind=verdict.kind,
                    view_id=held.id,
                )
            if held.id == rules.pseudonyms.view(object_text(reply.facts, reply.source_sha256, frame)):
                return refused(label, conflicting(held))
            notices = (verdict.reason,)
        if self.is_keeping_originals:
            try:
                keep_original(project.folder, file.source, reply.source_sha256)
            except UserError as error:
                return refused(label, error)
        others = project.views.of_image(address)
        self.writing.start(prepared)
        subject, problems = self.guard.admit(prepared.subject, reply.facts)
        view, header = prepared.placed(subject, (*notices, *problems))
        project.views.add(view, header=header, offset=prepared.pixels.offset, author=self.author)
        self.guard.same_image(view, others)
        self._record(reply, keys, view.id, Outcome.IMPORTED, frame)
        if prepared.row is not None and prepared.row.labels:
            self.labels.append((view.id, prepared.row))
        self._touch(view.study_id)
        for study_id in self.guard.take_touched():
            self._touch(study_id)
        return ImportItem(label=label, outcome=Outcome.IMPORTED, view_id=view.id, notices=view.notices)

    def _record(
        self, image: ReadImage, keys: tuple[str, str], view_id: str, outcome: Outcome, frame: int | None
    ) -> None:
        known = self.project.sources.find(image.source_sha256, frame=frame)
        if known is not None and known.view_id == view_id:
            return
        self.project.sources.add(
            source_sha256=image.source_sha256,
            object_key=keys[0],
            predecessor_key=keys[1],
            view_id=view_id,
            outcome=outcome.value,
            frame=frame,
            author=self.author,
        )

    # files that need no reading

    def _held_intact(self, files: Sequence[PlannedFile]) -> set[int]:
        """Positions of files that are in the project with their image intact (a damaged one is read again: mended)."""
        held: list[tuple[int, str]] = []
        for file in files:
            found = self.project.sources.find(file.source_sha256, frame=file.frame) if file.source_sha256 else None
            view = self.project.views.get(found.view_id) if found is not None and found.view_id else None
            if view is not None:
                held.append((file.position, view.image_sha256))
        are_intact = self.writers.map(self._is_intact, (address for _, address in held))
        return {position for (position, _), is_intact in zip(held, are_intact, strict=True) if is_intact}

    def _is_intact(self, address: str) -> bool:
        if self._stop():
            return False
        try:
            self.project.images.verify(address)
        except (OSError, DamagedImageError):
            return False
        return True

    def _already_held(self, file: PlannedFile) -> ImportItem:
        found = self.project.sources.find(file.source_sha256, frame=file.frame)
        view = self.project.views.get(found.view_id) if found is not None and found.view_id else None
        if view is None:
            raise ValueError("not a file that is held")
        self._touch(view.study_id, is_changed=False)
        row = self._row(file.source)
        if row is not None and row.labels:
            self.labels.append((view.id, row))
        return ImportItem(
            label=_name(file.source),
            outcome=Outcome.DUPLICATE,
            reason="This very file is in the project already.",
            remedy=said_otherwise(view, row),
            kind="same-file",
            view_id=view.id,
        )

    def _exact_copy(self, file: PlannedFile, first: PlannedFile) -> ImportItem:
        item = self.items[first.position]
        label = _name(file.source)
        if item.outcome is Outcome.REFUSED:
            return ImportItem(label=label, outcome=item.outcome, reason=item.reason, remedy=item.remedy, kind=item.kind)
        return ImportItem(
            label=label,
            outcome=Outcome.DUPLICATE,
            reason=f"Byte for byte the same file as {item.label}.",
            kind="same-file",
            view_id=item.view_id,
        )

    def _settle(self, files: Sequence[tuple[PlannedFile, ImportItem]], total: int) -> None:
        if files:
            self._acknowledge([(file.position, item) for file, item in files], total)

    # around

    def _recompose(self) -> None:
        for study_id in self.changed:  # the worklist has the order of the files
            recompose_study(self.project, study_id, author=self.author)
        self.changed.clear()
        for view_id, row in self.labels:
            self.label_notes += write_labels(self.project, view_id, row, author=self.author)
        self.labels.clear()

    def _touch(self, study_id: str, *, is_changed: bool = True) -> None:
        self.studies.setdefault(study_id)
        if is_changed:
            self.changed[study_id] = None

    def _acknowledge(self, done: Sequence[tuple[int, ImportItem]], total: int) -> None:
        if not done:
            return
        self.items |= dict(done)
        self.on_progress(
            ImportProgress(
                phase=Phase.IMAGES,
                done=len(self.items),
                total=max(total, len(self.items)),
                items=tuple(item for _, item in done),
            )
        )

    def _case_reports(self) -> Iterator[CaseReport]:
        for study_id in self.studies:
            views: dict[str, View] = {view.id: view for view in self.project.views.of_study(study_id)}
            for case in self.project.cases.of_study(study_id):
                yield CaseReport(case=case, views=tuple(views[view] for view in case.view_ids if view in views))

    def _row(self, source: Source) -> MappingRow | None:
        return self.mapping.rows.get(source.label) if self.mapping is not None else None

    def _stop(self) -> bool:
        self.was_cancelled = self.was_cancelled or self.is_cancelled()
        return self.was_cancelled


def mapping_sources(mapping: ImageMapping) -> list[Source]:
    """The files that a mapping lists, in its order; a missing one is refused when it is read."""
    return [Source(path=mapping.root / path, label=path) for path in mapping.rows]


def _name(source: Source) -> str:
    return source.label or (source.member or source.path.name)
