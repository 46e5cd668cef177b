"""The selling pipeline (C1, C2, C6, C7): five minutes to react, stages with deadlines, forward only."""

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
