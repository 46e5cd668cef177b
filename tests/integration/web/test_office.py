"""The office's pages: everything an administrator configures, through forms that act as the API does."""

import re
from collections.abc import Mapping

from pydantic import BaseModel

from crm_core.model.definitions import FORMS, Section
from crm_core.model.records import ContactRecord
from crm_core.model.rights import Right
from crm_core.model.user import Role
from hub.settings.hours import week
from hub.web.office.forms.labels import has_word
from hub.web.office.forms.shapes import Kind, shapes_of
from hub.web.office.pipelines import PipelineForm, StageForm
from hub.web.office.roles import RIGHTS
from hub.web.office.sections import KEPT
from tests.integration.web.conftest import Browser, Workspace

TEMPLATE = {"name": "Привет", "text": "Здравствуйте, {{ contact.name }}!"}
RULE = {
    "name": "Метка",
    "on": "contact",
    "when.0": "",
    "when.0.event": "message_in",
    "only": "",
    "only.words": "окна",
    "then.0": "",
    "then.0.do": "tag",
    "then.0.tags": "окна",
    "enabled": "1",
}


async def sent(
    browser: Browser, path: str, status: int = 200, given: Mapping[str, str] | None = None, **more: str
) -> str:
    """Send a form as it stands on its own page; the page that comes of it."""
    fields = {"csrf": await browser.token(path), **(given or {}), **more}
    response = await browser.client.post(path, data=fields, allow_redirects=False)
    text = await response.text()
    assert response.status == status, text
    return text


async def record(workspace: Workspace, section: Section, name: str) -> int:
    found = await workspace.scalar(f"SELECT id FROM definition WHERE section = '{section.value}' AND name = '{name}'")
    assert isinstance(found, int)
    return found


