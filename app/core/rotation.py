"""Which backups to keep."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

DAILY, WEEKLY, MONTHLY = 12, 10, 9
KEEP_ALL_FOR = timedelta(days=2)


def backups_to_keep(times: Iterable[datetime], now: datetime) -> set[datetime]:
    """The backups that rotation keeps.

    Kept are every backup of the last two days, and the newest of each of the last 12 days, 10 weeks and 9 months in
    which there is one. The newest of all is always kept.

    Args:
        times: when each backup was made, UTC.
        now: the present, UTC.
    """
    newest_first = sorted(set(times), reverse=True)
    kept = {time for time in newest_first if now - time < KEEP_ALL_FOR} | set(newest_first[:1])
    for count, period in ((DAILY, "%Y-%j"), (WEEKLY, "%G-%V"), (MONTHLY, "%Y-%m")):
        last_of: dict[str, datetime] = {}
        for time in newest_first:
            last_of.setdefault(time.strftime(period), time)
        kept |= set(list(last_of.values())[:count])
    return kept
