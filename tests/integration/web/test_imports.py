"""Tables on the page: how they are read, what stands for their words, remembered for the next file."""

from __future__ import annotations

import asyncio
import io
import re
from html import unescape

from openpyxl import Workbook

from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_upkeep import ended
from tests.integration.web.test_uploads import brought

IMPORTS, COLUMNS, BEGIN = "/office/imports", "/office/imports/columns", "/office/imports/begin"
_FIELD = re.compile(r'<input[^>]*name="([^"]+)"[^>]*?value="([^"]*)"')
_CHOSEN = re.compile(r'<select name="(column\.\d+)".*?</select>', re.DOTALL)


def fields_of(page: str) -> dict[str, str]:
    """The form as a browser would send it."""
    found = {name: unescape(value) for name, value in _FIELD.findall(page) if name != "csrf"}
    for name in _CHOSEN.findall(page):
        part = page[page.index(f'name="{name}"') :]
        chosen = re.search(r'<option value="([^"]*)" selected', part[: part.index("</select>")])
        found[name] = unescape(chosen[1]) if chosen is not None else ""
    return found


async def looked(browser: Browser, name: str, content: bytes, kind: str, **more: str) -> str:
    """The page of the columns of a file."""
    response = await brought(browser, COLUMNS, IMPORTS, ("file", name, content), kind=kind, **more)
    text = await response.text()
    assert response.status == 200, text
    return text


