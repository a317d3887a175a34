"""Random but valid annotations, for tests and fault benchmarks."""

from __future__ import annotations

import random

from app.core.annotation import (
    ALIGNMENT,
    CALIBRATION,
    COMMENT,
    CROP_VERDICT,
    LABEL,
    LANDMARK,
    MEASUREMENT,
    REGION,
    STATUS,
    Change,
    CropVerdict,
    document_of,
    reader_target,
)
from app.core.case import ReviewStatus
from app.core.geometry import Alignment
from app.core.label_entry import new_entry, press
from app.core.measurement import POINT_COUNT, CalibrationKind, Measurement, MeasurementKind, ScaleCalibration
from app.core.region import RegionBox
from app.store.annotations import Annotations

KEYS = "123456fgrdamnqxc"


def random_gesture(
    annotations: Annotations, choose: random.Random, *, case_id: str, view_id: str, author: str
) -> list[int]:
    """One gesture as a person makes it; returns the numbers of its events (none when it changed nothing)."""
    kind = choose.randrange(10)
    if kind < 5:
        entry = new_entry(annotations.label_set, annotations.labels(case_id, author))
        for _ in range(choose.randint(1, 3)):
            step = press(entry, choose.choice([*KEYS, "Backspace"]))
            if step is not None and step.changes:
                return [event.id for event in annotations.set_labels(case_id, step.changes, author=author)]
            entry = entry if step is None else step.entry
        return []
    target = reader_target(case_id, author)
    match kind:
        case 5:
            change = annotations.change(target, f"{ALIGNMENT}{view_id}", document_of(_alignment(choose)))
        case 6:
            region = RegionBox(left=choose.uniform(0, 10), top=1.5, right=choose.uniform(200, 400), bottom=300.25)
            change = annotations.change(target, f"{REGION}{view_id}", document_of(region))
        case 7:
            kind_of = choose.choice(list(MeasurementKind))
            points = tuple((choose.uniform(0, 900), choose.uniform(0, 900)) for _ in range(POINT_COUNT[kind_of]))
            name = f"{MEASUREMENT}{choose.randrange(3)}.{view_id}"
            change = annotations.change(target, name, document_of(Measurement(kind=kind_of, points=points)))
            if choose.random() < 0.3:
                change = annotations.change(target, f"{LANDMARK}head-centre.{view_id}", list(points[0]))
        case 8:
            status = choose.choice(list(ReviewStatus)).value
            change = annotations.change(f"case:{case_id}", STATUS, status)
            if choose.random() < 0.4:
                comment = {"text": f"Seen {choose.randrange(9)}", "author": author}
                change = annotations.change(f"case:{case_id}", f"{COMMENT}{choose.randrange(3)}", comment)
        case _:
            change = _calibration_or_verdict(annotations, choose, target, view_id)
    return [event.id for event in annotations.record(case_id, [change], author=author, text=change.field)]


def _alignment(choose: random.Random) -> Alignment:
    center = choose.uniform(100, 900), choose.uniform(100, 900)
    return Alignment(center_xy=center, axis_xy=(center[0] + choose.uniform(-40, 40), center[1] + 60))


def _calibration_or_verdict(annotations: Annotations, choose: random.Random, target: str, view_id: str) -> Change:
    if choose.random() < 0.5:
        calibration = ScaleCalibration(
            kind=CalibrationKind.BALL, first_xy=(10.0, 10.0), second_xy=(10.0 + choose.uniform(90, 200), 10.0),
            known_mm=25.0,
        )  # fmt: skip
        return annotations.change(f"view:{view_id}", CALIBRATION, document_of(calibration))
    verdict = CropVerdict(is_approved=choose.random() < 0.8, key=f"{choose.getrandbits(64):016x}")
    return annotations.change(target, f"{CROP_VERDICT}{view_id}", document_of(verdict))


__all__ = ["KEYS", "LABEL", "random_gesture"]
