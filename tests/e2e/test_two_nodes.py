"""Two hubs on one PBX and one PostgreSQL: one dies or freezes in the middle of calls, the other goes on with them."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.pbx.ami import AmiAddress
from channels.pbx.config import PbxConfig
from channels.pbx.snippet import Part, snippet
from crm_core.model.user import Role
from crm_core.storage.users import NewUser
from hub.demo.peers.asterisk import AsteriskRunner, AsteriskTree
from hub.demo.peers.office import Office, People
from hub.demo.peers.process import free_port
from hub.demo.peers.sipp import SippRunner
from tests.e2e.hub_process import HubProcess, staffed
from tests.patience import PATIENCE_S
from tests.peers.postgres import PostgresServer

LINE = "+74951234567"
# a lease runs out after 10 s; the rest is for the link, and for a machine with other things to do
# whatever a frozen node has locked is free after 30 s at the latest
TALKING, RINGING, UNHEARD, LATER, BEFORE = (f"7916000000{number}" for number in range(1, 6))
# Both sides hang up then: where several rang, Asterisk tells the caller anew whom they talk with, and SIPp gives up on
# that.
HOLD_MS = 25_000
_CONFIG = """
[[pbx]]
name = "office"
ami = "ami://hub:s3cret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
cdr = "{cdr}"
fallback = "PJSIP/103"
wrap = "0s"
[[line]]
number = "{line}"
pbx = "office"
group = "sales"
[routing]
short_abandon = "0s"
deadline_ms = 5000
ring_s = 60
fallback = ["group"]
"""


@dataclass
class TwoNodes:
    """An office with two hubs: `first` owns the link, `second` waits for it."""

    people: People
    first: HubProcess
    second: HubProcess
    postgres: PostgresServer
    database: str

    def rows(self, statement: str) -> list[list[str]]:
        """What a query finds."""
        return [line.split("|") for line in self.postgres.sql(statement, self.database).splitlines()]

    def calls(self) -> dict[str, list[str]]:
        """The states of all calls of each number."""
        found: dict[str, list[str]] = {}
        for number, state in self.rows("SELECT number, state FROM call ORDER BY id"):
            found.setdefault(number.lstrip("+"), []).append(state)
        return found

    async def seen(self, true: Callable[[dict[str, list[str]]], bool], within_s: float = PATIENCE_S) -> None:
        """Wait until something holds of the calls."""
        try:
            async with asyncio.timeout(within_s):
                while not true(await asyncio.to_thread(self.calls)):  # noqa: ASYNC110 — the database is asked
                    await asyncio.sleep(0.2)
        except TimeoutError:
            pytest.fail(f"calls: {self.calls()}\n{self.first.log()[-2000:]}\n{self.second.log()[-4000:]}")

    def once(self) -> None:
        """Every call is there once: as a call, and on the timeline of its client."""
        assert all(len(states) == 1 for states in self.calls().values()), self.calls()
        entries = self.rows("SELECT contact_id, count(*) FROM timeline WHERE kind = 'call' GROUP BY contact_id")
        assert Counter(count for _, count in entries) == {"1": len(self.calls())}

    def cases(self) -> set[str]:
        """The numbers of clients with an open case."""
        found = self.rows(
            "SELECT i.key FROM contact_case c JOIN identity i ON i.contact_id = c.contact_id WHERE c.state <> 'closed'"
        )
        assert len(found) == len({key for (key,) in found})
        return {key.removeprefix("tel:+") for (key,) in found}


async def linked(hub: HubProcess, within_s: float = PATIENCE_S) -> None:
    """Wait until a hub owns the link to the PBX."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(within_s):
        while True:
            if (await pbx_part(session, hub)).get("state") == "connected":
                return
            await asyncio.sleep(0.1)


async def pbx_part(session: aiohttp.ClientSession, hub: HubProcess) -> dict[str, Any]:
    """What a hub says of its PBX."""
    async with session.get(f"{hub.url}/readyz") as response:
        parts: dict[str, dict[str, Any]] = (await response.json())["parts"]
    return parts["pbx:office"]


