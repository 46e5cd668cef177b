"""Forms that came after their session had ended: kept, sealed, until their person has logged in again and sends them.

Only what a page of this hub drew for an earlier session of the same browser is kept: its token tells, by what the
cookie remembers of that session. It is sent by its person alone, with a token of the session that they have then, and
once. Where secrets are typed nothing is kept, nor are files; nothing of it is ever logged.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

import orjson
from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken

from crm_core.errors import CoreError
from crm_core.services.desk import Desk
from crm_core.storage import unsent as storage
from crm_core.storage.store import Store
from hub.access.secret_key import key_for
from hub.access.security import same_text, token_digest
from hub.log import get_logger
from hub.settings import Settings
from hub.web.packing import unveiled
from hub.web.returning import page_of
from hub.web.sessions import Session, new_key

log = get_logger(__name__)

UNSENT_AT: Final = "/unsent"
_MOST_BYTES = 200_000
_LONGEST_PATH = 2000
_MOST_FIELDS = 500
_ROOMS: Final = (
    *("/broadcasts/", "/calls/", "/cases/", "/companies/", "/contacts/", "/control/", "/deals/", "/leads/", "/lists/"),
    *("/office/", "/tasks/", "/wall/"),
)
_SECRET_ROOMS: Final = ("/office/people", "/office/new-person", "/office/channels", "/office/webhook")
_SECRET_FIELDS: Final = re.compile("password|secret|token", re.IGNORECASE)
_OWN_FIELDS: Final = frozenset({"csrf", "back", "next"})


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent: where to, from which page, its fields in their order; `files`: some came along, and are lost."""

    path: str
    page: str
    fields: tuple[tuple[str, str], ...]
    files: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What a person has written of it, as far as it can be told from marks for programs."""
        return tuple(value for _name, value in self.fields if _written(value))


def remembers(path: str) -> bool:
    """Whether forms that go there are kept: people write there, and no secrets."""
    return path.startswith(_ROOMS) and not path.startswith(_SECRET_ROOMS)


def whose(session: Session, token: str) -> str | None:
    """Whose form has this token: of the session that this browser had before; None for any other."""
    before = session.before
    return before.login if before is not None and same_text(unveiled(token), before.csrf) else None


def shown_first(session: Session, where: str) -> str:
    """Where somebody is led who has logged in: to what they had sent too late, where that may be, else `where`."""
    return f"{UNSENT_AT}?{urlencode({'next': where}, safe='/')}" if session.unsent else where


class Unsent:
    """Keeps forms and gives them back."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(key_for(settings, "unsent forms")))
        self._store = store

    async def kept(self, request: web.Request, session: Session) -> Session | None:
        """Keep the form of a request, which this session does not admit; the session that knows of it, None where there
        is nothing to keep or it could not be kept."""
        if session.before is None or not remembers(request.path):
            return None
        try:
            posted = await request.post()
        except web.HTTPRequestEntityTooLarge:
            return None
        token = posted.get("csrf")
        login = whose(session, token) if isinstance(token, str) else None
        form = _form_of(request, tuple(posted.items()))
        if login is None or form is None:
            return None
        plain = orjson.dumps([login, form.path, form.page, form.fields, form.files])
        if len(plain) > _MOST_BYTES:
            return None
        told = session if session.unsent else replace(session, unsent=new_key())
        digest, sealed = token_digest(told.unsent), self._fernet.encrypt(plain).decode()
        try:
            await self._store.run(lambda desk: storage.keep_unsent(desk, login, digest, sealed))
        except CoreError as err:
            log.warning("a form that came too late could not be kept", login=login, error=str(err))
            return None
        return told

    async def all_of(self, login: str, session: Session) -> tuple[tuple[int, Form], ...]:
        """What a person has sent too late from this browser, by the id of each, the oldest first."""
        digest, now = token_digest(session.unsent), self._store.clock.now()
        found = await self._store.read(lambda conn: storage.list_unsent(conn, login, digest, now))
        opened = ((each.id, self._open(login, each.sealed)) for each in found)
        return tuple((ident, form) for ident, form in opened if form is not None)

    async def take(self, login: str, session: Session, ident: int) -> Form | None:
        """Take one away; None where that has been done already."""
        digest = token_digest(session.unsent)

        def taken(desk: Desk) -> storage.Unsent | None:
            return storage.take_unsent(desk, login, digest, ident)

        found = await self._store.run(taken)
        return self._open(login, found.sealed) if found is not None else None

    def _open(self, login: str, sealed: str) -> Form | None:
        """None where the hub's key is another one now, which is logged."""
        try:
            owner, path, page, fields, files = orjson.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            log.warning("a form that came too late was sealed with another key", login=login)
            return None
        return Form(path, page, tuple((name, value) for name, value in fields), files) if owner == login else None


def _form_of(request: web.Request, posted: Sequence[tuple[str, object]]) -> Form | None:
    """None for what is not kept."""
    found: list[tuple[str, str]] = []
    files = False
    for name, value in posted:
        if _SECRET_FIELDS.search(name):
            return None
        if isinstance(value, str):
            found.append((name, value))
        else:
            files = files or (isinstance(value, web.FileField) and bool(value.filename))
    fields = tuple((name, _readable(value)) for name, value in found if name not in _OWN_FIELDS)
    if not fields or len(fields) > _MOST_FIELDS or len(request.path_qs) > _LONGEST_PATH:
        return None
    return Form(request.path_qs, page_of(request), fields, files)


def _readable(text: str) -> str:
    """Without what can be written nowhere: halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _written(value: str) -> bool:
    return bool(value.strip()) and not re.fullmatch(r"[\w.:+-]{1,60}", value, re.ASCII)
