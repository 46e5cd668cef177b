"""Documents made over the API: filled in, numbered without gaps, kept on the timeline, sent in the same act."""

from __future__ import annotations

import asyncio
import io
import zlib
from typing import Any

from aiohttp import FormData
from docx import Document

from crm_core.messages import EntryKind, InboundEvent, MessageReceived, Sender
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.records import DealRecord, PipelineRecord, StageRecord
from crm_core.model.selling import LineItemRecord
from crm_core.services.desk import Desk
from tests.integration.http.world import SHOP, World, later
from tests.patience import PATIENCE_S


def word_file() -> bytes:
    document = Document()
    document.add_paragraph("Счёт № {{ number }} от {{ now | date }}, {{ contact.name }}, {{ author.name }}")
    table = document.add_table(rows=1, cols=3)
    for cell, text in zip(
        table.rows[0].cells, ("{{ item.position }}", "{{ item.name }}", "{{ item.total | money }}"), strict=True
    ):
        cell.text = text
    document.add_paragraph("Итого {{ deal.amount | money_words }}")
    found = io.BytesIO()
    document.save(found)
    return found.getvalue()


async def uploaded(world: World, content: bytes, name: str, media: str = "application/octet-stream") -> dict[str, Any]:
    data = FormData()
    data.add_field("file", content, filename=name, content_type=media)
    found = await world.ask("POST", "/files", data=data, status=201)
    return {"name": name, "sha256": found["sha256"], "size": found["size"]}


def unpacked(stream: bytes) -> bytes:
    """A compressed part of a PDF."""
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return b""


async def deal_of_anna(world: World) -> int:
    """Anna wrote and has a deal with two lines."""
    sender = Sender((Identity(IdentityKind.TG, "1001"),), "Анна")
    payload = MessageReceived(EntryKind.MESSAGE, "Пришлите счёт", "m1")
    await world.take(InboundEvent(SHOP, "m1", "1001", later(0), sender, payload, b"{}"))
    contact = (await world.get("/contacts?query=Анна"))["items"][0]["id"]

    def service(desk: Desk) -> int:
        work, now = desk.work, desk.now
        pipeline = PipelineRecord(work.next_id(), "Продажи", 99)
        stage = StageRecord(work.next_id(), pipeline.id, "Новая", 0)
        deal = DealRecord(work.next_id(), contact, pipeline.id, stage.id, "Окна", now, now, now, 15000050)
        for record in (
            pipeline,
            stage,
            deal,
            LineItemRecord(work.next_id(), deal.id, 0, "Окно", 2000, 5000000, 10000000),
            LineItemRecord(work.next_id(), deal.id, 1, "Монтаж", 1000, 5000050, 5000050),
        ):
            work.put(record)
        return deal.id

    return await world.hub.store.run(service)


async def template(world: World, **body: Any) -> Any:
    given = {"name": "Счёт", "title": "Счёт № {{ number }}", **body}
    return await world.post("/document-templates", given, login="root", status=201)


async def content_of(world: World, document: dict[str, Any]) -> bytes:
    response = await world.call("GET", document["url"])
    assert response.status == 200
    assert response.headers["Content-Disposition"].startswith("attachment")
    return await response.read()


