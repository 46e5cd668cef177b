"""What other programs use: webhooks, the journal, events, health, metrics, the description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientTimeout

from crm_core.errors import IntakeFull, IntakeUnavailable, StorageUnavailable
from crm_core.ports import ChannelHealth, ChannelState
from tests.integration.http.world import MAX_WEBHOOK, World, later, token_of
from tests.integration.storage.world import message
from tests.patience import PATIENCE_S

SECRET = {"x-secret": "s3cret"}


async def test_a_webhook_takes_in_what_is_posted(world: World) -> None:
    body = {"id": 1, "client": 1001, "text": "Добрый день"}
    headers = {**SECRET, "X-Correlation-ID": "from-the-wire"}
    response = await world.client.post("/in/telegram/shop", json=body, headers=headers)
    assert (response.status, await response.json()) == (200, {"state": "done"})
    response = await world.client.post("/in/telegram/shop", json=body, headers=SECRET)
    assert await response.json() == {"state": "duplicate"}
    assert await world.count("timeline") == 1
    (fact,) = (await world.get("/journal", login="root"))["items"]
    assert fact["correlation_id"] == "from-the-wire"


async def test_a_webhook_with_a_wrong_secret_writes_nothing(world: World) -> None:
    response = await world.client.post("/in/telegram/shop", json={"id": 1, "client": 1, "text": "x"})
    assert response.status == 401
    assert await world.count("journal") == 0


async def test_a_webhook_takes_no_more_than_its_channel_says(world: World) -> None:
    response = await world.client.post("/in/telegram/shop", data=b"x" * (MAX_WEBHOOK + 1), headers=SECRET)
    assert response.status == 413
    assert response.content_type == "application/problem+json"
    assert await world.count("journal") == 0


@pytest.mark.parametrize("refusal", [IntakeFull(), IntakeUnavailable("x"), StorageUnavailable("x")])
async def test_a_provider_is_asked_to_come_again(world: World, refusal: Exception) -> None:
    world.shop.refusal = refusal
    response = await world.client.post("/in/telegram/shop", json={}, headers=SECRET)
    assert response.status == 503
    assert int(response.headers["Retry-After"]) >= 1


async def test_the_journal_shows_and_replays_what_failed(world: World) -> None:
    await world.client.post("/in/telegram/shop", data=b'{"id": 1, "client": 1001}', headers=SECRET)
    await world.client.post("/in/telegram/shop", data=b'{"id": 2, "client": 1001, "text": "x"}', headers=SECRET)
    (fact,) = (await world.get("/journal", params={"state": "failed"}, login="root"))["items"]
    assert "text" in fact["error"]
    assert len((await world.get("/journal", login="root"))["items"]) == 2
    whole = await world.get(f"/journal/{fact['id']}", login="root")
    assert whole["raw"] == '{"id": 1, "client": 1001}'
    # Not understood still.
    replayed = await world.post(f"/journal/{fact['id']}/replay", login="root", status=200)
    assert replayed["state"] == "failed"
    # Mended: the channel learnt to read it (here the raw form is mended instead).
    raw = b'{"id": 1, "client": 1001, "text": "\xd0\xb4\xd0\xb0"}'
    mark = "?" if world.hub.store.database.sqlite else "$1"
    await world.hub.store.database.write(
        lambda conn: conn.exec_driver_sql(f"UPDATE journal SET raw = {mark} WHERE state = 'failed'", (raw,)).rowcount
    )
    key = {"Idempotency-Key": "k"}
    done = await world.post(f"/journal/{fact['id']}/replay", login="root", headers=key)
    assert done["state"] == "done"
    assert await world.post(f"/journal/{fact['id']}/replay", login="root", headers=key) == done
    await world.post(f"/journal/{fact['id']}/replay", login="root", status=409)
    await world.post("/journal/1/replay", login="root", status=404)
    assert (await world.get("/journal", params={"state": "failed"}, login="root"))["items"] == []


# ---------------------------------------------------------------- events


@asynccontextmanager
async def listening(world: World, **headers: str) -> AsyncIterator[ClientResponse]:
    timeout = ClientTimeout(total=PATIENCE_S)
    asked = {"Authorization": f"Bearer {token_of('ivan')}", **headers}
    async with world.client.get("/api/v1/events", headers=asked, timeout=timeout) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield response


async def events(response: ClientResponse, number: int) -> list[dict[str, str]]:
    """The next events, comments left out."""
    found: list[dict[str, str]] = []
    fields: dict[str, str] = {}
    while len(found) < number:
        line = (await response.content.readline()).decode().rstrip("\n")
        if line:
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
        elif "data" in fields:
            found.append(fields)
            fields = {}
        else:
            fields = {}
    return found


async def test_changes_are_told_as_they_are_committed(world: World) -> None:
    async with listening(world) as response:
        await response.content.readuntil(b"\n\n")
        made = await world.contact(name="Анна")
        (event,) = await events(response, 1)
    data = json.loads(event["data"])
    assert (event["event"], data["id"], data["contact_id"]) == ("contact", made["id"], made["id"])
    assert int(event["id"]) == data["position"] == world.hub.live.position


async def test_whoever_comes_back_misses_nothing(world: World) -> None:
    start = str(world.hub.live.position)
    await world.take(message(1001, "m1", later(1)))
    await world.contact(name="Анна")
    async with listening(world, **{"Last-Event-ID": start}) as response:
        first = await events(response, 1)
        while "id" not in first[-1]:
            first += await events(response, 1)
        assert {each["event"] for each in first} >= {"contact", "timeline", "lead", "contact_case"}
        rest = await events(response, 1)
    assert int(rest[0]["id"]) > int(first[-1]["id"])
    async with listening(world, **{"Last-Event-ID": first[-1]["id"]}) as response:
        assert await events(response, 1) == rest


async def test_signs_of_life_and_a_bounded_number_of_readers(world: World) -> None:
    async with listening(world) as one, listening(world):
        await one.content.readuntil(b": still here\n\n")
        headers = {"Authorization": f"Bearer {token_of('ivan')}"}
        refused = await world.client.get("/api/v1/events", headers=headers)
        assert refused.status == 503


async def test_a_reader_who_does_not_read_is_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.http.api.workspace.events.event_text", lambda _row: b": " + b"x" * 2_000_000 + b"\n\n")
    dropped = asyncio.Event()

    class Log:
        def info(self, event: str, **_: object) -> None:
            if "dropped" in event:
                dropped.set()

    monkeypatch.setattr("hub.http.api.workspace.events.log", Log())
    server = world.client.server
    reader, writer = await asyncio.open_connection(str(server.host), server.port)
    asked = f"GET /api/v1/events HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token_of('ivan')}\r\n\r\n"
    writer.write(asked.encode())
    async with asyncio.timeout(PATIENCE_S):
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        for number in range(10):  # more than the buffers of both ends hold
            await world.contact(name=f"Клиент {number}")
        await dropped.wait()
    writer.close()


async def test_streams_end_with_the_server(world: World) -> None:
    async with listening(world) as response:
        await world.client.server.close()
        async with asyncio.timeout(PATIENCE_S):
            assert b": hello" in await response.content.read()


async def test_what_is_no_place_in_the_stream(world: World) -> None:
    for wrong in ("x", "-1", "9" * 30):
        assert (await world.call("GET", "/events", headers={"Last-Event-ID": wrong})).status == 422


# ---------------------------------------------------------------- health, metrics, description


async def ready(world: World) -> tuple[int, Any]:
    response = await world.client.get("/readyz")
    return response.status, await response.json()


async def test_health(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    response = await world.client.get("/healthz")
    assert (response.status, await response.json()) == (200, {"ok": True})
    status, body = await ready(world)
    assert (status, body["ok"]) == (200, True)
    assert body["parts"]["database"] == {"state": "connected", "detail": ""}
    assert body["parts"]["telegram:shop"] == {"state": "connected", "detail": ""}
    # A channel that is down is seen, but facts are taken in.
    world.shop.health = ChannelHealth(ChannelState.BAD_CREDENTIALS, "401")
    status, body = await ready(world)
    assert (status, body["parts"]["telegram:shop"]) == (200, {"state": "bad_credentials", "detail": "401"})

    async def away(*_: object) -> None:
        raise StorageUnavailable("secret host")

    monkeypatch.setattr(type(world.hub.store.database), "read", away)
    status, body = await ready(world)
    assert (status, body["ok"], body["parts"]["database"]["state"]) == (503, False, "unavailable")
    assert "secret" not in json.dumps(body)
    assert (await world.client.get("/healthz")).status == 200


async def test_readiness_comes_back_after_a_failed_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable("disk full")

    world.hub.intake.failing = "disk full"
    database = type(world.hub.store.database)
    monkeypatch.setattr(database, "write", away)
    assert (await ready(world))[0] == 503
    monkeypatch.undo()
    assert (await ready(world))[0] == 200


async def test_metrics_count_by_route(world: World) -> None:
    await world.get("/contacts")
    await world.get("/contacts/5", status=404)
    text = await (await world.client.get("/metrics")).text()
    assert 'hub_http_requests_total{method="GET",route="/api/v1/contacts",status="200"} 1.0' in text
    assert 'route="/api/v1/contacts/{id}",status="404"' in text
    assert "/contacts/5" not in text


async def test_the_description_is_drawn_from_here(world: World) -> None:
    page = await world.client.get("/api/docs")
    html = await page.text()
    assert page.status == 200
    assert "//" not in html.replace("<!DOCTYPE html>", "")
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "start.js"):
        assert name in html
        asset = await world.client.get(f"/api/docs/{name}")
        assert asset.status == 200, name
    assert (await world.client.get("/api/docs/nothing.js")).status == 404
    document = await (await world.client.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/contacts/{id}/timeline" in document["paths"]
