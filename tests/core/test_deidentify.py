"""Headers without identity: PS3.15 Table E.1-1 and our whitelist."""

from __future__ import annotations

import csv
import importlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary, dictionary_VR, keyword_for_tag, tag_for_keyword

from app.core.deidentify import (
    OPTION_MEANINGS,
    DeidentificationRules,
    deidentification_rules,
    deidentify,
)
from app.core.pseudonym import PatientIdentity, Pseudonyms

RESOURCES = Path(__file__).resolve().parents[2] / "resources" / "dicom"
WHITELIST = tomllib.loads((RESOURCES / "whitelist.toml").read_text(encoding="utf-8"))
LINES = (RESOURCES / "confidentiality_profile.csv").read_text(encoding="utf-8").splitlines()
PROFILE = [(row["tag"], row["action"]) for row in csv.DictReader(line for line in LINES if not line.startswith("#"))]
RULES = deidentification_rules(WHITELIST, PROFILE, edition="2026c")
PSEUDONYMS = Pseudonyms(b"k" * 32)
PATIENT = PatientIdentity(issuer="HOSPITAL", patient_id="12345")

CANARY = "CANARY7"
MAKER = ("Manufacturer", "ManufacturerModelName")

Json = dict[str, dict[str, Any]]


def clean(header: Json, rules: DeidentificationRules = RULES) -> Json:
    return deidentify(header, rules=rules, pseudonyms=PSEUDONYMS, patient=PATIENT)


def element(keyword: str, *values: Any) -> Json:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return {f"{tag:08X}": {"vr": dictionary_VR(tag), "Value": list(values)}}


def value(header: Json, keyword: str) -> Any:
    tag = tag_for_keyword(keyword)
    found = header.get(f"{tag:08X}")
    return None if found is None else found.get("Value")


# the tables


def test_the_profile_is_the_whole_table() -> None:
    counts: dict[str, int] = {}
    for _, action in PROFILE:
        counts[action] = counts.get(action, 0) + 1
    assert set(counts) == {"X", "Z", "D", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}
    assert len(PROFILE) == 655
    assert len({tag for tag, _ in PROFILE}) == len(PROFILE)
    assert "edition 2026c" in LINES[0]


def test_the_profile_agrees_with_another_transcription() -> None:
    """Compared with dicom-anonymizer's table of the same edition, where that package is installed."""
    pytest.importorskip("dicomanonymizer")
    theirs = importlib.import_module("dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c")
    actions = {
        "D_TAGS": "D", "Z_TAGS": "Z", "X_TAGS": "X", "U_TAGS": "U", "Z_D_TAGS": "Z/D", "X_Z_TAGS": "X/Z",
        "X_D_TAGS": "X/D", "X_Z_D_TAGS": "X/Z/D", "X_Z_U_STAR_TAGS": "X/Z/U*",
    }  # fmt: skip
    expected = {
        f"{entry[0]:04x}{entry[1]:04x}": action
        for name, action in actions.items()
        for entry in getattr(theirs, name)
        if len(entry) == 2
    }
    assert {tag: action for tag, action in PROFILE if "x" not in tag} == expected


def test_every_whitelisted_attribute_is_what_the_dictionary_says() -> None:
    for entry in RULES.whitelist.values():
        number = int(entry.tag, 16)
        assert keyword_for_tag(number) == entry.keyword
        assert dictionary_VR(number) == entry.vr
        assert not (number >> 16) & 1, "private"
        assert (number >> 24) not in (0x50, 0x60), "curve or overlay"


def test_free_text_is_not_whitelisted() -> None:
    kept = {entry.keyword for entry in RULES.whitelist.values() if entry.action == "keep"}
    texts = {entry.keyword for entry in RULES.whitelist.values() if entry.vr in ("LT", "ST", "UT", "UC", "PN")}
    assert not kept & texts
    unlimited = {
        entry.keyword
        for entry in RULES.whitelist.values()
        if entry.vr in ("LO", "SH") and entry.action == "keep" and not entry.values and not entry.pattern
    }
    assert unlimited == set(MAKER)


def test_an_attribute_of_the_table_stays_only_under_an_option() -> None:
    for entry in RULES.whitelist.values():
        action = RULES.profile.get(entry.tag)
        if action is not None and entry.action in ("keep", "shift-date", "cap-age"):
            assert entry.option in OPTION_MEANINGS or action == "X/Z/U*", entry.keyword