async def test_words_of_the_file_become_ours_and_are_remembered(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await root.send("/first-run/preset/windows", page="/first-run/preset/windows")
    sql = "SELECT s.name FROM stage s JOIN pipeline p ON p.id = s.pipeline_id ORDER BY p.position, s.position LIMIT 1"
    ours = str(await workspace.scalar(sql))
    table = "Название;Телефон;Этап;Ответственный\n"
    table += "Окно;+79161234567;В работе;Root\nДверь;+79161234568;В работе;Незнакомов\n"
    page = await looked(root, "сделки.csv", table.encode(), "deals")
    assert "1 слова у нас нет" in page
    assert f'<option value="{ours}">' in page
    fields = fields_of(page)
    words = {value: key.removesuffix("from") for key, value in fields.items() if key.endswith(".from")}
    assert set(words) == {"В работе", "Root", "Незнакомов"}
    fields |= {f"{words['В работе']}to": ours, f"{words['Незнакомов']}to": "root"}
    begun = await root.send(BEGIN, page=IMPORTS, **fields, act="rehearse")
    assert begun.status == 303, await begun.text()
    page = await ended(root, begun.headers["Location"])
    assert f'value="{ours}"' in page, "what was said goes on to the next step"
    again = fields_of(page)
    begun = await root.send(BEGIN, page=IMPORTS, **again, act="bring")
    page = await ended(root, begun.headers["Location"])
    assert await workspace.scalar("SELECT count(*) FROM deal WHERE manager = 'root'") == 2, page
    page = await looked(root, "ещё.csv", table.encode(), "deals")
    assert "столбцы как в прошлый раз" in page
    assert "слова у нас нет" not in page
    assert f'value="{ours}"' in page


async def test_a_sheet_is_chosen_and_a_separator_and_an_encoding(workspace: Workspace) -> None:
    root = await workspace.visitor()
    book = Workbook()
    book.active.title = "Обложка"
    book.active.append(["Отчёт за год"])
    book.active.append(["имя", "телефон"])
    sheet = book.create_sheet("База")
    for row in (["имя", "телефон"], ["Анна", "+79161234567"]):
        sheet.append(row)
    file = io.BytesIO()
    await asyncio.to_thread(book.save, file)
    page = await looked(root, "база.xlsx", file.getvalue(), "contacts")
    assert "Обложка" in page
    fields = fields_of(page)
    response = await root.send(COLUMNS, page=IMPORTS, **{**fields, "sheet": "База"})
    page = await response.text()
    assert "<option selected>База" in page
    assert "Анна" in page
    response = await root.send(COLUMNS, page=IMPORTS, **{**fields, "sheet": "Нет такого"})
    page = await response.text()
    assert response.status == 422
    assert "База" in page, "another one can be chosen"
    table = "имя|телефон\nАнна|+79161234567\n".encode("cp866")
    page = await looked(root, "база.csv", table, "contacts", encoding="cp866", separator="bar")
    assert "Анна" in page
    begun = await root.send(BEGIN, page=IMPORTS, **fields_of(page), encoding="cp866", separator="bar", act="bring")
    await ended(root, begun.headers["Location"])
    assert await workspace.scalar("SELECT count(*) FROM contact WHERE name = 'Анна'") == 1


async def test_nonsense_is_refused_and_the_form_stays(workspace: Workspace) -> None:
    root = await workspace.visitor()
    response = await brought(root, COLUMNS, IMPORTS, ("file", "a.csv", "имя\nАнна\n".encode()), kind="ufo")
    assert response.status == 422
    response = await brought(root, COLUMNS, IMPORTS, ("file", "a.csv", b"\x00\x01\x02\x03"), kind="contacts")
    text = await response.text()
    assert response.status == 422
    assert "Прочитать" in text
    page = fields_of(await looked(root, "a.csv", "имя\nАнна\n".encode(), "contacts"))
    response = await root.send(COLUMNS, page=IMPORTS, **{**page, "separator": "ufo"})
    assert response.status == 422
    response = await root.send(COLUMNS, page=IMPORTS, **{**page, "upload": "999999"})
    assert response.status in {404, 422}


async def test_what_was_not_taken_in_is_downloaded_mended_and_brought_in_again(workspace: Workspace) -> None:
    root = await workspace.visitor()
    table = "кто;телефон;город\nАнна;+79161234567;\n;abc;Тула\n;xyz;=Омск\n"
    fields = fields_of(await looked(root, "база.csv", table.encode(), "contacts"))
    columns = {value: name.removeprefix("heading.") for name, value in fields.items() if name.startswith("heading.")}
    fields |= {f"column.{columns['кто']}": "name", f"column.{columns['телефон']}": "phone"}
    begun = await root.send(BEGIN, page=IMPORTS, **fields, act="bring")
    page = await ended(root, begun.headers["Location"])
    where = f"{begun.headers['Location']}/failed-lines"
    assert f'href="{where}"' in page
    async with root.client.get(where) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        failed = (await answer.read()).decode("utf-8-sig")
    first, *others = failed.splitlines()
    assert first.lower() == "кто;телефон;город;почему"
    assert len(others) == 2, failed
    assert others[0].startswith(";abc;Тула;")
    assert "Анна" not in failed
    assert await workspace.scalar("SELECT detail FROM access_log WHERE what = 'export.import'")
    assert "выгружены строки загрузки" in await root.get("/office/audit")
    mended = failed.replace("abc", "+79161234568").replace("xyz", "+79161234569")
    page = await looked(root, "поправлено.csv", mended.encode(), "contacts")
    assert "столбцы как в прошлый раз" in page, "what was said of the columns holds for the mended file"
    begun = await root.send(BEGIN, page=IMPORTS, **fields_of(page), act="bring")
    page = await ended(root, begun.headers["Location"])
    assert "failed-lines" not in page
    assert await workspace.scalar("SELECT count(*) FROM contact") == 3
    assert await workspace.scalar("SELECT count(*) FROM contact WHERE city = 'Тула' AND fields = '{}'") == 1
    await root.get("/office/imports/999999/failed-lines", status=404)


async def test_a_table_that_is_brought_in_by_two_presses_is_brought_in_once(workspace: Workspace) -> None:
    root = await workspace.visitor()
    page = await looked(root, "клиенты.csv", "Имя;Город\nАнна;Тверь\nБорис;Омск\n".encode(), "contacts")
    token, fields = await root.token(IMPORTS), fields_of(page)
    presses = await asyncio.gather(*(root.send(BEGIN, page="", csrf=token, **fields, act="bring") for _press in "12"))
    assert [each.status for each in presses] == [303, 303], [await each.text() for each in presses]
    (where,) = {each.headers["Location"] for each in presses}
    await ended(root, where)
    late = await root.send(BEGIN, page=IMPORTS, **fields, act="bring")
    assert late.status < 500, await late.text()
    assert await workspace.scalar("SELECT count(*) FROM contact WHERE name = 'Анна'") == 1


async def test_a_table_that_somebody_else_sent_is_not_brought_in(workspace: Workspace) -> None:
    root, other = await workspace.visitor(), await workspace.visitor("petr")
    fields = fields_of(await looked(root, "клиенты.csv", "Имя;Телефон\nАнна;+79161234567\n".encode(), "contacts"))
    refused = await other.send(BEGIN, page=IMPORTS, **fields, act="bring")
    assert refused.status == 400, await refused.text()
    assert await workspace.scalar("SELECT count(*) FROM import_run") == 0
    begun = await root.send(BEGIN, page=IMPORTS, **fields, act="bring")
    assert begun.status == 303, await begun.text()
