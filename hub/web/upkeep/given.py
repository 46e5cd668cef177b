"""What somebody gave in the form of an account, as the channel's table has it; and what the form shows of an account.

Secrets are read and never shown. A field of a secret that is left empty keeps the secret, but only where it still goes
to the server it was given for.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from crm_core.model.definitions.accounts import AccountBody, AccountKind
from hub.web.tongues import _
from hub.web.upkeep.asked import ASKED, Asked, Shape

_LONGEST = 20_000
_KEY_BYTES = 18


@dataclass(frozen=True, slots=True)
class Server:
    """A server as a form has it; the port as it was typed."""

    scheme: str = ""
    host: str = ""
    port: str = ""
    user: str = ""
    folder: str = ""


@dataclass(slots=True)
class Form:
    """The fields as they stand: texts by key (empty: nothing), servers by key. `kept` are keys whose secret is known;
    `wrong` what is the matter with a field."""

    texts: dict[str, str] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    wrong: dict[str, str] = field(default_factory=dict)


def shown(kind: AccountKind, before: AccountBody | None) -> Form:
    """The form of an account that is kept, or of a new one, with a fresh key where it needs one."""
    form = Form(kept=frozenset(before.sealed) if before is not None else frozenset())
    for asked in ASKED[kind]:
        value = before.settings.get(asked.key) if before is not None else None
        if asked.shape is Shape.SERVER:
            form.servers[asked.key] = _parts(str(value or ""), asked)
        elif asked.shape is Shape.KEY:
            form.texts[asked.key] = "" if asked.key in form.kept else secrets.token_urlsafe(_KEY_BYTES)
        elif asked.shape is not Shape.SECRET:
            form.texts[asked.key] = _text(value, asked, new=before is None)
    return form


def taken(kind: AccountKind, posted: Mapping[str, Any], before: AccountBody | None) -> tuple[dict[str, Any], Form]:
    """The settings that a form gives, None for what is to be as usual, and the form to show again, without secrets."""
    form = Form(kept=frozenset(before.sealed) if before is not None else frozenset())
    settings: dict[str, Any] = {}
    for asked in ASKED[kind]:
        key, text = asked.key, _posted(posted, asked.key)
        match asked.shape:
            case Shape.SERVER:
                old = str(before.settings.get(key) or "") if before is not None else ""
                server = Server(**{name: _posted(posted, f"{key}.{name}") for name in Server.__dataclass_fields__})
                form.servers[key] = server
                address, why = _address(server, _posted(posted, f"{key}.password", strip=False), old, asked)
                settings[key] = address
                if why:
                    form.wrong[key] = why
            case Shape.SECRET | Shape.KEY:
                form.texts[key] = text if asked.shape is Shape.KEY else ""
                if text or key not in form.kept:
                    settings[key] = text or None
            case Shape.FLAG:
                form.texts[key] = "yes" if text else ""
                settings[key] = bool(text)
            case Shape.NUMBER:
                form.texts[key] = text
                settings[key] = int(text) if text.isdecimal() and len(text) < 19 else (text or None)
            case Shape.LIST:
                form.texts[key] = text
                settings[key] = [line.strip() for line in text.splitlines() if line.strip()] or None
            case Shape.TEXT | Shape.CHOICE:
                form.texts[key] = text
                settings[key] = text or None
    return settings, form


def _posted(posted: Mapping[str, Any], key: str, *, strip: bool = True) -> str:
    value = posted.get(key)
    if not isinstance(value, str) or "\x00" in value:
        return ""
    return value[:_LONGEST].strip() if strip else value[:_LONGEST]


def _text(value: object, asked: Asked, *, new: bool) -> str:
    match value:
        case None:
            return asked.usual if new or not asked.unsaid else asked.unsaid
        case bool():
            return "yes" if value else ""
        case list():
            return "\n".join(str(each) for each in value)
        case _:
            return str(value)


def _parts(address: str, asked: Asked) -> Server:
    scheme, port = asked.schemes[0]
    if not address:
        return Server(scheme, "", str(port))
    split = urlsplit(address)
    return Server(
        split.scheme, split.hostname or "", str(split.port or port), unquote(split.username or ""),
        unquote(split.path.strip("/")),
    )  # fmt: skip


def _address(server: Server, password: str, old: str, asked: Asked) -> tuple[str | None, str]:
    """The address of a server, None where there is none; and what is wrong."""
    if not server.host:
        return None, ""
    if not server.port.isdecimal() or not 0 < int(server.port[:6]) < 65536:
        return None, _("A port is a number from 1 to 65535.")
    scheme = server.scheme if server.scheme in dict(asked.schemes) else asked.schemes[0][0]
    before = _parts(old, asked) if old else None
    if not password and before is not None and ":" in urlsplit(old).netloc.rpartition("@")[0]:
        same = (scheme, server.host.casefold(), server.port, server.user, server.folder)
        if same == (before.scheme, before.host.casefold(), before.port, before.user, before.folder):
            return old, ""
        return old, _("Give the password again: it was given for another server or user.")
    login = quote(server.user, safe="")
    if password:
        login += ":" + quote(password, safe="")
    host = f"[{server.host}]" if ":" in server.host else server.host
    path = f"/{quote(server.folder)}" if asked.folder and server.folder else ""
    return f"{scheme}://{login}{'@' if login else ''}{host}:{server.port}{path}", ""
