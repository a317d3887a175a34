"""Placeholder radiographs drawn in code, for the demo project until the synthetic data set exists.

A hip is a set of smooth outlines in millimetres. The thickness that the beam crosses follows from the distance to an
outline as if the part were round, a cortical shell being the difference of an outer and an inner thickness; paths
add up to an attenuation, which is compressed, blurred, given noise and stored in 12 of 16 bits as a digital
radiography system would. This is drawing, not physics: no measurement on these images means anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.core.case import Projection, Side
from app.engine.placeholder_shapes import (
    BODY,
    COCCYX,
    FEMUR_FRONTAL,
    FEMUR_LATERAL,
    ILIUM,
    ILIUM_CROSS_TABLE,
    INFERIOR_RAMUS,
    ISCHIUM,
    ISCHIUM_CROSS_TABLE,
    MIDLINE_MM,
    SACRUM,
    SUPERIOR_RAMUS,
    THIGH_CROSS_TABLE,
    TROCHANTER_LATERAL,
    Outline,
)

SPACING_MM = 0.2
BITS_STORED = 12

BEYOND_PX = 80

Plane = npt.NDArray[np.float32]
Part = tuple[slice, slice]

CORTICAL_PER_MM = 0.062
CANCELLOUS_PER_MM = 0.026
SOFT_PER_MM = 0.0195
PHOTONS = 16000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceholderHip:
    """One invented hip.

    Args:
        seed: fixes its shape and the noise.
        side: LEFT or RIGHT.
        lateral: FROG_LEG or CROSS_TABLE.
        neck_gap_mm: width of the dark line across the femoral neck, mm; 0 = none.
        neck_step_mm: by how much the head has slipped along that line, mm.
        density: cortical and cancellous density, 1 = ordinary, less = osteopenic.
        dose: photons relative to an ordinary exposure; less is noisier.
    """

    seed: int
    side: Side
    lateral: Projection = Projection.FROG_LEG
    neck_gap_mm: float = 0.0
    neck_step_mm: float = 0.0
    density: float = 1.0
    dose: float = 1.0


class _Plate:
    """A detector on which parts are laid down: the beam path through each, mm, and the attenuation so far."""

    def __init__(self, rows: int, cols: int, origin_mm: tuple[float, float], *, is_mirrored: bool) -> None:
        self.rows, self.cols = rows, cols
        self._origin_mm = origin_mm
        self._is_mirrored = is_mirrored
        self.bone: Plane = np.zeros((rows, cols), np.float32)
        self.cancellous: Plane = np.zeros((rows, cols), np.float32)
        self.soft: Plane = np.zeros((rows, cols), np.float32)

    def to_px(self, points_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Map (N, 2) mm to image coordinates, px."""
        x = points_mm[:, 0] - self._origin_mm[0]
        y = points_mm[:, 1] - self._origin_mm[1]
        x_px = x / SPACING_MM
        return np.stack([self.cols - x_px if self._is_mirrored else x_px, y / SPACING_MM], axis=1)

    def depth_mm(self, *outlines_mm: npt.NDArray[np.float64]) -> tuple[Part, Plane]:
        """Where the union of outlines lies on the plate, and the distance to its border inside it, mm (0 outside)."""
        outlines_px = [self.to_px(points) for points in outlines_mm]
        everything = np.concatenate(outlines_px)
        low = np.clip(np.floor(everything.min(0)).astype(int) - 2, 0, (self.cols, self.rows))
        high = np.clip(np.ceil(everything.max(0)).astype(int) + 2, 0, (self.cols, self.rows))
        part = (slice(low[1], high[1]), slice(low[0], high[0]))
        if (high <= low).any():
            return part, np.zeros((max(high[1] - low[1], 0), max(high[0] - low[0], 0)), np.float32)
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        for points in outlines_px:
            cv2.fillPoly(mask, [np.round((points - low) * 16).astype(np.int32)], 255, shift=4)
        # A part that leaves the plate goes on beyond its border: replicate it there, or the border would look like bone's.
        padded = cv2.copyMakeBorder(mask, BEYOND_PX, BEYOND_PX, BEYOND_PX, BEYOND_PX, cv2.BORDER_REPLICATE)
        depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[BEYOND_PX:-BEYOND_PX, BEYOND_PX:-BEYOND_PX]
        return part, np.asarray(depth * SPACING_MM, np.float32)

    def lay_bone(
        self, *outlines_mm: npt.NDArray[np.float64], radius_mm: float, cortex_mm: float | Plane, density: float = 1.0
    ) -> None:
        """Add a bone, the union of outlines: a shell of compact bone around cancellous bone."""
        part, depth = self.depth_mm(*outlines_mm)
        cortex = cortex_mm if isinstance(cortex_mm, float) else cortex_mm[part]
        outer, inner = _chord(depth, radius_mm), _chord(depth - cortex, radius_mm)
        self.bone[part] += (outer - inner) * (CORTICAL_PER_MM * density)
        self.cancellous[part] += inner * (CANCELLOUS_PER_MM * density)

    def lay_soft(
        self, points_mm: npt.NDArray[np.float64], *, radius_mm: float, thickness_mm: float, blur_mm: float = 0.0
    ) -> None:
        """Add soft tissue that is at most `thickness_mm` thick."""
        quarter = _Plate(self.rows // 4, self.cols // 4, (0.0, 0.0), is_mirrored=False)
        points = self.to_px(points_mm) * (SPACING_MM / 4)
        part, depth = quarter.depth_mm(points)
        chord = np.zeros((quarter.rows, quarter.cols), np.float32)
        chord[part] = _chord(depth * 4, radius_mm) * (thickness_mm / (2 * radius_mm))
        chord = np.asarray(cv2.GaussianBlur(chord, (0, 0), blur_mm / (4 * SPACING_MM) + 2), np.float32)
        self.soft += np.asarray(cv2.resize(chord, (self.cols, self.rows), interpolation=cv2.INTER_CUBIC)) * SOFT_PER_MM


def frontal(hip: PlaceholderHip) -> npt.NDArray[np.uint16]:
    """An anteroposterior hip radiograph: (1400, 1200) uint16, stored values 0 … 4095, MONOCHROME2."""
    rng = np.random.default_rng([hip.seed, 1])
    plate = _Plate(1400, 1200, (-124.0, -112.0), is_mirrored=hip.side is Side.RIGHT)
    plate.lay_soft(_smooth(BODY), radius_mm=110, thickness_mm=190)
    plate.lay_soft(
        _smooth(_moved(FEMUR_FRONTAL, scale=2.3, shift=(-45, -30))), radius_mm=60, thickness_mm=30, blur_mm=8
    )
    _lay_pelvis(plate, rng, hip, is_both_sides=True)
    _lay_femur_frontal(plate, rng, hip)
    return _expose(plate, rng, hip, hip.side)


def lateral(hip: PlaceholderHip) -> npt.NDArray[np.uint16]:
    """The second view of the same hip: (1200, 1400) uint16, frog-leg or cross-table as the hip asks."""
    rng = np.random.default_rng([hip.seed, 2])
    if hip.lateral is Projection.CROSS_TABLE:
        plate = _Plate(1200, 1400, (-112.0, -108.0), is_mirrored=hip.side is Side.RIGHT)
        plate.lay_soft(_smooth(THIGH_CROSS_TABLE), radius_mm=100, thickness_mm=220)
        plate.lay_soft(_smooth([(-400, -130), (-70, -110), (-10, 0), (-70, 130), (-400, 140)]),
                       radius_mm=90, thickness_mm=90, blur_mm=16)  # fmt: skip
        density = hip.density
        plate.lay_bone(_jitter(ILIUM_CROSS_TABLE, rng), radius_mm=20, cortex_mm=1.8, density=0.4 * density)
        plate.lay_bone(_jitter(ISCHIUM_CROSS_TABLE, rng), radius_mm=15, cortex_mm=1.8, density=0.9 * density)
        _lay_socket(plate, (0.0, 0.0), (110.0, 275.0), density)
        _lay_femur_lateral(plate, rng, hip, angle_deg=-84 + rng.uniform(-5, 5))
    else:
        plate = _Plate(1200, 1400, (-124.0, -104.0), is_mirrored=hip.side is Side.RIGHT)
        plate.lay_soft(_smooth(BODY), radius_mm=110, thickness_mm=180)
        thigh = [(-40, -60), (60, -70), (150, -20), (300, 120), (200, 300), (60, 130), (-20, 90), (-50, 20)]
        plate.lay_soft(_smooth(thigh), radius_mm=80, thickness_mm=70, blur_mm=9)
        _lay_pelvis(plate, rng, hip, is_both_sides=True)
        _lay_femur_lateral(plate, rng, hip, angle_deg=-52 + rng.uniform(-7, 7))
    return _expose(plate, rng, hip, hip.side)


def pelvis(hip: PlaceholderHip) -> npt.NDArray[np.uint16]:
    """An anteroposterior radiograph of the whole pelvis with both hips: (1450, 2100) uint16."""
    rng = np.random.default_rng([hip.seed, 3])
    plate = _Plate(1450, 2100, (MIDLINE_MM - 210.0, -150.0), is_mirrored=False)
    plate.lay_soft(_smooth(BODY), radius_mm=120, thickness_mm=200)
    _lay_pelvis(plate, rng, hip, is_both_sides=True)
    _lay_femur_frontal(plate, rng, hip)
    _lay_femur_frontal(plate, rng, hip, is_other_side=True)
    return _expose(plate, rng, hip, Side.LEFT)


def _lay_pelvis(plate: _Plate, rng: np.random.Generator, hip: PlaceholderHip, *, is_both_sides: bool) -> None:
    density = hip.density
    shapes = [
        (_jitter(ILIUM, rng), 9.0, 1.7, 0.8), (_jitter(ISCHIUM, rng), 14.0, 1.9, 1.0),
        (_jitter(SUPERIOR_RAMUS, rng), 9.0, 1.7, 0.95), (_jitter(INFERIOR_RAMUS, rng), 7.0, 1.6, 0.95),
    ]  # fmt: skip
    for points, radius_mm, cortex_mm, share in shapes:
        plate.lay_bone(points, radius_mm=radius_mm, cortex_mm=cortex_mm, density=share * density)
        if is_both_sides:
            other = points * (-1, 1) + (2 * MIDLINE_MM, 0)
            plate.lay_bone(other, radius_mm=radius_mm, cortex_mm=cortex_mm, density=share * density)
    plate.lay_bone(_jitter(SACRUM, rng), radius_mm=26, cortex_mm=1.6, density=0.42 * density)
    plate.lay_bone(_jitter(COCCYX, rng), radius_mm=5, cortex_mm=1.2, density=0.8 * density)
    for row in range(4):  # sacral foramina: pairs of thinner bone with a fine rim
        for sign in (-1, 1):
            center = (MIDLINE_MM + sign * (13 + 3.4 * row), -42.0 - 22.0 * row)
            ring = _smooth(_circle(center, 5.5))
            part, depth = plate.depth_mm(ring)
            plate.cancellous[part] -= _chord(depth, 5.0) * 0.012
            plate.bone[part] += _rim(depth, 1.0) * 0.05
    for center in ((0.0, 0.0), (2 * MIDLINE_MM, 0.0)) if is_both_sides else ((0.0, 0.0),):
        is_far = center[0] < MIDLINE_MM
        _lay_socket(plate, center, (-158.0, -22.0), density, is_flipped=is_far)
    for _ in range(int(rng.integers(3, 6))):  # bowel gas
        center = (MIDLINE_MM + rng.uniform(-38, 34), rng.uniform(-105, -30))
        gas = _jitter(_circle(center, rng.uniform(6, 14)), rng, amount_mm=2.5)
        part, depth = plate.depth_mm(gas)
        if depth.size:
            plate.soft[part] -= np.asarray(cv2.GaussianBlur(_chord(depth - 1.0, 9), (0, 0), 4)) * (0.6 * SOFT_PER_MM)


def _lay_socket(
    plate: _Plate,
    center: tuple[float, float],
    span_deg: tuple[float, float],
    density: float,
    *,
    is_flipped: bool = False,
) -> None:
    """The subchondral plate of the acetabulum (dense above, thin medially), and its anterior and posterior walls."""
    sign = -1.0 if is_flipped else 1.0
    for radius, from_deg, to_deg, width, strength in (
        (28.5, *span_deg, 2.4, 0.42), (31.5, span_deg[0] - 60, span_deg[0] + 25, 1.4, 0.30),
        (27.0, span_deg[0] - 90, span_deg[0] + 10, 1.2, 0.22), (36.0, span_deg[0] - 50, span_deg[0] + 30, 1.3, 0.24),
    ):  # fmt: skip
        angles = np.deg2rad(np.linspace(from_deg, to_deg, 60))
        arc = np.stack([center[0] + sign * radius * np.cos(angles), center[1] + radius * np.sin(angles)], axis=1)
        line = np.zeros((plate.rows, plate.cols), np.uint8)
        pts = np.round(plate.to_px(arc) * 16).astype(np.int32)
        cv2.polylines(line, [pts], False, 255, max(1, round(width / SPACING_MM)), cv2.LINE_AA, shift=4)
        soft = cv2.GaussianBlur(line, (0, 0), 3.5).astype(np.float32) / 255
        plate.bone += soft * np.float32(strength * density)
    wall = [(-6, -25), (4, -5), (6, 14), (0, 26), (-10, 25), (-22, 12), (-27, -4), (-20, -20)]
    points = np.array(wall, float) * (sign, 1) + center
    part, depth = plate.depth_mm(_smooth(points))
    plate.cancellous[part] += _chord(depth, 8) * np.float32(CANCELLOUS_PER_MM * 0.5 * density)


def _lay_femur_frontal(
    plate: _Plate, rng: np.random.Generator, hip: PlaceholderHip, *, is_other_side: bool = False
) -> None:
    flip = np.array([-1.0, 1.0]) if is_other_side else np.array([1.0, 1.0])
    shift = np.array([2 * MIDLINE_MM, 0.0]) if is_other_side else np.zeros(2)
    turn = _rotation(rng.uniform(-4, 4))
    has_line = hip.neck_gap_mm > 0 and not is_other_side
    head_shift = np.array([0.64, 0.76]) * -hip.neck_step_mm if has_line else np.zeros(2)
    body = (_jitter(FEMUR_FRONTAL, rng) - head_shift) @ turn.T
    head = _smooth(_circle((0.0, 0.0), 24.2))
    axis = turn @ np.array([0.766, 0.643])
    _lay_femur(plate, rng, hip, body * flip + shift, head * flip + shift,
               turn @ np.array([46.0, 60.0]) * flip + shift, (0.0, 1.0))  # fmt: skip
    if has_line:
        _cut_neck(plate, rng, axis * 27.0 * flip + shift, axis * flip, hip.neck_gap_mm)


def _lay_femur_lateral(plate: _Plate, rng: np.random.Generator, hip: PlaceholderHip, *, angle_deg: float) -> None:
    turn = _rotation(angle_deg)
    body = _jitter(FEMUR_LATERAL, rng) @ turn.T
    head = _smooth(_circle((0.0, 0.0), 24.2))
    axis = turn @ np.array([0.0, 1.0])
    plate.lay_bone(_jitter(TROCHANTER_LATERAL, rng) @ turn.T, radius_mm=12, cortex_mm=1.1, density=0.6 * hip.density)
    _lay_femur(plate, rng, hip, body, head, axis * 60.0, (float(axis[0]), float(axis[1])))
    if hip.neck_gap_mm > 0:
        _cut_neck(plate, rng, axis * 25.0, axis, hip.neck_gap_mm)


def _lay_femur(
    plate: _Plate,
    rng: np.random.Generator,
    hip: PlaceholderHip,
    body: npt.NDArray[np.float64],
    head: npt.NDArray[np.float64],
    shaft_start: npt.NDArray[np.float64],
    down: tuple[float, float],
) -> None:
    """Lay head and body as one bone; the cortex thickens along `down` from 1.3 mm to the 6 mm of the shaft."""
    y, x = np.mgrid[0 : plate.rows, 0 : plate.cols].astype(np.float32)
    start_px = plate.to_px(shaft_start[None])[0]
    end_px = plate.to_px(shaft_start[None] + np.array(down)[None])[0]
    step = end_px - start_px
    along_mm = ((x - start_px[0]) * step[0] + (y - start_px[1]) * step[1]) / float(step @ step)
    share = np.clip((along_mm + 30) / 90, 0, 1)
    cortex = np.asarray(1.4 + 4.8 * share * share * (3 - 2 * share), np.float32)
    before = plate.cancellous.copy()
    plate.lay_bone(body, head, radius_mm=14.5, cortex_mm=cortex, density=hip.density)
    part, depth_head = plate.depth_mm(head)
    extra = np.clip(_chord(depth_head, 24.2) - 2 * 14.5, 0, None)  # a ball is thicker than the neck behind it
    plate.cancellous[part] += extra * np.float32(CANCELLOUS_PER_MM * 0.8 * hip.density)
    plate.bone[part] += _rim(depth_head, 1.2) * np.float32(0.05 * hip.density)
    _lay_trabeculae(plate, rng, (plate.cancellous - before) * (1 - 0.8 * share), hip.density)


def _lay_trabeculae(plate: _Plate, rng: np.random.Generator, weight: Plane, density: float) -> None:
    """Modulate cancellous bone by two crossing families of fine streaks."""
    texture = np.zeros_like(weight)
    for angle_deg, strength in ((62.0, 0.11), (128.0, 0.07)):
        noise = rng.standard_normal((plate.rows, plate.cols), dtype=np.float32)
        length = 41
        kernel = np.zeros((length, length), np.float32)
        c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
        half = length // 2
        cv2.line(kernel, (round(half - c * half), round(half - s * half)), (round(half + c * half),
                 round(half + s * half)), 1.0, 1, cv2.LINE_AA)  # fmt: skip
        streaks = cv2.filter2D(noise, -1, kernel / np.sqrt(float((kernel**2).sum())))
        fine = cv2.GaussianBlur(streaks, (0, 0), 1.4)
        texture += np.asarray(fine - cv2.GaussianBlur(fine, (0, 0), 6), np.float32) * np.float32(strength)
    plate.cancellous += weight * texture * np.float32(1.6 / max(density, 0.5))


def _cut_neck(
    plate: _Plate,
    rng: np.random.Generator,
    center_mm: npt.NDArray[np.float64],
    axis: npt.NDArray[np.float64],
    gap_mm: float,
) -> None:
    """A dark, slightly jagged line across the femoral neck with a faint dense border: where bone is missing."""
    across = np.array([-axis[1], axis[0]])
    t = np.linspace(-21, 21, 40)
    wander = np.cumsum(rng.normal(0, 0.55, t.size))
    wander -= np.linspace(wander[0], wander[-1], t.size)
    tilt = rng.uniform(-0.25, 0.25)
    line_mm = center_mm + t[:, None] * across + (wander + tilt * t)[:, None] * axis
    pts = np.round(plate.to_px(line_mm) * 16).astype(np.int32)

    def drawn(width_mm: float, blur_px: float) -> Plane:
        mask = np.zeros((plate.rows, plate.cols), np.uint8)
        cv2.polylines(mask, [pts], False, 255, max(1, round(width_mm / SPACING_MM)), cv2.LINE_AA, shift=4)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur_px).astype(np.float32) / 255)

    keep = 1 - 0.62 * drawn(gap_mm, 1.6)
    dense = np.clip(drawn(gap_mm + 3.5, 4.0) - drawn(gap_mm, 2.0), 0, 1) * np.float32(0.16)
    plate.bone *= keep
    plate.cancellous *= keep + dense


