"""When visitors ask to be rung back."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from channels.web.wishes import callback_at

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 22, 9, 0, 30, tzinfo=UTC)  # noon in Moscow


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        (" Сейчас ", NOW),
        ("1", NOW),
        ("15:30", datetime(2026, 11, 22, 12, 30, tzinfo=UTC)),
        ("9.05", datetime(2026, 11, 23, 6, 5, tzinfo=UTC)),
        ("12:00", datetime(2026, 11, 22, 9, 0, tzinfo=UTC)),
        ("2026-11-24T10:00", datetime(2026, 11, 24, 7, 0, tzinfo=UTC)),
        ("2026-11-24T10:00:00Z", datetime(2026, 11, 24, 10, 0, tzinfo=UTC)),
        ("24.11.2026 10:00", datetime(2026, 11, 24, 7, 0, tzinfo=UTC)),
        ("", None),
        ("0", None),
        ("нет", None),
        ("25:61", None),
        ("2026-11-24", None),
        ("x" * 5000, None),
    ],
)
def test_moments_are_read_as_people_and_programs_write_them(text: str, expected: datetime | None) -> None:
    """At once, by the clock, by the date; what is not understood asks for nothing."""
    assert callback_at(text, NOW, MOSCOW) == expected
