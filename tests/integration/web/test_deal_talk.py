"""The talk with the client beside a deal: the same timeline and the same box as on their card."""

from __future__ import annotations

from crm_core.model.user import Role
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_board import EVIL, card, pipeline_of


async def test_the_talk_stands_beside_the_deal(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write(f"Здравствуйте {EVIL}", name="Анна")
    deal = await card(workspace, await pipeline_of(workspace), "Окна", contact_id=client, manager="ivan")
    page = await browser.get(f"/deals/{deal}")
    assert f'data-client="{client}"' in page
    assert f'hx-get="/contacts/{client}?part=talk"' in page
    talk = await browser.get(f"/contacts/{client}?part=talk")
    assert "<html" not in talk
    assert EVIL not in talk
    assert f'data-pieces="client:{client}"' in talk
    assert f'action="/contacts/{client}/reply"' in talk


async def test_a_deal_of_nobody_has_none_to_talk_to(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    deal = await card(workspace, await pipeline_of(workspace), "Окна", manager="ivan")
    page = await browser.get(f"/deals/{deal}")
    assert "part=talk" not in page
    assert "client.js" not in page