@pytest.fixture
async def nodes(
    asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner, postgres_server: PostgresServer, postgres_url: str
) -> AsyncIterator[TwoNodes]:
    office = Office.plan(short_dir)
    agi = free_port()
    ami = AmiAddress("127.0.0.1", office.ami_port, "hub", "s3cret")
    config = PbxConfig(office.name, ami, agi_port=agi, cdr=office.cdr, fallback="PJSIP/103", deadline_s=5.0)
    dialplan, manager, cdr = (snippet(config, part) for part in (Part.DIALPLAN, Part.MANAGER, Part.CDR))
    office.write(asterisk_tree, dialplan, manager, cdr)
    text = _CONFIG.format(ami=office.ami_port, agi=agi, cdr=office.cdr, line=LINE)
    hubs = []
    for name in ("first", "second"):
        (short_dir / name).mkdir()
        hubs.append(HubProcess(short_dir / name, postgres_url, text))
    first, second = hubs
    database = postgres_url.rpartition("/")[2]
    async with AsteriskRunner(asterisk_tree, office.run, office.etc):
        try:
            people = (("ivan", "101"), ("maria", "102"))
            await staffed(
                postgres_url,
                *(NewUser(login, login, Role.MANAGER, extension=number, group="sales") for login, number in people),
            )
            await first.start()
            await linked(first)
            await second.start()
            yield TwoNodes(People(office, sipp), first, second, postgres_server, database)
        finally:
            for hub in hubs:
                await hub.kill()


@pytest.mark.timeout(600)
async def test_the_owner_is_killed_in_the_middle_of_calls(nodes: TwoNodes) -> None:
    people = nodes.people
    for extension in ("101", "102"):
        await people.phone(extension, answer_ms=100, hold_ms=HOLD_MS)
    # whoever is patient is answered there too: on a machine with much to do, the dialplan may not wait for the hub
    await people.phone("103", answer_ms=6_000, hold_ms=HOLD_MS)
    await people.caller(BEFORE, LINE, hold_ms=200)
    await nodes.seen(lambda calls: calls.get(BEFORE) == ["answered"])

    talking = await people.caller(TALKING, LINE, hold_ms=HOLD_MS)
    await nodes.seen(lambda calls: calls.get(TALKING) == ["answered"])
    async with aiohttp.ClientSession() as session:
        assert (await pbx_part(session, nodes.second))["detail"].endswith("another node owns the link")
    await nodes.first.kill()
    # nobody is there to answer the PBX, or to hear of it: the dialplan rings the fallback by itself
    unheard = await people.impatient_caller(UNHEARD, LINE, patience_ms=1_500)
    ringing = await people.impatient_caller(RINGING, LINE, patience_ms=4_000)
    await unheard.wait(PATIENCE_S)
    await ringing.wait(PATIENCE_S)

    await linked(nodes.second)
    await people.caller(LATER, LINE, hold_ms=200)
    await nodes.seen(lambda calls: calls.keys() >= {UNHEARD, RINGING, LATER})
    await talking.wait(PATIENCE_S)
    # the successor may answer the PBX before a caller loses patience: then they were spoken to
    outcomes = {"abandoned", "missed", "answered"}
    await nodes.seen(
        lambda calls: all(
            [
                calls[TALKING] == ["answered"],
                calls[LATER] == ["answered"],
                set(calls[UNHEARD]) <= outcomes,
                set(calls[RINGING]) <= outcomes,
            ]
        )
    )
    await nodes.seen(
        lambda calls: nodes.cases() == {each for each in (UNHEARD, RINGING) if calls[each] != ["answered"]}
    )
    await nodes.seen(lambda _: nodes.rows("SELECT count(*) FROM call WHERE finished_at IS NULL") == [["0"]])
    nodes.once()


@pytest.mark.timeout(600)
async def test_an_owner_that_was_frozen_wakes_up_beside_its_successor(nodes: TwoNodes) -> None:
    people = nodes.people
    for extension in ("101", "102", "103"):
        await people.phone(extension, answer_ms=100, hold_ms=HOLD_MS)
    talking = await people.caller(TALKING, LINE, hold_ms=HOLD_MS)
    await nodes.seen(lambda calls: TALKING in calls)
    frozen = nodes.first.process
    assert frozen is not None
    frozen.send_signal(signal.SIGSTOP)
    # the frozen hub holds the address where calls are asked about: the dialplan does not wait for it
    during = await people.caller(UNHEARD, LINE, hold_ms=200)
    await during.wait(PATIENCE_S)
    await linked(nodes.second)
    await people.caller(LATER, LINE, hold_ms=200)
    await nodes.seen(lambda calls: calls.keys() >= {TALKING, UNHEARD, LATER})

    frozen.send_signal(signal.SIGCONT)  # it reads what its link has kept for it, and learns that it is not its any more
    await talking.wait(PATIENCE_S)
    await nodes.seen(lambda calls: set(calls) == {TALKING, UNHEARD, LATER})
    await nodes.seen(lambda _: nodes.rows("SELECT count(*) FROM call WHERE finished_at IS NULL") == [["0"]])
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE_S):
        while "another node" not in (await pbx_part(session, nodes.first))["detail"]:  # noqa: ASYNC110 — it is asked
            await asyncio.sleep(0.1)
        assert (await pbx_part(session, nodes.second))["state"] == "connected"
    assert set(map(tuple, nodes.calls().values())) == {("answered",)}
    assert nodes.cases() == set()
    nodes.once()
