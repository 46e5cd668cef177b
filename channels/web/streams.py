"""Open windows of visitors: what is new in a conversation, as it is written, over an answer that does not end.

Ten thousand of them on one node are meant to be cheap: a stream at rest holds one future and one timer, has no task of
its own beside the connection's, and is woken for its own conversation alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from channels.web.config import ChatConfig
from channels.web.shapes import HEARTBEAT, HELLO, writes
from crm_core.errors import StorageUnavailable
from crm_core.messages import ChannelKey, Delivery
from crm_core.model.call import Direction
from crm_core.ports import Conversations, Said

_PAGE = 100
_READERS = 8
_AGAIN_S = 2.0
Told = Callable[[str, Said], Awaitable[None]]
Written = Callable[[Sequence[Said]], bytes]


class Stream:
    """One open window. `wake` and `show_writing` may be called at any time, from the loop's own thread."""

    __slots__ = ("_due", "_waiter", "_writer", "address", "ended", "visitor")

    def __init__(self, visitor: str, address: str | None) -> None:
        self.visitor = visitor
        self.address = address
        self.ended = False
        self._due = False
        self._writer = ""
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Something of the conversation may have changed."""
        self._due = True
        self._end_rest()

    def show_writing(self, author: str) -> None:
        """Somebody of the office writes."""
        self._writer = author
        self._end_rest()

    def writer(self) -> str:
        """Who began to write meanwhile, empty where nobody did; asked once."""
        writer, self._writer = self._writer, ""
        return writer

    def end(self) -> None:
        """Let the answer come to its end."""
        self.ended = True
        self._end_rest()

    async def rest(self, longest_s: float) -> bool:
        """Until something may have changed (True), or for `longest_s` (False)."""
        if not self._due and not self._writer and not self.ended:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(longest_s, self._end_rest)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        due, self._due = self._due, False
        return due

    def _end_rest(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class TooManyStreams(Exception):
    """No more windows from this address, or on this node."""


class Streams:
    """All open windows of one account. `told` is called with a visitor and the last message of the office that their
    window got, once for each."""

    def __init__(self, key: ChannelKey, config: ChatConfig, conversations: Conversations, told: Told) -> None:
        self._key = key
        self._config = config
        self._conversations = conversations
        self._told = told
        self._open: set[Stream] = set()
        self._of_visitor: dict[str, list[Stream]] = {}
        self._of_address: dict[str, int] = {}
        self._reading = asyncio.Semaphore(_READERS)  # after a start all windows come back at once

    def __len__(self) -> int:
        return len(self._open)

    def open(self, visitor: str, address: str | None, after: int, written: Written) -> AsyncGenerator[bytes, None]:
        """The answer of a new window: what stands behind `after`, then what comes. A visitor's oldest window makes room
        for a new one. Raises TooManyStreams."""
        if len(self._open) >= self._config.streams:
            raise TooManyStreams
        if address is not None and self._of_address.get(address, 0) >= self._config.per_address:
            raise TooManyStreams
        return self._content(Stream(visitor, address), after, written)

    def show_writing(self, visitor: str, author: str) -> None:
        """Say in a visitor's windows that somebody of the office writes."""
        for stream in self._of_visitor.get(visitor, ()):
            stream.show_writing(author)

    def end(self) -> None:
        """Let all of them come to their end."""
        for stream in tuple(self._open):
            stream.end()

    async def _content(self, stream: Stream, after: int, written: Written) -> AsyncGenerator[bytes, None]:
        # Counted here and not in `open`: an answer that is never begun is never closed either.
        self._remember(stream)
        unfollow = self._conversations.follow(self._key, stream.visitor, stream.wake)
        settled = after  # of what the office wrote up to here it is told that it arrived
        due = True
        try:
            yield HELLO
            while not stream.ended:
                if not due:
                    due = await stream.rest(self._config.heartbeat_s)
                    writer = stream.writer()
                    if writer:
                        yield writes(writer)
                    elif not due and not stream.ended:
                        yield HEARTBEAT
                    continue
                found = await self._read(stream, after)
                if found is None:
                    await stream.rest(_AGAIN_S)
                    continue
                due = len(found) == _PAGE
                if found:
                    yield written(found)
                    after = found[-1].seq
                if settled < after:
                    settled = await self._tell(stream, settled, after)
        finally:
            unfollow()
            self._forget(stream)

    async def _read(self, stream: Stream, after: int) -> Sequence[Said] | None:
        async with self._reading:
            try:
                return await self._conversations.said(self._key, stream.visitor, after, _PAGE)
            except StorageUnavailable:
                return None  # the storage itself says so in the log; the window stays and looks again

    async def _tell(self, stream: Stream, settled: int, after: int) -> int:
        """Say that the office's messages arrived, up to the first that is not noted as sent yet; the number of the last
        one of which there is nothing more to tell."""
        last: Said | None = None
        for each in await self._read(stream, settled) or ():
            if each.seq > after or each.delivery is Delivery.QUEUED:
                break
            settled = each.seq
            if each.direction is Direction.OUT and each.delivery is Delivery.SENT:
                last = each
        if last is not None:
            await self._told(stream.visitor, last)
        return settled

    def _remember(self, stream: Stream) -> None:
        windows = self._of_visitor.setdefault(stream.visitor, [])
        if len(windows) >= self._config.per_visitor:
            # It counts until it is over: one whose reader takes nothing holds its memory until then.
            windows.pop(0).end()
        windows.append(stream)
        self._open.add(stream)
        if stream.address is not None:
            self._of_address[stream.address] = self._of_address.get(stream.address, 0) + 1

    def _forget(self, stream: Stream) -> None:
        if stream not in self._open:
            return
        self._open.discard(stream)
        windows = self._of_visitor.get(stream.visitor, [])
        if stream in windows:
            windows.remove(stream)
        if not windows:
            self._of_visitor.pop(stream.visitor, None)
        if stream.address is not None:
            left = self._of_address.get(stream.address, 1) - 1
            if left > 0:
                self._of_address[stream.address] = left
            else:
                self._of_address.pop(stream.address, None)
