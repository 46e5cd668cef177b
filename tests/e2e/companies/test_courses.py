"""Courses (A1–A6, A8, A9): enquiries of every channel become cards that tag, move and close themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crm_core.model.user import Role
from tests.contract.channels.mail import Mail
from tests.contract.channels.provider import Provider
from tests.contract.channels.telegram import Telegram
from tests.contract.channels.vk import Vk
from tests.e2e.companies.company import OFFICE, Company, People, company

pytestmark = pytest.mark.timeout(300)
RUSSIA = "Курсы: Россия"
CLOSED = "Закрыто и не реализовано"
# Everybody has an area: these sell in Russia and in Kazakhstan.
PEOPLE: People = (
    *(person for person in OFFICE if person[0] != "ivan"),
    ("ivan", "Иван Петров", Role.MANAGER, "Россия"),
    ("aida", "Аида", Role.MANAGER, "Казахстан"),
)


@dataclass
class Courses:
    """The company, and its clients by channel."""

    office: Company
    vk: Vk
    telegram: Telegram
    mail: Mail

    async def card(self, identity: str) -> dict[str, Any]:
        """The one card of a client."""
        client = await self.office.client(identity)
        (found,) = await self.office.items(f"/deals?contact_id={client['id']}")
        return found


@pytest.fixture
async def courses(tmp_path: Path) -> AsyncIterator[Courses]:
    vk, telegram, mail = Vk("callback"), Telegram("webhook"), Mail()
    providers: dict[str, Provider] = {"vk": vk, "telegram": telegram, "email": mail}
    accounts = f'leads = false\npipeline = "{RUSSIA}"\ngroup = "Россия"\n'
    async with company("courses", tmp_path, PEOPLE, providers, accounts=accounts) as office:
        yield Courses(office, vk, telegram, mail)


async def test_every_enquiry_is_a_card_with_its_tags_and_a_task(courses: Courses) -> None:
    office = courses.office
    await courses.vk.say("Здравствуйте! Хочу на курс ITLS")
    await courses.telegram.say("Интересует первая помощь для водителей")
    await courses.mail.say("Нас десять человек, ООО Ромашка, нужен BLS")
    await office.form(
        name="Борис", phone="+79161234567", course="ACLS", city="Казань", utm_source="yandex", utm_campaign="кардио"
    )
    found = {}
    for name, identity in (
        ("vk", courses.vk.identity),
        ("telegram", courses.telegram.identity),
        ("mail", courses.mail.identity),
        ("form", "tel:+79161234567"),
    ):
        found[name] = await courses.card(identity)
    assert {each["pipeline"] for each in found.values()} == {RUSSIA}
    assert {"itls", "ВКонтакте"} <= set(found["vk"]["tags"])
    assert {"первая помощь", "водители", "Telegram"} <= set(found["telegram"]["tags"])
    assert {"bls", "Почта", "юридическое лицо"} <= set(found["mail"]["tags"])
    assert {"acls", "Сайт", "Яндекс.Директ"} <= set(found["form"]["tags"])
    await office.form(name="Ирина", phone="+79161230000", message="Сколько стоит?", utm_source="ig")
    assert {"Instagram", "Сайт"} <= set((await courses.card("tel:+79161230000"))["tags"])
    assert found["vk"]["stage"] == "Заинтересованный"
    assert found["mail"]["stage"] == "Лид", "there is an address to write to"
    assert found["form"]["stage"] == "Заявка", "course and city are known"
    # What the money of a campaign is reckoned by.
    assert (found["form"]["utm"]["source"], found["form"]["utm"]["campaign"]) == ("yandex", "кардио")
    assert found["form"]["source"] == "site"
    tasks = await office.tasks(deal_id=found["form"]["id"])
    assert [each["title"] for each in tasks] == ["Связаться: Борис"]


async def test_who_answers_is_reached_and_who_is_silent_is_closed(courses: Courses) -> None:
    office = courses.office
    await courses.vk.say("Когда ближайший ITLS?")
    await courses.telegram.say("Сколько стоит BLS?")
    reached, silent = await courses.card(courses.vk.identity), await courses.card(courses.telegram.identity)
    await office.post(
        f"/contacts/{reached['contact_id']}/messages", {"channel": "vk", "text": "В пятницу. Вам удобно?"}
    )
    await courses.vk.heard(1)
    await office.passes(minutes=1)
    assert await office.stage(reached["id"]) == "Заинтересованный"
    await courses.vk.say("Да, удобно")
    await office.becomes(reached["id"], "Связались")
    await office.passes(hours=335)
    assert await office.stage(silent["id"]) == "Заинтересованный"
    await office.passes(hours=2)
    assert await office.stage(silent["id"]) == CLOSED
    assert (await office.get(f"/deals/{silent['id']}"))["reason"] == "Не отвечает"
    await office.passes(hours=720 - 338)
    assert await office.stage(reached["id"]) == "Связались"
    await office.passes(hours=2)
    assert await office.stage(reached["id"]) == CLOSED


async def test_two_courses_of_one_client_are_two_cards(courses: Courses) -> None:
    office = courses.office
    await office.form(name="Борис", phone="+79161234567", course="ACLS", city="Казань")
    first = await courses.card("tel:+79161234567")
    second = await office.post(
        "/deals",
        {
            "title": "BLS",
            "contact_id": first["contact_id"],
            "pipeline": RUSSIA,
            "fields": {"course": "BLS", "city": "Казань"},
        },
        status=201,
    )
    assert second["id"] != first["id"]
    assert "bls" in second["tags"]
    for deal, amount in ((first, 25_000_00), (second, 9_000_00)):
        await office.patch(f"/deals/{deal['id']}", {"amount": {"amount": amount, "currency": "RUB"}})
        await office.post(f"/deals/{deal['id']}/move", {"stage": "Отправка реквизитов"})
    await office.post(f"/deals/{first['id']}/payments", {"amount": {"amount": 25_000_00, "currency": "RUB"}})
    assert await office.stage(first["id"]) == "Оплатил"
    assert await office.stage(second["id"]) == "Отправка реквизитов"
    await office.passes(days=4)
    await office.task("Позвонить и напомнить об оплате", deal_id=second["id"])
    assert not [each for each in await office.tasks(deal_id=first["id"]) if "об оплате" in each["title"]]


async def test_a_promise_to_pay_that_was_broken_is_followed_up(courses: Courses) -> None:
    office = courses.office
    await office.form(name="Борис", phone="+79161234567", course="ACLS", city="Казань")
    deal = await courses.card("tel:+79161234567")
    money = {"amount": 25_000_00, "currency": "RUB"}
    await office.patch(f"/deals/{deal['id']}", {"amount": money})
    await office.post(
        f"/deals/{deal['id']}/payments", {"kind": "promised", "amount": money, "due_on": "2026-03-06"}, status=201
    )
    await office.until_day("2026-03-06")
    assert not [each for each in await office.tasks() if each["title"].startswith("Обещал оплатить")]
    await office.until_day("2026-03-07")
    await office.task("Обещал оплатить и не оплатил")


async def test_who_said_when_to_pay_is_called_the_day_after(courses: Courses) -> None:
    office = courses.office
    await office.form(name="Борис", phone="+79161234567", course="ACLS", city="Казань")
    deal = await courses.card("tel:+79161234567")
    await office.patch(f"/deals/{deal['id']}", {"fields": {"pay_until": "2026-03-09"}})
    await office.post(f"/deals/{deal['id']}/move", {"stage": "Отправка реквизитов"})
    await office.until_day("2026-03-09")
    assert not [each for each in await office.tasks(deal_id=deal["id"]) if "об оплате" in each["title"]]
    await office.until_day("2026-03-10")
    await office.task("Позвонить и напомнить об оплате", deal_id=deal["id"])


async def test_everybody_has_an_area(courses: Courses) -> None:
    office = courses.office
    await office.form(name="Борис", phone="+79161234567", course="ACLS", city="Казань")
    deal = await courses.card("tel:+79161234567")
    await office.ask("GET", f"/deals/{deal['id']}", by="aida", status=404)
    await office.post(f"/deals/{deal['id']}/move", {"stage": "Подумает"}, by="aida", status=404)
    mine = {each["name"] for each in await office.items("/pipelines", by="aida")}
    assert mine == {"Курсы: Казахстан"}
    assert len(await office.items("/pipelines", by="boss")) == 9
    assert len(await office.items("/pipelines", by="kira")) == 9
    # Who takes time to think leaves a next step.
    await office.post(f"/deals/{deal['id']}/move", {"stage": "Подумает"})
    await office.task("Назначить день следующей связи: Борис", deal_id=deal["id"])


async def test_what_a_campaign_brought_in_can_be_told(courses: Courses) -> None:
    office = courses.office
    campaigns = (
        ("Борис", "+79161234501", "yandex", "кардио", 25_000_00),
        ("Вера", "+79161234502", "yandex", "кардио", 0),
        ("Глеб", "+79161234503", "vk", "весна", 9_000_00),
        ("Дарья", "+79161234504", "vk", "весна", 9_000_00),
    )
    for name, phone, source, campaign, amount in campaigns:
        marks = {
            "utm_source": source,
            "utm_medium": "cpc",
            "utm_campaign": campaign,
            "utm_content": "a1",
            "utm_term": "курс",
        }
        await office.form(name=name, phone=phone, course="ACLS", city="Казань", **marks)
        deal = await courses.card(f"tel:{phone}")
        if amount:
            await office.passes(days=2)
            await office.patch(f"/deals/{deal['id']}", {"amount": {"amount": amount, "currency": "RUB"}})
            await office.post(f"/deals/{deal['id']}/move", {"stage": "Отправка реквизитов"})
            await office.post(f"/deals/{deal['id']}/payments", {"amount": {"amount": amount, "currency": "RUB"}})
            await office.patch(f"/deals/{deal['id']}", {"fields": {"course_on": "2026-03-20"}})
            await office.post(f"/deals/{deal['id']}/move", {"stage": "Посетил курс"})
    await courses.vk.say("Хочу на ITLS")
    await courses.card(courses.vk.identity)
    # The same client once more: purchases and money of a client add up.
    again = await office.items("/deals?limit=1000")
    boris = next(
        each
        for each in again
        if each["title"] and each["fields"].get("course") == "ACLS" and each["amount"]["amount"] == 25_000_00
    )
    second = await office.post(
        "/deals",
        {"title": "BLS", "contact_id": boris["contact_id"], "pipeline": RUSSIA, "utm": boris["utm"]},
        status=201,
    )
    await office.patch(f"/deals/{second['id']}", {"amount": {"amount": 9_000_00, "currency": "RUB"}})
    await office.post(f"/deals/{second['id']}/payments", {"amount": {"amount": 9_000_00, "currency": "RUB"}})

    deals = await office.items("/deals?limit=1000")
    assert {each["source"] for each in deals} >= {"site"}
    assert all(each["source"] for each in deals if each["id"] != second["id"]), "every card knows where it is from"
    of: dict[tuple[str, str], list[int]] = {}
    for each in deals:
        if each["utm"].get("campaign"):
            assert each["utm"]["medium"] == "cpc"
            of.setdefault((each["utm"]["source"], each["utm"]["campaign"]), []).append(each["paid"]["amount"])
    assert {key: (len(paid), sum(paid)) for key, paid in of.items()} == {
        ("yandex", "кардио"): (3, 34_000_00),
        ("vk", "весна"): (2, 18_000_00),
    }
    # The money has its day, the sale its beginning and its end: revenue by period, cycle, purchases of a client.
    (payment,) = await office.items(f"/deals/{boris['id']}/payments")
    assert payment["at"].startswith("2026-03-04")
    closed = next(each for each in deals if each["id"] == boris["id"])
    assert (closed["created_at"][:10], closed["closed_at"][:10]) == ("2026-03-02", "2026-03-04")
    theirs = [each for each in deals if each["contact_id"] == boris["contact_id"]]
    assert (len(theirs), sum(each["paid"]["amount"] for each in theirs)) == (2, 34_000_00)
    stays = (await office.get(f"/deals/{boris['id']}/stages"))["items"]
    assert [each["stage"] for each in stays] == [
        "Заинтересованный",
        "Заявка",
        "Отправка реквизитов",
        "Оплатил",
        "Посетил курс",
    ]


async def test_a_segment_is_written_to_and_who_left_is_not(courses: Courses) -> None:
    office = courses.office
    await courses.vk.say("Хочу на ITLS")
    await courses.telegram.say("Хочу на ITLS")
    stays, leaves = [await office.client(each) for each in (courses.vk.identity, courses.telegram.identity)]
    for client in (stays, leaves):
        await office.patch(f"/contacts/{client['id']}", {"fields": {"consent": True}})
    await office.post(f"/contacts/{leaves['id']}/opt-out")
    text = "{{ contact.name }}, набираем группу ITLS на апрель"
    made = await office.post(
        "/broadcasts", {"name": "Апрель", "segment": "Согласны на рассылку", "text": text}, by="boss", status=201
    )
    await office.post(f"/broadcasts/{made['id']}/start", by="boss")
    await office.passes(minutes=5)
    (heard,) = await courses.vk.heard(1)
    assert "набираем группу ITLS" in heard.text
    progress = (await office.get(f"/broadcasts/{made['id']}"))["progress"]
    assert [(each["why"], each["count"]) for each in progress["reasons"]] == [("opted_out", 1)]
