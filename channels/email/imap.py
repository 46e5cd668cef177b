"""Mail in by IMAP: what came meanwhile first, then what comes, as it comes.

The place in the folder moves only after the mails before it are committed, so that whatever dies, dies without losing
one. All talk with the server happens in a thread of the mailbox's own; a stop, or the loss of the lease, cuts the
connection, so that nobody waits for a server that does not answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from channels.email.imap_link import FolderState, ImapLink, Listed, MailRefusedError
from channels.email.imap_place import Place, cursor_name, first_place, parse_place
from channels.email.imap_tools import Fetched, ImapTools, connected
from channels.email.waiting import Backoff
from crm_core.errors import ChannelAuthError, CoreError, DeliveryError, IntakeError, StorageUnavailable
from crm_core.ports import ChannelState
from crm_core.wording import Sentence

log = logging.getLogger(__name__)

T = TypeVar("T")

WAY = "imap"
_WINDOW = 1000  # UIDs that are listed at once
_WIDEST = 65_536  # the same across a gap: the answer is one line, which must not grow without end
_BATCH = 100  # mails that are fetched and committed at once
_BATCH_BYTES = 4 * 1024 * 1024
_TRIES = 3


class _Ended(Exception):
    """Stopped, or the lease is lost."""


class Fetcher:
    """The loop of one mailbox. Of several nodes the one that holds the lease fetches."""

    def __init__(self, tools: ImapTools) -> None:
        self._t = tools
        self._stop = asyncio.Event()
        self._backoff = Backoff()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"imap:{tools.key.account}")
        self._cursor = cursor_name(tools.server)
        # Mails that could not be fetched, and how often; one is given up only when another one behind it could be.
        self._failures: dict[int, int] = {}
        self._reasons: dict[int, str] = {}
        self._headless: set[int] = set()
        # After a failure this many mails are fetched one by one, to find the one that it was.
        self._singly = 0
        self._committing: tuple[asyncio.Task[None], Place] | None = None
        self.mails = 0
        """Mails that were committed since the start."""

    def stop(self) -> None:
        """End the loop, at once where it waits for the server; mails that are being committed are."""
        self._stop.set()

    async def run(self) -> None:
        """Fetch until stopped."""
        try:
            while not self._stop.is_set():
                with suppress(_Ended):
                    if not self._t.lease.held:
                        self._t.health.set(WAY, ChannelState.CONNECTING, Sentence("another node fetches this mailbox"))
                        await self._unless_ended(self._t.lease.acquire())
                    else:
                        await self._guarded()
        finally:
            self._pool.shutdown(wait=True)
            await self._t.lease.release()

    async def _guarded(self) -> None:
        """Whatever goes wrong ends in a pause, never in the end of the loop."""
        pause = 0.0
        try:
            await self._session()
        except _Ended:
            raise
        except (IntakeError, StorageUnavailable) as error:
            # The place stays: the mails are fetched again.
            self._t.health.set(
                WAY, ChannelState.RECONNECTING, Sentence("the mails wait in the mailbox: {why}", why=error)
            )
        except ChannelAuthError as error:
            self._t.health.failed(WAY, error)
            pause = self._t.pace.refused_s  # more tries would have the account locked
        except DeliveryError as error:
            self._t.health.failed(WAY, error)
        except CoreError as error:
            self._t.health.set(WAY, ChannelState.RECONNECTING, str(error))
        except Exception as error:
            log.exception("%s: fetching goes on after an unexpected failure", self._t.key)
            self._t.health.set(WAY, ChannelState.RECONNECTING, type(error).__name__)
        await self._unless_ended(self._slept(max(pause, self._backoff.next())))

    async def _session(self) -> None:
        """One connection, from its beginning to its end."""
        link = await self._unless_ended(connected(self._t.server, self._t.pace.timeout_s))
        try:
            folder = await self._on(link, link.open)
            place = await self._place(folder)
            self._t.health.set(WAY, ChannelState.CONNECTED)
            end = folder.next_uid - 1 if folder.next_uid > 0 else None
            if end is not None and end - place.uid > _WINDOW:
                log.info("%s: up to %d mails are to be fetched", self._t.key, end - place.uid)
            place = await self._catch_up(link, place, end)
            while True:
                self._backoff = Backoff()
                await self._news(link)
                place = await self._catch_up(link, place, None)
        finally:
            try:
                await self._settle()
            finally:
                await self._closed(link)

    async def _place(self, folder: FolderState) -> Place:
        stored = parse_place(await self._t.cursors.load(self._t.key, self._cursor))
        if stored is None:
            place = first_place(folder, self._t.since, self._t.clock.now())
        else:
            place = stored.now_in(folder)
        if stored is None or place.validity != stored.validity:
            log.info("%s: the folder is read from UID %d on", self._t.key, place.uid + 1)
            await self._save(place)
        return place

    async def _news(self, link: ImapLink) -> None:
        if link.can_idle:
            await self._on(link, partial(link.wait, self._t.pace.idle_s))
        else:
            await self._unless_ended(self._slept(self._t.pace.poll_s))
            await self._on(link, link.ask)

    async def _catch_up(self, link: ImapLink, place: Place, end: int | None) -> Place:
        """Take in everything behind the place, up to `end` (None: up to the last mail); the new place."""
        width = _WINDOW
        while True:
            first = place.uid + 1
            if end is not None and first > end:
                return place
            last = None if end is None else min(first + width - 1, end)
            uids = await self._on(link, partial(link.uids, first, last))
            place = await self._take_in(link, place, uids)
            if last is None:
                if not uids:
                    return place
            elif place.uid < last:
                # Nothing of interest lies between the last mail and the end of the window.
                place = place.at(last)
                await self._save(place)
                width = min(width * 2, _WIDEST) if not uids else _WINDOW

    async def _take_in(self, link: ImapLink, place: Place, uids: Sequence[int]) -> Place:
        at = 0
        while at < len(uids):
            part = uids[at : at + (1 if self._singly or self._reasons else _BATCH)]
            at += len(part)
            if part[0] not in self._reasons and await self._take_part(link, place, part):
                place = place.at(part[-1])
                self._singly = max(0, self._singly - 1)
            # Else it is set aside, and told of when something behind it could be fetched.
        if self._reasons:
            reason = next(iter(self._reasons.values()))
            self._reasons.clear()  # with nothing behind it to prove that the server is well, it is tried again
            raise MailRefusedError("the last mail can't be fetched yet: {reason}", reason=reason)
        await self._settle()
        return place

    async def _take_part(self, link: ImapLink, place: Place, uids: Sequence[int]) -> bool:
        """Commit these mails, and the place behind them; False where the only one can't be had for now."""
        try:
            mails = await self._on(link, partial(link.about, uids))
            wanted = [mail for mail in mails if place.wants(mail)]
            for batch in _batches(wanted, self._t.max_size):
                await self._commit(await self._fetched(link, batch), place.at(batch[-1].uid))
        except DeliveryError as error:
            if not self._endure(uids, error):
                raise
            return False
        # Not past one that was set aside: it is in no journal yet, and what is behind it may never come.
        if not self._reasons and (not wanted or wanted[-1].uid != uids[-1]):
            await self._save(place.at(uids[-1]))
        return True

    async def _fetched(self, link: ImapLink, batch: Sequence[Listed]) -> list[Fetched]:
        """The mails of a batch; of those that are too large the headers. Before them what was given up."""
        small = [mail.uid for mail in batch if mail.size <= self._t.max_size]
        bodies = await self._on(link, partial(link.bodies, small)) if small else {}
        found = [await self._given_up(link, uid) for uid in list(self._reasons)]
        for mail in batch:
            if mail.size > self._t.max_size:
                why = f"The mail has {mail.size} bytes; max_size is {self._t.max_size}. It stays in the mailbox."
                log.warning("%s: UID %d: %s", self._t.key, mail.uid, why)
                found.append(
                    Fetched(mail.uid, await self._on(link, partial(link.header, mail.uid)), self._came(mail), why)
                )
            elif mail.uid in bodies:
                found.append(Fetched(mail.uid, bodies[mail.uid], self._came(mail)))
            else:
                log.info("%s: UID %d is gone from the folder", self._t.key, mail.uid)
        return found

    def _came(self, mail: Listed) -> datetime:
        now = self._t.clock.now()
        return min(mail.at, now) if mail.at is not None else now

    def _endure(self, uids: Sequence[int], error: DeliveryError) -> bool:
        """Note that mails could not be fetched; whether the single one among them is to be passed over for now."""
        if len(uids) > 1:
            self._singly = _BATCH
            return False
        (uid,) = uids
        self._singly = max(self._singly, 1)
        self._failures[uid] = self._failures.get(uid, 0) + 1
        if self._failures[uid] <= _TRIES:
            return False
        self._reasons[uid] = str(error)
        return isinstance(error, MailRefusedError)  # a connection that broke has to be made anew first

    async def _given_up(self, link: ImapLink, uid: int) -> Fetched:
        why = f"The mail (UID {uid}) could not be fetched: {self._reasons[uid]}"
        header = b""
        if uid not in self._headless:
            self._headless.add(uid)  # asked once: it may be what the connection breaks at
            with suppress(MailRefusedError):
                header = await self._on(link, partial(link.header, uid))
        self._headless.discard(uid)
        del self._reasons[uid], self._failures[uid]
        log.error("%s: %s", self._t.key, why)
        return Fetched(uid, header, self._t.clock.now(), why)

    async def _commit(self, mails: Sequence[Fetched], behind: Place) -> None:
        """Begin to commit mails, while the next ones are fetched: one commit at a time, and in order."""
        await self._settle()
        self._committing = (asyncio.create_task(self._taken(mails), name=f"{self._t.key} commit"), behind)

    async def _taken(self, mails: Sequence[Fetched]) -> None:
        if mails:
            await self._t.take(mails)
            self.mails += len(mails)

    async def _settle(self) -> None:
        """Wait for the commit that was begun, and only then move the place. Raises what the commit raised."""
        committing, self._committing = self._committing, None
        if committing is not None:
            task, behind = committing
            await task
            await self._t.cursors.save(self._t.key, self._cursor, behind.text())

    async def _save(self, place: Place) -> None:
        await self._settle()
        await self._t.cursors.save(self._t.key, self._cursor, place.text())

    async def _on(self, link: ImapLink, work: Callable[[], T]) -> T:
        """Do something in the mailbox's thread; cut the connection where it has to end before it is done."""
        if not self._t.lease.held:
            raise _Ended  # lost between two steps
        doing = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await self._unless_ended(_of(doing))
        except (_Ended, asyncio.CancelledError):
            link.abort()
            await asyncio.gather(doing, return_exceptions=True)
            raise

    async def _closed(self, link: ImapLink) -> None:
        if self._stop.is_set() or not self._t.lease.held:
            link.abort()
        closing = asyncio.get_running_loop().run_in_executor(self._pool, link.close)
        try:
            await asyncio.wait_for(asyncio.shield(closing), 5)
        except TimeoutError:
            link.abort()
            await closing

    async def _unless_ended(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`; raises _Ended where a stop or the loss of the lease came first."""
        working = asyncio.ensure_future(work)
        ends: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._stop.wait())]
        if self._t.lease.held:
            ends.append(asyncio.ensure_future(self._t.lease.lost()))
        try:
            await asyncio.wait({working, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise _Ended
        finally:
            for each in (working, *ends):
                each.cancel()
            await asyncio.gather(working, *ends, return_exceptions=True)

    async def _slept(self, seconds: float) -> None:
        await self._t.sleep(seconds)


def _batches(mails: Sequence[Listed], max_size: int) -> Iterator[list[Listed]]:
    """Mails to be fetched at once: not too large together."""
    batch: list[Listed] = []
    size = 0
    for mail in mails:
        costs = mail.size if mail.size <= max_size else 0
        if batch and size + costs > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(mail)
        size += costs
    if batch:
        yield batch


async def _of(doing: Awaitable[T]) -> T:
    return await asyncio.shield(doing)
