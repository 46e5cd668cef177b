"""The company's hub: its messengers' servers and its telephones around it, weeks behind it, people at their desks."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web
from argon2 import PasswordHasher

from crm_core import presets
from crm_core.services.configuration.applying import applied
from crm_core.services.desk import Desk
from crm_core.storage.migrate import migrate
from crm_core.storage.users import UserChange, add_user, update_user
from hub.access.security import Passwords
from hub.app import create_app
from hub.bootstrap import Hub, build
from hub.demo.peers.bot_api.account import Access
from hub.demo.peers.bot_api.server import Bot, BotApiServer
from hub.demo.peers.vk import VkServer
from hub.office.presets import parsed
from hub.settings import Settings, parse_settings
from hub.web.pages import PAGES
from screenshots.clients import Client, Waiting, Way, clients
from screenshots.exchange import Exchange
from screenshots.firm import (
    BOT_TOKEN,
    STAFF,
    VK_CONFIRMATION,
    VK_GROUP,
    VK_TOKEN,
    PlayedClock,
    Ports,
    configuration,
)
from screenshots.story import Story, day_of_pictures

MOSCOW = ZoneInfo("Europe/Moscow")
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True, slots=True)
class Firm:
    """The hub as it is to be seen: where it is, its clock, its telephones."""

    url: str
    hub: Hub
    clock: PlayedClock
    pbx: Exchange

    async def one(self, sql: str, value: object) -> int:
        """The id that a statement finds; raises LookupError."""
        rows = await self.hub.store.read(lambda conn: list(conn.exec_driver_sql(sql, (value,))))
        if not rows or rows[0][0] is None:
            raise LookupError(f"{sql}: {value}")
        return int(rows[0][0])


def moment_of_pictures(now: datetime) -> datetime:
    """The afternoon of the last day of work: the same time of day whenever the pictures are taken."""
    day = day_of_pictures(now.astimezone(MOSCOW).date())
    return datetime(day.year, day.month, day.day, 14, 37, 20, tzinfo=MOSCOW)


@contextlib.asynccontextmanager
async def new_hub(folder: Path, show: datetime) -> AsyncIterator[str]:
    """The address of a hub that nobody has entered yet."""
    ports = Ports.free()
    text = f'http = "127.0.0.1:{ports.http}"\ndatabase_url = "sqlite+aiosqlite:///{folder}/new.sqlite3"\n'
    settings = parse_settings(text + f'files = "{folder}/new-files"\n', folder=folder)
    hub = build(settings, clock=PlayedClock(show))
    await hub.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(hub.stop)
        await _serve(hub, ports, stack)
        yield ports.url


@contextlib.asynccontextmanager
async def firm(folder: Path, show: datetime) -> AsyncIterator[Firm]:
    """The company at the moment of the pictures; what a folder holds already is not told once more.

    Raises PeerError, OSError where something does not start."""
    ports = Ports.free()
    clock = PlayedClock(show - timedelta(days=60))
    async with contextlib.AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(BotApiServer(clock=clock))
        vk = await stack.enter_async_context(VkServer(clock=clock))
        pbx = Exchange("secret", ("127.0.0.1", ports.agi), ports.ami, now=lambda: clock.now().timestamp())
        pbx.phones = {each.extension: 0.2 for each in STAFF if each.extension}
        stack.push_async_callback(pbx.stop)
        await pbx.start()
        (folder / "monitor").mkdir(exist_ok=True)
        settings = parse_settings(configuration(ports, telegram.url, vk.url, folder), folder=folder)
        bot = telegram.bot(BOT_TOKEN, username="okna_bot", first_name="Окна и балконы")
        community = vk.community(VK_GROUP, VK_TOKEN, "Окна и балконы")
        community.hook(f"{ports.url}/in/vk/okna", "vk-secret", VK_CONFIRMATION)
        everybody, waiting = clients()
        people: tuple[Client | Waiting, ...] = (*everybody, *waiting)
        for each in people:
            if each.way is Way.TELEGRAM:
                _knows(bot, int(each.ident), each.name)
            elif each.way is Way.VK:
                first, _, last = each.name.partition(" ")
                community.user(int(each.ident), first, last)
                community.dialogue(int(each.ident)).open = True
        for member in STAFF:
            _knows(bot, member.telegram_id, member.name)
        if not (folder / "hub.sqlite3").exists():
            await _past(settings, clock, show)
        clock.set(show)
        hub = build(settings, clock=clock)
        stack.push_async_callback(hub.stop)
        await hub.start()
        await _serve(hub, ports, stack)
        yield Firm(ports.url, hub, clock, pbx)


def _knows(bot: Bot, ident: int, name: str) -> None:
    first, _, last = (name or "?").partition(" ")
    bot.user(id=ident, first_name=first, last_name=last or None).room.access = Access.OPEN


async def _past(settings: Settings, clock: PlayedClock, show: datetime) -> None:
    """All that happened so far, told to a hub that serves nobody."""
    hub = build(replace(settings, pbx=()), clock=clock)
    await migrate(hub.store.database)
    await hub.live.start()
    await hub.configured.start()

    def furnish(desk: Desk) -> None:
        applied(desk, parsed(presets.text("windows"), "windows"), "root")
        for member in STAFF:
            add_user(desk, member.entered())

    await hub.store.run(furnish)
    await hub.directory.start()
    hub.intake.start()
    for channel in hub.channels.values():
        if channel.key.channel in {"telegram", "vk"}:
            await channel.start(hub.intake)
    try:
        everybody, waiting = clients()
        story = Story(hub, clock, show)
        await story.tell(everybody, waiting)
        await hub.store.run(lambda desk: update_user(desk, "olga", UserChange(do_not_disturb=True)))
    finally:
        await hub.stop()


async def _serve(hub: Hub, ports: Ports, stack: contextlib.AsyncExitStack) -> None:
    app = create_app(hub)
    app[PAGES].passwords = Passwords(_CHEAP)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ports.http).start()
