"""What is told of messages besides their words: sent elsewhere, delivered, read, failed, reacted to; also names."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from crm_core.messages import (
    Attachment,
    Authenticity,
    Delivery,
    DeliveryChanged,
    EntryKind,
    InboundEvent,
    MessageReceived,
    MessageSent,
    Noted,
    ProfileLearned,
    ReactionChanged,
    StoredFile,
    Trust,
    Utm,
)
from crm_core.model.case import CaseState
from crm_core.model.identity import Identity, IdentityKind, parse_identity
from crm_core.services.clients import contacts
from crm_core.services.letters import replies
from tests.integration.storage.world import MAIL, SHOP, STAFF, World, at, edit, fact, message, missed, tg

CLIENT = "+79161234567"


def elsewhere(user: int, ref: str, when: Any, text: str = "из приложения", **more: Any) -> InboundEvent:
    """A person of the office writes to a Telegram user from their own messenger."""
    return fact(SHOP, MessageSent(EntryKind.MESSAGE, text, ref, **more), when, tg(user), name=f"User {user}")


def told(user: int, state: Delivery, *refs: str, when: Any, **more: Any) -> InboundEvent:
    """The provider tells what became of messages."""
    return fact(SHOP, DeliveryChanged(state, refs, **more), when, tg(user))


def reacted(user: int, ref: str, *emojis: str, when: Any, conversation: str = "") -> InboundEvent:
    return fact(SHOP, ReactionChanged(ref, emojis), when, tg(user), conversation=conversation)


async def reply(world: World, user: int = 7, **more: Any) -> Any:
    """A manager answers; what was queued."""
    holder = (await world.row("identity", key=f"tg:{user}")).contact_id
    return await world.store.run(
        lambda desk: replies.reply(
            desk, holder, "ivan", channel=more.get("channel", "telegram"), account=None, text="да"
        )
    )


async def out(world: World) -> Any:
    return await world.row("timeline", direction="out", kind="message")


# ---------------------------------------------------------------- sent elsewhere


async def test_a_message_sent_elsewhere_stands_on_the_timeline_and_closes_the_case(world: World) -> None:
    file = Attachment("a.pdf", "application/pdf", stored=StoredFile("ab" * 32, 3), size=3)
    await world.take(message(7, "m1", at(0)))
    await world.take(elsewhere(7, "m2", at(60), author=tg(1001), attachments=(file,), album="g1"))
    entry = await out(world)
    assert (entry.author, entry.by_person, entry.delivery, entry.signal) == ("ivan", True, "sent", "reply")
    assert (entry.ref, entry.text, entry.album) == ("telegram:shop:7:m2", "из приложения", "g1")
    assert (await world.row("attachment")).entry_id == entry.id
    case = await world.row("contact_case")
    assert (case.state, case.reason, case.closed_at) == (CaseState.CLOSED, "reply", at(60))


async def test_whoever_is_none_of_the_office_is_named_as_the_provider_does(world: World) -> None:
    await world.take(elsewhere(7, "m2", at(60), author=tg(555), author_name="Помощник"))
    assert (await out(world)).author == "Помощник"


async def test_a_message_that_the_provider_sent_by_itself_answers_nobody(world: World) -> None:
    await world.take(message(7, "m1", at(0)), elsewhere(7, "m2", at(1), automatic=True))
    entry = await out(world)
    assert (entry.by_person, entry.signal) == (False, None)
    assert (await world.row("contact_case")).state is CaseState.OPEN


@pytest.mark.parametrize("answers", ["m1", ""])
async def test_who_answers_a_client_in_a_group_has_answered_them(world: World, answers: str) -> None:
    def in_group(user: int, ref: str, when: Any, answers: str = "") -> InboundEvent:
        payload = MessageReceived(EntryKind.MESSAGE, f"text {ref}", ref, answers=answers)
        return replace(fact(STAFF, payload, when, tg(user), conversation="-100"), group=True)

    await world.take(in_group(7, "m1", at(0)), in_group(8, "m2", at(1)))
    receipts = await world.take(in_group(1001, "m3", at(60), answers))
    client = (await world.row("identity", key="tg:7")).contact_id
    assert await world.rows("identity", key="tg:1001") == []
    case = await world.row("contact_case", contact_id=client)
    if not answers:
        assert (receipts[0].state, case.state) == ("ignored", CaseState.OPEN)
        return
    assert (case.state, case.reason) == (CaseState.CLOSED, "reply")
    entry = await out(world)
    assert (entry.contact_id, entry.author, entry.by_person, entry.text) == (client, "ivan", True, "text m3")
    other = await world.row("contact_case", contact_id=(await world.row("identity", key="tg:8")).contact_id)
    assert other.state is CaseState.OPEN


@pytest.mark.parametrize("by", ["number", "ref"])
@pytest.mark.parametrize("first", ["echo", "receipt"])
async def test_our_own_echo_is_no_second_message(world: World, by: str, first: str) -> None:
    await world.take(message(7, "m1", at(0)))
    entry = await reply(world)
    echo = elsewhere(7, "77", at(60), "да", number=entry.number if by == "number" else None)
    if first == "echo":
        await world.take(echo)
        if by == "number":
            assert (await out(world)).delivery == "sent"
        await world.store.run(lambda desk: replies.sent(desk, entry.id, ["77"]))
    else:
        await world.store.run(lambda desk: replies.sent(desk, entry.id, ["77"]))
        await world.take(echo)
    found = await out(world)
    assert (found.id, found.ref, found.external_id) == (entry.id, "telegram:shop:7:77", "77")
    assert (found.author, found.delivery, found.signal) == ("ivan", "sent", "reply")
    assert (await world.row("contact_case")).state is CaseState.CLOSED


async def test_the_echo_of_a_later_part_may_come_first(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    entry = await reply(world)
    await world.take(elsewhere(7, "78", at(60), "часть 2", number=entry.number))
    await world.store.run(lambda desk: replies.sent(desk, entry.id, ["77", "78"]))
    await world.take(elsewhere(7, "77", at(60), "часть 1", number=entry.number))
    found = await out(world)
    assert (found.ref, found.external_id) == ("telegram:shop:7:77", "77")
    await world.take(reacted(7, "78", "👍", when=at(90)))
    assert [each["emoji"] for each in (await out(world)).reactions] == ["👍"]


@pytest.mark.parametrize("part", ["77", "78"])
@pytest.mark.parametrize("echo", [True, False])
async def test_what_was_told_of_any_part_before_the_receipt_counts(world: World, part: str, echo: bool) -> None:
    await world.take(message(7, "m1", at(0)))
    entry = await reply(world)
    if echo:  # of the other part: the message is known by that one first
        await world.take(elsewhere(7, "78" if part == "77" else "77", at(1), "да", number=entry.number))
    await world.take(told(7, Delivery.DELIVERED, part, when=at(2)))
    await world.store.run(lambda desk: replies.sent(desk, entry.id, ["77", "78"]))
    assert (await out(world)).delivery == "delivered"


async def test_an_echo_with_files_gives_way_to_what_was_sent(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    entry = await reply(world)
    file = Attachment("a.pdf", "application/pdf", remote_id="r1")
    await world.take(elsewhere(7, "77", at(60), "да", attachments=(file,)))
    await world.take(edit(7, "77", at(70), "да!"), reacted(7, "77", "🔥", when=at(80)))
    await world.store.run(lambda desk: replies.sent(desk, entry.id, ["77"]))
    found = await out(world)
    assert (found.id, found.text, [each["emoji"] for each in found.reactions]) == (entry.id, "да!", ["🔥"])
    assert await world.rows("attachment") == []


async def test_of_what_was_given_up_nothing_failed_where_its_echo_came(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    entry = await reply(world)
    await world.take(elsewhere(7, "77", at(60), "да", number=entry.number))
    await world.store.run(lambda desk: replies.given_up(desk, entry.id, "it is not known whether it arrived"))
    assert (await out(world)).delivery == "sent"
    assert (await world.row("contact_case")).state is CaseState.CLOSED


# ---------------------------------------------------------------- delivered, read, failed

ORDERS: list[tuple[list[Delivery], Delivery]] = [
    ([Delivery.DELIVERED, Delivery.READ], Delivery.READ),
    ([Delivery.READ, Delivery.DELIVERED], Delivery.READ),
    ([Delivery.DELIVERED, Delivery.SENT], Delivery.DELIVERED),
    ([Delivery.FAILED, Delivery.SENT], Delivery.FAILED),
    ([Delivery.FAILED, Delivery.DELIVERED], Delivery.FAILED),
    ([Delivery.DELIVERED, Delivery.FAILED], Delivery.FAILED),
    ([Delivery.FAILED, Delivery.READ], Delivery.READ),
    ([Delivery.READ, Delivery.FAILED], Delivery.READ),
]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(("states", "last"), ORDERS)
async def test_the_state_moves_forward_whenever_the_receipt_comes(
    world: World, states: list[Delivery], last: Delivery, place: int
) -> None:
    await world.take(message(7, "m1", at(0)))
    entry = await reply(world)
    for number in range(3):
        if number == place:
            await world.store.run(lambda desk: replies.sent(desk, entry.id, ["77"]))
        if number < 2:
            await world.take(told(7, states[number], "77", when=at(60 + number), detail=f"{number}"))
    found = await out(world)
    assert found.delivery == last
    assert (found.signal is None) == (last is Delivery.FAILED)
    case = await world.row("contact_case")
    assert case.state is (CaseState.OPEN if last is Delivery.FAILED else CaseState.CLOSED)
    assert await world.rows("message_ref") == []
    if last is Delivery.FAILED:
        assert found.delivery_error == f"{states.index(last)}"


async def test_a_number_tells_of_a_message_before_its_receipt(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    entry = await reply(world)
    await world.take(told(7, Delivery.SENT, "77", when=at(60), number=entry.number))
    found = await out(world)
    assert (found.delivery, found.ref) == ("sent", "telegram:shop:7:77")
    other = replace(SHOP, account="other")
    await world.take(fact(other, DeliveryChanged(Delivery.READ, (), entry.number), at(70), tg(7)))
    assert (await out(world)).delivery == "sent", "another account's number is another message's"


@pytest.mark.parametrize("read_first", [False, True])
async def test_read_up_to_a_message_is_all_before_it_read(world: World, read_first: bool) -> None:
    await world.take(message(7, "1", at(0)))
    queued = [await reply(world) for _ in range(3)]
    for number, each in enumerate(queued[:2], start=2):
        await world.store.run(partial(replies.sent, entry_id=each.id, refs=[str(number)]))
    read = told(7, Delivery.READ, "9", when=at(60), upto=True)
    if read_first:
        await world.take(read)
    await world.store.run(lambda desk: replies.sent(desk, queued[2].id, ["9"]))
    await world.take(elsewhere(7, "5", at(30)), elsewhere(7, "12", at(70)))
    if not read_first:
        await world.take(read)
    await world.take(told(7, Delivery.READ, "4", when=at(90), upto=True))
    rows = await world.rows("timeline", direction="out", kind="message")
    states = {row.external_id if row.number else row.ref.rpartition(":")[2]: row.delivery for row in rows}
    assert states == {"2": "read", "3": "read", "9": "read", "5": "read", "12": "sent"}


async def test_a_robot_can_not_be_told_of_in_nobodys_words(world: World) -> None:
    (receipt,) = await world.take(fact(SHOP, DeliveryChanged(Delivery.READ), at(0)))
    assert receipt.state == "ignored"
    await world.take(told(7, Delivery.READ, "unknown", when=at(0)))
    assert await world.rows("timeline") == []
    assert await world.rows("contact") == []


# ---------------------------------------------------------------- reactions


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_the_latest_reactions_of_each_stand(world: World, order: tuple[int, ...]) -> None:
    facts = [
        reacted(7, "m1", "👍", when=at(10)),
        reacted(7, "m1", when=at(20)),
        reacted(8, "m1", "🔥", "❤", when=at(15), conversation="7"),
    ]
    await world.take(message(7, "m1", at(0)), message(8, "m8", at(0)))
    for index in order:
        await world.take(facts[index])
    entry = await world.row("timeline", ref="telegram:shop:7:m1")
    assert sorted((each["who"], each["emoji"]) for each in entry.reactions) == [
        ("tg:7", ""),
        ("tg:8", "❤"),
        ("tg:8", "🔥"),
    ]


async def test_a_reaction_before_its_message_waits_for_it(world: World) -> None:
    await world.take(reacted(7, "m1", "👍", when=at(10)))
    await world.take(message(7, "m1", at(0), text="привет"))
    entry = await world.row("timeline")
    assert (entry.text, [each["emoji"] for each in entry.reactions]) == ("привет", ["👍"])
    assert (await world.row("contact_case")).state is CaseState.OPEN


# ---------------------------------------------------------------- asks nothing


async def test_whoever_starts_the_bot_is_a_lead_that_waits_for_nothing(world: World) -> None:
    start = MessageReceived(
        EntryKind.MESSAGE, "/start ad", "m1", asks=False, source="Реклама", utm=Utm(campaign="ad"), album="a"
    )
    await world.take(fact(SHOP, start, at(0), tg(7), name="Анна"))
    lead = await world.row("lead")
    assert (lead.source, lead.utm_campaign) == ("Реклама", "ad")
    assert await world.rows("contact_case") == []


async def test_a_note_opens_a_lead_only_as_an_enquiry(world: World) -> None:
    await world.take(fact(SHOP, Noted("смотрит страницу"), at(0), tg(7)))
    assert await world.rows("lead") == []
    await world.take(fact(SHOP, Noted("вступил в сообщество", "Сообщество", enquiry=True), at(5), tg(7)))
    lead = await world.row("lead")
    assert (lead.source, lead.title) == ("Сообщество", "вступил в сообщество")
    assert [row.kind for row in await world.rows("timeline")] == ["system", "system"]
    assert await world.rows("contact_case") == []


# ---------------------------------------------------------------- who they are


async def test_a_learned_name_stands_where_no_fact_gives_one(world: World) -> None:
    def learned(name: str, when: Any) -> InboundEvent:
        return fact(SHOP, ProfileLearned(((tg(7), name), (tg(8), "Никто"))), when)

    await world.take(message(7, "m1", at(0), name=""))
    await world.take(learned("Анна", at(5)))
    assert (await world.row("contact")).name == "Анна"
    await world.take(learned("Анна Иванова", at(9)), learned("Аня", at(7)))
    assert (await world.row("contact")).name == "Анна Иванова"
    await world.take(message(7, "m2", at(20), name="Анечка"))
    await world.take(learned("Анна", at(30)))
    assert (await world.row("contact")).name == "Анечка"


async def test_the_latest_handle_is_kept(world: World) -> None:
    def named(handle: str, ref: str, when: Any) -> InboundEvent:
        event = message(7, ref, when)
        return replace(event, sender=replace(event.sender, handle=handle))

    await world.take(named("anna", "m1", at(0)))
    await world.take(named("anna_new", "m3", at(20)))
    await world.take(named("anna_old", "m2", at(10)))
    assert (await world.row("identity")).handle == "anna_new"


FORGED = Authenticity(Trust.FORGED, "spf=fail dmarc=fail")


async def test_a_forger_is_nobodys_client(world: World) -> None:
    def letter(ref: str, when: Any, found: Authenticity | None) -> InboundEvent:
        payload = MessageReceived(EntryKind.EMAIL, "переведите деньги", ref, subject=ref, authenticity=found)
        return fact(MAIL, payload, when, parse_identity("mailto:anna@b.example"), name="Анна")

    await world.take(letter("<1@b>", at(0), Authenticity(Trust.PROVEN, "dkim=pass")))
    real = (await world.row("identity")).contact_id
    await world.store.run(lambda desk: contacts.change(desk, real, contacts.ContactChange(manager="ivan")))
    await world.take(letter("<2@b>", at(60), FORGED))
    forged = await world.row("identity", key="claimed:anna@b.example")
    assert forged.contact_id != real
    entry = await world.row("timeline", ref="email:sales::<2@b>")
    assert (entry.contact_id, entry.authenticity["trust"]) == (forged.contact_id, "forged")
    assert (await world.row("contact_case", contact_id=forged.contact_id)).manager != "ivan"
    assert (await world.row("suggestion")).reason == "claimed_address"


@pytest.mark.parametrize("key", ["tg:7", "mailto:spam@b.example", "vk:5", "gw:max/9"])
async def test_whoever_is_listed_by_any_identity_is_refused(world: World, key: str) -> None:
    await world.store.run(lambda desk: contacts.put_on_list(desk, "чёрный список", key, "спам", "ivan"))
    kind, _, value = key.partition(":")
    payload = MessageReceived(EntryKind.MESSAGE, "купите", "m1")
    await world.take(fact(SHOP, payload, at(0), Identity(IdentityKind(kind), value)))
    assert (await world.row("contact")).list_name == "чёрный список"
    assert await world.rows("lead") == []
    assert await world.rows("contact_case") == []


async def test_whoever_is_listed_but_not_refused_waits_without_a_lead(world: World) -> None:
    await world.store.run(lambda desk: contacts.put_on_list(desk, "соискатели", "tg:7", "резюме", "ivan"))
    await world.take(message(7, "m1", at(0)))
    assert await world.rows("lead") == []
    assert (await world.row("contact_case")).state is CaseState.OPEN


async def test_numbers_listed_for_calls_list_nobody_for_good(world: World) -> None:
    await world.store.run(lambda desk: contacts.put_on_list(desk, "соискатели", CLIENT, "резюме", "ivan"))
    await world.take(missed("c1", CLIENT, at(0)))
    assert (await world.row("contact")).list_name is None
