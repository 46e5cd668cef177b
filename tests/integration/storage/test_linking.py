"""Identities are linked only on evidence, by whichever way they come; every link says on which."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crm_core.errors import Duplicate
from crm_core.messages import ContactShared, FormSubmitted, MessageReceived, Sender
from crm_core.model.identity import Identity, IdentityKind, parse_identity
from crm_core.model.timeline import EntryKind
from crm_core.services.clients import contacts
from crm_core.services.clients.contacts import ContactChange
from tests.integration.storage.world import MAIL, SHOP, SITE, World, at, fact, form, mail, message, missed, share, tg

CLIENT = "+79161234567"
ADDRESS = "anna@example.org"


async def held(world: World) -> dict[str, tuple[int, str]]:
    return {row.key: (row.contact_id, row.evidence) for row in await world.rows("identity")}


async def test_one_number_in_a_form_and_a_call_is_one_contact_in_either_order(world: World) -> None:
    await world.take(form(at(0), phone="8 (916) 123-45-67"), missed("c1", CLIENT, at(60)))
    await world.take(missed("c2", "+79160000001", at(0)), form(at(60), phone="+7 916 000 00 01"))
    found = await held(world)
    assert len(await world.rows("contact")) == 2
    assert {key: evidence for key, (_, evidence) in found.items()} == {
        f"tel:{CLIENT}": "form site",
        "tel:+79160000001": "call",
    }


async def test_one_address_in_a_form_and_a_mail_is_one_contact_whatever_its_case(world: World) -> None:
    await world.take(form(at(0), email="Anna@Example.ORG"), mail(ADDRESS, "m1", at(60)))
    assert len(await world.rows("contact")) == 1
    assert set(await held(world)) == {f"mailto:{ADDRESS}"}


async def test_a_form_steals_nothing_from_anybody(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)), mail(ADDRESS, "m1", at(1)), message(7, "m2", at(2)))
    before = await held(world)
    await world.take(form(at(60), phone=CLIENT, email=ADDRESS), form(at(61), phone=CLIENT, email="new@example.org"))
    after = await held(world)
    assert {key: after[key] for key in before} == before
    assert after["mailto:new@example.org"] == (before[f"tel:{CLIENT}"][0], "form site")
    assert [row.merged_into for row in await world.rows("contact")] == [None] * 3


async def test_a_visitor_who_types_somebodys_number_does_not_become_them(world: World) -> None:
    """The chat of the site knows its visitor by an id of its own: a form sent from it is a form still."""
    visitor = Identity(IdentityKind.WEB, "visitor-1")
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(fact(SITE, MessageReceived(EntryKind.MESSAGE, "hi", "w1"), at(10), visitor))
    await world.take(replace(fact(SITE, FormSubmitted(phone=CLIENT), at(20)), sender=Sender((visitor,))))
    found = await held(world)
    assert found[f"tel:{CLIENT}"][0] != found["web:visitor-1"][0]
    assert len(await world.rows("suggestion")) == 1


async def test_only_an_own_card_ties_number_and_messenger(world: World) -> None:
    await world.take(message(7, "m1", at(0)), share(7, CLIENT, at(10), own=False))
    assert f"tel:{CLIENT}" not in await held(world)
    await world.take(share(7, CLIENT, at(20)))
    found = await held(world)
    assert found[f"tel:{CLIENT}"][0] == found["tg:7"][0]
    assert found[f"tel:{CLIENT}"][1] == "own contact card in telegram:shop"
    assert found["tg:7"][1] == "telegram"


async def test_a_card_that_names_another_user_proves_nothing(world: World) -> None:
    """A client passes a colleague's card on: it names the colleague's messenger id and number."""
    card = ContactShared("k1", "card", False, (tg(8), parse_identity(f"tel:{CLIENT}")), "Коллега")
    await world.take(message(8, "m0", at(0)), fact(SHOP, card, at(10), tg(7)))
    found = await held(world)
    assert set(found) == {"tg:7", "tg:8"}
    assert found["tg:7"][0] != found["tg:8"][0]


async def test_a_forged_mail_is_never_its_holders(world: World) -> None:
    await world.take(mail(ADDRESS, "m1", at(0)))
    claim = Identity(IdentityKind.CLAIMED, ADDRESS)
    await world.take(fact(MAIL, MessageReceived(EntryKind.EMAIL, "x", "m2"), at(10), claim))
    found = await held(world)
    assert found[f"mailto:{ADDRESS}"][0] != found[f"claimed:{ADDRESS}"][0]


async def test_what_staff_links_says_so_and_takes_from_nobody(world: World) -> None:
    await world.take(message(7, "m1", at(0)), missed("c1", CLIENT, at(1)))
    found = await held(world)

    def link(key: str) -> Any:
        wanted = (tg(7), parse_identity(key))
        return lambda desk: contacts.change(desk, found["tg:7"][0], ContactChange(identities=wanted))

    await world.store.run(link("mailto:" + ADDRESS))
    assert (await held(world))[f"mailto:{ADDRESS}"] == (found["tg:7"][0], contacts.BY_HAND)
    with pytest.raises(Duplicate):
        await world.store.run(link(f"tel:{CLIENT}"))


async def test_every_link_has_its_evidence(world: World) -> None:
    await world.take(
        message(7, "m1", at(0)),
        missed("c1", CLIENT, at(1)),
        mail(ADDRESS, "m2", at(2)),
        form(at(3), phone="+79160000009", email="x@y.example"),
        share(8, "+79160000008", at(4)),
    )
    rows = await world.rows("identity")
    assert len(rows) == 7
    assert all(row.evidence and row.created_at for row in rows)