def test_a_whitelist_that_keeps_what_the_table_removes_is_refused() -> None:
    bad = {"attribute": [{"tag": "00081030", "keyword": "StudyDescription", "vr": "LO", "action": "keep"}]}
    with pytest.raises(ValueError, match=r"StudyDescription: Table E\.1-1 says X"):
        deidentification_rules(bad, PROFILE, edition="x")
    odd = {"attribute": [{"tag": "00280010", "keyword": "Rows", "vr": "US", "action": "keeep"}]}
    with pytest.raises(ValueError, match="no such action"):
        deidentification_rules(odd, PROFILE, edition="x")


# cleaning


def canary_for(vr: str) -> Any:
    """A value that shows when it is left anywhere; as far as possible well-formed for its VR."""
    return {
        "PN": {"Alphabetic": f"{CANARY}^NAME"},
        "DA": "19790408",
        "DT": "19790408120000",
        "TM": "235941",
        "UI": "1.2.99999.19790408",
        "AS": "097Y",
        "DS": "7654321.25",
        "IS": "7654321",
        "SQ": {"00100010": {"vr": "PN", "Value": [{"Alphabetic": CANARY}]}},
    }.get(vr, CANARY)


def test_no_canary_of_any_attribute_of_the_dictionary_is_left() -> None:
    """One canary in every attribute that PS3.6 knows: nothing of it comes through, at the top or in a sequence.

    The maker and model of the machine stay: they name no person, and the table does not list them.
    Numbers in whitelisted numeric attributes may stay: they are measurements. Times of day stay under option 113107.
    """
    header: Json = {}
    for tag, (vr, *_) in DicomDictionary.items():
        one = vr.split(" or ")[0]
        if one in ("OB", "OW", "OF", "OD", "OL", "OV", "UN", "NONE", ""):
            continue
        if keyword_for_tag(tag) in MAKER:
            continue
        header[f"{tag:08X}"] = {"vr": one, "Value": [canary_for(one)]}
    nested = dict(header)
    nested["00082112"] = {"vr": "SQ", "Value": [dict(header)]}
    text = json.dumps(clean(nested))
    assert CANARY not in text
    assert "19790408" not in text
    assert "097Y" not in text
    numeric = {entry.keyword for entry in RULES.whitelist.values() if entry.vr in ("DS", "IS")}
    for tag, found in clean(header).items():
        if "7654321" in json.dumps(found):
            assert keyword_for_tag(int(tag, 16)) in numeric
        if "235941" in json.dumps(found):
            assert RULES.whitelist[tag].option == "113107"


def test_every_removed_attribute_of_the_table_is_gone() -> None:
    header: Json = {}
    for tag, action in PROFILE:
        if "x" not in tag and action.startswith("X"):
            header[tag.upper()] = {"vr": "LO", "Value": ["1"]}
    left = set(clean(header)) & set(header)
    allowed = {entry.tag for entry in RULES.whitelist.values() if entry.option}
    assert left <= allowed


def test_private_overlay_and_unknown_attributes_are_gone() -> None:
    header: Json = {
        "00091001": {"vr": "LO", "Value": ["private"]},
        "60003000": {"vr": "OW", "InlineBinary": "AAAA"},
        "50000010": {"vr": "US", "Value": [1]},
        "99999999": {"vr": "UN", "InlineBinary": "AAAA"},
        "00020016": {"vr": "AE", "Value": ["CLUNIE1"]},
    }
    assert not set(clean(header)) & set(header)


def test_what_science_needs_stays() -> None:
    header = (
        element("Modality", "DX") | element("Rows", 2140) | element("PixelSpacing", 0.2, 0.2) | element("KVP", "70")
        | element("PatientSex", "F") | element("PatientAge", "045Y") | element("Manufacturer", "Fuji Photo Film")
        | element("ViewPosition", "AP") | element("PatientOrientation", "R", "F") | element("Laterality", "L")
    )  # fmt: skip
    cleaned = clean(header)
    for keyword, kept in (
        ("Modality", ["DX"]), ("Rows", [2140]), ("PixelSpacing", [0.2, 0.2]), ("KVP", ["70"]), ("PatientSex", ["F"]),
        ("PatientAge", ["045Y"]), ("Manufacturer", ["Fuji Photo Film"]), ("ViewPosition", ["AP"]),
        ("PatientOrientation", ["R", "F"]), ("Laterality", ["L"]),
    ):  # fmt: skip
        assert value(cleaned, keyword) == kept


