"""Every act of a person asks for its right in the service that does it, whatever door it came through: each act by each
role, by somebody dismissed, by somebody who lacks that one right and by the hub itself, against the one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from crm_core.errors import CoreError, Forbidden
from crm_core.messages import Utm
from crm_core.model.access import Access
from crm_core.model.callback import DialPurpose
from crm_core.model.definitions import Body, DocumentBody, PipelineSettings, Section
from crm_core.model.importing import How, ImportKind, Plan
from crm_core.model.records import ContactRecord, DealRecord
from crm_core.model.rights import TABLE, Reach, Right
from crm_core.model.selling import PaymentKind
from crm_core.model.user import Role, User
from crm_core.services import defining, subscriptions, taking_away
from crm_core.services.acts import (
    conversion,
    deals,
    dial_lists,
    handing_over,
    lead_cards,
    list_import,
    listing,
    new_clients,
    pipeline_keeping,
    rejections,
    removing,
    ringing_back,
    ways,
)
from crm_core.services.acts.conversion import Conversion
from crm_core.services.acts.deals import DealChange
from crm_core.services.acts.lead_cards import LeadChange
from crm_core.services.acts.pipeline_keeping import NewStage, PipelineChange, StageChange
from crm_core.services.calls import dials
from crm_core.services.cards import leads
from crm_core.services.cards.tunnels import Along
from crm_core.services.clients import companies, contacts, links
from crm_core.services.clients.companies import CompanyChange
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.configuration import Configuration, applied
from crm_core.services.configuration.reading import WantedPipeline
from crm_core.services.desk import Desk
from crm_core.services.duplicates import deciding, merging, suggestions
from crm_core.services.importing import runs
from crm_core.services.intake import replaying
from crm_core.services.letters import (
    broadcasts,
    chaining,
    documents,
    notes,
    opting_out,
    reckoning,
    replies,
    scheduling,
)
from crm_core.services.letters.broadcasts import NewBroadcast
from crm_core.services.letters.documents import Made, Prepared
from crm_core.services.money import items, payments, products, sales_data
from crm_core.services.money.payments import NewPayment, PaymentChange
from crm_core.services.money.products import ProductChange
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask, TaskChange
from crm_core.services.watching import callbacks, cases
from crm_core.storage import entering, persons, sessions, tokens, users
from crm_core.storage.exporting import Taker
from crm_core.storage.scoring import run_scores
from crm_core.storage.users import NewUser, UserChange
from tests.fakes.clock import START
from tests.integration.storage.world import World

Act = Callable[[Desk], Any]

# What is not there: whoever may act is told so, whoever may not learns not even that.
NOBODY = 999_999_999
BLACK = "чёрный список"
TODAY = date(2026, 3, 2)
PLAN = Plan(ImportKind.CONTACTS, (), "1c")
SELLING = WantedPipeline("Продажа", "deal", PipelineSettings(), ())
OTHER = User(NOBODY, "petr", "Petr", Role.MANAGER)
CLIENT = ContactRecord(NOBODY, "Анна", START, START, "анна", merged_into=1)
PAID = NewPayment(PaymentKind.RECEIVED, 1, "RUB")
PREPARED = Prepared("КП", DocumentBody(html="КП"), 7, "КП", "КП.pdf", {}, "Europe/Moscow", "ru", None, None)


def _acting(desk: Desk) -> User:
    """Whoever acts, whose telephone rings."""
    return desk.access.user if desk.access is not None else OTHER


def _taking(desk: Desk, right: Right) -> Taker | None:
    """Who takes records away; the hub itself, of the command line, is nobody."""
    return Taker.of(desk.access, right) if desk.access is not None else None


def _hidden(desk: Desk) -> WantedPipeline:
    """A pipeline that is not there yet, whose cards managers don't all see."""
    name = f"Продажа {desk.work.next_id()}"
    return WantedPipeline(name, "deal", PipelineSettings(reach={Role.MANAGER: Reach.OWN}), ())


def _there(desk: Desk, made: Callable[[], int]) -> int:
    """What somebody acts on, made by the hub itself."""
    access, desk.access = desk.access, None
    try:
        return made()
    finally:
        desk.access = access


def _client(desk: Desk) -> int:
    return _there(desk, lambda: contacts.create(desk, ContactChange(name="Анна"))[0].id)


def _deal(desk: Desk) -> int:
    return _there(desk, lambda: deals.create(desk, "ivan", DealChange(title="Окна"), None, None).deal.id)


def _product(desk: Desk) -> int:
    return _there(desk, lambda: products.create(desk, ProductChange(name="Окно")).id)


