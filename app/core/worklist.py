"""The worklist's questions and rows: what can be asked of thousands of cases, and what is said about each.

Only the standard library: the window needs these types before its first paint.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import field, replace
from enum import StrEnum

from app.core.record import record

LABEL_PREFIX = "label."
AI_PREFIX = "ai."  # what models say
AI_SCORE, AI_UNCERTAINTY, AI_FINDING = "ai.score.", "ai.uncertainty.", "ai.finding."  # + place of the model
OUTDATED = "outdated"  # an AI finding: another model answers in the place of the one that looked at the case
AI_SPLIT, AI_CONFLICT, AI_NEXT = "ai.split.", "ai.conflict.", "ai.next."  # + question: orders of review
REVIEW_PREFIXES = (AI_SPLIT, AI_CONFLICT, AI_NEXT)
READER_MARK = "@"  # between a label and who gave it
MAX_WORDS = 24  # of one search; later words are left out
MAX_WORD_LENGTH = 64
NONE = ""  # the value of a case that has none for a field


class FieldKind(StrEnum):
    """How values of a field are compared and offered."""

    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


@record(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that the worklist can be filtered or sorted by.

    Args:
        name: `status`, `label.garden` …
        kind: how its values are compared.
        title: what it is called, in English.
        values: every value in the order of meaning, where the values are fixed; sorting follows it.
        is_sortable: whether sorting by it makes sense.
        is_filter: whether it is offered as a filter.
    """

    name: str
    kind: FieldKind
    title: str
    values: tuple[str, ...] = ()
    is_sortable: bool = True
    is_filter: bool = True

    @property
    def is_reading(self) -> bool:
        """Whether it is what one reader said."""
        return READER_MARK in self.name


YES_NO = ("yes", "no")
FIELDS: tuple[Field, ...] = (
    Field(name="status", kind=FieldKind.CHOICE, title="Status",
          values=("new", "annotated", "second-look", "reviewed", "excluded")),
    Field(name="open", kind=FieldKind.CHOICE, title="Open questions", values=YES_NO, is_sortable=False),
    Field(name="blocked", kind=FieldKind.CHOICE, title="Blocked", values=YES_NO),
    Field(name="side", kind=FieldKind.CHOICE, title="Side", values=("left", "right", "open")),
    Field(name="views", kind=FieldKind.CHOICE, title="Views", values=("pair", "frontal", "lateral", "none")),
    Field(name="projection", kind=FieldKind.CHOICE, title="Projection", is_sortable=False,
          values=("frontal", "lateral", "frog-leg", "cross-table", "oblique", "open")),
    Field(name="spacing", kind=FieldKind.CHOICE, title="Length scale", values=("trusted", "doubtful", "none")),
    Field(name="notice", kind=FieldKind.CHOICE, title="Image notice", is_sortable=False),
    Field(name="text", kind=FieldKind.CHOICE, title="Burnt-in text",
          values=("waiting", "refused", "masked", "clean", "free")),
    Field(name="disagreement", kind=FieldKind.CHOICE, title="Readers disagree", values=YES_NO),
    Field(name="adjudication", kind=FieldKind.CHOICE, title="Adjudication", values=("waiting", "settled")),
    Field(name="assigned", kind=FieldKind.CHOICE, title="Assigned to"),
    Field(name="comment", kind=FieldKind.CHOICE, title="Comment", values=YES_NO, is_sortable=False),
    Field(name="year", kind=FieldKind.CHOICE, title="Year", is_sortable=False),
    Field(name="patient", kind=FieldKind.TEXT, title="Patient", is_filter=False),
    Field(name="date", kind=FieldKind.DATE, title="Study date", is_filter=False),
    Field(name="questions", kind=FieldKind.NUMBER, title="Number of questions", is_filter=False),
    Field(name="changed", kind=FieldKind.DATE, title="Last change", is_filter=False),
)  # fmt: skip
FIELD_BY_NAME = {known.name: known for known in FIELDS}
IMPORT_ORDER = "position"  # how an unsorted list stands


