"""Templates of messages over the API, what a client would get, and who wants nothing from us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from crm_core.messages import BlockChanged, BlockState, ChannelKey, EntryKind, InboundEvent, MessageReceived, Sender
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import EntryRecord, OutboxRecord
from crm_core.services.desk import Desk
from crm_core.services.letters.outgoing import HeldBack, deliver
from tests.integration.http.world import SHOP, World, later
from tests.patience import PATIENCE_S

ANNA = Sender((Identity(IdentityKind.TG, "1001"),), "Анна")


def said(ident: str, text: str, at: float = 0.0) -> InboundEvent:
    """Anna writes."""
    payload = MessageReceived(EntryKind.MESSAGE, text, ident)
    return InboundEvent(SHOP, ident, "1001", later(at), ANNA, payload, b"{}")


async def wait_until(world: World, holds: Callable[[], bool]) -> None:
    """Wait until something was done by the hub, which tells the feed of it."""
    async with asyncio.timeout(PATIENCE_S):
        async for _ in world.hub.live.follow(0):
            if holds():
                return


async def anna(world: World) -> int:
    """Anna wrote once; her contact's id."""
    await world.take(said("m1", "Здравствуйте"))
    found = await world.get("/contacts?query=Анна")
    return int(found["items"][0]["id"])


async def template(world: World, **body: Any) -> Any:
    return await world.post("/templates", {"name": "привет", **body}, login="root", status=201)


async def test_a_template_is_kept_and_shown_to_a_client_as_they_would_get_it(world: World) -> None:
    contact = await anna(world)
    made = await template(world, text="Добрый день, {{ contact.name }}! {{ contact.fields.nothing }}")
    shown = await world.post(f"/templates/{made['id']}/preview", {"contact_id": contact})
    assert (shown["channel"], shown["account"], shown["conversation"]) == ("telegram", "shop", "1001")
    assert shown["text"] == "Добрый день, Анна!"
    assert shown["held_back"] is None
    assert shown["not_before"] is None
    assert world.shop.sent == []


async def test_a_template_that_can_not_be_read_is_refused_with_its_place(world: World) -> None:
    for text, why in (
        ("строка\n{{ contact.name", "line 2"),
        ("{% include 'secrets' %}", "include"),
        ("{{ contact.name | system }}", "no filter"),
        ("{% if a %}", "endif"),
    ):
        problem = await world.ask("POST", "/templates", {"name": "x", "text": text}, login="root", status=422)
        assert why in problem["detail"], problem
    unknown = {"name": "x", "text": "a", "attachments": [{"name": "a.pdf", "sha256": "0" * 64, "size": 1}]}
    problem = await world.ask("POST", "/templates", unknown, login="root", status=422)
    assert "attachments" in problem["detail"]
    await world.ask("POST", "/templates", {"name": "x", "text": "a"}, login="ivan", status=403)


async def test_a_template_that_names_what_never_is_is_refused_with_what_was_meant(world: World) -> None:
    for text, said in (
        ("{{ client.name }}", "name"),
        ("{{ contcat.name }}", "contact"),
        ("{% if contact.phon %}!{% endif %}", "phone"),
    ):
        answer = await world.post("/templates", {"name": "привет", "text": text}, login="root", status=422)
        assert said in str(answer)
    await world.post("/templates", {"name": "п", "text": "!", "texts": {"vk": "{{ me }}"}}, login="root", status=422)
    everything = """{{ contact.name }} {{ contact.fields.size }} {{ fields.size }} {{ deal.amount | money }} {{ now }}
        {{ manager.name }} {{ unsubscribe }} {{ text }} {{ entry.text }} {{ client.status }}
        {{ contact.name.size }} {% assign ours = deal.title %}{{ ours }}
        {% for each in contact.tags %}{{ each }}{{ forloop.index }}{% endfor %}"""
    await template(world, text=everything)


async def test_code_in_a_template_reaches_nothing(world: World) -> None:
    contact = await anna(world)
    made = await template(world, text="[{{ contact.name.__class__.__mro__ }}{{ fields['_desk'] }}{{ now.__class__ }}]")
    shown = await world.post(f"/templates/{made['id']}/preview", {"contact_id": contact})
    assert shown["text"] == "[]"


async def test_a_message_by_template_goes_where_the_client_wrote_and_closes_no_case(world: World) -> None:
    contact = await anna(world)
    await template(world, text="Здравствуйте, {{ contact.name }}")

    def send(desk: Desk) -> EntryRecord | HeldBack:
        return deliver(desk, contact, "привет", dedupe="once")

    entry = await world.hub.store.run(send)
    assert isinstance(entry, EntryRecord)
    assert entry.by_person is False
    assert await world.hub.store.run(send) is HeldBack.ALREADY  # once
    await wait_until(world, lambda: bool(world.shop.sent))
    assert [(each.conversation, each.text, each.automatic) for each in world.shop.sent] == [
        ("1001", "Здравствуйте, Анна", True)
    ]
    cases = await world.get("/cases")
    assert [each["state"] for each in cases["items"]] == ["open"]


