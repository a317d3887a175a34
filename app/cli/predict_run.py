"""Putting cases to models from the command line: the jobs of the window, and an engine of one's own."""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np

from app.cli.engine_client import EngineClient, EngineEndedError
from app.core.batch_run import BatchProgress
from app.core.case_jobs import CaseJobs
from app.core.counsel import LocatedHip, UsableModel
from app.core.engine_messages import Cancelled, EngineRequest, Failed, Hello, Located, Ready, Result, Started
from app.core.errors import UserError
from app.core.finding import Consultation, Finding
from app.core.job_book import Purpose
from app.core.restarts import RestartRule
from app.store.consulting import Consultant
from app.store.exchange.drawn import display_picture, with_caption, with_heatmap
from app.store.located import keep_hip
from app.store.project import ProjectStore

DEPTH = 16
LONGEST_PX = 1024
MARK = "Research use only. Not for diagnosis."


def ask_models(
    project: ProjectStore,
    case_ids: Sequence[str],
    models: tuple[UsableModel, ...],
    localiser: UsableModel | None,
    args: argparse.Namespace,
) -> dict[str, tuple[Consultation, ...]]:
    """What models say about cases, by case in the order given.

    Args:
        project: the project; open for writing, answers are kept.
        case_ids: the cases.
        models: the models.
        localiser: proposes regions where nobody has drawn one.
        args: device, precision, threads, reader.

    Raises:
        UserError: the engine cannot work.
    """
    run = _Run(project, models, localiser, args)
    try:
        return run.all(case_ids)
    finally:
        run.close()


class _Run:
    """Cases, jobs and one engine; the outlet of the jobs."""

    def __init__(
        self,
        project: ProjectStore,
        models: tuple[UsableModel, ...],
        localiser: UsableModel | None,
        args: argparse.Namespace,
    ) -> None:
        self._project, self._models, self._localiser, self._reader = project, models, localiser, args.reader
        self._hello = Hello(
            device=args.device, precision=args.precision, threads=args.threads, is_compiled=args.compile
        )
        self._consultant = Consultant(project.folder, project.images, project.derived, project.findings)
        self._questions: deque[str] = deque()
        self._client: EngineClient | None = None
        self._rule = RestartRule()
        self._found: dict[str, tuple[Consultation, ...]] = {}
        self._jobs = CaseJobs(self, images=str(project.folder.images), heatmaps=str(project.findings.heatmap_folder))

    def close(self) -> None:
        """Leave nothing running."""
        self._consultant.close()
        if self._client is not None:
            self._client.close()

    def all(self, case_ids: Sequence[str]) -> dict[str, tuple[Consultation, ...]]:
        """Ask about all of them."""
        self._jobs.start_batch(case_ids)
        while (batch := self._jobs.batch) is not None and not batch.is_over:
            if self._questions:
                counsel = self._consultant.ask(
                    self._questions.popleft(), self._models, reader=self._reader, localiser=self._localiser
                )
                self._jobs.take_counsel(counsel)
            else:
                self._listen()
        if sys.stderr.isatty():
            print(file=sys.stderr)
        return {case_id: self._found.get(case_id, ()) for case_id in dict.fromkeys(case_ids)}

    def _listen(self) -> None:
        """Wait for the next reply; start the engine where there is none."""
        try:
            if self._client is None:
                self._start()
                return
            reply = self._client.reply()
        except EngineEndedError:
            self._on_ended()
            return
        match reply:
            case Started():
                self._jobs.begun(reply.job)
            case Cancelled():
                self._jobs.cancelled(reply.job)
            case Result() | Located() | Failed():
                self._jobs.take_reply(reply)

    def _start(self) -> None:
        self._client = EngineClient(self._hello)
        reply = self._client.reply()
        if isinstance(reply, Failed):
            raise UserError(reply.title, reason=reply.reason, remedy=reply.remedy, kind=reply.kind)
        if isinstance(reply, Ready):
            self._jobs.engine_ready(DEPTH)

    def _on_ended(self) -> None:
        """The engine is gone: start another one, but not for ever."""
        said = list(self._client.noise)[-3:] if self._client is not None else []
        self._client = None
        self._jobs.engine_ended()
        if not self._rule.may_restart(time.monotonic()):
            raise UserError(
                "The AI engine keeps ending.",
                reason="It has ended four times within a minute.",
                remedy=f"Its last words: {' / '.join(said)}" if said else "Check the memory of this machine.",
                kind="engine-ended",
            )

    # --- what the jobs want done ---

    def send(self, *requests: EngineRequest) -> None:
        """To the engine."""
        if self._client is not None:
            self._client.send(*requests)

    def consult(self, case_id: str, purpose: Purpose, *, may_read_images: bool) -> None:
        """Asked again before the next reply is waited for."""
        self._questions.append(case_id)

    def keep(self, finding: Finding, *, is_current: bool) -> None:
        """Keep an answer."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self._project.findings.put(replace(finding, at=at))

    def keep_hip(self, key: bytes, hip: LocatedHip) -> None:
        """Keep where a hip is."""
        keep_hip(self._project.derived, key, hip)

    def known(self, case_id: str) -> None:
        """Remember the last that is known of a case."""
        self._found[case_id] = self._jobs.consultations(case_id)

    def arrived(self, case_id: str) -> None:
        """Nobody waits for a single answer."""

    def progressed(self, progress: BatchProgress) -> None:
        """Say how far it is, to people."""
        if sys.stderr.isatty():
            print(f"\r{progress.done} of {progress.total} cases", end="", file=sys.stderr, flush=True)

    def replied(self, ticket: int, reply: Result | Failed) -> None:
        """Nothing is asked live."""


def heatmap_pictures(project: ProjectStore, found: dict[str, tuple[Consultation, ...]]) -> Iterator[tuple[str, bytes]]:
    """Name and PNG of every heatmap over its radiograph.

    Raises:
        UserError: an image is missing or damaged.
    """
    for case_id, entries in found.items():
        for entry in entries:
            for files in entry.finding.heatmaps if entry.finding is not None else ():
                for view, name in zip(entry.views, files.files, strict=True):
                    heatmap = np.load(project.findings.heatmap_folder / name, allow_pickle=False)
                    image = project.images.load(view.given.image_sha256)
                    picture, scale = display_picture(image, view.given.grey, view.given.voi, longest_px=LONGEST_PX)
                    laid = with_heatmap(picture, scale, heatmap, view.given.cut, full=entry.card.heatmap_scale)
                    what = entry.card.classes[files.class_number]
                    full = f"full colour = {entry.card.heatmap_scale:g} logits"
                    laid = with_caption(laid, [f"{entry.card.id}: {what}, {files.method}; {full}"], MARK)
                    is_encoded, data = cv2.imencode(".png", np.ascontiguousarray(laid[..., ::-1]))
                    assert is_encoded, "the PNG encoder takes 8-bit colour images"
                    yield f"{case_id}-{view.role}-{entry.card.id}-{files.method}.png", data.tobytes()
