"""People of the window company before browsers, on a clock that the test moves: what a manager sends now and later,
keeps and opens again; a surveyor with a telephone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from crm_core.model.user import Role
from tests.contract.channels.mail import ANNA, OURS, Mail
from tests.contract.channels.provider import Provider
from tests.contract.channels.telegram import Telegram
from tests.e2e.companies.company import OFFICE, Company, company
from tests.e2e.hub_process import HubProcess
from tests.e2e.workspace.office import TELEPHONE, Workspace, person
from tests.e2e.workspace.test_timeline import picture

pytestmark = pytest.mark.timeout(600)

PHONE, SHOWN_PHONE = "+79161234567", "+7 916 123-45-67"
_PEOPLE = (*OFFICE, ("petr", "Пётр Замеров", Role.MANAGER, "замерщики"))
_LAID_OUT = """<html><body><h1>Смета</h1><table><tr><td>Окно</td><td>18 500</td></tr></table>
<img src="cid:plan" alt="план"><img src="https://far.example/pixel.png" alt="далеко">
<script>document.body.textContent = "захвачено"; parent.document.title = "захвачено"</script>
<a href="javascript:alert(1)">сюда</a></body></html>"""


@dataclass(frozen=True)
class Windows:
    """The company, its browsers, and its clients at the other side."""

    company: Company
    workspace: Workspace
    telegram: Telegram
    mail: Mail


@pytest.fixture
async def windows(tmp_path: Path, chromium: Browser) -> AsyncIterator[Windows]:
    telegram, mail = Telegram("polling"), Mail()
    providers: dict[str, Provider] = {"telegram": telegram, "email": mail}
    password_hash = person("any", "Любой", Role.MANAGER).password_hash
    group = 'group = "продажи"\n'
    async with AsyncExitStack() as stack:
        opened = company("windows", tmp_path, _PEOPLE, providers, accounts=group, password_hash=password_hash)
        found = await stack.enter_async_context(opened)
        settings = found.hub.settings
        # The hub lives in this process, for the sake of its clock; here it is only where browsers find it.
        place = HubProcess(tmp_path, str(settings.database_url), "", port=settings.http.port)
        workspace = Workspace(place, None, chromium, found.session)
        yield Windows(found, workspace, telegram, mail)
        for context in chromium.contexts:
            await context.close()
        assert workspace.errors == []


async def test_a_message_for_later_goes_when_its_time_has_come(windows: Windows) -> None:
    office, telegram = windows.company, windows.telegram
    await telegram.say("Напомните мне о замере")
    client = (await office.client(telegram.identity))["id"]
    ivan = await windows.workspace.enter("ivan")
    await ivan.goto(f"{windows.workspace.hub.url}/contacts/{client}")
    await ivan.locator("#answer").fill("Замер завтра в десять")
    await ivan.locator("#composer input[name=at]").fill("2026-03-02T15:00")  # it is noon
    await ivan.locator("#composer button:not([type])").last.click()
    entry = ivan.locator("#flow li.out", has_text="Замер завтра в десять")
    await expect(entry).to_contain_text("уйдёт")
    await ivan.locator("#answer").fill("Хорошо, напомню")
    await ivan.keyboard.press("Control+Enter")
    await expect(ivan.locator("#flow li.out", has_text="Хорошо, напомню")).to_contain_text("отправлено")
    await office.passes(hours=2, minutes=59)
    assert [each.text for each in await telegram.heard(1)] == ["Хорошо, напомню"]
    await expect(entry).to_contain_text("уйдёт")
    await office.passes(minutes=1)
    assert [each.text for each in await telegram.heard(2)] == ["Хорошо, напомню", "Замер завтра в десять"]
    await expect(entry).to_contain_text("отправлено")
    await expect(entry.get_by_role("button")).to_have_count(0)
    await office.passes(days=1)
    assert len(await telegram.heard(2)) == 2


async def test_a_document_goes_by_one_press_and_the_client_has_the_file(windows: Windows) -> None:
    office, telegram = windows.company, windows.telegram
    body = {"of": "contact", "title": "Памятка № {{ number }}", "html": "<h1>Памятка</h1><p>{{ contact.name }}</p>"}
    await office.post("/document-templates", {"name": "Памятка", **body}, by="root")
    await telegram.say("Что подготовить к замеру?")
    client = (await office.client(telegram.identity))["id"]
    ivan = await windows.workspace.enter("ivan")
    await ivan.goto(f"{windows.workspace.hub.url}/contacts/{client}")
    await ivan.locator("form[action$='/documents']", has_text="Памятка").get_by_role("button", name="Отправить").click()
    (heard,) = await telegram.heard(1)
    ((name, content),) = heard.files
    assert (name, content[:5]) == ("Памятка № 1.pdf", b"%PDF-")
    assert b"%%EOF" in content[-32:]
    entry = ivan.locator("#flow li.out", has_text="Памятка № 1")
    await expect(entry).to_contain_text("отправлено")
    answer = await ivan.request.get(str(await entry.locator("a.file").evaluate("each => each.href")))
    assert await answer.body() == content, "what the office keeps is what the client has"
    assert len(await telegram.heard(1)) == 1


async def test_a_filter_of_the_board_is_kept_and_opened_again(windows: Windows) -> None:
    office, url = windows.company, windows.workspace.hub.url
    for title, manager, roubles in (("Дача", "ivan", 90_000), ("Балкон", "ivan", 20_000), ("Склад", "boss", 95_000)):
        deal: dict[str, Any] = {"title": title, "pipeline": "Продажа", "manager": manager}
        await office.post("/deals", {**deal, "amount": {"amount": roubles * 100, "currency": "RUB"}}, by="root")
    boss = await windows.workspace.enter("boss")
    await boss.goto(f"{url}/deals")
    cards = boss.locator("li.deal")
    await expect(cards).to_have_count(3)
    await boss.locator("details.asking > summary").click()
    await boss.locator("details.asking select[name=manager]").select_option("ivan")
    await boss.locator("details.asking input[name=sum_from]").fill("50 000")
    await boss.locator("details.asking").get_by_role("button", name="Показать").click()
    await expect(cards).to_have_count(1)
    await expect(cards).to_contain_text("Дача")
    await boss.locator("details.keeping > summary").click()
    await boss.locator("details.keeping").get_by_label("Сохранить").first.fill("Крупные Ивана")
    await boss.locator("details.keeping form").first.get_by_role("button").click()
    view = boss.locator(".views a.view", has_text="Крупные Ивана")
    await expect(view).to_have_attribute("aria-current", "true")

    # Another day, from the whole board.
    again = await windows.workspace.enter("boss")
    await again.goto(f"{url}/deals")
    await expect(again.locator("li.deal")).to_have_count(3)
    await again.locator(".views a.view", has_text="Крупные Ивана").click()
    await expect(again.locator("li.deal")).to_have_count(1)
    await expect(again.locator("li.deal")).to_contain_text("Дача")
    await expect(again.locator("details.asking input[name=sum_from]")).to_have_value("50 000")
    other = await windows.workspace.enter("ivan")
    await other.goto(f"{url}/deals")
    await expect(other.locator("li.deal")).to_have_count(3)
    await expect(other.locator(".views a.view")).to_have_count(0)


async def test_a_mail_is_shown_as_it_was_laid_out_and_does_nothing(windows: Windows) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = (
        f"Анна <{ANNA}>",
        OURS,
        "Смета",
        "<1@client.example>",
    )
    mail.set_content("Смета во вложении")
    mail.add_alternative(_LAID_OUT, subtype="html")
    laid_out = list(mail.iter_parts())[1]
    assert isinstance(laid_out, EmailMessage)
    laid_out.add_related(picture(60, 40), "image", "png", cid="<plan>")
    await windows.mail.send(mail)
    client = (await windows.company.client(windows.mail.identity))["id"]
    ivan = await windows.workspace.enter("ivan")
    far: list[str] = []

    async def from_far(route: Route) -> None:
        far.append(route.request.url)
        await route.fulfill(body=picture(1, 1), content_type="image/png")

    await ivan.context.route("https://far.example/**", from_far)
    await ivan.goto(f"{windows.workspace.hub.url}/contacts/{client}")
    entry = ivan.locator("#flow li.email")
    await expect(entry).to_contain_text("Смета во вложении")
    await entry.locator("details.laid-out > summary").click()
    frame = entry.frame_locator("iframe")
    await expect(frame.locator("table")).to_contain_text("18 500")
    await expect(frame.locator("h1")).to_be_in_viewport()
    await expect(frame.locator("img[alt=план]")).to_have_js_property("naturalWidth", 60)
    await expect(frame.locator("script")).to_have_count(0)
    await expect(frame.get_by_text("сюда")).not_to_have_attribute("href", "javascript:alert(1)")
    assert far == [], "whoever sent it is not told that it is read"
    await entry.get_by_role("link", name="Показать картинки из интернета").click()
    await expect(frame.locator("img[alt=далеко]")).to_have_js_property("naturalWidth", 1)
    assert far == ["https://far.example/pixel.png"]
    assert "захвачено" not in await ivan.title()


async def test_a_surveyor_measures_with_a_telephone_and_sees_no_deal(windows: Windows, tmp_path: Path) -> None:
    office, url = windows.company, windows.workspace.hub.url
    await office.form(phone=PHONE, name="Анна", message="Нужны окна", **{"Сколько окон": "5", "Адрес": "Лесная, 5"})
    client = (await office.client(f"tel:{PHONE}"))["id"]
    (lead,) = await office.items(f"/leads?contact_id={client}")
    deal = (await office.post(f"/leads/{lead['id']}/convert", {"pipeline": "Продажа"}))["deal_id"]
    price = {"amount": {"amount": 300_000_00, "currency": "RUB"}}
    await office.patch(f"/deals/{deal}", {**price, "title": "Окна под ключ", "fields": {"measure_on": "2026-03-05"}})
    for stage in ("Коммерческое предложение отправлено", "Замер запланирован"):
        await office.post(f"/deals/{deal}/move", {"stage": stage})
    naming = await office.task("Назначить замерщика", assignee="boss", deal_id=deal)

    petr = await windows.workspace.enter("petr", viewport=TELEPHONE, is_mobile=True, has_touch=True)
    await petr.goto(f"{url}/tasks")
    await expect(petr.get_by_role("link", name="Замер:")).to_have_count(0)
    await office.patch(f"/deals/{deal}", {"fields": {"surveyor": "petr"}}, by="boss")
    await office.post(f"/tasks/{naming['id']}/close", {"result": "Поедет Пётр"}, by="boss")
    await petr.get_by_role("link", name="Замер:").tap()  # it came by itself
    task = await office.task("Замер:", assignee="petr")
    await expect(petr).to_have_url(f"{url}/tasks/{task['id']}")
    main = petr.locator("main")
    await expect(main.locator("dl")).to_contain_text("Анна")
    told_to_petr = (await main.locator("p.text").inner_text()).splitlines()
    assert told_to_petr == ["Адрес: Лесная, 5", "День: 05.03.2026", "Окон: 5"]
    await expect(main.get_by_role("link", name=SHOWN_PHONE)).to_have_attribute("href", f"tel:{PHONE}")
    assert await petr.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert await petr.locator("a.myself").evaluate("each => each.clientWidth >= 24"), "their own page can be hit"

    lines = main.locator("form[action$='/tick']")
    await expect(lines).to_have_count(3)
    for number, name in enumerate(("Размеры", "Фото проёмов", "Особенности монтажа")):
        line = lines.nth(number).get_by_role("button", name=name)
        size = await line.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 44, "a finger hits it"
        await line.tap()
        await expect(line).to_have_attribute("aria-pressed", "true")
    assert [each["done"] for each in (await office.get(f"/tasks/{task['id']}"))["checklist"]] == [True] * 3

    photo = tmp_path / "проём.png"
    photo.write_bytes(picture(800, 600))
    close = main.locator("form[action$='/close']")
    await close.locator("input[type=file]").first.set_input_files(photo)
    await expect(close.locator(".chosen input[name=files]")).to_have_count(1)
    await close.locator("textarea[name=result]").fill("Проёмы 140×120")
    await close.locator(".buttons button").tap()
    await expect(main.locator("form[action$='/reopen']")).to_be_visible()
    entries = await office.items(f"/contacts/{client}/timeline?limit=1000")
    (told,) = [each for each in entries if "Проёмы 140×120" in each["text"]]
    assert (told["deal_id"], [each["name"] for each in told["attachments"]]) == (deal, ["проём.png"])
    opened = await petr.request.get(str(await main.locator("a.file").evaluate("each => each.href")))
    assert await opened.body() == photo.read_bytes()

    # What is sold to whom is no surveyor's business.
    for path in ("/", "/tasks", f"/tasks/{task['id']}", "/deals", "/deals/list", f"/contacts/{client}"):
        await petr.goto(f"{url}{path}")
        await expect(petr.locator("main")).to_be_visible()
        for words in ("Окна под ключ", "300\u00a0000"):
            await expect(petr.locator("body")).not_to_contain_text(words)
        await expect(petr.locator(f"a[href='/deals/{deal}']")).to_have_count(0)
    answer = await petr.goto(f"{url}/deals/{deal}")
    assert answer is not None
    assert answer.status == 404
