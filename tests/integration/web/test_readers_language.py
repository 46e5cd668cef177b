"""What the hub itself wrote into a timeline is read in the reader's language, whatever the office's is."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from string import Formatter
from typing import Any, Final

import pytest
from sqlalchemy import select

import crm_core.services
from crm_core.messages import EntryKind, InboundEvent, MessageReceived, Noted
from crm_core.model.call import CallState
from crm_core.model.callback import DialOutcome, DialPurpose, RobotRules
from crm_core.model.conversation import SuggestionReason
from crm_core.model.definitions import DocumentBody, PipelineSettings, Section, StageSettings
from crm_core.model.definitions.fields import FieldBody, FieldType
from crm_core.model.definitions.pipelines import StageTask
from crm_core.model.ladder import Ladder, LadderEvent, Ladders, LadderStep, Told
from crm_core.model.office import ListAction, SpecialList
from crm_core.model.records import StageKind
from crm_core.model.selling import PaymentKind
from crm_core.model.user import Role
from crm_core.services.acts import deals, listing, rejections, removing, ringing_back
from crm_core.services.acts.conversion import Conversion, convert
from crm_core.services.acts.deals import DealChange
from crm_core.services.acts.pipeline_keeping import NewStage, create_pipeline
from crm_core.services.calls import dials
from crm_core.services.cards import leads
from crm_core.services.cards.tunnels import Along
from crm_core.services.clients import contacts
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.defining import add
from crm_core.services.desk import Desk
from crm_core.services.duplicates import merging
from crm_core.services.duplicates.suggestions import suggest
from crm_core.services.firing import fire
from crm_core.services.intake.receive import receive
from crm_core.services.letters import documents, notes, opting_out
from crm_core.services.letters.documents import Made, Prepared
from crm_core.services.money import payments
from crm_core.services.money.payments import NewPayment
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from crm_core.services.watching import callbacks, cases
from crm_core.services.wording import TEXTS, Phrase, say
from crm_core.storage import queues, tables
from crm_core.storage.users import NewUser, add_user
from crm_core.wording import Joined
from tests.integration.storage.world import SHOP, at, ended, fact, form, moved, ringing, tg
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_inbox import following

PHONE: Final = "+79161234567"
OTHER: Final = "+79161234569"
_ENTRY: Final = re.compile(r'<li id="entry-(\d+)".*?(?=<li id="entry-|</ol>)', re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_OLDER: Final = re.compile(r'<li class="more"><a href="([^"]+)"')
_CYRILLIC: Final = re.compile(r"[а-яё]+", re.IGNORECASE)


def phrases_in(parts: Any) -> set[Phrase]:
    """The texts that a line was made of."""
    match parts:
        case {"phrase": phrase, **rest}:
            return {Phrase(phrase)} | phrases_in(rest)
        case dict():
            return {found for each in parts.values() for found in phrases_in(each)}
        case list():
            return {found for each in parts for found in phrases_in(each)}
        case _:
            return set()


async def reader(workspace: Workspace, login: str = "root", language: str = "en", role: Role = Role.ADMIN) -> Browser:
    """Somebody who reads a language."""
    browser = await workspace.visitor(login, role)
    await browser.send("/me/tastes", page="/me", language=language, theme="auto")
    return browser


async def read(browser: Browser, contact: int) -> dict[int, str]:
    """What a client's timeline says to somebody, by entry."""
    found: dict[int, str] = {}
    address: str | None = f"/contacts/{contact}"
    while address is not None:
        page = await browser.get(address)
        for entry in _ENTRY.finditer(page):
            found[int(entry[1])] = " ".join(unescape(_TAG.sub(" ", entry[0])).split())
        older = _OLDER.search(page)
        address = unescape(older[1]) if older is not None else None
    return found


async def client(workspace: Workspace, name: str = "Anna", **given: Any) -> int:
    change = ContactChange(name=name, **given)
    return await workspace.hub.store.run(lambda desk: contacts.create(desk, change)[0].id)


