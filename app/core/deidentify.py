"""Header of a radiograph without anything that identifies (PS3.15 Annex E), on the DICOM JSON model (PS3.18 Annex F).

Two tables decide: a *whitelist* for projection radiographs says what may stay at all, Table E.1-1 of the standard
says what happens to those of its attributes that the whitelist leaves in. Everything else is dropped: unknown,
private, overlay and curve attributes, every free text. Values that are not what their VR allows are dropped too,
since a name typed into a code field is still a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from app.core.pseudonym import PatientIdentity, Pseudonyms, capped_age, shifted_date

Header = dict[str, dict[str, Any]]

BASIC_PROFILE = "113100"
MODIFIED_DATES = "113107"
PATIENT_CHARACTERISTICS = "113108"
OPTION_MEANINGS = {
    BASIC_PROFILE: "Basic Application Confidentiality Profile",
    MODIFIED_DATES: "Retain Longitudinal Temporal Information With Modified Dates Option",
    PATIENT_CHARACTERISTICS: "Retain Patient Characteristics Option",
}
METHOD = "Coxa whitelist for projection radiography"
MAX_DEPTH = 8

_SHAPES = {
    "CS": r"[A-Z0-9_ ]{1,16}",
    "DS": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?",
    "IS": r"[+-]?\d{1,12}",
    "TM": r"\d{2}:?(\d{2}:?(\d{2}(\.\d{1,6})?)?)?",
    "UI": r"[0-9.]{1,64}",
    "LO": r"[^\\\x00-\x1f]{1,64}",
    "SH": r"[^\\\x00-\x1f]{1,16}",
}
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "FL", "FD"})


class WhitelistEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One attribute that may stay.

    Args:
        tag: `GGGGEEEE` in hex capitals.
        keyword: PS3.6 keyword.
        vr: value representation.
        action: keep, table, uid, shift-date, cap-age or pseudonym.
        option: code of the PS3.15 option under which an attribute of Table E.1-1 stays.
        values: the only values that stay; empty = any well-formed one.
        pattern: regular expression that each value must match; empty = none.
    """

    tag: str
    keyword: str
    vr: str
    action: str
    option: str = ""
    values: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeidentificationRules:
    """Whitelist and Table E.1-1.

    Args:
        whitelist: entries by tag.
        profile: action of Table E.1-1 by tag, hex capitals.
        edition: of Table E.1-1.
    """

    whitelist: dict[str, WhitelistEntry]
    profile: dict[str, str]
    edition: str


def deidentification_rules(
    whitelist: Mapping[str, Any], profile: Iterable[tuple[str, str]], *, edition: str
) -> DeidentificationRules:
    """Check the parsed tables and join them.

    Args:
        whitelist: parsed `whitelist.toml`.
        profile: (tag, action) of Table E.1-1; tags with `x` (repeating groups) are never in the whitelist and are
            left out.
        edition: edition of the standard.

    Raises:
        ValueError: an attribute of Table E.1-1 would stay without an option that allows it.
        msgspec.ValidationError: the whitelist is malformed.
    """
    entries = msgspec.convert(whitelist["attribute"], list[WhitelistEntry])
    actions = {tag.upper(): action for tag, action in profile if "x" not in tag.lower()}
    for entry in entries:
        in_table = actions.get(entry.tag)
        if entry.action not in _ACTIONS:
            raise ValueError(f"{entry.keyword}: no such action {entry.action!r}")
        is_kept = entry.action in ("keep", "shift-date", "cap-age")
        if in_table is not None and is_kept and entry.option not in OPTION_MEANINGS and in_table != "X/Z/U*":
            raise ValueError(f"{entry.keyword}: Table E.1-1 says {in_table}, and no option lets it stay")
    return DeidentificationRules(whitelist={entry.tag: entry for entry in entries}, profile=actions, edition=edition)


