"""Somebody calls: who it is stands before those whose telephones ring, before they pick up. A real Asterisk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from channels.pbx.ami import AmiAddress
from channels.pbx.config import PbxConfig
from channels.pbx.snippet import Part, snippet
from crm_core.model.user import Role
from hub.demo.peers.asterisk import AsteriskRunner, AsteriskTree
from hub.demo.peers.office import Office, People
from hub.demo.peers.process import free_port
from hub.demo.peers.sipp import SippRunner
from tests.e2e.hub_process import HubProcess, staffed
from tests.e2e.workspace.office import Workspace, person, until
from tests.fakes.telephone import Telephone
from tests.patience import PATIENCE_S

LINE, CLIENT, STRANGER = "+74951234567", "79161234567", "79031112233"
pytestmark = pytest.mark.timeout(600)
_CONFIG = """
[[pbx]]
name = "office"
ami = "ami://hub:s3cret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
[[line]]
number = "{line}"
pbx = "office"
group = "sales"
[[web]]
name = "site"
key = "site-key"
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

    def telephone(self, extension: str) -> Telephone:
        """A telephone that is picked up when the test says so."""
        return Telephone(extension, self.office.phones[extension], ("127.0.0.1", self.office.sip_port))

    async def anna(self) -> int:
        """A client of Ivan's who has written, with a deal."""
        ask = self.workspace.ask
        body = {"name": "Анна Смирнова", "identities": [f"tel:+{CLIENT}"], "manager": "ivan", "city": "Тверь"}
        contact: int = (await ask("POST", "/contacts", body))["id"]
        await ask("POST", "/deals", {"contact_id": contact, "title": "Окна на Ленина", "manager": "ivan"})
        form = {"name": "Анна Смирнова", "phone": f"+{CLIENT}", "message": "Когда замер балкона?"}
        url = f"{self.workspace.hub.url}/in/web/site?key=site-key"
        async with aiohttp.ClientSession() as site, site.post(url, data=form) as answer:
            assert answer.status < 300
        return contact

    async def calls(self, **where: str) -> list[dict[str, Any]]:
        """The calls in the record."""
        query = "&".join(f"{key}={value}" for key, value in where.items())
        found: list[dict[str, Any]] = (await self.workspace.ask("GET", f"/calls?{query}"))["items"]
        return found


@pytest.fixture
def ring_s() -> int:
    """How long each person is rung."""
    return 300


@pytest.fixture
async def exchange(
    asterisk_tree: AsteriskTree,
    short_dir: Path,
    sipp: SippRunner,
    furnished_sqlite: str,
    chromium: Browser,
    ring_s: int,
) -> AsyncIterator[Exchange]:
    """An office with a PBX; Ivan and his deputy Olga have telephones and sell, Elena looks on."""
    office, agi = Office.plan(short_dir), free_port()
    ami = AmiAddress("127.0.0.1", office.ami_port, "hub", "s3cret")
    config = PbxConfig(office.name, ami, agi_port=agi, deadline_s=5.0)
    dialplan = snippet(config, Part.DIALPLAN) + _COLLEAGUES
    office.write(asterisk_tree, dialplan, *(snippet(config, part) for part in (Part.MANAGER, Part.CDR)))
    folder = short_dir / "hub"
    folder.mkdir()
    token = await staffed(
        furnished_sqlite,
        person("root", "Главный Администратор", Role.ADMIN),
        person("olga", "Ольга Сергеева", Role.MANAGER, extension="102", group="sales"),
        person("ivan", "Иван Петров", Role.MANAGER, extension="101", group="sales", deputy="olga"),
        person("head", "Елена Начальникова", Role.HEAD),
    )
    text = _CONFIG.format(ami=office.ami_port, agi=agi, line=LINE, ring_s=ring_s)
    hub = HubProcess(folder, furnished_sqlite, text)
    async with AsteriskRunner(asterisk_tree, office.run, office.etc):
        await hub.start()
        try:
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as api:
                found = Workspace(hub, None, chromium, api)

                async def linked() -> bool | None:
                    async with api.get(f"{hub.url}/readyz") as response:
                        return (await response.json())["parts"]["pbx:office"]["state"] == "connected" or None

                await until(linked)
                yield Exchange(found, office, People(office, sipp))
                assert found.errors == []
        finally:
            await hub.kill()


def popup(page: Page) -> Locator:
    """The popup of a call that stands before somebody."""
    return page.locator("aside.popup[data-call]:not([hidden])")


