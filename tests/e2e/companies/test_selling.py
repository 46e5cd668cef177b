"""The selling pipeline (C1–C10): five minutes to react, junk checked, stages with deadlines, clients who come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_core.messages import ChannelKey
from crm_core.ports import ChannelState
from hub.demo.peers.process import free_port
from hub.demo.peers.scripted_pbx import LOOPBACK, ScriptedPbx
from tests.contract.channels.telegram import Telegram
from tests.e2e.companies.company import Company, company
from tests.integration.pbx.waiting import until

pytestmark = pytest.mark.timeout(300)
CLIENT = "+79161234567"
_RINGING = """
[robot]
on_take = true
[[pbx]]
name = "office"
ami = "ami://hub:secret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
trunk = "PJSIP/{{number}}@trunk"
[[line]]
number = "+74951234567"
group = "продажи"
"""
NEW, REPEAT, ORDERS, REFUSED, WARMED = (
    "Новые клиенты",
    "Повторные продажи",
    "Регулярные заказы",
    "Отказники",
    "Прогрев",
)


@dataclass
class Selling(Company):
    """The company, and its bot."""

    telegram: Telegram

    async def lead(self, phone: str = CLIENT, name: str = "Анна", **form: str) -> dict[str, Any]:
        """What becomes of a form that a client fills in."""
        await self.form(phone=phone, name=name, message="Нужна лицензия", **form)
        return await self.lead_of(f"tel:{phone}")

    async def lead_of(self, identity: str) -> dict[str, Any]:
        """The one lead of a client."""
        client = await self.client(identity)
        (found,) = await self.items(f"/leads?contact_id={client['id']}")
        return found

    async def deal(self, phone: str = CLIENT, name: str = "Анна", **fields: Any) -> int:
        """A client's new deal."""
        lead = await self.lead(phone, name)
        converted = await self.post(f"/leads/{lead['id']}/convert", {"pipeline": NEW, **fields})
        return int(converted["deal_id"])

    async def move(self, deal_id: int, *stages: str, **more: Any) -> None:
        """A manager moves a card from stage to stage."""
        for stage in stages:
            await self.post(f"/deals/{deal_id}/move", {"stage": stage, **more})

    async def sell(self, deal_id: int, roubles: int, **fields: Any) -> None:
        """The way of a deal to its payment."""
        known = {"decision_maker": "Директор", "task": "Учёт", "budget": rub(roubles)}
        await self.patch(f"/deals/{deal_id}", {"amount": rub(roubles), "fields": {**known, **fields}})
        await self.move(deal_id, "Контакт состоялся", "Вышли на ЛПР", "Встреча проведена", "КП отправлено")
        await self.move(deal_id, "Согласие получено", "Счёт выставлен")
        await self.pay(deal_id, roubles)
        assert await self.stage(deal_id) == "Оплата получена"

    async def pay(self, deal_id: int, roubles: int) -> None:
        """Money comes."""
        await self.post(f"/deals/{deal_id}/payments", {"amount": rub(roubles)})

    async def told(self, login: str, words: str) -> int:
        """How often a person was to be told something with these words."""
        sql = "SELECT payload FROM outbox WHERE kind = 'notification'"
        rows = await self.hub.store.read(lambda conn: [str(row[0]) for row in conn.exec_driver_sql(sql)])
        return sum(login in row and words in row for row in rows)


def rub(roubles: int) -> dict[str, Any]:
    return {"amount": roubles * 100, "currency": "RUB"}


@asynccontextmanager
async def opened(folder: Path, settings: str = "") -> AsyncIterator[Selling]:
    telegram = Telegram("webhook")
    async with company(
        "selling", folder, providers={"telegram": telegram}, settings=settings, accounts='group = "продажи"\n'
    ) as found:
        yield Selling(found.hub, found.clock, found.session, telegram)


@pytest.fixture
async def selling(tmp_path: Path) -> AsyncIterator[Selling]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def pbx() -> AsyncIterator[ScriptedPbx]:
    """An exchange with Ivan's telephone; the hub's questions go to a port that nobody asks here."""
    exchange = ScriptedPbx("secret", (LOOPBACK, free_port()))
    exchange.phones = {"101": None}
    await exchange.start()
    yield exchange
    await exchange.stop()


