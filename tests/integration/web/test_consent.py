"""What a client wants from us, said and done on their page: no mailings, no chain, their data given out or erased."""

from __future__ import annotations

import io
import zipfile

from crm_core.model.automation import ChainRunRecord, ChainState
from crm_core.model.definitions import Section, SegmentBody
from crm_core.model.user import Role
from crm_core.services import defining
from crm_core.services.desk import Desk
from tests.integration.web.conftest import Workspace


async def test_a_client_leaves_the_mailings_and_comes_back(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    card = await workspace.write("Больше мне не пишите")
    here = f"/contacts/{card}/consent"
    assert here in (page := await ivan.get(f"/contacts/{card}"))
    assert "без рассылок" not in page
    for _press in range(2):
        response = await ivan.send(f"/contacts/{card}/opt-out", page=here, note="по телефону")
        assert response.status == 303
    page = await ivan.get(here)
    assert "отказался от рассылок" in page
    assert "сказал нам" in page
    assert "без рассылок" in await ivan.get(f"/contacts/{card}"), "the card says so without being asked"
    assert await workspace.scalar("SELECT count(*) FROM opt_out") == 1
    await ivan.send(f"/contacts/{card}/opt-in", page=here)
    assert await workspace.scalar("SELECT count(*) FROM opt_out") == 0
    assert "персональные данные" not in (await ivan.get(here)).partition("<main")[2].partition("<section")[2]
    await ivan.get(f"/contacts/{card}/personal-data", status=403)


async def test_a_chain_is_stopped(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    card = await workspace.write("Здравствуйте")
    other = await workspace.write("Здравствуйте", client=1002, name="Пётр", number="2")

    def begun(desk: Desk) -> int:
        run = ChainRunRecord(desk.work.next_id(), "Прогрев", card, None, ChainState.RUNNING, 1, desk.now, desk.now)
        desk.work.put(run)
        return run.id

    run = await workspace.hub.store.run(begun)
    here = f"/contacts/{card}/consent"
    assert "Прогрев" in await ivan.get(here)
    refused = await ivan.send(f"/contacts/{other}/chains/{run}/stop", page=here)
    assert refused.status == 404
    await ivan.send(f"/contacts/{card}/chains/{run}/stop", page=here)
    assert "остановлена" in await ivan.get(here)
    assert await workspace.scalar("SELECT state FROM chain_run") == "stopped"


async def test_what_is_known_is_given_out_and_erased_only_by_whoever_may(workspace: Workspace) -> None:
    head = await workspace.visitor("boss", Role.HEAD)
    card = await workspace.write("Здравствуйте")
    here = f"/contacts/{card}/consent"
    assert (await head.send(f"/contacts/{card}/erase", page=here, sure=str(card))).status == 403
    root = await workspace.visitor()
    answer = await root.client.get(f"/contacts/{card}/personal-data")
    assert answer.status == 200
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as packed:
        assert packed.namelist()
    assert "Стереть навсегда" in await root.get(f"{here}?erase=1")
    await root.send(f"/contacts/{card}/erase", page=f"{here}?erase=1", sure="да")
    assert await workspace.scalar(f"SELECT count(*) FROM contact WHERE id = {card}") == 1
    assert "Ничего не стёрто" in await root.get(f"{here}?erase=1")
    response = await root.send(f"/contacts/{card}/erase", page=f"{here}?erase=1", sure=str(card))
    assert response.status == 303
    assert "Здравствуйте" not in str(await workspace.scalar("SELECT max(text) FROM timeline"))
    acts = await workspace.scalar("SELECT count(*) FROM access_log WHERE what IN ('contact.given', 'contact.erased')")
    assert acts == 2


async def test_an_audience_is_taken_by_marketers_and_noted(workspace: Workspace) -> None:
    mila = await workspace.visitor("mila", Role.MARKETER)
    await workspace.write("Здравствуйте")
    add = defining.add
    await workspace.hub.store.run(lambda desk: add(desk, Section.SEGMENT, "Все", SegmentBody(), "root"))
    await workspace.hub.store.run(lambda desk: add(desk, Section.SEGMENT, "Сделки", SegmentBody(of="deal"), "root"))
    ids = [await workspace.scalar(f"SELECT id FROM definition WHERE name = '{name}'") for name in ("Все", "Сделки")]
    assert f"/office/segments/{ids[0]}/audience" in await mila.get(f"/office/segments/{ids[0]}")
    answer = await mila.client.get(f"/office/segments/{ids[0]}/audience")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "audience" in await mila.get(f"/office/segments/{ids[0]}")
    await mila.get(f"/office/segments/{ids[1]}/audience", status=400)
    assert await workspace.scalar("SELECT count(*) FROM access_log WHERE what LIKE 'export%'") == 1
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await ivan.get(f"/office/segments/{ids[0]}/audience", status=403)
