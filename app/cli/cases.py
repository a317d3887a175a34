"""`coxa cases`: list cases, show one, and answer the questions that the import left open."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli.case_filters import add_filter_arguments, cases_of, facet_document, facet_lines, query_of
from app.cli.describe import case_document, case_lines, view_document
from app.cli.exit_codes import DONE
from app.cli.output import add_json_argument, add_project_argument, print_json, printable
from app.cli.user import user_name
from app.core.case import Case, Projection, Side, View
from app.core.errors import UserError

EPILOG = """\
examples:
  coxa cases --project ~/hips                          every case
  coxa cases --open-only --project ~/hips              those with open questions
  coxa cases --search "neck left" --status new --project ~/hips
  coxa cases --filter label.garden=3,4 --filter "date>=2024-01-01" --sort=-date --project ~/hips
  coxa cases --fields --project ~/hips                 what can be filtered by, with counts
  coxa cases show C-7K3Q9-XWD2M --project ~/hips       one case with all its evidence and history
  coxa cases resolve V-4F2AH-9QK1D --projection frog-leg --side left --project ~/hips
  coxa cases exclude V-4F2AH-9QK1D --reason repeat --project ~/hips
  coxa cases include V-4F2AH-9QK1D --project ~/hips
  coxa cases release STUDY --reason "checked against the request form" --project ~/hips
  coxa cases block STUDY --reason "two different people" --project ~/hips
  coxa cases undo 1234 --project ~/hips                take a decision back; `show` numbers them