def deidentify(
    header: Mapping[str, Mapping[str, Any]],
    *,
    rules: DeidentificationRules,
    pseudonyms: Pseudonyms,
    patient: PatientIdentity,
) -> Header:
    """The header that a project may keep.

    Args:
        header: DICOM JSON model of one object; bulk data and unknown attributes may be in it.
        rules: what stays.
        pseudonyms: the project's pseudonyms.
        patient: whose object this is; gives the pseudonym and the constant by which dates move.

    Returns:
        A new header, with the attributes that say how it was de-identified (PS3.15 E.1.1). Cleaning twice gives the
        same as cleaning once only for what does not depend on the key.
    """
    work = _Work(rules, pseudonyms, patient)
    clean = work.dataset(header, depth=0)
    used = [BASIC_PROFILE, MODIFIED_DATES, PATIENT_CHARACTERISTICS]
    clean["00120062"] = {"vr": "CS", "Value": ["YES"]}
    clean["00120063"] = {"vr": "LO", "Value": [METHOD, f"PS3.15 {rules.edition} Table E.1-1"]}
    clean["00120064"] = {
        "vr": "SQ",
        "Value": [
            {
                "00080100": {"vr": "SH", "Value": [code]},
                "00080102": {"vr": "SH", "Value": ["DCM"]},
                "00080104": {"vr": "LO", "Value": [OPTION_MEANINGS[code]]},
            }
            for code in used
        ],
    }
    clean["00280303"] = {"vr": "CS", "Value": ["MODIFIED"]}
    return dict(sorted(clean.items()))


@dataclass(frozen=True, slots=True)
class _Work:
    rules: DeidentificationRules
    pseudonyms: Pseudonyms
    patient: PatientIdentity

    def dataset(self, header: Mapping[str, Mapping[str, Any]], *, depth: int) -> Header:
        clean: Header = {}
        if depth > MAX_DEPTH:
            return clean
        for tag, element in header.items():
            entry = self.rules.whitelist.get(tag.upper())
            if entry is None:
                continue
            kept = self._element(entry, element, depth)
            if kept is not None:
                clean[entry.tag] = kept
        return clean

    def _element(self, entry: WhitelistEntry, element: Mapping[str, Any], depth: int) -> dict[str, Any] | None:
        if entry.vr == "SQ":
            items = element.get("Value")
            if not isinstance(items, list):
                return {"vr": "SQ"}
            cleaned = [self.dataset(item, depth=depth + 1) for item in items if isinstance(item, Mapping)]
            cleaned = [item for item in cleaned if item]
            return {"vr": "SQ", "Value": cleaned} if cleaned else None
        if entry.action == "pseudonym":
            return {"vr": entry.vr, "Value": [self.pseudonyms.patient(self.patient)]}
        if entry.action == "table":
            return self._by_table(entry)
        # the dictionary decides what a value may be, not the file's own VR
        values = element.get("Value")
        if not isinstance(values, list) or not values:
            return {"vr": entry.vr}
        change = self._change(entry)
        if entry.values:  # terms of a closed list: the others are left out
            kept = [value for value in values if _is_well_formed(entry, value)]
            return {"vr": entry.vr, "Value": kept} if kept else None
        kept = [change(value) for value in values]
        if any(value is None for value in kept):
            return None  # one value out of place makes all of them doubtful
        return {"vr": entry.vr, "Value": kept}

    def _by_table(self, entry: WhitelistEntry) -> dict[str, Any] | None:
        action = self.rules.profile.get(entry.tag, "X")
        return {"vr": entry.vr} if "Z" in action else None

    def _change(self, entry: WhitelistEntry) -> Callable[[Any], Any | None]:
        if entry.action == "uid":
            return lambda value: self.pseudonyms.uid(value) if _is_well_formed(entry, value) else None
        if entry.action == "shift-date":
            days = self.pseudonyms.shift_days(self.patient)
            return lambda value: shifted_date(value, days) if isinstance(value, str) else None
        if entry.action == "cap-age":
            return lambda value: capped_age(value) if isinstance(value, str) else None
        return lambda value: value if _is_well_formed(entry, value) else None


_ACTIONS = frozenset({"keep", "table", "uid", "shift-date", "cap-age", "pseudonym"})


def _is_well_formed(entry: WhitelistEntry, value: Any) -> bool:
    """Whether a value is what its VR allows (PS3.5 6.2) and what the whitelist lists."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return entry.vr in _NUMBERS or entry.vr in ("DS", "IS")
    if not isinstance(value, str) or entry.vr in _NUMBERS:
        return False
    text = value.strip()
    if entry.values:
        return text in entry.values
    if entry.pattern:
        return re.fullmatch(entry.pattern, text) is not None
    shape = _SHAPES.get(entry.vr)
    return shape is not None and re.fullmatch(shape, text) is not None
