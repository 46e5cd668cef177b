"""The community's events: to the Callback API with repeats until `ok`, and to Bots Long Poll with keys and places."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from crm_core.ports import Clock
from hub.demo.peers.bot_api.journal import Journal

KEPT = 1000
KEY_LASTS_S = 3600.0
MAX_ATTEMPTS = 200
RETRY_S = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Pauses between tries, the last one again and again: short, since a demo and tests can't wait like VK."""

_TIMEOUT = ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Posted:
    """One try of the Callback API: which event, what was answered (None where nothing was), which repeat it was."""

    event_id: str
    status: int | None
    body: bytes
    repeat: int


@dataclass(frozen=True, slots=True)
class Hook:
    """Where the Callback API posts to."""

    url: str
    secret: str
    confirmation: str
    status: str = "unconfigured"


class CallbackSender:
    """Posts events, one after the other, each until it is answered 200 with exactly `ok`."""

    def __init__(self, group_id: int) -> None:
        self._group_id = group_id
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.hook: Hook | None = None
        self.posted: Journal[Posted] = Journal()
        self.given_up: Journal[str] = Journal()

    def begin(self, hook: Hook) -> None:
        """Post to `hook` from now on; what waits goes first."""
        self.hook = hook
        self._task = asyncio.create_task(self._run(hook), name="vk callback")

    async def end(self) -> None:
        """Stop posting; what waits stays. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def put(self, event: dict[str, Any]) -> None:
        """Queue an event; without a hook nobody is told."""
        if self.hook is not None:
            body = json.dumps({**event, "secret": self.hook.secret}, ensure_ascii=False).encode()
            self.put_raw(str(event.get("event_id", "")), body)

    def put_raw(self, event_id: str, body: bytes) -> None:
        """Queue bytes as they are."""
        self._waiting.append((event_id, body))
        self._arrived.set()

    async def confirm(self) -> bool:
        """Ask the hook for its confirmation, as the button in the settings does."""
        hook = self.hook
        if hook is None:
            return False
        body = json.dumps({"type": "confirmation", "group_id": self._group_id}).encode()
        async with ClientSession(timeout=_TIMEOUT) as session:
            posted = await self._post(session, hook, "confirmation", body, 0)
        good = posted.status == 200 and posted.body == hook.confirmation.encode()
        self.hook = Hook(hook.url, hook.secret, hook.confirmation, "ok" if good else "failed")
        return good

    async def _run(self, hook: Hook) -> None:
        async with ClientSession(timeout=_TIMEOUT) as session:
            while True:
                while not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
                event_id, body = self._waiting[0]
                await self._deliver(session, hook, event_id, body)
                self._waiting.popleft()

    async def _deliver(self, session: ClientSession, hook: Hook, event_id: str, body: bytes) -> None:
        for attempt in range(MAX_ATTEMPTS):
            posted = await self._post(session, hook, event_id, body, attempt)
            self.posted.append(posted)
            if posted.status == 200 and posted.body == b"ok":
                return
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
        self.given_up.append(event_id)

    async def _post(self, session: ClientSession, hook: Hook, event_id: str, body: bytes, repeat: int) -> Posted:
        headers = {"Content-Type": "application/json", "X-Retry-Counter": str(repeat)}
        try:
            async with session.post(hook.url, data=body, headers=headers, allow_redirects=False) as answer:
                return Posted(event_id, answer.status, await answer.read(), repeat)
        except (ClientError, TimeoutError):
            return Posted(event_id, None, b"", repeat)


class LongPoll:
    """What a long poll is answered: events behind a place, or why not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: deque[tuple[int, dict[str, Any]]] = deque(maxlen=KEPT)
        self._last = 100
        self._oldest_known = 100
        self._key = ""
        self._key_ends = 0.0
        self._arrived = asyncio.Condition()
        self._lost = False
        self.polls: Journal[dict[str, str]] = Journal()

    def server(self, url: str) -> dict[str, str]:
        """The answer to groups.getLongPollServer: a new key, the place after everything."""
        self._key = secrets.token_hex(20)
        self._key_ends = self._clock.monotonic() + KEY_LASTS_S
        self._lost = False
        return {"key": self._key, "server": url, "ts": str(self._last)}

    async def put(self, event: dict[str, Any]) -> None:
        """Add an event to the stream."""
        async with self._arrived:
            self._last += 1
            self._events.append((self._last, event))
            self._arrived.notify_all()

    def forget(self) -> None:
        """Forget all events so far: an older place is outdated (failed 1)."""
        self._oldest_known = self._last
        self._events.clear()

    def expire_key(self) -> None:
        """The key is good no more (failed 2)."""
        self._key_ends = self._clock.monotonic()

    def lose(self) -> None:
        """The server has lost everything (failed 3)."""
        self._lost = True

    async def answer(self, query: dict[str, str], ending: asyncio.Event) -> dict[str, Any]:
        """One poll. ValueError where the query is not what VK documents."""
        self.polls.append(query)
        if query.get("act") != "a_check" or not query.get("ts", "").isdecimal():
            raise ValueError("act=a_check, key, ts and wait are wanted")
        wait = query.get("wait", "")
        if not wait.isdecimal() or not 1 <= int(wait) <= 90:
            raise ValueError("wait is 1 to 90 seconds")
        if self._lost:
            return {"failed": 3}
        if query.get("key") != self._key or self._clock.monotonic() >= self._key_ends:
            return {"failed": 2}
        ts = int(query["ts"])
        if ts < self._oldest_known or ts > self._last:
            return {"failed": 1, "ts": self._last}
        if ts == self._last:
            await self._wait(float(wait), ts, ending)
        found = [event for number, event in self._events if number > ts]
        return {"ts": str(self._last), "updates": found}

    async def _wait(self, seconds: float, ts: int, ending: asyncio.Event) -> None:
        async def arrival() -> None:
            async with self._arrived:
                await self._arrived.wait_for(lambda: self._last > ts)

        tasks = {asyncio.create_task(arrival()), asyncio.create_task(ending.wait())}
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