async def test_a_word_file_is_filled_in_numbered_sent_and_handed_out(world: World) -> None:
    deal = await deal_of_anna(world)
    await template(world, docx=await uploaded(world, word_file(), "счёт.docx"))
    order = {"template": "Счёт", "send": {"text": "Ваш счёт"}}
    made = await world.post(f"/deals/{deal}/documents", order, status=201, headers={"Idempotency-Key": "k1"})
    assert (made["number"], made["title"], made["name"]) == (1, "Счёт № 1", "Счёт № 1.docx")
    again = await world.post(f"/deals/{deal}/documents", order, status=201, headers={"Idempotency-Key": "k1"})
    assert again == made
    document = Document(io.BytesIO(await content_of(world, made)))
    assert document.paragraphs[0].text == "Счёт № 1 от 02.03.2026, Анна, Ivan"
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["1", "Окно", "100\u00a0000\u00a0₽"],
        ["2", "Монтаж", "50\u00a0000,50\u00a0₽"],
    ]
    assert document.paragraphs[1].text == "Итого Сто пятьдесят тысяч рублей 50 копеек"
    async with asyncio.timeout(PATIENCE_S):
        async for _ in world.hub.live.follow(0):
            if world.shop.sent:
                break
    (message,) = world.shop.sent
    assert (message.text, [each.name for each in message.files]) == ("Ваш счёт", ["Счёт № 1.docx"])
    entry = await world.get(f"/entries/{made['entry_id']}")
    assert (entry["deal_id"], entry["author"]) == (deal, "ivan")
    listed = await world.get(f"/deals/{deal}/documents")
    assert [each["id"] for each in listed["items"]] == [made["id"]]


async def test_numbers_of_a_template_have_no_gaps_whoever_else_makes_some(world: World) -> None:
    deal = await deal_of_anna(world)
    await template(world, docx=await uploaded(world, word_file(), "счёт.docx"))
    made = await asyncio.gather(
        *(world.post(f"/deals/{deal}/documents", {"template": "Счёт"}, status=201) for _ in range(4))
    )
    refused = {"template": "Счёт", "send": {"channel": "vk"}}
    await world.ask("POST", f"/deals/{deal}/documents", refused, status=422)
    made.append(await world.post(f"/deals/{deal}/documents", {"template": "Счёт"}, status=201))
    assert sorted(each["number"] for each in made) == [1, 2, 3, 4, 5]
    for each in made:
        found = Document(io.BytesIO(await content_of(world, each)))
        assert found.paragraphs[0].text.startswith(f"Счёт № {each['number']} ")
    notes = await world.get(f"/contacts/{made[0]['contact_id']}/timeline?order=occurred")
    texts = [each["text"] for each in notes["items"] if each["kind"] == "note"]
    assert sorted(texts) == [f"Составлен документ: Счёт № {number}" for number in range(1, 6)]


