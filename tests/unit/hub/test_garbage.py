"""What lives long is put aside, and what of it became garbage is found in the end."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from hub.cli import garbage


class Knot:
    """Holds itself, so that only the collector takes it away."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """The tests themselves have put aside what they loaded; it stays so."""
    yield
    gc.freeze()


def test_what_is_in_use_is_put_aside_and_garbage_is_not() -> None:
    kept, lost = Knot(), Knot()
    gone = weakref.ref(lost)
    del lost
    garbage.put_aside()
    assert gone() is None
    assert not any(each is kept for each in gc.get_objects()), "it would be looked at each time"


def test_what_was_put_aside_and_became_garbage_is_found_when_all_is_looked_at() -> None:
    lost = Knot()
    garbage.put_aside()
    gone = weakref.ref(lost)
    del lost
    garbage.put_aside()
    assert gone() is not None, "what was put aside is not looked at"
    garbage.look_at_all()
    assert gone() is None
    assert gc.get_freeze_count() > 0


async def test_it_is_done_for_as_long_as_the_hub_runs() -> None:
    waited: list[float] = []
    kept, lost = Knot(), Knot()
    gone = weakref.ref(lost)
    aside: list[bool] = []

    async def sleep(seconds: float) -> None:
        nonlocal lost
        waited.append(seconds)
        if len(waited) == 2:  # the first round is over
            aside.append(not any(each is kept for each in gc.get_objects()))
            del lost
        if gone() is None:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await garbage.keep_aside(sleep)
    assert aside == [True]
    assert 60 * 60 <= sum(waited[:-1]) <= 24 * 60 * 60, (
        "all is looked at several times a day, and not several times an hour"
    )