@pytest.fixture
async def ringing(tmp_path: Path, pbx: ScriptedPbx) -> AsyncIterator[Selling]:
    """The company with an exchange, and the robot that rings on taking."""
    settings = _RINGING.format(ami=pbx.port, agi=free_port())
    async with opened(tmp_path, settings) as found:
        await found.patch("/users/ivan", {"extension": "PJSIP/101"}, by="root")
        link = found.hub.channels[ChannelKey("pbx", "office")]
        await until(lambda: link.health.state is ChannelState.CONNECTED)
        yield found


# ---------------------------------------------------------------- leads


async def test_a_lead_has_five_minutes(selling: Selling) -> None:
    found = await selling.lead()
    assert await selling.told("ivan", "Новый лид: Анна")
    take, qualify = sorted(await selling.tasks(lead_id=found["id"]), key=lambda each: str(each["title"]))
    assert (take["title"], qualify["title"]) == ("Взять лид: Анна", "Квалифицировать: Анна")
    within = datetime.fromisoformat(take["due_at"]) - datetime.fromisoformat(take["created_at"])
    assert within == timedelta(minutes=5)
    await selling.passes(minutes=4, seconds=59)
    assert not await selling.told("boss", "Анна")
    await selling.passes(seconds=2)
    assert await selling.told("boss", "Анна")
    assert not await selling.told("dina", "Анна")
    await selling.passes(minutes=25)
    assert await selling.told("dina", "Анна"), "half an hour is the director's"


async def test_a_lead_that_is_taken_in_time_is_rung_at_once(ringing: Selling, pbx: ScriptedPbx) -> None:
    await ringing.telegram.say("Сколько стоит лицензия?")
    found = await ringing.lead_of(ringing.telegram.identity)
    await ringing.patch(f"/contacts/{found['contact_id']}", {"identities": [f"tel:{CLIENT}"]})
    await ringing.passes(minutes=3)
    await ringing.post(f"/leads/{found['id']}/take")
    # The manager's telephone rings; the client's does as soon as it is picked up.
    await until(lambda: bool(pbx.placed))
    assert [(each["Channel"], each["Exten"]) for each in pbx.placed] == [("PJSIP/101", CLIENT)]
    (callback,) = await ringing.items(f"/callbacks?contact_id={found['contact_id']}")
    assert (callback["reason"], callback["state"], callback["manager"]) == ("taken", "dialling", "ivan")
    assert await ringing.tasks(kind="взять") == [], "to be taken is what it was"
    await ringing.task("Квалифицировать", lead_id=found["id"])
    # Who is answered in time is nobody's alarm.
    await ringing.post(f"/contacts/{found['contact_id']}/messages", {"channel": "telegram", "text": "Сейчас наберу"})
    await ringing.telegram.heard(1)
    await ringing.passes(hours=1)
    assert not await ringing.told("boss", "Анна")


async def test_at_night_the_five_minutes_begin_in_the_morning(selling: Selling) -> None:
    await selling.passes(hours=10)  # 22:00
    await selling.lead()
    await selling.passes(hours=11, minutes=4)
    assert not await selling.told("boss", "Анна")
    await selling.passes(minutes=2)
    assert await selling.told("boss", "Анна")


async def test_a_rejection_is_checked_at_once(selling: Selling) -> None:
    found = await selling.lead()
    await selling.post(f"/leads/{found['id']}/reject", {"reason": "не звонил"})
    check = await selling.task("Проверить отказ: Анна — не звонил", assignee="boss")
    assert datetime.fromisoformat(check["due_at"]) - selling.clock.now() == timedelta(hours=1)
    # The head finds a supplier: on the list, and none of them is a lead again.
    await selling.patch(f"/contacts/{found['contact_id']}", {"list": "Поставщики"}, by="boss")
    await selling.form(phone=CLIENT, name="Анна", message="Предлагаем бумагу")
    assert len(await selling.items(f"/leads?contact_id={found['contact_id']}")) == 1
    assert await selling.deals(NEW) == []