async def test_a_page_becomes_a_pdf_and_nothing_is_fetched_for_it(world: World) -> None:
    deal = await deal_of_anna(world)
    asked: list[str] = []

    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode())
        writer.close()

    server = await asyncio.start_server(heard, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    secret = world.folder / "secret.txt"
    secret.write_text("TOP-SECRET-LINE", encoding="utf-8")
    html = (
        f'<link rel="stylesheet" href="http://127.0.0.1:{port}/a.css"><style>@import url(http://127.0.0.1:{port}/b);'
        f"body{{background:url(file://{secret})}}</style><h1>Счёт № {{{{ number }}}}</h1><p>{{{{ contact.name }}}}</p>"
        f'<img src="http://127.0.0.1:{port}/c.png"><img src="file://{secret}">'
        f'<a rel="attachment" href="file://{secret}">x</a><object data="file://{secret}"></object>'
        '<img src="logo.png">'
    )
    logo = await uploaded(world, PICTURE, "logo.png", "image/png")
    await template(world, html=html, pictures=[logo])
    made = await world.post(f"/deals/{deal}/documents", {"template": "Счёт"}, status=201)
    server.close()
    await server.wait_closed()
    content = await content_of(world, made)
    assert content.startswith(b"%PDF-")
    assert made["content_type"] == "application/pdf"
    assert asked == []
    assert b"TOP-SECRET" not in content
    whole = content + b"".join(unpacked(each) for each in content.split(b"stream\n")[1::2])
    assert b"TOP-SECRET" not in whole
    assert b"/Image" in whole  # the template's own picture


async def test_a_template_that_is_broken_or_endless_is_told_of_and_takes_no_number(world: World) -> None:
    deal = await deal_of_anna(world)
    broken = Document()
    broken.add_paragraph("{{ deal.amount")
    content = io.BytesIO()
    broken.save(content)
    for name, made, words in (("Счёт", content.getvalue(), "not closed"), ("Не файл", b"MZ...", "no Word file")):
        docx = await uploaded(world, made, "счёт.docx")
        problem = await world.ask("POST", "/document-templates", {"name": name, "docx": docx}, login="root", status=422)
        assert words in problem["detail"]
    for body, word in (
        ({"name": "a"}, "docx"),
        ({"name": "a", "html": "{{ x"}, "line 1"),
        ({"name": "a", "docx": {"name": "a.docx", "sha256": "0" * 64, "size": 5}}, "uploaded"),
    ):
        problem = await world.ask("POST", "/document-templates", body, login="root", status=422)
        assert word in str(problem), problem
    problem = await world.ask("POST", f"/deals/{deal}/documents", {"template": "нет"}, status=422)
    assert "нет" in problem["detail"]
    assert await world.count("document") == 0
    assert await world.count("counter") == 0


async def test_a_preview_takes_no_number(world: World) -> None:
    deal = await deal_of_anna(world)
    made = await template(world, docx=await uploaded(world, word_file(), "счёт.docx"))
    response = await world.call("GET", f"/document-templates/{made['id']}/preview?deal_id={deal}")
    assert response.status == 200
    found = Document(io.BytesIO(await response.read()))
    assert found.paragraphs[0].text.startswith("Счёт № 1 ")
    assert await world.count("document") == 0


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


async def test_a_broken_word_file_is_refused_where_it_is_named(world: World) -> None:
    whole = word_file()
    odd = Document()
    odd.add_paragraph("Счёт {{ number | no_such_filter }}")
    unclosed = io.BytesIO()
    odd.save(unclosed)
    kept = await world.post(
        "/document-templates",
        {"name": "Счёт", "title": "Счёт", "docx": await uploaded(world, whole, "a.docx")},
        login="root",
        status=201,
    )
    for content, words in (
        (b"no archive at all", "this is no Word file (.docx)"),
        (whole[: len(whole) // 2], "this is no Word file (.docx)"),
        (unclosed.getvalue(), "no_such_filter"),
    ):
        file = await uploaded(world, content, "b.docx")
        problem = await world.ask(
            "POST", "/document-templates", {"name": "Б", "title": "Б", "docx": file}, login="root", status=422
        )
        assert words in problem["detail"]
        path = f"/document-templates/{kept['id']}"
        assert words in (await world.ask("PATCH", path, {"docx": file}, login="root", status=422))["detail"]


async def test_a_name_that_no_document_ever_has_is_refused_with_the_nearest(world: World) -> None:
    async def refused(body: dict[str, Any]) -> str:
        answer = await world.ask("POST", "/document-templates", {"name": "Счёт", **body}, login="root", status=422)
        return str(answer["detail"])

    assert "contact" in await refused({"html": "<p>{{ contakt.name }}</p>"})
    assert "name" in await refused({"html": "<p>{{ contact.nam }}</p>"})
    assert "email" in await refused({"html": "<p>{{ author.emial }}</p>"})
    assert "number" in await refused({"title": "Счёт {{ numbr }}", "html": "<p>да</p>"})
    assert "unsubscribe" in await refused({"html": "<p>{{ unsubscribe }}</p>"}), (
        "what messages have, documents have not"
    )
    document = Document()
    document.add_paragraph("{{ item.position }} {{ item.nmae }}")
    found = io.BytesIO()
    document.save(found)
    wrong = await refused({"docx": await uploaded(world, found.getvalue(), "счёт.docx")})
    assert "docx" in wrong.lower()
    assert "name" in wrong
    row = "{% for each in items %}{{ each.anything }}{% endfor %}{{ office.url }}{{ payments[0].amount }}"
    await world.ask("POST", "/document-templates", {"name": "Счёт", "html": row}, login="root", status=201)
