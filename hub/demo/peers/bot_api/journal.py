"""A growing list that can be waited on: what a bot did, for tests and the demo to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar, overload

from typing_extensions import override

T = TypeVar("T")

PATIENCE_S = 90.0


class Journal(Sequence[T], Generic[T]):
    """What happened, oldest first."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._waiting: set[tuple[Callable[[T], bool], asyncio.Future[T]]] = set()

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    @override
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self._items[index]

    @override
    def __len__(self) -> int:
        return len(self._items)

    @override
    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    @override
    def __repr__(self) -> str:
        return f"Journal({self._items!r})"

    def append(self, item: T) -> None:
        """Add, and wake whoever waits for such an item."""
        self._items.append(item)
        for matches, future in tuple(self._waiting):
            if not future.done() and matches(item):
                future.set_result(item)

    def clear(self) -> None:
        """Forget what happened so far."""
        self._items.clear()

    async def wait_for(self, matches: Callable[[T], bool] = lambda _: True, patience: float = PATIENCE_S) -> T:
        """The first item that matches, waiting for it; TimeoutError, saying what is there, after `patience` seconds."""
        for item in self._items:
            if matches(item):
                return item
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        entry = (matches, future)
        self._waiting.add(entry)
        try:
            async with asyncio.timeout(patience):
                return await future
        except TimeoutError:
            raise TimeoutError(f"nothing such within {patience:g} s; there is {self._items!r}") from None
        finally:
            self._waiting.discard(entry)

    async def wait_count(self, count: int, patience: float = PATIENCE_S) -> list[T]:
        """All items as soon as there are `count` of them."""
        if len(self._items) < count:
            await self.wait_for(_Enough(self, count), patience)
        return list(self._items)


class _Enough:
    """True for the item that makes the list long enough."""

    def __init__(self, journal: Journal[T], count: int) -> None:
        self._journal = journal
        self._count = count

    def __call__(self, _: object) -> bool:
        return len(self._journal) >= self._count