def filled(phrase: Phrase) -> dict[str, str]:
    """Latin values for all that a text names."""
    return {name: f"some {name}" for _, name, _, _ in Formatter().parse(TEXTS["ru"][phrase]) if name}


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_every_text_of_the_hub_is_read_in_the_readers_language(workspace: Workspace, language: str) -> None:
    contact = await client(workspace)
    other = "ru" if language == "en" else "en"

    def written(desk: Desk) -> dict[int, tuple[Phrase, str]]:
        desk.office = replace(desk.office, language=other)
        found = {}
        for phrase in Phrase:
            entry = desk.note(contact, desk.say(phrase, **filled(phrase)))
            found[entry.id] = (phrase, entry.text)
        return found

    entries = await workspace.hub.store.run(written)
    shown = await read(await reader(workspace, language=language), contact)
    for ident, (phrase, text) in entries.items():
        values = filled(phrase)
        assert text == TEXTS[other][phrase].format(**values), "what is stored is in the office's language"
        assert " ".join(TEXTS[language][phrase].format(**values).split()) in shown[ident], phrase


async def test_what_can_not_be_said_again_is_read_as_it_stands(workspace: Workspace) -> None:
    contact = await client(workspace)

    def written(desk: Desk) -> int:
        moved_on = desk.note(contact, desk.say(Phrase.STAGE_MOVED, stage="Offer"))
        unknown = {"said": {"phrase": "of a later version", "with": {}}}
        lacking = {"said": {"phrase": "stage_moved", "with": {}}}
        broken: list[Any] = [None, {}, {"said": 5}, {"said": {"joined": 5}}, {"said": {"phrase": 1}}, unknown, lacking]
        for each in broken:
            desk.work.put(moved_on._replace(id=desk.work.next_id(), offers=each, text="Стадия: как было"))
        return len(broken)

    broken = await workspace.hub.store.run(written)
    shown = list((await read(await reader(workspace), contact)).values())
    assert len([each for each in shown if "Стадия: как было" in each]) == broken
    assert len([each for each in shown if "Stage: Offer" in each]) == 1


# ---------------------------------------------------------------- whatever the hub writes

ON_TIMELINES: Final = {
    Phrase.FORM_NAME,
    Phrase.FORM_PHONE,
    Phrase.FORM_EMAIL,
    Phrase.FORM_PAGE,
    Phrase.CALLBACK_WISHED,
    Phrase.CALLBACK_ORDERED,
    Phrase.CALLBACK_CANCELLED,
    Phrase.CALLBACK_GIVEN_UP,
    Phrase.DIAL_NOT_SENT,
    Phrase.DIAL_UNHEARD,
    Phrase.TAKEN_BY,
    Phrase.CASE_GIVEN,
    Phrase.PROMISED_BY,
    Phrase.CLOSED_BY,
    Phrase.CLOSED_SETTLED,
    Phrase.RUNG_TOLD,
    Phrase.PROMISE_BROKEN,
    Phrase.LEAD_TAKEN,
    Phrase.LEAD_REJECTED,
    Phrase.LEAD_RESTORED,
    Phrase.LEAD_CONVERTED,
    Phrase.STAGE_MOVED,
    Phrase.STAGE_REACHED,
    Phrase.CARD_COPIED,
    Phrase.CARD_MOVED_OVER,
    Phrase.TASK_MADE,
    Phrase.TASK_TERM,
    Phrase.TASK_NO_TERM,
    Phrase.TASK_DONE,
    Phrase.TASK_CANCELLED,
    Phrase.TASK_REOPENED,
    Phrase.TASK_LEFT_STAGE,
    Phrase.REJECTION_WRONG,
    Phrase.NO_MANAGER,
    Phrase.MERGED,
    Phrase.UNMERGED,
    Phrase.RETURNED,
    Phrase.FIELD_UNREAD,
    Phrase.FIELD_TAKEN,
    Phrase.LISTED_BY,
    Phrase.LISTED_REASON,
    Phrase.UNLISTED_BY,
    Phrase.OPTED_OUT,
    Phrase.OPT_OUT_HAND,
    Phrase.OPTED_IN,
    Phrase.DOCUMENT_MADE,
    Phrase.PAYMENT_RECEIVED,
    Phrase.PAYMENT_RETURNED,
    Phrase.PAYMENT_OVERDUE,
    Phrase.PAYMENT_BROKEN,
    Phrase.PAID_IN_FULL,
}


