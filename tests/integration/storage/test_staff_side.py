"""What people of the office do in the bot: answer clients, ask for figures; who is told what, and who nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crm_core.messages import (
    Attachment,
    EntryKind,
    InboundEvent,
    MessageReceived,
    ReceiptState,
    StaffAct,
    StaffAsked,
    StaffCommand,
    StaffQuestion,
    StaffReply,
    StoredFile,
)
from crm_core.model import access
from crm_core.model.identity import parse_identity
from crm_core.model.rights import TABLE, Reach, Right
from crm_core.model.user import Role
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.services.duplicates import merging
from crm_core.services.firing import fire
from crm_core.services.letters import replies
from crm_core.services.watching import cases
from crm_core.wording import Sentence
from hub.tongues import told_in
from tests.integration.storage.world import (
    OFFICE,
    STAFF,
    World,
    at,
    fact,
    mail,
    message,
    missed,
    talked,
    tg,
    world_on,
)

IVAN, PETR, OLGA, DIR, STRANGER = 1001, 1002, 1003, 1004, 555


def asks(question: StaffQuestion, who: int, seconds: float, **more: Any) -> InboundEvent:
    said = MessageReceived(EntryKind.MESSAGE, f"/{question}", f"command-{seconds}")
    payload = StaffAsked(tg(who), question, otherwise=said)
    return fact(STAFF, payload, at(seconds), tg(who), name="Somebody", **more)


def answers(contact_id: int, text: str, who: int, seconds: float, *files: Attachment) -> InboundEvent:
    said = MessageReceived(EntryKind.MESSAGE, text, f"reply-{seconds}")
    payload = StaffReply(tg(who), contact_id, text, files, otherwise=said)
    return fact(STAFF, payload, at(seconds), tg(who), name="Somebody")


def presses(act: StaffAct, subject: int, who: int, seconds: float) -> InboundEvent:
    return fact(STAFF, StaffCommand(tg(who), act, subject), at(seconds), tg(who))


def writes(text: str, who: int, seconds: float, **more: Any) -> InboundEvent:
    return fact(STAFF, MessageReceived(EntryKind.MESSAGE, text, f"w-{seconds}", **more), at(seconds), tg(who))


async def told(world: World, login: str) -> list[dict[str, Any]]:
    rows = await world.rows("outbox", kind="notification")
    return [row.payload for row in rows if row.payload["login"] == login]


async def last_told(world: World, login: str) -> str:
    return str((await told(world, login))[-1]["text"])


async def holder(world: World, key: str) -> int:
    return int((await world.row("identity", key=key)).contact_id)


def datas(payload: dict[str, Any]) -> list[str]:
    return [button["data"] for row in payload["buttons"] for button in row]


# ---------------------------------------------------------------- notices


async def test_a_lead_alone_has_its_buttons(world: World) -> None:
    start = MessageReceived(EntryKind.MESSAGE, "/start", "s", asks=False)
    await world.take(fact(replace(STAFF, account="shop"), start, at(0), tg(7), name="Анна"))
    lead = await world.row("lead")
    (notice,) = await told(world, lead.manager)
    assert datas(notice) == [f"take_lead:{lead.id}:", f"write:{lead.contact_id}:"]
    await world.take(presses(StaffAct.TAKE_LEAD, lead.id, PETR, 5))
    assert (await world.row("lead")).manager == "petr"
    receipt = (await world.take(presses(StaffAct.TAKE_LEAD, lead.id, IVAN, 6)))[0]
    assert receipt.answer == "Лид уже в работе: Petr"


async def test_an_untouched_lead_is_told_of_with_its_buttons(world: World) -> None:
    start = MessageReceived(EntryKind.MESSAGE, "/start", "s", asks=False)
    await world.take(fact(replace(STAFF, account="shop"), start, at(0), tg(7), name="Анна"))
    lead = await world.row("lead")
    world.clock.set(at(5 * 3600))
    (deadline,) = await world.deadlines()
    await world.store.run(lambda desk: fire(desk, deadline))
    assert datas((await told(world, lead.manager))[-1]) == [f"take_lead:{lead.id}:", f"write:{lead.contact_id}:"]


async def test_of_a_message_the_manager_hears_once_and_can_answer(world: World) -> None:
    await world.take(message(7, "a", at(0)))
    case = await world.row("contact_case")
    (notice,) = await told(world, case.manager)
    assert datas(notice)[:2] == [f"taken:{case.id}:", f"write:{case.contact_id}:"]
    assert notice["text"].count("\n") == 1
    (other,) = await told(world, "olga")
    assert datas(other)[:2] == datas(notice)[:2]


async def test_who_only_called_can_not_be_written_to(world: World) -> None:
    await world.take(missed("c1", "+79160000001", at(0)))
    (notice,) = await told(world, "olga")
    assert not [data for data in datas(notice) if data.startswith("write:")]
    contact = (await world.row("contact")).id
    await world.take(answers(contact, "Здравствуйте", IVAN, 60))
    assert (await last_told(world, "ivan")).startswith("Ответить некуда: +79160000001")
    assert await world.rows("outbox", kind="message") == []


async def test_the_button_tells_how_to_answer(world: World) -> None:
    await world.take(message(7, "a", at(0)))
    receipt = (await world.take(presses(StaffAct.WRITE, await holder(world, "tg:7"), IVAN, 5)))[0]
    assert "Ответьте на это уведомление" in receipt.answer
    assert len(receipt.answer) <= 200  # Telegram shows no more
    receipt = (await world.take(presses(StaffAct.WRITE, 999_999_999, IVAN, 6)))[0]
    assert receipt.answer == "Этого больше нет"


# ---------------------------------------------------------------- answers


async def test_the_words_go_where_the_client_wrote_from_last(world: World) -> None:
    await world.take(message(7, "a", at(0)))
    contact = await holder(world, "tg:7")
    letter = mail("anna@a.example", "m", at(50))
    await world.take(letter)
    joined = await holder(world, "mailto:anna@a.example")
    await world.store.run(
        lambda desk: merging.merge(desk, desk.work.contact(contact), desk.work.contact(joined), "test", "ivan")
    )
    # the notice of a client who has been merged since still leads to who they are now
    reply = answers(joined, "Перезвоню утром", IVAN, 60)
    await world.take(reply, reply)
    await world.take(reply)
    (row,) = await world.rows("outbox", kind="message")
    assert (row.payload["channel"], row.payload["text"]) == ("email", "Перезвоню утром")
    (entry,) = await world.rows("timeline", direction="out", channel="email")
    assert (entry.contact_id, entry.author, entry.by_person, entry.delivery) == (contact, "ivan", True, "queued")
    notices = [each for each in await told(world, "ivan") if each["cause"].startswith("asked:")]
    assert [each["text"] for each in notices] == [
        "Ответ передан: User 7, anna@a.example (почта). Если не дойдёт, сообщу."
    ]
    assert datas(notices[0]) == [f"write:{contact}:"]
    await world.store.run(lambda desk: replies.sent(desk, row.entry_id, ["<own@a.example>"]))
    assert (await world.row("contact_case", contact_id=contact, state="closed")).reason == "reply"


async def test_that_an_answer_failed_is_told_to_its_author_once(world: World) -> None:
    await world.take(message(7, "a", at(0)))
    await world.take(answers(await holder(world, "tg:7"), "я" * 300, PETR, 60))
    (row,) = await world.rows("outbox", kind="message")
    for _ in range(2):
        await world.store.run(lambda desk: replies.failed(desk, row.entry_id, "Forbidden: bot was blocked by the user"))
    failures = [each for each in await told(world, "petr") if each["cause"].endswith(":failed")]
    assert len(failures) == 1
    assert "Клиент не получил ваш ответ: User 7, 7. Forbidden: bot was blocked by the user" in failures[0]["text"]
    assert len(failures[0]["text"]) < 400
    assert (await world.row("contact_case")).state == "open"


async def test_files_go_along_those_here_and_those_still_with_the_provider(world: World) -> None:
    await world.take(message(7, "a", at(0)))
    here = Attachment("price.pdf", "application/pdf", StoredFile("a" * 64, 10))
    there = Attachment("photo.jpg", "image/jpeg", remote_id="file-1", size=20)
    await world.take(answers(await holder(world, "tg:7"), "", IVAN, 60, here, there))
    (row,) = await world.rows("outbox", kind="message")
    first, second = row.payload["files"]
    assert first["sha256"] == "a" * 64
    attachments = await world.rows("attachment")
    assert [each.state for each in attachments] == ["stored", "pending"]
    assert second["attachment_id"] == attachments[1].id
    (fetch,) = await world.rows("outbox", kind="fetch")
    assert (fetch.payload["channel"], fetch.payload["account"]) == ("telegram", "staff")
    assert (fetch.payload["remote_id"], fetch.payload["attachment_id"]) == ("file-1", attachments[1].id)


async def test_an_answer_with_nothing_in_it_and_one_to_nobody(world: World) -> None:
    await world.take(message(7, "a", at(0)))
    await world.take(answers(await holder(world, "tg:7"), "  ", IVAN, 60))
    assert await last_told(world, "ivan") == "Ответ не отправлен: в нём ничего нет."
    await world.take(answers(999_999_999, "Здравствуйте", IVAN, 61))
    assert await last_told(world, "ivan") == "Ответ не отправлен: этого клиента больше нет."
    assert await world.rows("outbox", kind="message") == []


async def test_who_never_wrote_but_has_an_address_gets_a_mail(world: World) -> None:
    given = ContactChange(name="Анна", identities=(parse_identity("mailto:anna@a.example"),))
    made, _ = await world.store.run(lambda desk: create(desk, given))
    await world.take(answers(made.id, "Здравствуйте", IVAN, 60))
    (row,) = await world.rows("outbox", kind="message")
    assert (row.payload["channel"], row.payload["conversation"]) == ("email", "anna@a.example")


# ---------------------------------------------------------------- figures, help


async def test_today_of_a_manager_and_of_a_director(world: World) -> None:
    await world.take(talked("t1", "+79160000001", at(0)), talked("t2", "+79160000002", at(10), "PJSIP/102"))
    await world.take(missed("m1", "+79160000001", at(600)), missed("m2", "+79160000003", at(610)))
    await world.take(message(7, "a", at(700)))
    contact = (await world.row("identity", key="tel:+79160000001")).contact_id
    case = await world.row("contact_case", contact_id=contact)
    await world.store.run(lambda desk: cases.promise(desk, case.id, "ivan", at(9000)))
    chat = await holder(world, "tg:7")
    await world.take(answers(chat, "Да", IVAN, 800))
    (row,) = await world.rows("outbox", kind="message")
    await world.store.run(lambda desk: replies.sent(desk, row.entry_id, ["5"]))
    await world.take(asks(StaffQuestion.TODAY, IVAN, 7820))
    own = (await last_told(world, "ivan")).splitlines()
    assert own[0] == "Сегодня у вас, на 02.03 14:10"
    assert own[1].startswith("Звонки: принято 1, пропущено ")
    assert own[2].endswith("ответов клиентам: 1")
    assert own[3].startswith("Ждут ответа: ")
    assert own[3].endswith("дольше всех 2 ч 0 мин")
    assert own[4] == "Обещаний ответить: 1, ближайшее 02.03 14:30"
    assert "Весь офис" not in own
    await world.take(asks(StaffQuestion.TODAY, DIR, 7821))
    both = (await last_told(world, "dir")).split("\n\n")
    assert both[0].splitlines()[1:] == [
        "Звонки: принято 0, пропущено 0",
        "Новых лидов: 0, ответов клиентам: 0",
        "Ответа никто не ждёт",
    ]
    assert both[1].splitlines() == [
        "Весь офис",
        "Звонки: принято 2, пропущено 2",
        "Новых лидов: 4, ответов клиентам: 1",
        "Ждут ответа: 2, дольше всех 2 ч 0 мин",
        "Обещаний ответить: 1, ближайшее 02.03 14:30",
    ]


async def test_yesterday_is_not_today(world: World) -> None:
    await world.take(missed("m1", "+79160000001", at(0)), talked("t1", "+79160000002", at(5)))
    await world.take(asks(StaffQuestion.TODAY, DIR, 86_400))
    office = (await last_told(world, "dir")).split("\n\n")[1].splitlines()
    assert office[1:3] == ["Звонки: принято 0, пропущено 0", "Новых лидов: 0, ответов клиентам: 0"]
    assert office[3] == "Ждут ответа: 1, дольше всех 23 ч 59 мин"


async def test_help_and_every_question_is_answered_once_and_in_private(world: World) -> None:
    asked = asks(StaffQuestion.HELP, IVAN, 5, conversation="-100200")
    await world.take(asked, asked)
    await world.take(asked)
    (notice,) = await told(world, "ivan")
    assert notice["text"].startswith("Что умеет этот бот")
    assert notice["conversation"] == "1001"
    await world.take(asks(StaffQuestion.HELP, IVAN, 6))
    assert len(await told(world, "ivan")) == 2


async def test_in_english(migrated_url: str) -> None:
    async with world_on(migrated_url, replace(OFFICE, language="en")) as world:
        await world.take(asks(StaffQuestion.TODAY, DIR, 5), asks(StaffQuestion.HELP, DIR, 6))
        today, helped = [each["text"] for each in await told(world, "dir")]
        assert today.startswith("Your day as of 02.03 12:00")
        assert "The whole office" in today
        assert helped.startswith("What this bot can do")


async def test_who_writes_to_the_bot_just_so_learns_that_nobody_reads_it(world: World) -> None:
    await world.take(writes("Здравствуйте, перезвоню завтра", IVAN, 5))
    assert (await last_told(world, "ivan")).startswith("Это никому не отправлено.")
    await world.take(writes("/start", IVAN, 6, asks=False))
    assert (await last_told(world, "ivan")).startswith("Что умеет этот бот")
    world.clock.set(at(5000))
    await world.take(writes("давно", IVAN, 7), replace(writes("в группе", IVAN, 5000), group=True))
    assert len(await told(world, "ivan")) == 2
    assert await world.rows("contact") == []


# ---------------------------------------------------------------- strangers


@pytest.fixture
async def dismissed(world: World) -> World:
    """Petr does not work here any more."""
    from crm_core.storage import tables
    from crm_core.storage.staff import touch_staff

    def dismiss(conn: Any) -> None:
        table = tables.app_user
        conn.execute(table.update().where(table.c.login == "petr").values(active=False))
        touch_staff(conn)

    await world.store.database.write(dismiss)
    return world


@pytest.mark.parametrize("who", [STRANGER, PETR])
async def test_whoever_is_not_staff_is_a_client_and_learns_nothing(dismissed: World, who: int) -> None:
    world = dismissed
    await world.take(message(7, "a", at(0)))
    contact = await holder(world, "tg:7")
    await world.take(
        asks(StaffQuestion.TODAY, who, 5),
        asks(StaffQuestion.HELP, who, 6),
        answers(contact, "Отдайте мне клиента", who, 7),
        presses(StaffAct.WRITE, contact, who, 8),
    )
    assert await world.rows("outbox", kind="message") == []
    notices = await world.rows("outbox", kind="notification")
    assert not [row for row in notices if row.payload["conversation"] == str(who)]
    written = await world.rows("timeline", contact_id=await holder(world, f"tg:{who}"), direction="in")
    assert [row.text for row in written] == ["/today", "/help", "Отдайте мне клиента"]


async def test_another_bot_is_no_staff_bot(world: World) -> None:
    await world.take(message(7, "a", at(0)))
    contact = await holder(world, "tg:7")
    shop = replace(STAFF, account="shop")
    bare = StaffReply(tg(IVAN), contact, "Здравствуйте")
    receipts = await world.take(
        fact(shop, bare, at(5), tg(IVAN)),
        fact(shop, StaffAsked(tg(IVAN), StaffQuestion.TODAY), at(6), tg(IVAN)),
        fact(shop, StaffCommand(tg(IVAN), StaffAct.WRITE, contact), at(7), tg(IVAN)),
    )
    assert {receipt.state for receipt in receipts} == {ReceiptState.IGNORED}
    assert await world.rows("outbox", kind="message") == []
    assert not [each for each in await told(world, "ivan") if each["cause"].startswith("asked:")]


@pytest.mark.parametrize(
    ("right", "act", "kind"),
    [
        (Right.SETTLE_CASES, StaffAct.TAKEN, "contact_case"),
        (Right.SETTLE_CASES, StaffAct.PROMISE, "contact_case"),
        (Right.SETTLE_CASES, StaffAct.CLOSE, "contact_case"),
        (Right.KEEP_SALES, StaffAct.TAKE_LEAD, "lead"),
    ],
)
async def test_whose_role_may_not_changes_nothing_by_a_button_either(
    world: World, monkeypatch: pytest.MonkeyPatch, right: Right, act: StaffAct, kind: str
) -> None:
    await world.take(message(7, "Нужны окна", at(0)))
    before = await world.row(kind)
    monkeypatch.setattr(access, "TABLE", {**TABLE, right: dict.fromkeys(Role, Reach.NONE)})
    (receipt,) = await world.take(presses(act, before.id, IVAN, 60))
    assert receipt.state is ReceiptState.DONE
    assert receipt.answer == told_in(Sentence("the role «{role}» may not {right}", role="manager", right=right), "ru")
    assert "не разрешено" in receipt.answer
    assert await world.row(kind) == before
    assert not await world.rows("timeline", author="ivan")


async def test_whose_role_may_not_write_to_clients_does_not_by_the_bot_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.take(message(7, "Нужны окна", at(0)))
    client = (await world.row("contact")).id
    monkeypatch.setattr(access, "TABLE", {**TABLE, Right.KEEP_CLIENTS: dict.fromkeys(Role, Reach.NONE)})
    await world.take(answers(client, "Перезвоню", IVAN, 60))
    assert "не разрешено" in await last_told(world, "ivan")
    assert not await world.rows("outbox", kind="message")
