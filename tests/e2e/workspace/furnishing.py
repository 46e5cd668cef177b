"""An office that is full of one name: whatever can be called so is, and everything there is stands on some page."""

from __future__ import annotations

import asyncio
import json
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, Final

import aiohttp
from playwright.async_api import Page
from sqlalchemy import Connection, insert, select

from crm_core.storage.database import Database
from crm_core.storage.tables.calls import call, route_decision
from hub.demo.peers.process import free_port
from tests.e2e.workspace.office import Workspace, until

CLIENT: Final = "79161234567"
"""The number that the client of that name calls from."""

_MAIL = free_port()
ACCOUNTS: Final = f"""
[[email]]
name = "sales"
address = "sales@example.org"
listen = "127.0.0.1:{_MAIL}"
[[cti]]
name = "other"
token = "cti-token"
[[webhook]]
url = "http://127.0.0.1:9/hook"
events = ["deal.*"]
secret = "a secret that nobody guesses"
"""
"""A mail server that takes mails, a telephone system that tells of calls, a program to be told that does not answer."""


def text_of(name: str) -> str:
    """As much of a name as may stand in a template."""
    return name.partition("{{")[0]


async def furnish(workspace: Workspace, name: str) -> dict[str, int]:
    """Put a name wherever there is room for one; the ids of what was made."""
    ask, made, plain = workspace.ask, {}, text_of(name)
    await ask("POST", "/users", {"login": "evil", "name": name, "role": "manager"})
    for of in ("contact", "deal"):
        await ask("POST", "/fields", {"of": of, "key": "evil", "title": name, "group": name, "help": name})
    stages = [{"name": name, "goal": name, "criteria": name, "checklist": [name]}, {"name": "Дальше"}]
    asking = {"name": "Спросит", "required": ["source"]}
    made["pipeline"] = (
        await ask(
            "POST", "/pipelines", {"name": name, "goal": name, "stages": [*stages, asking], "loss_reasons": [name]}
        )
    )["id"]
    await ask("POST", "/templates", {"name": name, "text": plain})
    await _defined(workspace, name)
    company = made["company"] = (await ask("POST", "/companies", {"name": name, "city": name, "tags": [name]}))["id"]
    made["product"] = (await ask("POST", "/products", {"name": name, "unit": name, "sku": name[:40]}))["id"]
    body: dict[str, Any] = {"name": name, "identities": [f"tel:+{CLIENT}"], "manager": "root", "city": name}
    body |= {"tags": [name], "company_id": company, "fields": {"evil": name}}
    made["contact"] = (await ask("POST", "/contacts", body))["id"]
    deal = {"title": name, "pipeline": name, "contact_id": made["contact"], "manager": "root", "tags": [name]}
    made["deal"] = (await ask("POST", "/deals", {**deal, "fields": {"evil": name}, "source": name}))["id"]
    made["bare"] = (await ask("POST", "/deals", {**deal, "title": "Без источника"}))["id"]
    await ask("POST", f"/deals/{made['deal']}/documents", {"template": name})
    await ask("POST", "/segments", {"name": name})
    broadcast = {"name": name, "segment": name, "text": plain}
    made["draft"] = (await ask("POST", "/broadcasts", broadcast))["id"]
    made["broadcast"] = (await ask("POST", "/broadcasts", broadcast))["id"]
    await ask("POST", f"/broadcasts/{made['broadcast']}/start", {})
    dialled = {"name": f"Обзвон {name}", "goal": name, "dial_list": True, "stages": stages}
    made["list"] = (await ask("POST", "/pipelines", dialled))["id"]
    rung = {"title": name, "pipeline": dialled["name"], "contact_id": made["contact"]}
    made["rung"] = (await ask("POST", "/deals", rung))["id"]
    task = {"title": name, "text": name, "assignee": "root", "deal_id": made["deal"]}
    made["task"] = (await ask("POST", "/tasks", task))["id"]
    made["rehearsed"] = await _imported(workspace, name, "true")
    made["import"] = await _imported(workspace, name, "false")
    return made


async def _defined(workspace: Workspace, name: str) -> None:
    """What the office defines, of each kind one; those that the API does not make are made on pages below."""
    plain = text_of(name)
    task = {"do": "task", "title": plain, "to": "manager"}
    for path, body in (
        ("/record-types", {"name": "evil", "title": name, "titles": name}),
        ("/tag-groups", {"name": name, "tags": [name], "on": ["contact"]}),
        (
            "/rules",
            {"name": name, "when": {"event": "created"}, "then": task},
        ),
        ("/chains", {"name": name, "steps": [{"template": name}], "help": name}),
        ("/document-templates", {"name": name, "title": plain, "html": "<p>{{ contact.name }}</p>"}),
        ("/scorings", {"name": name, "grade": {"of": "lead", "parts": [{"field": "evil", "letters": {name: "А"}}]}}),
        ("/webhooks", {"name": name, "url": "https://example.org/hook", "events": ["deal.*"], "active": False}),
        ("/accounts", {"channel": "web", "name": "evil", "settings": {"key": "k", "title": name}}),
    ):
        await workspace.ask("POST", path, body)


