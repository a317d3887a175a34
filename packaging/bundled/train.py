"""Train one bundled model on the cases of `generate.py`, by the product's own trainer.

    python packaging/bundled/train.py DATA RUNS MODEL [--epochs N] [--threads N] [--start WEIGHTS]

MODEL is cvdt-small, efficientnet-lite0-intervention, or, one after the other, densenet121-parts and
densenet121-whole-view: the same network first sees 224² px of the whole views' scale around the hip, which costs a
fifth, and then, from those weights, the whole views.

Makes RUNS/<model>, a run folder like any other: it can be stopped and resumed by the same command. Of every ten
training patients nine train and one chooses the epoch, the threshold and the temperature; the hold-out cases are scored
once, by `judge.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "0")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec
import numpy as np

from app.core.model_input import ModelInput
from app.core.region import RegionMode
from app.core.split import Part
from app.core.training_plan import Augmentation, Optimiser, Schedule, TrainingCase, TrainingPlan

FIELD_MM = 96.0
SEEN = 0.12  # amplitude of the difference image from which a person would click on the fracture in a view
VALIDATION_EVERY = 10
PARTS = "densenet121-parts"
PART_PX, PART_CACHED_PX = 224, 292
GROUPS = {
    "cvdt-small": ("neck", "displaced", "frog"),
    PARTS: ("neck", "displaced", "frog"),
    "densenet121-whole-view": ("neck", "displaced", "frog"),
    "efficientnet-lite0-intervention": ("shaft",),
}
COLUMN = {
    "cvdt-small": "region",
    PARTS: "whole",
    "densenet121-whole-view": "whole",
    "efficientnet-lite0-intervention": "aligned",
}


def plan_of(
    name: str, *, start: str = "", epochs: int = 0, localisation: float = 1.5, blank: float = 0.0
) -> TrainingPlan:
    """What the run of a bundled model is to do."""
    from app.engine.models.registry import architectures

    architecture = architectures()["densenet121-whole-view" if name == PARTS else name]
    wanted: ModelInput = architecture.input
    common: dict[str, Any] = {
        "architecture": architecture.id, "classes": architecture.classes, "seed": 1,
        "finding": len(architecture.classes) - 1,
        "optimiser": Optimiser.ADAMW, "schedule": Schedule.COSINE, "average": 0.995, "start": start,
        "preset": "bundled",
    }  # fmt: skip
    continued = start not in ("", "imagenet")
    vary = Augmentation(rotation_deg=9, zoom=0.08, shift=0.07, contrast=0.25, noise=0.03)
    if name == "cvdt-small":
        wanted = replace(wanted, region_mode=RegionMode.FIELD, field_mm=FIELD_MM, is_right_mirrored=True)
        return TrainingPlan(
            input=wanted, epochs=epochs or 24, batch=16, learning_rate=5e-4 if continued else 1.5e-3, weight_decay=0.03,
            warm_up_epochs=0.5 if continued else 2,
            localisation=localisation, augmentation=msgspec.structs.replace(vary, blank=blank), **common,
        )  # fmt: skip
    if name == PARTS:
        return TrainingPlan(
            input=replace(wanted, size_px=PART_PX), epochs=epochs or 10, batch=12,
            learning_rate=6e-4 if continued else 1.2e-3,
            weight_decay=0.02, warm_up_epochs=1, localisation=1.5,
            augmentation=msgspec.structs.replace(vary, flip_horizontal=0.5), **common,
        )  # fmt: skip
    if name == "densenet121-whole-view":
        return TrainingPlan(
            input=wanted, epochs=epochs or 2, batch=8, learning_rate=3e-4, weight_decay=0.02, warm_up_epochs=0.2,
            localisation=1.5, augmentation=Augmentation(rotation_deg=8, zoom=0.08, shift=0.05, contrast=0.25,
                                                        noise=0.03, flip_horizontal=0.5), **common,
        )  # fmt: skip
    return TrainingPlan(
        input=wanted, epochs=epochs or 8, batch=8, learning_rate=1.5e-4 if continued else 3e-4, weight_decay=0.02,
        warm_up_epochs=0.5, localisation=1.0,
        augmentation=Augmentation(rotation_deg=10, zoom=0.1, shift=0.1, contrast=0.25, noise=0.03, flip_horizontal=0.5),
        **common,
    )  # fmt: skip


def shards(
    data: Path, name: str, word: str, groups: tuple[str, ...] = ()
) -> Iterator[tuple[np.ndarray, np.ndarray, dict[str, Any]]]:
    """(views, side, side) levels, the same of inside, and the facts, case by case, in order of their seeds."""
    column = COLUMN[name]
    views = 1 if name != "cvdt-small" else 2
    for group in groups or GROUPS[name]:
        for path in sorted(data.glob(f"{group}-{word}-*.npz")):
            with np.load(path) as shard:
                levels, packed = shard[column], shard[f"{column}_inside"]
                facts = json.loads(str(shard["facts"]))
            side = levels.shape[-1]
            for number, fact in enumerate(facts):
                inside = np.unpackbits(packed[number], axis=-1, count=side * side).reshape(-1, side, side)
                if name == PARTS:
                    yield *_part(levels[number, :1], inside[:1], fact), fact
                else:
                    yield levels[number, :views], inside[:views].astype(bool), fact


def _part(levels: np.ndarray, inside: np.ndarray, fact: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """292² px around the hip, cut from a padded whole view."""
    left, top = _corner(fact)
    margin = PART_CACHED_PX
    shown = tuple(
        np.pad(part, ((0, 0), (margin, margin), (margin, margin)))[
            :, top + margin : top + 2 * margin, left + margin : left + 2 * margin
        ]
        for part in (levels, inside)
    )
    return shown[0], shown[1].astype(bool)


def _corner(fact: dict[str, Any]) -> tuple[int, int]:
    """Left upper corner of the part, px of the whole view's square."""
    view = fact["views"][0]
    (a, b, c), (d, e, f) = view["whole"]
    x, y = view["centre"]
    return round(a * x + b * y + c - PART_CACHED_PX / 2), round(d * x + e * y + f - PART_CACHED_PX / 2)


