"""Which topics a change touches, and what a follower is told of them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import crm_core
from crm_core.model.access import Access
from crm_core.model.definitions import Catalogue
from crm_core.model.user import Role, Staff, User
from crm_core.storage.feed import HINTS
from crm_core.storage.tables import TABLE_OF
from crm_core.storage.work import _UNFED
from hub import web
from hub.web.live.following import Follower, Followers, Whisper
from hub.web.live.pieces import Piece
from hub.web.live.staying import Stay
from hub.web.live.stream import written
from hub.web.live.topics import _OF_TABLE, EVERYTHING, MOST_TOPICS, OWN, parse_topics, touched
from hub.web.sessions import Session

Changes: TypeAlias = tuple[tuple[str, Any, int | None], ...]


@pytest.mark.parametrize(
    ("changes", "topics"),
    [
        ((), set()),
        ((("timeline", 7, 5),), {"client:5", "happening"}),
        ((("contact_case", 7, 5), ("call", 8, 5)), {"client:5", "cases", "own_cases", "calls"}),
        ((("deal", 7, 5), ("deal", 8, 6)), {"client:5", "client:6", "deals", "own_deals"}),
        ((("task", 7, None),), {"tasks", "own_tasks"}),
        ((("company", 7, None), ("product", 8, None)), {"companies", "products"}),
        ((("something else", 7, None),), set()),
    ],
)
def test_changes_touch_the_topics_of_their_table_and_client(changes: Changes, topics: set[str]) -> None:
    assert touched(changes) == topics


def test_there_is_no_topic_that_nobody_would_ever_be_told_of() -> None:
    fed = {table.name for kind, table in TABLE_OF.items() if kind not in _UNFED}
    source = "".join(each.read_text() for each in Path(crm_core.__file__).parent.rglob("*.py"))
    told = set(re.findall(r'\.changed\("([a-z_]+)"', source))
    assert {*_OF_TABLE, *OWN} <= fed | told | HINTS


@pytest.mark.parametrize("text", ["client:5", "cases,calls", "", "me,client:123456789012345678"])
def test_topics_are_read(text: str) -> None:
    assert parse_topics(text) == {each for each in text.split(",") if each}


@pytest.mark.parametrize("text", ["client:", "client:x", "Cases", "client:1234567890123456789", "*", "a b", "client:٣"])
def test_what_is_no_topic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="there is no topic"):
        parse_topics(text)


def test_what_only_another_version_knows_is_left_out() -> None:
    assert parse_topics("cases,weather,client:5") == {"cases", "client:5"}


def test_the_worker_of_the_pages_asks_for_no_more_than_may_be_followed() -> None:
    worker = (Path(web.__file__).parent / "static" / "feed-worker.js").read_text()
    assert f"const MOST_TOPICS = {MOST_TOPICS};" in worker


def test_nobody_follows_without_end() -> None:
    with pytest.raises(ValueError, match="at most"):
        parse_topics(",".join(f"client:{number}" for number in range(MOST_TOPICS + 1)))


def follower(*topics: str, login: str = "ivan") -> Follower:
    user = User(1, login, login.title(), Role.MANAGER)
    stay = Stay(Session(login=login), 7, Access.of(user, Catalogue(), Staff.of((user,))))
    return Follower(login, "ru", frozenset(topics), 10, stay)


async def test_who_may_not_follow_any_more_is_told_nothing_not_even_what_waits() -> None:
    cases = follower("cases")
    cases.tell(12, {"cases"}, (Piece("cases", "case-1", "<li>"),))
    cases.close()
    cases.tell(13, {"cases"}, (Piece("cases", "case-2", "<li>"),))
    cases.whisper(Whisper("cases", "looks", "olga", "Ольга"))
    told = await cases.news()
    assert (told.stale, told.pieces, told.whispers, cases.closed) == (frozenset(), (), (), True)


async def test_a_follower_hears_only_of_what_it_follows() -> None:
    cases, client = follower("cases"), follower("client:5")
    for each in (cases, client):
        each.tell(12, {"client:5", "calls"})
    assert (await client.news()).stale == {"client:5"}
    assert cases.position == 12
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await cases.news()


async def test_what_waits_is_told_at_once_and_but_once() -> None:
    one = follower("cases", "client:5")
    one.tell(12, {"cases"})
    one.tell(14, {"client:5", "cases"}, [Piece("client:5", "entry-1", "<li></li>")])
    news = await one.news()
    assert (news.position, len(news.pieces)) == (14, 1)
    assert news.stale == {"cases", "client:5"}
    one.tell(15, {EVERYTHING})
    assert (await one.news()).stale == {EVERYTHING}


async def test_pieces_are_for_those_whom_they_concern() -> None:
    one, other = follower("me", login="ivan"), follower("me", login="olga")
    for each in (one, other):
        each.tell(11, (), [Piece("me", "popup-1", "<aside></aside>", frozenset({"olga"}))])
    assert len((await other.news()).pieces) == 1
    assert not one._woken.is_set()


async def test_a_slow_reader_asks_anew_for_what_grew_too_much() -> None:
    one = follower("client:5")
    for number in range(500):
        one.tell(number, (), [Piece("client:5", f"entry-{number}", "<li></li>")])
    news = await one.news()
    assert len(news.pieces) == 100
    assert news.stale == {"client:5"}


async def test_nobody_hears_their_own_whisper() -> None:
    one, other = follower("client:5"), follower("client:5", login="olga")
    for each in (one, other):
        each.whisper(Whisper("client:5", "writes", "ivan", "Иван"))
    assert (await other.news()).whispers[0].name == "Иван"
    assert not one._woken.is_set()


def test_followers_are_found_by_topic_and_forgotten() -> None:
    all_of_them, one = Followers(), follower("cases", "me")
    all_of_them.add(one)
    assert all_of_them.of({"cases", "calls"}) == {one}
    assert all_of_them.followed({"cases", "calls"}) == {"cases"}
    all_of_them.remove(one)
    all_of_them.remove(one)
    assert (len(all_of_them), all_of_them.of({"cases"})) == (0, set())


async def test_only_the_last_event_of_one_telling_carries_the_position() -> None:
    one = follower("client:5")
    one.tell(20, {"client:5"}, [Piece("client:5", "entry-1", "<li>«ы»\n</li>")])
    first, second, rest = written(await one.news()).split(b"\n\n")
    assert first.startswith(b"event: piece\ndata: {")
    assert second == b'id: 20\nevent: stale\ndata: {"topics":["client:5"]}'
    assert rest == b""


async def test_the_more_follow_the_wider_pages_spread_their_questions() -> None:
    one = follower("cases")
    one.tell(12, {"cases"})
    news = await one.news()
    assert b"within" not in written(news, 80)
    assert b'data: {"topics":["cases"],"within":1600}' in written(news, 1600)


async def test_a_piece_is_written_once_for_all() -> None:
    piece = Piece("happening", "happened-7", "<li>Анна</li>")
    both = []
    for login in ("ivan", "olga"):
        one = follower("happening", login=login)
        one.tell(12, (), [piece])
        both.append(written(await one.news()))
    assert both[0] == both[1]
    assert "<li>Анна</li>".encode() in both[0]
