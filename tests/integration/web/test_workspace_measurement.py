"""The measurement of the workspace works, on a small office: pages come, facts reach all browsers."""

from __future__ import annotations

from benchmarks.workspace.measurement import Extent, measure


async def test_pages_come_and_facts_reach_all_browsers() -> None:
    report = await measure(0.003, ["sqlite"], Extent(rounds=1, browsers=4, facts=2, rest_s=0))
    asked = [row.what for row in report.rows]
    assert len(asked) == len(set(asked)) == 13
    assert all("p50" in row.ours or "kB" in row.ours for row in report.rows)
    assert all(row.met for row in report.rows if "first visit" in row.what)
    assert not any("NEVER CAME" in note for note in report.notes), report.notes
