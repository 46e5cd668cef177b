"""`hub check`: every connection tried; what is wrong is told together with how to mend it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import typer

from crm_core.errors import CoreError
from crm_core.ports import Channel
from crm_core.storage.database import Database
from crm_core.storage.migrate import current, head, migrate
from crm_core.storage.staff import load_staff
from crm_core.storage.users import count_users
from hub.accounts.findings import proved
from hub.accounts.places import why_not
from hub.cli.checking_provider import try_provider
from hub.cli.finding import Finding
from hub.cli.output import print_json, printable
from hub.cli.working import settings_for_command
from hub.redaction import Redactor
from hub.settings import Endpoint, Settings, SettingsError
from hub.settings.checks import lines_without_pbx
from hub.settings.office import office_of
from hub.settings.staffing import contradictions

if TYPE_CHECKING:
    from hub.bootstrap import Hub

_PATIENCE_S = 20.0
_ANSWER_S = 3.0


def run_checks(*, as_json: bool) -> int:
    """Try everything, print what was found; 1 where something is wrong, else 0."""
    try:
        settings = settings_for_command()
    except SettingsError as err:
        findings = [Finding("configuration", False, str(problem)) for problem in err.problems]
    else:
        from hub.bootstrap import build  # takes seconds: before the loop, so that no trial seems slow for it

        hub = build(settings)
        found = asyncio.run(_try_everything(settings, hub))
        redactor = Redactor(hub.configured.settings.secrets())
        findings = [Finding(each.part, each.ok, redactor.text(each.detail)) for each in found]
    wrong = [each for each in findings if not each.ok]
    if as_json:
        print_json({"ok": not wrong, "parts": [asdict(each) for each in findings]})
        return 1 if wrong else 0
    for each in findings:
        typer.echo(f"{'[ok]' if each.ok else '[!!]'} {each.part}: {printable(each.detail)}")
    typer.echo("Всё в порядке." if not wrong else f"Не в порядке: {len(wrong)}.")
    return 1 if wrong else 0


async def _try_everything(settings: Settings, hub: Hub) -> list[Finding]:
    source = str(settings.file) if settings.file is not None else "hub.toml нет, действуют значения по умолчанию"
    findings = [Finding("configuration", True, source)]
    # First: the accounts of the record are tried too.
    findings += await _bounded("database", _database(settings))
    findings += await _bounded("accounts", _accounts(hub))
    now = hub.configured.settings
    tries: list[Awaitable[list[Finding]]] = [
        _bounded("files", asyncio.to_thread(_files, settings.files)),
        _bounded("listeners", _listeners(now)),
    ]
    if settings.redis_url is not None:
        tries.append(_bounded("redis", _redis(settings)))
    if settings.oidc is not None:
        tries.append(_bounded("oidc", try_provider(settings, settings.oidc)))
    tries.append(_channels(hub))
    for found in await asyncio.gather(*tries):
        findings.extend(found)
    return findings


async def _bounded(part: str, trial: Awaitable[list[Finding]]) -> list[Finding]:
    """A trial that is over in time whatever happens."""
    try:
        return await asyncio.wait_for(trial, _PATIENCE_S)
    except TimeoutError:
        return [Finding(part, False, f"нет ответа за {_PATIENCE_S:.0f} с: проверьте адрес и сеть")]


# ---------------------------------------------------------------- the record


async def _database(settings: Settings) -> list[Finding]:
    database: Database | None = None
    try:
        database = Database(settings.database_url.reveal(), pool_size=1)
        revision = await database.read(current)
        if revision is None:
            revision = await migrate(database)
        await database.write(_writable)
        note = "" if revision == head() else f"; схема обновится до {head()} при запуске"
        people = await database.read(lambda conn: count_users(conn, None)) if not note else 0
        wrong = contradictions(office_of(settings), await database.read(load_staff)) if not note else ()
        await database.stop()
    except (CoreError, OSError) as err:
        if database is not None:
            await database.stop()
        return [Finding("database", False, f"{settings.database_url}: {err}; проверьте database_url и сам сервер")]
    first = "" if people or note else "; пользователей нет: первый вход на страницу заведёт администратора"
    found = [Finding("database", True, f"{settings.database_url}, схема {revision}{note}{first}")]
    return found + [Finding("people", False, each) for each in wrong]


def _writable(_: object) -> None:
    """Nothing to write: beginning and committing a write is the trial."""


def _files(folder: Path) -> list[Finding]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as err:
        mend = "дайте хабу право писать в эту папку или укажите другую (files)"
        return [Finding("files", False, f"{folder}: {err.strerror or err}; {mend}")]
    return [Finding("files", True, str(folder))]


async def _redis(settings: Settings) -> list[Finding]:
    import redis.asyncio
    from redis.exceptions import RedisError

    url = settings.redis_url
    if url is None:
        return []
    try:
        waits = {"socket_timeout": _ANSWER_S, "socket_connect_timeout": _ANSWER_S}
        async with redis.asyncio.from_url(url.reveal(), **waits) as link:
            await link.ping()
    except (RedisError, OSError, ValueError) as err:
        mend = 'проверьте redis_url; без Redis хаб работает в одном процессе (redis_url = "")'
        return [Finding("redis", False, f"{url}: {err}; {mend}")]
    return [Finding("redis", True, f"{url} отвечает")]


# ---------------------------------------------------------------- where the hub listens


def _places(settings: Settings) -> Iterator[tuple[str, Endpoint, str]]:
    for pbx in settings.pbx:
        yield f"agi:{pbx.name}", pbx.agi, f"[[pbx]] {pbx.name}: agi"
    seen: set[Endpoint] = set()
    for mailbox in settings.email:
        if mailbox.listen is not None and mailbox.listen not in seen:
            seen.add(mailbox.listen)
            yield f"smtp:{mailbox.name}", mailbox.listen, f"[[email]] {mailbox.name}: listen"


async def _listeners(settings: Settings) -> list[Finding]:
    running = await _hub_answers(settings.http)
    findings = [_place("http", settings.http, "http", running=running)]
    findings.extend(_place(part, where, key, running=running) for part, where, key in _places(settings))
    return findings


def _place(part: str, where: Endpoint, key: str, *, running: bool) -> Finding:
    """Whether the hub can listen there; while it runs, whether it does."""
    wrong = why_not(where)
    if wrong is None:
        if running and part != "http" and where.port:
            return Finding(part, False, f"{where}: хаб запущен, но здесь не слушает; смотрите его журнал и /readyz")
        return Finding(part, True, f"{where} свободен")
    if running:
        return Finding(part, True, f"{where}: хаб запущен и слушает")
    return Finding(part, False, f"{where}: {wrong}; укажите другой адрес ({key}) или остановите ту программу")


async def _hub_answers(where: Endpoint) -> bool:
    """Whether a hub runs on the HTTP address already."""
    if not where.port:
        return False
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(where.host, where.host)  # noqa: S104 - compared, not bound
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{Endpoint(host, where.port)}/readyz") as answer,
        ):
            told = await answer.json(content_type=None)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return False
    return isinstance(told, dict) and "parts" in told


# ---------------------------------------------------------------- channels


async def _accounts(hub: Hub) -> list[Finding]:
    """Have those of the record at hand; where the record can't be read, that is told already."""
    try:
        if await hub.store.database.read(current) != head():
            return []
    except CoreError:
        return []  # told of the database
    try:
        await hub.configured.start()
        await hub.accounts.prepare()
    except (CoreError, OSError) as err:
        return [Finding("accounts", False, f"аккаунты, заведённые в самом хабе, не прочесть: {err}")]
    return [
        Finding("lines", False, str(each))
        for each in lines_without_pbx(hub.configured.settings, len(hub.settings.lines))
    ]


async def _channels(hub: Hub) -> list[Finding]:
    try:
        found = await asyncio.gather(*(_bounded(str(key), _channel(each)) for key, each in hub.channels.items()))
    finally:
        await hub.store.database.stop()
    return [finding for findings in found for finding in findings]


async def _channel(channel: Channel) -> list[Finding]:
    found = await proved(channel)
    wrong = next((each for each in found if not each.ok), None)
    told = "; ".join(each.detail for each in found if each.detail)
    if wrong is None:
        return [Finding(str(channel.key), True, told)]
    return [Finding(str(channel.key), False, f"{wrong.detail}. {wrong.mend}" if wrong.mend else wrong.detail)]
