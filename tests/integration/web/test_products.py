"""Products as people keep them: added, found, changed, out of use, deleted; never two with one article number."""

from __future__ import annotations

from crm_core.model.definitions import FieldBody, Section
from crm_core.model.user import Role, User
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.storage.queries.selling import one_product
from tests.integration.web.conftest import Workspace

_NEW = "/products/new"


async def test_a_product_is_added_found_changed_and_deleted(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    assert "Товаров пока нет" in await ivan.get("/products")
    response = await ivan.send(_NEW, page=_NEW, name="Окно  двойное", sku="О-2", price="18 500,50", unit="шт.")
    assert response.status == 303, await response.text()
    assert await workspace.scalar("SELECT price FROM product") == 1_850_050
    page = await ivan.get("/products?q=двойн")
    assert "Окно двойное" in page
    assert "18\N{NO-BREAK SPACE}500,50" in page or "18 500,50" in page
    assert "нет" in await ivan.get("/products?q=дверь")
    one = f"/products/{await workspace.scalar('SELECT id FROM product')}"
    assert 'value="18500,50"' in await ivan.get(one)

    version = str(await workspace.scalar("SELECT version FROM product"))
    fields = {"name": "Окно двойное", "sku": "О-2", "price": "19000", "version": version}
    assert (await ivan.send(one, page=one, **fields)).status == 303
    late = await ivan.send(one, page=one, **(fields | {"price": "20000"}))
    assert late.status == 409
    assert 'value="20000"' in await late.text()
    assert await workspace.scalar("SELECT price FROM product") == 1_900_000

    version = str(await workspace.scalar("SELECT version FROM product"))
    await ivan.send(one, page=one, **(fields | {"version": version, "archived": "1"}))
    assert "Окно двойное" not in (await ivan.get("/products")).partition("<main")[2].partition("records")[2]
    assert "не продаём" in await ivan.get("/products?archived=1")
    assert (await ivan.send(f"{one}/delete", page=one)).status == 403
    boss = await workspace.visitor("boss", Role.HEAD)
    assert (await boss.send(f"{one}/delete", page=one)).status == 303
    await boss.get(one, status=404)


async def test_what_is_wrong_is_said_and_what_was_typed_stays(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await ivan.send(_NEW, page=_NEW, name="Окно", sku="О-1", price="100")
    for fields in (
        {"name": "", "sku": "О-9", "price": "1"},
        {"name": "Дверь", "sku": "О-1", "price": "1"},
        {"name": "Дверь", "sku": "О-9", "price": "много"},
        {"name": "Дверь", "sku": "О-9", "price": "-5"},
    ):
        response = await ivan.send(_NEW, page=_NEW, **fields)
        assert response.status in {400, 409}, fields
        text = await response.text()
        assert 'role="alert"' in text
        assert f'value="{fields["sku"]}"' in text
    assert await workspace.scalar("SELECT count(*) FROM product") == 1


async def test_own_fields_of_products_stand_in_the_form(workspace: Workspace) -> None:
    def declare(desk: Desk) -> None:
        for key, more in (
            ("width", {"title": "Ширина, см", "type": "number"}),
            ("colours", {"title": "Цвета", "type": "multi", "options": ["белый", "дуб"]}),
            ("area", {"title": "Площадь", "type": "formula", "expression": "fields.width * 2"}),
        ):
            body = FieldBody.model_validate({"of": "product", "key": key, **more})
            defining.add(desk, Section.FIELD, f"product.{key}", body, "root")

    await workspace.hub.store.run(declare)
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    page = await ivan.get(_NEW)
    assert "Ширина, см" in page
    assert 'name="f.area"' not in page, "what is worked out is not typed in"
    given = {"name": "Окно", "price": "1", "has.colours": "1"}
    response = await ivan.send(_NEW, page=_NEW, **given, **{"f.width": "широкое", "f.colours": "дуб"})
    text = await response.text()
    assert response.status == 400
    assert 'value="широкое"' in text, "what was typed stays"
    response = await ivan.send(_NEW, page=_NEW, **given, **{"f.width": "120", "f.colours": "дуб"})
    assert response.status == 303, await response.text()
    one = f"/products/{await workspace.scalar('SELECT id FROM product')}"
    page = await ivan.get(one)
    assert 'value="120"' in page
    assert "240" in page
    version = str(await workspace.scalar("SELECT version FROM product"))
    # Neither the box nor the number are ticked or filled in any more.
    await ivan.send(one, page=one, **given, **{"f.width": "", "version": version})
    root, store = User(0, "root", "Root", Role.ADMIN), workspace.hub.store
    ident = int(one.rpartition("/")[2])
    fields = await store.read(lambda conn: one_product(conn, store.access(conn, root), ident).fields)
    assert "width" not in fields
    assert "colours" not in fields
