"""Decode the public DICOM corpus (pydicom's wheel and pydicom-data) and compare every image with other decoders.

    python -m bench.corpus

Counts as in imaging.md §7: every file of both sets that has Pixel Data (or should have). A file counts as read when
its first frame has the values of an independent reference: another pydicom plugin, SimpleITK, or an uncompressed
sibling of the same image; lossy files may differ from another decoder by rounding. A truncated file counts when it is
given as partial. pydicom alone and SimpleITK alone are counted in the same run.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.pixels import get_decoder

from app.core.errors import UserError
from app.store.reading import syntaxes
from app.store.reading.colour import palette_to_rgb
from app.store.reading.decode import Frame, decode_frame
from app.store.reading.dicom import parse
from app.store.reading.files import FileOpener
from app.store.reading.layout import PixelLayout, read_layout
from app.store.reading.part10 import DicomFile, open_dicom

# Two decoders of the same lossy stream may round differently; colour conversion after it doubles that.
LOSSY_TOLERANCE = 3
# Images whose truth is another file of the corpus, because no other decoder reads them whole.
SIBLINGS = {"JPEG-lossy.dcm": "JPGExtended.dcm"}  # the same image with a repaired SOS marker
NO_IMAGE = {"meta_missing_tsyntax.dcm", "nested_priv_SQ.dcm"}


@dataclass
class Outcome:
    """What became of one file."""

    name: str
    ours: str  # read | partial | refused | wrong
    detail: str
    is_pydicom: bool
    is_sitk: bool


def corpus_files() -> list[Path]:
    """All files of both sets, sorted; none is downloaded."""
    wheel = Path(pydicom.__file__).parent / "data"
    folders = [wheel / "test_files", wheel / "charset_files"]
    try:
        import data_store

        folders.append(Path(data_store.__file__).parent / "data")
    except ImportError:
        print("pydicom-data is not installed: its files are left out", file=sys.stderr)
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def holds_pixels(path: Path) -> bool:
    """Whether a file is DICOM and has a pixel data element, or is one of the two that only look so."""
    if path.name in NO_IMAGE:
        return True
    try:
        dataset = pydicom.dcmread(path, force=True)
        return any(tag in dataset for tag in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
    except Exception:
        return False


def read_ours(path: Path, scratch: Path) -> tuple[Frame, PixelLayout, DicomFile]:
    """The first frame through Coxa's general decoder."""
    buffer = FileOpener().open(path, "")
    file = open_dicom(buffer)
    dataset = parse(file)
    layout, _ = read_layout(dataset, file)
    return decode_frame(file, layout, 0, scratch), layout, file


def read_pydicom(path: Path) -> np.ndarray | None:
    """The first frame as pydicom alone gives it."""
    try:
        array = pydicom.dcmread(path, force=True).pixel_array
        dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        frames = int(str(dataset.get("NumberOfFrames", 1) or 1))
        return array[0] if frames > 1 else array
    except BaseException:
        return None


def read_sitk(path: Path, *, is_one_frame: bool = True) -> np.ndarray | None:
    """The first slice as SimpleITK alone gives it."""
    import SimpleITK

    try:
        array = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    except BaseException:
        return None
    return array[0] if array.ndim > 2 and array.shape[-1] != array.shape[0] and is_one_frame else array


def read_with_plugins(path: Path) -> dict[str, np.ndarray]:
    """The first frame by every plugin of pydicom that can."""
    found: dict[str, np.ndarray] = {}
    dataset = pydicom.dcmread(path, force=True)
    try:
        decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    except Exception:
        return found
    for plugin in decoder.available_plugins if decoder.is_encapsulated else ():
        try:
            found[plugin] = decoder.as_array(dataset, index=0, decoding_plugin=plugin)[0]
        except BaseException:  # pylibjpeg-rle panics with a BaseException
            continue
    return found


def largest_difference(ours: np.ndarray, other: Any) -> float | None:
    """The largest difference, or None when the shapes differ."""
    other = np.asarray(other)
    if ours.shape != other.shape:
        return None
    if ours.dtype.kind == "f" or other.dtype.kind == "f":
        return float(np.abs(ours.astype(np.float64) - other.astype(np.float64)).max(initial=0))
    return float(np.abs(ours.astype(np.int64) - other.astype(np.int64)).max(initial=0))


def judge(path: Path, by_name: dict[str, Path], scratch: Path) -> Outcome:
    """Decode one file and compare."""
    alone = read_pydicom(path)
    itk = read_sitk(path)
    try:
        frame, layout, file = read_ours(path, scratch)
    except UserError as error:
        return Outcome(path.name, "refused", str(error), alone is not None, itk is not None)
    if frame.is_partial:
        detail = f"{frame.rows_present} of {layout.rows} rows"
        return Outcome(path.name, "partial", detail, alone is not None, itk is not None)
    is_lossy = file.syntax in syntaxes.LOSSY
    tolerance = LOSSY_TOLERANCE if is_lossy else 0
    references: dict[str, Any] = {} if alone is None else {"pydicom": alone}
    references |= read_with_plugins(path)
    sibling = SIBLINGS.get(path.name)
    if sibling:
        references[sibling] = read_ours(by_name[sibling], scratch)[0].values
    values = frame.values
    if not references and itk is not None:
        references["SimpleITK"] = itk
        if frame.photometric == "PALETTE COLOR":  # which SimpleITK gives as 8-bit colours
            colours = palette_to_rgb(values, parse(file))
            values = colours >> 8 if colours.dtype == np.uint16 else colours
    differences = {name: largest_difference(values, other) for name, other in references.items()}
    agreed = [name for name, value in differences.items() if value is not None and value <= tolerance]
    if not references:
        return Outcome(path.name, "wrong", "no reference", alone is not None, itk is not None)
    shown = ", ".join(f"{name} {'shape' if value is None else f'{value:g}'}" for name, value in differences.items())
    verdict = "read" if agreed and (alone is None or "pydicom" in agreed or is_lossy) else "wrong"
    if frame.is_fallback:
        shown += " (fallback decoder)"
    return Outcome(path.name, verdict, shown, alone is not None, itk is not None)


def main() -> int:
    """Print the table and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="print every file, not only the remarkable ones")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    files = [path for path in corpus_files() if holds_pixels(path)]
    by_name = {path.name: path for path in files}
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = [judge(path, by_name, Path(scratch)) for path in files]
    print("| file | Coxa | pydicom alone | SimpleITK alone | largest difference to |")
    print("|---|---|---|---|---|")
    for outcome in outcomes:
        if arguments.all or outcome.ours != "read" or not (outcome.is_pydicom and outcome.is_sitk):
            marks = ["reads" if reads else "fails" for reads in (outcome.is_pydicom, outcome.is_sitk)]
            print(f"| {outcome.name} | {outcome.ours} | {marks[0]} | {marks[1]} | {outcome.detail} |")
    counts = {
        word: sum(outcome.ours == word for outcome in outcomes) for word in ("read", "partial", "refused", "wrong")
    }
    print(f"\nimages: {len(outcomes)}  Coxa: {counts}")
    print(f"pydicom alone decodes: {sum(outcome.is_pydicom for outcome in outcomes)}")
    print(f"SimpleITK alone decodes: {sum(outcome.is_sitk for outcome in outcomes)}")
    return 0 if counts["wrong"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
