"""Lists that stay quick with a million records: read along an index, and only as far as a page needs."""

from __future__ import annotations

from typing import Any

import pytest

from crm_core.model.definitions import FieldBody
from crm_core.model.definitions.fields import FieldType
from crm_core.model.filters import filter_of
from crm_core.services.clients import contacts
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.desk import Desk
from crm_core.storage.database import Connection
from crm_core.storage.filtering import Asking, condition
from crm_core.storage.queries import contacts as queries
from crm_core.storage.queries.contacts import ContactFilter
from crm_core.storage.queries.pages import Page, Slice
from crm_core.storage.queries.sorting import More
from tests.integration.storage.test_fields import declare
from tests.integration.storage.world import World

CLIENTS = 12


@pytest.fixture
async def office(world: World) -> World:
    """Twelve clients by the names of «Анна Первая 0» … with fields: `size` 0 to 2, `kind` one or both of two."""
    await declare(
        world,
        FieldBody(of="contact", key="size", title="Размер", type=FieldType.NUMBER, indexed=True),
        FieldBody(of="contact", key="place", title="Место", indexed=True),
        FieldBody(
            of="contact", key="kind", title="Вид", type=FieldType.MULTI, options=["Опт", "Розница"], indexed=True
        ),
    )

    def service(desk: Desk) -> None:
        for number in range(CLIENTS):
            fields: dict[str, Any] = {"size": number % 3, "kind": ["Опт", "Розница"][: 1 + number % 2]}
            if number % 4:
                fields["place"] = "Казань"
            contacts.create(desk, ContactChange(name=f"Анна Первая {number}", fields=fields))

    await world.store.run(service)
    return world


async def listed(world: World, wanted: ContactFilter, where: Slice, filter_text: str | None = None) -> Page[Any]:
    def query(conn: Connection) -> Page[Any]:
        asking = Asking(world.store.catalogue(conn), world.clock.now())
        more = More.of("contact", filter_of(filter_text), asking) if filter_text is not None else More()
        return queries.list_contacts(conn, world.access(conn), wanted, where, more)

    return await world.store.read(query)


def numbers(page: Page[Any]) -> list[int]:
    return [int(each.contact.name.split()[-1]) for each in page.items]


@pytest.mark.parametrize(
    ("filter_text", "wanted"),
    [
        ('{"field": "fields.size", "value": 1}', [10, 7, 4, 1]),
        ('{"all": [{"field": "fields.size", "value": 1}, {"field": "fields.place", "value": "КАЗАНЬ"}]}', [10, 7, 1]),
        ('{"all": [{"field": "fields.size", "value": 1}, {"field": "fields.kind", "value": "розница"}]}', [7, 1]),
        ('{"all": [{"field": "fields.size", "op": ">", "value": 1}, {"field": "fields.place", "value": "казань"}]}',
         [11, 5, 2]),
        ('{"all": [{"field": "fields.place", "op": "empty"}, {"field": "fields.size", "value": 2}]}', [8]),
        ('{"not": {"field": "fields.size", "value": 1}}', [11, 9, 8, 6, 5, 3, 2, 0]),
        ("{}", list(reversed(range(CLIENTS)))),
    ],
)  # fmt: skip
async def test_filters_taken_apart_find_what_whole_ones_find(
    office: World, filter_text: str, wanted: list[int]
) -> None:
    assert numbers(await listed(office, ContactFilter(), Slice(), filter_text)) == wanted

    def whole(conn: Connection) -> Page[Any]:
        asking = Asking(office.store.catalogue(conn), office.clock.now())
        more = More(condition("contact", filter_of(filter_text), asking))
        return queries.list_contacts(conn, office.access(conn), ContactFilter(), Slice(), more)

    assert numbers(await office.store.read(whole)) == wanted


async def test_pages_along_a_field_go_on_where_the_last_one_ended(office: World) -> None:
    found: list[int] = []
    after: str | None = None
    for _ in range(CLIENTS):
        page = await listed(office, ContactFilter(), Slice(after, 2), '{"field": "fields.place", "value": "казань"}')
        found += numbers(page)
        after = page.next
        if after is None:
            break
    assert found == [11, 10, 9, 7, 6, 5, 3, 2, 1]


@pytest.mark.parametrize("newest", [1, 3, 5_000])
async def test_words_are_found_among_the_newest_and_behind_them(
    office: World, newest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_NEWEST", newest)
    found: list[int] = []
    after: str | None = None
    for _ in range(CLIENTS):
        page = await listed(office, ContactFilter("перв анна"), Slice(after, 5))
        found += numbers(page)
        after = page.next
        if after is None:
            break
    assert found == list(reversed(range(CLIENTS)))
    assert numbers(await listed(office, ContactFilter("первая 1"), Slice())) == [11, 10, 1]
    assert numbers(await listed(office, ContactFilter("вторая"), Slice())) == []


async def test_every_plan_looks_at_the_values(office: World) -> None:
    """PostgreSQL would keep a plan for any value from the sixth time on; of values that differ much it is no plan."""
    if office.store.database.sqlite:
        return

    def query(conn: Connection) -> str:
        return str(conn.exec_driver_sql("SHOW plan_cache_mode").scalar_one())

    assert await office.store.read(query) == "force_custom_plan"
