"""The wholesaler (E2–E6): a day's ladder, statuses worked out of shipments, clients that nobody talks with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.companies.company import Company, company

pytestmark = pytest.mark.timeout(300)
CLIENTS = {
    "постоянный": (10, 40, 70, 100),
    "разовый свежий": (20,),
    "разовый старый": (300,),
    "ушедший": (400, 420, 440),
}


@pytest.fixture
async def dispatch(tmp_path: Path) -> AsyncIterator[Company]:
    async with company("dispatch", tmp_path) as found:
        yield found


async def buyer(dispatch: Company, number: int, days_ago: tuple[int, ...]) -> dict[str, Any]:
    phone = f"+7916000{number:04}"
    body = {"name": f"Клиент {number}", "identities": [f"tel:{phone}"], "manager": "ivan"}
    client = dict(await dispatch.post("/contacts", body, status=201))
    rows = [
        {
            "external": f"1c:{number}-{position}",
            "identity": f"tel:{phone}",
            "name": "Кабель",
            "quantity": 10,
            "amount": {"amount": 1_000_000, "currency": "RUB"},
            "at": (dispatch.clock.now() - timedelta(days=ago)).isoformat(),
        }
        for position, ago in enumerate(days_ago)
    ]
    if rows:
        await dispatch.post("/sales", {"rows": rows}, by="root")
    return client


async def test_every_client_has_a_status_the_next_morning(dispatch: Company) -> None:
    made = {status: await buyer(dispatch, number, ago) for number, (status, ago) in enumerate(CLIENTS.items(), 1)}
    made["потенциальный"] = await buyer(dispatch, 99, ())
    await dispatch.passes(days=1)
    for status, client in made.items():
        assert (await dispatch.get(f"/contacts/{client['id']}"))["status"] == status
    await dispatch.task("Узнать, почему перестал покупать", contact_id=made["ушедший"]["id"])
    # Who comes back is no longer one that left.
    await buyer_again(dispatch, 4)
    await dispatch.passes(days=1)
    assert (await dispatch.get(f"/contacts/{made['ушедший']['id']}"))["status"] == "постоянный"
    assert "вернуть" not in (await dispatch.get(f"/contacts/{made['ушедший']['id']}"))["tags"]


async def buyer_again(dispatch: Company, number: int) -> None:
    row = {
        "external": f"1c:{number}-again",
        "identity": f"tel:+7916000{number:04}",
        "name": "Кабель",
        "quantity": 10,
        "amount": {"amount": 1_000_000, "currency": "RUB"},
        "at": dispatch.clock.now().isoformat(),
    }
    await dispatch.post("/sales", {"rows": [row, row]}, by="root")


async def test_a_client_whom_nobody_talks_with_for_a_quarter(dispatch: Company) -> None:
    await dispatch.form(name="Анна", phone="+79161234567", message="Нужен кабель")
    client = await dispatch.client("tel:+79161234567")
    (lead,) = await dispatch.items(f"/leads?contact_id={client['id']}")
    await dispatch.post(f"/leads/{lead['id']}/take")
    await dispatch.passes(days=89)
    assert not [each for each in await dispatch.tasks() if each["title"].startswith("Три месяца")]
    await dispatch.passes(days=2)
    await dispatch.task("Три месяца без общения: Анна", contact_id=client["id"])
