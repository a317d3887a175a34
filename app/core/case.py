"""Patients, studies, views and cases: what a surgeon reviews."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from app.core.grey import GreyScale
from app.core.pixel_review import PixelReview, ReleaseState, release_state
from app.core.record import record
from app.core.spacing import Spacing


class Projection(StrEnum):
    """How the beam passed through the hip."""

    FRONTAL = "frontal"
    LATERAL = "lateral"  # a lateral of unstated kind
    FROG_LEG = "frog-leg"  # Lauenstein, Dunn and frog-leg views
    CROSS_TABLE = "cross-table"  # axial, horizontal-beam lateral
    OBLIQUE = "oblique"

    @property
    def role(self) -> ViewRole | None:
        """The pane that a view of this projection hangs in; None for an oblique."""
        if self is Projection.FRONTAL:
            return ViewRole.FRONTAL
        if self is Projection.OBLIQUE:
            return None
        return ViewRole.LATERAL


class ViewRole(StrEnum):
    """The place of a view in its case."""

    FRONTAL = "frontal"
    LATERAL = "lateral"
    UNASSIGNED = "unassigned"


class Side(StrEnum):
    """The side of the patient. BOTH is an image property (a pelvis); a case is always one hip."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


class Certainty(StrEnum):
    """What is known about a property that was assessed from evidence."""

    EVIDENT = "evident"  # the evidence agrees
    CONFIRMED = "confirmed"  # a person decided
    UNKNOWN = "unknown"  # no evidence
    CONTRADICTORY = "contradictory"  # pieces of evidence disagree


class ReviewStatus(StrEnum):
    """How far the work on a case has come."""

    NEW = "new"
    ANNOTATED = "annotated"
    REVIEWED = "reviewed"
    EXCLUDED = "excluded"
    SECOND_LOOK = "second-look"


@record(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece of evidence for a projection or a side.

    Args:
        source: the field's name for where it was found, for example `View Position`.
        found: what was found there, without any identifying text, for example `AP`.
        says: the value it speaks for (a Projection or Side value).
        rank: 1 = strongest; equal ranks are equally strong.
        is_advisory: advisory evidence never decides alone.
    """

    source: str
    found: str
    says: str
    rank: int
    is_advisory: bool = False


ValueT = TypeVar("ValueT", Projection, Side)


@record(frozen=True, slots=True, kw_only=True)
class Assessment(Generic[ValueT]):
    """A value with what is known about it and why.

    Args:
        value: the value; None exactly when the certainty is UNKNOWN or CONTRADICTORY.
        certainty: what is known.
        evidence: every piece found, strongest first.
    """

    value: ValueT | None
    certainty: Certainty
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        is_open = self.certainty in (Certainty.UNKNOWN, Certainty.CONTRADICTORY)
        if is_open != (self.value is None):
            raise ValueError(f"{self.certainty} does not go with value {self.value}")

    @property
    def is_open(self) -> bool:
        """Whether a person still has to decide."""
        return self.value is None


class ViewFlag(StrEnum):
    """What a user must know about an image before trusting it."""

    PARTIAL = "partial"  # truncated: rows are missing; no inference
    FALLBACK_DECODER = "fallback-decoder"  # display only; no inference
    NOT_NATIVE = "not-native"  # colour or secondary capture: not the detector's grey values
    LOSSY = "lossy"  # lossy compression somewhere in its history
    FOR_PROCESSING = "for-processing"  # raw detector data, not meant for reading
    MAY_HAVE_TEXT = "may-have-text"  # Burned In Annotation is not NO
    OTHER_BODY_PART = "other-body-part"  # the header names a body part that is not hip, pelvis or femur
    REJECTED = "rejected"  # a repeat that was set aside at the acquisition
    ASSUMED_ENCODING = "assumed-encoding"  # header fields were missing and guessed


@record(frozen=True, slots=True, kw_only=True)
class Patient:
    """A pseudonymised patient of one project.

    Args:
        id: pseudonym, unique in the project.
        sex: `M`, `F`, `O` or empty.
        name_check: 0–255, keyed check value of the name (not reversible), None when there was none.
        birth_check: 0–255, keyed check value of the birth date, None when there was none.
    """

    id: str
    sex: str = ""
    name_check: int | None = None
    birth_check: int | None = None


@record(frozen=True, slots=True, kw_only=True)
class Study:
    """One DICOM study, de-identified.

    Args:
        id: pseudonymous Study Instance UID (2.25.…).
        patient_id: the patient's pseudonym.
        date: study date shifted by the patient's constant, YYYY-MM-DD, or empty.
        blocked_reason: why this study must not be read as it is (an identity mismatch); empty = not blocked.
    """

    id: str
    patient_id: str
    date: str = ""
    blocked_reason: str = ""


@record(frozen=True, slots=True, kw_only=True)
class View:
    """One radiograph of a study.

    Args:
        id: stable identifier, derived from the object's UID with the project key.
        study_id: the study it belongs to.
        image_sha256: address of its stored pixel values in the image store.
        rows: image height, px.
        cols: image width, px.
        projection: frontal, lateral …, with evidence.
        side: left, right or both, with evidence.
        spacing: length scale with its source.
        grey: how stored values become grey levels.
        acquired_at: shifted acquisition time, ISO 8601, or empty.
        orientation: Patient Orientation (row letter, column letter), or empty.
        flags: what a user must know about the image.
        notices: sentences for the user, most important first.
        excluded_reason: why a person took the view out of its cases; empty = not excluded.
        pixel_review: what a person said about text in its pixels; None = nobody has looked.
        is_absent: this copy of the project never had its pixels; an export says so, others need not know.
    """

    id: str
    study_id: str
    image_sha256: str
    rows: int
    cols: int
    projection: Assessment[Projection]
    side: Assessment[Side]
    spacing: Spacing
    grey: GreyScale
    acquired_at: str = ""
    orientation: tuple[str, str] | tuple[()] = ()
    flags: frozenset[ViewFlag] = frozenset()
    notices: tuple[str, ...] = ()
    excluded_reason: str = ""
    pixel_review: PixelReview | None = None
    is_absent: bool = False

    @property
    def release(self) -> ReleaseState:
        """Whether its pixels may leave the project."""
        if self.is_absent:
            return ReleaseState.ABSENT
        return release_state(self.flags, self.pixel_review)


@record(frozen=True, slots=True, kw_only=True)
class Case:
    """One hip in one study: what a surgeon reviews.

    Args:
        id: stable identifier.
        study_id: the study.
        patient_id: the patient's pseudonym.
        side: LEFT or RIGHT; None while a person still has to say which.
        frontal_id: the frontal view, if there is one.
        lateral_id: the lateral view, if there is one.
        unassigned_ids: views of this case that a person has to place.
        status: review status.
        blocked_reason: why the case must not be read (mixed-up patients); empty = not blocked.
        questions: what a person has to decide, one sentence each.
    """

    id: str
    study_id: str
    patient_id: str
    side: Side | None
    frontal_id: str | None = None
    lateral_id: str | None = None
    unassigned_ids: tuple[str, ...] = ()
    status: ReviewStatus = ReviewStatus.NEW
    blocked_reason: str = ""
    questions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.side is Side.BOTH:
            raise ValueError("a case is one hip; an image that shows both serves two cases")

    @property
    def view_ids(self) -> tuple[str, ...]:
        """Every view of the case: frontal, lateral, then those that have no place."""
        hung = tuple(view for view in (self.frontal_id, self.lateral_id) if view is not None)
        return (*hung, *self.unassigned_ids)
