"""A hub with a chat on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.web_chat.world import Node, Visitor, nodes


@pytest.fixture
async def node(migrated_url: str, tmp_path: Path) -> AsyncIterator[Node]:
    async with nodes(migrated_url, tmp_path, 1) as found:
        yield found[0]


@pytest.fixture
async def visitor(node: Node) -> Visitor:
    someone = Visitor(node)
    await someone.start()
    return someone
