"""Window a 2688 × 2688 16-bit radiograph: one table and one look-up, against the usual ways, in one run.

    python bench/display_table.py [--rounds N]

The rounds visit the designs in turn, so that a busy moment hits all of them. Ratios are to one np.copyto of the same
image, of the medians and of the fastest rounds; the latter say more on a machine that others use too. Peak extra memory
is what one call allocates at most.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.core.collimation import collimated_area
from app.core.grey import GreyScale, Photometric, Rescale, StoredImage, Window
from app.core.grey_tables import display_table, modality_table, to_display
from app.core.voi import auto_window

SIZE_PX = 2688
WINDOW = Window(center=1600, width=2800)
RESCALE = Rescale(slope=0.684, intercept=200)


def radiograph() -> npt.NDArray[np.uint16]:
    """A smooth field with noise, 12 bits in 16, and a white border on two sides."""
    rng = np.random.default_rng(1)
    ys, xs = np.mgrid[:SIZE_PX, :SIZE_PX] / SIZE_PX
    field = 2000 + 1500 * np.sin(5 * xs + 3 * ys) + rng.normal(0, 60, (SIZE_PX, SIZE_PX))
    field[:, :200] = field[:, -240:] = 4095
    return np.clip(field, 0, 4095).astype(np.uint16)


def float_window(pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """The same window in numpy, straight from its definition, in float32."""
    values = pixels.astype(np.float32) * RESCALE.slope + RESCALE.intercept
    low = WINDOW.center - 0.5 - (WINDOW.width - 1) / 2
    return (np.clip((values - low) / (WINDOW.width - 1), 0, 1) * 255 + 0.5).astype(np.uint8)


def pydicom_window(pixels: npt.NDArray[np.uint16], dataset: Dataset) -> npt.NDArray[np.uint8]:
    """pydicom's helpers, and what is needed to get bytes from them."""
    shown = apply_voi_lut(apply_modality_lut(pixels, dataset), dataset)
    low, high = shown.min(), shown.max()
    return ((shown - low) / (high - low) * 255).astype(np.uint8)


def main() -> None:
    """Time every design and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    pixels = radiograph()
    image = StoredImage(pixels=pixels)
    bare = StoredImage(pixels=np.ascontiguousarray(pixels[:, 200:-240]))
    grey = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12, modality=RESCALE)
    dataset = Dataset()
    dataset.BitsStored, dataset.PixelRepresentation, dataset.PhotometricInterpretation = 12, 0, "MONOCHROME2"
    dataset.RescaleSlope, dataset.RescaleIntercept = RESCALE.slope, RESCALE.intercept
    dataset.WindowCenter, dataset.WindowWidth = WINDOW.center, WINDOW.width
    copy = np.empty_like(pixels)
    modality = modality_table(grey)
    table = display_table(grey, WINDOW)
    span = (int(pixels.min()), int(pixels.max()))
    designs: dict[str, Callable[[], object]] = {
        "np.copyto, uint16 (baseline)": lambda: np.copyto(copy, pixels),
        "Coxa: look-up alone": lambda: to_display(image, table),
        "Coxa: new table and look-up (first frame)": lambda: to_display(image, display_table(grey, WINDOW)),
        "Coxa: the same while dragging": lambda: to_display(
            image, display_table(grey, WINDOW, modality=modality, span=span)
        ),
        "Coxa: the table alone": lambda: display_table(grey, WINDOW),
        "Coxa: the table alone while dragging": lambda: display_table(grey, WINDOW, modality=modality, span=span),
        "numpy index table[pixels]": lambda: table.levels[pixels],
        "numpy float32 window": lambda: float_window(pixels),
        "pydicom apply_modality_lut + apply_voi_lut": lambda: pydicom_window(pixels, dataset),
        "Coxa: collimated area, once for an image": lambda: collimated_area(image, grey),
        "Coxa: collimated area of an image without borders": lambda: collimated_area(bare, grey),
        "Coxa: automatic window, once for an image": lambda: auto_window(image, grey),
    }
    times: dict[str, list[float]] = {name: [] for name in designs}
    for _ in range(rounds):
        for name, design in designs.items():
            start = time.perf_counter()
            design()
            times[name].append(time.perf_counter() - start)
    baseline = times["np.copyto, uint16 (baseline)"]
    print(f"{SIZE_PX} × {SIZE_PX} px, {rounds} rounds\n")
    print("| design | median ms | fastest ms | median × copyto | fastest × copyto | peak extra MB |")
    print("|---|---|---|---|---|---|")
    for name, design in designs.items():
        tracemalloc.start()
        design()
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        median, fastest = statistics.median(times[name]), min(times[name])
        ratios = f"{median / statistics.median(baseline):.1f} | {fastest / min(baseline):.1f}"
        print(f"| {name} | {median * 1e3:.2f} | {fastest * 1e3:.2f} | {ratios} | {peak:.1f} |")
    shown = to_display(image, table).pixels.astype(int)
    print(f"\nlargest difference to the float window: {np.abs(shown - float_window(pixels)).max()} of 255")


if __name__ == "__main__":
    main()
