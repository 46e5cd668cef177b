"""`hub demo`: the hub itself, real peers around it, a day at the office in half a minute, then a look around.

DEMO_SECONDS=n ends it by itself after n seconds, but not before the story is told. Exit code 0: everything arrived;
1: something did not, and it is said what.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from hub.clock import SystemClock
from hub.demo.api import HubApi
from hub.demo.office import ADMIN, CONFIRMATION, GROUP, LINE, STAFF, Keys, Ports, configuration, staff_the_office
from hub.demo.peers.errors import PeerError
from hub.demo.peers.process import PeerProcess, free_port
from hub.demo.screen import Screen, Who, quoted
from hub.demo.site import website
from hub.demo.story import Scene, Story, Verdict, World
from hub.demo.telephones import AsteriskTelephones, ScriptedTelephones, Telephones, real_trees
from hub.demo.watch import Watch, named, shown, spaced
from hub.settings import Settings, parse_settings

if TYPE_CHECKING:
    from hub.demo.peers.bot_api import Bot
    from hub.demo.peers.vk import Community

SECONDS = "DEMO_SECONDS"
DONE, FAILED, WRONG_USE = 0, 1, 2
_HUB_STARTS_WITHIN_S = 180.0
_SETTLE_S = 2.0
# What the visitor has set for their own hub must not reach this one.
_OWN = ("HUB_PEERS", "HUB_TEST_", "HUB_DEMO_")


def main(arguments: Sequence[str] = ()) -> int:
    """Run the demonstration; returns the exit code."""
    seconds = os.environ.get(SECONDS, "").strip()
    if arguments or (seconds and not seconds.isdigit()):
        print(f"hub demo takes no arguments; {SECONDS}=60 ends it by itself", file=sys.stderr)
        return WRONG_USE
    for name in [name for name in os.environ if name.startswith("HUB_") and not name.startswith(_OWN)]:
        del os.environ[name]
    # A short path: the name of a socket in the file system may not be long.
    folder = Path(tempfile.mkdtemp(prefix="hub-demo-", dir="/tmp"))
    ending = Ending(FAILED, logs=True)
    try:
        ending = asyncio.run(_run(folder, float(seconds) if seconds else None))
    finally:
        if ending.logs:
            print(f"  Журналы хаба и АТС: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return ending.code


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: the exit code, and whether somebody will want to look into the logs."""

    code: int
    logs: bool


async def _run(folder: Path, seconds: float | None) -> Ending:
    began = time.monotonic()
    task = asyncio.current_task()
    stopping = asyncio.Event()

    def stop() -> None:
        stopping.set()
        if task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    screen = Screen()
    verdict: Verdict | None = None
    try:
        async with _office(folder, screen) as (story, watch, bot, look):
            telling = asyncio.create_task(_tell_what_staff_hears(bot, screen), name="demo: staff")
            watching = asyncio.create_task(watch.run(), name="demo: watch")
            try:
                screen.title("Что происходит")
                verdict = await story.play()
                await asyncio.sleep(_SETTLE_S)
                _summary(screen, watch, verdict)
                _look_around(screen, look, ends=seconds is not None)
                await _stay(None if seconds is None else seconds - (time.monotonic() - began))
            finally:
                for each in (telling, watching):
                    each.cancel()
                await asyncio.gather(telling, watching, return_exceptions=True)
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
    except (PeerError, TimeoutError, OSError) as err:
        screen.say(f"Не запустилось: {err}", "bold red")
        return Ending(FAILED, logs=True)
    if verdict is None:
        screen.say("Прервано раньше, чем всё пришло.")
        return Ending(FAILED, logs=False)
    return Ending(FAILED, logs=True) if verdict.missing else Ending(DONE, logs=False)


