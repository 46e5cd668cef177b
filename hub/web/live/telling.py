"""From the change feed to the followers: what became stale, and the pieces that rooms make of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from crm_core.errors import CoreError
from crm_core.messages import ChannelKey
from crm_core.ports import ChannelState
from crm_core.storage import feed
from crm_core.storage.feed import FeedRow
from hub.bootstrap import Hub
from hub.log import get_logger
from hub.web.live.following import Follower, Followers
from hub.web.live.judging import Judging
from hub.web.live.owning import Owners
from hub.web.live.pieces import MOST_ROWS, Offer, Piece, Wish
from hub.web.live.topics import EVERYTHING, of_client, touched

log = get_logger(__name__)

_MOMENT_S = 0.5
_AGAIN_S = 2.0
_LOOK_S = 1.0
_CATCH_UP_ROWS = 2000
_MOST_AGAIN = 50
_Change: TypeAlias = tuple[str, object, int | None]


@dataclass(frozen=True, slots=True)
class _Made:
    """What one room made of changes: pieces by language, topics of which they tell all there is, and topics of which
    not all could be told."""

    pieces: Mapping[str, Sequence[Piece]] = field(default_factory=dict)
    told_whole: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()


def _newest(offer: Offer, changes: Sequence[_Change]) -> Sequence[_Change]:
    """What changed last of what an offer tells of."""
    return [each for each in changes if each[0] == offer.table][-_MOST_AGAIN:]


class Telling:
    """Follows the feed once for all browsers of this node."""

    def __init__(self, hub: Hub, followers: Followers, judging: Judging) -> None:
        self._hub = hub
        self._followers = followers
        self._judging = judging
        self._owners = Owners(hub)
        self._offers: list[Offer] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._unwritten: set[str] = set()
        self._moved = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def offer(self, offer: Offer) -> None:
        """Have a room make pieces; before `start`."""
        self._offers.append(offer)

    async def start(self) -> None:
        """Begin at the newest change."""
        self._loop = asyncio.get_running_loop()
        self._hub.presence.listen(self._telephone)
        self._hub.starts.listen(lambda: self._moves("channels"))
        self._tasks = [
            asyncio.create_task(self._follow(self._hub.live.position), name="pages-telling"),
            asyncio.create_task(self._tell_unwritten(), name="pages-unwritten"),
            asyncio.create_task(self._watch_links(), name="pages-links"),
        ]

    async def stop(self) -> None:
        """End. Idempotent."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def catch_up(self, follower: Follower, after: int | None) -> None:
        """Tell somebody who comes back what became stale since; everything, where nobody knows any more.

        The follower follows already, so that nothing falls between.
        """
        now = self._hub.live.position
        if after is None or after >= now:
            return
        first = await self._hub.store.read(feed.oldest)
        if first is None or first > after + 1:
            follower.tell(now, {EVERYTHING}, missed=True)
            return
        rows = await self._hub.store.read(lambda conn: feed.after(conn, after, _CATCH_UP_ROWS))
        changes = [change for row in rows for change in row.changes]
        offers = [each for each in self._offers if each.again and not follower.topics.isdisjoint(each.topics or ())]
        missed = await asyncio.gather(*(self._made(offer, _newest(offer, changes)) for offer in offers))
        pieces = [piece for made in missed for piece in made.pieces.get(follower.language, ())]
        stale = {EVERYTHING} if len(rows) >= _CATCH_UP_ROWS else self._touched(changes)
        follower.tell(now, stale, pieces, missed=True)

    async def _follow(self, position: int) -> None:
        while True:
            try:
                async for rows in self._hub.live.batches(position):
                    await self._tell_for_sure(rows)
                    position = self._followers.told = rows[-1].position
            except CoreError as err:
                log.warning("what changed meanwhile can't be read", error=str(err))
                await asyncio.sleep(_AGAIN_S)
            else:
                return  # the hub stops

    async def _tell_for_sure(self, rows: Sequence[FeedRow]) -> None:
        try:
            await self._tell(rows)
        except Exception:
            # The pages ask for themselves then; the next change finds this task alive.
            log.exception("what changed could not be made pieces of")
            for each in self._followers:
                each.tell(rows[-1].position, {EVERYTHING}, missed=True)

    async def _tell(self, rows: Sequence[FeedRow]) -> None:
        changes = [change for row in rows for change in row.changes]
        await self._judging.judge(changes)
        stale = self._followers.followed(self._touched(changes))
        position = rows[-1].position
        (pieces, told_whole, missed), concerned = await asyncio.gather(
            self._pieces(changes), self._owners.concerned(changes, stale)
        )
        stale -= told_whole
        topics = stale | {piece.topic for made in pieces.values() for piece in made}
        for each in self._followers.of(topics):
            strange = {topic for topic, people in concerned.items() if people is not None and each.login not in people}
            each.tell(position, stale - strange, pieces.get(each.language, ()), missed=missed)

    def _touched(self, changes: Sequence[_Change]) -> frozenset[str]:
        """The topics that are stale, unless pieces tell all of them: whoever was away gets no pieces."""
        tables = {table for table, _, _ in changes}
        offered = [each.topics for each in self._offers if each.topics is not None and each.table in tables]
        return touched(changes).union(*offered)

    async def _pieces(self, changes: Sequence[_Change]) -> tuple[dict[str, list[Piece]], frozenset[str], bool]:
        """The pieces by language, the topics of which they tell all there is, and whether some could not be made."""
        found: dict[str, list[Piece]] = {}
        told_whole: set[str] = set()
        unsure: set[str] = set()  # what one offer can't tell is asked for, whatever the others tell of it
        for made in await asyncio.gather(*(self._made(offer, changes) for offer in self._offers)):
            for language, pieces in made.pieces.items():
                found.setdefault(language, []).extend(pieces)
            told_whole |= made.told_whole
            unsure |= made.unsure
        return found, frozenset(told_whole - unsure), bool(unsure)

    async def _made(self, offer: Offer, changes: Sequence[_Change]) -> _Made:
        wishes = list(dict.fromkeys(Wish(key, owner) for table, key, owner in changes if table == offer.table))
        topics = offer.topics or {of_client(each.contact_id) for each in wishes if each.contact_id is not None}
        if len(wishes) > MOST_ROWS:
            return _Made(unsure=frozenset(topics))
        found: dict[str, Sequence[Piece]] = {}
        if not wishes:
            return _Made()
        try:
            for language in self._followers.languages(topics):
                found[language] = await offer.make(wishes, language)
        except CoreError as err:
            log.warning("pieces could not be made", table=offer.table, error=str(err))
            return _Made(found, unsure=frozenset(topics))
        return _Made(found, offer.topics or frozenset())

    def _telephone(self, _pbx: str, _endpoint: str) -> None:
        """A telephone changed; in any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._moves, "phones")

    def _moves(self, topic: str) -> None:
        """Something changed that stands in no record."""
        self._unwritten.add(topic)
        self._moved.set()

    async def _tell_unwritten(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            topics, self._unwritten = self._unwritten, set()
            for each in self._followers.of(topics):
                each.tell(each.position, topics)
            await asyncio.sleep(_MOMENT_S)  # telephones ring by the dozen; how they stand is looked at twice a second

    async def _watch_links(self) -> None:
        """No channel says that its link came or went; how they stand is looked at without I/O."""
        stood = self._links()
        while True:
            await asyncio.sleep(_LOOK_S)
            if (stands := self._links()) != stood:
                stood = stands
                self._moves("channels")

    def _links(self) -> dict[ChannelKey, ChannelState]:
        return {key: channel.health.state for key, channel in self._hub.channels.items()}
