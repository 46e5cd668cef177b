"""The HTTP side of a form: who may post, what the browser is told, where the visitor goes next."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from channels.web.answers import JSON, Headers, body, cors, foreign, ok, preflight, refusal
from channels.web.config import ANY_ORIGIN, WebConfig
from channels.web.inbound import Arrival, read
from channels.web.limits import RateLimit, visitor
from crm_core.ports import Clock, FileStore, HttpRequest, HttpResponse, InboundSink


class FormView:
    """Takes in what a website posts."""

    def __init__(self, config: WebConfig, files: FileStore, clock: Clock) -> None:
        self._config = config
        self._files = files
        self._clock = clock
        self._limit = RateLimit(config.per_minute, clock)

    async def preflight(self, request: HttpRequest) -> HttpResponse:
        """What a browser asks before it lets a page post: 204 for an allowed origin, else 403."""
        return preflight(self._config, request)

    async def post(self, request: HttpRequest, sink: InboundSink) -> HttpResponse:
        """200 with `{"ok": true}`, or 303 to the thank-you page, after commit; also for a repeat.

        401 wrong key, 403 foreign origin, 413 too large, 429 too many, 422 empty: nothing is written. 422 with
        `"kept": true` for a body that can't be read: it is in the journal as failed. Raises IntakeFull or
        IntakeUnavailable where nothing was committed.
        """
        given = request.query.get("key", "").encode("utf-8", "backslashreplace")
        if not hmac.compare_digest(given, self._config.key.encode("utf-8", "backslashreplace")):
            return refusal(401, "The key is wrong.")
        origin = request.headers.get("origin", "")
        if origin and not self._config.allows(origin):
            return foreign()
        shared = cors(origin) if origin else ()
        if len(request.body) > self._config.max_size:
            return refusal(413, f"The form is larger than {self._config.max_size} bytes.", shared)
        address = visitor(request)
        wait_s = self._limit.wait_s(address) if address is not None else 0
        if wait_s:
            return refusal(429, "Too many forms from this address.", (*shared, ("Retry-After", str(wait_s))))
        content_type = request.headers.get("content-type", "")
        arrival = read(self._config, request.body, content_type, self._clock.now())
        if arrival.empty:
            words = "The form is empty: send at least one of name, phone, email, message."
            return refusal(422, words, shared)
        for file in arrival.files:
            await self._files.put_bytes(file.content)
        await sink.receive(arrival.event)
        if arrival.trouble:
            return HttpResponse(422, body(ok=False, error=arrival.trouble, kept=True), JSON, shared)
        return self._thanks(arrival, origin, shared)

    def _thanks(self, arrival: Arrival, origin: str, shared: Headers) -> HttpResponse:
        if arrival.redirect and self._may_redirect(arrival.redirect, origin):
            return HttpResponse(303, headers=(*shared, ("Location", arrival.redirect)))
        return ok(shared)

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
