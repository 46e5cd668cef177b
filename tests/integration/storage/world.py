"""An office with its people and accounts, and short ways to say what happens to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeAlias

from sqlalchemy import Connection, insert, select

from crm_core.messages import (
    CallChanged,
    ContactShared,
    FormSubmitted,
    InboundEvent,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Payload,
    Receipt,
    Sender,
)
from crm_core.model.access import Access
from crm_core.model.call import CallSnapshot, CallState, Direction
from crm_core.model.channel import ChannelKey
from crm_core.model.identity import Identity, IdentityKind, parse_identity
from crm_core.model.ladder import Ladder, LadderEvent, Ladders, LadderStep, Told
from crm_core.model.office import Line, ListAction, Office, SpecialList
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import DeadlineRecord
from crm_core.model.timeline import EntryKind
from crm_core.model.user import Role
from crm_core.ports import Policies
from crm_core.services.intake.receive import receive
from crm_core.storage import tables
from crm_core.storage.database import Database
from crm_core.storage.migrate import migrate
from crm_core.storage.staff import load_staff, touch_staff
from crm_core.storage.store import Store
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.fakes.clock import START, DrivenClock

SHOP = ChannelKey("telegram", "shop")
STAFF = ChannelKey("telegram", "staff")
MAIL = ChannelKey("email", "sales")
SITE = ChannelKey("web", "site")
PBX = ChannelKey("pbx", "office")
LINE = "+74951234567"

OFFICE = Office(
    staff_channel=STAFF,
    mail_channel=MAIL,
    lines=(Line(LINE, "office", AccountPolicy(source="Яндекс.Директ")),),
    lists={
        "чёрный список": SpecialList("чёрный список", ListAction.REJECT),
        "соискатели": SpecialList("соискатели", ListAction.ROUTE, "PJSIP/150"),
    },
    ladders=Ladders.of(
        (
            Ladder(
                LadderEvent.LEAD_UNTOUCHED,
                (
                    LadderStep(timedelta(hours=4), (Told.MANAGER,)),
                    LadderStep(timedelta(hours=8), (Told.HEAD,)),
                ),
            ),
        )
    ),
)
POLICIES = Policies(LeastLoaded(), TellByRole())

# Id, login, role, more columns.
PEOPLE: tuple[tuple[int, str, Role, dict[str, Any]], ...] = (
    (1, "ivan", Role.MANAGER, {"extension": "101", "telegram_id": 1001, "deputy": "petr"}),
    (2, "petr", Role.MANAGER, {"extension": "102", "telegram_id": 1002}),
    (3, "olga", Role.CONTROLLER, {"telegram_id": 1003}),
    (4, "dir", Role.DIRECTOR, {"telegram_id": 1004, "email": "dir@example.org"}),
    (5, "head", Role.HEAD, {"email": "head@example.org"}),
)


def hire(conn: Connection, people: Sequence[tuple[int, str, Role, dict[str, Any]]] = PEOPLE) -> None:
    """Write people down."""
    for number, login, role, more in people:
        row = {"id": number, "login": login, "name": login.title(), "role": role, "created_at": START}
        flags = {"do_not_disturb": False, "active": True}
        conn.execute(
            insert(tables.app_user).values({**row, **flags, **{k: v for k, v in more.items() if k != "deputy"}})
        )
    for _, login, _, more in people:
        if "deputy" in more:
            change = tables.app_user.update().where(tables.app_user.c.login == login)
            conn.execute(change.values(deputy=more["deputy"]))
    touch_staff(conn)


@dataclass
class World:
    """A record under test: what goes in, and what stands in it afterwards."""

    store: Store
    clock: DrivenClock

    async def take(self, *events: InboundEvent) -> list[Receipt]:
        """Take facts in, in one batch; the clock is not behind them."""
        self.clock.set(max(self.clock.now(), *(event.occurred_at for event in events)))
        return await self.store.run(lambda desk: receive(desk.work, events, desk.office, desk.policies))

    def access(self, conn: Connection, login: str = "dir") -> Access:
        """What somebody may and sees, usually one who sees all."""
        return self.store.access(conn, load_staff(conn).by_login[login])

    async def rows(self, name: str, **where: Any) -> list[Any]:
        """The rows of a table, by id (or its first column)."""
        table = tables.metadata.tables[name]
        query = select(table).order_by(next(iter(table.columns)))
        for column, value in where.items():
            query = query.where(table.c[column] == value)
        return list(await self.store.read(lambda conn: conn.execute(query).all()))

    async def row(self, name: str, **where: Any) -> Any:
        """The only row."""
        found = await self.rows(name, **where)
        assert len(found) == 1, found
        return found[0]

    async def told(self) -> list[tuple[str, str]]:
        """Who was told of what, in order: (cause without the case's id, login)."""
        rows = await self.rows("outbox", kind="notification")
        return [
            (row.payload["cause"].split(":", 2)[0] + ":" + row.payload["cause"].split(":")[-1], row.payload["login"])
            for row in rows
        ]

    async def deadlines(self) -> list[DeadlineRecord]:
        """Every deadline, by its time."""
        found = [DeadlineRecord(*row) for row in await self.rows("deadline")]
        return sorted(found, key=lambda each: each.due_at)


@asynccontextmanager
async def world_on(url: str, office: Office = OFFICE, people: Any = PEOPLE) -> AsyncIterator[World]:
    """A world on a database without content; tables are made where there are none."""
    database = Database(url)
    try:
        await migrate(database)
        await database.write(lambda conn: hire(conn, people))
        clock = DrivenClock()
        yield World(Store(database, clock, office, POLICIES), clock)
    finally:
        await database.stop()


# ---------------------------------------------------------------- facts

_numbers = count(1)


def at(seconds: float) -> datetime:
    """A moment, in seconds from the start of the clock."""
    return START + timedelta(seconds=seconds)


def tg(number: int) -> Identity:
    """A Telegram user."""
    return Identity(IdentityKind.TG, str(number))


def fact(
    key: ChannelKey,
    payload: Payload,
    when: datetime,
    *identities: Identity,
    name: str = "",
    conversation: str = "",
    external_id: str | None = None,
    sequence: int = 0,
) -> InboundEvent:
    """A fact, each with an id of its own."""
    number = next(_numbers)
    where = conversation or (identities[0].value if identities else "")
    ident = external_id or f"fact-{number}"
    raw = f'{{"fact": "{ident}"}}'.encode()
    return InboundEvent(key, ident, where, when, Sender(identities, name), payload, raw, sequence=sequence)


def message(user: int, ref: str, when: datetime, text: str = "", **more: Any) -> InboundEvent:
    """A Telegram user writes to the shop."""
    payload = MessageReceived(EntryKind.MESSAGE, text or f"text {ref}", ref)
    return fact(SHOP, payload, when, tg(user), name=more.pop("name", f"User {user}"), **more)


def edit(user: int, ref: str, when: datetime, text: str, **more: Any) -> InboundEvent:
    """They change a message."""
    return fact(SHOP, MessageEdited(ref, text, when), when, tg(user), name=f"User {user}", **more)


def deletion(user: int, ref: str, when: datetime) -> InboundEvent:
    """They delete a message."""
    return fact(SHOP, MessageDeleted((ref,), when), when, tg(user))


def mail(address: str, ref: str, when: datetime, *, automatic: bool = False, text: str = "hello") -> InboundEvent:
    """Somebody writes a letter."""
    payload = MessageReceived(EntryKind.EMAIL, text, ref, subject=f"about {ref}", automatic=automatic)
    return fact(MAIL, payload, when, parse_identity(f"mailto:{address}"))


def form(when: datetime, **fields: Any) -> InboundEvent:
    """A visitor sends a form."""
    return fact(SITE, FormSubmitted(**fields), when)


def share(user: int, number: str, when: datetime, *, own: bool = True, ref: str = "") -> InboundEvent:
    """A Telegram user shares a contact card; an own one names the messenger id first, as Telegram does."""
    identity = parse_identity(f"tel:{number}")
    named = (tg(user), identity) if own else (identity,)
    card = ContactShared(ref or f"card-{user}-{when.timestamp()}", f"card {number}", own, named)
    return fact(SHOP, card, when, tg(user), name=f"User {user}")


def ringing(linkedid: str, number: str, start: datetime, direction: Direction = Direction.IN) -> CallSnapshot:
    """A call that has begun."""
    return CallSnapshot(linkedid, direction, number, LINE, CallState.RINGING, start)


def answered(call: CallSnapshot, after: float, endpoint: str = "PJSIP/101") -> CallSnapshot:
    """It is answered so many seconds after its start."""
    when = call.started_at + timedelta(seconds=after)
    return replace(call, state=CallState.ANSWERED, answered_at=when, answered_by=endpoint)


def ended(call: CallSnapshot, after: float, state: CallState | None = None) -> CallSnapshot:
    """It is over so many seconds after its start."""
    return replace(call, state=state or call.state, finished_at=call.started_at + timedelta(seconds=after))


def moved(call: CallSnapshot) -> InboundEvent:
    """The PBX tells how a call stands."""
    when = call.finished_at or call.answered_at or call.started_at
    ident = f"{call.linkedid}:{call.progress}:{call.wish_callback}"
    return fact(PBX, CallChanged(call), when, conversation=call.number, external_id=ident)


def missed(linkedid: str, number: str, start: datetime, after: float = 20) -> InboundEvent:
    """A call nobody took."""
    return moved(ended(ringing(linkedid, number, start), after, CallState.MISSED))


def talked(linkedid: str, number: str, start: datetime, endpoint: str = "PJSIP/101", **more: Any) -> InboundEvent:
    """A call that was answered and is over."""
    return moved(ended(answered(ringing(linkedid, number, start, **more), 5, endpoint), 60))


Rows: TypeAlias = dict[str, list[dict[str, Any]]]
"""By table, by column."""


async def left_by_merges(
    world: World, names: Iterable[str], passing: Container[str]
) -> dict[str, list[dict[str, Any]]]:
    """The rows of tables, without the columns that are `passing` and without the notes of merges on timelines."""
    found: Rows = {}
    for name in names:
        rows = [row._asdict() for row in await world.rows(name)]
        found[name] = [
            {column: value for column, value in row.items() if column not in passing}
            for row in rows
            if not (name == "timeline" and row["kind"] == "system" and "бъединен" in row["text"])
        ]
    return found