class Office:
    """An office that speaks Russian, where everything is called by Latin letters, and what happens in it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.store = workspace, workspace.hub.store
        self.contact = 0

    async def act(self, service: Callable[[Desk], Any]) -> Any:
        """Somebody does something."""
        steps = (LadderStep(timedelta(0), (Told.MANAGER,)), LadderStep(timedelta(hours=1), (Told.MANAGER,)))

        def done(desk: Desk) -> Any:
            desk.work.author = "ivan"
            desk.office = replace(
                desk.office,
                robot=RobotRules(on_order=True, attempts=1),
                outward=("office",),
                lists={"black": SpecialList("black", ListAction.REJECT)},
                ladders=Ladders.of(tuple(Ladder(each, steps) for each in LadderEvent)),
            )
            return service(desk)

        return await self.store.run(done)

    async def take(self, *events: InboundEvent) -> None:
        """Facts come in."""
        clock = self.workspace.clock
        clock.set(max(clock.now(), *(each.occurred_at for each in events)))
        await self.act(lambda desk: receive(desk.work, events, desk.office, desk.policies))

    async def pass_time(self, **by: float) -> None:
        """Time passes, and whatever is due then happens."""
        now = self.workspace.clock.advance(timedelta(**by))
        while due := await self.store.read(lambda conn: queues.due_deadlines(conn, now, 100)):
            for each in due:
                await self.act(lambda desk, each=each: fire(desk, deadline=each))  # type: ignore[misc]  # its defaults

    async def one(self, sql: str) -> int:
        """A number of the record."""
        return int(str(await self.workspace.scalar(sql)))

    async def case(self) -> int:
        """The client who waits."""
        return await self.one("SELECT id FROM contact_case WHERE state = 'open'")

    async def forms_and_calls(self) -> None:
        """Somebody fills a form in and asks to be called; the robot does not reach them; others call in vain."""
        for key, kind in (("size", FieldType.NUMBER), ("inn", FieldType.TEXT)):
            body = FieldBody(of="lead", key=key, title=key.title(), type=kind, unique=key == "inn")
            await self.act(lambda desk, body=body: add(desk, Section.FIELD, body.title, body, "ivan"))  # type: ignore[misc]  # its defaults
        told = {"name": "Anna", "phone": PHONE, "email": "anna@example.org", "page": "https://example.org/windows"}
        mine = (("size", "wide"), ("inn", "7701"), ("Colour", "white"))
        await self.take(form(at(1), **told, message="A window, please", fields=mine, callback_at=at(60), source="Site"))
        self.contact = await self.one(f"SELECT contact_id FROM identity WHERE key = 'tel:{PHONE}'")
        await self.take(form(at(2), name="Boris", phone="+79161234560", fields=(("inn", "7701"),)))
        callback = await self.one(f"SELECT id FROM callback WHERE contact_id = {self.contact}")
        await self.act(lambda desk: callbacks.cancel(desk, callback, "ivan", "has a telephone of his own"))
        wished = replace(ended(ringing("c1", PHONE, at(100)), 20, CallState.MISSED), wish_callback=True)
        await self.take(moved(wished))
        await self.act(lambda desk: ringing_back.order(desk, "ivan", contact_id=self.contact))

        def given_up(desk: Desk) -> None:
            callback = desk.work.active_callbacks([self.contact])[self.contact]
            user = desk.work.staff.get("ivan")
            assert user is not None
            client = desk.work.contact(self.contact)
            dial = dials.place(
                desk, client, user, DialPurpose.ORDERED, author="robot", callback=callback, confirmed=True
            )
            dials.fail(desk, client, dial, DialOutcome.FAILED, desk.say(Phrase.DIAL_NOT_SENT))

        await self.act(given_up)

        def placed(desk: Desk) -> int:
            user = desk.work.staff.get("ivan")
            assert user is not None
            client = desk.work.contact(self.contact)
            return dials.place(desk, client, user, DialPurpose.CLICK, author="ivan", confirmed=True).id

        dial = await self.act(placed)
        await self.act(lambda desk: dials.take_to_send(desk, dial))
        await self.pass_time(hours=3)

    async def cases(self) -> None:
        """Somebody waits, is looked after, given away, promised an answer and forgotten."""
        case = await self.case()
        await self.act(lambda desk: cases.take_case(desk, case, "ivan"))
        await self.act(lambda desk: cases.give_case(desk, case, "root", "petr"))
        for _ in range(2):  # of the last step is told once more
            await self.act(lambda desk: cases.promise(desk, case, "petr", desk.now + timedelta(hours=1)))
            await self.pass_time(hours=4)
        await self.act(lambda desk: cases.close_by_hand(desk, case, "ivan", desk.say(Phrase.CLOSED_SETTLED)))

    async def leads(self) -> None:
        """A lead is taken, rejected, rejected wrongly, made a deal of."""
        lead = await self.one(f"SELECT id FROM lead WHERE contact_id = {self.contact}")
        await self.act(lambda desk: leads.take(desk, lead, "ivan"))
        await self.act(lambda desk: leads.reject(desk, lead, "ivan", "too dear"))
        check = NewTask("Check", assignee="root", lead_id=lead, author="root")
        await self.act(lambda desk: tasks.make(desk, check))
        await self.act(lambda desk: rejections.restore(desk, lead, "root"))
        await self.act(lambda desk: convert(desk, lead, "ivan", Conversion(deal=DealChange(title="Windows"))))

    async def cards(self) -> None:
        """Cards go from stage to stage, by people and by themselves, and to other pipelines."""
        given = StageTask(title="Measure", assignee="manager", lapses=True)
        stages = (
            NewStage("New", settings=StageSettings(tasks=[given])),
            NewStage("Offer"),
            NewStage("Agreed", settings=StageSettings(enter_when="deal.amount > 5000")),
            NewStage("Lost", StageKind.LOST),
        )
        await self.act(lambda desk: create_pipeline(desk, "Office", stages, PipelineSettings(loss_reasons=["dear"])))
        await self.act(lambda desk: create_pipeline(desk, "Service", stages[1:], PipelineSettings()))

        def opened(desk: Desk) -> int:
            change = DealChange(title="Doors", contact_id=self.contact, manager="ivan")
            return deals.create(desk, "ivan", change, "Office", "New").deal.id

        deal = await self.act(opened)
        await self.act(lambda desk: deals.move(desk, deal, "Offer"))
        await self.act(lambda desk: deals.change(desk, deal, DealChange(amount=600_000)))
        await self.act(lambda desk: deals.copy(desk, deal, "Service", "Offer", Along()))
        await self.act(lambda desk: deals.move(desk, deal, "Lost", reason="dear"))
        await self.act(lambda desk: deals.transfer(desk, deal, "Service", "Offer"))

    async def tasks(self) -> None:
        """Tasks are given, forgotten, done, taken up again, not done."""

        def given(desk: Desk, **more: Any) -> int:
            return tasks.make(desk, NewTask("Measure", contact_id=self.contact, author="ivan", **more)).id

        due = self.workspace.clock.now() + timedelta(hours=1)
        late = await self.act(lambda desk: given(desk, assignee="ivan", due_at=due))
        nobody = await self.act(given)
        await self.pass_time(hours=5)
        await self.act(lambda desk: tasks.close(desk, late, "ivan", "140 x 120"))
        await self.act(lambda desk: tasks.reopen(desk, late, "ivan"))
        await self.act(lambda desk: tasks.cancel(desk, nobody, "ivan", "not wanted"))

    async def money(self) -> None:
        """What was promised is paid, paid late, paid back."""
        deal = await self.one("SELECT id FROM deal WHERE title = 'Windows'")
        await self.act(lambda desk: deals.change(desk, deal, DealChange(amount=100_00)))
        today = self.workspace.clock.now().date().isoformat()
        for kind in (PaymentKind.PLANNED, PaymentKind.PROMISED):
            new = NewPayment(kind, 100_00, "RUB", due_on=today)
            await self.act(lambda desk, new=new: payments.record(desk, deal, "ivan", new))  # type: ignore[misc]  # its defaults
        await self.pass_time(days=2)
        for amount in (100_00, -50_00):
            new = NewPayment(PaymentKind.RECEIVED, amount, "RUB")
            await self.act(lambda desk, new=new: payments.record(desk, deal, "ivan", new))  # type: ignore[misc]  # its defaults
        body = DocumentBody(html="Offer")
        offer = Prepared("Offer", body, 1, "Offer 1", "offer.pdf", {}, "Europe/Moscow", "ru", self.contact, deal)
        await self.act(lambda desk: documents.keep(desk, offer, Made("0" * 64, 1), "ivan", None))

    async def clients(self) -> None:
        """A client wants no mail and wants it again, is two, is deleted and calls, is put on a list."""
        await self.act(lambda desk: opting_out.opt_out(desk, self.contact, opting_out.BY_HAND, "ivan"))
        await self.act(lambda desk: opting_out.opt_in(desk, self.contact, "ivan"))
        other = (await self.act(lambda desk: contacts.create(desk, ContactChange(name="Vera"))))[0]

        def merged(desk: Desk) -> None:
            both = desk.work.contacts([self.contact, other.id])
            merging.merge(desk, both[self.contact], both[other.id], "by hand", "ivan")

        await self.act(merged)
        await self.act(lambda desk: merging.unmerge(desk, self.contact, "ivan"))
        now = self.workspace.clock.now()
        await self.take(moved(ended(ringing("c2", OTHER, now), 20, CallState.MISSED)))
        gone = await self.one(f"SELECT contact_id FROM identity WHERE key = 'tel:{OTHER}'")
        lead = await self.one(f"SELECT id FROM lead WHERE contact_id = {gone}")
        case = await self.case()
        await self.act(lambda desk: cases.close_by_hand(desk, case, "ivan", "a wrong number"))
        await self.act(lambda desk: leads.reject(desk, lead, "ivan", "a wrong number"))
        await self.act(lambda desk: removing.remove(desk, "contact", gone))
        await self.take(moved(ended(ringing("c3", OTHER, now), 20, CallState.MISSED)))
        await self.act(lambda desk: listing.list_contact(desk, gone, "black", "nuisance", "ivan"))
        await self.act(lambda desk: listing.unlist_contact(desk, gone, "ivan"))
        await self.act(lambda desk: notes.note(desk, self.contact, "ivan", "A note"))


async def test_whatever_the_hub_writes_is_read_in_english_in_a_russian_office(workspace: Workspace) -> None:
    """Everything that happens there, by each kind of entry; no Russian word is left, and each text came."""
    english = await reader(workspace)
    for login in ("ivan", "petr"):
        new = NewUser(login, login.title(), Role.MANAGER, extension=f"PJSIP/{login}")
        await workspace.hub.store.run(lambda desk, new=new: add_user(desk, new))  # type: ignore[misc]  # its defaults
    office = Office(workspace)
    await office.forms_and_calls()
    await office.cases()
    await office.leads()
    await office.cards()
    await office.tasks()
    await office.money()
    await office.clients()
    columns = tables.timeline.c
    query = select(columns.contact_id, columns.kind, columns.text, columns.offers)
    stored = await workspace.hub.store.read(lambda conn: conn.execute(query).all())
    for contact in {row.contact_id for row in stored}:
        for ident, text in (await read(english, contact)).items():
            assert not _CYRILLIC.search(text), (ident, text)
    ours = [row for row in stored if row.offers is not None]
    assert all(_CYRILLIC.search(row.text) for row in ours), "the record is in the office's language"
    assert {row.kind for row in stored} >= set(EntryKind) - {EntryKind.MESSAGE, EntryKind.EMAIL}
    assert {phrase for row in ours for phrase in phrases_in(row.offers)} == ON_TIMELINES


WRITTEN_BY_PEOPLE: Final = {
    "notes.note": "what somebody notes",
    "dial_lists.result": "what somebody notes after a call",
}
"""What puts a text on a timeline that is not the hub's."""
SAID_BESIDE: Final = {
    Phrase.TASK_OVERDUE: "told to people",
    Phrase.CALLBACK_LISTED: "a refusal",
    Phrase.LEAD_TAKEN_ALREADY: "a refusal",
}
"""Texts of the same functions that stand on no timeline."""


