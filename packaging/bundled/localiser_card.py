"""Make the folder of the hip localiser from `localiser.py`'s run.

python packaging/bundled/localiser_card.py RUNS MODELS
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from safetensors.torch import load_file, save_file

from app.core.model_card import Figure, ModelCard
from app.engine.graph_export import export_graph
from app.engine.models.registry import architectures
from app.engine.training.judging import stored_precision
from app.store.model_folder import WEIGHTS, weights_sha256, write_card


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("models", type=Path)
    args = parser.parse_args(argv)
    run, folder = args.runs / "hip-localiser", args.models / "hip-localiser"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(stored_precision(load_file(run / "best.safetensors")), folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    figures = []
    for view, found in report.items():
        where = f"{found['views']} held-out synthetic {view} views"
        for name, words in (
            ("median_mm", "median distance from the middle of the neck, mm"),
            ("p95_mm", "95th percentile of the distance, mm"),
            ("within_20_mm", "share within 20 mm"),
        ):
            figures.append(
                Figure(name=f"{words}, {view}", value=round(found[name], 4), cases=found["views"], measured_on=where)
            )
    architecture = architectures()["hip-localiser"]
    write_card(
        folder,
        ModelCard(
            id="hip-localiser",
            title="Hip localiser",
            architecture=architecture.id,
            task="Where in a whole view is the middle of the femoral neck?",
            classes=architecture.classes,
            finding=0,
            input=architecture.input,
            weights_sha256=weights_sha256(folder / WEIGHTS),
            initialised_from="random",
            trained_on="Whole views of 2,100 synthetic hips: frontal, cross-table, frog-leg; a third of the time "
            "two side by side",
            seeds="training 1; cases from 3000000, hold-out from 3500000 (packaging/bundled/generate.py)",
            command="packaging/bundled/{generate,localiser,localiser_card}.py",
            figures=tuple(figures),
            limits="Knows synthetic hips only: it has never seen a patient. What it proposes is drawn dashed and can "
            "be moved; a region that a person draws goes first.",
            licence="As Coxa itself; made from generated images only.",
        ),
    )
    export_graph(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
