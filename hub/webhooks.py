"""Outgoing webhooks: signed, with a delivery id that stays the same on every retry."""

from __future__ import annotations

import aiohttp
import orjson

from crm_core.errors import PermanentDeliveryError, TransientDeliveryError
from crm_core.model.office import Office
from crm_core.model.records import OutboxRecord
from crm_core.model.signature import signature
from crm_core.ports import Clock

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_OK = range(200, 300)
_GONE = 410


class WebhookSender:
    """Posts events to the configured addresses."""

    def __init__(self, office: Office, clock: Clock) -> None:
        self._secrets = {target.url: target.secret for target in office.webhooks}
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the client."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def stop(self) -> None:
        """Close it. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def post(self, record: OutboxRecord) -> None:
        """Deliver one event; any answer of 2xx is a success, 410 ends it for good, everything else is tried again."""
        url = record.payload["target"]
        secret = self._secrets.get(url)
        if secret is None:
            raise PermanentDeliveryError(f"no webhook to {url} is configured any more")
        if self._session is None:
            raise TransientDeliveryError("the webhook client is not running")
        body = orjson.dumps({name: record.payload[name] for name in ("event", "at", "data")})
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Delivery": record.dedupe,
            "X-Hub-Timestamp": timestamp,
            "X-Hub-Signature": f"sha256={signature(secret, timestamp, body)}",
        }
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise TransientDeliveryError(f"{type(err).__name__}: {err}") from err
        if status == _GONE:
            raise PermanentDeliveryError("the receiver answered 410 Gone")
        if status not in _OK:
            raise TransientDeliveryError(f"the receiver answered {status}")
