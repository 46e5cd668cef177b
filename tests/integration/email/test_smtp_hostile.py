"""Mail in from those who do not keep to the rules: nothing is taken for two mails, nothing goes on without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvloop

from channels.email import EmailChannel, EmailConfig, Listen
from channels.email.listener import Listener
from channels.email.token import reply_address
from crm_core.messages import MessageReceived
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink
from tests.integration.email.smtp import client, mail
from tests.integration.email.smtp_wire import wire
from tests.patience import PATIENCE_S

FREE = Listen("127.0.0.1", 0)
CONFIG = EmailConfig("sales", "sales@example.org", listen=FREE)


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
async def box(sink: MemorySink) -> AsyncIterator[EmailChannel]:
    channel = EmailChannel(CONFIG, ChannelWorld(DrivenClock()).context(), Listener(FREE))
    await channel.start(sink)
    yield channel
    await channel.stop()


ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r.\n", b"\0.\r\n"]


@pytest.mark.parametrize("end", ENDS)
async def test_only_one_end_of_a_mail_is_an_end(box: EmailChannel, sink: MemorySink, end: bytes) -> None:
    smuggled = b"MAIL FROM:<boss@example.org>\r\nRCPT TO:<sales@example.org>\r\nDATA\r\n" + mail("forged", mid="2")
    async with wire(box) as line:
        await line.introduced()
        await line.say("MAIL FROM:<ivan@client.example>")
        await line.say("RCPT TO:<sales@example.org>")
        assert (await line.say("DATA")).startswith("354")
        reply = await line.say(mail("true", mid="1") + b"hi" + end + smuggled + b"\r\n.\r\n")
        assert reply.startswith("250")
        assert (await line.say("NOOP")).startswith("250")
        assert (await line.say("QUIT")).startswith("221")
    (event,) = sink.events
    assert isinstance(event.payload, MessageReceived)
    assert event.payload.subject == "true"
    assert b"Subject: forged" in event.raw


async def test_commands_sent_ahead_in_the_content_are_content(box: EmailChannel, sink: MemorySink) -> None:
    async with wire(box) as line:
        await line.introduced()
        ahead = b"MAIL FROM:<a@client.example>\r\nRCPT TO:<sales@example.org>\r\nDATA\r\n"
        await line.send(ahead + mail(mid="1") + b".\r\nRSET\r\n" + ahead + mail(mid="2") + b".\r\nQUIT\r\n")
        codes = [(await line.reply())[:3] for _ in range(10)]
    assert codes == ["250", "250", "354", "250", "250", "250", "250", "354", "250", "221"]
    assert len(sink.events) == 2


async def test_lines_of_any_length_and_of_any_end_are_taken(box: EmailChannel, sink: MemorySink) -> None:
    bare = mail("bare", mid="1").replace(b"\r\n", b"\n") + b"line\n" * 400_000
    long = mail("long", mid="2") + b"z" * 900_000 + b"\r\n" + b"y" * 2_001 + b"\r\n"
    header = b"X-Long: " + b"h" * 1_000_000 + b"\r\n" + mail("header", mid="3")
    folded = b"X-Folded: a\r\n" + b" b\r\n" * 200_000 + mail("folded", mid="4")
    async with wire(box) as line:
        await line.introduced()
        for content in (bare, long, header, folded):
            await line.say("MAIL FROM:<ivan@client.example>")
            await line.say("RCPT TO:<sales@example.org>")
            await line.say("DATA")
            assert (await line.say(content + b"\r\n.\r\n")).startswith("250")
    assert len(sink.events) == 4


async def test_ten_thousand_recipients_are_too_many(box: EmailChannel, sink: MemorySink) -> None:
    async with wire(box) as line:
        await line.introduced()
        await line.say("MAIL FROM:<ivan@client.example>")
        await line.send(b"RCPT TO:<sales@example.org>\r\n" * 10_000)
        codes = [(await line.reply())[:3] for _ in range(10_000)]
        assert codes == ["250"] * 100 + ["452"] * 9_900
        await line.say("DATA")
        assert (await line.say(mail() + b".\r\n")).startswith("250")
    assert len(sink.events) == 1


async def test_whoever_tries_out_names_is_sent_away(box: EmailChannel) -> None:
    async with wire(box) as line:
        await line.introduced()
        await line.say("MAIL FROM:<ivan@client.example>")
        replies = [await line.say(f"RCPT TO:<name{number}@example.org>") for number in range(51)]
        assert {reply[:3] for reply in replies[:50]} == {"550"}
        assert replies[50].startswith("421")
        assert await line.reply() == ""


async def test_what_is_announced_or_sent_too_large_is_refused(sink: MemorySink) -> None:
    small = EmailConfig("sales", "sales@example.org", listen=FREE, max_size=10_000)
    channel = EmailChannel(small, ChannelWorld(DrivenClock()).context(), Listener(FREE))
    await channel.start(sink)
    async with wire(channel) as line:
        await line.introduced()
        assert (await line.say("MAIL FROM:<a@client.example> SIZE=99999999")).startswith("552")
        await line.say("MAIL FROM:<a@client.example>")
        await line.say("RCPT TO:<sales@example.org>")
        await line.say("DATA")
        assert (await line.say(mail() + b"x" * 70 + b"\r\n" + b"y" * 20_000 + b"\r\n.\r\n")).startswith("552")
        assert (await line.say("NOOP")).startswith("250")
    await channel.stop()
    assert sink.events == []


@pytest.mark.parametrize("place", ["greeting", "command", "content"])
async def test_the_slow_are_not_waited_for(sink: MemorySink, place: str) -> None:
    listener = Listener(FREE, idle_s=60, session_s=0.3)
    channel = EmailChannel(CONFIG, ChannelWorld(DrivenClock()).context(), listener)
    await channel.start(sink)
    async with wire(channel) as line:
        if place != "greeting":
            await line.introduced()
        if place == "content":
            await line.say("MAIL FROM:<a@client.example>")
            await line.say("RCPT TO:<sales@example.org>")
            await line.say("DATA")
            await line.send(b"From: ")
        async with asyncio.timeout(PATIENCE_S):
            rest = await line.reader.read()
        assert rest.split(b"\r\n")[-2].startswith(b"421")
    await channel.stop()
    assert sink.events == []


async def test_a_house_that_is_full_says_so(sink: MemorySink) -> None:
    channel = EmailChannel(CONFIG, ChannelWorld(DrivenClock()).context(), Listener(FREE, max_connections=2))
    await channel.start(sink)
    async with wire(channel) as one, wire(channel) as two, wire(channel) as three:
        await one.introduced()
        await two.introduced()
        assert (await three.reply()).startswith("421")
        await one.say("QUIT")
    async with client(channel) as smtp:
        await smtp.sendmail("a@client.example", ["sales@example.org"], mail())
    await channel.stop()
    assert len(sink.events) == 1


async def test_a_mail_to_an_address_that_names_a_thread_is_the_mailboxs(sink: MemorySink) -> None:

    config = replace(CONFIG, token_key=b"key")
    channel = EmailChannel(config, ChannelWorld(DrivenClock()).context(), Listener(FREE))
    await channel.start(sink)
    async with wire(channel) as line:
        await line.introduced()
        await line.say("MAIL FROM:<a@client.example>")
        assert (await line.say(f"RCPT TO:<{reply_address(config, 7)}>")).startswith("250")
        assert (await line.say("RCPT TO:<sales+other@example.org>")).startswith("550")
        await line.say("DATA")
        assert (await line.say(mail() + b".\r\n")).startswith("250")
    await channel.stop()
    assert len(sink.events) == 1


def test_the_loop_of_production_hangs_up_as_well() -> None:
    async def go() -> tuple[str, bytes]:
        listener = Listener(FREE, session_s=0.3, max_connections=1)
        channel = EmailChannel(CONFIG, ChannelWorld(DrivenClock()).context(), listener)
        await channel.start(MemorySink())
        async with wire(channel) as slow:
            await slow.introduced()
            async with wire(channel) as second:
                refused = await second.reply()
            async with asyncio.timeout(PATIENCE_S):
                rest = await slow.reader.read()
        await channel.stop()
        return refused, rest

    refused, rest = uvloop.run(go())
    assert refused.startswith("421 4.3.2 Too many")
    assert rest.startswith(b"421")
