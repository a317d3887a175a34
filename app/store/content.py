"""What a project holds, in one hash: equal for two projects that say the same, wherever and when they were made."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from app.core.annotation import CASE, VIEW
from app.core.event import COMPOSITION, CREATED, canonical_json
from app.store.cases import composition
from app.store.project import ProjectStore

STUDY = "study"


def content_hash(project: ProjectStore) -> str:
    """SHA-256 over patients, studies, radiographs with their pixels and headers, cases and the whole history.

    Left out is what belongs to one copy: numbers and hashes of events, keyed check values, which file a radiograph came
    from, and when it was brought in.
    """
    digest = hashlib.sha256()
    for line in content_lines(project):
        digest.update(canonical_json(line).encode("utf-8") + b"\n")
    return digest.hexdigest()


def content_lines(project: ProjectStore) -> list[list[Any]]:
    """What is hashed, one line a thing; two projects are compared line by line where their hashes differ."""
    lines: list[list[Any]] = [["patient", patient.id, patient.sex] for patient in project.patients.all()]
    lines += [["study", msgspec.to_builtins(study)] for study in project.studies.as_found()]
    for view in project.views.as_found():
        document = msgspec.to_builtins(view)
        document["flags"] = sorted(document["flags"])
        lines.append(["view", document, project.views.header(view.id), project.views.offset(view.id)])
    lines += [["case", case.id, composition(case), case.status.value] for case in project.cases.all()]
    kinds = (f"{CASE}:", f"{VIEW}:", f"{STUDY}:")
    events = [each for each in project.events.since() if each.target.startswith(kinds)]
    told = [each for each in events if each.field not in (CREATED, COMPOSITION)]
    number_of = {each.id: number for number, each in enumerate(sorted(told, key=lambda each: (each.at, each.target)))}
    history: dict[str, list[Any]] = {}
    for each in told:
        history.setdefault(each.target, []).append(
            [each.at, each.author, each.field, each.before, each.after, each.text, number_of.get(each.reverts or 0)]
        )
    lines += [["history", target, history[target]] for target in sorted(history)]
    return lines
