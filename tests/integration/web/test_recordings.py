"""Recordings on a client's page: a player where there is something to hear, else the state in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crm_core.model.user import Role
from tests.integration.storage.world import answered, ended, moved, ringing
from tests.integration.web.conftest import Workspace

LINKEDID = "1772442000.7"


async def talk(workspace: Workspace) -> int:
    """A recorded conversation that nobody of the office is known to have had; the id of the client's card."""
    await workspace.hub.recordings.stop()
    call = ended(answered(ringing(LINKEDID, "+79161234567", workspace.clock.now()), 5, "PJSIP/999"), 60)
    await workspace.hub.intake.receive(moved(replace(call, recording=f"{LINKEDID}.wav")))
    found = await workspace.scalar("SELECT contact_id FROM call")
    assert isinstance(found, int)
    return found


async def become(workspace: Workspace, state: str, error: str = "") -> None:
    """The recording comes to a state."""
    sql = f"UPDATE recording SET state = '{state}', error = '{error}'"
    await workspace.hub.store.database.write(lambda conn: conn.exec_driver_sql(sql).rowcount)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("expected", "Запись ещё не найдена."),
        ("empty", "В записи нет звука."),
        ("missing", "Файл записи пропал."),
        ("expired", "Запись удалена по сроку"),
    ],
)
async def test_a_recording_that_can_not_be_heard_says_why(workspace: Workspace, state: str, words: str) -> None:
    contact_id = await talk(workspace)
    await become(workspace, state, "файла нет в папке записей")
    page = await (await workspace.visitor()).get(f"/contacts/{contact_id}")
    assert words in page
    assert 'title="файла нет в папке записей"' in page
    assert "<audio" not in page


@pytest.mark.parametrize("state", ["stored", "remote"])
async def test_a_recording_is_heard_on_the_page(workspace: Workspace, state: str) -> None:
    contact_id = await talk(workspace)
    await become(workspace, state, "запись короче разговора: 3 с из 55 с")
    page = await (await workspace.visitor("kira", Role.CONTROLLER)).get(f"/contacts/{contact_id}")
    call_id = await workspace.scalar("SELECT id FROM call")
    assert f'<audio controls preload="none" src="/api/v1/calls/{call_id}/recording">' in page
    assert "запись короче разговора" in page


async def test_who_may_not_hear_is_told_so(workspace: Workspace) -> None:
    contact_id = await talk(workspace)
    await become(workspace, "stored")
    page = await (await workspace.visitor("mark", Role.MARKETER)).get(f"/contacts/{contact_id}")
    assert "слушать её вам нельзя" in page
    assert "<audio" not in page


async def test_a_session_plays_and_is_noted(workspace: Workspace) -> None:
    contact_id = await talk(workspace)
    folder = workspace.hub.recordings.folder("office")
    assert folder is not None
    folder.mkdir()
    (folder / f"{LINKEDID}.wav").write_bytes(b"RIFF0123456789")
    await become(workspace, "stored")
    browser = await workspace.visitor("kira", Role.CONTROLLER)
    assert "<audio" in await browser.get(f"/contacts/{contact_id}")
    call_id = await workspace.scalar("SELECT id FROM call")
    assert await workspace.scalar("SELECT count(*) FROM access_log WHERE what = 'recording.played'") == 0
    answer = await browser.client.get(f"/api/v1/calls/{call_id}/recording", headers={"Range": "bytes=0-"})
    assert (answer.status, await answer.read()) == (206, b"RIFF0123456789")
    assert await workspace.scalar("SELECT login FROM access_log WHERE what = 'recording.played'") == "kira"
