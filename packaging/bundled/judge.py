"""Make the folders of the bundled models: decide on validation cases, measure on the hold-out, write the cards.

    python packaging/bundled/judge.py DATA RUNS MODELS MODEL

The hold-out patients were never trained on. The same command prints every figure of the card again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "0")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import train

from app.core.model_card import ModelCard
from app.engine.synthesis.known_cases import EASY_SHARE
from app.store.model_folder import WEIGHTS
from app.store.run_folder import RunFolder

DESCRIBED_ONE_IN = 3  # of the training cases: what the outlier distance is made from
SYNTHETIC = (
    "Knows synthetic hips only: it has never seen a patient. On real radiographs treat it as untrained until it has "
    "been measured there."
)
EASY = f"{EASY_SHARE:.0%} easy and {1 - EASY_SHARE:.0%} standard difficulty, coarse voxels, 768 rows"
ABOUT = {
    "cvdt-small": (
        "CVDT, small",
        "Is there a fracture of the femoral neck or the trochanters? Both views together.",
        "random",
        "Two of three fractures that it was taught are non-displaced ones of the neck. Shaft fractures it has not "
        "seen. The region must lie on the hip.",
    ),
    "densenet121-whole-view": (
        "DenseNet-121, whole view",
        "Is there a fracture of the femoral neck or the trochanters? The whole frontal view.",
        "random; first parts of the views around the hip, then whole views",
        "It was taught views of one hip, not whole pelves. Shaft fractures it has not seen.",
    ),
    "efficientnet-lite0-intervention": (
        "EfficientNet-Lite0, two-click crop",
        "Is a broken femoral shaft an atypical (AFF) rather than a normal (NFF) fracture?",
        "EfficientNet-Lite0, ImageNet",
        "It assumes that there is a fracture of the shaft and that the two clicks are on it; it cannot say that there "
        "is none.",
    ),
}


def make(data: Path, runs: Path, models: Path, name: str) -> ModelCard:
    """One bundled model from its run."""
    from app.engine.device import choose_device
    from app.engine.graph_export import export_graph
    from app.engine.training.finish import About
    from app.engine.training.finish_run import finish_run

    run = RunFolder(runs / name)
    judged = runs / f"{name}-judged"
    shutil.rmtree(judged, ignore_errors=True)
    train.prepare(data, judged, name, run.plan(), "training", "hold-out", one_in=DESCRIBED_ONE_IN)
    shutil.copyfile(run.best_file, RunFolder(judged).best_file)
    trained = run.cases()
    counts = {
        "training": sum(case.part == "training" for case in trained),
        "validation": sum(case.part == "validation" for case in trained),
        "test": sum(case.part == "test" for case in RunFolder(judged).cases()),
    }
    title, task, start, limits = ABOUT[name]
    about = About(
        id=name,
        title=title,
        task=task,
        trained_on=f"{counts['training']} synthetic hips, one a patient ({EASY})",
        chosen_on=f"{counts['validation']} other synthetic patients",
        measured_on=f"{counts['test']} held-out synthetic patients ({EASY})",
        initialised_from=start,
        seeds=f"training {run.plan().seed}; cases from 3000000, hold-out from 3500000; packaging/bundled/README.md",
        command=f"packaging/bundled/{{generate,train,judge}}.py, model {name}",
        limits=f"{SYNTHETIC} {limits}",
        licence="As Coxa itself; made from generated images only."
        if start == "random" or name.startswith("densenet")
        else "As Coxa itself; begun from weights under the Apache License 2.0.",
    )
    card = finish_run(RunFolder(judged), models / name, about, choose_device("cpu", "float32"))
    export_graph(models / name)
    (models / name / WEIGHTS).chmod(0o644)
    return card


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("model", choices=tuple(ABOUT))
    args = parser.parse_args(argv)
    card = make(args.data, args.runs, args.models, args.model)
    for figure in card.figures:
        print(figure)
    print(card.heatmap_audit, card.calibration, card.threshold, card.outlier_limit)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
