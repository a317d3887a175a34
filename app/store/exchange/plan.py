"""From a request to a plan: read the project once, decide what leaves, and say what does not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.core.adjudication import ADJUDICATED, adjudication_of, settled_value
from app.core.annotation import (
    ALIGNMENT,
    ASSIGNED,
    CASE,
    COMMENT,
    CROP_VERDICT,
    LABEL,
    REGION,
    VIEW,
    Annotation,
    alignment_of,
    label_value,
    reader_target,
    region_of,
    split_target,
)
from app.core.case import Case, ReviewStatus, View
from app.core.errors import UserError
from app.core.export import Content, ExportFormat, ExportRequest, SplitKind, check_request
from app.core.export_plan import (
    ExportCase,
    ExportCrop,
    ExportPlan,
    ExportPreview,
    LeftOut,
    agreed_label,
    label_text,
    part_counts,
)
from app.core.geometry import aligned_crop
from app.core.label_set import FieldType, LabelField
from app.core.region import region_crop
from app.core.split import Part, SplitCase, leaks, split_by_shares
from app.store.absent import with_absence
from app.store.annotations import Annotations
from app.store.crops import CropState, crop_key, crop_state
from app.store.exchange.writer import ExportSource, writer_of
from app.store.project import ProjectStore
from app.store.run_folder import RunFolder
from app.store.worklist.worklist import unknown_fields

MANY = 100  # cases from which on everything that is said is read at once
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def plan_export(project: ProjectStore, request: ExportRequest) -> ExportPlan:
    """Decide what an export will hold. Reads the project at one moment; writes nothing.

    Args:
        project: open for reading or writing, in this thread.
        request: what is wanted.

    Raises:
        UserError: `usage` (the request makes no sense here), `nothing-to-do` (no case is left), `no-run`,
            `too-few-patients`.
    """
    check_request(request)
    chosen = _chosen_ids(project, request)
    connection = project.database.connection
    is_ours = not connection.in_transaction
    if is_ours:
        connection.execute("BEGIN")  # all that is read below is of one moment
    try:
        return _Planner(project, request).plan(chosen)
    finally:
        if is_ours:
            connection.execute("COMMIT")


def preview_export(project: ProjectStore, plan: ExportPlan) -> ExportPreview:
    """What a plan comes to, with the number of files of each format; writes nothing."""
    source = ExportSource(project=project)
    files, notes = {}, list(plan.notes)
    for wanted in sorted(plan.request.formats):
        writer = writer_of(wanted)
        files[wanted] = sum(1 for _ in writer.files(plan, source))
        notes += writer.notes(plan)
    annotations = {(each.target, each.field) for case in plan.cases for each in case.annotations}
    pixels = sum(2 * view.rows * view.cols for view in plan.pictures) if plan.has(Content.IMAGES) else 0
    pixels += sum(2 * crop.cut.size_px**2 for case in plan.cases for crop in case.crops)
    return ExportPreview(
        patients=len({case.patient.id for case in plan.cases}),
        studies=len({case.study.id for case in plan.cases}),
        cases=len(plan.cases),
        views=len(plan.views),
        pictures=len(plan.pictures),
        crops=sum(len(case.crops) for case in plan.cases),
        annotations=len(annotations),
        readers=len(plan.readers),
        parts=part_counts(plan),
        left_out={reason: len(names) for reason, names in plan.left_out.items()},
        leaks=plan.leaks,
        files=files,
        pixel_bytes=pixels if plan.request.formats - {ExportFormat.TABLES} else 0,
        notes=tuple(dict.fromkeys(notes)),
    )


def _chosen_ids(project: ProjectStore, request: ExportRequest) -> list[str] | None:
    """The cases that were asked for; None for all of them."""
    if request.case_ids:
        return list(request.case_ids)
    if request.query.is_everything:
        return None
    worklist = project.worklist
    if unknown := unknown_fields(request.query, worklist.fields()):
        raise UserError(f"There is no field {unknown[0][:80]} in this project.", kind="usage")
    return worklist.case_ids(worklist.numbers(request.query))


class _Planner:
    def __init__(self, project: ProjectStore, request: ExportRequest) -> None:
        self._project = project
        self._request = request
        self._annotations = Annotations(project)
        self._label_set = self._annotations.label_set
        self._left_out: defaultdict[LeftOut, list[str]] = defaultdict(list)
        self._studies = {study.id: study for study in project.studies.all()}
        self._patients = {patient.id: patient for patient in project.patients.all()}
        self._views: dict[str, View] = {}
        self._by_subject: dict[tuple[str, str], list[Annotation]] | None = None  # (case or view, its id)

    def plan(self, chosen: list[str] | None) -> ExportPlan:
        everything = self._project.cases.all()
        self._refuse_unknown_names(everything)
        wanted = everything if chosen is None else self._wanted(everything, chosen)
        staying = [case for case in wanted if self._stays(case)]
        if not staying:
            raise UserError(
                "There is no case to export.",
                reason=f"{len(wanted)} cases were asked for, and every one of them is blocked, excluded or left out."
                if wanted
                else "No case matches.",
                remedy="Choose other cases.",
                kind="nothing-to-do",
            )
        self._views = {view.id: view for view in with_absence(self._project, self._project.views.all())}
        if len(staying) > MANY:
            self._by_subject = defaultdict(list)
            for each in self._annotations.all():
                self._by_subject[split_target(each.target)[:2]].append(each)
        label_field = self._label_field()
        said = {case.id: self._said(case) for case in staying}
        readers = tuple(sorted({each.reader for found in said.values() for each in found} - {""}))
        if not self._request.has_reader_names:
            said, readers = unnamed(said, readers)
        planned = [self._planned(case, said[case.id], label_field, readers) for case in staying]
        parts = self._parts(planned)
        if self._request.split.kind is not SplitKind.NONE and len(parts) < len(planned):
            self._left_out[LeftOut.NO_PART] = [case.case.id for case in planned if case.case.id not in parts]
        cases = tuple(replace(case, part=parts.get(case.case.id)) for case in planned)
        number, digest = self._project.events.head()
        last = self._project.events.get(number)
        offsets = self._project.database.rows('SELECT id, pixel_offset FROM "view"')
        return ExportPlan(
            request=self._request,
            project_name=self._project.name,
            head=(number, digest),
            changed_at=last.at if last else "",
            is_whole=chosen is None and not self._request.left_out,
            cases=cases,
            label_set=self._label_set,
            label_field=label_field,
            classes=_classes(cases, self._label_set.field(label_field)),
            readers=readers,
            offsets={name: int(offset) for name, offset in offsets},
            left_out={reason: tuple(dict.fromkeys(names)) for reason, names in sorted(self._left_out.items())},
            leaks=tuple(leaks(map(_split_case, cases), parts)),
            notes=tuple(self._notes(cases)),
        )

    def _refuse_unknown_names(self, everything: Iterable[Case]) -> None:
        """A slip in a name must neither let a case out that was to stay, nor leave out what a reader said."""
        if self._request.left_out:
            _refuse_unknown_cases(self._request.left_out - {case.id for case in everything})
        if self._request.readers:
            known = sorted({each.reader for each in self._annotations.all()} - {""})
            if unknown := sorted(set(self._request.readers) - set(known)):
                raise UserError(
                    f"There is no reader {unknown[0][:64]} in this project.",
                    reason=f"There are {', '.join(known)}." if known else "Nobody has annotated a case yet.",
                    kind="usage",
                )

    def _wanted(self, everything: Iterable[Case], chosen: Iterable[str]) -> list[Case]:
        names = set(chosen)
        found = [case for case in everything if case.id in names]
        _refuse_unknown_cases(names - {case.id for case in found})
        return found

    def _stays(self, case: Case) -> bool:
        for reason, is_so in (
            (LeftOut.BY_HAND, case.id in self._request.left_out),
            (LeftOut.BLOCKED, bool(case.blocked_reason)),
            (LeftOut.EXCLUDED, case.status is ReviewStatus.EXCLUDED and not self._request.has_excluded),
        ):
            if is_so:
                self._left_out[reason].append(case.id)
                return False
        return True

    def _label_field(self) -> str:
        """The field that gives classes.

        Raises:
            UserError: `usage`: nobody has ever said anything under this name.
        """
        if not self._request.label:
            fields = [field for field in self._label_set.fields if field.type is FieldType.CHOICE]
            return next((field.id for field in fields if field.is_required), fields[0].id if fields else "")
        name = self._request.label
        rows = self._project.database.rows(
            "SELECT DISTINCT field FROM current WHERE field >= ? AND field < ? ORDER BY field",
            (LABEL, f"{LABEL[:-1]}/"),
        )
        known = {field.id for field in self._label_set.fields} | {row[0].removeprefix(LABEL) for row in rows}
        if name not in known:
            raise UserError(
                f"There is no label {name[:60]} in this project.",
                reason=f"There are {', '.join(sorted(known))}.",
                kind="usage",
            )
        return name

    def _said(self, case: Case) -> list[Annotation]:
        """What counts of what is said about a case."""
        request = self._request
        found = []
        for each in self._all_of(case):
            if each.reader and request.readers and each.reader not in request.readers:
                continue
            if not request.has_free_text and self._is_free_text(each):
                continue
            found.append(each)
        return found

    def _all_of(self, case: Case) -> Iterable[Annotation]:
        """Everything that is said about a case and its views, by target and field."""
        if self._by_subject is None:
            return self._annotations.all([case.id])
        subjects = [(CASE, case.id), *((VIEW, name) for name in case.view_ids)]
        found = [each for subject in subjects for each in self._by_subject.get(subject, ())]
        return sorted(found, key=lambda each: (each.target, each.field))

    def _is_free_text(self, each: Annotation) -> bool:
        if each.field.startswith(COMMENT):
            return True
        if not each.field.startswith(LABEL):
            return False
        field = self._label_set.field(each.field.removeprefix(LABEL))
        return field is None or field.type is FieldType.TEXT  # what came with the images is anybody's words

    def _planned(self, case: Case, said: list[Annotation], label_field: str, readers: tuple[str, ...]) -> ExportCase:
        views = []
        for view in (self._views[name] for name in case.view_ids if name in self._views):
            if view.excluded_reason:
                self._left_out[LeftOut.VIEW_EXCLUDED].append(view.id)
                continue
            if not view.release.may_leave:
                self._left_out[LeftOut(view.release.value)].append(view.id)
            views.append(view)
        given = {
            each.reader: label_value(each.value)
            for each in said
            if each.field == f"{LABEL}{label_field}" and split_target(each.target)[0] == CASE
        }
        decided = {
            each.reader: answer
            for each in said
            if each.field == f"{ADJUDICATED}{label_field}" and (answer := adjudication_of(each.value)) is not None
        }
        settled = settled_value({reader: value for reader, value in given.items() if reader}, decided)
        label, is_disputed = agreed_label(given) if settled is None else (label_text(settled), False)
        if not label and ExportFormat.IMAGE_FOLDER in self._request.formats:
            self._left_out[LeftOut.DISPUTED if is_disputed else LeftOut.NO_LABEL].append(case.id)
        study = self._studies[case.study_id]
        return ExportCase(
            case=case,
            study=study,
            patient=self._patients[case.patient_id],
            views=tuple(views),
            annotations=tuple(said),
            crops=tuple(self._crops(case, views, said, readers)),
            label=label,
            is_disputed=is_disputed,
        )

    def _crops(
        self, case: Case, views: Sequence[View], said: Iterable[Annotation], readers: tuple[str, ...]
    ) -> Iterable[ExportCrop]:
        request = self._request
        by_id = {view.id: view for view in views if view.release.may_leave}
        values = {(each.reader, each.field): each.value for each in said if each.reader}
        for (reader, field), value in sorted(values.items(), key=lambda item: item[0]):
            for prefix, content in ((ALIGNMENT, Content.ALIGNED_CROPS), (REGION, Content.REGION_CROPS)):
                view = by_id.get(field.removeprefix(prefix)) if field.startswith(prefix) else None
                if view is None or content not in request.contents:
                    continue
                name = f"{case.id}_{view.id}_r{readers.index(reader) + 1}"
                if content is Content.ALIGNED_CROPS and (alignment := alignment_of(value)) is not None:
                    state = crop_state(alignment, view, values.get((reader, f"{CROP_VERDICT}{view.id}")))
                    if state is not CropState.APPROVED and not request.has_unapproved_crops:
                        self._left_out[LeftOut.CROP_UNAPPROVED].append(name)
                        continue
                    yield ExportCrop(
                        content=content,
                        view=view,
                        reader=reader,
                        cut=aligned_crop(alignment, view.spacing, size_px=request.crop_px),
                        key=crop_key(alignment, view),
                        state=state.value,
                        name=name,
                        alignment=alignment,
                    )
                elif content is Content.REGION_CROPS and (region := region_of(value)) is not None:
                    cut = region_crop(
                        region,
                        view.spacing,
                        mode=request.region_mode,
                        size_px=request.region_px,
                        field_mm=request.region_mm,
                    )
                    yield ExportCrop(
                        content=content,
                        view=view,
                        reader=reader,
                        cut=cut,
                        key=cut.key(view.image_sha256),
                        state=CropState.APPROVED.value,
                        name=name,
                        region=region,
                    )

    def _parts(self, cases: Sequence[ExportCase]) -> dict[str, Part]:
        split = self._request.split
        match split.kind:
            case SplitKind.SEED:
                shares = {part: share for part, share in zip(Part, split.shares, strict=True) if share > 0}
                dealt = [_split_case(case) for case in cases]
                return split_by_shares(dealt, shares, seed=split.seed, needs_classes=False)
            case SplitKind.RUN:
                known = run_parts(self._project.folder.runs, split.run)
                return {case.case.id: known[case.case.id] for case in cases if case.case.id in known}
            case SplitKind.NONE:
                return {}

    def _notes(self, cases: Sequence[ExportCase]) -> Iterable[str]:
        """What whoever exports must read before passing it on."""
        waiting = len(set(self._left_out[LeftOut.WAITING]))
        if waiting:
            yield (
                f"Views that may hold burnt-in text and that nobody has looked at: {waiting}. Their pixels are "
                "left out; look at them first (Resolve, Review burnt-in text)."
            )
        words = sum(self._is_free_text(each) for case in cases for each in case.annotations)
        if words:
            yield f"Texts that people wrote (comments, text labels): {words}. Make sure that they name nobody."
        holders: defaultdict[str, set[str]] = defaultdict(set)
        for case in cases:
            for view in case.views:
                holders[view.image_sha256].add(case.patient.id)
        doubled = sum(len(patients) > 1 for patients in holders.values())
        if doubled:
            yield f"Images that are there under two patients: {doubled}. A split by seed keeps those patients together."


def unnamed(
    said: Mapping[str, Sequence[Annotation]], readers: Sequence[str]
) -> tuple[dict[str, list[Annotation]], tuple[str, ...]]:
    """What is said, with numbers instead of the names of readers."""
    width = len(str(len(readers)))
    names = {reader: f"reader-{number:0{width}}" for number, reader in enumerate(readers, start=1)}

    def changed(each: Annotation) -> Annotation:
        target = reader_target(split_target(each.target)[1], names[each.reader]) if each.reader else each.target
        value = names.get(str(each.value), "somebody") if each.field == ASSIGNED else each.value
        if each.field.startswith(ADJUDICATED) and isinstance(value, dict):
            readings = {names.get(who, "somebody"): said for who, said in value.get("readings", {}).items()}
            value = {**value, "readings": readings}
        author = names.get(each.author, "")
        return replace(each, target=target, reader=names.get(each.reader, ""), author=author, value=value)

    return {name: [changed(each) for each in found] for name, found in said.items()}, tuple(names.values())


def run_parts(runs: Path, name: str) -> dict[str, Part]:
    """The part of every case of a training run.

    Raises:
        UserError: `no-run` or `bad-run`.
    """
    if _RUN.fullmatch(name) and (runs / name).is_dir():
        return {case.id: case.part for case in RunFolder(runs / name).cases()}
    known = sorted(path.name for path in runs.iterdir() if path.is_dir()) if runs.is_dir() else []
    raise UserError(
        f"There is no training run {name[:60]} in this project.",
        reason=f"There are {', '.join(known)}." if known else "No run was made yet.",
        remedy="Name one of them, or deal the cases out by a seed.",
        kind="no-run",
    )


def _split_case(case: ExportCase) -> SplitCase:
    images = tuple(sorted({view.image_sha256 for view in case.views}))
    return SplitCase(id=case.case.id, patient=case.patient.id, label=case.label, images=images)


def _classes(cases: Iterable[ExportCase], field: LabelField | None) -> tuple[str, ...]:
    """The classes that occur: those of the label set in its order, then the others by name."""
    found = {case.label for case in cases} - {""}
    known = [choice.id for choice in field.choices if choice.id in found] if field else []
    return (*known, *sorted(found - set(known)))


def _refuse_unknown_cases(unknown: Iterable[str]) -> None:
    if names := sorted(unknown):
        raise UserError(
            f"There is no case {names[0][:64]} in this project.",
            remedy="`coxa cases --project DIR` lists them.",
            kind="no-case",
        )
