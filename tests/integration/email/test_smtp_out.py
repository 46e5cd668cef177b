"""Mail out to a real server: one id on every try, and every refusal in its right kind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from channels.email import EmailChannel, EmailConfig, MailServer, create
from crm_core.errors import ChannelAuthError, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import OutboundFile, OutboundMessage, StoredFile
from crm_core.ports import ChannelState
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink
from tests.integration.email.smtp import Relay, state
from tests.patience import PATIENCE_S

KEY = EmailConfig("sales", "sales@example.org").key
MESSAGE = OutboundMessage(
    KEY,
    "ivan@client.example",
    "Добрый день!\nЦена — 100 ₽.",
    "message:7",
    subject="Re: Цена",
    reply_to="<1@client.example>",
)


@pytest.fixture
def world() -> ChannelWorld:
    return ChannelWorld(DrivenClock())


def mailbox(world: ChannelWorld, port: int, **login: str) -> EmailChannel:
    server = MailServer("127.0.0.1", port, user=login.get("user", ""), password=login.get("password", ""))
    return create(EmailConfig("sales", "sales@example.org", smtp=server), world.context())


def received(relay: Relay, number: int = 0) -> EmailMessage:
    content = relay.mails[number].original_content
    assert content is not None
    return message_from_bytes(content, policy=policy.default)


async def test_a_message_arrives_as_an_answer_in_its_thread(world: ChannelWorld) -> None:
    stored = await world.files.put_bytes(b"%PDF")
    files = (OutboundFile("Смета ../1.pdf", "application/pdf", stored),)
    async with Relay().serve() as relay:
        receipt = await mailbox(world, relay.port).send(replace(MESSAGE, files=files))
    mail = received(relay)
    assert relay.mails[0].mail_from == "sales@example.org"
    assert relay.mails[0].rcpt_tos == ["ivan@client.example"]
    assert mail["Subject"] == "Re: Цена"
    assert mail["In-Reply-To"] == mail["References"] == "<1@client.example>"
    assert receipt.refs == (mail["Message-ID"],)
    body = mail.get_body()
    assert body is not None
    assert body.get_content().splitlines() == ["Добрый день!", "Цена — 100 ₽."]
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("1.pdf", b"%PDF")


async def test_every_try_bears_the_same_id_and_other_messages_another(world: ChannelWorld) -> None:
    async with Relay().serve() as relay:
        box = mailbox(world, relay.port)
        first = await box.send(MESSAGE)
        again = await box.send(replace(MESSAGE, attempt=2))
        other = await box.send(replace(MESSAGE, idempotency_key="message:8"))
    assert first == again != other


async def test_no_text_adds_a_header_or_a_recipient(world: ChannelWorld) -> None:
    evil = replace(
        MESSAGE, subject="x\r\nBcc: all@client.example", reply_to="<a>\r\nBcc: b@c.example", text="a\r\n.\r\nMAIL"
    )
    async with Relay().serve() as relay:
        box = mailbox(world, relay.port)
        await box.send(evil)
        with pytest.raises(PermanentDeliveryError):
            await box.send(replace(MESSAGE, conversation="a@b.example>\r\nRCPT TO:<c@d.example"))
    mail = received(relay)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "x Bcc: all@client.example"
    assert relay.mails[0].rcpt_tos == ["ivan@client.example"]
    body = mail.get_body()
    assert body is not None
    assert body.get_content().splitlines() == ["a", ".", "MAIL"]


@pytest.mark.parametrize(
    ("rcpt", "data", "kind"),
    [
        ("550 5.1.1 no such user", "", PermanentDeliveryError),
        ("", "554 5.7.1 spam", PermanentDeliveryError),
        ("450 4.2.0 greylisted", "", TransientDeliveryError),
        ("", "452 4.3.1 disk full", TransientDeliveryError),
        ("530 5.7.0 authenticate first", "", ChannelAuthError),
    ],
)
async def test_a_refusal_is_told_in_the_servers_words(
    world: ChannelWorld, rcpt: str, data: str, kind: type[Exception]
) -> None:
    relay = Relay()
    relay.rcpt_reply, relay.data_reply = rcpt, data
    async with relay.serve():
        with pytest.raises(kind, match=(rcpt or data).split(" ", 2)[2]) as refused:
            await mailbox(world, relay.port).send(MESSAGE)
    assert not getattr(refused.value, "uncertain", False)


async def test_a_break_after_the_content_leaves_it_uncertain(world: ChannelWorld) -> None:
    relay = Relay()
    relay.break_at_data = True
    async with relay.serve():
        with pytest.raises(TransientDeliveryError) as broken:
            await mailbox(world, relay.port).send(MESSAGE)
    assert broken.value.uncertain
    assert len(relay.mails) == 1


async def test_a_server_that_is_not_there_is_tried_later(world: ChannelWorld) -> None:
    async with Relay().serve() as relay:
        port = relay.port
    with pytest.raises(TransientDeliveryError) as gone:
        await mailbox(world, port).send(MESSAGE)
    assert not gone.value.uncertain


async def test_a_wrong_password_is_the_accounts_trouble(world: ChannelWorld) -> None:
    async with Relay(login=("sales", "right")).serve() as relay:
        box = mailbox(world, relay.port, user="sales", password="wrong")
        with pytest.raises(ChannelAuthError) as refused:
            await box.send(MESSAGE)
        assert "wrong" not in str(refused.value)
        assert state(box) is ChannelState.BAD_CREDENTIALS
        with pytest.raises(ChannelAuthError):
            await box.check()
        good = mailbox(world, relay.port, user="sales", password="right")
        await good.send(MESSAGE)
        assert state(good) is ChannelState.CONNECTED
        assert "login sales" in await good.check()


async def test_a_server_without_login_is_told_as_such(world: ChannelWorld) -> None:
    async with Relay().serve() as relay:
        box = mailbox(world, relay.port, user="sales", password="x")
        with pytest.raises(ChannelAuthError):
            await box.send(MESSAGE)


async def test_starting_finds_out_how_the_way_out_stands(world: ChannelWorld) -> None:
    tried, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        tried.set()
        await go_on.wait()

    async with Relay(login=("sales", "right")).serve() as relay:
        server = MailServer("127.0.0.1", relay.port, user="sales", password="wrong")
        config = EmailConfig("sales", "sales@example.org", smtp=server)
        box = EmailChannel(config, world.context(), None, sleep=sleep)
        await box.start(MemorySink())
        await asyncio.wait_for(tried.wait(), PATIENCE_S)
        assert state(box) is ChannelState.BAD_CREDENTIALS
        await box.stop()
    assert state(box) is ChannelState.STOPPED


async def test_what_can_not_be_sent_says_so(world: ChannelWorld) -> None:
    box = create(EmailConfig("in", "in@example.org"), world.context())
    with pytest.raises(PermanentDeliveryError, match="smtp"):
        await box.send(MESSAGE)
    async with Relay().serve() as relay:
        lost = (OutboundFile("a.txt", "text/plain", StoredFile("0" * 64, 3)),)
        with pytest.raises(PermanentDeliveryError, match=r"a\.txt"):
            await mailbox(world, relay.port).send(replace(MESSAGE, files=lost))