def _functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    folder = Path(crm_core.services.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.stem}.{node.name}", node


def _noted(function: ast.FunctionDef) -> list[ast.Call]:
    """Where a function puts a line of the hub's on a timeline, by itself or by what says where a card went."""
    calls = [each for each in ast.walk(function) if isinstance(each, ast.Call)]
    return [
        each
        for each in calls
        if ast.unparse(each.func) in {"desk.note", "_note"}
        or (ast.unparse(each.func) == "tell" and any(keyword.arg == "by_person" for keyword in each.keywords))
    ]


def test_no_text_of_the_hub_on_a_timeline_is_left_out() -> None:
    found: set[Phrase] = set()
    for name, function in _functions():
        noted = _noted(function)
        if not noted or name in WRITTEN_BY_PEOPLE:
            continue
        glued = [ast.unparse(each) for each in ast.walk(function) if isinstance(each, ast.JoinedStr)]
        assert not [each for each in glued if ".say(" in each], (name, "what is glued together can't be said again")
        texts = [each for call in noted for each in call.args if isinstance(each, ast.JoinedStr | ast.Constant)]
        assert not texts, (name, [ast.unparse(each) for each in texts])
        named = [each for each in ast.walk(function) if isinstance(each, ast.Attribute)]
        found |= {Phrase[each.attr] for each in named if ast.unparse(each.value) == "Phrase"}
    assert found <= ON_TIMELINES | set(SAID_BESIDE), found - ON_TIMELINES - set(SAID_BESIDE)
    assert len(found) > len(ON_TIMELINES) // 2


