"""Errors as replies."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from app.core.engine_messages import Failed
from app.core.errors import UserError


def refusal(job: int, error: UserError) -> Failed:
    """Something that a person can act on."""
    return Failed(job=job, kind=error.kind, title=error.title, reason=error.reason, remedy=error.remedy)


def fault(job: int, error: BaseException) -> Failed:
    """A fault of the program: no values and no folders, which could tell something about patients."""
    frames = traceback.extract_tb(error.__traceback__)
    return Failed(
        job=job,
        kind="fault",
        title="The AI engine failed at this case.",
        reason=f"There is a fault in Coxa ({type(error).__name__}).",
        remedy="Copy the report and send it to the people who look after Coxa.",
        traceback="\n".join(f"{PurePath(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames),
    )
