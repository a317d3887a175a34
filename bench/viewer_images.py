"""Images for the benchmarks of the viewer."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from app.core.case import Patient, Projection, Side, Study
from app.core.grey import GreyScale, Photometric, StoredImage
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from tests.support.window import add_view

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


def make_radiograph_project(folder: Path, *, cases: int, size_px: int = SIZE_PX) -> Path:
    """A project of left hips, every case with a frontal and a lateral radiograph of its own."""
    base = [radiograph(seed, size_px).pixels for seed in (1, 2)]
    with ProjectStore.create(folder) as store:
        for number in range(cases):
            patient = Patient(id=f"P-{number:03d}")
            study = Study(id=f"2.25.{number + 1}", patient_id=patient.id)
            with store.transaction():
                store.patients.add(patient)
                store.studies.add(study)
                for step, projection in enumerate((Projection.FRONTAL, Projection.LATERAL)):
                    pixels = np.roll(base[step], 7 * number, axis=0)  # another image each time
                    pixels[0, 0] = number
                    image = StoredImage(pixels=np.ascontiguousarray(pixels))
                    add_view(store, study, f"V-{number:03d}-{step}", image, projection=projection, side=Side.LEFT)
                recompose_study(store, study.id, author="bench")
    return folder
