"""Every read that a door shows to somebody asks for its right where the record is read, whatever door it came through:
each read by each role, by somebody dismissed, by somebody who lacks that one right and by the hub itself where it asks
too, against the one table. What doors call is found in their sources: a read that stands nowhere here fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, Final, cast

import pytest
from sqlalchemy import Connection

import crm_core.storage
import hub
from crm_core.errors import CoreError, Forbidden
from crm_core.model.access import Access
from crm_core.model.rights import TABLE, Reach, Right
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.storage.queries.within import connection_of
from tests.integration.storage.reads import Ask, Read, Reads, clients, office, sales, services
from tests.integration.storage.reads.helpers import HELPERS, ITS_OWN
from tests.integration.storage.test_rights_of_acts import asked, person, without
from tests.integration.storage.world import World

_STORAGE: Final = "crm_core.storage."
_TABLES: tuple[Reads, ...] = (clients.READS, sales.READS, office.READS, services.READS)
READS: Mapping[Right, Mapping[str, Read]] = {
    right: {name: read for table in _TABLES for name, read in table.get(right, {}).items()} for right in Right
}
STANDING = {name.split()[0] for reads in READS.values() for name in reads}
ASKING = {"Access", "Asker", "Sequence[Asker]"}


class Looked(Exception):
    """The record was looked at."""


class Closed:
    """A connection of somebody who is refused: nothing is looked up for them."""

    def __getattr__(self, name: str) -> Any:
        raise Looked(name)


CLOSED = cast("Connection", Closed())


def refused(ask: Ask, read: Read) -> Right | None:
    """For want of which right whoever reads is refused; None where they are not, whatever there is to be seen."""
    try:
        found = read(ask)
        if isinstance(found, Iterator):
            list(found)
    except Forbidden as err:
        right = err.sentence.values["right"]
        assert isinstance(right, Right)
        return right
    except (CoreError, Looked):
        return None
    return None


def wrongs(desk: Desk, right: Right, name: str, read: Read) -> list[str]:
    """Where a read asks for something else than the table says, each by whom."""
    conn = connection_of(desk)
    found: list[str] = []

    def wanting(access: Access | None, conn: Connection) -> Right | None:
        desk.access = access
        return refused(Ask(desk, conn, access), read)

    for role in Role:
        desk.acts_for(person(role))
        allowed = TABLE[right][role] is not Reach.NONE
        if wanting(desk.access, conn if allowed else CLOSED) is not (None if allowed else right):
            found.append(role)
    desk.acts_for(person(Role.ADMIN, active=False))
    dismissed = desk.access
    if wanting(dismissed, CLOSED) is None:
        found.append("somebody dismissed")
    if wanting(without(dismissed, right), CLOSED) is not right:
        found.append("somebody who may do all else")
    if asked_by_the_hub(function(name)) and wanting(None, conn) is not None:
        found.append("the hub itself")
    return found


def function(name: str) -> Any:
    """A function by how it is named here."""
    module, _, called = name.split(maxsplit=1)[0].rpartition(".")
    below = "crm_core." if module.startswith("services.") else _STORAGE
    return getattr(import_module(below + module), called)


def asked_by_the_hub(read: Any) -> bool:
    """Whether a read takes the hub itself for who asks."""
    return any(each.annotation in {"Access | None", "Desk"} for each in parameters(read))


def parameters(read: Any) -> list[Parameter]:
    """What a function takes, in its order."""
    return list(signature(read).parameters.values())


def asks(read: Any) -> bool:
    """Whether a function takes who asks: right behind the connection, or in a transaction of theirs."""
    first, *more = parameters(read)
    return first.annotation == "Desk" or (bool(more) and more[0].annotation.removesuffix(" | None") in ASKING)


def called_by_doors() -> dict[str, set[str]]:
    """What of the storage takes a connection and is named by the doors: by name where."""
    found: dict[str, set[str]] = {}
    root = Path(hub.__file__).parent
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root).with_suffix("").parts
        if place[0] not in ITS_OWN:
            for name in named(ast.parse(path.read_text(encoding="utf-8"))):
                if takes_a_connection(name):
                    found.setdefault(name, set()).add("/".join(place))
    return found


def named(source: ast.Module) -> set[str]:
    """What a module names of the storage."""
    known: dict[str, str] = {}
    for each in ast.walk(source):
        if isinstance(each, ast.ImportFrom) and each.module is not None:
            known.update({alias.asname or alias.name: f"{each.module}.{alias.name}" for alias in each.names})
        elif isinstance(each, ast.Import):
            known.update({alias.asname: alias.name for alias in each.names if alias.asname is not None})
    written = {ast.unparse(each) for each in ast.walk(source) if isinstance(each, (ast.Name, ast.Attribute))}
    found = set()
    for name in written:
        first, dot, rest = name.partition(".")
        found.add(known.get(first, first) + dot + rest)
    return {each.removeprefix(_STORAGE) for each in found if each.startswith(_STORAGE)}


def takes_a_connection(name: str) -> bool:
    """Whether this is a function that reads: by a connection, or within a transaction where it is a query."""
    module, _, called = name.rpartition(".")
    if not (Path(crm_core.storage.__file__).parent / f"{module.replace('.', '/')}.py").is_file():
        return False
    found = getattr(import_module(_STORAGE + module), called)
    if not callable(found) or isinstance(found, type):
        return False
    first = next(iter(parameters(found)), None)
    kinds = {"Connection", "Desk"} if module.startswith("queries.") else {"Connection"}
    return first is not None and first.annotation in kinds


@pytest.mark.parametrize("right", [right for right in Right if READS[right]])
async def test_every_read_asks_for_its_right(world: World, right: Right) -> None:
    found = {
        name: await asked(world, lambda desk, name=name, read=read: wrongs(desk, right, name, read))  # type: ignore[misc]  # its defaults
        for name, read in READS[right].items()
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_whatever_doors_read_takes_who_asks() -> None:
    silent = {name: where for name, where in called_by_doors().items() if not asks(function(name))}
    assert {name: where for name, where in silent.items() if name not in HELPERS} == {}


def test_whatever_asks_is_tried_and_whatever_does_not_has_its_reason() -> None:
    called = set(called_by_doors())
    assert called - STANDING - set(HELPERS) == set()
    assert STANDING & set(HELPERS) == set()
    assert set(HELPERS) - called == set()
    assert {name for name in STANDING if not asks(function(name))} == set()
