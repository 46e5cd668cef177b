"""A `NumberBook` in memory, with a feed of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from crm_core.ports import BookChanges


class MemoryBook:
    """`kept_from` is the position behind which the feed still reaches."""

    def __init__(self, owners: Mapping[str, str] | None = None, people: Mapping[str, str] | None = None) -> None:
        self.owners = dict(owners or {})
        self.staff = dict(people or {})
        self.edition = "first"
        self.kept_from = 0
        self.portions: list[str] = []
        self.asked: list[int] = []
        self._feed: list[tuple[str, str | None]] = []
        self._news = asyncio.Event()

    def give(self, number: str, owner: str | None) -> None:
        """A number changes hands."""
        if owner is None:
            self.owners.pop(number, None)
        else:
            self.owners[number] = owner
        self._feed.append((number, owner))
        self._news.set()

    def move(self, owner: str, extension: str | None) -> None:
        """Somebody is rung elsewhere now."""
        if extension is None:
            self.staff.pop(owner, None)
        else:
            self.staff[owner] = extension
        self._feed.append(("", None))
        self._news.set()

    async def position(self) -> int:
        """The newest change."""
        return len(self._feed)

    async def portion(self, ending: str) -> Mapping[str, str]:
        """The numbers with this ending."""
        self.portions.append(ending)
        return {number: owner for number, owner in self.owners.items() if number.endswith(ending)}

    async def since(self, position: int) -> BookChanges | None:
        """The changes behind a position."""
        self.asked.append(position)
        if not self.kept_from <= position <= len(self._feed):
            return None
        owners = {number: self.owners.get(number) for number, _ in self._feed[position:] if number}
        return BookChanges(len(self._feed), owners)

    async def people(self) -> Mapping[str, str]:
        """Everybody's extension."""
        return dict(self.staff)

    async def news(self, position: int) -> None:
        """Wait for a change."""
        while len(self._feed) <= position:
            self._news.clear()
            await self._news.wait()
