"""`coxa annotations`: list and record what people say about cases, its history, and whether it is still intact."""

from __future__ import annotations

import argparse
import contextlib
import re
from pathlib import Path
from typing import Any

from app.cli.arguments import whole_number
from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.output import add_json_argument, add_project_argument, print_json, printable
from app.cli.user import user_name
from app.core.annotation import (
    ALIGNMENT,
    CROP_VERDICT,
    LABEL,
    STATUS,
    Annotation,
    CropVerdict,
    alignment_of,
    checked_reader,
    document_of,
    label_value,
    reader_target,
    split_target,
)
from app.core.case import ReviewStatus
from app.core.errors import UserError
from app.core.event import Event, canonical_json
from app.core.geometry import alignment_from_clicks
from app.core.label_set import LabelSet, value_from_text, value_text

EPILOG = """\
examples:
  coxa annotations --project ~/hips                                what everybody says now
  coxa annotations list C-7K3Q9-XWD2M --project ~/hips             … about one case
  coxa annotations set C-7K3Q9-XWD2M garden=3 confidence=90 --project ~/hips
  coxa annotations set C-7K3Q9-XWD2M garden= --project ~/hips      take an answer away
  coxa annotations set C-7K3Q9-XWD2M --status reviewed --project ~/hips
  coxa annotations set C-7K3Q9-XWD2M --align V-4F2AH-9QK1D:812.5,640,830,1200 --project ~/hips
  coxa annotations set C-7K3Q9-XWD2M --approve V-4F2AH-9QK1D --project ~/hips
  coxa annotations undo C-7K3Q9-XWD2M --project ~/hips             (redo, in the same way)
  coxa annotations history C-7K3Q9-XWD2M --project ~/hips
  coxa annotations back C-7K3Q9-XWD2M --event 118 --project ~/hips
  coxa annotations verify --project ~/hips                         is every annotation still what was recorded?
  coxa annotations label-set --project ~/hips                      what is asked, with its keys
  coxa annotations label-set --adopt my-set.toml --dry-run --project ~/hips

Clicks are image coordinates: x right, y down, pixels, origin at the corner of the first pixel.
Every reader has values of their own (--author); none is ever overwritten by another's."""

