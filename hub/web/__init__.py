"""The workspace: server-rendered pages for the people of the office.

`setup_pages(app, hub)` puts them into the hub's HTTP application. Pages are plain HTML that works without scripts as
far as that makes sense; small modules keep them live.
"""

from __future__ import annotations

from aiohttp import web

from hub.access.second_factor import SecondFactors
from hub.access.secret_key import session_key
from hub.access.security import Passwords
from hub.access.throttle import Throttle
from hub.bootstrap import Hub
from hub.http.routing import mount_routes
from hub.web import (
    board,
    broadcasts,
    calls,
    client,
    clients,
    companies,
    consent,
    control,
    dialling,
    entering,
    first_run,
    inbox,
    journal,
    lists,
    me,
    office,
    popups,
    products,
    reports,
    runs,
    scores,
    search,
    tasks,
    upkeep,
    wall,
)
from hub.web.assets import served
from hub.web.calls.page import fresh_nonce
from hub.web.live.stream import LivePages
from hub.web.navigation import navigation
from hub.web.pages import PAGES, Pages, with_session
from hub.web.routes import ROUTES, Handler, Route
from hub.web.sessions import Sessions
from hub.web.shown import Shown, staff_name
from hub.web.templating import Templates
from hub.web.unsent import Unsent
from hub.web.words import call_kinds, globals_of_templates

__all__ = ["setup_pages"]


def setup_pages(app: web.Application, hub: Hub) -> None:
    """Add the pages; reads or makes the key of sessions, else no I/O. Raises OSError where the key can't be kept."""
    settings = hub.settings
    sessions = Sessions(session_key(settings), hub.clock, settings.public_url)
    redis_url = settings.redis_url.reveal() if settings.redis_url is not None else None
    shown = Shown(settings.time_zone, hub.clock.now)
    assets = served()
    templates = Templates(assets.url)
    templates.filters.update(shown.filters())
    templates.globals.update(staff_name=staff_name, fresh_nonce=fresh_nonce, call_kinds=call_kinds)
    templates.globals.update(navigation=navigation, **globals_of_templates())
    templates.globals.update(special_lists=lambda: tuple(hub.store.office.lists))
    unsent = Unsent(settings, hub.store)
    pages = Pages(hub, sessions, templates, Passwords(), Throttle(hub.clock, redis_url), unsent)
    app[PAGES] = pages
    app.middlewares.extend((sessions.middleware, with_session))
    app.on_cleanup.append(pages.close)
    live = LivePages(pages)
    app.on_startup.append(live.start)
    app.on_cleanup.append(live.stop)
    routes = app[ROUTES] = _routes(pages, live)
    mount_routes(app, ((each.method, each.path, _guarded(pages, each)) for each in routes))
    app.router.add_get(r"/static/{version:[0-9a-f]{12}}/{name:.+}", assets.serve)


def _guarded(pages: Pages, route: Route) -> Handler:
    return pages.page(route.handler, right=route.right, public=route.public, body=route.body)


def _routes(pages: Pages, live: LivePages) -> tuple[Route, ...]:
    """Every route of the pages: the table of rights is compared with it."""
    factors = SecondFactors(pages.hub.settings, pages.hub.clock)
    return (
        *entering.routes(pages, factors),
        *me.routes(pages, factors),
        *first_run.routes(pages),
        *journal.routes(pages),
        *lists.routes(pages),
        *upkeep.routes(pages),
        *board.routes(pages),
        *broadcasts.routes(pages),
        *calls.routes(pages),
        *client.routes(pages, live),
        *clients.routes(pages),
        *companies.routes(pages),
        *consent.routes(pages),
        *control.routes(pages),
        *dialling.routes(pages),
        *inbox.routes(pages, live),
        *office.routes(pages),
        *popups.routes(pages, live),
        *products.routes(pages),
        *reports.routes(pages),
        *runs.routes(pages),
        *scores.routes(pages),
        *search.routes(pages),
        *tasks.routes(pages),
        *wall.routes(pages),
        *live.routes(),
    )
