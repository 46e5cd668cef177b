"""Guesses that two contacts are one: what makes them, that a pair is guessed once, what a decision does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import Authenticity, ContactShared, MessageReceived, Sender
from crm_core.model.conversation import SuggestionReason, SuggestionState
from crm_core.model.identity import Identity, IdentityKind, parse_identity
from crm_core.model.timeline import EntryKind, Trust
from crm_core.services.clients import contacts
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.duplicates import deciding, merging, suggestions
from crm_core.services.duplicates.deciding import Because
from tests.integration.storage.world import MAIL, SHOP, World, at, fact, form, mail, message, missed, share, tg

CLIENT, OTHER = "+79161234567", "+79160000001"
ADDRESS = "anna@example.org"


async def owner(world: World, key: str) -> int:
    return int((await world.row("identity", key=key)).contact_id)


async def pairs(world: World) -> dict[tuple[int, int], Any]:
    return {(row.contact_id, row.other_id): row for row in await world.rows("suggestion")}


async def two(world: World) -> tuple[int, int, int]:
    """A caller and a writer that a form names together: the caller, the writer, the suggestion."""
    await world.take(missed("c1", CLIENT, at(0)), mail(ADDRESS, "m1", at(1)))
    await world.take(form(at(60), phone=CLIENT, email=ADDRESS))
    row = await world.row("suggestion")
    return await owner(world, f"tel:{CLIENT}"), await owner(world, f"mailto:{ADDRESS}"), row.id


def merge(one: int, other: int) -> Any:
    def run(desk: Any) -> None:
        found = desk.work.contacts([one, other])
        merging.merge(desk, found[one], found[other], "by hand", "ivan")

    return run


async def test_a_form_that_names_what_two_hold_links_nothing_and_suggests(world: World) -> None:
    caller, writer, _ = await two(world)
    assert caller != writer, "a form steals no identity"
    row = await world.row("suggestion")
    assert {row.contact_id, row.other_id} == {caller, writer}
    assert row.contact_id < row.other_id
    assert (row.reason, row.state, row.confidence) == (SuggestionReason.FORM_ADDRESS, SuggestionState.OPEN, 60)
    assert ADDRESS in row.evidence
    assert (await world.row("timeline", kind="form")).contact_id == caller
    await world.take(form(at(90), phone=CLIENT, email=ADDRESS))
    assert len(await world.rows("suggestion")) == 1


async def test_a_form_with_numbers_of_two_clients_is_the_better_guess(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)), missed("c2", OTHER, at(1)))
    await world.take(form(at(60), phone=f"{CLIENT}, {OTHER}"))
    row = await world.row("suggestion")
    assert (row.reason, row.confidence) == (SuggestionReason.FORM_NUMBER, 70)


async def test_what_the_form_names_and_nobody_holds_is_linked_with_its_evidence(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(form(at(60), phone=CLIENT, email=ADDRESS))
    row = await world.row("identity", key=f"mailto:{ADDRESS}")
    assert row.contact_id == await owner(world, f"tel:{CLIENT}")
    assert row.evidence == "form site"
    assert await world.rows("suggestion") == []


async def test_a_forged_mail_is_a_warning_beside_the_holder_of_the_address(world: World) -> None:
    await world.take(mail(ADDRESS, "m1", at(0)))
    forged = MessageReceived(
        EntryKind.EMAIL, "переведите деньги", "m2", authenticity=Authenticity(Trust.FORGED, "spf=fail")
    )
    await world.take(fact(MAIL, forged, at(60), Identity(IdentityKind.CLAIMED, ADDRESS)))
    holder, claimant = await owner(world, f"mailto:{ADDRESS}"), await owner(world, f"claimed:{ADDRESS}")
    assert holder != claimant
    row = await world.row("suggestion")
    assert {row.contact_id, row.other_id} == {holder, claimant}
    assert row.reason is SuggestionReason.CLAIMED_ADDRESS
    assert row.confidence <= 10
    assert "подделка" in row.evidence
    assert "spf=fail" in row.evidence


async def test_a_card_that_is_not_proven_own_is_a_low_guess(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(share(7, CLIENT, at(60), own=False))
    row = await world.row("suggestion")
    assert {row.contact_id, row.other_id} == {await owner(world, f"tel:{CLIENT}"), await owner(world, "tg:7")}
    assert (row.reason, row.confidence) == (SuggestionReason.CARD, 30)


async def test_a_foreign_card_of_a_stranger_makes_nobody(world: World) -> None:
    await world.take(share(7, CLIENT, at(60), own=False))
    assert len(await world.rows("contact")) == 1
    assert await world.rows("identity", key=f"tel:{CLIENT}") == []
    assert await world.rows("suggestion") == []


async def test_a_card_in_the_senders_own_name_is_more_telling(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    card = ContactShared("r1", "card", False, (parse_identity(f"tel:{CLIENT}"),), "Иванова Анна")
    await world.take(fact(SHOP, card, at(60), tg(7), name="Анна Иванова"))
    assert (await world.row("suggestion")).confidence > 30


async def test_a_form_that_names_a_handle_finds_its_holder(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    record = await world.row("identity", key="tg:7")

    def called(desk: Any) -> None:
        known = desk.work.identities([record.contact_id])[record.contact_id][0]
        desk.work.put(known._replace(handle="anna_ivanova"))

    await world.store.run(called)
    await world.take(form(at(60), phone=CLIENT, fields=(("Telegram", "https://t.me/Anna_Ivanova"),)))
    row = await world.row("suggestion")
    assert row.reason is SuggestionReason.HANDLE
    assert {row.contact_id, row.other_id} == {record.contact_id, await owner(world, f"tel:{CLIENT}")}


async def test_namesakes_need_something_else_in_common(world: World) -> None:
    await world.take(form(at(0), name="Иванов Пётр", email="petr@zavod.example"))
    await world.take(form(at(1), name="Петр Иванов", email="p.ivanov@zavod.example"))
    await world.take(form(at(2), name="Пётр Иванов", email="other@gmail.com"))
    await world.take(form(at(3), name="Пётр", email="third@zavod.example"))
    row = await world.row("suggestion")
    assert (row.reason, row.confidence) == (SuggestionReason.NAME, 40)
    assert "zavod.example" in row.evidence


async def test_namesakes_of_one_batch_are_compared_with_each_other(world: World) -> None:
    await world.take(
        form(at(0), name="Иванов Пётр", email="petr@zavod.example"),
        form(at(1), name="Петр Иванов", email="p.ivanov@zavod.example"),
    )
    assert (await world.row("suggestion")).reason is SuggestionReason.NAME


async def test_one_pair_suggested_at_once_by_two_writers_is_one_row(world: World, second: World) -> None:
    for n in range(8):
        number, address = f"+7916000010{n}", f"c{n}@b.example"
        await world.take(missed(f"c{n}", number, at(0)), mail(address, f"m{n}", at(1)))
        one = form(at(60), phone=number, email=address)
        await asyncio.gather(world.take(one), second.take(replace(one, external_id=f"other-{n}")))
    assert len(await pairs(world)) == len(await world.rows("suggestion")) == 8


async def test_namesakes_taken_in_at_once_are_suggested_once(world: World, second: World) -> None:
    await world.take(form(at(0), name="Пётр Иванов", email="a@zavod.example"))
    for n in range(6):
        await asyncio.gather(
            world.take(form(at(10 + n), name="Пётр Иванов", email=f"b{n}@zavod.example")),
            second.take(form(at(10 + n), name="Пётр Иванов", phone=f"+7916000020{n}", email=f"c{n}@zavod.example")),
        )
    rows = await world.rows("suggestion")
    assert len({(row.contact_id, row.other_id) for row in rows}) == len(rows) > 0


async def test_accepting_merges_and_says_who_is_left_and_why(world: World) -> None:
    caller, writer, number = await two(world)
    await world.store.run(lambda desk: contacts.change(desk, writer, ContactChange(manager="petr")))
    done = await world.store.run(lambda desk: deciding.accept(desk, number, "ivan"))
    assert (done.survivor.id, done.absorbed_id, done.because) == (writer, caller, Because.MANAGER)
    assert await owner(world, f"tel:{CLIENT}") == writer
    row = await world.row("suggestion")
    assert (row.state, row.decided_by) == (SuggestionState.ACCEPTED, "ivan")
    assert f"suggestion {number}" in (await world.row("contact_merge")).evidence
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: deciding.accept(desk, number, "ivan"))


async def test_whoever_accepts_may_say_who_is_left(world: World) -> None:
    caller, writer, number = await two(world)
    with pytest.raises(InvalidInput):
        await world.store.run(lambda desk: deciding.accept(desk, number, "ivan", 1))
    done = await world.store.run(lambda desk: deciding.accept(desk, number, "ivan", max(caller, writer)))
    assert (done.survivor.id, done.because) == (max(caller, writer), Because.CHOSEN)


async def test_of_a_forger_and_the_holder_the_holder_is_left(world: World) -> None:
    claim = Identity(IdentityKind.CLAIMED, ADDRESS)
    await world.take(fact(MAIL, MessageReceived(EntryKind.EMAIL, "x", "m0"), at(0), claim))
    await world.take(mail(ADDRESS, "m1", at(10)))
    await world.take(fact(MAIL, MessageReceived(EntryKind.EMAIL, "x", "m2"), at(60), claim))
    number = (await world.row("suggestion")).id
    done = await world.store.run(lambda desk: deciding.accept(desk, number, "ivan"))
    assert (done.survivor.id, done.because) == (await owner(world, f"mailto:{ADDRESS}"), Because.PROVEN)


async def test_a_dismissed_pair_is_never_suggested_again(world: World) -> None:
    _, _, number = await two(world)
    await world.store.run(lambda desk: suggestions.dismiss(desk, number, "ivan"))
    await world.take(form(at(120), phone=CLIENT, email=ADDRESS))
    row = await world.row("suggestion")
    assert (row.state, row.decided_by) == (SuggestionState.DISMISSED, "ivan")
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: suggestions.dismiss(desk, number, "ivan"))


async def test_a_merge_by_hand_accepts_the_pair_and_undoing_opens_it_again(world: World) -> None:
    caller, writer, _ = await two(world)
    before = await world.rows("suggestion")
    await world.store.run(merge(caller, writer))
    row = await world.row("suggestion")
    assert (row.state, row.contact_id != row.other_id) == (SuggestionState.ACCEPTED, True)
    await world.store.run(lambda desk: merging.unmerge(desk, caller, "ivan"))
    assert await world.rows("suggestion") == before


async def test_suggestions_of_the_absorbed_become_the_survivors_and_come_back(world: World) -> None:
    caller, writer, _ = await two(world)
    await world.take(missed("c2", OTHER, at(100)), message(7, "m7", at(101)))
    third, fourth = await owner(world, f"tel:{OTHER}"), await owner(world, "tg:7")
    await world.take(form(at(160), phone=OTHER, email=ADDRESS), share(7, CLIENT, at(170), own=False))
    await world.take(form(at(180), phone=f"{CLIENT}, {OTHER}"))
    before = await world.rows("suggestion")
    assert len(before) == 4
    await world.store.run(merge(caller, writer))
    found = await pairs(world)
    assert all(one < other for one, other in found)
    openly = {pair for pair, row in found.items() if row.state is SuggestionState.OPEN and writer not in pair}
    assert openly == {suggestions.pair_of(caller, third), suggestions.pair_of(caller, fourth)}
    await world.store.run(lambda desk: merging.unmerge(desk, caller, "ivan"))
    assert await world.rows("suggestion") == before


async def test_interleaved_merges_undone_give_the_pair_back(world: World) -> None:
    caller, writer, _ = await two(world)
    await world.take(missed("c2", OTHER, at(100)), message(7, "m7", at(101)))
    other, stranger = await owner(world, f"tel:{OTHER}"), await owner(world, "tg:7")
    before = await world.rows("suggestion")
    await world.store.run(merge(other, caller))
    await world.store.run(merge(stranger, writer))
    assert list(await pairs(world)) == [suggestions.pair_of(other, stranger)]
    await world.store.run(lambda desk: merging.unmerge(desk, other, "ivan"))
    assert list(await pairs(world)) == [suggestions.pair_of(caller, stranger)]
    await world.store.run(lambda desk: merging.unmerge(desk, stranger, "ivan"))
    assert await world.rows("suggestion") == before


async def test_a_merge_is_not_undone_under_a_contact_that_was_merged_since(world: World) -> None:
    caller, writer, _ = await two(world)
    await world.take(message(7, "m7", at(101)))
    top = await owner(world, "tg:7")
    await world.store.run(merge(caller, writer))
    await world.store.run(merge(top, caller))
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: merging.unmerge(desk, caller, "ivan"))
    await world.store.run(lambda desk: merging.unmerge(desk, top, "ivan"))
    await world.store.run(lambda desk: merging.unmerge(desk, caller, "ivan"))
    assert await owner(world, f"mailto:{ADDRESS}") == writer


async def test_an_equal_handle_in_two_messengers_is_a_guess(world: World) -> None:
    def called(user: str, kind: IdentityKind, when: float) -> Any:
        event = fact(SHOP, MessageReceived(EntryKind.MESSAGE, "x", f"h{user}"), at(when), Identity(kind, user))
        return replace(event, sender=Sender(event.sender.identities, "", "anna_ivanova"))

    await world.take(called("7", IdentityKind.TG, 0), called("8", IdentityKind.VK, 1))
    row = await world.row("suggestion")
    assert (row.reason, row.confidence) == (SuggestionReason.HANDLE, 50)
