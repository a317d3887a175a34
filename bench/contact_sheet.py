"""Make the contact sheet of docs/synthetic-hips.md: every kind of synthetic radiograph, captioned.

    python bench/contact_sheet.py docs/images/synthetic-hips.jpg

Rendered at 1024 rows with the product's own exposure and processing, then reduced; the captions are added here.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.core.case import Side
from app.engine.phantom.case import CaseRequest, build_case
from app.engine.phantom.fracture import CaseKind, Difficulty, Visibility
from app.engine.phantom.implant import ImplantKind
from app.engine.phantom.views import ViewKind
from app.engine.synthesis.radiographs import expose_case

TILE = 300  # px, width and height of a tile
GAP = 6
CAPTION = 20

FRONTAL, CROSS, FROG, PELVIS = ViewKind.FRONTAL, ViewKind.CROSS_TABLE, ViewKind.FROG_LEG, ViewKind.PELVIS
SHAFT = (ViewKind.SHAFT_FRONTAL, ViewKind.SHAFT_LATERAL)
ND = CaseKind.NECK_NON_DISPLACED

# caption, request
SHEET: list[list[tuple[str, CaseRequest]]] = [
    [
        ("normal", CaseRequest(seed=60, side=Side.LEFT, views=(FRONTAL, FROG))),
        ("normal", CaseRequest(seed=40, side=Side.RIGHT, views=(FRONTAL, CROSS))),
        ("Garden I/II, frontal only", CaseRequest(seed=203, kind=ND, visibility=Visibility.FRONTAL_ONLY)),
        ("Garden I/II, lateral only", CaseRequest(seed=204, kind=ND, visibility=Visibility.LATERAL_ONLY)),
        (
            "Garden I/II, both, easy",
            CaseRequest(seed=205, kind=ND, visibility=Visibility.BOTH, difficulty=Difficulty.EASY),
        ),
    ],
    [
        ("Garden I/II, occult", CaseRequest(seed=206, kind=ND, visibility=Visibility.OCCULT, views=(FRONTAL, CROSS))),
        ("Garden III", CaseRequest(seed=61, kind=CaseKind.GARDEN_3)),
        ("Garden IV", CaseRequest(seed=62, kind=CaseKind.GARDEN_4, views=(FRONTAL, FROG))),
        ("trochanteric", CaseRequest(seed=63, kind=CaseKind.TROCHANTERIC, views=(FRONTAL, FROG))),
        ("normal, screws", CaseRequest(seed=207, implant=ImplantKind.SCREWS)),
    ],
    [
        ("shaft, normal fracture", CaseRequest(seed=2, kind=CaseKind.SHAFT_NORMAL, views=SHAFT)),
        ("shaft, atypical", CaseRequest(seed=1, kind=CaseKind.SHAFT_ATYPICAL, views=SHAFT)),
        ("shaft, atypical", CaseRequest(seed=3, kind=CaseKind.SHAFT_ATYPICAL, views=SHAFT)),
        ("shaft, normal fracture", CaseRequest(seed=4, kind=CaseKind.SHAFT_NORMAL, views=SHAFT)),
        ("nail", CaseRequest(seed=208, implant=ImplantKind.NAIL)),
    ],
    [
        ("pelvis, normal", CaseRequest(seed=71, views=(PELVIS,))),
        ("pelvis, Garden III right", CaseRequest(seed=72, kind=CaseKind.GARDEN_3, side=Side.RIGHT, views=(PELVIS,))),
        (
            "pelvis, trochanteric left",
            CaseRequest(seed=73, kind=CaseKind.TROCHANTERIC, side=Side.LEFT, views=(PELVIS,)),
        ),
        ("pelvis, normal", CaseRequest(seed=74, views=(PELVIS,))),
        ("pelvis, sliding hip screw", CaseRequest(seed=75, implant=ImplantKind.SLIDING_SCREW, views=(PELVIS,))),
    ],
]


def tile(pixels: np.ndarray, bits: int) -> np.ndarray:
    """An 8-bit square tile with the whole image on black."""
    eight = (pixels.astype(np.float32) * (255 / ((1 << bits) - 1))).astype(np.uint8)
    scale = TILE / max(eight.shape)
    size = (round(eight.shape[1] * scale), round(eight.shape[0] * scale))
    small = cv2.resize(eight, size, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((TILE, TILE), np.uint8)
    top, left = (TILE - small.shape[0]) // 2, (TILE - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def caption(text: str) -> np.ndarray:
    """A strip with text."""
    strip = np.zeros((CAPTION, TILE), np.uint8)
    cv2.putText(strip, text, (4, CAPTION - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 200, 1, cv2.LINE_AA)
    return strip


def column(text: str, request: CaseRequest) -> np.ndarray:
    """The views of one case above each other, with its caption."""
    case = build_case(request)
    tiles = [tile(v.radiograph.pixels, v.radiograph.bits_stored) for v in expose_case(case)]
    gap = np.zeros((GAP, TILE), np.uint8)
    about = f"{text}  {case.patient.sex} {case.patient.age_years}"
    stack = [part for t in tiles for part in (t, gap)]
    return np.vstack([*stack, caption(about)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    started = time.process_time()
    rows = []
    for row in SHEET:
        columns = [column(text, request) for text, request in row]
        height = max(c.shape[0] for c in columns)
        padded = [np.pad(c, ((0, height - c.shape[0]), (0, GAP))) for c in columns]
        rows.append(np.hstack(padded))
    sheet = np.vstack(rows)
    note = "Synthetic hips made by Coxa. Not patients. Not for diagnosis."
    foot = np.zeros((28, sheet.shape[1]), np.uint8)
    cv2.putText(foot, note, (4, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 230, 1, cv2.LINE_AA)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out), np.vstack([sheet, foot]), [cv2.IMWRITE_JPEG_QUALITY, 82])
    print(f"{args.out}: {args.out.stat().st_size / 1024:.0f} KiB, {time.process_time() - started:.0f} CPU-seconds")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
