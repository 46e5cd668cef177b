"""The chat over real sockets and a real record: once whatever is repeated, live whoever answers where."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from sqlalchemy import Connection, text

from crm_core.messages import ChannelKey
from crm_core.model.timeline import Delivery
from crm_core.storage.queries import conversations
from tests.integration.web_chat.world import Node, Visitor, nodes
from tests.patience import PATIENCE_S


async def delivered(node: Node, visitor: Visitor, state: Delivery) -> None:
    """Wait until the last message of the office is in a state."""
    async with asyncio.timeout(PATIENCE_S):
        async for _ in node.hub.live.follow(0):
            if [entry.delivery for entry in await node.entries(visitor.id) if entry.author == "ivan"][-1:] == [state]:
                return


async def test_a_message_sent_again_is_there_once(visitor: Visitor, node: Node) -> None:
    await asyncio.gather(*(visitor.say("Здравствуйте", "message-1") for _ in range(5)))
    await visitor.say("Здравствуйте", "message-1")
    await visitor.say("Здравствуйте", "message-2")
    assert [entry.text for entry in await node.entries(visitor.id)] == ["Здравствуйте"] * 2
    assert [(each["mine"], each["ref"]) for each in await visitor.history()] == [
        (True, "message-1"),
        (True, "message-2"),
    ]


async def test_an_answer_comes_live_and_is_noted_as_delivered_and_read(visitor: Visitor, node: Node) -> None:
    await visitor.say("Сколько стоит?", "message-1")
    async with visitor.window() as window:
        await window.until("Сколько стоит?")
        await node.answer(visitor.id, "18 500 ₽")
        told = await window.until("18 500 ₽")
        assert (told["mine"], told["author"]) == (False, "Иван Петров")
        await delivered(node, visitor, Delivery.DELIVERED)
    assert (await visitor.ask("seen", seq=told["seq"])).status == 200
    await delivered(node, visitor, Delivery.READ)
    async with visitor.window(after=told["seq"]) as again:
        await node.answer(visitor.id, "Ждём вас")
        await again.until("Ждём вас")
        assert [each["text"] for each in again.got] == ["Ждём вас"]


async def test_an_answer_written_while_nobody_looked_waits(visitor: Visitor, node: Node) -> None:
    await visitor.say("Вы здесь?", "message-1")
    await node.answer(visitor.id, "Да")
    await delivered(node, visitor, Delivery.SENT)
    async with visitor.window() as window:
        await window.until("Да")
        await delivered(node, visitor, Delivery.DELIVERED)


async def test_a_token_opens_one_conversation_of_one_site(visitor: Visitor, node: Node) -> None:
    await visitor.say("Моё", "message-1")
    stranger = Visitor(node)
    await stranger.start()
    assert await stranger.history() == []
    forged = [
        "",
        visitor.id,
        f"{visitor.id}.",
        f"{visitor.id}.{stranger.token.partition('.')[2]}",
        f"{visitor.token}x",
        visitor.token.upper(),
        f"{visitor.id}.токен",
        "\ud800",
    ]
    for token in forged:
        for what in ("history", "stream", "send", "seen", "contact", "choose"):
            answer = await Visitor(node, token=token).ask(what, id="message-9", text="x", name="x", item="x")
            assert answer.status == 401, (token, what)
    elsewhere = Visitor(node, account="other", token=visitor.token)
    assert (await elsewhere.ask("history")).status == 401
    told = await elsewhere.start()
    assert not told["known"]
    assert elsewhere.id != visitor.id


async def test_pages_of_other_origins_are_kept_out(visitor: Visitor, node: Node) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "https://other.example"}):
        outside = Visitor(node, token=visitor.token, headers=headers)
        for what in ("start", "history", "stream", "send"):
            answer = await outside.ask(what, id="message-9", text="x")
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
    answer = await visitor.ask("history", after=0)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"
    assert "Set-Cookie" not in answer.headers
    preflight = await node.client.options("/in/web/site/chat/send", headers=visitor.headers)
    assert preflight.status == 204


async def test_a_site_without_a_chat_has_none(node: Node) -> None:
    assert (await node.client.get("/in/web/forms/widget.js")).status == 404
    assert (await Visitor(node, account="forms").ask("start")).status in {404, 405}


async def test_files_are_judged_kept_and_handed_out_for_a_while(visitor: Visitor, node: Node) -> None:
    assert (await visitor.upload("план.png", b"\x89PNG" + b"0" * 2000)).status == 200
    (told,) = await visitor.history()
    (file,) = told["files"]
    url = f"/in/web/site/chat/file?{file['link']}"
    answer = await node.client.get(url)
    assert (answer.status, await answer.read()) == (200, b"\x89PNG" + b"0" * 2000)
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    for wrong in (f"{url}x", url.replace("f=", "f=A"), url.replace("site", "other"), "/in/web/site/chat/file"):
        assert (await node.client.get(wrong)).status == 404
    assert (await visitor.upload("page.html", b"<script>alert(1)</script>", "text/html")).status == 200
    active = (await visitor.history())[-1]["files"][0]
    answer = await node.client.get(f"/in/web/site/chat/file?{active['link']}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (await visitor.upload("setup.exe", b"MZ")).status == 415
    assert (await visitor.upload("photo.jpg.scr", b"MZ")).status == 415
    assert (await visitor.upload("big.png", b"0" * (1024 * 1024 + 1))).status == 413
    assert (await visitor.upload("../../etc/pass\u202ewd.txt", b"root", "text/plain")).status == 200
    assert (await visitor.history())[-1]["files"][0]["name"] == "passwd.txt"


async def test_a_contact_left_in_the_chat_is_a_form_and_no_proof(visitor: Visitor, node: Node) -> None:
    await visitor.say("Нужно окно", "message-1")
    contact = {"name": "Анна", "phone": "8 916 123-45-67", "page": "https://example.org/okna?utm_source=vk"}
    assert (await visitor.ask("contact", id="contact-1", **contact)).status == 200
    assert (await visitor.ask("contact", id="contact-1", **contact)).status == 200
    assert [entry.kind.value for entry in await node.entries(visitor.id)] == ["message", "form"]
    other = Visitor(node)
    await other.start()
    await other.say("Я тоже Анна", "message-2")
    assert (await other.ask("contact", id="contact-2", **contact)).status == 200
    # The number is somebody's already: two who name it stay two, until a person or a proof says otherwise.
    assert [entry.text for entry in await node.entries(other.id)] == ["Я тоже Анна"]
    robot = Visitor(node)
    await robot.start()
    assert (await robot.ask("contact", id="contact-3", name="Bot", phone="1", _trap="x")).status == 200
    assert await node.entries(robot.id) == []


async def test_nonsense_is_refused_in_words(visitor: Visitor, node: Node) -> None:
    for body in (b"", b"{", b"[1]", b"\xff\xfe", b'{"token": 5}', b'"x"', b"[" * 50_000):
        url = "/in/web/site/chat/send"
        answer = await node.client.post(url, data=body, headers=visitor.headers)
        assert answer.status in {401, 422}, body[:20]
        assert (await answer.json())["ok"] is False
    for wrong in ({"id": "short"}, {"id": "message-1", "text": " \x00 "}, {"id": "message-1", "text": "я" * 10_001}):
        assert (await visitor.ask("send", **wrong)).status == 422
    await visitor.say("😀" * 4096, "message-1")
    assert (await visitor.history())[0]["text"] == "😀" * 4096


async def test_whoever_writes_too_much_waits(visitor: Visitor) -> None:
    states = [(await visitor.ask("send", id=f"message-{number}", text="x")).status for number in range(25)]
    assert states == [200] * 20 + [429] * 5
    answer = await visitor.ask("send", id="message-99", text="x")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"
    other = Visitor(visitor.node)
    await other.start()
    await other.say("x", "message-1")


async def test_windows_end_with_the_hub_and_are_bounded(visitor: Visitor, node: Node) -> None:
    windows = []
    for _ in range(7):
        answer = await visitor.ask("stream", after=0)
        assert (await answer.content.readline()).startswith(b":")
        windows.append(answer)
    assert (await asyncio.wait_for(windows[0].content.read(), PATIENCE_S)).strip() == b""  # the oldest made room
    assert node.client.app is not None
    await node.client.app.shutdown()
    for window in windows[1:]:
        assert (await asyncio.wait_for(window.content.read(), PATIENCE_S)).strip() == b""


async def test_the_index_of_visitors_serves(visitor: Visitor, node: Node) -> None:
    def plan(conn: Connection) -> str:
        sqlite = conn.dialect.name == "sqlite"
        if not sqlite:
            conn.execute(text("SET LOCAL enable_seqscan = off"))  # so few rows are read whole otherwise
        asked = conversations.messages_of(ChannelKey("web", "site"), visitor.id, 0)
        written = asked.compile(conn.engine, compile_kwargs={"literal_binds": True})
        rows = conn.execute(text(f"{'EXPLAIN QUERY PLAN' if sqlite else 'EXPLAIN'} {written}"))
        return "\n".join(str(row) for row in rows)

    assert "ix_timeline_visitor" in await node.hub.store.database.read(plan, at_length=True)


async def test_two_nodes_are_one_chat(postgres_url: str, tmp_path: Path) -> None:
    async with nodes(postgres_url, tmp_path, 2) as (here, there):
        visitor = Visitor(here)
        await visitor.start()
        await visitor.say("Есть кто?", "message-1")
        async with visitor.window() as window:
            await window.until("Есть кто?")
            await there.answer(visitor.id, "Отвечаю с другого узла")
            await window.until("Отвечаю с другого узла")
            await delivered(there, visitor, Delivery.DELIVERED)
        moved = Visitor(there, token=visitor.token)
        assert [each["text"] for each in await moved.history()] == ["Есть кто?", "Отвечаю с другого узла"]
        await moved.say("И пишу туда", "message-2")
        await moved.say("Есть кто?", "message-1")  # a retry that reached the other node
        assert len(await here.entries(visitor.id)) == 3


async def test_an_answer_finds_the_window_also_after_a_form(visitor: Visitor, node: Node) -> None:
    await visitor.say("Сколько стоит?", "message-1")
    contact = {"name": "Анна", "phone": "8 916 123-45-67"}
    assert (await visitor.ask("contact", id="contact-1", **contact)).status == 200
    form = {"phone": "8 916 123-45-67", "message": "Перезвоните", "_trap": ""}
    assert (await node.client.post("/in/web/site?key=site-key", data=form)).status == 200
    assert len(await node.entries(visitor.id)) == 3
    await node.answer(visitor.id, "18 500 ₽")
    async with visitor.window() as window:
        await window.until("18 500 ₽")
        assert not any(each["text"].startswith("Перезвоните") for each in window.got)


@pytest.mark.parametrize("way", ["urlencoded", "json", "multipart"])
async def test_a_robot_falls_into_the_trap_of_a_form_however_it_posts(node: Node, way: str) -> None:
    fields = {"name": "Bot", "phone": "+79161234567", "_trap": "buy"}
    given: dict[str, Any] = {"data": fields}
    if way == "json":
        given = {"json": fields}
    if way == "multipart":
        form = FormData(fields)
        form.add_field("file", io.BytesIO(b"x"), filename="a.txt")
        given = {"data": form}
    assert (await node.client.post("/in/web/site?key=site-key", **given)).status == 200
    rows = await node.hub.store.read(lambda conn: conn.execute(text("SELECT state, what FROM journal")).all())
    assert [tuple(row) for row in rows] == [("ignored", "a robot filled the field _trap")]
    assert await node.hub.store.read(lambda conn: conn.execute(text("SELECT count(*) FROM contact")).scalar()) == 0
