"""One broadcast over Telegram, VK and mail at once, each client where they wrote last; the hub dies in the middle."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from sqlite3 import connect
from typing import Any

import aiohttp
import pytest
from typing_extensions import override

from crm_core.model.user import Role
from crm_core.storage.users import NewUser
from hub.clock import SystemClock
from hub.demo.peers.bot_api import Bot, BotApiServer, Person, faults
from hub.demo.peers.vk import Community, VkServer
from tests.e2e.hub_process import HubProcess, staffed
from tests.patience import PATIENCE_S
from tests.peers.mail import EximServer

TOKEN, VK_TOKEN, GROUP = "7654321:AAE-strict_local_token", "vk1.a.strict-local-token", 123456
TEXT = "Весенняя скидка"
TELEGRAM, VK, MAIL = range(1001, 1009), range(2001, 2008), [f"client{number}@client.example" for number in range(7)]
LEAVES, REFUSED, BOTH, UNKNOWN, LISTED = 1001, 1002, 1003, 1004, 2001
_CONFIG = """
[robot]
client_hours = "00:00-24:00"
[[list]]
name = "Поставщики"
action = "no_lead"
[[list]]
name = "Спам"
action = "reject"
[[telegram]]
name = "shop"
token = "{token}"
api_base = "{telegram}"
[[vk]]
name = "community"
group_id = {group}
token = "{vk_token}"
mode = "longpoll"
api_base = "{vk}"
[[email]]
name = "sales"
address = "sales@example.org"
smtp = "smtp://sales:secret@127.0.0.1:{smtp}"
"""


class MinuteAgo(SystemClock):
    """What was said in Telegram was said before what was said in VK."""

    @override
    def now(self) -> datetime:
        """A minute ago."""
        return super().now() - timedelta(minutes=1)


@dataclass
class Outside:
    """The providers, a hub between them, and its API."""

    bot: Bot
    community: Community
    exim: EximServer
    hub: HubProcess
    api: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers."""
        async with self.api.request(method, f"{self.hub.url}/api/v1{path}", json=body) as response:
            text = await response.text()
            assert response.status < 300, f"{path}: {text}"
            return json.loads(text) if text else None

    async def contact(self, identity: str) -> int:
        """Who holds an identity."""
        return int((await self.ask("GET", f"/contacts?identity={identity}"))["items"][0]["id"])

    def person(self, ident: int) -> Person:
        """A client of the bot."""
        return self.bot.user(id=ident, first_name=f"Клиент {ident}")

    async def connected(self) -> bool:
        """Whether all three accounts are."""
        async with self.api.get(f"{self.hub.url}/readyz") as response:
            parts = (await response.json())["parts"]
        states = [part["state"] for name, part in parts.items() if name.startswith(("telegram:", "vk:", "email:"))]
        return len(states) >= 3 and set(states) == {"connected"}

    async def recipients(self, broadcast: int) -> tuple[set[str], set[str]]:
        """Whom it was sent to as the hub knows, and of whom it does not know."""
        sent: set[str] = set()
        failed: set[str] = set()
        prefixes = {"telegram": "tg:", "vk": "vk:", "email": "mailto:"}
        for each in (await self.ask("GET", f"/broadcasts/{broadcast}/recipients?state=queued&limit=100"))["items"]:
            held = (await self.ask("GET", f"/contacts/{each['contact_id']}"))["identities"]
            (identity,) = (key for key in held if key.startswith(prefixes[each["channel"]]))
            (failed if each["delivery"] == "failed" else sent).add(identity)
        return sent, failed

    async def known(self, identity: str) -> None:
        """Wait until somebody holds an identity."""
        async with asyncio.timeout(PATIENCE_S):
            while not (await self.ask("GET", f"/contacts?identity={identity}"))["items"]:  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.05)

    def heard(self) -> Counter[str]:
        """Who got the broadcast how often."""
        found: Counter[str] = Counter()
        for ident in TELEGRAM:
            found[f"tg:{ident}"] += sum(TEXT in each.text for each in self.person(ident).received())
        found.update(f"vk:{each.peer_id}" for each in self.community.sent if TEXT in each.text)
        found.update(f"mailto:{parseaddr(each['To'])[1]}" for each in self.exim.inbox() if TEXT in _plain(each))
        return +found

    async def until(self, holds: Callable[[Counter[str]], bool]) -> Counter[str]:
        """What was heard, as soon as it is so."""
        async with asyncio.timeout(2 * PATIENCE_S):
            while not holds(found := await asyncio.to_thread(self.heard)):  # noqa: ASYNC110 - three peers, no event
                await asyncio.sleep(0.05)
        return found