# ---------------------------------------------------------------- from channels, and while a page is open


async def test_what_channels_tell_of_is_read_in_the_readers_language(workspace: Workspace) -> None:
    """The office speaks English here, whoever reads Russian."""
    added, voted = say("en", Phrase.BOT_ADDED, group="Windows"), say("en", Phrase.POLL_VOTED, options="1, 3")
    joined = say("en", Phrase.VK_JOINED)
    facts = (
        fact(SHOP, Noted(added), at(1), tg(7), name="Anna"),
        fact(SHOP, MessageReceived(EntryKind.MESSAGE, voted, "vote:1", asks=False), at(2), tg(7), name="Anna"),
        fact(SHOP, Noted(joined), at(3), tg(7), name="Anna"),
    )
    workspace.clock.set(at(3))
    await workspace.hub.intake.receive_many(facts)
    contact = int(str(await workspace.scalar("SELECT id FROM contact")))
    assert await workspace.scalar("SELECT text FROM timeline ORDER BY id LIMIT 1") == str(added)
    for language, login in (("ru", "root"), ("en", "petr")):
        shown = (await read(await reader(workspace, login, language), contact)).values()
        for phrase, words in (
            (Phrase.BOT_ADDED, {"group": "Windows"}),
            (Phrase.POLL_VOTED, {"options": "1, 3"}),
            (Phrase.VK_JOINED, {}),
        ):
            wanted = TEXTS[language][phrase].format(**words)
            assert any(wanted in each for each in shown), (language, wanted, list(shown))


