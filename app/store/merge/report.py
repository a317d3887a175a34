"""What came of a merge."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.agreement import Disagreement, FieldAgreement
from app.core.event import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeProgress:
    """How far a merge is.

    Args:
        done: studies done.
        total: studies in all.
    """

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeConflict:
    """Something that is one for both projects, and that they say differently. Ours was kept, theirs is in the history.

    Args:
        case_id: the case here that it is about; empty when there is none.
        what: `status`, `projection`, `side`, `excluded`, `blocked`, `calibration`, `assigned` …
        ours: what holds here.
        theirs: what the other project says.
    """

    case_id: str
    what: str
    ours: Json
    theirs: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptApart:
    """Two opinions of the same reader about the same case, kept side by side.

    Args:
        case_id: the case.
        reader: the reader.
        kept_as: under which name the other project's opinion is kept.
    """

    case_id: str
    reader: str
    kept_as: str


@dataclass(slots=True)
class MergeReport:
    """What a merge did, or would do.

    Args:
        is_rehearsal: nothing was written.
        is_cancelled: it was stopped; what is in is kept, and the same merge goes on from there.
        has_same_key: both projects make the same pseudonyms.
        studies: studies of the other project.
        new_patients: patients that were not here.
        new_studies: studies that were not here.
        new_views: radiographs that were not here.
        new_cases: cases that were not here.
        shared_cases: cases that were here already.
        brought: events that were not here.
        known: events that were here already, or change nothing here.
        opinions: opinions of readers about cases that came, or went on.
        kept_apart: opinions of one reader that contradict each other.
        conflicts: what is one for both projects and differs.
        left_out: studies that could not be brought, with the reason.
        notes: sentences that whoever merges must read.
        agreement: how far readers agree afterwards, on the cases of both projects.
        disagreements: on what they do not.
    """

    is_rehearsal: bool = False
    is_cancelled: bool = False
    has_same_key: bool = True
    studies: int = 0
    new_patients: int = 0
    new_studies: int = 0
    new_views: int = 0
    new_cases: int = 0
    shared_cases: int = 0
    brought: int = 0
    known: int = 0
    opinions: int = 0
    kept_apart: list[KeptApart] = field(default_factory=list)
    conflicts: list[MergeConflict] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    agreement: list[FieldAgreement] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)

    @property
    def changes_nothing(self) -> bool:
        """Whether everything of the other project was here already."""
        return not (self.brought or self.new_views or self.new_studies)
