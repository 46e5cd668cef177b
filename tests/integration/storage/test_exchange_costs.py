"""What is taken in from accounting, and what is told to other programs, costs a fixed number of statements a batch."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from crm_core.model.definitions import Section
from crm_core.model.definitions.webhooks import WebhookBody
from crm_core.model.records import DealRecord
from crm_core.services import defining
from crm_core.services.cards.pipelines import beginning
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.services.desk import Desk
from crm_core.services.money import payments
from crm_core.services.money.products import ProductChange
from crm_core.services.money.sales_data import (
    PaymentRow,
    ProductRow,
    SaleRow,
    take_payments,
    take_products,
    take_sales,
)
from crm_core.services.recognising import external
from crm_core.services.recognising.named import Named
from tests.integration.storage.world import World, at
from tests.statements import statements


async def cost(world: World, service: Any) -> int:
    with statements(world.store) as seen:
        await world.store.run(service)
    passing = ("BEGIN", "COMMIT", "SELECT pg_advisory")
    return len(
        [each for each in seen if not each.startswith(passing) and "nextval" not in each and "id_block" not in each]
    )


def clients(desk: Desk) -> None:
    """A hundred and twenty clients whom accounting knows, each with a deal."""
    pipeline, stage = beginning(desk, None)
    for number in range(120):
        contact, _ = create(desk, ContactChange(name=f"Клиент {number}"))
        external.keep(desk, "contact", contact.id, {"1c": str(number)})
        deal = DealRecord(
            desk.work.next_id(), contact.id, pipeline.id, stage.id, "Окна", desk.now, desk.now, desk.now, amount=1000
        )
        desk.work.put(deal)
        external.keep(desk, "deal", deal.id, {"1c": f"D{number}"})


def products_of(first: int, count: int) -> list[ProductRow]:
    change = [ProductChange(name=f"Окно {number}", sku=f"W{number}", price=number) for number in range(count)]
    return [ProductRow(f"P{first + number}", each) for number, each in enumerate(change)]


def sales_of(first: int, count: int) -> list[SaleRow]:
    return [
        SaleRow(f"S{n}", at(n), 100, about=Named(client=str(n % 120), product=f"P{n % 5}", deal=f"D{n % 120}"))
        for n in range(first, first + count)
    ]


def payments_of(first: int, count: int) -> list[PaymentRow]:
    return [PaymentRow(f"M{n}", at(n), 10, about=Named(deal=f"D{n}")) for n in range(first, first + count)]


async def test_data_of_accounting(world: World) -> None:
    await world.store.run(clients)
    await world.store.run(lambda desk: take_products(desk, "1c", products_of(0, 5)))
    few = await cost(world, lambda desk: take_sales(desk, "1c", sales_of(0, 5)))
    many = await cost(world, lambda desk: take_sales(desk, "1c", sales_of(1000, 100)))
    assert few == many <= 14
    again = await cost(world, lambda desk: take_sales(desk, "1c", sales_of(1000, 100)))
    assert again <= few
    few = await cost(world, lambda desk: take_payments(desk, "1c", "ivan", payments_of(0, 5)))
    many = await cost(world, lambda desk: take_payments(desk, "1c", "ivan", payments_of(10, 100)))
    assert few == many <= 30
    assert len(await world.rows("payment")) == 105
    assert sum(row.paid for row in await world.rows("deal")) == 1050


async def test_events_of_records(world: World) -> None:
    body = WebhookBody(url="https://example.org/", events=["*"], secret="0123456789")
    await world.store.run(lambda desk: defining.add(desk, Section.WEBHOOK, "erp", body, "root"))
    await world.store.run(clients)
    told = len(await world.rows("webhook_delivery"))
    assert told >= 240

    def renamed(first: int, count: int) -> Any:
        def service(desk: Desk) -> None:
            found = desk.work.related(DealRecord, "title", ["Окна"])[first : first + count]
            for each in found:
                desk.work.put(each._replace(title="Двери"))

        return service

    await world.store.run(renamed(100, 1))  # from here on the catalogue is known
    few, many = await cost(world, renamed(0, 5)), await cost(world, renamed(10, 80))
    assert few == many
    assert len(await world.rows("webhook_delivery")) == told + 86


async def test_what_is_due_is_planned_by_the_hundred(world: World) -> None:
    await world.store.run(clients)
    deals = [row.id for row in await world.rows("deal")]
    first = date(2026, 5, 1)

    def planned(ids: list[int]) -> Any:
        def service(desk: Desk) -> None:
            found = desk.work.deals(ids)
            payments.payments_of(desk, ids)
            for number, each in enumerate(found.values()):
                day = (first + timedelta(days=number)).isoformat()
                payments.plan(desk, each.id, "ivan", [payments.Instalment(day, each.amount)])

        return service

    await world.store.run(planned(deals[110:]))  # from here on the catalogue is known
    few, many = await cost(world, planned(deals[:5])), await cost(world, planned(deals[5:105]))
    assert few == many
    assert len([each for each in await world.deadlines() if each.key.startswith("payment:")]) == 115