def _expose(plate: _Plate, rng: np.random.Generator, hip: PlaceholderHip, marker: Side) -> npt.NDArray[np.uint16]:
    """Beam, scatter, noise, the maker's tone curve, collimator, lead marker; 12 bits in 16."""
    shape = (plate.rows, plate.cols)
    muscle = _cloud(rng, shape, 260) * 0.016 + _cloud(rng, shape, 60) * 0.006
    tissue = np.clip(plate.soft, 0, None) * (1 + muscle)
    path = tissue + np.clip(plate.bone, 0, None) + np.clip(plate.cancellous, 0, None)
    path = np.asarray(cv2.GaussianBlur(path, (0, 0), 1.1), np.float32)
    photons = np.float32(PHOTONS * hip.dose) * np.exp(-path)
    scatter = np.float32(60 * hip.dose)
    counts = photons + scatter + rng.standard_normal(shape, dtype=np.float32) * np.sqrt(photons + scatter)
    counts = np.asarray(cv2.GaussianBlur(np.clip(counts, 1, None), (0, 0), 0.55), np.float32)
    log = np.float32(np.log(PHOTONS * hip.dose + 60)) - np.log(counts)
    large = cv2.resize(cv2.GaussianBlur(cv2.resize(log, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA),
                                        (0, 0), 22), (plate.cols, plate.rows))  # fmt: skip
    detail = log - cv2.GaussianBlur(log, (0, 0), 3.0)
    tone = log - 0.42 * (large - float(large.mean())) + 0.9 * detail
    in_body = (plate.soft > 0.4).astype(np.float32)
    low, high = np.percentile(tone[in_body > 0], (2, 99.9))
    levels = 520 + (tone - low) / (high - low) * 2900
    levels = np.where(levels < 520, 120 + 400 * np.exp((levels - 520) / 500), levels)
    levels = _lead_marker(levels, rng, marker)
    return np.asarray(np.clip(_collimate(levels, rng), 0, 4095) + 0.5, np.uint16)


