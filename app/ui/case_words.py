"""What the worklist calls fields and values, in the language of the window."""

from __future__ import annotations

from collections.abc import Container

from app.core.worklist import (
    AI_CONFLICT,
    AI_FINDING,
    AI_NEXT,
    AI_PREFIX,
    AI_SCORE,
    AI_SPLIT,
    AI_UNCERTAINTY,
    FIELD_BY_NAME,
    IMPORT_ORDER,
    LABEL_PREFIX,
    NONE,
    OUTDATED,
    READER_MARK,
    Filter,
    Operator,
    WorklistRow,
    as_number,
)
from app.ui.language import date_figures, number, present_language, say, tr, whole
from app.ui.privacy import private

FIELD_TITLES = {name: field.title for name, field in FIELD_BY_NAME.items()} | {IMPORT_ORDER: "Import order"}
VALUE_WORDS: dict[str, dict[str, str]] = {
    "status": {"new": "New", "annotated": "Annotated", "second-look": "Second look", "reviewed": "Reviewed",
               "excluded": "Excluded"},
    "side": {"left": "Left hip", "right": "Right hip", "open": "Side open"},
    "views": {"pair": "Frontal and lateral", "frontal": "Frontal only", "lateral": "Lateral only",
              "none": "No view in place"},
    "projection": {"frontal": "Frontal", "lateral": "Lateral", "frog-leg": "Frog-leg", "cross-table": "Cross-table",
                   "oblique": "Oblique", "open": "Projection open"},
    "spacing": {"trusted": "Trusted", "doubtful": "Not trusted", "none": "Missing"},
    "notice": {"partial": "Partial image", "fallback-decoder": "Fallback decoder", "not-native": "Not native grey",
               "lossy": "Lossy compression", "for-processing": "For processing", "may-have-text": "May hold text",
               "other-body-part": "Other body part", "rejected": "Rejected at acquisition",
               "assumed-encoding": "Encoding assumed"},
    "text": {"waiting": "To be looked at", "refused": "Must not leave", "masked": "Painted over",
             "clean": "Nothing in it", "free": "None, by its header"},
    "open": {"yes": "With open questions", "no": "Nothing open"},
    "blocked": {"yes": "Blocked", "no": "Not blocked"},
    "disagreement": {"yes": "Readers disagree", "no": "No disagreement"},
    "adjudication": {"waiting": "Waiting for a decision", "settled": "Decided"},
    "comment": {"yes": "With a comment", "no": "Without a comment"},
}  # fmt: skip
AI_VALUES = {"found": "Found", "not-found": "Nothing found", "abstains": "No answer: too near the threshold",
             "outside": "No answer: outside what it knows",
             OUTDATED: "Outdated: another model answers now"}  # fmt: skip
AI_TITLES = {AI_SCORE: "AI score: {what}", AI_UNCERTAINTY: "AI uncertainty: {what}", AI_FINDING: "AI finding: {what}",
             AI_SPLIT: "Models disagree: {what}", AI_CONFLICT: "Label against model: {what}",
             AI_NEXT: "Worth annotating next: {what}"}  # fmt: skip
AI_VIEWS = {"pair": "both views", "frontal": "frontal", "lateral": "lateral"}
PLAIN = ("open", "blocked", "comment", "disagreement", "views", "side")  # their values say what they are values of
SEARCHED = ("status", "side", "projection", "notice")  # what the search index holds of fields with fixed values
YES_NO = frozenset({"yes", "no"})
SIDE_LETTERS = {"left": "L", "right": "R", "": "?"}


def field_title(name: str) -> str:
    """What a field is called. Labels keep the name that their label set or mapping gives them."""
    if name.startswith(LABEL_PREFIX):
        label, _, reader = name.removeprefix(LABEL_PREFIX).replace("_", " ").partition(READER_MARK)
        return f"{label} ({private(reader)})" if reader else label
    for prefix, title in AI_TITLES.items():
        if name.startswith(prefix):
            return tr(title, what=place_words(name.removeprefix(prefix)))
    return tr(FIELD_TITLES.get(name, name))


def place_words(task_id: str) -> str:
    """What the model of a place decides, and from what: `fracture (both views)`."""
    question, _, views = task_id.partition(".")
    if not views:  # a question, whichever model answers it
        return say(question.replace("-", " "))
    return f"{say(question.replace('-', ' '))} ({tr(AI_VIEWS.get(views, views))})"


def score_words(row: WorklistRow, task_id: str) -> str:
    """What a model says about a case, in a few letters: `54 %`, as in the panel; in brackets where it is too near the
    threshold, and no figure where the case is outside what the model knows."""
    values = row.opinions.get(f"{AI_SCORE}{task_id}", ())
    if not values:
        return ""
    said = row.opinions.get(f"{AI_FINDING}{task_id}", ("",))[0]
    percent = f"{number(100 * float(values[0]), 0)} %"
    if said == "outside":
        return tr("outside")
    return f"({percent})" if said == "abstains" else percent