async def test_what_is_due_at_night_waits_for_the_clients_morning(world: World) -> None:
    contact = await anna(world)
    await template(world, text="Здравствуйте")
    world.clock.set(later(0).replace(hour=20))  # 23:00 in Moscow
    await world.hub.store.run(lambda desk: deliver(desk, contact, "привет"))
    assert await world.hub.outbox.run_once() == 0
    # A person's answer does not wait behind it.
    await world.post(f"/contacts/{contact}/messages", {"channel": "telegram", "text": "Сейчас!"}, status=202)
    await wait_until(world, lambda: bool(world.shop.sent))
    assert [each.text for each in world.shop.sent] == ["Сейчас!"]
    world.clock.set(later(24 * 3600).replace(hour=6))
    await wait_until(world, lambda: len(world.shop.sent) == 2)
    assert [each.text for each in world.shop.sent] == ["Сейчас!", "Здравствуйте"]


async def why(world: World, contact: int, **how: Any) -> object:
    found = await world.hub.store.run(lambda desk: deliver(desk, contact, "привет", **how))
    return found if isinstance(found, HeldBack) else "sent"


async def test_opting_out_in_words_by_hand_and_by_block(world: World) -> None:
    contact = await anna(world)
    await template(world, text="Здравствуйте")
    await world.take(said("m2", "Стоп, я ещё не решила", 1))
    assert (await world.get(f"/contacts/{contact}/opt-out"))["opted_out"] is False
    await world.take(said("m3", " «Отписаться»! ", 2))
    found = await world.get(f"/contacts/{contact}/opt-out")
    assert [(each["identity"], each["how"]) for each in found["items"]] == [("tg:1001", "words")]
    assert await why(world, contact) is HeldBack.OPTED_OUT
    await world.ask("DELETE", f"/contacts/{contact}/opt-out", status=204)
    assert await why(world, contact) == "sent"

    def block(ident: str, state: BlockState) -> InboundEvent:
        return InboundEvent(SHOP, ident, "1001", later(3), ANNA, BlockChanged(state), b"{}")

    await world.take(block("b1", BlockState.BLOCKED))
    assert await why(world, contact) is HeldBack.OPTED_OUT
    await world.take(block("b2", BlockState.ALLOWED))
    assert await why(world, contact) == "sent"
    found = await world.post(f"/contacts/{contact}/opt-out", {"note": "сказала по телефону"})
    assert [each["author"] for each in found["items"]] == ["ivan"]
    # A block and its end change nothing of what she told.
    await world.take(block("b3", BlockState.BLOCKED), block("b4", BlockState.ALLOWED))
    assert await why(world, contact) is HeldBack.OPTED_OUT


async def test_an_opt_out_survives_merging(world: World) -> None:
    contact = await anna(world)
    await template(world, text="Здравствуйте")
    await world.post(f"/contacts/{contact}/opt-out")
    other = await world.contact(name="Анна Петрова", identities=["tel:+79161234567"])
    await world.post(f"/contacts/{other['id']}/merge", {"contact_id": contact, "evidence": "одна"})
    assert await why(world, other["id"]) is HeldBack.OPTED_OUT
    assert await why(world, contact) is HeldBack.GONE


async def test_lists_that_are_refused_and_clients_without_a_place_get_nothing(world: World) -> None:
    contact = await anna(world)
    await template(world, text="Здравствуйте", channels=["telegram", "email"])
    assert await why(world, contact, channels=["vk"]) is HeldBack.NOWHERE
    other = await world.contact(name="Без адреса", identities=["tel:+79161234567"])
    assert await why(world, other["id"]) is HeldBack.NOWHERE
    await world.post(f"/contacts/{contact}/list", {"list": "чёрный список", "reason": "спам"})
    assert await why(world, contact) is HeldBack.LISTED


def with_mail(desk: Desk) -> None:
    """The office has a mailbox that can send."""
    sales = ChannelKey("email", "sales")
    desk.office = replace(desk.office, mail_channel=sales, policies={SHOP: AccountPolicy(), sales: AccountPolicy()})


async def test_a_mail_goes_to_whoever_has_an_address_and_tells_how_to_leave(world: World) -> None:
    await template(world, text="Здравствуйте", subject="Весна, {{ contact.name }}")
    found = await world.contact(name="Анна", identities=["mailto:anna@a.example"])

    def send(desk: Desk) -> OutboxRecord:
        with_mail(desk)
        entry = deliver(desk, found["id"], "привет", mailing=True)
        assert isinstance(entry, EntryRecord)
        assert (entry.channel, entry.account, entry.conversation) == ("email", "sales", "anna@a.example")
        assert (entry.kind, entry.subject) == (EntryKind.EMAIL, "Весна, Анна")
        (record,) = desk.work.related(OutboxRecord, "entry_id", [entry.id])
        return record

    payload = (await world.hub.store.run(send)).payload
    link = payload["unsubscribe"]
    assert f"/u/{found['id']}." in link
    assert payload["text"].endswith(f"Отписаться от рассылки: {link}")
    # Once she has written by messenger, that is where she is reached first; an order given goes before it.
    await world.patch(f"/contacts/{found['id']}", {"identities": ["mailto:anna@a.example", "tg:1001"]})
    await world.take(said("m1", "Добрый день"))

    def channel(*order: str) -> Callable[[Desk], str | None]:
        def service(desk: Desk) -> str | None:
            with_mail(desk)
            entry = deliver(desk, found["id"], "привет", channels=order)
            return entry.channel if isinstance(entry, EntryRecord) else None

        return service

    assert await world.hub.store.run(channel()) == "telegram"
    assert await world.hub.store.run(channel("vk", "email", "telegram")) == "email"
