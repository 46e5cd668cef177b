"""Suggestions and special lists of every channel, through the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.world import World
from tests.integration.storage.world import at, form, mail, message, missed

NUMBER = "+79161234567"
ADDRESS = "anna@example.org"


async def suggested(world: World) -> dict[str, Any]:
    await world.take(missed("c1", NUMBER, at(0)), mail(ADDRESS, "m1", at(1)))
    await world.take(form(at(60), phone=NUMBER, email=ADDRESS))
    (item,) = (await world.get("/suggestions?state=open"))["items"]
    return dict(item)


async def test_a_suggestion_is_read_accepted_and_undone(world: World) -> None:
    item = await suggested(world)
    assert (item["reason"], item["confidence"], item["state"]) == ("form_address", 60, "open")
    assert ADDRESS in item["evidence"]
    for contact in (item["contact_id"], item["other_id"]):
        (same,) = (await world.get(f"/suggestions?contact={contact}"))["items"]
        assert same == item
    done = await world.post(f"/suggestions/{item['id']}/accept", {}, status=200)
    assert {done["contact"]["id"], done["absorbed_id"]} == {item["contact_id"], item["other_id"]}
    assert done["because"] in {"identities", "older"}
    assert f"contact {done['contact']['id']} is left" in done["explanation"]
    assert {"mailto:" + ADDRESS, "tel:" + NUMBER} == set(done["contact"]["identities"])
    assert (await world.get("/suggestions?state=open"))["items"] == []
    await world.ask("POST", f"/suggestions/{item['id']}/accept", {}, status=409)
    await world.post(f"/contacts/{done['contact']['id']}/unmerge", {}, status=200)
    assert (await world.get("/suggestions?state=open"))["items"] == [item]


async def test_a_dismissed_suggestion_stays_dismissed(world: World) -> None:
    item = await suggested(world)
    gone = await world.post(f"/suggestions/{item['id']}/dismiss", {}, status=200)
    assert (gone["state"], gone["decided_by"]) == ("dismissed", "ivan")
    assert (await world.get("/suggestions?state=open"))["items"] == []
    assert len((await world.get("/suggestions?state=dismissed"))["items"]) == 1
    await world.ask("POST", "/suggestions/999999/dismiss", {}, status=404)


async def test_identities_tell_their_evidence(world: World) -> None:
    await world.take(missed("c1", NUMBER, at(0)))
    await world.take(form(at(60), phone=NUMBER, email=ADDRESS))
    page = await world.get("/contacts", params={"identity": "tel:" + NUMBER})
    held = {each["key"]: each for each in page["items"][0]["identity_details"]}
    assert set(held) == set(page["items"][0]["identities"])
    assert held[f"mailto:{ADDRESS}"]["evidence"] == "form site"
    assert held[f"mailto:{ADDRESS}"]["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"identity": "tg:1001"}, "tg:1001"),
        ({"identity": "mailto:Spam@B.Example"}, "mailto:spam@b.example"),
        ({"identity": "mailto:@spam.example"}, "mailto:@spam.example"),
        ({"identity": "vk:5"}, "vk:5"),
        ({"identity": "gw:avito/u-1"}, "gw:avito/u-1"),
        ({"number": "8 916 123-45-67"}, "tel:+79161234567"),
    ],
)
async def test_any_identity_stands_on_a_list(world: World, body: dict[str, str], key: str) -> None:
    where = "/lists/чёрный список/numbers"
    made = await world.post(where, {**body, "reason": "спам"}, status=201)
    assert (made["identity"], made["number"]) == (key, key[4:] if key.startswith("tel:") else None)
    assert (await world.get(where))["items"] == [made]
    await world.ask("DELETE", where, body, status=204)
    assert (await world.get(where))["items"] == []
    await world.ask("DELETE", where, body, status=404)


async def test_a_list_wants_one_of_number_and_identity(world: World) -> None:
    where = "/lists/чёрный список/numbers"
    for body in ({"reason": "x"}, {"number": NUMBER, "identity": "tg:1"}, {"identity": "@ru"}):
        await world.ask("POST", where, body, status=422)


async def test_whoever_writes_from_a_listed_domain_or_account_opens_nothing(world: World) -> None:
    where = "/lists/чёрный список/numbers"
    await world.post(where, {"identity": "mailto:@spam.example", "reason": "спам"}, status=201)
    await world.post(where, {"identity": "tg:1001", "reason": "спам"}, status=201)
    await world.take(mail("any@mx.spam.example", "m1", at(0)), message(1001, "m2", at(1)), message(7, "m3", at(2)))
    leads = (await world.get("/leads"))["items"]
    cases = (await world.get("/cases?state=open"))["items"]
    assert len(leads) == len(cases) == 1
    listed = [each for each in (await world.get("/contacts"))["items"] if each["list"] == "чёрный список"]
    assert {each["identities"][0] for each in listed} == {"mailto:any@mx.spam.example", "tg:1001"}
    await world.ask("DELETE", where, {"identity": "tg:1001"}, status=204)
    page = await world.get("/contacts", params={"identity": "tg:1001"})
    assert page["items"][0]["list"] is None
