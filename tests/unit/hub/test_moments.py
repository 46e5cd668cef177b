"""Moments and days as the fields of a browser give them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from crm_core.errors import InvalidInput
from hub.web.moments import deadline_of, moment_of, start_of

MOSCOW = ZoneInfo("Europe/Moscow")


def test_a_moment_is_one_of_the_office_where_it_names_no_zone() -> None:
    assert moment_of("", MOSCOW) is None
    assert moment_of("2026-03-02T10:30", MOSCOW) == datetime(2026, 3, 2, 10, 30, tzinfo=MOSCOW)
    assert moment_of("2026-03-02T10:30Z", MOSCOW) == datetime(2026, 3, 2, 13, 30, tzinfo=MOSCOW)
    for text in ("tomorrow", "0001-01-01T00:00"):
        with pytest.raises(InvalidInput, match="is no moment"):
            moment_of(text, MOSCOW)


def test_a_deadline_may_be_a_day_alone() -> None:
    assert deadline_of("", MOSCOW) is None
    assert deadline_of("2026-03-02", MOSCOW) == datetime(2026, 3, 2, 18, tzinfo=MOSCOW)
    assert deadline_of("2026-03-02T10:30", MOSCOW) == datetime(2026, 3, 2, 10, 30, tzinfo=MOSCOW)


def test_days_begin_at_midnight_of_the_office() -> None:
    assert start_of("2026-02-28", MOSCOW) == datetime(2026, 2, 28, tzinfo=MOSCOW)
    assert start_of("2026-02-28", MOSCOW, days=1) == datetime(2026, 3, 1, tzinfo=MOSCOW)
    assert start_of("2026-02-30", MOSCOW) is None
    assert start_of("9999-12-31", MOSCOW, days=1) is None
