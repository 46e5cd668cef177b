"""Small pictures of what strangers send: made once, by a process of its own, and never of what can't be trusted."""

from __future__ import annotations

import asyncio
import io
import os
from typing import Any

import pytest
from PIL import Image

from crm_core.errors import NotFound
from crm_core.messages import Attachment, EntryKind, MessageReceived
from hub.previews import making, worker
from hub.previews.making import Previews
from tests.integration.http.world import SHOP, World, later
from tests.integration.storage.world import fact, tg


def photo(width: int, height: int, form: str = "JPEG", **more: Any) -> bytes:
    """A picture that can't be packed well."""
    picture = Image.effect_noise((width, height), 90).convert("RGB")
    target = io.BytesIO()
    picture.save(target, form, **more)
    return target.getvalue()


def turned() -> Image.Exif:
    """What a telephone held upright tells of itself."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Telephone"
    return exif


async def sent(world: World, content: bytes, content_type: str) -> dict[str, Any]:
    stored = await world.hub.files.put_bytes(content)
    payload = MessageReceived(EntryKind.MESSAGE, "смотри", "m1", (Attachment("фото", content_type, stored=stored),))
    await world.take(fact(SHOP, payload, later(1), tg(1001)))
    (contact,) = (await world.get("/contacts"))["items"]
    (found,) = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"][0]["attachments"]
    return dict(found)


async def test_a_large_photo_is_listed_small_and_upright(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    drawn = Previews._drawn

    async def counted(self: Previews, picture: bytes) -> bytes:
        made.append(len(picture))
        return await drawn(self, picture)

    monkeypatch.setattr(Previews, "_drawn", counted)
    content = photo(2400, 1600, exif=turned())
    assert len(content) > making.SMALL
    file = await sent(world, content, "image/jpeg")

    async def asked() -> bytes:
        response = await world.call("GET", f"{file['url']}?preview=true")
        assert (response.status, response.content_type) == (200, "image/webp")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"].startswith("inline")
        return await response.read()

    first, *others = await asyncio.gather(*(asked() for _ in range(5)))
    assert {*others, await asked()} == {first}
    assert made == [len(content)], "it is made once, however many ask at once"
    assert len(first) < making.MOST
    with Image.open(io.BytesIO(first)) as small:
        assert small.width < small.height <= worker.BOX[1]
        assert not small.getexif(), "what the camera told of itself is not told on"
    whole = await world.call("GET", file["url"])
    assert await whole.read() == content


async def test_what_is_small_is_its_own_preview(world: World) -> None:
    content = photo(60, 40, "PNG")
    file = await sent(world, content, "image/png")
    response = await world.call("GET", f"{file['url']}?preview=true")
    assert (response.content_type, await response.read()) == ("image/png", content)


@pytest.mark.parametrize("cut", [300, 40_000])
async def test_of_what_is_no_whole_picture_the_thing_itself_is_given(world: World, cut: int) -> None:
    content = photo(1200, 900)[:cut] + b"\xff\xd8" * 50_000
    file = await sent(world, content, "image/jpeg")
    response = await world.call("GET", f"{file['url']}?preview=true")
    assert (response.status, response.content_type, await response.read()) == (200, "image/jpeg", content)


async def test_a_process_that_does_not_end_is_ended(world: World) -> None:
    content = photo(2000, 1500)
    stored = await world.hub.files.put_bytes(content)
    hasty = Previews(world.hub.files, patience_s=0)
    assert await hasty.of(stored.sha256, stored.size) is None
    assert await hasty.of(stored.sha256, stored.size) is None, "it is not tried each time"
    assert not world.hub.files.preview(stored.sha256).exists()


async def test_what_is_taken_away_leaves_no_small_picture(world: World) -> None:
    files, previews = world.hub.files, world.hub.previews
    stored = await files.put_bytes(photo(1200, 900))
    path = await previews.of(stored.sha256, stored.size)
    assert path is not None
    assert path.is_file()
    await files.remove(stored.sha256)
    assert [each for each in (world.folder / "files").rglob("*") if each.is_file()] == []
    with pytest.raises(NotFound):
        await files.keep_preview(stored.sha256, b"late")
    assert [each for each in (world.folder / "files").rglob("*") if each.is_file()] == []


async def test_whoever_may_not_see_the_photo_sees_no_small_one(world: World) -> None:
    file = await sent(world, photo(1200, 900), "image/jpeg")
    response = await world.client.get(f"{file['url']}?preview=true")
    assert response.status == 401
    await world.get("/attachments/1?preview=true", status=404)


@pytest.mark.parametrize(
    ("form", "more"), [("PNG", {}), ("WEBP", {}), ("GIF", {}), ("JPEG", {"progressive": True})], ids=str
)
def test_pictures_of_each_kind_are_made_small(form: str, more: dict[str, Any]) -> None:
    with Image.open(io.BytesIO(worker.small(photo(900, 300, form, **more)))) as small:
        assert (small.format, small.size) == ("WEBP", (528, 176))


def test_what_is_seen_through_stays_so() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (800, 600), (255, 0, 0, 0)).save(target, "PNG")
    with Image.open(io.BytesIO(worker.small(target.getvalue()))) as small:
        assert small.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]  # four bands


@pytest.mark.parametrize("size", [(40, 30), (60, 40)], ids=str)
def test_a_picture_of_too_many_points_is_not_opened(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # it is put back
    monkeypatch.setattr(worker, "_MOST_PIXELS", 1000)
    with pytest.raises((Image.DecompressionBombWarning, Image.DecompressionBombError)):
        worker.small(photo(*size))


async def test_the_process_knows_none_of_our_secrets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    begin = asyncio.create_subprocess_exec

    async def watched(*arguments: Any, **more: Any) -> asyncio.subprocess.Process:
        given.update(more["env"])
        return await begin(*arguments, **more)

    monkeypatch.setenv("HUB_SECRET", "s3cret")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    stored = await world.hub.files.put_bytes(photo(1200, 900))
    assert await world.hub.previews.of(stored.sha256, stored.size) is not None
    assert set(given) <= {"PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH"}
    assert "s3cret" not in os.pathsep.join(given.values())
