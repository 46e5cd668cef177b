"""Mail in from a real mail server and out through it (Exim): STARTTLS, logins, LMTP, reports of delivery, bounces."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable
from dataclasses import replace

import aiosmtplib
import pytest
import uvloop

from channels.email import Certificate, EmailChannel, EmailConfig, Listen, MailServer, create_all
from channels.email.listener import Listener
from channels.email.token import reply_address
from crm_core.errors import ChannelAuthError, TransientDeliveryError
from crm_core.messages import InboundEvent, MessageReceived, OutboundMessage
from crm_core.ports import ChannelState
from hub.demo.peers.process import free_port
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink
from tests.integration.email.imap import PACE, config_of, mailbox, server_of
from tests.integration.email.smtp import client, mail, state
from tests.integration.email.smtp_wire import wire
from tests.patience import PATIENCE_S
from tests.peers.mail import DovecotServer, EximServer

LOGIN = ("sales", "secret")
MESSAGE = OutboundMessage(
    EmailConfig("sales", "sales@example.org").key,
    "ivan@client.example",
    "Добрый день!",
    "message:7",
    subject="Re: Цена",
    reply_to="<3@client.example>",
    references=("<1@client.example>", "<2@client.example>", "sha256:abc"),
    thread=12,
)


@pytest.fixture
def world() -> ChannelWorld:
    return ChannelWorld(DrivenClock())


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - as the servers of others make no events
            await asyncio.sleep(0.05)


def outgoing(relay: EximServer, **login: str) -> EmailConfig:
    """A mailbox that sends through the relay, to which it has to prove itself; answers come with a mark."""
    server = MailServer(
        "127.0.0.2", relay.port, user=login.get("user", LOGIN[0]), password=login.get("password", LOGIN[1])
    )
    return EmailConfig("sales", "sales@example.org", smtp=server, token_key=b"key", reply_token=True)


async def hand_on(relay: EximServer, recipients: list[str], content: bytes) -> None:
    """Give the relay a mail to hand on."""
    await asyncio.to_thread(_bring, relay, recipients, content)


def _bring(relay: EximServer, recipients: list[str], content: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=PATIENCE_S) as smtp:
        smtp.sendmail("ivan@client.example", recipients, content)


async def test_a_message_goes_out_behind_starttls_and_a_login_in_its_thread(
    world: ChannelWorld, mail_relay: EximServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = outgoing(mail_relay)
    (box,) = create_all([config], world.context())
    with pytest.raises(TransientDeliveryError, match="certificate"):
        await box.send(MESSAGE)
    monkeypatch.setenv("SSL_CERT_FILE", str(mail_relay.certified.certificate))
    receipt = await box.send(MESSAGE)
    await until(lambda: len(mail_relay.inbox()) == 1)
    (got,) = mail_relay.inbox()
    assert got["Message-ID"] == receipt.refs[0]
    assert got["In-Reply-To"] == "<3@client.example>"
    assert got["References"].split() == ["<1@client.example>", "<2@client.example>", "<3@client.example>"]
    assert got["Reply-To"] == reply_address(config, 12)
    assert got["Return-path"] == "<sales@example.org>"
    assert "X=TLS" in mail_relay.log()
    assert "A=plain:sales" in mail_relay.log()
    assert ", TLS, login sales" in await box.check()


async def test_a_login_is_refused_behind_tls(
    world: ChannelWorld, mail_relay: EximServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(mail_relay.certified.certificate))
    (box,) = create_all([outgoing(mail_relay, password="wrong")], world.context())
    with pytest.raises(ChannelAuthError):
        await box.send(MESSAGE)
    assert state(box) is ChannelState.BAD_CREDENTIALS


async def test_no_mail_crosses_a_network_in_the_clear(world: ChannelWorld) -> None:
    hung_up = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay\r\n")
        while await reader.readline():
            writer.write(b"250 fine\r\n")
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(answer, "127.0.0.2", 0)
    far = MailServer("127.0.0.2", server.sockets[0].getsockname()[1])
    (box,) = create_all([EmailConfig("sales", "sales@example.org", smtp=far)], world.context())
    with pytest.raises((TransientDeliveryError, ChannelAuthError), match="STARTTLS"):
        await box.send(MESSAGE)
    await asyncio.wait_for(hung_up.wait(), PATIENCE_S)
    server.close()
    await server.wait_closed()


async def test_the_relay_tells_what_became_of_a_message(world: ChannelWorld, sink: MemorySink) -> None:
    port = free_port()
    with EximServer(hub_port=port) as relay:
        server = MailServer("127.0.0.1", relay.port, user=LOGIN[0], password=LOGIN[1])
        config = EmailConfig(
            "sales", "sales@example.org", listen=Listen("127.0.0.1", port), smtp=server, token_key=b"key"
        )
        (box,) = create_all([config], world.context())
        await box.start(sink)
        receipt = await box.send(MESSAGE)
        await until(lambda: any(b"Action: delivered" in event.raw for event in sink.events))
        gone = replace(MESSAGE, conversation="gone@client.example", idempotency_key="message:8")
        bounced = await box.send(gone)
        await until(lambda: any(b"Action: failed" in event.raw for event in sink.events))
        report = next(event for event in sink.events if b"Action: failed" in event.raw)
        await box.stop()
    assert len(relay_ids(sink, receipt.refs[0])) == 1
    assert len(relay_ids(sink, bounced.refs[0])) == 1
    assert b"no such mailbox" in report.raw
    assert not any(isinstance(event.payload, MessageReceived) and not event.payload.automatic for event in sink.events)


def relay_ids(sink: MemorySink, ref: str) -> list[InboundEvent]:
    """The reports that name a mail of ours."""
    return [event for event in sink.events if ref.strip("<>").encode() in event.raw]


async def test_mail_comes_in_from_a_real_server_behind_starttls(world: ChannelWorld, sink: MemorySink) -> None:
    port = free_port()
    with EximServer(hub_port=port) as relay:
        tls = Certificate(relay.certified.certificate, relay.certified.key)
        config = EmailConfig("sales", "sales@example.org", listen=Listen("127.0.0.1", port), tls=tls)
        (box,) = create_all([config], world.context())
        await box.start(sink)
        await hand_on(relay, ["sales@example.org"], mail("handed on", mid="1"))
        await until(lambda: len(sink.events) >= 1)
        await until(lambda: "=> sales@example.org" in relay.log())
        assert "X=TLS" in next(line for line in relay.log().splitlines() if "=> sales@example.org" in line)
        await box.stop()
    (event,) = sink.events
    assert isinstance(event.payload, MessageReceived)
    assert event.payload.subject == "handed on"


async def test_by_lmtp_each_recipient_has_an_answer(world: ChannelWorld, sink: MemorySink) -> None:
    place = Listen("127.0.0.1", free_port(), lmtp=True)
    with EximServer(hub_port=place.port, lmtp=True) as relay:
        sales = EmailConfig("sales", "sales@example.org", listen=place)
        small = EmailConfig("help", "help@example.org", listen=place, max_size=500)
        boxes = create_all([sales, small], world.context())
        for box in boxes:
            await box.start(sink)
        await hand_on(relay, ["sales@example.org", "help@example.org"], mail("both", mid="1", body="x" * 600))
        await until(lambda: len(sink.events) >= 1)
        await until(lambda: "552" in relay.log() and "=> sales@example.org" in relay.log())
        async with wire(boxes[0]) as line:
            await line.reply()
            assert (await line.say("EHLO client.example")).startswith("500")
        for box in boxes:
            await box.stop()
    assert [event.key.account for event in sink.events] == ["sales"]


async def test_a_listener_with_a_login_takes_mail_from_nobody_else(
    world: ChannelWorld, sink: MemorySink, mail_relay: EximServer
) -> None:
    free = Listen("127.0.0.1", 0)
    tls = Certificate(mail_relay.certified.certificate, mail_relay.certified.key)
    config = EmailConfig("sales", "sales@example.org", listen=free, tls=tls, listen_login=("relay", "пароль"))
    (box,) = create_all([config], world.context())
    await box.start(sink)
    async with wire(box) as line:
        await line.introduced()
        assert (await line.say("MAIL FROM:<a@client.example>")).startswith("530")
        assert (await line.say("AUTH PLAIN AHJlbGF5ANC_")).startswith("5")
        # What is sent ahead in the clear is forgotten behind TLS.
        assert (await line.say(b"STARTTLS\r\nRSET\r\n")).startswith("220")
        await line.secured()
        assert "AUTH" in await line.say("EHLO client.example")
        assert (await line.say("STARTTLS")).startswith("503")
        assert (await line.say("MAIL FROM:<a@client.example>")).startswith("530")
    async with client(box) as smtp:
        await smtp.starttls(validate_certs=False)
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await smtp.login("relay", "wrong")
        await smtp.login("relay", "пароль")
        await smtp.sendmail("a@client.example", ["sales@example.org"], mail())
    await box.stop()
    assert len(sink.events) == 1


async def test_a_certificate_that_is_none_is_told(
    world: ChannelWorld, sink: MemorySink, mail_relay: EximServer
) -> None:
    free = Listen("127.0.0.1", 0)
    wrong = Certificate(mail_relay.certified.key, mail_relay.certified.certificate)
    for tls, words in ((wrong, "tls_cert"), (replace(wrong, certificate=mail_relay.home / "none"), "no ")):
        config = EmailConfig("sales", "sales@example.org", listen=free, tls=tls)
        (box,) = create_all([config], world.context())
        await box.start(sink)
        assert state(box) is ChannelState.RECONNECTING
        assert words in box.health.detail
        await box.stop()


def test_starttls_works_on_the_loop_of_production(mail_relay: EximServer) -> None:
    async def go() -> int:
        sink = MemorySink()
        tls = Certificate(mail_relay.certified.certificate, mail_relay.certified.key)
        config = EmailConfig("sales", "sales@example.org", listen=Listen("127.0.0.1", 0), tls=tls)
        (box,) = create_all([config], ChannelWorld(DrivenClock()).context())
        await box.start(sink)
        async with client(box) as smtp:
            await smtp.starttls(validate_certs=False)
            await smtp.sendmail("a@client.example", ["sales@example.org"], mail(body="x" * 300_000))
        await box.stop()
        return len(sink.events)

    assert uvloop.run(go()) == 1


async def test_the_same_mail_by_both_ways_is_one(world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer) -> None:
    free = Listen("127.0.0.1", 0)
    config = replace(config_of(server_of(dovecot)), listen=free)
    box: EmailChannel = mailbox(world, config, PACE, Listener(free))
    await box.start(sink)
    async with client(box) as smtp:
        await smtp.sendmail("ivan@client.example", ["sales@example.org"], mail("once", mid="1"))
    on_top = (
        b"Return-Path: <ivan@client.example>\nDelivered-To: sales@example.org\nReceived: from relay\n\tby here; now\n"
    )
    dovecot.deliver(on_top + mail("once", mid="1").replace(b"\r\n", b"\n"))
    dovecot.deliver(mail("twice", mid="1"))  # another mail with the same id
    await until(lambda: len(sink.events) >= 2)
    await box.stop()
    assert sum(len(batch) for batch in sink.batches) == 3
    assert [event.payload.subject for event in sink.events if isinstance(event.payload, MessageReceived)] == [
        "once",
        "twice",
    ]
