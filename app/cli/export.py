"""`coxa export`: a data set for others, whole or not at all."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.cli.arguments import whole_number
from app.cli.case_filters import add_filter_arguments, query_of, refuse_unknown
from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.output import add_json_argument, add_project_argument, print_json, printable
from app.core.errors import UserError
from app.core.export import (
    DEFAULT_CONTENTS,
    DEFAULT_FORMATS,
    Content,
    ExportFormat,
    ExportRequest,
    SplitKind,
    SplitRequest,
)
from app.core.geometry import DEFAULT_SIZE_PX
from app.core.region import REGION_INPUT_PX, RegionMode

if TYPE_CHECKING:
    from app.core.export_plan import ExportPlan, ExportPreview
    from app.store.exchange.write import ExportReport
    from app.store.project import ProjectStore

EPILOG = """\
examples:
  coxa export --project ~/hips --dry-run                   what would be in it, and whether the split leaks
  coxa export --project ~/hips --out ~/hips-2026           tables (CSV, Parquet) and 16-bit PNG
  coxa export --project ~/hips --out ~/aff --formats imagefolder --contents aligned-crops,labels \\
      --label atypical --split 70/15/15 --seed 1
  coxa export --project ~/hips --out ~/boxes --formats coco,tables --filter status=reviewed
  coxa export --project ~/hips --out ~/copy --formats coxa --contents images,labels,history
  coxa export --verify ~/hips-2026                         is it still what was written?
  coxa export --project ~/hips --out ~/again --split-of run-3 --formats tables --contents labels

contents: images, aligned-crops, region-crops, labels, measurements, alignments, findings, heatmaps, history
formats:  tables, png, imagefolder, coco, coxa (opens as a project again), dicom, pdf

