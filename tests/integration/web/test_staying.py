"""What is followed ends with the session it is followed by, and where its person may something else than before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from crm_core.model.user import Role, Tastes
from crm_core.services.desk import Desk
from crm_core.storage.entering import set_tastes, sign_out_everywhere
from crm_core.storage.users import UserChange, update_user
from hub.http.keys import SSE_LIMITS
from tests.integration.web.conftest import CHEAP, Browser, Workspace
from tests.integration.web.test_inbox import Feed, following

Ending = Callable[[Workspace, Browser], Awaitable[None]]
SECRET = "Мой адрес: Лесная, 5"


def changed(service: Callable[[Desk], object]) -> Ending:
    async def done(workspace: Workspace, _browser: Browser) -> None:
        await workspace.hub.store.run(service)

    return done


def changing(login: str, change: UserChange) -> Ending:
    return changed(lambda desk: update_user(desk, login, change))


async def logs_out(_workspace: Workspace, browser: Browser) -> None:
    assert (await browser.send("/logout", page="/")).status == 303


async def logs_in_as_olga(workspace: Workspace, browser: Browser) -> None:
    await workspace.hire("olga", Role.MANAGER)
    token = await browser.token("/")
    assert (await browser.send("/login", page="", csrf=token, login="olga", password="длинный пароль")).status == 303


async def dismissed(workspace: Workspace, _browser: Browser) -> None:
    def service(desk: Desk) -> None:
        sign_out_everywhere(desk, "ivan")
        update_user(desk, "ivan", UserChange(active=False))

    await workspace.hub.store.run(service)


async def ended_in_silence(feed: Feed) -> None:
    """The line ends, and nothing more was told on it."""
    assert "Лесная" not in await feed.rest()


ENDINGS: dict[str, Ending] = {
    "dismissed": dismissed,
    "left everywhere": changed(lambda desk: sign_out_everywhere(desk, "ivan")),
    "another password": changing("ivan", UserChange(password_hash=CHEAP.hash("another password"))),
    "logged out": logs_out,
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_whose_session_ended_is_told_nothing_more_and_does_not_come_back(
    workspace: Workspace, ending: str
) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Добрый день")
    async with following(ivan, f"cases,happening,people,client:{client}") as feed:
        await ENDINGS[ending](workspace, ivan)
        await workspace.write(SECRET, number="2")
        await ended_in_silence(feed)
    again = await ivan.client.get("/live?topics=happening&login=ivan", allow_redirects=False)
    assert (again.status, again.headers["Location"][:6]) == (302, "/login")
    here = await ivan.client.get("/live/here?login=ivan", allow_redirects=False)
    assert here.status == 302


RIGHTS: dict[str, Ending] = {
    "another role": changing("ivan", UserChange(role=Role.HEAD)),
    "in somebody's place": changing("olga", UserChange(deputy="ivan")),
}


@pytest.mark.parametrize("change", RIGHTS)
async def test_whose_rights_changed_is_judged_anew(workspace: Workspace, change: str) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hire("olga", Role.MANAGER)
    async with following(ivan, "happening") as feed:
        await RIGHTS[change](workspace, ivan)
        await workspace.write(SECRET)
        await ended_in_silence(feed)
        seen = feed.last_id
    async with following(ivan, "happening", last_id=seen) as feed:
        await feed.of("happening")


async def test_whoever_may_what_they_might_goes_on_and_so_do_others(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    elsewhere = workspace.browser()
    assert (await elsewhere.log_in("ivan")).status == 303
    async with following(ivan, "happening") as feed:
        await workspace.hub.store.run(lambda desk: set_tastes(desk, "ivan", Tastes(sound=False)))
        await changing("ivan", UserChange(do_not_disturb=True))(workspace, ivan)
        await workspace.hire("olga", Role.MANAGER)
        await logs_out(workspace, elsewhere)
        await workspace.write(SECRET)
        assert SECRET in (await feed.event("piece"))["html"]


async def test_whoever_logs_in_after_another_hears_nothing_of_theirs(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    async with following(browser, "happening") as feed:
        await logs_in_as_olga(workspace, browser)
        await workspace.write(SECRET)
        await ended_in_silence(feed)
    assert (await browser.client.get("/live?topics=happening&login=ivan")).status == 403
    assert (await browser.client.get("/live/here?login=ivan")).status == 403
    assert (await browser.client.get("/live/here?login=olga")).status == 204


async def test_a_session_that_is_too_old_ends_by_itself(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    workspace.app[SSE_LIMITS].heartbeat_s = 0.05
    async with following(ivan, "happening") as feed:
        workspace.clock.advance(timedelta(days=7, seconds=1))
        await feed.rest()
