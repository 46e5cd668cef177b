"""Everything that goes wrong, said in one form: RFC 9457 problem details."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from crm_core.errors import (
    ConcurrentChange,
    Conflict,
    CoreError,
    DeliveryError,
    Forbidden,
    IntakeError,
    IntakeFull,
    InvalidInput,
    NeedsConfirmation,
    NotFound,
    Outdated,
    StorageUnavailable,
)
from crm_core.model.faults import why_of
from crm_core.wording import Sentence

CONTENT_TYPE = "application/problem+json"
_FULL_RETRY_S = 1
_AWAY_RETRY_S = 5
_MOST_FLAWS = 50


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at one place of a request; `pointer` is a JSON pointer into the body, `?name` a query parameter."""

    pointer: str
    detail: str


class Problem(Exception):
    """An answer that says what is wrong. `kind` is a stable word for programs, `detail` a sentence for people (a
    `Sentence`, which can be said in their language), `more` are further members of the answer."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "",
        errors: Sequence[Flaw] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def response(self, correlation_id: str = "", told: Callable[[str], str] = str) -> web.Response:
        """The answer on the wire; `told` says a text in the language of whoever asked."""
        body: dict[str, object] = {
            "type": f"urn:hub:problem:{self.kind}" if self.kind else "about:blank",
            "title": told(_title(self.status)),
            "status": self.status,
            "detail": told(self.detail),
        }
        if self.errors:
            body["errors"] = [{"pointer": each.pointer, "detail": told(each.detail)} for each in self.errors]
        body.update(self.more)
        if correlation_id:
            body["correlation_id"] = correlation_id
        return web.Response(
            status=self.status, body=orjson.dumps(body), content_type=CONTENT_TYPE, headers=self.headers
        )


def invalid(pointer: str, detail: str) -> Problem:
    """One thing in the request makes no sense."""
    return Problem(422, detail, kind="invalid-input", errors=[Flaw(pointer, detail)])


def problem_of(error: Exception) -> Problem | None:
    """How an error is told; None for one that is nobody's fault but the hub's."""
    match error:
        case Problem():
            return error
        case IntakeFull():
            return _later(str(error), _FULL_RETRY_S)
        case StorageUnavailable() | IntakeError() | ConcurrentChange():
            return _later(_public(error), _AWAY_RETRY_S)
        case NotFound():
            return Problem(404, str(error), kind="not-found")
        case Forbidden():
            return Problem(403, str(error), kind="forbidden")
        case NeedsConfirmation():
            asked = Sentence("{why}: send it again with «confirm»: true", why=str(error))
            return Problem(409, asked, kind="needs-confirmation")
        case Outdated(current=BaseModel() as current):
            shown = {"current": current.model_dump(mode="json", by_alias=True)}
            return Problem(409, str(error), kind="conflict", more=shown)
        case Conflict():
            return Problem(409, str(error), kind="conflict")
        case InvalidInput():
            return Problem(422, str(error), kind="invalid-input")
        case DeliveryError():
            return Problem(502, str(error), kind="provider")
        case web.HTTPException():
            return _of_http(error)
        case _:
            return None


# How the model's own ways of reading a value are called, where it has several: no part of what was sent.
_BRANCH = re.compile(r"(function-\w+|list|dict|nullable)\[.*\]|constrained-\w+")


def of_validation(error: ValidationError, prefix: str = "") -> Problem:
    """A request that does not fit its model; `prefix` is `?` for a query."""
    flaws = [
        Flaw(prefix + _pointer(each["loc"], query=prefix == "?"), _why(each))
        for each in error.errors(include_url=False, include_input=False)[:_MOST_FLAWS]
    ]
    first = flaws[0] if flaws else Flaw("", "")
    where = first.pointer or Sentence("the body")
    return Problem(422, Sentence("{where}: {why}", where=where, why=first.detail), kind="invalid-input", errors=flaws)


def _why(fault: ErrorDetails) -> str:
    """What is wrong at one place, in the words that pydantic has for it in English."""
    why = why_of(fault)
    return why if why == fault["msg"] else Sentence("Value error, {why}", why=why)


def _pointer(place: tuple[int | str, ...], *, query: bool) -> str:
    named = [str(each) for each in place if not (isinstance(each, str) and _BRANCH.fullmatch(each))]
    parts = [each.replace("~", "~0").replace("/", "~1") for each in named]
    return ".".join(parts) if query else "".join(f"/{each}" for each in parts)


def _later(detail: str, seconds: int) -> Problem:
    return Problem(503, detail, kind="unavailable", headers={"Retry-After": str(seconds)})


def _public(error: CoreError) -> str:
    """Without what a driver says: it may name hosts and statements."""
    match error:
        case StorageUnavailable() | IntakeError():
            return Sentence("the database can't be reached; nothing was changed: try again in a moment")
        case _:
            return Sentence("somebody changed the same records again and again; nothing was changed: try again")


def _of_http(error: web.HTTPException) -> Problem:
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = error.headers.get("Allow", "")
        takes = Sentence("this address takes {methods}", methods=allowed)
        return Problem(405, takes, kind="method", headers={"Allow": allowed})
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return too_large(None)
    if error.status == HTTPStatus.NOT_FOUND:
        return Problem(404, Sentence("there is nothing at this address"), kind="not-found")
    kept = {name: error.headers[name] for name in ("Retry-After", "WWW-Authenticate") if name in error.headers}
    return Problem(error.status, error.text or error.reason, headers=kept)


def too_large(limit: int | None) -> Problem:
    """A body over its limit in bytes."""
    if limit is None:
        return Problem(413, Sentence("the body is too large: it is larger than what is taken"), kind="too-large")
    return Problem(
        413, Sentence("the body is too large: at most {limit} bytes are taken", limit=limit), kind="too-large"
    )


# What they are called, where it is not as HTTP does: in another language, that is.
_TITLES: Mapping[int, str] = {
    400: Sentence("Bad Request"),
    401: Sentence("Unauthorized"),
    403: Sentence("Forbidden"),
    404: Sentence("Not Found"),
    405: Sentence("Method Not Allowed"),
    408: Sentence("Request Timeout"),
    409: Sentence("Conflict"),
    413: Sentence("Request Entity Too Large"),
    415: Sentence("Unsupported Media Type"),
    416: Sentence("Requested Range Not Satisfiable"),
    422: Sentence("Unprocessable Entity"),
    429: Sentence("Too Many Requests"),
    500: Sentence("Internal Server Error"),
    502: Sentence("Bad Gateway"),
    503: Sentence("Service Unavailable"),
    507: Sentence("Insufficient Storage"),
}


def _title(status: int) -> str:
    if status in _TITLES:
        return _TITLES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
