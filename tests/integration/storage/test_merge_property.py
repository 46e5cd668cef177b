"""Whatever two contacts have been through: merging and undoing gives every row back as it was."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from crm_core.messages import EntryKind, MessageReceived, Thread
from crm_core.model.automation import ChainRunRecord, ChainState
from crm_core.model.callback import CallbackReason, CallbackState
from crm_core.model.conversation import SuggestionReason, ThreadRecord
from crm_core.model.definitions import FieldBody
from crm_core.model.definitions.fields import FieldType
from crm_core.model.exchange import DocumentRecord
from crm_core.model.identity import parse_identity
from crm_core.model.outreach import OptOutRecord
from crm_core.model.records import CallbackRecord, DeadlineKind, DeadlineRecord, DealRecord, PipelineRecord, StageRecord
from crm_core.model.selling import (
    ClientScoreRecord,
    LinkRecord,
    NeedRecord,
    PaymentKind,
    PaymentRecord,
    SaleRecord,
)
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.cards import leads
from crm_core.services.clients import contacts
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.duplicates import merging, suggestions
from crm_core.services.duplicates.suggestions import pair_of
from crm_core.services.watching import cases
from crm_core.services.watching.ladders import key
from tests.integration.storage.test_fields import declare
from tests.integration.storage.world import (
    MAIL,
    World,
    at,
    deletion,
    edit,
    fact,
    form,
    left_by_merges,
    mail,
    message,
    missed,
    share,
    talked,
)

# Every table that hangs on contacts. The feed, the journal, the outbox tell what happened, and it did.
TABLES = (
    *("contact", "identity", "lead", "deal", "contact_case", "call", "timeline", "attachment", "deadline"),
    *("callback", "dial", "suggestion", "thread", "thread_ref", "assignee_load", "listed_number"),
    *("task", "payment", "sale", "document", "opt_out", "chain_run", "client_score", "need", "link", "field_value"),
)
# When a contact was touched, and when a person was last given something: an undone merge is an act too.
PASSING = {"updated_at", "version", "last_assigned"}
PEOPLE = ("ivan", "petr")


async def live(world: World, random: Random, who: list[str], turn: int) -> None:
    """Something happens to one of the clients."""
    n = random.randrange(len(who))
    number, address, user = f"+7916300{n:04}", f"c{n}@zavod.example", 8000 + n
    when = at(turn * 60 + random.randrange(50))
    facts = {
        "message": lambda: message(user, f"m{turn}", when),
        "edit": lambda: edit(user, f"m{random.randrange(turn + 1)}", when, "иначе"),
        "deletion": lambda: deletion(user, f"m{random.randrange(turn + 1)}", when),
        "mail": lambda: mail(address, f"l{turn}", when),
        "thread": lambda: fact(
            MAIL,
            MessageReceived(EntryKind.EMAIL, "x", f"t{turn}", thread=Thread(f"<t{turn}@x>", (f"<t{turn - 1}@x>",))),
            when,
            parse_identity(f"mailto:{address}"),
        ),
        "missed": lambda: missed(f"c{turn}", number, when),
        "talked": lambda: talked(f"c{turn}", number, when),
        "form": lambda: form(when, name="Пётр Иванов", phone=number, email=f"c{random.randrange(4)}@zavod.example"),
        "card": lambda: share(user, f"+7916300{random.randrange(len(who)):04}", when, own=False),
    }
    await world.take(facts[random.choice(list(facts))]())
    for act in random.sample(
        ["promise", "take", "keep", "sell", "ring", "write", "task", "pay", "score", "chain", "link", "refuse"], 3
    ):
        await by_hand(world, random, act, turn)


async def by_hand(world: World, random: Random, act: str, turn: int) -> None:
    """Somebody of the office does something about one of them."""
    login, now = random.choice(PEOPLE), world.clock.now()
    rows = await world.rows("contact", merged_into=None)
    client = random.choice(rows).id

    def service(desk: Any) -> None:
        contact = desk.work.contact(client)
        match act:
            case "promise":
                for case in desk.work.open_cases([client]).values():
                    cases.promise(desk, case.id, login, now + timedelta(hours=1))
            case "take":
                for lead in desk.work.open_leads([client]).values():
                    if lead.taken_at is None:
                        leads.take(desk, lead.id, login)
            case "keep":
                change = ContactChange(
                    company=random.choice(["Завод", None]), tags=[f"t{turn}"], fields={f"f{turn % 3}": turn}
                )
                contacts.change(desk, client, change)
            case "sell":
                stage = desk.work.everything(StageRecord)
                if not stage:
                    pipeline = PipelineRecord(desk.work.next_id(), "Продажи")
                    stage = [StageRecord(desk.work.next_id(), pipeline.id, "Первый", 0)]
                    desk.work.put(pipeline)
                    desk.work.put(stage[0])
                deal = DealRecord(
                    desk.work.next_id(), client, stage[0].pipeline_id, stage[0].id, f"сделка {turn}", now, now, now
                )
                desk.work.put(deal)
            case "ring" if client not in desk.work.active_callbacks([client]):
                desk.work.put(
                    CallbackRecord(
                        desk.work.next_id(), client, "+79163000000", CallbackReason.ORDERED, CallbackState.WAITING,
                        now + timedelta(hours=2), now, login,
                    )
                )  # fmt: skip
            case "write":
                desk.work.put(ThreadRecord(desk.work.next_id(), "email", "sales", contact.id, f"тема {turn}", now))
            case _:
                office_act(desk, random, act, turn, client)

    await world.store.run(service)


def office_act(desk: Any, random: Random, act: str, turn: int, client: int) -> None:
    """What the selling office does with a client."""
    work, now = desk.work, desk.now
    match act:
        case "task":
            work.put(TaskRecord(work.next_id(), "позвонить", TaskState.OPEN, now, now, "ivan", contact_id=client))
        case "pay":
            deals = work.related(DealRecord, "contact_id", [client])
            if deals:
                kind = PaymentKind.RECEIVED
                work.put(PaymentRecord(work.next_id(), deals[0].id, client, kind, 100, "RUB", now, "ivan", at=now))
            work.put(SaleRecord(work.next_id(), f"1c:{turn}", client, None, None, "окно", 1000, 500, "RUB", now, now))
        case "score":
            work.related(ClientScoreRecord, "contact_id", [client])
            if work.peek(ClientScoreRecord, client) is None:
                work.put(ClientScoreRecord(client, "постоянный", turn, 100, now, abc="A"))
                work.put(NeedRecord(work.next_id(), client, None, f"окно {turn}", 1000, 30, "2026-05-01", 50, now))
        case "chain":
            known = work.related(ChainRunRecord, "contact_id", [client])
            chain = f"прогрев {turn % 2}"
            if not any(each.chain == chain and each.state is ChainState.RUNNING for each in known):
                ident, at = work.next_id(), now + timedelta(days=1)
                work.put(ChainRunRecord(ident, chain, client, None, ChainState.RUNNING, 1, now, at))
                work.put(DeadlineRecord(key(DeadlineKind.CHAIN, ident), DeadlineKind.CHAIN, ident, at))
        case "link":
            other = random.choice([*work.related(DealRecord, "contact_id", [client]), None][:1])
            end_kind, end = ("deal", other.id) if other is not None else ("product", 5)
            if not any((each.to_kind, each.to_id) == (end_kind, end) for each in work.links_of(["contact"], client)):
                work.put(LinkRecord(work.next_id(), "contact", client, end_kind, end, "ЛПР", now, "ivan"))
        case _:
            ident = work.next_id()
            work.put(OptOutRecord(f"mailto:{ident}@x.example", client, now, "form"))
            work.put(
                DocumentRecord(
                    ident, "счёт", turn * 1000 + ident % 1000, "Счёт", now, "ivan", "a.pdf", "x", 1, "0", client
                )
            )


def join(one: int, other: int) -> Any:
    def service(desk: Any) -> None:
        found = desk.work.contacts([one, other])
        merging.merge(desk, found[one], found[other], "by hand", "ivan")

    return service


@pytest.mark.parametrize("seed", range(4))
async def test_merging_and_undoing_gives_every_row_back(world: World, seed: int) -> None:
    random = Random(seed)
    await declare(
        world,
        FieldBody(of="contact", key="f0", title="Первое", type=FieldType.NUMBER, indexed=True),
        FieldBody(of="contact", key="f1", title="Второе", type=FieldType.NUMBER, unique=True),
    )
    for turn in range(20):
        await live(world, random, ["a", "b", "c", "d"], turn)
    ids = [row.id for row in await world.rows("contact", merged_into=None)]
    extra = random.sample(ids, 2)
    await world.store.run(lambda desk: suggestions.suggest(desk, *pair_of(*extra), SuggestionReason.CARD, 35, "похожи"))
    chain = random.sample(ids, min(3, len(ids)))
    states = [await left_by_merges(world, TABLES, PASSING)]
    for other in chain[1:]:
        await world.store.run(join(chain[0], other))
        world.clock.advance(60)
        states.append(await left_by_merges(world, TABLES, PASSING))
        held = {row.contact_id for row in await world.rows("identity")}
        assert other not in held
    for expected in reversed(states[:-1]):
        await world.store.run(lambda desk: merging.unmerge(desk, chain[0], "ivan"))
        world.clock.advance(60)
        found = await left_by_merges(world, TABLES, PASSING)
        for name in TABLES:
            assert found[name] == expected[name], (seed, name)


async def test_what_was_changed_since_a_merge_is_not_taken_back_with_it(world: World) -> None:
    await world.take(message(7, "m1", at(0), name="Анна"), missed("c1", "+79161234567", at(1)))
    one, two = (row.id for row in await world.rows("contact"))
    await world.store.run(lambda desk: contacts.change(desk, two, ContactChange(company="Ромашка", fields={"a": 1})))
    await world.store.run(join(one, two))
    merged = await world.row("contact", id=one)
    assert (merged.company, merged.fields) == ("Ромашка", {"a": 1})
    change = ContactChange(manager="petr", fields={"b": 2}, name="Анна Иванова")
    await world.store.run(lambda desk: contacts.change(desk, one, change))
    await world.take(form(at(100), phone="+79161234567", email="new@b.example"), message(7, "m2", at(110)))
    await world.store.run(lambda desk: merging.unmerge(desk, one, "ivan"))
    parted = await world.row("contact", id=one)
    assert (parted.company, parted.fields, parted.manager, parted.name) == (None, {"b": 2}, "petr", "Анна Иванова")
    assert "new@b.example" in parted.search
    given_back = await world.row("contact", id=two)
    assert (given_back.company, given_back.fields, given_back.merged_into) == ("Ромашка", {"a": 1}, None)


async def test_whoever_is_merged_with_a_listed_client_is_listed_until_it_is_undone(world: World) -> None:
    await world.take(message(7, "m1", at(0)), missed("c1", "+79161234567", at(1)))
    one, two = (row.id for row in await world.rows("contact"))
    await world.store.run(lambda desk: contacts.change(desk, two, ContactChange(list_name="чёрный список")))
    await world.store.run(join(one, two))
    assert (await world.row("contact", id=one)).list_name == "чёрный список"
    await world.store.run(lambda desk: merging.unmerge(desk, one, "ivan"))
    assert (await world.row("contact", id=one)).list_name is None
    assert (await world.row("contact", id=two)).list_name == "чёрный список"
