"""What whoever oversees gives to others: a waiting client, who is told of them; and rejections that they check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_core.errors import Conflict, Forbidden, InvalidInput
from crm_core.model.records import LeadStatus
from crm_core.services.acts.rejections import confirm, restore
from crm_core.services.cards.leads import reject, take
from crm_core.services.desk import Desk
from crm_core.services.watching.cases import close_by_hand, give_case
from tests.integration.storage.world import World, at, message


async def act(world: World, login: str, service: Callable[[Desk], Any]) -> Any:
    """Somebody does something, as whoever they are."""

    def acting(desk: Desk) -> Any:
        user = desk.work.staff.get(login)
        assert user is not None
        desk.acts_for(user, "")
        return service(desk)

    return await world.store.run(acting)


async def waiting(world: World) -> int:
    """Somebody waits who is nobody's."""
    await world.take(message(7, "m-1", at(0), "Когда замер?"))
    await world.store.database.write(lambda conn: conn.exec_driver_sql("UPDATE contact_case SET manager = NULL"))
    return int((await world.row("contact_case")).id)


async def test_a_case_is_given_to_somebody_who_is_told_every_time(world: World) -> None:
    case = await waiting(world)
    before = len(await world.told())
    await act(world, "head", lambda desk: give_case(desk, case, "head", "petr"))
    assert (await world.row("contact_case")).manager == "petr"
    assert [who for _what, who in (await world.told())[before:]] == ["petr"]
    await act(world, "head", lambda desk: give_case(desk, case, "head", "petr"))
    assert len(await world.told()) == before + 1, "it is theirs already"
    await act(world, "head", lambda desk: give_case(desk, case, "head", "ivan"))
    await act(world, "head", lambda desk: give_case(desk, case, "head", "petr"))
    assert [who for _what, who in (await world.told())[before:]] == ["petr", "ivan", "petr"]
    notes = [each.text for each in await world.rows("timeline") if each.author == "head"]
    assert notes == [
        "Head поручает обращение: Petr",
        "Head поручает обращение: Ivan",
        "Head поручает обращение: Petr",
    ]


async def test_what_cannot_be_given(world: World) -> None:
    case = await waiting(world)
    with pytest.raises(Forbidden):
        await act(world, "ivan", lambda desk: give_case(desk, case, "ivan", "petr"))
    with pytest.raises(InvalidInput):
        await act(world, "head", lambda desk: give_case(desk, case, "head", "nobody"))
    await act(world, "head", lambda desk: close_by_hand(desk, case, "head", "решено"))
    with pytest.raises(Conflict):
        await act(world, "head", lambda desk: give_case(desk, case, "head", "petr"))


async def test_a_taken_lead_goes_on_as_taken_and_is_checked_once(world: World) -> None:
    await world.take(message(7, "m-1", at(0), "Сколько стоит?"))
    lead = (await world.row("lead")).id
    await act(world, "ivan", lambda desk: take(desk, lead, "ivan"))
    await act(world, "ivan", lambda desk: reject(desk, lead, "ivan", "спам"))
    await act(world, "head", lambda desk: restore(desk, lead, "head"))
    found = await world.row("lead")
    assert (found.status, found.manager, found.closed_at, found.reason) == (LeadStatus.TAKEN, "ivan", None, None)
    with pytest.raises(Conflict):
        await act(world, "head", lambda desk: confirm(desk, lead, "head"))
    world.clock.advance(60)
    await act(world, "ivan", lambda desk: reject(desk, lead, "ivan", "спам"))
    await act(world, "head", lambda desk: confirm(desk, lead, "head"))
    tasks = await world.rows("task")
    assert [each.result for each in tasks] == ["Отказ неверный, лид снова в работе", "Отказ верный"]


async def test_a_lead_is_not_restored_beside_a_newer_one(world: World) -> None:
    await world.take(message(7, "m-1", at(0), "Сколько стоит?"))
    lead = (await world.row("lead")).id
    await act(world, "head", lambda desk: reject(desk, lead, "head", "спам"))
    await world.take(message(7, "m-2", at(60), "Так сколько?"))
    assert len(await world.rows("lead")) == 2
    with pytest.raises(Conflict):
        await act(world, "head", lambda desk: restore(desk, lead, "head"))
