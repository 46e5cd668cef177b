"""What webhooks told: the log by subscription and state, what is posted, sending again one or all that failed."""

from __future__ import annotations

from crm_core.model.definitions import Section
from crm_core.model.exchange import DeliveryState, WebhookDeliveryRecord
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_office import record, sent


async def subscribed(workspace: Workspace, browser: Browser, name: str) -> str:
    """The key of a new subscription, which nobody tells of anything."""
    fields = {"name": name, "url": f"https://example.com/{name}", "events": "payment.*", "active": "1"}
    await sent(browser, "/office/webhooks/new", given=fields, act="save")
    return str(await record(workspace, Section.WEBHOOK, name))


async def failed(workspace: Workspace, key: str, subject: int, state: DeliveryState = DeliveryState.FAILED) -> int:
    def put(desk: Desk) -> int:
        ident = desk.work.next_id()
        payload = {"event": "payment.created", "data": {"id": subject, "title": "<b>Окна</b>"}}
        error = "the receiver answered 500" if state is DeliveryState.FAILED else ""
        desk.work.put(
            WebhookDeliveryRecord(
                ident, key, "payment.created", subject, state, desk.now, payload, f"d{ident}", 3, 500, error, desk.now
            )
        )
        return ident

    return await workspace.hub.store.run(put)


async def waiting(workspace: Workspace) -> set[object]:
    sql = "SELECT id FROM webhook_delivery WHERE state = 'waiting'"
    return {row[0] for row in await workspace.hub.store.read(lambda conn: conn.exec_driver_sql(sql).all())}


async def test_deliveries_are_found_by_subscription_and_looked_at(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    stock, books = await subscribed(workspace, browser, "stock"), await subscribed(workspace, browser, "books")
    first, second = await failed(workspace, stock, 71), await failed(workspace, books, 72)
    page = await browser.get(f"/office/deliveries?state=failed&to={stock}")
    assert f'href="/office/deliveries/{first}"' in page
    assert f'href="/office/deliveries/{second}"' not in page
    assert 'name="state" value="failed"' in page, "choosing a receiver keeps the state"
    one = await browser.get(f"/office/deliveries/{first}")
    assert "&lt;b&gt;Окна&lt;/b&gt;" in one
    assert "500" in one
    assert f"X-Hub-Delivery: d{first}" in one
    await browser.get("/office/deliveries/999999", status=404)


async def test_all_that_failed_is_sent_again_of_one_subscription_or_of_all(workspace: Workspace) -> None:
    await workspace.hub.outbox.stop()  # what is sent again stays waiting
    browser = await workspace.visitor()
    stock, books = await subscribed(workspace, browser, "stock"), await subscribed(workspace, browser, "books")
    hers = {await failed(workspace, stock, number) for number in range(3)}
    his = await failed(workspace, books, 7)
    gone = await failed(workspace, "999999", 8)
    taken = await failed(workspace, stock, 9, DeliveryState.DONE)
    page = "/office/deliveries?state=failed"
    answer = await browser.send("/office/deliveries/again", page=page, to=stock)
    assert answer.status == 303
    assert await waiting(workspace) == hers
    assert "3 события отправляются снова" in await browser.get(answer.headers["Location"])
    answer = await browser.send("/office/deliveries/again", page=page)
    assert await waiting(workspace) == hers | {his}
    assert not {gone, taken} & await waiting(workspace)
    answer = await browser.send("/office/deliveries/again", page=page)
    assert "подписок, которых больше нет" in await browser.get(answer.headers["Location"])


async def test_more_than_is_sent_at_once_is_told(workspace: Workspace) -> None:
    await workspace.hub.outbox.stop()
    browser = await workspace.visitor()
    stock = await subscribed(workspace, browser, "stock")

    def put(desk: Desk) -> None:
        for number in range(501):
            ident = desk.work.next_id()
            state, event = DeliveryState.FAILED, "payment.created"
            desk.work.put(WebhookDeliveryRecord(ident, stock, event, number, state, desk.now, {}, f"d{ident}"))

    await workspace.hub.store.run(put)
    answer = await browser.send("/office/deliveries/again", page="/office/deliveries?state=failed", to=stock)
    assert "Есть ещё" in await browser.get(answer.headers["Location"])
    assert len(await waiting(workspace)) == 500
    await browser.send("/office/deliveries/again", page="/office/deliveries?state=failed", to=stock)
    assert len(await waiting(workspace)) == 501


async def test_a_manager_sends_nothing_again(workspace: Workspace) -> None:
    await workspace.hire()
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await browser.get("/office/deliveries/1", status=403)
    answer = await browser.send("/office/deliveries/again", page="/", to="")
    assert answer.status == 403
