"""Notices on open pages: whoever is waited for is told at once, and nobody else."""

from __future__ import annotations

from contextlib import AsyncExitStack

from crm_core.model.user import Role
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_inbox import EVIL, Feed, following


async def test_whoever_is_to_answer_is_told_at_once_and_nobody_else(workspace: Workspace) -> None:
    people = {login: await workspace.visitor(login, Role.MANAGER) for login in ("ivan", "olga")}
    async with AsyncExitStack() as stack:
        feeds: dict[str, Feed] = {}
        for login, browser in people.items():
            feeds[login] = await stack.enter_async_context(following(browser, "me,cases"))
        await workspace.write(f"Добрый день {EVIL}", name=f"Анна {EVIL}")
        manager = str(await workspace.scalar("SELECT manager FROM lead"))
        other = next(login for login in people if login != manager)
        case = await feeds[manager].piece("notice-case-")
        lead = await feeds[manager].piece("notice-lead-")
        for told in (lead, case):
            assert "Анна &lt;script&gt;" in told["html"]
            assert EVIL not in told["html"]
        assert "Добрый день" in case["html"]
        await workspace.write("Вы здесь?", number="2")
        again = await feeds[manager].piece("notice-case-")
        assert again["key"] == case["key"], "it takes the place of the first"
        assert _mark(again["html"]) != _mark(case["html"]), "but it is told"

        case_id = await workspace.scalar("SELECT id FROM contact_case")
        await people[other].send(f"/cases/{case_id}/take", page="/", back="/")
        heard = await feeds[other].one_of("piece", "stale")
        while heard[0] == "stale":  # of the list of cases alone
            assert heard[1]["topics"] == ["cases"]
            heard = await feeds[other].one_of("piece", "stale")
        assert "Вы здесь?" in heard[1]["html"], "the first that they are told of is what they took"


def _mark(html: str) -> str:
    return html.split('data-mark="')[1].split('"', maxsplit=1)[0]


async def test_whoever_comes_back_is_told_who_began_to_wait_meanwhile_and_nobody_else(workspace: Workspace) -> None:
    people = {login: await workspace.visitor(login, Role.MANAGER) for login in ("ivan", "olga")}
    seen = str(workspace.hub.live.position)
    await workspace.write("Добрый день", name="Анна")
    manager = str(await workspace.scalar("SELECT manager FROM lead"))
    other = next(login for login in people if login != manager)

    async def told(login: str) -> list[str]:
        """The notices that somebody is given who comes back: pieces come before what is stale."""
        keys = []
        async with following(people[login], "me,cases", last_id=seen) as feed:
            while (event := await feed.one_of("piece", "stale"))[0] == "piece":
                keys.append(event[1]["key"].rpartition("-")[0])
        return sorted(keys)

    assert await told(manager) == ["notice-case", "notice-lead"]
    assert await told(other) == []
    case = await workspace.scalar("SELECT id FROM contact_case")
    await people[manager].send(f"/cases/{case}/close", page="/", reason="решено")
    assert await told(manager) == ["notice-lead"], "nobody waits any more"
