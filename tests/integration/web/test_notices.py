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
