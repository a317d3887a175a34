"""Which backups are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.core.rotation import DAILY, MONTHLY, WEEKLY, backups_to_keep

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TIMES = st.lists(st.integers(0, 900 * 24).map(lambda hours: NOW - timedelta(hours=hours)), min_size=1, max_size=300)


def test_two_years_of_daily_backups() -> None:
    times = [NOW - timedelta(days=day) for day in range(730)]
    kept = sorted(backups_to_keep(times, NOW), reverse=True)
    assert kept[:DAILY] == times[:DAILY]
    assert len(kept) <= DAILY + WEEKLY + MONTHLY
    assert NOW - kept[-1] > timedelta(days=230)  # the ninth month back


def test_everything_of_two_days_is_kept() -> None:
    times = [NOW - timedelta(hours=hour) for hour in range(47)]
    assert backups_to_keep(times, NOW) == set(times)


def test_nothing_to_keep() -> None:
    assert backups_to_keep([], NOW) == set()


@given(TIMES)
def test_rotation(times: list[datetime]) -> None:
    kept = backups_to_keep(times, NOW)
    assert kept <= set(times)
    assert max(times) in kept
    assert backups_to_keep(kept, NOW) == kept  # a second rotation at the same moment takes nothing more
    assert {time for time in times if NOW - time < timedelta(days=2)} <= kept
    assert len([time for time in kept if NOW - time >= timedelta(days=2)]) <= DAILY + WEEKLY + MONTHLY
