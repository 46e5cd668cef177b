"""Putting a client on a special list in one act, and taking them off again."""

from __future__ import annotations

from typing import Any

import pytest

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.model.callback import CallbackReason, CallbackState
from crm_core.model.case import CaseState
from crm_core.model.identity import parse_identity
from crm_core.model.records import LeadStatus, ListedNumberRecord
from crm_core.services.acts import listing
from crm_core.services.acts.list_import import Row, Written, read_list, write_list
from crm_core.services.cards import leads
from crm_core.services.clients.contacts import ContactChange, change
from crm_core.services.desk import Desk
from crm_core.services.watching import callbacks
from tests.integration.storage.world import World, at, message, missed, moved, ringing

NUMBER, OTHER = "+79161234567", "+79160000001"
SEEKERS, BLACK = "соискатели", "чёрный список"


async def call_of(world: World, number: str = NUMBER) -> Any:
    return (await world.rows("call", number=number))[0]


async def entries(world: World) -> list[str]:
    return [row.text for row in await world.rows("timeline", kind="system")]


async def test_a_call_is_listed_in_one_act(world: World) -> None:
    await world.take(missed("c1", NUMBER, at(1)))
    call = await call_of(world)

    def order(desk: Desk) -> None:
        contact = desk.work.contact(call.contact_id)
        callbacks.order(desk, contact, CallbackReason.MISSED, desk.now)

    await world.store.run(order)
    done = await world.store.run(lambda desk: listing.list_call(desk, call.id, SEEKERS, " ищет \n работу ", "ivan"))
    assert done.numbers == (NUMBER,)
    (row,) = await world.rows("listed_number")
    assert (row.key, row.list_name, row.reason, row.author) == (f"tel:{NUMBER}", SEEKERS, "ищет работу", "ivan")
    contact = await world.row("contact")
    assert contact.list_name == SEEKERS
    case = await world.row("contact_case")
    assert (case.id, case.state) == (done.case_id, CaseState.CLOSED)
    assert case.reason == "в списке «соискатели»: ищет работу"
    lead = await world.row("lead")
    assert (lead.id, lead.status, lead.reason) == (done.lead_id, LeadStatus.REJECTED, case.reason)
    callback = await world.row("callback")
    assert callback.state is CallbackState.CANCELLED
    texts = await entries(world)
    assert "Ivan вносит в список «соискатели»: ищет работу" in texts
    assert [row.author for row in await world.rows("timeline", kind="system") if "вносит" in row.text] == ["ivan"]
    assert not [each for each in await world.deadlines() if each.kind.value.startswith("case")]


async def test_a_repeat_adds_nothing_and_a_waiting_client_is_settled_again(world: World) -> None:
    await world.take(missed("c1", NUMBER, at(1)))
    call = await call_of(world)
    for _ in range(3):
        await world.store.run(lambda desk: listing.list_call(desk, call.id, SEEKERS, "ищет работу", "ivan"))
    assert len([text for text in await entries(world) if "вносит" in text]) == 1
    await world.take(missed("c2", NUMBER, at(100)))
    assert (await world.rows("contact_case"))[-1].state is CaseState.OPEN
    done = await world.store.run(lambda desk: listing.list_call(desk, call.id, SEEKERS, "ищет работу", "ivan"))
    assert done.case_id is not None
    assert {case.state for case in await world.rows("contact_case")} == {CaseState.CLOSED}


async def test_all_identities_of_the_client_are_listed_and_a_taken_lead_stays(world: World) -> None:
    await world.take(missed("c1", NUMBER, at(1)))
    call = await call_of(world)
    lead = await world.row("lead")

    def service(desk: Desk) -> listing.Listed:
        wanted = (parse_identity(f"tel:{NUMBER}"), parse_identity(f"tel:{OTHER}"), parse_identity("mailto:a@b.ru"))
        change(desk, call.contact_id, ContactChange(identities=wanted))
        leads.take(desk, lead.id, "petr")
        return listing.list_contact(desk, call.contact_id, BLACK, "спам", "ivan")

    done = await world.store.run(service)
    assert set(done.numbers) == {NUMBER, OTHER}
    assert done.lead_id is None
    assert (await world.row("lead")).status is LeadStatus.TAKEN
    assert {row.key for row in await world.rows("listed_number")} == {f"tel:{NUMBER}", f"tel:{OTHER}", "mailto:a@b.ru"}


