"""Files of a PBX's folder of recordings. Everything here blocks: call it in a thread.

A name from outside never leads out of the folder: what is found is resolved, links and all, and must lie within.
"""

from __future__ import annotations

import os
import re
import struct
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path

AUDIO = {
    ".wav": "audio/wav",
    ".wav49": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".gsm": "audio/x-gsm",
}
"""Media types by the suffix in lower case."""

_CALL_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,149}\Z")
_MOST_ENTRIES = 50_000
_WAV = frozenset({".wav", ".wav49"})
_WAV_HEADER = 44
_LEAST_SOUND = 64  # bytes of a file that is no WAV: less holds a header at best


class Judgement(Enum):
    """What a file turned out to be."""

    SOUND = "sound"
    EMPTY = "empty"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Judged:
    """A file looked at: `size` in bytes; `duration_s` None where its kind does not tell."""

    judgement: Judgement
    size: int
    duration_s: float | None = None


def media_type(name: str) -> str:
    """The media type of a recording by its name."""
    return AUDIO.get(Path(name).suffix.lower(), "application/octet-stream")


def inside(folder: Path | None, name: str | None) -> Path | None:
    """The file of that name within a folder, symbolic links followed; None where it lies elsewhere or nowhere."""
    if folder is None or not name or "\x00" in name:
        return None
    try:
        home = folder.resolve(strict=True)
        path = (home / name).resolve(strict=True)
    except (OSError, RuntimeError):  # not there, or links in a circle
        return None
    return path if path.is_relative_to(home) and path.is_file() else None


def gone(folder: Path | None, name: str) -> bool:
    """Whether the folder is here and surely holds no such file; False where that can't be told."""
    if folder is None or not name or "\x00" in name or not folder.is_dir():
        return False
    try:
        (folder / name).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # not readable, or the disk fails: that says nothing
        return False
    return False


def find(folder: Path, name: str, linkedid: str, days: Iterable[date]) -> str | None:
    """The name, within the folder, of a call's recording; None where there is none.

    Looked for as `name`, as another kind of sound of that name, and in the folders `YYYY/MM/DD` of these days under a
    name that ends with the call's id, as FreePBX has it. Raises OSError where the folder can't be read.
    """
    folder.stat()
    if inside(folder, name) is not None:
        return name
    stem = name.removesuffix(Path(name).suffix)
    for suffix in AUDIO:
        for other in (stem + suffix, stem + suffix.upper()):
            if inside(folder, other) is not None:
                return other
    if not _CALL_ID.match(linkedid):
        return None
    for day in days:
        place = f"{day:%Y/%m/%d}"
        found = _of_call(folder / place, linkedid)
        if found is not None and inside(folder, f"{place}/{found}") is not None:
            return f"{place}/{found}"
    return None


def judge(path: Path) -> Judged:
    """What a file holds; raises OSError."""
    size = path.stat().st_size
    if not size:
        return Judged(Judgement.EMPTY, 0)
    if path.suffix.lower() not in _WAV:
        return Judged(Judgement.SOUND if size >= _LEAST_SOUND else Judgement.EMPTY, size)
    try:
        with path.open("rb") as file, wave.open(file) as sound:
            frames, rate, width = sound.getnframes(), sound.getframerate(), sound.getnchannels() * sound.getsampwidth()
    except (EOFError, wave.Error) as err:
        return _judge_unread(path, size, err)
    # A header that was never finished, or says more than was written, does not count: what lies behind it does.
    there = max(size - _WAV_HEADER, 0) // width
    frames = min(frames, there) if frames else there
    if not frames:
        return Judged(Judgement.EMPTY, size)
    return Judged(Judgement.SOUND, size, frames / rate if rate else None)


def remove(folder: Path, name: str) -> bool:
    """Delete a file within the folder; False where there was none. Raises OSError."""
    path = inside(folder, name)
    if path is None:
        return False
    path.unlink(missing_ok=True)
    return True


def _judge_unread(path: Path, size: int, err: Exception) -> Judged:
    """A WAV file that the standard library does not read: another encoding (GSM), a header that is cut or was never
    finished because the PBX died, or no sound at all."""
    with path.open("rb") as file:
        head = file.read(_WAV_HEADER)
    if head[:4] != b"RIFF" or head[8:12] not in {b"WAVE", b""}:
        return Judged(Judgement.DAMAGED, size)
    if size <= _WAV_HEADER:
        return Judged(Judgement.EMPTY, size)
    if isinstance(err, wave.Error) and "unknown format" in str(err):
        return Judged(Judgement.SOUND, size)
    if head[12:16] == b"fmt " and head[36:40] == b"data":
        (bytes_a_second,) = struct.unpack_from("<I", head, 28)
        return Judged(Judgement.SOUND, size, (size - _WAV_HEADER) / bytes_a_second if bytes_a_second else None)
    return Judged(Judgement.DAMAGED, size)


def _of_call(folder: Path, linkedid: str) -> str | None:
    """The largest sound file of a folder whose name ends with the call's id."""
    best: tuple[int, str] | None = None
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count >= _MOST_ENTRIES:
                    break
                stem, suffix = Path(entry.name).stem, Path(entry.name).suffix
                of_call = stem == linkedid or stem.endswith(f"-{linkedid}")
                if of_call and suffix.lower() in AUDIO and entry.is_file():
                    best = max(best or (-1, ""), (entry.stat().st_size, entry.name))
    except FileNotFoundError:
        return None
    return best[1] if best is not None else None
