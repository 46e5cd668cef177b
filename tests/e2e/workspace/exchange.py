"""An office with a PBX before browsers: a real Asterisk, telephones that are picked up when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser

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
from tests.e2e.workspace.office import Workspace, person, until
from tests.fakes.telephone import Telephone
from tests.peers.speaking import speaking_phone

LINE, CLIENT, STRANGER = "+74951234567", "79161234567", "79031112233"
_CONFIG = """
[[pbx]]
name = "office"
ami = "ami://hub:s3cret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
trunk = "PJSIP/{{number}}@trunk"
{pbx}
[[line]]
number = "{line}"
pbx = "office"
group = "sales"
[[web]]
name = "site"
key = "site-key"
{more}
[routing]
ring_s = {ring_s}
deadline_ms = 5000
"""
# whom the people of the office call, and pass calls on to, by short numbers
_COLLEAGUES = """
[hub-outbound](+)
exten => _10X,1,Dial(PJSIP/${EXTEN})
"""


@dataclass
class Exchange:
    """The hub and its browsers, the PBX, and who calls through it."""

    workspace: Workspace
    office: Office
    people: People
    sipp: SippRunner

    def telephone(self, extension: str) -> Telephone:
        """A telephone that is picked up when the test says so."""
        return Telephone(extension, self.office.phones[extension], ("127.0.0.1", self.office.sip_port))

    async def speaking_phone(self, extension: str, *, hold_ms: int) -> None:
        """A telephone that is picked up at once, says something, and hangs up."""
        await speaking_phone(self.sipp, self.office.phones[extension], extension, hold_ms=hold_ms)

    async def anna(self) -> int:
        """A client of Ivan's who has written, with a deal."""
        ask = self.workspace.ask
        body = {"name": "Анна Смирнова", "identities": [f"tel:+{CLIENT}"], "manager": "ivan", "city": "Тверь"}
        contact: int = (await ask("POST", "/contacts", body))["id"]
        await ask("POST", "/deals", {"contact_id": contact, "title": "Окна на Ленина", "manager": "ivan"})
        await self.enquiry("Анна Смирнова", f"+{CLIENT}", "Когда замер балкона?")
        return contact

    async def enquiry(self, name: str, phone: str, message: str) -> None:
        """Somebody fills the form of the site."""
        form = {"name": name, "phone": phone, "message": message}
        url = f"{self.workspace.hub.url}/in/web/site?key=site-key"
        async with aiohttp.ClientSession() as site, site.post(url, data=form) as answer:
            assert answer.status < 300

    async def calls(self, **where: str) -> list[dict[str, Any]]:
        """The calls in the record."""
        query = "&".join(f"{key}={value}" for key, value in where.items())
        found: list[dict[str, Any]] = (await self.workspace.ask("GET", f"/calls?{query}"))["items"]
        return found


@asynccontextmanager
async def opened(
    tree: AsteriskTree,
    folder: Path,
    sipp: SippRunner,
    database_url: str,
    chromium: Browser,
    *people: NewUser,
    ring_s: int = 300,
    recorded: bool = False,
    more: str = "",
) -> AsyncIterator[Exchange]:
    """An office with a PBX; Ivan and his deputy Olga have telephones and sell, Elena looks on, and so do `people`.
    `recorded`: conversations are; `more` is what else hub.toml says."""
    office, agi = Office.plan(folder), free_port()
    ami = AmiAddress("127.0.0.1", office.ami_port, "hub", "s3cret")
    recordings = office.recordings if recorded else None
    config = PbxConfig(office.name, ami, agi_port=agi, deadline_s=5.0, recordings=recordings)
    dialplan = snippet(config, Part.DIALPLAN) + _COLLEAGUES
    office.write(tree, dialplan, *(snippet(config, part) for part in (Part.MANAGER, Part.CDR)))
    home = folder / "hub"
    home.mkdir()
    token = await staffed(
        database_url,
        person("root", "Главный Администратор", Role.ADMIN),
        person("olga", "Ольга Сергеева", Role.MANAGER, extension="102", group="sales"),
        person("ivan", "Иван Петров", Role.MANAGER, extension="101", group="sales", deputy="olga"),
        person("head", "Елена Начальникова", Role.HEAD),
        *people,
    )
    pbx = f'recordings = "{recordings}"' if recordings else ""
    text = _CONFIG.format(ami=office.ami_port, agi=agi, line=LINE, ring_s=ring_s, pbx=pbx, more=more)
    hub = HubProcess(home, database_url, text)
    async with AsteriskRunner(tree, office.run, office.etc):
        await hub.start()
        try:
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as api:
                found = Workspace(hub, None, chromium, api)

                async def linked() -> bool | None:
                    async with api.get(f"{hub.url}/readyz") as response:
                        return (await response.json())["parts"]["pbx:office"]["state"] == "connected" or None

                await until(linked)
                yield Exchange(found, office, People(office, sipp), sipp)
                assert found.errors == []
        finally:
            await hub.kill()
