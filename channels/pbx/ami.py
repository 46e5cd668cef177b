"""The AMI link: one connection kept alive, its events handed on, its actions answered in time or failed."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from channels.pbx.ami_wire import (
    AmiMessage,
    AmiOverflowError,
    Fields,
    Splitter,
    encode_action,
    event_name,
    parse_block,
)
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.wording import Joined, Sentence

log = logging.getLogger(__name__)

_LAST_WORD_S = 0.1
# what Asterisk says where user, secret or address are wrong; everything else that it refuses may pass by itself
_NOT_LET_IN = "Authentication failed"


class AmiError(Exception):
    """Something went wrong on the AMI link."""


class AmiDownError(AmiError):
    """There is no link to the PBX, or it broke before the answer; the action may or may not have been carried out."""


class AmiTimeoutError(AmiError):
    """The PBX did not answer in time; the action may or may not have been carried out."""


class AmiRefusedError(AmiError):
    """The PBX refused the action; the message is its own."""


class AmiCredentialsError(AmiRefusedError):
    """The PBX refused user name, secret or address."""


@dataclass(frozen=True, slots=True)
class AmiAddress:
    """Where the PBX listens and who we are."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkTiming:
    """Seconds: to connect, for an action, between heartbeats, for their answer, for FullyBooted, between tries, for an
    event that follows an action at once.
    """

    connect_s: float = 5.0
    action_s: float = 10.0
    heartbeat_s: float = 5.0
    heartbeat_deadline_s: float = 5.0
    booted_s: float = 10.0
    backoff_first_s: float = 0.5
    backoff_most_s: float = 15.0
    bad_credentials_s: float = 60.0
    event_s: float = 5.0


@dataclass(frozen=True, slots=True)
class LinkHandlers:
    """Whom the link tells.

    `message` gets each wanted event in the stream's order and must not block; `ready` runs after each login, beside the
    events; `lost` is told when a link that was ready broke.
    """

    message: Callable[[AmiMessage], None]
    ready: Callable[[], Awaitable[None]]
    lost: Callable[[], None]


@dataclass(slots=True)
class LinkStats:
    """Counters since the start."""

    events: int = 0
    passed_over: int = 0
    callback_errors: int = 0
    connects: int = 0
    failures: int = 0