ACTIONS = ("list", "set", "undo", "redo", "history", "back", "verify", "label-set")
NEED_CASE = ("set", "undo", "redo", "history", "back")


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa annotations`."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="what to do (default: list)")
    parser.add_argument("case", nargs="?", metavar="CASE", help="the case")
    parser.add_argument(
        "labels",
        nargs="*",
        metavar="LABEL=VALUE",
        help="answers to record, right after the case; nothing after the = takes one away",
    )
    add_project_argument(parser)
    parser.add_argument("--author", default="", metavar="NAME", help="who annotates (default: your user name)")
    parser.add_argument("--status", choices=[value.value for value in ReviewStatus], help="review status to record")
    parser.add_argument(
        "--align", action="append", default=[], metavar="VIEW:X,Y,X,Y", help="fracture centre, point on the shaft axis"
    )
    parser.add_argument("--approve", action="append", default=[], metavar="VIEW", help="approve the view's crop")
    parser.add_argument("--reject", action="append", default=[], metavar="VIEW", help="reject the view's crop")
    parser.add_argument(
        "--event", type=whole_number, metavar="N", help="the last event that shall hold (back); 0 = none"
    )
    parser.add_argument("--adopt", type=Path, metavar="TOML", help="give the project this label set (label-set)")
    parser.add_argument("--dry-run", action="store_true", help="with --adopt: say what would change, change nothing")
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """List, record, take back, or verify."""
    if args.action in NEED_CASE and not args.case:
        raise UserError(f"`coxa annotations {args.action}` needs a case.", remedy="See the examples.", kind="usage")
    if args.action == "back" and args.event is None:
        raise UserError("`coxa annotations back` needs --event.", remedy="`history` lists them.", kind="usage")
    if args.dry_run and not (args.action == "label-set" and args.adopt):
        raise UserError(
            f"`coxa annotations {args.action}` has no dry run.",
            reason="Nothing was recorded.",
            remedy="--dry-run goes with `label-set --adopt`; what is recorded can be taken back with `undo`.",
            kind="usage",
        )
    words = args.labels if args.action in NEED_CASE else [word for word in (args.case, *args.labels) if word]
    if words and args.action not in ("set", "list"):
        raise UserError(f"`coxa annotations {args.action}` takes no “{printable(words[0])[:80]}”.",
                        remedy="See the examples.", kind="usage")  # fmt: skip
    actions = {"list": _list, "set": _set, "undo": _undo, "redo": _undo, "history": _history, "back": _back,
               "verify": _verify, "label-set": _label_set}  # fmt: skip
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from app.store.annotations import Annotations
    from app.store.label_sets import flagged_labels
    from app.store.project import ProjectStore

    with ProjectStore.open(args.project, is_read_only=True) as project:
        annotations = Annotations(project)
        label_set = annotations.label_set
        if args.case and project.cases.get(args.case) is None:
            raise UserError("There is no such case in this project.", kind="no-case")
        found = list(annotations.all([args.case] if args.case else None))
        flagged = flagged_labels(project)
    if args.json:
        print_json({
            "label_set": {"id": label_set.id, "version": label_set.version},
            "annotations": [_document(annotation) for annotation in found],
            "flagged": flagged,
        })  # fmt: skip
        return DONE
    last = ""
    for annotation in found:
        if annotation.target != last:
            last = annotation.target
            kind, identifier, reader = split_target(last)
            who = printable(reader) if reader else "for all readers" if kind == "case" else "the image"
            print(f"{identifier}  {who}")
        print(f"  {_in_words(annotation, label_set)}")
    for target, reasons in flagged.items():
        for name, reason in reasons.items():
            print(f"note: {printable(target)} {name}: {reason}")
    print(f"{len(found)} annotations; label set “{label_set.text}” version {label_set.version}.")
    return DONE


def _set(args: argparse.Namespace) -> int:
    from app.core.label_values import changes_for
    from app.store.annotations import Annotations
    from app.store.crops import crop_key
    from app.store.project import ProjectStore

    author = checked_reader(args.author or user_name())
    with ProjectStore.open(args.project) as project, project.transaction():
        annotations = Annotations(project)
        target = reader_target(args.case, author)
        label_set, held = annotations.label_set, annotations.labels(args.case, author)
        values = dict(held)
        for word in args.labels:
            name, text = _split_label(word)
            field = label_set.field(name)
            value = None if field is None or not text else value_from_text(field, text)
            for changed, after in changes_for(label_set, values, name, value).items():
                values.pop(changed, None)
                if after is not None:
                    values[changed] = after
        names = [name for name in {**held, **values} if held.get(name) != values.get(name)]
        changes = [annotations.change(target, f"{LABEL}{name}", values.get(name)) for name in names]
        aligned = {}
        for word in args.align:
            view_id, numbers = _split_alignment(word)
            view = _view(project, args.case, view_id)
            alignment = alignment_from_clicks(numbers[:2], numbers[2:], rows=view.rows, cols=view.cols)
            aligned[view_id] = alignment
            changes.append(annotations.change(target, f"{ALIGNMENT}{view_id}", document_of(alignment)))
        for view_id, is_approved in [(name, True) for name in args.approve] + [(name, False) for name in args.reject]:
            view = _view(project, args.case, view_id)
            chosen = aligned.get(view_id) or alignment_of(
                annotations.values(args.case, author).get(f"{ALIGNMENT}{view_id}")
            )
            if chosen is None:
                raise UserError("This view has no crop to judge.", remedy="Align it first (--align).", kind="no-crop")
            verdict = CropVerdict(is_approved=is_approved, key=crop_key(chosen, view))
            changes.append(annotations.change(target, f"{CROP_VERDICT}{view_id}", document_of(verdict)))
        if args.status:
            changes.append(annotations.change(f"case:{args.case}", STATUS, args.status))
        if not changes and not (args.labels or args.align or args.approve or args.reject or args.status):
            raise UserError("Nothing was given to record.", remedy="See the examples.", kind="usage")
        events = annotations.record(args.case, changes, author=author, text="From the command line")
    return _print_events(events, args)


def _undo(args: argparse.Namespace) -> int:
    from app.store.annotations import Annotations
    from app.store.project import ProjectStore

    author = checked_reader(args.author or user_name())
    with ProjectStore.open(args.project) as project:
        annotations = Annotations(project)
        if project.cases.get(args.case) is None:
            raise UserError("There is no such case in this project.", kind="no-case")
        before = project.events.head()[0]
        revert = annotations.undo if args.action == "undo" else annotations.redo
        if revert(args.case, author=author) is None:
            raise UserError(
                f"There is nothing to {args.action}.",
                reason=f"{author} has nothing left to {args.action} in this case.",
                kind="nothing-to-do",
            )
        events = project.events.since(before)
    return _print_events(events, args)


def _back(args: argparse.Namespace) -> int:
    from app.store.annotations import Annotations
    from app.store.project import ProjectStore

    with ProjectStore.open(args.project) as project:
        events = Annotations(project).go_to(
            args.case, args.event, author=checked_reader(args.author or user_name())
        )  # fmt: skip
    return _print_events(events, args)


def _history(args: argparse.Namespace) -> int:
    from app.store.annotations import Annotations
    from app.store.project import ProjectStore

    with ProjectStore.open(args.project, is_read_only=True) as project:
        if project.cases.get(args.case) is None:
            raise UserError("There is no such case in this project.", kind="no-case")
        events = Annotations(project).history(args.case)
    return _print_events(events, args)


def _verify(args: argparse.Namespace) -> int:
    """Walk the chain and every row's hash; look at the labels' fit and at outdated verdicts."""
    from app.store.audit import audit_database
    from app.store.database import Database
    from app.store.folder import ProjectFolder
    from app.store.head import read_head

    folder = ProjectFolder(Path(args.project).absolute())
    folder.read_marker()
    with contextlib.closing(Database.open_reader(folder.database)) as database:
        problems = audit_database(database.connection, read_head(folder.head_file))
        facts = {} if problems else _counts(database)
    if not problems:
        facts |= _fit(args.project)
    if args.json:
        print_json({
            "problems": [{"kind": each.kind, "table": each.table, "key": each.key, "text": each.text}
                         for each in problems], **facts,
        })  # fmt: skip
    elif problems:
        for problem in problems[:20]:
            print(f"DAMAGED: {problem.text} {problem.table} {printable(problem.key)}".rstrip())
        print(f"{len(problems)} problems. `coxa backup repair` keeps what is still intact.")
    else:
        print(f"{facts['events']} events, each follows the one before it; every row is what was written.")
        print(f"{facts['annotations']} annotations by {facts['readers']} readers; state {facts['state'][:16]}…")
        for count, text in ((facts["flagged"], "labels have no place in the label set (see `list`)"),
                            (facts["outdated"], "verdicts are about a crop that has changed since")):  # fmt: skip
            if count:
                print(f"note: {count} {text}.")
    return PROBLEMS if problems else DONE


def _counts(database: Any) -> dict[str, Any]:
    return {"events": int(database.value("SELECT count(*) FROM event"))}


def _fit(path: Path) -> dict[str, Any]:
    from app.store.annotations import Annotations
    from app.store.crops import CropState, aligned_crops
    from app.store.label_sets import flagged_labels
    from app.store.project import ProjectStore

    with ProjectStore.open(path, is_read_only=True) as project:
        annotations = Annotations(project)
        found = list(annotations.all())
        return {
            "annotations": len(found),
            "readers": len({annotation.reader for annotation in found} - {""}),
            "state": annotations.state_hash(),
            "flagged": sum(len(reasons) for reasons in flagged_labels(project).values()),
            "outdated": sum(record.state is CropState.OUTDATED for record in aligned_crops(project)),
        }


def _label_set(args: argparse.Namespace) -> int:
    from app.core.label_set import label_set_document
    from app.store.label_sets import adopt_label_set, current_label_set, preview_label_set, read_label_set
    from app.store.project import ProjectStore

    if args.adopt is None:
        with ProjectStore.open(args.project, is_read_only=True) as project:
            label_set = current_label_set(project)
        if args.json:
            print_json(label_set_document(label_set))
        else:
            _print_label_set(label_set)
        return DONE
    label_set = read_label_set(args.adopt)
    with ProjectStore.open(args.project, is_read_only=args.dry_run) as project:
        author = checked_reader(args.author or user_name())
        adoption = (
            preview_label_set(project, label_set)
            if args.dry_run
            else adopt_label_set(project, label_set, author=author)
        )
    if args.json:
        print_json({"changed": adoption.changed, "flagged": adoption.flagged, "is_adopted": not args.dry_run})
        return DONE
    word = "would be" if args.dry_run else "were"
    print(f"“{label_set.text}” version {label_set.version}: {adoption.changed} opinions {word} carried over.")
    for target, reasons in adoption.flagged.items():
        for name, reason in reasons.items():
            print(f"note: {printable(target)} {name} stays as it is: {reason}")
    return DONE


def _print_label_set(label_set: LabelSet) -> None:
    print(f"{label_set.text} ({label_set.id}), version {label_set.version}")
    for field in label_set.fields:
        marks = ", ".join(filter(None, (field.type.value, "required" if field.is_required else "")))
        print(f"  [{field.key or ' '}] {field.id}: {field.text} ({marks})")
        for name, allowed in field.when.items():
            print(f"        asked when {name} is {' or '.join(allowed)}")
        for choice in field.choices:
            print(f"      [{choice.key or ' '}] {choice.id}: {choice.text}")


def _print_events(events: list[Event], args: argparse.Namespace) -> int:
    if args.json:
        print_json({"events": [
            {"number": event.id, "at": event.at, "author": event.author, "target": event.target, "field": event.field,
             "before": event.before, "after": event.after, "text": event.text, "reverts": event.reverts}
            for event in events
        ]})  # fmt: skip
        return DONE
    for event in events:
        when = event.at[:19].replace("T", " ")
        _, _, reader = split_target(event.target)
        whose = f" of {printable(reader)}" if reader and reader != event.author else ""
        change = f"{_short(event.before)} → {_short(event.after)}"
        print(f"{event.id:>6}  {when}  {printable(event.author) or '-'}  {event.field}{whose}: {change}")
    if not events:
        print("Nothing has changed.")
    return DONE


def _document(annotation: Annotation) -> dict[str, Any]:
    kind, identifier, reader = split_target(annotation.target)
    return {
        kind: identifier,
        "reader": reader,
        "field": annotation.field,
        "value": annotation.value,
        "author": annotation.author,
        "at": annotation.at,
        "event": annotation.event_id,
    }


def _in_words(annotation: Annotation, label_set: LabelSet) -> str:
    name, value = annotation.field, annotation.value
    if name.startswith(LABEL) and annotation.reader:
        field = label_set.field(name.removeprefix(LABEL))
        if field is not None:
            return f"{field.text}: {printable(value_text(field, label_value(value)))}"
    return f"{name}: {_short(value)}"


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else canonical_json(value)
    return printable(text if len(text) <= 160 else f"{text[:159]}…")


def _split_label(word: str) -> tuple[str, str]:
    name, separator, text = word.partition("=")
    if not separator or not name:
        raise UserError(f"“{word[:60]}” is no answer.", remedy="Write LABEL=VALUE, for example garden=3.", kind="usage")
    return name.strip(), text.strip()


def _split_alignment(word: str) -> tuple[str, Any]:
    view_id, _, text = word.partition(":")
    parts = text.split(",")
    if not view_id or len(parts) != 4 or not all(re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", part) for part in parts):
        raise UserError(
            f"“{word[:60]}” is no alignment.", remedy="Write VIEW:X,Y,X,Y with numbers in pixels.", kind="usage"
        )
    return view_id, tuple(float(part) for part in parts)


def _view(project: Any, case_id: str, view_id: str) -> Any:
    case = project.cases.get(case_id)
    view = project.views.get(view_id) if case is not None and view_id in case.view_ids else None
    if view is None:
        raise UserError(
            "This case has no such view.",
            remedy="`coxa cases show CASE --project DIR` lists its views.",
            kind="no-view",
        )
    return view
