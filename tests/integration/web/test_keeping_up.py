"""What keeps up by itself: the part that is asked anew, as much of it as stands there, and on which change."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from crm_core.model.user import Role
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.clients import companies, contacts
from crm_core.services.clients.companies import CompanyChange
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.desk import Desk
from crm_core.services.money import products
from crm_core.services.money.products import ProductChange
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask, TaskChange
from hub.web.here import MOST_SHOWN
from tests.fakes.clock import START
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_board import card, pipeline_of
from tests.integration.web.test_clients import client
from tests.integration.web.test_inbox import following

_REGION = re.compile(r'data-topic="([^"]+)"[^>]* hx-get="([^"]+part=[a-z]+)"')


async def regions(browser: Browser, page: str) -> dict[str, str]:
    """What keeps up on a page: what each region asks for, and its topics, as the stream takes them."""
    whole = (await browser.get(page)).split("<main", 1)[1].split("</main", 1)[0]
    return {found[2].replace("&amp;", "&"): ",".join(found[1].split()) for found in _REGION.finditer(whole)}


async def after(workspace: Workspace, browser: Browser, page: str, service: Callable[[Desk], Any]) -> list[str]:
    """What the regions of a page answer once they are told of what was done, each of them."""
    parts = await regions(browser, page)
    assert parts, page
    answers = []
    async with following(browser, ",".join(parts.values())) as feed:
        await workspace.hub.store.run(service)
        stale = set((await feed.event("stale"))["topics"])
    for address, topics in parts.items():
        assert stale & set(topics.split(",")), (address, stale)
        part = await browser.get(address)
        assert "<html" not in part
        answers.append(part)
    return answers


async def test_the_table_of_cards_is_told_of_an_amount_and_asks_for_its_rows(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    deal = await card(workspace, sales, "Окна", amount=100_000)

    def dearer(desk: Desk) -> None:
        deals.change(desk, deal, DealChange(amount=777_000))

    for page in ("/deals/list", f"/deals/list?pipeline={sales.id}&sort=-amount"):
        (part,) = await after(workspace, browser, page, dearer)
        assert f'id="row-{deal}"' in part
        assert "7 770" in part.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
        await workspace.hub.store.run(lambda desk: deals.change(desk, deal, DealChange(amount=100_000)))
    (address,) = await regions(browser, f"/deals/list?pipeline={sales.id}&sort=-amount")
    assert f"pipeline={sales.id}" in address
    assert "sort=-amount" in address


async def test_the_list_of_clients_is_told_of_a_name_and_asks_for_its_rows(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    anna = await client(workspace, "Анна", city="Тверь")
    await client(workspace, "Борис", city="Псков")

    def married(desk: Desk) -> None:
        contacts.change(desk, anna, ContactChange(name="Анна Мужева"))

    (part,) = await after(workspace, browser, "/contacts?city=%D0%A2%D0%B2%D0%B5%D1%80%D1%8C", married)
    assert "Анна Мужева" in part
    assert "Борис" not in part


async def test_as_many_rows_come_again_as_stood_there(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    for number in range(61):
        await card(workspace, sales, f"Окна {number}", contact_id=await client(workspace, f"Анна {number}"))
    for page, row in (("/deals/list", '<tr id="row-'), ("/contacts", '<tr id="client-')):
        for shown, come in (("", 50), ("50", 50), ("51", 61), ("61", 61), ("x", 50), ("9" * 30, 50)):
            part = await browser.get(f"{page}?part=live&shown={shown}")
            assert part.count(row) == come, (page, shown)
            assert ('class="more"' in part) is (come == 50), (page, shown)
        response = await browser.client.get(f"{page}?part=live&shown={MOST_SHOWN + 1}")
        assert response.status == 204  # whoever scrolled that far keeps what they see
        assert await regions(browser, f"{page}?after={_cursor(await browser.get(page))}") == {}


def _cursor(page: str) -> str:
    found = re.search(r"after=([^&\"]+)&amp;part=rows", page)
    assert found is not None
    return found[1]


async def test_the_page_of_a_task_is_told_of_its_end_in_two_parts(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    anna = await client(workspace, "Анна", manager="ivan")
    deal = await card(workspace, await pipeline_of(workspace), "Окна", manager="ivan")
    for contact_id, deal_id in ((anna, None), (None, deal), (None, None)):
        new = NewTask("Замер на Ленина, 1", "ivan", author="ivan", contact_id=contact_id, deal_id=deal_id)
        task = (await workspace.hub.store.run(partial(tasks.make, new=new))).id

        def closed(desk: Desk, task: int = task) -> None:
            tasks.close(desk, task, "ivan", "140 на 120")

        facts, acts = await after(workspace, browser, f"/tasks/{task}", closed)
        assert "<h1>Замер на Ленина, 1</h1>" in facts
        assert 'class="state done"' in facts
        assert "<textarea" not in facts
        assert "140 на 120" in acts
        assert f'action="/tasks/{task}/reopen"' in acts
        assert "<h1" not in acts
        assert "<html" in await browser.get(f"/tasks/{task}?part=nothing")


async def test_the_page_of_a_task_is_told_of_what_else_it_shows(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    anna = await client(workspace, "Анна", manager="ivan")
    deal = await card(workspace, await pipeline_of(workspace), "Окна", manager="ivan", contact_id=anna)
    new = NewTask("Замер", "ivan", author="ivan", contact_id=anna, deal_id=deal)
    task = (await workspace.hub.store.run(lambda desk: tasks.make(desk, new))).id

    def renamed(desk: Desk) -> None:
        contacts.change(desk, anna, ContactChange(name="Анна Мужева"))

    def retitled(desk: Desk) -> None:
        deals.change(desk, deal, DealChange(title="Окна и балкон"))

    def put_off(desk: Desk) -> None:
        tasks.change(desk, task, TaskChange(due_at=START + timedelta(days=400)))

    for service, said in ((renamed, "Анна Мужева"), (retitled, "Окна и балкон"), (put_off, "2027")):
        facts, _acts = await after(workspace, browser, f"/tasks/{task}", service)
        assert said in facts


async def test_companies_products_and_special_lists_are_told_of_what_stands_on_them(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    name = next(iter(workspace.hub.store.office.lists))

    def opened(desk: Desk) -> None:
        companies.create(desk, CompanyChange(name="ООО Рама"))

    def sold(desk: Desk) -> None:
        products.create(desk, ProductChange(name="Рама 140", price=100, currency="RUB"))

    def listed(desk: Desk) -> None:
        contacts.put_on_list(desk, name, "tel:+79161234567", "Спам", "root")

    for page, service, said in (
        ("/companies?q=%D0%A0%D0%B0%D0%BC%D0%B0", opened, "ООО Рама"),
        ("/products?archived=1", sold, "Рама 140"),
        (f"/lists?{urlencode({'list': name})}", listed, "Спам"),
    ):
        assert said not in (await browser.get(page)).split("<main", 1)[1]
        (part,) = await after(workspace, browser, page, service)
        assert said in part
        assert "<form class=" not in part  # what is looked for and typed stays
        (address,) = await regions(browser, page)
        assert address.startswith(page)
    assert (await browser.client.get("/lists?list=nothing&part=live")).status == 204
