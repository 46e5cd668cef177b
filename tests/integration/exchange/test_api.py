"""Imports, exports, hand-over and erasure through the API."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Any

from aiohttp import FormData

from crm_core.model.exchange import ImportRecord
from crm_core.model.importing import How, ImportKind, Plan
from crm_core.services.desk import Desk
from crm_core.services.importing import runs
from crm_core.storage import feed
from tests.integration.http.world import World, token_of
from tests.patience import PATIENCE_S

PEOPLE = "имя;телефон;заметка\nАнна;+79161234567;=1+1\nБорис;+79167654321;\n;abc;\n"


def _auth(login: str = "root") -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(login)}"}


def _form(content: bytes, **fields: str) -> FormData:
    form = FormData()
    form.add_field("file", content, filename="люди.csv", content_type="text/csv")
    for name, value in fields.items():
        form.add_field(name, value)
    return form


async def _posted(world: World, content: str | bytes, status: int = 201, **fields: str) -> Any:
    plain = content.encode() if isinstance(content, str) else content
    async with world.client.post("/api/v1/imports", data=_form(plain, **fields), headers=_auth()) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def _ended(world: World, number: int) -> Any:
    async with asyncio.timeout(60):
        while True:
            async with world.client.get(f"/api/v1/imports/{number}", headers=_auth()) as answer:
                found = await answer.json()
            if found["state"] not in {"ready", "running"}:
                return found
            world.hub.imports.wake()
            await asyncio.sleep(0.05)


async def _text(world: World, path: str, status: int = 200, login: str = "root") -> str:
    async with world.client.get(f"/api/v1{path}", headers=_auth(login)) as answer:
        assert answer.status == status, await answer.text()
        return (await answer.read()).decode("utf-8-sig")


async def test_a_table_is_posted_looked_at_mended_and_posted_again(world: World) -> None:
    tried = await _ended(world, (await _posted(world, PEOPLE, kind="contacts", dry_run="true"))["id"])
    assert tried["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 1}
    report = await _text(world, f"/imports/{tried['id']}/report")
    assert "2;created" in report
    assert "4;failed" in report
    posted = await _posted(world, PEOPLE, kind="contacts")
    assert (posted["form"], posted["certainty"], posted["columns"][1]["target"]) == ("CSV, utf-8, «;»", 99, "phone")
    done = await _ended(world, posted["id"])
    assert (done["state"], done["counts"]["created"], done["line"]) == ("done", 2, 4)
    problems = await world.client.get(f"/api/v1/imports/{done['id']}/problems", headers=_auth())
    items = (await problems.json())["items"]
    assert [(each["line"], each["became"]) for each in items] == [(4, "failed")]
    failed = await _text(world, f"/imports/{done['id']}/failed-lines")
    mended = failed.replace("abc", "+79160000000")
    again = await _ended(world, (await _posted(world, mended, kind="contacts"))["id"])
    assert again["counts"]["created"] == 1
    # the file itself is not kept
    async with asyncio.timeout(PATIENCE_S):
        while _kept(world):  # noqa: ASYNC110 - files tell nobody when they go
            await asyncio.sleep(0.05)
    out = await _text(world, "/exports/contacts")
    assert "'=1+1" in out
    await _text(world, "/exports/contacts", status=403, login="ivan")
    await _text(world, "/exports/contacts?filter=%7B", status=422)
    await _text(world, "/exports/nonsense", status=422)
    access = await (await world.client.get("/api/v1/access-log", headers=_auth())).json()
    assert [(each["what"], each["subject_id"]) for each in access["items"]][:1] == [("export.contacts", 3)]


def _kept(world: World) -> list[Path]:
    """The stored files in which the number stands."""
    files = (each for each in (world.folder / "files").rglob("*") if each.is_file())
    return [each for each in files if b"79167654321" in each.read_bytes()]


async def test_what_can_not_be_brought_in(world: World) -> None:
    assert "neither a text" in (await _posted(world, bytes(range(256)), 422, kind="contacts"))["detail"]
    assert "none of the columns" in (await _posted(world, "a;b\n1;2\n", 422, kind="contacts"))["detail"]
    assert (await _posted(world, PEOPLE, 422, kind="people"))["status"] == 422
    assert (await _posted(world, PEOPLE, 422, kind="contacts", map="{"))["status"] == 422
    async with world.client.post("/api/v1/imports", data=b"x", headers=_auth()) as answer:
        assert answer.status == 415
    async with world.client.post(
        "/api/v1/imports", data=_form(PEOPLE.encode(), kind="contacts"), headers=_auth("ivan")
    ) as answer:
        assert answer.status == 403


async def test_too_large_a_file_is_refused_in_words(world: World) -> None:
    from dataclasses import replace

    from hub.settings.model import ImportSettings

    world.hub.settings = replace(world.hub.settings, imports=ImportSettings(max_size=100_000))
    answer = await _posted(world, b"name;phone\n" + b"x;1\n" * 50_000, 413, kind="contacts")
    assert "cut it into parts" in answer["detail"]


async def test_hand_over_and_erasure(world: World) -> None:
    table = "имя;телефон;менеджер\nАнна;+79161234567;ivan\nБорис;+79167654321;ivan\n"
    await _ended(world, (await _posted(world, table, kind="contacts"))["id"])
    async with world.client.post(
        "/api/v1/users/ivan/hand-over", json={"to": ["petr"], "disable": True}, headers=_auth()
    ) as answer:
        assert answer.status == 200, await answer.text()
        assert (await answer.json())["counts"] == {"contacts": 2}
    found = await (await world.client.get("/api/v1/contacts?identity=tel:%2B79161234567", headers=_auth())).json()
    number = found["items"][0]["id"]
    assert found["items"][0]["manager"] == "petr"
    async with world.client.get(f"/api/v1/contacts/{number}/personal-data", headers=_auth()) as answer:
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert "Анна" in archive.read("contact.json").decode()
    path = f"/api/v1/contacts/{number}/erase"
    async with world.client.post(path, json={}, headers=_auth()) as answer:
        assert answer.status == 409
    async with world.client.post(path, json={"dry_run": True}, headers=_auth()) as answer:
        assert (await answer.json())["rows"]["contact"] == 1
    async with world.client.post(path, json={"confirm": True}, headers=_auth("olga")) as answer:
        assert answer.status == 403
    async with world.client.post(path, json={"confirm": True}, headers=_auth()) as answer:
        assert answer.status == 200, await answer.text()
    found = await (await world.client.get("/api/v1/contacts?identity=tel:%2B79161234567", headers=_auth())).json()
    assert found["items"] == []


async def test_a_rehearsal_tells_how_far_it_is_and_can_be_stopped(world: World) -> None:
    people = "имя;телефон\n" + "".join(f"Клиент {each};+7916{each:07d}\n" for each in range(1200))
    number = (await _posted(world, people, kind="contacts", dry_run="true"))["id"]
    done = await _ended(world, number)
    assert (done["state"], done["counts"]["created"]) == ("done", 1200)
    rows = await world.hub.store.read(lambda conn: feed.after(conn, 0, 1000))
    told = sum(("import_run", number) == (table, key) for row in rows for table, key, _owner in row.changes)
    assert told >= 5  # begun, three portions, over

    def stopped(desk: Desk) -> ImportRecord:
        plan, how = Plan(ImportKind.CONTACTS, (), ""), How(dry_run=True)
        begun = runs.begin(desk, ImportKind.CONTACTS, "люди.csv", "0" * 64, plan, how, 1200)
        moved = runs.rehearsing(desk, begun.id, {"created": 500}, 501)
        assert (moved.line, moved.counts["created"]) == (501, 500)
        runs.cancel(desk, begun.id)
        return runs.rehearsing(desk, begun.id, {"created": 1000}, 1001)

    left = await world.hub.store.run(stopped)
    assert left.line == 501
    assert left.state not in runs.ACTIVE
