"""A company on a whole hub: its preset, its people, its accounts over real sockets, and a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession

from crm_core import presets
from crm_core.model.user import Role
from crm_core.services.configuration import applied
from crm_core.services.desk import Desk
from crm_core.storage import queues
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import token_digest
from hub.bootstrap import Hub, build
from hub.demo.peers.process import free_port
from hub.office.presets import parsed
from hub.settings import parse_settings
from tests.contract.channels.provider import Provider
from tests.fakes.clock import DrivenClock
from tests.patience import PATIENCE_S
from tests.serving import basics, serving

# login, name, role, group
People = tuple[tuple[str, str, Role, str | None], ...]
OFFICE: People = (
    ("root", "Администратор", Role.ADMIN, None),
    ("boss", "Руководитель продаж", Role.HEAD, None),
    ("ivan", "Иван Петров", Role.MANAGER, "продажи"),
    ("kira", "Кира", Role.CONTROLLER, None),
    ("dina", "Дина", Role.DIRECTOR, None),
)
_SITE = '[[web]]\nname = "site"\nkey = "site-key"\nper_minute = 100000\n'


@dataclass
class Company:
    """The hub of a company; what its people do through the API, what reaches it through its site, and its time."""

    hub: Hub
    clock: DrivenClock
    session: ClientSession

    # ------------------------------------------------------------ people

    async def ask(
        self, method: str, path: str, body: Any = None, *, by: str = "ivan", status: int | None = None
    ) -> Any:
        """What the API answers to somebody."""
        headers = {"Authorization": f"Bearer {token_of(by)}"}
        async with self.session.request(method, f"/api/v1{path}", json=body, headers=headers) as response:
            text = await response.text()
            assert response.status == status if status is not None else response.status < 300, f"{path}: {text}"
            return await response.json() if text else None

    async def get(self, path: str, *, by: str = "root") -> Any:
        """What stands at an address."""
        return await self.ask("GET", path, by=by)

    async def items(self, path: str, *, by: str = "root") -> list[dict[str, Any]]:
        """The first page of a list."""
        return list((await self.get(path, by=by))["items"])

    async def post(self, path: str, body: Any = None, *, by: str = "ivan", status: int | None = None) -> Any:
        """What a POST answers."""
        return await self.ask("POST", path, body or {}, by=by, status=status)

    async def patch(self, path: str, body: Any, *, by: str = "ivan", status: int | None = None) -> Any:
        """What a PATCH answers."""
        return await self.ask("PATCH", path, body, by=by, status=status)

    async def tasks(self, **equal: Any) -> list[dict[str, Any]]:
        """The open tasks with these values."""
        found = await self.items("/tasks?state=open&limit=1000")
        return [each for each in found if all(each[key] == value for key, value in equal.items())]

    async def task(self, title: str, **equal: Any) -> dict[str, Any]:
        """The one open task whose title begins so."""
        found = [each for each in await self.tasks(**equal) if each["title"].startswith(title)]
        assert len(found) == 1, f"«{title}»: {[each['title'] for each in await self.tasks()]}"
        return found[0]

    async def stage(self, deal_id: int) -> str:
        """Where a card stands."""
        return str((await self.get(f"/deals/{deal_id}"))["stage"])

    async def becomes(self, deal_id: int, stage: str) -> None:
        """Wait until a card stands there: what providers push takes its time."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in self.hub.live.follow(0):
                if await self.stage(deal_id) == stage:
                    return

    async def deals(self, pipeline: str) -> list[dict[str, Any]]:
        """The cards of a pipeline."""
        return [each for each in await self.items("/deals?limit=1000") if each["pipeline"] == pipeline]

    # ------------------------------------------------------------ clients

    async def form(self, **fields: str) -> None:
        """A client fills in the form of the site."""
        async with self.session.post("/in/web/site?key=site-key", json=fields) as response:
            assert response.status < 300, await response.text()

    async def client(self, identity: str) -> dict[str, Any]:
        """Who holds an identity, as soon as somebody does: what providers push takes its time."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in self.hub.live.follow(0):
                found = await self.items(f"/contacts?identity={identity.replace('+', '%2B')}")
                if found:
                    return found[0]
        raise AssertionError("the hub ended")

    # ------------------------------------------------------------ time

    async def until(self, moment: datetime) -> None:
        """Let time pass, stopping at every deadline on the way."""
        while True:
            await self.settled()
            due = await self.hub.store.read(queues.next_deadline)
            if due is None or due > moment:
                break
            self.clock.advance(max(due - self.clock.now(), timedelta(0)))
        self.clock.advance(max(moment - self.clock.now(), timedelta(0)))
        await self.settled()

    async def until_day(self, day: str) -> None:
        """The same until noon of a day, in the office's zone (`YYYY-MM-DD`)."""
        zone = ZoneInfo(self.hub.store.office.time_zone)
        await self.until(datetime.combine(date.fromisoformat(day), time(12), zone))

    async def passes(self, **time: float) -> None:
        """The same for a while: `days`, `hours`, `minutes`."""
        await self.until(self.clock.now() + timedelta(**time))

    async def settled(self) -> None:
        """Everything that is due has been done, and everybody here knows of it."""
        async with asyncio.timeout(PATIENCE_S * 4):
            while True:
                await self.hub.deadlines.fire_due()
                due = await self.hub.store.read(queues.next_deadline)
                if due is None or due > self.clock.now():
                    # What is worked out once a day looks at the clock by itself; here nobody waits for it to look.
                    await self.hub.scoring.turn()
                    return
                await asyncio.sleep(0)


def token_of(login: str) -> str:
    """The API token of a person."""
    return f"hub_token-of-{login}"


@asynccontextmanager
async def company(
    preset: str,
    folder: Path,
    people: People = OFFICE,
    providers: Mapping[str, Provider] | None = None,
    settings: str = "",
    accounts: str = "",
    clock: DrivenClock | None = None,
    password_hash: str | None = None,
) -> AsyncIterator[Company]:
    """A hub with a preset applied, on an embedded database in `folder`. `accounts` are keys of every account, by the
    password of `password_hash` everybody can log in."""
    port, clock = free_port(), clock or DrivenClock()
    async with AsyncExitStack() as stack:
        tables = []
        for provider in (providers or {}).values():
            tables.append(await provider.open(folder, port) + accounts)
            stack.push_async_callback(provider.close)
        hub = build(
            parse_settings("\n".join([basics(port, folder), _SITE + accounts, settings, *tables]), folder=folder),
            clock=clock,
        )

        def hire(desk: Desk) -> None:
            for number, (login, name, role, group) in enumerate(people):
                known = NewUser(login, name, role, group=group, telegram_id=900_000 + number)
                add_user(desk, replace(known, password_hash=password_hash))
                add_token(desk, login, token_digest(token_of(login)))
            applied(desk, parsed(presets.text(preset), preset), "root")

        url = await stack.enter_async_context(serving(hub, port, hire))
        session = await stack.enter_async_context(ClientSession(url))
        for provider in (providers or {}).values():
            await provider.begin()
        yield Company(hub, clock, session)


__all__ = ["OFFICE", "Company", "company", "token_of"]
