"""What the hub refuses is said on its pages in the language of whoever is refused."""

from __future__ import annotations

import html
from dataclasses import dataclass

import pytest

from crm_core.model.user import Role
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_board import card, pipeline_of
from tests.integration.web.test_tasks import given


@dataclass(frozen=True, slots=True)
class Mistake:
    """What somebody does wrong on a page, and what they are told."""

    path: str
    fields: dict[str, str]
    russian: str
    english: str
    page: str = "/"


MISTAKES = {
    "a payment of nothing": Mistake(
        "/deals/{deal}/payments", {"amount": "0"}, "Платёж не бывает нулевым", "no payment is of nothing"
    ),
    "a payment of words": Mistake("/deals/{deal}/payments", {"amount": "много"}, "«много» — не сумма", "is no sum"),
    "a task closed without a word": Mistake(
        "/tasks/{task}/close", {"result": " "}, "Задачу закрывают с итогом", "a task is closed with a result"
    ),
    "a task without a title": Mistake(
        "/tasks/new", {"title": ""}, "У задачи должно быть название", "a task has a title"
    ),
    "a task of nobody": Mistake(
        "/tasks/new",
        {"title": "Замер", "assignee": "nobody"},
        "Исполнитель: работающего сотрудника «nobody» нет",
        "assignee: there is no active user «nobody»",
    ),
    "a list that is none": Mistake(
        "/lists/add", {"list": "x", "number": "абв", "reason": "Спам"}, "Особого списка «x» нет", "there is no list «x»"
    ),
    "a number that is none": Mistake(
        "/lists/add",
        {"list": "чёрный список", "identity": "ерунда", "reason": "Спам"},
        "Номер: «ерунда» — не номер",
        "number: «ерунда» is no telephone number",
    ),
    "a report of no such grouping": Mistake(
        "/reports/missed?by=moon", {}, "Группировки «moon» нет", "by: «moon» is none of"
    ),
    "a person whose login is no login": Mistake(
        "/office/new-person",
        {"login": "иван!", "name": "Иван", "role": "manager", "password": "длинный пароль"},
        "Логин «иван!» не подходит",
        "login «иван!»",
        page="/office/new-person",
    ),
    "a pipeline of a name that is taken": Mistake(
        "/office/pipelines", {"name": "Продажи"}, "Воронка «Продажи» уже есть", "there is a pipeline «Продажи» already"
    ),
    "a client merged with themselves": Mistake(
        "/contacts/{client}/merge", {"other": "{client}", "with": "{client}"}, "с самим собой", "with itself"
    ),
}


async def _told(browser: Browser, mistake: Mistake, known: dict[str, object]) -> str:
    path = mistake.path.format(**known)
    fields = {name: value.format(**known) for name, value in mistake.fields.items()}
    if not fields:
        return html.unescape(await browser.get(path, status=400))
    answer = await browser.send(path, page=mistake.page, **fields)
    if answer.status == 303:
        return html.unescape(await browser.get(answer.headers["Location"]))
    assert 400 <= answer.status < 500, answer.status
    return html.unescape(await answer.text())


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
async def test_a_mistake_is_told_in_the_language_of_who_made_it(workspace: Workspace, mistake: Mistake) -> None:
    browser = await workspace.visitor("ivan", Role.ADMIN)
    client = await workspace.write("Здравствуйте")
    pipeline = await pipeline_of(workspace)
    deal = await card(workspace, pipeline, "Окна", contact_id=client, manager="ivan")
    task = await given(workspace, client=client)
    known = {"client": client, "deal": deal, "task": task, "pipeline": pipeline}
    assert mistake.russian in await _told(browser, mistake, known)
    await browser.send("/me/tastes", page="/me", language="en", theme="auto")
    told = await _told(browser, mistake, known)
    assert mistake.english in told
    assert mistake.russian not in told


async def test_what_breaks_is_told_on_a_page(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await workspace.visitor("ivan", Role.ADMIN)

    def broken(*_given: object) -> None:
        raise RuntimeError("the very detail that no page shows")

    monkeypatch.setattr("hub.web.reports.pages.wanted_of", broken)
    shown = await browser.get("/reports/missed", status=500)
    assert "Что-то сломалось" in shown
    assert "the very detail" not in shown


async def test_a_page_that_is_not_there_and_one_that_is_not_allowed(workspace: Workspace) -> None:
    browser = await workspace.visitor("anna", Role.MANAGER)
    assert "Такой страницы нет" in await browser.get("/nowhere", status=404)
    assert "другая роль" in await browser.get("/office/people", status=403)
