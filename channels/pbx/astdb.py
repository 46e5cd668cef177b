"""The mirror in Asterisk's own database: who takes whose calls, so that the dialplan rings the own manager without us.

    hubclient/<last two digits>/<last ten digits>   the owner's name, or `*` where calls are refused
    hubuser/<owner>                                 what Dial() is given
    hub/mirror                                      which writing this is, and the change of the feed it has come to

`hub/mirror` is written behind the rows, so that what it says has come true. Where it does not hold what the own record
says was written here last (the database was lost, or somebody else's hub wrote), every row is compared, portion by
portion; else only the changes since are sent. It is read back before it is written anew, and one portion after the
other is compared all the time and with every link, so that rows which were lost alone come back too.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.pbx.ami import AmiError, AmiLink, AmiRefusedError
from channels.pbx.ami_wire import AmiMessage
from channels.pbx.config import PbxConfig
from channels.pbx.snippet.mirrored import CLIENTS, MARK, PEOPLE
from channels.pbx.snippet.words import DIALABLE
from crm_core.errors import CoreError
from crm_core.messages import ChannelKey
from crm_core.ports import ChannelContext, NumberBook
from crm_core.wording import Sentence

log = logging.getLogger(__name__)

LISTED = "DBGetTreeResponse"
LISTED_ALL = "DBGetTreeComplete"
MIRROR_EVENTS = frozenset({LISTED, LISTED_ALL})

_CURSOR = "astdb"
_COMPARED = "astdb_compared"
_ENDINGS = tuple(f"{number:02}" for number in range(100))
_REMEMBERED = 10_000
_DENIED = "Permission denied"
_UNKNOWN = "\0"


@dataclass(frozen=True, slots=True)
class MirrorTiming:
    """Seconds: between looks at changes at least, between looks at who is present, between comparisons of everything,
    of one portion after the other, between notes of how far it has come, before something that failed is tried again at
    first and at most, for a list of rows. `together` bounds the actions under way; between portions the mirror rests
    `rest` times as long as the last one took.
    """

    pace_s: float = 1.0
    people_s: float = 30.0
    compare_s: float = 86_400.0
    note_s: float = 300.0
    portion_s: float = 120.0
    again_s: float = 5.0
    again_most_s: float = 60.0
    list_s: float = 30.0
    together: int = 16
    rest: float = 2.0


@dataclass(slots=True)
class MirrorStats:
    """Counters since the start: rows written and deleted, comparisons of everything."""

    written: int = 0
    deleted: int = 0
    compared: int = 0


class Mirror:
    """Keeps one PBX's rows; run by the node that owns the link."""

    def __init__(
        self, config: PbxConfig, context: ChannelContext, link: AmiLink, timing: MirrorTiming | None = None
    ) -> None:
        self._config, self._context, self._link = config, context, link
        self._timing = timing or MirrorTiming()
        self._key = ChannelKey("pbx", config.name)
        self._login = asyncio.Event()
        self._position = self._noted = 0
        self._mark = ""
        self._wrote = ""  # what `hub/mirror` is to hold
        self._ending = secrets.randbelow(len(_ENDINGS))  # a nightly restart begins elsewhere each time
        # what was written lately: a client who writes ten messages is no new row
        self._written: OrderedDict[str, str | None] = OrderedDict()
        self._people: dict[str, str] = {}
        self._rows: list[tuple[str, str, str]] = []
        self._listed: dict[str, asyncio.Event] = {}
        self._ended: set[str] = set()
        self._again_s = self._timing.again_s
        self.stats = MirrorStats()
        self.trouble = ""

    def wanted(self) -> None:
        """The link was made: what Asterisk holds has to be looked at again."""
        self._login.set()

    def heard(self, message: AmiMessage) -> None:
        """A row of a list, or its end."""
        action = message.get("ActionID")
        if message.event == LISTED:
            self._rows.append((action, message.get("Key"), message.get("Val")))
            return
        self._ended.add(action)
        if action in self._listed:
            self._listed[action].set()

    async def run(self) -> None:
        """Follow the record until cancelled; after a failure again when the link is there."""
        book = self._context.numbers
        if book is None:
            await asyncio.Event().wait()
            return
        while True:
            await self._login.wait()
            self._login.clear()
            try:
                await self._agree(book)
                await self._follow(book)
            except (AmiError, CoreError, TimeoutError) as err:
                if self._failed(err):
                    log.warning("%s: %s", self._key, self.trouble)
            except Exception as err:
                # the link must not break for it
                if self._failed(err):
                    log.exception("%s: %s", self._key, self.trouble)
            else:
                continue
            try:
                async with asyncio.timeout(self._again_s):
                    await self._login.wait()
            except TimeoutError:
                self._again_s = min(self._again_s * 2, self._timing.again_most_s)
                if self._link.ready:
                    self._login.set()

    def _failed(self, err: Exception) -> bool:
        """Note it; whether it is new and so is to be logged: what stays as it is stands in the health."""
        before = self.trouble
        self.trouble = Sentence("who takes whose calls could not be written: {why}", why=str(err) or type(err).__name__)
        return self.trouble != before

    # ------------------------------------------------------------ coming to terms

    async def _agree(self, book: NumberBook) -> None:
        self._written.clear()
        self._people = {}
        there = await self._noted_there()
        mark, _, position = there.rpartition(":")
        known = await self._context.cursors.load(self._key, _CURSOR)
        if mark and mark == known and mark.startswith(f"{book.edition}-") and position.isdigit():
            self._mark = mark
            self._wrote = there
            self._position = self._noted = int(position)
            await self._put_people(book, dict(await self._tree(PEOPLE)))
            if not await self._portion_lost(book):
                return
        log.info("%s: all of who takes whose calls is compared with what Asterisk holds", self._key)
        await self._compare(book)

    async def _compare(self, book: NumberBook) -> None:
        """Every row, portion by portion; what changes meanwhile is found behind the position taken first."""
        position = await book.position()
        before = self.stats.written + self.stats.deleted
        await self._put_people(book, dict(await self._tree(PEOPLE)))
        for ending in _ENDINGS:
            began = self._context.clock.monotonic()
            await self._compare_portion(book, ending)
            # calls come first: their events share the link and this thread
            await asyncio.sleep((self._context.clock.monotonic() - began) * self._timing.rest)
        self._mark, self._position = f"{book.edition}-{secrets.token_hex(8)}", position
        await self._note()
        await self._context.cursors.save(self._key, _CURSOR, self._mark)
        await self._context.cursors.save(self._key, _COMPARED, self._context.clock.now().isoformat())
        self.stats.compared += 1
        log.info("%s: %d rows were not as they should be", self._key, self.stats.written + self.stats.deleted - before)

    async def _compare_portion(self, book: NumberBook, ending: str) -> tuple[int, int, int]:
        """Make a portion as it should be: how many rows were lost, how many should be there, how many were written."""
        held = dict(await self._tree(f"{CLIENTS}/{ending}"))
        owners = await book.portion(ending)
        differ = {
            number: owners.get(number) for number in owners.keys() | held if owners.get(number) != held.get(number)
        }
        for number in differ:
            self._written.pop(number, None)  # what was written lately is not there any more
        await self._write(differ)
        return len(owners.keys() - held.keys()), len(owners), len(differ)

    async def _portion_lost(self, book: NumberBook) -> bool:
        """Compare the next portion that has rows; whether all of it was lost, so that the others may be too."""
        for _ in _ENDINGS:
            ending = _ENDINGS[self._ending]
            self._ending = (self._ending + 1) % len(_ENDINGS)
            lost, there, wrote = await self._compare_portion(book, ending)
            if wrote:
                log.warning("%s: %d rows of the portion %s were not as they should be", self._key, wrote, ending)
            if there:
                return lost == there
        return False

    async def _due_s(self) -> float:
        """Seconds until everything is to be compared, whoever compared it last."""
        text = await self._context.cursors.load(self._key, _COMPARED)
        if text is None:
            return 0.0
        ago = (self._context.clock.now() - datetime.fromisoformat(text)).total_seconds()
        return max(self._timing.compare_s - max(ago, 0.0), 0.0)

    async def _follow(self, book: NumberBook) -> None:
        clock = self._context.clock
        noted = looked = clock.monotonic()
        compare_at = noted + await self._due_s()
        while not self._login.is_set():
            changes = await book.since(self._position)
            now = clock.monotonic()
            lost = now - looked >= self._timing.portion_s and (
                await self._noted_there() != self._wrote or await self._portion_lost(book)
            )
            if lost or changes is None or now >= compare_at:
                await self._compare(book)
                noted = looked = clock.monotonic()
                compare_at = noted + self._timing.compare_s
                continue
            if now - looked >= self._timing.portion_s:
                await self._put_people(book, dict(await self._tree(PEOPLE)))
                looked = now
            wrote = await self._write(changes.owners)
            wrote += await self._put_people(book, self._people)
            # only now: what can be read may be denied to be written
            self.trouble, self._again_s = "", self._timing.again_s
            moved, self._position = changes.position != self._position, changes.position
            if wrote or (self._position != self._noted and now - noted >= self._timing.note_s):
                if await self._noted_there() != self._wrote:
                    await self._compare(book)
                    compare_at = clock.monotonic() + self._timing.compare_s
                    noted = clock.monotonic()
                    continue
                await self._note()
                noted = now
            if not moved:
                await self._news(book)
            await asyncio.sleep(self._timing.pace_s)

    async def _news(self, book: NumberBook) -> None:
        news = asyncio.ensure_future(book.news(self._position))
        login = asyncio.ensure_future(self._login.wait())
        try:
            await asyncio.wait((news, login), timeout=self._timing.people_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (news, login):
                task.cancel()
            await asyncio.gather(news, login, return_exceptions=True)

    # ------------------------------------------------------------ writing

    async def _write(self, owners: Mapping[str, str | None]) -> int:
        """Make these rows so; how many were written or deleted."""
        new = {number: owner for number, owner in owners.items() if self._written.get(number, _UNKNOWN) != owner}
        await self._put_all((f"{number[-2:]}/{number}", owner) for number, owner in new.items())
        self._written.update(new)
        while len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)
        return len(new)

    async def _put_people(self, book: NumberBook, held: Mapping[str, str]) -> int:
        endpoints = {owner: self._config.endpoint(extension) for owner, extension in (await book.people()).items()}
        people = {owner: endpoint for owner, endpoint in endpoints.items() if DIALABLE.match(endpoint)}
        new = {owner: people.get(owner) for owner in people.keys() | held if people.get(owner) != held.get(owner)}
        await self._put_all(new.items(), PEOPLE)
        self._people = people
        return len(new)

    async def _put_all(self, rows: Iterable[tuple[str, str | None]], family: str = CLIENTS) -> None:
        """Write rows (None: delete), a bounded number of actions under way."""
        waiting = iter(list(rows))

        async def work() -> None:
            for key, value in waiting:
                await self._put(family, key, value)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._timing.together):
                    group.create_task(work())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # one broken link fails them all alike

    async def _put(self, family: str, key: str, value: str | None) -> None:
        where = (("Family", family), ("Key", key))
        if value is not None:
            await self._link.act("DBPut", (*where, ("Val", value)))
            self.stats.written += 1
            return
        try:
            await self._link.act("DBDel", where)
        except AmiRefusedError as err:
            if _DENIED in str(err):
                raise
            # it was not there: what was wanted
        self.stats.deleted += 1

    async def _note(self) -> None:
        wanted = f"{self._mark}:{self._position}"
        await self._put(*MARK, wanted)
        self._wrote, self._noted = wanted, self._position

    async def _noted_there(self) -> str:
        """What `hub/mirror` holds; empty where it is lost."""
        return dict(await self._tree(MARK[0])).get(MARK[1], "")

    async def _tree(self, tree: str) -> list[tuple[str, str]]:
        """The rows under `family` or `family/key`: what stands behind the last slash, and the value."""
        self._rows.clear()
        self._ended.clear()
        family, _, key = tree.partition("/")
        response = await self._link.act("DBGetTree", (("Family", family), *((("Key", key),) if key else ())))
        action = response.get("ActionID")
        if action not in self._ended:
            ended = self._listed[action] = asyncio.Event()
            try:
                async with asyncio.timeout(self._timing.list_s):
                    await ended.wait()
            finally:
                del self._listed[action]
        found = [(name.rpartition("/")[2], value) for of, name, value in self._rows if of == action]
        self._rows.clear()
        return found
