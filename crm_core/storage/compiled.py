"""Statements are compiled once a process, however many databases it opens: that takes longer than to run them."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, TypeAlias

from sqlalchemy import Dialect
from sqlalchemy.util import LRUCache
from typing_extensions import override

_MOST = 1000  # of each kind of database

_Key: TypeAlias = tuple[Dialect, *tuple[Any, ...]]


class CompiledStatements(MutableMapping[_Key, Any]):
    """What statements were compiled to, for the engines of `Database`, which are set up alike.

    SQLAlchemy asks by the dialect of one engine and by the statement. Engines that talk to the same kind of server say
    the same of a statement, so that here the kind stands in the dialect's place.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[object, ...], LRUCache[Any, Any]] = {}

    @override
    def __getitem__(self, key: _Key) -> Any:
        return self._of(key[0])[key[1:]]

    @override
    def get(self, key: _Key, default: Any = None) -> Any:
        # Asked before a statement is compiled: that one is missing is no error on the way.
        return self._of(key[0]).get(key[1:], default)

    @override
    def __setitem__(self, key: _Key, value: Any) -> None:
        self._of(key[0])[key[1:]] = value

    @override
    def __delitem__(self, key: _Key) -> None:
        del self._of(key[0])[key[1:]]

    @override
    def __iter__(self) -> Iterator[Any]:
        return (statement for kept in self._kinds.values() for statement in kept)

    @override
    def __len__(self) -> int:
        return sum(len(kept) for kept in self._kinds.values())

    def _of(self, dialect: Dialect) -> LRUCache[Any, Any]:
        kind = (type(dialect), dialect.server_version_info, dialect.default_schema_name)
        kept = self._kinds.get(kind)
        return kept if kept is not None else self._kinds.setdefault(kind, LRUCache(_MOST))


COMPILED = CompiledStatements()
