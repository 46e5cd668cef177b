"""What keeps up by itself: the part that is asked anew, as much of it as stands there, and on which change."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from crm_core.model.automation import ChainRunRecord, ChainState
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
from tests.integration.web.test_runs import card_of, ran

_FRESH = re.compile(r'id="fresh" role="status" data-topic="([^"]+)" hx-get="([^"]+)"')
_REGION = re.compile(r'data-topic="([^"]+)"[^>]* hx-get="([^"]+part=[a-z]+)"')


async def regions(browser: Browser, page: str) -> dict[str, str]:
    """What keeps up on a page: what each region asks for, and its topics, as the stream takes them."""
    whole = (await browser.get(page)).split("<main", 1)[1].split("</main", 1)[0]
    return {found[2].replace("&amp;", "&"): ",".join(found[1].split()) for found in _REGION.finditer(whole)}


async def fresh(browser: Browser, page: str) -> tuple[str, str]:
    """What a page asks to learn how many rows are new, and on which topic."""
    found = _FRESH.search(await browser.get(page))
    assert found is not None, page
    return found[2].replace("&amp;", "&"), found[1]


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
        *_tabs, part = await after(workspace, browser, page, service)
        assert said in part
        assert "<form class=" not in part  # what is looked for and typed stays
        assert all(address.startswith(page) for address in await regions(browser, page))
    for part in ("live", "tabs"):
        assert (await browser.client.get(f"/lists?list=nothing&part={part}")).status == 204


async def test_how_many_stand_on_each_list_is_told_of(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    name = next(iter(workspace.hub.store.office.lists))

    def listed(desk: Desk) -> None:
        contacts.put_on_list(desk, name, "tel:+79161234567", "Спам", "root")

    tabs, _rows = await after(workspace, browser, f"/lists?{urlencode({'list': name})}", listed)
    assert f'aria-current="page">{name} <span class="soft">1</span>' in tabs


async def test_the_page_of_a_company_is_told_of_itself_its_people_and_its_deals(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    anna = await client(workspace, "Анна")
    new = CompanyChange(name="ООО Рама", city="Омск")
    company = (await workspace.hub.store.run(lambda desk: companies.create(desk, new))).id
    page = f"/companies/{company}"

    def moved(desk: Desk) -> None:
        companies.change(desk, company, CompanyChange(name="АО Рама", city="Томск"), None)

    form, side = await after(workspace, browser, page, moved)
    assert 'value="Томск"' in form
    assert "<h1" not in form
    assert '<h1 id="company-name" hx-swap-oob="true">АО Рама</h1>' in side
    assert "<textarea" not in side
    assert "<input" not in side

    def joined(desk: Desk) -> None:
        contacts.change(desk, anna, ContactChange(company_id=company))

    sales = await pipeline_of(workspace)
    deal = await card(workspace, sales, "Окна для конторы", manager="ivan")

    def bought(desk: Desk) -> None:
        deals.change(desk, deal, DealChange(company_id=company))

    for service, said, topic in ((joined, "Анна", "clients"), (bought, "Окна для конторы", "deals")):
        (address, topics) = next(each for each in (await regions(browser, page)).items() if "part=side" in each[0])
        assert said not in await browser.get(address)
        async with following(browser, topics) as feed:
            await workspace.hub.store.run(service)
            assert topic in (await feed.event("stale"))["topics"]
        assert said in await browser.get(address)
    refused = await browser.send(page, page=page, name="", version="1", city="Тула")
    assert 'id="company-form" data-topic' not in await refused.text(), "what was typed is not taken away"
    assert await regions(browser, "/companies/new") == {}


async def test_the_journal_is_told_of_what_is_not_understood_and_counts_what_is_new(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.write("Добрый день")
    all_rows = "/journal?state=all"
    address, topics = await fresh(browser, all_rows)
    assert (await browser.get(address)).strip() == ""
    async with following(browser, topics) as feed:
        await workspace.write("Сколько стоит?", number="2")
        assert (await feed.event("stale"))["topics"] == ["journal"]
    told = await browser.get(address)
    assert ("Новых строк: 1" in told, f'href="{all_rows}"' in told) == (True, True)
    for number in range(3, 105):
        await workspace.write("Ещё", number=str(number))
    assert "Новых строк: 99+" in await browser.get(address)
    assert "Новых строк" not in await browser.get((await fresh(browser, all_rows))[0])

    (live, topics), *_ = (await regions(browser, "/journal")).items()
    async with following(browser, topics) as feed:
        await workspace.write("Это понятно", number="200")
        await workspace.fail(b"?")
        assert (await feed.event("stale"))["topics"] == ["failures"], "what is understood is no news here"
    rows = await browser.get(live)
    assert "an unknown shape" in rows
    assert "<html" not in rows
    ident = await workspace.scalar("SELECT id FROM journal WHERE state = 'failed'")
    (state,) = await regions(browser, f"/journal/{ident}")
    assert "Прочитать заново" in await browser.get(state)
    async with following(browser, topics) as feed:
        await browser.send(f"/journal/{ident}/replay", page="/journal")
        assert (await feed.event("stale"))["topics"] == ["failures"]
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    for part in (address, live, state):
        await ivan.get(part, status=403)


async def test_the_journal_of_rules_counts_what_is_new_for_whoever_looks(workspace: Workspace) -> None:
    root, ivan = await workspace.visitor(), await workspace.visitor("ivan", Role.MANAGER)
    anna = await client(workspace, "Анна")
    hidden = await card_of(workspace, anna, "Чужая", reach={Role.MANAGER.value: "own"})
    open_to_all = await card_of(workspace, anna, "Общая")
    addresses = [await fresh(each, "/runs") for each in (root, ivan)]
    only = await fresh(root, "/runs?rule=%D0%90&outcome=done")
    for address, _topics in (*addresses, only):
        assert (await root.get(address)).strip() == ""
    workspace.clock.advance(1)
    async with following(ivan, "runs") as feed:
        await ran(workspace, "1", "А", hidden, anna)
        assert (await feed.event("stale"))["topics"] == ["runs"]
    await ran(workspace, "2", "Б", open_to_all, anna)
    assert "Новых строк: 2" in await root.get(addresses[0][0])
    assert "Новых строк: 1" in await ivan.get(addresses[1][0]), "of a card that somebody does not see nothing is said"
    assert "Новых строк: 1" in await root.get(only[0])
    for nonsense in ("", "x", "0001-01-01T00:00:00", "9999-12-31T23:59:59-23:00"):
        answer = await root.client.get(f"/runs?{urlencode({'part': 'fresh', 'than': nonsense})}")
        assert answer.status in {200, 204}, nonsense


async def test_the_journal_of_chains_is_told_of_one_that_begins(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    anna = await client(workspace, "Анна")

    def began(desk: Desk) -> None:
        desk.work.put(ChainRunRecord(desk.work.next_id(), "Прогрев", anna, None, ChainState.RUNNING, 1, desk.now))

    (part,) = await after(workspace, browser, "/runs/chains", began)
    assert "Прогрев" in part
    assert "<form" not in part
