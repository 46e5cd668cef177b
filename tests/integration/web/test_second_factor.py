"""The second factor as a person meets it: set up, asked for, lost, demanded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from crm_core.model.user import Role
from crm_core.storage.entering import take_factor
from hub.settings.model import AccessSettings
from tests.integration.web.conftest import PASSWORD, Browser, Workspace

_KEY = re.compile(r"<code>([A-Z2-7 ]{32,})</code>")
_CODE = re.compile(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>")


async def set_up(workspace: Workspace, browser: Browser) -> tuple[Callable[[], str], list[str]]:
    """Set up a second factor: what tells the code of the moment, and the codes on paper."""
    found = _KEY.search(await browser.get("/me/factor"))
    assert found is not None
    totp = pyotp.TOTP(found[1].replace(" ", ""))

    def code() -> str:
        return totp.at(int(workspace.clock.now().timestamp()))

    response = await browser.send("/me/factor", page="/me/factor", code=code())
    text = await response.text()
    assert response.status == 200, text
    workspace.clock.advance(timedelta(seconds=30))
    return code, _CODE.findall(text)


async def step_two(workspace: Workspace, code: str, login: str = "root") -> tuple[Browser, int, str]:
    """A new browser with the password and a code: what the answer was."""
    browser = workspace.browser()
    response = await browser.log_in(login)
    assert (response.status, response.headers["Location"]) == (303, "/login/code")
    response = await browser.send("/login/code", page="/login/code", code=code)
    return browser, response.status, await response.text()


async def test_it_is_set_up_with_a_first_code_and_asked_for_then(workspace: Workspace) -> None:
    browser, elsewhere = await workspace.visitor(), workspace.browser()
    assert (await elsewhere.log_in("root")).headers["Location"] == "/"
    code, paper = await set_up(workspace, browser)
    assert len(set(paper)) == 10
    assert "Второй фактор" in await browser.get("/me"), "whoever set it up stays in"
    assert 'name="password"' in await elsewhere.get("/me"), "sessions without it end"
    stranger = workspace.browser()
    response = await stranger.log_in("root")
    assert response.headers["Location"] == "/login/code"
    assert (await stranger.client.get("/me", allow_redirects=False)).headers["Location"] == "/login?next=/me"
    assert (await stranger.client.get("/api/v1/contacts")).status == 401
    assert (await stranger.send("/login/code", page="/login/code", code="000000")).status == 401
    assert await workspace.scalar("SELECT login FROM access_log WHERE what = 'login.failed'") == "root"
    response = await stranger.send("/login/code", page="/login/code", code=code())
    assert (response.status, response.headers["Location"]) == (303, "/")
    assert "/me" in await stranger.get("/")
    kept = await workspace.scalar("SELECT totp_secret FROM app_user WHERE login = 'root'")
    assert not _KEY.search(f"<code>{kept}</code>")


async def test_a_code_opens_once(workspace: Workspace) -> None:
    code, _ = await set_up(workspace, await workspace.visitor())
    seen = code()
    assert (await step_two(workspace, seen))[1] == 303
    assert (await step_two(workspace, seen))[1] == 401
    workspace.clock.advance(timedelta(seconds=30))
    assert (await step_two(workspace, seen))[1] == 401, "nor in the next step, which bears it"
    assert (await step_two(workspace, code()))[1] == 303


async def test_the_code_that_set_it_up_does_not_open(workspace: Workspace) -> None:
    code, _ = await set_up(workspace, await workspace.visitor())
    workspace.clock.jump(timedelta(seconds=-30))
    assert (await step_two(workspace, code()))[1] == 401


async def test_a_clock_may_go_half_a_minute_wrong_and_what_is_older_than_a_used_code_is_over(
    workspace: Workspace,
) -> None:
    code, _ = await set_up(workspace, await workspace.visitor())

    def told_by(seconds: int) -> str:
        """What a telephone shows whose clock is wrong by so much."""
        workspace.clock.jump(timedelta(seconds=seconds))
        shown = code()
        workspace.clock.jump(timedelta(seconds=-seconds))
        return shown

    workspace.clock.advance(timedelta(minutes=2))
    for wrong in (-90, 90):
        assert (await step_two(workspace, told_by(wrong)))[1] == 401, wrong
    late, now, early = told_by(-30), told_by(0), told_by(30)
    assert (await step_two(workspace, late))[1] == 303
    assert (await step_two(workspace, early))[1] == 303
    for shown in (late, now, early):
        assert (await step_two(workspace, shown))[1] == 401, "an older one would be a code that was seen"


async def test_of_two_with_the_same_code_on_paper_one_gets_in(workspace: Workspace) -> None:
    _, paper = await set_up(workspace, await workspace.visitor())
    results = await asyncio.gather(*(step_two(workspace, paper[3]) for _ in range(2)))
    assert sorted(status for _, status, _ in results) == [303, 401]


async def test_a_code_on_paper_opens_once_and_tells_how_many_are_left(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    code, paper = await set_up(workspace, browser)
    inside, status, _ = await step_two(workspace, paper[0].upper())
    assert status == 303
    assert "Осталось 9 бумажных кодов" in await inside.get("/me")
    assert (await step_two(workspace, paper[0]))[1] == 401
    response = await browser.send("/me/factor/codes", page="/me", code=code())
    fresh = _CODE.findall(await response.text())
    assert len(fresh) == 10
    assert (await step_two(workspace, paper[1]))[1] == 401
    assert (await step_two(workspace, fresh[1]))[1] == 303


async def test_guessing_codes_is_slowed_down_wherever_it_comes_from(workspace: Workspace) -> None:
    code, _ = await set_up(workspace, await workspace.visitor())
    browser = workspace.browser()
    await browser.log_in("root")
    for number in range(5):
        response = await browser.send("/login/code", page="/login/code", code=f"00000{number}")
        assert response.status == 401
    refused, status, _ = await step_two(workspace, code())
    assert status == 429
    workspace.clock.advance(timedelta(minutes=9))
    assert (await refused.client.get("/login/code")).status == 200
    workspace.clock.advance(timedelta(minutes=6))
    response = await refused.send("/login/code", page="", csrf="x", code=code())
    assert response.headers["Location"] == "/login"
    assert (await step_two(workspace, code()))[1] == 303


async def test_the_way_in_is_not_open_for_ever_nor_with_another_password(workspace: Workspace) -> None:
    code, _ = await set_up(workspace, await workspace.visitor())
    browser = workspace.browser()
    await browser.log_in("root")
    token = await browser.token("/login/code")
    workspace.clock.advance(timedelta(minutes=11))
    response = await browser.send("/login/code", page="", csrf=token, code=code())
    assert (response.status, response.headers["Location"]) == (303, "/login")
    direct = await workspace.browser().client.get("/login/code", allow_redirects=False)
    assert direct.headers["Location"] == "/login"


async def test_it_is_taken_off_by_a_code_and_by_whoever_looks_after_the_hub(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    code, _ = await set_up(workspace, browser)
    await browser.send("/me/factor/remove", page="/me", code="000000")
    assert await workspace.scalar("SELECT totp_secret FROM app_user WHERE login = 'root'") is not None
    await browser.send("/me/factor/remove", page="/me", code=code())
    assert await workspace.scalar("SELECT totp_secret FROM app_user WHERE login = 'root'") is None
    assert (await workspace.browser().log_in("root")).headers["Location"] == "/"
    await set_up(workspace, browser)
    await workspace.hub.store.run(lambda desk: take_factor(desk, "root"))
    assert (await workspace.browser().log_in("root")).headers["Location"] == "/"
    noted = await workspace.scalar("SELECT count(*) FROM access_log WHERE what IN ('factor.set', 'factor.taken')")
    assert noted == 3


@pytest.fixture
async def strict(workspace: Workspace) -> Workspace:
    """An office that demands it of administrators."""
    workspace.hub.settings = replace(workspace.hub.settings, access=AccessSettings(frozenset({Role.ADMIN})))
    return workspace


async def test_whoever_needs_one_gets_no_further_without_it(strict: Workspace) -> None:
    await strict.hire("root")
    await strict.hire("ivan", Role.MANAGER)
    manager = strict.browser()
    await manager.log_in("ivan")
    assert (await manager.client.get("/me", allow_redirects=False)).status == 200
    browser = strict.browser()
    assert (await browser.log_in("root", PASSWORD)).status == 303
    for path in ("/", "/me", "/contacts"):
        response = await browser.client.get(path, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (302, "/me/factor"), path
    part = await browser.client.get("/contacts", headers={"HX-Request": "true"}, allow_redirects=False)
    assert (part.status, part.headers["HX-Redirect"]) == (204, "/me/factor")
    assert (await browser.client.get("/api/v1/contacts")).status == 401
    assert (await browser.send("/me/tokens", page="/me/factor", name="x")).headers["Location"] == "/me/factor"
    code, _ = await set_up(strict, browser)
    assert (await browser.client.get("/me", allow_redirects=False)).status == 200
    assert (await browser.client.get("/api/v1/contacts")).status == 200
    await browser.send("/me/factor/remove", page="/me", code=code())
    assert await strict.scalar("SELECT totp_secret FROM app_user WHERE login = 'root'") is not None
