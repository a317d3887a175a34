"""Figures of the learnability study: AUC with intervals, the paired gain of a second view, the table by class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

RESAMPLES = 2000


def ranks(values: np.ndarray) -> np.ndarray:
    """Mid-ranks, 1 = lowest."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve (Mann–Whitney, ties count half)."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    total = ranks(scores)[labels].sum()
    return float((total - positive * (positive + 1) / 2) / (positive * negative))


def interval(samples: list[float]) -> str:
    """95 % percentile interval."""
    low, high = np.percentile(samples, [2.5, 97.5])
    return f"{low:.3f} to {high:.3f}"


def threshold_at(scores: np.ndarray, labels: np.ndarray, specificity: float) -> float:
    """The score that this share of the negatives does not exceed."""
    return float(np.quantile(scores[~labels], specificity))


def report(folder: Path) -> str:
    """The tables as Markdown."""
    runs: dict[str, list[tuple[np.ndarray, dict[str, Any]]]] = {}
    facts: list[dict[str, Any]] = []
    for path in sorted(folder.glob("scores-*.npz")):
        with np.load(path) as stored:
            about = json.loads(str(stored["about"]))
            name = f"{about['mode']}, {about['training']} training cases"
            runs.setdefault(name, []).append((stored["scores"], about))
            facts = json.loads(str(stored["facts"]))
    if not runs:
        raise SystemExit(f"no scores in {folder}; run `train` first")
    labels = np.array([f["is_broken"] for f in facts])
    plans = np.array([f["plan"] for f in facts])
    scores = {mode: np.mean([s for s, _ in found], axis=0) for mode, found in runs.items()}
    most = max(about["training"] for found in runs.values() for _, about in found)
    frontal, lateral = f"frontal, {most} training cases", f"lateral, {most} training cases"
    if {frontal, lateral} <= scores.keys():
        standard = [(scores[m] - scores[m].mean()) / scores[m].std() for m in (frontal, lateral)]
        scores["sum of these two single-view scores"] = standard[0] + standard[1]
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(labels), len(labels)) for _ in range(RESAMPLES)]
    areas = {m: [auc(s[d], labels[d]) for d in draws] for m, s in scores.items()}
    lines = [f"Hold-out: {len(labels)} cases, {int(labels.sum())} with a fracture, every one another patient.", ""]
    lines += [
        "| Input | runs | AUC | 95 % interval | accuracy at 0 | sensitivity at 95 % specificity |",
        "|---|---|---|---|---|---|",
    ]
    for mode, s in scores.items():
        cut = threshold_at(s, labels, 0.95)
        accuracy = f"{((s > 0) == labels).mean():.3f}" if mode in runs else "–"
        lines.append(
            f"| {mode} | {len(runs.get(mode, []))} | {auc(s, labels):.3f} | {interval(areas[mode])} | {accuracy} "
            f"| {(s[labels] > cut).mean():.3f} |"
        )
    lines += [
        "",
        "| Paired gain in AUC over the frontal view alone | ΔAUC | 95 % interval (bootstrap over patients) |",
        "|---|---|---|",
    ]
    for mode in scores:
        if mode.startswith(("frontal", "lateral")) or frontal not in scores:
            continue
        gains = [b - a for a, b in zip(areas[frontal], areas[mode], strict=True)]
        lines.append(
            f"| {mode} | {auc(scores[mode], labels) - auc(scores[frontal], labels):+.3f} | {interval(gains)} |"
        )
    classes = [p for p in ("frontal-only", "lateral-only", "both", "occult") if (plans == p).any()]
    lines += ["", "Found at 95 % specificity, by the class that was planned (number of cases):", ""]
    lines.append("| Input | " + " | ".join(f"{p} ({(plans == p).sum()})" for p in classes) + " |")
    lines.append("|---" * (len(classes) + 1) + "|")
    for mode, s in scores.items():
        cut = threshold_at(s, labels, 0.95)
        lines.append(f"| {mode} | " + " | ".join(f"{(s[plans == p] > cut).mean():.2f}" for p in classes) + " |")
    lines += ["", "Runs:"]
    for about in (a for found in runs.values() for _, a in found):
        lines.append(
            f"- {about['mode']}, seed {about['seed']}: {about['training']} training cases, {about['epochs']} epochs, "
            f"{about['parameters']} parameters, {about['cpu_s']} CPU-seconds, torch {about['torch']}"
        )
    return "\n".join(lines)