async def test_pieces_come_to_each_open_page_in_its_own_language(workspace: Workspace) -> None:
    contact = await client(workspace)
    english, russian = await reader(workspace), await reader(workspace, "petr", "ru")

    def happens(desk: Desk) -> None:
        desk.note(contact, desk.say(Phrase.STAGE_MOVED, stage="Offer"), kind=EntryKind.STAGE)

    async with following(english, f"client:{contact}") as one, following(russian, f"client:{contact}") as other:
        await workspace.hub.store.run(happens)
        assert "Stage: Offer" in (await one.event("piece"))["html"]
        assert TEXTS["ru"][Phrase.STAGE_MOVED].format(stage="Offer") in (await other.event("piece"))["html"]


async def test_why_two_cards_may_be_one_person_is_read_in_the_readers_language(workspace: Workspace) -> None:
    one, other = await client(workspace, "Anna Petrova"), await client(workspace, "Anna Petrova")

    def alike(desk: Desk) -> str:
        hints = (desk.say(Phrase.HINT_CITY, value="Tver"), desk.say(Phrase.HINT_DOMAIN, value="example.org"))
        words = desk.say(Phrase.SUGGEST_NAME, name="Anna Petrova", hint=Joined(hints, ", "))
        suggest(desk, one, other, SuggestionReason.NAME, 50, words)
        return str(words)

    stored = await workspace.hub.store.run(alike)
    page = await (await reader(workspace)).get(f"/contacts/{one}")
    assert "The same whole name «Anna Petrova», and also: city Tver, mail at example.org" in unescape(page)
    assert stored in unescape(await (await reader(workspace, "petr", "ru")).get(f"/contacts/{one}"))
