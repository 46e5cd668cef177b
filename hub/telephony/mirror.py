"""Who takes whose calls, told to telephone exchanges that keep it for the time when no hub answers.

Read from the record in portions (every number with the same two last digits), then followed by the change feed. Nothing
of it is held in memory but the country codes in use.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing

from crm_core.model.office import ListAction
from crm_core.model.user import Staff, User
from crm_core.ports import REJECTED, BookChanges, Clock
from crm_core.storage import feed, number_book, numbers
from crm_core.storage.database import Connection
from crm_core.storage.feed import FeedRow
from crm_core.storage.number_book import tail
from crm_core.storage.numbers import NumberRow
from crm_core.storage.staff import load_staff
from crm_core.storage.store import Store
from hub.nodes.live import Live

# Shorter ones are extensions and services.
_LEAST_DIGITS = 7
_PAGE = 500
_SHAPE = 1
_MOVING = frozenset({"contact", "identity", "lead"})
_PLAIN = re.compile(r"[A-Za-z0-9._@+-]+\Z")


class RecordedNumbers:
    """See `crm_core.ports.NumberBook`."""

    def __init__(self, store: Store, live: Live, clock: Clock) -> None:
        self._store = store
        self._live = live
        self._clock = clock
        self._countries: set[str] | None = None

    @property
    def edition(self) -> str:
        """What the settings make of the record."""
        lists = sorted((each.name, each.action.value) for each in self._store.office.lists.values())
        return hashlib.sha256(f"{_SHAPE}:{lists}".encode()).hexdigest()[:12]

    async def position(self) -> int:
        """The newest change."""
        return await self._store.read(feed.newest)

    async def portion(self, ending: str) -> Mapping[str, str]:
        """Every number with these two last digits: its last ten digits to whoever takes its calls."""
        rows, listed = await self._store.read(lambda conn: number_book.ending_with(conn, ending))
        return self._owners(rows, listed, await self._staff())

    async def since(self, position: int) -> BookChanges | None:
        """What changed behind a position, None where the feed does not reach back so far."""
        if not await self._store.read(lambda conn: _reaches(conn, position)):
            return None
        rows = await self._store.read(lambda conn: feed.after(conn, position, _PAGE))
        if not rows:
            return BookChanges(position, {})
        contacts, tails = _touched(rows)
        if contacts:
            found = await self._store.read(lambda conn: numbers.numbers_of(conn, contacts))
            tails.update(tail(row.key) for row in found)
            (await self._known_countries()).update(_country(row.key) for row in found)
        return BookChanges(rows[-1].position, await self._now(tails))

    async def people(self) -> Mapping[str, str]:
        """Whom to ring for each owner: their own extension, or that of whoever stands in now."""
        staff, now = await self._staff(), self._clock.now()
        found = {}
        for user in staff.by_login.values():
            present = _standing_in(user, staff, lambda each: each.present(now) and not each.do_not_disturb)
            if user.active and present is not None and present.extension:
                found[owner_of(user)] = present.extension
        return found

    async def news(self, position: int) -> None:
        """Wait until something is committed behind a position."""
        async with aclosing(self._live.follow(position)) as changes:
            async for _ in changes:
                return

    async def _now(self, tails: set[str]) -> dict[str, str | None]:
        wanted = {each for each in tails if len(each) >= _LEAST_DIGITS}
        if not wanted:
            return {}
        keys = number_book.keys_of(wanted, await self._known_countries())
        rows, listed = await self._store.read(lambda conn: number_book.by_keys(conn, keys))
        found = self._owners(rows, listed, await self._staff())
        return {each: found.get(each) for each in wanted}

    async def _known_countries(self) -> set[str]:
        if self._countries is None:
            self._countries = await self._store.read(number_book.countries)
        return self._countries

    async def _staff(self) -> Staff:
        return await self._store.read(load_staff)

    def _owners(self, rows: list[NumberRow], listed: Mapping[str, str], staff: Staff) -> dict[str, str]:
        return owners(rows, listed, self._lists(ListAction.REJECT), self._lists(ListAction.ROUTE), staff)

    def _lists(self, action: ListAction) -> frozenset[str]:
        return frozenset(each.name for each in self._store.office.lists.values() if each.action is action)


def owners(
    rows: Iterable[NumberRow],
    listed: Mapping[str, str],
    rejecting: frozenset[str],
    routing: frozenset[str],
    staff: Staff,
) -> dict[str, str]:
    """Whoever takes the calls of each number, by its last ten digits; where these mean different people, nobody."""
    lists = {row.key: row.list_name for row in rows if row.list_name is not None}
    lists = {**listed, **lists}
    managers = {row.key: staff.get(row.manager) for row in rows}
    meant: dict[str, set[str]] = defaultdict(set)
    for key in managers.keys() | listed.keys():
        digits = tail(key)
        manager, on_list = managers.get(key), lists.get(key)
        if len(digits) < _LEAST_DIGITS:
            continue
        if on_list in rejecting:
            meant[digits].add(REJECTED)
        elif manager is None or on_list in routing:
            meant[digits].add("")
        else:
            meant[digits].add(owner_of(manager))
    found = {digits: _agreed(values) for digits, values in meant.items()}
    return {digits: owner for digits, owner in found.items() if owner}


def owner_of(user: User) -> str:
    """How a person is called outside: the login, or the number where the login is none that a dialplan can hold."""
    return user.login if _PLAIN.match(user.login) else f"#{user.id}"


def _agreed(values: set[str]) -> str:
    """A stranger's number beside a client's does no harm, but nobody is refused for somebody else's number."""
    if REJECTED not in values:
        values = values - {""}
    return next(iter(values)) if len(values) == 1 else ""


def _standing_in(user: User, staff: Staff, there: Callable[[User], bool]) -> User | None:
    """The person, else the first deputy down the line who is there."""
    seen: set[str] = set()
    current: User | None = user
    while current is not None and current.login not in seen:
        if there(current):
            return current
        seen.add(current.login)
        current = staff.get(current.deputy)
    return None


def _touched(rows: Iterable[FeedRow]) -> tuple[set[int], set[str]]:
    """The contacts whose numbers or managers changed, and the numbers that were taken away or listed."""
    contacts: set[int] = set()
    tails: set[str] = set()
    for row in rows:
        for table, key, contact_id in row.changes:
            if table in _MOVING and contact_id is not None:
                contacts.add(contact_id)
            elif table == "listed_number" and str(key).startswith("tel:"):
                tails.add(tail(str(key)))
            if table == "identity.removed" and key:
                tails.add(tail(str(key)))
                if contact_id is not None:
                    contacts.add(contact_id)
    return contacts, tails


def _reaches(conn: Connection, position: int) -> bool:
    """Whether the feed still has everything behind a position."""
    newest, oldest = feed.newest(conn), feed.oldest(conn)
    return position == newest or (position < newest and oldest is not None and oldest <= position)


def _country(key: str) -> str:
    return key.removeprefix("tel:").removeprefix("+").removesuffix(tail(key))
