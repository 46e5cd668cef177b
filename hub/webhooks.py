"""Outgoing webhooks: signed, with a delivery id that stays the same on every retry.

Addresses of hub.toml are the administrator's own and may lie anywhere; those of subscriptions, which people make in
the office, are posted to only where they are public (see `hub.guarded`), unless `webhook_private` allows others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import orjson

from crm_core.errors import PermanentDeliveryError, TransientDeliveryError
from crm_core.model.office import Office
from crm_core.model.signature import signature
from crm_core.ports import Clock
from crm_core.wording import Sentence
from hub.guarded import PrivateAddressError, guarded_session, refused_host

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_OK = range(200, 300)
_GONE = 410
_SILENT_TRIES = 5
_REST_S = 60.0


@dataclass(frozen=True, slots=True)
class Posting:
    """A delivery as it is posted: to whom (`key`), where, what, signed with what. `own` says that the address is the
    administrator's, who may mean one of the office's own network."""

    key: str
    url: str
    secret: str = field(repr=False)
    delivery: str
    content: object
    own: bool = False


class Refused(TransientDeliveryError):
    """The receiver answered, but did not take it; `status` is what it answered."""

    def __init__(self, status: int) -> None:
        super().__init__(Sentence("the receiver answered {status}", status=status))
        self.status = status


class Gone(PermanentDeliveryError):
    """The receiver answered 410 Gone."""

    status = _GONE


class Resting(TransientDeliveryError):
    """The receiver did not answer again and again: it is left alone for a moment, so that it holds up nobody else."""


@dataclass(slots=True)
class _Silence:
    tries: int = 0
    until: float = 0.0
    error: str = ""


class WebhookSender:
    """Posts events to other programs. Whoever does not answer at all is left alone for a while, one try at a time."""

    def __init__(self, office: Office, clock: Clock) -> None:
        self._office = office
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._guarded: aiohttp.ClientSession | None = None
        self._silent: dict[str, _Silence] = {}

    async def start(self) -> None:
        """Open the clients."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False)
        self._guarded = guarded_session(timeout=_TIMEOUT)

    async def stop(self) -> None:
        """Close them. Idempotent."""
        sessions, self._session, self._guarded = (self._session, self._guarded), None, None
        for session in sessions:
            if session is not None:
                await session.close()

    async def post(self, posting: Posting) -> int:
        """Deliver one event. Any answer of 2xx is a success, and given back; 410 ends it for good, everything else is
        tried again."""
        free = posting.own or self._office.webhook_private
        session = self._session if free else self._guarded
        if session is None:
            raise TransientDeliveryError("the webhook client is not running")
        if not free and refused_host(urlsplit(posting.url).hostname or ""):
            raise PrivateAddressError("the address is one of the hub's own network: see webhook_private")
        silence = self._silent.get(posting.key)
        now = self._clock.monotonic()
        if silence is not None and silence.until > now:
            raise Resting("the receiver does not answer: {why}", why=silence.error)
        if silence is not None and silence.tries >= _SILENT_TRIES:
            silence.until = now + _REST_S  # one goes out to see whether it is back, the others wait for how that ends
        try:
            status = await self._posted(session, posting)
        except TransientDeliveryError as err:
            self._fell_silent(posting.key, str(err))
            raise
        self._silent.pop(posting.key, None)
        if status == _GONE:
            raise Gone
        if status not in _OK:
            raise Refused(status)
        return status

    async def _posted(self, session: aiohttp.ClientSession, posting: Posting) -> int:
        body = orjson.dumps(posting.content)
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Delivery": posting.delivery,
            "X-Hub-Timestamp": timestamp,
            "X-Hub-Signature": f"sha256={signature(posting.secret, timestamp, body)}",
        }
        try:
            async with session.post(posting.url, data=body, headers=headers, allow_redirects=False) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            raise TransientDeliveryError("{why}: {why2}", why=type(err).__name__, why2=err) from err

    def _fell_silent(self, key: str, error: str) -> None:
        silence = self._silent.setdefault(key, _Silence())
        silence.tries += 1
        silence.error = error
        if silence.tries >= _SILENT_TRIES:
            silence.until = self._clock.monotonic() + _REST_S
