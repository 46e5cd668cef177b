"""Who follows which topics, and what each is still to be told.

What waits for a follower is a set of topics and a few pieces: however much changes while somebody reads slowly, it
never grows beyond that. Everything here happens in the loop's thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from crm_core.messages import ChannelKey
from hub.web.live.pieces import Piece
from hub.web.live.staying import Stay
from hub.web.live.topics import EVERYTHING

_MOST_PIECES = 100
_MOST_WHISPERS = 50


@dataclass(frozen=True, slots=True)
class Whisper:
    """Something that is only of the moment: that somebody is looking or writing. Never kept, may be lost.

    `login` and `name` are a colleague's, empty where it is the client who writes, `client` then; `place` is the account
    and the conversation in which a colleague writes, where its client is to see it.
    """

    topic: str
    kind: str
    login: str = ""
    name: str = ""
    client: int | None = None
    place: tuple[ChannelKey, str] | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What a follower is told at once: everything up to `position`. Where something was `missed`, the pieces of the
    stale topics are not all there: they are asked for, too."""

    position: int
    stale: frozenset[str]
    pieces: tuple[Piece, ...]
    whispers: tuple[Whisper, ...]
    missed: bool = False


@dataclass(slots=True, eq=False)
class Follower:
    """A browser that follows topics, in the language its person reads. `closed`: it may not any more."""

    login: str
    language: str
    topics: frozenset[str]
    position: int
    stay: Stay
    closed: bool = False
    _stale: set[str] = field(default_factory=set)
    _missed: bool = False
    _pieces: deque[Piece] = field(default_factory=deque)
    _whispers: deque[Whisper] = field(default_factory=lambda: deque(maxlen=_MOST_WHISPERS))
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, position: int, stale: Iterable[str], pieces: Iterable[Piece] = (), *, missed: bool = False) -> None:
        """Something changed; only what this follower follows is kept. `missed`: it comes without its pieces."""
        if self.closed:
            return
        self.position = max(self.position, position)
        mine = {topic for topic in stale if topic in self.topics or topic == EVERYTHING}
        self._stale |= mine
        self._missed = self._missed or (missed and bool(mine))
        for piece in pieces:
            if piece.topic not in self.topics or (piece.logins is not None and self.login not in piece.logins):
                continue
            if len(self._pieces) >= _MOST_PIECES:
                self._stale.add(piece.topic)
                self._missed = True
            else:
                self._pieces.append(piece)
        if self._stale or self._pieces:
            self._woken.set()

    def whisper(self, whisper: Whisper) -> None:
        """Pass something on that is only of the moment; nobody hears themselves."""
        if self.closed or whisper.topic not in self.topics or whisper.login == self.login:
            return
        if whisper not in self._whispers:
            self._whispers.append(whisper)
            self._woken.set()

    def close(self) -> None:
        """Tell nothing any more, also of what waits. Idempotent."""
        self.closed = True
        self._stale.clear()
        self._pieces.clear()
        self._whispers.clear()
        self._woken.set()

    def wake(self) -> None:
        """End the wait for something, whether there is something or not."""
        self._woken.set()

    async def news(self) -> News:
        """Wait for something, and take all there is."""
        await self._woken.wait()
        self._woken.clear()
        whispers = tuple(self._whispers)
        found = News(self.position, frozenset(self._stale), tuple(self._pieces), whispers, self._missed)
        self._missed = False
        self._stale.clear()
        self._pieces.clear()
        self._whispers.clear()
        return found


class Followers:
    """All browsers that follow this node, by topic. `told` is the position up to which all of them were told."""

    def __init__(self) -> None:
        self.told = 0
        self._by_topic: dict[str, set[Follower]] = {}
        self._all: set[Follower] = set()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, follower: Follower) -> None:
        """Somebody begins."""
        self._all.add(follower)
        for topic in follower.topics:
            self._by_topic.setdefault(topic, set()).add(follower)

    def remove(self, follower: Follower) -> None:
        """Somebody has gone. Idempotent."""
        self._all.discard(follower)
        for topic in follower.topics:
            others = self._by_topic.get(topic, set())
            others.discard(follower)
            if not others:
                self._by_topic.pop(topic, None)

    def of(self, topics: Iterable[str]) -> set[Follower]:
        """Whoever follows one of these."""
        return {each for topic in topics for each in self._by_topic.get(topic, ())}

    def languages(self, topics: Iterable[str]) -> set[str]:
        """In which languages these are followed."""
        return {each.language for each in self.of(topics)}

    def followed(self, topics: Iterable[str]) -> frozenset[str]:
        """Which of these somebody follows."""
        return frozenset(topic for topic in topics if topic in self._by_topic)

    def __iter__(self) -> Iterator[Follower]:
        return iter(tuple(self._all))
