"""The measurement of a selling office works, on a small one: hub and driver give as many answers."""

from __future__ import annotations

from benchmarks.crm import measure


async def test_every_question_is_asked_of_the_hub_and_of_the_driver() -> None:
    report = await measure(scale=0.003, engines=["sqlite"], rounds=4)
    asked = [row.what for row in report.rows]
    assert len(asked) == len(set(asked)) == 16
    assert all(row.ratio is not None and row.ratio > 0 for row in report.rows)
    assert any("300 contacts, 200 deals, 3,000 entries" in note for note in report.notes)
