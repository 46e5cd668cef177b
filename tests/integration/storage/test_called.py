"""What clients are called in notices: by what people can read and use."""

from __future__ import annotations

from dataclasses import replace

from crm_core.messages import Authenticity, EntryKind, FormSubmitted, InboundEvent, MessageReceived, Trust
from crm_core.model.identity import parse_identity
from tests.integration.storage.world import MAIL, World, at, fact, message, share


def _known_as(handle: str, event: InboundEvent) -> InboundEvent:
    return replace(event, sender=replace(event.sender, handle=handle))


async def _notices(world: World) -> list[str]:
    return [row.payload["text"] for row in await world.rows("outbox", kind="notification")]


async def test_a_stranger_is_called_by_their_name_in_the_messenger(world: World) -> None:
    await world.take(_known_as("oleg", message(9000, "m1", at(0), name="Олег Белов")))
    texts = await _notices(world)
    assert texts
    assert all("Олег Белов, @oleg" in text for text in texts)


async def test_without_one_by_the_id(world: World) -> None:
    await world.take(message(9000, "m1", at(0), name="Олег Белов"))
    assert "Олег Белов, 9000" in (await _notices(world))[0]


async def test_by_the_number_where_there_is_one(world: World) -> None:
    await world.take(_known_as("oleg", share(9000, "+79161234567", at(0))))
    texts = await _notices(world)
    assert texts
    assert all("User 9000, +79161234567" in text for text in texts)


async def test_a_forger_is_not_called_as_the_one_they_pretend_to_be(world: World) -> None:
    forged = MessageReceived(EntryKind.EMAIL, "новый счёт", "m1", authenticity=Authenticity(Trust.FORGED, "spf=fail"))
    await world.take(fact(MAIL, forged, at(0), parse_identity("mailto:vera@mail.example")))
    texts = await _notices(world)
    assert texts
    assert all("назвался vera@mail.example без подтверждения" in text for text in texts)


async def test_a_form_by_mail_shows_its_subject_and_what_its_checks_said(world: World) -> None:
    form = FormSubmitted(
        phone="+79161234567", subject="Заявка № 5", authenticity=Authenticity(Trust.FORGED, "dmarc=fail")
    )
    await world.take(fact(MAIL, form, at(0)))
    row = await world.row("timeline", kind=EntryKind.FORM)
    assert row.subject == "Заявка № 5"
    assert row.authenticity == {"trust": "forged", "detail": "dmarc=fail"}
