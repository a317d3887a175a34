"""The correspondence matrix of two views: C = max over voxels of p₁ p₂ᵀ (paper 003, section 2.1), without the dense
matrices of the published recipe: a voxel falls on a handful of patches, so only those products are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from app.engine.correspondence.footprints import Footprints, footprints
from app.engine.correspondence.patches import shrunken
from app.engine.phantom.volume import Part
from app.engine.projection.geometry import Geometry


class Form(StrEnum):
    """What exactly the matrix is.

    PHYSICAL: each footprint divided by its maximum, times the voxel's value, at the true scale. The default.
    PAPER_TEXT: as written: p is the projection of the voxel with its value, not normalised (value² × mm²).
    PAPER_CODE: as the authors' program makes it: like PHYSICAL, but the pooled volume and its detector are shrunk to
        the voxel size before pooling while the distances stay, which nearly removes the cone from the labels.
    """

    PHYSICAL = "physical"
    PAPER_TEXT = "paper-text"
    PAPER_CODE = "paper-code"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SparseMatrix:
    """The entries of a correspondence matrix that are not zero.

    Args:
        first: (N,) int64 patch of the first view, row-major.
        second: (N,) int64 patch of the second view.
        value: (N,) float32.
        shape: patches of the first and of the second view.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    value: NDArray[np.float32]
    shape: tuple[int, int]

    def dense(self) -> NDArray[np.float32]:
        """(patches of the first view, patches of the second view) float32."""
        matrix = np.zeros(self.shape, np.float32)
        matrix[self.first, self.second] = self.value
        return matrix


class Correspondence:
    """Makes correspondence matrices of one volume for any views; a few milliseconds a pair, so for a data loader.

    Args:
        voxels: coarse volume (`pooled`); a voxel's density is its value, 0–1; voxels of 0 or less are air.
        form: what exactly the matrix is.
        pooling: how many fine voxels make a coarse one along each axis; only PAPER_CODE needs it.
    """

    def __init__(self, voxels: Part, *, form: Form = Form.PHYSICAL, pooling: int = 16) -> None:
        self._voxels = voxels
        self._form = form
        self._pooling = pooling
        flat = voxels.density.ravel()
        self._chosen = np.flatnonzero(flat > 0).astype(np.int64)
        self._values = flat[self._chosen].astype(np.float64)

    @property
    def values(self) -> NDArray[np.float64]:
        """(N,) values of the voxels that are not air."""
        return self._values

    def footprints(self, view: Geometry) -> Footprints:
        """Where the voxels that are not air fall; one pixel of `view` a patch."""
        part, geometry = self._voxels, view
        if self._form is Form.PAPER_CODE:
            part, geometry = shrunken(part, view, self._pooling)
        found = footprints(part, geometry, self._chosen)
        if self._form is Form.PAPER_TEXT:
            return found
        largest = found.weight.max(axis=1, keepdims=True, initial=0)
        normal = np.divide(found.weight, largest, out=np.zeros_like(found.weight), where=largest > 0)
        return Footprints(patch=found.patch, weight=normal, patches=found.patches)

    def combine(self, first: Footprints, second: Footprints) -> NDArray[np.float32]:
        """The matrix from two sets of footprints: (patches of first, patches of second) float32."""
        matrix = np.zeros(first.patches * second.patches)
        values = self._values**2 if self._form is Form.PAPER_TEXT else self._values
        scaled = first.weight * values[:, None]
        for place in range(scaled.shape[1]):
            is_used = scaled[:, place] > 0
            product = scaled[is_used, place, None] * second.weight[is_used]
            cell = first.patch[is_used, place, None] * second.patches + second.patch[is_used]
            is_seen = product > 0
            np.maximum.at(matrix, cell[is_seen], product[is_seen])
        return matrix.reshape(first.patches, second.patches).astype(np.float32)

    def matrix(self, first: Geometry, second: Geometry) -> NDArray[np.float32]:
        """The matrix of two views.

        Args:
            first: first view at one pixel a patch (`patch_geometry`).
            second: second view likewise.

        Returns:
            (patches of the first view, patches of the second view) float32, patches row-major.

        Raises:
            ValueError: a source lies within the volume.
        """
        return self.combine(self.footprints(first), self.footprints(second))

    def sparse(self, first: Geometry, second: Geometry, *, least: float = 0.0) -> SparseMatrix:
        """The entries of the matrix that are greater than `least`."""
        matrix = self.matrix(first, second)
        rows, cols = np.nonzero(matrix > least)
        return SparseMatrix(first=rows, second=cols, value=matrix[rows, cols], shape=(matrix.shape[0], matrix.shape[1]))

    def all_pairs(self, views: Sequence[Geometry]) -> Iterator[tuple[tuple[int, int], NDArray[np.float32]]]:
        """The matrix of every pair of several views; each view is projected once.

        Yields:
            (index of the first view, index of the second) and their matrix.
        """
        prints = [self.footprints(view) for view in views]
        for a, b in combinations(range(len(views)), 2):
            yield (a, b), self.combine(prints[a], prints[b])
