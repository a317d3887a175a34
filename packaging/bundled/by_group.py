"""The hold-out of a judged model, group by group: how a mixture came to its figures.

    python packaging/bundled/by_group.py RUNS MODEL

Groups are those of `known_cases`. Displaced fractures have no intact hips of their own; those of the group neck, which
are X-rayed alike, stand against them. A bundled model's threshold is used as its card has it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.engine.statistics import roc
from app.engine.statistics.interval import clopper_pearson
from app.engine.synthesis.known_cases import CaseGroup, first_seed

WORDS = {
    "neck": "neck, not displaced; cross-table lateral",
    "frog": "neck, not displaced; frog-leg lateral",
    "displaced": "displaced and trochanteric; cross-table lateral",
    "shaft": "shaft: atypical against normal",
}
STRIDE = 100_000


def group_of(seed: int) -> CaseGroup:
    """The group that a hold-out case belongs to."""
    start = seed // STRIDE * STRIDE
    return next(group for group in CaseGroup if first_seed(group, is_held_out=True) == start)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("model")
    args = parser.parse_args(argv)
    found = json.loads((args.runs / f"{args.model}-judged" / "evaluation.json").read_text(encoding="utf-8"))
    groups: dict[str, list[dict[str, Any]]] = {}
    for case in found["cases"]:
        groups.setdefault(group_of(int(case["id"])), []).append(case)
    print("| group | cases, with a fracture | AUC (95 % CI, DeLong) | sensitivity | specificity |")
    print("|---|---|---|---|---|")
    for name, cases in groups.items():
        negatives = [case for case in cases if not case["is_finding"]]
        positives = [case for case in cases if case["is_finding"]]
        against = negatives or [case for case in groups["neck"] if not case["is_finding"]]
        shown = positives + against
        area = roc.auc([case["is_finding"] for case in shown], [case["probability"] for case in shown])
        cells = [f"{area.value:.3f} ({area.low:.3f} … {area.high:.3f})"]
        for rows, is_right in ((positives, True), (negatives, False)):
            hits = sum(case["is_found"] is is_right for case in rows)
            share = clopper_pearson(hits, len(rows)) if rows else None
            cells.append(f"{share.value:.3f} ({share.low:.3f} … {share.high:.3f})" if share is not None else "–")
        print(f"| {WORDS[name]} | {len(cases)}, {len(positives)} | {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