async def test_the_answers_of_a_form_are_the_grade_by_which_work_is_sorted(selling: Selling) -> None:
    cold = {"Бюджет": "Нет", "Срочность": "Не срочно", "Потребность": "Неясна"}
    hot = {"Бюджет": "Выделен", "Когда нужно": "Немедленно", "Потребность": "Ярко выражена"}
    last = await selling.lead("+79160000001", "Вера", **cold)
    assert (last["grade"], last["title"].startswith("[ССС] ")) == ("ССС", True)
    first = await selling.lead("+79160000002", "Глеб", **hot)
    assert first["grade"] == "ААА"
    middle = await selling.lead("+79160000003", "Дарья", Бюджет="Согласуется")
    assert middle["grade"] is None, "not everything is known"
    known = {"urgency": "В этом квартале", "need": "Есть"}
    middle = await selling.patch(f"/leads/{middle['id']}", {"fields": known})
    assert (middle["grade"], middle["title"].startswith("[ВВВ] ")) == ("ВВВ", True)
    order = [each["grade"] for each in await selling.items("/leads?sort=grade")]
    assert order == ["ААА", "ВВВ", "ССС"]
    for each in (last, first, middle):
        await selling.post(f"/leads/{each['id']}/convert", {"pipeline": NEW})
    pipelines = {each["name"]: each["id"] for each in await selling.items("/pipelines")}
    board = await selling.get(f"/pipelines/{pipelines[NEW]}/board?sort=grade")
    assert [each["title"][:5] for each in board["stages"][0]["cards"]] == ["[ААА]", "[ВВВ]", "[ССС]"]


# ---------------------------------------------------------------- deals


async def test_a_card_that_stands_too_long_is_the_heads_task(selling: Selling) -> None:
    deal_id = await selling.deal()
    await selling.task("Выйти на контакт", assignee="ivan", deal_id=deal_id)
    await selling.passes(minutes=59)
    assert not await selling.tasks(assignee="boss", deal_id=deal_id)
    await selling.passes(minutes=2)
    await selling.task("Проверить, почему стоит", assignee="boss", deal_id=deal_id)
    # Fields of a stage are asked for, and the way is forward only.
    refused = await selling.post(f"/deals/{deal_id}/move", {"stage": "Вышли на ЛПР"}, status=422)
    assert "Кто решает" in refused["detail"]
    await selling.move(deal_id, "Контакт состоялся")
    refused = await selling.post(f"/deals/{deal_id}/move", {"stage": "Не обработана"}, status=409)
    assert "вперёд" in refused["detail"]
    # The next stage has a working day, from 13:01 on Monday to 13:01 on Tuesday.
    await selling.passes(hours=23, minutes=59)
    assert len(await selling.tasks(assignee="boss", deal_id=deal_id)) == 1
    await selling.passes(minutes=2)
    assert len(await selling.tasks(assignee="boss", deal_id=deal_id)) == 2


async def test_a_large_sum_is_the_heads_matter_once(selling: Selling) -> None:
    deal_id = await selling.deal()
    await selling.patch(f"/deals/{deal_id}", {"amount": rub(499_999)})
    assert not await selling.told("boss", "Крупная сделка")
    await selling.patch(f"/deals/{deal_id}", {"amount": rub(500_000)})
    await selling.patch(f"/deals/{deal_id}", {"amount": rub(700_000)})
    await selling.task("Крупная сделка", assignee="boss", deal_id=deal_id)
    assert await selling.told("boss", "Крупная сделка") == 1


