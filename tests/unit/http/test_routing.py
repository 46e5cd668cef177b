"""Routes that several hubs of a process share."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from hub.http.routing import mount_routes


def answering(text: str) -> web.Application:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text)

    app = web.Application()
    mount_routes(app, [("GET", "/clients/{id:[0-9]+}", answer), ("HEAD", "/clients/{id:[0-9]+}", answer)])
    return app


async def test_each_application_has_its_own_handlers_behind_the_same_resources() -> None:
    one, other = answering("one"), answering("other")
    assert list(one.router.resources()) == list(other.router.resources())
    for app, expected in ((one, "one"), (other, "other")):
        app.freeze()
        request = make_mocked_request("GET", "/clients/5", app=app)
        match = await app.router.resolve(request)
        assert match["id"] == "5"
        request._match_info = match
        match.add_app(app)
        answer = await match.handler(request)
        assert isinstance(answer, web.Response)
        assert answer.text == expected


def test_a_place_is_taken_once() -> None:
    app = answering("one")

    async def another(_request: web.Request) -> web.Response:
        return web.Response()

    with pytest.raises(ValueError, match="mounted twice"):
        mount_routes(app, [("GET", "/clients/{id:[0-9]+}", another)])
