"""The hub killed or frozen while clients call: they reach their own managers, and afterwards no call is missing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
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
OF_ANNA, OF_BORIS, STRANGER = "79161234567", "79161234568", "79161239999"
ANNA, BORIS, DUTY = "101", "102", "103"
pytestmark = pytest.mark.timeout(600)
_CONFIG = """
[[pbx]]
name = "office"
ami = "ami://hub:s3cret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
cdr = "{cdr}"
fallback = "PJSIP/103"
[[line]]
number = "{line}"
pbx = "office"
[routing]
ring_s = 60
deadline_ms = 5000
"""


@dataclass
class Outage:
    """An office with two managers who have a client each, and somebody on duty."""

    people: People
    asterisk: AsteriskRunner
    hub: HubProcess
    cdr: Path
    api: aiohttp.ClientSession

    async def call(self, number: str) -> str:
        """Let a client call and talk; the telephone that was picked up, as Asterisk recorded it."""
        before = self._rows()
        caller = await self.people.caller(number, LINE, hold_ms=300)
        assert await caller.wait(PATIENCE_S) == 0
        async with asyncio.timeout(PATIENCE_S):
            while len(rows := self._rows()) == len(before):  # noqa: ASYNC110 — Asterisk writes when it likes
                await asyncio.sleep(0.05)
        answered = [row for row in rows[len(before) :] if '"ANSWERED"' in row]
        found = re.search(r'"PJSIP/(\d+)-', answered[-1])
        assert found is not None, rows
        return found[1]

    async def row(self, family: str, value: str) -> None:
        """Wait until Asterisk's database holds a value."""
        async with asyncio.timeout(PATIENCE_S):
            while f": {value} " not in await self.asterisk.rx(f"database show {family}"):  # noqa: ASYNC110 — as above
                await asyncio.sleep(0.05)

    async def linked(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self.api.get(f"{self.hub.url}/readyz") as response:
                    if (await response.json())["parts"]["pbx:office"]["state"] == "connected":
                        return
                await asyncio.sleep(0.05)

    async def calls(self) -> dict[str, dict[str, Any]]:
        """The hub's calls that are over, by number."""
        async with self.api.get(f"{self.hub.url}/api/v1/calls") as response:
            items = (await response.json())["items"]
        return {call["number"]: call for call in items if call["finished_at"] is not None}

    async def over(self, number: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while number not in (found := await self.calls()):  # noqa: ASYNC110 — seen through the API only
                await asyncio.sleep(0.05)
        return found[number]

    async def reconciled(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(await self.hub.command("reconcile", "pbx", "--json"))
        return found[0]

    async def manager(self, number: str, manager: str | None) -> None:
        """Give a client to somebody."""
        body = {"name": "Клиент", "identities": [f"tel:+{number}"], "manager": manager}
        async with self.api.post(f"{self.hub.url}/api/v1/contacts", json=body) as response:
            if response.status in {200, 201}:
                return
            problem = await response.json()
        contact = re.search(r"contact (\d+)", problem["detail"])
        assert contact is not None, problem
        url = f"{self.hub.url}/api/v1/contacts/{contact[1]}"
        async with self.api.patch(url, json={"manager": manager}) as response:
            assert response.status == 200, await response.text()

    def _rows(self) -> list[str]:
        return self.cdr.read_text(encoding="utf-8").splitlines() if self.cdr.exists() else []


async def _managers(url: str) -> str:
    """Anna and Boris, and a token of Anna's."""
    return await staffed(
        url,
        NewUser("anna", "Анна", Role.ADMIN, extension=f"PJSIP/{ANNA}"),
        NewUser("boris", "Борис", Role.MANAGER, extension=f"PJSIP/{BORIS}"),
    )


@pytest.fixture
async def outage(
    asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner, furnished_sqlite: str
) -> AsyncIterator[Outage]:
    office, agi = Office.plan(short_dir), free_port()
    ami = AmiAddress("127.0.0.1", office.ami_port, "hub", "s3cret")
    fallback = f"PJSIP/{DUTY}"
    config = PbxConfig(office.name, ami, agi_port=agi, cdr=office.cdr, fallback=fallback, deadline_s=5.0)
    office.write(asterisk_tree, *(snippet(config, part) for part in (Part.DIALPLAN, Part.MANAGER, Part.CDR)))
    folder = short_dir / "hub"
    folder.mkdir()
    hub = HubProcess(folder, furnished_sqlite, _CONFIG.format(ami=office.ami_port, agi=agi, cdr=office.cdr, line=LINE))
    async with AsteriskRunner(asterisk_tree, office.run, office.etc) as asterisk:
        headers = {"Authorization": f"Bearer {await _managers(furnished_sqlite)}", "Accept-Language": "en"}
        await hub.start()
        try:
            people = People(office, sipp)
            for extension in (ANNA, BORIS, DUTY):
                await people.phone(extension, answer_ms=100)
            async with aiohttp.ClientSession(headers=headers) as api:
                found = Outage(people, asterisk, hub, office.cdr, api)
                await found.linked()
                await found.manager(OF_ANNA, "anna")
                await found.manager(OF_BORIS, "boris")
                await found.row(f"hubclient/67/{OF_ANNA[-10:]}", "anna")
                await found.row(f"hubclient/68/{OF_BORIS[-10:]}", "boris")
                await found.row("hubuser/boris", f"PJSIP/{BORIS}")
                yield found
        finally:
            await hub.kill()


async def test_killed(outage: Outage) -> None:
    assert await outage.call(OF_ANNA) == ANNA
    await outage.over(OF_ANNA)
    await outage.hub.kill()
    assert await outage.call(OF_BORIS) == BORIS
    assert await outage.call(STRANGER) == DUTY

    # the hub is dead: the command alone brings both in
    tally = await outage.reconciled()
    assert {key: tally[key] for key in ("calls", "equal", "settled", "missing")} == {
        "calls": 3,
        "equal": 1,
        "settled": 2,
        "missing": 0,
    }
    assert {detail["number"] for detail in tally["details"]} == {OF_BORIS, STRANGER}

    await outage.hub.start()
    await outage.linked()
    call = await outage.over(OF_BORIS)
    assert (call["state"], call["answered_by"]) == ("answered", "boris")
    again = await outage.reconciled()
    assert (again["equal"], again["settled"], again["missing"]) == (3, 0, 0)
    async with outage.api.get(f"{outage.hub.url}/api/v1/reconciliations") as response:
        rows = (await response.json())["items"]
    assert [(row["calls"], row["settled"], row["missing"]) for row in rows] == [(3, 0, 0), (3, 2, 0)]


async def test_killed_in_the_middle_of_a_call(outage: Outage) -> None:
    caller = await outage.people.caller(OF_ANNA, LINE, hold_ms=1500)
    async with asyncio.timeout(PATIENCE_S):
        while "Up" not in await outage.asterisk.rx("core show channels concise"):  # noqa: ASYNC110 — its console only
            await asyncio.sleep(0.05)
    await outage.hub.kill()
    assert await caller.wait(PATIENCE_S) == 0
    await outage.hub.start()
    call = await outage.over(OF_ANNA)
    assert (call["state"], call["answered_by"]) == ("answered", "anna")
    tally = await outage.reconciled()
    assert (tally["calls"], tally["missing"]) == (1, 0)


async def test_frozen(outage: Outage) -> None:
    assert outage.hub.process is not None
    os.kill(outage.hub.process.pid, signal.SIGSTOP)
    try:
        assert await outage.call(OF_BORIS) == BORIS
    finally:
        os.kill(outage.hub.process.pid, signal.SIGCONT)
    call = await outage.over(OF_BORIS)
    assert (call["state"], call["answered_by"]) == ("answered", "boris")
    tally = await outage.reconciled()
    assert (tally["calls"], tally["missing"]) == (1, 0)


async def test_a_change_of_manager_reaches_asterisk_before_the_next_outage(outage: Outage) -> None:
    await outage.manager(OF_ANNA, "boris")
    await outage.row(f"hubclient/67/{OF_ANNA[-10:]}", "boris")
    await outage.hub.command("user", "update", "--login", "boris", "--extension", f"PJSIP/{ANNA}")
    await outage.row("hubuser/boris", f"PJSIP/{ANNA}")
    await outage.hub.kill()
    assert await outage.call(OF_BORIS) == ANNA