async def test_a_case_of_a_messenger_is_listed_without_a_number(world: World) -> None:
    await world.take(message(1001, "m1", at(1)))
    case = await world.row("contact_case")
    done = await world.store.run(lambda desk: listing.list_case(desk, case.id, BLACK, "спам", "ivan"))
    assert (done.numbers, done.case_id) == ((), case.id)
    assert (await world.row("contact")).list_name == BLACK
    assert [row.key for row in await world.rows("listed_number")] == ["tg:1001"]
    await world.store.run(lambda desk: listing.unlist_case(desk, case.id, "ivan"))
    assert await world.rows("listed_number") == []


async def test_taking_off(world: World) -> None:
    await world.take(missed("c1", NUMBER, at(1)))
    call = await call_of(world)
    await world.store.run(lambda desk: listing.list_call(desk, call.id, SEEKERS, "ищет работу", "ivan"))
    done = await world.store.run(lambda desk: listing.unlist_call(desk, call.id, "petr"))
    assert (done.list_name, done.numbers) == (None, (NUMBER,))
    assert await world.rows("listed_number") == []
    assert (await world.row("contact")).list_name is None
    assert "Petr убирает из списка «соискатели»" in await entries(world)
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: listing.unlist_contact(desk, call.contact_id, "petr"))


async def test_moving_to_another_list(world: World) -> None:
    await world.take(missed("c1", NUMBER, at(1)))
    call = await call_of(world)
    await world.store.run(lambda desk: listing.list_call(desk, call.id, SEEKERS, "почему-то", "ivan"))
    await world.store.run(lambda desk: listing.list_call(desk, call.id, BLACK, "почему-то", "ivan"))
    (row,) = await world.rows("listed_number")
    assert row.list_name == (await world.row("contact")).list_name == BLACK


@pytest.mark.parametrize("number", ["", "anonymous"])
async def test_whoever_hides_the_number_is_nobody_in_particular(world: World, number: str) -> None:
    await world.take(missed("c1", number, at(1)))
    call = (await world.rows("call"))[0]
    with pytest.raises(InvalidInput, match="скрыт"):
        await world.store.run(lambda desk: listing.list_call(desk, call.id, BLACK, "спам", "ivan"))
    with pytest.raises(InvalidInput, match="скрыт"):
        await world.store.run(lambda desk: listing.list_contact(desk, call.contact_id, BLACK, "спам", "ivan"))
    assert await world.rows("listed_number") == []


async def test_colleagues_can_not_be_listed(world: World) -> None:
    await world.take(moved(ringing("c1", "102", at(1))))
    call = (await world.rows("call"))[0]
    with pytest.raises(InvalidInput, match="внутренний"):
        await world.store.run(lambda desk: listing.list_call(desk, call.id, BLACK, "спам", "ivan"))


async def test_what_can_not_be(world: World) -> None:
    await world.take(missed("c1", NUMBER, at(1)))
    call = await call_of(world)
    with pytest.raises(InvalidInput, match="did you mean «соискатели»"):
        await world.store.run(lambda desk: listing.list_call(desk, call.id, "соискатель", "x", "ivan"))
    with pytest.raises(InvalidInput, match="reason"):
        await world.store.run(lambda desk: listing.list_call(desk, call.id, SEEKERS, " \n", "ivan"))
    with pytest.raises(NotFound):
        await world.store.run(lambda desk: listing.list_call(desk, 404, SEEKERS, "x", "ivan"))
    assert (await world.row("contact")).list_name is None


async def test_an_import_is_counted_written_and_repeated_without_effect(world: World) -> None:
    def put(desk: Desk) -> None:
        desk.work.put(ListedNumberRecord("tel:+79160000001", BLACK, "спам", "ivan", desk.now))
        desk.work.put(ListedNumberRecord("tel:+79160000002", SEEKERS, "старая", "ivan", desk.now))

    await world.store.run(put)
    content = "".join(f"+7916{number:07d},новая\n" for number in range(1, 1001)).encode()
    file = read_list(content, "RU", "ru", reason="")

    def write(desk: Desk, *, dry_run: bool) -> Written:
        return write_list(desk, SEEKERS, file.rows, "root", dry_run=dry_run)

    expected = Written(added=998, moved=1, changed=1)
    assert await world.store.run(lambda desk: write(desk, dry_run=True)) == expected
    assert len(await world.rows("listed_number")) == 2
    assert await world.store.run(lambda desk: write(desk, dry_run=False)) == expected
    assert await world.store.run(lambda desk: write(desk, dry_run=False)) == Written(same=1000)
    rows = await world.rows("listed_number")
    assert len(rows) == 1000
    assert {(row.list_name, row.reason) for row in rows} == {(SEEKERS, "новая")}
    with pytest.raises(InvalidInput, match="did you mean"):
        await world.store.run(lambda desk: write_list(desk, "чёрный спсок", [Row(1, "tel:+1", "x")], "root"))
