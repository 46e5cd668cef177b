"""Special lists through the API: one act decides the very next call; files are imported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.world import LINE, World, later
from tests.integration.storage.world import missed

NUMBER = "+79161234567"


@pytest.mark.parametrize("what", ["calls", "cases", "contacts"])
async def test_after_the_act_the_next_call_is_routed_accordingly(world: World, what: str) -> None:
    await world.take(missed("c1", NUMBER, later(1)))
    call = (await world.get("/calls"))["items"][0]
    case = (await world.get("/cases", params={"state": "open"}))["items"][0]
    address = {"calls": call["id"], "cases": case["id"], "contacts": call["contact_id"]}[what]
    body = {"list": "соискатели", "reason": "ищет работу"}
    done = await world.post(f"/{what}/{address}/list", body)
    assert world.hub.directory.explain(NUMBER, LINE)[0].endpoints == ("PJSIP/150",)
    lead = (await world.get("/leads", params={"contact_id": call["contact_id"]}))["items"][0]
    assert done == {
        "contact_id": call["contact_id"],
        "list": "соискатели",
        "numbers": [NUMBER],
        "identities": [f"tel:{NUMBER}"],
        "closed_case_id": case["id"],
        "rejected_lead_id": lead["id"],
    }
    assert (await world.get("/cases", params={"state": "open"}))["items"] == []
    taken = await world.ask("DELETE", f"/{what}/{address}/list")
    assert taken["list"] is None
    assert world.hub.directory.explain(NUMBER, LINE)[0].endpoints != ("PJSIP/150",)
    assert (await world.call("DELETE", f"/{what}/{address}/list")).status == 409


async def test_wrong_lists_and_hidden_numbers_are_told(world: World) -> None:
    await world.take(missed("c1", NUMBER, later(1)), missed("c2", "anonymous", later(2)))
    hidden, known = (await world.get("/calls"))["items"]
    flaw = await world.ask("POST", f"/calls/{known['id']}/list", {"list": "соискатель", "reason": "x"}, status=422)
    assert "did you mean «соискатели»" in flaw["detail"]
    flaw = await world.ask("POST", f"/calls/{hidden['id']}/list", {"list": "соискатели", "reason": "x"}, status=422)
    assert "is hidden" in flaw["detail"]
    assert (await world.call("POST", f"/calls/{known['id']}/list", {"list": "соискатели"})).status == 422


async def test_the_lists_themselves(world: World) -> None:
    await world.post("/lists/соискатели/numbers", {"number": NUMBER, "reason": "x"}, status=201)
    assert (await world.get("/lists"))["items"] == [
        {"name": "соискатели", "action": "route", "to": "PJSIP/150", "numbers": 1},
        {"name": "чёрный список", "action": "reject", "to": None, "numbers": 0},
    ]


async def test_a_file_is_tried_imported_and_repeated(world: World) -> None:
    content = "номер;причина\n89161234567;спам\n101;внутренний\n84957654321;\n8 916 123 45 67;ещё раз\n".encode(
        "cp1251"
    )

    async def send(address: str = "/lists/чёрный список/import", **params: Any) -> Any:
        headers = {"Content-Type": "text/csv"}
        return await world.ask("POST", address, data=content, params=params, headers=headers)

    tried = await send(dry_run="1")
    assert (tried["added"], tried["repeated"], tried["bad_lines"], tried["dry_run"]) == (2, 1, 1, True)
    assert tried["bad"][0]["line"] == 3
    assert "внутренним" in tried["bad"][0]["problem"]
    assert await world.count("listed_number") == 0
    done = await send(reason="импорт из 1С")
    assert (done["added"], done["same"]) == (2, 0)
    rejected = world.hub.directory.explain(NUMBER, LINE)[0]
    assert rejected.action.value == "reject"
    numbers = (await world.get("/lists/чёрный список/numbers"))["items"]
    assert {(each["number"], each["reason"], each["author"]) for each in numbers} == {
        (NUMBER, "спам", "ivan"),
        ("+74957654321", "импорт из 1С", "ivan"),
    }
    again = await send(reason="импорт из 1С")
    assert (again["added"], again["same"]) == (0, 2)


async def test_an_import_is_repeated_by_its_key_and_refused_where_it_makes_no_sense(world: World) -> None:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "k1"}
    address = "/lists/соискатели/import"
    first = await world.ask("POST", address, data=b"+79161234567,a", headers=dict(headers))
    response = await world.call("POST", address, data=b"+79161234567,a", headers=dict(headers))
    assert response.headers["Idempotent-Replayed"] == "true"
    assert await response.json() == first
    flaw = await world.ask("POST", "/lists/соискатель/import", data=b"+79161234567,a", status=404)
    assert "did you mean «соискатели»" in flaw["detail"]
    assert (await world.call("POST", address, data="имя;причина\nА;б\n".encode())).status == 422
