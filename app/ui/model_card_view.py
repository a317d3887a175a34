"""The card of a model, to be read: what it is for, what it was measured on, and what it does not know."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from app.core.model_card import Figure, ModelCard
from app.core.model_input import GreyScaling, InputKind
from app.ui.dialog_size import open_at
from app.ui.finding_words import ROLE_WORDS, percent
from app.ui.language import number, say, tr, whole
from app.ui.theme import GAP_L, GAP_M, TEXT_S, colours

KIND_WORDS = {
    InputKind.WHOLE_VIEW: "the whole view, padded to a square",
    InputKind.ALIGNED_CROP: "the crop of the two clicks, shaft vertical",
    InputKind.REGION_CROP: "a square around the hip",
}
SCALING_WORDS = {
    GreyScaling.UNIT: "grey values from 0 to 1",
    GreyScaling.STANDARD: "grey values with mean 0 and deviation 1 in each image",
}
NAME_PX = 170
Rows = list[tuple[str, str]]


class ModelCardDialog(QDialog):
    """Everything on one card.

    Args:
        card: the card.
        parent: the window.
    """

    def __init__(self, card: ModelCard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card = card
        open_at(self, 760, 680)
        self.heading = QLabel(self)
        self.heading.setObjectName("heading")
        self.heading.setWordWrap(True)
        self.use = QLabel(self)
        self.use.setObjectName("caution")
        self.use.setWordWrap(True)
        self.page = QTextBrowser(self)
        self.page.setObjectName("help-page")
        self.page.setOpenLinks(False)
        self._close = QPushButton(self)
        self._close.setDefault(True)
        self._close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(self.heading)
        layout.addWidget(self.use)
        layout.addWidget(self.page, 1)
        layout.addLayout(foot)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the present language and colours."""
        self.setWindowTitle(tr("Model card"))
        self.heading.setText(say(self._card.title))
        self.use.setText(say(self._card.intended_use))
        self.page.setAccessibleName(tr("Model card"))
        self.page.setHtml(card_html(self._card))
        self._close.setText(tr("Close"))

    def changeEvent(self, event: QEvent) -> None:
        """Another language, or other colours."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange):
            self.retranslate()


def card_html(card: ModelCard) -> str:
    """A card as a page, in the colours of the moment."""
    scheme = colours()
    parts = [
        _section(tr("What it does not know"), f'<p style="color:{scheme.caution}">{_words(card.limits)}</p>'),
        _section(tr("What it decides"), _table(_decides(card))),
        _section(tr("What it is shown"), _table(_shown(card))),
        _section(tr("What was measured"), _figures(card.figures)),
        _section(tr("How far its answers may be relied on"), _table(_reliance(card))),
        _section(tr("Heatmaps"), _table(_heatmaps(card))),
        _section(tr("Where it comes from"), _table(_origin(card))),
    ]
    rules = (
        "h3 { margin-top: 14px; margin-bottom: 4px; }",
        "td, th { padding: 2px 14px 2px 0; }",
        f"td.name, th {{ color: {scheme.muted}; }}",
        f".small {{ font-size: {TEXT_S}px; color: {scheme.muted}; }}",
        "th { text-align: left; font-weight: normal; }",
    )
    style = f"<style>{' '.join(rules)}</style>"
    return style + "".join(parts)


def figure_text(figure: Figure) -> str:
    """A figure with its interval; shares of 1 are written as they are, since AUC and accuracy differ in habit."""
    value = number(figure.value, 3)
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({number(figure.low, 3)}–{number(figure.high, 3)})"


def _decides(card: ModelCard) -> Rows:
    names = [say(name) for name in card.classes]
    names[card.finding] = tr("{name} (the finding)", name=names[card.finding])
    rows: Rows = [
        (tr("Task"), _words(card.task)),
        (tr("Classes"), escape(", ".join(names))),
        (tr("Counts as found"), escape(tr("from a probability of {percent}", percent=percent(card.threshold)))),
    ]
    if card.threshold_rule:
        rows.append((tr("Chosen by"), _words(card.threshold_rule)))
    return rows


def _shown(card: ModelCard) -> Rows:
    wanted = card.input
    views = " + ".join(tr(ROLE_WORDS[role]) for role in wanted.roles if role in ROLE_WORDS)
    part = tr(KIND_WORDS[wanted.kind])
    if wanted.field_mm is not None:
        part = tr("{part} of {size} mm", part=part, size=number(wanted.field_mm, 0))
    rows: Rows = [
        (tr("Views"), escape(views)),
        (tr("Part"), escape(part)),
        (tr("Size"), escape(f"{wanted.size_px} × {wanted.size_px} px, {tr(SCALING_WORDS[wanted.scaling])}")),
    ]
    if wanted.is_right_mirrored:
        rows.append((tr("Sides"), escape(tr("right hips are mirrored, so that it knows left ones only"))))
    return rows


def _figures(figures: tuple[Figure, ...]) -> str:
    if not figures:
        return f"<p>{escape(tr('Nothing was measured. Do not rely on it.'))}</p>"
    head = "".join(f"<th>{escape(word)}</th>" for word in (tr("Figure"), tr("Value (95 % interval)"), tr("Cases")))
    rows = []
    on = ""
    for figure in figures:
        if figure.measured_on != on:
            on = figure.measured_on
            rows.append(f'<tr><td colspan="3" class="small">{_words(on)}</td></tr>')
        rows.append(
            f"<tr><td>{_words(figure.name)}</td><td><b>{escape(figure_text(figure))}</b></td>"
            f"<td>{escape(whole(figure.cases))}</td></tr>"
        )
    methods = sorted({figure.method for figure in figures if figure.method})
    foot = f'<p class="small">{_words("; ".join(methods))}</p>' if methods else ""
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>{foot}"


def _reliance(card: ModelCard) -> Rows:
    made = card.calibration
    if made.made_on:
        words = tr("temperature {value}, on {cases}", value=number(made.temperature, 2), cases=say(made.made_on))
        if made.error_before is not None and made.error_after is not None:
            words += "; " + tr(
                "calibration error {before} before, {after} after",
                before=number(made.error_before, 3),
                after=number(made.error_after, 3),
            )
    else:
        words = tr("not calibrated: the figures are no probabilities that may be relied on")
    rows: Rows = [(tr("Calibration"), escape(words))]
    band, abstention = card.unsure_band, card.abstention
    if abstention is None or band is None:
        rows.append((tr("Says “not sure”"), escape(tr("never: it always answers"))))
    else:
        told = tr("between {low} and {high}", low=percent(band[0]), high=percent(band[1]))
        shares = tr(
            "it answers {coverage} of the cases and is wrong in {risk} of them (in {all} if it always answered)",
            coverage=percent(abstention.coverage),
            risk=f"{number(100 * abstention.risk, 1)} %",
            all=f"{number(100 * abstention.risk_of_all, 1)} %",
        )
        rows.append((tr("Says “not sure”"), escape(f"{told}; {shares}")))
        rows.append((tr("measured on"), _words(abstention.measured_on or abstention.made_on)))
    if card.outlier_limit is None:
        rows.append((tr("Cases unlike those it knows"), escape(tr("it cannot tell them"))))
    else:
        limit = tr("no answer beyond a distance of {limit}", limit=number(card.outlier_limit, 1))
        rows.append((tr("Cases unlike those it knows"), escape(limit)))
    return rows


def _heatmaps(card: ModelCard) -> Rows:
    audit = card.heatmap_audit
    rows: Rows = [(tr("Full colour"), escape(tr("{value} logits", value=number(card.heatmap_scale, 2))))]
    if audit is None:
        rows.append((tr("Audit"), escape(tr("not validated: nobody has checked where they point"))))
        return rows
    verdict = tr("passed") if audit.is_passed else tr("failed: heatmaps are marked as not validated")
    share = audit.hits / audit.positives if audit.positives else 0.0
    hits = tr(
        "the peak lies in the fracture region in {hits} of {positives} ({share} %)",
        hits=whole(audit.hits), positives=whole(audit.positives), share=number(100 * share, 1),
    )  # fmt: skip
    similar = tr("similarity to those of random weights {value}", value=number(audit.random_similarity, 2))
    rows += [(tr("Audit"), escape(verdict)), (tr("Hits"), escape(hits)), (tr("Random weights"), escape(similar)),
             (tr("measured on"), _words(audit.measured_on))]  # fmt: skip
    return rows


def _origin(card: ModelCard) -> Rows:
    return [
        (tr("Trained on"), _words(card.trained_on)),
        (tr("Started from"), _words(card.initialised_from)),
        (tr("Network"), escape(card.architecture)),
        (tr("Seeds"), _words(card.seeds)),
        (tr("Command"), f"<code>{escape(card.command)}</code>"),
        (tr("Licence"), escape(card.licence)),
        (tr("Weights"), f'<span class="small">SHA-256 {escape(card.weights_sha256)}</span>'),
        (tr("Name"), escape(card.id)),
    ]


def _section(title: str, body: str) -> str:
    return f"<h3>{escape(title)}</h3>{body}"


def _table(rows: Rows) -> str:
    lines = (f'<tr><td class="name" width="{NAME_PX}">{escape(name)}</td><td>{words}</td></tr>' for name, words in rows)
    return f"<table>{''.join(lines)}</table>"


def _words(text: str) -> str:
    return escape(say(text)).replace("\n", "<br>")
