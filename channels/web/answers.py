"""What browsers are answered: JSON, refusals in words, and which pages may read it (CORS)."""

from __future__ import annotations

import json

from channels.web.config import WebConfig
from crm_core.ports import HttpRequest, HttpResponse

JSON = "application/json; charset=utf-8"
Headers = tuple[tuple[str, str], ...]
_PREFLIGHT_AGE_S = "86400"
_NO_ORIGIN = "This origin may not post here: add it to origins."


def cors(origin: str) -> Headers:
    """The origin was compared with the allowed ones, or any is allowed; header values stay on their line."""
    return (
        ("Access-Control-Allow-Origin", "".join(origin.split())),
        ("Access-Control-Expose-Headers", "Retry-After"),
        ("Vary", "Origin"),
    )


def ok(headers: Headers = (), **more: object) -> HttpResponse:
    """200 and `{"ok": true, …}`."""
    return HttpResponse(200, body(ok=True, **more), JSON, headers)


def refusal(status: int, words: str, headers: Headers = ()) -> HttpResponse:
    """`{"ok": false, "error": words}`."""
    return HttpResponse(status, body(ok=False, error=words), JSON, headers)


def foreign() -> HttpResponse:
    """What a page of another origin is told."""
    return refusal(403, _NO_ORIGIN, (("Vary", "Origin"),))


def preflight(config: WebConfig, request: HttpRequest) -> HttpResponse:
    """What a browser asks before it lets a page post: 204 for an allowed origin, else 403."""
    origin = request.headers.get("origin", "")
    if not origin or not config.allows(origin):
        return foreign()
    return HttpResponse(
        204,
        headers=(
            *cors(origin),
            ("Access-Control-Allow-Methods", "POST, OPTIONS"),
            ("Access-Control-Allow-Headers", "Content-Type, X-Requested-With"),
            ("Access-Control-Max-Age", _PREFLIGHT_AGE_S),
        ),
    )


def body(**answer: object) -> bytes:
    """An answer as JSON; what can't be written in UTF-8 becomes question marks."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
