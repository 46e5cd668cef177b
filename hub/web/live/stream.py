"""`GET /live?topics=a,b`: server-sent events for the pages; `GET /live/here`: whether a person's session goes
on; `POST /live/whisper`: who looks and who writes.

Events: `stale` `{"topics": […]}` (ask for these parts again; with `"missed": true` for what pieces would have told,
too; with `"within": MS` at a moment of that time, as many others ask as well), `piece` `{"topic", "key", "html"}` (put
this in place), `whisper` `{"topic", "kind", "login", "name"}`, or `{"topic", "kind": "types", "client"}` where it is a
client who writes, `still` `{}` (nothing happens). The id is the position in the change feed; `Last-Event-ID`, or
`after`, says from where on.
Where `login` is given, `/live` and `/live/here` are for this person alone: a page of somebody who has left the browser
to another is refused. What is followed ends with the session, and where its person may something else than before.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache

import orjson
from aiohttp import web

from crm_core.errors import CoreError, InvalidInput
from crm_core.messages import ChannelKey
from crm_core.model.rights import Right
from crm_core.services.letters.replies import goes_to
from crm_core.storage.queries.pages import LARGEST_ID
from hub.bootstrap import Hub
from hub.http.keys import CLOSING, SSE_LIMITS, EventLimits
from hub.log import get_logger
from hub.web.live.following import Follower, Followers, News, Whisper
from hub.web.live.judging import Judging
from hub.web.live.pieces import Offer, Piece
from hub.web.live.staying import Stay
from hub.web.live.telling import Telling
from hub.web.live.topics import WRITING, client_of, of_client, parse_topics
from hub.web.live.whispers import Whispers
from hub.web.pages import Answer, Pages, access_here, field_of, session_of, user_here
from hub.web.routes import Route, does, shows
from hub.web.sessions import VISIT
from hub.web.tongues import language

log = get_logger(__name__)

_LOOKS, _WRITES, _TYPES = "looks", "writes", "types"
# What answering a page that asks for its stale part takes about; by how much pages differ anyway.
_EACH_MS = 8
_UNNOTICED_MS = 250


class LivePages:
    """The live feed of the pages of one node."""

    def __init__(self, pages: Pages) -> None:
        hub: Hub = pages.hub
        self._pages = pages
        self._followers = Followers()
        self._judging = Judging(hub.store, self._followers, pages.unproven)
        self._telling = Telling(hub, self._followers, self._judging)
        redis_url = hub.settings.redis_url
        url = redis_url.reveal() if redis_url is not None else None
        self._whispers = Whispers(self._followers, hub.node, url, self._show)
        hub.writing.listen(self._client_writes)

    def offer(self, offer: Offer) -> None:
        """Have a room make pieces."""
        self._telling.offer(offer)

    def routes(self) -> tuple[Route, ...]:
        """Its routes."""
        return (
            shows("/live", self.follow, None),
            shows("/live/here", self.here, None),
            does("/live/whisper", self.whisper, None),
        )

    async def start(self, _app: web.Application) -> None:
        """Begin to follow the change feed."""
        await self._telling.start()
        await self._whispers.start()

    async def stop(self, _app: web.Application) -> None:
        """End."""
        await self._telling.stop()
        await self._whispers.stop()

    async def follow(self, request: web.Request) -> Answer:
        """Everything that makes the topics stale, from a position on."""
        limits = request.app[SSE_LIMITS]
        try:
            topics = parse_topics(request.query.get("topics", "")[:4000])
        except ValueError as err:
            raise InvalidInput(str(err)) from err
        after = _place(request)
        _demand_person(request)
        if limits.readers >= limits.most_readers:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"})
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        now = self._pages.hub.live.position
        stay = Stay(session_of(request), request[VISIT].id, access_here(request))
        follower = Follower(user_here(request).login, language(), topics, now, stay)
        limits.readers += 1
        self._followers.add(follower)
        try:
            await self._judging.look_at([follower])  # it may have ended before the follower was among the others
            if follower.closed:
                raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
            await self._telling.catch_up(follower, after)
            await response.prepare(request)
            begun = now if after is None else min(after, now)
            await self._serve(response, follower, begun, limits, request.app[CLOSING])
        except TimeoutError:
            log.info("a slow page was dropped", login=follower.login)
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass  # gone, as pages do
        finally:
            self._followers.remove(follower)
            limits.readers -= 1
        return response

    async def _serve(
        self, response: web.StreamResponse, follower: Follower, begun: int, limits: EventLimits, closing: asyncio.Event
    ) -> None:
        """Write until the reader goes or the server ends; each wait is bounded, so that the dead are noticed.

        The greeting names where the reader stands, not where the follower does: what lies between is not told yet.
        """
        await response.write(b": hello\nretry: 2000\n" + _id(begun) + b"event: hello\ndata: {}\n\n")
        ended = asyncio.create_task(closing.wait(), name="live-end")
        ended.add_done_callback(lambda _: follower.wake())
        try:
            while True:
                try:
                    async with asyncio.timeout(limits.heartbeat_s):
                        news = await follower.news()
                    text = written(news, limits.readers * _EACH_MS)
                except TimeoutError:  # nothing waits: all that was told up to there is known
                    text = _id(max(follower.position, self._followers.told)) + _event("still", {})
                if closing.is_set() or follower.closed or self._pages.sessions.over(follower.stay.session):
                    return
                async with asyncio.timeout(limits.patience_s):
                    await response.write(text)
        finally:
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)

    async def here(self, request: web.Request) -> Answer:
        """Nothing, where the session of the person that is named goes on; 403 where it is another's."""
        _demand_person(request)
        return web.Response(status=204)

    async def whisper(self, request: web.Request) -> Answer:
        """Somebody looks or writes; to whom they write with a `target`, an account, is shown it where that is known."""
        kind, topic = await field_of(request, "kind", 20), await field_of(request, "topic", 40)
        try:
            topics = parse_topics(topic)
        except ValueError as err:
            raise InvalidInput(str(err)) from err
        if kind not in {_LOOKS, _WRITES} or len(topics) != 1:
            raise InvalidInput("whisper: «looks» or «writes», of one topic")
        user, contact_id = user_here(request), client_of(topic)
        place = await self._place(request, contact_id) if kind == _WRITES and contact_id is not None else None
        self._whispers.say(Whisper(topic, kind, user.login, user.name, place=place))
        return web.Response(status=204)

    async def _place(self, request: web.Request, contact_id: int) -> tuple[ChannelKey, str] | None:
        """The account and the conversation that somebody writes in, None where an answer would go nowhere."""
        channel, _colon, account = (await field_of(request, "target", 200)).partition(":")
        key = ChannelKey(channel, account)
        if key not in self._pages.hub.channels or not access_here(request).may(Right.KEEP_CLIENTS):
            return None
        try:
            goes = await self._pages.hub.store.look(
                lambda desk: goes_to(desk, contact_id, channel, account), access_here(request)
            )
        except CoreError:
            return None  # they are told of it when they send
        return (key, goes) if goes is not None else None

    def _client_writes(self, contact_id: int) -> None:
        """A client writes: for whoever has their card open, and for whoever sees that they wait."""
        for topic in (of_client(contact_id), WRITING):
            self._whispers.say(Whisper(topic, _TYPES, client=contact_id))

    def _show(self, key: ChannelKey, conversation: str, author: str, here: bool) -> None:
        self._pages.hub.writing.office_writes(key, conversation, author, here=here)


