"""Which projection and which side a radiograph shows: ranked evidence, never one tag.

Evidence that may decide, strongest first: view code (PS3.16 CID 4010), View Position, words in the description of the
image, Patient Orientation; for the side Image Laterality, region modifier (CID 244), Laterality, words, body part.
If these disagree, the answer is *contradictory* and a person decides: a wrong pair is worse than a question.

Advisory evidence (the examination's name, file names, the look of the image) never decides alone. Two *independent
kinds* of advisory evidence that agree may: what people typed, what the picture shows, how the patient lay.

Only words of our own tables get into the evidence, never the text they were found in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

from app.core.case import Assessment, Certainty, Evidence, Projection, Side
from app.core.evidence_tables import EvidenceTables
from app.core.messages import CodedConcept, ObjectFacts
from app.core.words import Match, WordTable, values_found

ValueT = TypeVar("ValueT", Projection, Side)

# Descriptions of the whole examination, which may hold several images, and remarks: advisory only.
EXAMINATION_FIELDS = frozenset(
    {
        "Study Description",
        "Requested Procedure Description",
        "Performed Procedure Step Description",
        "Scheduled Procedure Step Description",
        "Reason For Study",
        "Image Comments",
        "Study Comments",
        "Derivation Description",
        "Performed Protocol Type",
    }
)
ADVISORY_RANK = 9
MAPPING_SOURCE = "Mapping file"


class Kind(StrEnum):
    """Kinds of advisory evidence; two pieces of one kind are not independent."""

    TYPED = "typed"  # what people wrote: examination, file and folder names
    PICTURE = "picture"  # what the image shows
    POSITION = "position"  # how the patient lay


class Region(StrEnum):
    """What part of the body the header names."""

    HIP = "hip"
    PELVIS = "pelvis"
    UNSPECIFIC = "unspecific"
    OTHER = "other"


def name_evidence(path_text: str, tables: EvidenceTables) -> dict[str, str]:
    """The file and folder part of a path, as named texts for the assessments. Kept in memory only.

    Args:
        path_text: relative path as the user would see it; separators `/` or `\\`.
        tables: unused words are dropped by the assessments, not here.
    """
    parts = [part for part in path_text.replace("\\", "/").split("/") if part]
    if not parts:
        return {}
    stem, _, extension = parts[-1].rpartition(".")
    texts = {"File name": stem if stem and len(extension) <= 4 else parts[-1]}
    if len(parts) > 1:
        texts["Folder name"] = " / ".join(parts[:-1])
    return texts


def assess_projection(
    facts: ObjectFacts,
    tables: EvidenceTables,
    *,
    names: dict[str, str] | None = None,
    mapping: Projection | None = None,
    picture: Sequence[Evidence] = (),
) -> Assessment[Projection]:
    """How the beam passed through the hip, from everything the object and its surroundings say.

    Args:
        facts: what the object says.
        tables: codes and words.
        names: file and folder name (`name_evidence`).
        mapping: projection given by the user's mapping file.
        picture: advisory evidence from the image itself.
    """
    deciding: list[Evidence] = []
    advisory: list[tuple[Kind, Evidence]] = [(Kind.PICTURE, piece) for piece in picture]
    if mapping is not None:
        deciding.append(Evidence(source=MAPPING_SOURCE, found=mapping.value, says=mapping.value, rank=1))
    deciding += _coded("View Code Sequence", facts.view_codes, tables.view_codes, rank=1)
    deciding += _coded("View Modifier Code Sequence", facts.view_modifiers, tables.view_modifier_codes, rank=1)
    position = facts.view_position.strip().upper()
    if position in tables.view_positions:
        says = tables.view_positions[position]
        deciding.append(Evidence(source="View Position", found=position, says=says, rank=2))
    for source, text in facts.words.items():
        found = _projection_words(source, tables.projection_words.find(text))
        if source in EXAMINATION_FIELDS:
            advisory += [(Kind.TYPED, _as_advisory(piece)) for piece in found]
        else:
            deciding += [piece for piece in found if not piece.is_advisory]
            advisory += [(Kind.TYPED, piece) for piece in found if piece.is_advisory]
    for source, text in (names or {}).items():
        pieces = _projection_words(source, tables.projection_words.find(text))
        advisory += [(Kind.TYPED, _as_advisory(piece)) for piece in pieces]
    advisory += [(Kind.TYPED, piece) for piece in _hints({**facts.words, **(names or {})}, tables, "projection")]
    geometry = _orientation_says(facts.patient_orientation)
    if geometry is not None:
        found_letters = "\\".join(letters.strip().upper() for letters in facts.patient_orientation)
        deciding.append(Evidence(source="Patient Orientation", found=found_letters, says=geometry.value, rank=4))
    return _assess(Projection, deciding, advisory)


def assess_side(
    facts: ObjectFacts,
    tables: EvidenceTables,
    *,
    projection: Projection | None,
    names: dict[str, str] | None = None,
    mapping: Side | None = None,
    picture: Sequence[Evidence] = (),
) -> Assessment[Side]:
    """Which hip, or both, the image shows.

    A frontal or frog-leg view of the *pelvis* shows both hips. The side of a pelvis image is a property of an
    annotation, not of the image, so a pelvis that is also labelled left or right is a contradiction.

    Args:
        facts: what the object says.
        tables: codes and words.
        projection: the projection when it is known; the body part `pelvis` means both hips only in some projections.
        names: file and folder name (`name_evidence`).
        mapping: side given by the user's mapping file.
        picture: advisory evidence from the image itself.
    """
    deciding: list[Evidence] = []
    advisory: list[tuple[Kind, Evidence]] = [(Kind.PICTURE, piece) for piece in picture]
    if mapping is not None:
        deciding.append(Evidence(source=MAPPING_SOURCE, found=mapping.value, says=mapping.value, rank=1))
    deciding += _laterality("Image Laterality", facts.image_laterality, rank=1)
    deciding += _coded("Anatomic Region Modifier", facts.region_modifiers, tables.laterality_codes, rank=2)
    deciding += _laterality("Laterality", facts.laterality, rank=3)
    for source, text in facts.words.items():
        found = _side_words(source, text, tables, is_hip=_is_hip_named(facts, tables))
        if source in EXAMINATION_FIELDS:
            advisory += [(Kind.TYPED, _as_advisory(piece)) for piece in found]
        else:
            deciding += [piece for piece in found if not piece.is_advisory]
            advisory += [(Kind.TYPED, piece) for piece in found if piece.is_advisory]
    is_hip = _is_hip_named(facts, tables) or any(
        _regions(tables.region_words, text) & {Region.HIP, Region.PELVIS} for text in (names or {}).values()
    )
    for source, text in (names or {}).items():
        advisory += [(Kind.TYPED, _as_advisory(piece)) for piece in _side_words(source, text, tables, is_hip=is_hip)]
    pelvis = _pelvis_pieces(facts, tables)
    if projection in (Projection.FRONTAL, Projection.FROG_LEG):
        deciding += pelvis
    else:
        advisory += [(Kind.TYPED, _as_advisory(piece)) for piece in pelvis]
    for source, text in (names or {}).items():
        words = [match.word for match in tables.region_words.find(text) if match.value == Region.PELVIS]
        if words:
            advisory.append((Kind.TYPED, _piece(source, words, Side.BOTH.value, rank=ADVISORY_RANK, is_advisory=True)))
    advisory += [(Kind.TYPED, piece) for piece in _hints({**facts.words, **(names or {})}, tables, "side")]
    advisory += [(Kind.POSITION, piece) for piece in _lying_side(facts, tables)]
    return _assess(Side, deciding, advisory)


def named_regions(facts: ObjectFacts, tables: EvidenceTables) -> frozenset[Region]:
    """Every body region that the header names: body part, region codes, words."""
    regions: set[Region] = set()
    body_part = " ".join(facts.body_part.upper().split())
    if body_part:
        regions.add(_body_part_region(body_part, tables))
    for code in facts.regions:
        value = tables.region_codes.get(_code_key(code))
        regions.add(Region(value) if value is not None else Region.OTHER)
    for text in facts.words.values():
        regions |= _regions(tables.region_words, text)
    return frozenset(regions)


def is_other_body_part(facts: ObjectFacts, tables: EvidenceTables) -> bool:
    """Whether the header names a body part and none that is hip, pelvis or femur."""
    regions = named_regions(facts, tables)
    return Region.OTHER in regions and not regions & {Region.HIP, Region.PELVIS}


def disagreements(assessment: Assessment[ValueT]) -> tuple[str, ...]:
    """Sources of advisory evidence that speak against the value found, for example a file name."""
    if assessment.value is None:
        return ()
    against = [
        piece.source
        for piece in assessment.evidence
        if piece.is_advisory and piece.source != "Image content" and not _agree(piece.says, assessment.value.value)
    ]
    return tuple(dict.fromkeys(against))


def _agree(said: str, value: str) -> bool:
    if said == value:
        return True
    lateral = {Projection.LATERAL.value, Projection.FROG_LEG.value, Projection.CROSS_TABLE.value}
    if Projection.LATERAL.value in (said, value) and said in lateral and value in lateral:
        return True
    return Side.BOTH.value in (said, value)


def _assess(
    kind_of_value: type[ValueT], deciding: Iterable[Evidence], advisory: Iterable[tuple[Kind, Evidence]]
) -> Assessment[ValueT]:
    strong: list[Evidence] = sorted(deciding, key=lambda piece: piece.rank)
    weak: list[tuple[Kind, Evidence]] = list(advisory)
    evidence = (*strong, *(piece for _, piece in weak))
    if strong:
        value = _merged(kind_of_value, strong)
        certainty = Certainty.CONTRADICTORY if value is None else Certainty.EVIDENT
        return Assessment(value=value, certainty=certainty, evidence=evidence)
    if len({kind for kind, _ in weak}) >= 2:
        value = _merged(kind_of_value, [piece for _, piece in weak])
        if value is not None:
            return Assessment(value=value, certainty=Certainty.EVIDENT, evidence=evidence)
        return Assessment(value=None, certainty=Certainty.CONTRADICTORY, evidence=evidence)
    return Assessment(value=None, certainty=Certainty.UNKNOWN, evidence=evidence)


def _merged(kind_of_value: type[ValueT], pieces: Sequence[Evidence]) -> ValueT | None:
    """The one value that all pieces allow, or None."""
    said = {piece.says for piece in pieces if piece.source != "Patient Orientation"}
    geometry = {piece.says for piece in pieces if piece.source == "Patient Orientation"}
    lateral = Projection.LATERAL.value
    # "lateral" does not contradict the kind of lateral
    kinds = said & {Projection.FROG_LEG.value, Projection.CROSS_TABLE.value}
    if lateral in said and len(kinds) == 1:
        said = said - {lateral}
    if not said:
        said = geometry
    if len(said) != 1:
        return None
    value = next(iter(said))
    # A frog-leg hip is taken with a frontal beam, an oblique with either, so their edges may carry any letters.
    allowed = {
        Projection.FRONTAL.value: {Projection.FRONTAL.value},
        Projection.LATERAL.value: {lateral},
        Projection.CROSS_TABLE.value: {lateral},
    }.get(value)
    if allowed is not None and geometry - allowed:
        return None
    return kind_of_value(value)


def _orientation_says(orientation: Sequence[str]) -> Projection | None:
    """Frontal when the image plane holds left–right, lateral when it holds front–back (PS3.3 C.7.6.1.1.1)."""
    if len(orientation) != 2:
        return None
    axes = set()
    for letters in orientation:
        first = letters.strip().upper()[:1]
        axis = {"L": "side", "R": "side", "A": "depth", "P": "depth", "H": "height", "F": "height"}.get(first)
        if axis is None:
            return None
        axes.add(axis)
    if axes == {"side", "height"}:
        return Projection.FRONTAL
    if axes == {"depth", "height"}:
        return Projection.LATERAL
    return None


def _projection_words(source: str, matches: Sequence[Match]) -> list[Evidence]:
    """What one text says about the projection.

    A text that names a frontal and a plain or axial lateral describes an examination ("hip AP/lat"), not an image:
    advisory. A text that names a frontal and a frog-leg view may describe one image or two: it must be asked about.
    """
    values = values_found(matches)
    frontal, lateral, frog = Projection.FRONTAL.value, Projection.LATERAL.value, Projection.FROG_LEG.value
    cross, oblique = Projection.CROSS_TABLE.value, Projection.OBLIQUE.value
    names = set(values)
    if oblique in names and not names & {frog, cross}:
        names = {oblique}  # "AP oblique", "lateral oblique"
    elif lateral in names and len(names & {frog, cross}) == 1:
        names -= {lateral}
    is_examination = frontal in names and bool(names & {lateral, cross}) and not names & {frog, oblique}
    return [
        _piece(source, values[name], name, rank=ADVISORY_RANK if is_examination else 3, is_advisory=is_examination)
        for name in values
        if name in names
    ]


def _side_words(source: str, text: str, tables: EvidenceTables, *, is_hip: bool) -> list[Evidence]:
    """What one text says about the side; a text that names left and right describes an examination: advisory."""
    matches = tables.side_words.find(text)
    regions = _regions(tables.region_words, text)
    is_spine = any(match.value == "spine" for match in tables.spine_words.find(text))
    if (is_hip or regions & {Region.HIP, Region.PELVIS}) and not is_spine:
        matches += tables.short_side_words.find(text)
    values = values_found(matches)
    is_examination = {Side.LEFT.value, Side.RIGHT.value} <= set(values)
    return [
        _piece(source, words, value, rank=ADVISORY_RANK if is_examination else 4, is_advisory=is_examination)
        for value, words in values.items()
    ]


def _hints(texts: dict[str, str], tables: EvidenceTables, what: str) -> list[Evidence]:
    pieces = []
    table = tables.hint_projections if what == "projection" else tables.hint_sides
    for source, text in texts.items():
        for value, words in values_found(table.find(text)).items():
            pieces.append(_piece(source, words, value, rank=ADVISORY_RANK, is_advisory=True))
    return pieces


def _pelvis_pieces(facts: ObjectFacts, tables: EvidenceTables) -> list[Evidence]:
    pieces = []
    both = Side.BOTH.value
    body_part = " ".join(facts.body_part.upper().split())
    if tables.body_parts.get(body_part) == Region.PELVIS:
        pieces.append(Evidence(source="Body Part Examined", found=body_part, says=both, rank=5))
    if any(tables.region_codes.get(_code_key(code)) == Region.PELVIS for code in facts.regions):
        pieces.append(Evidence(source="Anatomic Region Sequence", found="pelvis", says=both, rank=5))
    for source, text in facts.words.items():
        words = [match.word for match in tables.region_words.find(text) if match.value == Region.PELVIS]
        if words:
            is_examination = source in EXAMINATION_FIELDS
            rank = ADVISORY_RANK if is_examination else 5
            pieces.append(_piece(source, words, both, rank=rank, is_advisory=is_examination))
    return pieces


def _lying_side(facts: ObjectFacts, tables: EvidenceTables) -> list[Evidence]:
    pieces = []
    position = facts.view_position.strip().upper()
    if position in tables.view_position_sides:
        says = tables.view_position_sides[position]
        pieces.append(Evidence(source="View Position", found=position, says=says, rank=ADVISORY_RANK, is_advisory=True))
    pieces += [
        _as_advisory(piece)
        for piece in _coded("View Code Sequence", facts.view_codes, tables.view_code_sides, rank=ADVISORY_RANK)
    ]
    return pieces


def _laterality(source: str, text: str, *, rank: int) -> list[Evidence]:
    value = {"L": Side.LEFT, "R": Side.RIGHT, "B": Side.BOTH}.get(text.strip().upper())
    if value is None:
        return []
    return [Evidence(source=source, found=text.strip().upper(), says=value.value, rank=rank)]


def _coded(source: str, codes: Sequence[CodedConcept], table: dict[str, str], *, rank: int) -> list[Evidence]:
    pieces = []
    for code in codes:
        key = _code_key(code)
        if key in table:
            pieces.append(Evidence(source=source, found=key, says=table[key], rank=rank))
    return pieces


def _code_key(code: CodedConcept) -> str:
    scheme = code.scheme.strip().upper()
    return f"{'SRT' if scheme in ('SNM3', '99SDM') else scheme}:{code.value.strip()}"


def _is_hip_named(facts: ObjectFacts, tables: EvidenceTables) -> bool:
    return bool(named_regions(facts, tables) & {Region.HIP, Region.PELVIS})


def _body_part_region(body_part: str, tables: EvidenceTables) -> Region:
    if body_part in tables.body_parts:
        return Region(tables.body_parts[body_part])
    found = _regions(tables.region_words, body_part)
    for region in (Region.HIP, Region.PELVIS):
        if region in found:
            return region
    return Region.OTHER


def _regions(table: WordTable, text: str) -> set[Region]:
    return {Region(match.value) for match in table.find(text)}


def _piece(source: str, words: Iterable[str], says: str, *, rank: int, is_advisory: bool = False) -> Evidence:
    return Evidence(source=source, found=", ".join(words), says=says, rank=rank, is_advisory=is_advisory)


def _as_advisory(piece: Evidence) -> Evidence:
    return Evidence(source=piece.source, found=piece.found, says=piece.says, rank=ADVISORY_RANK, is_advisory=True)
