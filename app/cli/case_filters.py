"""Which cases `coxa cases` lists and in which order: the same questions as in the window's worklist."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.cli.arguments import whole_count
from app.core.errors import UserError
from app.core.worklist import IMPORT_ORDER, LABEL_PREFIX, Filter, Operator, Query, Sort, parse_filter, parse_sort

if TYPE_CHECKING:
    from app.core.case import Case
    from app.store.project import ProjectStore
    from app.store.worklist.worklist import Facet

STATUSES = ("new", "annotated", "second-look", "reviewed", "excluded")


def add_filter_arguments(parser: argparse.ArgumentParser, *, is_list: bool = True) -> None:
    """Add what chooses the cases of a list.

    Args:
        parser: where to.
        is_list: whether they are listed, so that order, number and the fields themselves can be asked for.
    """
    group = parser.add_argument_group("which cases are listed, and in which order" if is_list else "which cases")
    group.add_argument("--search", default="", metavar="WORDS", help="each word begins a word of the case: pseudonym, "
                       "date, side, status, projection, label, question, comment")  # fmt: skip
    group.add_argument("--status", action="append", choices=STATUSES, help="review status (may be repeated)")
    group.add_argument("--filter", action="append", default=[], metavar="FIELD=VALUE", dest="filters",
                       help="FIELD=A,B one of these; FIELD!=A none of these; FIELD= without a value; FIELD>=X and "
                       "FIELD<=X for numbers and dates (may be repeated; all must hold)")  # fmt: skip
    if not is_list:
        return
    group.add_argument("--sort", default="", metavar="FIELD",
                       help="order (default: of import); --sort=-FIELD puts the largest or latest first")  # fmt: skip
    group.add_argument("--limit", type=whole_count, metavar="N", help="only the first N of them")
    group.add_argument("--fields", action="store_true", help="list the fields and how many cases have which value")


def query_of(args: argparse.Namespace) -> Query:
    """What the arguments ask for.

    Raises:
        UserError: `usage`: a filter or an order cannot be read.
    """
    try:
        filters = [parse_filter(text) for text in args.filters]
        sort = parse_sort(args.sort) if getattr(args, "sort", "") else Sort()
    except ValueError as error:
        raise UserError(
            "The filter cannot be read." if args.filters else "The order cannot be read.",
            reason=f"{error}.",
            remedy="Write for example --filter status=new,annotated or --sort=-date.",
            kind="usage",
        ) from None
    if args.status:
        filters.append(Filter("status", tuple(dict.fromkeys(args.status))))
    for name in ("side", "projection"):
        if value := getattr(args, name, None):
            filters.append(Filter(name, (value,)))
    return Query(args.search, tuple(filters), sort)


def cases_of(project: ProjectStore, query: Query, *, limit: int | None = None) -> list[Case]:
    """The cases of a query in its order.

    Raises:
        UserError: `usage`: a field or a value that this project does not have.
    """
    if query == Query():
        return project.cases.all()[:limit]
    refuse_unknown(project, query)
    worklist = project.worklist
    names = worklist.case_ids(worklist.numbers(query)[:limit])
    if len(names) > 1000:  # one query instead of very many
        known = {case.id: case for case in project.cases.all()}
        return [known[name] for name in names if name in known]
    return [case for case in map(project.cases.get, names) if case is not None]


def facet_lines(facets: Sequence[Facet]) -> list[str]:
    """Fields and their values with counts, for people."""
    lines = []
    for facet in facets:
        lines.append(facet.field.name)
        lines += [f"  {count:>7}  {value or '(none)'}" for value, count in facet.counts.items()]
        if facet.is_cut:
            lines.append("           … and more")
    return lines


def facet_document(facets: Sequence[Facet]) -> dict[str, dict[str, int]]:
    """The same for programs."""
    return {facet.field.name: facet.counts for facet in facets}


def refuse_unknown(project: ProjectStore, query: Query) -> None:
    """Refuse a query with a field or a value that this project does not have.

    Raises:
        UserError: `usage`.
    """
    from app.store.annotations import Annotations
    from app.store.worklist.worklist import unknown_fields

    fields = project.worklist.fields()
    asked = {f"{LABEL_PREFIX}{field.id}": field for field in Annotations(project).label_set.fields}
    if unknown := [name for name in unknown_fields(query, fields) if name not in asked]:  # not answered yet: no case
        raise UserError(
            f"There is no field {unknown[0][:80]} in this project.",
            reason=f"Its fields are {', '.join(field.name for field in fields)}, and {IMPORT_ORDER} for sorting.",
            remedy="`coxa cases --fields --project DIR` lists them with their values.",
            kind="usage",
        )
    fixed = {field.name: field.values for field in fields if field.values}
    for condition in query.filters:
        if condition.operator not in (Operator.IS, Operator.IS_NOT):
            continue
        known: Sequence[str] = fixed.get(condition.field, ())
        question = asked.get(condition.field)
        if question is not None and question.choices and condition.operator is Operator.IS:
            recorded = [facet for facet in project.worklist.facets() if facet.field.name == condition.field]
            known = [choice.id for choice in question.choices]
            known += [value for facet in recorded for value in facet.counts if value and value not in known]
        for value in condition.values:
            if known and value and value not in known:
                raise UserError(
                    f"The field {condition.field} has no value {value[:80]}.",
                    reason=f"Its values are {', '.join(known)}.",
                    kind="usage",
                )
