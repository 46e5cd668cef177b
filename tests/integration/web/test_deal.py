"""The page of a card: what it shows, how it is corrected, what is done on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Connection

from crm_core.model.automation import RuleRunRecord, RunOutcome
from crm_core.model.definitions import DocumentBody, PipelineSettings, RecordTypeBody, Section
from crm_core.model.definitions.fields import FieldBody, FieldType
from crm_core.model.rights import Reach
from crm_core.model.selling import PaymentKind
from crm_core.model.user import Role
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.acts.pipeline_keeping import create_pipeline
from crm_core.services.clients import companies, links
from crm_core.services.clients.companies import CompanyChange
from crm_core.services.defining import add
from crm_core.services.desk import Desk
from crm_core.services.money import payments
from crm_core.services.money.payments import NewPayment
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from crm_core.storage.queries.workspace.asker import Asker
from hub.web.board.deal_view import deal_view, trace
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_board import EVIL, SAFE, STAGES, card, declare, pipeline_of, press, reader
from tests.statements import statements_of


async def test_a_card_shows_what_belongs_to_it(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    await declare(workspace, FieldBody(of="deal", key="size", title=f"Размер {EVIL}", group="Проём"))
    contact = await workspace.write("Здравствуйте", name=f"Анна {EVIL}")
    ident = await card(
        workspace,
        sales,
        f"Окна {EVIL}",
        "Предложение",
        amount=12_345_600,
        contact_id=contact,
        fields={"size": f"2×1 {EVIL}"},
        tags=[EVIL],
    )
    page = await browser.get(f"/deals/{ident}")
    assert EVIL not in page
    assert f"Окна {SAFE}" in page
    assert f"Размер {SAFE}" in page
    assert f"2×1 {SAFE}" in page
    assert "123\u00a0456\u00a0₽" in page
    assert "Согласие" in page, "the goal of the stage"
    assert "Отправить" in page, "its checklist"
    assert f'href="/contacts/{contact}"' in page
    assert "Следующего шага нет" in page
    assert f'data-topic="client:{contact}"' in page
    await browser.get("/deals/999999999", status=404)


async def test_a_group_of_fields_is_corrected(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    for body in (
        FieldBody(of="deal", key="size", title="Размер", group="Проём", type=FieldType.NUMBER),
        FieldBody(
            of="deal", key="colours", title="Цвета", group="Проём", type=FieldType.MULTI, options=["Белый", "Дуб"]
        ),
        FieldBody(of="deal", key="budget", title="Бюджет", group="Проём", type=FieldType.MONEY),
        FieldBody(of="deal", key="lift", title="Лифт", group="Проём", type=FieldType.FLAG),
        FieldBody(of="deal", key="measured", title="Замерено", group="Проём", type=FieldType.DATE),
    ):
        await declare(workspace, body)
    ident = await card(workspace, sales, "Окна")
    path = f"/deals/{ident}"
    form = await browser.get(f"{path}/group?group=%3DПроём")
    assert 'name="f.size"' in form
    assert 'name="f.colours"' in form
    answer = await browser.send(
        f"{path}/edit",
        page=path,
        version="1",
        group="=Проём",
        **{
            "f.size": "2,5",
            "has.colours": "1",
            "f.colours": "Дуб",
            "f.budget": "1500",
            "f.lift": "1",
            "f.measured": "2026-03-12",
        },
    )
    assert answer.status == 303
    page = await browser.get(path)
    for shown in ("2,5", "Дуб", "1\u00a0500\u00a0₽", "12.03.2026", ">да<"):
        assert shown in page
    main = await browser.send(
        f"{path}/edit", page=path, version="2", group="main", title="Окна и дверь", amount="99,50", tags="дача, срочно"
    )
    assert main.status == 303
    page = await browser.get(path)
    assert "Окна и дверь" in page
    assert "99,50\u00a0₽" in page
    assert ">срочно<" in page
    await browser.send(f"{path}/edit", page=path, version="3", group="=Проём", **{"has.colours": "1", "f.size": ""})
    fields = await workspace.scalar(f"SELECT fields FROM deal WHERE id = {ident}")
    assert "size" not in str(fields)
    assert "Дуб" not in str(fields)


async def test_whoever_is_late_loses_nothing_typed(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, "Окна", source="Сайт")
    path = f"/deals/{ident}"
    await workspace.hub.store.run(lambda desk: deals.change(desk, ident, DealChange(source="Выставка")))
    answer = await press(
        browser, f"{path}/edit", path, version="1", group="main", title="Окна на дачу", source="Реклама"
    )
    text = await answer.text()
    assert answer.status == 409
    assert answer.headers["HX-Retarget"] == "#group-main"
    assert 'value="Окна на дачу"' in text
    assert 'value="Реклама"' in text
    assert "Сейчас: Выставка" in text
    assert 'name="version" value="2"' in text
    again = await press(
        browser, f"{path}/edit", path, version="2", group="main", title="Окна на дачу", source="Реклама"
    )
    assert again.status == 200
    assert await workspace.scalar(f"SELECT source FROM deal WHERE id = {ident}") == "Реклама"
    wrong = await press(browser, f"{path}/edit", path, version="3", group="main", title="Окна", amount="много")
    assert wrong.status == 400
    assert 'value="много"' in await wrong.text()


async def test_a_company_is_chosen(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    made = await workspace.hub.store.run(lambda desk: companies.create(desk, CompanyChange(name="ООО «Ромашка»")))
    ident = await card(workspace, sales, "Окна")
    path = f"/deals/{ident}"
    assert "Ромашка" in await browser.get("/deals/companies?company=ромаш")
    await press(browser, f"{path}/edit", path, version="1", group="main", company_id=str(made.id))
    assert "Ромашка" in await browser.get(path)


async def test_tasks_are_given_and_closed_with_a_result(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, "Окна")
    other = await card(workspace, sales, "Дверь")
    path = f"/deals/{ident}"
    given = await press(browser, f"{path}/tasks", path, title="Замер", due_at="2026-03-05T12:00", assignee="root")
    assert "Замер" in await given.text()
    task = await workspace.scalar("SELECT id FROM task")
    empty = await press(browser, f"{path}/tasks/{task}/close", path, act="close", result="")
    assert empty.status == 400
    assert empty.headers["HX-Retarget"] == "#deal-wrong"
    strange = await press(browser, f"/deals/{other}/tasks/{task}/close", path, act="close", result="Да")
    assert strange.status == 404
    done = await press(browser, f"{path}/tasks/{task}/close", path, act="close", result="2×1,5 м", version="1")
    assert "2×1,5 м" in await done.text()
    assert await workspace.scalar("SELECT state FROM task") == "done"


async def test_lines_payments_and_a_plan(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    client = await workspace.write("Хочу окна")
    ident = await card(workspace, sales, "Окна", contact_id=client)
    path = f"/deals/{ident}"
    assert 'name="quantity"' in await browser.get(f"{path}/group?form=lines")
    token = await browser.token(path)
    rows = [("name", "Окно"), ("quantity", "2"), ("price", "15000"), ("name", "Монтаж"), ("quantity", "1,5")]
    rows += [("price", "2000"), ("name", ""), ("quantity", "")]
    answer = await browser.client.post(f"{path}/lines", data=[("csrf", token), *rows], allow_redirects=False)
    assert answer.status == 303
    page = await browser.get(path)
    assert "33\u00a0000\u00a0₽" in page
    planned = await press(browser, f"{path}/payments", path, act="plan", count="3", due_on="2026-04-01")
    assert (await planned.text()).count("по графику") == 3
    owed = (await browser.get(f"/contacts/{client}")).partition("Ждём оплату")[2]
    assert "<span>01.04.2026</span>" in owed
    paid = await press(browser, f"{path}/payments", path, act="received", amount="11 000", note="Наличные")
    text = await paid.text()
    assert "Наличные" in text
    assert "погашено" in text
    payment = await workspace.scalar("SELECT id FROM payment WHERE kind = 'received'")
    await press(browser, f"{path}/payments/{payment}/remove", path)
    assert await workspace.scalar(f"SELECT paid FROM deal WHERE id = {ident}") == 0
    wrong = await press(browser, f"{path}/payments", path, act="received", amount="сколько-то")
    assert wrong.status == 400


async def test_participants_and_linked_cards(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    await workspace.hub.store.run(
        lambda desk: add(
            desk, Section.RECORD_TYPE, "claim", RecordTypeBody(title="Рекламация", titles="Рекламации"), "root"
        )
    )
    contact = await workspace.write("Здравствуйте", name="Бухгалтер Ольга")
    ident = await card(workspace, sales, "Окна")
    other = await card(workspace, sales, "Дверь")
    path = f"/deals/{ident}"
    made = await press(browser, f"{path}/links", path, kind="contact", contact_id=str(contact), role="бухгалтер")
    text = await made.text()
    assert "Бухгалтер Ольга" in text
    assert ">бухгалтер<" in text
    await press(browser, f"{path}/links", path, kind="deal", ident=str(other), role="")
    assert "Дверь" in await browser.get(path)
    assert "Окна" in await browser.get(f"/deals/{other}")
    link = await workspace.scalar(f"SELECT id FROM link WHERE to_id = {other}")
    await press(browser, f"{path}/links/{link}/remove", path)
    assert "Дверь" not in await browser.get(path)
    assert (await press(browser, f"{path}/links", path, kind="contact")).status == 400


async def test_a_record_of_another_type_is_opened_beside_a_card(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    body = RecordTypeBody(title="Рекламация", titles="Рекламации")
    await workspace.hub.store.run(lambda desk: add(desk, Section.RECORD_TYPE, "claim", body, "root"))
    claims = await workspace.hub.store.run(
        lambda desk: create_pipeline(desk, "Разбор", STAGES, PipelineSettings(), of_type="claim")
    )
    ident = await card(workspace, sales, "Окна")
    form = f"/deals/new?pipeline={claims.id}&beside={ident}"
    assert form.replace("&", "&amp;") in await browser.get(f"/deals/{ident}")
    made = await browser.send("/deals/new", page=form, pipeline=str(claims.id), title="Дует из окна", beside=str(ident))
    assert "Окна" in await browser.get(made.headers["Location"])
    page = await browser.get(f"/deals/{ident}")
    assert "Дует из окна" in page
    assert "Рекламации" in page


async def test_a_document_is_made_and_fetched(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    body = DocumentBody(html="<p>{{ deal.title }}</p>", title="Предложение № {{ number }}")
    await workspace.hub.store.run(lambda desk: add(desk, Section.DOCUMENT, "КП", body, "root"))
    ident = await card(workspace, sales, "Окна")
    path = f"/deals/{ident}"
    made = await press(browser, f"{path}/documents", path, template="КП", act="make")
    assert "Предложение № 1" in await made.text()
    document = await workspace.scalar("SELECT id FROM document")
    answer = await browser.client.get(f"{path}/documents/{document}")
    assert answer.status == 200
    assert (await answer.read()).startswith(b"%PDF")
    other = await card(workspace, sales, "Дверь")
    assert (await browser.client.get(f"/deals/{other}/documents/{document}")).status == 404
    wrong = await press(browser, f"{path}/documents", path, template="Нет такого", act="make")
    assert wrong.status == 400


async def test_the_history_says_who_changed_what(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, "Окна", amount=100_000)
    path = f"/deals/{ident}"
    await press(browser, f"{path}/edit", path, version="1", group="main", title=EVIL, amount="2000")
    await workspace.hub.store.run(lambda desk: deals.move(desk, ident, "Предложение"))
    trace = await browser.get(f"{path}?part=trace")
    assert EVIL not in trace
    assert SAFE in trace
    assert "1\u00a0000\u00a0₽" in trace
    assert "2\u00a0000\u00a0₽" in trace
    assert "Root" in trace
    assert trace.index("Предложение") > 0


async def test_the_history_speaks_no_codes(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, "Окна")

    def by_a_rule(desk: Desk) -> None:
        desk.work.author = "rule:Взять заявку"
        deals.move(desk, ident, "Предложение")
        run = RuleRunRecord("1", "Взять заявку", "deal", ident, None, desk.now, RunOutcome.DONE, "stage_entered")
        desk.work.put(run)
        desk.work.author = "hub"
        deals.move(desk, ident, "Новая")

    await workspace.hub.store.run(by_a_rule)
    trace = await browser.get(f"/deals/{ident}?part=trace")
    assert "Правило «Взять заявку»" in trace
    assert "rule:" not in trace
    assert "stage_entered" not in trace
    assert "<td>Хаб</td>" in trace
    assert ">hub<" not in trace
    assert not re.search(r"<td[^>]*>\d{4}-\d\d-\d\dT", trace), "moments are said as people say them"


async def test_a_card_is_ticked_copied_deleted_and_brought_back(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    after = await pipeline_of(workspace, "Рассрочка")
    ident = await card(workspace, sales, "Окна", "Предложение")
    path = f"/deals/{ident}"
    ticked = await press(browser, f"{path}/tick", path, item="1", done="1")
    assert 'aria-checked="true"' in await ticked.text()
    copied = await browser.send(f"{path}/tunnel", page=path, act="copy", pipeline=str(after.id))
    assert copied.status == 303
    assert "Рассрочка" in await browser.get(copied.headers["Location"])
    await press(browser, f"{path}/delete", path)
    page = await browser.get(path)
    assert "Карточка удалена." in page
    assert "Окна" not in await browser.get(f"/deals/list?pipeline={sales.id}")
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await ivan.get(path, status=404)
    await press(browser, f"{path}/restore", path)
    assert "Карточка удалена." not in await browser.get(path)


async def test_cards_of_others_are_not_there(workspace: Workspace) -> None:
    await workspace.visitor()
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    sales = await pipeline_of(workspace, reach={Role.MANAGER: Reach.OWN})
    own = await card(workspace, sales, "Своя", manager="ivan")
    foreign = await card(workspace, sales, "Чужая")
    page = await ivan.get(f"/deals/{own}")
    assert "Удалить карточку" not in page
    path = f"/deals/{foreign}"
    await ivan.get(path, status=404)
    for part in ("?part=body", "?part=trace", "/group", "/group?form=lines", "/documents/1"):
        await ivan.get(path + part, status=404)
    board = f"/deals/{own}"
    for act, fields in (
        ("move", {"stage": "Предложение"}),
        ("edit", {"title": "Моя"}),
        ("tick", {"item": "1", "done": "1"}),
        ("lines", {"name": "Окно"}),
        ("payments", {"act": "received", "amount": "1"}),
        ("tasks", {"title": "Взять"}),
        ("documents", {"template": "КП"}),
        ("links", {"kind": "deal", "ident": str(own)}),
        ("tunnel", {"act": "copy", "pipeline": str(sales.id)}),
    ):
        answer = await press(ivan, f"{path}/{act}", board, **fields)
        assert answer.status in {400, 404, 409}, act
    assert (await press(ivan, f"{board}/delete", board)).status == 403
    assert await workspace.scalar("SELECT count(*) FROM deal") == 2
    assert await workspace.scalar(f"SELECT version FROM deal WHERE id = {foreign}") == 1
    assert await workspace.scalar("SELECT count(*) FROM task") == 0
    assert await workspace.scalar("SELECT count(*) FROM payment") == 0


async def test_a_card_that_is_late_says_so(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, "Окна", "Предложение")
    workspace.clock.advance(timedelta(days=3))
    page = await browser.get(f"/deals/{ident}")
    assert "просрочена" in page
    assert "3 дн." in page


async def test_a_card_costs_the_same_however_much_belongs_to_it(workspace: Workspace) -> None:
    await workspace.visitor()
    sales = await pipeline_of(workspace)
    await declare(workspace, FieldBody(of="deal", key="main", title="Главная", type=FieldType.LINK, to="deal"))
    contacts = [await workspace.write("Привет", client=3000 + number, number=str(number)) for number in range(4)]
    first = await card(workspace, sales, "Первая", contact_id=contacts[0])
    ident = await card(workspace, sales, "Окна", contact_id=contacts[0], fields={"main": first})
    store, user = workspace.hub.store, await reader(workspace)

    async def cost(read: Callable[[Connection, Asker], object]) -> int:
        return await statements_of(store, lambda conn: read(conn, store.asker(conn, user)))

    def page(conn: Connection, asker: Asker) -> object:
        return deal_view(conn, asker, ident)

    def story(conn: Connection, asker: Asker) -> object:
        return trace(conn, asker, ident, None)

    def add_to_it(desk: Desk, numbers: range) -> None:
        for number in numbers:
            tasks.make(desk, NewTask(f"Задача {number}", "root", desk.now, deal_id=ident, author="root"))
            new = NewPayment(PaymentKind.RECEIVED, 100, "RUB", note=str(number))
            payments.record(desk, ident, "root", new)
            links.link(desk, ("deal", ident), ("contact", contacts[number % 4]), f"роль {number}", "root")

    await store.run(lambda desk: add_to_it(desk, range(1)))
    await cost(page)
    few = await cost(page), await cost(story)
    await store.run(lambda desk: add_to_it(desk, range(1, 30)))
    assert (await cost(page), await cost(story)) == few
    assert max(few) <= 18
