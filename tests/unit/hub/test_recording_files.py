"""Files of recordings: what is found, what it turns out to be, and that no name leads out of the folder."""

from __future__ import annotations

import os
import wave
from datetime import date
from pathlib import Path

import pytest

from hub.recordings.files import Judgement, find, inside, judge, media_type, remove

CALL = "1772442000.7"
DAY = date(2026, 3, 2)


def sound(path: Path, seconds: float = 1.0) -> Path:
    """A WAV file as Asterisk writes it: 8000 Hz, 16 bit, one channel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x10\x00" * int(8000 * seconds))
    return path


def test_a_whole_file_tells_how_long_it_is(tmp_path: Path) -> None:
    judged = judge(sound(tmp_path / "a.wav", 2.5))
    assert (judged.judgement, judged.size, judged.duration_s) == (Judgement.SOUND, 40_044, 2.5)


def test_a_header_without_sound_is_empty(tmp_path: Path) -> None:
    assert judge(sound(tmp_path / "a.wav", 0)).judgement is Judgement.EMPTY
    (tmp_path / "b.wav").touch()
    assert judge(tmp_path / "b.wav").judgement is Judgement.EMPTY
    (tmp_path / "c.wav").write_bytes(b"RIFF\x00\x00")
    assert judge(tmp_path / "c.wav").judgement is Judgement.EMPTY


def test_sound_behind_a_header_that_was_never_finished_counts(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav", 2)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\x00\x00\x00\x00"  # as it stands while Asterisk writes, and after a crash
    path.write_bytes(content)
    assert (judge(path).judgement, judge(path).duration_s) == (Judgement.SOUND, 2.0)


def test_a_cut_file_is_as_long_as_what_is_there(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav", 4)
    os.truncate(path, 16_044)
    assert judge(path).duration_s == 1.0


@pytest.mark.parametrize("content", [b"\x00" * 5000, b"<html>" * 100, b"RIFF" + b"\x00" * 100])
def test_what_is_no_sound_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert judge(tmp_path / "a.wav").judgement is Judgement.DAMAGED


def test_other_kinds_are_judged_by_their_size(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"\xff\xfb" * 500)
    (tmp_path / "b.mp3").write_bytes(b"ID3")
    assert judge(tmp_path / "a.mp3").judgement is Judgement.SOUND
    assert judge(tmp_path / "b.mp3").judgement is Judgement.EMPTY
    gsm = bytearray(sound(tmp_path / "c.WAV", 1).read_bytes())
    gsm[20:22] = (49).to_bytes(2, "little")  # GSM in a WAV, which the standard library does not read
    (tmp_path / "c.WAV").write_bytes(gsm)
    assert (judge(tmp_path / "c.WAV").judgement, judge(tmp_path / "c.WAV").duration_s) == (Judgement.SOUND, None)


def test_it_is_found_by_name_or_as_another_kind(tmp_path: Path) -> None:
    assert find(tmp_path, f"{CALL}.wav", CALL, [DAY]) is None
    (tmp_path / f"{CALL}.mp3").write_bytes(b"x")
    assert find(tmp_path, f"{CALL}.wav", CALL, [DAY]) == f"{CALL}.mp3"
    sound(tmp_path / f"{CALL}.wav")
    assert find(tmp_path, f"{CALL}.wav", CALL, [DAY]) == f"{CALL}.wav"


def test_it_is_found_as_freepbx_lays_it_out(tmp_path: Path) -> None:
    day = tmp_path / "2026/03/02"
    sound(day / f"in-74951234567-79161234567-20260302-120000-{CALL}.wav")
    sound(day / f"in-74951234567-79161234567-20260302-120000-{CALL}7.wav")
    (day / f"notes-{CALL}.txt").write_text("no sound")
    found = find(tmp_path, f"{CALL}.wav", CALL, [date(2026, 3, 1), DAY])
    assert found == f"2026/03/02/in-74951234567-79161234567-20260302-120000-{CALL}.wav"
    assert find(tmp_path, "1.1.wav", "1.1", [DAY]) is None


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    home, secret = tmp_path / "monitor", tmp_path / "secret.wav"
    (home / "2026/03/02").mkdir(parents=True)
    secret.write_bytes(b"secret")
    (home / "link.wav").symlink_to(secret)
    (home / f"2026/03/02/x-{CALL}.wav").symlink_to(secret)
    (home / "loop.wav").symlink_to(home / "loop.wav")
    for name in ("../secret.wav", str(secret), "link.wav", "loop.wav", "2026", "", "a\x00b", "/etc/passwd", None):
        assert inside(home, name) is None
    assert find(home, "../secret.wav", CALL, [DAY]) is None
    assert find(home, "x.wav", "../../secret", [DAY]) is None
    assert not remove(home, "../secret.wav")
    assert not remove(home, "link.wav")
    assert secret.exists()


def test_a_folder_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find(tmp_path / "nothing", "a.wav", CALL, [DAY])


def test_a_file_is_removed_once(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    assert remove(tmp_path, "a.wav")
    assert not remove(tmp_path, "a.wav")


def test_media_types() -> None:
    assert [media_type(name) for name in ("a.wav", "a.MP3", "a.exe")] == [
        "audio/wav",
        "audio/mpeg",
        "application/octet-stream",
    ]
