"""Messages to everybody of a segment: each once, never to whoever left, going on wherever it stopped."""

from __future__ import annotations

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient

from crm_core.errors import TransientDeliveryError
from crm_core.messages import DeliveryReceipt, EntryKind, InboundEvent, MessageReceived, OutboundMessage, Sender
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.outreach import RecipientRecord
from crm_core.services.desk import Desk
from crm_core.services.letters import broadcasts as service
from crm_core.services.letters import outgoing
from hub.clients.leaving import leave_links
from tests.integration.http.world import SHOP, World, later
from tests.patience import PATIENCE_S


def wrote(client: int, text: str = "Здравствуйте", ident: str = "m") -> InboundEvent:
    """A client writes."""
    sender = Sender((Identity(IdentityKind.TG, str(client)),), f"Клиент {client}")
    payload = MessageReceived(EntryKind.MESSAGE, text, ident)
    return InboundEvent(SHOP, f"{client}:{ident}", str(client), later(client % 50), sender, payload, b"{}")


async def clients(world: World, count: int) -> list[int]:
    """Clients who wrote; the ids of their contacts, in order."""
    await world.take(*(wrote(1000 + each) for each in range(count)))
    found = await world.get(f"/contacts?limit={count}")
    return sorted(each["id"] for each in found["items"])


async def prepared(world: World, **body: Any) -> int:
    """A segment of everybody, and a draft to it."""
    await world.post("/segments", {"name": "все"}, login="root", status=201)
    given = {"name": "Весна", "segment": "все", "text": "Привет, {{ contact.name }}!", "per_minute": 600, **body}
    draft = await world.post("/broadcasts", given, login="root", status=201)
    assert draft["state"] == "draft"
    return int(draft["id"])


async def progress(world: World, broadcast: int) -> dict[str, Any]:
    found = await world.get(f"/broadcasts/{broadcast}")
    return {"state": found["state"], **{name: count for name, count in found["progress"].items() if count}}


async def until(world: World, broadcast: int, **wanted: Any) -> dict[str, Any]:
    """Wait until the progress says so."""
    async with asyncio.timeout(PATIENCE_S):
        async for _ in world.hub.live.follow(0):
            found = await progress(world, broadcast)
            if wanted.items() <= found.items():
                return found
    raise AssertionError


async def test_everybody_of_a_segment_gets_it_once_but_for_those_who_are_left_out(world: World) -> None:
    ids = await clients(world, 12)
    await world.post(f"/contacts/{ids[0]}/opt-out")
    await world.post(f"/contacts/{ids[1]}/list", {"list": "чёрный список", "reason": "спам"})
    await world.contact(name="Без мессенджера", identities=["tel:+79161234567"])
    await world.post(f"/contacts/{ids[2]}/merge", {"contact_id": ids[3], "evidence": "одна"})
    broadcast = await prepared(world)
    await world.ask("POST", f"/broadcasts/{broadcast}/start", {}, login="ivan", status=403)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    found = await until(world, broadcast, state="done", sent=9)
    assert (found["recipients"], found["skipped"]) == (12, 3)
    assert [(each["why"], each["count"]) for each in found["reasons"]] == [
        ("listed", 1),
        ("nowhere", 1),
        ("opted_out", 1),
    ]
    assert len(world.shop.sent) == len({each.conversation for each in world.shop.sent}) == 9
    assert all(each.text.startswith("Привет, Клиент") for each in world.shop.sent)
    listed = await world.get(f"/broadcasts/{broadcast}/recipients?state=skipped")
    assert {each["why"] for each in listed["items"]} == {"listed", "nowhere", "opted_out"}
    # An answer to it is a message like any other: somebody waits for a reply.
    await world.take(wrote(1005, "А сколько стоит?", "answer"))
    case = (await world.get("/cases?state=open"))["items"]
    assert len(case) == 10


async def test_it_keeps_to_its_pace_and_is_paused_resumed_and_cancelled(world: World) -> None:
    await clients(world, 5)
    broadcast = await prepared(world, per_minute=12)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    await until(world, broadcast, sent=1, waiting=4)
    assert await world.hub.deadlines.fire_due() == 0
    world.clock.advance(5)
    await until(world, broadcast, sent=2, waiting=3)
    await world.post(f"/broadcasts/{broadcast}/pause", login="root")
    world.clock.advance(3600)
    assert await world.hub.deadlines.fire_due() == 0
    problem = await world.ask("POST", f"/broadcasts/{broadcast}/start", {}, login="root", status=409)
    assert "paused" in problem["detail"]
    await world.post(f"/broadcasts/{broadcast}/resume", login="root")
    await until(world, broadcast, sent=3, waiting=2)
    await world.post(f"/broadcasts/{broadcast}/cancel", login="root")
    world.clock.advance(3600)
    assert await world.hub.deadlines.fire_due() == 0
    assert len(world.shop.sent) == 3


