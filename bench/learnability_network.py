"""The small network of the learnability study: a residual encoder a view, a top-3 pooled score map, a region loss.

Runs with torch and numpy alone. The score of an image is the mean of the three highest cells of its map; two views are
joined by a learned combination of their scores (late fusion), which needs no more than each view's own map.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.learnability import CELL, CROP, HOLD_OUT_FROM, INPUT, UNIT, load

WIDTHS = (16, 24, 48, 96, 160)
STRIDE = 16
STRENGTH = 0.12  # difference above which a cell counts as fracture
VIEWS_OF = {"frontal": (0,), "lateral": (1,), "both": (0, 1)}


class Block(nn.Module):
    """Two 3×3 convolutions with a shortcut."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(),
            nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside),
        )  # fmt: skip
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(stride), nn.Conv2d(inside, outside, 1, bias=False), nn.BatchNorm2d(outside)
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.first(x) + self.shortcut(x))


class Encoder(nn.Module):
    """(B, 1, 144, 144) → (B, 1, 9, 9) map of fracture scores."""

    def __init__(self) -> None:
        super().__init__()
        w = WIDTHS
        self.layers = nn.Sequential(
            nn.Conv2d(1, w[0], 5, 2, 2, bias=False), nn.BatchNorm2d(w[0]), nn.ReLU(),
            Block(w[0], w[1], 1), Block(w[1], w[2], 2), Block(w[2], w[3], 2), Block(w[3], w[4], 2),
            nn.Conv2d(w[4], 1, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Network(nn.Module):
    """One encoder a view; the logit of the case and the maps of its views."""

    def __init__(self, views: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleList([Encoder() for _ in range(views)])
        self.weight = nn.Parameter(torch.ones(views))
        self.bias = nn.Parameter(torch.zeros(1))
        self.sharpness = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = [encoder(x[:, i : i + 1]) for i, encoder in enumerate(self.encoders)]
        scores = torch.stack([m.flatten(1).topk(3, dim=1)[0].mean(1) for m in maps], dim=1)
        k = self.sharpness.exp()
        joined = torch.logsumexp(k * scores * self.weight, dim=1) / k
        return joined + self.bias, maps


def standardised(images: Tensor) -> Tensor:
    """Zero mean and unit deviation an image."""
    x = images.float() / 255
    return (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 1e-3)


def augmented(images: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
    """Randomly turned, scaled, shifted crops of INPUT², and the share of each cell of their maps that is fracture."""
    count, views = images.shape[:2]
    n = count * views
    turn, scale = (torch.rand(n) - 0.5) * 0.25, 1 + (torch.rand(n) - 0.5) * 0.16
    matrix = torch.zeros(n, 2, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = turn.cos() * scale * INPUT / CROP
    matrix[:, 0, 1] = -turn.sin() * scale * INPUT / CROP
    matrix[:, 1, 0] = -matrix[:, 0, 1]
    matrix[:, :, 2] = (torch.rand(n, 2) - 0.5) * 0.16
    size = INPUT // STRIDE
    sample = functional.grid_sample
    grid = functional.affine_grid(matrix, [n, 1, INPUT, INPUT], align_corners=False)
    x = sample(images.reshape(n, 1, CROP, CROP), grid, padding_mode="border", align_corners=False)
    half = functional.affine_grid(matrix, [n, 1, 2 * size, 2 * size], align_corners=False)
    y = sample(regions.reshape(n, 1, CROP // CELL, CROP // CELL).float(), half, align_corners=False)
    y = functional.max_pool2d(y, 2)
    x = x.view(count, views, INPUT, INPUT)
    x = x * (1 + 0.3 * (torch.rand(count, views, 1, 1) - 0.5)) + 0.3 * torch.randn(count, views, 1, 1)
    return x + torch.randn_like(x) * 0.08 * torch.rand(count, 1, 1, 1), y.view(count, views, size, size)


def train(folder: Path, mode: str, *, training: int, epochs: int, seed: int, threads: int) -> None:
    """Train on the first `training` cases and write network-MODE-COUNT-SEED.pt beside them; `score` comes after."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    pixels, areas, facts = load(folder)
    pixels, areas, facts = pixels[:training], areas[:training], facts[:training]
    if len(facts) < training:
        raise SystemExit(f"only {len(facts)} of {training} training cases are there")
    views = VIEWS_OF[mode]
    images = torch.from_numpy(pixels[:, views])
    regions = torch.from_numpy((areas[:, views] > STRENGTH / UNIT).astype(np.uint8))
    labels = torch.tensor([f["is_broken"] for f in facts]).float()
    # bfloat16 and channels last: a step took 0.13 instead of 0.37 CPU-seconds on the processor of the study
    network = Network(len(views)).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.02)
    batch = 24
    steps = epochs * (training // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps, pct_start=0.25)
    started, cpu = time.monotonic(), time.process_time()
    bce = functional.binary_cross_entropy_with_logits
    for epoch in range(epochs):
        network.train()
        order = torch.randperm(training)
        total = 0.0
        for start in range(0, training - batch + 1, batch):
            index = order[start : start + batch]
            x, y = augmented(standardised(images[index]), regions[index])
            with torch.autocast("cpu", torch.bfloat16):
                logit, maps = network(x.contiguous(memory_format=torch.channels_last))
            loss = bce(logit.float(), labels[index])
            for i, m in enumerate(maps):
                loss = loss + bce(m[:, 0].float(), (y[:, i] > 0.3).float(), pos_weight=torch.tensor(3.0))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        print(
            f"{mode} epoch {epoch + 1} loss {total * batch / training:.3f} {time.monotonic() - started:.0f} s",
            flush=True,
        )
    about = {
        "mode": mode, "seed": seed, "epochs": epochs, "training": training,
        "parameters": sum(p.numel() for p in network.parameters()),
        "wall_s": round(time.monotonic() - started), "cpu_s": round(time.process_time() - cpu), "threads": threads,
        "torch": str(torch.__version__),
    }  # fmt: skip
    torch.save({"weights": network.state_dict(), "about": about}, folder / f"network-{mode}-{training}-{seed}.pt")
    print(json.dumps(about))


def score(folder: Path) -> None:
    """Score the hold-out cases with every trained network: scores-MODE-COUNT-SEED.npz."""
    pixels, _, facts = load(folder)
    for path in sorted(folder.glob("network-*.pt")):
        stored = torch.load(path, weights_only=True)
        about = stored["about"]
        views = VIEWS_OF[about["mode"]]
        network = Network(len(views))
        network.load_state_dict(stored["weights"])
        network.eval()
        inset = (CROP - INPUT) // 2
        found = []
        with torch.no_grad():
            for start in range(HOLD_OUT_FROM, len(facts), 64):
                # standardised like the training images: over the whole stored crop
                x = standardised(torch.from_numpy(pixels[start : start + 64, views]))
                found.append(network(x[:, :, inset : CROP - inset, inset : CROP - inset])[0])
        scores = torch.cat(found).numpy()
        name = path.stem.replace("network", "scores")
        np.savez(
            folder / f"{name}.npz", scores=scores, facts=json.dumps(facts[HOLD_OUT_FROM:]), about=json.dumps(about)
        )
        print(f"{name}: {len(scores)} hold-out cases")
