"""What the engine computes on, and in which precision."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import psutil
import torch

from app.core.errors import UserError

WORSE_THAN_SINGLE = 1e-5  # relative error of a product from which `medium` is not single precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A device.

    Args:
        device: for torch.
        name: for people.
        precision: what networks compute in.
        memory_bytes: its memory.
    """

    device: torch.device
    name: str
    precision: torch.dtype
    memory_bytes: int


def choose_device(wish: str, precision: str) -> Choice:
    """The device and the precision to compute with.

    Args:
        wish: `auto` takes a CUDA device, else Apple's, else the CPU.
        precision: `auto` is bfloat16 on CUDA devices that have it, else float32.

    Raises:
        UserError: `no-device` or `no-precision`.
    """
    device = torch.device(_name(wish))
    if precision not in ("auto", "float32", "bfloat16"):
        raise UserError(
            "There is no such precision.",
            reason=f"{precision!r} is not auto, float32 or bfloat16.",
            kind="no-precision",
        )
    if device.type == "cuda":
        facts = torch.cuda.get_device_properties(device)
        is_half = precision == "bfloat16" or (precision == "auto" and torch.cuda.is_bf16_supported())
        return Choice(
            device=device,
            name=facts.name,
            precision=torch.bfloat16 if is_half else torch.float32,
            memory_bytes=facts.total_memory,
        )
    name = "Apple GPU" if device.type == "mps" else platform.processor() or platform.machine()
    if device.type == "cpu":
        use_quick_products()
    return Choice(
        device=device,
        name=name,
        precision=torch.bfloat16 if precision == "bfloat16" else torch.float32,
        memory_bytes=psutil.virtual_memory().total,
    )


def use_quick_products() -> bool:
    """Let CPU matrix products take the quicker library where it is as exact (performance.md §0.4).

    On AMD processors the setting `medium` only chooses another library. On processors with matrix units it really
    computes in bfloat16; a product of known numbers tells, and the setting is taken back.

    Returns:
        Whether the quicker way is used.
    """
    torch.set_float32_matmul_precision("medium")
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(256, 256, generator=generator) for _ in range(2))
    exact = one.double() @ other.double()
    error = float(((one @ other).double() - exact).norm() / exact.norm())
    if error > WORSE_THAN_SINGLE:
        torch.set_float32_matmul_precision("highest")
        return False
    return True


def _name(wish: str) -> str:
    if wish == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = wish.partition(":")
    is_there = {
        "cpu": not number,
        "cuda": torch.cuda.is_available()
        and (not number or (number.isdigit() and int(number) < torch.cuda.device_count())),
        "mps": torch.backends.mps.is_available() and not number,
    }.get(kind, False)
    if not is_there:
        raise UserError(
            f"There is no device {wish}.",
            reason="This machine has none of that name, or its driver is missing.",
            remedy="Choose another device, or auto.",
            kind="no-device",
        )
    return wish
