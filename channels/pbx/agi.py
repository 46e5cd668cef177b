"""The FastAGI server: answers a PBX that asks who takes a call, whatever the rest of the hub is doing.

It lives in a thread of its own with an event loop of its own, and the decision is made in a second thread, so that
neither a busy hub nor a slow decision can keep a caller from an answer within the deadline.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast

import uvloop

from channels.pbx.agi_wire import (
    HEAD_END,
    AgiProtocolError,
    AgiRequest,
    Replies,
    Variables,
    parse_request,
    set_variable,
)

log = logging.getLogger(__name__)

# How long a busy thread may keep the interpreter from the two that answer calls, which ask for it some four times a
# call. Measured beside a main loop that computes 60 % of the time: p50 3.9 ms with 1 ms, 1.8 ms with this, while the
# main loop gets as much done in its processor time. CPython's own is 5 ms.
SWITCH_S = 0.0002


@dataclass(frozen=True, slots=True)
class AgiAnswer:
    """The channel variables to set; what the decision was about, for whoever is told; whether it is the late one."""

    variables: Variables
    about: Any = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class AgiLimits:
    """What a peer may cost: seconds for header and replies, bytes of header, connections at a time."""

    head_s: float = 2.0
    reply_s: float = 5.0
    head_bytes: int = 64 * 1024
    connections: int = 500


@dataclass(slots=True)
class AgiStats:
    """Counters since the start; written by the server's thread, read by anybody."""

    answered: int = 0
    late: int = 0
    malformed: int = 0
    timed_out: int = 0
    refused: int = 0
    rejected_commands: int = 0
    open: int = 0


Decide = Callable[[AgiRequest], AgiAnswer]
Answered = Callable[[AgiRequest, AgiAnswer, float], None]


@dataclass(frozen=True, slots=True)
class AgiHandlers:
    """What the server asks. `decide` runs in the decision thread; `late` gives the answer when it takes too long;
    `answered` is told in the server's thread after the answer went out, with the milliseconds it took."""

    decide: Decide
    late: Decide
    answered: Answered


class AgiServer:
    """Listens on `host:port` (port 0 picks one). A decision that takes longer than `deadline_s` is replaced."""

    def __init__(
        self, host: str, port: int, handlers: AgiHandlers, deadline_s: float, limits: AgiLimits | None = None
    ) -> None:
        self._host, self._port = host, port
        self.handlers = handlers
        self.deadline_s = deadline_s
        self.limits = limits or AgiLimits()
        self.stats = AgiStats()
        self.connections: set[_Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._threads: list[threading.Thread] = []
        self._questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; the port is known once it has started."""
        return self._host, self._port

    @property
    def running(self) -> bool:
        """Whether the server's thread lives."""
        return bool(self._threads) and self._threads[0].is_alive()

    async def start(self) -> None:
        """Listen; lowers the interpreter's switch interval. Raises OSError where the address can't be had."""
        if self._threads:
            return
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))
        listening: Future[int] = Future()
        serving = threading.Thread(target=self._serve, args=(listening,), name=f"agi:{self._port}", daemon=True)
        deciding = threading.Thread(target=self._decide, name=f"agi-decisions:{self._port}", daemon=True)
        self._threads = [serving, deciding]
        deciding.start()
        serving.start()
        try:
            self._port = await asyncio.wrap_future(listening)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop listening and close what is open. Idempotent; waits for the threads, the caller's loop goes on."""
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(stopping.set)
            except RuntimeError:
                log.debug("the AGI loop was closed already")
        self._questions.put(None)
        threads, self._threads = self._threads, []
        for thread in threads:
            await asyncio.to_thread(thread.join, 5.0)
            if thread.is_alive():
                log.error("thread %s did not end", thread.name)

    def ask(self, question: _Question) -> None:
        """Hand a question to the decision thread."""
        self._questions.put(question)

    def _serve(self, listening: Future[int]) -> None:
        loop = uvloop.new_event_loop()
        self._loop = loop
        try:
            loop.run_until_complete(self._listen(loop, listening))
        except BaseException as err:
            if not listening.done():
                listening.set_exception(err)
            else:
                log.exception("the AGI server died")
        finally:
            loop.close()

    async def _listen(self, loop: asyncio.AbstractEventLoop, listening: Future[int]) -> None:
        self._stopping = asyncio.Event()
        server = await loop.create_server(lambda: _Connection(self, loop), self._host, self._port, backlog=512)
        listening.set_result(server.sockets[0].getsockname()[1])
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for connection in tuple(self.connections):
                connection.abort()

    def _decide(self) -> None:
        while (question := self._questions.get()) is not None:
            if question.settled:
                continue
            try:
                answer: AgiAnswer | None = self.handlers.decide(question.request)
            except Exception:
                log.exception("no decision on call %s", question.request.uniqueid)
                answer = None
            question.tell(answer)


