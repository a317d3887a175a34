"""Whole cases: reproducible, exactly mirrored, true about themselves. On coarse grids: nothing here is about looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.case import Projection, Side
from app.engine.phantom.case import CaseRequest, SyntheticCase, build_case
from app.engine.phantom.femur import femur_frame, shaft_point
from app.engine.phantom.femur_model import Resolution
from app.engine.phantom.fracture import CaseKind, Visibility, fracture_plane
from app.engine.phantom.implant import ImplantKind
from app.engine.phantom.render import difference_image, project_view
from app.engine.phantom.views import ViewKind
from app.engine.phantom.volume import Material, Part
from app.engine.projection import project, project_part
from app.engine.synthesis.radiographs import ExposedView, Quality, expose_case

ROUGH = Resolution(femur=1.2, pelvis=2.4, soft=9.0)


def request(seed: int = 3, **changes: object) -> CaseRequest:
    base = CaseRequest(
        seed=seed, kind=CaseKind.NECK_NON_DISPLACED, side=Side.LEFT, height_px=160, resolution=ROUGH,
        visibility=Visibility.BOTH,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def first_view(case: SyntheticCase, quality: Quality | None = None) -> ExposedView:
    return next(expose_case(case, quality=quality))


@pytest.fixture(scope="module")
def broken():
    return build_case(request())


def test_the_same_request_gives_the_same_bytes(broken):
    again = build_case(request())
    for first, second in zip(expose_case(broken), expose_case(again), strict=True):
        assert first.radiograph.pixels.tobytes() == second.radiograph.pixels.tobytes()
        assert first.difference.tobytes() == second.difference.tobytes()
        assert first.view.truth == second.view.truth
    other = first_view(build_case(request(seed=4)))
    assert other.radiograph.pixels.tobytes() != first_view(broken).radiograph.pixels.tobytes()


def test_a_right_hip_is_the_exact_mirror_image(broken):
    right = build_case(request(side=Side.RIGHT))
    for left_view, right_view in zip(broken.views, right.views, strict=True):
        left_lines, right_lines = project_view(left_view), project_view(right_view)
        for material, image in left_lines.areal.items():
            np.testing.assert_array_equal(image[:, ::-1], right_lines.areal[material])
        np.testing.assert_array_equal(difference_image(left_lines)[:, ::-1], difference_image(right_lines))
        cols = left_view.setup.geometry.cols
        assert right_view.truth.fracture_centre[0] == cols - left_view.truth.fracture_centre[0]
        assert right_view.truth.fracture_centre[1] == left_view.truth.fracture_centre[1]
        back = right_view.truth.mirrored(cols)
        np.testing.assert_allclose(back.shaft_axis, left_view.truth.shaft_axis, rtol=1e-12)
        for name, point in left_view.truth.landmarks.items():
            np.testing.assert_allclose(back.landmarks[name], point, rtol=1e-12)
    assert (broken.labels.side, right.labels.side) == (Side.LEFT, Side.RIGHT)


def test_studies_of_one_patient_share_the_anatomy_but_not_the_image():
    first = build_case(request(seed=10, patient_seed=7, kind=CaseKind.NORMAL, visibility=None))
    second = build_case(request(seed=11, patient_seed=7))
    assert first.patient == second.patient
    assert first.patient.id == "SYN-00000007"
    assert first.views[0].setup.geometry.source.tolist() != second.views[0].setup.geometry.source.tolist()


def _bead(pose: np.ndarray, point: np.ndarray) -> Part:
    """A tiny dense bead at a point of a part's frame."""
    density = np.zeros((3, 3, 3), dtype=np.float32)
    density[1, 1, 1] = 1
    h = 0.8
    origin = tuple(float(v) for v in point - h)
    return Part(
        name="bead", material=Material.METAL, density=density, spacing_mm=(h, h, h), origin_mm=origin, pose=pose
    )


def _seen_at(view, pose: np.ndarray, point: np.ndarray) -> np.ndarray:
    image = project_part(_bead(pose, point), view.setup.geometry).astype(np.float64)
    rows, cols = np.indices(image.shape)
    return np.array([((cols + 0.5) * image).sum(), ((rows + 0.5) * image).sum()]) / image.sum()


