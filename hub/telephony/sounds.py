"""Sounds that the office records itself: checked, and put where its Asterisk plays them from."""

from __future__ import annotations

import io
import os
import re
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.access import Access, Right
from crm_core.wording import Sentence

MAX_SOUND = 5 * 1024 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_RATES = (8000, 16000)
_LONGEST_S = 120.0
_SHORTEST_S = 0.2
_HOW = Sentence("convert it, e.g. with: ffmpeg -i in.mp3 -ac 1 -ar 8000 -c:a pcm_s16le out.wav")


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound as Asterisk knows it by `name`; `duration_s` seconds, `size` bytes."""

    name: str
    duration_s: float
    size: int


def put(access: Access, folder: Path, name: str, content: bytes) -> Sound:
    """Check a sound of somebody and put it in its place, whole or not at all. Blocks; raises Forbidden, InvalidInput
    with how to mend it."""
    access.demand(Right.KEEP_SOUNDS)
    demand_name(name)
    sound = Sound(f"{folder.name}/{name}", _duration(content), len(content))
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # Asterisk runs as another user
        Path(temporary).replace(folder / f"{name}.wav")
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return sound


def listed(folder: Path) -> tuple[Sound, ...]:
    """The sounds of a folder by name. Blocks."""
    found = sorted(path for path in folder.glob("*.wav") if _NAME.match(path.stem)) if folder.is_dir() else []
    sounds: list[Sound] = []
    for path in found:
        try:
            sounds.append(Sound(f"{folder.name}/{path.stem}", _duration(path.read_bytes()), path.stat().st_size))
        except (InvalidInput, OSError):
            continue  # somebody else's, which Asterisk may well play
    return tuple(sounds)


def remove(access: Access, folder: Path, name: str) -> None:
    """Take a sound away. Blocks; raises Forbidden, NotFound."""
    access.demand(Right.KEEP_SOUNDS)
    demand_name(name)
    try:
        (folder / f"{name}.wav").unlink()
    except FileNotFoundError:
        raise NotFound("there is no sound «{sound}»", sound=name) from None


def demand_name(name: str) -> None:
    """Raise InvalidInput where a name is none of a sound."""
    if not _NAME.match(name):
        raise InvalidInput("«{name}» can't name a sound: small letters, digits, - and _, at most 64", name=name[:80])


def _duration(content: bytes) -> float:
    try:
        with wave.open(io.BytesIO(content)) as sound:
            channels, width, rate, frames = (
                sound.getnchannels(),
                sound.getsampwidth(),
                sound.getframerate(),
                sound.getnframes(),
            )
    except (wave.Error, EOFError) as err:
        raise InvalidInput(
            "this is no PCM WAV file ({why}); {how}", why=str(err) or Sentence("it ends too early"), how=_HOW
        ) from err
    if channels != 1 or width != 2 or rate not in _RATES:
        rates = " or ".join(str(each) for each in _RATES)
        raise InvalidInput(
            "Asterisk plays one channel of 16 bits at {rates} Hz; this has {channels} of {width} at {rate}; {how}",
            rates=rates,
            channels=channels,
            width=width * 8,
            rate=rate,
            how=_HOW,
        )
    seconds: float = frames / rate
    if len(content) < frames * width:
        raise InvalidInput("the file is cut off: its header promises {seconds:.1f} s", seconds=seconds)
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise InvalidInput(
            "a sound lasts {least} to {most:.0f} seconds, not {seconds:.1f}",
            least=_SHORTEST_S,
            most=_LONGEST_S,
            seconds=seconds,
        )
    return round(seconds, 2)