@contextlib.asynccontextmanager
async def _office(folder: Path, screen: Screen) -> AsyncIterator[tuple[Story, Watch, Bot, tuple[tuple[str, str], ...]]]:
    """Everything started in order; everything stopped in the reverse order, whatever happens."""
    screen.title("Хаб отдела продаж: показ на живых протоколах")
    screen.say("Запускаю АТС, серверы Telegram и ВКонтакте и сам хаб…", "dim")
    trees = real_trees()
    real = AsteriskTelephones(folder, trees) if not isinstance(trees, str) else None
    keys, bot_api, vk = Keys.new(), free_port(), free_port()
    ports = Ports.free(
        ami=real.office.ami_port if real is not None else free_port(),
        bot_api=f"http://127.0.0.1:{bot_api}",
        vk=f"http://127.0.0.1:{vk}/method",
    )
    settings = _configure(folder, ports, keys, real.office.run if real is not None else None)
    tokens = await staff_the_office(settings, SystemClock(), keys.password)
    async with contextlib.AsyncExitStack() as stack:
        log = folder / "hub.log"
        hub = await PeerProcess.start(
            [sys.executable, "-m", "hub", "run"], output=log, cwd=folder, env={"HUB_CONFIG": str(folder / "hub.toml")}
        )
        stack.push_async_callback(hub.stop)
        # The hub reads its modules meanwhile, and knocks until its peers are there.
        bot = await _telegram(bot_api, keys, stack)
        community = await _vk(vk, ports, keys, stack)
        telephones = await _telephones(real, settings, ports, keys, screen, stack)
        if isinstance(trees, str):
            _without_asterisk(screen, trees)
        api = await stack.enter_async_context(HubApi(ports.url, tokens.of(ADMIN)))
        await _ready(hub, api)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await stack.enter_async_context(website(ports))
        screen.begin()
        _introduce(screen, telephones, ports, folder)
        watch = Watch(api, screen)
        story = Story(World(telephones, bot, community, ports, keys, tokens, api, http), watch, screen)
        await story.prepare()
        look = (
            ("страница", ports.url),
            ("логин", ADMIN),
            ("пароль", keys.password),
            ("сайт с чатом", f"{ports.site_url} (напишите там, ответьте на карточке)"),
            ("журнал хаба", str(log)),
        )
        stack.callback(screen.say, "Останавливаюсь…", "dim")
        yield story, watch, bot, look


async def _telephones(
    real: AsteriskTelephones | None,
    settings: Settings,
    ports: Ports,
    keys: Keys,
    screen: Screen,
    stack: contextlib.AsyncExitStack,
) -> Telephones:
    """The exchange, started: the real one, or the script where there is none or it does not boot."""
    if real is not None:
        real.configure(settings)
        stack.push_async_callback(real.stop)
        try:
            await real.start()
        except (PeerError, OSError) as err:
            _without_asterisk(screen, str(err).strip().splitlines()[-1])
        else:
            return real
    scripted = ScriptedTelephones(ports, keys.ami)
    stack.push_async_callback(scripted.stop)
    await scripted.start()
    return scripted


def _without_asterisk(screen: Screen, why: str) -> None:
    text = "Asterisk здесь не запустить, звонки сыграет сценарий по тем же протоколам (FastAGI, AMI)"
    screen.say(f"{text}: {why}", "yellow")


def _configure(folder: Path, ports: Ports, keys: Keys, exchange: Path | None) -> Settings:
    text = configuration(ports, keys, exchange)
    file = folder / "hub.toml"
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    return parse_settings(text, folder=folder)


async def _telegram(port: int, keys: Keys, stack: contextlib.AsyncExitStack) -> Bot:
    """The Bot API server with the firm's bot. The staff pressed Start at some time, so it may write to them."""
    from hub.demo.peers.bot_api import Access, BotApiServer

    telegram = BotApiServer(port=port)
    await stack.enter_async_context(telegram)
    bot = telegram.bot(keys.bot, username="okna_bot", first_name="Окна")
    for member in STAFF:
        first, _, last = member.name.partition(" ")
        bot.user(id=member.telegram_id, first_name=first, last_name=last).room.access = Access.OPEN
    return bot


async def _vk(port: int, ports: Ports, keys: Keys, stack: contextlib.AsyncExitStack) -> Community:
    """The VK server with the firm's community, which posts its events to the hub."""
    from hub.demo.peers.vk import VkServer

    server = VkServer(port=port)
    await stack.enter_async_context(server)
    community = server.community(GROUP, keys.vk, "Окна и балконы")
    community.hook(f"{ports.url}/in/vk/okna", keys.vk_secret, CONFIRMATION)
    return community


