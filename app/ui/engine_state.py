"""What the AI engine is doing, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EngineState(StrEnum):
    """What the engine is doing."""

    OFF = "off"  # not started
    STARTING = "starting"
    IDLE = "idle"
    WORKING = "working"
    UNAVAILABLE = "unavailable"  # it cannot work on this machine
    GIVEN_UP = "given-up"  # it has ended too often


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What the engine said about itself.

    Args:
        device: what it computes on.
        device_name: its name for people.
        precision: what it computes in.
        memory_bytes: memory of the device; 0 = not known.
    """

    device: str
    device_name: str
    precision: str
    memory_bytes: int
