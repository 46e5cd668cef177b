"""Routes that hubs of a process share: making the patterns of hundreds of paths is most of putting an app together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import TypeAlias

from aiohttp import web

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Place: TypeAlias = tuple[str, str]  # a method and a path as aiohttp writes it, `/clients/{id:[0-9]+}`

_HANDLERS = web.AppKey("handlers", dict[Place, Handler])


def mount_routes(app: web.Application, routes: Iterable[tuple[str, str, Handler]]) -> None:
    """Give paths their handlers, in this order; of (method, path, handler). Raises ValueError where one is taken."""
    handlers = app.setdefault(_HANDLERS, {})
    places: list[Place] = []
    for method, path, handler in routes:
        place = (method, path)
        if place in handlers:
            raise ValueError(f"{method} {path} is mounted twice")
        handlers[place] = handler
        places.append(place)
    for resource in _resources(tuple(places)):
        app.router.register_resource(resource)


@cache
def _resources(places: tuple[Place, ...]) -> tuple[web.AbstractResource, ...]:
    router = web.UrlDispatcher()
    for method, path in places:
        router.add_route(method, path, _relay((method, path)))
    return tuple(router.resources())


def _relay(place: Place) -> Handler:
    """To the handler that the application of the request has for this place."""

    async def relay(request: web.Request) -> web.StreamResponse:
        return await request.app[_HANDLERS][place](request)

    return relay