def first_score(row: WorklistRow) -> str:
    """What the first model that has looked at a case says, in a few letters; empty while none has."""
    task_id = next((name.removeprefix(AI_SCORE) for name in row.opinions if name.startswith(AI_SCORE)), "")
    if not task_id:
        return tr("AI outdated") if (OUTDATED,) in row.opinions.values() else ""
    return tr("AI {score}", score=score_words(row, task_id))


def value_words(field: str, value: str) -> str:
    """What a value is called."""
    if value == NONE:
        return tr("Not asked yet") if field.startswith(AI_PREFIX) else tr("None")
    if field == "assigned":
        return private(value)
    if field == "date":
        return date_figures(value)
    if field.startswith(AI_PREFIX):
        return tr(AI_VALUES[value]) if value in AI_VALUES else number(float(value), 2)
    if field.startswith(LABEL_PREFIX) and value in YES_NO:
        return tr(value)
    words = VALUE_WORDS.get(field, {}).get(value)
    return value if words is None else tr(words)


def searched_words() -> dict[str, str]:
    """What people see in the list, in the language of the window -> what the search knows of it, which is English."""
    if present_language() == "en":
        return {}
    shown = {tr(words): value for field in SEARCHED for value, words in VALUE_WORDS[field].items() if value != "open"}
    plain = {"Open questions": "open", "Blocked": "blocked", "left": "left", "right": "right", "yes": "yes", "no": "no"}
    return {tr(words): value for words, value in plain.items()} | shown


def filter_words(condition: Filter) -> str:
    """What a chip says."""
    field, values = field_title(condition.field), [value_words(condition.field, value) for value in condition.values]
    shown = ", ".join(values[:3]) + (f" +{len(values) - 3}" if len(values) > 3 else "")
    match condition.operator:
        case Operator.IS:
            is_plain = condition.field in (
                "open",
                "blocked",
                "comment",
                "disagreement",
                "views",
                "side",
            )  # the value says it all
            return shown if is_plain else tr("{field}: {values}", field=field, values=shown)
        case Operator.IS_NOT:
            return tr("{field}: not {values}", field=field, values=shown)
        case Operator.AT_LEAST:
            return tr("{field} from {values}", field=field, values=shown)
        case Operator.AT_MOST:
            return tr("{field} up to {values}", field=field, values=shown)


def views_words(row: WorklistRow) -> str:
    """Which places are filled: `F L`, `F –`, and how many views have none."""
    places = f"{'F' if row.frontal_id else '–'} {'L' if row.lateral_id else '–'}"
    return f"{places} +{len(row.waiting_ids)}" if row.waiting_ids else places


def label_words(row: WorklistRow, *, without: Container[str] = ()) -> str:
    """The labels of a case in one line: values alone where they speak for themselves, since names would not fit.

    Args:
        row: the case.
        without: fields that are shown elsewhere.
    """
    shown = ((name, values) for name, values in row.labels.items() if values and name not in without)
    return " · ".join(_one_label(name, values) for name, values in shown)


def count_words(shown: int, total: int, *, is_everything: bool) -> str:
    """How many cases are listed.

    Args:
        shown: in the list.
        total: in the project.
        is_everything: whether nothing is filtered out.
    """
    if not is_everything:
        return tr("{shown} of {count}", shown=whole(shown), count=whole(total))
    if not total:
        return tr("none yet")
    return tr("1 hip") if total == 1 else tr("{count} hips", count=whole(total))


def questions_words(count: int) -> str:
    """How many questions are open."""
    return tr("1 question") if count == 1 else tr("{count} questions", count=count)


def row_tip(row: WorklistRow, *, patient: str) -> str:
    """Everything about a case, in lines.

    Args:
        row: the case.
        patient: what to call the patient.
    """
    lines = [f"{patient}, {value_words('side', row.side or 'open')}, {date_figures(row.date) or tr('no date')}"]
    lines.append(f"{value_words('status', row.status)}, {value_words('views', row.views)}")
    if row.blocked_reason:
        lines.append(tr("Blocked: {reason}", reason=say(row.blocked_reason)))
    lines += map(say, row.questions)
    lines += [
        f"{field_title(name)}: {', '.join(value_words(name, value) for value in values)}"
        for name, values in row.labels.items() if values
    ]  # fmt: skip
    for name, values in row.opinions.items():
        if name.startswith(AI_FINDING):
            task_id = name.removeprefix(AI_FINDING)
            said = tr(AI_VALUES[values[0]])
            score = "" if values[0] == "outside" else score_words(row, task_id)
            lines.append(f"{field_title(name)}: {said}, {score}" if score else f"{field_title(name)}: {said}")
    lines += [tr("“{name}”", name=private(comment)) for comment in row.comments]
    return "\n".join(lines)


def _one_label(name: str, values: tuple[str, ...]) -> str:
    is_bare = set(values) <= YES_NO or all(as_number(value) is not None for value in values)
    said = [value_words(name, value) for value in values]
    return f"{field_title(name)} {', '.join(said)}" if is_bare else ", ".join(said)
