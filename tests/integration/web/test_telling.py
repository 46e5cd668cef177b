"""What tells the pages goes on whatever happens to it, and tells also of what stands in no record."""

from __future__ import annotations

import pytest

from crm_core.errors import StorageUnavailable
from crm_core.model.user import Role
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.storage.feed import FeedRow
from crm_core.storage.feed import newest as newest_change
from hub.http.keys import SSE_LIMITS
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


async def test_a_page_that_nothing_concerns_knows_how_far_it_was_told(workspace: Workspace) -> None:
    workspace.app[SSE_LIMITS].heartbeat_s = 0.05
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    async with following(ivan, "lists") as feed:
        before = int(feed.last_id)
        await workspace.write("Добрый день")
        newest = await workspace.hub.store.read(newest_change)
        assert newest > before
        while int(feed.last_id) < newest:
            await feed.event("still")
    async with following(ivan, "happening", last_id=feed.last_id) as feed:
        workspace.app[SSE_LIMITS].heartbeat_s = 0.05
        assert (await feed.one_of("stale", "still"))[0] == "still", "nothing was missed"
