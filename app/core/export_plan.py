"""What an export will hold, decided before its first file is written: the preview, and what every writer works from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.core.annotation import Annotation
from app.core.case import Case, Patient, Study, View
from app.core.export import Content, ExportFormat, ExportRequest
from app.core.geometry import Alignment, Crop
from app.core.label_set import LabelSet, LabelValue
from app.core.region import RegionBox
from app.core.split import Leak, Part


class LeftOut(StrEnum):
    """Why a case, or a picture of it, is not in an export."""

    BLOCKED = "blocked"  # the case must not be read
    EXCLUDED = "excluded"  # the case's status
    BY_HAND = "by-hand"
    VIEW_EXCLUDED = "view-excluded"  # a person took the view out
    WAITING = "waiting"  # may hold burnt-in text, and nobody has looked
    REFUSED = "refused"  # somebody looked and said no
    ABSENT = "absent"  # this copy of the project never had the pixels
    CROP_UNAPPROVED = "crop-unapproved"
    NO_PART = "no-part"  # the training run does not know it
    NO_LABEL = "no-label"  # no class: formats with a folder for each class leave it out
    DISPUTED = "disputed"  # readers give different classes


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCrop:
    """One crop of one view by one reader.

    Args:
        content: `ALIGNED_CROPS` or `REGION_CROPS`.
        view: the view.
        reader: whose clicks or box.
        cut: what is cut out.
        key: names its pixels.
        state: the reader's verdict: `unseen`, `approved`, `rejected` or `outdated`.
        name: of its file, without folder and ending; made of our own identifiers.
        alignment: the two clicks; None for a region.
        region: the box; None for an alignment.
    """

    content: Content
    view: View
    reader: str
    cut: Crop
    key: str
    state: str
    name: str
    alignment: Alignment | None = None
    region: RegionBox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCase:
    """One case as it will be exported.

    Args:
        case: the case.
        study: its study.
        patient: whose it is.
        views: its views, frontal, lateral, then those without a place; views that a person took out are not here.
        annotations: what is said about it now, by target and field; only of the readers that count.
        crops: its crops that will be exported.
        label: its class, when those who gave one agree; empty otherwise.
        is_disputed: whether they do not agree.
        part: what it is for; None without a split, or when the run does not know it.
    """

    case: Case
    study: Study
    patient: Patient
    views: tuple[View, ...]
    annotations: tuple[Annotation, ...] = ()
    crops: tuple[ExportCrop, ...] = ()
    label: str = ""
    is_disputed: bool = False
    part: Part | None = None

    @property
    def pictures(self) -> tuple[View, ...]:
        """The views whose pixels may leave."""
        return tuple(view for view in self.views if view.release.may_leave)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlan:
    """Everything that an export will hold.

    Args:
        request: what was asked for.
        project_name: name of the project.
        head: number and hash of the last event that counts.
        changed_at: time of that event: the state that is exported.
        is_whole: whether it holds every case of the project.
        cases: in the order in which they were first made.
        label_set: what is asked in the project.
        label_field: the field that gives classes; empty = none.
        classes: the classes that occur, in the order of the label set, then by name.
        readers: who is heard, by name; their number (from 1) stands in file names.
        offsets: view -> what is added to a pixel to have its stored value.
        left_out: reason -> identifiers (of cases, views or crops) that are not in it.
        leaks: patients and images that are in two parts.
        notes: sentences that whoever exports must read.
    """

    request: ExportRequest
    project_name: str
    head: tuple[int, bytes]
    changed_at: str
    is_whole: bool
    cases: tuple[ExportCase, ...]
    label_set: LabelSet
    label_field: str = ""
    classes: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    offsets: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[LeftOut, tuple[str, ...]] = field(default_factory=dict)
    leaks: tuple[Leak, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the data set is called."""
        return self.request.title or self.project_name

    @property
    def views(self) -> tuple[View, ...]:
        """Every view once, by id: a pelvis serves two cases."""
        found = {view.id: view for case in self.cases for view in case.views}
        return tuple(found[name] for name in sorted(found))

    @property
    def pictures(self) -> tuple[View, ...]:
        """Every view whose pixels may leave, once, by id."""
        return tuple(view for view in self.views if view.release.may_leave)

    def reader_number(self, reader: str) -> int:
        """The number that stands for a reader in file names, from 1."""
        return self.readers.index(reader) + 1

    def has(self, *contents: Content) -> bool:
        """Whether any of these is asked for."""
        return self.request.has(*contents)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPreview:
    """What an export comes to, for people: shown before it is written.

    Args:
        patients: patients.
        studies: studies.
        cases: cases.
        views: radiographs, with those whose pixels are withheld.
        pictures: radiographs whose pixels may leave.
        crops: crops of both kinds.
        annotations: values that people gave.
        readers: who gave them.
        parts: part -> class (or empty) -> number of cases; without a split under `""`.
        left_out: reason -> how many.
        leaks: patients and images in two parts.
        files: format -> number of files.
        pixel_bytes: pixels to be written, uncompressed.
        notes: sentences that whoever exports must read.
    """

    patients: int
    studies: int
    cases: int
    views: int
    pictures: int
    crops: int
    annotations: int
    readers: int
    parts: Mapping[str, Mapping[str, int]]
    left_out: Mapping[LeftOut, int]
    leaks: tuple[Leak, ...]
    files: Mapping[ExportFormat, int]
    pixel_bytes: int
    notes: tuple[str, ...]


def part_counts(plan: ExportPlan) -> dict[str, dict[str, int]]:
    """Cases by part and class, in the order of parts and classes; cases without either under an empty text."""
    counts: dict[str, Counter[str]] = {}
    for part in (*Part, None):
        inside = [case for case in plan.cases if case.part is part]
        if inside:
            counts[part.value if part else ""] = Counter(case.label for case in inside)
    order = [*plan.classes, ""]
    return {name: {label: counted[label] for label in order if counted[label]} for name, counted in counts.items()}


def agreed_label(values: Mapping[str, LabelValue]) -> tuple[str, bool]:
    """The class of a case from what each reader says, and whether they disagree.

    What came with the images (reader `""`) counts only where nobody has given an opinion.

    Args:
        values: reader -> value of the field.

    Returns:
        The value as text, empty when nobody said anything or readers disagree; whether they disagree.
    """
    opinions = {reader: value for reader, value in values.items() if reader} or dict(values)
    texts = {label_text(value) for value in opinions.values()}
    return (texts.pop(), False) if len(texts) == 1 else ("", len(texts) > 1)


def label_text(value: LabelValue) -> str:
    """A label as one text: several choices joined by a blank."""
    return " ".join(value) if isinstance(value, tuple) else str(value)
