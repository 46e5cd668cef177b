"""Calls that the hub places, as its users see them: by a press, when a lead is taken, after a missed call."""

from __future__ import annotations

import asyncio
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

LINE = "+74951234567"
CLIENT = "+79161234567"
pytestmark = pytest.mark.timeout(600)
_CONFIG = """
[[pbx]]
name = "office"
ami = "ami://hub:s3cret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
cdr = "{cdr}"
trunk = "PJSIP/{{number}}@trunk"
[[line]]
number = "{line}"
pbx = "office"
[routing]
ring_s = 1
deadline_ms = 10000
short_abandon = "0s"
fallback = []
[robot]
on_take = true
on_missed = true
client_hours = "00:00-24:00"
spacing = "1s"
attempts = 30
ring_s = {ring_s}
"""


@dataclass
class Robots:
    """An office with a hub, a manager at 101, and the API as they use it."""

    people: People
    hub: HubProcess
    session: aiohttp.ClientSession

    async def get(self, path: str) -> Any:
        """What the API answers."""
        async with self.session.get(f"{self.hub.url}/api/v1{path}") as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, path: str, body: dict[str, Any], status: int, **headers: str) -> Any:
        """The same for an act."""
        async with self.session.post(f"{self.hub.url}/api/v1{path}", json=body, headers=headers) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def until(self, path: str, true: Callable[[Any], bool]) -> Any:
        """Ask again and again until something holds."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    found = await self.get(path)
                    if true(found):
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{path}: {await self.get(path)}\n{self.hub.log()[-3000:]}") from None

    async def timeline_calls(self, contact_id: int) -> list[dict[str, Any]]:
        """The calls on a client's timeline, in commit order."""
        entries = (await self.get(f"/contacts/{contact_id}/timeline"))["items"]
        return [entry["call"] for entry in entries if entry["kind"] == "call"]


@pytest.fixture
def ring_s() -> int:
    """How long the robot lets a telephone ring."""
    return 60


@pytest.fixture
async def robots(
    asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner, furnished_sqlite: str, ring_s: int
) -> AsyncIterator[Robots]:
    office, agi = Office.plan(short_dir), free_port()
    ami = AmiAddress("127.0.0.1", office.ami_port, "hub", "s3cret")
    config = PbxConfig(office.name, ami, agi_port=agi, cdr=office.cdr, deadline_s=10.0)
    office.write(
        asterisk_tree, snippet(config, Part.DIALPLAN), snippet(config, Part.MANAGER), snippet(config, Part.CDR)
    )
    text = _CONFIG.format(ami=office.ami_port, agi=agi, cdr=office.cdr, line=LINE, ring_s=ring_s)
    folder = short_dir / "hub"
    folder.mkdir()
    hub = HubProcess(folder, furnished_sqlite, text)
    token = await staffed(furnished_sqlite, NewUser("anna", "Анна", Role.MANAGER, extension="PJSIP/101"))
    async with AsteriskRunner(asterisk_tree, office.run, office.etc):
        await hub.start()
        try:
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
                found = Robots(People(office, sipp), hub, session)
                await linked(found)
                yield found
        finally:
            await hub.kill()


async def linked(robots: Robots) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with robots.session.get(f"{robots.hub.url}/readyz") as response:
                if (await response.json())["parts"]["pbx:office"]["state"] == "connected":
                    return
            await asyncio.sleep(0.1)


async def test_a_press_calls_the_client_once(robots: Robots) -> None:
    await robots.people.phone("101")
    await robots.people.client_phone(hold_ms=1500)
    body = {"number": "8 (916) 123-45-67"}
    first = await robots.post("/calls", body, 202, **{"Idempotency-Key": "press-1"})
    again = await robots.post("/calls", body, 202, **{"Idempotency-Key": "press-1"})
    assert again["id"] == first["id"]
    await robots.post("/calls", body, 409)
    dial = await robots.until(f"/dials/{first['id']}", lambda each: each["state"] == "ended")
    assert (dial["outcome"], dial["number"], dial["line"]) == ("answered", CLIENT, LINE)
    (call,) = await robots.timeline_calls(first["contact_id"])
    assert (call["state"], call["line"]) == ("answered", LINE)
    assert len((await robots.get("/dials"))["items"]) == 1
    contact = await robots.get(f"/contacts/{first['contact_id']}")
    assert contact["manager"] == "anna"


async def test_a_press_that_fails_is_on_the_timeline(robots: Robots) -> None:
    await robots.people.phone("101")
    await robots.people.client_busy()
    dial = await robots.post("/calls", {"number": CLIENT}, 202)
    await robots.until(f"/dials/{dial['id']}", lambda each: each["outcome"] == "busy")
    (call,) = await robots.timeline_calls(dial["contact_id"])
    assert call["state"] == "busy"


async def test_taking_a_lead_brings_both_together(robots: Robots) -> None:
    await robots.people.phone("101")
    await robots.people.client_phone(hold_ms=1500)
    contact = await robots.post("/contacts", {"name": "Иван", "identities": [f"tel:{CLIENT}"]}, 201)
    lead = await robots.post("/leads", {"contact_id": contact["id"], "title": "Окна"}, 201)
    await robots.post(f"/leads/{lead['id']}/take", {}, 200)
    callbacks = await robots.until("/callbacks", lambda found: found["items"] and found["items"][0]["ended_at"])
    (callback,) = callbacks["items"]
    assert (callback["reason"], callback["state"], callback["attempts"]) == ("taken", "reached", 1)
    (call,) = await robots.timeline_calls(contact["id"])
    assert call["state"] == "answered"


@pytest.mark.parametrize("ring_s", [5])  # one telephone is not picked up
async def test_a_missed_call_is_rung_back_until_both_talk(robots: Robots) -> None:
    contact = await robots.post("/contacts", {"name": "Иван", "identities": [f"tel:{CLIENT}"], "manager": "anna"}, 201)
    silent = await robots.people.silent_phone("101")
    await robots.people.client_phone(hold_ms=1500)
    await robots.people.caller(CLIENT, LINE)
    cases = await robots.until("/cases?state=open", lambda found: found["items"])
    assert cases["items"][0]["contact_id"] == contact["id"]
    await robots.until("/callbacks", lambda found: found["items"] and found["items"][0]["attempts"] >= 2)
    await silent.stop()
    # the robot tries again, and now it is accepted
    await robots.people.accepting_phone("101", after_ms=6500)
    callbacks = await robots.until("/callbacks", lambda found: found["items"][0]["state"] == "reached")
    (callback,) = callbacks["items"]
    assert callback["reason"] == "missed"
    assert callback["attempts"] >= 2
    await robots.until("/cases?state=open", lambda found: not found["items"])
    states = [call["state"] for call in await robots.timeline_calls(contact["id"])]
    assert states[0] in {"missed", "abandoned"}  # the client may hang up while a callback is offered
    assert states[-1] == "answered"
    assert states.count("answered") == 1
