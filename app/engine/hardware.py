"""What this machine computes with, found out without loading torch."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import sys
from pathlib import Path

CACHE_VARIABLE = "COXA_CACHE"
_DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


def has_torch() -> bool:
    """Whether PyTorch is installed; it is not loaded."""
    return importlib.util.find_spec("torch") is not None


def nvidia_devices() -> int:
    """Number of NVIDIA devices that the driver has; 0 without a driver."""
    name = _DRIVERS.get(sys.platform)
    if name is None:
        return 0
    try:
        driver = ctypes.CDLL(name)
        count = ctypes.c_int(0)
        if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


def is_apple_silicon() -> bool:
    """Whether this is a Mac whose GPU torch can use."""
    return sys.platform == "darwin" and platform.machine() == "arm64"


def may_have_gpu(wish: str) -> bool:
    """Whether a device must be chosen by torch.

    Args:
        wish: `auto`, `cpu`, `cuda`, `cuda:1` … or `mps`.
    """
    if wish == "auto":
        return has_torch() and (is_apple_silicon() or nvidia_devices() > 0)
    return wish != "cpu"


def cache_folder() -> Path:
    """Where compiled models are kept: `COXA_CACHE`, or where the system wants it."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("coxa", appauthor=False))


def give_memory_back() -> None:
    """Hand freed memory back to the system, where the C library would keep it."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None).malloc_trim(0)
        except (OSError, AttributeError):  # another C library
            return
