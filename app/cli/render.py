"""`coxa render`: one radiograph as an 8-bit picture, exactly what a pane shows."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.cli.exit_codes import DONE
from app.cli.output import add_json_argument, print_json
from app.core.case import ViewFlag
from app.core.errors import UserError
from app.core.grey import GreyScale, Lut, StoredImage, Window
from app.core.grey_tables import display_table, to_display
from app.core.messages import ReadImage
from app.core.voi import VoiKind, choose_voi, voi_choices, voi_notices
from app.store.fs import atomic_write
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source

EXAMPLES = """\
examples:
  coxa render hip.dcm -o hip.png                      the automatic window, as a pane opens it
  coxa render hip.dcm -o hip.png --voi file           the object's own first VOI LUT or window
  coxa render hip.dcm -o hip.png --voi 2048,1024      center and width, in modality values
  coxa render hip.dcm -o hip.png --voi=-50,300         a negative center needs the equals sign
  coxa render hip.dcm -o hip.png --voi bone --invert  a preset, shown as a negative
  coxa render hip.dcm --list                          which windows this file offers
  coxa render run.dcm -o third.png --frame 3          one frame of a run; the first is 1

The picture has the image's own size in pixels and carries no text: no name, no date, no header.
What must be known about the image (partial, lossy, …) is printed on standard error."""

FLAG_SENTENCES = {
    ViewFlag.PARTIAL: "The file is cut off: rows are missing.",
    ViewFlag.FALLBACK_DECODER: "Decoded with the fallback decoder: for looking at, not for measuring or inference.",
    ViewFlag.FOR_PROCESSING: "This is raw detector data (For Processing), not meant for reading.",
    ViewFlag.NOT_NATIVE: "These are not the detector's own grey values (colour or secondary capture).",
    ViewFlag.LOSSY: "The image went through lossy compression.",
    ViewFlag.ASSUMED_ENCODING: "The header is incomplete; how the pixels are encoded was in part assumed.",
    ViewFlag.MAY_HAVE_TEXT: "The picture may hold burnt-in text; look before you pass it on.",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa render`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a DICOM, PNG, TIFF or JPEG file")
    parser.add_argument("-o", "--output", type=Path, metavar="PNG", help="the picture to write; needed without --list")
    parser.add_argument(
        "--voi",
        default="auto",
        metavar="WINDOW",
        help="auto (default: from the collimated area), file (the object's own, or the full range), "
        "CENTER,WIDTH, or a name that --list shows",
    )
    parser.add_argument("--invert", action="store_true", help="show the negative; padding stays black")
    parser.add_argument(
        "--frame", type=_frame_number, metavar="N", help="frame of a multi-frame object, from 1; needed for one"
    )
    parser.add_argument("--list", action="store_true", help="list the windows this file offers, and write nothing")
    add_json_argument(parser)
    parser.epilog = EXAMPLES


def run(args: argparse.Namespace) -> int:
    """Render one file, or list its windows."""
    if args.list:
        with _read(args.file, args.frame) as (read, image):
            _print_choices(read, image, as_json=args.json)
        return DONE
    output = checked_output(args.output, args.file)
    with _read(args.file, args.frame) as (read, image):
        voi = choose_voi(image, read.grey, args.voi)
        picture = render(image, read.grey, voi, is_inverted=args.invert)
    write_png(output, picture)
    notices = _notices(read)
    if args.json:
        print_json(
            {
                "output": str(output),
                "rows": read.rows,
                "cols": read.cols,
                "voi": _describe(voi),
                "is_inverted": args.invert,
                "photometric": read.grey.photometric.value,
                "flags": sorted(read.flags),
                "notices": notices,
            }
        )
    for notice in notices:
        print(f"note: {notice}", file=sys.stderr)
    if not args.json:
        print(f"{output}: {read.cols} × {read.rows} px, {_in_words(voi)}{', inverted' if args.invert else ''}")
    return DONE


def render(
    image: StoredImage, grey: GreyScale, voi: Lut | Window, *, is_inverted: bool = False
) -> npt.NDArray[np.uint8]:
    """The picture that a pane shows of an image: (H, W) uint8, 0 = black, 255 = white."""
    return to_display(image, display_table(grey, voi, offset=image.offset, is_inverted=is_inverted)).pixels


@contextlib.contextmanager
def _read(path: Path, frame_number: int | None) -> Iterator[tuple[ReadImage, StoredImage]]:
    """Read a file in a worker process; its pixels live in a private scratch folder in between."""
    frame = None if frame_number is None else frame_number - 1
    with (
        tempfile.TemporaryDirectory(prefix="coxa-") as scratch,
        ReaderPool(scratch=Path(scratch), workers=1) as pool,
    ):
        read = pool.read(Source(path=path), frame=frame)
        yield read, pool.pixels(read)


def _frame_number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("the first frame is 1")
    return number


def checked_output(output: Path | None, source: Path) -> Path:
    """The path to write to, refused before any work is done.

    Raises:
        UserError: there is none, it is not a PNG, it is the input, or its folder is not there.
    """
    if output is None:
        raise UserError(
            "There is no place to write the picture to.",
            remedy="Give it with -o, for example -o hip.png, or ask for --list.",
            kind="no-output",
        )
    if output.suffix.lower() != ".png":
        raise UserError(
            "The picture is written as PNG.", remedy="Give a name that ends in .png.", kind="not-a-png-name"
        )
    if output.is_dir() or not output.parent.is_dir():
        raise UserError(
            "The picture cannot be written there.",
            reason="It is a folder." if output.is_dir() else "The folder does not exist.",
            remedy="Choose a file in a folder that exists.",
            kind="bad-output",
        )
    if output.exists() and source.exists() and output.samefile(source):
        raise UserError(
            "The picture would overwrite the file it is made from.",
            remedy="Choose another name for the picture.",
            kind="would-overwrite-input",
        )
    return output


def write_png(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """Write a grey or colour (blue, green, red) PNG without any text chunk, whole or not at all.

    Raises:
        UserError: `cannot-write`.
    """
    is_encoded, data = cv2.imencode(".png", picture)
    if not is_encoded:
        raise RuntimeError("the PNG encoder refused an 8-bit image")
    try:
        atomic_write(path, [data.tobytes()], mode=0o644)
    except OSError as error:
        raise UserError(
            "The picture cannot be written.",
            reason="The disk is full, or the folder may not be written to.",
            remedy="Choose another folder.",
            kind="cannot-write",
        ) from error


def _notices(read: ReadImage) -> list[str]:
    """Everything a viewer must know, flags first."""
    sentences = [text for flag, text in FLAG_SENTENCES.items() if flag.value in read.flags]
    return list(dict.fromkeys([*sentences, *read.notices, *voi_notices(read.grey)]))


def _print_choices(read: ReadImage, image: StoredImage, *, as_json: bool) -> None:
    """The windows that `--voi` takes for this file, with the values each stands for."""
    choices = [(choice, choose_voi(image, read.grey, choice.name)) for choice in voi_choices(read.grey)]
    if as_json:
        print_json(
            {"choices": [{"name": choice.name, "kind": choice.kind.value} | _describe(voi) for choice, voi in choices]}
        )
        return
    for choice, voi in choices:
        origin = "the object's own" if choice.kind is VoiKind.FILE and choice.voi is not None else ""
        if choice.kind is VoiKind.FILE and choice.voi is None:
            origin = "the full range; the object has none"
        print(f"{choice.name:<16} {_in_words(voi):<44} {origin}".rstrip())


def _describe(voi: Lut | Window) -> dict[str, Any]:
    if isinstance(voi, Lut):
        return {"lut": {"first": voi.first, "entries": len(voi.entries), "bits": voi.bits, "name": voi.name}}
    return {
        "window": {
            "center": voi.center,
            "width": voi.width,
            "function": voi.function.value,
            "name": voi.name,
        }
    }


def _in_words(voi: Lut | Window) -> str:
    if isinstance(voi, Lut):
        return f"VOI LUT from {voi.first}, {len(voi.entries)} entries of {voi.bits} bits"
    return f"window center {voi.center:g}, width {voi.width:g}, {voi.function.value}"
