"""Mails as bytes, all the way into the record: threads, reports, robots, forged senders, forms."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

from channels.email import EmailConfig
from channels.email.inbound import read
from channels.email.message_ids import own_id
from channels.email.token import reply_address
from crm_core.messages import Delivery, EntryKind, OutboundMessage
from crm_core.model.case import CaseState
from crm_core.services.clients import contacts
from crm_core.services.letters import replies
from tests.integration.storage.world import MAIL, World, at

CONFIG = EmailConfig(
    MAIL.account,
    "sales@example.org",
    token_key=b"key",
    reply_token=True,
    authserv=("mx.example.org",),
    form_senders=("noreply@site.example",),
)
ANNA = "anna@client.example"


async def arrives(world: World, seconds: float, headers: str = "", body: str = "hi", sender: str = ANNA) -> None:
    when = at(seconds)
    head = f"From: {sender}\r\nTo: sales@example.org\r\nDate: {format_datetime(when)}\r\n{headers}"
    raw = f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}".encode()
    await world.take(read(CONFIG, raw, when).event)


async def answered(world: World) -> tuple[Any, str]:
    """An answer to Anna, and the Message-ID that it goes out with."""
    holder = (await world.row("identity", key=f"mailto:{ANNA}")).contact_id
    entry = await world.store.run(
        lambda desk: replies.reply(desk, holder, "ivan", channel="email", account=None, text="90 000")
    )
    sent = OutboundMessage(MAIL, ANNA, "90 000", f"message:{entry.id}")
    return entry, own_id(CONFIG, sent)


async def test_an_answer_finds_its_thread_before_the_server_has_named_our_mail(sqlite_world: World) -> None:
    world = sqlite_world
    await arrives(world, 0, "Message-ID: <1@c>\r\nSubject: Цена\r\n")
    entry, ident = await answered(world)
    await arrives(
        world, 60, f"Message-ID: <2@c>\r\nIn-Reply-To: {ident}\r\nSubject: Re: Цена\r\n", sender="boss@c.example"
    )
    rows = await world.rows("timeline")
    assert len({row.thread_id for row in rows}) == 1
    # Another person of the same talk is a client of their own, but no new enquiry.
    assert len(await world.rows("lead")) == 1
    address = reply_address(CONFIG, rows[0].thread_id)
    await arrives(world, 90, f"Message-ID: <3@c>\r\nSubject: Re: Цена\r\nDelivered-To: {address}\r\n")
    assert {row.thread_id for row in await world.rows("timeline")} == {entry.thread_id}
    await arrives(world, 95, "Message-ID: <4@c>\r\nSubject: Re: Цена\r\n")
    assert len({row.thread_id for row in await world.rows("timeline")}) == 2


async def test_a_bounce_reopens_the_case_in_the_words_of_the_server(sqlite_world: World) -> None:
    world = sqlite_world
    await arrives(world, 0, "Message-ID: <1@c>\r\n")
    entry, ident = await answered(world)
    await world.store.run(lambda desk: replies.sent(desk, entry.id, (ident,)))
    assert (await world.row("contact_case")).state is CaseState.CLOSED
    said = f"<{ANNA}>:\r\nRemote host said: 550 5.1.1 No such user\r\n\r\n--- Below is a copy.\r\n\r\n"
    body = f"{said}Message-ID: {ident}\r\n"
    await arrives(world, 60, "Subject: failure notice\r\n", body, "MAILER-DAEMON@mx.example.org")
    row = await world.row("timeline", id=entry.id)
    assert (row.delivery, row.delivery_error) == (Delivery.FAILED, "Remote host said: 550 5.1.1 No such user")
    assert (await world.row("contact_case")).state is CaseState.OPEN
    assert len(await world.rows("contact")) == 1


async def test_robots_open_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    await arrives(world, 0, "List-Unsubscribe: <https://shop.example>\r\n", sender="news@shop.example")
    await arrives(world, 1, "Subject: Автоответ: Цена\r\n", sender="away@c.example")
    await arrives(world, 2, "Subject: failure notice\r\n", "not delivered: 550", "mailer-daemon@x.example")
    assert len(await world.rows("timeline")) == 3
    assert not await world.rows("lead")
    assert not await world.rows("contact_case")


async def test_a_forged_sender_does_not_write_on_the_holders_card(sqlite_world: World) -> None:
    world = sqlite_world
    await arrives(world, 0, "Message-ID: <1@c>\r\n")
    holder = (await world.row("identity", key=f"mailto:{ANNA}")).contact_id
    await world.store.run(lambda desk: contacts.change(desk, holder, contacts.ContactChange(manager="ivan")))
    await arrives(
        world, 60, "Authentication-Results: mx.example.org; dmarc=fail\r\nMessage-ID: <2@c>\r\n", "Смените счёт"
    )
    forged = next(row for row in await world.rows("timeline") if row.text == "Смените счёт")
    assert forged.contact_id != holder
    assert (await world.row("identity", contact_id=forged.contact_id)).key == f"claimed:{ANNA}"


async def test_a_mailed_form_is_an_enquiry_of_the_client_in_it(sqlite_world: World) -> None:
    world = sqlite_world
    reached = f"Имя: Анна\r\nТелефон: 8 916 123-45-67\r\nE-mail: {ANNA}\r\n"
    body = f"{reached}Город: Тверь\r\nСообщение: Нужны окна\r\nutm_source: ya"
    await arrives(world, 0, "Message-ID: <f@s>\r\n", body, "noreply@site.example")
    await arrives(world, 1, "Message-ID: <f@s>\r\n", body.replace("\r\n", "\n"), "noreply@site.example")
    identities = {row.key for row in await world.rows("identity")}
    assert identities == {"tel:+79161234567", f"mailto:{ANNA}"}
    lead = (await world.rows("lead"))[0]
    assert (lead.utm_source, lead.fields["Город"]) == ("ya", "Тверь")
    entry = (await world.rows("timeline"))[0]
    assert (entry.kind, entry.conversation, entry.author) == (EntryKind.FORM, ANNA, "Анна")
