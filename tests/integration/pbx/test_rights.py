"""What the AMI user may not see or do fails the check, in words that mend it, and rings nobody."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from channels.pbx.ami import AmiAddress, LinkTiming
from channels.pbx.ami_wire import AmiMessage
from channels.pbx.astdb import MirrorTiming
from channels.pbx.config import PbxConfig
from channels.pbx.connector import PbxChannel, PbxTiming
from channels.pbx.proof import prove
from crm_core.errors import ChannelAuthError
from crm_core.ports import ChannelState
from hub.demo.peers.process import free_port
from tests.fakes.ami import BOOTED, ScriptedAmi, refusal, success
from tests.fakes.intake import MemoryIntake
from tests.fakes.number_book import MemoryBook
from tests.fakes.pbx import PbxSurroundings, ScriptedRouter
from tests.integration.pbx.conftest import CALM, Exchange
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S

ROW = "write = system,call,reporting,originate"
SEEN = "read = system,call,agent,user"


@pytest.mark.parametrize(
    ("printed", "instead", "lacking"),
    [
        (SEEN, "read = system,agent,user", "`call` among its read classes"),
        (SEEN, "read = call,agent,user", "`system` among its read classes"),
        (ROW, "write = system,call,reporting", "`originate` among its write classes"),
        (ROW, "write = call,reporting,originate", "`system` among its write classes"),
        (ROW, "write = system,reporting,originate", "`call` among its write classes"),
    ],
)
async def test_a_missing_class_fails_the_check(exchange: Exchange, printed: str, instead: str, lacking: str) -> None:
    manager = exchange.office.etc / "hub_manager.conf"
    text = manager.read_text()
    assert printed in text
    manager.write_text(text.replace(printed, instead))
    await exchange.pbx.rx("manager reload")
    with pytest.raises(ChannelAuthError) as refused:
        await prove(replace(exchange.config, timing=_until_missing(lacking)))
    said = str(refused.value)
    assert said.startswith(f"AMI user 'hub' lacks {lacking}")
    assert f"; write in manager.conf `{SEEN}` and `{ROW}`, then `manager reload`; " in said
    assert said.count("among") == 1


def _until_missing(lacking: str) -> LinkTiming:
    """Short is the wait for what will not come, and nothing else."""
    if "`system` among its read" in lacking:
        return replace(CALM, booted_s=0.3)
    return replace(CALM, event_s=0.3) if "`call` among its read" in lacking else CALM


async def test_a_full_check_rings_nobody(exchange: Exchange) -> None:
    channel = await exchange.hub()
    assert "lacks" not in await prove(exchange.config)
    assert "0 calls processed" in await exchange.pbx.rx("core show calls")
    assert exchange.sink.events == []
    assert channel.stats.calls == 0


def _denying(_: ScriptedAmi, message: AmiMessage) -> bytes:
    match message.get("Action"):
        case "Login":
            return success(message) + BOOTED
        case "Ping":
            return success(message)
        case _:
            return refusal(message, "Permission denied")


@pytest.fixture
async def denied() -> AsyncIterator[ScriptedAmi]:
    """An AMI peer that lets in, and then denies everything."""
    async with ScriptedAmi(_denying) as peer:
        yield peer


async def test_what_is_denied_for_long_is_logged_once_and_asked_for_ever_more_seldom(
    denied: ScriptedAmi, caplog: pytest.LogCaptureFixture
) -> None:
    config = PbxConfig(
        "office",
        AmiAddress("127.0.0.1", denied.port, "hub", "s3cret"),
        agi_port=free_port(),
        timing=replace(CALM, heartbeat_s=PATIENCE_S),
    )
    context = replace(PbxSurroundings(ScriptedRouter()).context, numbers=MemoryBook({}, {"ivan": "101"}))
    timing = PbxTiming(again_s=0.02, mirror=MirrorTiming(again_s=0.02))
    channel = PbxChannel(config, context, timing)
    caplog.set_level(logging.WARNING)
    await channel.start(MemoryIntake())
    await denied.until(lambda each: min(map(each.names().count, ("DBGetTree", "CoreShowChannels"))) >= 5)
    await until(lambda: "settled" in channel.health.detail and "who takes whose calls" in channel.health.detail)
    health = channel.health
    assert (health.state, health.trouble) == (ChannelState.CONNECTED, True)
    for words in ("calls could not be settled", "who takes whose calls could not be written"):
        assert len([each for each in caplog.records if words in each.getMessage()]) == 1
    assert channel._mirror._again_s > 0.2
    await channel.stop()
