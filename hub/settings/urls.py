"""Addresses of servers, written as a URL or as `host:port`. Errors never repeat a URL: it may hold a password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from crm_core.wording import Sentence
from hub.settings.errors import BadValueError
from hub.settings.secret import HIDDEN, DatabaseEngine, DatabaseUrl, Endpoint, Secret, ServerUrl
from hub.settings.values import Parser, or_nothing, shown, text

_HOST = re.compile(r"[\w.-]{1,253}\Z")  # also «почта.рф»
_ADDRESS_6 = re.compile(r"[0-9A-Fa-f:.]{2,45}\Z")
_ENCODED = Sentence("In user and password write / as %2F, # as %23, ? as %3F, @ as %40, : as %3A and % as %25")
_FOREIGN = {
    "postgresql": DatabaseEngine.POSTGRESQL,
    "mysql": DatabaseEngine.MYSQL,
    "mariadb": DatabaseEngine.MYSQL,
    "sqlite": DatabaseEngine.SQLITE,
}
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def endpoint(value: object) -> Endpoint:
    """`host:port` to listen on; IPv6 in square brackets."""
    mend = Sentence('Write host and port, like "127.0.0.1:8080"')
    found = re.match(r"(?:\[([^\]]*)\]|([^:\[\]]*)):([0-9]{1,5})\Z", text(value).strip())
    if not found:
        raise BadValueError(Sentence("{value} is not host:port", value=shown(value)), mend)
    host, port = found[1] or found[2] or "", int(found[3])
    if not (_ADDRESS_6.match(host) if found[1] else _HOST.match(host)):
        raise BadValueError(Sentence("{value} names no usable host", value=shown(value)), mend)
    if port > 65535:
        raise BadValueError(
            Sentence("port {port} does not exist", port=port), Sentence("Give a port from 0 to 65535 (0: any free one)")
        )
    return Endpoint(host, port)


def server(ports: Mapping[str, int], *, path: str | None = None, login: bool = False) -> Parser[ServerUrl]:
    """`scheme://user:password@host:port/path`; schemes with their usual ports.

    `path` is what stands where none is given, None: a path is an error. `login`: user and password have to be there.
    """
    example = f"{next(iter(ports))}://user:password@host:{next(iter(ports.values()))}"

    def parse(value: object) -> ServerUrl:
        split, port = split_address(text(value).strip(), tuple(ports), f'Write it like "{example}"')
        user, password = unquote(split.username or ""), unquote(split.password or "")
        if login and not (user and password):
            raise BadValueError(
                Sentence("user or password is missing in the address"),
                Sentence('Write it like "{example}"', example=example),
            )
        if "\r" in user + password or "\n" in user + password or "\0" in user + password:
            raise BadValueError(
                Sentence("user or password hold a line break or NUL"), Sentence("Choose another password")
            )
        folder = unquote(split.path.strip("/"))
        if folder and path is None:
            raise BadValueError(
                Sentence("the address has a path, which means nothing here"),
                Sentence('Write it like "{example}"', example=example),
            )
        if split.query or split.fragment:
            raise BadValueError(Sentence("the address goes on with ? or #, which means nothing here"), _ENCODED)
        return ServerUrl(
            split.scheme, split.hostname or "", ports[split.scheme] if port is None else port, user, Secret(password),
            folder or path or "",
        )  # fmt: skip

    return parse


def web_address(value: object) -> str:
    """`http(s)://host[:port][/path]` without a trailing slash."""
    found = text(value).strip()
    mend = Sentence('Write it like "https://hub.example.org"')
    split, _ = split_address(found, ("https", "http"), mend)
    if split.username or split.password or split.fragment:
        raise BadValueError(Sentence("the address holds a login or a #, which means nothing here"), mend)
    return found.rstrip("/")


def base_address(value: object) -> str:
    """A web address that paths are put behind: no query."""
    found = web_address(value)
    if "?" in found:
        raise BadValueError(
            Sentence("the address holds a ?, but paths are put behind it"),
            Sentence('Write it like "https://hub.example.org"'),
        )
    return found


def origin(value: object) -> str:
    """`scheme://host[:port]` as browsers send it in `Origin` (lower case, Punycode), or `*` for any."""
    if value == "*":
        return "*"
    found = web_address(value)
    split = urlsplit(found)
    if split.path or split.query:
        raise BadValueError(
            Sentence("{value} is more than an origin", value=shown(value)),
            Sentence('Leave the path away: "https://example.org"'),
        )
    try:
        host = (split.hostname or "").encode("idna").decode()
    except UnicodeError:
        raise BadValueError(
            Sentence("{value} names no usable host", value=shown(value)),
            Sentence('Write it like "https://example.org"'),
        ) from None
    return f"{split.scheme}://{host}" if split.port is None else f"{split.scheme}://{host}:{split.port}"


def database(folder: Path) -> Parser[DatabaseUrl]:
    """A database of SQLAlchemy's; a relative SQLite path starts at `folder`."""
    mend = Sentence(
        'Write "sqlite+aiosqlite:///var/hub.sqlite3" or "postgresql+asyncpg://user:password@host:5432/name"'
    )

    def parse(value: object) -> DatabaseUrl:
        found = text(value).strip()
        scheme, separator, _ = found.partition("://")
        if scheme == "sqlite+aiosqlite" and separator:
            return _sqlite(found, folder, mend)
        if scheme != "postgresql+asyncpg" or not separator:
            raise BadValueError(Sentence("this is no database that the hub runs on"), mend)
        # a Unix socket's folder stands in the query: postgresql+asyncpg:///name?host=/run/postgresql
        split, port = split_address(found, (scheme,), mend, hostless="host=" in found)
        if not split.path.strip("/"):
            raise BadValueError(Sentence("the address names no database"), mend)
        login = f"{split.username}{f':{HIDDEN}' if split.password else ''}@" if split.username else ""
        place = Endpoint(split.hostname, port or 5432) if split.hostname else ""
        safe = f"{scheme}://{login}{place}{split.path}"
        return DatabaseUrl(DatabaseEngine.POSTGRESQL, found, safe)

    return parse


