"""The first look at the files of an import: headers only, no pixels, little memory.

It finds which files are copies of one image (the same object, or re-encodings of one predecessor: Source Image Sequence
with purpose 121320 DCM), and in which order to read them: of several copies a lossless one goes first, whatever the
order in which they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.messages import ObjectFacts, ReadImage
from app.core.pseudonym import comparable
from app.store.reading.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """The part of an object's facts that tells patients apart. Identifying: in memory only."""

    issuer: str
    patient_id: str
    name: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One readable file.

    Args:
        position: its place in the order in which the files were found.
        source: where it is.
        source_sha256: hash of the file.
        object_uid: SOP Instance UID, or empty.
        predecessor_uid: UID of the object that it re-encodes, or empty.
        is_lossy: whether it went through lossy compression.
        frame: the frame that is imported, None for a single-frame object.
    """

    position: int
    source: Source
    source_sha256: str
    object_uid: str
    predecessor_uid: str
    is_lossy: bool
    frame: int | None


def planned_file(position: int, source: Source, image: ReadImage, *, frame: int | None) -> PlannedFile:
    """What the plan keeps of one header."""
    facts = image.facts
    return PlannedFile(
        position=position,
        source=source,
        source_sha256=image.source_sha256,
        object_uid=facts.sop_instance_uid.strip(),
        predecessor_uid=facts.predecessor_uid.strip(),
        is_lossy=facts.is_lossy,
        frame=frame if facts.frame_count > 1 else None,
    )


def reading_order(files: Sequence[PlannedFile]) -> list[PlannedFile]:
    """The order in which the images are read: as found, but of copies of one image lossless ones first.

    Copies of one image come one after the other.
    """
    groups = _groups(files)
    members: dict[int, list[PlannedFile]] = {}
    for file, group in zip(files, groups, strict=True):
        members.setdefault(group, []).append(file)
    order: list[PlannedFile] = []
    for copies in members.values():  # in the order in which each group was first met
        order += sorted(copies, key=lambda file: (file.is_lossy, file.position))
    return order


def _groups(files: Sequence[PlannedFile]) -> list[int]:
    """A group number for each file: files that share an object or a predecessor, however long the chain."""
    parent = list(range(len(files)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_of: dict[tuple[str, int | None], int] = {}
    for index, file in enumerate(files):
        for uid in (file.object_uid, file.predecessor_uid):
            if not uid:
                continue
            other = first_of.setdefault((uid, file.frame), index)
            one, two = sorted((root(other), root(index)))
            parent[two] = one
    return [root(index) for index in range(len(files))]


def person_facts(facts: ObjectFacts) -> PersonFacts:
    """What tells patients apart, ready for comparing.

    Names are compared by family and given name of the first component group (PS3.5 6.2.1), without case, accents and
    separators: systems disagree about middle names and titles.
    """
    group = facts.patient_name.split("=")[0] or facts.patient_name
    return PersonFacts(
        issuer=facts.patient_id_issuer.strip(),
        patient_id=facts.patient_id.strip(),
        name=comparable("".join(group.split("^")[:2])),
        birth_date=comparable(facts.birth_date),
        sex=facts.sex.strip().upper(),
    )


def mismatches(one: PersonFacts, other: PersonFacts) -> list[str]:
    """Names of the facts that are given by both and differ; a fact that is missing does not differ."""
    pairs = {
        "name": (one.name, other.name),
        "birth date": (one.birth_date, other.birth_date),
        "sex": (one.sex, other.sex),
    }
    return [name for name, (first, second) in pairs.items() if first and second and first != second]


def merged(known: PersonFacts, more: PersonFacts) -> PersonFacts:
    """What is known of a person after another image: empty facts are filled in."""
    return PersonFacts(
        issuer=known.issuer or more.issuer,
        patient_id=known.patient_id or more.patient_id,
        name=known.name or more.name,
        birth_date=known.birth_date or more.birth_date,
        sex=known.sex or more.sex,
    )


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *head, last = list(words)
    return f"{', '.join(head)} and {last}" if head else last
