"""Products, lines of a deal, payments, instalments and promises through the API, and what follows from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crm_core.services.money.paying import replan
from tests.integration.http.world import World

DAY = timedelta(days=1)


async def deal_of(world: World, amount: int = 300_00, **more: Any) -> Any:
    contact = await world.contact(name="Анна", identities=["tel:+79161234567"])
    body = {"title": "Окна", "contact_id": contact["id"], "amount": {"amount": amount}, **more}
    return await world.post("/deals", body, status=201)


async def pass_time(world: World, length: timedelta) -> None:
    """Let time pass, and whatever is due then."""
    world.clock.set(world.clock.now() + length)
    while await world.hub.deadlines.fire_due():
        pass


async def texts(world: World, contact_id: int) -> list[str]:
    entries = (await world.get(f"/contacts/{contact_id}/timeline"))["items"]
    return [each["text"].replace("\u00a0", " ") for each in entries if each["kind"] == "system"]


async def test_products_are_kept(world: World) -> None:
    body = {"name": "Окно ПВХ", "sku": "W-1", "unit": "шт", "price": {"amount": 10_000_00}, "external": {"1c": "00017"}}
    made = await world.post("/products", body, status=201)
    assert (made["sku"], made["price"], made["external"], made["version"]) == (
        *("W-1", {"amount": 10_000_00, "currency": "RUB"}, {"1c": "00017"}, 1),
    )
    await world.post("/products", {"name": "Другое", "sku": "W-1"}, status=409)
    await world.post("/products", {"name": "Третье", "external": {"1c": "00017"}}, status=409)
    await world.post("/products", {"name": "  "}, status=422)
    await world.post("/products", {"name": "x", "price": {"amount": -1}}, status=422)
    changed = await world.patch(f"/products/{made['id']}", {"name": "Окно", "version": 1, "external": {"crm": "5"}})
    assert (changed["name"], changed["version"], changed["external"]) == ("Окно", 2, {"1c": "00017", "crm": "5"})
    stale = await world.patch(f"/products/{made['id']}", {"name": "Дверь", "version": 1}, status=409)
    assert (stale["current"]["name"], stale["current"]["version"]) == ("Окно", 2)

    async def found(**query: str) -> list[int]:
        return [each["id"] for each in (await world.get("/products", params=query))["items"]]

    assert await found(q="окн") == await found(sku="W-1") == await found(external="1c:00017") == [made["id"]]
    assert await found(q="дверь") == await found(external="1c:9") == []
    await world.get("/products", params={"external": "17"}, status=422)
    await world.patch(f"/products/{made['id']}", {"archived": True})
    assert (await found(), await found(archived="true")) == ([], [made["id"]])
    await world.ask("DELETE", f"/products/{made['id']}", status=403)
    await world.ask("DELETE", f"/products/{made['id']}", login="root", status=204)
    await world.get(f"/products/{made['id']}", status=404)
    await world.post("/products", {"name": "Новое", "sku": "W-1"}, status=201)


async def test_the_amount_of_a_deal_follows_its_lines(world: World) -> None:
    product = await world.post("/products", {"name": "Окно", "sku": "W-1", "price": {"amount": 333}}, status=201)
    dear = {"name": "Импорт", "sku": "W-2", "price": {"amount": 5, "currency": "USD"}}
    await world.post("/products", dear, status=201)
    deal = await deal_of(world, 777)
    where = f"/deals/{deal['id']}/items"
    lines = [{"sku": "W-1", "quantity": 1.5}, {"name": "Монтаж", "price": 1000, "discount_percent": 12.5}]
    put = await world.ask("PUT", where, {"items": lines, "version": deal["version"]})
    assert [(each["name"], each["quantity"], each["discount"], each["total"]) for each in put["items"]] == [
        ("Окно", 1.5, 0, 500),
        ("Монтаж", 1, 125, 875),
    ]
    assert put["amount"]["amount"] == 1375
    assert await world.get(where) == put
    assert (await world.get(f"/deals/{deal['id']}"))["amount"]["amount"] == 1375
    # a person's other amount gives way
    fixed = await world.patch(f"/deals/{deal['id']}", {"amount": {"amount": 1}})
    assert fixed["amount"]["amount"] in {1, 1375}
    assert (await world.get(f"/deals/{deal['id']}"))["amount"]["amount"] == 1375
    await world.patch(f"/deals/{deal['id']}", {"amount": {"amount": 1, "currency": "USD"}}, status=422)
    stale = await world.ask("PUT", where, {"items": [], "version": 1}, status=409)
    assert stale["current"]["amount"]["amount"] == 1375
    first, second = put["items"]
    again = await world.ask("PUT", where, {"items": [lines[1], {"product_id": product["id"], "quantity": 2}]})
    assert [each["id"] for each in again["items"]] == [second["id"], first["id"]]
    for wrong in (
        {"sku": "W-2"},
        {"sku": "нет"},
        {"name": "x"},
        {},
        {"sku": "W-1", "quantity": 0},
        {"sku": "W-1", "quantity": -1},
        {"sku": "W-1", "quantity": 0.0001},
        {"sku": "W-1", "quantity": "NaN"},
        {"sku": "W-1", "discount": 334},
        {"sku": "W-1", "discount_percent": 101},
        {"name": "x", "price": 10**15, "quantity": 2},
    ):
        await world.ask("PUT", where, {"items": [wrong]}, status=422)
    many = [{"name": f"x{number}", "price": 10**15} for number in range(2)]
    await world.ask("PUT", where, {"items": many}, status=422)
    await world.ask("PUT", where, {"items": []})
    assert (await world.get(f"/deals/{deal['id']}"))["amount"]["amount"] == 1541
    assert (await world.patch(f"/deals/{deal['id']}", {"amount": {"amount": 9}}))["amount"]["amount"] == 9


async def test_instalments_from_the_plan_to_the_last_payment(world: World) -> None:
    deal = await deal_of(world, 100_01)
    where = f"/deals/{deal['id']}"
    today = world.clock.now().date()
    first = today + 10 * DAY
    plan = await world.ask("PUT", f"{where}/instalments", {"count": 3, "first_on": first.isoformat()})
    assert [each["amount"]["amount"] for each in plan["items"]] == [33_34, 33_34, 33_33]
    assert (plan["planned"], plan["overdue"]) == ({"amount": 100_01, "currency": "RUB"}, False)
    assert plan["pay_by"] == f"{first.isoformat()}T21:00:00Z"
    part = await world.post(f"{where}/payments", {"amount": {"amount": 10_00}}, status=201)
    assert part["at"]
    seen = await world.get(f"{where}/payments")
    assert [each["covered"]["amount"] for each in seen["items"] if each["kind"] == "planned"] == [10_00, 0, 0]
    assert (seen["paid"]["amount"], seen["balance"]["amount"]) == (10_00, 90_01)
    # not before the day is over in the office's zone
    await pass_time(world, 10 * DAY)
    assert not (await world.get(f"{where}/payments"))["overdue"]
    await pass_time(world, DAY)
    late = await world.get(f"{where}/payments")
    assert late["overdue"]
    assert [each["broken_at"] is not None for each in late["items"] if each["kind"] == "planned"] == [
        True,
        False,
        False,
    ]
    contact = deal["contact_id"]
    assert [each for each in await texts(world, contact) if "просрочен" in each] == [
        "Платёж 33,34 ₽ по сделке «Окна» просрочен"
    ]
    await world.post(f"{where}/payments", {"amount": {"amount": 23_34}}, status=201)
    caught_up = await world.get(f"{where}/payments")
    assert (caught_up["overdue"], caught_up["pay_by"] > late["pay_by"]) == (False, True)
    rest = {"amount": {"amount": 66_67}, "external": {"1c": "pay-9"}}
    paid = await world.post(f"{where}/payments", rest, status=201)
    assert (await world.post(f"{where}/payments", rest, status=201))["id"] == paid["id"]
    whole = await world.get(f"{where}/payments")
    assert (whole["balance"]["amount"], whole["pay_by"], whole["overdue"]) == (0, None, False)
    assert sum("оплачена полностью" in each for each in await texts(world, contact)) == 1
    assert all(each["settled_at"] for each in whole["items"] if each["kind"] == "planned")
    assert not [each for each in await world.hub.store.read(_deadlines) if each.startswith("payment")]
    # taken back: there is something to wait for again
    await world.ask("DELETE", f"/payments/{paid['id']}", status=403)
    await world.ask("DELETE", f"/payments/{paid['id']}", login="root", status=204)
    back = await world.get(f"{where}/payments")
    assert (back["balance"]["amount"], back["pay_by"]) == (66_67, caught_up["pay_by"])
    assert (await world.get(f"/payments/{paid['id']}"))["deleted_at"]
    await world.patch(f"/payments/{paid['id']}", {"note": "x"}, status=409)


def _deadlines(conn: Any) -> list[str]:
    return [row[0] for row in conn.exec_driver_sql("SELECT key FROM deadline")]


async def test_plans_and_payments_that_make_no_sense(world: World) -> None:
    deal = await deal_of(world, 100)
    where = f"/deals/{deal['id']}"
    plans: list[Any] = [
        {"count": 3},
        {"count": 101, "first_on": "2026-05-01"},
        {"count": 0, "first_on": "2026-05-01"},
        {"count": 2, "first_on": "2026-02-30"},
        {},
        {"count": 1, "first_on": "2026-05-01", "instalments": []},
        {"instalments": [{"due_on": "2026-05-01", "amount": 99}]},
        {"instalments": [{"due_on": "2026-05-01", "amount": 0}, {"due_on": "2026-06-01", "amount": 100}]},
    ]
    for wrong in plans:
        await world.ask("PUT", f"{where}/instalments", wrong, status=422)
    for body in (
        {"amount": {"amount": 0}},
        {"amount": {"amount": 5, "currency": "USD"}},
        {"amount": {"amount": 5}, "due_on": "2026-05-01"},
        {"amount": {"amount": 5}, "kind": "promised"},
        {"amount": {"amount": -5}, "kind": "planned", "due_on": "2026-05-01"},
        {"amount": {"amount": 10**15 + 1}},
    ):
        await world.post(f"{where}/payments", body, status=422)
    answers = [await world.call("POST", f"{where}/payments", {"amount": {"amount": 10**15}}) for _ in range(2)]
    assert [each.status for each in answers] == [201, 422]  # together they are too much
    await world.post("/deals/1/payments", {"amount": {"amount": 5}}, status=404)
    two = [{"due_on": "2026-05-01", "amount": 50}, {"due_on": "2026-06-01", "amount": 50}]
    first = await world.ask("PUT", f"{where}/instalments", {"instalments": two})
    two[1]["due_on"] = "2026-06-15"
    second = await world.ask("PUT", f"{where}/instalments", {"instalments": two})
    ids = [[each["id"] for each in plan["items"] if each["kind"] == "planned"] for plan in (first, second)]
    assert ids[0][0] == ids[1][0]
    assert ids[0][1] != ids[1][1]
    assert (await world.ask("PUT", f"{where}/instalments", {"instalments": []}))["planned"]["amount"] == 0


async def test_a_promise_is_broken_and_the_next_one_too(world: World) -> None:
    deal = await deal_of(world, 500)
    where = f"/deals/{deal['id']}"

    async def promise(days: int) -> Any:
        due = (world.clock.now().date() + days * DAY).isoformat()
        body = {"kind": "promised", "amount": {"amount": 500}, "due_on": due}
        return await world.post(f"{where}/payments", body, status=201)

    first = await promise(2)
    await pass_time(world, 3 * DAY)
    assert (await world.get(f"/payments/{first['id']}"))["broken_at"]
    assert (await world.get(f"{where}/payments"))["overdue"]
    second = await promise(2)
    assert not (await world.get(f"{where}/payments"))["overdue"]
    await pass_time(world, 3 * DAY)
    assert (await world.get(f"/payments/{second['id']}"))["broken_at"]
    assert sum("не поступил" in each for each in await texts(world, deal["contact_id"])) == 2
    await world.post(f"{where}/payments", {"amount": {"amount": 500}}, status=201)
    assert not (await world.get(f"{where}/payments"))["overdue"]
    assert (await world.get(f"/payments/{second['id']}"))["settled_at"]
    opened = (await world.get("/payments", params={"open": "true"}))["items"]
    assert [each["id"] for each in opened] == [first["id"]]


async def test_the_office_moves_to_another_zone(world: World) -> None:
    deal = await deal_of(world, 500)
    where = f"/deals/{deal['id']}"
    due = (world.clock.now().date() + 2 * DAY).isoformat()
    plan = await world.ask("PUT", f"{where}/instalments", {"count": 1, "first_on": due})
    assert plan["pay_by"].endswith("T21:00:00Z")
    office = world.hub.store.office
    object.__setattr__(office, "time_zone", "Asia/Vladivostok")
    assert await world.hub.store.run(replan) is None
    assert (await world.get(f"{where}/payments"))["pay_by"].endswith("T14:00:00Z")
    # a deadline of the old zone that comes too early waits for the new end of the day
    object.__setattr__(office, "time_zone", "Europe/London")
    await pass_time(world, timedelta(days=2, hours=9))
    assert (await world.get(f"{where}/payments"))["items"][0]["broken_at"] is None
    await pass_time(world, timedelta(hours=16))
    assert (await world.get(f"{where}/payments"))["items"][0]["broken_at"]


async def test_a_lost_deal_waits_for_no_money(world: World) -> None:
    stages = [{"name": "Ждём"}, {"name": "Отказ", "kind": "lost"}]
    await world.post("/pipelines", {"name": "Рассрочка", "stages": stages}, status=201, login="root")
    deal = await deal_of(world, 500, pipeline="Рассрочка")
    where = f"/deals/{deal['id']}"
    due = (world.clock.now().date() + 2 * DAY).isoformat()
    await world.ask("PUT", f"{where}/instalments", {"count": 1, "first_on": due})
    await world.post(f"{where}/move", {"stage": "Отказ", "reason": "дорого"})
    assert (await world.get(f"{where}/payments"))["pay_by"] is None
    await pass_time(world, 5 * DAY)
    assert (await world.get(f"{where}/payments"))["items"][0]["broken_at"] is None
    await world.post(f"{where}/move", {"stage": "Ждём"})
    assert (await world.get(f"{where}/payments"))["overdue"]
    await pass_time(world, timedelta(seconds=1))
    assert (await world.get(f"{where}/payments"))["items"][0]["broken_at"]


async def test_money_that_makes_no_sense_is_refused_in_words(world: World) -> None:
    deal = await deal_of(world)
    problem = await world.patch(f"/deals/{deal['id']}", {"amount": {"amount": -1}}, status=422)
    assert "a deal is worth nothing at least" in problem["detail"]
    path = f"/deals/{deal['id']}/payments"
    tomorrow = (world.clock.now() + timedelta(days=1)).isoformat()
    came = {"kind": "received", "amount": {"amount": 100_00}, "at": tomorrow}
    problem = await world.post(path, came, status=422)
    assert "yet to come: money that is to come is a planned payment" in problem["detail"]
    tonight = world.clock.now().replace(hour=20, minute=59, second=59).isoformat()  # the last second in Moscow
    paid = await world.post(path, {**came, "at": tonight}, status=201)
    await world.patch(f"/payments/{paid['id']}", {"at": tomorrow}, status=422)
    rows = [{"external_id": "p1", "at": tomorrow, "amount": 50_00, "deal_id": deal["id"]}]
    assert "yet to come" in str(await world.post("/payments/bulk", {"rows": rows}, login="root"))
    await world.post(path, {"kind": "planned", "amount": {"amount": 100_00}, "due_on": tomorrow[:10]}, status=201)


async def test_options_that_have_commas_are_found_in_a_text_that_lists_several(world: World) -> None:
    options = ["Окна, двери", "Балкон", "Окна", "Сетки; жалюзи"]
    field = {"of": "deal", "key": "wants", "title": "Что нужно", "type": "multi", "options": options}
    await world.post("/fields", field, login="root", status=201)
    deal = await deal_of(world)
    for text, found in (
        ("Окна, двери, Балкон", ["Окна, двери", "Балкон"]),
        ("балкон; окна, двери; окна", ["Балкон", "Окна, двери", "Окна"]),
        ("Сетки; жалюзи", ["Сетки; жалюзи"]),
        (" Окна | Балкон ,", ["Окна", "Балкон"]),
    ):
        changed = await world.patch(f"/deals/{deal['id']}", {"fields": {"wants": text}})
        assert changed["fields"]["wants"] == found, text
    problem = await world.ask("PATCH", f"/deals/{deal['id']}", {"fields": {"wants": "Окна, двери, Крыша"}}, status=422)
    assert "«Крыша» is none of the options" in problem["detail"]