async def test_whoever_leaves_after_it_began_gets_nothing(world: World) -> None:
    ids = await clients(world, 3)
    broadcast = await prepared(world, per_minute=12)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    await until(world, broadcast, sent=1)
    await world.take(wrote(1002, "стоп", "stop"))
    assert (await world.get(f"/contacts/{ids[2]}/opt-out"))["opted_out"] is True
    for _ in range(3):
        world.clock.advance(5)
        await world.hub.deadlines.fire_due()
    found = await until(world, broadcast, state="done", sent=2)
    assert found["skipped"] == 1
    assert "1002" not in {each.conversation for each in world.shop.sent}


async def test_many_nodes_and_a_death_in_the_middle_make_nobody_hear_it_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clients(world, 30)
    monkeypatch.setattr(service, "GATHERED_AT_ONCE", 7)
    went_on, calls = service._wake, [0]

    def dies(*given: Any) -> None:
        calls[0] += 1
        if calls[0] in {3, 8, 9}:
            raise RuntimeError("dead, right before the transaction was written")
        went_on(*given)

    monkeypatch.setattr(service, "_wake", dies)
    broadcast = await prepared(world, per_minute=120)  # ten at once
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    async with asyncio.timeout(PATIENCE_S):
        while (found := await progress(world, broadcast))["state"] != "done" or found.get("sent") != 30:
            await asyncio.gather(*(world.hub.deadlines.fire_due() for _ in range(4)))
            await world.hub.outbox.run_once()
            world.clock.advance(5)
    assert calls[0] > 9
    assert len(world.shop.sent) == len({each.conversation for each in world.shop.sent}) == 30


async def test_two_contacts_that_become_one_in_the_middle_hear_it_once(world: World) -> None:
    ids = await clients(world, 3)
    broadcast = await prepared(world, per_minute=12)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    await until(world, broadcast, sent=1)
    # The first, who has it already, becomes one with the last.
    await world.post(f"/contacts/{ids[2]}/merge", {"contact_id": ids[0], "evidence": "один"})
    for _ in range(3):
        world.clock.advance(5)
        await world.hub.deadlines.fire_due()
    found = await until(world, broadcast, state="done", sent=2)
    assert [each["why"] for each in found["reasons"]] == ["already"]
    assert sorted(each.conversation for each in world.shop.sent) == ["1000", "1001"]


async def test_it_begins_when_it_is_told_to_and_rests_at_night(world: World) -> None:
    await clients(world, 2)
    broadcast = await prepared(world)
    at = later(0).replace(hour=20)  # 23:00 in Moscow
    await world.post(f"/broadcasts/{broadcast}/start", {"at": at.isoformat()}, login="root")
    assert await world.hub.deadlines.fire_due() == 0
    world.clock.set(at)
    await until(world, broadcast, waiting=2)
    world.clock.set(later(24 * 3600).replace(hour=5, minute=59))
    await world.hub.deadlines.fire_due()
    assert (await progress(world, broadcast))["waiting"] == 2
    world.clock.set(later(24 * 3600).replace(hour=6, minute=0))
    await until(world, broadcast, state="done", sent=2)


async def test_a_template_that_can_not_be_filled_in_leaves_out_those_alone_for_whom_it_can_not(world: World) -> None:
    await clients(world, 2)
    text = "{% if contact.name contains '1001' %}{{ contact.name | divided_by: 0 }}{% endif %}Привет"
    broadcast = await prepared(world, text=text)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    found = await until(world, broadcast, state="done", sent=1)
    (reason,) = found["reasons"]
    assert (reason["why"], reason["count"]) == ("template", 1)
    assert "шаблон" in reason["text"]


async def test_what_makes_no_sense_is_refused(world: World) -> None:
    await prepared(world)
    for body, word in (
        ({"name": "a", "segment": "нет такого", "text": "a"}, "segment"),
        ({"name": "a", "segment": "все"}, "template"),
        ({"name": "a", "segment": "все", "text": "{{ a"}, "line 1"),
        ({"name": "a", "segment": "все", "text": "a", "per_minute": 100000}, "per_minute"),
    ):
        problem = await world.ask("POST", "/broadcasts", body, login="root", status=422)
        assert word in str(problem), problem
    bad = {"name": "b", "filter": {"field": "shoe_size", "value": 44}}
    problem = await world.ask("POST", "/segments", bad, login="root", status=422)
    assert "shoe_size" in problem["detail"]


