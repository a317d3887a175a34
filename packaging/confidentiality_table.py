"""Regenerate `resources/dicom/confidentiality_profile.csv`: PS3.15 Table E.1-1, basic profile, as data.

The facts are the standard's. They are taken from the transcription in the `dicom-anonymizer` package (BSD licence)
of one stamped edition, given our own shape, and named from pydicom's data dictionary; a test compares the file with
that package when it is installed.

    python packaging/confidentiality_table.py > resources/dicom/confidentiality_profile.csv
"""

from __future__ import annotations

import csv
import importlib
import re
import sys
from pathlib import Path

import pydicom.datadict

EDITION = "2026c"
CATEGORIES = {
    "D_TAGS": "D",
    "Z_TAGS": "Z",
    "X_TAGS": "X",
    "U_TAGS": "U",
    "Z_D_TAGS": "Z/D",
    "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D",
    "X_Z_D_TAGS": "X/Z/D",
    "X_Z_U_STAR_TAGS": "X/Z/U*",
}


def rows() -> list[tuple[str, str, str]]:
    """(tag with `x` for any digit, attribute name, action), sorted by tag."""
    source = importlib.import_module(f"dicomanonymizer.dicom_anonymization_databases.dicomfields_{EDITION}")
    newer = commented_names(Path(str(source.__file__)).read_text(encoding="utf-8"))
    found: dict[str, tuple[str, str]] = {}
    for category, action in CATEGORIES.items():
        for entry in getattr(source, category):
            tag = pattern(entry)
            if tag in found and found[tag][1] != action:
                raise SystemExit(f"{tag} has two actions: {found[tag][1]} and {action}")
            found[tag] = (name(tag) or newer.get(tag, ""), action)
    return sorted((tag, text, action) for tag, (text, action) in found.items())


def pattern(entry: tuple[int, ...]) -> str:
    """`ggggeeee` in hex; a digit that the mask leaves open is `x`."""
    group, element = entry[0], entry[1]
    masks = (entry[2], entry[3]) if len(entry) == 4 else (0xFFFF, 0xFFFF)
    digits = ""
    for number, mask in zip((group, element), masks, strict=True):
        for shift in (12, 8, 4, 0):
            digits += f"{(number >> shift) & 15:x}" if (mask >> shift) & 15 else "x"
    return digits


def commented_names(text: str) -> dict[str, str]:
    """Names of attributes that are newer than pydicom's dictionary, from the transcription's comments."""
    found = re.findall(r"\((0x[^)]*)\),\s*# *(.+)", text)
    return {pattern(tuple(int(part, 16) for part in numbers.split(","))): words.strip() for numbers, words in found}


def name(tag: str) -> str:
    """The attribute's name in the data dictionary."""
    number = int(tag.replace("x", "0"), 16)
    try:
        return pydicom.datadict.dictionary_description(number)
    except KeyError:
        return ""


def main() -> None:
    """Write the table to standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    sys.stdout.write(f"# PS3.15 Table E.1-1, Basic Application Level Confidentiality Profile; edition {EDITION}\n")
    sys.stdout.write("# tag: ggggeeee in hex, x = any digit; action: codes of PS3.15 E.1.1\n")
    writer.writerow(("tag", "name", "action"))
    writer.writerows(rows())


if __name__ == "__main__":
    main()
