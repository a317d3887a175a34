"""Messages between the window and the engine: one JSON object a line.

Arrays never travel in messages: images go by address, heatmaps as `.npy` files. Nothing identifies a patient or a
case: a result carries the number of its job, and the window knows whose it was.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from app.core.case import Side
from app.core.event import canonical_json
from app.core.geometry import XY, Crop
from app.core.grey import GreyScale, Lut, Window
from app.core.spacing import Spacing

ENGINE_PROTOCOL = 3


class ViewInput(msgspec.Struct, frozen=True, kw_only=True):
    """One view as a network is to see it.

    Args:
        image_sha256: address of the stored values in the image store.
        grey: how they become grey levels.
        voi: the view's automatic window.
        cut: which part.
        is_blank: whether the network is shown nothing here: the view's own mean everywhere, so that a network of two
            views can be asked what it makes of one (view ablation, ADR 0191).
    """

    image_sha256: str
    grey: GreyScale
    voi: Lut | Window
    cut: Crop
    is_blank: bool = False

    @property
    def pixels_key(self) -> str:
        """Names the grey levels that a network sees: the pixels, how they are read, and their window."""
        parts = [self.image_sha256, msgspec.to_builtins(self.grey), msgspec.to_builtins(self.voi)]
        return canonical_json([*parts, "blank"] if self.is_blank else parts)


class WholeView(msgspec.Struct, frozen=True, kw_only=True):
    """One view of which nobody has said yet where the hip is.

    Args:
        image_sha256: address of the stored values in the image store.
        grey: how they become grey levels.
        voi: the view's automatic window.
        rows: image height, px.
        cols: image width, px.
        spacing: for pixels that are not square.
        side: of the hip that is looked for; decides where a view shows both.
    """

    image_sha256: str
    grey: GreyScale
    voi: Lut | Window
    rows: int
    cols: int
    spacing: Spacing = Spacing()
    side: Side | None = None

    @property
    def pixels_key(self) -> str:
        """Names the grey levels that a localiser sees."""
        return canonical_json([self.image_sha256, msgspec.to_builtins(self.grey), msgspec.to_builtins(self.voi)])


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first request.

    Args:
        protocol: `ENGINE_PROTOCOL` of the window.
        device: `auto`, `cpu`, `cuda`, `cuda:1` … or `mps`.
        precision: `auto` (bfloat16 where the device has it and a model is as sure with it), `float32` or `bfloat16`.
        batch: most cases in one pass; halved when the memory does not suffice.
        threads: CPU threads; 0 = as many as there are cores.
        memory_bytes: most that loaded models may take; those not used for longest are given back first; 0 = a quarter
            of the device's memory.
        is_compiled: whether networks that run with torch are compiled first: a minute or two for each, quicker then.
    """

    protocol: int = ENGINE_PROTOCOL
    device: str = "auto"
    precision: str = "auto"
    batch: int = 32
    threads: int = 0
    memory_bytes: int = 0
    is_compiled: bool = False


class Predict(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Let a model look at one case.

    Args:
        job: echoed in every reply about it.
        model: folder of the model.
        model_key: `ModelCard.answer_key` of the model that is meant; refused when another one is there by now. Empty =
            whichever is there.
        images: folder of the image store.
        views: what it is fed, in the order of the model's roles.
        priority: larger goes first; the open case has the largest.
        heatmap_method: `grad-cam`, `grad-cam++`, `cam`, or empty for none.
        heatmap_class: which class the heatmap is of.
        heatmaps: folder for the heatmaps' files, and for those of the sampling points.
        has_points: whether to say also where deformable layers looked; left out of the answer where the model has no
            such layers, or where they cannot be traced.
    """

    job: int
    model: str
    images: str
    views: tuple[ViewInput, ...]
    priority: int = 0
    heatmap_method: str = ""
    heatmap_class: int = 0
    heatmaps: str = ""
    has_points: bool = False
    model_key: str = ""


class Locate(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Let a localiser look for the hip in one view.

    Args:
        job: echoed in every reply about it.
        model: folder of the localiser.
        model_key: as in `Predict`.
        images: folder of the image store.
        view: where to look; the engine cuts the whole view itself.
        priority: larger goes first.
    """

    job: int
    model: str
    images: str
    view: WholeView
    priority: int = 0
    model_key: str = ""


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Forget these jobs, if they have not begun."""

    jobs: tuple[int, ...]


class Unload(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Give the memory of all models back."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The engine can work.

    Args:
        protocol: `ENGINE_PROTOCOL` of the engine.
        device: what it computes on.
        device_name: its name for people.
        precision: what it computes in.
        memory_bytes: memory of the device; 0 = not known.
    """

    protocol: int
    device: str
    device_name: str
    precision: str
    memory_bytes: int = 0


class Started(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A job has begun; it cannot be cancelled any more."""

    job: int


class Result(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a model says.

    Args:
        job: the request's.
        weights_sha256: which weights said so.
        input_key: what they were fed; with the weights it names this result.
        probabilities: calibrated, one for each class of the card (one class: of that class).
        distance: from the training cases; None where the model cannot tell.
        heatmaps: files, one for each view, (H, W) float32 in units of the logit, over the model's input; or empty.
        points: file of the sampling points, `.npy`, (K, 5) float32 as of `app.core.heatmap.POINT_COLUMNS`; or empty.
        seconds: time of the forward pass and the heatmap, for this case.
    """

    job: int
    weights_sha256: str
    input_key: str
    probabilities: tuple[float, ...]
    distance: float | None = None
    heatmaps: tuple[str, ...] = ()
    points: str = ""
    seconds: float


class Located(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Where a localiser believes the hip to be: a proposal, never an annotation.

    Args:
        job: the request's.
        weights_sha256: which weights said so.
        input_key: what they were fed.
        center_xy: centre of the hip's region, image coordinates.
        confidence: belief that the hip is there, 0 … 1; halved where another place is as likely.
        head_xy: centre of the femoral head, image coordinates; None where the localiser does not tell.
        seconds: time it took.
    """

    job: int
    weights_sha256: str
    input_key: str
    center_xy: XY
    confidence: float
    head_xy: XY | None = None
    seconds: float


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A job was forgotten before it began."""

    job: int


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A job, or the whole request line, that could not be done.

    Args:
        job: the request's; -1 when there was none.
        kind: as of UserError; `memory`, `fault` …
        title: what happened.
        reason: why.
        remedy: what to do.
        traceback: for a fault of the program only: types, functions and line numbers.
    """

    job: int
    kind: str
    title: str
    reason: str = ""
    remedy: str = ""
    traceback: str = ""


EngineRequest: TypeAlias = Hello | Predict | Locate | Cancel | Unload
EngineReply: TypeAlias = Ready | Started | Result | Located | Cancelled | Failed