async def test_a_segment_is_counted_and_looked_at(world: World) -> None:
    ids = await clients(world, 5)
    await world.patch(f"/contacts/{ids[0]}", {"city": "Омск"})
    made = await world.post(
        "/segments", {"name": "Омск", "filter": {"field": "city", "value": "Омск"}}, login="root", status=201
    )
    found = await world.get(f"/segments/{made['id']}/clients")
    assert (found["count"], [each["id"] for each in found["items"]]) == (1, [ids[0]])
    tried = await world.post("/segments/preview?limit=2", {})
    assert (tried["count"], len(tried["items"])) == (5, 2)
    rest = await world.post(f"/segments/preview?limit=10&after={tried['next']}", {})
    assert len(rest["items"]) == 3
    leads = await world.post("/segments/preview", {"of": "lead", "filter": {"field": "status", "value": "new"}})
    assert leads["count"] == 5


async def test_a_client_leaves_by_the_link_of_a_mail(world: World) -> None:
    (contact,) = await clients(world, 1)
    path = leave_links(world.hub.settings).link(contact).removeprefix(world.hub.settings.base_url)
    web: TestClient[Any, Any] = world.client
    page = await web.get(path)
    assert page.status == 200
    assert "Отписаться" in await page.text()
    assert (await world.get(f"/contacts/{contact}/opt-out"))["opted_out"] is False
    signature = path.rpartition(".")[2]
    other = "B" if signature[0] == "A" else "A"
    for wrong in (f"/u/{contact}.{other}{signature[1:]}", f"/u/{contact}", f"/u/{contact + 1}.{signature}"):
        assert (await web.post(wrong)).status == 404
    done = await web.post(path, data={"List-Unsubscribe": "One-Click"})
    assert done.status == 200
    assert (await world.get(f"/contacts/{contact}/opt-out"))["items"][0]["how"] == "link"


async def test_recipients_stand_in_the_record_once(world: World) -> None:
    await clients(world, 3)
    broadcast = await prepared(world, per_minute=12)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    await until(world, broadcast, sent=1)

    def again(desk: Desk) -> list[RecipientRecord]:
        desk.work.put(desk.work.broadcast(broadcast)._replace(filled=False, filled_to=0))
        return desk.work.related(RecipientRecord, "broadcast_id", [broadcast])

    found = await world.hub.store.run(again)
    assert len({each.key for each in found}) == len(found) == 3


async def test_whoever_stands_on_any_list_is_left_out_unless_the_segment_asks_for_that_list(world: World) -> None:
    ids = await clients(world, 4)
    await world.post(f"/contacts/{ids[0]}/list", {"list": "соискатели", "reason": "ищет работу"})
    # Put there by their identity alone, and silent since: their card does not say so yet.
    for ident, name in (("tg:1001", "чёрный список"), ("tg:1002", "соискатели")):
        await world.post(f"/lists/{name}/numbers", {"identity": ident, "reason": "так"}, login="root", status=201)
    broadcast = await prepared(world)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    found = await until(world, broadcast, state="done", sent=1)
    assert [(each["why"], each["count"]) for each in found["reasons"]] == [("listed", 3)]
    assert [each.conversation for each in world.shop.sent] == ["1003"]
    asked = {"name": "кандидаты", "filter": {"all": [{"field": "list", "value": "соискатели"}]}}
    await world.post("/segments", asked, login="root", status=201)
    body = {"name": "Вакансия", "segment": "кандидаты", "text": "Есть место"}
    vacancy = (await world.post("/broadcasts", body, login="root", status=201))["id"]
    await world.post(f"/broadcasts/{vacancy}/start", login="root")
    await until(world, vacancy, state="done", sent=1)
    assert [each.conversation for each in world.shop.sent] == ["1003", "1000"]


async def test_a_try_whose_end_is_not_known_is_not_repeated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await clients(world, 2)
    send = world.shop.send

    async def unanswered(message: OutboundMessage) -> DeliveryReceipt:
        await send(message)
        if message.conversation == "1000":
            raise TransientDeliveryError("no answer", uncertain=True, retry_after=1)
        return DeliveryReceipt((f"out{message.conversation}",))

    monkeypatch.setattr(world.shop, "send", unanswered)
    broadcast = await prepared(world)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    await until(world, broadcast, state="done", sent=1, queued=1)
    world.clock.advance(2)
    await until(world, broadcast, failed=1)
    assert sorted(each.conversation for each in world.shop.sent) == ["1000", "1001"]