def foreign_database(folder: Path) -> Parser[DatabaseUrl]:
    """A database of somebody else, only read; a relative SQLite path starts at `folder`."""
    mend = Sentence('Write "postgresql://user:password@host:5432/asteriskcdrdb", "mysql://…" or "sqlite:///path"')

    def parse(value: object) -> DatabaseUrl:
        found = text(value).strip()
        scheme, separator, rest = found.partition("://")
        engine = _FOREIGN.get(scheme.partition("+")[0])
        if engine is None or not separator:
            raise BadValueError(Sentence("this is no database that call records can be read from"), mend)
        if engine is DatabaseEngine.SQLITE:
            return _sqlite(f"sqlite+aiosqlite://{rest}", folder, mend)
        split, port = split_address(found, (scheme,), mend, hostless="host=" in found)
        if not split.path.strip("/"):
            raise BadValueError(Sentence("the address names no database"), mend)
        login = f"{split.username}{f':{HIDDEN}' if split.password else ''}@" if split.username else ""
        place = f"{split.hostname or ''}{f':{port}' if port else ''}"
        return DatabaseUrl(engine, found, f"{scheme}://{login}{place}{split.path}")

    return parse


def redis(value: object) -> ServerUrl | None:
    """`redis://` or `rediss://`, the path being the database's number; empty: everything stays in process."""
    found = or_nothing(server({"redis": 6379, "rediss": 6379}, path="0"))(value)
    if found is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", found.path):
        raise BadValueError(
            Sentence("the path of the address is not a database number"),
            Sentence('Write it like "redis://host:6379/0"'),
        )
    return found


def _sqlite(found: str, folder: Path, mend: str) -> DatabaseUrl:
    rest = found.removeprefix("sqlite+aiosqlite://")
    name, question, query = rest.removeprefix("/").partition("?")
    if not rest.startswith("/") or "#" in rest:
        raise BadValueError(Sentence("the address names no file"), mend)
    if name in {"", ":memory:"}:
        return DatabaseUrl(DatabaseEngine.SQLITE, found, found)
    path = folder / name  # SQLAlchemy does not decode it either
    if "?" in str(path):
        raise BadValueError(Sentence("the path of the database holds a ?"), Sentence("Choose another folder"))
    whole = f"sqlite+aiosqlite:///{path}{question}{query}"
    return DatabaseUrl(DatabaseEngine.SQLITE, whole, whole, path)


def split_address(
    found: str, schemes: tuple[str, ...], mend: str, *, hostless: bool = False
) -> tuple[SplitResult, int | None]:
    """The parts of an address and its port; raises BadValueError, which does not repeat it."""
    if re.search(r"\s", found):
        raise BadValueError(Sentence("the address holds a blank"), mend)
    if _STRAY_PERCENT.search(found):
        raise BadValueError(Sentence("the address holds a % that begins no code"), _ENCODED)
    scheme = found.partition("://")[0].lower() if "://" in found else ""
    if scheme not in schemes:
        wanted = " or ".join(f"{each}://" for each in schemes)
        raise BadValueError(Sentence("the address does not begin with {wanted}", wanted=wanted), mend)
    try:
        split = urlsplit(found)
        port, host = split.port, split.hostname or ""
    except ValueError:  # urlsplit's message would repeat part of the address
        raise BadValueError(
            Sentence("the address can't be taken apart"), Sentence("{mend}. {encoded}", mend=mend, encoded=_ENCODED)
        ) from None
    if not (_HOST.match(host) or _ADDRESS_6.match(host) or (hostless and not host)):
        raise BadValueError(
            Sentence("the address names no usable host"), Sentence("{mend}. {encoded}", mend=mend, encoded=_ENCODED)
        )
    return split, port
