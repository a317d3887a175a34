"""Annotations: what people say about a case, and the changes by which they come about.

Every reader has a target of their own, `case:ID@READER`, so that two opinions live side by side and neither can
overwrite the other. What is one for the whole case (its review status, comments, who it is assigned to) stays at
`case:ID`, and the calibration of an image and the verdict on its burnt-in text at `view:ID`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from app.core.adjudication import ADJUDICATED, adjudication_of
from app.core.errors import UserError
from app.core.event import Json, target_of
from app.core.geometry import Alignment
from app.core.label_set import LabelValue
from app.core.measurement import Measurement, ScaleCalibration
from app.core.pixel_review import PixelReview
from app.core.record import record
from app.core.region import RegionBox

CASE, VIEW = "case", "view"
LABEL = "label."  # + field of the label set
ALIGNMENT = "alignment."  # + view
CROP_VERDICT = "crop."  # + view
REGION = "region."  # + view
LANDMARK = "point."  # + landmark . view
MEASUREMENT = "measurement."  # + number . view
READER_PREFIXES = (LABEL, ALIGNMENT, CROP_VERDICT, REGION, LANDMARK, MEASUREMENT, ADJUDICATED)

STATUS = "status"
ASSIGNED = "assigned"
COMMENT = "comment."  # + number
CALIBRATION = "calibration"  # of a view
PIXEL_REVIEW = "pixels"  # of a view: burnt-in text

MAX_READER_LENGTH = 120
JOINERS = "\u200c\u200d"  # zero-width non-joiner and joiner: part of how a name is spelt
LAYOUT_MARKS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF))
T = TypeVar("T")


@record(frozen=True, slots=True, kw_only=True)
class Change:
    """One value that becomes another one: the only way in which anything changes.

    Args:
        target: what changes, `case:ID@READER`, `case:ID` or `view:ID`.
        field: which property.
        before: JSON value before, None when there was none.
        after: JSON value after, None when it is taken away.
        reverts: id of the event that this one takes back.
    """

    target: str
    field: str
    before: Json
    after: Json
    reverts: int | None = None

    def inverse(self, *, event_id: int | None = None) -> Change:
        """What takes this change back.

        Args:
            event_id: the event that recorded it, if it was recorded.
        """
        return replace(self, before=self.after, after=self.before, reverts=event_id)


@record(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One value that holds now.

    Args:
        target: what it is said of.
        field: which property.
        value: JSON value.
        reader: whose opinion it is; empty for what is one for the whole case, and for what an import brought.
        author: who set it (a reader, or a migration of the label set).
        at: when, UTC, ISO 8601.
        event_id: the event that set it.
    """

    target: str
    field: str
    value: Json
    reader: str
    author: str
    at: str
    event_id: int


@record(frozen=True, slots=True, kw_only=True)
class CropVerdict:
    """What a person thinks of a crop on looking at it (paper 004: visual screening).

    Args:
        is_approved: whether it may be used.
        key: the crop that was looked at; a verdict on another one does not count.
    """

    is_approved: bool
    key: str


def reader_target(case_id: str, reader: str) -> str:
    """The target of one reader's opinion about a case."""
    return f"{target_of(CASE, case_id)}@{reader}"


def split_target(target: str) -> tuple[str, str, str]:
    """Kind, identifier and reader (or empty) of a target."""
    kind, _, rest = target.partition(":")
    identifier, _, reader = rest.partition("@")
    return kind, identifier, reader


def checked_reader(name: str) -> str:
    """The name of a reader as it is recorded: one line, no spaces around it, no marks that only lay text out.

    Joiners stay: names in Persian and in Indic scripts are spelt with them.

    Raises:
        UserError: `reader`: empty, too long, or not one line.
    """
    plain = " ".join(name.translate(LAYOUT_MARKS).split())
    reason = ""
    if not plain.strip(JOINERS):
        reason = "Every annotation is recorded with a name."
    elif len(plain) > MAX_READER_LENGTH:
        reason = f"The name is longer than {MAX_READER_LENGTH} letters."
    elif not plain.translate(dict.fromkeys(map(ord, JOINERS))).isprintable():
        reason = "The name is not one line of text."
    if reason:
        raise UserError(
            "It is not known who is annotating.", reason=reason, remedy="Give a name or initials.", kind="reader"
        )
    return plain


