"""Who keeps the office's sounds is asked where they are put and taken away: each role, against the table of rights."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import pytest

from crm_core.errors import Forbidden
from crm_core.model.access import Access
from crm_core.model.definitions import Catalogue
from crm_core.model.rights import TABLE, Reach, Right
from crm_core.model.user import Role, Staff, User
from hub.telephony import sounds


def a_second() -> bytes:
    """A second of silence, as Asterisk plays it."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    return buffer.getvalue()


@pytest.mark.parametrize("role", Role)
def test_sounds_are_put_and_taken_away_by_those_who_may(tmp_path: Path, role: Role) -> None:
    access = Access.of(User(1, "ivan", "Ivan", role), Catalogue(), Staff({}))
    (tmp_path / "there.wav").write_bytes(a_second())
    if TABLE[Right.KEEP_SOUNDS][role] is Reach.NONE:
        with pytest.raises(Forbidden):
            sounds.put(access, tmp_path, "new", a_second())
        with pytest.raises(Forbidden):
            sounds.remove(access, tmp_path, "there")
        assert [each.name for each in sounds.listed(tmp_path)] == [f"{tmp_path.name}/there"]
    else:
        sounds.put(access, tmp_path, "new", a_second())
        sounds.remove(access, tmp_path, "there")
        assert [each.name for each in sounds.listed(tmp_path)] == [f"{tmp_path.name}/new"]