def _payment(desk: Desk) -> int:
    deal = _deal(desk)
    return _there(desk, lambda: payments.record(desk, deal, "ivan", PAID).id)


def _put_on_a_list(desk: Desk) -> None:
    """By correcting the contact, as anybody may correct it otherwise."""
    client = _client(desk)
    contacts.change(desk, client, ContactChange(name="Анна", list_name=None))
    contacts.change(desk, client, ContactChange(list_name=BLACK))


KEPT_BY = {
    Section.TEMPLATE: Right.BROADCAST,
    Section.SEGMENT: Right.BROADCAST,
    Section.MAPPING: Right.IMPORT,
    Section.ROLE: Right.KEEP_STAFF,
    Section.ACCOUNT: Right.CONFIGURE_CHANNELS,
}
"""What whoever keeps a section needs, where it is not the right to configure."""

ACTS: Mapping[Right, Mapping[str, Act]] = {
    Right.KEEP_CLIENTS: {
        "enter a client": lambda desk: new_clients.enter(desk, new_clients.NewClient(ways=["?"])),
        "make a contact": lambda desk: contacts.create(desk, ContactChange(name="Анна")),
        "correct a contact": lambda desk: contacts.change(desk, NOBODY, ContactChange(name="Анна")),
        "make a company": lambda desk: companies.create(desk, CompanyChange(name="Ромашка")),
        "correct a company": lambda desk: companies.change(desk, NOBODY, CompanyChange(name="Ромашка")),
        "add a way": lambda desk: ways.add_way(desk, NOBODY, "+79161234567"),
        "take a way": lambda desk: ways.take_way(desk, NOBODY, "tel:+79161234567"),
        "reply": lambda desk: replies.reply(desk, NOBODY, "ivan", channel="telegram", account=None, text="Да"),
        "leave a note": lambda desk: notes.note(desk, NOBODY, "ivan", "Да"),
        "take a message back": lambda desk: scheduling.withdraw(desk, NOBODY),
        "opt a client out": lambda desk: opting_out.opt_out(desk, NOBODY, opting_out.BY_HAND, "ivan"),
        "opt a client in": lambda desk: opting_out.opt_in(desk, NOBODY, "ivan"),
        "accept a suggestion": lambda desk: deciding.accept(desk, NOBODY, "ivan"),
        "dismiss a suggestion": lambda desk: suggestions.dismiss(desk, NOBODY, "ivan"),
        "merge two clients": lambda desk: merging.merge(desk, CLIENT, CLIENT, "", "ivan"),
        "part merged clients": lambda desk: merging.unmerge(desk, NOBODY, "ivan"),
        "link a client": lambda desk: links.link(desk, ("contact", NOBODY), ("deal", NOBODY), "", "ivan"),
        "link a company": lambda desk: links.link(desk, ("company", NOBODY), ("deal", NOBODY), "", "ivan"),
    },
    Right.KEEP_SALES: {
        "open a deal": lambda desk: deals.create(desk, "ivan", DealChange(title="Окна"), None, None),
        "correct a deal": lambda desk: deals.change(desk, NOBODY, DealChange(title="Окна")),
        "move a deal": lambda desk: deals.move(desk, NOBODY, "Договор"),
        "copy a deal": lambda desk: deals.copy(desk, NOBODY, None, None, Along()),
        "move a deal over": lambda desk: deals.transfer(desk, NOBODY, "Рассрочки", None),
        "tick off a checklist": lambda desk: deals.tick(desk, NOBODY, 1, "ivan", done=True),
        "give a deal its lines": lambda desk: items.put_items(desk, NOBODY, []),
        "note a payment": lambda desk: payments.record(desk, NOBODY, "ivan", PAID),
        "correct a payment": lambda desk: payments.correct(desk, NOBODY, PaymentChange(amount=1)),
        "plan payments": lambda desk: payments.plan(desk, NOBODY, "ivan", []),
        "plan payments by months": lambda desk: payments.monthly_plan(desk, NOBODY, "ivan", 2, TODAY),
        "add a product": lambda desk: products.create(desk, ProductChange(name="Окно")),
        "change a product": lambda desk: products.change(desk, NOBODY, ProductChange(name="Окно")),
        "open a lead": lambda desk: lead_cards.create(desk, "ivan", NOBODY, LeadChange(), Utm()),
        "correct a lead": lambda desk: lead_cards.change(desk, NOBODY, "ivan", LeadChange(title="Окна")),
        "give a lead": lambda desk: lead_cards.give(desk, NOBODY, "head", "ivan"),
        "take a lead": lambda desk: leads.take(desk, NOBODY, "ivan"),
        "reject a lead": lambda desk: leads.reject(desk, NOBODY, "ivan", "спам"),
        "make a deal of a lead": lambda desk: conversion.convert(desk, NOBODY, "ivan", Conversion()),
        "give a task": lambda desk: tasks.make(desk, NewTask("Позвонить")),
        "change a task": lambda desk: tasks.change(desk, NOBODY, TaskChange(title="Позвонить")),
        "close a task": lambda desk: tasks.close(desk, NOBODY, "ivan", "позвонил"),
        "cancel a task": lambda desk: tasks.cancel(desk, NOBODY, "ivan", "не нужно"),
        "reopen a task": lambda desk: tasks.reopen(desk, NOBODY, "ivan"),
        "keep a document": lambda desk: documents.keep(desk, PREPARED, Made("0" * 64, 1), "ivan", None),
        "link a deal": lambda desk: links.link(desk, ("deal", NOBODY), ("contact", NOBODY), "", "ivan"),
        "take a link away": lambda desk: links.unlink(desk, NOBODY),
        "say what came of a call": lambda desk: dial_lists.result(desk, NOBODY, stage="Договор"),
        "stop a chain": lambda desk: chaining.stop(desk, NOBODY, None, "user:ivan"),
    },
    Right.SETTLE_CASES: {
        "take a case": lambda desk: cases.take_case(desk, NOBODY, "ivan"),
        "give a case": lambda desk: cases.give_case(desk, NOBODY, "head", "ivan"),
        "promise to answer": lambda desk: cases.promise(desk, NOBODY, "ivan", desk.now + timedelta(hours=1)),
        "close a case": lambda desk: cases.close_by_hand(desk, NOBODY, "ivan", "спам"),
    },
    Right.KEEP_LISTS: {
        "list who called": lambda desk: listing.list_call(desk, NOBODY, BLACK, "спам", "ivan"),
        "list who waits": lambda desk: listing.list_case(desk, NOBODY, BLACK, "спам", "ivan"),
        "list a client": lambda desk: listing.list_contact(desk, NOBODY, BLACK, "спам", "ivan"),
        "unlist who called": lambda desk: listing.unlist_call(desk, NOBODY, "ivan"),
        "unlist who waits": lambda desk: listing.unlist_case(desk, NOBODY, "ivan"),
        "unlist a client": lambda desk: listing.unlist_contact(desk, NOBODY, "ivan"),
        "list a number": lambda desk: contacts.put_on_list(desk, BLACK, "+79161234567", "спам", "ivan"),
        "unlist a number": lambda desk: contacts.take_off_list(desk, BLACK, "+79161234567"),
        "list the numbers of a file": lambda desk: list_import.write_list(desk, BLACK, [], "ivan"),
        "make a contact of a list": lambda desk: contacts.create(desk, ContactChange(name="Анна", list_name=BLACK)),
        "put a contact on a list": _put_on_a_list,
    },
    Right.PLACE_CALLS: {
        "find whom a deal is with, to call them": lambda desk: dials.client_of(desk, DealRecord, NOBODY),
        "call a client": lambda desk: dials.place(desk, CLIENT, _acting(desk), DialPurpose.CLICK, author="ivan"),
        "ask for the next one of a list": lambda desk: dial_lists.next_call(desk, NOBODY, "ivan"),
        "have a client rung back": lambda desk: ringing_back.order(desk, "ivan", contact_id=NOBODY),
        "have a client not rung back": lambda desk: callbacks.cancel(desk, NOBODY, "ivan", "передумал"),
    },
    Right.RING_OTHERS: {
        "call by another's telephone": lambda desk: dials.place(desk, CLIENT, OTHER, DialPurpose.CLICK, author="ivan"),
    },
    Right.BROADCAST: {
        "draft a mailing": lambda desk: broadcasts.draft(desk, NewBroadcast("Весна", "все", text="Да"), "ivan"),
        "change a mailing": lambda desk: broadcasts.change(desk, NOBODY, name="Лето"),
        "start a mailing": lambda desk: broadcasts.start(desk, NOBODY),
        "pause a mailing": lambda desk: broadcasts.pause(desk, NOBODY),
        "go on with a mailing": lambda desk: broadcasts.resume(desk, NOBODY),
        "end a mailing": lambda desk: broadcasts.cancel(desk, NOBODY),
        "send a mailing again": lambda desk: broadcasts.resend(desk, NOBODY),
        "send a sample": lambda desk: reckoning.send_sample(desk, NOBODY, "ivan", "1"),
        "fill a dial list": lambda desk: dial_lists.fill(desk, NOBODY, [NOBODY]),
    },
    Right.KEEP_JOURNAL: {
        "read a fact again": lambda desk: replaying.to_be_read_again(desk, NOBODY),
    },
    Right.EXCHANGE: {
        "take sales in": lambda desk: sales_data.take_sales(desk, "1c", []),
        "take payments in": lambda desk: sales_data.take_payments(desk, "1c", "ivan", []),
        "take products in": lambda desk: sales_data.take_products(desk, "1c", []),
    },
    Right.IMPORT: {
        "begin an import": lambda desk: runs.begin(desk, ImportKind.CONTACTS, "a.csv", "0" * 64, PLAN, How("ivan"), 1),
        "stop an import": lambda desk: runs.cancel(desk, NOBODY),
        "take lines of an import away": lambda desk: taking_away.take_lines(desk, NOBODY, 1),
    },
    Right.EXPORT: {
        "take a view away": lambda desk: taking_away.take_view(desk, "large-deals", 1, figures=False),
        "take figures of a view away": lambda desk: taking_away.take_view(desk, "load", 1, figures=True),
        "take the base away": lambda desk: _taking(desk, Right.EXPORT),
    },
    Right.EXPORT_AUDIENCE: {
        "take an audience away": lambda desk: _taking(desk, Right.EXPORT_AUDIENCE),
    },
    Right.ERASE: {
        "count what is known of a person": lambda desk: persons.count(desk, NOBODY),
        "erase a person": lambda desk: persons.take_out(desk, NOBODY, login="ivan", remote=""),
        "give what is known of a person": lambda desk: persons.give(desk, NOBODY, login="ivan", remote=""),
    },
    Right.CONFIGURE: {
        "send a delivery again": lambda desk: subscriptions.replay(desk, [NOBODY]),
    },
    Right.KEEP_TOKENS: {
        "make a token": lambda desk: tokens.add_token(desk, "ivan", f"{desk.work.next_id():064}"),
        "revoke a token": lambda desk: tokens.revoke_token(desk, NOBODY),
    },
    Right.KEEP_PIPELINES: {
        "add a pipeline": lambda desk: pipeline_keeping.create_pipeline(desk, "Продажа", []),
        "change a pipeline": lambda desk: pipeline_keeping.change_pipeline(desk, NOBODY, PipelineChange()),
        "add a stage": lambda desk: pipeline_keeping.add_stage(desk, NOBODY, NewStage("Замер")),
        "change a stage": lambda desk: pipeline_keeping.change_stage(desk, NOBODY, NOBODY, StageChange()),
        "close a stage": lambda desk: pipeline_keeping.close_stage(desk, NOBODY, NOBODY, None, 0),
        "apply a preset": lambda desk: applied(desk, Configuration(pipelines=(SELLING,)), "ivan"),
    },
    Right.KEEP_STAFF: {
        "hire somebody": lambda desk: users.add_user(desk, NewUser("anna", "Anna", Role.MANAGER)),
        "change somebody": lambda desk: users.update_user(desk, "ivan", UserChange(role=Role.ADMIN)),
        "dismiss somebody": lambda desk: users.disable_user(desk, "ivan"),
        "take somebody's second factor off": lambda desk: entering.take_factor(desk, "ivan"),
        "sign somebody out": lambda desk: entering.sign_out_everywhere(desk, "ivan"),
        "end somebody's session": lambda desk: sessions.end_session(desk, "ivan", NOBODY),
        "end somebody's sessions": lambda desk: sessions.end_sessions(desk, "ivan"),
        "say whose cards of a new pipeline a role sees": lambda desk: pipeline_keeping.create_pipeline(
            desk, _hidden(desk).name, [], _hidden(desk).settings
        ),
        "say whose cards a role sees": lambda desk: applied(desk, Configuration(pipelines=(_hidden(desk),)), "ivan"),
    },
    Right.DELETE: {
        "delete a client": lambda desk: removing.remove(desk, "contact", _client(desk)),
        "bring a client back": lambda desk: removing.bring_back(desk, "contact", _client(desk)),
        "delete a deal": lambda desk: deals.put_away(desk, _deal(desk)),
        "delete a product": lambda desk: products.delete(desk, _product(desk)),
        "take a payment back": lambda desk: payments.delete(desk, _payment(desk)),
    },
    Right.HAND_OVER: {
        "hand over": lambda desk: handing_over.begin(desk, "ivan", ["petr"]),
    },
    Right.SEE_ALARMS: {
        "confirm a rejection": lambda desk: rejections.confirm(desk, NOBODY, "head"),
        "undo a rejection": lambda desk: rejections.restore(desk, NOBODY, "head"),
    },
}


