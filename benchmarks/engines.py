"""The two databases that are measured: fresh, migrated, with the same people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from crm_core.model.office import Office
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.model.user import Role
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.migrate import migrate
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, add_user
from hub.clock import SystemClock
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.peers.postgres import PostgresServer

ENGINES = ("postgresql", "sqlite")
MANAGERS = 10
FIRST_NUMBER = 79_100_000_000
_PAGE = 5_000


@contextmanager
def fresh_urls(
    engine: str, settings: tuple[str, ...] = ("shared_buffers=512MB", "max_wal_size=4GB")
) -> Iterator[Iterator[str]]:
    """URLs of empty databases on one server, as many as are asked for; PostgreSQL waits for the disk."""
    if engine == "sqlite":
        with TemporaryDirectory(prefix="hub-bench-") as folder:
            yield (f"sqlite+aiosqlite:///{Path(folder) / f'{number}.sqlite3'}" for number in range(1000))
        return
    with PostgresServer(settings=settings) as server:
        yield (server.fresh_database() for _ in range(1000))


async def migrated(url: str) -> Database:
    """A database of the current schema."""
    database = Database(url)
    await migrate(database)
    return database


def add_people(desk: Desk, managers: int = MANAGERS) -> None:
    """An office: managers in one group, a controller, a director; everybody can be told by the messenger."""
    for number in range(managers):
        add_user(
            desk,
            NewUser(
                login=f"manager{number}",
                name=f"Менеджер {number}",
                role=Role.MANAGER,
                extension=f"PJSIP/{101 + number}",
                telegram_id=900_000 + number,
                group="sales",
            ),
        )
    add_user(desk, NewUser(login="kira", name="Кира", role=Role.CONTROLLER, telegram_id=900_100))
    add_user(desk, NewUser(login="dina", name="Дина", role=Role.DIRECTOR, telegram_id=900_101))


async def with_clients(url: str, clients: int, managers: int = MANAGERS) -> None:
    """Migrate, and enter the office and so many clients with a number each, shared evenly among the managers."""
    database = await migrated(url)
    await database.stop()
    store = Store(Database(url), SystemClock(), Office(), Policies(LeastLoaded(), TellByRole()))
    await store.run(partial(add_people, managers=managers))
    for first in range(0, clients, _PAGE):

        def page(desk: Desk, first: int = first) -> None:
            now = datetime.now(UTC)
            for number in range(first, min(first + _PAGE, clients)):
                contact = ContactRecord(
                    desk.work.next_id(), f"Клиент {number}", now, now, "", manager=f"manager{number % managers}"
                )
                desk.work.put(contact)
                desk.work.put(IdentityRecord(f"tel:+{FIRST_NUMBER + number}", contact.id, "import", now))

        await store.run(page)
    await store.database.stop()
