"""What the second view is worth to a bundled model of two views: the hold-out with both, and with one of them blanked.

    python packaging/bundled/ablation.py DATA MODELS [MODEL]

A blanked view shows its own mean everywhere (ADR 0191). The network has never been trained for that: the figures say
how much this network relies on each view, not how good a network would be that was trained for one view alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "0")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import numpy.typing as npt
import train

from app.core.model_card import ModelCard
from app.core.model_input import blank_input
from app.core.split import Part
from app.core.training_plan import TrainingPlan
from app.engine.loaded_model import LoadedModel
from app.engine.statistics import roc
from app.engine.statistics.interval import Estimate
from app.engine.training import deciding
from app.engine.training.batches import Batches
from app.store.run_folder import RunFolder

PASS = 8
SHOWN: Mapping[str, tuple[bool, ...]] = {
    "both views": (True, True),
    "frontal alone": (True, False),
    "lateral alone": (False, True),
}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of showing the cases.

    Args:
        name: which views are shown.
        area: under the ROC curve, DeLong.
        sensitivity: at the card's threshold.
        specificity: at the card's threshold.
        less: area of both views − this one's, paired; None for both views themselves.
        p: of that difference.
    """

    name: str
    area: Estimate
    sensitivity: float
    specificity: float
    less: Estimate | None
    p: float | None


def logits_of(model: LoadedModel, batches: Batches, shown: tuple[bool, ...]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Calibrated logit of the finding, and class number, for every case of the hold-out.

    Args:
        model: of two views.
        batches: cases; those of the test part are looked at.
        shown: for each view whether it is shown; the others are blanked.
    """
    import torch

    said, labels = [], []
    for batch in batches.plain(batches.of(Part.TEST), batch=PASS):
        views = [
            view if is_shown else np.stack([blank_input(one, model.card.input) for one in view])
            for view, is_shown in zip(batch.views, shown, strict=True)
        ]
        with torch.inference_mode():
            maps = model.network.maps(*(torch.from_numpy(view) for view in views))
            said.append(model.network.classify(maps).double().numpy())
        labels.append(batch.labels)
    card = model.card
    logit = deciding.finding_logit(np.concatenate(said), card.finding, card.calibration.temperature)
    return logit, np.concatenate(labels).astype(np.int64)


def rows_of(card: ModelCard, labels: npt.NDArray[np.int64], logits: Mapping[str, Floats]) -> list[Row]:
    """The table.

    Args:
        card: threshold and finding.
        labels: (N,) class numbers.
        logits: for each way of showing the cases (N,); that of all views comes first.
    """
    truth = deciding.is_finding(labels, card.finding, len(card.classes))
    at = float(np.log(card.threshold / (1 - card.threshold)))
    whole = next(iter(logits.values()))
    rows = []
    for number, (name, logit) in enumerate(logits.items()):
        found = deciding.decided(logit, at)
        gap = roc.compare(truth, whole, logit) if number else None
        rows.append(
            Row(
                name=name,
                area=roc.auc(truth, logit),
                sensitivity=float(found[truth].mean()),
                specificity=float((~found)[~truth].mean()),
                less=gap.estimate if gap else None,
                p=gap.p if gap else None,
            )
        )
    return rows


def lines_of(rows: list[Row]) -> list[str]:
    """The table as Markdown."""
    lines = [
        "| shown | AUC (95 % CI, DeLong) | sensitivity | specificity | ΔAUC: both − this (paired, DeLong) | p |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        less = "–" if row.less is None else f"{row.less.value:+.3f} ({row.less.low:+.3f} … {row.less.high:+.3f})"
        p = "–" if row.p is None else f"{row.p:.2g}"
        lines.append(
            f"| {row.name} | {row.area.value:.3f} ({row.area.low:.3f} … {row.area.high:.3f}) | {row.sensitivity:.3f} | "
            f"{row.specificity:.3f} | {less} | {p} |"
        )
    return lines


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("model", nargs="?", default="cvdt-small")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    import torch

    torch.set_num_threads(args.threads)
    model = LoadedModel(args.models / args.model, device=torch.device("cpu"), precision=torch.float32)
    card = model.card
    plan = TrainingPlan(
        architecture=card.architecture, classes=card.classes, finding=card.finding, input=card.input, preset="ablation"
    )
    with tempfile.TemporaryDirectory(prefix="coxa-ablation-") as folder:
        train.prepare(args.data, Path(folder) / "run", args.model, plan, "hold-out")
        batches = Batches.of_run(RunFolder(Path(folder) / "run"))
        found = {name: logits_of(model, batches, shown) for name, shown in SHOWN.items()}
    labels = found["both views"][1]
    print(f"{args.model}, weights {card.weights_sha256[:16]}, {len(labels)} hold-out cases, threshold {card.threshold}")
    print("\n".join(lines_of(rows_of(card, labels, {name: logit for name, (logit, _) in found.items()}))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