def person(role: Role, *, active: bool = True) -> User:
    """Somebody of a role, of whom nothing else is known."""
    return User(NOBODY, role.value, role.value.title(), role, active=active)


def refused(desk: Desk, act: Act) -> Right | None:
    """For want of which right whoever acts is refused; None where they are not, whatever else stands in the way."""
    try:
        act(desk)
    except Forbidden as err:
        right = err.sentence.values["right"]
        assert isinstance(right, Right)
        return right
    except CoreError:
        return None
    return None


def without(access: Access | None, right: Right) -> Access:
    """What somebody may who lacks one right and has all others."""
    assert access is not None
    return replace(access, reaches={**dict.fromkeys(Right, Reach.ALL), right: Reach.NONE})


def wrongs(desk: Desk, right: Right, act: Act) -> list[str]:
    """Where an act asks for something else than the table says, each by whom."""
    desk.access = None
    found = [] if refused(desk, act) is None else ["the hub itself"]
    for role in Role:
        desk.acts_for(person(role))
        if (refused(desk, act) is None) is (TABLE[right][role] is Reach.NONE):
            found.append(role)
    desk.acts_for(person(Role.ADMIN, active=False))
    if refused(desk, act) is None:
        found.append("somebody dismissed")
    desk.access = without(desk.access, right)
    if refused(desk, act) is not right:
        found.append("somebody who may do all else")
    return found