def _lead_marker(levels: npt.NDArray[np.floating], rng: np.random.Generator, marker: Side) -> npt.NDArray[np.floating]:
    """A lead letter at the lateral border: on the viewer's right for a left hip."""
    rows, cols = levels.shape
    size = round(15 / SPACING_MM)
    unit = np.array([[0, 0], [2.2, 0], [2.2, 8], [6, 8], [6, 10], [0, 10]], float) / 10
    letters = {
        Side.LEFT: ([unit], []),
        Side.RIGHT: (
            [np.array([[0, 0], [4, 0], [5.6, 0.7], [6.4, 2.8], [5.6, 5], [4.4, 5.8], [6.8, 10], [4.4, 10], [2.4, 6.2],
                       [2.1, 6.2], [2.1, 10], [0, 10]]) / 10],
            [np.array([[2.1, 1.8], [3.6, 1.8], [4.2, 2.3], [4.2, 3.8], [3.6, 4.4], [2.1, 4.4]]) / 10],
        ),
    }  # fmt: skip
    x = cols * (0.885 if marker is Side.LEFT else 0.07)
    start = np.array([x, rows * rng.uniform(0.10, 0.2) if rng.random() < 0.5 else rows * rng.uniform(0.72, 0.8)])
    turn = _rotation(rng.uniform(-9, 9))
    mask = np.zeros((rows, cols), np.uint8)
    for shapes, value in zip(letters[marker], (255, 0), strict=True):
        for points in shapes:
            pixels = (points * size) @ turn.T + start
            cv2.fillPoly(mask, [np.round(pixels * 16).astype(np.int32)], value, cv2.LINE_AA, shift=4)
    alpha = cv2.GaussianBlur(mask, (0, 0), 1.2).astype(np.float32) / 255
    return np.asarray(levels * (1 - alpha) + 3950 * alpha)


