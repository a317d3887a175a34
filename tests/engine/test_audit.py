"""`coxa models audit`: the cases are those of a project's own way, and heatmaps are judged by where they point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from app.core.case import ViewRole  # noqa: E402
from app.core.errors import UserError  # noqa: E402
from app.core.model_input import InputKind, ModelInput, standardise, whole_view  # noqa: E402
from app.engine.audit import FedCase, audit_jobs, audit_model, fed_case, measured_words, with_audit  # noqa: E402
from app.engine.device import choose_device  # noqa: E402
from app.engine.heatmap_method import HeatmapMethod  # noqa: E402
from app.engine.loaded_model import LoadedModel  # noqa: E402
from app.engine.quick_precision import check_views  # noqa: E402
from app.engine.synthesis.known_cases import CaseGroup, first_seed, known_case  # noqa: E402
from app.engine.training.judging import peaks_of  # noqa: E402
from app.store.model_folder import read_card  # noqa: E402
from tests.support.cards import make_card  # noqa: E402
from tests.support.engine_process import make_model  # noqa: E402

CPU = choose_device("cpu", "float32")
WHOLE = ModelInput(kind=InputKind.WHOLE_VIEW, roles=(ViewRole.FRONTAL,), size_px=64)


def test_a_case_is_cut_as_a_projects_is_and_its_fracture_lies_where_it_was_put() -> None:
    seed = first_seed(CaseGroup.DISPLACED, is_held_out=True)
    fed = fed_case((WHOLE, CaseGroup.DISPLACED, seed))
    case = known_case(CaseGroup.DISPLACED, seed)
    view = case.views[0]
    cut = whole_view(view.geometry.rows, view.geometry.cols, view.geometry.spacing, size_px=64)
    assert np.array_equal(fed.views[0], standardise(view.image, view.table, cut, WHOLE))
    assert fed.is_positive
    assert view.fracture_xy is not None
    truth = view.exposed.view.truth
    assert np.hypot(*np.subtract(truth.fracture_centre, truth.head_centre)) < 6 * truth.head_radius_px
    (a, b, c), (d, e, f) = cut.matrix
    x, y = view.fracture_xy
    assert np.allclose(fed.clicks_xy[0], (a * x + b * y + c, d * x + e * y + f))


def test_cases_are_chosen_by_the_models_question_and_held_out() -> None:
    frontal = make_card("frontal")
    jobs = audit_jobs(frontal, 50)
    assert {group for _, group, _ in jobs} == {CaseGroup.NECK, CaseGroup.FROG, CaseGroup.DISPLACED}
    assert min(seed for _, _, seed in jobs) >= 3_500_000
    assert len({seed for _, _, seed in jobs}) == len(jobs) == 50
    assert "30 neck, 10 frog, 10 displaced" in measured_words([group for _, group, _ in jobs])
    clicked = replace(WHOLE, kind=InputKind.ALIGNED_CROP)
    atypical = make_card("aff", classes=("nff", "aff"), input=clicked)
    assert {group for _, group, _ in audit_jobs(atypical, 3)} == {CaseGroup.SHAFT}
    for card in (make_card("garden", decides="garden"), make_card("clicked", input=clicked)):
        with pytest.raises(UserError, match="no synthetic cases"):
            audit_jobs(card, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with random weights that finds everything."""
    place = tmp_path_factory.mktemp("models") / "frontal"
    make_model(place, "cvdt-small-frontal", threshold=1e-6)
    return place


@pytest.fixture(scope="module")
def looked_at(folder: Path) -> list[tuple[tuple[np.ndarray, ...], np.ndarray]]:
    """Noise, and where the heatmaps of it peak."""
    model = LoadedModel(folder, device=CPU.device, precision=CPU.precision)
    found = []
    for views in check_views(model.card.input, count=20):
        (said,) = model.look([views], method=HeatmapMethod.GRAD_CAM, class_number=model.card.finding)
        found.append((views, peaks_of(np.stack(said.heatmaps), model.card.input.size_px)[0].astype(np.float32)))
    return found


Point = Callable[[float], Iterator[FedCase]]


@pytest.fixture
def pointed(looked_at: list[tuple[tuple[np.ndarray, ...], np.ndarray]]) -> Point:
    """Noise whose fractures lie so far from where the heatmaps peak; every other case is a negative."""

    def cases(shift_px: float) -> Iterator[FedCase]:
        for number, (views, at) in enumerate(looked_at):
            click = at + shift_px if number % 2 == 0 else np.full((1, 2), np.nan, np.float32)
            yield FedCase(patient=f"p{number}", is_positive=number % 2 == 0, views=views, clicks_xy=click)

    return cases


def test_heatmaps_that_point_at_the_fracture_hit_and_others_miss(folder: Path, pointed: Point) -> None:
    card = read_card(folder)
    good = audit_model(folder, pointed(3.0), CPU, "noise")
    assert good.audit is not None
    assert (good.audit.hits, good.audit.positives) == (10, 10)
    assert 0 <= good.audit.random_similarity <= 1
    bad = audit_model(folder, pointed(90.0), CPU, "noise")
    assert bad.audit is not None
    assert (bad.audit.hits, bad.audit.positives, bad.audit.is_passed) == (0, 10, False)
    assert {figure.name for figure in good.figures} >= {"AUC", "accuracy", "heatmap peak within 37 px of the fracture"}
    written = with_audit(card, bad)
    assert written.heatmap_audit == bad.audit
    again = with_audit(written, good)
    assert [figure.value for figure in again.figures] == [1.0]
    assert not written.is_heatmap_validated


def test_where_nothing_is_found_there_is_nothing_to_audit(folder: Path, pointed: Point) -> None:
    cases = [replace(case, is_positive=False) for case in pointed(0.0)]
    assert audit_model(folder, cases, CPU, "noise").audit is None
