"""Boards and tables of cards: what they show to whom, how cards are moved, filtered, kept and acted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import ClientResponse
from sqlalchemy import Connection

from crm_core.model.definitions import Pipeline, PipelineSettings, RecordTypeBody, Section, StageSettings
from crm_core.model.definitions.fields import FieldBody
from crm_core.model.records import StageKind
from crm_core.model.rights import Reach
from crm_core.model.user import Role, User
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.acts.pipeline_keeping import NewStage, create_pipeline
from crm_core.services.defining import add
from crm_core.services.desk import Desk
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.staff import load_staff
from hub.web.board.asking import Wanted
from hub.web.board.boards import AT_ONCE, MORE, MOST_CARDS, MOST_OPEN, board_view, bounded, table_view
from tests.integration.web.conftest import Browser, Workspace
from tests.statements import statements_of

EVIL = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"
STAGES = (
    NewStage("Новая", StageKind.OPEN, settings=StageSettings(colour="#d64524", probability=10)),
    NewStage(
        "Предложение",
        StageKind.OPEN,
        settings=StageSettings(probability=50, deadline=timedelta(hours=8), goal="Согласие", checklist=["Отправить"]),
    ),
    NewStage("Договор", StageKind.OPEN, settings=StageSettings(probability=90, required=["source"])),
    NewStage("Оплачена", StageKind.WON),
    NewStage("Отказ", StageKind.LOST),
)
REASONS = ("Дорого", "Не отвечает")


async def pipeline_of(
    workspace: Workspace, name: str = "Продажи", *, stages: Sequence[NewStage] = STAGES, **settings: Any
) -> Pipeline:
    """A pipeline to work with."""
    body = PipelineSettings(loss_reasons=list(REASONS), **settings)
    return await workspace.hub.store.run(lambda desk: create_pipeline(desk, name, stages, body))


async def card(workspace: Workspace, pipeline: Pipeline, title: str, stage: str = "Новая", **given: Any) -> int:
    """A card on a stage."""
    change = DealChange(title=title, **given)

    def service(desk: Desk) -> int:
        made = deals.create(desk, given.get("manager") or "root", change, pipeline.name, stage)
        return made.deal.id

    return await workspace.hub.store.run(service)


def stage_id(pipeline: Pipeline, name: str) -> int:
    """The id of a stage."""
    found = pipeline.stage(name)
    assert found is not None
    return found.id


async def press(browser: Browser, path: str, page: str, **fields: str) -> ClientResponse:
    """What the module of the page sends."""
    headers = {"HX-Request": "true", "X-CSRF": await browser.token(page), "Accept": "text/html"}
    return await browser.client.post(path, data=fields, headers=headers, allow_redirects=False)


async def test_a_board_shows_stages_sums_and_cards(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    contact = await workspace.write("Здравствуйте", name="Анна")
    first = await card(workspace, sales, "Окна на дачу", amount=15_000_000, contact_id=contact, tags=["срочно"])
    await card(workspace, sales, "Балкон", amount=5_000_000)
    await card(workspace, sales, "Дверь", "Предложение", amount=10_000_000)
    due = workspace.clock.now() + timedelta(hours=3)
    await workspace.hub.store.run(lambda desk: tasks.make(desk, NewTask("Замер", "root", due, deal_id=first)))
    page = await browser.get("/deals")
    assert "Окна на дачу" in page
    assert "Анна" in page
    assert "срочно" in page
    assert "Замер" in page
    assert "200\u00a0000\u00a0₽" in page, "the sum of a column"
    assert "20\u00a0000\u00a0₽" in page, "weighted by ten per cent"
    assert "50\u00a0000\u00a0₽" in page, "half of what stands on the offer"
    assert page.count("нет следующего шага") == 2
    assert 'data-colour="#d64524"' in page
    workspace.clock.advance(timedelta(days=2))
    page = await browser.get(f"/deals/board/{sales.id}")
    assert "просрочена" in page, "the deadline of the offer"


async def test_a_column_comes_in_portions(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)

    def many(desk: Desk) -> None:
        for number in range(50):
            deals.create(desk, "root", DealChange(title=f"Карточка {number:02}"), sales.name, "Новая")

    await workspace.hub.store.run(many)
    page = await browser.get(f"/deals/board/{sales.id}")
    assert page.count('class="deal"') == AT_ONCE == 12
    assert "ещё 38 карточек" in page
    address = f"/deals/board/{sales.id}?part=column&stage={stage_id(sales, 'Новая')}&after="
    more = await browser.get(address + "12")
    assert more.count('class="deal"') == MORE == 30
    assert "ещё 8 карточек" in more
    last = await browser.get(address + "42")
    assert last.count('class="deal"') == 8
    assert 'class="more"' not in last
    assert "показано 42 из 50" in more
    opened = f"{stage_id(sales, 'Новая')}:50,999:30,x:y,:"
    again = await browser.get(f"/deals/board/{sales.id}?part=board&open={opened}")
    assert again.count('class="deal"') == 50
    assert "<html" not in again


def test_what_stands_open_on_a_board_is_bounded_the_longest_columns_first() -> None:
    assert bounded({}) == {}
    assert bounded({1: 60, 2: 300}) == {1: 60, 2: 300}
    assert bounded({1: 9_000}) == {1: MOST_OPEN}
    found = bounded({1: 400, 2: 30, 3: 500, 4: 500, 5: 10**18, 6: 100})
    assert (found[2], found[6]) == (30, 100)
    assert sum(found.values()) <= MOST_CARDS
    assert min(found[each] for each in (1, 3, 4, 5)) >= 340
    many = bounded(dict.fromkeys(range(100_000), 10**18))
    assert sum(many.values()) <= MOST_CARDS


async def test_a_board_costs_the_same_however_much_stands_on_it(workspace: Workspace) -> None:
    await workspace.visitor()
    sales = await pipeline_of(workspace)
    contacts = [await workspace.write("Привет", client=2000 + number, number=str(number)) for number in range(5)]
    await card(workspace, sales, "Одна", contact_id=contacts[0])
    store, user = workspace.hub.store, await reader(workspace)

    async def cost(read: Callable[[Connection, Asker], object]) -> int:
        return await statements_of(store, lambda conn: read(conn, store.asker(conn, user)))

    def board(conn: Connection, asker: Asker) -> object:
        return board_view(conn, asker, sales.id, Wanted())

    def table(conn: Connection, asker: Asker) -> object:
        return table_view(conn, asker, Wanted(), pipeline_id=sales.id, stage_id=None, after=None)

    await cost(board)
    few = await cost(board), await cost(table)

    def many(desk: Desk) -> None:
        for number in range(100):
            stage = STAGES[number % 2].name
            change = DealChange(title=f"Карточка {number}", contact_id=contacts[number % 5])
            deals.create(desk, "root", change, sales.name, stage)

    await workspace.hub.store.run(many)
    many_cost = await cost(board), await cost(table)
    assert all(later <= before for later, before in zip(many_cost, few, strict=True))
    assert max(few) <= 8


async def reader(workspace: Workspace) -> User:
    """The administrator, as the staff knows them."""
    found = (await workspace.hub.store.read(load_staff)).get("root")
    assert found is not None
    return found


async def test_a_card_is_moved(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, "Окна")
    board = f"/deals/board/{sales.id}"
    answer = await press(browser, f"/deals/{ident}/move", board, stage=str(stage_id(sales, "Предложение")), version="1")
    text = await answer.text()
    assert answer.status == 200, text
    assert answer.headers["X-Stage"] == str(stage_id(sales, "Предложение"))
    assert f'id="card-{ident}"' in text
    plain = await browser.send(f"/deals/{ident}/move", page=board, stage=str(stage_id(sales, "Новая")), back=board)
    assert plain.status == 303
    assert plain.headers["Location"] == board
    assert "Теперь на этапе «Новая»." in await browser.get(board)


async def test_what_a_stage_asks_for_is_asked_and_given_with_the_move(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, f"Окна {EVIL}")
    board, path = f"/deals/board/{sales.id}", f"/deals/{ident}/move"
    contract = str(stage_id(sales, "Договор"))
    refused = await press(browser, path, board, stage=contract, version="1")
    text = await refused.text()
    assert refused.status == 422
    assert refused.headers["X-Part"] == "1"
    assert 'name="source"' in text
    assert 'name="amount"' not in text
    assert SAFE in text
    assert EVIL not in text
    done = await press(browser, path, board, stage=contract, version="1", source="Сайт")
    assert done.status == 200
    assert await workspace.scalar(f"SELECT source FROM deal WHERE id = {ident}") == "Сайт"
    lost = str(stage_id(sales, "Отказ"))
    asked = await press(browser, path, board, stage=lost)
    assert asked.status == 422
    text = await asked.text()
    assert all(f"<option>{each}</option>" in text for each in REASONS)
    wrong = await press(browser, path, board, stage=lost, reason="Просто так")
    assert wrong.status == 422
    assert (await press(browser, path, board, stage=lost, reason="Дорого")).status == 200
    assert await workspace.scalar(f"SELECT reason FROM deal WHERE id = {ident}") == "Дорого"
    other = await card(workspace, sales, "Дверь")
    whole = await browser.send(f"/deals/{other}/move", page=board, stage=contract)
    assert whole.status == 422
    assert "<html" in await whole.text(), "without scripts it is a page"


async def test_nothing_is_filled_in_where_the_move_is_refused(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, "Окна")
    lost = str(stage_id(sales, "Отказ"))
    await press(browser, f"/deals/{ident}/move", f"/deals/board/{sales.id}", stage=lost, source="Сайт")
    assert await workspace.scalar(f"SELECT source FROM deal WHERE id = {ident}") is None


async def test_whoever_is_late_is_told_where_the_card_stands(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    ident = await card(workspace, sales, "Окна")
    await workspace.hub.store.run(lambda desk: deals.move(desk, ident, "Предложение"))
    answer = await press(
        browser, f"/deals/{ident}/move", f"/deals/board/{sales.id}", stage=str(stage_id(sales, "Оплачена")), version="1"
    )
    text = await answer.text()
    assert answer.status == 409
    assert "Предложение" in text
    assert "изменили" in text
    assert (await press(browser, f"/deals/{ident}/move", "/deals", stage="нет такого")).status == 400
    assert (await press(browser, "/deals/999999/move", "/deals", stage="1")).status in {404, 409}


async def test_filters_are_those_of_the_record(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.hire("ivan", Role.MANAGER, name="Иван")
    sales = await pipeline_of(workspace)
    await card(workspace, sales, "Дорогая", amount=90_000_000, manager="ivan", tags=["юрлицо"])
    await card(workspace, sales, "Дешёвая", amount=100_000)
    await card(workspace, sales, "Выигранная", "Оплачена", amount=100_000, source="Сайт")
    board = f"/deals/board/{sales.id}?"
    for query, shown in (
        ("manager=ivan", {"Дорогая"}),
        ("tag=юрлицо", {"Дорогая"}),
        ("sum_to=5000", {"Дешёвая"}),
        ("sum_from=5000", {"Дорогая"}),
        ("q=деш", {"Дешёвая"}),
        ("stepless=1", {"Дорогая", "Дешёвая"}),
        ("late=1", set[str]()),
        ("closed=1", {"Дорогая", "Дешёвая", "Выигранная"}),
        ("made_from=today", {"Дорогая", "Дешёвая"}),
        ("", {"Дорогая", "Дешёвая"}),
    ):
        page, table = await browser.get(board + query), await browser.get("/deals/list?" + query)
        for title in ("Дорогая", "Дешёвая", "Выигранная"):
            assert (f">{title}</a>" in page) == (title in shown), (query, title)
            assert (f">{title}</a>" in table) == (title in shown), (query, title)
    assert "Фильтр составлен неверно" in await browser.get(board + "sum_from=много")


async def test_custom_fields_are_asked_for(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    await declare(workspace, FieldBody(of="deal", key="colour", title="Цвет", indexed=True))
    await card(workspace, sales, "Белая", fields={"colour": "Белый"})
    await card(workspace, sales, "Чёрная", fields={"colour": "Чёрный"})
    page = await browser.get(f"/deals/board/{sales.id}?f.colour=бел")
    assert ">Белая</a>" in page
    assert ">Чёрная</a>" not in page
    assert 'name="f.colour"' in page
    assert "Цвет" in page


async def declare(workspace: Workspace, body: FieldBody) -> None:
    """Add a custom field."""
    await workspace.hub.store.run(lambda desk: add(desk, Section.FIELD, f"{body.of}.{body.key}", body, "root"))


async def test_views_are_kept_shared_and_removed(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    board = f"/deals/board/{sales.id}"
    token = await browser.token(board)
    kept = {"page": f"board:{sales.id}", "name": f"Мои {EVIL}", "query": "manager=root", "shared": "1"}
    await browser.client.post(
        "/deals/views",
        data={**kept, "csrf": token},
        allow_redirects=False,
    )
    page = await browser.get(board)
    assert SAFE in page
    assert EVIL not in page
    assert f"{board}?manager=root" in page
    other = await workspace.visitor("ivan", Role.MANAGER)
    assert SAFE in await other.get(board), "shared"
    view = await workspace.scalar("SELECT id FROM saved_view")
    await other.send(f"/deals/views/{view}", page=board, act="remove", back=board)
    assert await workspace.scalar("SELECT count(*) FROM saved_view") == 1, "only whoever made it"
    await browser.send(f"/deals/views/{view}", page=board, act="change", name="Мои", back=board)
    assert SAFE not in await other.get(board), "renamed, and not shared any more"
    await browser.send(f"/deals/views/{view}", page=board, act="remove", back=board)
    assert await workspace.scalar("SELECT count(*) FROM saved_view") == 0


async def test_many_cards_are_given_marked_and_moved(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.hire("ivan", Role.MANAGER, name="Иван")
    sales = await pipeline_of(workspace)
    ids = [await card(workspace, sales, f"Карточка {number}") for number in range(3)]
    board = f"/deals/board/{sales.id}"

    async def send(**fields: str) -> str:
        data = [("csrf", await browser.token(board)), ("back", board), *fields.items()]
        data += [("id", str(each)) for each in ids]
        await browser.client.post("/deals/bulk", data=data, allow_redirects=False)
        return await browser.get(board)

    assert "Готово: 3 карточки." in await send(act="assign", manager="ivan")
    assert await workspace.scalar("SELECT count(*) FROM deal WHERE manager = 'ivan'") == 3
    page = await send(act="tag", tag="акция")
    assert page.count(">акция<") >= 3
    assert "Готово: 3 карточки." in await send(act="move", stage=str(stage_id(sales, "Предложение")))
    page = await send(act="move", stage=str(stage_id(sales, "Договор")))
    assert "Не удалось: 3" in page
    assert await workspace.scalar("SELECT count(*) FROM deal WHERE version > 1") == 3


async def test_a_table_is_sorted_and_paged(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    for title, amount in (("Средняя", 200), ("Малая", 100), ("Большая", 300)):
        await card(workspace, sales, title, amount=amount * 100)
    page = await browser.get(f"/deals/list?pipeline={sales.id}&sort=-amount")
    assert page.index("Большая") < page.index("Средняя") < page.index("Малая")
    page = await browser.get(f"/deals/list?pipeline={sales.id}&sort=amount")
    assert page.index("Малая") < page.index("Средняя") < page.index("Большая")
    assert 'aria-sort="ascending"' in page
    await browser.get("/deals/list?pipeline=999999", status=404)


async def test_nobody_sees_more_than_they_may(workspace: Workspace) -> None:
    root = await workspace.visitor()
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    sales = await pipeline_of(workspace, reach={Role.MANAGER: Reach.OWN})
    secret = await pipeline_of(workspace, "Закрытая", roles=["director"])
    await card(workspace, sales, "Чужая", amount=70_000_000)
    await card(workspace, sales, "Своя", manager="ivan", amount=1_000_000)
    page = await ivan.get(f"/deals/board/{sales.id}")
    assert "Своя" in page
    assert "Чужая" not in page
    assert "700\u00a0000" not in page
    assert "Чужая" not in await ivan.get("/deals/list")
    assert "Чужая" in await root.get("/deals/list")
    assert "Закрытая" not in page
    await ivan.get(f"/deals/board/{secret.id}", status=404)
    assert (await ivan.client.get("/deals/export")).status == 403
    assert "/deals/export" not in page


async def test_a_board_may_be_taken_away_by_whoever_may(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    await card(workspace, sales, "Окна", amount=100_000)
    await card(workspace, sales, "=1+1", amount=100)
    await card(workspace, sales, "Готовая", "Оплачена", source="Сайт")
    answer = await browser.client.get(f"/deals/export?pipeline={sales.id}")
    text = (await answer.read()).decode("utf-8-sig")
    assert answer.status == 200
    assert "Окна" in text
    assert "Готовая" not in text
    assert ";=1+1" not in text
    assert await workspace.scalar("SELECT count(*) FROM access_log WHERE what LIKE 'export%'") == 1
    noted = orjson.loads(str(await workspace.scalar("SELECT detail FROM access_log WHERE what LIKE 'export%'")))
    assert noted == {"count": 2, "form": "csv", "filter": {"pipeline": str(sales.id)}}, "what was asked for, in words"


async def test_a_card_is_added(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    contact = await workspace.write("Здравствуйте", name="Анна Смирнова")
    form = f"/deals/new?pipeline={sales.id}"
    assert "Анна Смирнова" in await browser.get("/deals/clients?client=Смирн")
    answer = await browser.send(
        "/deals/new", page=form, pipeline=str(sales.id), title=EVIL, amount="1 500,50", contact_id=str(contact)
    )
    assert answer.status == 303
    page = await browser.get(f"/deals/board/{sales.id}")
    assert SAFE in page
    assert EVIL not in page
    assert "1\u00a0500,50\u00a0₽" in page
    wrong = await browser.send("/deals/new", page=form, pipeline=str(sales.id), title="Окна", amount="много")
    assert wrong.status == 400
    assert 'value="много"' in await wrong.text(), "what was typed is there"


async def test_cards_of_another_type_have_boards_too(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    body = RecordTypeBody(title="Рекламация", titles="Рекламации")
    await workspace.hub.store.run(lambda desk: add(desk, Section.RECORD_TYPE, "claim", body, "root"))
    claims = await workspace.hub.store.run(
        lambda desk: create_pipeline(desk, "Разбор", STAGES, PipelineSettings(), of_type="claim")
    )
    answer = await browser.send(
        "/deals/new", page=f"/deals/new?pipeline={claims.id}", pipeline=str(claims.id), title="Дует"
    )
    assert answer.status == 303
    page = await browser.get(f"/deals/board/{claims.id}")
    assert "Дует" in page
    assert "Рекламации: Разбор" in page
    assert "Дует" in await browser.get(f"/deals/list?pipeline={claims.id}")
    assert "Дует" not in await browser.get("/deals/list")


async def test_an_office_without_pipelines_is_told_what_to_do(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    assert "в разделе «Настройки»" in await browser.get("/deals")