async def test_those_whom_it_did_not_reach_can_have_it_again_and_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await clients(world, 4)
    send, away = world.shop.send, {"1000", "1001", "1002"}

    async def unanswered(message: OutboundMessage) -> DeliveryReceipt:
        if message.conversation in away:
            raise TransientDeliveryError("no answer", uncertain=True, retry_after=1)
        return await send(message)

    monkeypatch.setattr(world.shop, "send", unanswered)
    broadcast = await prepared(world)
    await world.ask("POST", f"/broadcasts/{broadcast}/resend", {}, login="root", status=409)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    await until(world, broadcast, state="done", sent=1, queued=3)
    # What still waits is not sent a second time.
    found = await world.post(f"/broadcasts/{broadcast}/resend", login="root")
    assert (found["state"], found["progress"]["waiting"]) == ("done", 0)
    world.clock.advance(2)
    await until(world, broadcast, sent=1, failed=3)
    away.clear()
    await world.post(f"/contacts/{ids[1]}/opt-out")
    await world.post(f"/contacts/{ids[2]}/list", {"list": "чёрный список", "reason": "спам"})
    await world.ask("POST", f"/broadcasts/{broadcast}/resend", {}, login="ivan", status=403)
    for _ in range(2):  # asked twice, sent once; those who have it are not asked about
        found = await world.post(f"/broadcasts/{broadcast}/resend", {"contact_ids": [ids[0], ids[3]]}, login="root")
        assert (found["progress"]["recipients"], found["progress"]["failed"]) == (4, 2)
    await until(world, broadcast, state="done", sent=2, failed=2)
    await world.post(f"/broadcasts/{broadcast}/resend", login="root")
    found = await until(world, broadcast, state="done", sent=2, skipped=2)
    assert [(each["why"], each["count"]) for each in found["reasons"]] == [("listed", 1), ("opted_out", 1)]
    assert sorted(each.conversation for each in world.shop.sent) == ["1000", "1003"]
    await world.post(f"/broadcasts/{broadcast}/resend", login="root")
    assert (await progress(world, broadcast))["state"] == "done"


async def test_whoever_leaves_while_it_waits_for_their_morning_gets_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await clients(world, 2)
    night = ZoneInfo("Asia/Vladivostok")  # 19:00 in Moscow is two in the night there
    world.clock.set(later(0).replace(hour=16))
    monkeypatch.setattr(outgoing, "zone_of", lambda _desk, _contact: night)
    broadcast = await prepared(world)
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    await until(world, broadcast, state="done", queued=2)
    await world.post(f"/contacts/{ids[0]}/opt-out")
    world.clock.advance(8 * 3600)
    await until(world, broadcast, sent=1, failed=1)
    assert [each.conversation for each in world.shop.sent] == ["1001"]


async def test_it_is_reckoned_before_anything_is_sent(world: World) -> None:
    ids = await clients(world, 6)
    await world.post(f"/contacts/{ids[0]}/opt-out")
    await world.post(f"/contacts/{ids[1]}/list", {"list": "чёрный список", "reason": "спам"})
    await world.contact(name="Без мессенджера", identities=["tel:+79161234567"])
    broadcast = await prepared(world)
    await world.ask("POST", f"/broadcasts/{broadcast}/reach", {}, login="ivan", status=403)
    found = await world.post(f"/broadcasts/{broadcast}/reach", {}, login="root")
    assert (found["clients"], found["reached"], found["next"]) == (7, 4, None)
    assert found["channels"] == [{"channel": "telegram", "count": 4}]
    assert [(each["why"], each["count"]) for each in found["left_out"]] == [
        ("listed", 1),
        ("nowhere", 1),
        ("opted_out", 1),
    ]
    first = await world.post(f"/broadcasts/{broadcast}/reach", {"limit": 4}, login="root")
    rest = await world.post(f"/broadcasts/{broadcast}/reach", {"limit": 4, "after": first["next"]}, login="root")
    assert (first["clients"] + rest["clients"], first["reached"] + rest["reached"]) == (7, 4)
    assert world.shop.sent == []
    # It is what comes true.
    await world.post(f"/broadcasts/{broadcast}/start", login="root")
    assert (await until(world, broadcast, state="done", sent=4))["skipped"] == 3


async def test_a_sample_goes_to_nobody_who_can_not_be_told(world: World) -> None:
    await clients(world, 1)
    broadcast = await prepared(world)
    problem = await world.ask("POST", f"/broadcasts/{broadcast}/sample", {}, login="root", status=409)
    assert "Telegram" in problem["detail"]
    assert world.shop.sent == []
