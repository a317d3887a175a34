"""Train the hip localiser on the whole views of `generate.py`, and measure it on the hold-out.

    python packaging/bundled/localiser.py DATA RUNS [--epochs N] [--threads N]

Views of all groups and both projections, seen at 128² px; a third of the time two frontal views of different patients
stand side by side as a pelvis would. The loss is the cross-entropy of every place of the map.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "0")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np

SIDE = 512  # of the stored whole views
INPUT = 128
MAP = 32
BATCH = 16
VIEWS = ("frontal", "cross-table lateral", "frog-leg lateral")


def load(data: Path, word: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Whole views (N, 256, 256) uint8, neck centres (N, 2) there, mm a pixel, which of VIEWS."""
    images, centres, scales, kinds = [], [], [], []
    for group in ("neck", "displaced", "shaft", "frog"):
        for path in sorted(data.glob(f"{group}-{word}-*.npz")):
            with np.load(path) as shard:
                whole, facts = shard["whole"], json.loads(str(shard["facts"]))
            for levels, fact in zip(whole, facts, strict=True):
                for number, view in enumerate(fact["views"]):
                    (a, b, c), (d, e, f) = view["whole"]
                    x, y = view["centre"]
                    images.append(cv2.resize(levels[number], (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA))
                    centres.append(((a * x + b * y + c) / 2, (d * x + e * y + f) / 2))
                    scales.append(view["mm_per_px"] / a * 2)
                    kinds.append(VIEWS[0 if number == 0 else 2 if group == "frog" else 1])
    return np.stack(images), np.array(centres), np.array(scales), np.array(kinds)


def varied(image: np.ndarray, centre: np.ndarray, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """One view turned, moved, scaled and mirrored into size × size px (float, 0 … 1), and its centre there."""
    angle, zoom = math.radians(rng.normal(0, 10)), size / image.shape[0] * math.exp(rng.normal(0, 0.2))
    across = -1.0 if rng.random() < 0.5 else 1.0
    linear = zoom * np.array(
        [[math.cos(angle) * across, -math.sin(angle)], [math.sin(angle) * across, math.cos(angle)]]
    )
    goal = size / 2 + rng.normal(0, 0.14 * size, 2)
    shift = goal - linear @ centre
    matrix = np.column_stack([linear, shift + linear @ (0.5, 0.5) - 0.5])
    turned = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_AREA).astype(np.float32) / 255
    return turned, goal


def sample(images: np.ndarray, centres: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One input (128, 128), standardised, and its map (32, 32) of shares 0 … 1."""
    number = int(rng.integers(len(images)))
    points = []
    if rng.random() < 0.3:
        scene = np.zeros((INPUT, INPUT), np.float32)
        half = INPUT // 2
        for place in range(2):
            part, goal = varied(images[number], centres[number], rng, half + 16)
            left = place * half - 8 * place
            width = min(half + 8, part.shape[1])
            top = (INPUT - part.shape[0]) // 2
            if rng.random() < 0.5:  # as a mirror image: the other side of the same patient
                part, goal = part[:, ::-1], np.array([part.shape[1] - goal[0], goal[1]])
            scene[top : top + part.shape[0], left : left + width] = part[:, :width]
            points.append(goal + np.array([left, top]))
            number = int(rng.integers(len(images)))
        image = scene
    else:
        image, goal = varied(images[number], centres[number], rng, INPUT)
        points.append(goal)
    image = np.clip((image - 0.5) * (1 + rng.normal(0, 0.2)) + 0.5 + rng.normal(0, 0.08), 0, 1) ** math.exp(
        rng.normal(0, 0.25)
    )
    image = image + rng.normal(0, 0.02, image.shape)
    if rng.random() < 0.08:
        image = 1 - image
    target = np.zeros((MAP, MAP), np.float32)
    ys, xs = np.mgrid[0:MAP, 0:MAP] + 0.5
    for x, y in points:
        near = np.exp(-((xs - x * MAP / INPUT) ** 2 + (ys - y * MAP / INPUT) ** 2) / (2 * 0.8**2))
        target = np.maximum(target, near.astype(np.float32))
    return ((image - image.mean()) / (image.std() + 1e-6)).astype(np.float32), target


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    import torch
    from safetensors.torch import save_file
    from torch.nn.functional import binary_cross_entropy_with_logits as bce

    from app.engine.locate import hip_at
    from app.engine.models.localiser import HipLocaliser

    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    images, centres, _, _ = load(args.data, "training")
    model = HipLocaliser().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=args.steps, pct_start=0.2)
    begun, seen = time.monotonic(), 0.0
    for step in range(args.steps):
        model.train()
        rows = [sample(images, centres, np.random.default_rng([1, step, n])) for n in range(BATCH)]
        x = torch.from_numpy(np.stack([row[0] for row in rows]))[:, None].contiguous(memory_format=torch.channels_last)
        y = torch.from_numpy(np.stack([row[1] for row in rows]))[:, None]
        with torch.autocast("cpu", torch.bfloat16):
            scores = model.maps(x)[0].float()
        loss = bce(scores, y, pos_weight=torch.tensor(20.0))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        seen += float(loss.detach())
        if step % 100 == 99:
            print(f"step {step + 1} loss {seen / 100:.4f} {time.monotonic() - begun:.0f} s", flush=True)
            seen = 0.0
    model.eval()
    run = args.runs / "hip-localiser"
    run.mkdir(parents=True, exist_ok=True)
    save_file({name: part.contiguous() for name, part in model.state_dict().items()}, run / "best.safetensors")
    images, centres, scales, kinds = load(args.data, "hold-out")
    errors = []
    for image, centre, scale in zip(images, centres, scales, strict=True):
        small = cv2.resize(image, (INPUT, INPUT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        with torch.inference_mode():
            scores = model.maps(torch.from_numpy((small - small.mean()) / small.std())[None, None])[0][0, 0].numpy()
        (x, y), _ = hip_at(scores.astype(np.float64), None, apart=8)
        errors.append(math.dist((x * 256 / MAP, y * 256 / MAP), centre) * scale)
    found = np.array(errors)
    report = {
        word: {
            "views": int(part.sum()),
            "median_mm": float(np.median(found[part])),
            "p95_mm": float(np.percentile(found[part], 95)),
            "within_20_mm": float((found[part] < 20).mean()),
        }
        for word, part in ((view, kinds == view) for view in VIEWS)
    }
    (run / "report.json").write_text(json.dumps(report, indent=1))
    print(report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
