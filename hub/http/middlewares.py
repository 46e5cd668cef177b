"""What happens around every request: its correlation id, its count, its problems told in one form."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram

from crm_core.wording import Sentence
from hub.http.keys import CORRELATION, ROUTE
from hub.http.language import HEADER as HEADER_OF_LANGUAGE
from hub.http.problems import Problem, problem_of
from hub.log import bind_correlation, get_logger
from hub.tongues import language, told

log = get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADER = "X-Correlation-ID"
_MACHINE_PATHS = ("/api/", "/in/", "/healthz", "/readyz", "/metrics")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@web.middleware
async def correlated(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Bind the caller's correlation id, or a fresh one, to everything that is logged and written."""
    with bind_correlation(request.headers.get(HEADER, "")) as bound:
        request[CORRELATION] = bound
        return await handler(request)


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Put on every answer what it carries: the correlation id, and that its type is to be taken at its word."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if bound := request.get(CORRELATION):
        response.headers[HEADER] = bound


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell errors as problem details, in the language of whoever asked; on pages leave those of aiohttp to whoever
    draws pages."""
    try:
        return await handler(request)
    except ConnectionError:
        raise  # nobody is left to be told
    except web.HTTPException as err:
        if err.status < 400 or not _for_machines(request):
            raise
        error: Exception = err
    except Exception as err:  # noqa: BLE001 - the edge: whatever happens becomes an answer, and the unforeseen a log line
        error = err
    problem = problem_of(error)
    if problem is None:
        log.error("a request failed", method=request.method, path=request.path, exc_info=error)
        text = Sentence("the hub failed; the log tells more under the correlation id")
        problem = Problem(500, text, kind="internal")
    elif problem.status >= 500:
        log.warning("a request was refused", method=request.method, path=request.path, error=str(error))
    response = problem.response(request.get(CORRELATION, ""), told)
    response.headers["Content-Language"] = language()
    response.headers["Vary"] = HEADER_OF_LANGUAGE
    return response


def observed(registry: CollectorRegistry) -> Middleware:
    """Counts requests by their route, never by their path."""
    requests = Counter("hub_http_requests", "HTTP requests", ["method", "route", "status"], registry=registry)
    seconds = Histogram(
        "hub_http_seconds", "From a request to its answer", ["method", "route"], buckets=_SECONDS, registry=registry
    )

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        status = 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as err:
            status = err.status
            raise
        finally:
            resource = request.match_info.route.resource
            route = request.get(ROUTE) or (resource.canonical if resource is not None else "-")
            method = request.method if request.method in {"GET", "POST", "PATCH", "DELETE", "HEAD", "PUT"} else "-"
            requests.labels(method, route, str(status)).inc()
            seconds.labels(method, route).observe(time.perf_counter() - begun)

    return observe


def _for_machines(request: web.Request) -> bool:
    return request.path.startswith(_MACHINE_PATHS) or "text/html" not in request.headers.get("Accept", "")
