"""Grey values of the whole chain, file to picture: Coxa, pydicom's helpers and dcm2pnm against the oracle.

Every object of the battery is written as a file. Coxa reads it through its worker processes and shows it as
`coxa render --voi file` does. The oracle is the literal reading of PS3.3 C.11 in tests/support/grey_oracle.py.

    python bench/grey_battery.py [--markdown]

pydicom gives no 8-bit picture, so its result and the oracle's are both stretched to their own minimum and maximum
before they are compared: generous to pydicom. DCMTK's dcm2pnm is left out, with a note, where it is not installed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_presentation_lut, apply_voi_lut

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.core.grey_tables import display_table, to_display
from app.core.voi import choose_voi
from app.store.reading.pool import ReaderPool
from app.store.reading.sources import Source
from tests.support.grey_cases import BATTERY, COLS, ROWS, GreyCase
from tests.support.grey_oracle import oracle_levels

Levels = npt.NDArray[np.float64]
ALLOWED = 1.0  # of 255
Outcome = float | str


def coxa_levels(pool: ReaderPool, path: Path) -> Levels:
    """What `coxa render --voi file` writes."""
    read = pool.read(Source(path=path))
    image = pool.pixels(read)
    table = display_table(read.grey, choose_voi(image, read.grey, "file"), offset=image.offset)
    return to_display(image, table).pixels.astype(np.float64)


def dcmtk_levels(case: GreyCase, path: Path) -> Levels:
    """What `dcm2pnm` writes with the object's first VOI LUT, else its first window, else its defaults."""
    output = path.with_suffix(".pgm")
    voi = ["+Wl", "1"] if "VOILUTSequence" in case.luts else ["+Wi", "1"] if "WindowCenter" in case.tags else []
    done = subprocess.run(["dcm2pnm", "+op", *voi, str(path), str(output)], capture_output=True, text=True)
    if not output.exists():
        raise ValueError(done.stderr.strip().splitlines()[-1])
    return np.frombuffer(output.read_bytes()[-ROWS * COLS :], np.uint8).reshape(ROWS, COLS).astype(np.float64)


def pydicom_levels(path: Path) -> Levels:
    """pydicom's own chain, as its documentation puts it together."""
    dataset = pydicom.dcmread(path)
    values = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    return np.asarray(apply_presentation_lut(values, dataset), np.float64)


def stretched(levels: Levels) -> Levels:
    """From the smallest to the largest value, 0 … 255."""
    low, high = levels.min(), levels.max()
    return (levels - low) / max(high - low, 1e-12) * 255


def attempt(levels: Callable[[], Levels], truth: Levels) -> Outcome:
    """The largest difference, or the name of the failure."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            return float(np.abs(levels() - truth).max())
    except Exception as error:
        return type(error).__name__


def is_right(outcome: Outcome, allowed: float = ALLOWED) -> bool:
    return isinstance(outcome, float) and outcome <= allowed + 1e-9


def shown(outcome: Outcome) -> str:
    return outcome if isinstance(outcome, str) else f"{outcome:.2f}"


def main() -> int:
    """Print the table; exit 1 if Coxa is wrong anywhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    args = parser.parse_args()
    has_dcmtk = shutil.which("dcm2pnm") is not None
    rows: list[tuple[str, Outcome, Outcome, Outcome]] = []
    asked: list[GreyCase] = []
    with tempfile.TemporaryDirectory() as folder_name, ReaderPool(scratch=Path(folder_name) / "scratch") as pool:
        for case in BATTERY:
            path = case.write(Path(folder_name))
            dataset: Dataset = case.dataset()
            exact = np.array(oracle_levels(dataset))
            truth = np.floor(exact + 0.5)
            ours = attempt(lambda path=path: coxa_levels(pool, path), truth)
            generous = attempt(lambda path=path: stretched(pydicom_levels(path)), stretched(exact))
            theirs: Outcome = "not installed"
            if has_dcmtk:
                theirs = case.dcmtk_limit or attempt(lambda case=case, path=path: dcmtk_levels(case, path), truth)
                asked += [] if case.dcmtk_limit else [case]
            rows.append((case.name, ours, generous, theirs))
    separator = " | " if args.markdown else "  "
    print(separator.join(["", f"{'object':<32}", "Coxa", "pydicom (stretched)", "dcm2pnm", ""]).strip())
    if args.markdown:
        print("|---|---|---|---|")
    for name, ours, generous, theirs in rows:
        print(separator.join(["", f"{name:<32}", shown(ours), shown(generous), shown(theirs), ""]).strip(" "))
    right = [sum(is_right(row[column]) for row in rows) for column in (1, 2, 3)]
    print(f"\nwithin 1/255 of the oracle: Coxa {right[0]}/{len(rows)}, pydicom {right[1]}/{len(rows)}, ", end="")
    print(f"dcm2pnm {right[2]}/{len(asked)} of those it can be asked about" if has_dcmtk else "dcm2pnm not installed")
    return 0 if right[0] == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
