"""The weights that a run begins with."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from app.core.errors import UserError
from app.engine.models.pretrained import IMAGENET, in_our_names, start_with_imagenet


def begin_with(model: nn.Module, start: str, *, folder: Path | None = None) -> str:
    """Begin as a plan says.

    Args:
        model: changed in place.
        start: `imagenet`, or a safetensors file.
        folder: what the file's name is relative to; None = the current folder.

    Returns:
        What it was initialised with, for the card.

    Raises:
        UserError: there are no such weights, or they do not fit.
    """
    if start == IMAGENET:
        return start_with_imagenet(model)
    load_start(model, folder / start if folder is not None else Path(start))
    return Path(start).name


def load_start(model: nn.Module, path: Path) -> None:
    """Begin with other weights, layer by layer where names and shapes agree: a new head for new classes stays random.

    Raises:
        UserError: `no-start` or `other-start`: nothing fits.
    """
    try:
        weights = load_file(path)
    except Exception as error:
        raise UserError(
            "The weights to begin with cannot be read.",
            reason=f"{path.name} is not a safetensors file that can be opened.",
            remedy="Choose another file, or begin with random weights.",
            kind="no-start",
        ) from error
    own = model.state_dict()
    weights |= in_our_names(model, weights)  # a published file, with the names that timm gives
    fitting = {name: part for name, part in weights.items() if name in own and own[name].shape == part.shape}
    if len(fitting) < len(own) / 2:
        raise UserError(
            "The weights to begin with are of another network.",
            reason=f"{len(fitting)} of {len(own)} layers fit.",
            remedy="Choose another file, or begin with random weights.",
            kind="other-start",
        )
    model.load_state_dict(own | fitting)
