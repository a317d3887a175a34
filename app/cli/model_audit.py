"""`coxa models audit`: heatmaps on synthetic fractures, or the places of a localiser on synthetic hips."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.model_checks import groups_of, made_cases, named_folder, require_torch
from app.cli.modest import be_modest
from app.cli.output import print_json, printable
from app.core.errors import UserError
from app.core.model_check import LOCALISED

if TYPE_CHECKING:
    from app.core.model_card import Figure, ModelCard
    from app.engine.audit import AuditReport
    from app.engine.audit_places import PlaceReport
    from app.store.models import Models


def run_audit(args: argparse.Namespace, models: Models, *, is_writable: bool) -> int:
    """Audit the heatmaps of one model on synthetic cases, or the places of a localiser.

    Raises:
        UserError: `bundled`: its card is read-only; `no-truth`, `no-torch`, or the model cannot be used.
    """
    from app.store.model_folder import read_card, write_card

    folder, _ = named_folder(models, args.what)
    card = read_card(folder)
    require_torch()
    if card.classes == (LOCALISED,):
        return _run_places(args, folder, card)
    if args.write and not is_writable:
        raise UserError("Only the card of a project's model can be written.", remedy="Add --project DIR.", kind="usage")
    if args.write and not any(entry.folder == folder and not entry.is_bundled for entry in models.all()):
        raise UserError(
            "The cards of the bundled models are read-only.",
            reason="They describe what Coxa ships with, on every machine alike.",
            remedy="Leave --write out; or import a copy under another id (`coxa models import`).",
            kind="bundled",
        )
    be_modest(0)
    from app.engine.audit import audit_jobs, audit_model, fed_case, measured_words, with_audit
    from app.engine.device import choose_device

    jobs = audit_jobs(card, args.cases, groups_of(args))
    cases = made_cases(fed_case, jobs, args)
    words = measured_words([group for _, group, _ in jobs])
    report = audit_model(folder, cases, choose_device(args.device, "float32"), words)
    is_written = args.write and report.audit is not None
    if is_written:
        write_card(folder, with_audit(card, report))
    if args.json:
        print_json(_audit_document(card, report, is_written=is_written))
    else:
        print("\n".join(_audit_lines(card, report)))
        if is_written:
            print(printable(f"Written to the card of {card.id}."))
    return DONE if report.audit is not None and report.audit.is_passed else PROBLEMS


def _run_places(args: argparse.Namespace, folder: Path, card: ModelCard) -> int:
    """Audit a localiser: how far off its places are, on cases of which they are known.

    Raises:
        UserError: `usage`, or the model cannot be used.
    """
    if args.write:
        raise UserError(
            "The audit of a localiser is not written to its card.",
            reason="What a card keeps is the audit of heatmaps, and a localiser has none.",
            remedy="Leave --write out; --json prints everything.",
            kind="usage",
        )
    be_modest(0)
    from app.engine.audit import measured_words
    from app.engine.audit_places import audit_places, place_jobs, placed_views
    from app.engine.device import choose_device

    jobs = place_jobs(args.cases, groups_of(args))
    cases = made_cases(placed_views, jobs, args)
    words = measured_words([group for group, _ in jobs])
    report = audit_places(folder, cases, choose_device(args.device, "float32"), words)
    if args.json:
        print_json(
            {
                "model": card.id, "weights_sha256": card.weights_sha256, "measured_on": report.measured_on,
                "figures": msgspec.to_builtins(report.figures), "card_says": msgspec.to_builtins(card.figures),
                "within_20_mm": report.near, "within_20_mm_by_random_weights": report.near_by_chance,
                "is_passed": report.is_passed, "is_written": False,
            }
        )  # fmt: skip
    else:
        print("\n".join(_place_lines(card, report)))
    return DONE if report.is_passed else PROBLEMS


def _place_lines(card: ModelCard, report: PlaceReport) -> list[str]:
    lines = [printable(f"{card.id}, {report.measured_on}:"), *_figure_lines(card, report.figures)]
    lines.append(f"  all views within 20 mm: {100 * report.near:.1f} %; "
                 f"with random weights {100 * report.near_by_chance:.1f} % (must be below 50 %)")  # fmt: skip
    lines.append("It finds the hip, and has no heatmaps to audit: its place is its answer.")
    failed = "Failed: fewer than 90 % of its places lie within 20 mm, or random weights do as well."
    return [*lines, "Passed: its places may be proposed." if report.is_passed else failed]


def _audit_lines(card: ModelCard, report: AuditReport) -> list[str]:
    """For people: what was recomputed beside what the card says."""
    lines = [printable(f"{card.id}, {report.measured_on}:"), *_figure_lines(card, report.figures)]
    audit = report.audit
    if audit is None:
        return [*lines, "No positive was found in which the fracture can be seen: there is nothing to audit."]
    lines.append(f"  peak in the fracture region                  {audit.hits} of {audit.positives} found fractures")
    lines.append(f"  similarity to random weights                 {audit.random_similarity:.3f} (must be below 0.5)")
    lines.append("Passed: its heatmaps may be shown." if audit.is_passed
                 else "Failed: its heatmaps must be marked as not validated.")  # fmt: skip
    return lines


def _figure_lines(card: ModelCard, figures: Sequence[Figure]) -> list[str]:
    """What was recomputed, beside what the card says."""
    said = {figure.name: figure for figure in card.figures}
    width = max((len(figure.name) for figure in figures), default=0)
    lines = []
    for figure in figures:
        interval = "" if figure.low is None else f" ({figure.low:.3f}–{figure.high:.3f})"
        before = said.get(figure.name)
        card_says = "" if before is None else f"   card: {before.value:.3f}"
        lines.append(f"  {figure.name:{width}} {figure.value:.3f}{interval}, {figure.cases} cases{card_says}")
    return lines


def _audit_document(card: ModelCard, report: AuditReport, *, is_written: bool) -> dict[str, Any]:
    return {
        "model": card.id,
        "weights_sha256": card.weights_sha256,
        "measured_on": report.measured_on,
        "audit": None if report.audit is None else msgspec.to_builtins(report.audit),
        "figures": msgspec.to_builtins(report.figures),
        "card_says": None if card.heatmap_audit is None else msgspec.to_builtins(card.heatmap_audit),
        "is_written": is_written,
    }
