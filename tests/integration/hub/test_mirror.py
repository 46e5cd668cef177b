"""Who takes whose calls, as telephone exchanges are told: by portions, then change by change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.office import ListAction, SpecialList
from crm_core.model.records import ContactRecord, IdentityRecord, ListedNumberRecord
from crm_core.model.user import Absence
from crm_core.ports import REJECTED
from crm_core.services.clients.contacts import ContactChange, change
from crm_core.services.desk import Desk
from crm_core.storage import queues
from crm_core.storage.users import UserChange, update_user
from hub.nodes.live import Live
from hub.telephony.mirror import RecordedNumbers
from tests.integration.hub.world import World
from tests.patience import PATIENCE_S

LISTS = {
    "spam": SpecialList("spam", ListAction.REJECT),
    "jobs": SpecialList("jobs", ListAction.ROUTE, "PJSIP/200"),
    "quiet": SpecialList("quiet", ListAction.NO_LEAD),
}


@pytest.fixture
async def book(world: World) -> AsyncIterator[RecordedNumbers]:
    store = world.stores[0]
    store.office = replace(store.office, lists=LISTS)
    live = Live(store, poll_s=0.05)
    await live.start()
    yield RecordedNumbers(store, live, world.clock)
    await live.stop()


async def client(world: World, *numbers: str, manager: str | None = "ivan", on_list: str | None = None) -> int:
    def service(desk: Desk) -> int:
        work = desk.work
        contact = ContactRecord(work.next_id(), "Анна", work.now, work.now, "анна", manager=manager, list_name=on_list)
        work.put(contact)
        for number in numbers:
            work.put(IdentityRecord(f"tel:{number}", contact.id, "test", work.now))
        return contact.id

    return await world.stores[0].run(service)


async def test_portions_hold_every_number_by_its_last_digits(world: World, book: RecordedNumbers) -> None:
    await client(world, "+79161234567", "+74951234567", "+79161234500")
    await client(world, "+79160000067", manager=None)
    await client(world, "+79160000167", manager="kira")
    assert await book.portion("67") == {"9161234567": "ivan", "4951234567": "ivan", "9160000167": "kira"}
    assert await book.portion("00") == {"9161234500": "ivan"}


async def test_a_number_that_would_mean_two_people_is_left_out(world: World, book: RecordedNumbers) -> None:
    await client(world, "+79161234567")
    await client(world, "+449161234567", manager="kira")
    assert await book.portion("67") == {}
    await client(world, "+79161234568")
    await client(world, "+449161234568", manager=None)
    assert await book.portion("68") == {"9161234568": "ivan"}


async def test_lists(world: World, book: RecordedNumbers) -> None:
    await client(world, "+79161230001", on_list="spam")
    await client(world, "+79161230101", on_list="jobs")
    await client(world, "+79161230201", on_list="quiet")
    await client(world, "+79161230301", on_list="no such list")

    def list_bare(desk: Desk) -> None:
        for number, name in (("+79161230401", "spam"), ("+79161230501", "quiet"), ("+79161230201", "spam")):
            desk.work.put(ListedNumberRecord(f"tel:{number}", name, "", "ivan", desk.now))

    await world.stores[0].run(list_bare)
    await client(world, "+449161230401", manager="kira")
    assert await book.portion("01") == {"9161230001": REJECTED, "9161230201": "ivan", "9161230301": "ivan"}
    await world.stores[0].run(lambda desk: desk.work.remove(ListedNumberRecord, "tel:+79161230401"))
    assert (await book.portion("01"))["9161230401"] == "kira"


async def test_changes_name_the_numbers_and_whoever_takes_them_now(world: World, book: RecordedNumbers) -> None:
    contact = await client(world, "+79161234567", "+375291234567")
    start = await book.position()
    unchanged = await book.since(start)
    assert unchanged is not None
    assert (unchanged.position, unchanged.owners) == (start, {})

    await world.stores[0].run(lambda desk: desk.work.put(desk.work.contact(contact)._replace(manager="kira")))
    changes = await book.since(start)
    assert changes is not None
    assert changes.owners == {"9161234567": "kira", "5291234567": "kira"}

    # a number of another country that ends alike
    await client(world, "+495291234567", manager="ivan")
    changes = await book.since(changes.position)
    assert changes is not None
    assert changes.owners == {"5291234567": None}

    only = (Identity(IdentityKind.TEL, "+79161234567"),)
    await world.stores[0].run(lambda desk: change(desk, contact, ContactChange(identities=only)))
    changes = await book.since(changes.position)
    assert changes is not None
    assert changes.owners == {"9161234567": "kira", "5291234567": "ivan"}

    row = ListedNumberRecord("tel:+79169999999", "spam", "", "ivan", world.clock.now())
    await world.stores[0].run(lambda desk: desk.work.put(row))
    changes = await book.since(changes.position)
    assert changes is not None
    assert changes.owners == {"9169999999": REJECTED}
    await world.stores[0].run(lambda desk: desk.work.remove(ListedNumberRecord, row.key))
    changes = await book.since(changes.position)
    assert changes is not None
    assert changes.owners == {"9169999999": None}


async def test_a_feed_that_was_cut_says_so(world: World, book: RecordedNumbers) -> None:
    await client(world, "+79161234567")
    start = await book.position()
    await client(world, "+79161234568")
    later = world.clock.now() + timedelta(hours=1)
    await world.stores[0].database.write(lambda conn: queues.prune(conn, later, later))
    assert await book.since(start) is None
    assert await book.since(start + 1000) is None
    end = await book.position()
    assert (await book.since(end)) is not None


async def test_people_and_whoever_stands_in(world: World, book: RecordedNumbers) -> None:
    store, now = world.stores[0], world.clock.now()

    async def make(login: str, given: UserChange) -> None:
        await store.run(lambda desk: update_user(desk, login, given))

    await make("ivan", UserChange(extension="101", deputy="kira"))
    await make("kira", UserChange(extension="102", deputy="dina"))
    await make("dina", UserChange(extension="SIP/103"))
    assert await book.people() == {"ivan": "101", "kira": "102", "dina": "SIP/103"}
    await make("ivan", UserChange(absence=Absence(now, now + timedelta(hours=8))))
    assert (await book.people())["ivan"] == "102"
    await make("kira", UserChange(do_not_disturb=True))
    assert await book.people() == {"ivan": "SIP/103", "kira": "SIP/103", "dina": "SIP/103"}
    world.clock.advance(9 * 3600)
    assert (await book.people())["ivan"] == "101"
    await make("ivan", UserChange(active=False))
    assert "ivan" not in await book.people()


async def test_news_wait_for_a_change(world: World, book: RecordedNumbers) -> None:
    waiting = asyncio.create_task(book.news(await book.position()))
    await asyncio.sleep(0)
    assert not waiting.done()
    await client(world, "+79161234567")
    async with asyncio.timeout(PATIENCE_S):
        await waiting


async def test_other_lists_are_another_edition(world: World, book: RecordedNumbers) -> None:
    before = book.edition
    store = world.stores[0]
    store.office = replace(store.office, lists={})
    assert book.edition != before
