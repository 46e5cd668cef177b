"""Threads of mail: joined by ids and tokens, never by subjects alone; one a subject, whatever order mails come in."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from crm_core.errors import InvalidInput
from crm_core.messages import (
    Authenticity,
    Delivery,
    DeliveryChanged,
    EntryKind,
    InboundEvent,
    MessageReceived,
    MessageSent,
    Thread,
    Trust,
)
from crm_core.model.case import CaseState
from crm_core.model.identity import parse_identity
from crm_core.model.records import EntryRecord, OutboxKind
from crm_core.services.clients import contacts
from crm_core.services.duplicates import merging
from crm_core.services.letters import replies
from crm_core.services.letters.threads import topmost
from crm_core.storage.work import SqlWork
from tests.integration.storage.world import MAIL, World, at, fact

ANNA, BORIS = "anna@b.example", "boris@b.example"


def letter(
    ref: str,
    when: Any,
    *answers: str,
    subject: str = "Цена",
    address: str = ANNA,
    token: int | None = None,
    trust: Trust | None = None,
    conversation: str = "",
) -> InboundEvent:
    """A mail that answers others."""
    payload = MessageReceived(
        EntryKind.EMAIL,
        f"text of {ref}",
        ref,
        subject=subject,
        thread=Thread(ref, answers, token, subject),
        authenticity=Authenticity(trust) if trust is not None else None,
    )
    return fact(MAIL, payload, when, parse_identity(f"mailto:{address}"), conversation=conversation)


async def topics(world: World) -> dict[str, int]:
    """The thread of each mail, those begun twice as one."""
    rows = [row for row in await world.rows("timeline") if row.thread_id is not None]
    tops = await world.store.run(lambda desk: {row.thread_id: topmost(desk, row.thread_id).id for row in rows})
    return {row.ref.partition("::")[2]: tops[row.thread_id] for row in rows}


async def grouped(world: World) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for ref, top in (await topics(world)).items():
        found.setdefault(top, set()).add(ref)
    return {frozenset(each) for each in found.values()}


async def managed(world: World, address: str, login: str) -> int:
    holder = int((await world.row("identity", key=f"mailto:{address}")).contact_id)
    await world.store.run(lambda desk: contacts.change(desk, holder, contacts.ContactChange(manager=login)))
    return holder


async def answer(world: World, address: str = ANNA, **more: Any) -> tuple[EntryRecord, dict[str, Any]]:
    holder = (await world.row("identity", key=f"mailto:{address}")).contact_id
    entry = await world.store.run(
        lambda desk: replies.reply(
            desk, holder, "ivan", channel="email", account=more.pop("account", None), text="да", **more
        )
    )
    queued = await world.row("outbox", kind=OutboxKind.MESSAGE, entry_id=entry.id)
    return entry, queued.payload


# A chain whose middle is known only from its ends, a side topic that comes back, a second chain joined late.
CHAIN = [
    letter("<a>", at(0)),
    letter("<b>", at(10), "<a>", subject="Re: Цена"),
    letter("<c>", at(20), "<b>", subject="RE: цена "),
    letter("<d>", at(30), "<c>", "<b>", subject="Доставка"),
]
BACK = [
    letter("<a>", at(0)),
    letter("<d>", at(10), "<a>", subject="Доставка"),
    letter("<e>", at(20), "<d>", "<a>", subject="Цена"),
    letter("<f>", at(30), "<e>", subject="Доставка"),
]


@pytest.mark.parametrize("order", list(permutations(range(4))))
@pytest.mark.parametrize(
    ("mails", "expected"),
    [
        (CHAIN, {frozenset({"<a>", "<b>", "<c>"}), frozenset({"<d>"})}),
        (BACK, {frozenset({"<a>", "<e>"}), frozenset({"<d>", "<f>"})}),
    ],
    ids=["chain", "back"],
)
async def test_threads_are_the_same_in_any_order(
    sqlite_world: World, mails: list[InboundEvent], expected: set[frozenset[str]], order: tuple[int, ...]
) -> None:
    for index in order:
        await sqlite_world.take(mails[index])
    assert await grouped(sqlite_world) == expected


async def test_threads_are_the_same_in_one_batch(world: World) -> None:
    await world.take(*reversed(CHAIN))
    assert await grouped(world) == {frozenset({"<a>", "<b>", "<c>"}), frozenset({"<d>"})}


async def test_two_threads_that_turn_out_to_be_one(world: World) -> None:
    await world.take(letter("<a>", at(0)))
    await world.take(letter("<c>", at(20), "<b>"))
    assert len(await grouped(world)) == 2
    await world.take(letter("<b>", at(10), "<a>"))
    assert await grouped(world) == {frozenset({"<a>", "<b>", "<c>"})}


async def test_an_equal_subject_joins_nothing(world: World) -> None:
    await world.take(letter("<a>", at(0)), letter("<b>", at(10)))
    assert len(await grouped(world)) == 2


async def test_a_new_topic_knows_what_it_grew_out_of(world: World) -> None:
    await world.take(letter("<a>", at(0)), letter("<b>", at(10), "<a>", subject="Договор"))
    first, second = await world.rows("thread")
    assert (first.subject, second.subject, second.parent_id) == ("Цена", "Договор", first.id)


async def test_a_mail_without_a_subject_is_of_the_thread_it_answers(world: World) -> None:
    await world.take(letter("<a>", at(0)), letter("<b>", at(10), "<a>", subject=""))
    assert len(await world.rows("thread")) == 1


async def test_a_token_joins_where_no_id_does(world: World) -> None:
    await world.take(letter("<a>", at(0)))
    (thread,) = await world.rows("thread")
    await world.take(letter("<b>", at(10), "<unknown>", token=thread.id, address=BORIS))
    await world.take(letter("<c>", at(20), token=thread.id + 1_000_000))
    assert await grouped(world) == {frozenset({"<a>", "<b>"}), frozenset({"<c>"})}


async def test_one_mail_in_two_conversations_is_one(world: World) -> None:
    await world.take(letter("<a>", at(0)), letter("<a>", at(0), conversation="other@b.example"))
    assert len([row for row in await world.rows("timeline") if row.kind == "email"]) == 1


# ---------------------------------------------------------------- guests


async def test_a_guest_in_a_thread_is_no_lead_and_waits_for_its_manager(world: World) -> None:
    await world.take(letter("<a>", at(0)))
    await managed(world, ANNA, "petr")
    await world.take(letter("<b>", at(60), "<a>", address=BORIS))
    guest = await world.row("identity", key=f"mailto:{BORIS}")
    entry = await world.row("timeline", ref="email:sales::<b>")
    assert entry.contact_id == guest.contact_id
    assert [lead.contact_id for lead in await world.rows("lead")] != [guest.contact_id]
    assert await world.rows("lead", contact_id=guest.contact_id) == []
    case = await world.row("contact_case", contact_id=guest.contact_id)
    assert (case.state, case.manager) == (CaseState.OPEN, "petr")
    await world.take(letter("<z>", at(90), address=BORIS, subject="Другое"))
    assert len(await world.rows("lead", contact_id=guest.contact_id)) == 1, "a thread of their own is an enquiry"


async def test_a_forger_in_a_thread_is_nobodys_guest(world: World) -> None:
    await world.take(letter("<a>", at(0)))
    await managed(world, ANNA, "petr")
    await world.take(letter("<b>", at(60), "<a>", trust=Trust.FORGED))
    forger = await world.row("identity", key=f"claimed:{ANNA}")
    assert (await world.row("contact_case", contact_id=forger.contact_id)).manager != "petr"
    assert (await world.row("thread")).contact_id != forger.contact_id


# ---------------------------------------------------------------- ours


async def test_our_answer_names_what_came_before_and_is_found_by_its_key(world: World) -> None:
    await world.take(letter("<a>", at(0)), letter("<b>", at(10), "<a>"))
    world.clock.set(at(60))
    first, payload = await answer(world)
    (thread,) = await world.rows("thread")
    assert (payload["reply_to"], payload["references"], payload["thread"]) == ("<b>", ["<a>", "<b>"], thread.id)
    assert first.ref == f"email:sales::message:{first.id}"
    # the answer comes before anybody noted that ours was sent
    await world.take(letter("<c>", at(70), f"message:{first.id}", "<hub.x@example.org>", address=BORIS))
    assert len(await world.rows("thread")) == 1
    await world.store.run(lambda desk: replies.sent(desk, first.id, ["<hub.x@example.org>"]))
    await world.take(letter("<d>", at(80), "<hub.x@example.org>"))
    assert len(await world.rows("thread")) == 1
    world.clock.set(at(90))
    _, payload = await answer(world)
    assert payload["references"] == ["<a>", "<b>", "<hub.x@example.org>", "<c>", "<d>"]
    assert payload["subject"] == "Re: Цена"


async def test_under_another_subject_we_begin_a_topic_too(world: World) -> None:
    await world.take(letter("<a>", at(0)))
    entry, payload = await answer(world, subject="Счёт")
    first, second = await world.rows("thread")
    assert (second.subject, second.parent_id, payload["thread"]) == ("Счёт", first.id, second.id)
    await world.take(letter("<b>", at(60), f"message:{entry.id}", "<a>", subject="Re: Счёт"))
    assert (await topics(world))["<b>"] == second.id


async def test_whom_we_write_to_first_answers_in_our_thread(world: World) -> None:
    await world.store.run(
        lambda desk: contacts.create(desk, contacts.ContactChange(identities=[parse_identity(f"mailto:{ANNA}")]))
    )
    entry, payload = await answer(world, account="sales", subject="Предложение")
    assert (payload["reply_to"], payload["references"]) == (None, [])
    await world.take(letter("<a>", at(60), f"message:{entry.id}", subject="Предложение"))
    assert len(await world.rows("thread")) == 1


async def test_a_bounce_names_the_mail_that_failed(world: World) -> None:
    await world.take(letter("<a>", at(0)))
    entry, _ = await answer(world)
    bounced = DeliveryChanged(
        Delivery.FAILED, (f"message:{entry.id}", "<hub.x@example.org>"), detail="550 no such user"
    )
    await world.store.run(lambda desk: replies.sent(desk, entry.id, ["<hub.x@example.org>"]))
    assert (await world.row("contact_case")).state is CaseState.CLOSED
    await world.take(fact(MAIL, bounced, at(90), conversation="mailer-daemon@b.example"))
    row = await world.row("timeline", id=entry.id)
    assert (row.delivery, row.delivery_error, row.signal) == ("failed", "550 no such user", None)
    assert (await world.row("contact_case")).state is CaseState.OPEN


async def test_what_a_person_wrote_in_their_mail_program_joins_the_thread(world: World) -> None:
    await world.take(letter("<a>", at(0)))
    mail = MessageSent(
        EntryKind.EMAIL,
        "да",
        "<s>",
        author=parse_identity("mailto:dir@example.org"),
        thread=Thread("<s>", ("<a>",), None, "Цена"),
    )
    await world.take(fact(MAIL, mail, at(60), parse_identity(f"mailto:{ANNA}")))
    entry = await world.row("timeline", ref="email:sales::<s>")
    assert (entry.author, entry.direction, entry.subject) == ("dir", "out", "Цена")
    assert len(await world.rows("thread")) == 1
    assert (await world.row("contact_case")).state is CaseState.CLOSED


async def test_threads_go_with_a_merge_and_come_back(world: World) -> None:
    await world.take(letter("<a>", at(0)), letter("<b>", at(10), address=BORIS))
    one = (await world.row("identity", key=f"mailto:{ANNA}")).contact_id
    two = (await world.row("identity", key=f"mailto:{BORIS}")).contact_id

    def join(desk: Any) -> None:
        found = desk.work.contacts([one, two])
        merging.merge(desk, found[one], found[two], "by hand", "ivan")

    before = [tuple(row) for row in await world.rows("thread")]
    await world.store.run(join)
    assert {row.contact_id for row in await world.rows("thread")} == {one}
    await world.take(letter("<c>", at(60), "<b>", address=BORIS))
    await world.store.run(lambda desk: merging.unmerge(desk, one, "ivan"))
    assert [tuple(row) for row in await world.rows("thread")] == before


async def test_two_answers_at_once_make_one_thread(world: World, second: World) -> None:
    await world.take(letter("<a>", at(0)))
    await world.take(letter("<b>", at(10), "<x>", "<a>"))
    await second.take(letter("<c>", at(11), "<x>", address=BORIS))
    assert len(await grouped(world)) == 1


async def test_who_answers_and_whose_mail_comes_do_not_wait_for_each_other(world: World) -> None:
    """The client is locked before the thread, on either way: another order ends in a deadlock on PostgreSQL."""
    await world.take(letter("<a>", at(0)))
    locked: list[str] = []
    lock, family = SqlWork.contacts, SqlWork.threads

    def contacts_locked(work: SqlWork, ids: Any) -> Any:
        listed = list(ids)
        locked.extend(["contact"] if listed else [])
        return lock(work, listed)

    def threads_locked(work: SqlWork, keys: Any, ids: Any) -> Any:
        locked.append("thread")
        return family(work, keys, ids)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlWork, "contacts", contacts_locked)
        patch.setattr(SqlWork, "threads", threads_locked)
        await answer(world)
        by_answer, locked[:] = list(dict.fromkeys(locked)), []
        await world.take(letter("<b>", at(10), "<a>", address=BORIS))
        by_mail = list(dict.fromkeys(locked))
    assert by_answer == by_mail == ["contact", "thread"]


async def test_a_thread_may_be_named_to_answer_in(world: World) -> None:
    await world.take(letter("<a>", at(0)), letter("<b>", at(10), subject="Другое"))
    first, _ = await world.rows("thread")
    _, payload = await answer(world, thread_id=first.id)
    assert (payload["thread"], payload["reply_to"], payload["subject"]) == (first.id, "<a>", "Re: Цена")
    with pytest.raises(InvalidInput):
        await answer(world, thread_id=first.id + 999)
