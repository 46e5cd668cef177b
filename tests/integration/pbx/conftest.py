"""An office with a real Asterisk, callers and telephones, and a connector to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from channels.pbx.ami import AmiAddress, LinkTiming
from channels.pbx.config import PbxConfig
from channels.pbx.connector import PbxChannel, PbxTiming
from channels.pbx.snippet import Part, snippet
from crm_core.messages import CallChanged, CallRinging, InboundEvent, RouteDecision
from crm_core.model.call import CallSnapshot
from hub.demo.peers.asterisk import AsteriskRunner, AsteriskTree
from hub.demo.peers.office import Office, People
from hub.demo.peers.process import free_port
from hub.demo.peers.sipp import SippRunner
from tests.fakes.intake import MemoryIntake
from tests.fakes.pbx import PbxSurroundings, ScriptedRouter
from tests.integration.pbx.switchboard import DIALPLAN, Switchboard, furnish
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S

LINE = "+74951234567"
SILENT_LINE = "+7 (495) 123-45-68"
CLIENT = "79161234567"
FALLBACK = "103"
# A caller for whom the hub took too long is the fallback's, which few tests are about.
UNHURRIED_S = 30.0
# Nothing breaks the link here but a test that means to, however slow the machine.
CALM = LinkTiming(
    connect_s=PATIENCE_S,
    action_s=PATIENCE_S,
    heartbeat_s=5.0,
    heartbeat_deadline_s=PATIENCE_S,
    booted_s=PATIENCE_S,
    event_s=PATIENCE_S,
    backoff_first_s=0.1,
    backoff_most_s=0.3,
)


class Exchange:
    """An Asterisk with the hub's own snippet, and connectors to it."""

    def __init__(self, office: Office, people: People, config: PbxConfig) -> None:
        self.office, self.people, self.config = office, people, config
        self.asterisk: AsteriskRunner | None = None
        self.sink = MemoryIntake()
        self.around = PbxSurroundings(ScriptedRouter())
        self._stack = AsyncExitStack()

    @property
    def pbx(self) -> AsteriskRunner:
        """The running Asterisk."""
        assert self.asterisk is not None
        return self.asterisk

    async def hub(self, *script: RouteDecision, config: PbxConfig | None = None) -> PbxChannel:
        """A connector that decides by the script, started and linked."""
        self.around.router.script = list(script)
        channel = PbxChannel(
            config or self.config, self.around.context, PbxTiming(sweep_s=0.1, again_s=0.2, drain_s=PATIENCE_S)
        )
        await channel.start(self.sink)
        self._stack.push_async_callback(channel.stop)
        await self.linked()
        await listed(channel)
        return channel

    async def linked(self) -> None:
        """Wait until the connector has heard of the telephones."""
        await self.around.presence.until(lambda each: ("office", "PJSIP/101") in each.states)

    async def hang_up_all(self) -> None:
        """End every call, as the PBX can."""
        await self.pbx.rx("channel request hangup all")

    async def recorded(self, number: str) -> None:
        """Wait until the call records know a call of this number; Asterisk writes them a moment after it is over."""
        cdr = self.office.cdr
        await until(lambda: cdr.exists() and number in cdr.read_text(encoding="utf-8"))

    async def call(self, kind: str) -> CallSnapshot:
        """The call of the first fact of this kind, awaited."""
        return snapshot(await self.sink.event(lambda event: event.external_id.endswith(f":{kind}")))

    async def close(self) -> None:
        """Stop the connectors."""
        await self._stack.aclose()


async def listed(channel: PbxChannel) -> None:
    """Wait until a connector has read the list of channels that it asks for first: calls that begin now are new."""
    await until(channel._settler._listed.is_set)


def snapshot(event: InboundEvent) -> CallSnapshot:
    """The call that a fact tells of."""
    assert isinstance(event.payload, CallChanged)
    return event.payload.call


def kinds(sink: MemoryIntake) -> list[str]:
    """The transitions committed, in order; not whom the calls rang meanwhile."""
    facts = (event for event in sink.events if not isinstance(event.payload, CallRinging))
    return [event.external_id.rpartition(":")[2] for event in facts]


@asynccontextmanager
async def _running(
    tree: AsteriskTree,
    folder: Path,
    sipp: SippRunner,
    dialplan: str = "",
    furnished: Callable[[Office], None] | None = None,
    record_lines: tuple[tuple[str, bool], ...] = (),
    deadline_s: float = UNHURRIED_S,
) -> AsyncIterator[Exchange]:
    office = Office.plan(folder)
    config = PbxConfig(
        "office",
        AmiAddress("127.0.0.1", office.ami_port, "hub", "s3cret"),
        agi_port=free_port(),
        recordings=office.recordings,
        record_lines=record_lines,
        cdr=office.cdr,
        fallback=f"PJSIP/{FALLBACK}",
        deadline_s=deadline_s,
        timing=CALM,
    )
    parts = (snippet(config, Part.DIALPLAN) + dialplan, snippet(config, Part.MANAGER), snippet(config, Part.CDR))
    office.write(tree, *parts)
    if furnished is not None:
        furnished(office)
    found = Exchange(office, People(office, sipp), config)
    async with AsteriskRunner(tree, office.run, office.etc) as asterisk:
        found.asterisk = asterisk
        yield found
        await found.close()


@pytest.fixture
def deadline_s() -> float:
    """How long a decision may take, and the dialplan wait for it."""
    return UNHURRIED_S


@pytest.fixture
async def exchange(
    asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner, deadline_s: float
) -> AsyncIterator[Exchange]:
    """An office whose Asterisk runs."""
    async with _running(asterisk_tree, short_dir, sipp, deadline_s=deadline_s) as found:
        yield found


@pytest.fixture
async def switchboard(asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner) -> AsyncIterator[Switchboard]:
    """An office with queues, transfers, pickup and parking, linked to a connector."""
    async with _running(asterisk_tree, short_dir, sipp, DIALPLAN, furnish) as found, AsyncExitStack() as stack:
        board = Switchboard(found, await found.hub())
        for telephone in (*board.phones.values(), board.provider):
            await stack.enter_async_context(telephone)
        yield board


@pytest.fixture
async def discreet(asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner) -> AsyncIterator[Switchboard]:
    """An office of which one line is not recorded; 202 rings 102 and goes on in the call's recording. The connector
    is not started."""
    dialplan = DIALPLAN + "exten => 202,1,Dial(PJSIP/102,30,U(hub-recorded))\n same => n,Hangup()\n"
    lines = ((SILENT_LINE, False),)
    async with (
        _running(asterisk_tree, short_dir, sipp, dialplan, furnish, lines) as found,
        AsyncExitStack() as stack,
    ):
        board = Switchboard(found, PbxChannel(found.config, found.around.context))
        for telephone in (*board.phones.values(), board.provider):
            await stack.enter_async_context(telephone)
        yield board
