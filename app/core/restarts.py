"""How often a process that ends by itself is started again."""

from __future__ import annotations

MOST = 3
WITHIN_S = 60.0


class RestartRule:
    """At most so many restarts within so long; then a person has to say so.

    Args:
        most: restarts.
        within_s: seconds.
    """

    def __init__(self, most: int = MOST, within_s: float = WITHIN_S) -> None:
        self._most, self._within_s = most, within_s
        self._times: list[float] = []

    def may_restart(self, now_s: float) -> bool:
        """Whether it may be started again now; if so, that counts as done.

        Args:
            now_s: a clock that never goes back.
        """
        self._times = [then for then in self._times if now_s - then < self._within_s]
        if len(self._times) >= self._most:
            return False
        self._times.append(now_s)
        return True

    def forgive(self) -> None:
        """A person has asked for a start: count anew."""
        self._times.clear()
