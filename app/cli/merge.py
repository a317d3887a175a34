"""`coxa merge`: bring what another annotator's copy has come to into a project, and say how far readers agree."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.exit_codes import CANCELLED, DONE, PROBLEMS
from app.cli.output import add_json_argument, print_json, printable
from app.cli.user import user_name
from app.core.errors import UserError

if TYPE_CHECKING:
    from app.core.agreement import FieldAgreement
    from app.store.merge.report import MergeReport

EPILOG = """\
examples:
  coxa merge ~/hips ~/from-ben --dry-run    what would come, and how far the two agree; nothing is written
  coxa merge ~/hips ~/from-ben              bring everything of ~/from-ben into ~/hips
  coxa merge ~/hips ~/hips-export --json    a Coxa export works like a project

Only the first project changes; a backup of it is made first. Merging the same project again changes nothing.
Every reader's opinion is kept beside the others; a reader who says two things about a case is kept as two, `Anna` and
`Anna (2)`. Status, side, projection and exclusions that differ stay as they are in the first project; the other value
is in the history and in the report. The same images are recognised by their pixels, whatever they are called.
A project of which one byte was changed by something else than Coxa is refused. The secret key of the other project is
not needed: send what you have annotated without its folder `private`. Without that a project cannot be
opened; so give a colleague an export (`coxa export --formats coxa`), which is imported there.
Cases on which readers disagree: `coxa cases --project DIR --filter adjudication=waiting`."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa merge`."""
    parser.add_argument("project", type=Path, metavar="INTO", help="the project that everything comes into")
    parser.add_argument("other", type=Path, metavar="FROM", help="the other project, or a Coxa export; stays as it is")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen; write nothing")
    parser.add_argument("--author", default="", metavar="NAME", help="who merges (default: your user name)")
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Merge and report."""
    from app.cli.import_ import cancellable
    from app.store.merge.merger import merge_source
    from app.store.merge.opening import open_source
    from app.store.project import ProjectStore

    if args.project.absolute().resolve() == args.other.absolute().resolve():
        raise UserError("A project is not merged with itself.", remedy="Name two different folders.", kind="usage")
    with open_source(args.other) as source, ProjectStore.open(args.project) as project, cancellable() as is_cancelled:
        report = merge_source(
            project,
            source,
            author=args.author or user_name(),
            is_rehearsal=args.dry_run,
            is_cancelled=is_cancelled,
        )
        if not args.dry_run:
            project.worklist.catch_up()
    if args.json:
        print_json(report_document(report))
    else:
        print_report(report)
    if report.is_cancelled:
        return CANCELLED
    return PROBLEMS if report.left_out else DONE


def report_document(report: MergeReport) -> dict[str, Any]:
    """A merge report as JSON."""
    return {
        "is_rehearsal": report.is_rehearsal,
        "is_cancelled": report.is_cancelled,
        "has_same_key": report.has_same_key,
        "counts": {
            name: getattr(report, name)
            for name in ("studies", "new_patients", "new_studies", "new_views", "new_cases", "shared_cases", "brought",
                         "known", "opinions")
        },
        "kept_apart": [
            {"case": each.case_id, "reader": each.reader, "kept_as": each.kept_as} for each in report.kept_apart
        ],
        "conflicts": [
            {"case": each.case_id, "what": each.what, "ours": each.ours, "theirs": each.theirs}
            for each in report.conflicts
        ],
        "left_out": [{"study": study, "reason": reason} for study, reason in report.left_out],
        "notes": report.notes,
        "agreement": [_agreement(each) for each in report.agreement],
        "disagreements": [
            {"case": each.case_id, "field": each.field, "values": dict(each.values)} for each in report.disagreements
        ],
    }  # fmt: skip


def _agreement(each: FieldAgreement) -> dict[str, Any]:
    return {
        "field": each.field,
        "readers": [each.first, each.second],
        "cases": each.cases,
        "agreeing": each.agreeing,
        "kappa": each.kappa.value,
        "interval_95": None if each.kappa.low is None else [each.kappa.low, each.kappa.high],
    }


def print_report(report: MergeReport) -> None:
    """A merge report for people."""
    if report.changes_nothing:
        print("Everything was here already; nothing changed.")
    else:
        would = "Would bring" if report.is_rehearsal else "Brought"
        print(
            f"{would} {report.brought} events about {report.shared_cases} cases of this project, "
            f"{report.new_cases} new cases with {report.new_views} radiographs; {report.known} events were known."
        )
    for note in report.notes:
        print(f"Note: {printable(note)}")
    for study, reason in report.left_out:
        print(f"Left out: {study}: {reason}")
    for each in report.kept_apart:
        print(
            f"Two opinions of {printable(each.reader)} on {each.case_id}: the other one is {printable(each.kept_as)}."
        )
    for conflict in report.conflicts:
        print(f"Kept here: {conflict.case_id or '-'} {conflict.what}: {conflict.ours}; there: {conflict.theirs}")
    if report.agreement:
        print("\nAgreement (cases both answered, the same answer, Cohen's kappa with its 95 % interval)")
        for found in report.agreement:
            kappa = found.kappa
            words = "–" if kappa.value is None else f"{kappa.value:.2f}"
            if kappa.low is not None and kappa.high is not None:
                words += f" ({kappa.low:.2f} … {kappa.high:.2f})"
            names = f"{printable(found.first)} · {printable(found.second)}"
            print(f"  {found.field:<20} {names:<32} {found.agreeing:>5} of {found.cases:<5} {words}")
    if report.disagreements:
        print(f"\n{len(report.disagreements)} disagreement(s)")
        for disagreement in report.disagreements:
            said = "; ".join(f"{printable(who)}: {_value(value)}" for who, value in disagreement.values.items())
            print(f"  {disagreement.case_id}  {disagreement.field}  {said}")


def _value(value: object) -> str:
    return printable(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
