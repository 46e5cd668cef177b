"""Mail in over real sockets: a 250 is a promise, anything else leaves the mail with its sender."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiosmtplib
import pytest

from channels.email import EmailChannel, EmailConfig, Listen, create_all
from channels.email.connector import EmailChannel as Channel
from channels.email.listener import Listener
from crm_core.errors import IntakeFull, IntakeUnavailable
from crm_core.messages import MessageReceived, Unparsable
from crm_core.ports import ChannelState
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink
from tests.integration.email.smtp import client, mail, state
from tests.patience import PATIENCE_S

FREE = Listen("127.0.0.1", 0)
SALES = EmailConfig("sales", "sales@example.org", listen=FREE)
HELP = EmailConfig("help", "Help@Example.org", listen=FREE, max_size=2000)


@pytest.fixture
def world() -> ChannelWorld:
    return ChannelWorld(DrivenClock())


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
async def mailboxes(world: ChannelWorld, sink: MemorySink) -> AsyncIterator[tuple[EmailChannel, EmailChannel]]:
    sales, support = create_all([SALES, HELP], world.context())
    await sales.start(sink)
    await support.start(sink)
    yield sales, support
    await sales.stop()
    await support.stop()


async def test_a_mail_is_answered_250_after_its_commit_and_not_before(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink
) -> None:
    sales, _ = mailboxes
    assert state(sales) is ChannelState.CONNECTED
    sink.gate = asyncio.Event()
    async with client(sales) as smtp:
        sending = asyncio.create_task(smtp.sendmail("ivan@client.example", ["sales@example.org"], mail()))
        await asyncio.wait_for(sink.committing.wait(), PATIENCE_S)
        assert not sending.done()
        assert sink.events == []
        sink.gate.set()
        await sending
    (event,) = sink.events
    assert event.raw == mail()
    assert event.conversation == "ivan@client.example"
    assert isinstance(event.payload, MessageReceived)
    assert event.payload.subject == "Price"


async def test_recipients_decide_whose_a_mail_is(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink
) -> None:
    sales, support = mailboxes
    assert sales.listening == support.listening
    async with client(sales) as smtp:
        await smtp.sendmail("a@client.example", ["SALES@example.org", "help@example.org"], mail(mid="both"))
        await smtp.sendmail("a@client.example", ["help@example.org"], mail(mid="one"))
        assert sorted(str(event.key) for event in sink.events) == ["email:help", "email:help", "email:sales"]
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await smtp.sendmail("a@client.example", ["nobody@example.org"], mail())
        assert refused.value.recipients[0].code == 550
    assert len(sink.events) == 3


async def test_a_repeat_changes_nothing(mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink) -> None:
    async with client(mailboxes[0]) as smtp:
        for _ in range(3):
            await smtp.sendmail("a@client.example", ["sales@example.org"], mail())
    assert len(sink.events) == 1


@pytest.mark.parametrize("failure", [IntakeFull(), IntakeUnavailable(), RuntimeError("unforeseen"), KeyError("x")])
async def test_what_is_not_committed_stays_with_its_sender(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink, failure: Exception
) -> None:
    async with client(mailboxes[0]) as smtp:
        sink.fail_next(failure)
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await smtp.sendmail("a@client.example", ["sales@example.org"], mail())
        assert refused.value.code == 451
        assert sink.events == []
        await smtp.sendmail("a@client.example", ["sales@example.org"], mail())
    assert len(sink.events) == 1


async def test_half_a_commit_is_made_whole_by_the_retry(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink
) -> None:
    both = ["sales@example.org", "help@example.org"]
    first = True

    def once_sales_is_in() -> bool:
        return len(sink.events) == 1

    async with client(mailboxes[0]) as smtp:
        commit = sink.receive_many

        async def failing_second(events: object) -> object:
            nonlocal first
            if once_sales_is_in() and first:
                first = False
                raise IntakeUnavailable
            return await commit(events)  # type: ignore[arg-type] # passed on as it came

        sink.receive_many = failing_second  # type: ignore[method-assign, assignment] # a fault in the middle
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await smtp.sendmail("a@client.example", both, mail())
        assert refused.value.code == 451
        await smtp.sendmail("a@client.example", both, mail())
    assert sorted(event.key.account for event in sink.events) == ["help", "sales"]


async def test_files_lie_in_the_store_before_the_fact(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink, world: ChannelWorld
) -> None:
    body = '--b\r\n\r\nhi\r\n--b\r\nContent-Disposition: attachment; filename="a.bin"\r\n\r\nABC\r\n--b--'
    raw = mail(body=body).replace(b"\r\n\r\n", b'\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n', 1)
    async with client(mailboxes[0]) as smtp:
        await smtp.sendmail("a@client.example", ["sales@example.org"], raw)
    payload = sink.events[0].payload
    assert isinstance(payload, MessageReceived)
    (file,) = payload.attachments
    assert file.stored is not None
    assert await world.files.read(file.stored.sha256) == b"ABC"


async def test_a_mailbox_takes_no_more_than_its_size(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink
) -> None:
    large = mail(body="x" * 3000)
    async with client(mailboxes[0]) as smtp:
        await smtp.ehlo()
        assert smtp.esmtp_extensions["size"] == str(SALES.max_size)
        await smtp.mail("a@client.example", options=["SIZE=3100"])
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as announced:
            await smtp.rcpt("help@example.org")
        assert announced.value.code == 552
        await smtp.rset()
        await smtp.mail("a@client.example")
        await smtp.rcpt("help@example.org")
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await smtp.data(large)
        assert refused.value.code == 552
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as far_too_large:
            await smtp.mail("a@client.example", options=[f"SIZE={SALES.max_size + 1}"])
        assert far_too_large.value.code == 552
        await smtp.sendmail("a@client.example", ["sales@example.org"], large)
    assert [event.key.account for event in sink.events] == ["sales"]


async def test_what_is_not_understood_is_kept_and_answered_250(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink
) -> None:
    async with client(mailboxes[0]) as smtp:
        await smtp.ehlo()
        await smtp.execute_command(b"MAIL", b"FROM:<>")
        await smtp.rcpt("sales@example.org")
        await smtp.data(b"Subject: no sender\r\n\r\nhi")
    (event,) = sink.events
    assert isinstance(event.payload, Unparsable)
    assert event.raw.endswith(b"Subject: no sender\r\n\r\nhi\r\n")


async def test_long_lines_and_eight_bits_and_bare_line_feeds_are_taken(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink
) -> None:
    body = ("Длинная строка " * 20_000).encode() + b"\nbare\n.\nstill the same mail"
    reader, writer = await asyncio.open_connection(*mailboxes[0].listening or ("", 0))
    writer.write(
        "EHLO c\r\nMAIL FROM:<иван@b.example> SMTPUTF8 BODY=8BITMIME\r\n".encode()
        + b"RCPT TO:<sales@example.org>\r\nDATA\r\nFrom: a@b.example\r\n\r\n"
        + body
        + b"\r\n.\r\nQUIT\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    assert b"250 2.0.0 OK" in answer
    (event,) = sink.events
    assert event.raw == b"From: a@b.example\r\n\r\n" + body + b"\r\n"


async def test_a_mailbox_that_is_not_started_asks_to_try_again(world: ChannelWorld, sink: MemorySink) -> None:
    sales, support = create_all([SALES, HELP], world.context())
    await sales.start(sink)
    async with client(sales) as smtp:
        await smtp.mail("a@client.example")
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as early:
            await smtp.rcpt("help@example.org")
        await support.start(sink)
        await smtp.rcpt("help@example.org")
        await support.stop()
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as late:
            await smtp.rcpt("help@example.org")
        assert early.value.code == late.value.code == 451
    await sales.stop()
    assert sales.listening is None
    assert state(sales) is ChannelState.STOPPED


async def test_stopping_lets_a_commit_end(world: ChannelWorld, sink: MemorySink) -> None:
    (sales,) = create_all([SALES], world.context())
    await sales.start(sink)
    sink.gate = asyncio.Event()
    async with client(sales) as smtp:
        sending = asyncio.create_task(smtp.sendmail("a@client.example", ["sales@example.org"], mail()))
        await asyncio.wait_for(sink.committing.wait(), PATIENCE_S)
        stopping = asyncio.create_task(sales.stop())
        await asyncio.sleep(0)
        assert not stopping.done()
        sink.gate.set()
        await sending
        await stopping
    assert len(sink.events) == 1


async def test_a_client_too_many_is_told_to_come_back(world: ChannelWorld, sink: MemorySink) -> None:
    listener = Listener(FREE, max_connections=1)
    sales = Channel(SALES, world.context(), listener)
    await sales.start(sink)
    async with client(sales):
        with pytest.raises(aiosmtplib.SMTPException):
            async with client(sales):
                pass
    await sales.stop()


async def test_who_says_nothing_is_hung_up_on(world: ChannelWorld, sink: MemorySink) -> None:
    sales = Channel(SALES, world.context(), Listener(FREE, idle_s=0.05))
    await sales.start(sink)
    reader, writer = await asyncio.open_connection(*sales.listening or ("", 0))
    assert (await asyncio.wait_for(reader.read(), PATIENCE_S)).startswith(b"220 example.org hub")
    writer.close()
    await sales.stop()


async def _write_on(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def test_a_line_without_end_is_cut_off(world: ChannelWorld, sink: MemorySink) -> None:
    config = EmailConfig("small", "sales@example.org", listen=FREE, max_size=1000)
    (sales,) = create_all([config], world.context())
    await sales.start(sink)
    _reader, writer = await asyncio.open_connection(*sales.listening or ("", 0))
    writer.write(b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<sales@example.org>\r\nDATA\r\n")
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectionError):
            await _write_on(writer)
    writer.close()
    await sales.stop()
    assert sink.events == []


async def test_a_place_that_is_taken_is_told_and_tried_again(world: ChannelWorld, sink: MemorySink) -> None:
    holder = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = holder.sockets[0].getsockname()[1]
    asleep, wake = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await wake.wait()

    config = EmailConfig("sales", "sales@example.org", listen=Listen("127.0.0.1", port))
    opened = asyncio.Event()

    async def deliver(_sender: str, _content: bytes) -> None:
        raise AssertionError("nobody sends")

    listener = Listener(Listen("127.0.0.1", port), sleep=sleep)
    sales = Channel(config, world.context(), listener)
    other = EmailConfig("other", "other@example.org")
    listener.register(other)
    await listener.join(other, deliver, lambda trouble: None if trouble else opened.set())
    await sales.start(sink)
    assert state(sales) is ChannelState.RECONNECTING
    assert str(port) in sales.health.detail
    await asyncio.wait_for(asleep.wait(), PATIENCE_S)
    holder.close()
    await holder.wait_closed()
    wake.set()
    await asyncio.wait_for(opened.wait(), PATIENCE_S)
    assert sales.listening == ("127.0.0.1", port)
    assert state(sales) is ChannelState.CONNECTED
    await sales.stop()
    await listener.leave(other)


async def test_a_raw_mail_read_again_is_the_same_fact(
    mailboxes: tuple[EmailChannel, EmailChannel], sink: MemorySink
) -> None:
    async with client(mailboxes[0]) as smtp:
        await smtp.sendmail("a@client.example", ["sales@example.org"], mail())
    (event,) = sink.events
    assert mailboxes[0].reparse(event.external_id, event.raw, event.occurred_at) == event
