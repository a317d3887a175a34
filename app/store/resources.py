"""Where the files that Coxa ships with are, and the tables that are read from them."""

from __future__ import annotations

import csv
import sys
import tomllib
from functools import cache
from pathlib import Path

from app.core.deidentify import DeidentificationRules, deidentification_rules
from app.core.evidence_tables import EvidenceTables, evidence_tables


def resource_path(*parts: str) -> Path:
    """A file or folder under `resources/`, in a checkout, in an installed package and in a frozen program.

    Raises:
        FileNotFoundError: it is not there.
    """
    frozen = getattr(sys, "_MEIPASS", None)
    here = Path(__file__).resolve()
    roots = [Path(frozen)] if frozen else [here.parents[2], here.parents[1]]
    for root in roots:
        path = root.joinpath("resources", *parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(("resources", *parts)))


@cache
def load_evidence_tables() -> EvidenceTables:
    """Codes and words that say which projection and which side an image shows."""
    return evidence_tables(tomllib.loads(resource_path("dicom", "projection_words.toml").read_text(encoding="utf-8")))


@cache
def load_deidentification_rules() -> DeidentificationRules:
    """The whitelist and Table E.1-1 of PS3.15."""
    whitelist = tomllib.loads(resource_path("dicom", "whitelist.toml").read_text(encoding="utf-8"))
    text = resource_path("dicom", "confidentiality_profile.csv").read_text(encoding="utf-8")
    lines = text.splitlines()
    edition = lines[0].rpartition("edition ")[2].strip()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return deidentification_rules(whitelist, [(row["tag"], row["action"]) for row in rows], edition=edition)
