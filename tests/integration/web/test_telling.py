"""What tells the pages goes on whatever happens to it, and tells also of what stands in no record."""

from __future__ import annotations

import pytest

from crm_core.errors import StorageUnavailable
from crm_core.model.user import Role
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.storage.feed import FeedRow
from hub.web.live import telling
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_inbox import following


async def test_pages_are_told_after_the_database_was_away(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, troubles = workspace.hub.live, [StorageUnavailable("away")] * 2
    behind = live._behind

    async def away(position: int) -> list[FeedRow]:
        if troubles:
            raise troubles.pop()
        return await behind(position)

    monkeypatch.setattr(telling, "_AGAIN_S", 0.01)
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    async with following(ivan, "happening") as feed:
        monkeypatch.setattr(live, "_behind", away)
        await workspace.write("Добрый день")
        assert "Добрый день" in (await feed.event("piece"))["html"]
    assert troubles == []


async def test_pages_are_told_how_channels_stand(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    assert 'data-topic="people phones channels"' in await ivan.get("/")
    workspace.hub.starts.look()
    async with following(ivan, "channels") as feed:
        workspace.shop.health = ChannelHealth(ChannelState.RECONNECTING, "connection reset")
        workspace.hub.starts.look()
        assert (await feed.event("stale"))["topics"] == ["channels"]
    assert "connection reset" in await ivan.get("/?part=people")
