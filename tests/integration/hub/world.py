"""One office for tests of the hub's own parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from crm_core.messages import (
    ChannelKey,
    EntryKind,
    InboundEvent,
    MessageReceived,
    Sender,
)
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.office import Office
from crm_core.model.user import Role
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, add_user
from hub.metrics import Metrics
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.fakes.clock import DrivenClock

SHOP = ChannelKey("telegram", "shop")
OFFICE = Office(staff_channel=SHOP)


@dataclass
class World:
    """One office on one database; further stores stand for further processes."""

    url: str
    clock: DrivenClock = field(default_factory=DrivenClock)
    metrics: Metrics = field(default_factory=Metrics)
    stores: list[Store] = field(default_factory=list)

    def store(self) -> Store:
        store = Store(Database(self.url), self.clock, OFFICE, Policies(LeastLoaded(), TellByRole()))
        self.stores.append(store)
        return store

    async def count(self, table: str, where: str = "1 = 1") -> int:
        sql = f"SELECT count(*) FROM {table} WHERE {where}"
        return int(await self.stores[0].read(lambda conn: conn.exec_driver_sql(sql).scalar_one()))

    async def rows(self, sql: str) -> list[tuple[object, ...]]:
        return await self.stores[0].read(lambda conn: [tuple(row) for row in conn.exec_driver_sql(sql)])


def message(
    update: str,
    client: int = 1001,
    text: str = "Добрый день",
    at: datetime | None = None,
    clock: DrivenClock | None = None,
) -> InboundEvent:
    moment = at or (clock.now() if clock is not None else DrivenClock().now())
    return InboundEvent(
        key=SHOP,
        external_id=update,
        conversation=str(client),
        occurred_at=moment,
        sender=Sender((Identity(IdentityKind.TG, str(client)),), f"Клиент {client}"),
        payload=MessageReceived(EntryKind.MESSAGE, text, update),
        raw=text.encode("utf-8", "surrogatepass"),
    )


async def add_people(store: Store) -> None:
    people = (("ivan", Role.MANAGER, 900_011), ("kira", Role.CONTROLLER, 900_012), ("dina", Role.DIRECTOR, 900_013))

    def service(desk: Desk) -> None:
        for login, role, telegram_id in people:
            add_user(desk, NewUser(login=login, name=login.title(), role=role, telegram_id=telegram_id))

    await store.run(service)
