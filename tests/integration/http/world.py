"""A whole hub behind its real HTTP port, with channels that the test plays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from crm_core.messages import (
    ChannelKey,
    DeliveryReceipt,
    EntryKind,
    InboundEvent,
    MessageReceived,
    OutboundMessage,
    Receipt,
    Sender,
    Unparsable,
)
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.office import Line, ListAction, SpecialList
from crm_core.model.policy import AccountPolicy
from crm_core.model.user import Role
from crm_core.ports import ChannelHealth, ChannelState, HttpRequest, HttpResponse, HttpRoute, InboundSink
from crm_core.services.desk import Desk
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import token_digest
from hub.bootstrap import Hub
from hub.http.keys import EventLimits
from hub.settings import DatabaseEngine, DatabaseUrl, PbxSettings, Secret, ServerUrl, Settings
from tests.fakes.clock import DrivenClock

SHOP = ChannelKey("telegram", "shop")
PBX = ChannelKey("pbx", "office")
LINE = "+74951234567"
ENGLISH = {"Accept-Language": "en"}
PEOPLE = (
    ("root", Role.ADMIN, None),
    ("ivan", Role.MANAGER, "PJSIP/101"),
    ("petr", Role.MANAGER, "PJSIP/102"),
    ("olga", Role.CONTROLLER, None),
)
MAX_WEBHOOK = 10_000


def token_of(login: str) -> str:
    """The API token of a person."""
    return f"hub_token-of-{login}"


def settings_for(url: str, folder: Path) -> Settings:
    """An office with a line, lists and a PBX with recordings."""
    engine = DatabaseEngine.SQLITE if url.startswith("sqlite") else DatabaseEngine.POSTGRESQL
    return Settings(
        folder=folder,
        database_url=DatabaseUrl(engine, url, "the test's"),
        database_connections=3,  # each learns the catalogue and the statements anew
        files=folder / "files",
        pbx=(
            PbxSettings(
                name="office",
                ami=ServerUrl("ami", "127.0.0.1", 9, "hub", Secret("nothing")),
                recordings=folder / "monitor",
                sounds=folder / "custom",
            ),
        ),
        lines=(Line(LINE, "office", AccountPolicy(source="Яндекс.Директ")),),
        lists=(
            SpecialList("соискатели", ListAction.ROUTE, "PJSIP/150"),
            SpecialList("чёрный список", ListAction.REJECT),
        ),
    )


class PlayedChannel:
    """A channel whose provider the test plays: posts come in by HTTP, messages go out into a list."""

    def __init__(self, key: ChannelKey) -> None:
        self.key = key
        self.health = ChannelHealth(ChannelState.CONNECTED)
        self.sent: list[OutboundMessage] = []
        self.refusal: Exception | None = None
        self._sink: InboundSink | None = None

    async def start(self, sink: InboundSink) -> None:
        self._sink = sink

    async def stop(self) -> None:
        self._sink = None

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        self.sent.append(message)
        return DeliveryReceipt((f"out{len(self.sent)}",))

    def routes(self) -> Sequence[HttpRoute]:
        return [HttpRoute("POST", f"/in/{self.key.channel}/{self.key.account}", self._handle, MAX_WEBHOOK)]

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        return parse(self.key, raw, received_at, external_id)

    async def _handle(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get("x-secret") != "s3cret":
            return HttpResponse(401)
        if self.refusal is not None:
            raise self.refusal
        assert self._sink is not None
        receipt = await self._sink.receive(parse(self.key, request.body, DrivenClock().now()))
        return HttpResponse(200, json.dumps({"state": receipt.state}).encode(), "application/json")


def parse(key: ChannelKey, raw: bytes, at: datetime, external_id: str = "") -> InboundEvent:
    """What the played provider posts: `{"id", "client", "text"}`."""
    try:
        body = json.loads(raw)
        client, text, ident = str(body["client"]), body["text"], str(body["id"])
    except (ValueError, KeyError, TypeError) as err:
        nobody = Sender()
        return InboundEvent(key, external_id or f"junk{hash(raw)}", "", at, nobody, Unparsable(str(err)), raw)
    sender = Sender((Identity(IdentityKind.TG, client),), f"Клиент {client}")
    return InboundEvent(key, ident, client, at, sender, MessageReceived(EntryKind.MESSAGE, text, ident), raw)


@dataclass
class World:
    """The hub, its clock, a client for each person."""

    hub: Hub
    clock: DrivenClock
    client: TestClient[Any, Any]
    shop: PlayedChannel
    folder: Path
    limits: EventLimits
    login: str = "ivan"

    async def take(self, *events: InboundEvent) -> list[Receipt]:
        """Let facts come in."""
        self.clock.set(max(self.clock.now(), *(event.occurred_at for event in events)))
        return list(await self.hub.intake.receive_many(events))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        login: str | None = None,
        status: int | None = None,
        **more: Any,
    ) -> Any:
        """Ask as somebody; the JSON of the answer, whose status is asserted."""
        response = await self.call(method, path, body, login=login, **more)
        text = await response.text()
        assert response.status == (status or 200), text
        return json.loads(text) if text else None

    async def call(
        self, method: str, path: str, body: Any = None, *, login: str | None = None, **more: Any
    ) -> ClientResponse:
        """Ask as somebody; the answer itself."""
        headers = {"Authorization": f"Bearer {token_of(login or self.login)}", **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        path = path if path.startswith(("/api", "/in")) else f"/api/v1{path}"
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> Any:
        """The JSON at an address."""
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON that a POST answers."""
        return await self.ask("POST", path, {} if body is None else body, **more)

    async def patch(self, path: str, body: Any, **more: Any) -> Any:
        """The JSON that a PATCH answers."""
        return await self.ask("PATCH", path, body, **more)

    async def contact(self, **body: Any) -> Any:
        """A contact made by the API."""
        return await self.post("/contacts", body, status=201)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        sql = f'SELECT count(*) FROM "{table}"'
        return int(await self.hub.store.read(lambda conn: conn.exec_driver_sql(sql).scalar_one()))


def hire(desk: Desk) -> None:
    """Add the people and their tokens."""
    for login, role, extension in PEOPLE:
        add_user(desk, NewUser(login, login.title(), role, extension=extension))
    for login, _, _ in PEOPLE:
        add_token(desk, login, token_digest(token_of(login)))


def later(seconds: float) -> datetime:
    """A moment after the clock's start."""
    return DrivenClock().now() + timedelta(seconds=seconds)
