"""Tables that are brought in."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from openpyxl import Workbook

from crm_core.errors import InvalidInput
from crm_core.model.exchange import ImportState
from crm_core.model.importing import Became, How, ImportKind
from crm_core.services.importing import runs
from crm_core.storage.queries.imports import one_import, unfinished, waiting
from crm_core.wording import restored
from hub.exchange import importing
from hub.exchange.importing import go_on, understand
from hub.tongues import told_in
from tests.integration.exchange.conftest import Office
from tests.statements import statements

PEOPLE = (
    "имя;телефон;email;компания;город;менеджер;identifier;Любимый цвет\n"
    "Иван Петров;8 (916) 123-45-67, +7 495 765-43-21;A@B.ru;ООО Ромашка;Тверь;ivan;77;синий\n"
    "Пётр Сидоров;;c@d.ru;;;Petr;78;\n"
    ";abc;;;;;;\n"
    "Ольга;;;;;нет такого;tg:1001;\n"
)


async def test_contacts_come_in_once(office: Office) -> None:
    assert await office.bring("contacts", PEOPLE) == {"created": 3, "failed": 1}
    notes = {each.line: each.notes for each in office.outcomes}
    assert "ет ни имени" in told_in(notes[4][0], "ru")
    assert "нет или он отключён" in told_in(notes[5][0], "ru")
    rows = await office.ask("SELECT name, company, city, manager FROM contact ORDER BY name")
    assert ("Иван Петров", "ООО Ромашка", "Тверь", "ivan") in rows
    assert ("Пётр Сидоров", None, None, "petr") in rows
    keys = {row[0] for row in await office.ask("SELECT key FROM identity")}
    assert keys == {"tel:+79161234567", "tel:+74957654321", "mailto:a@b.ru", "mailto:c@d.ru", "tg:1001"}
    # once more: nothing changes, nothing is written but the import itself
    before = await office.ask("SELECT id, version, updated_at FROM contact ORDER BY id")
    assert await office.bring("contacts", PEOPLE) == {"unchanged": 3, "failed": 1}
    assert await office.ask("SELECT id, version, updated_at FROM contact ORDER BY id") == before


async def test_contacts_come_with_their_companies(office: Office) -> None:
    table = (
        "имя;телефон;компания;инн\n"
        "Анна;89160000001;ООО Ромашка;7701000001\n"
        "Борис;89160000002;ооо «РОМАШКА»;\n"
        "Вера;89160000003;ООО Ромашка-Плюс;7701000001\n"
        "Глеб;89160000004;ООО Лютик;\n"
        "Дарья;89160000005;ООО Лютик;7701000002\n"
        "Егор;89160000006;;\n"
    )
    assert await office.bring("contacts", table) == {"created": 6}
    linked = (
        "SELECT c.name, c.company, m.name, m.tax_id FROM contact c LEFT JOIN company m ON m.id = c.company_id"
        " ORDER BY c.name"
    )
    rows = [tuple(row) for row in await office.ask(linked)]
    daisy, buttercup = ("ООО Ромашка", "ООО Ромашка", "7701000001"), ("ООО Лютик", "ООО Лютик", "7701000002")
    assert rows == [
        *(("Анна", *daisy), ("Борис", *daisy), ("Вера", *daisy)),
        *(("Глеб", *buttercup), ("Дарья", *buttercup), ("Егор", None, None, None)),
    ]
    assert await office.bring("contacts", table) == {"unchanged": 6}
    assert len(await office.ask("SELECT id FROM company")) == 2


async def test_two_lines_of_one_person_are_one(office: Office) -> None:
    table = "name,phone,email,city\nАнна,+79161234567,,\nАнна Иванова,89161234567,anna@x.ru,Тула\n"
    assert await office.bring("contacts", table) == {"created": 1, "updated": 1}
    assert await office.ask("SELECT name, city FROM contact") == [("Анна", "Тула")]
    assert len(await office.ask("SELECT key FROM identity")) == 2


async def test_a_number_of_one_and_an_address_of_another_make_nobody_one(office: Office) -> None:
    await office.bring("contacts", "name,phone,email\nА,+79161234567,\nБ,,b@x.ru\n")
    counts = await office.bring("contacts", "name,phone,email\nВ,+79161234567,b@x.ru\n")
    assert counts == {"unchanged": 1}
    assert "принадлежит клиенту" in told_in(office.outcomes[0].notes[0], "ru")
    assert await office.ask("SELECT count(*) FROM contact WHERE merged_into IS NULL") == [(2,)]
    assert await office.ask("SELECT count(*) FROM suggestion WHERE state = 'open'") == [(1,)]


@pytest.mark.parametrize(
    ("policy", "name", "counts"),
    [
        ("fill", "Анна", {"updated": 1}),
        ("overwrite", "Анна Иванова", {"updated": 1}),
        ("skip", "Анна", {"unchanged": 1}),
    ],
)
async def test_policies(office: Office, policy: str, name: str, counts: dict[str, int]) -> None:
    await office.bring("contacts", "name,phone\nАнна,+79161234567\n")
    table = "name,phone,city\nАнна Иванова,+79161234567,Тула\n"
    assert await office.bring("contacts", table, policy=policy) == counts
    assert await office.ask("SELECT name, city FROM contact") == [(name, None if policy == "skip" else "Тула")]


async def test_a_rehearsal_writes_nothing_and_knows_of_earlier_lines(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 1)
    told = await office.try_out("contacts", "name,phone\nАнна,+79161234567\nАнна,+79161234567\n,\nx,abc\n")
    assert [each.became for each in told] == [Became.CREATED, Became.UPDATED, Became.CREATED]
    assert await office.ask("SELECT count(*) FROM contact") == [(0,)]
    assert await office.ask("SELECT count(*) FROM import_run") == [(0,)]


async def test_one_bad_line_does_not_take_its_batch_along(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm_core.services.importing import contacts as lines

    plain = lines._take_one

    def refusing(batch: object, clients: object, companies: object, given: object) -> None:
        if given.text("name") == "плохой":  # type: ignore[attr-defined]  # a Given
            raise InvalidInput("так нельзя")
        plain(batch, clients, companies, given)  # type: ignore[arg-type]  # as they come

    monkeypatch.setattr(lines, "_take_one", refusing)
    table = "name,phone\n" + "".join(f"{'плохой' if n == 5 else 'x'},+791612345{n:02d}\n" for n in range(10, 20))
    table = table.replace("x,+79161234515", "плохой,+79161234515")
    assert await office.bring("contacts", table) == {"created": 9, "failed": 1}
    ((line, error),) = await office.ask("SELECT line, error FROM import_problem")
    assert (line, restored(error)) == (7, "так нельзя")


async def test_an_import_goes_on_behind_its_place(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 2)
    table = "name,phone\n" + "".join(f"К{n},+791612345{n:02d}\n" for n in range(10, 20))
    path = office.file("people.csv", table)
    record = await office.begun("contacts", path)
    seen: list[int] = []

    class Died(Exception):
        pass

    def die(lines: object, _outcomes: object) -> None:
        seen.extend(each.number for each in lines)  # type: ignore[attr-defined]  # lines
        if len(seen) >= 4:
            raise Died

    store = office.world.store
    with pytest.raises(Died):
        await go_on(store, office.files, record, die)
    left = await store.read(lambda conn: one_import(conn, None, record.id))
    assert (left.state, left.line) == (ImportState.RUNNING, 5)
    assert await store.read(lambda conn: unfinished(conn, "contacts", record.sha256)) == left
    done = await go_on(store, office.files, left)
    assert (done.state, done.counts["created"]) == (ImportState.DONE, 10)
    assert await office.ask("SELECT count(*) FROM contact") == [(10,)]
    assert await store.read(waiting) == []


async def test_two_that_do_one_import_do_nothing_twice(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 3)
    table = "name\n" + "".join(f"Клиент {n}\n" for n in range(30))
    record = await office.begun("contacts", office.file("people.csv", table))
    store = office.world.store
    ends = await asyncio.gather(*(go_on(store, office.files, record) for _ in range(2)), return_exceptions=True)
    assert any(not isinstance(each, BaseException) for each in ends) or len(await store.read(waiting)) == 1
    for each in await store.read(waiting):
        await go_on(store, office.files, each)
    assert await office.ask("SELECT count(*) FROM contact") == [(30,)]


async def test_exports_of_others_are_recognised(office: Office) -> None:
    await office.world.store.run(_pipeline)
    amo = (
        "ID;Название сделки;Компания;Основной контакт;Рабочий телефон;Ответственный;Этап сделки;Воронка;Бюджет;"
        "Дата создания;Теги сделки;Кем создана\n"
        "1;Окна;ООО Ромашка;Иван Петров;'+79161234567;Ivan;Новая;Продажи;120 000,50;01.02.2025 10:20;опт, юг;Ivan\n"
        "2;Двери;;Пётр Сидоров;;;Успешно реализовано;Продажи;50000;01.02.2025;;\n"
        "3;Рамы;;;;;Нет такого;Продажи;;;;\n"
    )
    assert await office.bring("deals", amo) == {"created": 2, "failed": 1}
    assert "нет этапа «Нет такого» (есть «Новая»" in told_in(office.outcomes[-1].notes[0], "ru")
    rows = await office.ask("SELECT title, amount, manager, closed_at IS NULL FROM deal ORDER BY title")
    assert [(row[0], row[1], row[2], bool(row[3])) for row in rows] == [
        ("Двери", 5000000, None, False),
        ("Окна", 12000050, "ivan", True),
    ]
    assert {row[0] for row in await office.ask("SELECT key FROM external_ref WHERE kind = 'deal'")} == {
        "deal:amocrm:1",
        "deal:amocrm:2",
    }
    assert await office.bring("deals", amo) == {"unchanged": 2, "failed": 1}
    mended = amo.replace("Нет такого", "Новая")
    assert await office.bring("deals", mended) == {"unchanged": 2, "created": 1}
    bitrix = (
        '"ID","Имя","Отчество","Фамилия","Рабочий телефон","Рабочий e-mail","Ответственный","Доступен для всех"\n'
        '"9","Анна","Петровна","Иванова","+7 (916) 765-43-21, 8-495-111-22-33","x@y.ru","Petr","да"\n'
    )
    assert await office.bring("contacts", bitrix) == {"created": 1}
    assert ("Иванова Анна Петровна", "petr") in await office.ask("SELECT name, manager FROM contact")
    assert len(await office.ask("SELECT key FROM identity WHERE key LIKE 'tel:%'")) == 3


async def test_deals_of_bitrix_find_the_clients_of_bitrix(office: Office) -> None:
    await office.world.store.run(_pipeline)
    people = "ID;Имя;Фамилия;Рабочий телефон;Доступен для всех;Рабочий e-mail\n11;Анна;Иванова;+74951230011;да;\n"
    assert await office.bring("contacts", people) == {"created": 1}
    deals = (
        "ID;Стадия сделки;Название;Направление сделки;Контакт: ID;Контакт: Имя;Контакт: Фамилия;"
        "Контакт: Рабочий телефон;Компания: Название компании;Компания: Рабочий телефон\n"
        "31;Сделка успешна;Договор;Продажи;11;Анна;Иванова;;ООО Фирма;+74951230000\n"
        "32;Сделка успешна;Ещё;Продажи;;Олег;Котов;+79165550012;;\n"
    )
    assert await office.bring("deals", deals) == {"created": 2}
    rows = await office.ask(
        "SELECT d.title, c.name, m.name FROM deal d JOIN contact c ON c.id = d.contact_id"
        " LEFT JOIN company m ON m.id = d.company_id ORDER BY d.title"
    )
    assert rows == [("Договор", "Иванова Анна", "ООО Фирма"), ("Ещё", "Котов Олег", None)]
    assert len(await office.ask("SELECT key FROM identity")) == 2
    leads = "ID;Стадия;Название лида;Имя;Рабочий телефон\n21;Не обработан;Заявка;Юрий;+79167770021\n"
    assert await office.bring("leads", leads) == {"created": 1}
    assert await office.ask("SELECT key FROM external_ref WHERE kind = 'lead'") == [("lead:bitrix24:21",)]


async def test_replaced_words_are_remembered_with_the_columns(office: Office) -> None:
    await office.world.store.run(_pipeline)
    deals = "id;название;воронка;этап\n1;Окна;Общая;Новая\n"
    path = office.file("deals.csv", deals)
    how = How(author="root", values={"pipeline": {"Общая": "Продажи"}})
    opened = await understand(office.world.store, path, ImportKind.DEALS, how, {}, None)
    await office.world.store.run(lambda desk: runs.keep_mapping(desk, opened.plan, opened.how.values, "root"))
    assert await office.bring("deals", deals) == {"created": 1}
    assert await office.bring("deals", deals.replace("Новая", "Первая"), values={"stage": {"Первая": "Новая"}}) == {
        "unchanged": 1
    }


async def test_what_stands_above_the_headings_is_passed_over(office: Office) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"], sheet["C2"] = "Клиенты на 22.11.2026", "Клиент", "Связь"
    for merged in ("A1:E1", "A2:B2", "C2:D2"):
        sheet.merge_cells(merged)
    for column, heading in enumerate(("ФИО", "Компания", "Телефон", "E-mail", "Дата создания"), 1):
        sheet.cell(3, column, heading)
    sheet.append(["Сидорова Ольга", "ИП Сидорова", 79031234567, "olga@x.ru", date(2024, 1, 15)])
    sheet.append(["Кот", None, "8-903-123-45-69", None, date(2024, 1, 16)])
    path = office.folder / "merged.xlsx"
    book.save(path)
    assert await office.bring("contacts", path) == {"created": 2}
    assert await office.bring("contacts", path) == {"unchanged": 2}
    assert [row[0] for row in await office.ask("SELECT key FROM identity ORDER BY key")] == [
        "mailto:olga@x.ru",
        "tel:+79031234567",
        "tel:+79031234569",
    ]
    assert await office.bring("contacts", "Отчёт\n\nИмя;Телефон;Город\nЯ;+79161234500;Тверь\n") == {"created": 1}
    # One meaningful heading of two is enough where no other line is clearly better.
    assert await office.bring("contacts", "Телефон;Что это\n+79161234501;имя\n+79161234502;город\n") == {"created": 2}


def _pipeline(desk: object) -> None:
    from crm_core.services.cards.pipelines import beginning

    beginning(desk, None)  # type: ignore[arg-type]  # a desk


async def test_leads_tasks_products_and_sales(office: Office) -> None:
    leads = (
        "название,имя,телефон,статус,источник,utm_source\nЗапрос,Олег,+79161234599,Новый,Сайт,ya\n"
        "Старый,Олег,+79161234599,Отказ,Сайт,\n"
    )
    assert await office.bring("leads", leads) == {"created": 2}
    assert await office.bring("leads", leads) == {"unchanged": 2}
    assert await office.ask("SELECT count(*) FROM contact") == [(1,)]
    tasks = (
        "задача;телефон;срок;исполнитель;статус\nПозвонить;+79161234599;01.12.2026 10:00;ivan;\nНаписать;;;;выполнена\n"
    )
    assert await office.bring("tasks", tasks) == {"created": 2}
    assert await office.bring("tasks", tasks) == {"unchanged": 2}
    assert ("Позвонить", "ivan", "open") in await office.ask("SELECT title, assignee, state FROM task")
    goods = "название;артикул;цена;ед\nСтекло;ST-1;100,50;шт\nРама;R-1;миллион;шт\n"
    assert await office.bring("products", goods) == {"created": 1, "failed": 1}
    sales = (
        "дата;клиент;телефон;товар;количество;сумма;номер документа\n"
        "01.02.2025;Олег;+79161234599;Стекло;2,5;251,25;A1\n02.02.2025;;;Рама;1;200;A2\nкогда-то;Олег;;x;1;1;A3\n"
    )
    assert await office.bring("sales", sales) == {"created": 1, "failed": 2}
    assert await office.ask("SELECT quantity, amount, product_id IS NOT NULL FROM sale") in (
        [(2500, 25125, 1)],
        [(2500, 25125, True)],
    )
    corrected = sales.replace("251,25", "300")
    assert await office.bring("sales", corrected) == {"updated": 1, "failed": 2}


async def test_a_mapping_is_remembered_and_may_be_said(office: Office) -> None:
    table = "Кто;Звонить\nАнна;+79161234567\n"
    with pytest.raises(InvalidInput, match="none of the columns «Кто», «Звонить»"):
        await office.bring("contacts", table)
    with pytest.raises(InvalidInput, match="no column «Звонит»; did you mean «Звонить»"):
        await office.bring("contacts", table, given={"Звонит": "phone"})
    with pytest.raises(InvalidInput, match=r"«phon» is none of .*did you mean «phone»"):
        await office.bring("contacts", table, given={"Звонить": "phon"})
    assert await office.bring("contacts", table, given={"Кто": "name", "Звонить": "phone"}) == {"created": 1}


async def test_values_are_replaced(office: Office) -> None:
    counts = await office.bring(
        "contacts", "имя;менеджер\nАнна;Смирнов С.\n", values={"manager": {"Смирнов С.": "ivan"}}
    )
    assert counts == {"created": 1}
    assert await office.ask("SELECT manager FROM contact") == [("ivan",)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251", "koi8-r", "cp866"])
async def test_encodings(office: Office, encoding: str) -> None:
    assert await office.bring("contacts", PEOPLE.encode(encoding)) == {"created": 3, "failed": 1}
    assert ("Тверь",) in await office.ask("SELECT city FROM contact")


async def test_a_batch_costs_a_fixed_number_of_statements(office: Office) -> None:
    async def cost(start: int, lines: int) -> int:
        table = "id;name;phone;company;tags\n" + "".join(
            f"{n};К{n};+7916{n:07d};ООО {n};а\n" for n in range(start, start + lines)
        )
        path = office.file("people.csv", table)
        record = await office.begun("contacts", path)
        with statements(office.world.store) as seen:
            await go_on(office.world.store, office.files, record)
        return len(seen)

    await cost(1000000, 3)  # the caches are warm
    few, many = await cost(2000000, 5), await cost(3000000, 300)
    assert many <= few + 2, (few, many)  # blocks of ids are fetched now and then