def wrong_sections(desk: Desk) -> list[str]:
    """Sections of the configuration that ask for another right than theirs, or for none."""
    found = []
    for section in Section:
        acts: Mapping[str, Act] = {
            "add": partial(defining.add, section=section, name="нечто", body=Body(), login="ivan"),
            "change": partial(defining.change, section=section, definition_id=NOBODY, login="ivan"),
            "put away": partial(defining.put_away, section=section, definition_id=NOBODY, login="ivan"),
        }
        for name, act in acts.items():
            found += [f"{name} of {section}: {who}" for who in wrongs(desk, KEPT_BY.get(section, Right.CONFIGURE), act)]
    return found


class Asked(Exception):
    """Enough was seen; what was done is taken back."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self.found = found


async def asked(world: World, question: Callable[[Desk], list[str]]) -> list[str]:
    """What a question finds, in a transaction that is taken back."""

    def asking(desk: Desk) -> None:
        raise Asked(question(desk))

    with pytest.raises(Asked) as end:
        await world.store.run(asking)
    return end.value.found


@pytest.mark.parametrize("right", ACTS)
async def test_every_act_asks_for_its_right(world: World, right: Right) -> None:
    found = {
        name: await asked(world, lambda desk, act=act: wrongs(desk, right, act))  # type: ignore[misc]  # its defaults
        for name, act in ACTS[right].items()
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


async def test_a_deal_is_brought_back_by_those_who_may_delete(world: World) -> None:
    deal = await world.store.run(_deal)
    assert await asked(world, lambda desk: wrongs(desk, Right.DELETE, lambda desk: deals.bring_back(desk, deal))) == []


REACHES = [(one, other) for one in Reach for other in Reach]


@pytest.mark.parametrize(("taken", "seen"), REACHES)
async def test_what_names_clients_is_taken_by_those_who_may_take_all_whom_they_see(
    sqlite_world: World, taken: Reach, seen: Reach
) -> None:
    def taking(desk: Desk) -> list[str]:
        desk.acts_for(person(Role.HEAD))
        assert desk.access is not None
        reaches = {**desk.access.reaches, Right.EXPORT: taken, Right.SEE_REPORTS: seen}
        desk.access = replace(desk.access, reaches=reaches)
        taking_away.take_report(desk, "load", 1, names_clients=False)
        try:
            taking_away.take_report(desk, "missed", 1, names_clients=True)
        except Forbidden:
            return ["refused"]
        return []

    order = list(Reach)
    assert await asked(sqlite_world, taking) == ([] if order.index(taken) >= order.index(seen) else ["refused"])


async def test_every_section_of_the_configuration_asks_for_its_right(world: World) -> None:
    assert await asked(world, wrong_sections) == []


@pytest.mark.parametrize("role", Role)
async def test_scores_are_worked_out_for_those_who_may(sqlite_world: World, role: Role) -> None:
    access = await sqlite_world.store.read(lambda conn: sqlite_world.store.access(conn, person(role)))
    if TABLE[Right.RUN_SCORES][role] is Reach.NONE:
        with pytest.raises(Forbidden):
            await run_scores(sqlite_world.store, access=access)
    else:
        await run_scores(sqlite_world.store, access=access)