@record(frozen=True, slots=True, kw_only=True)
class WorklistRow:
    """What the worklist knows of one case. Texts are the project's own words, never a display text.

    Args:
        case_id: the case.
        position: its place in the order in which cases were first made.
        study_id: the study.
        patient_id: the patient's pseudonym.
        date: study date, YYYY-MM-DD, or empty.
        side: `left`, `right`, or empty while a person has to say.
        frontal_id: the frontal view; empty = none.
        lateral_id: the lateral view; empty = none.
        frontal_sha256: address of the frontal image.
        lateral_sha256: address of the lateral image.
        waiting_ids: views that a person has to place.
        waiting_sha256: addresses of their images.
        projections: projections of all its views, `open` for one that is not known.
        notices: flags of its images.
        texts: whether its images may leave, by what is known of text in them: values of `ReleaseState`.
        spacing: `trusted` (every placed view), `doubtful`, or `none` (a view without a length scale).
        status: review status.
        blocked_reason: why the case must not be read.
        questions: what a person has to decide.
        labels: field (`label.garden`) -> values, of all readers together.
        readings: field and reader (`label.garden@Anna`) -> values.
        adjudication: `waiting` while readers disagree and nobody has decided, `settled` once somebody has; else empty.
        assigned: who is to look at it.
        comments: what people wrote about it.
        changed_at: time of the newest event of the case, ISO 8601.
        opinions: field (`ai.score.fracture.pair`) -> values: what models say; never kept with the rest.
    """

    case_id: str
    position: int
    study_id: str
    patient_id: str
    date: str = ""
    side: str = ""
    frontal_id: str = ""
    lateral_id: str = ""
    frontal_sha256: str = ""
    lateral_sha256: str = ""
    waiting_ids: tuple[str, ...] = ()
    waiting_sha256: tuple[str, ...] = ()
    projections: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    spacing: str = "none"
    status: str = "new"
    blocked_reason: str = ""
    questions: tuple[str, ...] = ()
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    readings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    adjudication: str = ""
    assigned: str = ""
    comments: tuple[str, ...] = ()
    changed_at: str = ""
    opinions: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def views(self) -> str:
        """Which places of the case are filled: `pair`, `frontal`, `lateral` or `none`."""
        if self.frontal_id:
            return "pair" if self.lateral_id else "frontal"
        return "lateral" if self.lateral_id else "none"

    @property
    def is_disputed(self) -> bool:
        """Whether two readers say different things about it."""
        return bool(self.adjudication)

    def values(self, name: str) -> tuple[str, ...]:
        """The values of one field; none when it has none."""
        if name.startswith(LABEL_PREFIX):
            return self.labels.get(name) or self.readings.get(name, ())
        if name.startswith(AI_PREFIX):
            return self.opinions.get(name, ())
        read = _VALUES.get(name)
        return () if read is None else tuple(value for value in read(self) if value != NONE)


def fixed_values(row: WorklistRow) -> list[tuple[str, ...]]:
    """The values of the fields in `FIELDS`, in their order; an empty text is no value."""
    return [_VALUES[name](row) for name in FIELD_BY_NAME]


def _yes(value: object) -> tuple[str, ...]:
    return ("yes",) if value else ("no",)


_VALUES: dict[str, Callable[[WorklistRow], tuple[str, ...]]] = {
    "status": lambda row: (row.status,),
    "open": lambda row: _yes(row.questions),
    "blocked": lambda row: _yes(row.blocked_reason),
    "side": lambda row: (row.side or "open",),
    "views": lambda row: (row.views,),
    "projection": lambda row: row.projections,
    "spacing": lambda row: (row.spacing,),
    "notice": lambda row: row.notices,
    "text": lambda row: row.texts,
    "disagreement": lambda row: _yes(row.is_disputed),
    "adjudication": lambda row: (row.adjudication,),
    "assigned": lambda row: (row.assigned,),
    "comment": lambda row: _yes(row.comments),
    "year": lambda row: (row.date[:4],),
    "patient": lambda row: (row.patient_id,),
    "date": lambda row: (row.date,),
    "questions": lambda row: (str(len(row.questions)),),
    "changed": lambda row: (row.changed_at,),
}


