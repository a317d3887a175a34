"""Projection and side from ranked evidence: unknown and contradictory are answers, a wrong answer is a defect."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.case import Certainty, Evidence, Projection, Side
from app.core.evidence import (
    assess_projection,
    assess_side,
    disagreements,
    is_other_body_part,
    name_evidence,
)
from app.core.evidence_tables import EvidenceTables, evidence_tables
from app.core.messages import CodedConcept, ObjectFacts

RESOURCE = Path(__file__).resolve().parents[2] / "resources" / "dicom" / "projection_words.toml"
TABLES = evidence_tables(tomllib.loads(RESOURCE.read_text(encoding="utf-8")))
SERIES = "Series Description"


def facts(**fields: Any) -> ObjectFacts:
    """Facts of a DICOM object; `words` may be one series description, codes may be SNOMED values."""
    if isinstance(fields.get("words"), str):
        fields["words"] = {SERIES: fields["words"]}
    for name in ("view_codes", "view_modifiers", "regions", "region_modifiers"):
        codes = fields.get(name, ())
        fields[name] = tuple(CodedConcept(scheme=code.split(":")[0], value=code.split(":")[1]) for code in codes)
    return ObjectFacts(format="DICOM", **fields)


def outcome(found: ObjectFacts) -> tuple[str, str]:
    """Projection and side as words; `unknown` and `contradictory` when open."""
    projection = assess_projection(found, TABLES)
    side = assess_side(found, TABLES, projection=projection.value)
    return (
        projection.value or projection.certainty.value,
        side.value or side.certainty.value,
    )


# 64 combinations of tags: what the object says, the projection, the side
COMBINATIONS: list[tuple[dict[str, Any], str, str]] = [
    # nothing, or nothing usable
    ({}, "unknown", "unknown"),
    ({"body_part": "HIP"}, "unknown", "unknown"),
    ({"body_part": "HIP", "words": {"Study Description": "HIP JOINT"}}, "unknown", "unknown"),
    ({"view_position": "XX", "laterality": "?"}, "unknown", "unknown"),
    ({"image_laterality": "U"}, "unknown", "unknown"),
    ({"region_modifiers": ("SCT:66459002",)}, "unknown", "unknown"),  # unilateral: which one?
    ({"patient_orientation": ("L",)}, "unknown", "unknown"),
    ({"patient_orientation": ("L", "P")}, "unknown", "unknown"),  # seen from above: neither
    # one strong field
    ({"view_position": "AP", "image_laterality": "L"}, "frontal", "left"),
    ({"view_position": "PA", "laterality": "R"}, "frontal", "right"),
    ({"view_position": "LL"}, "lateral", "unknown"),
    ({"view_position": "rl"}, "lateral", "unknown"),
    ({"view_position": "LAT", "laterality": "L"}, "lateral", "left"),
    ({"view_position": "LAO"}, "oblique", "unknown"),
    ({"view_codes": ("SCT:399348003",), "region_modifiers": ("SCT:7771000",)}, "frontal", "left"),
    ({"view_codes": ("SRT:R-10206",), "region_modifiers": ("SRT:G-A100",)}, "frontal", "right"),
    ({"view_codes": ("SNM3:R-10206",)}, "frontal", "unknown"),
    ({"view_codes": ("SCT:272479007",)}, "frontal", "unknown"),
    ({"view_codes": ("SCT:399067008",)}, "lateral", "unknown"),
    ({"view_codes": ("SCT:399260004",)}, "lateral", "unknown"),
    ({"view_codes": ("SCT:399352003",)}, "lateral", "unknown"),
    ({"view_codes": ("SCT:399173006",)}, "lateral", "unknown"),  # left lateral: a hint at the side, no more
    ({"view_codes": ("SCT:399061009",)}, "cross-table", "unknown"),
    ({"view_codes": ("SCT:399182000",)}, "oblique", "unknown"),
    ({"view_codes": ("99XX:AP",)}, "unknown", "unknown"),
    ({"view_codes": ("SCT:399067008",), "view_modifiers": ("DCM:111069",)}, "cross-table", "unknown"),
    ({"patient_orientation": ("L", "F")}, "frontal", "unknown"),
    ({"patient_orientation": ("F", "R")}, "frontal", "unknown"),  # rotated by 90°
    ({"patient_orientation": ("A", "F")}, "lateral", "unknown"),
    ({"patient_orientation": ("PH", "FA")}, "lateral", "unknown"),
    # whole pelvis
    ({"view_position": "AP", "body_part": "PELVIS"}, "frontal", "both"),
    ({"view_position": "AP", "regions": ("SCT:816092008",)}, "frontal", "both"),
    ({"view_position": "AP", "image_laterality": "B"}, "frontal", "both"),
    ({"view_position": "AP", "words": "Beckenübersicht a.p."}, "frontal", "both"),
    ({"view_position": "AP", "body_part": "PELVIS", "image_laterality": "L"}, "frontal", "contradictory"),
    ({"view_position": "LL", "body_part": "PELVIS"}, "lateral", "contradictory"),  # one hip, whatever the protocol says
    ({"body_part": "PELVIS"}, "unknown", "unknown"),
    ({"body_part": "PELVIS", "words": "Lauenstein bds."}, "frog-leg", "both"),
    # words
    ({"words": "Hüfte re. axial"}, "cross-table", "right"),
    ({"words": "HUEFTE LI. SEITLICH"}, "lateral", "left"),
    ({"words": "Hanche gauche de face"}, "frontal", "left"),
    ({"words": "Hanche droite profil"}, "lateral", "right"),
    ({"words": "Hanche gauche faux profil"}, "oblique", "left"),
    ({"words": "Cadera derecha lateral"}, "lateral", "right"),
    ({"words": "anca sinistra frontale"}, "frontal", "left"),
    ({"words": "左股関節側面"}, "lateral", "left"),
    ({"words": "右髋关节正位"}, "frontal", "right"),
    ({"words": "骨盆正位"}, "frontal", "both"),
    ({"words": "L HIP X-TABLE LAT"}, "cross-table", "left"),
    ({"words": "HIP L FROG LAT"}, "frog-leg", "left"),
    ({"words": "Judet oblique R hip"}, "oblique", "right"),
    ({"words": "L-SPINE AP"}, "frontal", "unknown"),  # that L is no side
    ({"words": "collateral captured"}, "unknown", "unknown"),
    # words that only look like a side or a projection
    ({"words": "Hanche deux incidences"}, "unknown", "unknown"),
    ({"words": "Huefte beide Ebenen"}, "unknown", "unknown"),
    ({"words": "destructive lesion of the hip AP"}, "frontal", "unknown"),
    ({"words": "Hip re-do AP"}, "frontal", "unknown"),
    ({"words": "standard profile 3"}, "unknown", "unknown"),
    # a description of the examination, not of the image
    ({"words": "HIP AP/LAT"}, "unknown", "unknown"),
    ({"words": "XR HIP AP/LAT", "view_position": "AP"}, "frontal", "unknown"),
    ({"words": "HIPS L AND R"}, "unknown", "unknown"),
    ({"words": {"Study Description": "HIP LEFT AP"}}, "unknown", "unknown"),
    # contradictions
    ({"view_position": "AP", "words": "Cervical OBLI"}, "contradictory", "unknown"),  # pydicom file 6247
    ({"view_position": "LL", "patient_orientation": ("L", "F")}, "contradictory", "unknown"),  # pydicom file 6154
    ({"view_position": "AP", "words": "Lauenstein"}, "contradictory", "unknown"),
    ({"words": "AP FROG LEG"}, "contradictory", "unknown"),
    ({"view_codes": ("SCT:399348003",), "view_position": "LL"}, "contradictory", "unknown"),
    ({"view_position": "AP", "image_laterality": "L", "laterality": "R"}, "frontal", "contradictory"),
    ({"view_position": "AP", "image_laterality": "R", "words": "Hip left"}, "frontal", "contradictory"),
    ({"view_position": "AP", "region_modifiers": ("SCT:7771000", "SCT:24028007")}, "frontal", "contradictory"),
    # pieces that go together
    ({"words": "frog lateral", "patient_orientation": ("L", "F")}, "frog-leg", "unknown"),
    ({"view_position": "LL", "words": "cross table"}, "cross-table", "unknown"),
    ({"view_position": "LAT", "patient_orientation": ("P", "F"), "laterality": "L"}, "lateral", "left"),
    ({"view_position": "AP", "patient_orientation": ("R", "F"), "laterality": "R", "body_part": "EXTREMITY"},
     "frontal", "right"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "projection", "side"), COMBINATIONS)
def test_combinations_of_tags(fields: dict[str, Any], projection: str, side: str) -> None:
    assert outcome(facts(**fields)) == (projection, side)


def test_there_are_at_least_sixty_combinations() -> None:
    assert len(COMBINATIONS) >= 60


def test_every_found_value_has_its_evidence_strongest_first() -> None:
    found = facts(view_codes=("SCT:399348003",), view_position="AP", words="Hip ap", patient_orientation=("L", "F"))
    assessment = assess_projection(found, TABLES)
    assert assessment.certainty is Certainty.EVIDENT
    assert [piece.source for piece in assessment.evidence] == [
        "View Code Sequence",
        "View Position",
        SERIES,
        "Patient Orientation",
    ]
    assert [piece.rank for piece in assessment.evidence] == [1, 2, 3, 4]


def test_evidence_holds_table_words_never_the_text() -> None:
    secret = "Hip AP left of JOHN DOE 19790408"
    projection = assess_projection(facts(words=secret), TABLES)
    side = assess_side(facts(words=secret), TABLES, projection=projection.value)
    assert [(piece.source, piece.found) for piece in (*projection.evidence, *side.evidence)] == [
        (SERIES, "ap"),
        (SERIES, "left"),
    ]


@given(st.text(max_size=80), st.text(max_size=16), st.text(max_size=16))
def test_no_text_gets_into_the_evidence(words: str, position: str, laterality: str) -> None:
    found = facts(words=words, view_position=position, laterality=laterality)
    known = {word for table in _word_lists() for word in table}
    for assessment in (
        assess_projection(found, TABLES, names=name_evidence(words, TABLES)),
        assess_side(found, TABLES, projection=Projection.FRONTAL, names=name_evidence(words, TABLES)),
    ):
        for piece in assessment.evidence:
            assert all(word in known for word in piece.found.lower().split(", ")), piece


def _word_lists() -> list[set[str]]:
    from app.core.words import fold

    document = tomllib.loads(RESOURCE.read_text(encoding="utf-8"))
    lists: list[set[str]] = [{"ap", "pa", "ll", "rl", "l", "r", "b"}, {key.lower() for key in document["body_parts"]}]
    lists.append({key.lower() for key in document["view_positions"]})
    for group in document["words"].values():
        for words in group.values():
            lists.append({fold(word).rstrip("*").strip() for word in words})
            lists.append({" ".join(fold(word).rstrip("*").replace("-", " ").split()) for word in words})
    for hint in document["hints"]:
        lists.append({fold(word).rstrip("*") for word in hint["words"]})
    return lists


# advisory evidence


def picture(says: str) -> Evidence:
    """What a symmetric image says."""
    return Evidence(source="Image content", found="mirror symmetry 0.70", says=says, rank=9, is_advisory=True)


def test_one_kind_of_advisory_evidence_never_decides() -> None:
    hint = facts(words="331_DDH_1.dcm")
    assert assess_projection(hint, TABLES).certainty is Certainty.UNKNOWN
    assert assess_projection(facts(), TABLES, picture=(picture("frontal"),)).certainty is Certainty.UNKNOWN
    names = name_evidence("pelvis_ap/DDH.png", TABLES)
    assert assess_projection(facts(), TABLES, names=names).certainty is Certainty.UNKNOWN


def test_file_name_and_series_description_are_one_kind() -> None:
    names = name_evidence("a/hip_left_ap.dcm", TABLES)
    found = facts(words={"Study Description": "Hip left ap"})
    assert assess_side(found, TABLES, projection=None, names=names).certainty is Certainty.UNKNOWN
    assert assess_projection(found, TABLES, names=names).certainty is Certainty.UNKNOWN


def test_two_independent_kinds_that_agree_decide() -> None:
    hint = facts(words="331_DDH_1.dcm")
    projection = assess_projection(hint, TABLES, picture=(picture("frontal"),))
    side = assess_side(hint, TABLES, projection=projection.value, picture=(picture("both"),))
    assert (projection.value, projection.certainty) == (Projection.FRONTAL, Certainty.EVIDENT)
    assert (side.value, side.certainty) == (Side.BOTH, Certainty.EVIDENT)


def test_two_kinds_that_disagree_do_not() -> None:
    found = assess_projection(
        facts(), TABLES, names=name_evidence("hip_lateral.png", TABLES), picture=(picture("frontal"),)
    )
    assert found.certainty is Certainty.CONTRADICTORY


def test_advisory_evidence_does_not_overrule_the_header_but_is_shown() -> None:
    side = assess_side(
        facts(image_laterality="L", body_part="HIP"),
        TABLES,
        projection=Projection.FRONTAL,
        names=name_evidence("right/hip_R.dcm", TABLES),
    )
    assert side.value is Side.LEFT
    assert disagreements(side) == ("File name", "Folder name")


def test_a_mapping_that_contradicts_the_header_is_asked_about() -> None:
    assert (
        assess_side(facts(image_laterality="L"), TABLES, projection=None, mapping=Side.RIGHT).certainty
        is Certainty.CONTRADICTORY
    )
    assert assess_side(facts(), TABLES, projection=None, mapping=Side.RIGHT).value is Side.RIGHT


def test_file_names_on_every_system() -> None:
    assert name_evidence("a/b/hip.left.dcm", TABLES) == {"File name": "hip.left", "Folder name": "a / b"}
    assert name_evidence("a\\IM000123", TABLES) == {"File name": "IM000123", "Folder name": "a"}
    assert name_evidence("", TABLES) == {}


# body part


@pytest.mark.parametrize(
    ("fields", "is_other"),
    [
        ({}, False),
        ({"body_part": "HIP"}, False),
        ({"body_part": "PELVIS"}, False),
        ({"body_part": "EXTREMITY"}, False),  # says too little
        (
            {"body_part": "EXTREMITY", "words": {"Protocol Name": "[LOWER LEG         ]"}},
            True,
        ),
        ({"body_part": "CHEST"}, True),
        ({"body_part": "KNEE"}, True),
        ({"body_part": "KNEE", "words": "hip"}, False),
        ({"regions": ("SCT:71341001",)}, False),
        ({"regions": ("SCT:30021000",)}, True),
        ({"words": "Unterschenkel ap"}, True),
        ({"words": "Femur lat"}, False),
        ({"words": "膝関節正面"}, True),
    ],
)
def test_other_parts_of_the_body(fields: dict[str, Any], is_other: bool) -> None:
    assert is_other_body_part(facts(**fields), TABLES) is is_other


# the tables themselves


def test_the_codes_are_those_of_the_standard() -> None:
    """Codes and their retired SRT form, against pydicom's copy of PS3.16 CID 4010 and CID 244."""
    from pydicom.sr._snomed_dict import mapping
    from pydicom.sr.codedict import codes

    known = {getattr(codes.CID4010, name).value for name in codes.CID4010.dir()}
    for key in TABLES.view_codes:
        scheme, value = key.split(":")
        if value == "R-10214":  # postero-anterior in older editions; SNOMED CT joined it with R-40888
            continue
        assert (value if scheme == "SCT" else mapping["SRT"][value]) in known, key
    sides = {"SCT:7771000": "left", "SCT:24028007": "right", "SCT:51440002": "both"}
    assert {key: value for key, value in TABLES.laterality_codes.items() if key.startswith("SCT")} == sides
    for name in ("AnteroPosterior", "PosteroAnterior", "Frontal", "LateralProjection", "AxialProjection"):
        assert f"SCT:{getattr(codes.CID4010, name).value}" in TABLES.view_codes


def test_no_word_stands_for_two_values() -> None:
    document = tomllib.loads(RESOURCE.read_text(encoding="utf-8"))
    for group in ("projection", "side", "side_needs_hip"):
        words = [word for words in document["words"][group].values() for word in words]
        assert len(words) == len(set(words)), group


@pytest.mark.parametrize("damage", ["projection", "region", "missing"])
def test_a_wrong_table_is_refused(damage: str) -> None:
    document = tomllib.loads(RESOURCE.read_text(encoding="utf-8"))
    if damage == "projection":
        document["view_positions"]["AP"] = "sideways"
    elif damage == "region":
        document["body_parts"]["HIP"] = "toe"
    else:
        del document["laterality_codes"]
    with pytest.raises(ValueError, match=r"sideways|toe|laterality_codes"):
        evidence_tables(document)


def test_tables_are_used() -> None:
    assert isinstance(TABLES, EvidenceTables)
    assert len(TABLES.view_codes) >= 40
