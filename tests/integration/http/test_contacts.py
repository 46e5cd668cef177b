"""Contacts through the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.world import World, later
from tests.integration.storage.world import message, missed

NUMBER = "+79161234567"


async def test_a_contact_is_made_and_read(world: World) -> None:
    made = await world.contact(
        name="Анна Смирнова",
        identities=["tel:8 (916) 123-45-67", "mailto:Anna@Example.org"],
        manager="ivan",
        tags=["опт", " опт ", "москва"],
        fields={"размер": 42, "цвета": ["синий"]},
    )
    assert made["identities"] == ["mailto:anna@example.org", "tel:+79161234567"]
    assert made["tags"] == ["опт", "москва"]
    assert made["list"] is None
    assert made["created_at"].endswith("Z")
    assert await world.get(f"/contacts/{made['id']}") == made


async def test_what_is_not_named_stays(world: World) -> None:
    made = await world.contact(name="Анна", identities=["tel:" + NUMBER], fields={"a": 1, "b": 2}, company="Ромашка")
    changed = await world.patch(f"/contacts/{made['id']}", {"fields": {"a": None, "c": True}, "list": "соискатели"})
    assert changed["fields"] == {"b": 2, "c": True}
    assert (changed["name"], changed["company"], changed["list"]) == ("Анна", "Ромашка", "соискатели")
    assert changed["identities"] == ["tel:" + NUMBER]
    cleared = await world.patch(f"/contacts/{made['id']}", {"list": None, "company": None})
    assert (cleared["list"], cleared["company"]) == (None, None)


@pytest.mark.parametrize(
    "identity", ["tel:+79161234567", "tel: 79161234567", "tel:89161234567", "TEL:+7 916 123-45-67", "mailto:a+b@x.ru"]
)
async def test_an_identity_finds_its_contact_exactly(world: World, identity: str) -> None:
    wanted = await world.contact(name="Анна", identities=["tel:" + NUMBER, "mailto:a+b@x.ru"])
    await world.contact(name="Другая", identities=["tel:+79161234568"])
    found = await world.get("/contacts", params={"identity": identity})
    assert [each["id"] for each in found["items"]] == [wanted["id"]]
    # As browsers and curl send it, unescaped: the plus arrives as a space.
    found = await world.get(f"/contacts?q=&identity={identity.replace(' ', '+')}")
    assert [each["id"] for each in found["items"]] == [wanted["id"]]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("СМИРНОВА", True),
        ("анна смир", True),
        ("смирнова анна", True),
        ("8 (916) 123-45-67", True),
        ("1234567", True),
        ("anna@", True),
        ("ромашка", True),
        ("100%", False),
        ("петров", False),
        ("анна петров", False),
        ("_", False),
    ],
)
async def test_what_is_typed_finds_a_contact(world: World, typed: str, found: bool) -> None:
    await world.contact(name="Анна Смирнова", identities=["tel:" + NUMBER, "mailto:anna@x.ru"], company="Ромашка")
    page = await world.get("/contacts", params={"q": typed})
    assert bool(page["items"]) is found


async def test_pages_follow_each_other(world: World) -> None:
    ids = [(await world.contact(name=f"Клиент {number}"))["id"] for number in range(7)]
    seen: list[int] = []
    after: str | None = None
    while True:
        page = await world.get("/contacts", params={"limit": "3"} | ({"after": after} if after else {}))
        seen += [each["id"] for each in page["items"]]
        after = page["next"]
        if after is None:
            break
        await world.contact(name="новый")  # what is added meanwhile shifts nothing
    assert seen == sorted(ids, reverse=True)


async def test_an_identity_belongs_to_one(world: World) -> None:
    first = await world.contact(name="Анна", identities=["tel:" + NUMBER])
    problem = await world.post("/contacts", {"identities": ["tel:" + NUMBER]}, status=409)
    assert str(first["id"]) in problem["detail"]
    other = await world.contact(name="Борис")
    await world.patch(f"/contacts/{other['id']}", {"identities": ["tel:" + NUMBER]}, status=409)


async def test_an_identity_is_taken_away(world: World) -> None:
    made = await world.contact(name="Анна", identities=["tel:" + NUMBER, "vk:5"])
    changed = await world.patch(f"/contacts/{made['id']}", {"identities": ["vk:5"]})
    assert changed["identities"] == ["vk:5"]
    assert (await world.get("/contacts", params={"identity": "tel:" + NUMBER}))["items"] == []
    explained = await world.get("/explain/route", params={"number": NUMBER, "line": ""})
    assert explained["contact_id"] is None
    await world.contact(name="Борис", identities=["tel:" + NUMBER])


async def test_the_next_call_is_decided_by_the_new_manager(world: World) -> None:
    made = await world.contact(name="Анна", identities=["tel:" + NUMBER])
    for login, endpoint in (("ivan", "PJSIP/101"), ("petr", "PJSIP/102")):
        await world.patch(f"/contacts/{made['id']}", {"manager": login})
        explained = await world.get("/explain/route", params={"number": NUMBER, "line": "+74951234567"})
        assert (explained["action"], explained["endpoints"]) == ("dial", [endpoint]), explained
        assert explained["contact_id"] == made["id"]
        assert explained["trace"][0]["login"] == login


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"identities": ["tel:12"]}, "/identities/0"),
        ({"identities": ["fax:1"], "name": "x"}, "/identities/0"),
        ({"name": 5}, "/name"),
        ({"nmae": "Анна"}, "/nmae"),
        ({"name": "a\x00b"}, "/name"),
        ({"tags": ["x" * 500]}, "/tags/0"),
    ],
)
async def test_what_makes_no_sense_is_pointed_at(world: World, body: Any, pointer: str) -> None:
    problem = await world.post("/contacts", body, status=422)
    assert problem["errors"][0]["pointer"] == pointer
    assert await world.count("contact") == 0


async def test_unknown_managers_and_lists_are_refused(world: World) -> None:
    made = await world.contact(name="Анна")
    assert "nobody" in (await world.patch(f"/contacts/{made['id']}", {"manager": "nobody"}, status=422))["detail"]
    assert "нет" in (await world.patch(f"/contacts/{made['id']}", {"list": "нет"}, status=422))["detail"]
    await world.post("/contacts", {}, status=422)
    await world.patch("/contacts/1", {"name": "x"}, status=404)
    await world.get("/contacts/1", status=404)
    await world.get("/contacts/99999999999999999999", status=404)


async def test_a_merge_and_its_undoing(world: World) -> None:
    await world.take(message(1001, "m1", later(1)), missed("c1", NUMBER, later(2)))
    items = (await world.get("/contacts"))["items"]
    absorbed, survivor = items[0]["id"], items[1]["id"]
    joined = await world.post(f"/contacts/{survivor}/merge", {"contact_id": absorbed, "evidence": "по словам клиента"})
    assert sorted(joined["identities"]) == ["tel:" + NUMBER, "tg:1001"]
    # The absorbed one is answered by who stands for it now.
    assert (await world.get(f"/contacts/{absorbed}"))["id"] == survivor
    assert len((await world.get(f"/contacts/{absorbed}/timeline"))["items"]) >= 2
    assert [each["id"] for each in (await world.get("/contacts"))["items"]] == [survivor]
    await world.patch(f"/contacts/{absorbed}", {"name": "x"}, status=409)
    given_back = await world.post(f"/contacts/{survivor}/unmerge")
    assert given_back["id"] == absorbed
    assert len((await world.get("/contacts"))["items"]) == 2
    await world.post(f"/contacts/{survivor}/unmerge", status=404)
    await world.post(f"/contacts/{survivor}/merge", {"contact_id": survivor}, status=422)