async def test_every_page_opens_in_both_languages(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    pages = ["/office", "/office/people", "/office/new-person", "/office/people/root", "/office/roles"]
    pages += ["/office/pipelines", "/office/presets", "/office/deliveries", "/office/lines"]
    pages += [f"/office/{each.path}{more}" for each in KEPT for more in ("", "/new", "/new?as=text")]
    for path in pages:
        assert "<h1>" in await browser.get(path), path
    await browser.send("/me/tastes", page="/me", language="en", theme="auto")
    for path in pages:
        assert "<h1>" in await browser.get(path), path


async def test_a_template_is_written_shown_for_a_client_and_kept(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.write("Добрый день", name="Анна <b>")
    path = "/office/templates/new"
    page = await sent(browser, path, given=TEMPLATE, act="preview", for_client="Анна")
    assert "Здравствуйте, Анна &lt;b&gt;!" in page
    assert await workspace.scalar("SELECT count(*) FROM definition") == 0, "nothing is kept by looking"
    await sent(browser, path, 303, TEMPLATE, act="save")
    page = await browser.get("/office/templates")
    assert "Привет" in page
    ident = await record(workspace, Section.TEMPLATE, "Привет")
    wrong = await sent(browser, f"/office/templates/{ident}", 400, name="Привет", version="1", text="{{ contact.name ")
    assert "aria-invalid" in wrong
    assert "{{ contact.name " in wrong, "what was typed stays"


async def test_what_somebody_else_changed_meanwhile_is_not_lost(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await sent(browser, "/office/templates/new", 303, TEMPLATE, act="save")
    ident = await record(workspace, Section.TEMPLATE, "Привет")
    path = f"/office/templates/{ident}"
    await sent(browser, path, 303, act="save", version="1", name="Привет", text="Второй")
    page = await sent(browser, path, 409, act="save", version="1", name="Привет", text="Третий")
    assert "Третий" in page
    assert "Второй" in page
    assert 'name="version" value="2"' in page
    await sent(browser, path, 303, act="save", version="2", name="Привет", text="Третий")


async def test_a_definition_is_put_away_and_brought_back(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await sent(browser, "/office/templates/new", 303, TEMPLATE, act="save")
    ident = await record(workspace, Section.TEMPLATE, "Привет")
    await browser.send(f"/office/templates/{ident}/away", page="/office/templates")
    assert await workspace.scalar(f"SELECT archived FROM definition WHERE id = {ident}")
    await browser.send(f"/office/templates/{ident}/back", page="/office/templates")
    assert not await workspace.scalar(f"SELECT archived FROM definition WHERE id = {ident}")


async def test_a_rule_is_made_by_buttons_tried_and_kept(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.write("Сколько стоят окна?", name="Анна")
    path = "/office/rules/new"
    page = await sent(browser, path, act="add:when", on="contact")
    assert 'name="when.0.event"' in page
    page = await sent(browser, path, given={**RULE, "then.0.do": "task"}, act="show")
    assert 'name="then.0.title"' in page, "an action shows what belongs to it"
    page = await sent(browser, path, given=RULE, act="try", try_days="7")
    assert "1 раз" in page
    assert "Анна" in page
    assert page.count("клиент написал в чат") > 1, "why it would act stands there in words, beside the choice"
    task = {**RULE, "then.0.do": "task", "then.0.title": "Ответить", "then.0.to": "head", "then.0.due": "4h"}
    page = await sent(browser, path, given=task, act="try", try_days="7")
    assert "Ответить · руководитель · 4 ч" in page
    assert await workspace.scalar("SELECT count(*) FROM definition") == 0
    await sent(browser, path, 303, RULE, act="save")
    page = await browser.get("/office/rules")
    assert "клиент написал в чат" in page
    ident = await record(workspace, Section.RULE, "Метка")
    await browser.send(f"/office/rules/{ident}/switch", page="/office/rules", on="0")
    assert "выкл" in await browser.get("/office/rules")
    text = await browser.get(f"/office/rules/{ident}?as=text")
    assert "message_in" in text
    wrong = await sent(
        browser, f"/office/rules/{ident}", 400, act="save", version="2", name="Метка", as_text='on = "x"'
    )
    assert "when" in wrong


async def test_what_is_wrong_with_a_rule_stands_beside_its_input(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    fields = {**RULE, "condition": "contact.name ==", "then.1": "", "then.1.do": "task", "then.1.title": ""}
    page = await sent(browser, "/office/rules/new", 400, fields, act="save")
    assert 'id="f-condition-wrong"' in page
    assert 'id="f-then-1-title-wrong"' in page
    fields = {**RULE, "then.0.do": "message", "then.0.template": "нет такого"}
    assert "нет такого" in await sent(browser, "/office/rules/new", 400, fields, act="save")


async def test_an_expression_is_checked_as_it_is_typed(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    response = await browser.send("/office/check", page="/office/rules/new", expression="deal.amount >")
    assert (await response.json())["problem"]
    response = await browser.send("/office/check", page="/office/rules/new", expression="deal.amount > 5")
    assert (await response.json()) == {"problem": ""}


async def test_people_are_added_changed_and_let_go(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    new = {"login": "anna", "name": "Анна", "role": "manager", "group": "Продажи", "password": "длинный пароль"}
    await sent(browser, "/office/new-person", 303, new)
    assert "Продажи" in await browser.get("/office/people")
    page = await sent(browser, "/office/people/anna", 400, name="", role="manager")
    assert "aria-invalid" in page
    changed = {"name": "Анна Смирнова", "role": "head", "extension": "105", "absent_until": "2099-01-01T09:00"}
    await sent(browser, "/office/people/anna", 303, changed)
    assert await workspace.scalar("SELECT role FROM app_user WHERE login = 'anna'") == "head"
    assert await workspace.scalar("SELECT absent_until FROM app_user WHERE login = 'anna'") is not None
    await sent(browser, "/office/people/anna", 303, name="Анна", role="head")
    assert await workspace.scalar("SELECT absent_until FROM app_user WHERE login = 'anna'") is None
    page = await sent(browser, "/office/people/root", 400, name="Root", role="manager")
    assert "другого администратора" in page

    client = await workspace.write("Добрый день")
    await workspace.hub.store.run(
        lambda desk: desk.work.put(desk.work.get(ContactRecord, client)._replace(manager="anna"))
    )
    response = await browser.send("/office/people/anna/hand-over", page="/office/people/anna", to="root", disable="1")
    assert response.status == 303
    assert await workspace.scalar(f"SELECT manager FROM contact WHERE id = {client}") == "root"
    assert not await workspace.scalar("SELECT active FROM app_user WHERE login = 'anna'")
    await browser.send("/office/people/anna/active", page="/office/people/anna", active="1")
    await browser.send("/office/people/anna/password", page="/office/people/anna", password="другой пароль")
    other = workspace.browser()
    assert (await other.log_in("anna", "другой пароль")).status == 303


async def test_what_is_wrong_with_somebody_new_stands_beside_its_input(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    new = {"login": "anna", "name": "Анна", "role": "manager", "email": "не почта", "password": "длинный пароль"}
    page = await sent(browser, "/office/new-person", 400, new)
    wrong = re.search(r'id="f-email-wrong"[^>]*>([^<]*)<', page)
    assert wrong is not None
    assert "не адрес почты" in wrong[1]
    assert "card faults" not in page, "it is said beside the input, and nowhere else"
    assert "Введите пароль ещё раз" in page, "an empty password would be nobody's way in"
    page = await sent(browser, "/office/new-person", 400, {**new, "email": "", "password": "123"})
    beside = re.search(r'id="first-password".*?<p class="wrong" role="alert">([^<]*)<', page, re.DOTALL)
    assert beside is not None
    assert "8" in beside[1]
    assert "Введите пароль ещё раз" not in page
    assert "длинный пароль" not in page


async def test_of_two_administrators_who_change_somebody_the_second_is_told(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await sent(browser, "/office/new-person", 303, {"login": "anna", "name": "Анна", "role": "manager"})

    def seen(page: str) -> str:
        found = re.search(r'name="seen" value="(\w+)"', page)
        assert found is not None
        return found[1]

    before = seen(await browser.get("/office/people/anna"))
    await sent(browser, "/office/people/anna", 303, name="Анна", role="manager", extension="105", seen=before)
    page = await sent(browser, "/office/people/anna", 400, name="", role="head", seen=before)
    assert seen(page) == before, "a fault elsewhere does not hide it"
    page = await sent(browser, "/office/people/anna", 409, name="Анна Смирнова", role="head", seen=before)
    assert "Кто-то изменил это одновременно с вами" in page
    assert 'value="Анна Смирнова"' in page, "what was typed is still there"
    assert await workspace.scalar("SELECT extension FROM app_user WHERE login = 'anna'") == "105"
    await sent(browser, "/office/people/anna", 303, name="Анна Смирнова", role="head", seen=seen(page))
    assert await workspace.scalar("SELECT role FROM app_user WHERE login = 'anna'") == "head"


async def test_people_stand_by_their_names_and_fields_by_their_titles(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    for login, name in (("user10", "Яна"), ("user2", "анна"), ("user3", "Борис")):
        await sent(browser, "/office/new-person", 303, {"login": login, "name": name, "role": "manager"})
    page = await browser.get("/office/people")
    assert page.index(">анна<") < page.index(">Борис<") < page.index(">Яна<")
    await sent(
        browser, "/office/fields/new", 303, {"of": "deal", "key": "size", "title": "Размер окна", "type": "text"}
    )
    page = await browser.get("/office/fields")
    assert re.search(r'<a href="/office/fields/\d+">Размер окна</a>', page)
    assert "<code>deal.size</code>" in page
    ident = await workspace.scalar("SELECT id FROM definition WHERE name = 'deal.size'")
    assert "<h1>Размер окна</h1>" in await browser.get(f"/office/fields/{ident}")


async def test_a_calendar_takes_russian_days_and_says_in_russian_what_is_no_day(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    wrong = {"name": "Офис", "days.0.key": "буд", "days.0.value": "9-18"}
    page = await sent(browser, "/office/hours/new", 400, wrong)
    assert "не день недели" in page
    assert "names no day" not in page
    assert "card faults" not in page, "it stands beside the days"
    page = await sent(browser, "/office/hours/new", 400, {**wrong, "days.0.key": "пн-пт"})
    assert "не часы работы" in page
    await sent(browser, "/office/hours/new", 303, {**wrong, "days.0.key": "пн-пт", "days.0.value": "09:00-18:00"})
    assert "пн-пт 09:00-18:00" in await browser.get("/office/hours")
    assert week({"пн-пт": "09:00-18:00", "вс": "10:00-12:00"}) == week({"mon-fri": "09:00-18:00", "sun": "10:00-12:00"})


async def test_a_ladder_asks_what_happens_and_a_webhook_for_one_line(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    assert ">Что случилось <" in await browser.get("/office/ladders/new")
    page = await browser.get("/office/webhooks/new")
    assert re.search(r'<input id="f-url" name="url"', page)


async def test_a_role_is_given_another_reach(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await sent(browser, "/office/roles", 303, {"hear_calls:manager": "all", "delete:manager": "own"})
    body = str(await workspace.scalar("SELECT body FROM definition WHERE section = 'role' AND name = 'manager'"))
    assert "hear_calls" in body
    assert "keep_lists" not in body, "what is as usual is kept nowhere"
    await sent(browser, "/office/roles", 303, {"hear_calls:manager": "own", "delete:manager": "none"})
    page = await browser.get("/office/roles")
    assert 'class="changed"' not in page


async def test_a_pipeline_is_set_up_and_a_stage_removed(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await sent(browser, "/office/pipelines", 303, name="Продажи окон")
    pipeline = await workspace.scalar("SELECT id FROM pipeline WHERE name = 'Продажи окон'")
    home = f"/office/pipelines/{pipeline}"
    await browser.send(f"{home}/stages", page=home, name="Замер")
    stage = await workspace.scalar("SELECT id FROM stage WHERE name = 'Замер'")
    page = await browser.get(home)
    assert page.index("Замер") < page.index("Выиграно")
    order = re.search(r'name="order" value="([\d,]+)"', page)
    assert order is not None
    await browser.send(f"{home}/order", page=home, order=order[1], up=str(stage))
    moved = re.search(r'name="order" value="([\d,]+)"', await browser.get(home))
    assert moved is not None
    assert moved[1].startswith(str(stage))
    at = f"{home}/stages/{stage}"
    seen = re.search(r'name="seen" value="(\w+)"', await browser.get(at))
    assert seen is not None
    fields = {"act": "save", "seen": seen[1], "name": "Замер окна", "kind": "open", "deadline": "3d"}
    wrong = await sent(browser, at, 400, fields, probability="200", enter_when="deal.amount >")
    assert 'id="f-probability-wrong"' in wrong
    assert "deal.amount &gt;" in wrong
    await sent(browser, at, 303, fields, probability="40", colour="#1f5fd6")
    outdated = await sent(browser, at, 409, fields, probability="50")
    assert "Кто-то" in outdated
    await browser.send(f"{at}/remove", page=at)
    assert await workspace.scalar(f"SELECT archived FROM stage WHERE id = {stage}")


async def test_calendars_and_ladders_are_read_as_the_file_is(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    days = {"name": "офис", "days.0.key": "mon-fri", "days.0.value": "09:00-25:00"}
    assert "mon-fri" in await sent(browser, "/office/hours/new", 400, days, act="save")
    await sent(browser, "/office/hours/new", 303, {**days, "days.0.value": "09:00-18:00"}, act="save")
    ladder = {"on": "call.missed", "steps.0": "", "steps.0.after": "5m", "steps.0.tell": "manager", "hours": "офис"}
    await sent(browser, "/office/ladders/new", 303, ladder, act="save")
    assert "5 мин → менеджер" in await browser.get("/office/ladders")


async def test_a_subscription_shows_its_secret_once(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    fields = {"name": "Склад", "url": "https://example.com/in", "events": "deal.*", "active": "1"}
    page = await sent(browser, "/office/webhooks/new", given=fields, act="save")
    found = re.search(r"<code>([\w-]{30,})</code>", page)
    assert found is not None
    ident = await record(workspace, Section.WEBHOOK, "Склад")
    assert found[1] not in await browser.get(f"/office/webhooks/{ident}")
    assert found[1] not in await browser.get(f"/office/webhooks/{ident}?as=text")
    await sent(browser, f"/office/webhooks/{ident}", 303, fields, act="save", version="1")
    assert found[1] in str(await workspace.scalar(f"SELECT body FROM definition WHERE id = {ident}"))


async def test_a_preset_is_looked_at_and_applied(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    page = await browser.get("/office/presets/windows")
    assert "добавить" in page
    assert await workspace.scalar("SELECT count(*) FROM pipeline") == 0
    response = await browser.send("/office/presets/windows", page="/office/presets/windows")
    assert response.status == 303
    assert await workspace.scalar("SELECT count(*) FROM pipeline") != 0
    assert "Всё уже так" in await browser.get("/office/presets/windows")
    assert "[[pipeline" in await browser.get("/office/configuration.toml")
    await opened_anew(workspace, browser)


async def opened_anew(workspace: Workspace, browser: Browser) -> None:
    """Whatever is configured goes through its form and comes out as it was."""
    for keeping in KEPT:
        sql = f"SELECT min(id) FROM definition WHERE section = '{keeping.section.value}'"
        if (ident := await workspace.scalar(sql)) is not None:
            assert "<h1>" in await browser.get(f"/office/{keeping.path}/{ident}")


async def test_a_manager_comes_in_nowhere(workspace: Workspace) -> None:
    await workspace.hire()
    browser = await workspace.visitor("ivan", Role.MANAGER)
    for path in ("/office", "/office/people", "/office/rules", "/office/pipelines"):
        await browser.get(path, status=403)


def test_every_field_has_its_words() -> None:
    missing: list[str] = []

    def walk(form: type[BaseModel], seen: frozenset[type[BaseModel]]) -> None:
        for shape in shapes_of(form):
            if not has_word(form.__name__, shape.key):
                missing.append(f"{form.__name__}.{shape.key}")
            inner = [shape.form, *shape.variants.values()]
            for each in inner:
                if each is not None and each not in seen:
                    walk(each, seen | {each})

    forms: list[type[BaseModel]] = [*(FORMS[each.section] for each in KEPT), PipelineForm, StageForm]
    for form in forms:
        walk(form, frozenset({form}))
    assert missing == []
    assert set(RIGHTS) == set(Right)


def test_a_form_is_understood() -> None:
    kinds = {each.key: each.kind for each in shapes_of(FORMS[Section.RULE])}
    assert kinds["when"] is Kind.ROWS
    assert kinds["then"] is Kind.ROWS
    assert kinds["only"] is Kind.PART
    assert kinds["condition"] is Kind.CODE