async def define_on_pages(workspace: Workspace, page: Page, name: str, pipeline: int) -> None:
    """What only pages make: groups, calendars, lists, ladders, a line, a view that is kept."""
    csrf = {"X-CSRF": await page.evaluate("document.body.dataset.csrf")}

    async def send(path: str, form: dict[str, str | float | bool]) -> None:
        answer = await page.request.post(f"{workspace.hub.url}{path}", headers=csrf, form=form, max_redirects=0)
        assert answer.status == 303, (path, answer.status, (await answer.text())[-3000:])

    for path, text in (
        ("groups", 'strategy = "all"'),
        ("hours", '[days]\nmon-fri = "09:00-18:00"'),
        ("lists", 'action = "reject"'),
        ("ladders", 'on = "call.missed"\n[[steps]]\nafter = "1m"\ntell = ["head"]'),
        ("lines", f'number = "+74951112233"\nsource = {json.dumps(name)}'),
    ):
        await send(f"/office/{path}/new", {"name": name, "as_text": text, "act": "save"})
    view = {"page": f"board:{pipeline}", "name": name, "query": "q=a", "shared": "1", "act": "keep"}
    await send("/deals/views", dict(view))


async def _imported(workspace: Workspace, name: str, rehearsed: str) -> int:
    """A table with such a name in it is brought in, or tried; the id of the import."""
    form = aiohttp.FormData()
    form.add_field(
        "file",
        f'имя;телефон;заметка\n"{name.replace(chr(34), chr(34) * 2)}";abc;\n'.encode(),
        filename=f"{name[:40]}.csv",
    )
    form.add_field("kind", "contacts")
    form.add_field("dry_run", rehearsed)
    async with workspace.api.post(f"{workspace.hub.url}/api/v1/imports", data=form) as answer:
        assert answer.status == 201, await answer.text()
        number = int((await answer.json())["id"])

    async def over() -> bool | None:
        state = (await workspace.ask("GET", f"/imports/{number}"))["state"]
        return None if state in {"ready", "running"} else True

    await until(over)
    return number


def _mail(name: str) -> None:
    """A mail whose sender, subject, text and file are named so."""
    letter = EmailMessage()
    quoted = name.partition("{{")[0].replace("\\", "").replace('"', '\\"')
    letter["From"] = f'"{quoted}" <evil@example.com>'
    letter["To"], letter["Subject"], letter["Message-ID"] = "sales@example.org", name, "<evil@example.com>"
    letter.set_content(name)
    letter.add_alternative(f"<p>Письмо</p>{name}<a href='javascript:window.pwned=1'>да</a>", subtype="html")
    letter.add_attachment(name.encode(), maintype="text", subtype="html", filename=f"{name}.html")
    with smtplib.SMTP("127.0.0.1", _MAIL, timeout=30) as server:
        server.send_message(letter)


async def come_in(workspace: Workspace, name: str) -> None:
    """A message, a form and a mail of people with such names."""
    await workspace.client(5001, name[:64]).say(name)
    form = {"name": name, "phone": "+79160000000", "message": name, "utm_source": name, "page": name}
    async with (
        aiohttp.ClientSession() as site,
        site.post(f"{workspace.hub.url}/in/web/site?key=site-key", data=form) as answer,
    ):
        assert answer.status < 300
    await asyncio.to_thread(_mail, name)


async def calls(workspace: Workspace, event: str = "newCall") -> None:
    """The client whose name is so calls somebody; `hangup` ends it."""
    told = {"event": event, "from": CLIENT, "to": "74959876543", "direction": "in", "callId": "c1", "user": "Root"}
    told |= {"cause": "cancel"} if event == "hangup" else {}
    async with aiohttp.ClientSession() as pbx:
        url = f"{workspace.hub.url}/api/v1/cti/cti-token"
        async with pbx.post(url, json=told) as answer:
            assert answer.status < 300, await answer.text()


async def explained(workspace: Workspace, name: str) -> None:
    """Why that call rang whom it rang, in such words."""
    step = {"stage": "manager", "verdict": "chosen", "login": name, "detail": name}

    def write(conn: Connection) -> None:
        held = conn.execute(select(call.c.pbx, call.c.linkedid)).one()
        said = {"pbx": held.pbx, "call_id": held.linkedid, "attempt": 1, "number": CLIENT, "line": "", "took_ms": 1.0}
        said |= {"action": "ring", "endpoints": [name], "reason": name, "trace": [step]}
        conn.execute(insert(route_decision).values(id=1, decided_at=datetime.now(UTC), **said))

    database = Database(workspace.hub.database_url)
    await database.write(write)
    await database.stop()


async def seeds(workspace: Workspace, made: dict[str, int]) -> list[str]:
    """Where the way through the pages of such an office begins."""
    writer = await workspace.contact("mailto:evil@example.com")
    rang = await workspace.ask("GET", f"/contacts/{made['contact']}/timeline")
    call = next(each["id"] for each in rang["items"] if each["kind"] == "call")
    return [
        f"/contacts/{writer}",
        f"/contacts/{made['contact']}",
        f"/contacts/{made['contact']}/figures",
        f"/contacts/{made['contact']}/entries/{call}/recording",
        f"/deals/{made['deal']}",
        f"/tasks/{made['task']}",
        f"/companies/{made['company']}",
        f"/products/{made['product']}",
        f"/broadcasts/{made['draft']}",
        f"/broadcasts/{made['broadcast']}?show=skipped",
        f"/dialling/{made['list']}/cards/{made['rung']}",
        f"/office/imports/{made['import']}",
        f"/office/imports/{made['import']}/failed-lines",
        f"/office/imports/{made['rehearsed']}/report",
        "/journal?state=all",
        "/control/deals-without-next-step",
        f"/deals/board/{made['pipeline']}",
        f"/search?q={CLIENT[-6:]}",
        "/search?q=script&part=quick",  # what is found as one types
    ]
