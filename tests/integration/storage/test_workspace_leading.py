"""Leading indicators of the control list: what everybody did day by day."""

from __future__ import annotations

from functools import partial
from typing import Any

from crm_core.model.call import Direction
from crm_core.model.exchange import DocumentRecord
from crm_core.model.selling import PaymentKind
from crm_core.services.desk import Desk
from crm_core.services.money import payments
from crm_core.services.money.payments import NewPayment
from crm_core.services.tasking import tasks
from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.workspace.control.asking import control_page
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView, SubjectKind
from tests.integration.storage.test_workspace import ANNA, act, deal, look, plans, task
from tests.integration.storage.world import World, at, talked

DAY = 86_400.0


async def rows(world: World, login: str = "head", **more: Any) -> list[ControlRow]:
    found = await look(
        world, login, lambda conn, asker: control_page(conn, asker, ControlView.LEADING, Slice(), **more)
    )
    return list(found.items)


def told(row: ControlRow) -> tuple[Any, ...]:
    return (row.title, *(each.value for each in row.figures))


def paper(template: str, number: int) -> Any:
    def service(desk: Desk) -> None:
        name = f"{number}.pdf"
        desk.work.put(
            DocumentRecord(
                desk.work.next_id(), template, number, template, desk.now, "ivan", name, "application/pdf", 1, "0" * 64
            )
        )

    return service


async def done(world: World, title: str, **more: Any) -> None:
    made = await task(world, "ivan", title, **more)
    await act(world, "ivan", lambda desk: tasks.close(desk, made.id, "ivan", "сделано"))


async def busy_day(world: World) -> None:
    """Ivan talks twice, measures, meets, offers, bills and is paid."""
    await world.take(
        talked("c1", ANNA, at(0)),
        talked("c2", ANNA, at(100), direction=Direction.OUT),
    )
    world.clock.set(at(400))
    for title, kind in (("Замер на Ленина", ""), ("Поговорить", "встреча"), ("Позвонить", "звонок")):
        await done(world, title, kind=kind)
    for number, template in enumerate(("КП на окна", "Счёт на оплату", "Договор")):
        await act(world, "ivan", paper(template, number + 1))
    made = await deal(world, "ivan", "Окна", amount=100_000)
    for amount in (60_000, 40_000):
        new = NewPayment(PaymentKind.RECEIVED, amount, "RUB")
        await act(world, "ivan", partial(payments.record, deal_id=made.id, login="ivan", new=new))


async def test_what_everybody_did_on_each_day(world: World) -> None:
    await busy_day(world)
    first = await rows(world)
    assert [each.kind for each in first] == [SubjectKind.DAY, SubjectKind.USER]
    assert told(first[0])[1:] == told(first[1])[1:] == (2, 1, 2, 1, 1, 2, 100_000)
    assert first[1].login == "ivan"
    world.clock.set(at(DAY + 400))
    await done(world, "Визит к клиенту")
    second = await rows(world)
    assert [told(each)[3] for each in second] == [1, 1, 2, 2]
    assert second[0].title > second[2].title, "today first"
    world.clock.set(at(8 * DAY))
    assert [told(each)[3] for each in await rows(world)] == [], "only of a week"


async def test_nobody_sees_more_than_they_oversee(world: World) -> None:
    await busy_day(world)
    assert await rows(world, "petr") == []
    assert await rows(world, "head", person="petr") == []
    assert {each.login for each in await rows(world, "ivan")} == {None, "ivan"}


async def test_what_it_costs(world: World) -> None:
    await busy_day(world)
    seen = await plans(world, "head", lambda conn, asker: control_page(conn, asker, ControlView.LEADING, Slice()))
    assert len(seen.statements) == 4
    assert seen.scans("call", "task", "document", "payment") == []
