"""`hub run`: the hub until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import typer
from aiohttp import web

from crm_core.storage.users import anybody
from hub.cli import garbage
from hub.cli.output import Failure
from hub.log import configure_logging, get_logger
from hub.settings import Endpoint, Settings, load_settings

log = get_logger(__name__)

_DRAIN_S = 10.0
_MOST_FILES = 65_536
# A database that does not answer would be waited for without end; nothing that was acknowledged is lost by going.
_LAST_RESORT_S = 14.0
_STOPPED_BY = (signal.SIGTERM, signal.SIGINT)


def run_hub() -> None:
    """Run until SIGTERM or SIGINT, then let what was begun end. Raises Failure where an address is taken."""
    settings = load_settings()
    configure_logging(settings.log, secrets=settings.secrets())
    _allow_connections()
    last_resort = threading.Timer(_LAST_RESORT_S, _leave)
    last_resort.daemon = True
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(settings, last_resort.start))
    finally:
        last_resort.cancel()


def _allow_connections() -> None:
    """As many open files as the machine lets us have, up to a bound: each open window of a visitor is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _leave() -> None:
    log.error("the hub could not stop in good order in time; what waits goes on after the next start")
    os._exit(1)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is to be had."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(settings: Settings, ending: Callable[[], None] = lambda: None) -> None:
    from hub.app import create_app
    from hub.bootstrap import build

    gc.freeze()  # nothing that was loaded is garbage
    gc.enable()
    collecting = asyncio.create_task(garbage.keep_aside(), name="garbage")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPED_BY:
        loop.add_signal_handler(number, stop.set)
    hub = build(settings)
    runner = web.AppRunner(create_app(hub), access_log=None, handle_signals=False, shutdown_timeout=_DRAIN_S)
    try:
        if not await _before(stop, hub.start()):
            return
        await runner.setup()
        garbage.put_aside()
        await _listen(runner, settings.http)
        typer.echo(f"hub: {_visited(settings, runner)}")
        if not await hub.store.read(anybody):
            typer.echo("Пользователей ещё нет: первый, кто откроет эту страницу, заводит администратора.")
        sys.stdout.flush()
        await stop.wait()
        log.info("stopping")
    finally:
        ending()
        collecting.cancel()
        await runner.cleanup()
        await hub.stop()


async def _before(stop: asyncio.Event, beginning: Coroutine[Any, Any, None]) -> bool:
    """Begin, unless told to stop meanwhile: a database that is away is waited for without end."""
    starting = asyncio.create_task(beginning, name="start")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    begun = starting.done()
    for task in (starting, stopping):
        task.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    if begun:
        starting.result()  # raises what went wrong
    else:
        await asyncio.gather(starting, return_exceptions=True)
    return begun


async def _listen(runner: web.AppRunner, where: Endpoint) -> None:
    try:
        await web.TCPSite(runner, where.host, where.port).start()
    except OSError as err:
        mend = "is another hub running? HUB_HTTP or http in hub.toml names another address"
        raise Failure(f"can't listen on {where}: {err.strerror or err}; {mend}") from err


def _visited(settings: Settings, runner: web.AppRunner) -> str:
    """Where the pages are; with port 0 the one that was found."""
    if settings.public_url is not None or settings.http.port or not runner.addresses:
        return settings.base_url
    host, port = runner.addresses[0][:2]
    return f"http://{Endpoint(host, port)}"
