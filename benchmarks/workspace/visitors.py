"""The people who look: they log in as anybody does, and keep what their browsers would keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from argon2 import PasswordHasher

from benchmarks.workspace.wire import Visitor
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.storage.store import Store
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, UserChange, add_user, update_user
from hub.access.security import new_token, token_digest

MANAGER, DIRECTOR = "manager0", "dina"
_PASSWORD = "the same of everybody here"
# What a hash costs is no part of what is measured.
_HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(_PASSWORD)
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TAG = re.compile(r"<[a-z]+\s[^>]*\bdata-(?:topic|pieces)=[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Followed:
    """What a page follows, and the addresses of its parts by topic."""

    topics: list[str]
    parts: dict[str, list[str]]


async def prepare(store: Store, browsers: int) -> tuple[list[str], str]:
    """Give the office's people a password, and add so many who only look; their logins, and a token of the director."""
    token = new_token()
    logins = [f"looker{number}" for number in range(browsers)]

    def act(desk: Desk) -> None:
        for login in (MANAGER, DIRECTOR):
            update_user(desk, login, UserChange(password_hash=_HASHED))
        add_token(desk, DIRECTOR, token_digest(token))

    await store.run(act)
    for first in range(0, browsers, 50):
        await store.run(partial(_add, logins=logins[first : first + 50]))
    return logins, token


def _add(desk: Desk, logins: Sequence[str]) -> None:
    for login in logins:
        add_user(desk, NewUser(login, login, Role.MANAGER, group="sales", password_hash=_HASHED))


async def log_in(port: int, login: str) -> Visitor:
    """Somebody who has logged in."""
    visitor = Visitor(port)
    found = _CSRF.search((await visitor.get("/login")).text)
    assert found is not None
    answer = await visitor.send("/login", {"csrf": found[1], "login": login, "password": _PASSWORD, "next": "/"})
    if answer.status != 303:
        raise RuntimeError(f"{login} can't log in: {answer.status} {answer.text[:400]}")
    return visitor


def followed(html: str) -> Followed:
    """What the modules of the pages would read from a page."""
    topics, parts = {"me"}, dict[str, list[str]]()
    for tag in _TAG.findall(html):
        named = dict(_ATTRIBUTE.findall(tag))
        stale = named.get("data-topic", "").split()
        topics.update(stale, named.get("data-pieces", "").split())
        if "hx-get" in named:
            for topic in stale:
                parts.setdefault(topic, []).append(named["hx-get"].replace("&amp;", "&"))
    return Followed(sorted(topics), parts)
