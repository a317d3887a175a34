"""What the worklist must answer, worked out the slow and obvious way from the project itself."""

from __future__ import annotations

import unicodedata

from app.core.annotation import label_value
from app.core.label_set import FieldType
from app.core.worklist import FIELD_BY_NAME, IMPORT_ORDER, FieldKind, Operator, Query
from app.store.label_sets import default_label_set
from app.store.project import ProjectStore

YES = {True: "yes", False: "no"}
CHOICES = (FieldType.CHOICE, FieldType.CHOICES)  # a number or a text is a reader's own, and so is what nobody asks for


def facts(project: ProjectStore) -> dict[str, dict[str, list[str]]]:
    """Case -> field -> values, in the order of import."""
    found = {}
    disputable = {f"label.{field.id}" for field in default_label_set().fields if field.type in CHOICES}
    for case in project.cases.all():
        study = project.studies.get(case.study_id)
        views = [view for view in map(project.views.get, case.view_ids) if view is not None]
        date = study.date if study else ""
        known: dict[str, list[str]] = {
            "patient": [case.patient_id],
            "date": [date],
            "year": [date[:4]],
            "side": [case.side.value if case.side else "open"],
            "status": [case.status.value],
            "open": [YES[bool(case.questions)]],
            "questions": [str(len(case.questions))],
            "blocked": [YES[bool(case.blocked_reason)]],
            "views": [{(True, True): "pair", (True, False): "frontal", (False, True): "lateral",
                       (False, False): "none"}[bool(case.frontal_id), bool(case.lateral_id)]],
            "projection": [view.projection.value.value if view.projection.value else "open" for view in views],
            "notice": [flag.value for view in views for flag in view.flags],
            "text": [view.release.value for view in views],
            "assigned": [str(project.events.current(f"case:{case.id}", "assigned") or "")],
        }  # fmt: skip
        scales = []
        for view in views:
            if project.events.current(f"view:{view.id}", "calibration") is not None:
                scales.append("trusted")
            elif view.spacing.row_mm is None:
                scales.append("none")
            else:
                scales.append("trusted" if view.spacing.is_trusted else "doubtful")
        known["spacing"] = (
            ["none"] if not scales or "none" in scales else ["doubtful" if "doubtful" in scales else "trusted"]
        )
        comments, opinions = [], {}
        mine = [f"case:{case.id}", *(f"view:{view.id}" for view in views)]
        rows = project.database.rows("SELECT target, field FROM current")
        for target, field in sorted(rows):
            base, _, reader = target.partition("@")
            if base not in mine:
                continue
            value = project.events.current(target, field)
            if field.startswith("label."):
                held = label_value(value)
                texts = (
                    [YES[held] if isinstance(held, bool) else str(held)] if not isinstance(held, tuple) else list(held)
                )
                known.setdefault(field, []).extend(texts)
                if reader:
                    known[f"{field}@{reader}"] = texts
                    if field in disputable:
                        opinions.setdefault(field, set()).add(tuple(sorted(texts)))
            elif field.startswith("comment"):
                comments.append(value["text"] if isinstance(value, dict) else str(value))
        known["comment"] = [YES[bool(comments)]]
        is_disputed = any(len(said) > 1 for said in opinions.values())
        known["disagreement"] = [YES[is_disputed]]
        known["adjudication"] = ["waiting"] if is_disputed else []  # nobody decides in these tests
        marks = ["blocked" if case.blocked_reason else "", "open" if case.questions else ""]
        labels = [name for name in known if name.startswith("label.") and "@" not in name]
        known["_texts"] = [case.id, *case.questions, case.blocked_reason, *comments, *marks, *labels]
        found[case.id] = {name: [value for value in values if value] for name, values in known.items()}
    return found


def answer(known: dict[str, dict[str, list[str]]], query: Query) -> list[str]:
    """The cases of a query, in its order."""
    listed = [case_id for case_id, values in known.items() if _is_meant(values, query)]
    name = query.sort.field
    if name == IMPORT_ORDER:
        return listed[::-1] if query.sort.is_descending else listed
    with_value = [case_id for case_id in listed if known[case_id].get(name)]
    every = [value for values in known.values() for value in values.get(name, [])]
    pick = max if query.sort.is_descending else min
    keys = {case_id: pick(_key(name, value, every) for value in known[case_id][name]) for case_id in with_value}
    ordered: list[str] = []
    for key in sorted(set(keys.values()), reverse=query.sort.is_descending):
        ordered += [case_id for case_id in with_value if keys[case_id] == key]
    return ordered + [case_id for case_id in listed if case_id not in with_value]


def counts(known: dict[str, dict[str, list[str]]], query: Query, name: str) -> dict[str, int]:
    """How many cases a choice of each value of a field would find."""
    others = Query(query.search, tuple(condition for condition in query.filters if condition.field != name))
    result: dict[str, int] = {}
    for case_id in answer(known, others):
        for value in set(known[case_id].get(name, [])) or {""}:
            result[value] = result.get(value, 0) + 1
    return result


def _key(name: str, value: str, every: list[str]) -> tuple[float, str]:
    field = FIELD_BY_NAME.get(name)
    if field is not None and field.values:
        return float(field.values.index(value)), ""
    if (field is not None and field.kind is FieldKind.NUMBER) or (field is None and all(map(_is_number, every))):
        return float(value), ""
    return 0.0, value.casefold()


def _is_meant(values: dict[str, list[str]], query: Query) -> bool:
    for condition in query.filters:
        held = values.get(condition.field, []) or [""]
        if condition.operator in (Operator.IS, Operator.IS_NOT):
            if any(value in condition.values for value in held) != (condition.operator is Operator.IS):
                return False
        elif not any(_reaches(value, condition.values[0], condition.operator) for value in held):
            return False
    searched = ("patient", "date", "side", "status", "projection", "notice", "assigned", "_texts")
    labels = [name for name in values if name.startswith("label.") and "@" not in name]
    words = _words(
        " ".join(
            text for name in (*searched, *labels) for text in values.get(name, []) if text != "open" or name != "side"
        )
    )
    return all(any(word.startswith(part) for word in words) for part in _words(query.search))


def _reaches(value: str, bound: str, operator: Operator) -> bool:
    if len(value.split("-")) == 3 and bound.isdigit() and len(bound) == 4:  # a day and a year
        year = int(value.split("-")[0])
        return year >= int(bound) if operator is Operator.AT_LEAST else year <= int(bound)
    if not value or _is_number(value) != _is_number(bound):
        return False
    one, other = (float(value), float(bound)) if _is_number(value) else (value, bound)
    return one >= other if operator is Operator.AT_LEAST else one <= other  # type: ignore[operator]


def _is_number(text: str) -> bool:
    try:
        return text.strip("+-.0123456789e") == "" and abs(float(text)) < float("inf")
    except ValueError:
        return False


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(mark for mark in plain if unicodedata.category(mark) != "Mn")
    return "".join(mark if unicodedata.category(mark)[0] in "LN" else " " for mark in plain).split()
