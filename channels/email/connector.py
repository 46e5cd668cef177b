"""A mailbox as a channel: puts the parts together and starts and stops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from channels.email.config import EmailConfig, MailServer
from channels.email.health import Health
from channels.email.imap import WAY as IMAP
from channels.email.imap import Fetcher
from channels.email.imap_check import check_folder
from channels.email.imap_tools import Fetched, ImapTools, Pace
from channels.email.inbound import Arrival, read, with_return_path
from channels.email.listener import Listener, Listeners
from channels.email.outbound import Sender
from channels.email.waiting import Backoff, Sleep
from crm_core.errors import ChannelAuthError, ChannelStopped, DeliveryError, IntakeUnavailable
from crm_core.messages import ChannelKey, DeliveryReceipt, InboundEvent, OutboundMessage, Unparsable
from crm_core.ports import ChannelContext, ChannelHealth, ChannelState, InboundSink
from crm_core.wording import Joined, Sentence

log = logging.getLogger(__name__)

IN, OUT = "in", "out"
# On top of what is kept of a mail that could not be fetched whole: reading it again does not make it a mail.
_NOT_FETCHED = b"X-Hub-Not-Fetched: "
_LARGE = 32 * 1024  # bytes; reading a larger mail would hold up the event loop


class EmailChannel:
    """One mailbox: `Channel`, `ReparsesRaw`, `KeepsFiles`, `ProvesItself`, `Measured`, `Retires`."""

    def __init__(
        self,
        config: EmailConfig,
        context: ChannelContext,
        listener: Listener | None,
        *,
        sleep: Sleep = asyncio.sleep,
        pace: Pace | None = None,
    ) -> None:
        self._config = config
        self._pace = pace or Pace()
        self._context = context
        self._listener = listener
        self._sleep = sleep
        self._sender = Sender(config, context.files, context.clock)
        ways = ((IN, listener), (IMAP, config.imap), (OUT, config.smtp))
        self._health = Health(config.key, tuple(name for name, there in ways if there is not None))
        self._sink: InboundSink | None = None
        self._stopped = False
        self._proving: asyncio.Task[None] | None = None
        self._fetcher: Fetcher | None = None
        self._fetching: asyncio.Task[None] | None = None
        if listener is not None:
            listener.register(config)

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return self._config.key

    @property
    def health(self) -> ChannelHealth:
        """How the mailbox stands: the worst of its way in and its way out."""
        return self._health.now

    @property
    def listening(self) -> tuple[str, int] | None:
        """Host and port where mail is taken in; None while it is not."""
        return self._listener.address if self._listener is not None else None

    async def start(self, sink: InboundSink) -> None:
        """Open the way in, and try the way out in the background."""
        if self._sink is not None:
            raise RuntimeError(f"{self.key} is started already")
        self._sink = sink
        self._stopped = False
        self._health.restart()
        if self._listener is not None:
            await self._listener.join(self._config, self._deliver, self._told)
        if self._config.smtp is not None:
            self._proving = asyncio.create_task(self._prove(), name=f"{self.key} out")
        if self._config.imap is not None:
            self._fetcher = Fetcher(self._imap_tools(self._config.imap))
            self._fetching = asyncio.create_task(self._fetcher.run(), name=f"{self.key} imap")

    async def stop(self) -> None:
        """Let mails that are being taken in be committed, then close."""
        self._stopped = True
        fetching, self._fetching = self._fetching, None
        if fetching is not None and self._fetcher is not None:
            self._fetcher.stop()
            try:
                await asyncio.wait({fetching})
            except asyncio.CancelledError:
                fetching.cancel()  # whoever stops us has no more time: what was not committed is fetched again
                raise
            fetching.result()
        proving, self._proving = self._proving, None
        if proving is not None:
            proving.cancel()
            await asyncio.gather(proving, return_exceptions=True)
        if self._listener is not None:
            await self._listener.leave(self._config)
        self._sink = None
        self._health.stop()

    def retire(self) -> None:
        """The mailbox is gone: mail for it is refused for good, unless another connector has it now."""
        if self._listener is not None:
            self._listener.forget(self._config)

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Deliver one message, see `outbound`; a refused login turns the health to BAD_CREDENTIALS."""
        if self._stopped:
            raise ChannelStopped
        try:
            receipt = await self._sender.send(message)
        except ChannelAuthError as error:
            self._health.failed(OUT, error)
            raise
        self._health.set(OUT, ChannelState.CONNECTED)
        return receipt

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """Read a raw mail of the journal again. Its files are named by content; see `keep_files`."""
        if raw.startswith(_NOT_FETCHED):
            return self._partly(raw, received_at, external_id)
        return read(self._config, raw, received_at, external_id).event

    async def keep_files(self, raw: bytes) -> None:
        """Store the files of a raw mail: before the replay of one that could not be read when it came."""
        await self._store(read(self._config, raw, self._context.clock.now()))

    async def check(self) -> str:
        """Try the way out, and tell of the way in."""
        found: list[str] = []
        if self._listener is not None:
            found.append(
                Sentence(
                    "mail for {mailbox} comes in on {place}", mailbox=self._config.mailbox, place=self._listener.place
                )
            )
        if self._config.smtp is not None:
            found.append(await self._sender.check())
        if self._config.imap is not None:
            found.append(await check_folder(self._config.imap, self._pace.timeout_s))
        return Joined(found)

    def measurements(self) -> Mapping[str, float]:
        """`imap_mails`: fetched since the start."""
        return {"imap_mails": float(self._fetcher.mails)} if self._fetcher is not None else {}

    def _imap_tools(self, server: MailServer) -> ImapTools:
        context = self._context
        return ImapTools(
            key=self.key,
            server=server,
            max_size=self._config.max_size,
            since=self._config.imap_since,
            take=self._take,
            health=self._health,
            clock=context.clock,
            cursors=context.cursors,
            lease=context.lease(f"{self.key}:imap"),
            sleep=self._sleep,
            pace=self._pace,
        )

    async def _take(self, mails: Sequence[Fetched]) -> None:
        """Take in what was fetched; returns after commit."""
        if self._sink is None:
            raise IntakeUnavailable("the mailbox is not started")
        arrivals = await asyncio.to_thread(lambda: [self._fetched(mail) for mail in mails])
        for arrival in arrivals:
            await self._store(arrival)
        await self._sink.receive_many([arrival.event for arrival in arrivals])

    def _fetched(self, mail: Fetched) -> Arrival:
        if not mail.why:
            return read(self._config, mail.content, mail.at)
        why = mail.why.encode("utf-8", "replace")
        return Arrival(self._partly(_NOT_FETCHED + why + b"\r\n" + mail.content, mail.at, None))

    def _partly(self, raw: bytes, received_at: datetime, external_id: str | None) -> InboundEvent:
        """The fact of a mail of which there is the header at most: whose it is, and that it failed."""
        why = raw.partition(b"\r\n")[0].removeprefix(_NOT_FETCHED).decode("utf-8", "replace")
        return replace(read(self._config, raw, received_at, external_id).event, payload=Unparsable(why))

    async def _deliver(self, mail_from: str, content: bytes) -> None:
        """Take one mail in; returns after commit."""
        sink = self._sink
        if sink is None:
            raise IntakeUnavailable("the mailbox is not started")
        now = self._context.clock.now()
        raw = with_return_path(content, mail_from)
        if len(raw) > _LARGE:
            arrival = await asyncio.to_thread(read, self._config, raw, now)
        else:
            arrival = read(self._config, raw, now)
        await self._store(arrival)
        await sink.receive(arrival.event)

    async def _store(self, arrival: Arrival) -> None:
        for file in arrival.files:
            await self._context.files.put_bytes(file.content)

    def _told(self, trouble: str | None) -> None:
        state = ChannelState.CONNECTED if trouble is None else ChannelState.RECONNECTING
        self._health.set(IN, state, trouble or "")

    async def _prove(self) -> None:
        """Find out how the way out stands, until it is open; messages go their own way meanwhile."""
        backoff = Backoff()
        while True:
            try:
                await self._sender.check()
            except DeliveryError as error:
                self._health.failed(OUT, error)
            except Exception as error:
                log.exception("%s: the way out could not be tried", self.key)
                self._health.set(OUT, ChannelState.RECONNECTING, type(error).__name__)
            else:
                self._health.set(OUT, ChannelState.CONNECTED)
                return
            await self._sleep(backoff.next())


def create(config: EmailConfig, context: ChannelContext, listeners: Listeners | None = None) -> EmailChannel:
    """The connector of one mailbox; no I/O yet. Mailboxes of one place need the same `listeners`."""
    listener = (listeners or Listeners()).at(config.listen) if config.listen is not None else None
    return EmailChannel(config, context, listener)


def create_all(configs: Iterable[EmailConfig], context: ChannelContext) -> tuple[EmailChannel, ...]:
    """The connectors of several mailboxes, which share a listener where they name the same place; no I/O yet."""
    listeners = Listeners()
    return tuple(create(config, context, listeners) for config in configs)