async def test_the_card_stands_there_before_the_call_is_picked_up(exchange: Exchange) -> None:
    workspace = exchange.workspace
    contact = await exchange.anna()
    ivan, olga, head = [await workspace.enter(login) for login in ("ivan", "olga", "head")]
    await head.goto(f"{workspace.hub.url}/contacts/{contact}")
    await expect(head.locator("main")).to_contain_text("Когда замер балкона?")
    async with exchange.telephone("101") as telephone, exchange.telephone("102"):
        await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
        rung = await telephone.rung()
        shown = popup(ivan)
        await expect(shown).to_contain_text("Вам звонят")
        for words in ("Анна Смирнова", "Тверь", "Окна на Ленина", "Когда замер балкона?", "Ждёт"):
            await expect(shown).to_contain_text(words)
        await expect(shown).to_contain_text("Звонит у вас, потому что: свой менеджер")
        await expect(head.locator(".timeline")).to_contain_text("звонит")
        await expect(popup(olga)).to_have_count(0)
        await expect(popup(head)).to_have_count(0)
        (call,) = await exchange.calls()
        assert (call["state"], call["answered_at"]) == ("ringing", None)
        assert [(leg["user"], leg["ring_s"]) for leg in call["rung"]] == [("ivan", None)]

        # a page that is opened meanwhile shows it as well
        tab = await workspace.beside(ivan, "/calls")
        await expect(popup(tab)).to_contain_text("Анна Смирнова")

        rung.answer()
        await expect(shown).to_contain_text("Вы говорите")
        await expect(popup(olga)).to_have_count(0)
        await shown.get_by_role("link", name="Открыть карточку").click()
        await expect(ivan).to_have_url(f"{workspace.hub.url}/contacts/{contact}")
        # on the card of that very client it covers nothing
        await expect(ivan.locator("[data-calls-here] > aside")).to_contain_text("Вы говорите")
        await expect(popup(ivan)).to_have_count(1)
        await ivan.locator("#answer").click(trial=True)
        await ivan.locator("#composer button:not([type])").last.click(trial=True)
        await rung.hang_up()
        for page in (ivan, tab):
            await expect(popup(page)).to_have_count(0)
        await expect(head.locator(".timeline")).to_contain_text("Иван Петров")


@pytest.mark.parametrize("ring_s", [12])
async def test_the_popup_goes_where_the_call_goes(exchange: Exchange) -> None:
    workspace = exchange.workspace
    await exchange.anna()
    ivan, olga = await workspace.enter("ivan"), await workspace.enter("olga")
    await exchange.people.silent_phone("101")
    async with exchange.telephone("102") as telephone:
        caller = await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
        await expect(popup(ivan)).to_contain_text("Анна Смирнова")
        await expect(popup(olga)).to_have_count(0)
        await expect(popup(olga)).to_contain_text("Анна Смирнова")
        await expect(popup(olga)).to_contain_text("заместитель")
        await expect(popup(ivan)).to_have_count(0)
        await caller.stop()
        rung = await telephone.rung()
        rung.refuse(486, "Busy Here")
        await expect(popup(olga)).to_have_count(0)


async def test_a_stranger_stands_before_the_whole_group_until_somebody_picks_up(exchange: Exchange) -> None:
    workspace = exchange.workspace
    ivan, olga, head = [await workspace.enter(login) for login in ("ivan", "olga", "head")]
    async with exchange.telephone("101") as first, exchange.telephone("102") as second:
        await exchange.people.impatient_caller(STRANGER, LINE, patience_ms=int(PATIENCE_S * 1000))
        await first.rung()
        rung = await second.rung()
        for page in (ivan, olga):
            await expect(popup(page)).to_contain_text("903 111-22-33")
            await expect(popup(page)).to_contain_text("группа")
        await expect(popup(head)).to_have_count(0)
        # who hides it is not shown it again
        await popup(ivan).get_by_role("button", name="Скрыть").click()
        await expect(popup(ivan)).to_have_count(0)
        rung.answer()
        await expect(popup(olga)).to_contain_text("Вы говорите")
        await expect(popup(ivan)).to_have_count(0)
        await rung.hang_up()
        await expect(popup(olga)).to_have_count(0)


async def test_a_call_that_is_passed_on_stands_before_whom_it_goes_to(exchange: Exchange) -> None:
    workspace = exchange.workspace
    await exchange.anna()
    ivan, olga = await workspace.enter("ivan"), await workspace.enter("olga")
    async with exchange.telephone("101") as first, exchange.telephone("102") as second:
        await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
        talk = await first.picked_up()
        await expect(popup(ivan)).to_contain_text("Вы говорите")
        await talk.refer("102")
        asked = await second.rung()
        await expect(popup(olga)).to_contain_text("Вам звонят")
        await expect(popup(olga)).to_contain_text("Анна Смирнова")
        await expect(popup(olga)).to_contain_text("Переводит: Иван Петров")
        await expect(popup(ivan)).to_have_count(0)
        asked.answer()
        await expect(popup(olga)).to_contain_text("Вы говорите")
        await expect(popup(olga)).to_have_count(1)
        await asked.hang_up()
        await expect(popup(olga)).to_have_count(0)