async def test_who_doubts_is_warmed_until_they_answer(selling: Selling) -> None:
    await selling.telegram.say("Сколько стоит лицензия?")
    lead = await selling.lead_of(selling.telegram.identity)
    deal_id = (await selling.post(f"/leads/{lead['id']}/convert", {"pipeline": NEW}))["deal_id"]
    await selling.move(deal_id, "Отказ", reason="Отложил покупку")
    (warmed,) = await selling.deals(WARMED)
    assert warmed["stage"] == "Получает материалы"
    await selling.settled()
    assert len(await selling.telegram.heard(1)) == 1
    await selling.passes(days=4)
    assert "которые задают чаще всего" in (await selling.telegram.heard(2))[1].text
    await selling.telegram.say("Да, расскажите")
    await selling.becomes(warmed["id"], "Ответил")
    await selling.task("Клиент ответил на прогрев", assignee="ivan", deal_id=warmed["id"])
    await selling.passes(days=30)
    assert len(await selling.telegram.heard(2)) == 2, "whoever answers is sent nothing more"
    await selling.move(warmed["id"], "Вернулся в продажу")
    (back,) = [each for each in await selling.deals(NEW) if each["id"] != deal_id]
    assert (back["stage"], back["manager"]) == ("Контакт состоялся", "ivan")


async def test_a_segment_is_dialled_until_there_is_a_meeting(selling: Selling) -> None:
    for number, bought in enumerate(("2025-10-01", "2025-11-01", "2026-02-20")):
        phone = f"tel:+7916000000{number}"
        body = {"name": f"Клиент {number}", "identities": [phone], "manager": "ivan"}
        await selling.post("/contacts", body, status=201)
        sale = {"external_id": f"s{number}", "at": f"{bought}T12:00:00Z", "amount": 500_000, "identity": phone}
        await selling.post("/sales", {"rows": [sale]}, by="root")
    await selling.passes(days=1)
    dialled = f"/pipelines/{next(each['id'] for each in await selling.items('/pipelines') if each['name'] == 'Обзвон')}"
    filled = await selling.post(f"{dialled}/fill", {"segment": "Не покупали три месяца"}, by="boss")
    assert filled["added"] == 2
    met = await selling.post(f"{dialled}/next-call")
    await selling.post(f"/deals/{met['deal']['id']}/call-result", {"stage": "Встреча назначена"})
    bored = await selling.post(f"{dialled}/next-call")
    await selling.post(f"/deals/{bored['deal']['id']}/call-result", {"stage": "Не интересно", "reason": "Не нужно"})
    assert {met["name"], bored["name"]} == {"Клиент 0", "Клиент 1"}
    assert (await selling.post(f"{dialled}/next-call"))["deal"] is None
    (deal,) = await selling.deals(NEW)
    assert (deal["contact_id"], deal["stage"], deal["manager"]) == (met["contact_id"], "Вышли на ЛПР", "ivan")


# ---------------------------------------------------------------- clients who come back


async def test_a_licence_is_renewed_25_days_ahead(selling: Selling) -> None:
    deal_id = await selling.deal()
    await selling.sell(deal_id, 90_000, until="2027-03-01")
    (renewal,) = await selling.deals(REPEAT)
    assert (renewal["stage"], renewal["fields"]["until"]) == ("Лицензия действует", "2027-03-01")
    await selling.until_day("2027-02-03")
    assert await selling.stage(renewal["id"]) == "Лицензия действует"
    await selling.until_day("2027-02-04")
    assert await selling.stage(renewal["id"]) == "Пора продлевать"
    await selling.task("Напомнить о продлении", assignee="ivan", deal_id=renewal["id"])
    # Paid again: the next year begins by itself.
    await selling.patch(f"/deals/{renewal['id']}", {"amount": rub(95_000), "fields": {"until": "2028-03-01"}})
    await selling.pay(renewal["id"], 95_000)
    assert await selling.stage(renewal["id"]) == "Продлено"
    (again,) = [each for each in await selling.deals(REPEAT) if each["id"] != renewal["id"]]
    assert (again["stage"], again["fields"]["until"]) == ("Лицензия действует", "2028-03-01")
    await selling.until_day("2028-02-04")
    assert await selling.stage(again["id"]) == "Лицензия действует", "of a leap year"
    await selling.until_day("2028-02-05")
    assert await selling.stage(again["id"]) == "Пора продлевать"


