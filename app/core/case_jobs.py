"""From a case on the screen to what models say about it: which jobs that needs, and whose answer each reply is.

Pure: what happens comes in by a method, what follows goes out through a `JobOutlet`, so that every order of events can
be tried out. A reply counts for the case, the weights and the input of its job, and for nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from app.core.batch_run import BatchProgress, BatchRun
from app.core.counsel import Counsel, LocatedHip, LocatedRegion, WantedHip
from app.core.engine_messages import Cancel, Failed, Locate, Located, Predict, Result
from app.core.finding import Consultation, ConsultationState, Finding, HeatmapFiles
from app.core.job_book import Job, JobBook, Purpose
from app.core.job_outlet import JobOutlet
from app.core.model_card import ModelCard

HEATMAP_METHOD = "grad-cam"
CASES_KEPT = 64  # whose consultations are at hand
CASES_IN_HAND = 6  # of a batch
OTHER_ANSWER = (
    "The AI engine answered something else than it was asked, so that nothing of it was kept; restart it (menu AI)."
)
ENDED_TWICE = "The AI engine ended twice while it worked at this case."


class CaseJobs:
    """Cases, jobs and answers of one project.

    Args:
        outlet: what follows goes there.
        images: folder of the image store.
        heatmaps: folder for heatmaps.
        numbers: of jobs; shared by all that one engine answers.

    Attributes:
        book: the jobs.
    """

    def __init__(self, outlet: JobOutlet, *, images: str, heatmaps: str, numbers: Iterator[int] | None = None) -> None:
        self._outlet, self._images, self._heatmaps = outlet, images, heatmaps
        self.book = JobBook(numbers=numbers)
        self._is_engine_there = False
        self._known: OrderedDict[str, tuple[Consultation, ...]] = OrderedDict()
        self._located: dict[str, LocatedRegion] = {}
        self._failures: dict[tuple[str, str], str] = {}  # weights and input -> sentence
        self._hips: dict[bytes, set[str]] = {}  # what is being located -> the cases that wait for it
        self._open = ""
        self._ahead: tuple[str, ...] = ()
        self._is_ahead_paused = False
        self._batch: BatchRun | None = None

    # --- what is known ---

    @property
    def open_case_id(self) -> str:
        """The case on the screen."""
        return self._open

    @property
    def batch(self) -> BatchProgress | None:
        """How far the batch is; None while there was none."""
        return None if self._batch is None else self._batch.progress

    def consultations(self, case_id: str) -> tuple[Consultation, ...]:
        """What is known about a case, one for each model; none while nobody has looked."""
        return self._known.get(case_id, ())

    def located(self, view_id: str) -> LocatedRegion | None:
        """The region that a localiser proposes for a view."""
        return self._located.get(view_id)

    # --- what people do ---

    def open_case(self, case_id: str, *, may_read_images: bool) -> None:
        """This case is on the screen, or will be; empty = none."""
        if case_id != self._open:
            before, self._open = self._open, case_id
            self._lower(before)
        if case_id:
            self._outlet.consult(case_id, Purpose.OPEN, may_read_images=may_read_images)

    def look_ahead(self, case_ids: Iterable[str]) -> None:
        """These cases may be opened next, the likeliest first; what was looked ahead at before is forgotten."""
        self._ahead = tuple(dict.fromkeys(case_ids))
        self._drop_unwanted()
        if not self._is_ahead_paused:
            for case_id in self._ahead:
                self._outlet.consult(case_id, Purpose.AHEAD, may_read_images=True)

    def pause_look_ahead(self, is_paused: bool) -> None:
        """Look at nothing ahead for now, or do so again."""
        self._is_ahead_paused = is_paused
        self.look_ahead(self._ahead)

    def try_again(self, case_id: str) -> None:
        """Ask the models about a case once more where they have failed."""
        for entry in self.consultations(case_id):
            self._failures.pop((entry.card.weights_sha256, entry.input_key), None)
        self._outlet.consult(case_id, self._purpose(case_id) or Purpose.OPEN, may_read_images=True)

    def ask_heatmap(
        self, case_id: str, model_id: str, method: str, class_number: int, *, has_points: bool = False
    ) -> bool:
        """Have a heatmap of another method or class made. Returns whether that was asked for."""
        entry = next((one for one in self.consultations(case_id) if one.card.id == model_id), None)
        if entry is None or entry.finding is None:
            return False
        found = entry.finding
        if found.heatmap(method, class_number) is not None and (found.points or not has_points):
            return False
        self._add(entry, Purpose.OPEN, method=method, class_number=class_number, has_points=has_points)
        self.pump()
        return True

    def ask(self, request: Predict, *, card: ModelCard, channel: str) -> int:
        """Ask something that is not kept; returns a ticket. Older questions of the channel are forgotten."""
        number = self.book.new_number()
        request = msgspec.structs.replace(
            request, job=number, images=self._images, priority=int(Purpose.LIVE), model_key=card.answer_key
        )
        job = Job(number=number, request=request, purpose=Purpose.LIVE, weights_sha256=card.weights_sha256,
                  channel=channel)  # fmt: skip
        self._cancel(self.book.add(job))
        self.pump()
        return number

    def start_batch(self, case_ids: Iterable[str]) -> bool:
        """Ask about many cases; False while another batch is under way."""
        if self._batch is not None and not self._batch.progress.is_over:
            return False
        self._batch = BatchRun(case_ids)
        self._outlet.progressed(self._batch.progress)
        self._feed_batch()
        return True

    def cancel_batch(self) -> None:
        """Ask about no more cases; what has begun is finished and kept."""
        if self._batch is not None and not self._batch.progress.is_over:
            self._batch.cancel()
            self._drop_unwanted()
            self._outlet.progressed(self._batch.progress)

    def case_changed(self, case_id: str) -> None:
        """What models are fed of a case may be another thing now."""
        purpose = self._purpose(case_id)
        if purpose is not None or case_id in self._known:
            self._outlet.consult(case_id, purpose or Purpose.BATCH, may_read_images=True)

    def all_changed(self) -> None:
        """Anything may be another thing now."""
        for case_id in {self._open, *self._ahead} - {""}:
            self.case_changed(case_id)

    def try_failed_again(self) -> None:
        """Ask about everything once more that somebody wants to know and that has failed."""
        self._failures.clear()
        self.all_changed()

    def drop_all(self) -> None:
        """Nobody wants to know anything any more."""
        self._cancel(self.book.clear())

    def forget(self) -> None:
        """Other models, or another reader: nothing that is at hand counts; what is wanted is consulted again."""
        self._cancel(self.book.drop(lambda job: bool(job.case_id)))
        self._known.clear()
        self._failures.clear()
        self._located.clear()
        self._hips.clear()
        if self._open:
            self._outlet.consult(self._open, Purpose.OPEN, may_read_images=True)
        self.look_ahead(self._ahead)
        if self._batch is not None and not self._batch.progress.is_over:
            for case_id in self._batch.in_hand:
                self._outlet.consult(case_id, Purpose.BATCH, may_read_images=True)

    # --- what is found out ---

    def take_counsel(self, counsel: Counsel) -> None:
        """This is known about a case: ask what can be asked, if anybody wants to know it."""
        case_id, purpose = counsel.case_id, self._purpose(counsel.case_id)
        for region in counsel.located:
            self._located[region.view_id] = region
        if purpose is not None:
            for wanted in counsel.wanted:
                self._locate(case_id, wanted, purpose)
        is_pending = purpose is not None and (bool(counsel.wanted) or counsel.is_unprepared)
        entries = []
        for entry in counsel.consultations:
            self._drop_older(entry)
            known = self._entry(entry)
            if entry.finding is None and known is not None and known.finding is not None:
                entries.append(known)  # it was looked up before the answer came
            elif entry.state is ConsultationState.UNKNOWN and entry.input_key and purpose is not None:
                entries.append(self._asked(entry, purpose))
            elif entry.state is ConsultationState.UNKNOWN and not entry.input_key and is_pending:
                entries.append(replace(entry, state=ConsultationState.WAITING))
            else:
                entries.append(entry)
        self._note(case_id, tuple(entries))
        self.pump()

    def take_reply(self, reply: Result | Located | Failed) -> None:
        """The engine has answered a job."""
        job = self.book.ended(reply.job)
        if job is None:
            pass  # nobody waits for it any more
        elif isinstance(reply, Failed):
            self._fail(job, " ".join(part for part in (reply.title, reply.reason, reply.remedy) if part), reply)
        elif job.weights_sha256 and reply.weights_sha256 != job.weights_sha256:
            self._fail(job, OTHER_ANSWER)
        elif isinstance(reply, Located):
            self._take_hip(job, reply)
        elif not job.case_id:
            self._outlet.replied(job.number, reply)
        elif reply.input_key != job.input_key:
            self._fail(job, OTHER_ANSWER)
        else:
            self._take_result(job, reply)
        self.pump()

    def begun(self, number: int) -> None:
        """The engine has begun with a job."""
        self.book.begun(number)

    def cancelled(self, number: int) -> None:
        """The engine has forgotten a job."""
        self.book.ended(number)
        self.pump()

    def engine_ready(self, depth: int) -> None:
        """The engine can work; at most `depth` jobs are sent at a time."""
        self._is_engine_there, self.book.depth = True, depth
        self.pump()

    def engine_ended(self) -> None:
        """The engine is gone; jobs that it has ended at twice are given up."""
        self._is_engine_there = False
        for job in self.book.engine_ended():
            self._fail(job, ENDED_TWICE)

    def pump(self) -> None:
        """Send what can be sent."""
        for job in self.book.to_send() if self._is_engine_there else ():
            self._outlet.send(job.request)

    # --- inside ---

    def _purpose(self, case_id: str) -> Purpose | None:
        """What for somebody wants to know about a case; None = nobody does."""
        if case_id and case_id == self._open:
            return Purpose.OPEN
        if case_id in self._ahead and not self._is_ahead_paused:
            return Purpose.AHEAD
        return Purpose.BATCH if self._batch is not None and self._batch.has_in_hand(case_id) else None

    def _lower(self, case_id: str) -> None:
        """A case is not on the screen any more."""
        self.book.lower(case_id, self._purpose(case_id) or Purpose.AHEAD)

    def _drop_unwanted(self) -> None:
        def is_unwanted(job: Job) -> bool:
            cases = self._hips.get(job.hip_key, set()) if job.hip_key else {job.case_id} - {""}
            return not job.channel and all(self._purpose(case_id) is None for case_id in cases)

        self._cancel(self.book.drop(is_unwanted))

    def _drop_older(self, entry: Consultation) -> None:
        """Forget jobs that would tell what a model thought of this case as it was before."""

        def is_older(job: Job) -> bool:
            is_its = (job.case_id, job.weights_sha256) == (entry.case_id, entry.card.weights_sha256)
            return is_its and job.input_key != entry.input_key

        self._cancel(self.book.drop(is_older))

    def _asked(self, entry: Consultation, purpose: Purpose) -> Consultation:
        """The same after it was asked, unless that has failed before."""
        failure = self._failures.get((entry.card.weights_sha256, entry.input_key))
        if failure is not None:
            return replace(entry, state=ConsultationState.FAILED, failure=failure)

        def is_same(job: Job) -> bool:
            names = (job.case_id, job.weights_sha256, job.input_key)
            return names == (entry.case_id, entry.card.weights_sha256, entry.input_key)

        if self.book.find(is_same) is None:
            self._add(entry, purpose, method=HEATMAP_METHOD, class_number=entry.card.finding)
        else:
            for job in self.book.urge(is_same, purpose):
                job.request = msgspec.structs.replace(job.request, priority=int(job.purpose))
                self._outlet.send(job.request)
        return replace(entry, state=ConsultationState.WAITING)

    def _add(
        self, entry: Consultation, purpose: Purpose, *, method: str, class_number: int, has_points: bool = False
    ) -> None:
        number = self.book.new_number()
        request = Predict(
            job=number,
            model=entry.folder,
            images=self._images,
            views=tuple(view.given for view in entry.views),
            priority=int(purpose),
            heatmap_method=method,
            heatmap_class=class_number,
            heatmaps=self._heatmaps,
            has_points=has_points,
            model_key=entry.card.answer_key,
        )
        job = Job(
            number=number,
            request=request,
            purpose=purpose,
            case_id=entry.case_id,
            model_id=entry.card.id,
            weights_sha256=entry.card.weights_sha256,
            input_key=entry.input_key,
        )
        self.book.add(job)

    def _locate(self, case_id: str, wanted: WantedHip, purpose: Purpose) -> None:
        waiting = self._hips.setdefault(wanted.key, set())
        waiting.add(case_id)
        if self.book.find(lambda job: job.hip_key == wanted.key) is None:
            number = self.book.new_number()
            request = Locate(
                job=number, model=wanted.model.folder, images=self._images, view=wanted.given, priority=int(purpose),
                model_key=wanted.model.card.answer_key,
            )  # fmt: skip
            weights = wanted.model.card.weights_sha256
            job = Job(number=number, request=request, purpose=purpose, weights_sha256=weights, hip_key=wanted.key)
            self.book.add(job)

    def _take_hip(self, job: Job, reply: Located) -> None:
        self._outlet.keep_hip(
            job.hip_key, LocatedHip(center_xy=reply.center_xy, confidence=reply.confidence, head_xy=reply.head_xy)
        )
        for case_id in sorted(self._hips.pop(job.hip_key, ())):
            self._outlet.consult(case_id, self._purpose(case_id) or Purpose.BATCH, may_read_images=True)

    def _take_result(self, job: Job, reply: Result) -> None:
        assert isinstance(job.request, Predict)
        entry = self._entry(job)
        older = entry.finding if entry is not None else None
        heatmaps = {(files.method, files.class_number): files for files in (older.heatmaps if older else ())}
        if reply.heatmaps:
            method, number = job.request.heatmap_method, job.request.heatmap_class
            names = tuple(map(_file_name, reply.heatmaps))
            heatmaps[method, number] = HeatmapFiles(method=method, class_number=number, files=names)
        finding = Finding(
            case_id=job.case_id,
            model_id=job.model_id,
            weights_sha256=reply.weights_sha256,
            input_key=reply.input_key,
            probabilities=reply.probabilities,
            distance=reply.distance,
            heatmaps=tuple(heatmaps.values()),
            points=_file_name(reply.points) or (older.points if older else ""),
        )
        self._outlet.keep(finding, is_current=entry is not None)
        self._settle(job, ConsultationState.ANSWERED, finding=finding)
        self._outlet.arrived(job.case_id)

    def _fail(self, job: Job, sentence: str, reply: Failed | None = None) -> None:
        if job.hip_key:
            for case_id in sorted(self._hips.pop(job.hip_key, ())):
                self._fail_waiting(case_id, sentence)
        elif not job.case_id:
            self._outlet.replied(job.number, reply or Failed(job=job.number, kind="ended", title=sentence))
        else:
            entry = self._entry(job)
            if entry is None or entry.finding is None:  # another heatmap that cannot be made spoils no finding
                self._failures[job.weights_sha256, job.input_key] = sentence
                self._settle(job, ConsultationState.FAILED, failure=sentence)

    def _fail_waiting(self, case_id: str, sentence: str) -> None:
        """What waits for a hip to be located will never be asked."""
        entries = self._known.get(case_id, ())
        is_waiting = [entry.state is ConsultationState.WAITING and not entry.input_key for entry in entries]
        if any(is_waiting):
            self._note(
                case_id,
                tuple(
                    replace(entry, state=ConsultationState.FAILED, failure=sentence) if waits else entry
                    for entry, waits in zip(entries, is_waiting, strict=True)
                ),
            )

    def _entry(self, asked: Job | Consultation) -> Consultation | None:
        """What is known where an answer belongs; None when that is not at hand, or is fed otherwise now."""
        weights = asked.weights_sha256 if isinstance(asked, Job) else asked.card.weights_sha256
        names, known = (weights, asked.input_key), self._known.get(asked.case_id, ())
        return next((one for one in known if (one.card.weights_sha256, one.input_key) == names), None)

    def _settle(self, job: Job, state: ConsultationState, *, finding: Finding | None = None, failure: str = "") -> None:
        """This became of a job; it counts where exactly this was asked."""
        entry = self._entry(job)
        if entry is not None:
            new = replace(entry, state=state, finding=finding, failure=failure)
            entries = self._known[job.case_id]
            self._note(job.case_id, tuple(new if one is entry else one for one in entries))

    def _note(self, case_id: str, entries: tuple[Consultation, ...]) -> None:
        """This is known of a case now."""
        is_news = self._known.get(case_id) != entries
        self._known[case_id] = entries
        self._known.move_to_end(case_id)
        for old in [name for name in self._known if self._purpose(name) is None][: len(self._known) - CASES_KEPT]:
            del self._known[old]
        if is_news:
            self._outlet.known(case_id)
        if self._batch is not None and self._batch.note(case_id, entries):
            self._outlet.progressed(self._batch.progress)
            self._feed_batch()

    def _feed_batch(self) -> None:
        if self._batch is not None:
            for case_id in self._batch.take(CASES_IN_HAND):
                self._outlet.consult(case_id, Purpose.BATCH, may_read_images=True)

    def _cancel(self, numbers: list[int]) -> None:
        if numbers:
            self._outlet.send(Cancel(jobs=tuple(numbers)))


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]
