"""What pages weigh and ask: a first visit loads little, all of it packed; a page asks the same however full it is."""

from __future__ import annotations

import re

from benchmarks.workspace.weight import first_visit
from benchmarks.workspace.wire import Visitor
from crm_core.model.user import Role
from hub.web.packing import unveiled, veiled
from tests.integration.web.conftest import PASSWORD, Workspace
from tests.statements import statements

MOST_BYTES = 250_000
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def visitor(workspace: Workspace) -> Visitor:
    """A browser with an empty cache, whose every byte is counted."""
    assert workspace.server.port is not None
    return Visitor(workspace.server.port)


async def logged_in(workspace: Workspace, login: str) -> Visitor:
    """Somebody in such a browser."""
    found = visitor(workspace)
    token = _CSRF.search((await found.get("/login")).text)
    assert token is not None
    fields = {"csrf": token[1], "login": login, "password": PASSWORD, "next": "/"}
    assert (await found.send("/login", fields)).status == 303
    return found


async def filled(workspace: Workspace, clients: int, first: int = 0) -> int:
    """So many more clients wait, and one wrote as often again; whose card that is."""
    card = 0
    for number in range(first, first + clients):
        text = f"Когда замер? {number}"
        await workspace.write(text, client=3000 + number, name=f"Клиент {number}", number=f"a{number}")
        card = await workspace.write(f"И ещё вопрос {number}", number=f"b{number}")
    return card


async def test_a_first_visit_weighs_little(workspace: Workspace) -> None:
    await workspace.hire()
    card = f"/contacts/{await filled(workspace, 60)}"
    browser = await logged_in(workspace, "root")
    for page in ("/", card, "/deals", "/wall", "/tasks", "/calls", "/search?q=%D0%BA", "/me", "/office"):
        answer = await browser.get(page)
        found = await first_visit(browser, answer.headers.get("location", page))
        assert sum(found.values()) < MOST_BYTES, found
        assert sum(each.startswith("/static/") for each in found) >= 5, found
    browser.close()


async def test_the_way_in_weighs_little(workspace: Workspace) -> None:
    await workspace.hire()
    browser = visitor(workspace)
    found = await first_visit(browser, "/login")
    assert sum(found.values()) < MOST_BYTES / 5, found
    browser.close()


async def test_all_comes_packed_and_is_kept_as_long_as_it_is_the_same(workspace: Workspace) -> None:
    await workspace.hire()
    browser = await logged_in(workspace, "root")
    for path in await first_visit(browser, "/"):
        answer = await browser.get(path)
        if len(answer.text) > 1000:
            assert answer.headers["content-encoding"] == "gzip", path
            assert len(answer.body) < len(answer.text.encode()) * 0.6, path
        kept = answer.headers["cache-control"]
        assert ("immutable" in kept) if path.startswith("/static/") else (kept == "no-store"), path
    browser.close()


async def test_a_page_goes_unpacked_to_whoever_can_not_unpack(workspace: Workspace) -> None:
    await workspace.hire()
    client = workspace.browser().client
    response = await client.get("/login", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in response.headers
    assert "<form" in await response.text()


async def test_the_token_of_a_form_is_never_written_twice_the_same(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    first, second = await browser.token("/"), await browser.token("/")
    assert first != second
    assert unveiled(first) == unveiled(second) != ""
    for token, status in ((first, 303), (second, 303)):
        assert (await browser.send("/me/peace", page="/", csrf=token)).status == status
    for wrong in (unveiled(first), veiled("x"), "", "ж", "AAAA", first[:-4]):
        await browser.send("/me/peace", page="/", csrf=wrong)
        assert "устарела" in await browser.get("/"), wrong


async def test_pages_ask_the_same_however_much_there_is(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)

    async def cost(page: str) -> int:
        """The least of some tries: workers ask things, too."""
        tries = []
        for _ in range(4):
            with statements(workspace.hub.store) as seen:
                await boss.get(page)
            tries.append(sum(each.lstrip().upper().startswith(("SELECT", "WITH", "(")) for each in seen))
        return min(tries)

    await filled(workspace, 2)
    most = {"/": 25, "/?part=live": 15, "/?part=happening": 13, "/?part=people": 4, "/wall": 21, "/wall?part=now": 21}
    few = {page: await cost(page) for page in most}
    await filled(workspace, 30, 2)
    many = {page: await cost(page) for page in most}
    assert all(many[page] <= few[page] + 1 for page in most), (few, many)
    assert all(many[page] <= most[page] for page in most), many
