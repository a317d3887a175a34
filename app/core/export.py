"""What an export is asked for: which cases, what of them, in which formats, dealt out to which parts.

A request says everything that decides the bytes that come out: the same request on the same project state gives the
same files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import UserError
from app.core.geometry import DEFAULT_SIZE_PX
from app.core.region import REGION_INPUT_PX, RegionMode
from app.core.worklist import EVERYTHING, Query

MAX_TEXT_LENGTH = 4000
SMALLEST_CROP_PX, LARGEST_CROP_PX = 16, 2048


class Content(StrEnum):
    """One kind of thing that can be exported."""

    IMAGES = "images"  # whole views at their original size, stored values
    ALIGNED_CROPS = "aligned-crops"
    REGION_CROPS = "region-crops"
    LABELS = "labels"  # with comments
    MEASUREMENTS = "measurements"  # with landmarks and calibrations
    ALIGNMENTS = "alignments"  # with region boxes and verdicts
    FINDINGS = "findings"  # what models say
    HEATMAPS = "heatmaps"
    HISTORY = "history"  # who did what when


class ExportFormat(StrEnum):
    """How it is written."""

    TABLES = "tables"  # CSV and Parquet
    PNG = "png"  # pictures of 16 bit
    IMAGE_FOLDER = "imagefolder"  # a folder for each part and class, pictures of 8 bit
    COCO = "coco"  # boxes and key points, pictures of 8 bit
    COXA = "coxa"  # everything, to be opened as a project again
    DICOM = "dicom"
    PDF = "pdf"  # a report for each case


PICTURES = frozenset({Content.IMAGES, Content.ALIGNED_CROPS, Content.REGION_CROPS})
DEFAULT_CONTENTS = frozenset({Content.IMAGES, Content.LABELS, Content.MEASUREMENTS, Content.ALIGNMENTS})
DEFAULT_FORMATS = frozenset({ExportFormat.TABLES, ExportFormat.PNG})


class SplitKind(StrEnum):
    """Where the parts come from."""

    NONE = "none"
    SEED = "seed"  # dealt anew, whole patients, from a seed
    RUN = "run"  # those of a training run


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRequest:
    """How cases are dealt out to training, validation and test.

    Args:
        kind: where the parts come from.
        seed: for `SEED`: the same seed and cases give the same parts.
        shares: for `SEED`: of training, validation and test; they need not add up to 1; 0 = no such part.
        run: for `RUN`: name of the run's folder.
    """

    kind: SplitKind = SplitKind.NONE
    seed: int = 0
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What to export.

    Args:
        query: which cases; its order does not matter.
        case_ids: exactly these cases instead of the query's; empty = the query.
        left_out: cases that are left out by hand.
        contents: what of them.
        formats: how it is written.
        split: training, validation and test.
        label: field of the label set (or of the labels that came with the images) that gives each case its class;
            empty = the first required choice of the label set.
        readers: whose opinions count; empty = everybody's.
        has_excluded: also cases whose status is excluded.
        has_unapproved_crops: also crops that their reader has not approved as they are now.
        has_free_text: comments and text labels, which may name somebody.
        has_reader_names: whether readers are named; otherwise they are `reader-1`, `reader-2` … by their names.
        is_leak_accepted: export although a patient or an image is in two parts.
        crop_px: side of aligned crops, px.
        region_px: side of region crops, px.
        region_mode: how a region becomes a square.
        region_mm: side of that square in the patient, mm; for the mode `FIELD` only.
        title: what the data set is called; empty = the project's name.
        description: what it is for.
        licence: under which terms it may be used.
    """

    query: Query = EVERYTHING
    case_ids: tuple[str, ...] = ()
    left_out: frozenset[str] = frozenset()
    contents: frozenset[Content] = DEFAULT_CONTENTS
    formats: frozenset[ExportFormat] = DEFAULT_FORMATS
    split: SplitRequest = SplitRequest()
    label: str = ""
    readers: tuple[str, ...] = ()
    has_excluded: bool = False
    has_unapproved_crops: bool = False
    has_free_text: bool = True
    has_reader_names: bool = True
    is_leak_accepted: bool = False
    crop_px: int = DEFAULT_SIZE_PX
    region_px: int = REGION_INPUT_PX
    region_mode: RegionMode = RegionMode.CENTRE
    region_mm: float | None = None
    title: str = ""
    description: str = ""
    licence: str = ""

    def has(self, *contents: Content) -> bool:
        """Whether any of these is asked for."""
        return not self.contents.isdisjoint(contents)

    @property
    def picture(self) -> Content | None:
        """The kind of picture that formats with one kind use: the smallest that is asked for."""
        kinds = (Content.ALIGNED_CROPS, Content.REGION_CROPS, Content.IMAGES)
        return next((kind for kind in kinds if kind in self.contents), None)


def check_request(request: ExportRequest) -> None:
    """Refuse a request that makes no sense, before anything is looked at.

    Raises:
        UserError: `usage`: says what is missing or does not go together.
    """
    if not request.formats or not request.contents:
        raise _wrong("Nothing was chosen to export.", "Choose at least one content and one format.")
    for wanted in (ExportFormat.PNG, ExportFormat.IMAGE_FOLDER):
        pictures = PICTURES | {Content.HEATMAPS} if wanted is ExportFormat.PNG else PICTURES
        if wanted in request.formats and not request.has(*pictures):
            raise _wrong(
                f"The format {wanted.value} holds pictures, and none were chosen.",
                "Add images, aligned-crops or region-crops, or leave the format out.",
            )
    if ExportFormat.COCO in request.formats and Content.IMAGES not in request.contents:
        raise _wrong("The format coco holds whole images with boxes.", "Add images, or leave the format out.")
    if not (request.has_free_text and request.has_reader_names) or request.readers:
        for thing, name in ((ExportFormat.COXA, "format coxa"), (Content.HISTORY, "history")):
            if thing in (*request.formats, *request.contents):
                raise _wrong(
                    f"The {name} holds what everybody has said, with every word and name.",
                    f"Leave out the {name}, or let all readers, their names and their comments in.",
                )
    shares = request.split.shares
    if request.split.kind is SplitKind.SEED and (min(shares) < 0 or sum(share > 0 for share in shares) < 2):
        raise _wrong("A split has at least two parts.", "Give shares such as 70/15/15 or 80/20/0.")
    if request.split.kind is SplitKind.RUN and not request.split.run:
        raise _wrong("The training run is not named.", "Name the run whose parts shall be used.")
    for size in (request.crop_px, request.region_px):
        if not SMALLEST_CROP_PX <= size <= LARGEST_CROP_PX:
            raise _wrong(f"A crop has a side of {SMALLEST_CROP_PX} to {LARGEST_CROP_PX} px.", "Choose another size.")
    if (request.region_mode is RegionMode.FIELD) is not (request.region_mm is not None and request.region_mm > 0):
        raise _wrong("A region crop of a given field, and no other, has a size in mm.", "Give the side of the square.")
    for text in (request.title, request.description, request.licence):
        if len(text) > MAX_TEXT_LENGTH:
            raise _wrong(f"A text is longer than {MAX_TEXT_LENGTH} characters.", "Shorten it.")


def _wrong(reason: str, remedy: str) -> UserError:
    return UserError("This cannot be exported as it was asked for.", reason=reason, remedy=remedy, kind="usage")
