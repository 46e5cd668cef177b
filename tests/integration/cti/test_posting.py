"""Pushed calls over the hub's real port: what a telephone system is answered, and what stands in the record then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from crm_core.errors import StorageUnavailable
from crm_core.messages import ChannelKey
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import ListedNumberRecord
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from hub.app import create_app
from hub.bootstrap import Hub, build
from hub.connectors import pushing
from hub.settings import CtiSettings, Secret
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import hire, settings_for, token_of
from tests.patience import PATIENCE_S

URL = "/api/v1/cti/t0ken-of-other"
SECOND = "/api/v1/cti/t0ken-of-second"
CLIENT = "79161234567"
CALL = {"event": "newCall", "from": CLIENT, "to": "74959876543", "direction": "in", "callId": "c1", "user": "Ivan"}


@dataclass
class Office:
    """The hub behind its port, and a browser or script before it."""

    hub: Hub
    clock: DrivenClock
    client: TestClient[Any, Any]

    async def push(self, url: str = URL, **event: Any) -> tuple[int, Any]:
        """Post an event as JSON; the status and the answer."""
        response = await self.client.post(url, json={**CALL, **event})
        return response.status, await response.json()

    async def api(self, path: str, login: str = "root") -> Any:
        """What the API tells somebody."""
        headers = {"Authorization": f"Bearer {token_of(login)}"}
        async with self.client.get(f"/api/v1{path}", headers=headers) as response:
            assert response.status == 200, await response.text()
            return await response.json()


@asynccontextmanager
async def office_on(url: str, folder: Path, clock: DrivenClock) -> AsyncIterator[Office]:
    """A hub on a database; another one may have run on it before."""
    other = CtiSettings(
        "other",
        Secret("t0ken-of-other"),
        caller_id="+74959876543",
        caller_ids=(("7812*", "+78129876543"),),
        policy=AccountPolicy(source="Вторая АТС"),
    )
    settings = replace(settings_for(url, folder), pbx=(), cti=(other, CtiSettings("second", Secret("t0ken-of-second"))))
    hub = build(settings, clock=clock, connectors={"cti": pushing})
    await hub.start()
    async with TestClient(TestServer(create_app(hub))) as client:
        yield Office(hub, clock, client)
    await hub.stop()


@pytest.fixture
async def office(migrated_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_on(migrated_url, tmp_path, DrivenClock()) as office:
        _, position = await office.hub.store.run_at(hire)
        assert await office.hub.live.reached(position, PATIENCE_S)
        yield office


async def test_a_call_from_the_first_ring_to_the_end(office: Office) -> None:
    assert await office.push() == (200, {})
    (call,) = (await office.api("/calls"))["items"]
    assert (call["state"], call["line"]) == ("ringing", "+74959876543")
    office.clock.advance(6)
    assert await office.push(event="answer", answeringNumber="101") == (200, {})
    office.clock.advance(60)
    assert await office.push(event="hangup", cause="normalClearing") == (200, {})
    (call,) = (await office.api("/calls"))["items"]
    assert (call["state"], call["answered_by"], call["wait_s"], call["talk_s"]) == ("answered", "ivan", 6, 60)
    (contact,) = (await office.api(f"/contacts?identity=tel:+{CLIENT}"))["items"]
    assert contact["manager"] == "ivan"
    (lead,) = (await office.api("/leads"))["items"]
    assert (lead["source"], lead["channel"], lead["account"]) == ("Вторая АТС", "cti", "other")
    assert (await office.api("/cases?state=open"))["items"] == []


async def test_a_missed_call_opens_a_case(office: Office) -> None:
    form = {key: value for key, value in CALL.items() if key != "user"}
    async with office.client.post(URL, data={**form, "user[]": "Ivan"}) as response:
        assert (response.status, await response.json()) == (200, {})
        assert response.content_type == "application/json"
    office.clock.advance(30)
    async with office.client.post(URL, data={**form, "event": "hangup", "cause": "noAnswer"}) as response:
        assert response.status == 200
    (case,) = (await office.api("/cases?state=open"))["items"]
    assert (case["kind"], case["count"], case["channel"]) == ("call", 1, "cti")


async def test_a_restart_between_the_moments_of_a_call_loses_nothing(migrated_url: str, tmp_path: Path) -> None:
    clock = DrivenClock()
    async with office_on(migrated_url, tmp_path, clock) as office:
        await office.hub.store.run_at(hire)
        await office.push()
        await office.push(callId="c2")
    async with office_on(migrated_url, tmp_path, clock) as office:
        clock.advance(10)
        await office.push(event="answer", user="Ivan")
    async with office_on(migrated_url, tmp_path, clock) as office:
        clock.advance(60)
        await office.push(event="hangup", cause="normalClearing")
        await office.push(event="hangup", cause="cancel", callId="c2")
        calls = (await office.api("/calls"))["items"]
    assert {(call["state"], call["answered_by"], call["wait_s"], call["talk_s"]) for call in calls} == {
        ("answered", "ivan", 10, 60),
        ("abandoned", None, 70, 0),
    }


@pytest.mark.parametrize("token", ["wrong", "t0ken-of-othe", "t0ken-of-otherx", "%D0%BA%D0%BB%D1%8E%D1%87"])
async def test_a_wrong_token_writes_nothing(office: Office, token: str) -> None:
    status, answer = await office.push(f"/api/v1/cti/{token}")
    assert (status, answer) == (401, {"error": "Invalid token, please contact your admin!"})
    assert (await office.api("/journal"))["items"] == []


async def test_accounts_are_told_apart_by_their_token(office: Office) -> None:
    await office.push()
    await office.push(SECOND)
    assert {(fact["account"], fact["state"]) for fact in (await office.api("/journal"))["items"]} == {
        ("other", "done"),
        ("second", "done"),
    }
    assert len((await office.api("/calls"))["items"]) == 2


async def test_a_refused_caller_hears_busy(office: Office) -> None:
    def refuse(desk: Desk) -> None:
        record = ListedNumberRecord(f"tel:+{CLIENT}", "чёрный список", "реклама", "root", desk.now)
        desk.work.put(record)

    _, position = await office.hub.store.run_at(refuse)
    assert await office.hub.live.reached(position, PATIENCE_S)
    assert await office.push() == (200, {"action": "reject", "reason": "busy"})
    assert await office.push(event="hangup", cause="busy") == (200, {})
    (call,) = (await office.api("/calls"))["items"]
    assert call["state"] == "rejected"
    assert (await office.api("/cases"))["items"] == []


async def test_an_outgoing_call_shows_the_number_configured(office: Office) -> None:
    out = {"direction": "out", "from": "101"}
    answer = await office.push(**out, to="4930609854180")
    assert answer == (200, {"action": "dial", "caller_id": "74959876543", "number": "4930609854180"})
    answer = await office.push(**out, to="78125554433", callId="c2")
    assert answer == (200, {"action": "dial", "caller_id": "78129876543", "number": "78125554433"})
    assert await office.push(SECOND, **out, to="78125554433", callId="c3") == (200, {})


@pytest.mark.parametrize(
    ("event", "words", "kept"),
    [
        ({"direction": "sideways"}, "Invalid direction!", "Неверное направление звонка"),
        ({"event": "ring"}, "Unknown event", "Неизвестное событие"),
        ({"callId": ""}, "callId is missing", "Нет поля callId"),
    ],
)
async def test_what_is_wrong_is_said_and_kept(office: Office, event: dict[str, str], words: str, kept: str) -> None:
    status, answer = await office.push(**event)
    assert status == 422
    assert words in answer["error"]
    (fact,) = (await office.api("/journal?state=failed"))["items"]
    assert kept in fact["error"], "in the language of the office, where nobody asks for another"
    assert (await office.api("/calls"))["items"] == []


async def test_a_failed_fact_is_replayed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record fails at a fact; once that is mended, the journal brings it to where it belongs."""
    import crm_core.services.intake.receive as receiving

    def broken(*_: object) -> None:
        raise RuntimeError("not today")

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "call_changed", broken)
        await office.push()
    (fact,) = (await office.api("/journal?state=failed"))["items"]
    office.clock.advance(30)
    await office.push(event="hangup", cause="cancel")
    office.clock.advance(600)
    headers = {"Authorization": f"Bearer {token_of('root')}"}
    async with office.client.post(f"/api/v1/journal/{fact['id']}/replay", headers=headers) as response:
        assert response.status == 200, await response.text()
    (call,) = (await office.api("/calls"))["items"]
    assert (call["state"], call["wait_s"]) == ("abandoned", 30)
    assert [leg["user"] for leg in call["rung"]] == ["ivan"]


async def test_a_body_that_is_too_large_is_refused(office: Office) -> None:
    async with office.client.post(URL, data=b"x" * (64 * 1024 + 1)) as response:
        assert response.status == 413
    assert (await office.api("/journal"))["items"] == []


async def test_without_the_database_it_is_to_be_sent_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Database, __: Callable[..., Any]) -> Any:
        raise StorageUnavailable("db.internal is away")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", away)
        async with office.client.post(URL, json=CALL) as response:
            assert response.status == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert "db.internal" not in await response.text()
    assert await office.push() == (200, {})
    assert len((await office.api("/calls"))["items"]) == 1


async def test_health_and_metrics_tell_of_it(office: Office) -> None:
    await office.push()
    await office.push(event="ring")
    async with office.client.get("/readyz") as response:
        parts = (await response.json())["parts"]
    assert parts["cti:other"]["state"] == "connected"
    channel = office.hub.channels[ChannelKey("cti", "other")]
    measured: Any = channel
    assert measured.measurements() == {"events_newCall": 1, "events_not_understood": 1}
    async with office.client.get("/metrics") as response:
        text = await response.text()
    assert "t0ken" not in text
    assert 'route="/api/v1/cti/{token}"' in text