async def test_a_refusal_is_won_back_by_its_reason(selling: Selling) -> None:
    after = {"Недозвон": 14, "Дорого": 30, "Купил у конкурентов": 180}
    begun, cards = selling.clock.now(), {}
    for number, reason in enumerate(after):
        deal_id = await selling.deal(f"+7916000000{number}", f"Клиент {number}")
        if not number:
            await selling.post(f"/deals/{deal_id}/move", {"stage": "Отказ"}, status=422)
        await selling.move(deal_id, "Отказ", reason=reason)
        (card,) = [each for each in await selling.deals(REFUSED) if each["source_id"] == deal_id]
        assert (card["stage"], reason in card["tags"]) == ("Ждёт касания", True)
        cards[reason] = int(card["id"])
    for reason, days in after.items():
        await selling.until(begun + timedelta(days=days, minutes=-1))
        assert await selling.stage(cards[reason]) == "Ждёт касания"
        await selling.until(begun + timedelta(days=days, minutes=1))
        assert await selling.stage(cards[reason]) == "Вторичное касание"
        await selling.task("Вернуться к клиенту", assignee="ivan", deal_id=cards[reason])
    await selling.move(cards["Дорого"], "Вернулся в продажу")
    (back,) = [each for each in await selling.deals(NEW) if each["source_id"] == cards["Дорого"]]
    assert back["stage"] == "Контакт состоялся"


async def test_a_regular_order_comes_every_week_or_month(selling: Selling) -> None:
    weekly = await selling.deal("+79160000001", "Вера")
    await selling.sell(weekly, 9_000, until="2030-01-01", order_every="Неделю", next_order_on="2026-03-09")
    monthly = await selling.deal("+79160000002", "Глеб")
    await selling.sell(monthly, 30_000, until="2030-01-01", order_every="Месяц", next_order_on="2026-03-31")
    await selling.until_day("2026-03-08")
    assert await selling.deals(ORDERS) == []
    await selling.until_day("2026-03-09")
    (order,) = await selling.deals(ORDERS)
    assert (order["source_id"], order["stage"], order["amount"]["amount"]) == (weekly, "Принять заказ", 9_000_00)
    await selling.task("Связаться и принять заказ", assignee="ivan", deal_id=order["id"])
    await selling.pay(order["id"], 9_000)
    assert await selling.stage(order["id"]) == "Заказ оплачен"
    await selling.until_day("2026-05-05")
    made = [each["source_id"] for each in await selling.deals(ORDERS)]
    assert (made.count(weekly), made.count(monthly)) == (9, 2), "Mondays since 9 March; 31 March and 30 April"
    again = await selling.get(f"/deals/{monthly}")
    assert again["fields"]["next_order_on"] == "2026-05-31", "April is too short for the 31st, May is not"


async def test_the_generator_finds_who_bought_nothing_for_three_months(selling: Selling) -> None:
    ids = {}
    for number, (name, bought) in enumerate((("Вера", "2026-01-20"), ("Глеб", "2026-02-27"))):
        phone = f"+7916000000{number}"
        lead = await selling.lead(phone, name)
        ids[name] = lead["contact_id"]
        row = {"external_id": f"s{number}", "at": f"{bought}T12:00:00Z", "amount": 500_000, "identity": f"tel:{phone}"}
        await selling.post("/sales", {"rows": [row]}, by="root")
    refused = await selling.deal("+79160000009", "Дарья")
    await selling.move(refused, "Отказ", reason="Нет потребности")
    await selling.until_day("2026-04-30")
    assert [*await selling.deals(REPEAT), *await selling.deals(REFUSED)] == []
    await selling.until_day("2026-05-01")
    (card,) = await selling.deals(REPEAT)
    assert (card["contact_id"], card["stage"]) == (ids["Вера"], "Пора продлевать")
    assert card["title"] == "Вернуть: Вера"
    await selling.until_day("2026-06-01")
    assert sorted(each["contact_id"] for each in await selling.deals(REPEAT)) == sorted(ids.values()), "each once"
    (again,) = await selling.deals(REFUSED)
    assert (again["title"], again["stage"]) == ("Вернуть: Дарья", "Вторичное касание")
