"""A hub on each engine, served on a port of the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from crm_core.ports import ChannelContext
from hub.app import create_app
from hub.bootstrap import build
from hub.http.keys import EventLimits
from hub.settings import Settings
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import ENGLISH, SHOP, PlayedChannel, World, hire, settings_for
from tests.patience import PATIENCE_S


@pytest.fixture
async def world(migrated_url: str, tmp_path: Path) -> AsyncIterator[World]:
    clock, shop = DrivenClock(), PlayedChannel(SHOP)

    def connect(_settings: Settings, _context: ChannelContext) -> list[PlayedChannel]:
        return [shop]

    hub = build(settings_for(migrated_url, tmp_path), clock=clock, connectors={"played": connect})
    await hub.start()
    _, position = await hub.store.run_at(hire)
    assert await hub.live.reached(position, PATIENCE_S)
    limits = EventLimits(heartbeat_s=0.05, patience_s=0.2, most_readers=2)
    app = create_app(hub, events=limits)
    async with TestClient(TestServer(app), headers=ENGLISH) as client:
        yield World(hub, clock, client, shop, tmp_path, limits)
    await hub.stop()
