"""The office's own sounds, uploaded where Asterisk plays them."""

from __future__ import annotations

import io
import wave

import pytest

from hub.http.api import PREFIX
from tests.integration.http.world import World, token_of


def wav(seconds: float = 1.0, *, rate: int = 8000, channels: int = 1, width: int = 2) -> bytes:
    """A sound of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(bytes(int(seconds * rate) * channels * width))
    return file.getvalue()


async def put(world: World, name: str, content: bytes, login: str = "root") -> tuple[int, dict[str, object]]:
    """Upload a sound: status and answer."""
    headers = {"Authorization": f"Bearer {token_of(login)}", "Content-Type": "audio/wav"}
    async with world.client.put(
        f"{PREFIX}/pbxs/office/sounds/{name}", data=io.BytesIO(content), headers=headers
    ) as response:
        return response.status, await response.json()


async def test_a_sound_is_put_replaced_listed_and_taken_away(world: World) -> None:
    assert await put(world, "privet", wav(2.0)) == (
        200,
        {"name": "custom/privet", "duration_s": 2.0, "size": len(wav(2.0))},
    )
    assert (await put(world, "privet", wav(1.5)))[0] == 200
    assert (world.folder / "custom" / "privet.wav").read_bytes() == wav(1.5)
    listed = (await world.get("/pbxs/office/sounds"))["items"]
    assert [(each["name"], each["duration_s"]) for each in listed] == [("custom/privet", 1.5)]
    assert (await world.call("DELETE", "/pbxs/office/sounds/privet", login="root")).status == 204
    assert (await world.call("DELETE", "/pbxs/office/sounds/privet", login="root")).status == 404
    assert list((world.folder / "custom").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("privet", b"ID3 this is an mp3", "no PCM WAV"),
        ("privet", b"", "no PCM WAV"),
        ("privet", wav(channels=2), "one channel"),
        ("privet", wav(rate=44100), "8000 or 16000"),
        ("privet", wav(0.05), "lasts"),
        ("privet", wav(2.0)[:1000], "cut off"),
        ("Привет", wav(), "can't name"),
        ("..%2F..%2Fetc", wav(), "can't name"),
    ],
)
async def test_what_asterisk_can_not_play_is_refused_with_how_to_mend_it(
    world: World, name: str, content: bytes, word: str
) -> None:
    status, answer = await put(world, name, content)
    assert status == 422
    assert word in str(answer["detail"])
    assert not (world.folder / "custom").exists()


async def test_only_administrators_upload_and_only_to_pbxs_that_are_there(world: World) -> None:
    assert (await put(world, "privet", wav(), login="ivan"))[0] == 403
    assert (await world.call("GET", "/pbxs/nowhere/sounds")).status == 404
    status, _ = await put(world, "privet", bytes(6 * 1024 * 1024))
    assert status == 413
