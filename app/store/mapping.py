"""Mapping files: a CSV that says for each image of an archive which patient, side and projection it shows.

Columns: `path` and `patient` are needed; `side`, `projection`, `study`, `date`, `spacing_mm` are understood; every
other column is a label and is kept as `label.<column>`. Comma, semicolon or tab; UTF-8 with or without a mark,
UTF-16, or the Western code page that spreadsheets write. Columns that would identify a person are never kept.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TypeVar

from app.core.case import Projection, Side
from app.core.errors import UserError
from app.core.words import fold

ChoiceT = TypeVar("ChoiceT", Side, Projection)

MAX_BYTES = 64 << 20
MAX_LABEL_LENGTH = 1000

_COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "image", "image_path", "datei", "fichier", "archivo"),
    "patient": ("patient", "patient_id", "patientid", "subject", "subject_id", "case_id", "pid"),
    "side": ("side", "laterality", "seite", "cote", "lado", "lato"),
    "projection": ("projection", "view", "view_position", "projektion", "incidence", "proyeccion", "proiezione"),
    "study": ("study", "study_id", "exam", "visit", "accession_group"),
    "date": ("date", "study_date", "datum"),
    "spacing": ("spacing", "spacing_mm", "pixel_spacing", "pixel_spacing_mm", "mm_per_px"),
}
_SIDES = {
    Side.LEFT: ("l", "left", "links", "gauche", "izquierda", "sinistra", "li", "lt", "左"),
    Side.RIGHT: ("r", "right", "rechts", "droite", "derecha", "destra", "re", "rt", "右"),
    Side.BOTH: ("b", "both", "bilateral", "pelvis", "beide", "beidseits", "bds", "lr", "双侧", "両側"),
}
_PROJECTIONS = {
    Projection.FRONTAL: ("frontal", "ap", "a.p.", "pa", "front", "face", "正位"),
    Projection.LATERAL: ("lateral", "lat", "lat.", "seitlich", "profil", "侧位", "側面"),
    Projection.FROG_LEG: ("frog-leg", "frog_leg", "frogleg", "frog leg", "frog", "lauenstein", "dunn"),
    Projection.CROSS_TABLE: ("cross-table", "cross_table", "crosstable", "cross table", "axial"),
    Projection.OBLIQUE: ("oblique", "obl", "schrag"),
}
_OPEN = ("", "unknown", "?", "n/a", "na", "none", "nan", "-")
# Column names that announce a person; what stands under them never enters the project.
_IDENTIFYING = re.compile(
    r"(^|_)(first|last|sur|given|family|middle|maiden|pat(ient)?s?)?_?names?$|(^|_)(vor|nach)?name$|dob|birth|geburt"
    r"|address|adresse|street|phone|telefon|e_?mail|^mrn$|accession|insurance|^ssn$|social_security|nhs|physician"
    r"|doctor|arzt|institution|hospital"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRow:
    """One line of a mapping.

    Args:
        path: the image's path, relative to the mapping file, `/` between parts.
        patient: the patient's identifier in the archive (identifying: in memory only), or empty.
        side: which hip, or None when the mapping leaves it open.
        projection: which projection, or None.
        study: the study's name in the archive, or empty.
        date: YYYY-MM-DD, or empty.
        spacing_mm: distance of pixel centres, or None.
        labels: the other columns that have a value.
    """

    path: str
    patient: str = ""
    side: Side | None = None
    projection: Projection | None = None
    study: str = ""
    date: str = ""
    spacing_mm: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMapping:
    """A whole mapping.

    Args:
        root: the folder that the paths are relative to.
        rows: lines by path.
        notes: sentences for the user (columns that are not kept, lines left out).
    """

    root: Path
    rows: Mapping[str, MappingRow]
    notes: tuple[str, ...] = ()


def read_mapping(path: Path) -> ImageMapping:
    """Read a mapping file.

    Raises:
        UserError: `mapping`: says which row and column, and what would be right.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _wrong("The mapping file is larger than 64 MB.", "Split it.")
        content = path.read_bytes()
    except OSError as error:
        raise _wrong(
            f"The mapping file cannot be read: {(error.strerror or 'unknown error').lower()}.",
            "Check the path given with --csv.",
        ) from error
    return parse_mapping(content, root=path.absolute().parent)


def parse_mapping(content: bytes, *, root: Path) -> ImageMapping:
    """The mapping in the bytes of a CSV file.

    Args:
        content: the file.
        root: the folder that its paths are relative to.

    Raises:
        UserError: `mapping`.
    """
    table = read_table(content)
    if not table:
        raise _wrong("The mapping file is empty.", "Its first line names the columns: path, patient, side, projection.")
    names, lines = table[0][1], table[1:]
    columns = _find_columns(names)
    labels, dropped = _label_columns(names, set(columns.values()))
    rows: dict[str, MappingRow] = {}
    seen: dict[str, int] = {}
    for number, cells in lines:
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            raise _wrong(
                f"Row {number} has {len(cells)} cells, the heading has {len(names)}.",
                "Put cells that hold the separator into quotation marks.",
            )
        row = _row(number, [*cells, *[""] * (len(names) - len(cells))], names, columns, labels)
        if row.path in seen:
            raise _wrong(
                f"Row {number}, column {names[columns['path']]!r}: the same image is in row {seen[row.path]} already.",
                "Keep one row for each image; an image of both hips has the side `both`.",
            )
        seen[row.path] = number
        rows[row.path] = row
    if not rows:
        raise _wrong("The mapping file has a heading but no rows.", "Write one row for each image.")
    notes = (f"Not kept, since it may identify a person: column {', '.join(dropped)}.",) if dropped else ()
    return ImageMapping(root=root, rows=rows, notes=notes)


