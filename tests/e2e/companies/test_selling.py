"""The selling pipeline (C1–C11): five minutes to react, stages with deadlines, renewals, refusals won back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.channels.telegram import Telegram
from tests.e2e.companies.company import Company, company

pytestmark = pytest.mark.timeout(300)
CLIENT = "+79161234567"


@pytest.fixture
async def selling(tmp_path: Path) -> AsyncIterator[Company]:
    async with company(
        "selling", tmp_path, providers={"telegram": Telegram("webhook")}, accounts='group = "продажи"\n'
    ) as found:
        yield found


async def lead(selling: Company, phone: str = CLIENT, **form: str) -> dict[str, Any]:
    await selling.form(phone=phone, name="Анна", message="Нужна лицензия", **form)
    client = await selling.client(f"tel:{phone}")
    (found,) = await selling.items(f"/leads?contact_id={client['id']}")
    return found


async def deal(selling: Company, **fields: Any) -> int:
    converted = await selling.post(f"/leads/{(await lead(selling))['id']}/convert", {"pipeline": "Новые клиенты"})
    if fields:
        await selling.patch(f"/deals/{converted['deal_id']}", fields)
    return int(converted["deal_id"])


async def sell(selling: Company, deal_id: int) -> None:
    fields = {"decision_maker": "Директор", "task": "Учёт", "budget": {"amount": 1, "currency": "RUB"}}
    await selling.patch(
        f"/deals/{deal_id}",
        {"amount": {"amount": 90_000_00, "currency": "RUB"}, "fields": {**fields, "until": "2027-03-01"}},
    )
    for stage in ("Контакт состоялся", "Вышли на ЛПР", "Встреча проведена", "КП отправлено", "Согласие получено"):
        await selling.post(f"/deals/{deal_id}/move", {"stage": stage})
    await selling.post(f"/deals/{deal_id}/move", {"stage": "Счёт выставлен"})
    await selling.post(f"/deals/{deal_id}/payments", {"amount": {"amount": 90_000_00, "currency": "RUB"}})


async def told(selling: Company, login: str, words: str) -> bool:
    """Whether a person was to be told something with these words."""
    sql = "SELECT payload FROM outbox WHERE kind = 'notification'"
    rows = await selling.hub.store.read(lambda conn: [str(row[0]) for row in conn.exec_driver_sql(sql)])
    return any(login in row and words in row for row in rows)


async def test_a_lead_has_five_minutes(selling: Company) -> None:
    found = await lead(selling)
    assert [each["title"] for each in await selling.tasks(lead_id=found["id"])] == [
        "Взять лид: Анна",
        "Квалифицировать: Анна",
    ]
    await selling.passes(minutes=4)
    assert not await told(selling, "boss", "Анна")
    await selling.passes(minutes=2)
    assert await told(selling, "boss", "Анна")
    (case,) = await selling.items("/cases?state=open")
    await selling.post(f"/leads/{found['id']}/take")
    await selling.post(f"/cases/{case['id']}/close", {"reason": "созвонились"})
    await selling.passes(hours=1)
    assert not await told(selling, "dina", "Анна"), "whoever was spoken to climbs no further"


async def test_a_rejection_is_checked_at_once(selling: Company) -> None:
    found = await lead(selling)
    await selling.post(f"/leads/{found['id']}/reject", {"reason": "не звонил"})
    await selling.task("Проверить отказ: Анна — не звонил", assignee="boss")


async def test_a_card_that_stands_too_long_is_the_heads_task(selling: Company) -> None:
    deal_id = await deal(selling)
    await selling.task("Выйти на контакт", assignee="ivan", deal_id=deal_id)
    await selling.passes(minutes=59)
    assert not await selling.tasks(assignee="boss", deal_id=deal_id)
    await selling.passes(minutes=2)
    await selling.task("Проверить, почему стоит", assignee="boss", deal_id=deal_id)
    refused = await selling.post(f"/deals/{deal_id}/move", {"stage": "Вышли на ЛПР"}, status=422)
    assert "Кто решает" in refused["detail"]


async def test_the_way_is_forward_only(selling: Company) -> None:
    deal_id = await deal(selling)
    await selling.post(f"/deals/{deal_id}/move", {"stage": "Контакт состоялся"})
    refused = await selling.post(f"/deals/{deal_id}/move", {"stage": "Не обработана"}, status=409)
    assert "вперёд" in refused["detail"]


async def test_a_licence_is_renewed_25_days_ahead(selling: Company) -> None:
    deal_id = await deal(selling)
    await sell(selling, deal_id)
    assert await selling.stage(deal_id) == "Оплата получена"
    (renewal,) = await selling.deals("Повторные продажи")
    assert (renewal["stage"], renewal["fields"]["until"]) == ("Лицензия действует", "2027-03-01")
    await selling.until_day("2027-02-03")
    assert await selling.stage(renewal["id"]) == "Лицензия действует"
    await selling.until_day("2027-02-04")
    assert await selling.stage(renewal["id"]) == "Пора продлевать"
    await selling.task("Напомнить о продлении", deal_id=renewal["id"])
    # Paid again: the next year begins by itself.
    await selling.patch(
        f"/deals/{renewal['id']}",
        {"amount": {"amount": 95_000_00, "currency": "RUB"}, "fields": {"until": "2028-03-01"}},
    )
    await selling.post(f"/deals/{renewal['id']}/payments", {"amount": {"amount": 95_000_00, "currency": "RUB"}})
    assert await selling.stage(renewal["id"]) == "Продлено"
    again = [each for each in await selling.deals("Повторные продажи") if each["id"] != renewal["id"]]
    assert [(each["stage"], each["fields"]["until"]) for each in again] == [("Лицензия действует", "2028-03-01")]


async def test_a_refusal_is_won_back_by_its_reason(selling: Company) -> None:
    deal_id = await deal(selling)
    await selling.post(f"/deals/{deal_id}/move", {"stage": "Отказ"}, status=422)
    await selling.post(f"/deals/{deal_id}/move", {"stage": "Отказ", "reason": "Дорого"})
    (refused,) = await selling.deals("Отказники")
    assert (refused["stage"], "Дорого" in refused["tags"]) == ("Ждёт касания", True)
    await selling.passes(days=29)
    assert await selling.stage(refused["id"]) == "Ждёт касания"
    await selling.passes(days=2)
    assert await selling.stage(refused["id"]) == "Вторичное касание"
    await selling.task("Вернуться к клиенту", deal_id=refused["id"])


async def test_a_grave_sum_is_the_heads(selling: Company) -> None:
    deal_id = await deal(selling)
    await selling.patch(f"/deals/{deal_id}", {"amount": {"amount": 600_000_00, "currency": "RUB"}})
    await selling.patch(f"/deals/{deal_id}", {"amount": {"amount": 700_000_00, "currency": "RUB"}})
    await selling.task("Крупная сделка", assignee="boss", deal_id=deal_id)
