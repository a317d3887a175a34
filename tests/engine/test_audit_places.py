"""`coxa models audit` of a localiser: distances in mm from where the hip is known to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.core.case import Side  # noqa: E402
from app.core.engine_messages import WholeView  # noqa: E402
from app.core.grey import StoredImage  # noqa: E402
from app.core.grey_tables import display_table  # noqa: E402
from app.core.spacing import Spacing, SpacingSource  # noqa: E402
from app.engine.audit_places import PlacedView, audit_places, place_jobs, placed_views  # noqa: E402
from app.engine.device import choose_device  # noqa: E402
from app.engine.loaded_model import LoadedModel  # noqa: E402
from app.engine.locate import locate  # noqa: E402
from app.engine.synthesis.known_cases import CaseGroup  # noqa: E402
from tests.support.engine_process import GREY, VOI, make_model  # noqa: E402

CPU = choose_device("cpu", "float32")
SPACING = Spacing(row_mm=2.0, col_mm=2.0, source=SpacingSource.MAGNIFICATION, is_trusted=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A localiser with random weights: it finds something in every view."""
    place = tmp_path_factory.mktemp("models") / "hip-localiser"
    make_model(place, "hip-localiser")
    return place


def views_off_by(folder: Path, off_px: float, count: int = 12) -> list[list[PlacedView]]:
    """Views whose hips lie so far, to the right, from where the localiser finds them."""
    model = LoadedModel(folder, device=CPU.device, precision=CPU.precision)
    rng, cases = np.random.default_rng(0), []
    for number in range(count):
        pixels = rng.integers(0, 4096, (90, 120)).astype(np.uint16)
        asked = WholeView(image_sha256="", grey=GREY, voi=VOI, rows=90, cols=120, spacing=SPACING, side=Side.LEFT)
        found = locate(StoredImage(pixels=pixels), display_table(GREY, VOI), asked, model.card.input, model.score)
        neck = (found.center_xy[0] + off_px, found.center_xy[1])
        word = "frontal" if number % 3 else "frog-leg lateral"
        cases.append([PlacedView(patient=f"P{number}", projection=word, pixels=pixels, grey=GREY, window=VOI,
                                 spacing=SPACING, side=Side.LEFT, neck_xy=neck)])  # fmt: skip
    return cases


def test_distances_are_millimetres_and_shares_have_intervals(folder: Path) -> None:
    report = audit_places(folder, views_off_by(folder, 4.0), CPU, "noise")
    found = {figure.name: figure for figure in report.figures}
    assert found["median distance from the middle of the neck, mm, frontal"].value == pytest.approx(8.0, abs=1e-3)
    share = found["share within 20 mm, frog-leg lateral"]
    assert (share.value, share.cases, share.high) == (1.0, 4, 1.0)
    assert share.low is not None
    assert share.low < 0.5
    assert report.near == 1.0
    assert report.near_by_chance < 1.0, "random weights find other places"


def test_places_that_are_far_off_fail(folder: Path) -> None:
    report = audit_places(folder, views_off_by(folder, 15.0), CPU, "noise")
    assert (report.near, report.is_passed) == (0.0, False)


def test_the_cases_are_those_of_the_hold_out_in_every_projection() -> None:
    jobs = place_jobs(23)
    assert {group for group, _ in jobs} == set(CaseGroup)
    assert min(seed for _, seed in jobs) >= 3_500_000
    views = placed_views(place_jobs(1, (CaseGroup.FROG,))[0])
    assert [view.projection for view in views] == ["frontal", "frog-leg lateral"]
    rows, cols = views[0].pixels.shape
    assert 0 < views[0].neck_xy[0] < cols
    assert 0 < views[0].neck_xy[1] < rows
