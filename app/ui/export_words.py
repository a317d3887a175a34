"""An export in words: what can be chosen, what a preview says, why something is left out."""

from __future__ import annotations

from app.core.export import Content, ExportFormat
from app.core.export_plan import ExportPreview, LeftOut
from app.core.split import Leak
from app.ui.language import number, say, tr, trn, whole

CONTENT_WORDS = {
    Content.IMAGES: "Images",
    Content.ALIGNED_CROPS: "Aligned crops",
    Content.REGION_CROPS: "Region crops",
    Content.LABELS: "Labels",
    Content.MEASUREMENTS: "Measurements",
    Content.ALIGNMENTS: "Alignments",
    Content.FINDINGS: "Findings of models",
    Content.HEATMAPS: "Heatmaps",
    Content.HISTORY: "History",
}
CONTENT_TIPS = {
    Content.IMAGES: "Whole radiographs at their original size, stored values",
    Content.ALIGNED_CROPS: "Cut out along the shaft, as a network sees them",
    Content.REGION_CROPS: "Cut out around the hip",
    Content.LABELS: "Answers of readers, status and comments",
    Content.MEASUREMENTS: "Measurements, landmarks and calibrations",
    Content.ALIGNMENTS: "The two clicks, region boxes and verdicts on crops",
    Content.FINDINGS: "What models say; never a label",
    Content.HEATMAPS: "Where models found it",
    Content.HISTORY: "Who did what and when",
}
FORMAT_WORDS = {
    ExportFormat.TABLES: "Tables (CSV, Parquet)",
    ExportFormat.PNG: "PNG, 16 bit",
    ExportFormat.IMAGE_FOLDER: "ImageFolder",
    ExportFormat.COCO: "COCO",
    ExportFormat.COXA: "Coxa project",
    ExportFormat.DICOM: "DICOM",
    ExportFormat.PDF: "PDF reports",
}
FORMAT_TIPS = {
    ExportFormat.TABLES: "One table for each kind of thing, for spreadsheets and data frames",
    ExportFormat.PNG: "Pictures with all grey values, and how they become the detector's",
    ExportFormat.IMAGE_FOLDER: "A folder for each part and class, pictures of 8 bit, as torchvision reads them",
    ExportFormat.COCO: "Boxes and key points with pictures of 8 bit, as pycocotools reads them",
    ExportFormat.COXA: "Opens as a project again, or is merged into one; without the secret key",
    ExportFormat.DICOM: "De-identified images, structured reports, presentation states, heatmaps",
    ExportFormat.PDF: "One report for each case",
}
LEFT_OUT_WORDS = {
    LeftOut.BLOCKED: "Blocked cases",
    LeftOut.EXCLUDED: "Excluded cases",
    LeftOut.BY_HAND: "Cases left out by hand",
    LeftOut.VIEW_EXCLUDED: "Radiographs that were taken out of their cases",
    LeftOut.WAITING: "Pixels of radiographs that may hold text and that nobody has looked at",
    LeftOut.REFUSED: "Pixels of radiographs that must not leave",
    LeftOut.ABSENT: "Pixels that this copy of the project never had",
    LeftOut.CROP_UNAPPROVED: "Crops that nobody has approved",
    LeftOut.NO_PART: "Cases that the training run does not know",
    LeftOut.NO_LABEL: "Cases without a class, from folders of classes",
    LeftOut.DISPUTED: "Cases on whose class readers disagree, from folders of classes",
}
PART_WORDS = {"training": "Training", "validation": "Validation", "test": "Test", "": "All"}


def summary_of(preview: ExportPreview) -> str:
    """What there will be, in one sentence."""
    parts = [
        trn("1 case", "{count} cases", preview.cases),
        trn("1 patient", "{count} patients", preview.patients),
        trn("1 radiograph", "{count} radiographs", preview.pictures),
    ]
    if preview.crops:
        parts.append(trn("1 crop", "{count} crops", preview.crops))
    if preview.annotations:
        parts.append(trn("1 value of readers", "{count} values of readers", preview.annotations))
    return ", ".join(parts)


def size_words(pixel_bytes: int) -> str:
    """How large the pixels are before they are compressed."""
    if pixel_bytes < 10_000_000:
        return tr("{n} MB of pixels before compression", n=number(pixel_bytes / 1e6, 1))
    if pixel_bytes < 2_000_000_000:
        return tr("{n} MB of pixels before compression", n=whole(round(pixel_bytes / 1e6)))
    return tr("{n} GB of pixels before compression", n=number(pixel_bytes / 1e9, 1))


def part_rows(preview: ExportPreview) -> list[tuple[str, str]]:
    """Each part with its cases by class."""
    rows = []
    for part, counts in preview.parts.items():
        classes = ", ".join(f"{name or tr('no class')} {whole(count)}" for name, count in counts.items())
        rows.append((tr(PART_WORDS.get(part, part)), f"{whole(sum(counts.values()))}: {classes}"))
    return rows


def file_rows(preview: ExportPreview) -> list[tuple[str, str]]:
    """Each format with its files."""
    return [
        (tr(FORMAT_WORDS[wanted]), trn("1 file", "{count} files", count))
        for wanted, count in sorted(preview.files.items())
    ]


def left_out_rows(preview: ExportPreview) -> list[tuple[str, str]]:
    """Why something is left out, with how much."""
    return [(tr(LEFT_OUT_WORDS[reason]), whole(count)) for reason, count in preview.left_out.items() if count]


def leak_words(leaks: tuple[Leak, ...]) -> str:
    """That the parts leak."""
    return trn("1 patient or image is in two parts", "{count} patients or images are in two parts", len(leaks))


def note_words(preview: ExportPreview) -> list[str]:
    """What whoever exports must read."""
    return [say(note) for note in preview.notes]
