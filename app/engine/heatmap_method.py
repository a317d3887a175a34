"""How a heatmap is made."""

from __future__ import annotations

from enum import StrEnum

from app.core.errors import UserError

EPSILON = 1e-6  # as in pytorch-grad-cam


class HeatmapMethod(StrEnum):
    """How a heatmap is made."""

    GRAD_CAM = "grad-cam"  # Selvaraju et al. 2017, section 3: one weight for each channel, the mean gradient
    GRAD_CAM_PP = "grad-cam++"  # Chattopadhay et al. 2018, equations 10 and 19
    CAM = "cam"  # Zhou et al. 2016: the linear layer's own weights; for a global average and one linear layer only


def heatmap_method(name: str) -> HeatmapMethod | None:
    """The method of this name; None for the empty name.

    Raises:
        UserError: `no-method`.
    """
    try:
        return HeatmapMethod(name) if name else None
    except ValueError as error:
        names = ", ".join(method.value for method in HeatmapMethod)
        raise UserError(
            "There is no such kind of heatmap.", reason=f"{name!r} is not one of {names}.", kind="no-method"
        ) from error


def no_activation_map() -> UserError:
    """`CAM` was asked of a model for which it is not defined."""
    return UserError(
        "There is no class activation map for this model.",
        reason="It needs one view, a global average and one linear layer.",
        remedy="Choose Grad-CAM.",
        kind="no-method",
    )
