"""A gateway as a channel: takes signed events in, posts signed answers out."""

from __future__ import annotations

import hmac
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from channels.gateway.config import GatewayConfig
from channels.gateway.inbound import Arrival, Malformed, events_in, read, unreadable
from channels.gateway.outbound import Poster
from crm_core.errors import ChannelAuthError, IntakeUnavailable, TransientDeliveryError
from crm_core.messages import ChannelKey, DeliveryReceipt, InboundEvent, OutboundMessage
from crm_core.model.signature import signature
from crm_core.ports import (
    ChannelContext,
    ChannelHealth,
    ChannelState,
    HttpRequest,
    HttpResponse,
    HttpRoute,
    InboundSink,
)
from crm_core.wording import Joined, Sentence

log = logging.getLogger(__name__)

_JSON = "application/json; charset=utf-8"
_FRESH_S = 300  # older ones may be replayed by whoever overheard them
_SCHEME = "sha256="


class GatewayChannel:
    """One gateway: `Channel`, `ReceivesHttp`, `ReparsesRaw`, `KeepsFiles`, `FetchesFiles`, `ProvesItself`,
    `Measured`."""

    def __init__(self, config: GatewayConfig, context: ChannelContext) -> None:
        self._config = config
        self._context = context
        self._poster = Poster(config, context.files, context.clock)
        self._sink: InboundSink | None = None
        self._health = ChannelHealth(ChannelState.CONNECTING)
        self._counts: Counter[str] = Counter()

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return self._config.channel_key

    @property
    def health(self) -> ChannelHealth:
        """Connected while it is started, unless the gateway refused our signature or could not be reached."""
        return self._health

    async def start(self, sink: InboundSink) -> None:
        """Begin taking messages in."""
        self._poster.open()
        self._sink = sink
        self._become(ChannelHealth(ChannelState.CONNECTED))

    async def stop(self) -> None:
        """Take no more in; the HTTP server lets running requests end."""
        self._sink = None
        self._health = ChannelHealth(ChannelState.STOPPED)
        await self._poster.close()

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Post one answer, see `outbound`; a refused signature turns the health to BAD_CREDENTIALS."""
        try:
            receipt = await self._poster.send(message)
        except ChannelAuthError as error:
            self._become(ChannelHealth(ChannelState.BAD_CREDENTIALS, str(error)))
            raise
        except TransientDeliveryError as error:
            if error.retry_after is None:
                self._become(ChannelHealth(ChannelState.RECONNECTING, str(error)))
            raise
        self._become(ChannelHealth(ChannelState.CONNECTED))
        return receipt

    def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        """A file that a message named by its address."""
        return self._poster.fetch(remote_id)

    def routes(self) -> Sequence[HttpRoute]:
        """Where events are posted."""
        return (HttpRoute("POST", self._config.path, self._posted, self._config.max_size * 4 // 3 + 65536),)

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """Read a raw event of the journal again."""
        try:
            (said,) = events_in(raw)
        except ValueError as error:
            return unreadable(self._config, raw, received_at, str(error)).event
        return read(self._config, self._context.region, said, received_at, external_id).event

    async def keep_files(self, raw: bytes) -> None:
        """Store the files of a raw event, before its replay."""
        for said in events_in(raw):
            await self._store(read(self._config, self._context.region, said, self._context.clock.now()))

    async def check(self) -> str:
        """Post a ping where there is an address, and tell where events are posted."""
        url = f"{self._context.public_url.rstrip('/')}{self._config.path}"
        place = Sentence("events are posted to {url}", url=url)
        if self._config.url is None:
            return Joined((place, Sentence("there is no url, so that nobody can be answered")))
        poster = Poster(self._config, self._context.files, self._context.clock)
        poster.open()
        try:
            await poster.ask()
        finally:
            await poster.close()
        return Joined((place, Sentence("the gateway took our signature")))

    def measurements(self) -> Mapping[str, float]:
        """Events taken in, repeated, not understood; posts refused for their signature."""
        return {name: float(count) for name, count in self._counts.items()}

    async def _posted(self, request: HttpRequest) -> HttpResponse:
        """200 with what became of each event, after commit. 401: the signature is wrong or too old, nothing is written.

        422: the whole body is no event; it is in the journal as failed. Raises IntakeFull or IntakeUnavailable where
        nothing was committed.
        """
        trouble = self._untrusted(request)
        if trouble:
            self._counts["posts_refused"] += 1
            return _answer(401, {"error": trouble})
        sink, now = self._sink, self._context.clock.now()
        if sink is None:
            raise IntakeUnavailable("the channel is not started")
        try:
            found = events_in(request.body)
        except Malformed as error:
            await sink.receive(unreadable(self._config, request.body, now, str(error)).event)
            self._counts["events_not_understood"] += 1
            return _answer(422, {"error": str(error)})
        arrivals = [read(self._config, self._context.region, said, now) for said in found]
        for arrival in arrivals:
            await self._store(arrival)
        receipts = await sink.receive_many([arrival.event for arrival in arrivals])
        results = []
        for arrival, receipt in zip(arrivals, receipts, strict=True):
            self._counts["events_not_understood" if arrival.trouble else f"events_{receipt.state.value}"] += 1
            told = {"id": arrival.event.external_id, "state": receipt.state.value}
            results.append({**told, "error": arrival.trouble} if arrival.trouble else told)
        return _answer(200, {"ok": not any(each.trouble for each in arrivals), "results": results})

    def _untrusted(self, request: HttpRequest) -> str:
        """Why a post is not believed, empty where it is."""
        stamp = request.headers.get("x-hub-timestamp", "")
        given = request.headers.get("x-hub-signature", "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            return "X-Hub-Timestamp: seconds since 1970 are wanted"
        wanted = f"{_SCHEME}{signature(self._config.secret, stamp, request.body)}"
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "backslashreplace")):
            return "X-Hub-Signature: not the signature of this body and timestamp"
        if abs(int(stamp) - self._context.clock.now().timestamp()) > _FRESH_S:
            return f"X-Hub-Timestamp: more than {_FRESH_S} seconds away; look at the clocks of both machines"
        return ""

    async def _store(self, arrival: Arrival) -> None:
        for content in arrival.files:
            await self._context.files.put_bytes(content)

    def _become(self, health: ChannelHealth) -> None:
        if health != self._health and self._health.state is not ChannelState.STOPPED:
            bad = health.state is ChannelState.BAD_CREDENTIALS
            log.log(logging.ERROR if bad else logging.INFO, "%s: %s %s", self.key, health.state.value, health.detail)
        if self._sink is not None:
            self._health = health


def create(config: GatewayConfig, context: ChannelContext) -> GatewayChannel:
    """The connector of one gateway; no I/O."""
    return GatewayChannel(config, context)


def _answer(status: int, body: Mapping[str, object]) -> HttpResponse:
    return HttpResponse(status, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"), _JSON)
