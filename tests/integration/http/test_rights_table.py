"""Every operation of the API and every page, asked by every role and by nobody, against the one table of rights; what
they declare, against what is written of them; and that the server answers nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from argon2 import PasswordHasher

from crm_core.messages import Delivery, EntryKind
from crm_core.model.automation import ChainRunRecord, ChainState, RuleRunRecord, RunOutcome
from crm_core.model.call import Direction
from crm_core.model.definitions import RoleBody, Section
from crm_core.model.exchange import DocumentRecord
from crm_core.model.records import ContactRecord, DealRecord, EntryRecord, PipelineRecord, StageRecord
from crm_core.model.rights import CONFIGURABLE, TABLE, Reach, Right
from crm_core.model.selling import LineItemRecord, PaymentKind, PaymentRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.model.user import Role
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import Passwords, token_digest
from hub.app import create_app
from hub.bootstrap import Hub, build
from hub.http.api import OPERATIONS, PREFIX
from hub.http.operations import Operation
from hub.settings import Secret
from hub.settings.model import OidcSettings
from hub.web.pages import PAGES
from hub.web.routes import ROUTES, Route
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import settings_for, token_of
from tests.integration.http.written_rights import ANYBODY, ELSE, NEEDED, PUBLIC

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "длинный пароль"
REFUSED = {401, 403}
# What a path names, where it is no number.
NAMES = {
    "kind": "contacts",
    "type": "deal",
    "name": "calls",
    "login": "somebody",
    "path": "x",
    "number": "+79161234567",
}
_SECRET = "семейная тайна"
_PARTS = ("?part=live", "?part=fresh&missed=1", "?part=business", "?show=notes", "?show=stages", "?show=tasks")
_PART = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')

Client = TestClient[Request, Application]


@pytest.fixture
async def office(furnished_sqlite: str, tmp_path: Path) -> AsyncIterator[tuple[Hub, TestServer]]:
    """A hub in which everybody is called as their role; rights are no matter of the engine."""
    provider = OidcSettings("http://127.0.0.1:9", "hub", Secret("nothing"), "Office")
    settings = replace(settings_for(furnished_sqlite, tmp_path), oidc=provider)
    hub = build(settings, clock=DrivenClock(), connectors={})
    await hub.start()
    app = create_app(hub)
    app[PAGES].passwords = Passwords(CHEAP)

    def hire(desk: Desk) -> None:
        for role in Role:
            add_user(desk, NewUser(role.value, role.value.title(), role, password_hash=CHEAP.hash(PASSWORD)))
        for role in Role:
            add_token(desk, role.value, token_digest(token_of(role.value)))

    await hub.store.run(hire)
    server = TestServer(app)
    await server.start_server()
    yield hub, server
    await server.close()
    await hub.stop()


def filled(path: str) -> str:
    """A path that names what is not there."""
    return _PART.sub(lambda found: NAMES.get(found[1], "999999999"), path)


def plain(path: str) -> str:
    """A path without what its parts look like: `/deals/{id}`."""
    return _PART.sub(r"{\1}", path)


def may(role: Role, method: str, path: str) -> bool:
    """Whether a role may what is written of a route."""
    right = NEEDED[method, plain(path)]
    return right == ANYBODY or TABLE[Right[right.upper()]][role] is not Reach.NONE


async def asked(client: Client, operation: Operation, role: Role | None) -> int:
    """The status of an operation that is asked with a body which makes no sense."""
    headers = {"Authorization": f"Bearer {token_of(role.value)}"} if role is not None else {}
    content = None if operation.method == "GET" else b"["
    path = PREFIX + filled(operation.path)
    response = await client.request(operation.method, path, data=content, headers=headers, allow_redirects=False)
    response.close()
    return response.status


async def test_every_operation_asks_for_its_right(office: tuple[Hub, TestServer]) -> None:
    wrong: list[str] = []
    async with TestClient(office[1], cookie_jar=CookieJar(unsafe=True)) as client:
        for operation in OPERATIONS:
            if (status := await asked(client, operation, None)) != 401:
                wrong.append(f"{operation.method} {operation.path} by nobody: {status}")
            for role in Role:
                status = await asked(client, operation, role)
                if may(role, operation.method, PREFIX + operation.path) is (status in REFUSED):
                    wrong.append(f"{operation.method} {operation.path} ({operation.right}) by {role}: {status}")
    assert wrong == []


async def test_every_page_asks_for_its_right(office: tuple[Hub, TestServer]) -> None:
    wrong: list[str] = []
    every: tuple[Route, ...] = office[1].app[ROUTES]
    routes = guarded(every)
    async with TestClient(office[1], cookie_jar=CookieJar(unsafe=True)) as client:
        for route in routes:
            status, where = await visited(client, route, "")
            if not (status in {302, 303} and where.startswith("/login")) and status not in REFUSED:
                wrong.append(f"{route.method} {route.path} by nobody: {status} {where}")
        for role in Role:
            client.session.cookie_jar.clear()
            csrf = await entered(client, role)
            for route in routes:
                status, where = await visited(client, route, csrf)
                if may(role, route.method, route.path) is (status in REFUSED or where.startswith("/login")):
                    wrong.append(f"{route.method} {route.path} ({route.right}) by {role}: {status} {where}")
    assert wrong == []


async def test_public_pages_open_nothing_but_themselves(office: tuple[Hub, TestServer]) -> None:
    hub, server = office
    assert isinstance(hub.clock, DrivenClock)
    found: dict[tuple[str, str], tuple[str, set[str]]] = {}
    every: tuple[Route, ...] = server.app[ROUTES]
    async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
        for route in every:
            if not route.public:
                continue
            client.session.cookie_jar.clear()
            nobody, somebody = await answered(client, route, ""), set[str]()
            for role in Role:
                hub.clock.advance(timedelta(hours=1))  # whoever tries to log in again and again is made to wait
                client.session.cookie_jar.clear()
                somebody.add(await answered(client, route, await entered(client, role)))
            found[route.method, plain(route.path)] = nobody, somebody
    assert found == {place: (nobody, {somebody}) for place, (nobody, somebody, _why) in PUBLIC.items()}


async def answered(client: Client, route: Route, csrf: str) -> str:
    """What a page answers, and where it leads: `302 /login`."""
    status, where = await visited(client, route, csrf)
    return f"{status} {where}".strip()


async def test_routes_declare_what_is_written_of_them(office: tuple[Hub, TestServer]) -> None:
    declared = {(each.method, PREFIX + each.path): each.right.slug for each in OPERATIONS}
    every: tuple[Route, ...] = office[1].app[ROUTES]
    for route in every:
        if not route.public:
            declared[route.method, plain(route.path)] = route.right.slug if route.right is not None else ANYBODY
    assert declared == NEEDED
    assert {(each.method, plain(each.path)) for each in every if each.public} == set(PUBLIC)


async def test_the_server_answers_nothing_else(office: tuple[Hub, TestServer]) -> None:
    """Whatever a request can reach is an operation, a page or named with why nobody need be known for it."""
    routed = {
        (each.method, each.resource.canonical) for each in office[1].app.router.routes() if each.resource is not None
    }
    heads = {("HEAD", path) for method, path in routed if method == "GET"}
    assert routed - heads == {*NEEDED, *PUBLIC, *ELSE}


def guarded(routes: Iterable[Route]) -> list[Route]:
    """Those that ask who comes."""
    return [route for route in routes if not route.public]


async def entered(client: Client, role: Role) -> str:
    """The token against forged forms of somebody who logged in."""
    found = _CSRF.search(await (await client.get("/login", headers={"Accept": "text/html"})).text())
    assert found is not None
    form = {"csrf": found[1], "login": role.value, "password": PASSWORD, "next": "/"}
    response = await client.post("/login", data=form, allow_redirects=False)
    assert response.status == 303, await response.text()
    page = await (await client.get("/", headers={"Accept": "text/html"})).text()
    csrf = _CSRF.search(page)
    return csrf[1] if csrf is not None else ""


async def visited(client: Client, route: Route, csrf: str) -> tuple[int, str]:
    """The status of a page, and where it leads."""
    form = {"csrf": csrf} if route.method == "POST" else None
    response = await client.request(
        route.method, filled(route.path), data=form, headers={"Accept": "text/html"}, allow_redirects=False
    )
    response.close()
    return response.status, response.headers.get("Location", "")


async def hidden_card(hub: Hub) -> dict[str, int]:
    """A client with a card that managers don't see, and whatever tells how it is getting on: `_SECRET` is in all of it.
    The ids of it by what stands before them in a path."""

    def fill(desk: Desk) -> dict[str, int]:
        now, ident = desk.now, desk.work.next_id
        client = ContactRecord(ident(), "Анна", now, now, "анна")
        pipeline = PipelineRecord(ident(), "Hidden", 99, settings={"reach": {Role.MANAGER.value: "own"}})
        stage = StageRecord(ident(), pipeline.id, "Hidden", 0)
        card = DealRecord(
            id=ident(),
            contact_id=client.id,
            pipeline_id=pipeline.id,
            stage_id=stage.id,
            title=_SECRET,
            created_at=now,
            updated_at=now,
            stage_since=now,
            manager="admin",
        )
        task = TaskRecord(ident(), _SECRET, TaskState.OPEN, now, now, "admin", contact_id=client.id, deal_id=card.id)
        entries = [
            EntryRecord(
                id=ident(),
                seq=0,
                contact_id=client.id,
                kind=kind,
                direction=Direction.OUT,
                occurred_at=now + ahead,
                sequence=0,
                recorded_at=now,
                author="admin",
                text=_SECRET,
                delivery=Delivery.QUEUED if ahead else None,
                deal_id=card.id,
            )
            for kind in (EntryKind.STAGE, EntryKind.TASK, EntryKind.SYSTEM, EntryKind.NOTE)
            for ahead in (timedelta(), timedelta(days=1))
        ]
        paid = PaymentRecord(
            ident(), card.id, client.id, PaymentKind.RECEIVED, 1, "RUB", now, "admin", now, note=_SECRET
        )
        line = LineItemRecord(ident(), card.id, 0, _SECRET, 1000, 1, 1)
        paper = DocumentRecord(
            ident(), _SECRET, 1, _SECRET, now, "admin", _SECRET, "text/html", 1, "0" * 64, client.id, card.id
        )
        chain = ChainRunRecord(ident(), _SECRET, client.id, card.id, ChainState.RUNNING, 0, now)
        run = RuleRunRecord(_SECRET, _SECRET, "deal", card.id, client.id, now, RunOutcome.DONE, _SECRET)
        for record in (client, pipeline, stage, card, task, *entries, paid, line, paper, chain, run):
            desk.work.put(record)
        return {
            "contacts": client.id,
            "deals": card.id,
            "tasks": task.id,
            "entries": entries[0].id,
            "payments": paid.id,
            "documents": paper.id,
        }

    return await hub.store.run(fill)


async def test_nothing_that_is_read_tells_of_a_card_that_somebody_does_not_see(
    office: tuple[Hub, TestServer],
) -> None:
    """Every operation and every page that reads is asked by a manager; an administrator finds the card by the same."""
    hub, server = office
    ids = await hidden_card(hub)
    told: dict[Role, set[str]] = {Role.MANAGER: set(), Role.ADMIN: set()}
    asked_for = [
        PREFIX + each.path for each in OPERATIONS if each.method == "GET" and not each.media.endswith("stream")
    ]
    every: tuple[Route, ...] = server.app[ROUTES]
    pages = [each.path for each in guarded(every) if each.method == "GET" and not each.path.startswith("/live")]
    async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
        for role, found in told.items():
            client.session.cookie_jar.clear()
            await entered(client, role)
            headers = {"Authorization": f"Bearer {token_of(role.value)}"}
            for path in asked_for:
                response = await client.get(named(path, ids), headers=headers)
                if _SECRET.encode() in await response.read():
                    found.add(path)
            for path in pages:
                for query in ("", *(_PARTS if path.startswith("/contacts/") else ())):
                    response = await client.get(named(path, ids) + query, headers={"Accept": "text/html"})
                    if _SECRET.encode() in await response.read():
                        found.add(path)
    assert told[Role.MANAGER] == set()
    of_client = {f"{PREFIX}/contacts/{{id}}/{each}" for each in ("timeline", "scheduled", "documents")}
    of_card = {f"{PREFIX}/deals/{{id}}/{each}" for each in ("documents", "items", "payments", "runs")}
    alone = {f"{PREFIX}/{each}" for each in ("documents/{id}", "payments", "payments/{id}", "rule-runs", "chain-runs")}
    shown = {r"/contacts/{id:\d+}", r"/contacts/{id:\d+}/consent", r"/deals/{id:\d+}", "/runs", "/runs/chains"}
    assert of_client | of_card | alone | shown <= told[Role.ADMIN]


def named(path: str, ids: dict[str, int]) -> str:
    """A path that names what is there, where it is one of these."""
    for name, ident in ids.items():
        path = re.sub(rf"(/{name}/)\{{\w+(?::[^{{}}]*)?\}}", rf"\g<1>{ident}", path)
    return filled(path)


async def test_a_role_that_was_given_a_right_has_it_and_one_that_lost_it_has_not(
    office: tuple[Hub, TestServer],
) -> None:
    hub, server = office
    body = RoleBody.model_validate({"rights": {"delete": "all", "place_calls": "none"}})
    await hub.store.run(lambda desk: defining.add(desk, Section.ROLE, "manager", body, "admin"))
    found = {(each.method, each.path): each for each in OPERATIONS}
    async with TestClient(server) as client:
        assert await asked(client, found["DELETE", "/deals/{id}"], Role.MANAGER) not in REFUSED
        placing = next(each for each in OPERATIONS if each.right is Right.PLACE_CALLS)
        assert await asked(client, placing, Role.MANAGER) == 403
        # Who keeps roles: administrators alone.
        for role in Role:
            status = await asked(client, found["POST", "/roles"], role)
            assert (status == 403) is (role is not Role.ADMIN), (role, status)


async def test_what_is_read_asks_for_its_own_right_and_for_no_other_that_can_be_taken(
    office: tuple[Hub, TestServer],
) -> None:
    """Somebody from whom all was taken that can be, but the one right: neither does the door refuse them, nor what it
    looks up for them."""
    hub, server = office
    ids, role = await hidden_card(hub), Role.DIRECTOR
    every: tuple[Route, ...] = server.app[ROUTES]
    pages = {plain(each.path) for each in guarded(every) if each.method == "GET" and not each.path.startswith("/live")}
    asked_for = {
        PREFIX + each.path for each in OPERATIONS if each.method == "GET" and not each.media.endswith("stream")
    }
    needed = {path: NEEDED["GET", path] for path in sorted(pages | asked_for) if may(role, "GET", path)}
    taken = {each.slug for each in CONFIGURABLE}
    refused: list[str] = []
    async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
        await entered(client, role)
        for left in (None, *sorted(taken & set(needed.values()))):
            await hub.store.run(partial(configured, role=role, rights={**dict.fromkeys(taken, "none"), left: "all"}))
            for path, right in needed.items():
                if right == left or (left is None and right not in taken):
                    token = {"Authorization": f"Bearer {token_of(role.value)}"} if path in asked_for else {}
                    answer = await client.get(named(path, ids), headers={"Accept": "text/html", **token})
                    answer.close()
                    if answer.status in REFUSED or answer.url.path == "/login":
                        refused.append(f"{path} ({right}): {answer.status}")
    assert refused == []


def configured(desk: Desk, role: Role, rights: Mapping[str | None, str]) -> None:
    """What a role may, of what can be given and taken."""
    body = RoleBody.model_validate({"rights": {name: reach for name, reach in rights.items() if name is not None}})
    known = next((each for each in defining.of_section(desk, Section.ROLE) if each.name == role.value), None)
    if known is None:
        defining.add(desk, Section.ROLE, role.value, body, "admin")
    else:
        defining.change(desk, Section.ROLE, known.id, "admin", body=body)


async def test_who_may_not_keep_lists_puts_nobody_on_one_by_correcting_the_card(
    office: tuple[Hub, TestServer],
) -> None:
    hub, server = office
    body = RoleBody.model_validate({"rights": {"keep_lists": "none"}})
    await hub.store.run(lambda desk: defining.add(desk, Section.ROLE, "manager", body, "admin"))
    headers = {"Authorization": f"Bearer {token_of('manager')}"}
    async with TestClient(server, headers=headers) as client:
        made = await client.post(f"{PREFIX}/contacts", json={"name": "Анна"})
        assert made.status == 201
        card = f"{PREFIX}/contacts/{(await made.json())['id']}"
        assert (await client.patch(card, json={"city": "Пермь", "list": None})).status == 200
        assert (await client.patch(card, json={"list": "чёрный список"})).status == 403
        listed = {"name": "Олег", "list": "чёрный список"}
        assert (await client.post(f"{PREFIX}/contacts", json=listed)).status == 403
        assert (await (await client.get(card)).json())["list"] is None


@pytest.mark.parametrize(("given", "records", "audience"), [("export", 200, 403), ("export_audience", 403, 200)])
async def test_records_and_audiences_are_opened_by_rights_of_their_own(
    office: tuple[Hub, TestServer], given: str, records: int, audience: int
) -> None:
    hub, server = office
    rights = {"export": "none", "export_audience": "none", given: "all"}
    body = RoleBody.model_validate({"rights": rights})
    await hub.store.run(lambda desk: defining.add(desk, Section.ROLE, "manager", body, "admin"))
    async with TestClient(server, headers={"Authorization": f"Bearer {token_of('manager')}"}) as client:
        assert (await client.get(f"{PREFIX}/exports/contacts")).status == records
        assert (await client.get(f"{PREFIX}/exports/audience")).status == audience
