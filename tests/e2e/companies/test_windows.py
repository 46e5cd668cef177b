"""Windows (B1–B5): a form of the site becomes a lead, a measured order, a sale on instalments, a demand put off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from crm_core.model.user import Role
from tests.e2e.companies.company import OFFICE, Company, company, token_of

pytestmark = pytest.mark.timeout(300)
PEOPLE = (*OFFICE, ("petr", "Пётр Замеров", Role.MANAGER, "замерщики"))
RUB = {"currency": "RUB"}


@pytest.fixture
async def windows(tmp_path: Path) -> AsyncIterator[Company]:
    # The surveyors sell nothing: leads of the site are the sellers'.
    async with company("windows", tmp_path, PEOPLE, accounts='group = "продажи"\n') as found:
        yield found


async def lead_of(windows: Company, phone: str, **form: str) -> dict[str, Any]:
    await windows.form(phone=phone, **form)
    client = await windows.client(f"tel:{phone}")
    (lead,) = await windows.items(f"/leads?contact_id={client['id']}")
    return lead


async def uploaded(windows: Company, name: str, *, by: str) -> int:
    """The id of a file that somebody sent."""
    data = FormData()
    data.add_field("file", b"%PDF-1.7 sketch", filename=name, content_type="application/pdf")
    headers = {"Authorization": f"Bearer {token_of(by)}"}
    async with windows.session.post("/api/v1/files", data=data, headers=headers) as response:
        assert response.status == 201, await response.text()
        return int((await response.json())["id"])


async def test_a_window_from_the_form_to_the_last_instalment(windows: Company) -> None:
    lead = await lead_of(
        windows, "+79161234567", name="Анна", message="Нужны окна", **{"Сколько окон": "5", "Адрес": "Лесная, 5"}
    )
    assert (lead["manager"], lead["fields"]["windows"], lead["fields"]["address"]) == ("ivan", 5, "Лесная, 5")
    await windows.task("Связаться и квалифицировать", assignee="ivan")

    # Qualified: contact, company and deal in one act.
    converted = await windows.post(
        f"/leads/{lead['id']}/convert", {"pipeline": "Продажа", "company": {"name": "ООО Ромашка"}}
    )
    deal_id = converted["deal_id"]
    deal = await windows.get(f"/deals/{deal_id}")
    assert (deal["stage"], deal["manager"], deal["fields"]["windows"]) == ("Сбор данных", "ivan", 5)
    assert (await windows.client("tel:+79161234567"))["company"] == "ООО Ромашка"

    await windows.patch(f"/deals/{deal_id}", {"amount": {"amount": 300_000_00, **RUB}})
    await windows.post(f"/deals/{deal_id}/move", {"stage": "Коммерческое предложение отправлено"})
    refused = await windows.post(f"/deals/{deal_id}/move", {"stage": "Замер запланирован"}, status=422)
    assert "День замера" in refused["detail"]
    await windows.patch(f"/deals/{deal_id}", {"fields": {"measure_on": "2026-03-05"}})
    await windows.post(f"/deals/{deal_id}/move", {"stage": "Замер запланирован"})

    # The head names a surveyor: the card goes on by itself, and the surveyor has the address on the telephone.
    naming = await windows.task("Назначить замерщика", assignee="boss", deal_id=deal_id)
    await windows.patch(f"/deals/{deal_id}", {"fields": {"surveyor": "petr"}}, by="boss")
    await windows.post(f"/tasks/{naming['id']}/close", {"result": "Поедет Пётр"}, by="boss")
    assert await windows.stage(deal_id) == "Замерщик назначен"
    measuring = await windows.task("Замер:", assignee="petr", deal_id=deal_id)
    assert "Лесная, 5" in measuring["text"]
    assert "05.03.2026" in measuring["text"]
    # What is sold to whom is no surveyor's business: neither this card nor any other, nor the boards.
    await windows.ask("GET", f"/deals/{deal_id}", by="petr", status=404)
    assert (await windows.get("/deals", by="petr"))["items"] == []
    assert (await windows.get("/pipelines", by="petr"))["items"] == []
    assert [each["id"] for each in (await windows.get("/tasks?assignee=petr", by="petr"))["items"]] == [measuring["id"]]
    assert (await windows.get(f"/deals/{deal_id}", by="ivan"))["id"] == deal_id
    assert (await windows.get(f"/deals/{deal_id}", by="kira"))["id"] == deal_id
    await windows.post(f"/tasks/{measuring['id']}/close", {"result": ""}, by="petr", status=422)
    measured = {"result": "Проёмы 140×120", "attachments": [await uploaded(windows, "замер.pdf", by="petr")]}
    await windows.post(f"/tasks/{measuring['id']}/close", measured, by="petr")
    entries = await windows.items(f"/contacts/{lead['contact_id']}/timeline?limit=1000")
    (told,) = [each for each in entries if "Проёмы 140×120" in each["text"]]
    assert (told["deal_id"], [each["name"] for each in told["attachments"]]) == (deal_id, ["замер.pdf"])

    await windows.post(f"/deals/{deal_id}/move", {"stage": "Замер выполнен"})
    await windows.patch(f"/deals/{deal_id}", {"fields": {"contract": "77/26", "instalment": True}})
    await windows.post(f"/deals/{deal_id}/move", {"stage": "Договор подписан"})
    await windows.post(f"/deals/{deal_id}/payments", {"amount": {"amount": 100_000_00, **RUB}})
    await windows.post(f"/deals/{deal_id}/move", {"stage": "Успешная продажа"})

    # A copy watches the instalments.
    (copy,) = await windows.deals("Контроль рассрочек")
    assert (copy["stage"], copy["contact_id"]) == ("Ожидание платежа", lead["contact_id"])
    assert (await windows.get(f"/deals/{copy['id']}/payments"))["balance"]["amount"] == 200_000_00
    entries = await windows.items(f"/contacts/{lead['contact_id']}/timeline?limit=1000")
    along = [file["name"] for each in entries if each["deal_id"] == copy["id"] for file in each["attachments"]]
    assert along == ["замер.pdf"], "documents go along"
    await windows.ask("PUT", f"/deals/{copy['id']}/instalments", {"count": 2, "first_on": "2026-04-01"})
    await windows.until_day("2026-04-01")
    assert await windows.stage(copy["id"]) == "Ожидание платежа", "the day of the payment is not over yet"
    await windows.until_day("2026-04-02")
    assert await windows.stage(copy["id"]) == "Просрочка"
    await windows.task("Просрочен платёж", assignee="ivan", deal_id=copy["id"])
    await windows.post(f"/deals/{copy['id']}/payments", {"amount": {"amount": 100_000_00, **RUB}})
    assert await windows.stage(copy["id"]) == "Ожидание платежа"
    # The last one is told by the accounting, twice.
    money = {"external_id": "ПКО-77", "deal_id": copy["id"], "amount": 100_000_00}
    for _ in range(2):
        taken = await windows.post("/payments/bulk", {"system": "1c", "rows": [money]}, by="boss")
        assert taken["refused"] == []
    assert await windows.stage(copy["id"]) == "Погашено"
    assert (await windows.get(f"/deals/{copy['id']}"))["paid"]["amount"] == 200_000_00
    await windows.passes(days=60)
    assert await windows.stage(copy["id"]) == "Погашено"


async def test_the_answers_of_a_lead_are_its_grade(windows: Company) -> None:
    answers = {"Бюджет": "Нужна рассрочка", "Что нужно": "Замена", "Когда нужно": "В этом месяце"}
    lead = await lead_of(windows, "+79163330000", name="Вера", message="Сколько стоит?", **answers)
    assert (lead["grade"], lead["title"].startswith("[В] ")) == ("В", True)
    lead = await windows.patch(f"/leads/{lead['id']}", {"fields": {"authority": "Сам"}})
    assert (lead["grade"], lead["title"].startswith("[А] ")) == ("А", True)


async def test_an_enquiry_that_is_none_is_checked_by_the_head(windows: Company) -> None:
    lead = await lead_of(windows, "+79161110000", name="Продвижение сайтов", message="Предлагаем рекламу")
    await windows.post(f"/leads/{lead['id']}/reject", {"reason": "спам"})
    await windows.task("Проверить отказ: Продвижение сайтов — спам", assignee="boss")
    assert await windows.deals("Продажа") == []


async def test_a_demand_put_off_comes_back_on_its_day(windows: Company) -> None:
    lead = await lead_of(windows, "+79162220000", name="Борис", message="Построимся летом")
    deal_id = (await windows.post(f"/leads/{lead['id']}/convert", {"pipeline": "Продажа"}))["deal_id"]
    await windows.patch(f"/deals/{deal_id}", {"fields": {"contact_on": "2026-06-01"}})
    await windows.post(f"/deals/{deal_id}/transfer", {"pipeline": "Отложенный спрос"})
    assert await windows.stage(deal_id) == "Ждём даты"
    await windows.until_day("2026-05-31")
    assert await windows.stage(deal_id) == "Ждём даты"
    await windows.until_day("2026-06-01")
    assert await windows.stage(deal_id) == "Пора связаться"
    await windows.task("Связаться, как договорились: Борис", assignee="ivan", deal_id=deal_id)
    await windows.post(f"/deals/{deal_id}/move", {"stage": "Вернулся в продажу"})
    (back,) = [each for each in await windows.deals("Продажа") if each["contact_id"] == lead["contact_id"]]
    assert (back["stage"], back["manager"]) == ("Сбор данных", "ivan")


async def test_money_taken_back_opens_the_last_instalment_again(windows: Company) -> None:
    lead = await lead_of(windows, "+79161234569", name="Вера")
    card = {"title": "Окна", "contact_id": lead["contact_id"], "pipeline": "Контроль рассрочек"}
    deal_id = (await windows.post("/deals", {**card, "amount": {"amount": 90_000_00, **RUB}}))["id"]
    await windows.ask("PUT", f"/deals/{deal_id}/instalments", {"count": 1, "first_on": "2026-03-31"})
    whole = {"amount": {"amount": 90_000_00, **RUB}}
    paid = await windows.post(f"/deals/{deal_id}/payments", whole)
    assert await windows.stage(deal_id) == "Погашено"
    await windows.ask("DELETE", f"/payments/{paid['id']}", by="boss")
    assert await windows.stage(deal_id) == "Ожидание платежа"
    paid = await windows.post(f"/deals/{deal_id}/payments", whole)
    assert await windows.stage(deal_id) == "Погашено"

    # The day passes before it is found out.
    await windows.until_day("2026-04-02")
    await windows.ask("DELETE", f"/payments/{paid['id']}", by="boss")
    await windows.until_day("2026-04-03")
    assert await windows.stage(deal_id) == "Просрочка"
    await windows.task("Просрочен платёж", assignee="ivan", deal_id=deal_id)
