"""What the window says about the AI engine and its jobs."""

from __future__ import annotations

from app.core.batch_run import BatchProgress
from app.ui.engine_state import EngineFacts, EngineState
from app.ui.language import tr, trn, whole

MEGABYTE = 1 << 20
NOTABLE_S = 10.0  # a process that stands still for so long is mentioned
TITLES = {
    EngineState.OFF: "AI: off",
    EngineState.STARTING: "AI: starting…",
    EngineState.IDLE: "AI: ready",
    EngineState.WORKING: "AI: working",
    EngineState.UNAVAILABLE: "AI: not available",
    EngineState.GIVEN_UP: "AI: stopped",
}
ENDINGS = {
    "silent": "The AI engine did not answer any more and was started again.",
    "garbled": "The AI engine wrote something that is no answer and was started again.",
}
ENDED = "The AI engine ended by itself and was started again."


def state_words(state: EngineState, facts: EngineFacts | None, memory_bytes: int, *, standing_s: float = 0.0) -> str:
    """One line for the bottom bar: what it is doing, on what, and how much memory it has; or for how long it has not
    moved."""
    if state is EngineState.WORKING and standing_s >= NOTABLE_S:
        return tr("AI: no answer for {count} s", count=whole(round(standing_s)))
    parts = [tr(TITLES[state])]
    if facts is not None and state in (EngineState.IDLE, EngineState.WORKING):
        parts.append(facts.device.upper())
        if memory_bytes:
            parts.append(f"{whole(round(memory_bytes / MEGABYTE))} MB")
    return " · ".join(parts)


def state_tip(facts: EngineFacts | None, models: tuple[str, ...], reason: str) -> str:
    """More about it, in lines.

    Args:
        facts: what it computes on.
        models: titles of the models that are asked.
        reason: why it does not work; empty while it does.
    """
    lines = [reason] if reason else []
    if facts is not None:
        device = tr("Computes on {device}, {precision}", device=facts.device_name, precision=facts.precision)
        lines.append(device)
    lines.append(tr("Asked: {models}", models=", ".join(models)) if models else tr("There is no model to ask."))
    lines.append(tr("Research use only. Not for diagnosis."))
    return "\n".join(lines)


def batch_title(progress: BatchProgress) -> str:
    """What the line in the bottom bar is about."""
    return trn("AI on 1 case", "AI on {count} cases", progress.total)


def batch_words(progress: BatchProgress, remaining_s: float | None) -> str:
    """How far a batch is, or what came of it."""
    if progress.is_cancelled:
        parts = [tr("Stopped after {done} of {total}; what was found is kept", done=whole(progress.done),
                    total=whole(progress.total))]  # fmt: skip
    elif progress.is_over:
        parts = [trn("1 answered", "{count} answered", progress.answered)]
    else:
        parts = [tr("{done} of {total}", done=whole(progress.done), total=whole(progress.total))]
    if progress.impossible:
        parts.append(trn("1 cannot be asked", "{count} cannot be asked", progress.impossible))
    if progress.failed:
        parts.append(trn("1 failed", "{count} failed", progress.failed))
    if not progress.is_over and remaining_s is not None:
        minutes = round(remaining_s / 60)
        parts.append(
            trn("about 1 minute left", "about {count} minutes left", minutes)
            if minutes
            else tr("less than a minute left")
        )
    return " · ".join(parts)