@pytest.mark.parametrize("kind", [CaseKind.NECK_NON_DISPLACED, CaseKind.GARDEN_4, CaseKind.TROCHANTERIC])
def test_truth_points_fall_where_the_projector_puts_them(kind):
    """Beads set into the posed bone parts, seen through the projector, against the truth: within half a pixel."""
    made = build_case(request(kind=kind, visibility=None, height_px=320))
    k = made.patient.scale
    for view in made.views:
        distal = next(p for p in view.broken_bones if p.name == "femur-distal")
        proximal = next(p for p in view.broken_bones if p.name == "femur-proximal")
        truth = view.truth
        axis = _seen_at(view, distal.pose, shaft_point(made.patient, -45.0))
        np.testing.assert_allclose(truth.shaft_axis[0], axis, atol=0.5)
        head = femur_frame(made.patient).head_mm
        np.testing.assert_allclose(truth.head_centre, _seen_at(view, proximal.pose, head), atol=0.5)
        socket = _seen_at(view, np.eye(4), np.zeros(3))
        np.testing.assert_allclose(truth.landmarks["acetabular-centre"], socket, atol=0.5)
        np.testing.assert_allclose(truth.head_centre, socket, atol=0.5)  # the head stays in its socket
        centre = fracture_plane(made.patient, made.fracture).point_mm
        halves = [_seen_at(view, part.pose, centre) for part in (proximal, distal)]
        if kind is CaseKind.NECK_NON_DISPLACED:
            np.testing.assert_allclose(truth.fracture_centre, np.mean(halves, axis=0), atol=0.5)
        if kind is not CaseKind.TROCHANTERIC:
            lesser = np.array([-19.0 * k, 16.0 * k, -33.0 * k])
            np.testing.assert_allclose(
                truth.landmarks["lesser-trochanter"], _seen_at(view, distal.pose, lesser), atol=0.5
            )


def test_the_difference_image_shows_the_fracture_and_nothing_far_from_it(broken):
    for view in broken.views:
        difference = difference_image(project_view(view))
        x, y = view.truth.fracture_centre
        rows, cols = difference.shape
        pixel = view.setup.geometry.pixel_mm
        away = np.hypot(np.arange(cols)[None] + 0.5 - x, np.arange(rows)[:, None] + 0.5 - y) * pixel > 95
        assert np.abs(difference).max() > 0.05
        assert np.abs(difference[away]).max() < 1e-5


def test_labels_say_what_was_asked_for(broken):
    assert broken.labels.has_fracture
    assert (broken.labels.region, broken.labels.displacement) == ("neck", "non-displaced")
    assert broken.labels.garden in (1, 2)
    assert broken.labels.planned_visibility == "both"
    normal = build_case(request(kind=CaseKind.NORMAL, visibility=None))
    assert not normal.labels.has_fracture
    assert normal.views[0].truth.fracture_centre is None
    assert first_view(normal).difference is None


def test_the_five_centimetres_below_the_lesser_trochanter_are_subtrochanteric():
    found = {}
    for seed in range(8):
        made = build_case(
            request(seed, kind=CaseKind.SHAFT_ATYPICAL, visibility=None, views=(ViewKind.SHAFT_FRONTAL,), height_px=160)
        )
        found.setdefault(made.labels.region, []).append(made.fracture.level_mm)
    assert set(found) == {"subtrochanteric", "shaft"}
    assert min(found["subtrochanteric"]) > -105
    assert max(found["shaft"]) < -80


@pytest.mark.parametrize("kind", [CaseKind.SHAFT_ATYPICAL, CaseKind.SHAFT_NORMAL])
def test_shaft_fractures_lie_below_the_trochanters(kind):
    made = build_case(
        request(kind=kind, visibility=None, views=(ViewKind.SHAFT_FRONTAL, ViewKind.SHAFT_LATERAL), height_px=240)
    )
    assert made.labels.region in ("subtrochanteric", "shaft")
    assert made.labels.is_atypical is (kind is CaseKind.SHAFT_ATYPICAL)
    truth = made.views[0].truth
    assert truth.fracture_centre[1] > truth.landmarks["lesser-trochanter"][1]
    geometry = made.views[0].setup.geometry
    assert 0 < truth.fracture_centre[0] < geometry.cols
    assert 0 < truth.fracture_centre[1] < geometry.rows


