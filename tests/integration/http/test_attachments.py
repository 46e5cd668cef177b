"""Files of strangers through the whole hub: looked at on the way in, handed out by what they are."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import pytest
from aiohttp import FormData

from crm_core.messages import Attachment, EntryKind, FormSubmitted, MessageReceived
from tests.integration.http.world import SHOP, World, later
from tests.integration.storage.world import SITE, fact, tg


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def zip_bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(96 * 1024 * 1024))
    return target.getvalue()


async def sent(world: World, content: bytes, name: str, declared: str) -> dict[str, Any]:
    """A client sends a file; it as the timeline tells of it."""
    stored = await world.hub.files.put_bytes(content)
    payload = MessageReceived(EntryKind.MESSAGE, "смотри", "m1", (Attachment(name, declared, stored=stored),))
    await world.take(fact(SHOP, payload, later(1), tg(1001)))
    (contact,) = (await world.get("/contacts"))["items"]
    (found,) = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"][0]["attachments"]
    return dict(found)


async def test_a_picture_is_shown_in_place(world: World) -> None:
    file = await sent(world, png(10, 10), "a.png", "image/png")
    assert (file["content_type"], file["warning"]) == ("image/png", "")
    response = await world.call("GET", file["url"])
    assert response.headers["Content-Disposition"].startswith("inline")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    response = await world.call("GET", file["url"] + "?download=true")
    assert response.headers["Content-Disposition"].startswith("attachment")


async def test_sound_is_handed_out_in_parts(world: World) -> None:
    content = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" * 500
    file = await sent(world, content, "voice.mp3", "audio/mpeg")
    response = await world.call("GET", file["url"], headers={"Range": "bytes=10-13"})
    assert (response.status, await response.read()) == (206, b"\xff\xfb\x90\x00")
    assert response.headers["Content-Range"] == f"bytes 10-13/{len(content)}"
    assert response.headers["Content-Disposition"].startswith("inline")
    beyond = await world.call("GET", file["url"], headers={"Range": "bytes=999999-"})
    assert beyond.status == 416


@pytest.mark.parametrize(
    ("content", "name", "declared", "warning"),
    [
        (b"MZ\x90\x00" + bytes(100), "a.jpg", "image/jpeg", "executable,mismatch"),
        (b"<html><script>x</script>", "a.png", "image/png", "script,mismatch"),
        (png(60_000, 60_000), "a.png", "image/png", "pixels"),
        (zip_bomb(), "a.zip", "application/zip", "bomb"),
    ],
    ids=["program", "page", "pixels", "zip"],
)
async def test_what_is_dangerous_is_marked_and_never_shown(
    world: World, content: bytes, name: str, declared: str, warning: str
) -> None:
    file = await sent(world, content, name, declared)
    assert file["warning"] == warning
    response = await world.call("GET", file["url"])
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Type"] in {"application/octet-stream", "image/png", "application/zip"}


async def test_files_of_forms_are_looked_at_too_and_lose_their_folders(world: World) -> None:
    stored = await world.hub.files.put_bytes(b"#!/bin/sh\n")
    file = Attachment("../../\u202eevil.sh", "text/plain", stored=stored)
    await world.take(fact(SITE, FormSubmitted(email="a@b.ru", attachments=(file,)), later(1)))
    (contact,) = (await world.get("/contacts"))["items"]
    entries = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"]
    (found,) = next(each["attachments"] for each in entries if each["kind"] == "form")
    assert (found["name"], found["warning"]) == ("evil.sh", "script")


async def test_one_content_is_stored_once(world: World) -> None:
    first = await sent(world, png(10, 10), "a.png", "image/png")
    stored = await world.hub.files.put_bytes(png(10, 10))
    again = MessageReceived(EntryKind.MESSAGE, "ещё", "m2", (Attachment("b.png", "image/png", stored=stored),))
    await world.take(fact(SHOP, again, later(2), tg(1001)))
    assert len([path for path in (world.folder / "files").rglob("*") if path.is_file()]) == 1
    assert first["content_type"] == "image/png"


async def test_an_upload_goes_by_what_it_is(world: World) -> None:
    data = FormData()
    data.add_field("file", b"<html><script>", filename="..\\a\u202egnp.html", content_type="image/png")
    made = await world.ask("POST", "/files", data=data, status=201)
    assert made["content_type"] == "text/html"
    assert made["name"] == "agnp.html"


async def test_what_somebody_uploaded_is_theirs_alone_to_use(world: World) -> None:
    await world.take(fact(SHOP, MessageReceived(EntryKind.MESSAGE, "смотри", "m1"), later(1), tg(1001)))
    (contact,) = (await world.get("/contacts", login="root"))["items"]
    task = await world.post("/tasks", {"title": "Замер", "contact_id": contact["id"]}, login="root", status=201)
    data = FormData()
    data.add_field("file", b"%PDF-1.7 salaries", filename="оклады.pdf", content_type="application/pdf")
    made = await world.ask("POST", "/files", data=data, login="root", status=201)
    messages, close = f"/contacts/{contact['id']}/messages", f"/tasks/{task['id']}/close"
    for path, body in (
        (messages, {"channel": "telegram", "text": "вот"}),
        (close, {"result": "готово"}),
    ):
        refused = await world.post(path, {**body, "attachments": [made["id"]]}, login="olga", status=422)
        unknown = await world.post(path, {**body, "attachments": [9]}, login="olga", status=422)
        assert refused["detail"].replace(str(made["id"]), "9") == unknown["detail"], "it does not tell what others have"
    assert await world.count("attachment") == 0
    sent = await world.post(
        messages, {"channel": "telegram", "text": "вот", "attachments": [made["id"]]}, login="root", status=202
    )
    assert [each["name"] for each in sent["attachments"]] == ["оклады.pdf"]
