"""A hub that is to stop does, whatever its channels do."""

from __future__ import annotations

import asyncio

import pytest

from hub import bootstrap
from tests.integration.web.conftest import Workspace
from tests.patience import PATIENCE_S


async def test_a_channel_that_does_not_stop_keeps_the_hub_up_but_for_a_while(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(bootstrap, "_STOP_S", 0.01)
    monkeypatch.setattr(workspace.shop, "stop", hangs)
    async with asyncio.timeout(PATIENCE_S):
        await workspace.hub.stop()
    assert not workspace.hub.intake.ready