class AmiLink:
    """A client of one PBX's AMI. `run()` connects, logs in and reconnects for ever; nothing is ever sent twice."""

    def __init__(
        self,
        address: AmiAddress,
        handlers: LinkHandlers,
        wanted: frozenset[str],
        event_classes: str = "system,call,agent,user",
        timing: LinkTiming | None = None,
    ) -> None:
        self._address = address
        self._handlers = handlers
        self._wanted = frozenset(name.encode() for name in wanted)
        self._classes = event_classes
        self._timing = timing or LinkTiming()
        self._writer: asyncio.StreamWriter | None = None
        self._pending: dict[str, asyncio.Future[AmiMessage]] = {}
        self._booted = asyncio.Event()
        self._numbers = itertools.count(1)
        self._prefix = ""
        self._ready = False
        self._packets = 0
        self._refused = ""
        self._health = ChannelHealth(ChannelState.CONNECTING)
        self.stats = LinkStats()

    @property
    def ready(self) -> bool:
        """Whether the link is logged in."""
        return self._ready

    @property
    def health(self) -> ChannelHealth:
        """How the link stands; connected with a `detail` is a trouble."""
        if self._health.state is not ChannelState.CONNECTED:
            return self._health
        detail = Joined(each for each in (self._health.detail, self._refused) if each)
        return ChannelHealth(ChannelState.CONNECTED, detail, trouble=bool(detail))

    async def run(self) -> None:
        """Keep the link up until cancelled."""
        failures = 0
        self._health = ChannelHealth(ChannelState.CONNECTING)
        try:
            while True:
                pause = self._timing.backoff_first_s
                try:
                    await self._session(self._live)
                except AmiCredentialsError as err:
                    self._down(ChannelState.BAD_CREDENTIALS, Sentence("{place}: {why}", place=self._where(), why=err))
                    pause = self._timing.bad_credentials_s
                except (AmiError, AmiOverflowError, OSError, TimeoutError) as err:
                    failures = 0 if self._ready else failures
                    failures += 1
                    self._down(
                        ChannelState.RECONNECTING,
                        Sentence("{place}: {why}", place=self._where(), why=str(err) or type(err).__name__),
                    )
                    most = min(self._timing.backoff_first_s * 2 ** min(failures - 1, 10), self._timing.backoff_most_s)
                    # spread, so that many hubs do not come back at one moment
                    pause = most * random.uniform(0.5, 1.0)  # noqa: S311 — not a secret
                await asyncio.sleep(pause)
        finally:
            self._down(ChannelState.STOPPED, "")

    async def act(
        self, name: str, fields: Fields = (), within_s: float | None = None, action_id: str | None = None
    ) -> AmiMessage:
        """Send an action and return the PBX's response. `action_id` is what later events of it are to carry.

        Raises AmiInjectionError (nothing sent), AmiDownError, AmiTimeoutError or AmiRefusedError. An action is never
        repeated by the link: after AmiDownError and AmiTimeoutError nobody knows whether the PBX carried it out.
        """
        writer = self._writer
        if writer is None:
            raise AmiDownError(Sentence("{place}: not connected", place=self._where()))
        action_id = action_id or f"{self._prefix}-{next(self._numbers)}"
        data = encode_action(name, action_id, fields)
        answer: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
        self._pending[action_id] = answer
        try:
            async with asyncio.timeout(self._timing.action_s if within_s is None else within_s):
                writer.write(data)
                await writer.drain()
                response = await answer
        except TimeoutError:
            raise AmiTimeoutError(Sentence("{place}: no answer to {name}", place=self._where(), name=name)) from None
        except OSError as err:
            raise AmiDownError(Sentence("{place}: {why}", place=self._where(), why=err)) from err
        finally:
            self._pending.pop(action_id, None)
        if response.get("Response") == "Error":
            raise AmiRefusedError(f"{name}: {response.get('Message')}")
        return response

    async def visit(self, work: Callable[[], Awaitable[None]]) -> None:
        """Connect once, log in, do the work, leave. Raises AmiError, OSError or TimeoutError with what is wrong."""

        async def live() -> None:
            self._health = ChannelHealth(ChannelState.CONNECTED, await self._login())
            await work()

        await self._session(live)

    async def _session(self, live: Callable[[], Awaitable[None]]) -> None:
        async with asyncio.timeout(self._timing.connect_s):
            reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        self._writer = writer
        self._prefix = secrets.token_hex(4)
        self._booted.clear()
        reading, living = asyncio.create_task(self._read(reader)), asyncio.ensure_future(live())
        tasks = (living, reading)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                # an answer that came with the end of the stream is still to be heard: it may say why
                self._fail_pending()
                await asyncio.wait((living,), timeout=_LAST_WORD_S)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            self._writer = None
            self._fail_pending()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            writer.close()

    def _fail_pending(self) -> None:
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(
                    AmiDownError(Sentence("{place}: the link broke before the answer", place=self._where()))
                )

    async def _login(self) -> str:
        """Log in and wait until Asterisk has booted; a warning in words where it can't be seen."""
        try:
            await self.act(
                "Login",
                (("Username", self._address.username), ("Secret", self._address.secret), ("Events", self._classes)),
            )
        except AmiRefusedError as err:
            if _NOT_LET_IN in str(err):
                raise AmiCredentialsError(str(err)) from err
            raise
        try:
            async with asyncio.timeout(self._timing.booted_s):
                await self._booted.wait()
        except TimeoutError:
            detail = Sentence(
                "user {user!r} sees no FullyBooted: it lacks `system` among its read classes",
                user=self._address.username,
            )
            log.warning("AMI %s: %s", self._where(), detail)
            return detail
        return ""

    async def _live(self) -> None:
        """Log in, tell that the link is ready, then ask for a sign of life again and again."""
        detail = await self._login()
        self.stats.connects += 1
        self._ready = True
        self._refused = ""
        self._health = ChannelHealth(ChannelState.CONNECTED, detail)
        log.info("AMI link to %s is up", self._where())
        preparing = asyncio.create_task(self._prepare())
        try:
            while True:
                await asyncio.sleep(self._timing.heartbeat_s)
                await self._sign_of_life()
        finally:
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)

    async def _sign_of_life(self) -> None:
        """Raises AmiTimeoutError where nothing at all comes. In a flood of events the answer waits behind them.

        A refusal is a sign of life too: an Asterisk that waits for the last call to end before it stops tells of that
        call to the end, but lets nobody in any more.
        """
        heard = self._packets
        try:
            await self.act("Ping", within_s=self._timing.heartbeat_deadline_s)
            self._refusal("")
        except AmiRefusedError as err:
            self._refusal(str(err))
        except AmiTimeoutError:
            if self._packets == heard:
                raise

    def _refusal(self, detail: str) -> None:
        if detail and detail != self._refused:
            log.warning("AMI %s: %s", self._where(), detail)
        self._refused = detail

    async def _prepare(self) -> None:
        try:
            await self._handlers.ready()
        except AmiDownError as err:
            log.info("the link broke while the state was being asked for: %s", err)
        except Exception as err:
            log.exception("asking the PBX for its state failed")
            self._health = ChannelHealth(
                ChannelState.CONNECTED, Sentence("the state could not be asked for: {why}", why=err)
            )

    async def _read(self, reader: asyncio.StreamReader) -> None:
        splitter = Splitter()
        while data := await reader.read(64 * 1024):
            self._packets += 1
            for block in splitter.feed(data):
                self._block(block)
        raise AmiDownError(Sentence("the PBX closed the connection"))

    def _block(self, block: bytes) -> None:
        name = event_name(block)
        if name == b"FullyBooted":
            self._booted.set()
        if name is not None and name not in self._wanted:
            self.stats.passed_over += 1
            return
        message = parse_block(block)
        if name is None:
            answer = self._pending.get(message.get("ActionID"))
            if answer is not None and not answer.done():
                answer.set_result(message)
            return
        self.stats.events += 1
        try:
            self._handlers.message(message)
        except Exception:
            self.stats.callback_errors += 1
            log.exception("event %s was not understood", message.event)

    def _down(self, state: ChannelState, detail: str) -> None:
        if state is not ChannelState.STOPPED:
            self.stats.failures += 1
            if self._health != ChannelHealth(state, detail):
                log.log(logging.ERROR if state is ChannelState.BAD_CREDENTIALS else logging.WARNING, "AMI %s", detail)
        self._health = ChannelHealth(state, detail)
        was_ready, self._ready = self._ready, False
        if was_ready:
            try:
                self._handlers.lost()
            except Exception:
                self.stats.callback_errors += 1
                log.exception("the loss of the link could not be told")

    def _where(self) -> str:
        return f"{self._address.host}:{self._address.port}"