@pytest.fixture
async def outside(furnished_sqlite: str, tmp_path: Path) -> AsyncIterator[Outside]:
    token = await staffed(furnished_sqlite, NewUser("root", "Администратор", Role.ADMIN))
    async with AsyncExitStack() as stack:
        exim = EximServer()
        await asyncio.to_thread(stack.enter_context, exim)
        telegram, vk = BotApiServer(clock=MinuteAgo()), VkServer()
        for server in (telegram, vk):
            await server.start()
            stack.push_async_callback(server.stop)
        config = _CONFIG.format(
            token=TOKEN, telegram=telegram.url, group=GROUP, vk_token=VK_TOKEN, vk=vk.url, smtp=exim.port
        )
        bot, community = telegram.bot(TOKEN), vk.community(GROUP, VK_TOKEN)
        hub = HubProcess(tmp_path, furnished_sqlite, config)
        stack.push_async_callback(hub.kill)
        await hub.start()
        headers = {"Authorization": f"Bearer {token}"}
        api = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        yield Outside(bot, community, exim, hub, api)


def _plain(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


async def _they_write(outside: Outside) -> None:
    """Clients of three channels, mixed."""
    async with asyncio.timeout(PATIENCE_S):
        while not await outside.connected():  # noqa: ASYNC110 - what is said before that, VK does not tell
            await asyncio.sleep(0.05)
    for half in (slice(0, 4), slice(4, None)):
        for ident in TELEGRAM[half]:
            await outside.person(ident).say("Здравствуйте")
        await outside.known(f"tg:{TELEGRAM[half][-1]}")
        for ident in VK[half]:
            await outside.community.user(ident, "Клиент", str(ident)).say("Здравствуйте")
        await outside.known(f"vk:{VK[half][-1]}")
        for address in MAIL[half]:
            await outside.ask("POST", "/contacts", {"name": address, "identities": [f"mailto:{address}"]})
    await outside.ask("POST", "/contacts", {"name": "Только телефон", "identities": ["tel:+79161234567"]})


def _leases_run_out(folder: Path) -> None:
    """What the dead hub had claimed is free after three minutes; here they are over."""
    with closing(connect(folder / "hub.sqlite3", timeout=20)) as connection:
        connection.execute("UPDATE outbox SET claimed_until = 0 WHERE claimed_until IS NOT NULL")
        connection.execute("UPDATE lease SET expires_at = 0")
        connection.commit()


@pytest.mark.timeout(300)
async def test_a_broadcast_reaches_each_once_where_they_are(outside: Outside, tmp_path: Path) -> None:
    await _they_write(outside)
    both, twin = await outside.contact(f"tg:{BOTH}"), await outside.contact(f"vk:{VK[1]}")
    await outside.ask("POST", f"/contacts/{both}/merge", {"contact_id": twin, "evidence": "один человек"})
    await outside.person(LEAVES).say("стоп")
    await outside.ask("POST", f"/contacts/{await outside.contact(f'mailto:{MAIL[0]}')}/opt-out")
    await outside.ask("POST", "/lists/Спам/numbers", {"identity": f"tg:{REFUSED}", "reason": "спам"})
    listed = await outside.contact(f"vk:{LISTED}")
    await outside.ask("POST", f"/contacts/{listed}/list", {"list": "Поставщики", "reason": "продаёт"})
    left = await outside.contact(f"tg:{LEAVES}")
    async with asyncio.timeout(PATIENCE_S):
        while not (await outside.ask("GET", f"/contacts/{left}/opt-out"))["opted_out"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)

    # Of one message Telegram never says that it took it: the hub dies without knowing.
    outside.bot.next_responses(faults.hang(faults.When.AFTER, "sendMessage"))
    await outside.ask("POST", "/segments", {"name": "все"})
    body = {"name": "Весна", "segment": "все", "text": TEXT, "subject": "Весна", "per_minute": 96}  # eight at once
    broadcast = (await outside.ask("POST", "/broadcasts", body))["id"]
    await outside.ask("POST", f"/broadcasts/{broadcast}/start")
    half = await outside.until(lambda found: found.total() >= 6)
    await outside.hub.kill()
    assert half.total() < 15
    _leases_run_out(tmp_path)
    await outside.hub.start()

    expected = {f"tg:{ident}" for ident in TELEGRAM if ident not in {LEAVES, REFUSED, BOTH}}
    expected |= {f"vk:{ident}" for ident in VK if ident != LISTED}
    expected |= {f"mailto:{address}" for address in MAIL[1:]}
    async with asyncio.timeout(2 * PATIENCE_S):
        while True:
            found = await outside.ask("GET", f"/broadcasts/{broadcast}")
            if found["state"] == "done" and not found["progress"]["queued"]:
                break
            await asyncio.sleep(0.1)
    # Whom it was just being sent to may have got it or not: nobody can know, and to nobody it goes a second time.
    reached, unknown = await outside.recipients(broadcast)
    assert reached | unknown == expected
    heard = await outside.until(lambda found: set(found) >= reached)
    assert set(heard) <= expected
    assert set(heard.values()) == {1}, heard
    assert {each.partition(":")[0] for each in heard} == {"tg", "vk", "mailto"}
    assert heard[f"tg:{UNKNOWN}"] == 1
    assert f"tg:{UNKNOWN}" in unknown
    assert {each["why"]: each["count"] for each in found["progress"]["reasons"]} == {
        "listed": 2,
        "opted_out": 2,
        "nowhere": 1,
    }
