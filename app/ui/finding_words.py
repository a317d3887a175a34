"""What a model's opinion, or its silence, is in words."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.case import ViewRole
from app.core.finding import Consultation, ConsultationState, Gap, Verdict, finding_probability
from app.core.model_card import ModelCard
from app.core.model_input import InputKind
from app.ui.language import number, say, tr

VERDICT_WORDS = {
    Verdict.FOUND: "found",
    Verdict.NOT_FOUND: "not found",
    Verdict.ABSTAINS: "not sure",
    Verdict.OUTSIDE: "outside what it knows",
}
VERDICT_ICONS = {
    Verdict.FOUND: ("finding-found", "caution"),
    Verdict.NOT_FOUND: ("finding-none", "text"),
    Verdict.ABSTAINS: ("question", "muted"),
    Verdict.OUTSIDE: ("warning", "caution"),
}
ROLE_WORDS = {ViewRole.FRONTAL: "frontal view", ViewRole.LATERAL: "lateral view"}
MISSING_WORDS = {
    ViewRole.FRONTAL: "It needs a frontal view, and this case has none.",
    ViewRole.LATERAL: "It needs a lateral view, and this case has none.",
}
GAP_WORDS: dict[Gap, tuple[str, str]] = {
    Gap.BLOCKED: ("The case is blocked.", "Release it first."),
    Gap.MISSING_VIEW: ("It needs a view that this case does not have.", ""),
    Gap.UNFIT_IMAGE: ("The image is not fit for a model.", "It is partial, or decoded for display only."),
    Gap.SIDE_OPEN: ("Nobody knows yet which hip this is.", "Answer the question about the side."),
    Gap.NEEDS_CLICKS: ("It needs the two clicks.", "Click the fracture centre, then a point on the shaft axis."),
    Gap.CROP_REJECTED: ("The aligned crop was rejected.", "Align again, or approve the crop."),
    Gap.NEEDS_REGION: ("It needs a region box.", "Drag a box around the hip."),
    Gap.UNREADABLE: ("The image is missing or damaged.", "Check the project."),
}
CLASS_WORDS = {"aff": "AFF", "nff": "NFF"}  # as surgeons write them
GAP_COMMANDS: dict[Gap, tuple[str, str]] = {
    Gap.NEEDS_CLICKS: ("align", "Align"),
    Gap.CROP_REJECTED: ("align", "Align"),
    Gap.NEEDS_REGION: ("box", "Region box"),
    Gap.UNREADABLE: ("check_project", "Check project"),
}
"""What can be pressed to fill a gap: id and text of the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The state of one model in words.

    Args:
        headline: for example `fracture: not found`.
        icon: beside it; name and tone.
        figure: the probability, or empty where none may be shown.
        lines: what must be known with it, most important first; sentences.
    """

    headline: str
    icon: tuple[str, str]
    figure: str = ""
    lines: tuple[str, ...] = ()


def said(consultation: Consultation) -> Said:
    """What a model says, or why it says nothing."""
    match consultation.state:
        case ConsultationState.ANSWERED:
            return _answered(consultation)
        case ConsultationState.IMPOSSIBLE:
            title, remedy = gap_words(consultation)
            return Said(headline=tr("not asked"), icon=("info", "muted"), lines=(title, *([remedy] if remedy else [])))
        case ConsultationState.FAILED:
            return Said(headline=tr("no answer"), icon=("error", "danger"), lines=(say(consultation.failure),))
        case ConsultationState.WAITING:
            return Said(headline=tr("is looking …"), icon=("waiting", "muted"))
        case _:
            return Said(headline=tr("not asked yet"), icon=("waiting", "muted"))


def gap_words(consultation: Consultation) -> tuple[str, str]:
    """Why a model cannot be asked, and what to do about it (may be empty)."""
    gap = consultation.gap or Gap.UNREADABLE
    title, remedy = GAP_WORDS[gap]
    if gap is Gap.MISSING_VIEW and consultation.gap_role in MISSING_WORDS:
        title = MISSING_WORDS[consultation.gap_role]
    return tr(title), tr(remedy) if remedy else ""


def looked_at(consultation: Consultation) -> str:
    """Which part of which views a model was shown."""
    views = consultation.views
    if not views:
        return ""
    kind = consultation.card.input.kind
    names = " + ".join(tr(ROLE_WORDS[view.role]) for view in views if view.role in ROLE_WORDS)
    if kind is InputKind.WHOLE_VIEW:
        return tr("Looked at: whole {views}", views=names)
    if kind is InputKind.ALIGNED_CROP:
        return tr("Looked at: the two-click crop, {views}", views=names)
    located = [view.is_located for view in views]
    if all(located):
        return tr("Looked at: hip region found automatically (dashed), {views}", views=names)
    if not any(located):
        return tr("Looked at: the region box you drew, {views}", views=names)
    found, drawn = (
        " + ".join(tr(ROLE_WORDS[view.role]) for view in views if view.is_located is is_located)
        for is_located in (True, False)
    )
    return tr("Looked at: your box ({drawn}), found automatically and dashed ({found})", drawn=drawn, found=found)


def threshold_words(card: ModelCard) -> str:
    """From which probability on it counts as found, and where it is not sure."""
    words = tr("found from {threshold}", threshold=percent(card.threshold))
    band = card.unsure_band
    if band is not None:
        words += " · " + tr("not sure between {low} and {high}", low=percent(band[0]), high=percent(band[1]))
    return words


def calibration_words(card: ModelCard) -> str:
    """What the probability was calibrated on."""
    if not card.calibration.made_on:
        return tr("The probability is not calibrated.")
    return tr("The probability is calibrated on {cases}.", cases=say(card.calibration.made_on).rstrip("."))


def percent(share: float) -> str:
    """A share as people write it; never 0 % or 100 %, since no model knows."""
    value = 100 * share
    if value < 1:
        return tr("under {percent} %", percent=1)
    if value > 99:
        return tr("over {percent} %", percent=99)
    return f"{number(value, 0)} %"


def class_name(card: ModelCard, index: int) -> str:
    """A class of a card, for people."""
    name = card.classes[index]
    return say(CLASS_WORDS.get(name, name))


def verdict_words(card: ModelCard, verdict: Verdict) -> str:
    """What a finding comes to, for example `Fracture: not found`."""
    name = class_name(card, card.finding)
    return tr("{finding}: {verdict}", finding=name[:1].upper() + name[1:], verdict=tr(VERDICT_WORDS[verdict]))


def _answered(consultation: Consultation) -> Said:
    finding, verdict, card = consultation.finding, consultation.verdict, consultation.card
    assert finding is not None
    assert verdict is not None
    headline = verdict_words(card, verdict)
    probability = finding_probability(card, finding.probabilities)
    lines: list[str] = []
    if verdict is Verdict.OUTSIDE:
        lines.append(tr("This case is unlike those it was trained on. It gives no answer; look for yourself."))
    elif verdict is Verdict.ABSTAINS:
        lines.append(tr("Too near its threshold for an answer; look for yourself."))
    if verdict is not Verdict.OUTSIDE and len(card.classes) == 2:
        other = 1 - card.finding
        lines.append(f"{class_name(card, other)} {percent(1 - probability)}")
    figure = "" if verdict is Verdict.OUTSIDE else percent(probability)
    return Said(headline=headline, icon=VERDICT_ICONS[verdict], figure=figure, lines=tuple(lines))
