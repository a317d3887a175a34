"""What jobs for the AI engine bring about: in the window its signals, in a command its own loop."""

from __future__ import annotations

from typing import Protocol

from app.core.batch_run import BatchProgress
from app.core.counsel import LocatedHip
from app.core.engine_messages import EngineRequest, Failed, Result
from app.core.finding import Finding
from app.core.job_book import Purpose


class JobOutlet(Protocol):
    """What follows from events."""

    def send(self, *requests: EngineRequest) -> None:
        """To the engine, which may not be there."""

    def consult(self, case_id: str, purpose: Purpose, *, may_read_images: bool) -> None:
        """Work out what is known about a case; `CaseJobs.take_counsel` gets it."""

    def keep(self, finding: Finding, *, is_current: bool) -> None:
        """Keep what a model has said, of a case as it is, or as it was when the model was asked."""

    def keep_hip(self, key: bytes, hip: LocatedHip) -> None:
        """Keep what a localiser has said, before anything is consulted again."""

    def known(self, case_id: str) -> None:
        """Something else is known about a case."""

    def arrived(self, case_id: str) -> None:
        """A model has said something about a case."""

    def progressed(self, progress: BatchProgress) -> None:
        """A batch has come farther."""

    def replied(self, ticket: int, reply: Result | Failed) -> None:
        """Something that is not kept was answered."""
