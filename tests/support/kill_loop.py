"""Kill a writing process with SIGKILL at a random moment, and hear what it had acknowledged.

The process is any command that prints one line for each thing it promises to have kept, flushed, and `ready` before
the first. What is read here was promised; what comes after the kill was not.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = "ready"


@dataclass(slots=True)
class Outcome:
    """What one killed run had said.

    Args:
        acknowledged: complete lines after `ready`.
        was_killed: False when the process ended by itself before the kill.
        errors: what it wrote to standard error.
    """

    acknowledged: list[str] = field(default_factory=list)
    was_killed: bool = False
    errors: str = ""


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs a module of this repository."""
    return [sys.executable, "-m", module, *(str(argument) for argument in arguments)]


def run_and_kill(command: Sequence[str], *, delay_s: float, ready_timeout_s: float = 60.0) -> Outcome:
    """Run a command and kill it `delay_s` after it says `ready`.

    Raises:
        RuntimeError: it ended, or said nothing, before it was ready.
    """
    outcome = Outcome()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", bufsize=1
    )
    assert process.stdout is not None
    assert process.stderr is not None
    errors: list[str] = []
    listener = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
    listener.start()
    is_ready = threading.Event()

    def kill_later() -> None:
        if is_ready.wait(ready_timeout_s):
            time.sleep(delay_s)
        outcome.was_killed = process.poll() is None
        process.kill()

    killer = threading.Thread(target=kill_later, daemon=True)
    killer.start()
    for line in process.stdout:
        if not line.endswith("\n"):
            break  # cut in the middle: not acknowledged
        if is_ready.is_set():
            outcome.acknowledged.append(line.rstrip("\n"))
        elif line.strip() == READY:
            is_ready.set()
    was_ready = is_ready.is_set()
    is_ready.set()
    process.wait()
    killer.join()
    listener.join()
    process.stdout.close()
    process.stderr.close()
    outcome.errors = "".join(errors)
    if not was_ready:
        raise RuntimeError(f"{command} was never ready: {outcome.errors}")
    return outcome


def kill_loop(
    make_command: Callable[[int], Sequence[str]],
    check: Callable[[int, Outcome], None],
    *,
    rounds: int,
    longest_s: float = 0.3,
    seed: int = 0,
) -> tuple[int, int]:
    """Run, kill and check again and again, on whatever the last round left behind.

    Args:
        make_command: round number -> command.
        check: raises when something that was acknowledged is lost or something half-made is visible.
        rounds: how often.
        longest_s: kills come between 0 and this many seconds after `ready`.
        seed: of the moments.

    Returns:
        Number of runs that were really killed, and of acknowledgements checked.
    """
    moments = random.Random(seed)
    killed = acknowledged = 0
    for number in range(rounds):
        outcome = run_and_kill(make_command(number), delay_s=moments.uniform(0.0, longest_s))
        killed += outcome.was_killed
        acknowledged += len(outcome.acknowledged)
        check(number, outcome)
    return killed, acknowledged
