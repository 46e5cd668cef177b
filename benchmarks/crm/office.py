"""The office that is measured: the people, the courses' preset with its 56 rules, and all its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.crm.data import Rows, Size, dialect_of
from benchmarks.crm.loading import Told, fill
from benchmarks.engines import add_people, migrated
from crm_core import presets
from crm_core.model.definitions import Catalogue
from crm_core.model.office import Office
from crm_core.model.user import Role, User
from crm_core.ports import Policies
from crm_core.services.configuration import applied
from crm_core.services.desk import Desk
from crm_core.storage.store import Store
from hub.clock import SystemClock
from hub.metrics import Metrics
from hub.office.presets import parsed
from hub.workers.deadlines import DeadlineWorker
from routing.assign import LeastLoaded
from routing.escalation import TellByRole

PRESET = "courses"


@dataclass(frozen=True, slots=True)
class Measured:
    """A filled database, as the hub reaches it."""

    url: str
    size: Size
    store: Store
    catalogue: Catalogue
    user: User


@asynccontextmanager
async def office(url: str, size: Size, tell: Told) -> AsyncIterator[Measured]:
    """An office of a size on an empty database."""
    database = await migrated(url)
    try:
        store = Store(database, SystemClock(), Office(), Policies(LeastLoaded(), TellByRole()))

        def begin(desk: Desk) -> None:
            add_people(desk)
            applied(desk, parsed(presets.text(PRESET), PRESET), "dina")

        await store.run(begin)
        worker = DeadlineWorker(store, SystemClock(), Metrics())
        while await worker.fire_due():  # the fields of the preset are looked through while there is nothing to see
            pass
        catalogue = await store.read(store.catalogue)
        await fill(url, Rows(dialect_of(sqlite=database.sqlite, now=datetime.now(UTC)), size, catalogue), tell)
        yield Measured(url, size, store, catalogue, User(0, "dina", "Дина", Role.DIRECTOR))
    finally:
        await database.stop()
