"""A model's card as text, in the order in which a person needs it: use and limits, what it decides, how good it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from app.cli.output import printable
from app.core.model_card import Figure, ModelCard
from app.core.model_check import LOCALISED
from app.core.model_input import GreyScaling, InputKind

WIDTH, NAME = 118, 16  # columns: of a line, and of the names of rows
NOTICE = "Research use only. Not for diagnosis."
KINDS = {
    InputKind.WHOLE_VIEW: "the whole view, padded to a square",
    InputKind.ALIGNED_CROP: "the crop of the two clicks, shaft vertical",
    InputKind.REGION_CROP: "a square around the hip",
}
SCALINGS = {
    GreyScaling.UNIT: "grey values from 0 to 1",
    GreyScaling.STANDARD: "grey values with mean 0 and deviation 1 in each image",
}


def card_lines(card: ModelCard) -> list[str]:
    """The card of a model for people.

    Args:
        card: the card; its texts may come from others.
    """
    lines = [printable(f"{card.title} ({card.id})"), NOTICE, ""]
    lines += _rows([("use", _use(card)), ("limits", card.limits)])
    lines += _section("What it decides", _rows(_decides(card)))
    lines += _section("What it is shown", _rows(_shown(card)))
    lines += _section("What was measured", list(_figures(card.figures)))
    if not _is_localiser(card):
        lines += _section("How far its answers may be relied on", _rows(_reliance(card)))
        lines += _section("Heatmaps", _rows(_heatmaps(card)))
    return lines + _section("Where it comes from", _rows(_origin(card)))


def _is_localiser(card: ModelCard) -> bool:
    return card.classes == (LOCALISED,)


def _use(card: ModelCard) -> str:
    """What it is for, without the sentence that stands above."""
    said = card.intended_use.removesuffix("Not for diagnosis.").strip()
    return said or card.intended_use


def _decides(card: ModelCard) -> list[tuple[str, str]]:
    if _is_localiser(card):
        return [("task", card.task), ("answer", "a place in the view, drawn dashed as a proposal; no probability")]
    names = [f"{name} (the finding)" if number == card.finding else name for number, name in enumerate(card.classes)]
    rows = [("task", card.task), ("classes", ", ".join(names)),
            ("counts as found", f"from a probability of {_percent(card.threshold)}")]  # fmt: skip
    return rows + ([("chosen by", card.threshold_rule)] if card.threshold_rule else [])


def _shown(card: ModelCard) -> list[tuple[str, str]]:
    wanted = card.input
    part = KINDS[wanted.kind] + ("" if wanted.field_mm is None else f" of {wanted.field_mm:g} mm")
    size = f"{wanted.size_px} × {wanted.size_px} px, {SCALINGS[wanted.scaling]}"
    rows = [("views", " + ".join(map(str, wanted.roles))), ("part", part), ("size", size)]
    if wanted.is_right_mirrored:
        rows.append(("sides", "right hips are mirrored, so that it knows left ones only"))
    return rows


def _figures(figures: Sequence[Figure]) -> Iterator[str]:
    if not figures:
        yield "  Nothing was measured. Do not rely on it."
        return
    width = max(len(figure.name) for figure in figures)
    numbers = {figure: _figure(figure) for figure in figures}
    wide = max(map(len, numbers.values()))
    on = ""
    for figure in figures:
        if figure.measured_on != on:
            on = figure.measured_on
            brackets = " (95 % intervals in brackets)" if figure.low is not None else ""
            yield from _wrapped(f"on {on}{brackets}:", 2)
        line = f"    {figure.name:{width}}  {numbers[figure]:{wide}}  {figure.cases:5} cases  {figure.method}"
        yield printable(line.rstrip())


def _figure(figure: Figure) -> str:
    value = f"{figure.value:6.3f}"
    return value if figure.low is None or figure.high is None else f"{value}  ({figure.low:.3f} … {figure.high:.3f})"


def _reliance(card: ModelCard) -> list[tuple[str, str]]:
    made = card.calibration
    words = "none: its figures are no probabilities that may be relied on"
    if made.made_on.startswith("nothing"):
        words = f"not calibrated, on {made.made_on}"
    elif made.made_on:
        words = f"logits divided by {made.temperature:.3f}, chosen on {made.made_on}"
    if made.error_before is not None and made.error_after is not None:
        words += f"; calibration error {made.error_before:.3f} before, {made.error_after:.3f} after"
    rows = [("calibration", words)]
    band, abstention = card.unsure_band, card.abstention
    if abstention is None or band is None:
        rows.append(("abstains", "never for lying too near the threshold"))
    else:
        rows.append(("abstains", f"between {_percent(band[0])} and {_percent(band[1])}; it answers "
                     f"{_percent(abstention.coverage)} of the cases and is wrong in {_percent(abstention.risk)} of "
                     f"them ({_percent(abstention.risk_of_all)} if it always answered), measured on "
                     f"{abstention.measured_on or abstention.made_on}"))  # fmt: skip
    limit = card.outlier_limit
    told = "it cannot tell them" if limit is None else f"no answer beyond a distance of {limit:.3f} (1 is ordinary)"
    return [*rows, ("unlike cases", told)]


def _heatmaps(card: ModelCard) -> list[tuple[str, str]]:
    audit = card.heatmap_audit
    rows = [("full colour", f"{card.heatmap_scale:g} logits")]
    if audit is None:
        return [*rows, ("audit", "not validated: nobody has checked where they point (coxa models audit)")]
    share = f" ({_percent(audit.hits / audit.positives)})" if audit.positives else ""
    verdict = "passed" if audit.is_passed else "failed, heatmaps are marked as not validated"
    return [*rows, ("audit", f"{verdict}: the peak lies in the fracture region in {audit.hits} of {audit.positives} "
                    f"found fractures{share}; similarity to heatmaps of random weights {audit.random_similarity:.3f} "
                    f"(must be below 0.5); on {audit.measured_on}")]  # fmt: skip


def _origin(card: ModelCard) -> list[tuple[str, str]]:
    rows = [
        ("trained on", card.trained_on), ("started from", card.initialised_from), ("network", card.architecture),
        ("place", card.task_id), ("seeds", card.seeds), ("command", card.command), ("licence", card.licence),
        ("weights", f"SHA-256 {card.weights_sha256}"),
    ]  # fmt: skip
    return rows + ([("graph", f"SHA-256 {card.graph_sha256}")] if card.graph_sha256 else [])


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *lines]


def _rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    for name, words in rows:
        first, *rest = list(_wrapped(words, NAME + 2)) or [""]
        lines += [f"  {name:{NAME}}{first.strip()}", *rest]
    return lines


def _wrapped(text: str, margin: int) -> Iterator[str]:
    for part in wrap(printable(text), WIDTH - margin):
        yield " " * margin + part