def written(news: News, spread_ms: int = 0) -> bytes:
    """News as events. The id comes with the last one: whoever is cut off in the middle gets all of them again.

    Where many follow, pages are told to spread their questions over `spread_ms`.
    """
    events = [_event("whisper", _whispered(each)) for each in news.whispers]
    events += map(_piece, news.pieces)
    if news.stale or not events:
        missed = {"missed": True} if news.missed else {}
        within = {"within": spread_ms} if spread_ms > _UNNOTICED_MS else {}
        events.append(_event("stale", {"topics": sorted(news.stale), **missed, **within}))
    events[-1] = _id(news.position) + events[-1]
    return b"".join(events)


def _whispered(whisper: Whisper) -> dict[str, object]:
    if whisper.client is not None:
        return {"topic": whisper.topic, "kind": whisper.kind, "client": whisper.client}
    return {"topic": whisper.topic, "kind": whisper.kind, "login": whisper.login, "name": whisper.name}


@lru_cache(maxsize=256)
def _piece(piece: Piece) -> bytes:
    """Written once for all who are told."""
    return _event("piece", {"topic": piece.topic, "key": piece.key, "html": piece.html})


def _event(name: str, data: dict[str, object]) -> bytes:
    return f"event: {name}\n".encode() + b"data: " + orjson.dumps(data) + b"\n\n"


def _id(position: int) -> bytes:
    return f"id: {position}\n".encode()


def _demand_person(request: web.Request) -> None:
    """Raise HTTPForbidden where a page is another's than whoever is logged in now."""
    if request.query.get("login", user_here(request).login) != user_here(request).login:
        raise web.HTTPForbidden


def _place(request: web.Request) -> int | None:
    given = request.headers.get("Last-Event-ID", "").strip() or request.query.get("after", "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and int(given[:20]) <= LARGEST_ID):
        raise InvalidInput("Last-Event-ID is not the id of an event")
    return int(given)
