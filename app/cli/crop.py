"""`coxa crop`: every approved crop of a project as a PNG file, with a table of what each one is."""

from __future__ import annotations

import argparse
import csv
import io
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.output import add_json_argument, add_project_argument, print_json, printable, progress
from app.core.errors import UserError

if TYPE_CHECKING:
    from app.store.crops import CropRecord
    from app.store.project import ProjectStore

EPILOG = """\
examples:
  coxa crop --project ~/hips --out ~/crops                 256 × 256 px, 16 bit, as a network is fed
  coxa crop --project ~/hips --out ~/pictures --bits 8     as the eye sees them, in the automatic window
  coxa crop --project ~/hips --out ~/all --all             also those that nobody approved
  coxa crop --project ~/hips --out ~/hips-224 --kind region
  coxa crop --project ~/hips --out ~/mine --reader "A. Reader"

--kind aligned cuts along the two clicks (paper 004); --kind region the central 224 × 224 px of the boxes (paper 000).
16-bit files hold stored values (see photometric and offset in the table), 8-bit files display levels.
crops.csv says for each file what it is: case, view, reader, clicks, scale, key, labels of the same reader."""

TABLE = "crops.csv"


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa crop`."""
    add_project_argument(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="a new or empty folder")
    parser.add_argument(
        "--kind", choices=("aligned", "region"), default="aligned", help="which crops (default: aligned)"
    )
    parser.add_argument(
        "--size", type=int, metavar="PX", help="side of the crops, 16 to 2048 px (default: 256; region 224)"
    )
    parser.add_argument(
        "--bits", type=int, choices=(8, 16), default=16, help="16: stored values, 8: display levels (default: 16)"
    )
    parser.add_argument("--resize", action="store_true", help="region: squeeze the whole box, not its central square")
    parser.add_argument("--reader", default="", metavar="NAME", help="only this reader's crops")
    parser.add_argument("--all", action="store_true", help="also crops that are not approved")
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Render the crops."""
    from app.core.region import RegionMode
    from app.store.crops import CropState, aligned_crops, region_crops
    from app.store.exchange.write import check_goal
    from app.store.project import ProjectStore

    if args.size is not None and not 16 <= args.size <= 2048:
        raise UserError("A crop has a side of 16 to 2048 px.", kind="usage")
    folder: Path = args.out.absolute()
    _refuse_full(folder)
    with ProjectStore.open(args.project, is_read_only=True) as project:
        try:
            check_goal(project, folder)
        except UserError as error:
            title = "The crops cannot be written there."
            raise UserError(title, reason=error.reason, remedy=error.remedy, kind=error.kind) from None
        if args.kind == "aligned":
            found = list(aligned_crops(project, size_px=args.size or 256))
        else:
            mode = RegionMode.RESIZE if args.resize else RegionMode.CENTRE
            found = list(region_crops(project, size_px=args.size or 224, mode=mode))
        if args.reader:
            _refuse_unknown_reader(args.reader, sorted({record.reader for record in found}))
            found = [record for record in found if record.reader == args.reader]
        chosen = [record for record in found if args.all or record.state is CropState.APPROVED]
        if not chosen:
            raise _nothing(found, is_region=args.kind == "region")
        refused = _write(project, chosen, folder, bits=args.bits)
    counts = {state.value: sum(record.state is state for record in found) for state in CropState}
    written = len(chosen) - len(refused)
    if args.json:
        print_json({"written": written, "states": counts, "refused": refused, "table": str(folder / TABLE)})
    else:
        print(f"{written} crops in {printable(str(folder))}.")
        left = ", ".join(f"{count} {name}" for name, count in counts.items() if count and name != "approved")
        if left and not args.all and args.kind == "aligned":
            print(f"Left out: {left}.")
        for name, reason in refused.items():
            print(f"not written: {name}: {reason}")
    return PROBLEMS if refused else DONE


def _write(project: ProjectStore, records: list[CropRecord], folder: Path, *, bits: int) -> dict[str, str]:
    """Write files and table into a folder beside the goal that is renamed at the end. Returns what could not be."""
    import cv2

    from app.core.grey_tables import display_table
    from app.core.voi import choose_voi
    from app.store.crops import crop_pixels

    refused: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    names: dict[str, Any] = {}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".new", dir=folder.parent))
    except OSError as error:
        raise _cannot_write(error) from error
    try:
        for record in _with_bar(records):
            name = _name(record)
            try:
                pixels: Any = crop_pixels(project, record)
                image = project.images.load(record.view.image_sha256)
            except UserError as error:
                refused[name] = f"{error.title} {error.reason}"
                continue
            if bits == 8:
                grey = record.view.grey
                voi = choose_voi(image, grey, "auto")
                pixels = cv2.LUT(pixels, display_table(grey, voi, offset=image.offset).levels)
            is_encoded, data = cv2.imencode(".png", pixels)
            assert is_encoded, "the PNG encoder takes 8- and 16-bit grey images"
            (draft / name).write_bytes(data.tobytes())
            row = _row(name, record, project, offset=image.offset, bits=bits)
            rows.append(row)
            names.update(dict.fromkeys(row))
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, fieldnames=list(names), restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        (draft / TABLE).write_text(text.getvalue(), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        draft.chmod(0o755)
        draft.replace(folder)
    except OSError as error:
        raise _cannot_write(error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return refused


def _row(name: str, record: CropRecord, project: ProjectStore, *, offset: int, bits: int) -> dict[str, Any]:
    from app.core.annotation import labels_of, reader_target

    view, spacing = record.view, record.view.spacing
    row: dict[str, Any] = {
        "file": name,
        "case": record.case.id,
        "patient": record.case.patient_id,
        "side": record.case.side.value if record.case.side else "",
        "view": view.id,
        "projection": view.projection.value.value if view.projection.value else "",
        "reader": record.reader,
        "state": record.state.value,
        "bits": bits,
        "size_px": record.cut.size_px,
        "mm_per_px": "" if record.cut.mm_per_px is None else repr(record.cut.mm_per_px),
        "spacing_source": spacing.source.value,
        "photometric": view.grey.photometric.value,
        "offset": offset,
    }
    if record.alignment is not None:
        (x, y), (axis_x, axis_y) = record.alignment.center_xy, record.alignment.axis_xy
        row |= {"center_x": repr(x), "center_y": repr(y), "axis_x": repr(axis_x), "axis_y": repr(axis_y),
                "angle_deg": repr(record.alignment.angle_deg(spacing.aspect))}  # fmt: skip
    if record.region is not None:
        row |= {edge: repr(getattr(record.region, edge)) for edge in ("left", "top", "right", "bottom")}
    row |= {"image_sha256": view.image_sha256, "key": record.key}
    labels = labels_of(project.events.current_of(reader_target(record.case.id, record.reader)))
    row |= {f"label.{field}": " ".join(value) if isinstance(value, tuple) else value for field, value in labels.items()}
    return row


def _name(record: CropRecord) -> str:
    """A file name that says what it is and is never given twice: case, view, reader, beginning of the key."""
    reader = re.sub(r"[^A-Za-z0-9]+", "-", record.reader).strip("-")[:30] or "reader"
    return f"{record.case.id}_{record.view.id}_{reader}_{record.key[:10]}.png"


def _with_bar(records: list[CropRecord]) -> Iterable[CropRecord]:
    return progress(records, total=len(records), text="crops", unit="crop")


def _refuse_full(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            "The crops cannot be written there.",
            reason="There is something at this place already.",
            remedy="Choose a new or an empty folder.",
            kind="exists",
        )


def _refuse_unknown_reader(name: str, known: list[str]) -> None:
    if known and name not in known:
        raise UserError(
            f"There is no crop of {name[:64]}.", reason=f"There are crops of {', '.join(known)}.", kind="usage"
        )


def _nothing(found: list[CropRecord], *, is_region: bool) -> UserError:
    title = "There is no crop to write."
    if found:
        reason = f"{len(found)} crops were found and none of them is approved as it is now."
        return UserError(
            title, reason=reason, remedy="Approve crops in the window, or add --all.", kind="nothing-to-do"
        )
    return UserError(
        title,
        reason="No view of this project has a region box." if is_region else "No view of this project is aligned.",
        remedy="Draw boxes in the window first." if is_region else "Align views in the window first.",
        kind="nothing-to-do",
    )


def _cannot_write(error: OSError) -> UserError:
    return UserError(
        "The crops cannot be written.",
        reason=f"The system says: {(error.strerror or 'unknown error').lower()}.",
        remedy="Free some space or choose another folder.",
        kind="unwritable-folder",
    )
