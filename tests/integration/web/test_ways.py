"""Numbers, addresses and names added to a client's card and taken off it."""

from __future__ import annotations

from crm_core.model.user import Role
from tests.integration.storage.world import missed
from tests.integration.web.conftest import Workspace

NUMBER = "+79161234567"


async def held(workspace: Workspace, client: int) -> str:
    """The keys on a card."""
    sql = f"SELECT key FROM identity WHERE contact_id = {client} ORDER BY key"
    rows = await workspace.hub.store.read(lambda conn: conn.exec_driver_sql(sql).all())
    return " ".join(row.key for row in rows)


async def test_they_are_added_and_taken_off(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Здравствуйте")
    where = f"/contacts/{client}"
    for typed in ("8 916 123-45-67", "Anna@Example.org", "@Anna_S", "vk.com/anna", "8 916 123 45 67"):
        await browser.send(f"{where}/ways", page=where, way=typed)
    keys = f"mailto:anna@example.org tel:{NUMBER} tg:1001 tg:@anna_s vk:@anna"
    assert await held(workspace, client) == keys
    page = await browser.get(where)
    assert "Записано на карточку" in page
    assert 'href="https://t.me/anna_s"' in page
    assert 'href="https://vk.com/anna"' in page
    assert "внесено сотрудником" in page
    await browser.send(f"{where}/ways", page=where, way="слово")
    assert "слово" in await browser.get(where)
    await browser.send(f"{where}/ways/remove", page=where, key="tg:@anna_s")
    await browser.send(f"{where}/ways/remove", page=where, key="tel:+70000000000")
    assert await held(workspace, client) == keys.replace(" tg:@anna_s", "")
    assert workspace.hub.directory is not None


async def test_what_is_somebody_elses_suggests_a_merge(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Здравствуйте")
    await workspace.hub.intake.receive(missed("c1", NUMBER, workspace.clock.now()))
    other = await workspace.scalar(f"SELECT contact_id FROM identity WHERE key = 'tel:{NUMBER}'")
    where = f"/contacts/{client}"
    await browser.send(f"{where}/ways", page=where, way=NUMBER)
    page = await browser.get(where)
    assert await held(workspace, client) == "tg:1001", "nothing is taken from anybody"
    assert "Возможно, тот же человек" in page
    assert f'href="/contacts/{other}"' in page
    assert "а это уже стоит на другой" in page
    suggestion = await workspace.scalar("SELECT id FROM suggestion")
    await browser.send(f"{where}/ways", page=where, way=NUMBER)
    assert "объедините" in await browser.get(where)
    assert await workspace.scalar("SELECT count(*) FROM suggestion") == 1
    await browser.send(f"{where}/suggestions/{suggestion}/dismiss", page=where)
    await browser.send(f"{where}/ways", page=where, way=NUMBER)
    assert "решили, что это разные люди" in await browser.get(where)


async def test_a_name_alone_is_nowhere_to_write_to(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hub.intake.receive(missed("c1", NUMBER, workspace.clock.now()))
    client = await workspace.scalar(f"SELECT contact_id FROM identity WHERE key = 'tel:{NUMBER}'")
    where = f"/contacts/{client}"
    await browser.send(f"{where}/ways", page=where, way="@anna_s")
    page = await browser.get(where)
    assert '<option value="telegram:shop"' not in page
    await browser.send(f"{where}/reply", page=where, target="telegram:shop", text="Здравствуйте")
    assert await workspace.scalar("SELECT count(*) FROM timeline WHERE direction = 'out' AND kind = 'message'") == 0


async def test_whoever_writes_under_the_name_is_perhaps_the_same(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    first = await workspace.write("Здравствуйте", client=1001, number="1")
    second = await workspace.write("Добрый день", client=1002, number="2", name="Ольга")
    for client in (first, second):
        await browser.send(f"/contacts/{client}/ways", page=f"/contacts/{client}", way="vk.com/anna")
    assert "Возможно, тот же человек" in await browser.get(f"/contacts/{second}")
