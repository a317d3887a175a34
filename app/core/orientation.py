"""How an image lies on the screen: turned and mirrored for the eye, never in the store.

An `Orientation` mirrors the image left to right (or not) and then turns it clockwise. *Display coordinates* are what
comes out: x right, y down, the unit is the width of one image pixel, square, and the box around the turned image
begins at (0, 0). Image coordinates have their origin at the corner of the first pixel, as everywhere.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from app.core.case import Projection
from app.core.record import record

OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
SECOND_LETTER_FROM = math.sin(math.radians(22.5))  # a direction between two letters is named by both
FIRST_LETTER_FROM = math.sqrt(0.5) - 1e-9
EDGES = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "top": (0.0, -1.0), "bottom": (0.0, 1.0)}

Vector = npt.NDArray[np.float64]


@record(frozen=True, slots=True, kw_only=True)
class Orientation:
    """How an image is turned for the eye.

    Args:
        angle_deg: clockwise on the screen, after mirroring; kept in (−180, 180].
        is_mirrored: whether left and right of the image are exchanged, before turning.
    """

    angle_deg: float = 0.0
    is_mirrored: bool = False

    def __post_init__(self) -> None:
        if not math.isfinite(self.angle_deg):
            raise ValueError("an angle must be finite")
        angle_deg = 180.0 - (180.0 - self.angle_deg) % 360.0
        # a hair above 180 leaves a remainder that is rounded to 360
        object.__setattr__(self, "angle_deg", angle_deg if angle_deg > -180.0 else 180.0)

    @property
    def is_plain(self) -> bool:
        """Whether the image lies as it is stored."""
        return self.angle_deg == 0.0 and not self.is_mirrored

    def turned(self, by_deg: float) -> Orientation:
        """Turned on, clockwise on the screen, degrees."""
        return Orientation(angle_deg=self.angle_deg + by_deg, is_mirrored=self.is_mirrored)

    def mirrored_horizontally(self) -> Orientation:
        """Left and right of the screen exchanged."""
        return Orientation(angle_deg=-self.angle_deg, is_mirrored=not self.is_mirrored)

    def mirrored_vertically(self) -> Orientation:
        """Top and bottom of the screen exchanged."""
        return Orientation(angle_deg=180.0 - self.angle_deg, is_mirrored=not self.is_mirrored)

    def linear(self) -> Vector:
        """(2, 2) what a direction (x right, y down) becomes on the screen; exact for quarter turns."""
        turn = math.radians(self.angle_deg)
        cosine, sine = math.cos(turn), math.sin(turn)
        if self.angle_deg % 90.0 == 0.0:
            cosine, sine = float(round(cosine)), float(round(sine))
        mirror = -1.0 if self.is_mirrored else 1.0
        return np.array([[cosine * mirror, -sine], [sine * mirror, cosine]])

    def matrix(self, *, rows: int, cols: int, aspect: float = 1.0) -> Vector:
        """(3, 3) matrix from image coordinates to display coordinates, acting on columns (x, y, 1).

        Args:
            rows: image height, px.
            cols: image width, px.
            aspect: row distance ÷ column distance; 1 = square pixels.
        """
        result = np.eye(3)
        result[:2, :2] = self.linear() * (1.0, aspect)
        corners = result[:2, :2] @ np.array([[0.0, cols, 0.0, cols], [0.0, 0.0, rows, rows]])
        result[:2, 2] = -corners.min(axis=1)
        return result

    def direction(self, letter: str, patient: tuple[str, str] | tuple[()]) -> Vector | None:
        """Where a direction of the patient points on the screen.

        Args:
            letter: one of `L R A P H F`.
            patient: Patient Orientation: the direction of the rows (to the right) and of the columns (down).

        Returns:
            A unit vector (x right, y down), or None if the image has no such direction.
        """
        at = _in_image(letter, patient)
        return None if at is None else self.linear() @ at

    def edge_letters(self, patient: tuple[str, str] | tuple[()]) -> dict[str, str]:
        """The patient's directions at the `left`, `right`, `top` and `bottom` edge of the screen; empty = not known.

        A direction that lies between two of the patient's is named by both, the nearer first, as in PS3.3 C.7.6.1.1.1.

        Args:
            patient: Patient Orientation; either direction may be empty.
        """
        if len(patient) != 2:
            return dict.fromkeys(EDGES, "")
        linear = self.linear()
        row, column = patient
        axes = ((row, (1.0, 0.0)), (opposite(row), (-1.0, 0.0)), (column, (0.0, 1.0)), (opposite(column), (0.0, -1.0)))
        result = {}
        for edge, outward in EDGES.items():
            shares = [(float(np.dot(linear @ axis, outward)), letters) for letters, axis in axes if letters]
            near = sorted((pair for pair in shares if pair[0] > SECOND_LETTER_FROM), key=lambda pair: -pair[0])
            is_clear = bool(near) and near[0][0] >= FIRST_LETTER_FROM
            result[edge] = "".join(dict.fromkeys("".join(letters for _, letters in near))) if is_clear else ""
        return result


def opposite(letters: str) -> str:
    """The other end of a direction: `LF` is opposite `RH`; empty when a letter is not one of the six."""
    if not all(letter in OPPOSITE for letter in letters):
        return ""
    return "".join(OPPOSITE[letter] for letter in letters)


def hung(projection: Projection | None, patient: tuple[str, str] | tuple[()]) -> Orientation:
    """How an image is hung: a frontal with the patient's left on the viewer's right and the head up.

    Only Patient Orientation decides; without it, or where it does not name the directions needed, the image stays as
    it is stored. So do all other projections, for which there is no one way to hang them.

    Args:
        projection: what the view shows; None while that is open.
        patient: Patient Orientation of the stored image.
    """
    left, foot = _in_image("L", patient), _in_image("F", patient)
    if projection is not Projection.FRONTAL or left is None or foot is None:
        return Orientation()
    to_screen = np.array([left, foot])  # its rows are the directions that become right and down
    is_mirrored = bool(np.linalg.det(to_screen) < 0)
    right = to_screen[:, 0] * (-1.0 if is_mirrored else 1.0)
    return Orientation(angle_deg=math.degrees(math.atan2(right[1], right[0])), is_mirrored=is_mirrored)


def _in_image(letter: str, patient: tuple[str, str] | tuple[()]) -> Vector | None:
    """Where a direction of the patient points in the stored image; only the leading letters count."""
    for letters, axis in zip(patient, ((1.0, 0.0), (0.0, 1.0)), strict=False):
        if letters[:1] == letter:
            return np.array(axis)
        if letters[:1] and letters[:1] == OPPOSITE.get(letter):
            return -np.array(axis)
    return None
