"""Deterministic noise: smooth value noise in space, and layered streaks for trabeculae."""

from __future__ import annotations

import cv2
import numpy as np

from app.engine.phantom.volume import Array, f32

_TILE = 128
_LAYERS = 16


def _remap(atlas: Array, u: Array, v: Array) -> Array:
    """Bilinear values of `atlas` at columns `u` and rows `v` (any shape)."""
    count = u.size
    width = 1024
    height = -(-count // width)
    grids = []
    for q in (u, v):
        flat = np.zeros(height * width, dtype=np.float32)
        flat[:count] = q.reshape(-1)
        grids.append(flat.reshape(height, width))
    pieces = [
        cv2.remap(atlas, grids[0][a : a + 8192], grids[1][a : a + 8192], cv2.INTER_LINEAR)
        for a in range(0, height, 8192)
    ]
    return f32(np.concatenate(pieces).reshape(-1)[:count].reshape(u.shape))


def _wrap(value: Array, period: int) -> Array:
    """The value modulo the period (np.mod on floats is ten times slower)."""
    return f32(value - np.floor(value * np.float32(1 / period)) * np.float32(period))


class Noise:
    """Periodic white noise of unit variance in three dimensions, interpolated linearly (variance falls between nodes).

    Args:
        rng: where the nodes come from.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        nodes = rng.standard_normal((_LAYERS, _TILE, _TILE)).astype(np.float32)
        closed = np.concatenate([nodes, nodes[:, :1]], axis=1)
        closed = np.concatenate([closed, closed[:, :, :1]], axis=2)
        self._atlas = closed.reshape(_LAYERS * (_TILE + 1), _TILE + 1)

    def at(self, u: Array, v: Array, w: Array) -> Array:
        """Noise at coordinates in cells: fast across `u` and `v`, layers along `w` (all the same shape)."""
        u, v, w = np.broadcast_arrays(u, v, w)
        low = np.floor(w)
        column, row = _wrap(u, _TILE), _wrap(v, _TILE)
        height = np.float32(_TILE + 1)
        a = _remap(self._atlas, column, row + _wrap(low, _LAYERS) * height)
        b = _remap(self._atlas, column, row + _wrap(low + 1, _LAYERS) * height)
        return f32(a + (b - a) * (w - low))

    def lumps(self, x: Array, y: Array, z: Array, size_mm: float) -> Array:
        """Smooth lumps of about `size_mm`, unit variance at the nodes."""
        s = np.float32(1 / size_mm)
        return self.at(x * s, y * s, z * s)
