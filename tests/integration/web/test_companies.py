"""Companies as people keep them: found, made, corrected, with their people and the deals that somebody sees."""

from __future__ import annotations

from crm_core.model.definitions import FieldBody, Section
from crm_core.model.definitions.fields import FieldType
from crm_core.model.user import Role
from crm_core.services import defining
from tests.integration.web.conftest import Workspace

_NEW = "/companies/new"


async def test_a_company_is_made_found_and_corrected(workspace: Workspace) -> None:
    options = FieldBody(of="company", key="kind", title="Отрасль", type=FieldType.LIST, options=["стройка", "торговля"])
    await workspace.hub.store.run(lambda desk: defining.add(desk, Section.FIELD, "kind", options, "root"))
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    assert "Компаний пока нет" in await ivan.get("/companies")
    fields = {"name": "ООО «Ромашка»", "tax_id": "7707083893", "city": "Омск", "tags": "опт, юг", "f.kind": "стройка"}
    response = await ivan.send(_NEW, page=_NEW, **fields)
    assert response.status == 303, await response.text()
    one = response.headers["Location"]
    page = await ivan.get(one)
    assert "7707083893" in page
    assert "<option selected>стройка" in page
    assert "Пока никого" in page
    assert "Ромашка" in await ivan.get("/companies?q=ромаш")
    assert "нет" in await ivan.get("/companies?q=лютик")
    assert f'href="{one}"' in await ivan.get("/search?q=ромашка")

    version = str(await workspace.scalar("SELECT version FROM company"))
    response = await ivan.send(one, page=one, **(fields | {"city": "Томск", "f.kind": "", "version": version}))
    assert response.status == 303
    assert "<option selected>стройка" not in await ivan.get(one)
    late = await ivan.send(one, page=one, **(fields | {"city": "Тула", "version": version}))
    assert late.status == 409
    assert 'value="Тула"' in await late.text()
    assert await workspace.scalar("SELECT city FROM company") == "Томск"
    twice = await ivan.send(_NEW, page=_NEW, **(fields | {"name": "Другая"}))
    assert twice.status in {400, 409}
    assert 'value="Другая"' in await twice.text()
    assert (await ivan.send(_NEW, page=_NEW, name="", tax_id="")).status == 400


async def test_its_people_stand_on_it(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    card = await workspace.write("Здравствуйте")
    one = (await ivan.send(_NEW, page=_NEW, name="Ромашка")).headers["Location"]
    number = one.rpartition("/")[2]
    sql = f"UPDATE contact SET company_id = {number} WHERE id = {card}"
    await workspace.hub.store.database.write(lambda conn: conn.exec_driver_sql(sql))
    assert f'href="/contacts/{card}"' in await ivan.get(one)
    await ivan.get("/companies/999999", status=404)
