"""A provider and the hub's end of it."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.clock import DrivenClock
from tests.peers.oidc_provider import Provider

BACK = "http://127.0.0.1:8080/login/oidc/back"


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
async def provider(clock: DrivenClock) -> AsyncIterator[Provider]:
    found = Provider(clock, BACK)
    await found.start()
    yield found
    await found.stop()
