"""What is known about a training run besides its plan: where it comes from, how far it is, what came of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.core.geometry import XY
from app.core.grey import GreyScale, Window
from app.core.model_input import ViewGeometry


class RunState(StrEnum):
    """How far a run is."""

    NEW = "new"  # frozen, never started
    QUEUED = "queued"  # waits for the runs before it
    PREPARING = "preparing"  # images are being cut
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"  # done, with a model
    FAILED = "failed"
    BROKEN_OFF = "broken-off"  # its process ended without a word; it can be resumed


class StopWish(StrEnum):
    """How a run is asked to end."""

    PAUSE = "pause"  # after the present step; resumes where it was
    FINISH = "finish"  # after the present step; the best weights so far become the model


class RunInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a run is, frozen with its plan.

    Args:
        id: name of its folder.
        title: name for people; can be changed.
        task: id of the question in the label set.
        created: UTC, ISO 8601.
        author: who made it.
        protocol: how cases were divided.
        preset: name of the preset.
        initialised_from: which weights it begins with, in words.
        base_model: id of the model whose weights it begins with; empty = none.
        project: name of the project; empty = none.
        event_id: last event of the project when it was frozen: what was labelled until then counts.
        images: folder of the image store, absolute, or relative to the run folder.
        localiser: folder of the model that proposes regions; empty = none is needed.
        queue: id that all runs of a cross-validation share; empty = a run of its own.
        fold: 1, 2 … in its queue; 0 = a run of its own.
        folds: number of runs in its queue.
        command: the command that makes it again.
    """

    id: str
    title: str
    task: str
    created: str
    author: str = ""
    protocol: str = "hold-out"
    preset: str = "default"
    initialised_from: str = "random"
    base_model: str = ""
    project: str = ""
    event_id: int = 0
    images: str = ""
    localiser: str = ""
    queue: str = ""
    fold: int = 0
    folds: int = 1
    command: str = ""


class RunView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One view of one case of a run: what is cut out of which image.

    Args:
        image_sha256: address of the stored values.
        grey: how they are read.
        geometry: size, spacing, side; alignment or region where a person has made them.
        window: automatic window; None = it is looked for when the image is cut.
        click_xy: where a person has clicked on the fracture centre, image coordinates; None = nowhere.
    """

    image_sha256: str
    grey: GreyScale
    geometry: ViewGeometry
    window: Window | None = None
    click_xy: XY | None = None


class RunCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the trainer cuts for one case; in the order of the case table.

    Args:
        id: the case.
        views: in the order of the network's arguments.
        vendor: maker of the detector, for tables; empty = not known.
    """

    id: str
    views: tuple[RunView, ...]
    vendor: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed, for people.

    Args:
        title: what could not be done.
        reason: why.
        remedy: what to do.
        kind: short code.
    """

    title: str
    reason: str = ""
    remedy: str = ""
    kind: str = ""


class RunProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is at this moment; the trainer rewrites it about once a second.

    Args:
        state: how far.
        pid: process that trains; 0 = none.
        at: UTC, ISO 8601, of this line.
        epoch: the present one, 1, 2 …; 0 = before the first.
        epochs: at most.
        step: done in this epoch.
        steps: in an epoch.
        prepared: cases cut so far, while preparing.
        cases: cases in all.
        loss: mean so far in this epoch; None before its first step.
        cases_per_s: of this epoch so far.
        waiting: share of the time that was spent waiting for images.
        seconds_left: until the last epoch, if none is left out; None = not known yet.
        device: what it computes on, in words.
        precision: `float32` or `bfloat16`.
        memory_bytes: most memory so far: of the device, or of the process on a CPU.
        notes: what whoever looks must know: a smaller micro-batch, a setting that was not safe.
        problem: why it failed.
    """

    state: RunState
    pid: int = 0
    at: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    prepared: int = 0
    cases: int = 0
    loss: float | None = None
    cases_per_s: float | None = None
    waiting: float | None = None
    seconds_left: float | None = None
    device: str = ""
    precision: str = ""
    memory_bytes: int = 0
    notes: tuple[str, ...] = ()
    problem: Problem | None = None


class WorstCase(msgspec.Struct, frozen=True, kw_only=True):
    """A validation case that the weights of the last epoch get most wrong.

    Args:
        id: the case.
        label: its class number.
        probability: of the finding, not calibrated.
        loss: of this case.
    """

    id: str
    label: int
    probability: float
    loss: float
