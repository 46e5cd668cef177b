"""Mail in by IMAP from a real Dovecot: what came meanwhile, what comes, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.email import EmailChannel
from channels.email.imap_tools import Pace
from crm_core.errors import IntakeUnavailable
from crm_core.messages import ChannelKey, MessageReceived, Unparsable
from crm_core.ports import ChannelState
from tests.fakes.channel_world import ChannelWorld, MemoryCursors, MemoryLease
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink
from tests.integration.email.imap import PACE, fetching, server_of
from tests.integration.email.smtp import mail
from tests.patience import PATIENCE_S
from tests.peers.mail import DovecotServer


@pytest.fixture
def world() -> ChannelWorld:
    return ChannelWorld(DrivenClock(datetime.now(UTC)))


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


def subjects(sink: MemorySink) -> list[str]:
    return [event.payload.subject for event in sink.events if isinstance(event.payload, MessageReceived)]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - as the servers of others make no events
            await asyncio.sleep(0.02)


async def is_in(box: EmailChannel, state: ChannelState) -> None:
    await until(lambda: box.health.state is state)


async def test_what_lay_there_comes_first_and_what_comes_is_told_at_once(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    for number in range(3):
        dovecot.deliver(mail(f"old {number}", mid=f"old{number}"))
    async with fetching(world, server_of(dovecot), sink) as box:
        await until(lambda: len(sink.events) >= 3)
        await is_in(box, ChannelState.CONNECTED)
        dovecot.deliver(mail("new", mid="new"))
        await until(lambda: len(sink.events) >= 4)
        assert sorted(subjects(sink)[:3]) == ["old 0", "old 1", "old 2"]
        assert subjects(sink)[3] == "new"
        assert (sink.events[3].key, sink.events[3].conversation) == (
            ChannelKey("email", "sales"),
            "ivan@client.example",
        )
        assert box.measurements() == {"imap_mails": 4.0}
    assert all(name.endswith(":2,") or ":" not in name for name in dovecot.flags()), "a flag was set"


async def test_after_an_outage_only_what_is_new_is_fetched(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    dovecot.deliver(mail("one", mid="1"))
    async with fetching(world, server_of(dovecot), sink):
        await until(lambda: len(sink.events) >= 1)
        await until(lambda: len(world.cursors.history) > 1)
    for number in (2, 3):
        dovecot.deliver(mail(f"while away {number}", mid=f"{number}"))
    async with fetching(world, server_of(dovecot), sink):
        await until(lambda: len(sink.events) >= 3)
    assert len(sink.batches) == 2
    assert sorted(subjects(sink)) == ["one", "while away 2", "while away 3"]


async def test_a_new_mailbox_brings_new_mails_alone(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    dovecot.deliver(mail("old", mid="old"))
    async with fetching(world, server_of(dovecot), sink, imap_since=timedelta(0)) as box:
        await is_in(box, ChannelState.CONNECTED)
        dovecot.deliver(mail("new", mid="new"))
        await until(lambda: len(sink.events) >= 1)
    assert subjects(sink) == ["new"]


async def test_uids_given_anew_bring_nothing_twice_and_lose_nothing(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    for number in range(3):
        dovecot.deliver(mail(f"old {number}", mid=f"old{number}"))
    async with fetching(world, server_of(dovecot), sink):
        await until(lambda: len(sink.events) >= 3)
    dovecot.stop()
    dovecot.rebuild()
    dovecot.deliver(mail("meanwhile", mid="meanwhile"))
    dovecot.start()
    async with fetching(world, server_of(dovecot), sink):
        await until(lambda: len(sink.events) >= 4)
    assert sum(len(batch) for batch in sink.batches) == 7, "the whole folder was read again"
    assert sorted(subjects(sink)) == ["meanwhile", "old 0", "old 1", "old 2"]


async def test_a_hub_that_dies_between_commit_and_place_fetches_again_and_keeps_one(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    class Forgetful(MemoryCursors):
        async def save(self, key: ChannelKey, name: str, value: str) -> None:
            if self.history:
                raise RuntimeError("killed")
            await super().save(key, name, value)

    dovecot.deliver(mail("one", mid="1"))
    world.cursors = Forgetful()
    async with fetching(world, server_of(dovecot), sink) as box:
        await until(lambda: len(sink.events) >= 1)
        await until(lambda: len(sink.batches) > 1)
        assert box.health.state is not ChannelState.STOPPED
    survived = MemoryCursors()
    survived.saved = world.cursors.saved
    world.cursors = survived
    async with fetching(world, server_of(dovecot), sink):
        await until(lambda: bool(survived.history))
    assert subjects(sink) == ["one"]


async def test_while_the_database_is_away_mails_wait_in_the_mailbox(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    sink.fail_next(*[IntakeUnavailable()] * 3)
    dovecot.deliver(mail("patient", mid="1"))
    async with fetching(world, server_of(dovecot), sink) as box:
        await until(lambda: len(sink.events) >= 1)
        assert sink.refused == 3
        await is_in(box, ChannelState.CONNECTED)


@pytest.mark.parametrize("way", ["kill", "freeze"])
async def test_a_server_that_dies_or_freezes_is_found_again(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer, way: str
) -> None:
    pace = Pace(timeout_s=6, idle_s=0.5, poll_s=0.2, refused_s=0.1)
    dovecot.deliver(mail("before", mid="1"))
    async with fetching(world, server_of(dovecot), sink, pace) as box:
        await until(lambda: len(sink.events) >= 1)
        await is_in(box, ChannelState.CONNECTED)
        if way == "kill":
            dovecot.kill()
        else:
            dovecot.freeze()
        await is_in(box, ChannelState.RECONNECTING)
        dovecot.deliver(mail("during", mid="2"))
        if way == "kill":
            dovecot.start()
        else:
            dovecot.thaw()
        await until(lambda: len(sink.events) >= 2)
        await is_in(box, ChannelState.CONNECTED)
    assert subjects(sink) == ["before", "during"]


async def test_a_frozen_server_does_not_hold_up_the_end(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    async with fetching(world, server_of(dovecot), sink, Pace(timeout_s=PATIENCE_S, idle_s=PATIENCE_S)) as box:
        await is_in(box, ChannelState.CONNECTED)
        dovecot.freeze()
        async with asyncio.timeout(PATIENCE_S / 3):
            await box.stop()


async def test_a_wrong_password_says_what_to_do(world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer) -> None:
    wrong = replace(server_of(dovecot), password="wrong")
    async with fetching(world, wrong, sink) as box:
        await is_in(box, ChannelState.BAD_CREDENTIALS)
        assert "percent-encoded" in box.health.detail
        assert "wrong" not in box.health.detail
        with pytest.raises(Exception, match="refuses the login"):
            await box.check()


async def test_a_folder_that_is_not_there_is_told_with_those_that_are(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    dovecot.deliver(mail("x", mid="x"))
    async with fetching(world, replace(server_of(dovecot), folder="Продажи"), sink) as box:
        await is_in(box, ChannelState.RECONNECTING)
        assert "«Продажи»" in box.health.detail
        assert "INBOX" in box.health.detail
    dovecot.deliver(mail("there", mid="there"), folder="&BB8EQAQ+BDQEMAQ2BDg-")
    async with fetching(world, replace(server_of(dovecot), folder="Продажи"), sink) as box:
        await until(lambda: len(sink.events) >= 1)
        assert subjects(sink) == ["there"]


async def test_of_two_nodes_one_fetches_and_the_other_takes_over(
    sink: MemorySink, dovecot: DovecotServer, world: ChannelWorld
) -> None:
    second = ChannelWorld(world.clock, world.cursors, MemoryLease(free=False))
    dovecot.deliver(mail("one", mid="1"))
    async with fetching(world, server_of(dovecot), sink) as one, fetching(second, server_of(dovecot), sink) as other:
        await until(lambda: len(sink.events) >= 1)
        await is_in(one, ChannelState.CONNECTED)
        assert other.health.state is ChannelState.CONNECTING
        assert "another node" in other.health.detail
        world.lease.take()
        second.lease.give()
        await is_in(other, ChannelState.CONNECTED)
        await is_in(one, ChannelState.CONNECTING)
        dovecot.deliver(mail("two", mid="2"))
        await until(lambda: len(sink.events) >= 2)
    assert len(sink.batches) == 2
    assert subjects(sink) == ["one", "two"]


async def test_a_mail_that_can_not_be_read_holds_up_no_other_and_stays_visible(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    keys = [dovecot.deliver(mail(name, mid=name)) for name in ("before", "poison", "after")]
    dovecot.spoil(keys[1])
    async with fetching(world, server_of(dovecot), sink):
        await until(lambda: len(sink.events) >= 3)
    kinds = {type(event.payload) for event in sink.events}
    assert kinds == {MessageReceived, Unparsable}
    assert sorted(subjects(sink)) == ["after", "before"]


async def test_a_mail_over_the_limit_is_told_of_with_its_header(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer
) -> None:
    dovecot.deliver(mail("large", mid="large", body="x" * 70 + "\r\n" + "y" * 200_000))
    dovecot.deliver(mail("small", mid="small"))
    async with fetching(world, server_of(dovecot), sink, max_size=100_000) as box:
        await until(lambda: len(sink.events) >= 2)
        large = next(event for event in sink.events if isinstance(event.payload, Unparsable))
        assert isinstance(large.payload, Unparsable)
        assert "max_size" in large.payload.error
        assert b"Subject: large" in large.raw
        assert len(large.raw) < 2000
        assert box.reparse(large.external_id, large.raw, large.occurred_at) == large
    assert subjects(sink) == ["small"]


async def test_a_server_without_idle_is_asked_again_and_again(world: ChannelWorld, sink: MemorySink) -> None:
    with DovecotServer(capability="IMAP4rev1 LITERAL+ STARTTLS AUTH=PLAIN") as server:
        async with fetching(world, server_of(server), sink, PACE) as box:
            await is_in(box, ChannelState.CONNECTED)
            server.deliver(mail("one", mid="1"))
            await until(lambda: len(sink.events) >= 1)
            assert "no IDLE" in await box.check()


async def test_the_line_is_secured_and_the_certificate_counts(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = replace(server_of(dovecot), host="127.0.0.2")  # not this machine's name, so that it has to prove itself
    for server in (far, replace(far, port=dovecot.tls_port, tls=True)):
        async with fetching(world, server, sink) as box:
            await is_in(box, ChannelState.RECONNECTING)
            assert "certificate" in box.health.detail
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certified.certificate))
    for server in (far, replace(far, port=dovecot.tls_port, tls=True), server_of(dovecot)):
        async with fetching(world, server, sink) as box:
            await is_in(box, ChannelState.CONNECTED)
            assert ", TLS, " in await box.check()


@pytest.mark.parametrize("way", ["kill", "freeze"])
async def test_a_server_that_goes_away_in_the_middle_of_many_mails_loses_and_doubles_none(
    world: ChannelWorld, sink: MemorySink, dovecot: DovecotServer, way: str
) -> None:
    dovecot.fill(mail(f"{number}", mid=f"{number}", body="x" * 20_000) for number in range(250))
    sink.gate = asyncio.Event()
    async with fetching(world, server_of(dovecot), sink, Pace(timeout_s=6, idle_s=5)) as box:
        await asyncio.wait_for(sink.committing.wait(), PATIENCE_S)
        if way == "kill":
            dovecot.kill()
        else:
            dovecot.freeze()
        sink.gate.set()
        await is_in(box, ChannelState.RECONNECTING)
        if way == "kill":
            dovecot.start()
        else:
            dovecot.thaw()
        await until(lambda: len(sink.events) == 250)
        await is_in(box, ChannelState.CONNECTED)
    assert sorted(subjects(sink), key=int) == [f"{number}" for number in range(250)]
