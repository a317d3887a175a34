"""Images for the benchmarks of the viewer."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.grey import GreyScale, Photometric, StoredImage

SIZE_PX = 2688
GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)


def radiograph(seed: int, size_px: int = SIZE_PX) -> StoredImage:
    """Smooth structures, fine lines and noise in 12 bits, behind a white collimator border."""
    rng = np.random.default_rng(seed)
    small = cv2.resize(rng.normal(1200, 500, (24, 24)).astype(np.float32), (size_px, size_px))
    lines = np.zeros((size_px, size_px), np.float32)
    for _ in range(200):
        ends = rng.integers(0, size_px, 4).tolist()
        cv2.line(lines, (ends[0], ends[1]), (ends[2], ends[3]), 400, 1)
    image = small + lines + rng.normal(0, 60, (size_px, size_px)).astype(np.float32)
    border = size_px // 10
    image[:, :border] = image[:, -border:] = 4000 + rng.normal(0, 8, (size_px, border))
    return StoredImage(pixels=image.clip(0, 4095).astype(np.uint16))
