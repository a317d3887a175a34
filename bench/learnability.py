"""Is a non-displaced fracture of the synthetic hip learnable, and does the second view help?

    python bench/learnability.py generate DATA [--cases 2600] [--first 1000000] [--difficulty easy]
    python bench/learnability.py train DATA frontal|lateral|both [--train 1500] [--epochs 20] [--seed 0]
    python bench/learnability.py score DATA
    python bench/learnability.py report DATA

`generate` needs the product only (resumable, one shard a hundred cases), `train` and `score` need torch and numpy only,
`report` needs numpy only and writes the tables of bench/results/learnability.md to standard output. Every case is
another patient; the training and the hold-out patients are disjoint by seed. 45 % of the cases have a non-displaced
fracture of the neck, the others none. The network sees crops of 144² pixels of 0.59 mm, all flipped to left hips;
besides the image label it is trained on the region where the intact twin differs (the difference image).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

CROP = 208  # stored
INPUT = 144  # seen by the network
CELL = 8  # px a cell of the stored region
UNIT = 0.002  # of the stored strength of the band-passed difference image, natural logarithm
SHARD = 100
HOLD_OUT_FROM = 1500  # index of the first hold-out case
SHARE_BROKEN = 0.45
VIEWS = ("frontal", "lateral")


def _crop_case(seed: int, difficulty: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """One case: two 8-bit crops, the strength of the difference image by cells, and what is known."""
    import cv2

    from app.core.case import Side
    from app.engine.phantom.case import CaseRequest, build_case
    from app.engine.phantom.femur_model import COARSE_RESOLUTION
    from app.engine.phantom.fracture import CaseKind, Difficulty
    from app.engine.synthesis.radiographs import expose_case

    rng = np.random.default_rng([seed, 77])
    is_broken = rng.random() < SHARE_BROKEN
    case = build_case(
        CaseRequest(
            seed=seed,
            kind=CaseKind.NECK_NON_DISPLACED if is_broken else CaseKind.NORMAL,
            difficulty=Difficulty(difficulty),
            height_px=512,
            resolution=COARSE_RESOLUTION,
        )
    )
    images, strengths, amplitudes = [], [], []
    for exposed in expose_case(case):
        truth, pixels = exposed.view.truth, exposed.radiograph.pixels
        rows, cols = pixels.shape
        eight = (pixels.astype(np.float32) * (255 / ((1 << exposed.radiograph.bits_stored) - 1))).astype(np.uint8)
        centre = 0.45 * np.array(truth.neck_axis[0]) + 0.55 * np.array(truth.neck_axis[1])
        detail = np.zeros((rows, cols), np.float32)
        if exposed.difference is not None and truth.fracture_centre is not None:
            pixel = exposed.view.setup.geometry.pixel_mm
            blur = cv2.GaussianBlur
            detail = np.abs(blur(exposed.difference, (0, 0), 0.5 / pixel) - blur(exposed.difference, (0, 0), 4 / pixel))
            x, y = truth.fracture_centre
            far = np.hypot(np.arange(cols)[None] + 0.5 - x, np.arange(rows)[:, None] + 0.5 - y) * pixel > 30
            detail[far] = 0
        if case.labels.side is Side.RIGHT:
            eight, detail, centre = eight[:, ::-1], detail[:, ::-1], np.array([cols - centre[0], centre[1]])
        centre = centre + rng.normal(0, 6, 2)
        matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), float(rng.normal(0, 4)), 1.0)
        matrix[:, 2] += CROP / 2 - centre
        warp = (matrix, (CROP, CROP))
        images.append(cv2.warpAffine(np.ascontiguousarray(eight), *warp, borderMode=cv2.BORDER_REPLICATE))
        region = cv2.warpAffine(np.ascontiguousarray(detail), *warp)
        cells = region.reshape(CROP // CELL, CELL, CROP // CELL, CELL).max((1, 3))
        strengths.append(np.clip(cells / UNIT, 0, 255).astype(np.uint8))
        amplitudes.append(0.0 if exposed.conspicuity is None else exposed.conspicuity.amplitude)
    facts = {
        "seed": seed,
        "patient": case.patient.id,
        "is_broken": bool(is_broken),
        "plan": case.labels.planned_visibility or "normal",
        "amplitude": amplitudes,
    }
    return {"images": np.stack(images), "regions": np.stack(strengths)}, facts


def generate(folder: Path, first: int, cases: int, difficulty: str) -> None:
    """Write shards of crops; those that exist are kept."""
    import cv2

    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    started, made = time.process_time(), 0
    for start in range(first, first + cases, SHARD):
        path = folder / f"{start}.npz"
        if path.exists():
            continue
        rows = [_crop_case(seed, difficulty) for seed in range(start, min(start + SHARD, first + cases))]
        made += len(rows)
        temporary = path.with_suffix(".part.npz")
        np.savez_compressed(
            temporary,
            images=np.stack([arrays["images"] for arrays, _ in rows]),
            regions=np.stack([arrays["regions"] for arrays, _ in rows]),
            facts=json.dumps([facts for _, facts in rows]),
        )
        temporary.replace(path)
        print(f"{start}: {(time.process_time() - started) / made:.2f} CPU-seconds a case", flush=True)


def load(folder: Path) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """All shards in order of their seeds: images (N, 2, CROP, CROP), regions (N, 2, cells, cells), facts."""
    paths = sorted((p for p in folder.glob("*.npz") if p.stem.isdigit()), key=lambda p: int(p.stem))
    if not paths:
        raise SystemExit(f"no shards in {folder}; run `generate` first")
    shards = [np.load(path) for path in paths]
    facts = [fact for shard in shards for fact in json.loads(str(shard["facts"]))]
    return np.concatenate([s["images"] for s in shards]), np.concatenate([s["regions"] for s in shards]), facts


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    make = steps.add_parser("generate")
    make.add_argument("data", type=Path)
    make.add_argument("--cases", type=int, default=2550)
    make.add_argument("--first", type=int, default=1_000_000)
    make.add_argument("--difficulty", default="easy")
    fit = steps.add_parser("train")
    fit.add_argument("data", type=Path)
    fit.add_argument("mode", choices=("frontal", "lateral", "both"))
    fit.add_argument("--train", type=int, default=HOLD_OUT_FROM)
    fit.add_argument("--epochs", type=int, default=20)
    fit.add_argument("--seed", type=int, default=0)
    fit.add_argument("--threads", type=int, default=1)
    judge = steps.add_parser("score")
    judge.add_argument("data", type=Path)
    show = steps.add_parser("report")
    show.add_argument("data", type=Path)
    args = parser.parse_args(argv)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    if args.step == "generate":
        generate(args.data, args.first, args.cases, args.difficulty)
    elif args.step == "train":
        from bench.learnability_network import train

        train(args.data, args.mode, training=args.train, epochs=args.epochs, seed=args.seed, threads=args.threads)
    elif args.step == "score":
        from bench.learnability_network import score

        score(args.data)
    else:
        from bench.learnability_report import report

        print(report(args.data))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