def test_identity_is_replaced_or_emptied() -> None:
    header = (
        element("PatientID", "12345") | element("PatientName", {"Alphabetic": "DOE^JOHN"})
        | element("AccessionNumber", "A1") | element("PatientBirthDate", "19790408") | element("PatientAge", "097Y")
        | element("StudyDescription", "of DOE")
    )  # fmt: skip
    cleaned = clean(header)
    assert value(cleaned, "PatientID") == [PSEUDONYMS.patient(PATIENT)]
    assert cleaned["00100010"] == {"vr": "PN"}
    assert cleaned["00100030"] == {"vr": "DA"}
    assert cleaned["00080050"] == {"vr": "SH"}
    assert value(cleaned, "PatientAge") == ["090Y"]
    assert value(cleaned, "StudyDescription") is None


def test_uids_are_replaced_the_same_way_everywhere_and_classes_stay() -> None:
    header = element("SOPInstanceUID", "1.2.3") | element("SOPClassUID", "1.2.840.10008.5.1.4.1.1.1")
    header["00082112"] = {
        "vr": "SQ",
        "Value": [element("ReferencedSOPInstanceUID", "1.2.3") | element("ReferencedSOPClassUID", "1.2.9.9")],
    }
    cleaned = clean(header)
    [item] = value(cleaned, "SourceImageSequence")
    assert value(cleaned, "SOPInstanceUID") == value(item, "ReferencedSOPInstanceUID") == [PSEUDONYMS.uid("1.2.3")]
    assert value(cleaned, "SOPClassUID") == ["1.2.840.10008.5.1.4.1.1.1"]
    assert value(item, "ReferencedSOPClassUID") is None  # not a class of the standard: it could be anything


def test_dates_move_together() -> None:
    header = element("StudyDate", "20200110") | element("AcquisitionDateTime", "20200115101112.5")
    cleaned = clean(header)
    study, acquired = value(cleaned, "StudyDate")[0], value(cleaned, "AcquisitionDateTime")[0]
    assert study != "20200110"
    assert acquired.endswith("101112.5")
    from datetime import date

    apart = date(int(acquired[:4]), int(acquired[4:6]), int(acquired[6:8])) - date(
        int(study[:4]), int(study[4:6]), int(study[6:8])
    )
    assert apart.days == 5


@pytest.mark.parametrize(
    ("keyword", "bad"),
    [
        ("ViewPosition", "JOHN DOE"),
        ("BodyPartExamined", "MILLER"),
        ("CodeValue", "John Doe"),
        ("PatientOrientation", "DOE"),
        ("StudyDate", "12 MAY"),
        ("KVP", "seventy"),
        ("Rows", "JOHN"),
        ("SOPInstanceUID", "John"),
        ("PatientSex", "JOHN"),
        ("Modality", "DOE"),
        ("StudyTime", "noon"),
        ("PatientAge", "old"),
    ],
)
def test_a_value_that_does_not_belong_into_its_field_is_dropped(keyword: str, bad: str) -> None:
    assert value(clean(element(keyword, bad)), keyword) is None


def test_unknown_terms_of_a_closed_list_are_left_out() -> None:
    header = element("ImageType", "DERIVED", "SECONDARY", "DOE JOHN", "REJECTED")
    assert value(clean(header), "ImageType") == ["DERIVED", "SECONDARY", "REJECTED"]


def test_it_says_how_it_was_done() -> None:
    cleaned = clean({})
    assert value(cleaned, "PatientIdentityRemoved") == ["YES"]
    assert value(cleaned, "LongitudinalTemporalInformationModified") == ["MODIFIED"]
    codes = [item["00080100"]["Value"][0] for item in value(cleaned, "DeidentificationMethodCodeSequence")]
    assert codes == ["113100", "113107", "113108"]


def test_deep_nesting_ends() -> None:
    header: Json = element("SOPInstanceUID", "1.2.3")
    for _ in range(500):
        header = {"00082112": {"vr": "SQ", "Value": [header]}}
    assert "00120062" in clean(header)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Value", "vr", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(RULES.whitelist)),
        st.dictionaries(st.sampled_from(["vr", "Value", "InlineBinary"]), json_values, max_size=3),
        max_size=6,
    )
)
def test_a_malformed_header_never_breaks_it(header: Json) -> None:
    assert json.dumps(clean(header))
