"""The record as the rest of the program uses it: run a service in a transaction, run a query, hear of commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlalchemy import Connection

from crm_core.model.access import Access
from crm_core.model.definitions import Catalogue
from crm_core.model.office import Office
from crm_core.model.user import User
from crm_core.ports import Clock, Policies
from crm_core.services.desk import Desk
from crm_core.services.settling import remember, settle
from crm_core.services.subscriptions import announce
from crm_core.storage.database import Database
from crm_core.storage.ids import IdSource
from crm_core.storage.looking import Looking
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.revisions import Caches
from crm_core.storage.work import SqlWork

Result = TypeVar("Result")
Told = TypeVar("Told")


class Store:
    """Services and queries over a database, with the office and its policies at hand."""

    def __init__(self, database: Database, clock: Clock, office: Office, policies: Policies) -> None:
        self.database = database
        self.clock = clock
        self.office = office
        self.policies = policies
        self._caches = Caches()
        self._ids = IdSource()
        self._listeners: list[Callable[[int], None]] = []

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Call `listener(position)` after every commit that changed something; it must not block."""
        self._listeners.append(listener)

    async def run(self, service: Callable[[Desk], Result]) -> Result:
        """Run a service in one transaction; it may run again after a concurrent change.

        Raises StorageUnavailable, ConcurrentChange (after several tries) and whatever the service raises.
        """
        result, _ = await self.run_at(service)
        return result

    async def run_at(self, service: Callable[[Desk], Result]) -> tuple[Result, int | None]:
        """The same, with the feed position of the commit, None where nothing changed."""
        result, position, blocks = await self.database.write(lambda conn: self._work(conn, service))
        self._ids.committed(blocks)
        if position is not None:
            for listener in self._listeners:
                listener(position)
        return result, position

    async def rehearse(self, service: Callable[[Desk], Result], then: Callable[[Desk], Told]) -> tuple[Result, Told]:
        """What a service would give, and what another one would find afterwards; nothing is kept. Raises as `run`."""

        def acting(conn: Connection) -> None:
            caches = Caches()  # its own: what it sees is never committed
            result, _, _ = self._work(conn, service, caches)
            later = SqlWork(conn, self.clock.now(), self._ids, caches)
            raise _Rehearsed(result, then(Desk(later, self.office, self.policies)))

        try:
            await self.database.write(acting)
        except _Rehearsed as end:
            return end.result, end.told
        raise AssertionError("a rehearsal always ends so")

    def catalogue(self, conn: Connection) -> Catalogue:
        """Everything configured, as a query sees it; one statement where nothing changed since."""
        return self._caches.current(conn)[1]

    def asker(self, conn: Connection, who: User | Access) -> Asker:
        """Somebody who looks at the workspace, now; one statement where nothing changed since."""
        staff, catalogue = self._caches.current(conn)
        access = who if isinstance(who, Access) else Access.of(who, catalogue, staff)
        return Asker(access, staff, catalogue, self.office, self.clock.now())

    def askers(self, conn: Connection, users: Iterable[User]) -> dict[str, Asker]:
        """The same of several people, by login, with one statement for all."""
        staff, catalogue = self._caches.current(conn)
        now = self.clock.now()
        return {
            each.login: Asker(Access.of(each, catalogue, staff), staff, catalogue, self.office, now) for each in users
        }

    def access(self, conn: Connection, user: User) -> Access:
        """What a person may do and see, as a query finds it; one statement where nothing changed since."""
        staff, catalogue = self._caches.current(conn)
        return Access.of(user, catalogue, staff)

    def accesses(self, conn: Connection, users: Iterable[User]) -> dict[str, Access]:
        """The same of several people, by login, with one statement for all."""
        staff, catalogue = self._caches.current(conn)
        return {each.login: Access.of(each, catalogue, staff) for each in users}

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run a query."""
        return await self.database.read(query)

    async def look(self, service: Callable[[Desk], Result], access: Access | None = None) -> Result:
        """Run a service that only looks, for whoever may so much, else for the hub itself: nothing is locked, and
        nothing of what it puts is kept. Raises as `run`."""

        def looking(conn: Connection) -> Result:
            work = Looking(conn, self.clock.now(), self._caches)
            return service(Desk(work, self.office, self.policies, access=access))

        return await self.database.read(looking)

    def _work(
        self, conn: Connection, service: Callable[[Desk], Result], caches: Caches | None = None
    ) -> tuple[Result, int | None, int]:
        self._ids.begun()
        work = SqlWork(conn, self.clock.now(), self._ids, caches or self._caches)
        desk = Desk(work, self.office, self.policies)
        result = service(desk)
        settle(desk)
        announce(desk)
        remember(desk)
        work.flush()
        return result, work.position, self._ids.refills


class _Rehearsed(Exception):
    """A rehearsal ended: the transaction is rolled back."""

    def __init__(self, result: Any, told: Any) -> None:
        super().__init__()
        self.result = result
        self.told = told