def is_annotation(target: str, field: str) -> bool:
    """Whether an event is something that a person annotates and may undo, rather than what an import or pairing did."""
    kind, _, reader = split_target(target)
    if kind == CASE and reader:
        return field.startswith(READER_PREFIXES)
    if kind == CASE:
        return field in (STATUS, ASSIGNED) or field.startswith(COMMENT)
    return kind == VIEW and field in (CALIBRATION, PIXEL_REVIEW)


def label_value(value: Json) -> LabelValue:
    """A label from its JSON form."""
    return tuple(map(str, value)) if isinstance(value, list) else value if isinstance(value, int) else str(value)


def labels_of(values: Mapping[str, Json]) -> dict[str, LabelValue]:
    """The labels among the values of a target: field of the label set -> value."""
    return {name.removeprefix(LABEL): label_value(value) for name, value in values.items() if name.startswith(LABEL)}


def document_of(value: object) -> Json:
    """The JSON form of an alignment, region, measurement, point, calibration, verdict or label."""
    document: Json = msgspec.json.decode(msgspec.json.encode(value))
    return document


def alignment_of(value: Json) -> Alignment | None:
    """An alignment from its JSON form; None when there is none."""
    return None if value is None else _read(value, Alignment)


def region_of(value: Json) -> RegionBox | None:
    """A region from its JSON form; None when there is none."""
    return None if value is None else _read(value, RegionBox)


def verdict_of(value: Json) -> CropVerdict | None:
    """A verdict from its JSON form; None when there is none."""
    return None if value is None else _read(value, CropVerdict)


def measurement_of(value: Json) -> Measurement:
    """A measurement from its JSON form."""
    return _read(value, Measurement)


def calibration_of(value: Json) -> ScaleCalibration | None:
    """A calibration from its JSON form; None when there is none."""
    return None if value is None else _read(value, ScaleCalibration)


def pixel_review_of(value: Json) -> PixelReview | None:
    """A verdict on burnt-in text from its JSON form; None when nobody has looked."""
    return None if value is None else _read(value, PixelReview)


def point_of(value: Json) -> tuple[float, float]:
    """A point from its JSON form."""
    x, y = _read(value, tuple[float, float])
    return x, y


def _read(value: Json, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        name = getattr(kind, "__name__", "point").lower()
        raise UserError(
            f"This is not a {name}.", reason=f"{error}.", remedy="Use a newer version of Coxa.", kind="annotation"
        ) from error


def checked_document(target: str, field: str, value: Json) -> Json:
    """The value as it is recorded, or the reason for which it is not.

    Labels are checked against the label set by the store, which knows it.

    Raises:
        UserError: `annotation`: not a value of this kind of field, or no such field.
    """
    kind, _, reader = split_target(target)
    if value is None or not is_annotation(target, field):
        pass
    elif kind == VIEW:
        return document_of(calibration_of(value) if field == CALIBRATION else pixel_review_of(value))
    elif reader:
        readers: dict[str, Any] = {ALIGNMENT: alignment_of, REGION: region_of, CROP_VERDICT: verdict_of,
                                   LANDMARK: point_of, MEASUREMENT: measurement_of,
                                   ADJUDICATED: adjudication_of}  # fmt: skip
        for prefix, read in readers.items():
            if field.startswith(prefix):
                return document_of(read(value))
    if not is_annotation(target, field):
        raise UserError("This cannot be annotated.", reason=f"There is no field {field[:60]} here.", kind="annotation")
    return value