def read_table(content: bytes) -> list[tuple[int, list[str]]]:
    """The non-empty lines of a CSV file with their row numbers (1 = heading), cells stripped.

    Raises:
        UserError: `mapping`: not a text file, or a quotation mark is never closed.
    """
    text = _decode(content)
    lines = [line for line in text.splitlines() if line.strip()]
    hint = re.fullmatch(r'"?sep=(.)"?[,;\t]*', lines[0].strip(" ")) if lines else None  # spreadsheets write it on top
    first = next(iter(lines[1:] if hint else lines), "")
    counts = {separator: first.count(separator) for separator in (",", ";", "\t")}
    separator = hint[1] if hint else max(counts, key=lambda mark: counts[mark])
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise _wrong("The mapping file is not a CSV table.", "Check its quotation marks.") from error
    table = [(number, [cell.strip() for cell in row]) for number, row in enumerate(rows, start=1)]
    table = [(number, row) for number, row in table if any(row)]
    return table[1:] if hint else table


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: Sequence[str] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _wrong("The mapping file is not a text file.", "Save it as CSV (UTF-8).")


def column_key(name: str) -> str:
    """A column's name as it is compared and as a label is named: `Fracture Type` becomes `fracture_type`."""
    return re.sub(r"[^\w]+", "_", fold(name)).strip("_")


def _find_columns(names: Sequence[str]) -> dict[str, int]:
    keys = [column_key(name) for name in names]
    doubled = {key for key in keys if key and keys.count(key) > 1}
    if doubled:
        raise _wrong(f"The heading names column {sorted(doubled)[0]!r} twice.", "Give each column a name of its own.")
    found = {}
    for column, spellings in _COLUMNS.items():
        for spelling in spellings:
            if spelling in keys:
                found[column] = keys.index(spelling)
                break
    if "path" not in found or "patient" not in found:
        missing = " and ".join(column for column in ("path", "patient") if column not in found)
        shown = ", ".join(names[:8])
        raise _wrong(
            f"The heading has no column {missing}.",
            f"It has: {shown}. Needed are path and patient; side, projection, study, date and spacing_mm are "
            "understood.",
        )
    return found


def _label_columns(names: Sequence[str], used: Iterable[int]) -> tuple[dict[int, str], list[str]]:
    taken = set(used)
    labels: dict[int, str] = {}
    dropped: list[str] = []
    for index, name in enumerate(names):
        key = column_key(name)
        if index in taken or not key:
            continue
        if _IDENTIFYING.search(key):
            dropped.append(name)
        else:
            labels[index] = key
    return labels, dropped


def _row(
    number: int, cells: Sequence[str], names: Sequence[str], columns: Mapping[str, int], labels: Mapping[int, str]
) -> MappingRow:
    def cell(column: str) -> str:
        return cells[columns[column]] if column in columns else ""

    def where(column: str) -> str:
        return f"Row {number}, column {names[columns[column]]!r}"

    path = cell("path").replace("\\", "/")
    if not path:
        raise _wrong(f"{where('path')}: the path is empty.", "Write the image's path, relative to the mapping file.")
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or re.match(r"^[A-Za-z]:", path):
        raise _wrong(
            f"{where('path')}: the path leaves the folder of the mapping file.",
            "Write paths relative to the mapping file, without `..`.",
        )
    if not cell("patient"):
        raise _wrong(
            f"{where('patient')}: the patient is empty.", "Write an identifier; images of one patient share it."
        )
    return MappingRow(
        path=str(parts),
        patient=cell("patient"),
        side=_choice(cell("side"), _SIDES, where("side")) if "side" in columns else None,
        projection=_choice(cell("projection"), _PROJECTIONS, where("projection")) if "projection" in columns else None,
        study=cell("study"),
        date=_date(cell("date"), where("date")) if cell("date") else "",
        spacing_mm=_spacing(cell("spacing"), where("spacing")) if cell("spacing") else None,
        labels={name: cells[index][:MAX_LABEL_LENGTH] for index, name in labels.items() if cells[index]},
    )


def _choice(text: str, choices: Mapping[ChoiceT, Sequence[str]], where: str) -> ChoiceT | None:
    word = fold(text).strip()
    if word in _OPEN:
        return None
    for value, spellings in choices.items():
        if word in spellings:
            return value
    known = ", ".join(value.value for value in choices)
    raise _wrong(f"{where}: {text[:40]!r} is not known.", f"Write {known}, or leave the cell empty.")


def _date(text: str, where: str) -> str:
    plain = text.replace("/", "-").replace(".", "-")
    match = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})", plain)
    try:
        if match is None:
            raise ValueError
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        raise _wrong(f"{where}: {text[:20]!r} is not a date.", "Write YYYY-MM-DD.") from None


def _spacing(text: str, where: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 2.0:
        raise _wrong(
            f"{where}: {text[:20]!r} is not a distance of pixels.",
            "Write millimetres per pixel, 0.01 to 2, or leave it empty.",
        )
    return value


def _wrong(reason: str, remedy: str) -> UserError:
    return UserError("The mapping cannot be used.", reason=reason, remedy=remedy, kind="mapping")