def test_a_whole_pelvis_shows_both_hips_and_its_letter_on_the_right_half():
    for side in (Side.LEFT, Side.RIGHT):
        made = build_case(request(side=side, views=(ViewKind.PELVIS,)))
        taken = first_view(made)
        cols = made.views[0].setup.geometry.cols
        letter = taken.radiograph.marker_box[:, 0].mean()
        assert bool(letter > cols / 2) is (side is Side.LEFT)
        assert (made.views[0].truth.head_centre[0] > cols / 2) is (side is Side.LEFT)
        names = {part.name for part in made.views[0].parts}
        assert {"other-femur", "pelvis-right", "pelvis-left", "sacrum-and-spine"} <= names
        wrong = first_view(made, Quality(is_marker_wrong=True))
        assert bool(wrong.radiograph.marker_box[:, 0].mean() > cols / 2) is (side is Side.RIGHT)


@pytest.mark.parametrize("implant", list(ImplantKind))
def test_an_implant_is_metal_in_the_femur(implant):
    made = build_case(request(kind=CaseKind.NORMAL, visibility=None, implant=implant))
    lines = project_view(made.views[0])
    metal = lines.areal[Material.METAL]
    assert metal.max() > 3
    x, y = made.views[0].truth.head_centre
    pixel = made.views[0].setup.geometry.pixel_mm
    rows, cols = np.nonzero(metal > 1)
    assert np.hypot(cols - x, rows - y).min() * pixel < made.patient.head_radius_mm
    assert made.labels.has_implant
    assert (lines.areal[Material.MUSCLE] >= 0).all()


def test_metal_takes_the_place_of_bone():
    made = build_case(request(kind=CaseKind.GARDEN_3, visibility=None, implant=ImplantKind.NAIL, has_twin=True))
    for parts in (made.views[0].parts, made.views[0].intact_bones):
        taken = next(part for part in parts if part.name.startswith("displaced-by-"))
        metal = next(part for part in made.views[0].parts if part.material is Material.METAL)
        assert taken.density.max() <= 0
        np.testing.assert_array_equal(taken.pose, metal.pose)
        assert not taken.density[metal.density == 0].any()
        femur = [part for part in parts if part.material is Material.BONE and "femur" in part.name]
        geometry = made.views[0].setup.geometry
        whole, hole = project(femur, geometry)[Material.BONE], project([taken], geometry)[Material.BONE]
        assert hole.min() < -0.1  # a nail fills a marrow cavity with little bone in it, the lag screw a head
        assert (whole + hole).min() > -0.03 * whole.max()  # two grids: their edges differ by parts of a voxel


def test_views_are_set_up_as_in_daily_practice():
    for kind, projection in (
        (ViewKind.FRONTAL, Projection.FRONTAL),
        (ViewKind.CROSS_TABLE, Projection.CROSS_TABLE),
        (ViewKind.FROG_LEG, Projection.FROG_LEG),
        (ViewKind.PELVIS, Projection.FRONTAL),
    ):
        made = build_case(request(seed=21, kind=CaseKind.NORMAL, visibility=None, views=(kind,)))
        view = made.views[0]
        assert kind.projection is projection
        assert 1.1 < view.setup.magnification < 1.4
        assert 990 < view.setup.geometry.source_to_detector_mm < 1260
        x, y = view.truth.head_centre
        assert 0.1 * view.setup.geometry.cols < x < 0.9 * view.setup.geometry.cols
        assert 0.1 * view.setup.geometry.rows < y < 0.9 * view.setup.geometry.rows


@pytest.mark.parametrize(
    "changes", [{"side": Side.BOTH}, {"views": ()}, {"seed": -1}, {"patient_seed": -2}], ids=lambda c: next(iter(c))
)
def test_an_impossible_request_is_refused(changes):
    with pytest.raises(ValueError, match=r".+"):
        request(**changes)