Every decision is recorded with who and when; so is taking one back."""

ACTIONS = ("list", "show", "resolve", "exclude", "include", "release", "block", "undo")


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa cases`."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="what to do (default: list)")
    parser.add_argument(
        "target",
        nargs="?",
        metavar="ID",
        help="case (show), view (resolve …), study (release, block) or number of a decision (undo)",
    )
    add_project_argument(parser)
    parser.add_argument(
        "--projection",
        choices=[value.value for value in Projection],
        help="what the view shows; in a list: only cases with one",
    )
    parser.add_argument(
        "--side", choices=[value.value for value in Side], help="which hip; both for a pelvis (resolve)"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why (exclude, release, block)")
    parser.add_argument("--open-only", action="store_true", help="only cases with open questions or a block")
    parser.add_argument("--author", default="", metavar="NAME", help="who decides (default: your user name)")
    add_filter_arguments(parser)
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """List, show, or record a decision."""
    if args.action != "list" and not args.target:
        raise UserError(f"`coxa cases {args.action}` needs an identifier.", remedy="See the examples.", kind="usage")
    if args.action == "list" and args.target:
        raise UserError(
            "`coxa cases list` takes no identifier.",
            remedy="`coxa cases show ID` shows one case; --search finds cases.",
            kind="usage",
        )
    if args.action in ("list", "show"):
        return _look(args)
    return _decide(args)


def _look(args: argparse.Namespace) -> int:
    from app.store.project import ProjectStore

    with ProjectStore.open(args.project, is_read_only=True) as project:
        if args.action == "show":
            _show(project, args)
            return DONE
        query = query_of(args)
        if args.fields:
            facets = project.worklist.facets(query)
            print_json(facet_document(facets)) if args.json else print("\n".join(facet_lines(facets)))
            return DONE
        cases = cases_of(project, query, limit=None if args.open_only else args.limit)
        if args.open_only:
            cases = [case for case in cases if case.questions or case.blocked_reason][: args.limit]
        is_narrowed = args.open_only or args.limit is not None or not query.is_everything
        known = {view.id: view for view in project.views.all()} if not is_narrowed else _views_of(project, cases)
    pairs = [(case, [known[identifier] for identifier in case.view_ids if identifier in known]) for case in cases]
    excluded = [view for view in known.values() if view.excluded_reason]
    if args.json:
        print_json(
            {
                "cases": [case_document(case, views) for case, views in pairs],
                "excluded": [view_document(view) for view in excluded],
            }
        )
        return DONE
    for case, views in pairs:
        for line in case_lines(case, views):
            print(line)
    for view in excluded:
        print(f"excluded {view.id}: {printable(view.excluded_reason)}")
    still_open = sum(bool(case.questions) for case, _ in pairs)
    print(f"{len(pairs)} cases, {still_open} with open questions.")
    return DONE


def _show(project: Any, args: argparse.Namespace) -> None:
    from app.core.event import target_of

    case = project.cases.get(args.target)
    if case is None:
        raise UserError(
            "There is no such case in this project.",
            remedy="`coxa cases --project DIR` lists them.",
            kind="no-case",
        )
    views = _views(project, case)
    targets = [target_of("case", case.id), target_of("study", case.study_id)]
    targets += [target_of("view", view.id) for view in views]
    excluded = [view for view in project.views.of_study(case.study_id) if view.excluded_reason]
    told = [*targets, *(target_of("view", view.id) for view in excluded)]
    events = sorted((event for target in told for event in project.events.of(target)), key=lambda event: event.id)
    history = [
        {
            "number": event.id,
            "at": event.at,
            "author": event.author,
            "target": event.target,
            "field": event.field,
            "before": event.before,
            "after": event.after,
            "text": event.text,
        }
        for event in events
    ]
    labels = {
        field.removeprefix("label."): value
        for target in targets
        for field, value in project.events.current_of(target).items()
        if field.startswith("label.")
    }
    if args.json:
        excluded_documents = [view_document(view) for view in excluded]
        print_json({**case_document(case, views), "excluded": excluded_documents, "labels": labels, "history": history})
        return
    for line in case_lines(case, views):
        print(line)
    for view in excluded:
        print(f"  excluded {view.id}: {printable(view.excluded_reason)}")
    for name, value in sorted(labels.items()):
        print(f"  label {name}: {value}")
    print("History:")
    for event in events:
        when = event.at[:19].replace("T", " ")
        print(f"  {event.id:>5}  {when}  {printable(event.author) or '-'}  {_event_text(event)}")


def _event_text(event: Any) -> str:
    kind, _, identifier = event.target.partition(":")
    thing = f"{kind} {identifier}" if kind == "view" else kind
    what = f"{thing} {event.field}"
    after = event.after
    if event.field == "created":
        return f"{thing} brought in"
    if after is None and event.field != "composition":
        after = "taken back"
    elif isinstance(after, dict) and "certainty" in after:
        after = after.get("value")
    elif event.field == "composition":
        after = "composed anew" if after is not None else "dissolved"
    text = f" ({event.text})" if event.text else ""
    return printable(f"{what}: {after}{text}")


def _decide(args: argparse.Namespace) -> int:
    from app.store.project import ProjectStore
    from app.store.resolve import (
        block_study,
        exclude_view,
        include_view,
        release_study,
        resolve_view,
        undo_decision,
    )

    author = args.author or user_name()
    with ProjectStore.open(args.project) as project:
        cases: list[Case]
        if args.action == "resolve":
            cases = resolve_view(
                project,
                args.target,
                projection=Projection(args.projection) if args.projection else None,
                side=Side(args.side) if args.side else None,
                author=author,
                text=args.reason,
            )
        elif args.action == "exclude":
            cases = exclude_view(project, args.target, reason=args.reason, author=author)
        elif args.action == "include":
            cases = include_view(project, args.target, author=author)
        elif args.action == "release":
            cases = release_study(project, args.target, reason=args.reason, author=author)
        elif args.action == "block":
            cases = block_study(project, args.target, reason=args.reason, author=author)
        else:
            cases = undo_decision(project, [_number(args.target)], author=author)
        pairs = [(case, _views(project, case)) for case in cases]
    if args.json:
        print_json({"cases": [case_document(case, views) for case, views in pairs]})
    else:
        for case, views in pairs:
            for line in case_lines(case, views):
                print(line)
    return DONE


def _number(text: str) -> int:
    if not text.isdigit():
        raise UserError(
            f"{printable(text)} is not the number of a decision.",
            remedy="`coxa cases show CASE --project DIR` numbers them.",
            kind="usage",
        )
    return int(text)


def _views_of(project: Any, cases: list[Case]) -> dict[str, View]:
    return {view.id: view for case in cases for view in _views(project, case)}


def _views(project: Any, case: Case) -> list[View]:
    found = (project.views.get(identifier) for identifier in case.view_ids)
    return [view for view in found if view is not None]
