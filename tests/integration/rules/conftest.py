"""An office with pipelines and templates, on each engine in turn."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.rules.office import Office, office_on


@pytest.fixture
async def office(migrated_url: str) -> AsyncIterator[Office]:
    """A sales department without rules yet."""
    async with office_on(migrated_url) as made:
        yield made
