"""Words and rows about trainings: who takes part, how they are divided, how far a run is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.core.split import Part
from app.core.training_proposal import REASONS, Protocol, Start, TrainingProposal, Unfit
from app.core.training_run import RunState
from app.ui.language import number, say, tr, trn, whole

if TYPE_CHECKING:
    from app.store.runs import RunSummary

STATES: Mapping[RunState, str] = {
    RunState.NEW: "not started",
    RunState.QUEUED: "waits for its turn",
    RunState.PREPARING: "cutting the images",
    RunState.RUNNING: "training",
    RunState.PAUSED: "paused",
    RunState.FINISHED: "finished",
    RunState.FAILED: "failed",
    RunState.BROKEN_OFF: "broken off",
}
PROTOCOLS: Mapping[Protocol, str] = {
    Protocol.HOLD_OUT: "Frozen hold-out",
    Protocol.SHARES: "80 / 20",
    Protocol.FIVE_FOLD: "5 folds (paper 004)",
    Protocol.TEN_FOLD: "10 folds (paper 000)",
}
PRESETS: Mapping[str, str] = {
    "quick": "Quick",
    "default": "Default",
    "paper": "As in the paper",
    "paper-sgd": "As in the paper, SGD",
}
STARTS: Mapping[Start, str] = {
    Start.ACTIVE: "Active model",
    Start.IMAGENET: "ImageNet weights",
    Start.SCRATCH: "Random weights",
    Start.FILE: "A weights file …",
}
PARTS: Mapping[Part, str] = {
    Part.TRAINING: "Training",
    Part.VALIDATION: "Validation",
    Part.TEST: "Test",
}


def state_words(state: RunState) -> str:
    """How far a run is, in a word or two."""
    return tr(STATES[state])


def _is_ending(run: RunSummary) -> bool:
    """Whether all epochs are done, and the model is calibrated and measured."""
    return run.state is RunState.RUNNING and len(run.epochs) >= run.plan.epochs


def _state_words(run: RunSummary) -> str:
    return tr("making the model") if _is_ending(run) else state_words(run.state)


def takes_part_words(proposal: TrainingProposal) -> str:
    """How many cases and patients take part."""
    patients = len(set(proposal.patients.values()))
    cases = trn("1 case", "{count} cases", len(proposal.labels))
    return tr("{cases} of {patients} take part", cases=cases, patients=trn("1 patient", "{count} patients", patients))


def unfit_rows(proposal: TrainingProposal) -> list[tuple[Unfit, str, str]]:
    """Why others do not take part: reason, its words, and how many, most frequent first."""
    return [(reason, say(REASONS[reason]), whole(count)) for reason, count in proposal.unfit_counts().items()]


def split_rows(proposal: TrainingProposal) -> list[tuple[str, ...]]:
    """The split as a table: a head with the classes, then a row for each part with cases and patients."""
    head = (tr("Cases of patients"), *(each.name for each in proposal.request.task.classes))
    rows = [
        (tr(PARTS[part]), *(tr("{cases} of {patients}", cases=whole(c), patients=whole(p)) for c, p in row))
        for part, row in proposal.table().items()
    ]
    return [head, *rows]


def duration_words(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return tr("{count} s", count=whole(round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("{count} min", count=whole(minutes))
    return tr("{hours} h {minutes} min", hours=whole(minutes // 60), minutes=f"{minutes % 60:02d}")


def run_line(run: RunSummary) -> str:
    """A run in the list: how far, and how good."""
    words = [_state_words(run), tr("epoch {now} of {all}", now=whole(len(run.epochs)), all=whole(run.plan.epochs))]
    best = run.best
    if best is not None and best.auc is not None:
        words.append(tr("AUC {value}", value=number(best.auc, 3)))
    return " · ".join(words)


def live_rows(run: RunSummary) -> list[tuple[str, str]]:
    """What is said beside the curves."""
    live, best, last = run.live, run.best, run.epochs[-1] if run.epochs else None
    rows = [(tr("State"), _state_words(run))]
    if run.state is RunState.PREPARING and live.cases:
        rows.append((tr("Images"), tr("{done} of {total}", done=whole(live.prepared), total=whole(live.cases))))
    if run.state is RunState.RUNNING and live.steps and not _is_ending(run):
        rows.append((tr("Step"), tr("{done} of {total}", done=whole(live.step), total=whole(live.steps))))
        if live.cases_per_s:
            rows.append((tr("Cases a second"), number(live.cases_per_s, 1)))
        if live.seconds_left is not None:
            rows.append((tr("Time left"), duration_words(live.seconds_left)))
    if best is not None:
        rows.append((tr("Best epoch"), whole(best.number)))
        if best.auc is not None:
            rows.append((tr("Its AUC"), number(best.auc, 3)))
        if best.accuracy is not None:
            rows.append((tr("Its accuracy"), number(best.accuracy, 3)))
    if last is not None:
        rows.append((tr("Learning rate"), f"{last.learning_rate:.1e}"))
    if live.device:
        rows.append((tr("Computes on"), f"{live.device}, {live.precision}"))
    if live.memory_bytes:
        rows.append((tr("Memory"), tr("{size} MB", size=whole(round(live.memory_bytes / 1e6)))))
    rows.append((tr("Begins with"), run.info.initialised_from))
    return rows
