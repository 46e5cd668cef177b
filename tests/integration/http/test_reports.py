"""Reports through the API: JSON and CSV, periods, rights, and nothing that a spreadsheet would execute."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from hub.reporting import harmless
from tests.integration.http.world import LINE, World, later
from tests.integration.storage.world import missed, talked

ANNA, BORIS = "+79161110001", "+79161110002"


async def story(world: World) -> None:
    await world.contact(name="=cmd|' /C calc'!A0", identities=[f"tel:{ANNA}"], manager="ivan")
    await world.contact(name="Борис, «тот самый»", identities=[f"tel:{BORIS}"], manager="petr")
    await world.take(missed("a1", ANNA, later(0)), missed("b1", BORIS, later(60)))
    await world.take(talked("b2", BORIS, later(3660)))


async def test_reports_are_told_with_their_definitions(world: World) -> None:
    found = (await world.get("/reports"))["items"]
    assert [each["name"] for each in found] == [
        "missed",
        "callback_time",
        "never_returned",
        "numbers_unknown",
        "forgotten",
    ]
    assert all(len(each["definition"]) > 80 and each["by"] for each in found)


async def test_figures_come_with_definition_and_period(world: World) -> None:
    await story(world)
    answer = await world.get("/reports/callback_time", params={"from": "2026-03-02", "to": "2026-03-02"}, login="olga")
    assert (answer["from"], answer["to"]) == ("2026-03-01T21:00:00Z", "2026-03-02T21:00:00Z")
    assert (answer["by"], answer["complete"]) == (["manager"], True)
    assert answer["definition"].startswith("Ожидания, начавшиеся в период")
    assert [column["name"] for column in answer["columns"]] == [
        "manager", "waitings", "returned", "waiting", "p50_s", "p90_s",
    ]  # fmt: skip
    assert answer["rows"] == [
        {"manager": "ivan", "waitings": 1, "returned": 0, "waiting": 1, "p50_s": None, "p90_s": None},
        {"manager": "petr", "waitings": 1, "returned": 1, "waiting": 0, "p50_s": 3585, "p90_s": 3585},
    ]
    by_line = await world.get("/reports/callback_time", params={"by": "line,month"}, login="olga")
    # Without a period: the last thirty days, today included.
    assert [(row["line"], row["month"], row["waitings"]) for row in by_line["rows"]] == [(LINE, "2026-03", 2)]


async def test_a_manager_sees_their_own_rows_and_a_marketer_none(world: World) -> None:
    await story(world)
    period = {"from": "2026-03-01", "to": "2026-03-03"}
    both = await world.get("/reports/never_returned", params={**period, "by": "manager"}, login="olga")
    assert [row["manager"] for row in both["rows"]] == ["ivan", "petr"]
    own = await world.get("/reports/never_returned", params={**period, "by": "manager", "manager": "petr"})
    assert [row["manager"] for row in own["rows"]] == ["ivan"]
    petr = await world.get("/reports/never_returned", params={**period, "manager": "petr"}, login="root")
    assert petr["rows"] == []


async def test_csv_is_for_spreadsheets_and_harmless(world: World) -> None:
    await story(world)
    response = await world.call(
        "GET", "/reports/missed?from=2026-03-02&to=2026-03-02", login="root", headers={"Accept": "text/csv"}
    )
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["X-Complete"] == "true"
    body = await response.read()
    assert body.startswith(b"\xef\xbb\xbfcontact_id,name,number,")
    assert body.count(b"\r\n") == 2
    (row,) = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    assert row["name"] == "'=cmd|' /C calc'!A0"
    assert (row["number"], row["line"], row["missed_at"]) == (ANNA, LINE, "2026-03-02 12:00:20")
    same = await world.call("GET", "/reports/missed?from=2026-03-02&to=2026-03-02&format=csv", login="root")
    assert await same.read() == body
    preferred = {"Accept": "application/json, text/csv;q=0.5"}
    plain = await world.call("GET", "/reports/missed", login="root", headers=preferred)
    assert plain.content_type == "application/json"


async def test_what_is_taken_away_is_noted_and_names_clients_to_those_alone_who_may_take_them(world: World) -> None:
    await story(world)
    period = "from=2026-03-02&to=2026-03-02&format=csv"
    refused = await world.call("GET", f"/reports/missed?{period}", login="olga")
    assert refused.status == 403
    for report, login in (("callback_time", "olga"), ("missed", "root")):
        assert (await world.call("GET", f"/reports/{report}?{period}", login=login)).status == 200
    assert (await world.call("GET", "/reports/missed?from=2026-03-02", login="olga")).status == 200, "looked at"
    noted = (await world.get("/audit", params={"what": "export"}, login="root"))["items"]
    assert [(each["login"], each["what"], each["subject_id"]) for each in noted] == [
        ("root", "export.report.missed", 1),
        ("olga", "export.report.callback_time", 2),
    ]
    assert noted[0]["detail"] == "from=2026-03-02, to=2026-03-02"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"by": "colour"}, "is none of manager, line, month"),
        ({"from": "yesterday"}, "is neither a day"),
        ({"from": "2026-03-02T09:00:00"}, "is neither a day"),
        ({"from": "0001-01-01"}, "is neither a day"),
        ({"from": "2026-02-30"}, "is neither a day"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "lies behind"),
        ({"from": "2020-01-01", "to": "2026-03-01"}, "two years"),
    ],
)
async def test_what_makes_no_sense(world: World, query: dict[str, Any], said: str) -> None:
    flaw = await world.get("/reports/missed", params=query, status=422)
    assert said in flaw["detail"]


async def test_a_report_that_is_none(world: World) -> None:
    flaw = await world.get("/reports/mised", status=404)
    assert "missed, callback_time" in flaw["detail"]
    assert (await world.call("GET", "/reports/missed?limit=100000")).status == 422


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+79161234567", "+79161234567"),
        ("-5", "-5"),
        ("+7 916", "'+7 916"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\r=1", "'\r=1"),
        ("Анна", "Анна"),
        ("", ""),
    ],
)
async def test_texts_that_a_spreadsheet_would_execute(text: str, shown: str) -> None:
    assert harmless(text) == shown