async def _ready(hub: PeerProcess, api: HubApi) -> None:
    """Wait until the hub is up; raises PeerError, with what it printed, where it does not come up."""
    waiting = asyncio.create_task(api.ready(_HUB_STARTS_WITHIN_S))
    ending = asyncio.create_task(hub.wait())
    done, pending = await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    if ending in done:
        raise hub.gone("the hub")
    try:
        waiting.result()
    except TimeoutError as err:
        raise PeerError(f"the hub is not ready after {_HUB_STARTS_WITHIN_S:.0f} s ({err}): {hub.printed()}") from err


def _introduce(screen: Screen, telephones: Telephones, ports: Ports, folder: Path) -> None:
    screen.facts(
        [
            ("АТС", f"{telephones.what}, номер {spaced(LINE)}"),
            ("хаб", f"{ports.url}, база SQLite, данные в {folder}"),
            ("Telegram", f"строгий местный сервер Bot API, {ports.bot_api}"),
            ("ВКонтакте", f"строгий местный сервер, Callback API, {ports.vk}"),
            ("сайт", f"страница с чатом, {ports.site_url}"),
            ("почта", f"приём по SMTP, 127.0.0.1:{ports.smtp}"),
            (
                "сотрудники",
                ", ".join(f"{each.name}{f' ({each.extension})' if each.extension else ''}" for each in STAFF),
            ),
            ("лестница", "0 с менеджер, 6 с контролёр, 12 с директор (в жизни: сразу и через сутки)"),
        ]
    )


async def _tell_what_staff_hears(bot: Bot, screen: Screen) -> None:
    """Print every message that the bot's server received for somebody of the office."""
    by_id = {member.telegram_id: member for member in STAFF}
    seen = 0
    while True:
        sent = (await bot.sent.wait_count(seen + 1, patience=86_400))[seen]
        seen += 1
        member = by_id.get(sent.chat_id)
        if member is not None:
            who = Who.LADDER if sent.buttons() else Who.STAFF
            screen.line(who, f"{member.dative} в Telegram: {quoted(sent.text)}")


def _summary(screen: Screen, watch: Watch, verdict: Verdict) -> None:
    screen.title("Что пришло и что из этого вышло")
    columns = ("время", "пришло", "контакт", "лид, источник", "менеджер", "обращение")
    screen.table(columns, [_row(watch, scene) for scene in verdict.scenes])
    if verdict.missing:
        screen.say("Пришло не всё:", "bold red")
        for what in verdict.missing:
            screen.say(f"· {what}", "red")
    else:
        screen.say("Пришло всё: ни один клиент не потерян.", "bold green")


def _row(watch: Watch, scene: Scene) -> tuple[str, ...]:
    contact, lead, case = watch.who(scene.identity), watch.lead_of(scene.identity), watch.case_of(scene.identity)
    state = {"open": "ждёт ответа", "closed": "закрыто"}
    if lead is None:
        enquiry = "свой клиент, лида нет" if contact is not None and contact.manager else "нет"
    else:
        enquiry = lead.source + "".join(f"\n{mark}" for mark in lead.utm)
    manager = (lead.manager if lead is not None else None) or (contact.manager if contact is not None else None)
    client = shown(contact) if contact is not None else "нет"
    return scene.at, scene.title, client, enquiry, named(manager), state[case.state] if case is not None else "нет"


def _look_around(screen: Screen, look: Sequence[tuple[str, str]], *, ends: bool) -> None:
    screen.title("Посмотрите сами")
    screen.facts(look)
    if not ends:
        screen.say("Хаб работает дальше. Ctrl-C закончит показ и всё за собой уберёт.", "dim")


async def _stay(seconds: float | None) -> None:
    """Until the time is over; without a time until the visitor ends it."""
    if seconds is None:
        await asyncio.Event().wait()
    elif seconds > 0:
        await asyncio.sleep(seconds)
