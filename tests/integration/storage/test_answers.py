"""What the hub says to clients by itself: once, in order, whatever comes twice, late, or to two processes at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_core.messages import (
    Authenticity,
    ContactShared,
    EntryKind,
    InboundEvent,
    MenuChosen,
    MessageReceived,
    ReceiptState,
    Thread,
    Trust,
)
from crm_core.model.answers import Answers, MenuItem
from crm_core.model.calendar import DayHours, WorkingHours
from crm_core.model.identity import Identity, IdentityKind, parse_identity
from crm_core.model.user import Role
from crm_core.services.duplicates import merging
from crm_core.services.letters import replies
from crm_core.services.letters.replies import sent
from crm_core.storage import queues
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, add_user
from tests.integration.storage.test_statements import cost
from tests.integration.storage.world import (
    MAIL,
    OFFICE,
    POLICIES,
    SHOP,
    World,
    at,
    fact,
    mail,
    message,
    share,
    talked,
    tg,
    world_on,
)

MENU = (
    MenuItem("prices", "Цены", "От ста рублей"),
    MenuItem("human", "Менеджер", group="support"),
    MenuItem("delivery", "Доставка", "Сейчас расскажем", "support"),
)
HOURS = WorkingHours(
    "office",
    ZoneInfo("Europe/Moscow"),
    dict.fromkeys(range(5), (DayHours(at(-3 * 3600).time(), at(6 * 3600).time()),)),
)
SPEAKING = replace(
    OFFICE,
    calendars={"office": HOURS},
    answers={
        SHOP: Answers("Здравствуйте!", "Мы закрыты", "office", MENU, ask_contact=True),
        MAIL: Answers("Письмо получено", "Мы закрыты", "office"),
    },
)
SVETA = NewUser("sveta", "Света", Role.MANAGER, telegram_id=1006, email="sveta@example.org", group="support")
DAY = 3600.0
NIGHT = 8 * 3600.0  # 20:00 in Moscow, the office closed at 18:00 …
HOUR = 3600.0


@pytest.fixture
async def talking(migrated_url: str) -> AsyncIterator[World]:
    """An office that answers by itself; its support has one person."""
    async with world_on(migrated_url, SPEAKING) as made:
        await made.store.run(lambda desk: add_user(desk, SVETA))
        yield made


@pytest.fixture
async def other(talking: World, migrated_url: str) -> AsyncIterator[World]:
    """The same office as another process sees it."""
    database = Database(migrated_url)
    yield World(Store(database, talking.clock, SPEAKING, POLICIES), talking.clock)
    await database.stop()


async def said(world: World) -> list[str]:
    """The automatic texts, in order."""
    rows = await world.rows("timeline", direction="out", by_person=False)
    return [row.text for row in rows if row.channel is not None]


async def queued(world: World) -> list[dict[str, Any]]:
    return [row.payload for row in await world.rows("outbox", kind="message")]


def chosen(user: int, item: str, seconds: float, ref: str = "") -> InboundEvent:
    return fact(SHOP, MenuChosen(ref or f"press-{item}-{seconds}", item), at(seconds), tg(user), name=f"User {user}")


def started(user: int, seconds: float) -> InboundEvent:
    payload = MessageReceived(EntryKind.MESSAGE, "/start", f"start-{user}-{seconds}", asks=False)
    return fact(SHOP, payload, at(seconds), tg(user), name=f"User {user}")


# ---------------------------------------------------------------- greeting, off hours


async def test_a_stranger_is_greeted_once_with_the_menu_and_asked_for_the_number(talking: World) -> None:
    await talking.take(message(1, "a", at(DAY)), message(1, "b", at(DAY + 1)))
    await talking.take(message(1, "c", at(DAY + 60)))
    assert await said(talking) == ["Здравствуйте!"]
    (payload,) = await queued(talking)
    assert payload["automatic"]
    assert payload["ask_contact"]
    assert payload["buttons"] == [[{"text": item.text, "data": f"menu:{item.key}"}] for item in MENU]
    (entry,) = await talking.rows("timeline", direction="out", channel="telegram")
    assert entry.offers == {"menu": [[item.key, item.text] for item in MENU], "contact": True}
    assert (entry.author, entry.delivery, entry.signal, entry.number) == ("", "queued", None, payload["number"])


async def test_it_closes_no_case_and_is_nobodys_answer(talking: World) -> None:
    await talking.take(message(1, "a", at(DAY)))
    (row,) = await talking.rows("outbox", kind="message")
    await talking.store.run(lambda desk: sent(desk, row.entry_id, ["77"]))
    case = await talking.row("contact_case")
    assert (case.state, case.facts) == ("open", 1)
    assert (await talking.row("contact")).last_contact_at is None
    assert (await talking.row("timeline", id=row.entry_id)).delivery == "sent"


async def test_one_that_fails_changes_nothing_and_tells_nobody(talking: World) -> None:
    await talking.take(message(1, "a", at(DAY)))
    before = await talking.rows("outbox", kind="notification")
    (row,) = await talking.rows("outbox", kind="message")
    await talking.store.run(lambda desk: replies.failed(desk, row.entry_id, "Forbidden: bot was blocked by the user"))
    assert (await talking.row("contact_case")).state == "open"
    assert await talking.rows("outbox", kind="notification") == before


async def test_at_night_both_once_a_night(talking: World) -> None:
    await talking.take(message(1, "a", at(NIGHT)), message(1, "b", at(NIGHT + 60)))
    assert await said(talking) == ["Здравствуйте!\n\nМы закрыты"]
    await talking.take(message(1, "c", at(NIGHT + 3 * HOUR)))
    assert len(await said(talking)) == 1
    await talking.take(message(1, "d", at(NIGHT + 24 * HOUR)))
    assert (await said(talking))[1:] == ["Мы закрыты"]
    assert "menu" not in str((await queued(talking))[1]["buttons"])


async def test_whom_somebody_writes_to_tonight_the_office_is_not_closed(talking: World) -> None:
    await talking.take(message(1, "a", at(DAY)))
    holder = (await talking.row("identity", key="tg:1")).contact_id
    talking.clock.set(at(NIGHT - 60))
    entry = await talking.store.run(
        lambda desk: replies.reply(desk, holder, "ivan", channel="telegram", account=None, text="Минуту")
    )
    await talking.store.run(lambda desk: sent(desk, entry.id, ["5"]))
    await talking.take(message(1, "b", at(NIGHT)))
    assert await said(talking) == ["Здравствуйте!"]


async def test_where_a_person_has_written_a_greeting_comes_too_late(talking: World) -> None:
    speaking, talking.store.office = talking.store.office, OFFICE
    await talking.take(message(1, "a", at(DAY)), message(2, "a", at(DAY)))
    holder = (await talking.row("identity", key="tg:1")).contact_id
    await talking.store.run(
        lambda desk: replies.reply(desk, holder, "ivan", channel="telegram", account=None, text="Да")
    )
    talking.store.office = speaking
    await talking.take(message(1, "b", at(DAY + 100)), message(2, "b", at(DAY + 100)))
    await talking.take(message(1, "c", at(DAY + 200)))
    greeted = await talking.rows("timeline", direction="out", by_person=False, channel="telegram")
    assert [row.conversation for row in greeted] == ["2"]


async def test_a_bot_that_is_started_greets_and_nobody_waits(talking: World) -> None:
    await talking.take(started(1, NIGHT))
    assert await said(talking) == ["Здравствуйте!"]
    assert await talking.rows("contact_case") == []
    await talking.take(message(1, "a", at(NIGHT + 5)))
    assert await said(talking) == ["Здравствуйте!", "Мы закрыты"]


async def test_facts_that_come_late_or_again_are_answered_once(talking: World) -> None:
    talking.clock.set(at(DAY + 1000))
    old, late, new = message(1, "old", at(DAY)), message(1, "late", at(DAY + 990)), message(1, "new", at(DAY + 999))
    await talking.take(old)
    assert await said(talking) == []
    await talking.take(new)
    await talking.take(late, new, old)
    await talking.take(replace(late, external_id="once more"))
    assert await said(talking) == ["Здравствуйте!"]


async def test_an_answer_stands_behind_what_it_answers_though_the_clock_there_runs_ahead(talking: World) -> None:
    ahead = replace(message(1, "a", at(DAY)), occurred_at=at(DAY + 300), sequence=9)
    talking.clock.set(at(DAY))
    await talking.store.run(lambda desk: _received(desk, ahead))
    rows = await talking.rows("timeline", channel="telegram")
    asked, answered = sorted(rows, key=lambda row: (row.occurred_at, row.sequence, row.id))
    assert (asked.direction, answered.direction) == ("in", "out")


def _received(desk: Any, *events: InboundEvent) -> Any:
    from crm_core.services.intake.receive import receive

    return receive(desk.work, events, desk.office, desk.policies)


async def test_two_processes_greet_once(talking: World, other: World) -> None:
    for user in range(9000, 9015):
        await asyncio.gather(
            talking.take(message(user, "a", at(NIGHT))),
            other.take(message(user, "b", at(NIGHT))),
            talking.take(message(user, "c", at(NIGHT))),
        )
    assert await said(talking) == ["Здравствуйте!\n\nМы закрыты"] * 15
    assert len(await queued(talking)) == 15


async def test_who_shares_a_number_first_is_greeted_and_not_asked_for_it(talking: World) -> None:
    await talking.take(talked("c1", "+79160000001", at(0)))
    await talking.take(share(1, "+79160000001", at(DAY)))
    (payload,) = await queued(talking)
    assert (payload["text"], payload["ask_contact"]) == ("Здравствуйте!", False)


async def test_a_merge_greets_nobody_again(talking: World) -> None:
    await talking.take(message(1, "a", at(DAY)), message(2, "a", at(DAY)))
    one, two = [row.contact_id for row in await talking.rows("identity")]
    await talking.store.run(
        lambda desk: merging.merge(desk, desk.work.contact(one), desk.work.contact(two), "test", "ivan")
    )
    await talking.take(message(1, "b", at(DAY + 9)), message(2, "b", at(DAY + 9)))
    assert await said(talking) == ["Здравствуйте!"] * 2


def _in_group(event: InboundEvent) -> InboundEvent:
    return replace(event, group=True, conversation="-100")


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(_in_group(message(1, "a", at(NIGHT))), id="a group"),
        pytest.param(message(1001, "a", at(NIGHT)), id="a person of the office in another bot"),
        pytest.param(mail("dir@example.org", "a", at(NIGHT)), id="a person of the office by mail"),
        pytest.param(mail("robot@a.example", "a", at(NIGHT), automatic=True), id="a robot"),
        pytest.param(mail("no-reply@shop.example", "a", at(NIGHT)), id="a mailbox nobody reads"),
        pytest.param(mail("bounces+17@list.example", "a", at(NIGHT)), id="bounces of a list"),
        pytest.param(
            fact(
                MAIL,
                MessageReceived(EntryKind.EMAIL, "x", "a", authenticity=Authenticity(Trust.FORGED, "dmarc=fail")),
                at(NIGHT),
                parse_identity("mailto:client@bank.example"),
            ),
            id="a forged sender",
        ),
        pytest.param(
            fact(SHOP, ContactShared("a", "card", True, (Identity(IdentityKind.TG, "1001"),)), at(NIGHT), tg(1001)),
            id="a card of the office",
        ),
    ],
)
async def test_to_whom_nothing_is_said(talking: World, event: InboundEvent) -> None:
    await talking.take(event)
    assert await said(talking) == []
    assert await talking.rows("auto_answer") == []


async def test_nothing_is_said_to_who_is_refused(talking: World) -> None:
    speaking, talking.store.office = talking.store.office, OFFICE
    await talking.take(message(1, "a", at(DAY)))
    holder = (await talking.row("identity", key="tg:1")).contact_id
    await talking.store.run(lambda desk: desk.work.put(desk.work.contact(holder)._replace(list_name="чёрный список")))
    talking.store.office = speaking
    await talking.take(message(1, "b", at(NIGHT)), chosen(1, "prices", NIGHT + 1))
    assert await said(talking) == []
    assert [row.text for row in await talking.rows("timeline", direction="in")] == ["text a", "text b", "Цены"]


async def test_of_old_nights_nothing_is_kept_of_greetings_everything(talking: World) -> None:
    await talking.take(message(1, "a", at(NIGHT)))
    assert len(await talking.rows("auto_answer")) == 2
    later = at(NIGHT) + timedelta(days=31)
    await talking.store.database.write(lambda conn: queues.prune(conn, later, at(NIGHT)))
    assert len(await talking.rows("auto_answer")) == 2
    await talking.store.database.write(lambda conn: queues.prune(conn, later, later))
    assert [row.key for row in await talking.rows("auto_answer")] == ["greeting:telegram:shop:1"]


# ---------------------------------------------------------------- mail


def letter(address: str, ref: str, seconds: float, *answers: str) -> InboundEvent:
    thread = Thread(f"<{ref}@a.example>", tuple(f"<{each}@a.example>" for each in answers), subject="Окна")
    payload = MessageReceived(EntryKind.EMAIL, "hello", f"<{ref}@a.example>", subject="Окна", thread=thread)
    return fact(MAIL, payload, at(seconds), parse_identity(f"mailto:{address}"), conversation=address)


async def test_a_mail_is_answered_in_its_thread_and_once_a_sender(talking: World) -> None:
    await talking.take(letter("anna@a.example", "one", DAY), letter("anna@a.example", "two", DAY + 9, "one"))
    await talking.take(letter("anna@a.example", "three", DAY + 20))
    (payload,) = await queued(talking)
    assert (payload["subject"], payload["text"]) == ("Re: Окна", "Письмо получено")
    assert (payload["reply_to"], payload["references"]) == ("<one@a.example>", ["<one@a.example>"])
    assert payload["automatic"]
    asked = (await talking.rows("timeline", direction="in"))[0]
    (answer,) = await talking.rows("timeline", direction="out", channel="email")
    assert answer.kind == "email"
    assert payload["thread"] == answer.thread_id == asked.thread_id is not None


async def test_an_answer_to_an_automatic_mail_finds_its_thread(talking: World) -> None:
    await talking.take(letter("anna@a.example", "one", DAY))
    row = await talking.row("outbox", kind="message")
    thread = Thread("<two@a.example>", (row.dedupe,), subject="Окна")
    payload = MessageReceived(EntryKind.EMAIL, "hello", "<two@a.example>", subject="Re: Окна", thread=thread)
    await talking.take(fact(MAIL, payload, at(DAY + 9), parse_identity("mailto:anna@a.example")))
    threads = {entry.thread_id for entry in await talking.rows("timeline", channel="email")}
    assert len(threads) == 1


async def test_references_are_bounded_and_oldest_first(talking: World) -> None:
    answers = [f"m{number}" for number in range(40)]  # the nearest first
    await talking.take(letter("anna@a.example", "one", DAY, *answers))
    (payload,) = await queued(talking)
    assert len(payload["references"]) == 20
    assert payload["references"][-2:] == ["<m0@a.example>", "<one@a.example>"]


# ---------------------------------------------------------------- menu


async def test_an_item_with_an_answer_is_answered_and_nobody_waits(talking: World) -> None:
    await talking.take(started(1, DAY))
    receipt = (await talking.take(chosen(1, "prices", DAY + 5)))[0]
    assert receipt.state is ReceiptState.DONE
    assert await said(talking) == ["Здравствуйте!", "От ста рублей"]
    assert (await queued(talking))[1]["buttons"][0] == [{"text": "Цены", "data": "menu:prices"}]
    entry = (await talking.rows("timeline", direction="in"))[1]
    assert (entry.text, entry.signal) == ("Цены", None)
    assert entry.lead_id == (await talking.row("lead")).id
    assert await talking.rows("contact_case") == []


async def test_an_item_with_a_group_gives_it_the_client(talking: World) -> None:
    await talking.take(started(1, DAY))
    lead = await talking.row("lead")
    assert lead.manager in {"ivan", "petr"}
    await talking.take(chosen(1, "human", DAY + 5))
    lead, case = await talking.row("lead"), await talking.row("contact_case")
    assert (lead.manager, lead.group_name, case.manager, case.state) == ("sveta", "support", "sveta", "open")
    notices = [row.payload for row in await talking.rows("outbox", kind="notification")]
    assert [each["login"] for each in notices] == [notices[0]["login"], "sveta", "olga"]
    assert "Новый лид" in notices[1]["text"]
    assert "Клиент ждёт ответа" in notices[1]["text"]
    assert await said(talking) == ["Здравствуйте!"]


async def test_a_stranger_who_begins_with_an_item_is_told_to_its_group_alone(talking: World) -> None:
    await talking.take(chosen(1, "delivery", DAY))
    assert (await talking.row("lead")).manager == "sveta"
    logins = [row.payload["login"] for row in await talking.rows("outbox", kind="notification")]
    assert sorted(logins) == ["olga", "sveta"]
    assert await said(talking) == ["Сейчас расскажем"]


async def test_an_open_case_changes_hands_and_its_new_keeper_is_told(talking: World) -> None:
    await talking.take(talked("c1", "+79160000001", at(0)))
    await talking.take(share(1, "+79160000001", at(10)))
    holder = await talking.row("contact", merged_into=None)
    assert holder.manager == "ivan"
    await talking.take(message(1, "a", at(DAY)))
    assert (await talking.row("contact_case")).manager == "ivan"
    await talking.take(chosen(1, "human", DAY + 5), chosen(1, "human", DAY + 6))
    case = await talking.row("contact_case")
    assert (case.manager, case.facts) == ("sveta", 4)
    told = [row.payload["login"] for row in await talking.rows("outbox", kind="notification")]
    assert told.count("sveta") == 1
    # their personal manager stays who it was
    assert (await talking.row("contact", merged_into=None)).manager == "ivan"


async def test_a_client_with_a_manager_opens_a_case_of_the_group(talking: World) -> None:
    await talking.take(talked("c1", "+79160000001", at(0)))
    holder = (await talking.row("contact")).id
    await talking.store.run(lambda desk: _hold(desk, holder, tg(1)))
    await talking.take(chosen(1, "human", DAY))
    told = {row.payload["login"] for row in await talking.rows("outbox", kind="notification")}
    assert told == {"sveta", "olga"}


def _hold(desk: Any, contact_id: int, identity: Identity) -> None:
    from crm_core.model.records import IdentityRecord

    desk.work.put(IdentityRecord(str(identity), contact_id, "test", desk.now))


async def test_a_lead_goes_forth_and_back_and_is_told_every_time(talking: World) -> None:
    office = SPEAKING.answers[SHOP]
    menu = (*MENU, MenuItem("sales", "Продажи", group="sales"))
    talking.store.office = replace(SPEAKING, answers={SHOP: replace(office, menu=menu)})
    await talking.take(chosen(1, "human", DAY))
    for number in range(3):
        await talking.take(chosen(1, "sales", DAY + 10 * number + 1))
        assert (await talking.row("lead")).manager is None  # nobody is in that group: it waits for them
        await talking.take(chosen(1, "human", DAY + 10 * number + 2))
        assert (await talking.row("lead")).manager == "sveta"
    notices = [row.payload for row in await talking.rows("outbox", kind="notification")]
    assert [each["login"] for each in notices if each["cause"].startswith("lead:")] == ["sveta"] * 3


async def test_what_was_taken_stays_with_who_took_it(talking: World) -> None:
    from crm_core.services.cards.leads import take

    await talking.take(started(1, DAY))
    lead = await talking.row("lead")
    await talking.store.run(lambda desk: take(desk, lead.id, "petr"))
    await talking.take(chosen(1, "human", DAY + 5))
    assert (await talking.row("lead")).manager == "petr"
    assert (await talking.row("contact_case")).manager == "sveta"


async def test_a_press_that_comes_again_counts_once(talking: World) -> None:
    press = chosen(1, "delivery", DAY, ref="p1")
    await talking.take(press, press)
    await talking.take(press)
    again = (await talking.take(replace(press, external_id="told twice")))[0]
    assert again.state is ReceiptState.IGNORED
    assert await said(talking) == ["Сейчас расскажем"]
    assert (await talking.row("contact_case")).facts == 1


async def test_an_item_that_is_gone_is_said_to_be(talking: World) -> None:
    (receipt,) = await talking.take(chosen(1, "gone", DAY))
    assert receipt.state is ReceiptState.IGNORED
    assert receipt.answer.startswith("Этого пункта больше нет")
    assert await talking.rows("contact") == []


async def test_what_was_chosen_long_ago_is_answered_by_people(talking: World) -> None:
    talking.clock.set(at(DAY + 26 * HOUR))
    await talking.take(chosen(1, "prices", DAY))
    assert await said(talking) == []
    assert (await talking.row("contact_case")).facts == 1
    await talking.take(chosen(2, "prices", DAY + 3 * HOUR))
    assert await said(talking) == ["От ста рублей"]


# ---------------------------------------------------------------- cost


async def test_a_batch_that_is_greeted_costs_a_fixed_number_of_statements(talking: World) -> None:
    await talking.take(message(1, "first", at(NIGHT)))

    def strangers(first: int, number: int) -> list[InboundEvent]:
        return [message(first + n, "m", at(NIGHT + n)) for n in range(number)]

    assert await cost(talking, strangers(10_000, 10)) == await cost(talking, strangers(20_000, 100))
    again = [message(20_000 + n, "again", at(NIGHT + 200 + n)) for n in range(100)]
    assert await cost(talking, again[:10]) == await cost(talking, again[10:])


async def test_a_batch_of_known_clients_that_is_greeted_costs_a_fixed_number_of_statements(talking: World) -> None:
    speaking, talking.store.office = talking.store.office, OFFICE
    await talking.take(*(message(10_000 + n, "m", at(DAY + n)) for n in range(110)))
    talking.store.office = speaking
    again = [message(10_000 + n, "again", at(NIGHT + n)) for n in range(110)]
    ten, hundred = await cost(talking, again[:10]), await cost(talking, again[10:])
    assert ten == hundred
    assert len(await said(talking)) == 110


async def test_a_batch_of_choices_costs_a_fixed_number_of_statements(talking: World) -> None:
    await talking.take(*(started(10_000 + n, DAY + n) for n in range(110)))
    items = [item.key for item in MENU]
    presses = [chosen(10_000 + n, items[n % 3], DAY + 200 + n) for n in range(110)]
    ten, hundred = await cost(talking, presses[:10]), await cost(talking, presses[10:])
    assert ten == hundred


async def test_replays_are_no_occasion(talking: World) -> None:
    """A fact that failed long ago and is taken in now is old."""
    talking.clock.set(at(DAY) + timedelta(days=3))
    await talking.take(message(1, "a", at(DAY)))
    assert await said(talking) == []
