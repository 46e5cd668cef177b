"""Who writes: a client's event is passed on and kept nowhere, and a client is shown that the office writes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from channels.vk import Mode, VkChannel
from crm_core.messages import Ignored
from crm_core.ports import ChannelState, ShowsWriting
from hub.demo.peers.vk import Person, faults
from tests.fakes.writing import HeardWriting
from tests.integration.vk.conftest import GROUP, SECRET, Rig, until
from tests.integration.vk.test_callback import event, post


async def running(rig: Rig, mode: Mode) -> tuple[VkChannel, HeardWriting]:
    """A connector that is connected, and what it tells of who writes."""
    heard = HeardWriting()
    made = VkChannel(
        rig.config(mode), replace(rig.world.context(), nameless=rig.nameless, writing=heard), sleep=rig.sleep
    )
    rig.started.append(made)
    if mode is Mode.CALLBACK:
        rig.routes = list(made.routes())
        rig.community.hook(f"{rig.url}/in/vk/community", SECRET, "c0nf1rm")
    await made.start(rig.sink)
    await until(lambda: made.health.state is ChannelState.CONNECTED)
    return made, heard


@pytest.mark.parametrize("mode", list(Mode))
async def test_that_a_client_writes_is_passed_on_and_not_kept(rig: Rig, anna: Person, mode: Mode) -> None:
    _, heard = await running(rig, mode)
    await anna.type()
    await anna.say("раз")
    await anna.type()
    await anna.say("два")
    events = await rig.sink.wait_count(2)
    assert [each.conversation for each in events] == [str(anna.id)] * 2
    assert heard.heard == [(str(anna.id), f"vk:{anna.id}")] * 2
    assert not [each for each in rig.sink.events if b"typing" in each.raw]


async def test_what_says_something_else_is_ignored_as_before(rig: Rig) -> None:
    _, heard = await running(rig, Mode.CALLBACK)
    for number, content in enumerate(
        ({}, {"state": "recording", "from_id": 1}, {"state": "typing", "from_id": -GROUP})
    ):
        body = event("message_typing_state", object=content, event_id=f"e{number}")
        assert await post(rig, body) == (200, b"ok")
    assert [type(each.payload) for each in rig.sink.events] == [Ignored] * 3
    assert heard.heard == []


async def test_a_client_is_shown_that_the_office_writes(rig: Rig, anna: Person) -> None:
    channel, _ = await running(rig, Mode.CALLBACK)
    assert isinstance(channel, ShowsWriting)
    await anna.say("раз")
    await rig.sink.wait_count(1)
    rig.community.next_responses(faults.error(6, method="messages.setActivity"))
    for where in ("2000000005", "wall:-123456_45", "nonsense", "77", str(anna.id)):
        channel.show_writing(where, "Иван Петров")
    shown = await rig.community.calls.wait_for(
        lambda call: call.method == "messages.setActivity" and call.parameters["peer_id"] == str(anna.id)
    )
    assert (shown.parameters["type"], shown.parameters["group_id"]) == ("typing", str(GROUP))
    await asyncio.wait_for(channel.stop(), 30)
    asked = [call.parameters["peer_id"] for call in rig.community.calls if call.method == "messages.setActivity"]
    assert set(asked) == {"77", str(anna.id)}, "in dialogues alone"
    assert "Иван" not in json.dumps([call.parameters for call in rig.community.calls])
    channel.show_writing(str(anna.id), "Иван Петров")
