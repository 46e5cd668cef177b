"""What the pages show and what is done on them."""

import re
from dataclasses import replace
from datetime import timedelta

from crm_core.messages import Attachment, ChannelKey
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.model.user import Role
from crm_core.storage.queries.contacts import ContactCard
from crm_core.storage.users import NewUser, UserChange, add_user, update_user
from hub.web.assets import Assets
from hub.web.client.reaching import targets_of
from tests.fakes.clock import START
from tests.integration.http.world import SHOP
from tests.integration.web.conftest import Workspace

EVIL = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"


async def test_an_open_case_is_shown_with_who_waits_and_what_comes(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.write("Добрый день", name="Анна Смирнова")
    workspace.clock.advance(timedelta(hours=2, minutes=5, seconds=30))
    await workspace.write("Ау", name="Анна Смирнова", number="2")
    page = await browser.get("/")
    assert "Анна Смирнова" in page
    assert re.search('ждёт <span data-since="[^"]+" data-calm>2 ч 5 мин</span>', page)
    assert "2 раза" in page
    assert "сообщено только на страницах" in page, "nobody has a messenger"
    assert "дальше контролёр, директор" in page
    assert "на связи" in page


async def test_of_a_case_those_are_named_who_were_told(workspace: Workspace) -> None:
    browser, store = await workspace.visitor(), workspace.hub.store
    store.office = replace(store.office, staff_channel=SHOP)
    await workspace.hire("kira", Role.CONTROLLER, name="Кира Орлова")
    await store.run(lambda desk: update_user(desk, "kira", UserChange(telegram_id=77)))
    client = await workspace.write("Добрый день", name="Анна Смирнова")
    for path in ("/", f"/contacts/{client}", "/wall"):
        assert "знают: <span>Кира Орлова</span>" in await browser.get(path), path


async def test_nobody_waits(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    page = await browser.get("/")
    assert "Всем ответили." in page
    assert "Пока ничего не пришло." in page


async def test_a_case_is_taken_promised_and_closed(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.write("Добрый день")
    case_id = await workspace.scalar("SELECT id FROM contact_case")
    assert (await browser.send(f"/cases/{case_id}/take", page="/", back="/")).headers["Location"] == "/"
    assert await workspace.scalar("SELECT manager FROM contact_case") == "ivan"
    assert await workspace.scalar("SELECT status FROM lead") == "taken"
    await browser.send(f"/cases/{case_id}/promise", page="/", back="/")
    page = await browser.get("/")
    assert "Обещание записано." in page
    assert "обещано ответить до" in page
    assert "Обещание записано." not in await browser.get("/"), "said once"
    await browser.send(f"/cases/{case_id}/close", page="/", back="/", reason="решено <b>")
    assert await workspace.scalar("SELECT state FROM contact_case") == "closed"
    page = await browser.get("/")
    assert "Всем ответили." in page
    assert "решено &lt;b&gt;" in page


async def test_what_can_not_be_done_is_said(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.write("Добрый день")
    case_id = await workspace.scalar("SELECT id FROM contact_case")
    await browser.send(f"/cases/{case_id}/close", page="/", back="/", reason=" ")
    assert "reason" in await browser.get("/")
    await browser.send(f"/cases/{case_id}/close", page="/", back="/", reason="да")
    response = await browser.send(f"/cases/{case_id}/take", page="/", back="//evil.example")
    assert response.headers["Location"] == "/"
    assert "уже закрыто" in await browser.get("/")
    response = await browser.send("/cases/999999/take", page="/", back="/")
    assert response.status == 303


async def test_everything_from_outside_is_only_text(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    file = Attachment(f"{EVIL}.pdf", EVIL, stored=await workspace.hub.files.put_bytes(b"x"), size=1)
    contact_id = await workspace.write(f"{EVIL} {{{{ 7*7 }}}}", name=EVIL, files=(file,))
    await workspace.fail(b"<html>")
    for path in ("/", f"/contacts/{contact_id}", "/contacts", f"/contacts?q={EVIL}", "/journal?state=all"):
        page = await browser.get(path)
        assert EVIL not in page
        if "journal" not in path:
            assert SAFE in page
    assert "{{ 7*7 }}" in await browser.get(f"/contacts/{contact_id}")


async def test_a_card_shows_the_client_and_the_timeline(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    stored = await workspace.hub.files.put_bytes(b"%PDF")
    file = Attachment("Счёт.pdf", "application/pdf", stored=stored, size=4)
    contact_id = await workspace.write("Первая строка\nвторая", name="Анна", files=(file,))
    page = await browser.get(f"/contacts/{contact_id}")
    assert "Telegram 1001" in page
    assert "Первая строка\nвторая" in page
    assert "Счёт.pdf" in page
    assert "новый" in page
    link = page.split('class="file" href="')[1].split('"')[0]
    response = await browser.client.get(link)
    assert (response.status, await response.read()) == (200, b"%PDF")
    assert (await workspace.browser().client.get(link)).status == 401


async def test_an_answer_goes_out_and_closes_the_case(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    contact_id = await workspace.write("Добрый день")
    where = f"/contacts/{contact_id}"
    response = await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="Здравствуйте,\r\nАнна")
    assert (response.status, response.headers["Location"]) == (303, where)
    assert "Здравствуйте,\nАнна" in await browser.get(where)
    async for _ in workspace.hub.live.follow(0):
        if await workspace.scalar("SELECT state FROM contact_case") == "closed":
            break
    assert [message.text for message in workspace.shop.sent] == ["Здравствуйте,\nАнна"]
    assert "отправлено" in await browser.get(where)


async def test_an_answer_that_can_not_go_comes_back_with_its_text(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    contact_id = await workspace.write("Добрый день")
    where = f"/contacts/{contact_id}"
    for fields in ({"target": "vk:none", "text": "Важный текст"}, {"target": "", "text": "Важный текст"}):
        response = await browser.send(f"{where}/reply", page=where, **fields)
        assert response.status == 400
        assert "Важный текст" in await response.text()
    response = await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="  ")
    assert response.status == 400
    assert workspace.shop.sent == []


async def test_long_timelines_and_lists_come_in_pages(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    contact_id = 0
    for number in range(60):
        contact_id = await workspace.write(f"сообщение {number:03}", number=str(number))
        workspace.clock.advance(timedelta(seconds=1))
    page = await browser.get(f"/contacts/{contact_id}")
    assert "сообщение 059" in page
    assert "сообщение 002" not in page
    older = page.split("Раньше")[0].rsplit('href="', 1)[1].split('"')[0]
    assert "сообщение 002" in await browser.get(older)
    await browser.get(f"/contacts/{contact_id}?after=nonsense", status=400)


async def test_clients_are_found_by_name_and_number(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.write("да", name="Ёлкина Анна")
    assert "Ёлкина Анна" in await browser.get("/contacts?q=ёлкина")
    assert "Никого не нашлось" in await browser.get("/contacts?q=нет такой")
    assert "Никого не нашлось" in await browser.get("/contacts?q=%25")


async def test_the_journal_is_for_administrators_who_read_again(workspace: Workspace) -> None:
    root, ivan = await workspace.visitor("root"), await workspace.visitor("ivan", Role.MANAGER)
    await workspace.fail(b'{"id": 7, "client": 1009, "text": "\\u0434\\u0430"}')
    await ivan.get("/journal", status=403)
    assert "Журнал" not in await ivan.get("/")
    assert "an unknown shape" in await root.get("/journal")
    journal_id = await workspace.scalar("SELECT id FROM journal WHERE state = 'failed'")
    assert (await ivan.send(f"/journal/{journal_id}/replay", page="/")).status == 403
    assert await workspace.scalar("SELECT count(*) FROM journal WHERE state = 'failed'") == 1
    assert (await root.send(f"/journal/{journal_id}/replay", page="/journal")).status == 303
    page = await root.get("/journal")
    assert "прочитана заново" in page
    assert "Строк нет." in page
    await root.send(f"/journal/{journal_id}/replay", page="/journal?state=all")
    assert "заново читают только непонятые" in await root.get("/journal")


async def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    for path, said, section in (
        ("/contacts/999999", "Клиента № 999999 нет", "/contacts"),
        ("/deals/999999", "Сделки № 999999 нет", "/deals"),
        ("/tasks/999999", "Задачи № 999999 нет", "/tasks"),
        ("/office/people/nobody", "«nobody»", "/office"),
        ("/contacts/" + "9" * 30, "Такой страницы нет", "/contacts"),
        ("/nothing", "Такой страницы нет", "/"),
    ):
        page = await browser.get(path, status=404)
        assert said in page, path
        assert f'<a class="button" href="{section}">' in page
    response = await browser.client.get("/api/v1/nothing", headers={"Accept": "text/html"})
    assert response.content_type == "application/problem+json"


async def test_what_refreshes_by_itself_is_the_same_without_the_frame(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    contact_id = await workspace.write("Добрый день", name="Анна")
    for path in ("/", f"/contacts/{contact_id}"):
        part, whole = await browser.get(f"{path}?part=live"), await browser.get(path)
        assert "<html" not in part
        assert "Анна" in whole
        assert f'hx-get="{path}?part=live' in whole
        assert "Добрый день" in part
    response = await workspace.browser().client.get("/?part=live", allow_redirects=False)
    assert response.status == 302


async def test_static_files_change_their_address_with_their_content(workspace: Workspace) -> None:
    page = await (await workspace.visitor()).get("/")
    assets = Assets()
    for name in ("workspace.js", "style.css", "vendor/htmx.js"):
        address = assets.url(name)
        assert address in page
        answer = await workspace.browser().client.get(address)
        assert (answer.status, "immutable" in answer.headers["Cache-Control"]) == (200, True)
        old = await workspace.browser().client.get(address.replace(assets.version, "0" * 12))
        assert (old.status, old.headers["Cache-Control"]) == (200, "no-store")
    assert (await workspace.browser().client.get("/static/../pages.py")).status == 404


async def test_an_answer_can_go_where_the_client_can_be_written_to() -> None:
    shop, sales, pbx = ChannelKey("telegram", "shop"), ChannelKey("email", "sales"), ChannelKey("pbx", "office")
    contact = ContactRecord(1, "Анна", START, START, "анна")
    card = ContactCard(contact, tuple(IdentityRecord(key, 1, "", START) for key in ("tel:+7", "mailto:a@b.ru", "tg:1")))
    assert targets_of(card, [pbx, sales], (shop, sales, pbx)) == (sales, shop)
    assert targets_of(ContactCard(contact, ()), [], (shop, sales)) == ()


async def test_a_colleague_added_meanwhile_is_shown_by_name(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    new = NewUser("maria", "Мария Менеджер", Role.MANAGER)
    await workspace.hub.store.run(lambda desk: add_user(desk, new))
    await workspace.write("Добрый день")
    assert "Мария Менеджер" in await browser.get("/")


async def test_pages_that_stand_elsewhere_belong_to_the_section_they_are_come_to_from(workspace: Workspace) -> None:
    root = await workspace.visitor()
    for path, key in (
        ("/companies", "KeyC"),
        ("/contacts/today", "KeyC"),
        ("/dialling", "KeyP"),
        ("/products/new", "KeyO"),
        ("/runs/chains", "KeyO"),
        ("/journal", "KeyO"),
    ):
        here = [each for each in (await root.get(path)).splitlines() if 'aria-current="page" title=' in each]
        assert len(here) == 1, path
        assert f'data-key="{key}"' in here[0], path
