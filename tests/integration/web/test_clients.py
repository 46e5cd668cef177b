"""The list of clients: found by each thing that can be asked for, page by page, kept as views; and a client by hand."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

from crm_core.model.definitions import Section, SegmentBody, TagGroupBody
from crm_core.model.definitions.fields import FieldBody, FieldType
from crm_core.model.filters import filter_of
from crm_core.model.records import LeadRecord, LeadStatus
from crm_core.model.user import Role
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.acts.new_clients import NewClient, enter
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.services.defining import add
from crm_core.services.desk import Desk
from hub.web.clients.asking import Wanted
from hub.web.clients.listing import ROWS, clients_view
from tests.fakes.clock import START
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_board import declare, pipeline_of, reader
from tests.statements import statements_of

_ROW = re.compile(r'<tr id="client-(\d+)"')
EVIL, SAFE = "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"


async def client(workspace: Workspace, name: str, **given: object) -> int:
    """Somebody who is on record."""
    made = await workspace.hub.store.run(lambda desk: create(desk, ContactChange(name=name, **given)))  # type: ignore[arg-type]  # the fields of a contact
    return made[0].id


def shown(page: str) -> list[int]:
    """Whose rows stand on a page, in their order."""
    return [int(found) for found in _ROW.findall(page)]


async def asked(browser: Browser, **query: str) -> list[int]:
    """Who is found."""
    return shown(await browser.get(f"/contacts?{urlencode(query)}"))


async def test_each_thing_that_can_be_asked_for_finds_its_clients(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.hire("ivan", Role.MANAGER)
    for body in (
        FieldBody(of="contact", key="size", title="Число окон", type=FieldType.NUMBER, indexed=True),
        FieldBody(of="contact", key="note", title="Пожелание"),
    ):
        await declare(workspace, body)
    segment = SegmentBody(of="deal", filter=filter_of({"field": "title", "op": "contains", "value": "Балкон"}))
    north = SegmentBody(filter=filter_of({"field": "city", "value": "Тверь"}))
    tags = TagGroupBody(tags=["vip"], on=["contact"])

    def configured(desk: Desk) -> tuple[int, int]:
        add(desk, Section.TAG_GROUP, "Важность", tags, "root")
        first = add(desk, Section.SEGMENT, "Балконы", segment, "root")
        return first.id, add(desk, Section.SEGMENT, "Север", north, "root").id

    balconies, northern = await workspace.hub.store.run(configured)
    sales = await pipeline_of(workspace)
    waits = await workspace.write("Добрый день", name="Ждун")
    anna = await client(workspace, "Анна", manager="ivan", city="Тверь", fields={"size": "12"}, tags=["vip"])
    boris = await client(workspace, "Борис", company="Окна", status="постоянный", fields={"size": "3"})

    def sold(desk: Desk) -> None:
        deals.create(desk, "root", DealChange(title="Балкон Анны", contact_id=anna), sales.name, None)
        lead = LeadRecord(
            *(desk.work.next_id(), boris, "Окна", LeadStatus.REJECTED, desk.now, desk.now, "form", "site", "Авито")
        )
        desk.work.put(lead)
        contact = desk.work.contact(boris)
        desk.work.put(contact._replace(last_contact_at=START - timedelta(days=40)))
        contact = desk.work.contact(anna)
        desk.work.put(contact._replace(last_contact_at=START - timedelta(days=2)))

    await workspace.hub.store.run(sold)
    long_ago = (START - timedelta(days=30)).date().isoformat()
    tomorrow = (START + timedelta(days=1)).date().isoformat()
    for query, found in (
        ({}, [boris, anna, waits]),
        ({"manager": "ivan"}, [anna]),
        ({"manager": "-"}, [boris, waits]),
        ({"tag": "vip"}, [anna]),
        ({"source": "Авито"}, [boris]),
        ({"status": "постоянный"}, [boris]),
        ({"segment": str(balconies)}, [anna]),
        ({"segment": str(northern)}, [anna]),
        ({"segment": str(balconies), "manager": "-"}, []),
        ({"city": "твер"}, [anna]),
        ({"deals": "open"}, [anna]),
        ({"deals": "none"}, [boris, waits]),
        ({"deals": "won"}, []),
        ({"silent": long_ago}, [boris, waits]),
        ({"made_from": tomorrow}, []),
        ({"made_to": tomorrow}, [boris, anna, waits]),
        ({"waiting": "1"}, [waits]),
        ({"idle": "1"}, [boris, anna, waits]),
        ({"out": "1"}, []),
        ({"f.size.from": "5"}, [anna]),
        ({"f.size.to": "5"}, [boris]),
        ({"f.gone": "x"}, [boris, anna, waits]),
        ({"q": "окна"}, [boris]),
        ({"q": "анна", "manager": "ivan", "f.size.from": "5"}, [anna]),
    ):
        assert await asked(browser, **query) == found, query
    page = await browser.get("/contacts?f.size.from=5&tag=vip")
    assert 'name="f.size.from" value="5"' in page
    assert 'name="f.note"' not in page, "what is in no index can't be asked for"
    assert "<option>vip</option>" in page
    assert "ждёт" in await browser.get("/contacts?waiting=1")
    for wrong in ("silent=вчерась", "f.size.from=много", "segment=999999", "manager=%00"):
        answer = await browser.client.get(f"/contacts?{wrong}", headers={"Accept": "text/html"})
        assert answer.status in {200, 400}, wrong
        assert answer.status == 400 or "Фильтр составлен неверно" in await answer.text(), wrong
    token = await browser.client.get("/api/v1/contacts", params={"filter": '{"field": "open_case", "value": true}'})
    assert [each["id"] for each in (await token.json())["items"]] == [waits]


async def test_the_list_comes_by_pages_that_shift_by_nothing(workspace: Workspace) -> None:
    browser = await workspace.visitor()

    def many(desk: Desk) -> None:
        for number in range(ROWS + 10):
            create(desk, ContactChange(name=f"Клиент {number}", city="Тверь"))

    await workspace.hub.store.run(many)
    page = await browser.get("/contacts?city=Тверь")
    first = shown(page)
    assert len(first) == ROWS
    further = re.search(r'<tr class="more" hx-get="([^"]+)"', page)
    assert further is not None
    await client(workspace, "Новый", city="Тверь")
    rows = await browser.get(further[1].replace("&amp;", "&"))
    assert "<html" not in rows
    assert len(shown(rows)) == 10
    assert not set(shown(rows)) & set(first)
    assert 'class="more"' not in rows
    whole = await browser.get(further[1].replace("&amp;", "&").replace("&part=rows", ""))
    assert shown(whole) == shown(rows), "without scripts"
    await browser.get("/contacts?after=nonsense", status=400)


async def test_the_list_asks_the_same_however_much_there_is(workspace: Workspace) -> None:
    await workspace.visitor()
    store, user = workspace.hub.store, await reader(workspace)
    asks = (Wanted(), Wanted(waiting=True, deals="none", manager="-"), Wanted(city="Тверь", silent="2026-01-01"))

    async def cost() -> list[int]:
        return [
            await statements_of(store, lambda conn, each=each: clients_view(conn, store.asker(conn, user), each, None))  # type: ignore[misc]  # bound now
            for each in asks
        ]

    await client(workspace, "Анна", city="Тверь")
    await workspace.write("Здравствуйте", name="Борис")
    few = await cost()
    for number in range(20):
        await workspace.write("Здравствуйте", client=4000 + number, name=f"Клиент {number}", number=f"c{number}")
        await client(workspace, f"Тверяк {number}", city="Тверь")
    assert await cost() == few
    assert max(few) <= 7, few


async def test_views_of_the_list_are_kept_shared_and_removed(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    kept = {"page": "contacts", "name": f"Мои {EVIL}", "query": "manager=root", "shared": "1", "back": "/contacts"}
    sent = {**kept, "csrf": await browser.token("/contacts")}
    assert (await browser.client.post("/contacts/views", data=sent, allow_redirects=False)).status == 303
    page = await browser.get("/contacts")
    assert SAFE in page
    assert EVIL not in page
    assert 'href="/contacts?manager=root"' in page
    view = re.search(r'action="/contacts/views/(\d+)"', page)
    assert view is not None
    other = await workspace.visitor("ivan", Role.MANAGER)
    assert SAFE in await other.get("/contacts")
    await other.send(f"/contacts/views/{view[1]}", page="/contacts", act="remove", back="/contacts")
    assert SAFE in await other.get("/contacts"), "it is not his"
    await browser.send(f"/contacts/views/{view[1]}", page="/contacts", act="change", name="Мои", back="/contacts")
    assert SAFE not in await other.get("/contacts"), "it is shared no more"
    await browser.send("/contacts/views", page="/contacts", name="", query="x", back="/contacts")
    await browser.send(f"/contacts/views/{view[1]}", page="/contacts", act="remove", back="/contacts")
    assert ">Мои" not in await browser.get("/contacts")


async def test_an_empty_list_says_what_to_do(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    page = await browser.get("/contacts")
    assert "Клиентов пока нет" in page
    assert 'href="/contacts/new"' in page
    page = await browser.get("/contacts?q=Анна&manager=ivan")
    assert "Никого не нашлось" in page
    assert 'href="/contacts/new?q=%D0%90%D0%BD%D0%BD%D0%B0"' in page
    assert "Показать всех" in page


async def test_a_client_is_entered_by_hand_once(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    for looked_for, field in (("8 (916) 123-45", "number"), ("anna@ex", "address"), ("Анна 2", "name")):
        page = await browser.get(f"/contacts/new?{urlencode({'q': looked_for})}")
        assert re.search(rf'name="{field}"[^>]* value="{re.escape(looked_for)}"', page), page
    typed = {"name": f"Анна {EVIL}", "number": "8 916 123-45-67", "address": "@Anna_S", "company": "Окна"}
    answer = await browser.send("/contacts/new", page="/contacts/new", **typed, tags="vip, дача", manager="ivan")
    assert answer.status == 303
    where = answer.headers["Location"]
    page = await browser.get(where)
    for said in (f"Анна {SAFE}", "+7 916 123-45-67", "@anna_s", "vip", "дача", "Клиент заведён"):
        assert said in page, said
    assert await workspace.scalar("SELECT manager FROM contact") == "ivan"
    again = await browser.send("/contacts/new", page="/contacts/new", name="Аня", number="+79161234567")
    text = await again.text()
    assert again.status == 409
    assert f'<a href="{where}">Анна {SAFE}</a>' in text
    assert 'value="Аня"' in text
    assert await workspace.scalar("SELECT count(*) FROM contact") == 1
    for wrong in ({}, {"number": "12"}, {"name": "Аня", "manager": "nobody"}, {"name": "Аня\x00"}):
        answer = await browser.send("/contacts/new", page="/contacts/new", **wrong)
        assert answer.status == 400, wrong
    assert await workspace.scalar("SELECT count(*) FROM contact") == 1


async def test_who_is_known_by_one_of_several_ways_is_named(workspace: Workspace) -> None:
    waits = await workspace.write("Добрый день")
    given = NewClient("Анна", ("", "+79160000000", "tg:1001"))
    found = await workspace.hub.store.run(lambda desk: enter(desk, given))
    assert (found.contact.id, found.known) == (waits, True)
    assert await workspace.scalar("SELECT count(*) FROM identity WHERE key LIKE 'tel:%'") == 0
