"""Durations are read alike wherever they are written: in definitions and in hub.toml."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.model import durations
from hub.settings import values
from hub.settings.errors import BadValueError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("500ms", timedelta(milliseconds=500)),
        (" 2 s ", timedelta(seconds=2)),
        ("05m", timedelta(minutes=5)),
        ("24h", timedelta(days=1)),
        ("3660d", timedelta(days=3660)),
        ("0s", timedelta(0)),
    ],
)
def test_both_read_the_same(text: str, meant: timedelta) -> None:
    assert durations.duration(text) == values.duration(text) == meant


@pytest.mark.parametrize("text", ["", "5", "m5", "5 min", "-5m", "5.5m", "1h30m", "٣m", "5m\nx", "9" * 19 + "s"])
def test_both_refuse_the_same(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        durations.duration(text)
    with pytest.raises(BadValueError, match="is not a duration"):
        values.duration(text)


@pytest.mark.parametrize("text", ["3661d", "999999999999h", "9" * 18 + "d"])
def test_neither_takes_more_than_ten_years(text: str) -> None:
    with pytest.raises(durations.TooLong, match="longer than ten years"):
        durations.duration(text)
    with pytest.raises(BadValueError, match="longer than ten years") as refused:
        values.duration(text)
    assert "Write a whole number with a unit" in refused.value.faults[0].mend
