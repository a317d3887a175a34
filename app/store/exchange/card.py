"""The data card: what a data set holds, how it was labelled, what it must not be used for. Markdown and JSON.

It says nothing about when or where it was written, so that the same selection gives the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from app import __version__
from app.core.annotation import CASE, LABEL, label_value, split_target
from app.core.case import ViewFlag
from app.core.export import ExportFormat, SplitKind
from app.core.export_plan import ExportPlan, LeftOut, label_text, part_counts
from app.core.label_set import FieldType, label_set_document
from app.core.spacing import SpacingSource
from app.store.exchange.writer import OutputFile, Writer

CARD_TEXT, CARD_JSON, LABEL_SET_JSON = "DATA_CARD.md", "data_card.json", "label_set.json"
SPLITS_JSON = "splits.json"
FORMAT_VERSION = 1  # of data sets; raised when an older Coxa could not read a newer one
NOT_STATED = "not stated"

WHY = {
    LeftOut.BLOCKED: "Cases blocked until somebody has checked whose images they are",
    LeftOut.EXCLUDED: "Cases with the status excluded",
    LeftOut.BY_HAND: "Cases left out by hand",
    LeftOut.VIEW_EXCLUDED: "Views that a person took out of their case",
    LeftOut.WAITING: "Pixels of views that may hold burnt-in text and that nobody has looked at",
    LeftOut.REFUSED: "Pixels of views that must not leave, as a person said",
    LeftOut.ABSENT: "Pixels of views that were withheld from this copy of the project",
    LeftOut.CROP_UNAPPROVED: "Crops that their reader has not approved as they are now",
    LeftOut.NO_PART: "Cases that the training run does not know; they have no part",
    LeftOut.NO_LABEL: "Cases without a class; they are in no class folder",
    LeftOut.DISPUTED: "Cases about whose class readers disagree; they are in no class folder",
}
FLAGS = {
    ViewFlag.PARTIAL: "Truncated images",
    ViewFlag.FALLBACK_DECODER: "Images read by the decoder of last resort",
    ViewFlag.NOT_NATIVE: "Images that are not the detector's grey values",
    ViewFlag.LOSSY: "Images with lossy compression in their history",
    ViewFlag.FOR_PROCESSING: "Raw detector data, not meant for reading",
    ViewFlag.MAY_HAVE_TEXT: "Images whose source does not say that they are free of burnt-in text",
    ViewFlag.OTHER_BODY_PART: "Images whose header names another body part",
    ViewFlag.REJECTED: "Repeats that were set aside at the acquisition",
    ViewFlag.ASSUMED_ENCODING: "Images whose header lacked fields that were guessed",
}


def card_files(plan: ExportPlan, writers: Mapping[ExportFormat, Writer]) -> Iterator[OutputFile]:
    """The files that describe a data set."""

    def made(text: Callable[[], str]) -> Callable[[], Iterable[bytes]]:
        return lambda: [text().encode("utf-8")]

    yield OutputFile(path=CARD_TEXT, content=made(lambda: card_text(plan, writers)))
    yield OutputFile(path=CARD_JSON, content=made(lambda: _json(card_document(plan, writers))))
    yield OutputFile(path=LABEL_SET_JSON, content=made(lambda: _json(label_set_document(plan.label_set))))
    if plan.request.split.kind is not SplitKind.NONE:
        yield OutputFile(path=SPLITS_JSON, content=made(lambda: _json(split_document(plan))))


def card_document(plan: ExportPlan, writers: Mapping[ExportFormat, Writer]) -> dict[str, Any]:
    """The data card for programs."""
    request, views = plan.request, plan.views
    notes = [*plan.notes, *(note for writer in writers.values() for note in writer.notes(plan))]
    return {
        "format": FORMAT_VERSION,
        "made_with": f"Coxa {__version__}",
        "title": plan.title,
        "description": request.description,
        "licence": request.licence or NOT_STATED,
        "state": {"event": plan.head[0], "hash": plan.head[1].hex(), "changed_at": plan.changed_at},
        "holds": {
            "patients": len({case.patient.id for case in plan.cases}),
            "studies": len({case.study.id for case in plan.cases}),
            "cases": len(plan.cases),
            "views": len(views),
            "views_with_pixels": len(plan.pictures),
            "projections": _counted(view.projection.value.value if view.projection.value else "open" for view in views),
            "sides": _counted(case.case.side.value if case.case.side else "open" for case in plan.cases),
            "sexes": _counted(
                sex or "unknown" for sex in {case.patient.id: case.patient.sex for case in plan.cases}.values()
            ),
            "aligned_crops": sum(crop.alignment is not None for case in plan.cases for crop in case.crops),
            "region_crops": sum(crop.region is not None for case in plan.cases for crop in case.crops),
        },
        "chosen": {
            "is_whole_project": plan.is_whole,
            "query": _query(plan),
            "contents": sorted(request.contents),
            "formats": sorted(request.formats),
        },
        "labelled": _labelling(plan),
        "label_set": {"id": plan.label_set.id, "version": plan.label_set.version, "text": plan.label_set.text},
        "class_field": plan.label_field,
        "split": _split(plan),
        "left_out": {reason.value: len(names) for reason, names in plan.left_out.items()},
        "limits": limits(plan),
        "notes": list(dict.fromkeys(notes)),
        "files": {wanted.value: writer.guide() for wanted, writer in writers.items()},
    }


def split_document(plan: ExportPlan) -> dict[str, Any]:
    """The part of every case; enough for others to use the same split."""
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for case in plan.cases:
        parts[case.part.value if case.part else "none"].append(case.case.id)
    return _split(plan) | {"parts": {part: sorted(names) for part, names in parts.items()}}


def limits(plan: ExportPlan) -> list[str]:
    """What must be known before the data are used, counted."""
    views = plan.views
    found = ["Research use only. Not for diagnosis."]
    flags = Counter(flag for view in views for flag in view.flags)
    found += [f"{text}: {flags[flag]}." for flag, text in FLAGS.items() if flags[flag]]
    doubtful = sum(not view.spacing.is_trusted for view in views)
    without = sum(view.spacing.source is SpacingSource.NONE for view in views)
    if doubtful:
        found.append(
            f"Views without a length scale that can be trusted: {doubtful} of {len(views)}; without any: {without}."
        )
    if undecided := sum(bool(case.case.questions) for case in plan.cases):
        found.append(f"Cases with questions that nobody has answered (side, projection): {undecided}.")
    found.append(
        "Pseudonyms, not anonymity: identifiers are made with a secret key of the project, dates are moved by a "
        "constant of each patient, intervals are true. A radiograph itself can be recognised by whoever "
        "holds the original."
    )
    return found


def card_text(plan: ExportPlan, writers: Mapping[ExportFormat, Writer]) -> str:
    """The data card for people."""
    card = card_document(plan, writers)
    holds, labelled, split = card["holds"], card["labelled"], card["split"]
    lines = [f"# {_one_line(plan.title)}", ""]
    if plan.request.description:
        lines += [plan.request.description.strip(), ""]
    lines += [
        "| what | how many |",
        "|---|---|",
        *(f"| {name.replace('_', ' ')} | {_shown(value)} |" for name, value in holds.items()),
        "",
        "## How it was labelled",
        "",
        f"Label set “{_one_line(plan.label_set.text)}” ({plan.label_set.id}), version {plan.label_set.version}; "
        f"`{LABEL_SET_JSON}` holds it. {labelled['readers']} readers, {labelled['cases_with_labels']} cases with "
        f"labels, {labelled['cases_with_two_readers']} of them by two readers or more.",
        "",
        "| field | values given | agree, of cases that two readers answered | values |",
        "|---|---|---|---|",
    ]
    for name, field in labelled["fields"].items():
        agree = f"{field['agreed']} of {field['read_twice']}" if field["read_twice"] else "–"
        lines.append(f"| {name} | {field['given']} | {agree} | {_shown(field['values'])} |")
    lines += ["", "## Parts", ""]
    if split["kind"] == SplitKind.NONE.value:
        lines.append("It is not split.")
    else:
        how = f"from the seed {split['seed']}" if split["kind"] == SplitKind.SEED.value else f"of run {split['run']}"
        lines += [
            f"{how.capitalize()}, whole patients only, by the class `{plan.label_field}`; leaks: {split['leaks']}.",
            "",
            *(f"- {part or 'no part'}: {_shown(counts)}" for part, counts in split["cases"].items()),
        ]
    if plan.left_out:
        lines += ["", "## Left out", ""]
        lines += [f"- {WHY[reason]}: {len(names)}." for reason, names in plan.left_out.items()]
    lines += ["", "## Licence", "", card["licence"], "", "## Limits", "", *(f"- {text}" for text in card["limits"])]
    if card["notes"]:
        lines += ["", "## Notes", "", *(f"- {text}" for text in card["notes"])]
    lines += ["", "## Files", "", *(f"- **{name}**: {text}" for name, text in card["files"].items())]
    state = card["state"]
    lines += [
        "- `SHA256SUMS`: checksums of every file; `sha256sum -c SHA256SUMS` verifies them.",
        "",
        f"State of the project: event {state['event']} of {state['changed_at']} ({state['hash'][:16]}…). "
        f"Written by {card['made_with']}.",
        "",
    ]
    return "\n".join(lines)


def _labelling(plan: ExportPlan) -> dict[str, Any]:
    """How often each field was answered, with what, and how often readers of the same case agree."""
    given: defaultdict[str, Counter[str]] = defaultdict(Counter)
    texts = {field.id for field in plan.label_set.fields if field.type is FieldType.TEXT}
    readers_of: defaultdict[str, set[str]] = defaultdict(set)
    answers: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    imported: Counter[str] = Counter()
    for case in plan.cases:
        for each in case.annotations:
            kind, case_id, reader = split_target(each.target)
            if not each.field.startswith(LABEL) or kind != CASE:
                continue
            name, value = each.field.removeprefix(LABEL), label_text(label_value(each.value))
            if not reader:
                imported[name] += 1
                continue
            readers_of[case_id].add(reader)
            answers[name, case_id].append(value)
            given[name]["(text)" if name in texts else value] += 1
    twice = {key: values for key, values in answers.items() if len(values) > 1}
    return {
        "readers": len(plan.readers),
        "cases_with_labels": len(readers_of),
        "cases_with_two_readers": sum(len(readers) > 1 for readers in readers_of.values()),
        "came_with_the_images": dict(sorted(imported.items())),
        "fields": {
            name: {
                "given": counts.total(),
                "read_twice": sum(field == name for field, _ in twice),
                "agreed": sum(field == name and len(set(values)) == 1 for (field, _), values in twice.items()),
                "values": dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
            }
            for name, counts in sorted(given.items())
        },
    }


def _split(plan: ExportPlan) -> dict[str, Any]:
    split = plan.request.split
    document: dict[str, Any] = {"kind": split.kind.value, "cases": part_counts(plan), "leaks": len(plan.leaks)}
    if split.kind is SplitKind.SEED:
        document |= {"seed": split.seed, "shares": list(split.shares)}
    if split.kind is SplitKind.RUN:
        document["run"] = split.run
    return document


def _query(plan: ExportPlan) -> list[str]:
    """How the cases were chosen; words that were searched for may be about a person."""
    request = plan.request
    if request.case_ids:
        return [f"{len(request.case_ids)} named cases"]
    if not (request.has_free_text and request.has_reader_names) and not request.query.is_everything:
        return ["some cases"]
    return request.query.to_texts()


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_one_line(str(name) or 'none')} {count}" for name, count in value.items()) or "–"
    return str(value)


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
