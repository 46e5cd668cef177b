"""Clients of whom nothing but an id is known, on both engines."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.messages import ChannelKey, EntryKind, InboundEvent, MessageReceived, ProfileLearned
from crm_core.model.identity import Identity, IdentityKind
from crm_core.storage.queries.nameless import nameless
from hub.clients.nameless import RecordedNameless
from tests.integration.storage.world import World, at, fact, message

COMMUNITY = ChannelKey("vk", "community")


def vk(number: int) -> Identity:
    return Identity(IdentityKind.VK, str(number))


def wrote(user: int, seconds: float, name: str = "") -> InboundEvent:
    payload = MessageReceived(EntryKind.MESSAGE, "Здравствуйте", str(user))
    return fact(COMMUNITY, payload, at(seconds), vk(user), name=name)


async def test_the_newest_stand_first_and_whoever_gets_a_name_is_gone(world: World) -> None:
    await world.take(wrote(1, 1), wrote(2, 2, "Борис"), wrote(3, 3), message(4, "m", at(4), name=""))
    asked = RecordedNameless(world.store)
    assert list(await asked.nameless(IdentityKind.VK, 10)) == [vk(3), vk(1)]
    assert list(await asked.nameless(IdentityKind.VK, 1)) == [vk(3)]
    assert list(await asked.nameless(IdentityKind.TG, 10)) == [Identity(IdentityKind.TG, "4")]
    await world.take(fact(COMMUNITY, ProfileLearned(((vk(3), "Вера Никитина"), (vk(9), "Никто"))), at(5)))
    assert list(await asked.nameless(IdentityKind.VK, 10)) == [vk(1)]
    holder = (await world.row("identity", key="vk:3")).contact_id
    assert (await world.row("contact", id=holder)).name == "Вера Никитина"


async def test_a_name_that_a_fact_or_a_person_gave_stays(world: World) -> None:
    await world.take(wrote(1, 1, "Анна из анкеты"))
    await world.take(fact(COMMUNITY, ProfileLearned(((vk(1), "Анна Петрова"),)), at(5)))
    holder = (await world.row("identity", key="vk:1")).contact_id
    assert (await world.row("contact", id=holder)).name == "Анна из анкеты"


async def test_an_index_of_the_nameless_serves(world: World) -> None:
    await world.take(*(wrote(number, number, f"Имя {number}") for number in range(1, 60)))

    def explained(conn: Connection) -> str:
        plans: list[str] = []
        execute = conn.exec_driver_sql

        class Explaining:
            """The connection, but it only tells how it would answer."""

            def execute(self, statement: object) -> object:
                text = str(statement.compile(conn, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined] # a select
                prefix = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
                plans.extend(str(tuple(row)) for row in execute(prefix + text))
                return conn.execute(statement)  # type: ignore[call-overload] # a select

        if conn.dialect.name != "sqlite":
            execute("SET LOCAL enable_seqscan = off")
        nameless(Explaining(), IdentityKind.VK, 10)  # type: ignore[arg-type] # enough of a connection
        return "\n".join(plans)

    assert "ix_contact_nameless" in await world.store.database.read(explained, at_length=True)