@dataclass(slots=True, eq=False)
class _Question:
    """A request under way between the two threads."""

    request: AgiRequest
    loop: asyncio.AbstractEventLoop
    answer: Callable[[AgiAnswer | None], None]
    settled: bool = False

    def tell(self, answer: AgiAnswer | None) -> None:
        """Hand the answer back to the server's thread."""
        try:
            self.loop.call_soon_threadsafe(self.answer, answer)
        except RuntimeError:
            log.debug("the AGI loop was closed before the answer")


@dataclass(slots=True, eq=False)
class _Connection(asyncio.Protocol):
    """One question: header, decision, answer in a single write, replies.

    Asterisk reads commands through a buffered stream and waits for the socket between two of them: commands sent
    together would stand in that buffer unread. Closing our half of the connection right behind them keeps the socket
    readable, so that it runs them all and ends the AGI by itself: one round trip for any number of variables.
    """

    server: AgiServer
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport | None = None
    buffer: bytearray = field(default_factory=bytearray)
    timer: asyncio.TimerHandle | None = None
    began: float = 0.0
    question: _Question | None = None
    replies: Replies | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.began = time.perf_counter()
        if len(self.server.connections) >= self.server.limits.connections:
            self.server.stats.refused += 1
            self.transport.abort()
            return
        self.server.connections.add(self)
        self.server.stats.open += 1
        self.timer = self.loop.call_later(self.server.limits.head_s, self._timed_out)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 — the protocol gives it
        if self in self.server.connections:
            self.server.connections.discard(self)
            self.server.stats.open -= 1
        self._cancel_timer()
        if self.question is not None:
            self.question.settled = True
        self.transport = None

    def eof_received(self) -> bool | None:
        return None

    def data_received(self, data: bytes) -> None:
        try:
            if self.replies is not None:
                self._replied(self.replies, data)
            else:
                self._header(data)
        except AgiProtocolError as err:
            self.server.stats.malformed += 1
            log.warning("AGI connection dropped: %s", err)
            self.abort()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    def _header(self, data: bytes) -> None:
        # only the new bytes and the seam are searched: a peer that sends byte by byte costs linear time
        seam = max(len(self.buffer) - 1, 0)
        self.buffer += data
        end = self.buffer.find(HEAD_END, seam)
        if end > self.server.limits.head_bytes or (end < 0 and len(self.buffer) > self.server.limits.head_bytes):
            raise AgiProtocolError("the header is too long")
        if end < 0 or self.question is not None:
            return
        request = parse_request(bytes(self.buffer[:end]))
        self.buffer.clear()
        self._cancel_timer()
        self.question = _Question(request, self.loop, self._decided)
        self.timer = self.loop.call_later(self.server.deadline_s, self._late)
        self.server.ask(self.question)

    def _decided(self, answer: AgiAnswer | None) -> None:
        question = self.question
        if question is None or question.settled:
            return
        if answer is None:
            self._late()
        else:
            self._answer(question, answer)

    def _late(self) -> None:
        question = self.question
        if question is None or question.settled:
            return
        self.server.stats.late += 1
        log.error("no decision on call %s in time: fallback", question.request.uniqueid)
        self._answer(question, self.server.handlers.late(question.request))

    def _answer(self, question: _Question, answer: AgiAnswer) -> None:
        question.settled = True
        self._cancel_timer()
        if self.transport is None or self.transport.is_closing():
            return
        self.replies = Replies(expected=len(answer.variables))
        self.transport.write(b"".join(set_variable(name, value) for name, value in answer.variables))
        self.transport.write_eof()
        self.timer = self.loop.call_later(self.server.limits.reply_s, self._timed_out)
        self.server.stats.answered += 1
        try:
            self.server.handlers.answered(question.request, answer, (time.perf_counter() - self.began) * 1000)
        except Exception:
            log.exception("the decision on call %s could not be noted", question.request.uniqueid)

    def _replied(self, replies: Replies, data: bytes) -> None:
        if len(data) > self.server.limits.head_bytes:
            raise AgiProtocolError("the replies are too long")
        replies.feed(data)
        if not replies.complete:
            return
        for line in replies.failed:
            self.server.stats.rejected_commands += 1
            log.error("the PBX refused a channel variable: %.200s", line)
        if self.transport is not None:
            self.transport.close()

    def _timed_out(self) -> None:
        self.server.stats.timed_out += 1
        self.abort()

    def _cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