def label_of(name: str, fact: dict[str, Any]) -> int:
    """1 = the finding."""
    return int(fact["kind"] == "shaft-aff") if name.startswith("efficientnet") else int(fact["kind"] != "normal")


def clicks_of(name: str, fact: dict[str, Any], size_px: int, side: int) -> tuple[tuple[float, float] | None, ...]:
    """Where a person would click in each view, in input coordinates."""
    found: list[tuple[float, float] | None] = []
    key = "region" if name == "cvdt-small" else "whole"
    for view in fact["views"][: 2 if name == "cvdt-small" else 1]:
        click = view["fracture"]
        if name.startswith("efficientnet"):  # the first of the two clicks is the centre of the crop
            found.append((size_px / 2, size_px / 2))
            continue
        if click is None or (view["amplitude"] or 1.0) < SEEN:
            found.append(None)
            continue
        (a, b, c), (d, e, f) = view[key]
        inset = (side - size_px) / 2
        x, y = a * click[0] + b * click[1] + c, d * click[0] + e * click[1] + f
        if name == PARTS:
            left, top = _corner(fact)
            x, y = x - left, y - top
        x, y = x - inset, y - inset
        found.append((x, y) if 0 <= x < size_px and 0 <= y < size_px else None)
    return tuple(found)


def prepare(
    data: Path, run: Path, name: str, plan: TrainingPlan, *words: str, one_in: int = 1, groups: tuple[str, ...] = ()
) -> None:
    """Freeze a run folder with the cases of these words (`training`, `hold-out`), and fill its cache.

    Of the training cases every `one_in`-th is kept: from all groups alike.
    """
    from app.store.run_folder import RunFolder

    rows, cases = [], []
    for word in words:
        for number, (levels, inside, fact) in enumerate(shards(data, name, word, groups)):
            part = Part.TEST if word == "hold-out" else Part.TRAINING
            if part is Part.TRAINING and number % VALIDATION_EVERY == VALIDATION_EVERY - 1:
                part = Part.VALIDATION
            if part is Part.TRAINING and number % one_in:
                continue
            cases.append(
                TrainingCase(
                    id=f"{fact['seed']}", patient=fact["patient"], part=part, label=label_of(name, fact),
                    clicks_xy=clicks_of(name, fact, plan.input.size_px, levels.shape[-1]),
                )
            )  # fmt: skip
            rows.append((levels, inside))
    folder = RunFolder(run)
    folder.freeze(plan, cases)
    kept, insides = folder.open_cache((len(rows), *rows[0][0].shape))
    for number, (levels, inside) in enumerate(rows):
        kept[number], insides[number] = levels, inside


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("model", choices=tuple(GROUPS))
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--localisation", type=float, default=1.5, help="weight of the loss on the fracture centre")
    parser.add_argument("--blank", type=float, default=0.0, help="chance that one of two views is not seen")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", default="")
    parser.add_argument("--name", default="", help="of the run's folder (default: the model's)")
    parser.add_argument("--groups", nargs="*", default=(), help="of `generate.py` (default: all that the model is for)")
    args = parser.parse_args(argv)
    import torch

    from app.engine.device import choose_device
    from app.engine.training.trainer import Trainer
    from app.store.run_folder import RunFolder

    torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision("medium")
    run = args.runs / (args.name or args.model)
    if not (run / "plan.json").is_file():
        plan = plan_of(
            args.model, start=args.start, epochs=args.epochs, localisation=args.localisation, blank=args.blank
        )
        prepare(args.data, run, args.model, plan, "training", groups=tuple(args.groups))
    trainer = Trainer(RunFolder(run), choose_device("cpu", "bfloat16"))
    print(msgspec.json.encode(trainer.plan).decode())
    trainer.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