class Operator(StrEnum):
    """How a filter compares."""

    IS = "="
    IS_NOT = "!="
    AT_LEAST = ">="
    AT_MOST = "<="


@record(frozen=True, slots=True)
class Filter:
    """One condition on one field.

    Args:
        field: name of the field.
        values: one of these (IS), none of these (IS_NOT); the empty text stands for "has no value". One bound
            otherwise; a year or a month (`2026`, `2026-10`) bounds dates with all of its days.
        operator: how it compares.
    """

    field: str
    values: tuple[str, ...]
    operator: Operator = Operator.IS

    def accepts(self, value: str) -> bool:
        """Whether a case with this value is meant, before `IS_NOT` turns it round."""
        if self.operator in (Operator.IS, Operator.IS_NOT):
            return value in self.values
        if value == NONE:
            return False
        bound, number, limit = self.values[0], as_number(value), as_number(self.values[0])
        if _DAY.match(value) and _DATE.fullmatch(bound):
            value, number, limit = value[: len(bound)], None, None  # up to a year is up to its last day
        if number is not None and limit is not None:
            return number >= limit if self.operator is Operator.AT_LEAST else number <= limit
        if number is not None or limit is not None:
            return False
        return value >= bound if self.operator is Operator.AT_LEAST else value <= bound

    def __str__(self) -> str:
        """The text form, `status=new,annotated`; `parse_filter` reads it."""
        return f"{self.field}{self.operator.value}{','.join(map(_escape, self.values))}"


@record(frozen=True, slots=True)
class Sort:
    """An order.

    Args:
        field: name of the field.
        is_descending: largest first. Cases without a value come last either way, equal ones in the order of import.
    """

    field: str = IMPORT_ORDER
    is_descending: bool = False

    def __str__(self) -> str:
        """The text form: `date`, or `-date` for the largest first."""
        return f"{'-' if self.is_descending else ''}{self.field}"


@record(frozen=True, slots=True)
class Query:
    """Which cases, in which order.

    Args:
        search: words; each must be the beginning of a word of the case.
        filters: conditions that all hold.
        sort: the order.
    """

    search: str = ""
    filters: tuple[Filter, ...] = ()
    sort: Sort = Sort()

    @property
    def is_everything(self) -> bool:
        """Whether no case is left out."""
        return not self.filters and not search_words(self.search)

    def with_filter(self, new: Filter) -> Query:
        """The same with one more condition, which replaces one on the same field and of the same kind."""
        kept = tuple(old for old in self.filters if (old.field, old.operator) != (new.field, new.operator))
        return replace(self, filters=(*kept, new))

    def without_filter(self, gone: Filter) -> Query:
        """The same without this condition."""
        return replace(self, filters=tuple(old for old in self.filters if old != gone))

    def to_texts(self) -> list[str]:
        """A form that can be kept: `search:…`, `sort:…` and one filter a text; `read_query` reads it."""
        search = [f"search:{self.search}"] if self.search else []
        sort = [f"sort:{self.sort}"] if self.sort != Sort() else []
        return [*search, *map(str, self.filters), *sort]


EVERYTHING = Query()


def read_query(texts: Iterable[str]) -> Query:
    """A query from its kept form.

    Raises:
        ValueError: a text is not of this form.
    """
    query = Query()
    for text in texts:
        if text.startswith("search:"):
            query = replace(query, search=text.removeprefix("search:"))
        elif text.startswith("sort:"):
            query = replace(query, sort=parse_sort(text.removeprefix("sort:")))
        else:
            query = replace(query, filters=(*query.filters, parse_filter(text)))
    return query


_FILTER = re.compile(r"([^=!<>]+)(!=|>=|<=|=)(.*)", re.DOTALL)


