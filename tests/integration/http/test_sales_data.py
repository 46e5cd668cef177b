"""What accounting tells through the API: sales, payments and products, repeated, corrected, cancelled, refused."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.integration.http.world import World

WHEN = "2026-02-27T10:00:00+03:00"


async def tell(world: World, path: str, *rows: Any, system: str = "1c", **more: Any) -> Any:
    return await world.post(path, {"system": system, "rows": list(rows)}, login="root", **more)


def counts(answer: Any) -> tuple[int, ...]:
    return (*(answer[name] for name in ("created", "changed", "unchanged", "cancelled")), len(answer["refused"]))


async def sales(world: World, **query: Any) -> list[Any]:
    return list((await world.get("/sales", params=query))["items"])


async def test_products_come_and_change(world: World) -> None:
    rows = [
        {"external_id": "P1", "sku": "W-1", "name": "Окно", "price": 1000_00, "unit": "шт"},
        {"sku": "W-2", "name": "Дверь"},
    ]
    assert counts(await tell(world, "/products/bulk", *rows)) == (2, 0, 0, 0, 0)
    assert counts(await tell(world, "/products/bulk", *rows)) == (0, 0, 2, 0, 0)
    corrected = [{"external_id": "P1", "price": 900_00}, {"sku": "W-2", "external_id": "P2", "archived": True}]
    assert counts(await tell(world, "/products/bulk", *corrected)) == (0, 2, 0, 0, 0)
    (window,) = (await world.get("/products", params={"external": "1c:P1"}))["items"]
    assert (window["name"], window["price"]["amount"], window["version"]) == ("Окно", 900_00, 2)
    (door,) = (await world.get("/products", params={"external": "1c:P2", "archived": "true"}))["items"]
    assert (door["sku"], door["archived"]) == ("W-2", True)
    wrong = await tell(
        world,
        "/products/bulk",
        {"external_id": "P3", "sku": "W-1", "name": "Чужой артикул"},
        {"name": "Ничей"},
        {"external_id": "P4"},
        {"external_id": "P5", "name": "Цена", "price": -1},
        {"external_id": "P6", "name": "Хорошая"},
        "строка",
    )
    assert [each["row"] for each in wrong["refused"]] == [0, 1, 2, 3, 5]
    assert wrong["created"] == 1
    swapped = [{"external_id": "P1", "sku": "W-9"}, {"external_id": "P6", "sku": "W-1"}]
    assert counts(await tell(world, "/products/bulk", *swapped)) == (0, 2, 0, 0, 0)


async def test_sales_come_again_and_again(world: World) -> None:
    anna = await world.contact(name="Анна", identities=["tel:+79161234567"])
    await tell(world, "/products/bulk", {"external_id": "P1", "sku": "W-1", "name": "Окно"})
    rows = [
        {"external_id": "S1", "at": WHEN, "amount": 1000_00, "identity": "tel:+7 916 123-45-67", "sku": "W-1"},
        {
            "external_id": "S2",
            "at": WHEN,
            "amount": 500_00,
            "contact_id": anna["id"],
            "quantity": 2.5,
            "name": "Монтаж",
        },
    ]
    assert counts(await tell(world, "/sales", *rows)) == (2, 0, 0, 0, 0)
    assert counts(await tell(world, "/sales", *rows, headers={"Idempotency-Key": "x"})) == (0, 0, 2, 0, 0)
    # another program may use the same ids
    assert counts(await tell(world, "/sales", rows[0], system="erp")) == (1, 0, 0, 0, 0)
    rows[0]["amount"] = 900_00
    assert counts(await tell(world, "/sales", *rows)) == (0, 1, 1, 0, 0)
    (first,) = await sales(world, external="1c:S1")
    assert (first["amount"]["amount"], first["contact_id"], first["name"], first["at"]) == (
        *(900_00, anna["id"], "Окно", "2026-02-27T07:00:00Z"),
    )
    (second,) = await sales(world, external="1c:S2")
    assert (second["quantity"], second["product_id"]) == (2.5, None)
    gone = {"external_id": "S1", "cancelled": True}
    assert counts(await tell(world, "/sales", gone, gone, {"external_id": "S9", "cancelled": True})) == (0, 0, 2, 1, 0)
    assert await sales(world, external="1c:S1") == []
    assert counts(await tell(world, "/sales", rows[0])) == (1, 0, 0, 0, 0)
    # twice in one batch: the last word counts
    twice = [{**rows[0], "external_id": "S5"}, {**rows[0], "external_id": "S5", "amount": 7}]
    assert counts(await tell(world, "/sales", *twice)) == (1, 1, 0, 0, 0)
    assert [each["amount"]["amount"] for each in await sales(world, external="1c:S5")] == [7]


async def test_an_id_that_is_too_long_keeps_no_other_row_out(world: World) -> None:
    anna = await world.contact(name="Анна", identities=["tel:+79161234567"])
    deal = await world.post("/deals", {"title": "Окна", "contact_id": anna["id"]}, status=201)
    good = {"external_id": "good", "at": WHEN, "amount": 5, "contact_id": anna["id"]}
    for path, row in (("/sales", good), ("/payments/bulk", {**good, "deal_id": deal["id"]})):
        answer = await tell(world, path, {**row, "external_id": "я" * 201}, row)
        assert (counts(answer), answer["refused"][0]["row"]) == ((1, 0, 0, 0, 1), 0)


async def test_rows_that_make_no_sense_keep_no_other_out(world: World) -> None:
    anna = await world.contact(name="Анна", identities=["tel:+79161234567"])
    good = {"external_id": "good", "at": WHEN, "amount": 5, "contact_id": anna["id"]}
    answer = await tell(
        world,
        "/sales",
        good,
        {**good, "external_id": "nobody", "contact_id": None, "identity": "tel:+79990000000"},
        {**good, "external_id": "no client", "contact_id": None},
        {**good, "external_id": "no product", "sku": "нет"},
        {**good, "external_id": "no deal", "deal": "нет"},
        {**good, "external_id": "when", "at": None},
        {**good, "external_id": "much", "amount": 10**15 + 1},
        {**good, "external_id": "float", "amount": 1.5},
        {**good, "external_id": "word", "identity": "слово", "contact_id": None},
        {**good, "external_id": ""},
        {"amount": 5},
        [],
        {**good, "external_id": "good too"},
    )
    assert counts(answer) == (2, 0, 0, 0, 11)
    assert [each["row"] for each in answer["refused"]] == list(range(1, 12))
    assert all(each["error"] for each in answer["refused"])
    await tell(world, "/sales", *([good] * 1001), status=422)
    await tell(world, "/sales", good, system="a:b", status=422)
    await world.post("/sales", {"rows": [good]}, status=403)  # a manager brings no data in


async def test_payments_of_accounting(world: World) -> None:
    anna = await world.contact(name="Анна", identities=["tel:+79161234567"])
    body = {"title": "Окна", "contact_id": anna["id"], "amount": {"amount": 100_00}}
    deal = await world.post("/deals", body, status=201)
    rows = [
        {"external_id": "1", "at": WHEN, "amount": 60_00, "deal_id": deal["id"]},
        {"external_id": "2", "at": WHEN, "amount": 30_00, "identity": "tel:+79161234567"},
    ]
    assert counts(await tell(world, "/payments/bulk", *rows)) == (2, 0, 0, 0, 0)
    assert counts(await tell(world, "/payments/bulk", *rows)) == (0, 0, 2, 0, 0)
    where = f"/deals/{deal['id']}/payments"
    assert (await world.get(where))["paid"]["amount"] == 90_00
    rows[1]["amount"] = 40_00
    assert counts(await tell(world, "/payments/bulk", *rows)) == (0, 1, 1, 0, 0)
    assert (await world.get(where))["balance"]["amount"] == 0
    # whose every deal is paid has none to put money to
    more = {"external_id": "3", "at": WHEN, "amount": 1, "identity": "tel:+79161234567"}
    assert counts(await tell(world, "/payments/bulk", more)) == (0, 0, 0, 0, 1)
    gone = {"external_id": "2", "cancelled": True}
    assert counts(await tell(world, "/payments/bulk", gone)) == (0, 0, 0, 1, 0)
    assert counts(await tell(world, "/payments/bulk", gone)) == (0, 0, 1, 0, 0)
    assert (await world.get(where))["paid"]["amount"] == 60_00
    assert counts(await tell(world, "/payments/bulk", rows[1])) == (0, 1, 0, 0, 0)
    assert (await world.get(where))["paid"]["amount"] == 100_00
    other = await world.post("/deals", {**body, "title": "Двери"}, status=201)
    wrong = [
        {**rows[0], "deal_id": other["id"]},
        {**more, "currency": "USD", "deal_id": deal["id"]},
        {**more, "amount": 0, "deal_id": deal["id"]},
        {**more, "amount": 10**15, "deal_id": deal["id"]},
        {**more, "deal_id": 1},
        {**more, "deal": "нет"},
    ]
    assert counts(await tell(world, "/payments/bulk", *wrong)) == (0, 0, 0, 0, 6)
    assert counts(await tell(world, "/payments/bulk", more)) == (1, 0, 0, 0, 0)


async def test_two_tell_the_same_at_once(world: World) -> None:
    anna = await world.contact(name="Анна", identities=["tel:+79161234567"])
    rows = [
        {"external_id": f"S{number}", "at": WHEN, "amount": number + 1, "contact_id": anna["id"]}
        for number in range(50)
    ]
    answers = await asyncio.gather(*(tell(world, "/sales", *rows) for _ in range(4)))
    assert sum(each["created"] for each in answers) == 50
    assert sum(each["unchanged"] for each in answers) == 150
    assert await world.count("sale") == 50
