"""Courses (A2–A6): enquiries of every channel become cards that tag, move and close themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.channels.mail import Mail
from tests.contract.channels.provider import Provider
from tests.contract.channels.telegram import Telegram
from tests.contract.channels.vk import Vk
from tests.e2e.companies.company import Company, company

pytestmark = pytest.mark.timeout(300)
RUSSIA = "Курсы: Россия"
CLOSED = "Закрыто и не реализовано"


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
    accounts = f'leads = false\npipeline = "{RUSSIA}"\ngroup = "продажи"\n'
    async with company("courses", tmp_path, providers=providers, accounts=accounts) as office:
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
