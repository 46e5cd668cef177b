"""Tables that go out and come back, hand-over, erasure."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from crm_core.errors import InvalidInput
from crm_core.model.definitions import FieldBody, Section
from crm_core.model.definitions.fields import FieldType
from crm_core.model.filters import Filter, filter_of
from crm_core.model.records import OutboxKind
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.services.importing.cells import harmless
from crm_core.storage import tables
from hub.exchange import erasing, exporting
from hub.exchange.handing_over import hand_over
from hub.exchange.tables import open_table
from hub.recordings.bucket import Bucket
from tests.integration.exchange.conftest import Office
from tests.integration.exchange.test_importing import PEOPLE
from tests.integration.storage.world import SHOP, at, message

NASTY = ("=1+1", "+7 и ещё", "-x", "@cmd", "'=q", "O'Hara", 'да "нет"; нет', "строка\nдругая")


class NoRecordings:
    """No PBX on this node."""

    bucket: Bucket | None = None

    def folder(self, _pbx: str) -> Path | None:
        """Nothing is here."""
        return None


async def _export(office: Office, kind: str, wanted: Filter | None = None) -> Path:
    path = office.folder / f"out-{kind}.csv"
    table = await exporting.export(
        office.world.store, office.world.clock, kind, wanted or Filter(), login="dir", remote="127.0.0.1"
    )
    await exporting.write(table, path)
    return path


async def test_declared_fields_go_out_under_their_titles_and_come_back(office: Office) -> None:
    bodies = (
        FieldBody(of="contact", key="size", title="Размер", type=FieldType.MULTI, options=["Малый", "Большой"]),
        FieldBody(of="contact", key="town", title="city"),  # a column of every client is called so already
    )
    for body in bodies:
        await office.world.store.run(partial(_declare, body))
    given = {"Размер": "Малый, Большой", "fields.town": "Омск"}
    await office.bring("contacts", f"имя;телефон;{';'.join(given)}\nАнна;+79160000001;{';'.join(given.values())}\n")
    path = await _export(office, "contacts")
    (row,) = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")), delimiter=";")
    assert {name: row[name] for name in (*given, "city")} == {**given, "city": ""}
    before = await office.ask("SELECT fields, version FROM contact")
    await office.bring("contacts", path.read_text("utf-8-sig"))
    assert await office.ask("SELECT fields, version FROM contact") == before


def _declare(body: FieldBody, desk: Desk) -> None:
    defining.add(desk, Section.FIELD, f"{body.of}.{body.key}", body, "head")


async def test_what_goes_out_comes_back_the_same(office: Office) -> None:
    await office.bring("contacts", PEOPLE)
    notes = "имя;телефон;заметка\n" + "".join(
        f'Н{n};+7916000000{n};"{value.replace(chr(34), chr(34) * 2)}"\n' for n, value in enumerate(NASTY)
    )
    await office.bring("contacts", notes)
    before = await office.ask("SELECT id, name, fields, version FROM contact ORDER BY id")
    path = await _export(office, "contacts")
    table = open_table(path)
    assert {"hub_id", "name", "phone", "email", "identifier", "заметка"} <= set(table.headings)
    cells = [cell for line in table.lines for cell in line.cells]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} and cell]
    assert await office.bring("contacts", path, policy="overwrite") == {"unchanged": 3 + len(NASTY)}
    assert await office.ask("SELECT id, name, fields, version FROM contact ORDER BY id") == before
    # in another office the numbers of records mean nothing
    await _elsewhere(office)
    assert await office.bring("contacts", path) == {"created": 3 + len(NASTY)}
    values = {row[0] for row in await office.ask("SELECT name FROM contact WHERE deleted_at IS NULL")}
    assert "Иван Петров" in values


async def _elsewhere(office: Office) -> None:
    """Everybody becomes somebody else, made at another moment, whom nobody can reach."""

    def change(conn: Any) -> None:
        conn.execute(text("DELETE FROM identity"))
        conn.execute(text("DELETE FROM external_ref"))
        at = office.world.clock.now() - timedelta(days=400)
        conn.execute(update(tables.contact).values(created_at=at, name="Другой"))

    await office.world.store.database.write(change)


async def test_exports_are_noted_and_filtered(office: Office) -> None:
    await office.bring("contacts", PEOPLE)
    path = await _export(office, "contacts", filter_of({"field": "city", "value": "Тверь"}))
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig")), delimiter=";"))
    assert len(rows) == 2
    noted = await office.ask("SELECT login, what, subject_id, detail FROM access_log")
    assert [(row[0], row[1], row[2]) for row in noted] == [("dir", "export.contacts", 1)]
    assert "Тверь" in noted[0][3]
    audience = (await _export(office, "audience")).read_text("utf-8-sig")
    assert "916" not in audience
    assert "@" not in audience
    assert len(audience.splitlines()) == 4
    with pytest.raises(InvalidInput):
        await _export(office, "nonsense")


async def test_every_kind_goes_out_and_comes_back(office: Office) -> None:
    from tests.integration.exchange.test_importing import _pipeline

    await office.world.store.run(_pipeline)
    await office.bring("companies", "название;инн;город\nООО Ромашка;7700000000;Тверь\n")
    await office.bring(
        "deals", "ID;название;телефон;сумма;этап\n1;Окна;+79161234567;100,50;Новая\n2;Двери;;7;Успешно\n"
    )
    await office.bring("leads", "название;телефон;статус\nЗапрос;+79161234599;Новый\n")
    await office.bring("tasks", "задача;телефон;срок\nПозвонить;+79161234599;01.12.2026 10:00\n")
    await office.bring("products", "название;артикул;цена\nСтекло;ST-1;100,50\n")
    await office.bring("sales", "дата;телефон;товар;сумма;номер документа\n01.02.2025;+79161234567;Стекло;5;A1\n")
    for kind, count in (("companies", 1), ("deals", 2), ("leads", 1), ("tasks", 1), ("products", 1), ("sales", 1)):
        path = await _export(office, kind)
        assert await office.bring(kind, path, policy="overwrite") == {"unchanged": count}, kind


async def test_a_spreadsheet_goes_out_and_comes_back(office: Office) -> None:
    await office.bring("contacts", PEOPLE)
    path = office.folder / "out.xlsx"
    table = await exporting.export(
        office.world.store, office.world.clock, "contacts", Filter(), login="dir", remote="", form="xlsx"
    )
    await exporting.write(table, path)
    assert await office.bring("contacts", path, policy="overwrite") == {"unchanged": 3}


async def test_hand_over(office: Office) -> None:
    from tests.integration.exchange.test_importing import _pipeline

    await office.world.store.run(_pipeline)
    people = "имя;телефон;менеджер\n" + "".join(f"К{n};+7916123{n:04d};ivan\n" for n in range(450))
    await office.bring("contacts", people)
    await office.bring(
        "deals", "ID;название;телефон;менеджер;этап\n1;А;+79161230001;ivan;Новая\n2;Б;+79161230002;ivan;Успешно\n"
    )
    await office.bring("tasks", "задача;телефон;исполнитель\nПозвонить;+79161230001;ivan\nСвоё;;ivan\n")
    await office.bring("leads", "название;телефон;менеджер\nЗапрос;+79161230003;ivan\n")
    store = office.world.store
    with pytest.raises(InvalidInput):
        await hand_over(store, "ivan", author="dir", to=["ivan"])
    with pytest.raises(InvalidInput):
        await hand_over(store, "ivan", author="dir", to=["nobody"])
    done = await hand_over(store, "ivan", author="dir", to=["petr", "olga"], disable=True)
    assert done.counts == Counter(contacts=450, deals=1, tasks=2, leads=1)
    shares = Counter(row[0] for row in await office.ask("SELECT manager FROM contact"))
    assert shares == Counter(petr=225, olga=225)
    # what is a client's went with the client; what was won stays whose it was
    owners = await office.ask(
        "SELECT d.manager = c.manager FROM deal AS d JOIN contact AS c ON c.id = d.contact_id WHERE d.closed_at IS NULL"
        " UNION ALL SELECT t.assignee = c.manager FROM task AS t JOIN contact AS c ON c.id = t.contact_id"
        " UNION ALL SELECT l.manager = c.manager FROM lead AS l JOIN contact AS c ON c.id = l.contact_id"
    )
    assert [bool(row[0]) for row in owners] == [True, True, True]
    assert await office.ask("SELECT manager FROM deal WHERE closed_at IS NOT NULL") == [("ivan",)]
    assert [bool(row[0]) for row in await office.ask("SELECT active FROM app_user WHERE login = 'ivan'")] == [False]
    changes = await office.ask("SELECT count(*) FROM change WHERE author = 'dir' AND kind = 'contact'")
    assert changes == [(450,)]
    told = await office.ask("SELECT payload FROM outbox WHERE kind = 'notification'")
    assert len(told) == 2
    assert all("передаёт вам: клиентов 225" in str(row[0]) for row in told)
    again = await hand_over(store, "ivan", author="dir", to=["petr", "olga"])
    assert not again.counts


async def test_erasure_leaves_nothing_of_a_person(office: Office) -> None:
    world = office.world
    secret, number, address = "Секретов Иван", "+79161234567", "secret@x.ru"
    await office.bring(
        "contacts",
        f"имя;телефон;email;город;заметка;identifier\n{secret};{number};{address};Тверь;любит чай;tg:500500\n"
        "Другой;+79167654321;;;;\n",
    )
    await office.bring("contacts", f"имя;телефон;email\nКривой;{number};other@x.ru\n;{number[:-2]};\n")
    found = await office.ask("SELECT contact_id FROM identity WHERE key = :key", key=f"tel:{number}")
    contact_id = found[0][0]
    await world.take(message(500500, "5", at(0), "моё тайное слово"))
    assert len(await office.ask("SELECT id FROM timeline WHERE contact_id = :id", id=contact_id)) >= 1
    stored = await office.files.put_bytes(b"passport")

    def talk(desk: Any) -> None:
        desk.note(contact_id, f"Звонили {secret}", author="ivan")
        desk.enqueue(OutboxKind.NOTIFICATION, "lane", "dedupe-1", {"text": f"ждёт {secret}, {number}"})
        record = desk.work.contact(contact_id)
        desk.work.put(record._replace(city="Тула"))

    await world.store.run(talk)
    entry = (await office.ask("SELECT max(id) FROM timeline WHERE contact_id = :id", id=contact_id))[0][0]

    def attach(conn: Any) -> None:
        conn.execute(
            tables.attachment.insert().values(
                id=999,
                entry_id=entry,
                position=0,
                name="паспорт.jpg",
                content_type="image/jpeg",
                state="stored",
                size=8,
                sha256=stored.sha256,
            )
        )
        conn.execute(
            tables.journal.insert().values(
                id=998,
                channel=SHOP.channel,
                account=SHOP.account,
                external_id="1",
                state="ignored",
                what="x",
                conversation="",
                occurred_at=world.clock.now(),
                received_at=world.clock.now(),
                correlation_id="c",
                raw=f'{{"phone": "{number}", "name": "{secret}"}}'.encode(),
                raw_type="application/json",
                attempts=1,
            )
        )

    await world.store.database.write(attach)
    path = office.folder / "all.zip"
    await erasing.give(world.store, office.files, NoRecordings(), contact_id, path, login="dir", remote="")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert {"contact.json", "identity.json", "timeline.json", "change.json"} <= set(names)
        assert any(name.startswith("files/") and archive.read(name) == b"passport" for name in names)
        assert secret in archive.read("contact.json").decode()
    counted = await erasing.erase(
        world.store, office.files, NoRecordings(), contact_id, login="dir", remote="", dry_run=True
    )
    assert counted.rows["contact"] == 1
    assert counted.files == 1
    assert await office.ask("SELECT name FROM contact WHERE id = :id", id=contact_id) == [(secret,)]
    done = await erasing.erase(world.store, office.files, NoRecordings(), contact_id, login="dir", remote="")
    assert done.files == 1
    assert not office.files.path(stored.sha256).exists()
    left = await office.world.store.read(_everything)
    for trace in (secret, number, number[1:], address, "любит чай", "паспорт", "Кривой", "500500", "тайное"):
        assert trace not in left, (trace, left[max(0, left.find(trace) - 300) : left.find(trace) + 100])
    assert "+79167654321" in left
    # the log of it says that it was done, and nothing of whom
    assert await office.ask("SELECT count(*) FROM access_log WHERE what = 'contact.erased'") == [(1,)]
    # whoever writes again is somebody new
    assert await office.bring("contacts", f"имя;телефон\nНовый;{number}\n") == {"created": 1}
    # and a person erased twice is no error
    await erasing.erase(world.store, office.files, NoRecordings(), contact_id, login="dir", remote="")


def _everything(conn: Any) -> str:
    """All rows of all tables as text; bytes too."""
    # The feed tells other programs for a day which number is nobody's any more.
    searched = (table for table in tables.metadata.sorted_tables if table is not tables.feed)
    rows = (row for table in searched for row in conn.execute(table.select()))
    values = (value for row in rows for value in row)
    return " ".join(
        bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
        for value in values
    )


def test_cells_are_harmless() -> None:
    assert [harmless(each) for each in NASTY][:5] == ["'=1+1", "'+7 и ещё", "'-x", "'@cmd", "''=q"]
