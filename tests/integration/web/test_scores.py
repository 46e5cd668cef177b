"""What sales tell of clients, on pages: figures and needs of one, with whom to speak today."""

from __future__ import annotations

from datetime import timedelta

from crm_core.model.selling import ClientScoreRecord, NeedRecord
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from tests.integration.web.conftest import Workspace


async def worked_out(workspace: Workspace, contact_id: int, abc: str, rfm: str, manager: str, need: str = "") -> None:
    """What a day's run leaves of a client, with whom nobody has spoken for long."""

    def put(desk: Desk) -> None:
        now, ago = desk.now, desk.now - timedelta(days=200)
        contact = desk.work.contact(contact_id)
        desk.work.put(contact._replace(manager=manager, last_contact_at=ago))
        score = ClientScoreRecord(contact_id, "постоянный", 7, 123_456_00, now, ago, ago, abc, "X", rfm)
        desk.work.put(score._replace(relation=80))
        if need:
            day = (now + timedelta(days=1)).date().isoformat()
            ident = desk.work.next_id()
            desk.work.put(
                NeedRecord(ident, contact_id, None, need, 2_500, 31, day, 75, now, 3, 4, "покупали каждый месяц")
            )

    await workspace.hub.store.run(put)


async def test_a_client_shows_figures_and_what_they_will_buy(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    anna = await workspace.write("Добрый день", name="Анна <b>")
    path = f"/contacts/{anna}/figures"
    assert "Ещё ничего не посчитано" in await browser.get(path)
    assert path not in await browser.get(f"/contacts/{anna}")
    await worked_out(workspace, anna, "A", "545", "root", "Бумага <i>")
    assert f'href="{path}"' in await browser.get(f"/contacts/{anna}")
    page = (await browser.get(path)).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("123 456", ">AX<", ">545<", ">80<", "Бумага &lt;i&gt;", "75 %", "3 из 4", "покупали каждый месяц"):
        assert words in page, words
    assert "2,5" in page
    assert "каждый 31 день" in page
    await browser.get("/contacts/999999/figures", status=404)


async def test_with_whom_to_speak_today_is_ones_own_or_everybodys(workspace: Workspace) -> None:
    await workspace.hire()
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    assert 'href="/contacts/today"' in await ivan.get("/contacts")
    anna = await workspace.write("Добрый день", name="Анна")
    boris = await workspace.write("Добрый день", client=1002, name="Борис", number="2")
    await worked_out(workspace, anna, "C", "111", "ivan")
    await worked_out(workspace, boris, "A", "555", "root", "Бумага")
    mine = await ivan.get("/contacts/today")
    assert f'href="/contacts/{anna}">Анна' in mine
    assert "Борис" not in mine
    assert "давно не говорили" in mine
    everybodys = await ivan.get("/contacts/today?whose=all")
    assert "вероятно купит «Бумага»" in everybodys
    assert everybodys.index(">Борис<") < everybodys.index(">Анна<"), "whoever is worth more comes first"
    roots = await ivan.get("/contacts/today?whose=root")
    assert ">Анна<" not in roots
    assert ">Борис<" in roots
