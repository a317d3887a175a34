"""The tables that are read from the files that Coxa ships with."""

from __future__ import annotations

import csv
import tomllib
from functools import cache

from app.core.deidentify import DeidentificationRules, deidentification_rules
from app.core.evidence_tables import EvidenceTables, evidence_tables
from app.store.bundled import resource_path as resource_path


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