def _collimate(levels: npt.NDArray[np.floating], rng: np.random.Generator) -> npt.NDArray[np.floating]:
    """Blades close a slightly turned rectangle; beyond them the maker paints the image dark."""
    rows, cols = levels.shape
    inset = rng.uniform(0.012, 0.04, 4) * min(rows, cols)
    corners = np.array([[inset[0], inset[1]], [cols - inset[2], inset[1]], [cols - inset[2], rows - inset[3]],
                        [inset[0], rows - inset[3]]])  # fmt: skip
    middle = np.array([cols / 2, rows / 2])
    turned = (corners - middle) @ _rotation(rng.uniform(-0.9, 0.9)).T + middle
    mask = np.zeros((rows, cols), np.uint8)
    cv2.fillPoly(mask, [np.round(turned * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    open_share = cv2.GaussianBlur(mask, (0, 0), 3).astype(np.float32) / 255
    return np.asarray(levels * open_share + (70 + rng.standard_normal((rows, cols)) * 6) * (1 - open_share))


def _chord(depth_mm: Plane, radius_mm: float) -> Plane:
    """Length of the beam's path through a round part, mm, at a depth below its outline."""
    d = np.clip(depth_mm, 0, radius_mm)
    return np.asarray(2 * np.sqrt(d * (2 * radius_mm - d)), np.float32)


def _rim(depth_mm: Plane, width_mm: float) -> Plane:
    """1 just inside an outline, falling to 0 over about twice `width_mm`."""
    return np.asarray(np.where(depth_mm > 0, np.exp(-((depth_mm / width_mm) ** 2) / 2), 0), np.float32)


def _cloud(rng: np.random.Generator, shape: tuple[int, int], size_px: int) -> Plane:
    """Smooth noise of unit spread, structures about `size_px` wide."""
    small = rng.standard_normal((shape[0] // size_px + 4, shape[1] // size_px + 4), dtype=np.float32)
    return np.asarray(cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _rotation(angle_deg: float) -> npt.NDArray[np.float64]:
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    return np.array([[c, -s], [s, c]])


def _circle(center: tuple[float, float], radius: float, count: int = 16) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return [(center[0] + radius * float(np.cos(a)), center[1] + radius * float(np.sin(a))) for a in angles]


def _moved(outline: Outline, *, scale: float, shift: tuple[float, float]) -> list[tuple[float, float]]:
    return [(x * scale + shift[0], y * scale + shift[1]) for x, y in outline]


def _jitter(outline: Outline, rng: np.random.Generator, amount_mm: float = 0.7) -> npt.NDArray[np.float64]:
    points = np.asarray(outline, np.float64)
    return _smooth(points + rng.normal(0, amount_mm, points.shape))


def _smooth(outline: Outline | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Closed Catmull-Rom curve (centripetal weights left out: the points are even enough), 12 points a span."""
    p = np.asarray(outline, np.float64)
    before, after, beyond = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = (np.arange(12) / 12)[None, :, None]
    p0, p1, p2, p3 = before[:, None], p[:, None], after[:, None], beyond[:, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return np.asarray(curve.reshape(-1, 2))
