"""The workspace: server-rendered pages for the people of the office.

`setup_pages(app, hub)` puts them into the hub's HTTP application. Pages are plain HTML that works without scripts; one
small module refreshes what changes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from crm_core.model.user import Role
from hub.bootstrap import Hub
from hub.secret_key import session_key
from hub.security import LoginThrottle, Passwords
from hub.web.call_words import call_kinds
from hub.web.calls import Calls, fresh_nonce
from hub.web.clients import Clients
from hub.web.entering import Entering
from hub.web.home import Home
from hub.web.identity import Identities
from hub.web.journal import Journal
from hub.web.list_pages import ListPages
from hub.web.lists import Lists
from hub.web.pages import PAGES, Pages, with_session
from hub.web.people import People
from hub.web.reports import Reports
from hub.web.sessions import Sessions
from hub.web.shown import Shown, staff_name
from hub.web.tongues import install
from hub.web.words import globals_of_templates

__all__ = ["setup_pages"]

_HERE = Path(__file__).parent


def setup_pages(app: web.Application, hub: Hub) -> None:
    """Add the pages; reads or makes the key of sessions, else no I/O. Raises OSError where the key can't be kept."""
    settings = hub.settings
    sessions = Sessions(session_key(settings), hub.clock, settings.public_url)
    pages = Pages(hub, sessions, Passwords(), LoginThrottle(hub.clock))
    app[PAGES] = pages
    app.middlewares.append(with_session)
    shown = Shown(settings.time_zone, hub.clock.now)
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        filters=shown.filters(),
        context_processors=(),
    )
    install(environment)
    environment.globals.update(asset=_assets(), staff_name=staff_name, fresh_nonce=fresh_nonce, call_kinds=call_kinds)
    environment.globals.update(globals_of_templates())
    environment.globals.update(special_lists=lambda: tuple(hub.store.office.lists))
    _routes(app, pages)


def _routes(app: web.Application, pages: Pages) -> None:
    entering, home, clients, journal = Entering(pages), Home(pages), Clients(pages), Journal(pages)
    calls, lists, reports = Calls(pages), Lists(pages), Reports(pages)
    identities, list_pages = Identities(pages), ListPages(pages)
    page = pages.page
    app.add_routes(
        [
            web.get("/setup", page(entering.setup_form, public=True)),
            web.post("/setup", page(entering.setup, public=True)),
            web.get("/login", page(entering.login_form, public=True)),
            web.post("/login", page(entering.login, public=True)),
            web.post("/logout", page(entering.logout)),
            web.get("/", page(home.show)),
            web.post("/me/peace", page(People(pages).peace)),
            web.post(r"/cases/{id:\d+}/take", page(home.take)),
            web.post(r"/cases/{id:\d+}/promise", page(home.promise)),
            web.post(r"/cases/{id:\d+}/close", page(home.close)),
            web.post(r"/cases/{id:\d+}/list", page(lists.put_case)),
            web.get("/contacts", page(clients.find)),
            web.get(r"/contacts/{id:\d+}", page(clients.show)),
            web.post(r"/contacts/{id:\d+}/reply", page(clients.reply)),
            web.post(r"/contacts/{id:\d+}/leads/{lead_id:\d+}/take", page(clients.take_lead)),
            web.post(r"/contacts/{id:\d+}/list", page(lists.put_client)),
            web.post(r"/contacts/{id:\d+}/unlist", page(lists.take_client)),
            web.post(r"/contacts/{id:\d+}/merge", page(identities.merge)),
            web.post(r"/contacts/{id:\d+}/unmerge", page(identities.unmerge)),
            web.post(r"/contacts/{id:\d+}/suggestions/{suggestion_id:\d+}/accept", page(identities.accept)),
            web.post(r"/contacts/{id:\d+}/suggestions/{suggestion_id:\d+}/dismiss", page(identities.dismiss)),
            web.get("/lists", page(list_pages.show)),
            web.post("/lists/add", page(list_pages.add)),
            web.post("/lists/remove", page(list_pages.remove)),
            web.get("/calls", page(calls.show)),
            web.post(r"/calls/{id:\d+}/list", page(lists.put_call)),
            web.post("/calls/call", page(calls.call)),
            web.get("/reports", page(reports.show_all)),
            web.get(r"/reports/{name:\w+}", page(reports.show)),
            web.get("/journal", page(journal.show, role=Role.ADMIN)),
            web.post(r"/journal/{id:\d+}/replay", page(journal.replay, role=Role.ADMIN)),
        ]
    )
    app.router.add_static("/static/", _HERE / "static", append_version=False)


def _assets() -> dict[str, str]:
    """The addresses of static files; each changes with its content, so that no browser keeps an old one."""
    return {
        path.name: f"/static/{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        for path in sorted((_HERE / "static").iterdir())
        if path.is_file()
    }