def parse_filter(text: str) -> Filter:
    r"""A filter from `FIELD=VALUE[,VALUE…]`, `FIELD!=…`, `FIELD>=BOUND` or `FIELD<=BOUND`.

    A comma or a backslash in a value is written `\,` and `\\`; an empty value means "has none".

    Raises:
        ValueError: it is not of this form.
    """
    found = _FILTER.fullmatch(text)
    if found is None or not found[1].strip():
        raise ValueError(f"{text[:80]!r} is not of the form FIELD=VALUE")
    operator = Operator(found[2])
    name, values = found[1].strip(), _split(found[3])
    if operator in (Operator.AT_LEAST, Operator.AT_MOST):
        if len(values) != 1 or not values[0]:
            raise ValueError(f"{text[:80]!r} needs one bound")
        kind = FIELD_BY_NAME[name].kind if name in FIELD_BY_NAME else FieldKind.TEXT
        if not is_bound(kind, values[0]):
            raise ValueError(f"{text[:80]!r} needs a {kind.value}, for example {_BOUNDS[kind]}")
    return Filter(name, tuple(dict.fromkeys(values)), operator)


def parse_sort(text: str) -> Sort:
    """An order from `FIELD` or `-FIELD`.

    Raises:
        ValueError: no field is named.
    """
    name = text.strip().removeprefix("-").strip()
    if not name:
        raise ValueError("no field to sort by is named")
    return Sort(name, text.strip().startswith("-"))


def is_bound(kind: FieldKind, text: str) -> bool:
    """Whether a text can be an end of a range: of dates a year, a month, a day, or one with a time of day."""
    if kind is FieldKind.DATE:
        return _DATE.fullmatch(re.split("[T ]", text, maxsplit=1)[0]) is not None
    return kind is not FieldKind.NUMBER or as_number(text) is not None


_BOUNDS = {FieldKind.DATE: "2026, 2026-10 or 2026-10-03", FieldKind.NUMBER: "0.5"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


def as_number(value: str) -> float | None:
    """The finite number that a text stands for, or None. `nan`, `inf`, `1_000` and padded texts are no numbers."""
    if not _NUMBER.fullmatch(value):
        return None
    return float(value) if abs(float(value)) != float("inf") else None


_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def search_words(text: str) -> tuple[str, ...]:
    """The words of a text as they are searched: letters and digits, without case and accents, each once.

    The same function reads what is searched for and what is searched in, so that nothing that somebody types can mean
    anything else than words.
    """
    return tuple(dict.fromkeys(_words(text)))[:MAX_WORDS]


def indexed_words(texts: Iterable[str]) -> str:
    """The words of a case, as the index keeps them: joined by one space, each once."""
    return " ".join(dict.fromkeys(_words(" ".join(texts))))


def row_texts(row: WorklistRow) -> Iterable[str]:
    """Everything about a case that a search looks at."""
    yield from (row.patient_id, row.case_id, row.date, row.side, row.status, *row.projections, *row.notices)
    if row.blocked_reason:
        yield from ("blocked", row.blocked_reason)
    if row.questions:
        yield from ("open", *row.questions)
    for name, values in row.labels.items():
        yield from (name.removeprefix(LABEL_PREFIX), *values)
    yield from (row.assigned, *row.comments)


def _words(text: str) -> list[str]:
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        text = "".join(" " if _breaks(mark) else mark for mark in plain if unicodedata.category(mark) != "Mn")
        return [word[:MAX_WORD_LENGTH] for word in text.split(" ") if word]
    return [word[:MAX_WORD_LENGTH] for word in _ASCII_WORD.findall(text.lower())]


_ASCII_WORD = re.compile(r"[a-z0-9]+")


def _breaks(mark: str) -> bool:
    return unicodedata.category(mark)[0] not in "LN"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")


def _split(text: str) -> list[str]:
    """Values between commas that are not escaped."""
    values, escaped = [""], False
    for mark in text:
        if escaped or mark not in "\\,":
            values[-1] += mark
            escaped = False
        elif mark == "\\":
            escaped = True
        else:
            values.append("")
    return values
