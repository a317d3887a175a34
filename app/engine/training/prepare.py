"""Cut everything that a run will see, once: display levels in memory-mapped arrays, a little larger than the input.

The same functions cut that draw the preview in the window and feed the engine, so that a network is trained on what it
will be asked about. Runs that cut the same share one cache on the disk (the folds of a cross-validation).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as changed
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from app.core.engine_messages import WholeView
from app.core.errors import UserError
from app.core.geometry import Crop, crop, crop_mask
from app.core.grey_tables import display_table
from app.core.model_input import ModelInput, input_crop, with_margin
from app.core.region import region_around
from app.core.training_run import RunCase, RunView
from app.core.voi import auto_window
from app.engine.locate import Score, locate
from app.store.images import ImageStore
from app.store.run_folder import RunFolder, cached_side, replace

VERSION = "crops-1"  # raised when the same run would be cut otherwise
Tell = Callable[[int, int], None]  # cases cut so far, cases in all
Localise = Callable[[], tuple[ModelInput, Score]]  # loads the localiser when the first view needs it


def is_prepared(run: RunFolder) -> bool:
    """Whether everything is cut."""
    return (run.path / "cache" / "key").is_file() or (run.levels_file.is_file() and not run.views_file.is_file())


def prepare(
    run: RunFolder, *, localiser: Localise | None = None, siblings: Sequence[RunFolder] = (), tell: Tell | None = None
) -> None:
    """Fill the cache of a run; nothing is done where that has happened.

    Args:
        run: frozen.
        localiser: makes what finds hips, for views in which nobody has drawn a region.
        siblings: runs that may have cut the same already.
        tell: is told how far it is.

    Raises:
        UserError: an image is missing or damaged, or `needs-localiser`.
    """
    if is_prepared(run):
        return
    cases, wanted = run.views(), run.plan().input
    key = _key(cases, wanted)
    for other in siblings:
        if other.path != run.path and _kept_key(other) == key and _link(other, run):
            return
    side = cached_side(wanted.size_px)
    shape = (len(cases), len(wanted.roles), side, side)
    levels, inside = run.open_cache(shape)
    clicks = np.full((*shape[:2], 2), np.nan, np.float32)
    images = ImageStore(_images_folder(run))
    score: list[tuple[ModelInput, Score]] = []

    def located(view: RunView) -> tuple[float, float]:
        if localiser is None:
            raise _needs_localiser()
        if not score:
            score.append(localiser())
        return _located(images, view, *score[0])

    def cut(number: int) -> None:
        for place, view in enumerate(cases[number].views):
            with_region = view
            if input_crop(wanted, view.geometry) is None:
                geometry = view.geometry
                region = region_around(located(view), geometry.spacing, rows=geometry.rows, cols=geometry.cols)
                with_region = msgspec.structs.replace(view, geometry=changed(geometry, region=region))
            levels[number, place], inside[number, place], clicks[number, place] = cut_view(
                images, with_region, wanted, side
            )

    needs_localiser = any(input_crop(wanted, view.geometry) is None for case in cases for view in case.views)
    threads = 1 if needs_localiser else min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(cut, range(len(cases))), 1):
            if tell is not None:
                tell(done, len(cases))
    levels.flush()  # type: ignore[attr-defined]
    inside.flush()  # type: ignore[attr-defined]
    with run.clicks_file.with_suffix(".new").open("wb") as file:
        np.save(file, clicks)
    run.clicks_file.with_suffix(".new").replace(run.clicks_file)
    replace(run.path / "cache" / "key", key.encode())


def cut_view(
    images: ImageStore, view: RunView, wanted: ModelInput, side: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], tuple[float, float]]:
    """Cut one view.

    Args:
        images: where its pixels are.
        view: with everything that the cut needs.
        wanted: what the network is fed.
        side: of what is cut, px.

    Returns:
        (side, side) display levels, (side, side) whether there is image, and the click in input coordinates (NaN where
        there is none, or it lies outside).

    Raises:
        UserError: the image is missing or damaged.
    """
    inner = input_crop(wanted, view.geometry)
    assert inner is not None, "what the cut needs is there"
    outer = with_margin(inner, side)
    image = images.load(view.image_sha256)
    window = view.window if view.window is not None else auto_window(image, view.grey)
    table = display_table(view.grey, window, offset=image.offset)
    rows, cols = image.pixels.shape
    is_inside = crop_mask(outer, rows=rows, cols=cols)
    levels = table.levels[crop(image.pixels, outer)]
    levels[~is_inside] = 0  # black, so that nothing bright is blended in where an image ends
    return levels, is_inside, _click(view, inner)


def _click(view: RunView, cut: Crop) -> tuple[float, float]:
    if view.click_xy is None:
        return np.nan, np.nan
    (a, b, c), (d, e, f) = cut.matrix
    x, y = a * view.click_xy[0] + b * view.click_xy[1] + c, d * view.click_xy[0] + e * view.click_xy[1] + f
    return (x, y) if 0 <= x < cut.size_px and 0 <= y < cut.size_px else (np.nan, np.nan)


def _located(images: ImageStore, view: RunView, wanted: ModelInput, score: Score) -> tuple[float, float]:
    image = images.load(view.image_sha256)
    window = view.window if view.window is not None else auto_window(image, view.grey)
    whole = WholeView(
        image_sha256=view.image_sha256,
        grey=view.grey,
        voi=window,
        rows=view.geometry.rows,
        cols=view.geometry.cols,
        spacing=view.geometry.spacing,
        side=view.geometry.side,
    )
    return locate(image, display_table(view.grey, window, offset=image.offset), whole, wanted, score).center_xy


def _key(cases: Sequence[RunCase], wanted: ModelInput) -> str:
    """Names everything that the cache depends on."""
    return hashlib.sha256(VERSION.encode() + msgspec.json.encode([wanted, [case.views for case in cases]])).hexdigest()


def _kept_key(run: RunFolder) -> str:
    try:
        return (run.path / "cache" / "key").read_text(encoding="ascii")
    except OSError:
        return ""


def _link(source: RunFolder, goal: RunFolder) -> bool:
    """Give a run the arrays of another one; they are never changed."""
    names = ("levels.npy", "inside.npy", "clicks.npy", "key")
    try:
        for name in names:
            (goal.path / "cache" / name).unlink(missing_ok=True)
            os.link(source.path / "cache" / name, goal.path / "cache" / name)
    except OSError:
        return False  # another disk, or a file system without links: it is cut again
    return True


def _images_folder(run: RunFolder) -> Path:
    path = Path(run.info().images)
    return path if path.is_absolute() else run.path / path


def _needs_localiser() -> UserError:
    return UserError(
        "A region is missing.",
        reason="In some views nobody has drawn a box around the hip, and the model that proposes one is not here.",
        remedy="Draw the boxes, or choose a network that sees the whole view.",
        kind="needs-localiser",
    )
