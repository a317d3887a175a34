"""Merging: study by study, in small commits, so that a kill loses nothing and the next run goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from app.core.agreement import agreement, comparable_fields, disagreements
from app.core.annotation import CASE, VIEW, split_target
from app.core.case import Case
from app.core.errors import UserError
from app.core.event import PROJECT
from app.core.label_set import LabelValue
from app.core.merging import Incoming
from app.core.project_matching import another_id, match_case, match_projects
from app.store.annotations import Annotations
from app.store.backup import make_backup
from app.store.label_sets import LABEL_SET, current_label_set
from app.store.merge.facts import Facts
from app.store.merge.identities import identities_of, note_brought, seen_identities
from app.store.merge.opinions import EventWriter
from app.store.merge.report import MergeProgress, MergeReport
from app.store.merge.source import MergeSource
from app.store.merge.translate import Translation
from app.store.project import KEY_CHECK, ProjectStore
from app.store.resolve import recompose_study
from app.store.training_cases import HOLD_OUT

STUDIES_AT_ONCE = 16
STUDY = "study"


class _RehearsedError(Exception):
    """The end of a transaction that must leave nothing behind."""


def merge_source(
    project: ProjectStore,
    source: MergeSource,
    *,
    author: str,
    is_rehearsal: bool = False,
    on_progress: Callable[[MergeProgress], None] = lambda progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> MergeReport:
    """Bring everything of another project into one.

    Doing it again changes nothing. What is one for both projects and differs stays as it is here; the other value
    stands in the history and in the report. Opinions of readers live side by side.

    Args:
        project: open for writing.
        source: what is brought; verified.
        author: who merges.
        is_rehearsal: find out what would happen and leave everything as it is.
        on_progress: told about studies, once they are durably stored.
        is_cancelled: asked between commits; what is done is kept.

    Raises:
        UserError: the project cannot be written (disk full, read-only …); what was told as done is kept.
    """
    return _Merge(project, source, author=author, is_rehearsal=is_rehearsal).run(on_progress, is_cancelled)


class _Merge:
    def __init__(self, project: ProjectStore, source: MergeSource, *, author: str, is_rehearsal: bool) -> None:
        self._project = project
        self._source = source
        self._author = author
        check = project.events.current(PROJECT, KEY_CHECK)
        self._was_empty = not project.cases.count()
        has_same_key = source.key_check is not None and source.key_check == check
        self._report = MergeReport(is_rehearsal=is_rehearsal, has_same_key=has_same_key, studies=len(source.studies))
        self._matching = match_projects(
            project.views.as_found(),
            project.studies.as_found(),
            list(source.views.values()),
            list(source.studies.values()),
            has_same_key=has_same_key,
        )
        self._facts = Facts(project, source, self._matching, has_same_key=has_same_key, author=author)
        self._words = Translation(matching=self._matching)
        self._new_patients: set[str] = set()
        self._cases: dict[str, dict[str, dict[str, LabelValue]]] = {}  # case here -> reader -> labels
        events = project.events.since()
        identities = identities_of(events)
        self._writer = EventWriter(
            project,
            self._report,
            self._words,
            author=author,
            known=set(identities.values()) | seen_identities(events),
            local_of={identity: number for number, identity in identities.items()},
            source_identities={each.event.id: each.identity for each in source.events},
        )
        self._of: dict[tuple[str, str], list[Incoming]] = {}
        for each in source.events:
            kind, identifier, _ = split_target(each.event.target)
            self._of.setdefault((kind, identifier), []).append(self._words.incoming(each))
        self._cases_of: dict[str, list[Case]] = {}
        for case in source.cases:
            self._cases_of.setdefault(case.study_id, []).append(case)
        self._views_of: dict[str, list[str]] = {}
        for view in source.views.values():
            self._views_of.setdefault(view.study_id, []).append(view.id)

    def run(self, on_progress: Callable[[MergeProgress], None], is_cancelled: Callable[[], bool]) -> MergeReport:
        report = self._report
        if not report.is_rehearsal and self._has_news():
            make_backup(self._project.folder, self._project.database, now=datetime.now(UTC), label="before-merge")
        self._take_label_set()
        order = self._order()
        for start in range(0, len(order), STUDIES_AT_ONCE):
            if is_cancelled():
                report.is_cancelled = True
                break
            part = self._with_images(order[start : start + STUDIES_AT_ONCE])
            self._commit(lambda part=part: self._bring(part))  # type: ignore[misc]
            on_progress(MergeProgress(done=min(start + STUDIES_AT_ONCE, len(order)), total=len(order)))
        if not report.is_cancelled:
            self._commit(self._bring_orphans)
            self._take_hold_out()
        self._say_notes()
        fields = comparable_fields(current_label_set(self._project))
        report.agreement = agreement(self._cases, fields)
        report.disagreements = disagreements(self._cases, fields)
        report.new_patients = len(self._new_patients)
        report.known = len(self._source.events) - report.brought
        return report

    # --- how it is done ---

    def _order(self) -> list[str]:
        """Studies in the order in which their cases were first made there; so lists stand here as they stand there."""
        return list(dict.fromkeys([*(case.study_id for case in self._source.cases), *self._source.studies]))

    def _has_news(self) -> bool:
        known = self._writer.known
        return bool(self._matching.new_views) or any(each.identity not in known for each in self._source.events)

    def _with_images(self, studies: Sequence[str]) -> list[str]:
        """The studies whose images are here now; the others are left out, with the reason."""
        if self._report.is_rehearsal:
            return list(studies)
        ready = []
        for study_id in studies:
            try:
                self._facts.store_images(study_id)
            except UserError as error:
                if error.kind not in ("image-missing", "image-damaged", "not-included"):
                    raise
                self._report.left_out.append((study_id, f"{error.title} {error.reason}"))
                continue
            ready.append(study_id)
        return ready

    def _commit(self, work: Callable[[], None]) -> None:
        """Do some work in one durable commit; of a rehearsal nothing stays."""
        with suppress(_RehearsedError), self._project.transaction():
            self._writer.begin()
            work()
            note_brought(self._project.events, self._source.origin, *self._writer.batch(), author=self._author)
            if self._report.is_rehearsal:
                raise _RehearsedError

    def _bring(self, studies: Sequence[str]) -> None:
        for study_id in studies:
            self._bring_study(study_id)

    def _bring_study(self, study_id: str) -> None:
        project, report = self._project, self._report
        is_new = project.studies.get(self._matching.studies[study_id]) is None
        before = {case.id for case in project.cases.of_study(self._matching.studies[study_id])}
        here, views = self._facts.bring(study_id)
        patient = self._source.studies[study_id].patient_id
        if is_new:
            report.new_studies += 1
            if patient in self._matching.new_patients:
                self._new_patients.add(patient)
        report.new_views += views
        theirs = self._cases_of.get(study_id, [])
        decided = self._writer.shared(self._of.get((STUDY, study_id), ()), case_id="")
        for view_id in self._views_of.get(study_id, ()):
            decided += self._writer.shared(self._of.get((VIEW, view_id), ()), case_id=self._case_of_view(view_id))
        composed = [self._translated(case, here, patient) for case in theirs]
        if is_new and patient not in self._matching.split_patients:
            project.cases.replace_for_study(here, composed, author=self._author)
        elif is_new or views or decided:
            recompose_study(project, here, author=self._author, former=composed if is_new else ())
        for case in theirs:
            self._bring_case(case, here, before)

    def _bring_case(self, case: Case, study: str, before: set[str]) -> None:
        studies = {study, *self._studies_of(case)}
        present = [each for name in sorted(studies) for each in self._project.cases.of_study(name)]
        found = match_case(case, present, self._matching)
        self._words.cases[case.id] = name = found if found is not None else self._free_case_id(case.id)
        if found is not None:
            is_known = name in before or study not in studies or found not in {
                each.id for each in self._project.cases.of_study(study)
            }  # fmt: skip
            self._report.shared_cases += is_known
            self._report.new_cases += not is_known
        self._bring_said(case.id)
        said = {each.reader: each.labels for each in Annotations(self._project).opinions(name) if each.reader}
        if said:
            self._cases[name] = said

    def _bring_said(self, case_id: str) -> None:
        """What is said about a case: by everybody together, then by each reader."""
        events = self._of.pop((CASE, case_id), [])
        by_reader: dict[str, list[Incoming]] = {}
        for each in events:
            by_reader.setdefault(split_target(each.event.target)[2], []).append(each)
        name = self._words.cases.get(case_id, case_id)
        self._writer.shared(by_reader.pop("", ()), case_id=name)
        for reader, said in by_reader.items():
            self._writer.opinion(name, reader, said)

    def _bring_orphans(self) -> None:
        """What was said about cases that are no cases there any more: it stays findable under their identifiers."""
        for kind, identifier in list(self._of):
            if kind == CASE:
                if self._project.cases.get(identifier) is not None and not self._report.has_same_key:
                    self._words.cases[identifier] = self._free_case_id(identifier)
                self._bring_said(identifier)

    def _free_case_id(self, case_id: str) -> str:
        return case_id if self._project.cases.get(case_id) is None else another_id("C", case_id, self._source.origin)

    def _studies_of(self, case: Case) -> Iterable[str]:
        for view_id in case.view_ids:
            view = self._project.views.get(self._matching.views.get(view_id, view_id))
            if view is not None:
                yield view.study_id

    def _case_of_view(self, view_id: str) -> str:
        """The case here that a view of the other project hangs in, if there is one."""
        name = self._matching.views[view_id]
        view = self._project.views.get(name)
        cases = self._project.cases.of_study(view.study_id) if view is not None else []
        return next((case.id for case in cases if name in case.view_ids), "")

    def _translated(self, case: Case, study: str, patient: str) -> Case:
        def name(view: str | None) -> str | None:
            return None if view is None else self._matching.views.get(view, view)

        return replace(
            case,
            study_id=study,
            patient_id=self._matching.patients[patient],
            frontal_id=name(case.frontal_id),
            lateral_id=name(case.lateral_id),
            unassigned_ids=tuple(self._matching.views.get(view, view) for view in case.unassigned_ids),
        )

    def _take_label_set(self) -> None:
        """A project that has no label set of its own yet takes that of the other one."""
        theirs, events = self._source.label_set, self._project.events
        ours = events.current(PROJECT, LABEL_SET)
        if theirs is None or theirs == ours:
            return
        if ours is not None:
            self._report.notes.append(
                "The other project asks with another label set. This project's stays; labels without a place in it "
                "are kept and flagged."
            )
        elif not self._report.is_rehearsal:
            text = "The label set of the merged project"
            events.append(target=PROJECT, field=LABEL_SET, after=theirs, text=text, author=self._author)

    def _take_hold_out(self) -> None:
        """What no model may be trained on there, none may be trained on here."""
        ours = [str(name) for name in self._project.events.current(PROJECT, HOLD_OUT) or ()]
        theirs = {self._matching.patients[name] for name in self._source.held_out if name in self._matching.patients}
        if theirs - set(ours) and not self._report.is_rehearsal:
            after = sorted(theirs | set(ours))
            text = "Held out in the merged project too"
            self._project.events.append(target=PROJECT, field=HOLD_OUT, after=after, text=text, author=self._author)

    def _say_notes(self) -> None:
        report, matching = self._report, self._matching
        if not report.has_same_key and self._new_patients and not self._was_empty:
            report.notes.append(
                f"{len(self._new_patients)} patient(s) came with pseudonyms of the other project. If one of them is "
                "also here with other images, nobody can tell: look before you split the cases into parts."
            )
        if matching.split_patients:
            report.notes.append(
                f"{len(matching.split_patients)} patient(s) of the other project are several here; new studies of "
                "them are blocked until a person has looked."
            )
        if matching.joined_patients:
            report.notes.append(f"{len(matching.joined_patients)} patient(s) here are several in the other project.")
