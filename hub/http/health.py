"""Whether the process lives, whether facts can be taken in, and what is counted."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from crm_core.errors import CoreError
from crm_core.storage.queries import health
from crm_core.wording import Sentence
from hub.bootstrap import Hub
from hub.http.keys import HUB
from hub.log import get_logger

log = get_logger(__name__)

_PATIENCE_S = 3.0


async def healthz(_request: web.Request) -> web.Response:
    """The process lives and its loop turns."""
    return _json({"ok": True}, 200)


async def readyz(request: web.Request) -> web.Response:
    """Every part and how it stands; 503 only where facts can't be taken in."""
    ok, parts = await parts_of(request.app[HUB])
    return _json({"ok": ok, "parts": parts}, 200 if ok else 503)


async def parts_of(hub: Hub) -> tuple[bool, dict[str, dict[str, str]]]:
    """Whether facts can be taken in, and every part with its `state` and `detail`."""
    database = await _database(hub)
    intake = {"state": "open", "detail": ""} if hub.intake.ready else {"state": "closed", "detail": "closed or full"}
    parts: dict[str, dict[str, str]] = {"database": database, "intake": intake}
    for key, channel in hub.channels.items():
        parts[str(key)] = {"state": channel.health.state.value, "detail": channel.health.detail}
    if hub.live.passed_over:
        told = Sentence(
            "{count} changes were passed over that break a part of the hub: they are tried again, its log tells why",
            count=hub.live.passed_over,
        )
        parts["feed"] = {"state": "trouble", "detail": told}
    parts.update(hub.recordings.parts)
    if hub.wake is not None:
        parts["redis"] = {"state": "connected" if hub.wake.connected else "reconnecting", "detail": hub.wake.detail}
    return database["state"] == "connected" and hub.intake.ready, parts


async def metrics(request: web.Request) -> web.Response:
    """What Prometheus reads."""
    body = request.app[HUB].metrics.render()
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _database(hub: Hub) -> dict[str, str]:
    """Whether it answers; after a failed write also whether it takes what is written again."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await hub.store.read(health.answers)
            if hub.intake.failing is not None:
                await hub.store.database.write(health.takes_writes)
    except TimeoutError:
        return {"state": "unavailable", "detail": f"no answer within {_PATIENCE_S:.0f} s"}
    except CoreError as err:
        log.warning("the database is not ready", error=str(err))
        return {"state": "unavailable", "detail": "it can't be reached, or takes nothing"}
    except Exception:
        log.exception("the database is not as it should be")
        return {"state": "unavailable", "detail": "it answers with an error; the log tells more"}
    return {"state": "connected", "detail": ""}


def _json(value: dict[str, Any], status: int) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(value),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
