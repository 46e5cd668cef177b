"""The HTTP side of a form: who may post, what the browser is told, where the visitor goes next."""

from __future__ import annotations

import hmac
import json
from urllib.parse import urlsplit

from channels.web.config import ANY_ORIGIN, WebConfig
from channels.web.inbound import Arrival, read
from channels.web.limits import RateLimit, visitor
from crm_core.ports import Clock, FileStore, HttpRequest, HttpResponse, InboundSink

_JSON = "application/json; charset=utf-8"
_PREFLIGHT_AGE_S = "86400"
Headers = tuple[tuple[str, str], ...]


class FormView:
    """Takes in what a website posts."""

    def __init__(self, config: WebConfig, files: FileStore, clock: Clock) -> None:
        self._config = config
        self._files = files
        self._clock = clock
        self._limit = RateLimit(config.per_minute, clock)

    async def preflight(self, request: HttpRequest) -> HttpResponse:
        """What a browser asks before it lets a page post: 204 for an allowed origin, else 403."""
        origin = request.headers.get("origin", "")
        if not origin or not self._config.allows(origin):
            return _refusal(403, "This origin may not post here: add it to origins.", (("Vary", "Origin"),))
        return HttpResponse(
            204,
            headers=(
                *_cors(origin),
                ("Access-Control-Allow-Methods", "POST, OPTIONS"),
                ("Access-Control-Allow-Headers", "Content-Type, X-Requested-With"),
                ("Access-Control-Max-Age", _PREFLIGHT_AGE_S),
            ),
        )

    async def post(self, request: HttpRequest, sink: InboundSink) -> HttpResponse:
        """200 with `{"ok": true}`, or 303 to the thank-you page, after commit; also for a repeat.

        401 wrong key, 403 foreign origin, 413 too large, 429 too many, 422 empty: nothing is written. 422 with
        `"kept": true` for a body that can't be read: it is in the journal as failed. Raises IntakeFull or
        IntakeUnavailable where nothing was committed.
        """
        given = request.query.get("key", "").encode("utf-8", "backslashreplace")
        if not hmac.compare_digest(given, self._config.key.encode("utf-8", "backslashreplace")):
            return _refusal(401, "The key is wrong.")
        origin = request.headers.get("origin", "")
        if origin and not self._config.allows(origin):
            return _refusal(403, "This origin may not post here: add it to origins.", (("Vary", "Origin"),))
        cors = _cors(origin) if origin else ()
        if len(request.body) > self._config.max_size:
            return _refusal(413, f"The form is larger than {self._config.max_size} bytes.", cors)
        address = visitor(request)
        wait_s = self._limit.wait_s(address) if address is not None else 0
        if wait_s:
            return _refusal(429, "Too many forms from this address.", (*cors, ("Retry-After", str(wait_s))))
        content_type = request.headers.get("content-type", "")
        arrival = read(self._config, request.body, content_type, self._clock.now())
        if arrival.empty:
            words = "The form is empty: send at least one of name, phone, email, message."
            return _refusal(422, words, cors)
        for file in arrival.files:
            await self._files.put_bytes(file.content)
        await sink.receive(arrival.event)
        if arrival.trouble:
            return HttpResponse(422, _body(ok=False, error=arrival.trouble, kept=True), _JSON, cors)
        return self._thanks(arrival, origin, cors)

    def _thanks(self, arrival: Arrival, origin: str, cors: Headers) -> HttpResponse:
        if arrival.redirect and self._may_redirect(arrival.redirect, origin):
            return HttpResponse(303, headers=(*cors, ("Location", arrival.redirect)))
        return HttpResponse(200, _body(ok=True), _JSON, cors)

    def _may_redirect(self, url: str, origin: str) -> bool:
        """Only to sites that may post, never anywhere a crafted form points; with `*`, to the page's own origin."""
        if not url.isascii() or any(char <= " " or char in '\\"<>^`{|}' for char in url):
            return False
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
            return False
        target = f"{parts.scheme}://{parts.netloc}".lower()
        named = {each.lower() for each in self._config.origins if each != ANY_ORIGIN}
        return target in named or (ANY_ORIGIN in self._config.origins and target == origin.strip().lower())


def _cors(origin: str) -> Headers:
    """The origin was compared with the allowed ones, or any is allowed; header values stay on their line."""
    return (("Access-Control-Allow-Origin", "".join(origin.split())), ("Vary", "Origin"))


def _refusal(status: int, words: str, headers: Headers = ()) -> HttpResponse:
    return HttpResponse(status, _body(ok=False, error=words), _JSON, headers)


def _body(**answer: object) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
