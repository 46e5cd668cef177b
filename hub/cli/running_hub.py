"""Asking the hub that runs: what only it knows, such as what the telephones do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiohttp

from crm_core.storage.tokens import add_token, remove_token
from crm_core.storage.users import list_users
from hub.access.security import new_token, token_digest

if TYPE_CHECKING:
    from crm_core.storage.store import Store
    from hub.settings import Settings

_ANSWER_S = 3.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 — compared, not bound


async def asked(settings: Settings, store: Store, path: str, query: Mapping[str, str]) -> Any | None:
    """The JSON of `GET /api/v1{path}` from the running hub; None where none answers, or one of another office does.

    It is asked with a token that lives only for this question.
    """
    people = await store.read(lambda conn: list_users(conn, None))
    user = next((each for each in people if each.active), None)
    if user is None:
        return None
    token, login = new_token(), user.login
    token_id = await store.run(lambda desk: add_token(desk, login, token_digest(token)))
    try:
        return await _get(settings, path, query, token)
    finally:
        await store.run(lambda desk: remove_token(desk, token_id))


async def _get(settings: Settings, path: str, query: Mapping[str, str], token: str) -> Any | None:
    host = _EVERYWHERE.get(settings.http.host, settings.http.host)
    url = f"http://{host}:{settings.http.port}/api/v1{path}"
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, params=dict(query), headers=headers) as response,
        ):
            return await response.json() if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None  # the caller says that no hub answered
