"""A client's card: what stands on it, what is done on it, what comes to it by itself."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from crm_core.messages import Attachment, EntryKind, InboundEvent, MessageReceived, Sender
from crm_core.model.definitions import DocumentBody, FieldBody, Section, TemplateBody
from crm_core.model.definitions.fields import FieldType
from crm_core.model.identity import parse_identity
from crm_core.model.records import AttachmentRecord, FileState, IdentityRecord
from crm_core.model.user import Role
from crm_core.services import defining
from crm_core.services.clients.contacts import ContactChange, change
from crm_core.services.desk import Desk
from crm_core.services.letters.scheduling import FURTHEST
from hub.web.client.mails import has_remote, with_pictures
from hub.web.client.reaching import links_of
from tests.fakes.clock import START
from tests.integration.http.test_attachments import png
from tests.integration.storage.world import MAIL, missed
from tests.integration.web.conftest import Browser, Workspace
from tests.statements import statements

EVIL = "<script>alert(1)</script>"
LONG = "достопримечательность" * 10
NUMBER = "+79161234567"
HTMX = {"HX-Request": "true"}
MAIL_HTML = '<p>Смета</p><img src="cid:logo"><img src="cid:gone"><img data-src="https://evil.example/pixel.png">'


async def pressed(browser: Browser, path: str, page: str, **fields: Any) -> ClientResponse:
    """A form sent the way that htmx sends it."""
    headers = {**HTMX, "X-CSRF": await browser.token(page)}
    return await browser.client.post(path, data=fields, headers=headers, allow_redirects=False)


async def define(workspace: Workspace, section: Section, name: str, body: Any) -> None:
    """Configure something."""
    await workspace.hub.store.run(lambda desk: defining.add(desk, section, name, body, "root"))


async def mailed(
    workspace: Workspace, html: str | None = MAIL_HTML, text: str = "Смета во вложении"
) -> tuple[int, int]:
    """A mail comes in; the ids of its client and its entry."""
    stored = await workspace.hub.files.put_bytes(b"\x89PNG\r\n\x1a\n")
    payload = MessageReceived(
        EntryKind.EMAIL, "Смета", "<m1@x>", subject=f"О смете {EVIL}", html=MAIL_HTML, quoted="> раньше"
    )
    sender = Sender((parse_identity("mailto:anna@example.org"),), "Анна")
    fact = InboundEvent(MAIL, "<m1@x>", "anna@example.org", workspace.clock.now(), sender, payload, b"")
    await workspace.hub.intake.receive(fact)
    entry = int(str(await workspace.scalar("SELECT id FROM timeline WHERE kind = 'email'")))

    def picture(desk: Desk) -> None:
        file = AttachmentRecord(desk.work.next_id(), entry, 0, "logo.png", "image/png", FileState.STORED)
        desk.work.put(file._replace(cid="logo", size=stored.size, sha256=stored.sha256))

    await workspace.hub.store.run(picture)
    return int(str(await workspace.scalar("SELECT contact_id FROM timeline WHERE kind = 'email'"))), entry


# ---------------------------------------------------------------- what stands on it


async def test_whoever_is_on_it_is_only_text(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write(f"{EVIL} {LONG}", name=f"{EVIL} {LONG}")
    await workspace.hub.store.run(
        lambda desk: change(desk, client, ContactChange(city=EVIL, company=LONG, tags=[EVIL], fields={EVIL: EVIL}))
    )
    for part in ("", "?part=live", "?part=about", "?part=business", "?part=fresh", "?show=chats"):
        page = await browser.get(f"/contacts/{client}{part}")
        assert EVIL not in page, part
    assert LONG in await browser.get(f"/contacts/{client}")


def test_other_programs_are_opened_by_what_is_known() -> None:
    def links(key: str, handle: str = "") -> list[str]:
        return [each.url for each in links_of(IdentityRecord(key, 1, "", START, handle))]

    assert links(f"tel:{NUMBER}") == ["https://wa.me/79161234567", "https://t.me/+79161234567"]
    assert links("tg:1001", "anna_s") == ["https://t.me/anna_s"]
    assert links("tg:1001", '"><script>') == []
    assert links("vk:77") == ["https://vk.com/id77"]
    assert links("mailto:a&b@x.ru") == ["mailto:a%26b@x.ru"]
    assert links("tel:anonymous") == links("claimed:a@b.ru") == links("web:1") == []


async def test_the_timeline_is_narrowed_and_shown_around_an_entry(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    client = 0
    for number in range(120):
        client = await workspace.write(f"сообщение {number:03}", number=str(number))
        workspace.clock.advance(timedelta(seconds=1))
    where = f"/contacts/{client}"
    assert "сообщение 119" not in await browser.get(f"{where}?show=calls")
    assert "сообщение 119" in await browser.get(f"{where}?show=chats")
    assert "сообщение 119" in await browser.get(f"{where}?show=nonsense")
    middle = await workspace.scalar("SELECT id FROM timeline WHERE text = 'сообщение 050'")
    page = await browser.get(f"{where}?entry={middle}")
    assert f'id="entry-{middle}"' in page
    assert "сообщение 119" not in page
    assert "data-behind>" in page.split('id="flow"')[1].split("</ol>")[0], "what is new belongs at the end"
    assert f'data-at="entry-{middle}"' in page
    await browser.get(f"{where}?entry=999999999", status=404)
    await browser.get(f"{where}?newer=nonsense", status=400)


async def test_a_timeline_is_searched_for_words(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    contact_id = await workspace.write(f"Лоджия {EVIL}")
    await workspace.write("Балкон", number="2")
    found = await ivan.get(f"/contacts/{contact_id}?part=live&q=лоДж")
    assert "Лоджия &lt;script&gt;" in found
    assert "Балкон" not in found
    assert "data-pieces" not in found  # what comes in is not among it
    assert f"/contacts/{contact_id}?entry=" in found
    assert "Балкон" in await ivan.get(f"/contacts/{contact_id}?show=chats&q=БАЛКОН")
    assert "Балкон" not in await ivan.get(f"/contacts/{contact_id}?show=calls&q=балкон")
    nothing = await ivan.get(f"/contacts/{contact_id}?q=%22%3E{EVIL}")
    assert "Ничего не найдено" in nothing
    assert EVIL not in nothing


async def test_a_day_is_gone_to(workspace: Workspace) -> None:
    client = 0
    for number in range(90):
        client = await workspace.write(f"сообщение {number:03}", number=str(number))
        workspace.clock.advance(timedelta(hours=12))
    browser = await workspace.visitor()
    where = f"/contacts/{client}"
    first = workspace.clock.now() - timedelta(hours=12 * 90)
    day = (first + timedelta(days=10)).astimezone(workspace.hub.settings.time_zone)
    page = await browser.get(f"{where}?day={day.date().isoformat()}")
    found = re.search(r'data-at="entry-(\d+)"', page)
    assert found is not None
    at = await workspace.scalar(f"SELECT text FROM timeline WHERE id = {found[1]}")
    assert at in {"сообщение 019", "сообщение 020", "сообщение 021"}
    assert "сообщение 089" not in page
    assert 'class="more newer"' in page
    assert "сообщение 089" in await browser.get(f"{where}?day={(day + timedelta(days=900)).date().isoformat()}")
    for nonsense in ("", "x", "0002-01-01", "9999-12-31"):
        page = await browser.get(f"{where}?day={nonsense}")
        assert "сообщение 089" in page
        assert "data-behind>" not in page


async def test_a_card_that_another_took_over_names_that_to_pages_that_show_it(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    gone = await workspace.write("раз", client=1001, name="Анна", number="1")
    left = await workspace.write("два", client=1002, name="Анна Иванова", number="2")
    where = f"/contacts/{gone}"
    token = await browser.token(where)
    await browser.send(f"/contacts/{left}/merge", page=f"/contacts/{left}", other=str(gone))
    for part in ("fresh", "business", "live", "talk", "about", "older"):
        answer = await browser.client.get(f"{where}?part={part}", headers=HTMX)
        assert (answer.status, answer.headers["HX-Retarget"]) == (200, "#merged"), part
        text = await answer.text()
        assert f'data-into="{left}"' in text
        assert "«Анна»" in text
    draft = {"target": "telegram:shop", "text": "Здравствуйте"}
    answer = await browser.client.post(f"{where}/reply", data=draft, headers={**HTMX, "X-CSRF": token})
    assert answer.status == 200
    assert f'action="/contacts/{left}/reply"' in await answer.text()
    assert await workspace.scalar("SELECT contact_id FROM timeline WHERE text = 'Здравствуйте'") == left


async def test_a_card_costs_the_same_however_much_there_is(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    client = await workspace.write("раз", number="1")
    await workspace.hub.intake.receive(missed("c1", NUMBER, START))
    where = f"/contacts/{client}"
    await browser.send(f"{where}/merge", page=where, other=NUMBER)

    async def cost() -> int:
        """The least of some tries: workers ask things, too."""
        tries = []
        for _ in range(4):
            with statements(workspace.hub.store) as seen:
                await browser.get(where)
            tries.append(sum(each.lstrip().upper().startswith(("SELECT", "WITH", "(")) for each in seen))
        return min(tries)

    for number in range(2):
        await browser.send(f"{where}/tasks", page=where, title=f"Дело {number}")
    few = await cost()
    for number in range(30):
        await workspace.write("ещё", number=f"m{number}")
        await browser.send(f"{where}/tasks", page=where, title=f"Ещё {number}", assignee="root")
    assert await cost() <= few <= 45


async def test_a_call_says_why_it_rang(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hub.intake.receive(missed("c1", NUMBER, START))
    entry = await workspace.scalar("SELECT id FROM timeline WHERE kind = 'call'")
    client = int(str(await workspace.scalar("SELECT contact_id FROM timeline WHERE kind = 'call'")))
    page = await browser.get(f"/contacts/{client}")
    assert "Почему звонило так" in page
    assert f'href="/contacts/{client}/entries/{entry}/why"' in page, "also without scripts"
    assert "АТС решала сама" in await browser.get(f"/contacts/{client}/entries/{entry}/why")
    await browser.get(f"/contacts/{client + 1}/entries/{entry}/why", status=404)


# ---------------------------------------------------------------- writing


async def test_an_answer_is_sent_without_a_reload(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    answer = await pressed(browser, f"{where}/reply", where, target="telegram:shop", text="Здравствуйте")
    part = await answer.text()
    assert answer.status == 200
    assert part.lstrip().startswith("<form")
    assert "Здравствуйте" not in part
    assert 'value="telegram:shop" selected' in part
    assert await workspace.scalar("SELECT author FROM timeline WHERE text = 'Здравствуйте'") == "ivan"
    answer = await pressed(browser, f"{where}/reply", where, target="vk:none", text="Важный текст")
    assert (answer.status, answer.headers["X-Part"]) == (400, "1")
    assert "Важный текст" in await answer.text()


async def test_a_note_is_for_us_alone(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    await browser.send(f"{where}/reply", page=where, target="note", text="Просит скидку")
    assert "Просит скидку" in await browser.get(f"{where}?show=notes")
    assert await workspace.scalar("SELECT author FROM timeline WHERE kind = 'note'") == "ivan"
    assert await workspace.scalar("SELECT count(*) FROM outbox WHERE kind = 'message'") == 0
    assert (await browser.send(f"{where}/reply", page=where, target="note", text=" ")).status == 400


async def test_files_are_uploaded_first_and_go_along(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    headers = {"X-CSRF": await browser.token(where), "Content-Type": "text/plain"}
    path = f"{where}/files?name=%D0%BF%D1%80%D0%B0%D0%B9%D1%81.txt"
    answer = await browser.client.post(path, data=b"100", headers=headers)
    told = await answer.json()
    assert (answer.status, told["name"], told["size"]) == (201, "прайс.txt", 3)
    await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="вот", file=str(told["id"]))
    assert "прайс.txt" in await browser.get(where)
    await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="вот", file="77")
    assert await workspace.scalar("SELECT count(*) FROM timeline WHERE text = 'вот'") == 1
    refused = await browser.client.post(path, data=b"1", headers={"Content-Type": "text/plain"}, allow_redirects=False)
    assert refused.status == 303, "not without the page's token"
    assert await workspace.scalar("SELECT count(*) FROM upload") == 1


async def test_without_scripts_files_come_with_the_form(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    form_data = FormData({"csrf": await browser.token(where), "target": "telegram:shop", "text": "", "subject": ""})
    form_data.add_field("upload", b"100", filename="прайс.txt", content_type="text/plain")
    answer = await browser.client.post(f"{where}/reply", data=form_data, allow_redirects=False)
    assert answer.status == 303
    assert "прайс.txt" in await browser.get(where)


async def test_a_message_is_scheduled_and_taken_back(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    zone = workspace.hub.settings.time_zone
    at = (workspace.clock.now() + timedelta(hours=3)).astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="Напоминаю", at=at)
    page = await browser.get(where)
    assert "Ответ запланирован." in page
    assert "уйдёт в это время" in page
    happened = await browser.get("/?part=happening")
    assert "уйдёт в это время" in happened
    assert "отправляется" not in happened, "nothing is on its way before its hour"
    entry = await workspace.scalar("SELECT id FROM timeline WHERE text = 'Напоминаю'")
    other = await workspace.write("Я другой", client=2002, number="9")
    await browser.send(f"/contacts/{other}/entries/{entry}/withdraw", page=where)
    assert "отменено до отправки" not in await browser.get(where), "not by another client's card"
    await browser.send(f"{where}/entries/{entry}/withdraw", page=where)
    page = await browser.get(where)
    assert "отменено до отправки" in page
    assert "уйдёт в это время" not in page
    happened = await browser.get("/?part=happening")
    assert "отменено до отправки" in happened
    assert "удалено клиентом" not in happened, "the client deleted nothing"
    assert await workspace.scalar("SELECT count(*) FROM outbox WHERE kind = 'message'") == 0
    far = (workspace.clock.now() + 2 * FURTHEST).strftime("%Y-%m-%dT%H:%M")
    for wrong in (far, "завтра"):
        answer = await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="Потом", at=wrong)
        assert answer.status == 400
        assert "Потом" in await answer.text()


async def test_a_moment_that_lies_behind_is_refused_in_words(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    where, zone = f"/contacts/{client}", workspace.hub.settings.time_zone
    now = workspace.clock.now().astimezone(zone)
    past, ahead = (f"{now + each:%Y-%m-%dT%H:%M}" for each in (-timedelta(hours=1), timedelta(hours=1)))
    answer = await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="Вчерашнее", at=past)
    page = await answer.text()
    assert answer.status == 400
    assert "Это время уже прошло" in page
    assert "Вчерашнее" in page, "what was typed stays"
    assert past in page
    answer = await browser.send(f"{where}/reply", page=where, target="note", text="Заметка на потом", at=ahead)
    page = await answer.text()
    assert answer.status == 400
    assert "Заметка сохраняется сразу" in page
    assert "Заметка на потом" in page
    assert await workspace.scalar("SELECT count(*) FROM timeline WHERE text LIKE '%на потом%'") == 0
    assert await workspace.scalar("SELECT count(*) FROM outbox WHERE kind = 'message'") == 0
    answer = await browser.send(
        f"{where}/reply", page=where, target="telegram:shop", text="Сейчас", at=f"{now:%Y-%m-%dT%H:%M}"
    )
    assert answer.status == 303, "the minute that has just begun is now"


async def test_templates_are_filled_in_for_the_client(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день", name=f"Анна {EVIL}")
    await workspace.hire("root")
    await define(workspace, Section.TEMPLATE, "Привет", TemplateBody(text="Здравствуйте, {{ contact.name }}!"))
    await define(workspace, Section.TEMPLATE, "Смета", TemplateBody(text="Вот смета", channels=["email"]))
    part = await browser.get(f"/contacts/{client}/templates?target=telegram:shop")
    assert "Здравствуйте, Анна &lt;script&gt;" in part
    assert "Смета" not in part
    assert "Смета" in await browser.get(f"/contacts/{client}/templates?target=email:sales&q=СМЕ")
    assert "Такого шаблона нет" in await browser.get(f"/contacts/{client}/templates?q=zzz")


# ---------------------------------------------------------------- mails


async def test_a_mail_is_laid_out_in_a_document_where_nothing_runs(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client, entry = await mailed(workspace)
    page = await browser.get(f"/contacts/{client}")
    assert "Показать цитату" in page
    assert "Показать картинки из интернета" in page
    path = f"/contacts/{client}/entries/{entry}/mail"
    answer = await browser.client.get(path)
    shown, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    assert EVIL not in shown
    assert 'src="/api/v1/attachments/' in shown
    assert "cid:" not in shown
    assert "https:" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert 'data-src="https://evil.example' in shown
    asked = await browser.client.get(f"{path}?remote=1")
    assert 'src="https://evil.example/pixel.png"' in await asked.text()
    assert "img-src 'self' data: https: http:" in asked.headers["Content-Security-Policy"]
    assert (await browser.client.get(f"/contacts/{client + 1}/entries/{entry}/mail")).status == 404
    usual = (await browser.client.get(f"/contacts/{client}")).headers
    assert "frame-ancestors 'none'" in usual["Content-Security-Policy"]


def test_only_pictures_get_addresses() -> None:
    text = 'data-src="https://x.ru/a" <p>src="cid:logo"</p><img alt="a" data-src="https://x.ru/b">'
    assert with_pictures(text, {}, remote=True) == text.replace('data-src="https://x.ru/b"', 'src="https://x.ru/b"')
    assert with_pictures(text, {}, remote=False) == text
    assert has_remote(text)
    assert not has_remote('data-src="https://x.ru/a"')
    assert not has_remote(None)


# ---------------------------------------------------------------- what is known


async def test_a_line_is_mended_in_its_place(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hire("root")
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    size = FieldBody(of="contact", key="size", title="Размер", type=FieldType.LIST, options=["S", "L"])
    many = FieldBody(of="contact", key="likes", title="Любит", type=FieldType.MULTI, options=["чай", "кофе"])
    await define(workspace, Section.FIELD, "contact.size", size)
    await define(workspace, Section.FIELD, "contact.likes", many)

    async def mend(name: str, *values: str) -> int:
        version = await workspace.scalar(f"SELECT version FROM contact WHERE id = {client}")
        form_of = {"field": name, "version": str(version), "value": list(values)}
        data = [
            (key, each) for key, value in form_of.items() for each in (value if isinstance(value, list) else [value])
        ]
        headers = {**HTMX, "X-CSRF": await browser.token(where)}
        return (await browser.client.post(f"{where}/set", data=data, headers=headers)).status

    for name, value in (("name", "Анна Смирнова"), ("city", "Тверь"), ("tags", "опт, срочно"), ("field:size", "L")):
        assert await mend(name, value) == 200
    assert await mend("manager", "ivan") == 200
    assert await mend("field:likes", "чай", "кофе") == 200
    page = await browser.get(where)
    for shown in ("Анна Смирнова", "Тверь", "опт, срочно", "чай, кофе", "Размер"):
        assert shown in page
    assert await workspace.scalar(f"SELECT manager FROM contact WHERE id = {client}") == "ivan"
    assert await mend("field:size", "XXL") == 400
    assert await mend("nonsense", "1") == 400
    assert await mend("manager", "") == 200


@pytest.mark.parametrize("headers", [HTMX, {}])
async def test_what_somebody_else_changed_meanwhile_loses_nothing_typed(
    workspace: Workspace, headers: dict[str, str]
) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    version = await workspace.scalar(f"SELECT version FROM contact WHERE id = {client}")
    await workspace.hub.store.run(lambda desk: change(desk, client, ContactChange(city="Рязань")))
    fields = {"field": "city", "version": str(version), "value": "Тверь", "csrf": await browser.token(where)}
    answer = await browser.client.post(f"{where}/set", data=fields, headers=headers)
    part = await answer.text()
    assert answer.status == 409
    assert 'value="Тверь"' in part
    assert "Сейчас там «Рязань»" in part
    assert ("<html" in part) is not bool(headers)


# ---------------------------------------------------------------- what is going on


async def test_a_lead_is_rejected_or_becomes_a_deal(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    for client, act in ((1001, "reject"), (1002, "convert")):
        card = await workspace.write("Хочу купить", client=client, number=str(client))
        lead = await workspace.scalar(f"SELECT id FROM lead WHERE contact_id = {card}")
        where = f"/contacts/{card}"
        assert "Взять лид" in await browser.get(where)
        await browser.send(f"/contacts/{card + 1}/leads/{lead}/{act}", page=where, reason="не наш")
        assert await workspace.scalar(f"SELECT status FROM lead WHERE id = {lead}") == "new"
        await browser.send(f"{where}/leads/{lead}/{act}", page=where, reason="не наш")
    statuses = await workspace.scalar("SELECT count(*) FROM lead WHERE status IN ('rejected', 'converted')")
    assert statuses == 2 or await workspace.scalar("SELECT count(*) FROM pipeline") == 0


async def test_a_task_is_given_and_closed_with_a_result(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    await browser.send(f"{where}/tasks", page=where, title="Перезвонить", due="2026-03-05T15:30", assignee="ivan")
    page = await browser.get(where)
    assert "Перезвонить" in page
    assert "data-until=" in page
    task = await workspace.scalar("SELECT id FROM task")
    await browser.send(f"{where}/tasks/{task}/close", page=where, result=" ")
    assert await workspace.scalar("SELECT state FROM task") == "open"
    await browser.send(f"{where}/tasks/{task}/close", page=where, result="Договорились")
    assert await workspace.scalar("SELECT state FROM task") == "done"
    assert "Договорились" in await browser.get(where)


async def test_a_document_is_made_and_sent_by_one_press(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hire("root")
    client = await workspace.write("Добрый день")
    where = f"/contacts/{client}"
    body = DocumentBody(of="contact", title="Памятка {{ number }}", html="<p>{{ contact.name }}</p>")
    await define(workspace, Section.DOCUMENT, "Памятка", body)
    assert "Памятка" in await browser.get(where)
    await browser.send(f"{where}/documents", page=where, template="Памятка")
    page = await browser.get(where)
    assert "Документ отправляется." in page
    assert "Памятка 1" in page
    assert await workspace.scalar("SELECT count(*) FROM outbox WHERE kind = 'message'") == 1
    await browser.send(f"{where}/documents", page=where, template="Нет такого")
    assert "Шаблона документов «Нет такого» нет" in await browser.get(where)


# ---------------------------------------------------------------- by itself


async def test_entries_come_to_an_open_card_as_pieces(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    position = workspace.hub.live.position
    async with browser.client.get(f"/live?topics=client:{client}&after={position}") as stream:
        assert stream.status == 200
        lines: list[str] = []

        async def until(text: str) -> str:
            async for line in stream.content:
                lines.append(line.decode())
                if text in lines[-1]:
                    return lines[-1]
            raise AssertionError(lines)

        await asyncio.wait_for(until("hello"), 20)
        await workspace.write(f"Ещё вопрос {EVIL}", number="2")
        piece = await asyncio.wait_for(until("Ещё вопрос"), 20)
        assert EVIL not in piece
        assert "data-order" in piece
        await workspace.hub.intake.receive(missed("c1", NUMBER, START))
        where = f"/contacts/{client}"
        await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="Отвечаю")
        sent = await asyncio.wait_for(until("отправлено"), 20)
        assert "Отвечаю" in sent


async def test_photos_are_listed_small_as_one_scrolls_to_them_and_open_whole(workspace: Workspace) -> None:
    stored = await workspace.hub.files.put_bytes(png(40, 30))
    file = Attachment("замер.png", "image/png", stored=stored, size=stored.size)
    contact = await workspace.write("вот", files=(file,))
    page = await (await workspace.visitor()).get(f"/contacts/{contact}")
    found = re.search(r'<li class="photo"><a href="([^"]+)"[^>]*><img src="([^"]+)"([^>]*)>', page)
    assert found is not None
    assert found[2] == f"{found[1]}?preview=true"
    for kept in ('loading="lazy"', 'width="176"', 'height="132"'):
        assert kept in found[3], "nothing jumps when it comes"