Nothing is under the name before all of it is there; SHA256SUMS and DATA_CARD.md are part of it. The same selection
gives the same bytes. Images that may hold burnt-in text leave after somebody has looked at them."""

OptionT = TypeVar("OptionT", Content, ExportFormat)
SHOWN_LEAKS = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa export`."""
    add_project_argument(parser, is_required=False)
    parser.add_argument("--verify", type=Path, metavar="DIR", help="is this data set still what was written?")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="a new or empty folder (default: in the project's exports)"
    )
    parser.add_argument("--contents", default="", metavar="LIST",
                        help=f"what of the cases (default: {','.join(sorted(DEFAULT_CONTENTS))})")  # fmt: skip
    parser.add_argument("--formats", default="", metavar="LIST",
                        help=f"how it is written (default: {','.join(sorted(DEFAULT_FORMATS))})")  # fmt: skip
    add_filter_arguments(parser, is_list=False)
    parser.add_argument("--case", action="append", default=[], metavar="ID", dest="case_ids",
                        help="exactly this case (may be repeated)")  # fmt: skip
    parser.add_argument("--without", action="append", default=[], metavar="ID", help="not this case (may be repeated)")
    parser.add_argument("--excluded", action="store_true", help="also cases with the status excluded")
    group = parser.add_argument_group("labels and parts")
    group.add_argument("--label", default="", metavar="FIELD", help="the label that gives each case its class")
    group.add_argument("--reader", action="append", default=[], metavar="NAME", help="only what these readers say")
    group.add_argument(
        "--split", default="", metavar="SHARES", help="training/validation/test by whole patients, for example 70/15/15"
    )
    group.add_argument("--seed", type=whole_number, default=0, metavar="N", help="of the split (default: 0)")
    group.add_argument("--split-of", default="", metavar="RUN", help="the parts of a training run")
    group.add_argument("--accept-leaks", action="store_true", help="even if a patient or an image is in two parts")
    group = parser.add_argument_group("crops")
    group.add_argument("--crop-size", type=int, default=DEFAULT_SIZE_PX, metavar="PX",
                       help=f"side of aligned crops, 16 to 2048 px (default: {DEFAULT_SIZE_PX})")  # fmt: skip
    group.add_argument("--region-size", type=int, default=REGION_INPUT_PX, metavar="PX",
                       help=f"side of region crops, 16 to 2048 px (default: {REGION_INPUT_PX})")  # fmt: skip
    group.add_argument("--region-mode", choices=[mode.value for mode in RegionMode], default=RegionMode.CENTRE.value,
                       help="centre of the box, a field of a given size around it, or all of it squeezed (default: "
                       "centre)")  # fmt: skip
    group.add_argument(
        "--region-mm", type=float, metavar="MM", help="side of that field, mm in the patient; with --region-mode field"
    )
    group.add_argument("--unapproved", action="store_true", help="also crops that their reader has not approved")
    group = parser.add_argument_group("names and words")
    group.add_argument("--no-free-text", action="store_true", help="without comments and text labels")
    group.add_argument("--number-readers", action="store_true", help="reader-1, reader-2 … instead of names")
    group.add_argument("--title", default="", metavar="TEXT", help="of the data set (default: the project's name)")
    group.add_argument("--description", default="", metavar="TEXT", help="what it is for")
    group.add_argument("--licence", default="", metavar="TEXT", help="under which terms it may be used")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written, write nothing")
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Preview, then write."""
    from app.store.exchange.plan import plan_export, preview_export
    from app.store.exchange.write import free_export_folder
    from app.store.project import ProjectStore

    if args.verify is not None:
        return _verify(args)
    if args.project is None:
        raise UserError("`coxa export` needs a project.", remedy="Give --project DIR, or --verify DIR.", kind="usage")
    request = request_of(args)
    with ProjectStore.open(args.project, is_read_only=True) as project:
        refuse_unknown(project, request.query)
        plan = plan_export(project, request)
        preview = preview_export(project, plan)
        if not args.json:
            for line in preview_lines(plan, preview):
                print(line)
        report = None if args.dry_run else _write(project, plan, args.out or free_export_folder(project))
    if args.json:
        print_json(preview_document(preview) | _report_document(report))
    elif report is not None:
        size = f"{report.written_bytes / 1e6:,.1f} MB"
        print(f"{report.files} files, {size}, in {printable(str(report.folder))} ({report.seconds:.1f} s).")
        print(f"SHA256SUMS has the hash {report.sums_sha256[:16]}….")
    return DONE


def _verify(args: argparse.Namespace) -> int:
    """Compare every file of a data set with its checksum."""
    from app.store.exchange.verify import verify_data_set

    count, faults = verify_data_set(args.verify)
    if args.json:
        print_json({"files": count, "faults": [{"path": each.path, "fault": each.fault.value} for each in faults]})
    else:
        for each in faults:
            print(f"{each.fault.value.upper()}: {printable(each.path)}")
        print(
            f"{count} files, {len(faults)} of them not as they were written." if faults else f"{count} files, intact."
        )
    return PROBLEMS if faults else DONE


def request_of(args: argparse.Namespace) -> ExportRequest:
    """What the arguments ask for.

    Raises:
        UserError: `usage`: a list or the shares cannot be read.
    """
    if args.split and args.split_of:
        raise UserError("There are two splits.", remedy="Give --split or --split-of.", kind="usage")
    split = SplitRequest()
    if args.split:
        split = SplitRequest(kind=SplitKind.SEED, seed=args.seed, shares=_shares(args.split))
    elif args.split_of:
        split = SplitRequest(kind=SplitKind.RUN, run=args.split_of)
    return ExportRequest(
        query=query_of(args),
        case_ids=tuple(dict.fromkeys(args.case_ids)),
        left_out=frozenset(args.without),
        contents=_chosen(args.contents, Content) or DEFAULT_CONTENTS,
        formats=_chosen(args.formats, ExportFormat) or DEFAULT_FORMATS,
        split=split,
        label=args.label,
        readers=tuple(dict.fromkeys(args.reader)),
        has_excluded=args.excluded,
        has_unapproved_crops=args.unapproved,
        has_free_text=not args.no_free_text,
        has_reader_names=not args.number_readers,
        is_leak_accepted=args.accept_leaks,
        crop_px=args.crop_size,
        region_px=args.region_size,
        region_mode=RegionMode(args.region_mode),
        region_mm=args.region_mm,
        title=args.title,
        description=args.description,
        licence=args.licence,
    )


def preview_lines(plan: ExportPlan, preview: ExportPreview) -> Iterable[str]:
    """The preview for people."""
    from app.store.exchange.card import WHY

    withheld = preview.views - preview.pictures
    views = f"{preview.views} radiographs" + (f" ({withheld} without pixels)" if withheld else "")
    yield (
        f"{preview.cases} cases of {preview.patients} patients, {views}, {preview.crops} crops, "
        f"{preview.annotations} annotations by {preview.readers} readers."
    )
    if plan.label_field:
        yield f"Class: {printable(plan.label_field)}."
    for part, counts in preview.parts.items():
        shown = ", ".join(f"{printable(label) or 'no class'} {count}" for label, count in counts.items())
        name = part or ("all" if plan.request.split.kind is SplitKind.NONE else "no part")
        yield f"  {name:<11}{sum(counts.values()):>6}   {shown}"
    if plan.request.split.kind is not SplitKind.NONE:
        yield "No patient and no image is in two parts." if not preview.leaks else f"LEAKS: {len(preview.leaks)}."
    for leak in preview.leaks[:SHOWN_LEAKS]:
        yield f"  {leak.what} {leak.name[:24]} is in {' and '.join(part.value for part in leak.parts)}"
    for reason, count in preview.left_out.items():
        yield f"Left out: {WHY[reason].lower()}: {count}."
    for note in preview.notes:
        yield f"note: {printable(note)}"
    files = ", ".join(f"{wanted.value} {count}" for wanted, count in preview.files.items())
    yield f"Files: {files}; {preview.pixel_bytes / 1e6:,.1f} MB of pixels before compression."


def preview_document(preview: ExportPreview) -> dict[str, Any]:
    """The preview for programs."""
    return {
        "patients": preview.patients,
        "studies": preview.studies,
        "cases": preview.cases,
        "views": preview.views,
        "views_with_pixels": preview.pictures,
        "crops": preview.crops,
        "annotations": preview.annotations,
        "readers": preview.readers,
        "parts": {part or "none": dict(counts) for part, counts in preview.parts.items()},
        "left_out": {reason.value: count for reason, count in preview.left_out.items()},
        "leaks": [
            {
                "what": leak.what,
                "name": leak.name,
                "cases": list(leak.cases),
                "parts": [part.value for part in leak.parts],
            }
            for leak in preview.leaks
        ],
        "files": {wanted.value: count for wanted, count in preview.files.items()},
        "pixel_bytes": preview.pixel_bytes,
        "notes": list(preview.notes),
    }


def _write(project: ProjectStore, plan: ExportPlan, folder: Path) -> ExportReport:
    from tqdm import tqdm

    from app.store.exchange.write import ExportProgress, write_export

    with tqdm(desc="export", unit="file", disable=None, leave=False) as bar:

        def show(progress: ExportProgress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        return write_export(project, plan, folder, on_progress=show)


def _report_document(report: ExportReport | None) -> dict[str, Any]:
    if report is None:
        return {"written": None}
    return {
        "written": {
            "folder": str(report.folder),
            "files": report.files,
            "bytes": report.written_bytes,
            "sums_sha256": report.sums_sha256,
            "seconds": round(report.seconds, 3),
        }
    }


def _chosen(text: str, options: type[OptionT]) -> frozenset[OptionT]:
    """What a list separated by commas names."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = [option.value for option in options]
    for name in names:
        if name not in known:
            raise UserError(f"“{name[:60]}” cannot be exported.", reason=f"There are {', '.join(known)}.", kind="usage")
    return frozenset(options(name) for name in names)


def _shares(text: str) -> tuple[float, float, float]:
    parts = text.replace(",", "/").split("/")
    try:
        shares = [float(part) for part in parts]
    except ValueError:
        shares = []
    if not 2 <= len(shares) <= 3 or not all(0 <= share < 1e6 for share in shares):
        raise UserError(
            f"“{text[:60]}” are no shares.",
            remedy="Write for example 70/15/15, or 80/20 without a test part.",
            kind="usage",
        )
    return shares[0], shares[1], shares[2] if len(shares) == 3 else 0.0
