"""The codes and words that evidence is read from, as one checked value (`resources/dicom/projection_words.toml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from app.core.case import Projection, Side
from app.core.words import WordTable

_REGIONS = ("hip", "pelvis", "unspecific")


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    projection: dict[str, list[str]]
    side: dict[str, list[str]]
    side_needs_hip: dict[str, list[str]]
    region: dict[str, list[str]]


class _Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: list[str]
    projection: str
    side: str


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    view_codes: dict[str, str]
    view_modifier_codes: dict[str, str]
    view_code_sides: dict[str, str]
    view_positions: dict[str, str]
    view_position_sides: dict[str, str]
    laterality_codes: dict[str, str]
    region_codes: dict[str, str]
    body_parts: dict[str, str]
    words: _Words
    hints: list[_Hint]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceTables:
    """Codes by `SCHEME:value`, View Positions and body parts in capitals, words in many languages."""

    view_codes: dict[str, str]
    view_modifier_codes: dict[str, str]
    view_code_sides: dict[str, str]
    view_positions: dict[str, str]
    view_position_sides: dict[str, str]
    laterality_codes: dict[str, str]
    region_codes: dict[str, str]
    body_parts: dict[str, str]
    projection_words: WordTable
    side_words: WordTable
    short_side_words: WordTable
    region_words: WordTable
    spine_words: WordTable
    hint_projections: WordTable
    hint_sides: WordTable


def evidence_tables(document: Mapping[str, Any]) -> EvidenceTables:
    """Check the parsed file and build the tables.

    Raises:
        msgspec.ValidationError: a part is missing or has the wrong type.
        ValueError: a value is not a Projection, a Side or a region.
    """
    checked = msgspec.convert(document, _Document)
    projections = (checked.view_codes, checked.view_modifier_codes, checked.view_positions)
    sides = (checked.view_code_sides, checked.view_position_sides, checked.laterality_codes)
    for table in projections:
        for value in table.values():
            Projection(value)
    for table in sides:
        for value in table.values():
            Side(value)
    for table in (checked.region_codes, checked.body_parts):
        for value in table.values():
            if value not in _REGIONS:
                raise ValueError(f"{value!r} is not a region")
    for value in checked.words.projection:
        Projection(value)
    for value in (*checked.words.side, *checked.words.side_needs_hip):
        Side(value)
    for hint in checked.hints:
        Projection(hint.projection)
        Side(hint.side)
    region_words = {name: words for name, words in checked.words.region.items() if name != "spine"}
    return EvidenceTables(
        view_codes=checked.view_codes,
        view_modifier_codes=checked.view_modifier_codes,
        view_code_sides=checked.view_code_sides,
        view_positions=checked.view_positions,
        view_position_sides=checked.view_position_sides,
        laterality_codes=checked.laterality_codes,
        region_codes=checked.region_codes,
        body_parts=checked.body_parts,
        projection_words=WordTable(checked.words.projection),
        side_words=WordTable(checked.words.side),
        short_side_words=WordTable(checked.words.side_needs_hip),
        region_words=WordTable(region_words),
        spine_words=WordTable({"spine": checked.words.region["spine"]}),
        hint_projections=_hint_table([(hint.projection, hint.words) for hint in checked.hints]),
        hint_sides=_hint_table([(hint.side, hint.words) for hint in checked.hints]),
    )


def _hint_table(hints: list[tuple[str, list[str]]]) -> WordTable:
    merged: dict[str, list[str]] = {}
    for value, words in hints:
        merged.setdefault(value, []).extend(words)
    return WordTable(merged)
