"""Pieces: finished parts of pages that a change brings along, so that nobody need ask for them.

A room offers a maker for a table; it is asked only where somebody follows what it makes. Pieces are the same for
everybody who follows their topic: what depends on who looks is left to be asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

MOST_ROWS = 200
"""Of one table that are made pieces of at once; of more than that the pages ask anew."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`html` is one element whose id is `key`; it replaces the element of that id, or is put among the others of the
    container `data-pieces="TOPIC"` by its `data-order`, compared as text. `logins`: only these are told, all where
    None."""

    topic: str
    key: str
    html: str
    logins: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A changed row: its id and its client."""

    id: Any
    contact_id: int | None


Maker: TypeAlias = Callable[[Sequence[Wish], str], Awaitable[Sequence[Piece]]]
"""Makes pieces of rows in a language; a fixed number of statements however many rows."""


@dataclass(frozen=True, slots=True)
class Offer:
    """That `make` makes pieces of `table`'s rows, for `topics`, of which they tell all there is: nobody asks anew then;
    or, where that is None, for the topics of the rows' clients, which are stale as well. `again`: no part of a page
    shows the same, so that whoever comes back is given the newest that were missed."""

    table: str
    make: Maker
    topics: frozenset[str] | None = None
    again: bool = False
